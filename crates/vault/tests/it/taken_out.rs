//! What a rehearsal takes out is really gone, and nothing else.

use sekisho_kernel::{Outcome, TakenOut, event};
use sekisho_ledger::{Kind, Trust, Verdict, parse_verifier_key};
use sekisho_store::Reach;
use sekisho_vault::{Page, Scope, history::Filter};

use crate::house::{House, Note, RETENTION, all, each_without, note, policy};

async fn leaks(house: &House) -> bool {
    let (mine, other) = (house.person(house.a, all()).await, house.person(house.b, all()).await);
    let id = house.write(&mine, "of tenant a").await;
    house.write(&other, "of tenant b").await;
    let by_id = house.vault.peek(&Scope::of(&other), move |v| v.get::<Note>(id)).await.expect("read");
    let all = house.vault.peek(&Scope::of(&other), |v| v.list::<Note>(&Page::default())).await.expect("read");
    assert_eq!(by_id.is_some(), all.len() == 2);
    by_id.is_some()
}

#[tokio::test]
async fn without_the_tenant_in_statements_and_seals_one_tenant_reads_the_others_rows() {
    each_without(Some(TakenOut::TenantScope), |house| async move {
        assert!(leaks(&house).await);
        let (cx, other) = (house.person(house.a, all()).await, house.person(house.b, all()).await);
        let id = house.write(&cx, "to be changed").await;
        let act = crate::house::act(&other, sekisho_kernel::Right::SITES_WRITE);
        let changed = house.vault.act(&other, act, move |tx, permit| {
            tx.update(id, 1, &note("changed by another tenant"))?;
            tx.commit(permit, sekisho_vault::Entry::of(id), ())
        });
        changed.await.expect("the leak is real for writes too");
        let read = house.vault.peek(&Scope::of(&cx), move |v| v.get::<Note>(id)).await.expect("read").expect("there");
        assert_eq!(read.body.title, "changed by another tenant", "and its own tenant still reads it");
    })
    .await;
    each_without(None, |house| async move { assert!(!leaks(&house).await) }).await;
}

#[tokio::test]
async fn without_entry_writing_acts_leave_no_trace() {
    each_without(Some(TakenOut::EntryWrite), |house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "unseen").await;
        house.vault.enter(&cx, &event::SITE_READ, Outcome::Refused, "sit_1", Vec::new()).await.expect("nothing");
        house.seal().await;
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger_entry").await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM note").await, 1);
    })
    .await;
}

#[tokio::test]
async fn without_sealing_bodies_lie_in_the_clear() {
    each_without(Some(TakenOut::Sealing), |house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "marker-4711").await;
        let rows = house
            .store()
            .within(Reach::Platform)
            .read(|db| db.query("SELECT sealed FROM note", &[]))
            .await
            .expect("rows");
        let bytes = rows[0].blob(0).expect("bytes");
        assert!(bytes.windows(11).any(|w| w == b"marker-4711"));
        let read = house.vault.peek(&Scope::of(&cx), |v| v.find::<Note>("title", "marker-4711")).await;
        assert_eq!(read.expect("read").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn without_the_retention_purge_old_entries_stay() {
    each_without(Some(TakenOut::RetentionPurge), |house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "old").await;
        house.seal().await;
        let before = house.count("SELECT COUNT(*) FROM ledger_entry").await;
        house.clock.advance(RETENTION * 2);
        house.vault.purge(&policy()).await.expect("nothing");
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger_entry").await, before);
        assert!(before >= 4);
    })
    .await;
}

#[tokio::test]
async fn without_the_outside_checkpoint_there_is_no_file() {
    for (out, there) in [(Some(TakenOut::OutsideCheckpoint), false), (None, true)] {
        each_without(out, |house| async move {
            house.seal().await;
            let path = house.dir.path().join("checkpoints.json");
            assert_eq!(path.exists(), there);
            if there {
                let kept = sekisho_vault::log::read_outside(&path).expect("a file");
                assert_eq!(kept.len(), 3, "a checkpoint for each log");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn with_the_checkpoint_key_swapped_the_verifier_refuses() {
    each_without(Some(TakenOut::CheckpointKey), |house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "one").await;
        house.seal().await;
        let key = parse_verifier_key(&house.vault.verifier_key().expect("a key")).expect("a key");
        let trust = Trust { keys: vec![key], ..Trust::default() };
        let reports = house.vault.verify(Some(house.a), trust).await.expect("verified");
        assert_eq!(reports[0].1.verdict(), Verdict::Tampered);
        assert!(reports[0].1.found(|k| matches!(k, Kind::BadSignature { .. })), "{:?}", reports[0].1);
    })
    .await;
}

#[tokio::test]
async fn a_house_with_nothing_taken_out_passes_the_same_steps() {
    each_without(None, |house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "marker-4711").await;
        house.seal().await;
        let found = house.vault.history(&Scope::of(&cx), Filter::default()).await.expect("history").rows;
        assert_eq!(found[0].event, "site.create");
        let key = parse_verifier_key(&house.vault.verifier_key().expect("a key")).expect("a key");
        let trust = Trust { keys: vec![key], ..Trust::default() };
        for (log, report) in house.vault.verify(None, trust).await.expect("verified") {
            assert_eq!(report.verdict(), Verdict::Intact, "{log}");
        }
    })
    .await;
}
