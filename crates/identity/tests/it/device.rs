//! The key of what a device keeps: of one session and host, and gone with the session.

use sekisho_kernel::{
    access::UserType,
    hook::{Directory as _, HostEntry, HostKind, Passage, Sessions as _},
};

use crate::house::{code, each};

#[tokio::test]
async fn a_key_is_of_one_session_and_host_and_dies_with_the_session() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        let (one, two) = (house.signed_in("taro").await.token, house.signed_in("taro").await.token);
        let passage = house.passage(&one).await.expect("in");
        let app = house.node.host("acme.app.localhost").await.expect("looked up").expect("a host");
        let key = async |passage: &Passage, host: &HostEntry| {
            house.node.device_key(passage, host).await.map(|k| k.reveal().clone())
        };
        let first = key(&passage, &app).await.expect("a key");
        assert_eq!(first.len(), 32);
        assert_eq!(key(&passage, &app).await.expect("a key"), first);
        assert_eq!(house.second().await.device_key(&passage, &app).await.expect("a key").reveal(), &first);
        let elsewhere =
            HostEntry { host: "other.app.localhost".into(), tenant: house.tenant, kind: HostKind::Application };
        assert_ne!(key(&passage, &elsewhere).await.expect("a key"), first);
        let other = house.passage(&two).await.expect("in");
        assert_ne!(key(&other, &app).await.expect("a key"), first);
        let entries = house.history().await;
        assert!(entries.iter().any(|r| r.event == "device.key" && r.actor == taro.id.to_string()));
        house.node.end_user_sessions(&cx, taro.id).await.expect("ended");
        assert_eq!(code(key(&passage, &app).await), "SK-0007");
        assert_eq!(code(key(&other, &app).await), "SK-0007");
    })
    .await;
}
