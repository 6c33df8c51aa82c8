use std::time::Duration;

use sekisho_kernel::RightSet;
use sekisho_vault::Scope;

use crate::house::{code, each, stranger};

#[tokio::test]
async fn a_repeated_request_gets_the_first_ones_answer() {
    each(|house| async move {
        let cx = house.person(house.a, RightSet::EMPTY).await;
        let vault = &house.vault;
        assert!(vault.answered(&cx, "key-1", b"request").await.expect("mine now").is_none());
        assert_eq!(code(vault.answered(&cx, "key-1", b"request").await), "SK-3005", "the first is under way");
        vault.keep_answer(&cx, "key-1", b"request", b"answer").await.expect("kept");
        assert_eq!(vault.answered(&cx, "key-1", b"request").await.expect("kept").as_deref(), Some(&b"answer"[..]));
        assert_eq!(code(vault.answered(&cx, "key-1", b"another request").await), "SK-3004");
        assert_eq!(code(vault.keep_answer(&cx, "key-1", b"request", b"again").await), "SK-0006");
        let nobody = stranger(house.a, "192.0.2.1");
        vault.keep_answer(&nobody, "key-1", b"request", b"answer").await.expect("not kept");
        assert!(vault.answered(&nobody, "key-1", b"request").await.expect("asked").is_none());
        let other = house.person(house.a, RightSet::EMPTY).await;
        assert!(vault.answered(&other, "key-1", b"theirs").await.expect("their own key").is_none());
        house.clock.advance(Duration::from_secs(24 * 3_600));
        vault.sweep().await.expect("swept");
        assert!(vault.answered(&cx, "key-1", b"another request").await.expect("forgotten").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_request_that_failed_or_hung_gives_its_key_back() {
    each(|house| async move {
        let cx = house.person(house.a, RightSet::EMPTY).await;
        let vault = &house.vault;
        assert!(vault.answered(&cx, "k", b"r").await.expect("mine").is_none());
        vault.forget_answer(&cx, "k", b"r").await.expect("given back");
        assert!(vault.answered(&cx, "k", b"r").await.expect("mine again").is_none());
        house.clock.advance(Duration::from_secs(30));
        assert!(vault.answered(&cx, "k", b"r2").await.expect("nobody waits longer").is_none());
        assert_eq!(code(vault.keep_answer(&cx, "k", b"r", b"late").await), "SK-0006", "the first one came too late");
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
