use sekisho_kernel::{Cx, Job, SystemRng, id::TenantId};
use sekisho_ledger::{Trust, Verdict, parse_verifier_key};
use sekisho_vault::{Page, Scope, history::Filter};

use crate::house::{House, Note, all, code, each, policy};

fn job(tenant: TenantId, job: Job) -> Cx {
    Cx::job(tenant, job, policy(), &SystemRng)
}

#[tokio::test]
async fn only_the_jobs_for_it_make_and_end_tenants() {
    each(|house| async move {
        let person = house.person(house.a, all()).await;
        assert_eq!(code(house.vault.create_tenant(&person).await), "SK-0004");
        assert_eq!(code(house.vault.delete_tenant(&person).await), "SK-0004");
        assert_eq!(code(house.vault.delete_tenant(&job(house.a, Job::Sweeper)).await), "SK-0004");
        assert_eq!(code(house.vault.create_tenant(&job(TenantId::NIL, Job::Command)).await), "SK-0004");
        assert!(house.vault.create_tenant(&job(house.a, Job::Command)).await.is_err(), "it is there already");
        assert_eq!(house.vault.tenants().await.expect("tenants"), [house.a, house.b]);
    })
    .await;
}

#[tokio::test]
async fn an_ended_tenant_is_gone_and_unreadable_and_the_others_are_not() {
    each(|house| async move {
        let (cx, other) = (house.person(house.a, all()).await, house.person(house.b, all()).await);
        let (mine, theirs) = (house.write(&cx, "mine").await, house.write(&other, "theirs").await);
        house.seal().await;
        house.vault.delete_tenant(&job(house.a, Job::Command)).await.expect("deleted");
        assert_eq!(code(house.vault.delete_tenant(&job(house.a, Job::Command)).await), "SK-0003");
        assert_eq!(house.vault.tenants().await.expect("tenants"), [house.b]);
        let read = house.vault.peek(&Scope::of(&cx), move |v| v.get::<Note>(mine)).await;
        assert_eq!(code(read), "SK-2006");
        let rows = house.count("SELECT COUNT(*) FROM note").await;
        assert_eq!(rows, 1, "its records are deleted");
        let left = house.vault.peek(&Scope::of(&other), move |v| v.get::<Note>(theirs)).await;
        assert!(left.expect("read").is_some());
        assert_eq!(code(house.vault.history(&Scope::of(&cx), Filter::default()).await), "SK-2006");
        let platform = Scope::of(&job(TenantId::NIL, Job::Command));
        let rows = house.vault.history(&platform, Filter::default()).await.expect("history").rows;
        let events: Vec<&str> = rows.iter().map(|r| r.event.as_str()).collect();
        assert!(events.contains(&"tenant.delete") && events.contains(&"key.shred"), "{events:?}");
        house.seal().await;
        let key = parse_verifier_key(&house.vault.verifier_key().expect("a key")).expect("a key");
        let trust = Trust { keys: vec![key], ..Trust::default() };
        for (log, report) in house.vault.verify(None, trust).await.expect("verified") {
            let sealed = log == house.a;
            assert_eq!(report.bodies_checked, !sealed, "{report:?}");
            assert_ne!(report.verdict(), Verdict::Tampered, "{report:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_rotated_key_is_entered_and_everything_still_opens() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "kept").await;
        house.clock.advance(std::time::Duration::from_millis(1));
        let version = house.vault.rotate_key(&job(house.a, Job::Rewrap)).await.expect("rotated");
        assert_eq!(version, 2);
        let notes = house.vault.peek(&Scope::of(&cx), |v| v.list::<Note>(&Page::default())).await.expect("listed");
        assert_eq!(notes.len(), 1);
        let rows = house.vault.history(&Scope::of(&cx), Filter::default()).await.expect("history").rows;
        assert_eq!(rows[0].event, "key.rotate");
        let states = house.vault.key_states(&Scope::of(&cx)).await.expect("states");
        let states: Vec<_> = states.iter().map(|s| (s.version, s.state.as_str())).collect();
        assert_eq!(states, [(1, "destroyed"), (2, "active")]);
    })
    .await;
}

#[tokio::test]
async fn notices_reach_their_hooks() {
    each(|house: House| async move {
        let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let ears = heard.clone();
        house.vault.on_notice(move |topic, payload| {
            ears.lock().expect("not poisoned").push(format!("{topic} {payload}"));
        });
        let cx = house.person(house.a, all()).await;
        let told = house.vault.act(&cx, crate::house::act(&cx, sekisho_kernel::Right::SITES_WRITE), |tx, permit| {
            tx.notify("test.topic", "payload")?;
            tx.commit(permit, sekisho_vault::Entry::default(), ())
        });
        told.await.expect("told");
        assert!(
            heard.lock().expect("not poisoned").contains(&"test.topic payload".to_owned()),
            "before the writer's answer"
        );
        assert!(house.vault.in_contact());
    })
    .await;
}
