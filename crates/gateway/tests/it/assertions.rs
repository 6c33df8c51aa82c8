//! The signed word about who is signed in.

use std::{sync::atomic::Ordering, time::Duration};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use sekisho_gateway::{Algorithm, PublicKey, Signer, jwks};
use sekisho_kernel::Right;

use crate::{
    client::{empty, json, signed},
    fakes::{APP, CONSOLE, rights},
    house::{House, TOKEN},
    upstream::Application,
};

async fn assertion(house: &House) -> String {
    let seen = json(house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await).await;
    let headers = seen["headers"].as_array().unwrap();
    headers.iter().find(|h| h[0] == "sekisho-assertion").unwrap()[1].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn verifies_and_says_who_for_whom_and_until_when() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let token = assertion(&house).await;
    let parts: Vec<&str> = token.split('.').collect();
    let set = jwks(&house.signer.keys());
    let key = BASE64.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
    let signature = BASE64.decode(parts[2]).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature).unwrap();
    let part = |n: usize| serde_json::from_slice::<serde_json::Value>(&BASE64.decode(parts[n]).unwrap()).unwrap();
    assert_eq!(part(0), serde_json::json!({"alg": "EdDSA", "typ": "JWT", "kid": "k1"}));
    let claims = part(1);
    assert_eq!(claims["iss"], format!("https://{CONSOLE}"));
    assert_eq!(claims["aud"], application.origin);
    assert_eq!(claims["iat"], house.now().secs());
    assert_eq!(claims["exp"], house.now().secs() + 60);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    assert_eq!(claims["sub"], "usr_01010101010101010101010101010101");
    assert_eq!(claims["tenant"], "ten_07070707070707070707070707070707");
    assert_eq!(claims["roles"], serde_json::json!(["user"]));
    assert_eq!(claims["sites"], serde_json::json!(["sit_03030303030303030303030303030303"]));
    assert!(claims["session"].as_str().unwrap().starts_with("ses_"));
}

#[tokio::test]
async fn used_again_for_half_its_life_and_not_after_a_change() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let first = assertion(&house).await;
    house.clock.advance(Duration::from_secs(29));
    assert_eq!(assertion(&house).await, first);
    house.clock.advance(Duration::from_secs(1));
    let second = assertion(&house).await;
    assert_ne!(second, first);
    house.sessions.sign_in(TOKEN, &house.policy.borrow().clone(), rights(2, &[Right::APPLICATION_USE]));
    assert_ne!(assertion(&house).await, second);
    assert_eq!(house.signer.made.load(Ordering::SeqCst), 3);
}

#[test]
fn a_p256_key_in_the_document() {
    let mut point = vec![4u8];
    point.extend([1; 32]);
    point.extend([2; 32]);
    let set = jwks(&[PublicKey { id: "e".into(), algorithm: Algorithm::Es256, bytes: point }]);
    assert_eq!(set["keys"][0]["crv"], "P-256");
    assert_eq!(set["keys"][0]["y"], BASE64.encode([2; 32]));
    let broken = PublicKey { id: "e".into(), algorithm: Algorithm::Es256, bytes: vec![4] };
    assert_eq!(jwks(&[broken])["keys"], serde_json::json!([]));
}
