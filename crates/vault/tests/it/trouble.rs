//! Full disks, lost connections, several nodes.

use std::{sync::Arc, time::Duration};

use sekisho_kernel::{Outcome, Right, SystemRng, event, id::RecordId};
use sekisho_ledger::{Trust, Verdict, parse_verifier_key};
use sekisho_store::{Store, problems};
use sekisho_testkit::TestStore;
use sekisho_vault::{Entry, Page, Scope, Vault, history::Filter};

use crate::house::{House, Note, act, all, each, keys, migrations, note, parts, policy};

#[tokio::test]
async fn a_full_disk_fails_the_act_and_is_told_once_there_is_room_again() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.test.faults.plan(1, sekisho_store::Fault::DiskFull);
        let done = house.vault.act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
            tx.insert(RecordId::NIL, &note("no room"))?;
            tx.commit(permit, Entry::default(), ())
        });
        assert!(done.await.expect_err("no room").is(&problems::FULL));
        let notes = house.vault.peek(&Scope::of(&cx), |v| v.list::<Note>(&Page::default())).await.expect("listed");
        assert!(notes.is_empty());
        let rows = house.vault.history(&Scope::of(&cx), Filter::default()).await.expect("history").rows;
        let ends: Vec<_> = rows.iter().filter(|r| r.event == "site.create").map(|r| r.outcome).collect();
        assert_eq!(ends, [Outcome::Failed]);
        house.write(&cx, "room again").await;
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_kept_is_not_acknowledged() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.test.faults.plan(1, sekisho_store::Fault::Io);
        let entered = house.vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", Vec::new()).await;
        assert!(entered.is_err());
        house.test.faults.plan(2, sekisho_store::Fault::Io);
        let read = house.vault.look(&cx, act(&cx, Right::SITES_READ), |v| v.list::<Note>(&Page::default())).await;
        assert!(read.is_err(), "nobody reads what cannot be entered");
        let rows = house.vault.history(&Scope::of(&cx), Filter::default()).await.expect("history").rows;
        assert_eq!(rows.len(), 1, "the making of the keys");
    })
    .await;
}

/// What became of a hundred entries made at once.
async fn crowd(house: &House, cx: &sekisho_kernel::Cx) -> Vec<bool> {
    let one = |_| {
        let (vault, cx) = (house.vault.clone(), cx.clone());
        tokio::spawn(async move { vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", Vec::new()).await })
    };
    let tasks: Vec<_> = (0..100).map(one).collect();
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.expect("told").is_ok());
    }
    told
}

#[tokio::test]
async fn of_a_crowd_each_is_told_what_became_of_its_own_entry() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.test.faults.plan(1, sekisho_store::Fault::Io);
        let told = crowd(&house, &cx).await;
        let accepted = told.iter().filter(|ok| **ok).count();
        assert!(accepted < told.len(), "the first commit failed");
        let filter = Filter { event: Some("site.read".into()), limit: 200, ..Filter::default() };
        let rows = house.vault.history(&Scope::of(&cx), filter).await.expect("history").rows;
        assert_eq!(rows.len(), accepted);
        house.test.store.close();
        assert!(!crowd(&house, &cx).await.contains(&true), "a closed store takes nothing, and says so to all");
    })
    .await;
}

#[tokio::test]
async fn many_writers_and_a_sequencer_lose_nothing() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let writers: Vec<_> = (0..8)
            .map(|w| {
                let (vault, cx) = (house.vault.clone(), cx.clone());
                tokio::spawn(async move {
                    for n in 0..40 {
                        if n % 4 == 0 {
                            let id = RecordId::new(vault.now(), &SystemRng);
                            let body = note(&format!("{w} {n}"));
                            let done = vault.act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                                tx.insert(id, &body)?;
                                tx.commit(permit, Entry::of(id), ())
                            });
                            done.await.expect("done");
                        } else {
                            let detail = vec![("n", n.to_string())];
                            vault
                                .enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", detail)
                                .await
                                .expect("entered");
                        }
                    }
                })
            })
            .collect();
        let sequencer = {
            let vault = house.vault.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    vault.sequence(&policy()).await.expect("sequenced");
                    vault.checkpoint().await.expect("signed");
                    tokio::task::yield_now().await;
                }
            })
        };
        for task in writers {
            task.await.expect("a writer");
        }
        sequencer.await.expect("the sequencer");
        house.seal().await;
        assert_eq!(house.count("SELECT COUNT(*) FROM note").await, 80);
        intact(&house, 8 * 40 + 1).await;
    })
    .await;
}

async fn intact(house: &House, entries: u64) {
    let key = parse_verifier_key(&house.vault.verifier_key().expect("a key")).expect("a key");
    let trust = Trust { keys: vec![key], ..Trust::default() };
    let reports = house.vault.verify(Some(house.a), trust).await.expect("verified");
    let report = &reports[0].1;
    assert_eq!(report.verdict(), Verdict::Intact, "{report:?}");
    assert_eq!((report.counts.leaves, report.epochs[0].signed), (entries, Some(entries)));
}

/// A second node on the same database.
async fn second(house: &House, test: &TestStore) -> Vault {
    let store = Store::open(test.config.clone(), &migrations(None)).expect("a second node's store");
    let keys = keys(&store, &house.dir, &house.clock, None).await;
    Vault::rehearse(parts(&store, &keys, &house.clock), None).await.expect("a second node")
}

#[tokio::test]
async fn two_nodes_cannot_fork_a_log() {
    let Some(test) = sekisho_testkit::postgres(&migrations(None)) else { return };
    let house = House::new(test, None).await;
    let other = second(&house, &house.test).await;
    let cx = house.person(house.a, all()).await;
    let nodes = [house.vault.clone(), other];
    let tasks: Vec<_> = nodes
        .iter()
        .cloned()
        .map(|vault| {
            let cx = cx.clone();
            tokio::spawn(async move {
                for n in 0..60 {
                    let detail = vec![("n", n.to_string())];
                    vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", detail).await.expect("entered");
                    // Whichever node comes second finds the lock taken or the head moved, and goes on later.
                    let _ = vault.sequence(&policy()).await;
                    let _ = vault.checkpoint().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a node");
    }
    house.seal().await;
    intact(&house, 121).await;
}

#[tokio::test]
async fn destroyed_keys_are_forgotten_on_every_node() {
    let Some(test) = sekisho_testkit::postgres(&migrations(None)) else { return };
    let house = House::new(test, None).await;
    let other = Arc::new(second(&house, &house.test).await);
    let cx = house.person(house.a, all()).await;
    let id = house.write(&cx, "read on both").await;
    let read = || {
        let (other, scope) = (other.clone(), Scope::of(&cx));
        async move { other.peek(&scope, move |v| v.get::<Note>(id)).await }
    };
    assert!(read().await.expect("read").is_some());
    let end = sekisho_kernel::Cx::job(house.a, sekisho_kernel::Job::Command, policy(), &SystemRng);
    house.vault.delete_tenant(&end).await.expect("deleted");
    for _ in 0..100 {
        match read().await {
            Err(gone) => return assert_eq!(gone.kind.code, "SK-2006"),
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("the second node still has the destroyed key after 2 s");
}
