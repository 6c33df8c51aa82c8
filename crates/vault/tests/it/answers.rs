use std::time::Duration;

use sekisho_kernel::{Cx, Once, Problem, Right, RightSet, id::RecordId};
use sekisho_store::Fault;
use sekisho_vault::{Answered, Entry, Page, Scope, history::Filter};

use crate::house::{House, Note, act, all, code, each, note, stranger};

/// How long a claim lasts that nobody follows up.
const UNDER_WAY: Duration = Duration::from_secs(30);

async fn ask(house: &House, cx: &Cx, key: &str, request: &[u8]) -> Result<Answered, Problem> {
    house.vault.answered(cx, key, request).await
}

/// The claim of a request that is the first one with its key.
async fn claim(house: &House, cx: &Cx, key: &str, request: &[u8]) -> Once {
    match ask(house, cx, key, request).await.expect("asked") {
        Answered::Not(Some(once)) => once,
        other => panic!("{key} is not to be had: {other:?}"),
    }
}

/// Makes a note under a claim.
async fn make(house: &House, cx: &Cx, once: Once) -> Result<(), Problem> {
    let titled = format!("invited {}", notes(house, cx).await);
    let cx = Cx { once: Some(once), ..cx.clone() };
    let id = RecordId::new(house.vault.now(), &sekisho_kernel::SystemRng);
    let made = house.vault.act(&cx, act(&cx, Right::SITES_WRITE), move |tx, permit| {
        tx.insert(id, &note(&titled))?;
        tx.commit(permit, Entry::of(id), ())
    });
    made.await
}

async fn notes(house: &House, cx: &Cx) -> usize {
    let listed = house.vault.peek(&Scope::of(cx), |v| v.list::<Note>(&Page::default())).await;
    listed.expect("listed").len()
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_ones_answer() {
    each(|house| async move {
        let cx = house.person(house.a, RightSet::EMPTY).await;
        let vault = &house.vault;
        let once = claim(&house, &cx, "key-1", b"request").await;
        assert_eq!(code(ask(&house, &cx, "key-1", b"request").await), "SK-3005", "the first is under way");
        vault.keep_answer(&cx, once, b"answer").await.expect("kept");
        assert_eq!(ask(&house, &cx, "key-1", b"request").await.expect("kept"), Answered::With(b"answer".to_vec()));
        assert_eq!(code(ask(&house, &cx, "key-1", b"another request").await), "SK-3004");
        assert_eq!(code(vault.keep_answer(&cx, once, b"again").await), "SK-0006");
        let nobody = stranger(house.a, "192.0.2.1");
        assert_eq!(ask(&house, &nobody, "key-1", b"request").await.expect("asked"), Answered::Not(None));
        let other = house.person(house.a, RightSet::EMPTY).await;
        claim(&house, &other, "key-1", b"theirs").await;
        house.clock.advance(Duration::from_secs(24 * 3_600));
        vault.sweep().await.expect("swept");
        claim(&house, &cx, "key-1", b"another request").await;
    })
    .await;
}

#[tokio::test]
async fn a_request_that_failed_or_hung_gives_its_key_back() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let once = claim(&house, &cx, "k", b"r").await;
        house.vault.forget_answer(&cx, once).await.expect("given back");
        let first = claim(&house, &cx, "k", b"r").await;
        house.clock.advance(UNDER_WAY);
        let second = claim(&house, &cx, "k", b"r").await;
        // The first one wakes up: it is too late for its act, and for its answer.
        assert_eq!(code(make(&house, &cx, first).await), "SK-3005");
        assert_eq!(code(house.vault.keep_answer(&cx, first, b"late").await), "SK-0006");
        house.vault.forget_answer(&cx, first).await.expect("nothing of its own is there");
        assert_eq!(notes(&house, &cx).await, 0);
        make(&house, &cx, second).await.expect("made");
        house.vault.keep_answer(&cx, second, b"made").await.expect("kept");
        assert_eq!(notes(&house, &cx).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_done_is_not_done_again_though_its_answer_was_lost() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let once = claim(&house, &cx, "k", b"r").await;
        make(&house, &cx, once).await.expect("made");
        // Killed here: the act stands, nobody kept an answer. Whoever asks at once may still be answered by the first.
        assert_eq!(code(ask(&house, &cx, "k", b"r").await), "SK-3005");
        house.vault.forget_answer(&cx, once).await.expect("what was done keeps its key");
        for wait in [UNDER_WAY, Duration::from_secs(3_600)] {
            house.clock.advance(wait);
            let done = ask(&house, &cx, "k", b"r").await.expect_err("done");
            let said = done.detail.as_ref().expect("where to look").en.to_string();
            assert_eq!(done.kind.code, "SK-3008");
            let rows = house.vault.history(&Scope::of(&cx), Filter::default()).await.expect("history").rows;
            let made: Vec<_> = rows.iter().filter(|r| r.event == "site.create").collect();
            assert!(made.len() == 1 && said.contains(&made[0].id.to_string()), "{said}");
        }
        assert_eq!(notes(&house, &cx).await, 1);
        // A late answer is kept all the same.
        house.vault.keep_answer(&cx, once, b"made").await.expect("kept");
        assert_eq!(ask(&house, &cx, "k", b"r").await.expect("kept"), Answered::With(b"made".to_vec()));
        house.clock.advance(Duration::from_secs(24 * 3_600));
        claim(&house, &cx, "k", b"r").await;
    })
    .await;
}

#[tokio::test]
async fn the_mark_and_the_act_stand_or_fall_together() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        let once = claim(&house, &cx, "k", b"r").await;
        for fault in [Fault::DiskFull, Fault::Io, Fault::Disconnect] {
            house.test.faults.plan(1, fault);
            make(&house, &cx, once).await.expect_err("the commit fails");
            assert_eq!(notes(&house, &cx).await, 0, "{fault:?}");
        }
        house.vault.forget_answer(&cx, once).await.expect("nothing was done");
        let once = claim(&house, &cx, "k", b"r").await;
        // Two acts of one request are one claim's.
        make(&house, &cx, once).await.expect("made");
        make(&house, &cx, once).await.expect("and more of the same request");
        house.test.faults.plan(1, Fault::Disconnect);
        house.vault.keep_answer(&cx, once, b"made").await.expect_err("the answer is lost");
        house.clock.advance(UNDER_WAY);
        assert_eq!(code(ask(&house, &cx, "k", b"r").await), "SK-3008");
        assert_eq!(notes(&house, &cx).await, 2);
    })
    .await;
}

#[tokio::test]
async fn sealed_texts_open_in_their_own_tenant_and_context() {
    each(|house| async move {
        let cx = house.person(house.a, RightSet::EMPTY).await;
        let other = house.person(house.b, RightSet::EMPTY).await;
        let (scope, theirs) = (Scope::of(&cx), Scope::of(&other));
        let sealed = house.vault.seal_text(&scope, "GET /users", "rec_1").await.expect("sealed");
        let open = |scope: Scope, context: &'static str, sealed: String| {
            let vault = house.vault.clone();
            async move { vault.open_text(&scope, context, &sealed).await.expect("asked") }
        };
        assert_eq!(open(scope, "GET /users", sealed.clone()).await.as_deref(), Some("rec_1"));
        assert_eq!(open(theirs, "GET /users", sealed.clone()).await, None);
        assert_eq!(open(scope, "GET /roles", sealed.clone()).await, None);
        for hostile in ["", "AA", "%", &"A".repeat(10_000), &sealed[1..], &format!("{sealed}=")] {
            assert_eq!(open(scope, "GET /users", hostile.to_owned()).await, None, "{hostile}");
        }
        let hash = |scope: Scope, label: &'static str| {
            let vault = house.vault.clone();
            async move { vault.keyed_hash(&scope, label, b"alice").await.expect("hashed") }
        };
        assert_eq!(hash(scope, "a").await, hash(scope, "a").await);
        assert_ne!(hash(scope, "a").await, hash(scope, "b").await);
        assert_ne!(hash(scope, "a").await, hash(theirs, "a").await);
        assert_ne!(hash(house.vault.platform(), "a").await, hash(theirs, "a").await);
    })
    .await;
}
