//! Tokens that only the holder of a key can use.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use sekisho_identity::types::{
    ApplicationIssued, AuthorizeRequest, NewApplication, OauthClient, OauthTokens, Proof, Proved, TokenAsk,
};
use sekisho_kernel::{
    Cx, Problem, Secret,
    hook::{Knock, Sessions},
    policy::Value,
};
use serde_json::{Value as Json, json};

use crate::{
    house::{House, code, defaults, each, one_under, with},
    idp::{self, Key},
    oauth::{ISSUER, REDIRECT, VERIFIER, by_code, by_refresh, client, coded, request},
};

const TOKEN: &str = "https://acme.console.localhost/oauth/token";
const USERS: &str = "https://acme.console.localhost/api/v1/users";

async fn desk(house: &House, cx: &Cx, name: &str, more: NewApplication) -> ApplicationIssued {
    house.tick();
    let new = NewApplication {
        name: name.into(),
        redirect_uris: vec![REDIRECT.into()],
        rights: vec!["users.read".into()],
        openid: true,
        ..more
    };
    let made = house.node.create_application(cx, new).await.expect("registered");
    house.node.decide_application(cx, made.application.id, true).await.expect("approved");
    made
}

/// A key without what the set of keys names it by.
fn public(key: &Key) -> Json {
    let mut jwk = key.public("x");
    jwk.as_object_mut().expect("an object").remove("kid");
    jwk
}

struct Told<'a> {
    header: Json,
    claims: Json,
    key: &'a Key,
}

/// A proof as it ought to be.
fn told<'a>(house: &House, key: &'a Key, method: &str, url: &str, access: Option<&Secret<String>>) -> Told<'a> {
    let id = hex::encode(sekisho_kernel::rng::bytes::<8>(&sekisho_kernel::SystemRng));
    let mut claims = json!({ "jti": id, "htm": method, "htu": url, "iat": house.now().secs() });
    if let Some(access) = access {
        claims["ath"] = json!(idp::b64(digest(&SHA256, access.reveal().as_bytes())));
    }
    Told { header: json!({ "typ": "dpop+jwt", "alg": key.alg(), "jwk": public(key) }), claims, key }
}

impl Told<'_> {
    fn text(&self) -> String {
        self.key.token(&self.header, &self.claims.to_string())
    }
}

async fn looked_at(
    house: &House,
    text: &str,
    method: &str,
    url: &str,
    access: Option<&Secret<String>>,
) -> Result<Proof, Problem> {
    house.node.proof(&house.here().await, &Proved { proof: text, method, url }, access).await
}

async fn ask(
    house: &House,
    made: &ApplicationIssued,
    key: Option<&Key>,
    ask: TokenAsk,
) -> Result<OauthTokens, Problem> {
    let proof = match key {
        Some(key) => Some(looked_at(house, &told(house, key, "POST", TOKEN, None).text(), "POST", TOKEN, None).await?),
        None => None,
    };
    let asks = OauthClient { proof, ..client(made) };
    house.node.oauth_token(&house.here().await, ISSUER, &asks, ask).await
}

async fn used(house: &House, key: Option<&Key>, tokens: &OauthTokens) -> Result<(), Problem> {
    let knock = house.here().await;
    let Some(key) = key else { return house.node.resolve(&knock, &tokens.access).await.map(drop) };
    let text = told(house, key, "GET", USERS, Some(&tokens.access)).text();
    let proof = looked_at(house, &text, "GET", USERS, Some(&tokens.access)).await?;
    let knock = Knock { holds: Some(proof.key), ..knock };
    let passage = house.node.resolve(&knock, &tokens.access).await?;
    house.node.use_proof(&passage.cx, &proof).await
}

#[tokio::test]
async fn a_bound_token_is_nothing_without_its_key() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let made = desk(&house, &admin, "desk", NewApplication::default()).await;
        let keys = [idp::ed(1), idp::ed(2)];
        for key in [&keys[0], idp::ec(), idp::rsa()] {
            let code_ = coded(&house, &admin, &request(made.application.id, Some("openid users.read"))).await;
            let tokens = ask(&house, &made, Some(key), by_code(&code_, VERIFIER)).await.expect("tokens");
            assert!(tokens.bound && tokens.id_token.is_some());
            used(&house, Some(key), &tokens).await.expect("with the key");
            used(&house, Some(key), &tokens).await.expect("and a new proof");
            assert_eq!(code(used(&house, None, &tokens).await), "SK-0007", "stolen, without the key");
            assert_eq!(code(used(&house, Some(&keys[1]), &tokens).await), "SK-0007", "with another key");
            let found = house.node.introspect(&house.here().await, &client(&made), &tokens.access).await;
            let print = found.expect("answered").expect("active").key.expect("cnf.jkt");
            assert_eq!(print.len(), 43);
            assert_eq!(code(ask(&house, &made, None, by_refresh(&tokens)).await), "SK-4144");
            assert_eq!(
                code(ask(&house, &made, Some(&keys[1]), by_refresh(&tokens)).await),
                "SK-4144",
                "no secret, so the key"
            );
            let next = ask(&house, &made, Some(key), by_refresh(&tokens)).await.expect("refreshed");
            used(&house, Some(key), &next).await.expect("still bound");
            assert_eq!(code(used(&house, None, &next).await), "SK-0007");
        }
        let code_ = coded(&house, &admin, &request(made.application.id, None)).await;
        let free = ask(&house, &made, None, by_code(&code_, VERIFIER)).await.expect("tokens");
        used(&house, None, &free).await.expect("unbound");
        assert_eq!(
            code(used(&house, Some(&keys[0]), &free).await),
            "SK-0007",
            "a proof makes nothing of a token without a key"
        );

        let secret =
            desk(&house, &admin, "server", NewApplication { confidential: true, ..NewApplication::default() }).await;
        let code_ = coded(&house, &admin, &request(secret.application.id, None)).await;
        let tokens = ask(&house, &secret, Some(&keys[0]), by_code(&code_, VERIFIER)).await.expect("tokens");
        assert_eq!(code(ask(&house, &secret, None, by_refresh(&tokens)).await), "SK-4144", "never unbound again");
        let moved = ask(&house, &secret, Some(&keys[1]), by_refresh(&tokens)).await.expect("by the secret");
        used(&house, Some(&keys[1]), &moved).await.expect("bound to the new key");
        assert_eq!(code(used(&house, Some(&keys[0]), &moved).await), "SK-0007");
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_for_one_request_and_good_once() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = desk(&house, &admin, "desk", NewApplication::default()).await;
        let key = idp::ed(1);
        let code_ = coded(&house, &admin, &request(made.application.id, None)).await;
        let tokens = ask(&house, &made, Some(&key), by_code(&code_, VERIFIER)).await.expect("tokens");
        let access = Some(&tokens.access);
        let text = told(&house, &key, "GET", USERS, access).text();
        let proof = looked_at(&house, &text, "GET", USERS, access).await.expect("looked at");
        house.node.use_proof(&admin, &proof).await.expect("once");
        assert_eq!(code(house.node.use_proof(&admin, &proof).await), "SK-4144", "a second time");
        assert_eq!(code(other.use_proof(&admin, &proof).await), "SK-4144", "at the other node");
        assert_eq!(house.count("SELECT COUNT(*) FROM oauth_proof").await, 2);

        let asks = told(&house, &key, "POST", TOKEN, None).text();
        let again = looked_at(&house, &asks, "POST", TOKEN, None).await.expect("looked at");
        let asks = OauthClient { proof: Some(again), ..client(&made) };
        let knock = house.here().await;
        let next = house.node.oauth_token(&knock, ISSUER, &asks, by_refresh(&tokens)).await.expect("refreshed");
        let replayed = house.node.oauth_token(&knock, ISSUER, &asks, by_refresh(&next)).await;
        assert_eq!(code(replayed), "SK-4144");
        ask(&house, &made, Some(&key), by_refresh(&next)).await.expect("which ended nothing");

        let good = || told(&house, &key, "GET", USERS, access);
        let stolen = Secret::new("sat_other".to_owned());
        let mut bad = vec![("another token", told(&house, &key, "GET", USERS, Some(&stolen)).text())];
        for (what, name, value) in [
            ("another method", "htm", json!("POST")),
            ("another address", "htu", json!("https://acme.console.localhost/api/v1/roles")),
            ("another host", "htu", json!("https://evil.example/api/v1/users")),
            ("plain", "htu", json!("http://acme.console.localhost/api/v1/users")),
            ("no hash", "ath", Json::Null),
            ("no id", "jti", json!("")),
            ("a long id", "jti", json!("x".repeat(257))),
            ("no time", "iat", json!("now")),
            ("from before", "iat", json!(house.now().secs() - 61)),
            ("from the future", "iat", json!(house.now().secs() + 62)),
            ("long ago", "iat", json!(i64::MIN)),
        ] {
            let mut told = good();
            told.claims[name] = value;
            bad.push((what, told.text()));
        }
        let mut typed = good();
        typed.header["typ"] = json!("jwt");
        bad.push(("an ordinary token", typed.text()));
        let mut bare = good();
        bare.header.as_object_mut().unwrap().remove("jwk");
        bad.push(("no key", bare.text()));
        let mut foreign = good();
        foreign.header["jwk"] = public(&idp::ed(2));
        bad.push(("a key that did not sign", foreign.text()));
        let mut given = good();
        given.header["jwk"]["d"] = json!("AAAA");
        bad.push(("a private key", given.text()));
        let mut secret = good();
        secret.header["jwk"] = json!({ "kty": "oct", "k": "AAAA" });
        bad.push(("a shared secret", secret.text()));
        let mut none = good();
        none.header["alg"] = json!("none");
        bad.push((
            "no algorithm",
            format!("{}.{}.", idp::b64(none.header.to_string()), idp::b64(none.claims.to_string())),
        ));
        let hmac = idp::hmac_token(
            &json!({ "typ": "dpop+jwt", "alg": "HS256", "jwk": public(&key) }),
            &good().claims.to_string(),
            b"x",
        );
        bad.push(("a shared secret's tag", hmac));
        let mut critical = good();
        critical.header["crit"] = json!(["exp"]);
        bad.push(("a critical field", critical.text()));
        bad.push(("nothing", String::new()));
        bad.push(("something long", "a".repeat(9_000)));
        for (what, text) in bad {
            assert_eq!(code(looked_at(&house, &text, "GET", USERS, access).await), "SK-4144", "{what}");
        }
        for same in
            ["HTTPS://ACME.console.localhost:443/api/v1/users", "https://acme.console.localhost/api/v1/users?limit=1#x"]
        {
            let mut told = good();
            told.claims["htu"] = json!(same);
            assert!(looked_at(&house, &told.text(), "GET", USERS, access).await.is_ok(), "{same}");
        }
        house.pass(Duration::from_secs(200));
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM oauth_proof").await, 0, "it stays bounded");
    })
    .await;
}

#[tokio::test]
async fn what_must_be_bound_is_bound_and_a_code_may_be() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let strict = NewApplication { dpop_bound_access_tokens: true, ..NewApplication::default() };
    let made = desk(&house, &admin, "strict", strict).await;
    let code_ = coded(&house, &admin, &request(made.application.id, None)).await;
    assert_eq!(code(ask(&house, &made, None, by_code(&code_, VERIFIER)).await), "SK-4144");
    let key = idp::ed(1);
    assert!(ask(&house, &made, Some(&key), by_code(&code_, VERIFIER)).await.expect("tokens").bound);

    let knock = house.here().await;
    let proof =
        looked_at(&house, &told(&house, &key, "POST", TOKEN, None).text(), "POST", TOKEN, None).await.expect("one");
    let print = proof.print();
    let wanted = AuthorizeRequest { key: Some(print.clone()), ..request(made.application.id, None) };
    let code_ = coded(&house, &admin, &wanted).await;
    assert_eq!(
        code(ask(&house, &made, Some(&idp::ed(2)), by_code(&code_, VERIFIER)).await),
        "SK-4043",
        "a stolen code"
    );
    ask(&house, &made, Some(&key), by_code(&code_, VERIFIER)).await.expect("by the key that asked");
    let pushes = OauthClient { proof: Some(proof), ..client(&made) };
    let pushed = house.node.push_request(&knock, &pushes, request(made.application.id, None)).await.expect("pushed");
    let found = house.node.pushed_request(&admin, made.application.id, pushed.reference.reveal()).await.expect("found");
    assert_eq!(found.key, Some(print));
    assert_eq!(
        code(house.node.push_request(&knock, &pushes, request(made.application.id, None)).await),
        "SK-4144",
        "replayed"
    );

    let house = one_under(with(&sekisho_controls::oauth::BOUND, Value::Bool(true)), None).await;
    let admin = house.admin_cx().await;
    let made = desk(&house, &admin, "desk", NewApplication::default()).await;
    let code_ = coded(&house, &admin, &request(made.application.id, None)).await;
    assert_eq!(code(ask(&house, &made, None, by_code(&code_, VERIFIER)).await), "SK-4144");

    let house = one_under(with(&sekisho_controls::oauth::NONCE, Value::Bool(true)), None).await;
    let knock = house.here().await;
    let look = async |nonce: Json| {
        let mut told = told(&house, &key, "POST", TOKEN, None);
        told.claims["nonce"] = nonce;
        looked_at(&house, &told.text(), "POST", TOKEN, None).await
    };
    assert_eq!(code(look(Json::Null).await), "SK-4145");
    assert_eq!(code(look(json!("made up")).await), "SK-4145");
    let nonce = house.node.dpop_nonce(&knock).await.expect("one");
    assert!(look(json!(nonce)).await.is_ok());
    house.pass(Duration::from_secs(120));
    assert!(look(json!(nonce)).await.is_ok(), "for a while");
    house.pass(Duration::from_secs(120));
    assert_eq!(code(look(json!(nonce)).await), "SK-4145");
}
