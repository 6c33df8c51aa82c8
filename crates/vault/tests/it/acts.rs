use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Outcome, Problem, Right, RightSet, SystemRng, Target, Time, event,
    id::{RecordId, TenantId},
    problem::{CONFLICT, FORBIDDEN, NOT_FOUND},
};
use sekisho_vault::{Act, Entry, Need, Page, Scope, history::Filter, history::Row};

use crate::house::{BUMP, House, NOBODYS, Note, SEEN, act, all, code, each, note, policy, stranger};

async fn entries(house: &House, tenant: TenantId) -> Vec<Row> {
    let cx = stranger(tenant, "192.0.2.1");
    let filter = Filter { limit: 200, ..Filter::default() };
    let found = house.vault.history(&Scope::of(&cx), filter).await.expect("history");
    // Newest first; the making of the tenant's keys is everybody's first.
    found.rows.into_iter().filter(|r| r.event != "key.create").collect()
}

async fn notes(house: &House, cx: &Cx) -> usize {
    house.vault.peek(&Scope::of(cx), |v| v.list::<Note>(&Page::default())).await.expect("listed").len()
}

#[tokio::test]
async fn an_act_is_its_write_and_one_entry() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let id = house.write(&cx, "one").await;
        let rows = entries(&house, house.a).await;
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!(
            (row.event.as_str(), row.outcome, row.object.clone()),
            ("site.create", Outcome::Success, id.to_string())
        );
        assert_eq!(row.actor, cx.actor.name());
        assert_eq!((row.address.as_deref(), row.via.as_str()), (Some("192.0.2.7"), "api"));
        assert_eq!(row.trace, cx.trace.to_string());
        assert_eq!(row.detail, [("title".to_owned(), "changed".to_owned())]);
        assert_eq!(row.at, house.vault.now());
        assert!(entries(&house, house.b).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn without_the_right_nothing_is_written_and_the_refusal_is_entered() {
    each(|house| async move {
        let cx = house.person(house.a, [Right::SITES_READ].into_iter().collect()).await;
        let refused = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
                tx.insert(RecordId::NIL, &note("never"))?;
                tx.commit(permit, Entry::default(), ())
            })
            .await;
        assert_eq!(code(refused), FORBIDDEN.code);
        assert_eq!(notes(&house, &cx).await, 0);
        let rows = entries(&house, house.a).await;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].outcome, rows[0].object.as_str()), (Outcome::Refused, "sit_test"));
        assert_eq!(rows[0].detail, [("problem".to_owned(), FORBIDDEN.code.to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn a_failed_act_is_taken_back_whole_and_entered_once() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let failed: Result<(), Problem> = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
                tx.insert(RecordId::NIL, &note("half"))?;
                tx.point("host", b"half.example", RecordId::NIL, None)?;
                let _committed = tx.commit(permit, Entry::default(), ())?;
                Err(Problem::new(&NOT_FOUND))
            })
            .await;
        assert_eq!(code(failed), NOT_FOUND.code);
        assert_eq!(notes(&house, &cx).await, 0);
        assert!(house.vault.resolve_pointer("host", b"half.example").await.expect("resolved").is_none());
        let rows = entries(&house, house.a).await;
        assert_eq!(rows.iter().map(|r| r.outcome).collect::<Vec<_>>(), [Outcome::Failed]);
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_an_act_is_a_failure_like_any_other() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let failed: Result<(), Problem> = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), |tx, _| {
                tx.insert(RecordId::NIL, &note("half"))?;
                panic!("as defects do")
            })
            .await;
        assert_eq!(code(failed), "SK-0001");
        assert_eq!(notes(&house, &cx).await, 0);
        assert_eq!(entries(&house, house.a).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_after_the_commit() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let late = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
                let done = tx.commit(permit, Entry::default(), ())?;
                for late in [
                    tx.insert(RecordId::NIL, &note("late")).map(drop),
                    tx.update(RecordId::NIL, 1, &note("late")).map(drop),
                    tx.delete::<Note>(RecordId::NIL).map(drop),
                    tx.point("host", b"late", RecordId::NIL, None),
                    tx.unpoint("host", b"late").map(drop),
                    tx.keep(&SEEN, &[RecordId::NIL.into()]).map(drop),
                ] {
                    assert_eq!(code(late), "SK-0001");
                }
                Ok(done)
            })
            .await;
        late.expect("the commit before stands");
        assert_eq!((notes(&house, &cx).await, entries(&house, house.a).await.len()), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn rights_that_moved_since_the_check_refuse_the_commit() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.bump(&cx).await;
        let refused = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
                tx.insert(RecordId::NIL, &note("late"))?;
                tx.commit(permit, Entry::default(), ())
            })
            .await;
        assert_eq!(code(refused), "SK-3006");
        assert_eq!(notes(&house, &cx).await, 0);
        assert_eq!(entries(&house, house.a).await[0].outcome, Outcome::Refused);
        let unknown = crate::house::person(house.a, sekisho_kernel::id::UserId::NIL, all(), 1);
        let gone =
            house.vault.act(&unknown, act(&unknown, Right::SITES_WRITE), |tx, p| tx.commit(p, Entry::default(), ()));
        assert_eq!(code(gone.await), "SK-3006", "a person who is not there has no rights");
    })
    .await;
}

#[tokio::test]
async fn moving_ones_own_rights_is_no_reason_to_refuse_unless_they_had_moved_before() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let me = cx.actor.user().expect("a person");
        let own = |cx: Cx| {
            let vault = house.vault.clone();
            async move {
                vault
                    .act(&cx, act(&cx, Right::GRANTS_WRITE), move |tx, permit| {
                        tx.keep(&BUMP, &[me.into()])?;
                        tx.keep(&BUMP, &[me.into()])?;
                        tx.commit(permit, Entry::of(me), ())
                    })
                    .await
            }
        };
        own(cx.clone()).await.expect("one's own move");
        assert_eq!(code(own(cx).await), "SK-3006", "the view is two versions old now");
    })
    .await;
}

#[tokio::test]
async fn what_an_act_needs_is_needed() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let try_act = |cx: Cx, act: Act| {
            let vault = house.vault.clone();
            async move { vault.act(&cx, act, |tx, permit| tx.commit(permit, Entry::default(), ())).await }
        };
        let with = |need, object: String, tenant| Act {
            event: &event::SESSION_EXPIRE,
            need,
            target: Target::tenant(tenant),
            object,
        };
        let me = cx.actor.name();
        try_act(cx.clone(), with(Need::Own, me.clone(), house.a)).await.expect("one's own account");
        try_act(cx.clone(), with(Need::Own, "fac_1".into(), house.a)).await.expect("one's own factor");
        let other = house.person(house.a, all()).await.actor.name();
        assert_eq!(code(try_act(cx.clone(), with(Need::Own, other, house.a)).await), "SK-0004");
        let elsewhere = with(Need::Right(Right::SITES_WRITE), String::new(), house.b);
        assert_eq!(code(try_act(cx.clone(), elsewhere).await), "SK-0004", "another tenant's target");
        assert_eq!(code(try_act(cx.clone(), with(Need::Job(Job::Sweeper), String::new(), house.a)).await), "SK-0004");
        let nobody = stranger(house.a, "192.0.2.9");
        assert_eq!(code(try_act(nobody.clone(), with(Need::Own, me.clone(), house.a)).await), "SK-0007");
        assert_eq!(code(try_act(nobody, with(Need::Right(Right::SITES_READ), me, house.a)).await), "SK-0007");
        let sweeper = Cx::job(house.a, Job::Sweeper, policy(), &SystemRng);
        try_act(sweeper.clone(), with(Need::Job(Job::Sweeper), String::new(), house.a)).await.expect("its own row");
        let outside = Act { event: &event::USER_CREATE, ..with(Need::Job(Job::Sweeper), String::new(), house.a) };
        assert_eq!(code(try_act(sweeper.clone(), outside).await), "SK-0004", "no row of the matrix");
        assert_eq!(code(try_act(sweeper, with(Need::Job(Job::SignIn), String::new(), house.a)).await), "SK-0004");
    })
    .await;
}

#[tokio::test]
async fn a_look_is_entered_once_however_it_ends() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let id = house.write(&cx, "seen").await;
        let found = house.vault.look(&cx, act(&cx, Right::SITES_READ), move |v| v.get::<Note>(id)).await;
        assert_eq!(found.expect("read").expect("there").body, note("seen"));
        let failed: Result<(), _> =
            house.vault.look(&cx, act(&cx, Right::SITES_READ), |_| Err(Problem::new(&NOT_FOUND))).await;
        assert_eq!(code(failed), "SK-0003");
        let poor = house.person(house.a, RightSet::EMPTY).await;
        let refused = house.vault.look(&poor, act(&poor, Right::SITES_READ), move |v| v.get::<Note>(id)).await;
        assert_eq!(code(refused), "SK-0004");
        let rows = entries(&house, house.a).await;
        let outcomes: Vec<Outcome> = rows.iter().map(|r| r.outcome).collect();
        assert_eq!(outcomes.len(), 4);
        for outcome in [Outcome::Success, Outcome::Failed, Outcome::Refused] {
            assert!(outcomes.contains(&outcome), "{outcome:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn only_declared_statements_keep_books() {
    each(|house| async move {
        let (cx, other) = (house.person(house.a, all()).await, house.person(house.b, all()).await);
        let id = house.write(&cx, "counted").await;
        let seen = |cx: &Cx| {
            let (vault, scope) = (house.vault.clone(), Scope::of(cx));
            async move { vault.keep(&scope, move |k| k.rows(&SEEN, &[id.into()])).await }
        };
        assert_eq!(seen(&cx).await.expect("kept")[0][0].int(), Some(1));
        assert_eq!(seen(&cx).await.expect("kept")[0][0].int(), Some(2));
        assert!(seen(&other).await.expect("kept").is_empty(), "another tenant's row is not there");
        assert_eq!(code(house.vault.keep(&Scope::of(&cx), |k| k.run(&NOBODYS, &[])).await), "SK-0001");
        let stored = house.vault.peek(&Scope::of(&cx), move |v| v.get::<Note>(id)).await.expect("read").expect("there");
        assert_eq!((stored.int("seen").expect("a column"), stored.version), (2, 1));
        let updated = house
            .vault
            .act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                tx.update(id, 1, &note("counted still"))?;
                let now = tx.get::<Note>(id)?.expect("there");
                tx.commit(permit, Entry::of(id), now.int("seen")?)
            })
            .await;
        assert_eq!(updated.expect("updated"), 2, "an update leaves bookkeeping alone");
    })
    .await;
}

#[tokio::test]
async fn pointers_lead_to_their_tenant_until_they_run_out() {
    each(|house| async move {
        let (cx, other) = (house.person(house.a, all()).await, house.person(house.b, all()).await);
        let target = RecordId::new(Time::ZERO, &SystemRng);
        let point = |cx: &Cx, expires: Option<Time>| {
            let (vault, cx) = (house.vault.clone(), cx.clone());
            async move {
                let done = vault.act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                    tx.point("code", b"key", target, expires)?;
                    let at = tx.pointer("code", b"key")?;
                    tx.commit(permit, Entry::default(), at)
                });
                done.await
            }
        };
        let unpoint = |cx: &Cx| {
            let (vault, cx) = (house.vault.clone(), cx.clone());
            async move {
                let done = vault.act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
                    let taken = tx.unpoint("code", b"key")?;
                    tx.commit(permit, Entry::default(), taken)
                });
                done.await
            }
        };
        let ends = house.vault.now().plus(Duration::from_secs(30));
        assert_eq!(point(&cx, Some(ends)).await.expect("pointed"), Some(target));
        let found = house.vault.resolve_pointer("code", b"key").await.expect("resolved").expect("there");
        assert_eq!((found.0, found.1), (Scope::of(&cx), target));
        assert!(house.vault.resolve_pointer("host", b"key").await.expect("resolved").is_none());
        assert_eq!(code(point(&other, None).await), CONFLICT.code, "a key leads to one place");
        assert!(!unpoint(&other).await.expect("not theirs"));
        house.clock.advance(Duration::from_secs(30));
        assert!(house.vault.resolve_pointer("code", b"key").await.expect("resolved").is_none());
        assert!(!unpoint(&cx).await.expect("it had run out"));
        point(&cx, Some(ends)).await.expect("pointed, and run out at once");
        point(&cx, Some(ends)).await.expect("what has run out gives way to its own");
        assert_eq!(code(point(&other, None).await), CONFLICT.code, "another's is not theirs to take");
        house.vault.sweep().await.expect("swept");
        point(&other, None).await.expect("what has run out is gone");
        assert!(unpoint(&other).await.expect("taken"));
        point(&cx, Some(house.vault.now().plus(Duration::from_secs(1)))).await.expect("pointed");
        house.clock.advance(Duration::from_secs(1));
        house.vault.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM pointer").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_act_may_be_told_to_the_platform_under_the_same_id() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let done = house.vault.act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
            tx.also_platform(Entry::of("elsewhere"));
            tx.commit(permit, Entry::of("here").with("secret", "of the tenant"), ())
        });
        done.await.expect("done");
        let (tenant, platform) = (entries(&house, house.a).await, entries(&house, TenantId::NIL).await);
        assert_eq!((tenant.len(), platform.len()), (1, 1));
        assert_eq!(tenant[0].id, platform[0].id);
        assert_eq!((platform[0].object.as_str(), platform[0].detail.len()), ("elsewhere", 0));
    })
    .await;
}

#[tokio::test]
async fn refusals_of_a_stranger_are_entered_singly_up_to_ten_then_counted() {
    each(|house| async move {
        let refuse = |peer: &str| {
            let cx = stranger(house.a, peer);
            let vault = house.vault.clone();
            async move { vault.enter(&cx, &event::DOOR_REFUSE, Outcome::Refused, "/", Vec::new()).await.expect("entered") }
        };
        for _ in 0..25 {
            refuse("192.0.2.66").await;
        }
        for n in 0..12 {
            refuse(&format!("2001:db8:1:1::{n:x}")).await;
        }
        refuse("192.0.2.67").await;
        assert_eq!(entries(&house, house.a).await.len(), 10 + 10 + 1);
        house.clock.advance(Duration::from_secs(61));
        house.seal().await;
        let rows = entries(&house, house.a).await;
        let mut counts: Vec<&str> = rows
            .iter()
            .filter(|r| r.event == "ledger.count")
            .map(|r| r.detail[0].1.as_str())
            .collect();
        counts.sort_unstable();
        assert_eq!(counts, ["15", "2"]);
        let known = house.person(house.a, RightSet::EMPTY).await;
        for _ in 0..12 {
            house.vault.enter(&known, &event::DOOR_REFUSE, Outcome::Refused, "/", Vec::new()).await.expect("entered");
        }
        assert_eq!(entries(&house, house.a).await.len(), 21 + 2 + 12, "a known person's are entered each");
    })
    .await;
}

#[tokio::test]
async fn a_broken_ledger_stops_every_act() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let raw = house.raw();
        let broken = match house.test.kind() {
            sekisho_store::Kind::Sqlite => {
                "CREATE TRIGGER broken BEFORE INSERT ON ledger_entry BEGIN SELECT RAISE(ABORT, 'broken'); END"
            }
            sekisho_store::Kind::Postgres => "REVOKE INSERT ON ledger_entry FROM sekisho_service",
        };
        raw.run(broken).expect("broken");
        let done = house.vault.act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
            tx.insert(RecordId::NIL, &note("unseen"))?;
            tx.commit(permit, Entry::default(), ())
        });
        assert!(done.await.is_err());
        let looked = house.vault.look(&cx, act(&cx, Right::SITES_READ), |v| v.list::<Note>(&Page::default())).await;
        assert!(looked.is_err(), "nobody reads unseen either");
        assert_eq!(notes(&house, &cx).await, 0);
    })
    .await;
}
