//! Our own certificate towards SAML providers rolls over: prepared, taken into use, retired; never by itself.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_identity::types::{KeyStage, SamlKeyView};
use sekisho_kernel::{Cx, access::UserType};

use crate::{
    federation::{ORIGIN, reasons},
    house::{House, code, each},
    saml::{brought, leave, provider, said},
};

const DAY: Duration = Duration::from_secs(86_400);

/// Certificates in our metadata: for signatures, for encryption.
pub async fn published(house: &House) -> [Vec<Vec<u8>>; 2] {
    let text = house.node.saml_metadata(&house.here().await, ORIGIN).await.expect("ours");
    ["signing", "encryption"].map(|purpose| {
        let mark = format!("use=\"{purpose}\"");
        let all = text.split(&mark).skip(1);
        let one = |part: &str| part.split("X509Certificate>").nth(1)?.split('<').next().map(str::to_owned);
        all.map(|part| STANDARD.decode(one(part).expect("a certificate")).expect("base64")).collect()
    })
}

fn stages(keys: &[SamlKeyView]) -> Vec<KeyStage> {
    keys.iter().map(|k| k.stage).collect()
}

async fn keys(house: &House, cx: &Cx) -> Vec<SamlKeyView> {
    house.node.saml_keys(cx).await.expect("keys")
}

#[tokio::test]
async fn the_key_rolls_over_and_the_old_one_opens_until_it_is_retired() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        assert_eq!(
            code(house.node.prepare_saml_key(&admin).await),
            "SK-0003",
            "there is no provider to whom it would be shown"
        );
        let p = provider(&house, &admin).await;
        let [first] = &published(&house).await[1][..] else { panic!("one key") };
        let first = first.clone();
        let opens = async |certificate: &[u8]| {
            let leaving = leave(&house, &p).await;
            let said = said(&house, Some(&leaving), "hanako");
            brought(&house, Some(&leaving), said.field_for(certificate)).await.is_ok()
        };
        let next = house.node.prepare_saml_key(&admin).await.expect("the next");
        assert_eq!(next.stage, KeyStage::Next);
        assert_eq!(code(house.node.prepare_saml_key(&admin).await), "SK-0006", "one at a time");
        let [signing, encryption] = published(&house).await;
        assert_eq!((signing.len(), &signing, &signing[0]), (2, &encryption, &first), "the present one comes first");
        let second = encryption[1].clone();
        assert!(opens(&first).await && opens(&second).await);
        house.node.switch_saml_key(&admin, next.id).await.expect("switched");
        assert_eq!(code(house.node.switch_saml_key(&admin, next.id).await), "SK-0006");
        assert_eq!(stages(&keys(&house, &admin).await), [KeyStage::Old, KeyStage::Current]);
        let [signing, encryption] = published(&house).await;
        assert_eq!(signing, [second.clone(), first.clone()], "what it has signed can still be checked");
        assert_eq!(encryption, std::slice::from_ref(&second), "nobody is led to it any more");
        assert!(opens(&first).await && opens(&second).await, "whoever has not read it again is understood");
        let old = keys(&house, &admin).await[0].id;
        assert_eq!(code(house.node.retire_saml_key(&admin, next.id).await), "SK-0006", "it signs");
        house.node.retire_saml_key(&admin, old).await.expect("retired");
        assert!(!opens(&first).await && opens(&second).await);
        assert_eq!(reasons(&house).await.last().unwrap(), "saml-decryption");
        assert_eq!(published(&house).await, [[second.clone()], [second]]);
        // The next one is given up.
        let third = house.node.prepare_saml_key(&admin).await.expect("the next");
        house.node.retire_saml_key(&admin, third.id).await.expect("given up");
        assert_eq!(stages(&keys(&house, &admin).await), [KeyStage::Current]);
        assert_eq!(code(house.node.retire_saml_key(&admin, third.id).await), "SK-0003");
        house.person(&admin, "taro", UserType::User, None).await;
        let taro = house.cx("taro").await;
        assert_eq!(code(house.node.prepare_saml_key(&taro).await), "SK-0004");
        assert_eq!(code(house.node.switch_saml_key(&taro, next.id).await), "SK-0004");
        assert_eq!(code(house.node.retire_saml_key(&taro, next.id).await), "SK-0004");
        assert_eq!(code(house.node.saml_keys(&taro).await), "SK-0004");
    })
    .await;
}

#[tokio::test]
async fn the_next_key_is_prepared_in_time_and_taken_into_use_by_nobody_but_an_administrator() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        provider(&house, &admin).await;
        let other = house.second().await;
        house.node.keep_up_saml().await.expect("looked after");
        assert_eq!(stages(&keys(&house, &admin).await), [KeyStage::Current]);
        house.pass(DAY * (3 * 365 - 90));
        house.node.keep_up_saml().await.expect("looked after");
        other.keep_up_saml().await.expect("looked after");
        let all = keys(&house, &admin).await;
        assert_eq!(stages(&all), [KeyStage::Current, KeyStage::Next]);
        assert!(all[0].due && !all[1].due);
        house.pass(DAY * 365);
        house.node.keep_up_saml().await.expect("looked after");
        assert_eq!(stages(&keys(&house, &admin).await), [KeyStage::Current, KeyStage::Next]);
    })
    .await;
}
