use std::{io::Cursor, time::Duration};

use sekisho_kernel::{
    Outcome, Right, RightSet, Zone, event,
    id::{EntryId, TenantId},
};
use sekisho_ledger::{Trust, Verdict, parse_proof, parse_verifier_key, verify_export};
use sekisho_store::{Reach, Store, StoreConfig};
use sekisho_vault::{
    Scope,
    history::{Filter, Row, State},
    log,
};

use crate::house::{House, RETENTION, act, all, code, each, keys, migrations, policy, stranger};

async fn find(house: &House, filter: Filter) -> Vec<Row> {
    let scope = Scope::of(&stranger(house.a, "192.0.2.1"));
    house.vault.history(&scope, filter).await.expect("history").rows
}

async fn enter(house: &House, event: &'static sekisho_kernel::Event, outcome: Outcome, object: &str, text: &str) {
    let cx = house.person(house.a, RightSet::EMPTY).await;
    let detail = vec![("text", text.to_owned())];
    house.vault.enter(&cx, event, outcome, object, detail).await.expect("entered");
    house.clock.advance(Duration::from_secs(1));
}

fn trust(house: &House) -> Trust {
    let key = parse_verifier_key(&house.vault.verifier_key().expect("a key")).expect("a key");
    Trust { keys: vec![key], ..Trust::default() }
}

#[tokio::test]
async fn history_is_filtered_paged_and_searched() {
    each(|house| async move {
        let start = house.vault.now();
        enter(&house, &event::USER_CREATE, Outcome::Success, "usr_1", "山田 太郎").await;
        enter(&house, &event::USER_UPDATE, Outcome::Refused, "usr_1", "nothing").await;
        enter(&house, &event::SITE_CREATE, Outcome::Success, "sit_1", "ﾔﾏﾀﾞ").await;
        enter(&house, &event::SITE_CREATE, Outcome::Failed, "/a/path", "other").await;
        let events = |filter: Filter| {
            let house = &house;
            async move { find(house, filter).await.into_iter().map(|r| r.event).collect::<Vec<_>>() }
        };
        let none = Filter::default;
        assert_eq!(
            events(none()).await,
            ["site.create", "site.create", "user.update", "user.create", "key.create"],
            "newest first"
        );
        assert_eq!(events(Filter { event: Some("user.update".into()), ..none() }).await, ["user.update"]);
        assert_eq!(events(Filter { event: Some("user.".into()), ..none() }).await, ["user.update", "user.create"]);
        assert_eq!(events(Filter { outcome: Some(Outcome::Failed), ..none() }).await, ["site.create"]);
        assert_eq!(events(Filter { object: Some("usr_1".into()), ..none() }).await, ["user.update", "user.create"]);
        assert_eq!(events(Filter { actor: Some("system:command".into()), ..none() }).await, ["key.create"]);
        assert_eq!(events(Filter { text: Some("山田".into()), ..none() }).await, ["user.create"]);
        assert_eq!(events(Filter { text: Some("ヤマダ".into()), ..none() }).await, ["site.create"]);
        assert_eq!(events(Filter { text: Some("192.0.2.7".into()), ..none() }).await.len(), 4, "by address");
        let from = start.plus(Duration::from_secs(1));
        let to = start.plus(Duration::from_secs(3));
        assert_eq!(events(Filter { from: Some(from), to: Some(to), ..none() }).await, ["site.create", "user.update"]);
        let scope = Scope::of(&stranger(house.a, "192.0.2.1"));
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = house.vault.history(&scope, Filter { before, limit: 2, ..none() }).await.expect("a page");
            assert!(page.rows.len() <= 2);
            seen.extend(page.rows.iter().map(|r| r.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 5);
        assert!(seen.windows(2).all(|w| w[0] > w[1]));
        let one = house.vault.history_entry(&scope, seen[0]).await.expect("read").expect("there");
        assert_eq!((one.object.as_str(), one.outcome), ("/a/path", Outcome::Failed));
        let other = Scope::of(&stranger(house.b, "192.0.2.1"));
        assert!(house.vault.history_entry(&other, seen[0]).await.expect("read").is_none(), "another tenant's entry");
        let ocsf: serde_json::Value = serde_json::from_str(&one.ocsf).expect("JSON");
        assert_eq!((&ocsf["class_uid"], &ocsf["status_id"]), (&6003.into(), &2.into()));
        assert_eq!(ocsf["api"]["operation"], "site.create");
        assert_eq!((&ocsf["type_uid"], &ocsf["category_uid"]), (&600_301.into(), &6.into()));
        assert_eq!(ocsf["metadata"]["uid"], one.id.to_string());
        assert_eq!(ocsf["actor"]["user"]["uid"], one.actor);
        let created = find(&house, Filter { event: Some("user.create".into()), ..none() }).await;
        let ocsf: serde_json::Value = serde_json::from_str(&created[0].ocsf).expect("JSON");
        assert_eq!(ocsf["user"]["uid"], "usr_1");
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_accepted_then_sequenced_then_protected_and_proven() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "one").await;
        let scope = Scope::of(&cx);
        let newest = || async { find(&house, Filter::default()).await[0].clone() };
        let entry = newest().await;
        assert_eq!(entry.state, State::Accepted);
        assert!(house.vault.history_proof(&scope, entry.id).await.expect("asked").is_none());
        house.vault.sequence(&policy()).await.expect("sequenced");
        assert_eq!(newest().await.state, State::Sequenced);
        assert!(house.vault.history_proof(&scope, entry.id).await.expect("asked").is_none());
        house.vault.checkpoint().await.expect("signed");
        assert_eq!(newest().await.state, State::Protected);
        for _ in 0..600 {
            house.vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", Vec::new()).await.expect("entered");
        }
        house.seal().await;
        let key = parse_verifier_key(&house.vault.verifier_key().expect("a key")).expect("a key");
        for id in [entry.id, newest().await.id] {
            let text = house.vault.history_proof(&scope, id).await.expect("asked").expect("a proof");
            let proof = parse_proof(text.as_bytes()).expect("a proof");
            assert_eq!(proof.checkpoint.verify(std::slice::from_ref(&key)).expect("signed").len(), 1);
            let (bytes, log) = (id.bytes(), house.a.bytes());
            let sql = "SELECT commitment FROM ledger_leaf WHERE id = $1 AND log = $2";
            let row = house
                .store()
                .within(Reach::Platform)
                .read(move |db| db.query_opt(sql, &[(&bytes).into(), (&log).into()]))
                .await
                .expect("read");
            let row = row.expect("a leaf");
            let commitment = sekisho_ledger::Hash::from_slice(row.blob(0).expect("bytes")).expect("a hash");
            assert!(proof.includes(&sekisho_ledger::Leaf { id: bytes, commitment }.hash()));
        }
        let other = Scope::of(&stranger(house.b, "192.0.2.1"));
        assert!(house.vault.history_proof(&other, entry.id).await.expect("asked").is_none());
        let checkpoint = house.vault.history_checkpoint(&scope).await.expect("asked").expect("a checkpoint");
        assert!(checkpoint.starts_with("test.example/"), "{checkpoint}");
        assert!(house.vault.history_proof(&scope, EntryId::NIL).await.expect("asked").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_download_verifies_with_no_server_and_shows_changes() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "purged").await;
        house.seal().await;
        house.clock.advance(RETENTION + Duration::from_secs(60));
        house.write(&cx, "kept").await;
        house.seal().await;
        house.vault.purge(&policy()).await.expect("purged");
        house.seal().await;
        house.vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", Vec::new()).await.expect("entered");
        let zone = Zone::parse("JST").expect("a zone");
        let file = house.vault.export(&Scope::of(&cx), zone, Vec::new()).await.expect("exported");
        let report = verify_export(Cursor::new(&file), &trust(&house)).expect("read");
        assert_eq!(report.verdict(), Verdict::Intact, "{report:?}");
        assert_eq!((report.counts.purged, report.counts.bodies > 0), (2, true));
        let text = String::from_utf8_lossy(&file);
        assert!(text.contains(" JST"), "times stand in the policy's zone beside the bytes");
        assert!(text.contains("site.create") && !text.contains("ending"));
        for at in (0..file.len()).step_by(61) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            let report = verify_export(Cursor::new(&changed), &trust(&house)).expect("read");
            assert_ne!(report.verdict(), Verdict::Intact, "byte {at} of {}", file.len());
        }
        let report = verify_export(Cursor::new(&file[..file.len() - 20]), &trust(&house)).expect("read");
        assert_ne!(report.verdict(), Verdict::Intact);
    })
    .await;
}

#[tokio::test]
async fn a_copied_database_is_verified_with_keys_and_without() {
    let house = House::new(sekisho_testkit::sqlite(&migrations(None)), None).await;
    let cx = house.person(house.a, all()).await;
    for n in 0..5 {
        house.write(&cx, &format!("n{n}")).await;
    }
    house.seal().await;
    house.store().checkpoint_wal().await.expect("at rest");
    let copy = tempfile::tempdir().expect("a directory");
    for file in std::fs::read_dir(house.test.dir().expect("a directory")).expect("files") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("copied");
    }
    let store = Store::inspect(StoreConfig::sqlite(copy.path()), &migrations(None)).expect("inspected");
    let opened = keys(&store, &house.dir, &house.clock, None).await;
    let reports = log::verify_store(&store, Some(opened), None, trust(&house)).await.expect("verified");
    assert_eq!(reports.len(), 3);
    assert!(reports.iter().all(|(_, r)| r.verdict() == Verdict::Intact && r.bodies_checked && r.anchored.is_none()));
    let reports = log::verify_store(&store, None, Some(house.a), Trust::default()).await.expect("verified");
    let report = &reports[0].1;
    assert!(!report.bodies_checked && report.keys_from_data);
    assert_eq!((report.counts.bodies, report.counts.sealed), (0, 6));
    assert_eq!(report.verdict(), Verdict::Unproven, "nothing trusted vouches for it");
    store.close();
}

#[tokio::test]
async fn a_wide_search_is_refused_with_what_to_do() {
    let house = House::new(sekisho_testkit::sqlite(&migrations(None)), None).await;
    let cx = house.person(house.a, all()).await;
    let tasks: Vec<_> = (0..10_050)
        .map(|_| {
            let (vault, cx) = (house.vault.clone(), cx.clone());
            tokio::spawn(async move {
                vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", Vec::new()).await.expect("entered");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("entered");
    }
    let scope = Scope::of(&cx);
    let filter = Filter { text: Some("nowhere".into()), ..Filter::default() };
    let refused = house.vault.history(&scope, filter.clone()).await;
    assert_eq!(refused.as_ref().expect_err("refused").place.as_deref(), Some("text"));
    assert_eq!(code(refused), "SK-0005");
    let past = Filter { to: Some(house.vault.now()), ..filter };
    assert!(house.vault.history(&scope, past).await.expect("a narrower one").rows.is_empty());
}

#[tokio::test]
async fn reading_history_is_an_act_like_any_other() {
    each(|house| async move {
        let cx = house.person(house.a, [Right::HISTORY_READ].into_iter().collect()).await;
        let found = house.vault.history(&Scope::of(&cx), Filter::default()).await.expect("history");
        let shown = house.vault.look(&cx, act(&cx, Right::HISTORY_READ), move |_| Ok(found)).await.expect("shown");
        assert_eq!(shown.rows.len(), 1);
        assert_eq!(find(&house, Filter::default()).await.len(), 2);
        let platform = Scope::of(&stranger(TenantId::NIL, "192.0.2.1"));
        let rows = house.vault.history(&platform, Filter::default()).await.expect("history").rows;
        assert_eq!(rows.len(), 2, "the platform's log knows of the two tenants' keys only");
    })
    .await;
}
