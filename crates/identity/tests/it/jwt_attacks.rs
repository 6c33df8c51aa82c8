//! Tokens as attackers make them (RFC 8725, OpenID Connect Core §16): each is refused, with its reason in the history. The
//! same flow with the honest token signs in, so that it is the token alone that is refused.

use sekisho_identity::types::{CameBack, ProviderView, SignInStep};
use serde_json::{Value, json};

use crate::{
    federation::{back, claims, leave, makes_people, provider, reasons, returning},
    house::{House, code, defaults, one_under},
    idp::{CLIENT, ISSUER, b64, ec, ed, hmac_token, metadata, rsa},
};

/// A house whose provider has a key of each kind.
async fn house() -> (House, ProviderView) {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, makes_people()).await;
    house.idp.serve(&[ed(1).public("ed"), ec().public("ec"), rsa().public("rsa")]);
    (house, p)
}

/// One flow whose token is made from the honest claims.
async fn tried(house: &House, p: &ProviderView, token: impl FnOnce(Value) -> String) -> Result<(), String> {
    let leaving = leave(house, p).await;
    house.idp.tokens(&token(claims(house, &leaving, "hanako")));
    match back(house, p, returning(&leaving)).await {
        Ok(CameBack::Step(SignInStep::SignedIn(_))) => Ok(()),
        Ok(other) => panic!("{other:?}"),
        Err(problem) => {
            assert_eq!(problem.kind.code, "SK-4050");
            Err(reasons(house).await.pop().unwrap_or_default())
        }
    }
}

fn with(claims: Value, more: Value) -> Value {
    let mut claims = claims;
    claims.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    claims.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    claims
}

fn word(word: &str) -> Result<(), String> {
    Err(word.to_owned())
}

#[tokio::test]
async fn every_algorithm_that_is_taken_signs_in() {
    let (house, p) = house().await;
    for (kid, key, alg) in [
        ("ed", &ed(1), "EdDSA"),
        ("ed", &ed(1), "Ed25519"),
        ("ec", ec(), "ES256"),
        ("rsa", rsa(), "RS256"),
        ("rsa", rsa(), "PS256"),
    ] {
        let made = tried(&house, &p, |c| key.token(&json!({"alg": alg, "kid": kid, "typ": "JWT"}), &c.to_string()));
        assert_eq!(made.await, Ok(()), "{alg}");
    }
    // A header without kid is tried with the keys that fit.
    assert_eq!(tried(&house, &p, |c| ec().token(&json!({"alg": "ES256"}), &c.to_string())).await, Ok(()));
}

#[tokio::test]
async fn algorithms_that_are_none_or_share_a_secret() {
    let (house, p) = house().await;
    for alg in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS1", "RS384", "ES384", "ES256K", "es256",
        "RSA-OAEP", "dir", "A256GCM",
    ] {
        let unsigned =
            tried(&house, &p, |c| format!("{}.{}.", b64(json!({"alg": alg}).to_string()), b64(c.to_string())));
        assert_eq!(unsigned.await, word("token-algorithm"), "{alg}");
    }
    for head in [json!({}), json!({"alg": null}), json!({"alg": ["ES256"]}), json!({"alg": 1})] {
        let made = tried(&house, &p, |c| ec().token(&head, &c.to_string()));
        assert_eq!(made.await, word("token-algorithm"), "{head}");
    }
    // The public key as the secret of an HMAC, in every form in which it is published.
    let jwk = rsa().public("rsa");
    let point = ec().public("ec");
    for secret in
        [jwk.to_string(), jwk["n"].as_str().unwrap().into(), point["x"].as_str().unwrap().into(), String::new()]
    {
        for (alg, wanted) in [("HS256", "token-algorithm"), ("RS256", "token-signature"), ("ES256", "token-signature")]
        {
            let kid = if alg == "ES256" { "ec" } else { "rsa" };
            let made =
                tried(&house, &p, |c| hmac_token(&json!({"alg": alg, "kid": kid}), &c.to_string(), secret.as_bytes()));
            assert_eq!(made.await, word(wanted), "{alg}");
        }
    }
}

#[tokio::test]
async fn keys_that_are_not_the_providers() {
    let (house, p) = house().await;
    let stranger = ed(9);
    let own = stranger.public("evil");
    for extra in [
        json!({"jwk": own}),
        json!({"jku": "https://evil.example/jwks"}),
        json!({"x5u": "https://evil.example/cert.pem"}),
        json!({"x5c": [b64("certificate")]}),
        json!({"x5t": "AAAA", "x5t#S256": "AAAA"}),
    ] {
        let head = with(json!({"alg": "EdDSA", "kid": "ed"}), extra.clone());
        assert_eq!(
            tried(&house, &p, |c| stranger.token(&head, &c.to_string())).await,
            word("token-signature"),
            "{extra}"
        );
        let head = with(json!({"alg": "EdDSA", "kid": "evil"}), extra.clone());
        assert_eq!(
            tried(&house, &p, |c| stranger.token(&head, &c.to_string())).await,
            word("token-key-unknown"),
            "{extra}"
        );
    }
    assert_eq!(house.idp.times("https://evil.example/jwks") + house.idp.times("https://evil.example/cert.pem"), 0);
    for kid in ["", "ED", "ed ", "../ed", "ed\u{0}", "/dev/null", "' OR 1=1 --", &"k".repeat(5_000), "rsa", "ec"] {
        let made = tried(&house, &p, |c| ed(1).token(&json!({"alg": "EdDSA", "kid": kid}), &c.to_string()));
        assert_eq!(made.await, word("token-key-unknown"), "{kid}");
    }
    for kid in [json!(1), json!(["ed"]), json!(null), json!({"a": 1})] {
        let made = tried(&house, &p, |c| ed(1).token(&json!({"alg": "EdDSA", "kid": kid}), &c.to_string()));
        assert_eq!(made.await, word("token-malformed"), "{kid}");
    }
    // The signature of one kind of key under the name of another.
    for (key, kid, alg) in
        [(rsa(), "ec", "ES256"), (ec(), "rsa", "RS256"), (ec(), "ed", "EdDSA"), (rsa(), "rsa", "ES256")]
    {
        let made = tried(&house, &p, |c| key.token(&json!({"alg": alg, "kid": kid}), &c.to_string())).await;
        assert!(made == word("token-signature") || made == word("token-key-unknown"), "{alg} {made:?}");
    }
}

#[tokio::test]
async fn key_sets_with_keys_that_must_not_verify() {
    let (house, p) = house().await;
    let mut private = ed(1).public("k");
    private["d"] = json!("AAAA");
    let change = |name: &str, value: Value| {
        let mut key = ed(1).public("k");
        key[name] = value;
        key
    };
    let small = json!({"kty": "RSA", "kid": "k", "n": b64([0xff; 128]), "e": "AQAB"});
    let secret = json!({"kty": "oct", "kid": "k", "k": b64([7; 32])});
    for key in [
        private,
        change("use", json!("enc")),
        change("alg", json!("ES256")),
        change("alg", json!("none")),
        change("key_ops", json!(["sign"])),
        change("key_ops", json!("verify")),
        change("crv", json!("X25519")),
        change("kid", json!(7)),
        change("x", json!("AAAA")),
        change("kty", json!("EC")),
        small,
        secret,
    ] {
        house.pass(std::time::Duration::from_secs(3_600));
        // A good key of another name stands beside it: the set is one, and the token names the bad key.
        house.idp.serve(&[key.clone(), ec().public("other")]);
        let made = tried(&house, &p, |c| ed(1).token(&json!({"alg": "EdDSA", "kid": "k"}), &c.to_string()));
        assert_eq!(made.await, word("token-key-unknown"), "{key}");
    }
}

#[tokio::test]
async fn tokens_that_are_malformed_or_altered() {
    let (house, p) = house().await;
    let good = |c: &Value| ed(1).usual("ed", c);
    type Made = Box<dyn FnOnce(Value) -> String>;
    let cut = |n: usize| -> Made {
        Box::new(move |c| {
            let t = ed(1).usual("ed", &c);
            t[..t.len() - n].to_owned()
        })
    };
    let cases: Vec<(&str, Made)> = vec![
        ("token-signature", cut(2)),
        (
            "token-signature",
            Box::new(|c| {
                let t = ed(1).usual("ed", &c);
                format!("{}.", t.rsplit_once('.').unwrap().0)
            }),
        ),
        (
            "token-signature",
            Box::new(|c| {
                let t = ed(1).usual("ed", &c);
                let parts: Vec<&str> = t.split('.').collect();
                format!("{}.{}.{}", parts[0], b64(with(c, json!({"sub": "admin"})).to_string()), parts[2])
            }),
        ),
        (
            "token-signature",
            Box::new(|c| {
                let t = ed(1).usual("ed", &c);
                let parts: Vec<&str> = t.split('.').collect();
                format!("{}.{}.{}", b64(r#"{"alg":"EdDSA","kid":"ed","x":1}"#), parts[1], parts[2])
            }),
        ),
        ("token-malformed", Box::new(|c| format!("{}=", ed(1).usual("ed", &c)))),
        ("token-malformed", Box::new(|c| format!("{}.", ed(1).usual("ed", &c)))),
        ("token-malformed", Box::new(|c| format!(" {}", ed(1).usual("ed", &c)))),
        ("token-malformed", Box::new(|c| ed(1).usual("ed", &c).replacen('.', "..", 1))),
        ("token-malformed", Box::new(|c| json!({"payload": b64(c.to_string()), "signatures": []}).to_string())),
        ("token-malformed", Box::new(|_| "x".repeat(40_000))),
        ("token-malformed", Box::new(|c| ed(1).token(&json!({"alg": "EdDSA", "kid": "ed"}), &format!("[{c}]")))),
        ("token-malformed", Box::new(|c| ed(1).token(&json!({"alg": "EdDSA", "kid": "ed"}), &format!("{c}{c}")))),
        // Five parts are an encrypted token; nothing is decrypted.
        ("token-malformed", Box::new(|c| format!("{}.a.b", ed(1).usual("ed", &c)))),
    ];
    for (n, (wanted, made)) in cases.into_iter().enumerate() {
        assert_eq!(tried(&house, &p, made).await, word(wanted), "{n}");
    }
    assert_eq!(tried(&house, &p, |c| good(&c)).await, Ok(()));
}

#[tokio::test]
async fn names_that_come_twice() {
    let (house, p) = house().await;
    for twice in [
        r#""sub":"admin","#,
        r#""s\u0075b":"admin","#,
        r#""aud":"other","#,
        r#""exp":9999999999,"#,
        r#""nested":{"a":1,"a":2},"#,
    ] {
        let doubled = |c: Value| {
            // The second, honest one comes later in the text: a reader that keeps the last would not notice.
            let said = c.to_string().replacen('{', &format!("{{{twice}"), 1);
            ed(1).token(&json!({"alg": "EdDSA", "kid": "ed"}), &said)
        };
        assert_eq!(tried(&house, &p, doubled).await, word("token-malformed"), "{twice}");
    }
    let header = |c: Value| {
        let head = format!("{}.{}", b64(r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#), b64(c.to_string()));
        format!("{head}.{}", b64(ed(1).sign("EdDSA", head.as_bytes())))
    };
    assert_eq!(tried(&house, &p, header).await, word("token-malformed"));
}

#[tokio::test]
async fn headers_that_must_be_understood_or_are_of_another_type() {
    let (house, p) = house().await;
    for (wanted, extra) in [
        ("token-critical", json!({"crit": ["exp"], "exp": 1})),
        ("token-critical", json!({"crit": []})),
        ("token-critical", json!({"b64": false, "crit": ["b64"]})),
        ("token-critical", json!({"b64": true})),
        ("token-type", json!({"typ": "logout+jwt"})),
        ("token-type", json!({"typ": "at+jwt"})),
        ("token-type", json!({"typ": "application/at+jwt"})),
        ("token-type", json!({"typ": "dpop+jwt"})),
        ("token-type", json!({"typ": "secevent+jwt"})),
        ("token-type", json!({"typ": 7})),
    ] {
        let head = with(json!({"alg": "EdDSA", "kid": "ed"}), extra.clone());
        assert_eq!(tried(&house, &p, |c| ed(1).token(&head, &c.to_string())).await, word(wanted), "{extra}");
    }
}

#[tokio::test]
async fn claims_that_are_not_for_us_or_not_for_now() {
    let (house, p) = house().await;
    let now = house.now().secs();
    for (wanted, said) in [
        ("token-issuer", json!({"iss": "https://evil.example"})),
        ("token-issuer", json!({"iss": format!("{ISSUER}/")})),
        ("token-issuer", json!({"iss": null})),
        ("token-issuer", json!({"iss": [ISSUER]})),
        ("token-audience", json!({"aud": "other"})),
        ("token-audience", json!({"aud": null})),
        ("token-audience", json!({"aud": []})),
        ("token-audience", json!({"aud": [CLIENT, "other"]})),
        ("token-audience", json!({"aud": {"a": CLIENT}})),
        ("token-audience", json!({"aud": "SEKISHO"})),
        ("token-authorised-party", json!({"azp": "other"})),
        ("token-authorised-party", json!({"azp": [CLIENT]})),
        ("token-expired", json!({"exp": now - 61})),
        ("token-expired", json!({"exp": null})),
        ("token-expired", json!({"exp": "never"})),
        ("token-expired", json!({"exp": -1})),
        ("token-expired", json!({"exp": 1e300})),
        ("token-issued-at", json!({"iat": now + 120})),
        ("token-issued-at", json!({"iat": now - 90_000})),
        ("token-issued-at", json!({"iat": null})),
        ("token-not-yet", json!({"nbf": now + 120})),
        ("token-not-yet", json!({"nbf": "soon"})),
        ("token-nonce", json!({"nonce": "replayed"})),
        ("token-nonce", json!({"nonce": null})),
        ("token-nonce", json!({"nonce": ""})),
        ("token-access-hash", json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})),
        ("token-access-hash", json!({"at_hash": 7})),
        ("token-subject", json!({"sub": null})),
        ("token-subject", json!({"sub": ""})),
        ("token-subject", json!({"sub": 7})),
        ("token-subject", json!({"sub": "x".repeat(256)})),
        ("token-subject", json!({"sub": "a\u{0}b"})),
    ] {
        let made = tried(&house, &p, |c| ed(1).usual("ed", &with(c, said.clone())));
        assert_eq!(made.await, word(wanted), "{said}");
    }
    // Within what clocks may differ, as a list of one, with the right party and hash.
    let hash = b64(&aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, b"at").as_ref()[..32]);
    for said in [
        json!({"exp": now - 30}),
        json!({"iat": now + 30, "nbf": now + 30}),
        json!({"aud": [CLIENT], "azp": CLIENT}),
        json!({"exp": (now + 300) as f64 + 0.5}),
        json!({"at_hash": hash}),
    ] {
        assert_eq!(tried(&house, &p, |c| ed(1).usual("ed", &with(c, said.clone()))).await, Ok(()), "{said}");
    }
}

#[tokio::test]
async fn metadata_that_is_anothers_or_leads_inside() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, makes_people()).await;
    let url = format!("{ISSUER}/.well-known/openid-configuration");
    let origin = crate::federation::ORIGIN;
    for (said, body) in [
        (
            "calls itself “https://evil.example”",
            with(metadata(), json!({"issuer": "https://evil.example"})).to_string(),
        ),
        ("calls itself “https://idp.example/”", with(metadata(), json!({"issuer": format!("{ISSUER}/")})).to_string()),
        (
            "authorization_endpoint is no https",
            with(metadata(), json!({"authorization_endpoint": "http://idp.example/a"})).to_string(),
        ),
        ("token_endpoint is no https", with(metadata(), json!({"token_endpoint": "javascript:x"})).to_string()),
        ("token_endpoint is missing", with(metadata(), json!({"token_endpoint": null})).to_string()),
        ("jwks_uri is no https", with(metadata(), json!({"jwks_uri": "file:///etc/passwd"})).to_string()),
        (
            "does not support the authorisation code",
            with(metadata(), json!({"response_types_supported": ["id_token"]})).to_string(),
        ),
        ("does not support PKCE", with(metadata(), json!({"code_challenge_methods_supported": ["plain"]})).to_string()),
        (
            "signs ID tokens with HS256, none",
            with(metadata(), json!({"id_token_signing_alg_values_supported": ["HS256", "none"]})).to_string(),
        ),
        (
            "cannot be read as a JSON object",
            metadata().to_string().replacen('{', "{\"issuer\":\"https://evil.example\",", 1),
        ),
        ("cannot be read as a JSON object", "<html>".into()),
    ] {
        house.idp.put(&url, 200, body);
        let checks = house.node.test_provider(&admin, origin, p.id).await.unwrap();
        let first = checks.first().unwrap();
        assert!(!first.good && first.says.en.contains(said), "{said}: {}", first.says.en);
        let gone =
            house.node.leave(&house.here().await, origin, p.id, sekisho_identity::types::Errand::SignIn, None).await;
        assert_eq!(code(gone), "SK-4051", "{said}");
        house.pass(std::time::Duration::from_secs(11));
    }
    house.idp.put(&url, 404, "");
    let said = |checks: Vec<sekisho_identity::types::Check>| {
        checks.into_iter().map(|c| (c.name, c.good, c.says.en.to_string())).collect::<Vec<_>>()
    };
    let found = said(house.node.test_provider(&admin, origin, p.id).await.unwrap());
    assert!(!found[0].1 && found[0].2.contains("answers with status 404"), "{found:?}");
    house.idp.serve(&[json!({"kty": "oct", "k": "AAAA"})]);
    let found = said(house.node.test_provider(&admin, origin, p.id).await.unwrap());
    assert_eq!((found[0].1, found[1].0, found[1].1), (true, "keys", false));
    assert!(found[1].2.contains("no key that can be used"), "{found:?}");
    house.idp.serve(&[ed(1).public("one")]);
    for (status, error, good) in
        [(401, "invalid_client", false), (400, "invalid_grant", true), (400, "invalid_request", true)]
    {
        house.idp.put(&format!("{ISSUER}/token"), status, json!({"error": error}).to_string());
        let found = said(house.node.test_provider(&admin, origin, p.id).await.unwrap());
        assert_eq!((found.len(), found[2].0, found[2].1), (3, "client", good), "{found:?}");
    }
}
