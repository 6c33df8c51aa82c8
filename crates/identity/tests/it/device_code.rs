//! Devices without a browser.

use std::time::Duration;

use sekisho_identity::types::{ApplicationIssued, NewApplication, OauthTokens, PersonScope, TokenAsk};
use sekisho_kernel::{Cx, Problem, Secret, access::UserType, hook::Sessions};

use crate::{
    house::{House, code, defaults, each, one_under},
    oauth::{ISSUER, REDIRECT, client},
};

async fn television(house: &House, cx: &Cx, name: &str) -> ApplicationIssued {
    house.tick();
    let new = NewApplication {
        name: name.into(),
        rights: vec!["users.read".into()],
        openid: true,
        device_authorization: true,
        ..NewApplication::default()
    };
    let made = house.node.create_application(cx, new).await.expect("registered");
    house.node.decide_application(cx, made.application.id, true).await.expect("approved");
    made
}

async fn poll(house: &House, made: &ApplicationIssued, device: &Secret<String>) -> Result<OauthTokens, Problem> {
    let ask = TokenAsk::Device { code: device.clone() };
    house.node.oauth_token(&house.here().await, ISSUER, &client(made), ask).await
}

#[tokio::test]
async fn a_device_gets_what_a_person_allows_once() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let made = television(&house, &admin, "television").await;
        let other = television(&house, &admin, "other").await;
        let knock = house.here().await;
        let started =
            house.node.start_device(&knock, &client(&made), Some("openid users.read")).await.expect("started");
        assert_eq!((started.code.len(), &started.code[4..5]), (9, "-"));
        assert_eq!(code(poll(&house, &made, &started.device).await), "SK-4148");
        house.pass(Duration::from_secs(1));
        assert_eq!(code(poll(&house, &made, &started.device).await), "SK-4149", "a second later");
        house.pass(Duration::from_secs(6));
        assert_eq!(code(poll(&house, &made, &started.device).await), "SK-4149", "now it is ten");
        house.pass(Duration::from_secs(16));
        assert_eq!(code(poll(&house, &made, &started.device).await), "SK-4148");

        let asked = house.node.device_typed(&admin, &started.code.to_lowercase()).await.expect("known");
        assert_eq!(
            (asked.name.as_str(), &asked.code, asked.person),
            ("television", &started.code, vec![PersonScope::Openid])
        );
        house.person(&admin, "hanako", UserType::User, None).await;
        let hanako = house.cx("hanako").await;
        assert_eq!(
            code(house.node.decide_device(&hanako, &asked.sealed, true).await),
            "SK-4042",
            "another person's page"
        );
        house.node.decide_device(&admin, &asked.sealed, true).await.expect("allowed");
        assert_eq!(code(house.node.decide_device(&admin, &asked.sealed, false).await), "SK-4042", "decided already");
        assert_eq!(code(house.node.device_typed(&admin, &started.code).await), "SK-4146", "nobody else decides");

        house.pass(Duration::from_secs(20));
        assert_eq!(code(poll(&house, &other, &started.device).await), "SK-4043", "another application's");
        let tokens = poll(&house, &made, &started.device).await.expect("tokens");
        assert!(tokens.id_token.is_some() && tokens.refresh.is_some());
        assert_eq!(tokens.scope, "openid users.read");
        assert!(house.node.resolve(&house.here().await, &tokens.access).await.is_ok());
        house.pass(Duration::from_secs(20));
        assert_eq!(code(poll(&house, &made, &started.device).await), "SK-4043", "once");
        assert_eq!(house.node.consents(&admin).await.expect("a list").len(), 1, "on record, to be withdrawn");

        let no = house.node.start_device(&knock, &client(&made), None).await.expect("started");
        let asked = house.node.device_typed(&admin, &no.code).await.expect("known");
        house.node.decide_device(&admin, &asked.sealed, false).await.expect("denied");
        assert_eq!(code(poll(&house, &made, &no.device).await), "SK-4151");
        let late = house.node.start_device(&knock, &client(&made), None).await.expect("started");
        house.pass(Duration::from_secs(600));
        assert_eq!(code(poll(&house, &made, &late.device).await), "SK-4150");
        let admin = house.admin_cx().await;
        assert_eq!(code(house.node.device_typed(&admin, &late.code).await), "SK-4146");
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM oauth_device").await, 0);
        assert_eq!(code(poll(&house, &made, &late.device).await), "SK-4150", "swept, and still told so");
        assert_eq!(code(poll(&house, &made, &Secret::new("A".repeat(43))).await), "SK-4043");
    })
    .await;
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = television(&house, &admin, "television").await;
    let started = house.node.start_device(&house.here().await, &client(&made), None).await.expect("started");
    house.person(&admin, "hanako", UserType::User, None).await;
    let hanako = house.cx("hanako").await;
    let mut answers = Vec::new();
    for n in 0..12 {
        let guess = if n % 2 == 0 { "BBBB-BBBB" } else { "nonsense" };
        answers.push(code(house.node.device_typed(&hanako, guess).await));
        if n == 1 {
            house.node.device_typed(&hanako, &started.code).await.expect("which gives no more tries");
        }
    }
    let tries = answers.iter().take_while(|a| **a == "SK-4146").count();
    assert_eq!(tries, 3, "{answers:?}");
    assert!(answers[tries..].iter().all(|a| *a == "SK-4147"), "{answers:?}");
    assert_eq!(code(house.node.device_typed(&hanako, &started.code).await), "SK-4147", "the right one too");
    house.node.device_typed(&admin, &started.code).await.expect("another person types on");
    let refused = house.history().await.into_iter().filter(|r| r.event == "oauth.device").count();
    assert!(refused >= 10, "{refused} entries");
}

#[tokio::test]
async fn only_what_is_made_for_devices() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let new = NewApplication { name: "web".into(), redirect_uris: vec![REDIRECT.into()], ..NewApplication::default() };
    let web = house.node.create_application(&admin, new.clone()).await.expect("registered");
    house.node.decide_application(&admin, web.application.id, true).await.expect("approved");
    let knock = house.here().await;
    assert_eq!(code(house.node.start_device(&knock, &client(&web), None).await), "SK-4045");
    let nowhere = NewApplication { redirect_uris: vec![], name: "nowhere".into(), ..new };
    assert_eq!(code(house.node.create_application(&admin, nowhere).await), "SK-0005");
    let made = television(&house, &admin, "television").await;
    assert_eq!(code(house.node.start_device(&knock, &client(&made), Some("users.write")).await), "SK-4044");
    let started = house.node.start_device(&knock, &client(&made), None).await.expect("started");
    let asked = house.node.device_typed(&admin, &started.code).await.expect("known");
    house.node.decide_device(&admin, &asked.sealed, true).await.expect("allowed");
    house.node.decide_application(&admin, made.application.id, false).await.expect("stopped");
    assert_eq!(code(poll(&house, &made, &started.device).await), "SK-4041");
}
