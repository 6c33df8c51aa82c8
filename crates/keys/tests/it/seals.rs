use sekisho_kernel::TakenOut;
use sekisho_keys::{HEADER, OVERHEAD, Place, Purpose, problem as p};

use crate::{PLACE, each};

#[tokio::test]
async fn a_seal_holds_its_place_and_every_byte() {
    each(|house| async move {
        let keys = house.keys().await;
        let (mine, other) = (house.tenant(&keys).await, house.tenant(&keys).await);
        let (mine, other) = (keys.ready(mine).await.expect("keys"), keys.ready(other).await.expect("keys"));
        let sealed = mine.seal(PLACE, "秘密".as_bytes()).expect("sealed");
        assert_eq!(sealed.len(), "秘密".len() + OVERHEAD);
        assert_eq!(mine.open(PLACE, sealed.clone()).expect("opened"), "秘密".as_bytes());
        assert!(other.open(PLACE, sealed.clone()).expect_err("another tenant's").is(&p::NOT_AUTHENTIC));
        for place in [Place { table: "notes", ..PLACE }, Place { id: [8; 16], ..PLACE }, Place { version: 4, ..PLACE }]
        {
            assert!(mine.open(place, sealed.clone()).expect_err("refused").is(&p::NOT_AUTHENTIC), "{place:?}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(mine.open(PLACE, changed).is_err(), "byte {at}");
            assert!(mine.open(PLACE, sealed[..at].to_vec()).is_err(), "cut at {at}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_plain_text_is_never_sealed_to_the_same_bytes() {
    each(|house| async move {
        let keys = house.keys().await.platform().await.expect("keys");
        let (a, b) = (keys.seal(PLACE, b"note").expect("sealed"), keys.seal(PLACE, b"note").expect("sealed"));
        assert_ne!(a, b);
        assert_ne!(a[5..HEADER], b[5..HEADER], "the random values differ");
    })
    .await;
}

#[tokio::test]
async fn the_clear_format_opens_only_where_sealing_is_taken_out() {
    each(|house| async move {
        let without = house.rehearse(TakenOut::Sealing).await.platform().await.expect("keys");
        let clear = without.seal(PLACE, b"in the clear").expect("sealed");
        assert_eq!(&clear[HEADER..], b"in the clear");
        assert_eq!(without.open(PLACE, clear.clone()).expect("opened"), b"in the clear");
        let keys = house.keys().await.platform().await.expect("keys");
        assert!(keys.open(PLACE, clear).expect_err("refused").is(&p::NOT_AUTHENTIC));
        let sealed = keys.seal(PLACE, b"sealed").expect("sealed");
        assert_eq!(without.open(PLACE, sealed).expect("opened"), b"sealed");
    })
    .await;
}

#[tokio::test]
async fn indexes_meet_within_a_tenant_and_a_field_only() {
    each(|house| async move {
        let keys = house.keys().await;
        let (a, b) = (house.tenant(&keys).await, house.tenant(&keys).await);
        let (a, b) = (keys.ready(a).await.expect("keys"), keys.ready(b).await.expect("keys"));
        let index = a.blind("user", "name", "Alice");
        assert_eq!(index.len(), sekisho_keys::BLIND_LENGTH);
        assert_eq!(index, a.blind("user", "name", " ＡＬＩＣＥ "));
        assert_ne!(index, b.blind("user", "name", "Alice"));
        assert_ne!(index, a.blind("user", "mail", "Alice"));
        assert_ne!(index, a.blind("use", "rname", "Alice"));
        assert_ne!(a.mac("x", b"yz"), a.mac("xy", b"z"));
    })
    .await;
}

#[tokio::test]
async fn signatures_are_of_the_published_key_unless_it_is_taken_out() {
    each(|house| async move {
        let keys = house.keys().await;
        let swapped = house.rehearse(TakenOut::CheckpointKey).await;
        assert_eq!(keys.public_keys(), swapped.public_keys());
        for purpose in Purpose::ALL {
            let (right, other) = (keys.signer(purpose).expect("signer"), swapped.signer(purpose).expect("signer"));
            assert_eq!(right.public(), other.public());
            assert!(right.public().verifies(b"note", &right.sign(b"note").expect("signed")));
            assert!(!right.public().verifies(b"another", &right.sign(b"note").expect("signed")));
            let verifies = right.public().verifies(b"note", &other.sign(b"note").expect("signed"));
            assert_eq!(verifies, purpose != Purpose::Checkpoint, "{purpose:?}");
        }
    })
    .await;
}
