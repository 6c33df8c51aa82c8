//! From a provider back to the application that wished a person to sign out: by the request's own answer, once, and nowhere else.

use std::time::Duration;

use miniz_oxide::deflate::compress_to_vec;
use sekisho_identity::types::{LeaveTo, SamlFarewell, SignedIn};
use sekisho_kernel::hook::Onward;

use crate::{
    federation::ORIGIN,
    house::{code, each},
    openid::{AFTER, desk},
    saml::parameter,
    saml_idp::{ENTITY, Key},
    saml_logout::{RSA_SHA256, answered, asked, by_query, comes, last_reason, lives, message, provider, query},
};

#[tokio::test]
async fn an_applications_person_goes_back_there_once_their_provider_has_answered() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let application = desk(&house, &admin, "desk").await.application.id;
        let to = LeaveTo { application, address: AFTER.into(), state: Some("a b&c".into()) };
        let out = async |s: &SignedIn| {
            let knock = house.here().await;
            house.node.sign_out_to(&knock, &s.token, ORIGIN, Some(to.clone())).await.expect("signed out")
        };
        let answer = |request: &str, state: Option<&str>| {
            let xml = answered(&house, request, ENTITY, "Success");
            query("SAMLResponse", &compress_to_vec(xml.as_bytes(), 9), state, RSA_SHA256, Key::Present)
        };
        let back = |to: Option<String>| SamlFarewell::Answered { partial: false, to };
        let waiting = async || house.count("SELECT COUNT(*) FROM saml_parting").await;
        let (one, two) = (comes(&house, &p, "hanako", "i1").await, comes(&house, &p, "hanako", "i2").await);
        let (one, two) = (out(&one).await.expect("on"), out(&two).await.expect("on"));
        let state = |on: &Onward| parameter(&on.to, "RelayState");
        assert!(state(&one).len() == 22 && state(&one) != state(&two), "it says nothing");
        assert!(!one.to.contains("app.example") && !message(&one, "SAMLRequest").contains("app.example"));
        // Without its state, with another's, and with what is no state of ours.
        for wrong in [None, Some(state(&two)), Some("https%3A%2F%2Fevil.example".into()), Some(String::new())] {
            let brought = answer(&asked(&one), wrong.as_deref());
            assert_eq!(code(by_query(&house, &brought).await), "SK-4160", "{wrong:?}");
            assert_eq!(last_reason(&house).await, "saml-in-response-to", "{wrong:?}");
        }
        assert_eq!(waiting().await, 2);
        let good = answer(&asked(&one), Some(&state(&one)));
        let there = format!("{AFTER}?state=a%20b%26c");
        assert_eq!(by_query(&house, &good).await.expect("taken"), back(Some(there)));
        assert_eq!(code(by_query(&house, &good).await), "SK-4160", "once");
        assert_eq!(waiting().await, 1);
        // Who asked nothing for an application needs no state, and gets nowhere by one.
        let three = comes(&house, &p, "hanako", "i3").await;
        let knock = house.here().await;
        let three = house.node.sign_out_to(&knock, &three.token, ORIGIN, None).await.expect("signed out").expect("on");
        let planted = answer(&asked(&three), Some(&state(&two)));
        assert_eq!(code(by_query(&house, &planted).await), "SK-4160");
        assert_eq!(by_query(&house, &answer(&asked(&three), None)).await.expect("taken"), back(None));
        // Not all of it was done there: that is told, and the way back is the same.
        let half = out(&comes(&house, &p, "hanako", "i7").await).await.expect("on");
        let inner = "status:Success\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:PartialLogout\"></samlp:StatusCode>";
        let xml = answered(&house, &asked(&half), ENTITY, "Success").replace("status:Success\">", inner);
        let deflated = compress_to_vec(xml.as_bytes(), 9);
        let partly = query("SAMLResponse", &deflated, Some(&state(&half)), RSA_SHA256, Key::Present);
        let to = Some(format!("{AFTER}?state=a%20b%26c"));
        assert_eq!(by_query(&house, &partly).await.expect("taken"), SamlFarewell::Answered { partial: true, to });
        // An application that is no longer one gets nobody.
        house.node.decide_application(&admin, application, false).await.expect("stopped");
        let late = answer(&asked(&two), Some(&state(&two)));
        assert_eq!(by_query(&house, &late).await.expect("taken"), back(None));
        // What nobody answers is forgotten.
        let four = out(&comes(&house, &p, "hanako", "i4").await).await.expect("on");
        house.pass(Duration::from_secs(15 * 60));
        let over = answer(&asked(&four), Some(&state(&four)));
        assert_eq!(code(by_query(&house, &over).await), "SK-4160");
        house.node.sweep().await.expect("swept");
        assert_eq!(waiting().await, 0);
        // Everywhere is there, too; who came by a password goes nowhere.
        let (five, six) = (comes(&house, &p, "hanako", "i5").await, comes(&house, &p, "hanako", "i6").await);
        let own = house.passage(&five.token).await.expect("signed in").cx.clone();
        let (ended, on) = house.node.end_every_session(&own, ORIGIN).await.expect("ended");
        assert!(message(&on.expect("on"), "SAMLRequest").contains(">i5<") && ended == 2);
        assert!(!lives(&house, &five).await && !lives(&house, &six).await);
        assert_eq!(out(&house.signed_in("admin").await).await, None);
    })
    .await;
}
