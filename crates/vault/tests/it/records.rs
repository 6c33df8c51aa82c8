use sekisho_kernel::{Id, Right, SystemRng, Time, id::RecordId};
use sekisho_store::{Param, Reach};
use sekisho_vault::{ClearValue, Entry, Page, Scope, Stored};

use crate::house::{Note, act, all, code, each, note};

#[tokio::test]
async fn a_record_comes_back_as_it_was_written() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let id = house.write(&cx, "first").await;
        let stored: Stored<Note> =
            house.vault.peek(&Scope::of(&cx), move |v| v.get(id)).await.expect("read").expect("there");
        assert_eq!((stored.id, stored.version, stored.body.clone()), (id, 1, note("first")));
        assert_eq!((stored.created, stored.updated), (house.vault.now(), house.vault.now()));
        assert_eq!(stored.column("state").expect("a column").code(), Some("open"));
        assert_eq!(stored.column("due").expect("a column"), &ClearValue::Null);
        assert_eq!(stored.int("seen").expect("a column"), 0);
        assert!(stored.column("nothing").is_err());
        let missing = house.vault.peek(&Scope::of(&cx), |v| v.get::<Note>(RecordId::NIL)).await.expect("read");
        assert!(missing.is_none());
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_body_lies_in_the_clear() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "marker-4711").await;
        for table in house.store().schema().await.expect("schema") {
            let sql = format!("SELECT * FROM {}", table.name);
            for row in house.raw().query(&sql).expect("rows") {
                for i in 0..row.len() {
                    let bytes = match row.param(i).expect("a column") {
                        Param::Text(t) => t.as_bytes().to_vec(),
                        Param::Blob(b) => b.to_vec(),
                        _ => continue,
                    };
                    let found = bytes.windows(6).any(|w| w.eq_ignore_ascii_case(b"marker"));
                    assert!(!found, "{} column {i}", table.name);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn records_are_found_by_a_blind_index_however_they_are_spelt() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let id = house.write(&cx, "Ｙａｍａｄａ 太郎").await;
        for spelling in ["yamada 太郎", " YAMADA 太郎 "] {
            let found = house.vault.peek(&Scope::of(&cx), move |v| v.find::<Note>("title", spelling)).await;
            let found: Vec<RecordId> = found.expect("found").iter().map(|s| s.id).collect();
            assert_eq!(found, [id], "{spelling}");
        }
        let other = house.person(house.b, all()).await;
        let none = house.vault.peek(&Scope::of(&other), |v| v.find::<Note>("title", "yamada 太郎")).await;
        assert!(none.expect("found").is_empty());
        assert!(house.vault.peek(&Scope::of(&cx), |v| v.find::<Note>("text", "x")).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_taken_value_is_a_conflict_at_its_field() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let id = house.write(&cx, "taken").await;
        let again = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
                tx.insert(RecordId::new(Time::ZERO, &SystemRng), &note("TAKEN"))?;
                tx.commit(permit, Entry::default(), ())
            })
            .await
            .expect_err("taken");
        assert_eq!((again.kind.code, again.place.as_deref()), ("SK-0006", Some("title")));
        let same_id = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                tx.insert(id, &note("other"))?;
                tx.commit(permit, Entry::default(), ())
            })
            .await
            .expect_err("taken");
        assert_eq!((same_id.kind.code, same_id.place), ("SK-0006", None));
        let other = house.person(house.b, all()).await;
        house.write(&other, "taken").await;
    })
    .await;
}

#[tokio::test]
async fn an_update_moves_the_version_and_collides_when_it_has_moved() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let id = house.write(&cx, "one").await;
        let update = |version: i64, title: &'static str| {
            let (vault, cx) = (house.vault.clone(), cx.clone());
            async move {
                let mut body = note(title);
                body.state = "closed".into();
                vault
                    .act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                        let version = tx.update(id, version, &body)?;
                        tx.commit(permit, Entry::of(id), version)
                    })
                    .await
            }
        };
        assert_eq!(update(1, "two").await.expect("updated"), 2);
        assert_eq!(code(update(1, "three").await), "SK-0006");
        assert_eq!(update(2, "three").await.expect("updated"), 3);
        let stored = house.vault.peek(&Scope::of(&cx), move |v| v.get::<Note>(id)).await.expect("read").expect("there");
        assert_eq!((stored.version, stored.body.title.as_str()), (3, "three"));
        assert_eq!(stored.column("state").expect("a column").code(), Some("closed"));
        let found = house.vault.peek(&Scope::of(&cx), |v| v.find::<Note>("title", "two")).await.expect("found");
        assert!(found.is_empty(), "the index has moved along");
        let gone = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                assert!(tx.delete::<Note>(id)?);
                assert!(!tx.delete::<Note>(id)?);
                tx.commit(permit, Entry::of(id), ())
            })
            .await;
        gone.expect("deleted");
        assert_eq!(code(update(3, "four").await), "SK-0003");
    })
    .await;
}

#[tokio::test]
async fn lists_page_filter_and_count() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let ids: Vec<RecordId> = (1..=5u128).map(|n| Id::from_bytes(n.to_be_bytes())).collect();
        let all = ids.clone();
        house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                for (n, id) in all.iter().enumerate() {
                    let mut body = note(&format!("n{n}"));
                    body.due = Some(n as i64);
                    body.state = if n % 2 == 0 { "open" } else { "closed" }.into();
                    tx.insert(*id, &body)?;
                }
                tx.commit(permit, Entry::default(), ())
            })
            .await
            .expect("written");
        let list = |page: Page<'static>| {
            let (vault, scope) = (house.vault.clone(), Scope::of(&cx));
            async move {
                let list = vault.peek(&scope, move |v| v.list::<Note>(&page)).await.expect("listed");
                list.iter().map(|s| s.body.due.expect("due")).collect::<Vec<_>>()
            }
        };
        const OPEN: &[(&str, ClearValue)] = &[("state", ClearValue::Code(std::borrow::Cow::Borrowed("open")))];
        assert_eq!(list(Page::default()).await, [0, 1, 2, 3, 4]);
        assert_eq!(list(Page { limit: 2, ..Page::default() }).await, [0, 1]);
        assert_eq!(list(Page { after: Some(ids[1]), ..Page::default() }).await, [2, 3, 4]);
        assert_eq!(list(Page { newest_first: true, limit: 2, ..Page::default() }).await, [4, 3]);
        assert_eq!(list(Page { newest_first: true, after: Some(ids[2]), ..Page::default() }).await, [1, 0]);
        assert_eq!(list(Page { eq: OPEN, ..Page::default() }).await, [0, 2, 4]);
        assert_eq!(list(Page { below: Some(("due", 2)), ..Page::default() }).await, [0, 1]);
        assert_eq!(list(Page { eq: OPEN, below: Some(("due", 4)), after: Some(ids[0]), ..Page::default() }).await, [2]);
        let count = |eq: &'static [(&'static str, ClearValue)]| {
            let (vault, scope) = (house.vault.clone(), Scope::of(&cx));
            async move { vault.peek(&scope, move |v| v.count::<Note>(eq)).await }
        };
        assert_eq!(count(&[]).await.expect("counted"), 5);
        assert_eq!(count(OPEN).await.expect("counted"), 3);
        assert!(count(&[("title", ClearValue::Int(1))]).await.is_err(), "only clear columns can be asked for");
        assert!(count(&[("state", ClearValue::Int(1))]).await.is_err(), "and only with their own type");
    })
    .await;
}

#[tokio::test]
async fn a_row_that_was_changed_or_moved_does_not_open() {
    each(|house| async move {
        let (cx, other) = (house.person(house.a, all()).await, house.person(house.b, all()).await);
        let (mine, theirs) = (house.write(&cx, "mine").await, house.write(&other, "theirs").await);
        // What follows is written by someone beside the vault.
        let scope = Scope::of(&cx);
        let get = |id: RecordId| house.vault.peek(&scope, move |v| v.get::<Note>(id).map(|s| s.is_some()));
        let run = |sql: &'static str, a: Vec<u8>, b: Option<Vec<u8>>| {
            house.store().within(Reach::Platform).write(move |db| {
                let params = [Some(Param::Blob(&a)), b.as_ref().map(|b| Param::Blob(b))];
                db.exec(sql, &params.into_iter().flatten().collect::<Vec<_>>())
            })
        };
        let id = |id: RecordId| id.bytes().to_vec();
        assert!(get(mine).await.expect("opens"));
        run("UPDATE note SET version = version + 1 WHERE id = $1", id(mine), None).await.expect("changed");
        assert_eq!(code(get(mine).await), "SK-2007", "another version");
        run("UPDATE note SET version = version - 1 WHERE id = $1", id(mine), None).await.expect("changed");
        assert!(get(mine).await.expect("opens again"));
        let second = house.write(&cx, "second").await;
        let swap = "UPDATE note SET sealed = (SELECT n.sealed FROM note n WHERE n.id = $2) WHERE id = $1";
        run(swap, id(second), Some(id(mine))).await.expect("changed");
        assert_eq!(code(get(second).await), "SK-2007", "another record's body");
        let take = "UPDATE note SET tenant = $2 WHERE id = $1";
        assert!(!get(theirs).await.expect("not seen"));
        run(take, id(theirs), Some(house.a.bytes().to_vec())).await.expect("changed");
        assert_eq!(code(get(theirs).await), "SK-2007", "another tenant's row");
    })
    .await;
}
