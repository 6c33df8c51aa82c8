//! People sign in to applications: ID tokens, what applications may know, keys that turn, requests that are pushed, and
//! signing out.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_identity::types::{
    ApplicationIssued, Authorize, AuthorizeRequest, Leave, LeaveRequest, NewApplication, OauthTokens, PersonScope,
};
use sekisho_kernel::{Cx, Secret, access::UserType, hook::Sessions, policy::Value};
use serde_json::{Value as Json, json};

use crate::{
    house::{House, code, defaults, each, one_under, secret, with},
    idp,
    oauth::{ISSUER, REDIRECT, VERIFIER, ask, by_code, by_refresh, client, coded, field, request},
};

pub const AFTER: &str = "https://app.example/bye";

pub async fn desk(house: &House, cx: &Cx, name: &str) -> ApplicationIssued {
    house.tick();
    let new = NewApplication {
        name: name.into(),
        redirect_uris: vec![REDIRECT.into()],
        rights: vec!["users.read".into()],
        confidential: true,
        openid: true,
        post_logout_redirect_uris: vec![AFTER.into()],
        ..NewApplication::default()
    };
    let made = house.node.create_application(cx, new).await.expect("registered");
    house.node.decide_application(cx, made.application.id, true).await.expect("approved");
    made
}

fn wants(made: &ApplicationIssued, scope: &str, nonce: &str) -> AuthorizeRequest {
    AuthorizeRequest { nonce: Some(nonce.into()), ..request(made.application.id, Some(scope)) }
}

async fn signed_in(house: &House, cx: &Cx, made: &ApplicationIssued, scope: &str) -> OauthTokens {
    let code = coded(house, cx, &wants(made, scope, "n-0S6_WzA2Mj")).await;
    ask(house, &house.node, made, by_code(&code, VERIFIER)).await.expect("tokens")
}

/// An ID token.
pub async fn tokens_of(house: &House, cx: &Cx, made: &ApplicationIssued) -> String {
    signed_in(house, cx, made, "openid").await.id_token.expect("one").reveal().clone()
}

/// Header and claims of a token.
fn parts(token: &Secret<String>) -> (Json, Json) {
    let part = |n: usize| {
        let text = token.reveal().split('.').nth(n).expect("a part").to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
    };
    (part(0), part(1))
}

pub async fn kids(house: &House, cx: &Cx) -> Vec<String> {
    let set = house.node.key_set(cx).await.expect("a key set");
    set["keys"].as_array().expect("keys").iter().map(|k| k["kid"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn an_id_token_says_who_signed_in_when_and_to_what() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        assert_eq!(kids(&house, &admin).await.len(), 0);
        let made = desk(&house, &admin, "desk").await;
        assert_eq!(kids(&house, &admin).await.len(), 1, "published before anybody signs in");
        let start = house.now();
        let tokens = signed_in(&house, &admin, &made, "email openid profile users.read").await;
        assert_eq!(tokens.scope, "openid profile email users.read");
        let (header, claims) = parts(tokens.id_token.as_ref().expect("one"));
        assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
        assert_eq!(header["kid"], kids(&house, &admin).await[0]);
        let user = admin.actor.user().expect("a person");
        for (name, value) in [
            ("iss", json!(ISSUER)),
            ("sub", json!(user)),
            ("aud", json!(made.application.id)),
            ("nonce", json!("n-0S6_WzA2Mj")),
        ] {
            assert_eq!(claims[name], value, "{claims}");
        }
        let at = |name: &str| claims[name].as_i64().expect("a number");
        assert!(
            at("auth_time") <= start.secs() && at("iat") >= start.secs() && at("exp") == at("iat") + 300,
            "{claims}"
        );
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tokens.access.reveal().as_bytes());
        assert_eq!(claims["at_hash"], json!(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])));

        let next = ask(&house, &house.node, &made, by_refresh(&tokens)).await.expect("refreshed");
        let (_, later) = parts(next.id_token.as_ref().expect("again"));
        assert_eq!(
            (&later["auth_time"], &later["sub"], &later["sid"]),
            (&claims["auth_time"], &claims["sub"], &claims["sid"])
        );
        assert!(later.get("nonce").is_none() && later["at_hash"] != claims["at_hash"], "{later}");

        let knock = house.here().await;
        let known = house.node.person_claims(&knock, &next.access, None).await.expect("claims");
        assert_eq!((known.user, known.names.map(|n| n.0)), (user, Some("admin".to_owned())));
        assert_eq!(code(house.node.person_claims(&knock, &tokens.access, None).await), "SK-4142", "it was refreshed");
        let plain = signed_in(&house, &admin, &made, "users.read").await;
        assert!(plain.id_token.is_none());
        assert_eq!(code(house.node.person_claims(&knock, &plain.access, None).await), "SK-4143");
        let only = signed_in(&house, &admin, &made, "openid").await;
        let known = house.node.person_claims(&knock, &only.access, None).await.expect("claims");
        assert!(known.names.is_none() && known.mail.is_none(), "no more than was asked for");
        assert!(house.node.resolve(&knock, &only.access).await.is_ok());
        house.pass(Duration::from_secs(900));
        assert_eq!(code(house.node.person_claims(&knock, &only.access, None).await), "SK-4142");
        assert_eq!(code(house.node.person_claims(&knock, &secret("sat_x"), None).await), "SK-4142");
    })
    .await;
}

#[tokio::test]
async fn nobody_signs_in_to_what_is_not_made_for_it() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let new = NewApplication {
        name: "plain".into(),
        redirect_uris: vec![REDIRECT.into()],
        rights: vec!["users.read".into()],
        ..NewApplication::default()
    };
    let plain = house.node.create_application(&admin, new.clone()).await.expect("registered");
    house.node.decide_application(&admin, plain.application.id, true).await.expect("approved");
    let step = house.node.authorize(&admin, ISSUER, &wants(&plain, "openid", "n")).await.expect("sent back");
    assert!(matches!(step, Authorize::Go(to) if to.contains("error=invalid_scope")));
    assert_eq!(kids(&house, &admin).await.len(), 0);
    let after = NewApplication { post_logout_redirect_uris: vec![AFTER.into()], name: "other".into(), ..new.clone() };
    assert_eq!(code(house.node.create_application(&admin, after).await), "SK-0005");
    for bad in ["http://app.example/bye", "https://app.example:8443/bye"] {
        let new = NewApplication {
            openid: true,
            post_logout_redirect_uris: vec![bad.into()],
            name: "x".into(),
            ..new.clone()
        };
        assert_eq!(code(house.node.create_application(&admin, new).await), "SK-4040", "{bad}");
    }
    let made = desk(&house, &admin, "desk").await;
    let narrow = coded(&house, &admin, &wants(&made, "openid", "n")).await;
    assert!(ask(&house, &house.node, &made, by_code(&narrow, VERIFIER)).await.expect("tokens").id_token.is_some());
    let step = house.node.authorize(&admin, ISSUER, &wants(&made, "openid email", "n")).await.expect("a step");
    assert!(
        matches!(step, Authorize::Ask { person, .. } if person == [PersonScope::Openid, PersonScope::Email]),
        "more is asked anew"
    );
}

#[tokio::test]
async fn prompt_and_max_age_ask_as_much_as_they_say() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = desk(&house, &admin, "desk").await;
    let asked = wants(&made, "openid", "n");
    let with = |prompt: &str| AuthorizeRequest { prompt: Some(prompt.into()), ..asked.clone() };
    let word = |step: Authorize| match step {
        Authorize::Go(to) => field(&to, "error").map_or("code".to_owned(), |e| e.reveal().clone()),
        Authorize::Ask { .. } => "ask".to_owned(),
        Authorize::SignIn { .. } => "sign in".to_owned(),
    };
    let step =
        async |cx: &Cx, asked: &AuthorizeRequest| word(house.node.authorize(cx, ISSUER, asked).await.expect("a step"));
    assert_eq!(step(&admin, &with("none")).await, "consent_required");
    let _ = coded(&house, &admin, &asked).await;
    for (prompt, answer) in [
        ("none", "code"),
        ("consent", "ask"),
        ("login", "sign in"),
        ("select_account", "sign in"),
        ("none login", "invalid_request"),
        ("create", "invalid_request"),
    ] {
        assert_eq!(step(&admin, &with(prompt)).await, answer, "{prompt}");
    }
    let aged = |age: &str, prompt: Option<&str>| AuthorizeRequest {
        max_age: Some(age.into()),
        prompt: prompt.map(str::to_owned),
        ..asked.clone()
    };
    house.pass(Duration::from_secs(100));
    assert_eq!(step(&admin, &aged("3600", None)).await, "code");
    assert_eq!(step(&admin, &aged("60", None)).await, "sign in");
    assert_eq!(step(&admin, &aged("60", Some("none"))).await, "login_required");
    assert_eq!(step(&admin, &aged("soon", None)).await, "invalid_request");
    for (name, error) in [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")] {
        let asked = AuthorizeRequest { unsupported: Some(name.into()), ..asked.clone() };
        assert_eq!(step(&admin, &asked).await, error);
    }
    let fragment = AuthorizeRequest { response_mode: Some("fragment".into()), ..asked.clone() };
    assert_eq!(step(&admin, &fragment).await, "invalid_request");

    let Ok(Authorize::SignIn { fresh }) = house.node.authorize(&admin, ISSUER, &with("login")).await else { panic!() };
    let back = AuthorizeRequest { fresh: Some(fresh.reveal().clone()), ..with("login") };
    assert_eq!(step(&admin, &back).await, "sign in", "the same session is no new sign-in");
    house.tick();
    let anew = house.admin_cx().await;
    assert_eq!(step(&anew, &back).await, "code");
    let other = desk(&house, &admin, "other").await;
    let elsewhere = AuthorizeRequest { client: other.application.id, ..back.clone() };
    assert_eq!(step(&anew, &elsewhere).await, "sign in", "asked for by another application");
    house.pass(Duration::from_secs(601));
    assert_eq!(step(&anew, &back).await, "sign in", "too long ago");

    let knock = house.here().await;
    let silent = async |asked: &AuthorizeRequest| house.node.silently(&knock, ISSUER, asked, "login_required").await;
    assert!(
        silent(&with("none"))
            .await
            .expect("answered")
            .is_some_and(|to| to.contains("error=login_required&state=s%26t&iss="))
    );
    assert_eq!(silent(&asked).await.expect("answered"), None);
    let evil = AuthorizeRequest { redirect_uri: "https://evil.example/".into(), ..with("none") };
    assert_eq!(code(silent(&evil).await), "SK-4040", "nobody is sent to an address that nobody registered");
}

#[tokio::test]
async fn keys_turn_by_themselves_and_tokens_of_the_old_one_are_still_known() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = desk(&house, &admin, "desk").await;
    let first = kids(&house, &admin).await;
    let day = Duration::from_secs(86_400);
    house.pass(day * 84);
    house.node.sweep().await.expect("swept");
    let both = kids(&house, &admin).await;
    assert_eq!((both.len(), &both[0]), (2, &first[0]), "the next is published a week ahead");
    house.node.sweep().await.expect("swept");
    assert_eq!(kids(&house, &admin).await, both, "once");
    let admin = house.admin_cx().await;
    let early = signed_in(&house, &admin, &made, "openid").await.id_token.expect("one");
    assert_eq!(parts(&early).0["kid"], both[0], "and does not sign yet");
    house.pass(day * 8);
    let admin = house.admin_cx().await;
    let late = signed_in(&house, &admin, &made, "openid").await.id_token.expect("one");
    assert_eq!(parts(&late).0["kid"], both[1]);
    let hinted = AuthorizeRequest { hint: Some(early.reveal().clone()), ..wants(&made, "openid", "n") };
    let step = house.node.authorize(&admin, ISSUER, &hinted).await.expect("a step");
    assert!(matches!(step, Authorize::Go(to) if field(&to, "code").is_some()), "a hint of the old key");
    house.pass(day * 7);
    house.node.sweep().await.expect("swept");
    assert_eq!(kids(&house, &admin).await, both[1..], "a week after its last token");
    let events: Vec<_> =
        house.history().await.into_iter().filter(|r| r.event.starts_with("oauth.key")).map(|r| r.event).collect();
    assert_eq!(events.len(), 3, "{events:?}");
}

#[tokio::test]
async fn signing_out_is_an_applications_wish_and_the_persons_doing() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = desk(&house, &admin, "desk").await;
    let other = desk(&house, &admin, "other").await;
    house.person(&admin, "hanako", UserType::User, None).await;
    let token = house.signed_in("hanako").await.token;
    let knock = house.here().await;
    let passage = house.node.resolve(&knock, &token).await.expect("signed in");
    let hint = signed_in(&house, &passage.cx, &made, "openid").await.id_token.expect("one").reveal().clone();
    let wish = LeaveRequest {
        hint: Some(hint.clone()),
        client: None,
        redirect: Some(AFTER.into()),
        state: Some("a b".into()),
    };
    let ask = async |wish: &LeaveRequest| house.node.ask_to_sign_out(&knock, Some(&passage), ISSUER, wish).await;
    assert!(
        matches!(ask(&wish).await, Ok(Leave::Now { to: Some(to) }) if to.whole() == format!("{AFTER}?state=a%20b"))
    );
    let named = |client| LeaveRequest { hint: None, client, ..wish.clone() };
    let Ok(Leave::Ask { name, sealed }) = ask(&named(Some(made.application.id))).await else { panic!("it is asked") };
    assert_eq!(name.as_deref(), Some("desk"));
    let to = house.node.signed_out_to(&passage.cx, &sealed).await.expect("a way");
    assert_eq!(to.map(|to| to.whole()), Some(format!("{AFTER}?state=a%20b")));
    assert_eq!(code(ask(&named(None)).await), "SK-4040", "an address of nobody");
    let evil = LeaveRequest { redirect: Some("https://evil.example/".into()), ..wish.clone() };
    assert_eq!(code(ask(&evil).await), "SK-4040");
    let contradicted = LeaveRequest { client: Some(other.application.id), ..wish.clone() };
    assert!(matches!(ask(&contradicted).await, Ok(Leave::Ask { .. })), "a hint for another application is none");
    let bare = LeaveRequest { redirect: None, ..wish.clone() };
    let theirs = house.node.ask_to_sign_out(&knock, None, ISSUER, &bare).await;
    assert!(matches!(theirs, Ok(Leave::Gone { to: None })));
    let again = house.signed_in("hanako").await.token;
    let anew = house.node.resolve(&knock, &again).await.expect("signed in");
    let step = house.node.ask_to_sign_out(&knock, Some(&anew), ISSUER, &wish).await;
    assert!(matches!(step, Ok(Leave::Ask { .. })), "a hint of another session is asked about");
    let elsewhere = house.node.ask_to_sign_out(&knock, Some(&passage), "https://other.example", &bare).await;
    assert!(matches!(elsewhere, Ok(Leave::Ask { .. })), "another issuer's");

    // Forged hints: no algorithm, our public key as a secret, a key of one's own under our key's name or in the header.
    let set = house.node.key_set(&admin).await.expect("a key set");
    let kid = set["keys"][0]["kid"].clone();
    let claims = parts(&secret(&hint)).1.to_string();
    let none = format!("{}.{}.", idp::b64(r#"{"alg":"none","typ":"JWT"}"#), idp::b64(&claims));
    let thief = idp::rsa();
    let forged = [
        none,
        idp::hmac_token(
            &json!({"alg": "HS256", "kid": kid}),
            &claims,
            set["keys"][0]["n"].as_str().unwrap().as_bytes(),
        ),
        thief.token(&json!({"alg": "RS256", "kid": kid}), &claims),
        thief.token(&json!({"alg": "RS256", "kid": "x", "jwk": thief.public("x")}), &claims),
        thief.token(&json!({"alg": "RS256", "kid": "../../dev/null"}), &claims),
        thief.token(&json!({"alg": "RS256", "jku": "https://evil.example/jwks"}), &claims),
        idp::ec().token(&json!({"alg": "ES256", "kid": kid}), &claims),
        hint.replace('.', ".."),
        format!(
            "{}.{}.{}",
            hint.split('.').next().unwrap(),
            idp::b64(claims.replace("ses_", "ses_0")),
            hint.rsplit('.').next().unwrap()
        ),
    ];
    for hint in forged {
        let wish = LeaveRequest { hint: Some(hint.clone()), ..bare.clone() };
        assert!(matches!(ask(&wish).await, Ok(Leave::Ask { name: None, .. })), "{hint}");
    }
    house.pass(Duration::from_secs(601));
    assert_eq!(code(house.node.signed_out_to(&passage.cx, &sealed).await), "SK-4042");
}

#[tokio::test]
async fn a_pushed_request_is_its_applications_and_good_once() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = desk(&house, &admin, "desk").await;
        let stranger = desk(&house, &admin, "stranger").await;
        let knock = house.here().await;
        let wanted = wants(&made, "openid", "n");
        let pushed = house.node.push_request(&knock, &client(&made), wanted.clone()).await.expect("pushed");
        let reference = pushed.reference.reveal().clone();
        assert!(reference.starts_with("urn:ietf:params:oauth:request_uri:"), "{reference}");
        let found =
            other.pushed_request(&admin, made.application.id, &reference).await.expect("found at the other node");
        assert_eq!((found.nonce.as_deref(), found.redirect_uri.as_str()), (Some("n"), REDIRECT));
        assert_eq!(code(house.node.pushed_request(&admin, stranger.application.id, &reference).await), "SK-4140");
        assert_eq!(
            code(house.node.pushed_request(&admin, made.application.id, &format!("{reference}A")).await),
            "SK-4140"
        );
        let first = coded(&house, &admin, &found).await;
        assert!(ask(&house, &house.node, &made, by_code(&first, VERIFIER)).await.is_ok());
        assert_eq!(code(house.node.authorize(&admin, ISSUER, &found).await), "SK-4140", "a second code");
        assert_eq!(code(other.pushed_request(&admin, made.application.id, &reference).await), "SK-4140");

        for (bad, problem) in [
            (AuthorizeRequest { redirect_uri: "https://evil.example/".into(), ..wanted.clone() }, "SK-4040"),
            (AuthorizeRequest { challenge: String::new(), ..wanted.clone() }, "SK-4046"),
            (AuthorizeRequest { method: "plain".into(), ..wanted.clone() }, "SK-4046"),
            (AuthorizeRequest { unsupported: Some("request_uri".into()), ..wanted.clone() }, "SK-4046"),
            (AuthorizeRequest { scope: Some("users.write".into()), ..wanted.clone() }, "SK-4044"),
            (AuthorizeRequest { client: stranger.application.id, ..wanted.clone() }, "SK-4046"),
        ] {
            assert_eq!(code(house.node.push_request(&knock, &client(&made), bad).await), problem);
        }
        let thief = ApplicationIssued { secret: Some(secret(&"A".repeat(43))), ..made.clone() };
        assert_eq!(code(house.node.push_request(&knock, &client(&thief), wanted.clone()).await), "SK-4041");
        let late = house.node.push_request(&knock, &client(&made), wanted).await.expect("pushed");
        house.pass(Duration::from_secs(600));
        assert_eq!(
            code(house.node.pushed_request(&admin, made.application.id, late.reference.reveal()).await),
            "SK-4140"
        );
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM oauth_push").await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_must_be_pushed_is_taken_in_no_other_way() {
    let house = one_under(with(&sekisho_controls::oauth::PUSHED, Value::Bool(true)), None).await;
    let admin = house.admin_cx().await;
    let made = desk(&house, &admin, "desk").await;
    let wanted = wants(&made, "openid", "n");
    let step = house.node.authorize(&admin, ISSUER, &wanted).await.expect("sent back");
    assert!(matches!(step, Authorize::Go(to) if to.contains("error=invalid_request")));
    let pushed = house.node.push_request(&house.here().await, &client(&made), wanted.clone()).await.expect("pushed");
    let found = house.node.pushed_request(&admin, made.application.id, pushed.reference.reveal()).await.expect("found");
    assert!(matches!(house.node.authorize(&admin, ISSUER, &found).await, Ok(Authorize::Ask { .. })));

    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let new = NewApplication {
        name: "strict".into(),
        redirect_uris: vec![REDIRECT.into()],
        openid: true,
        require_pushed_authorization_requests: true,
        ..NewApplication::default()
    };
    let made = house.node.create_application(&admin, new).await.expect("registered");
    house.node.decide_application(&admin, made.application.id, true).await.expect("approved");
    let step = house.node.authorize(&admin, ISSUER, &wants(&made, "openid", "n")).await.expect("sent back");
    assert!(matches!(step, Authorize::Go(to) if to.contains("error=invalid_request")));
}
