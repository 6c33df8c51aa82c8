//! Passkeys: registered, used alone and beside the password, lost, copied, taken away.

use std::time::Duration;

use sekisho_controls::{adaptive, passkeys as control, second_factor};
use sekisho_identity::{
    Identity,
    types::{Browser, PasskeyAnswer, PasskeyMade, PasskeyOptions, PasskeyPatch, RelyingParty, SignInStep},
};
use sekisho_kernel::{Cx, Policy, Problem, Secret, access::UserType, hook::Knock, policy::Value};
use sekisho_testkit::{Authenticator, Statement, Twist};

use crate::{
    federation,
    house::{House, PASSWORD, browser, code, defaults, done, each, each_under, secret, with},
    sign_in::{challenge, enrol},
    webauthn::{Maker, Slip},
};

const ORIGIN: &str = "https://acme.console.localhost";

pub fn rp() -> RelyingParty {
    RelyingParty { id: "acme.console.localhost".into(), origin: ORIGIN.into(), browser: secret("a browser") }
}

pub fn answer(options: &PasskeyOptions, credential: serde_json::Value) -> PasskeyAnswer {
    PasskeyAnswer { ceremony: options.ceremony.clone(), credential, name: "Key ring".into() }
}

async fn options(house: &House, cx: &Cx) -> PasskeyOptions {
    house.tick();
    house.node.register_options(cx, &rp(), Some(secret(PASSWORD))).await.expect("options")
}

async fn try_register(house: &House, cx: &Cx, key: &mut Authenticator, twist: &Twist) -> Result<PasskeyMade, Problem> {
    let options = options(house, cx).await;
    let made = key.create_with(&options.public_key, ORIGIN, twist);
    house.tick();
    house.node.create_passkey(cx, &rp(), answer(&options, made)).await
}

pub async fn register(house: &House, cx: &Cx, key: &mut Authenticator) -> PasskeyMade {
    try_register(house, cx, key, &Twist::default()).await.expect("registered")
}

/// Signs in by the passkey alone, at a node.
async fn alone(house: &House, node: &Identity, key: &mut Authenticator, twist: &Twist) -> Result<SignInStep, Problem> {
    house.tick();
    let here = house.here().await;
    let options = node.passkey_options(&here, &rp(), None).await.expect("options");
    let used = key.get_with(&options.public_key, ORIGIN, twist);
    node.sign_in_passkey(&here, &browser(), &rp(), answer(&options, used)).await
}

pub async fn in_by(house: &House, key: &mut Authenticator) -> Result<SignInStep, Problem> {
    alone(house, &house.node, key, &Twist::default()).await
}

/// Password, then the passkey.
async fn beside(house: &House, name: &str, key: &mut Authenticator) -> Result<SignInStep, Problem> {
    let c = challenge(house.sign_in_as(name, PASSWORD).await);
    let options = house.node.passkey_options(&house.here().await, &rp(), Some(&c)).await?;
    let used = key.get(&options.public_key, ORIGIN);
    house.tick();
    house.node.sign_in_passkey(&house.here().await, &browser(), &rp(), answer(&options, used)).await
}

async fn last(house: &House) -> (String, String, String) {
    let row = house.history().await.pop().expect("an entry");
    (row.event.clone(), row.outcome.name().to_owned(), told(&row))
}

fn told(row: &sekisho_vault::history::Row) -> String {
    row.detail.iter().map(|(name, value)| format!("{name}={value} ")).collect()
}

fn mode(word: &str) -> Policy {
    with(&control::MODE, Value::Str(word.into()))
}

#[tokio::test]
async fn a_passkey_signs_in_alone_and_satisfies_every_factor() {
    let policy = with(&second_factor::MODE, Value::Str("required".into()));
    each_under(policy, None, |house| async move {
        let mut key = Authenticator::default();
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let options = house.node.enrol_passkey_options(&house.here().await, &rp(), &c).await.expect("options");
        let made = key.create(&options.public_key, ORIGIN);
        let step = house.node.enrol_passkey(&house.here().await, &browser(), &rp(), answer(&options, made)).await;
        let signed_in = done(step);
        assert!(signed_in.user.has_factor);
        assert_eq!(signed_in.recovery_codes.len(), 10);
        let signed_in = done(in_by(&house, &mut key).await);
        assert_eq!(signed_in.user.id, house.admin);
        let (event, outcome, detail) = last(&house).await;
        assert_eq!((event.as_str(), outcome.as_str()), ("session.sign_in", "success"));
        assert!(detail.contains("way=passkey factor=passkey passkey=pky_"), "{detail}");
        let cx = house.passage(&signed_in.token).await.expect("a passage").cx.clone();
        let listed = house.node.passkeys(&cx).await.expect("listed");
        assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].recovery_left), (1, "Key ring", 10));
        assert!(listed[0].last_used.is_some());
    })
    .await;
}

#[tokio::test]
async fn with_a_passkey_the_password_alone_yields_nothing() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        let made = register(&house, &cx, &mut key).await;
        assert_eq!(made.recovery_codes.len(), 10);
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let ways = house.node.second_factors(&house.here().await, &c).await.expect("ways");
        assert_eq!(ways.names(), ["passkey", "recovery-code"]);
        done(beside(&house, "admin", &mut key).await);
        // A recovery code stands in for it, once.
        for (n, expected) in [(0, true), (0, false), (1, true)] {
            let c = challenge(house.sign_in_as("admin", PASSWORD).await);
            let proof = sekisho_identity::types::FactorProof::Recovery(made.recovery_codes[n].clone());
            house.tick();
            let step = house.node.sign_in_factor(&house.here().await, &browser(), &c, proof).await;
            assert_eq!(step.is_ok(), expected, "{n}");
        }
        // A code of an app that there is none of is no proof.
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let proof = sekisho_identity::types::FactorProof::Code(secret("123456"));
        assert_eq!(code(house.node.sign_in_factor(&house.here().await, &browser(), &c, proof).await), "SK-4001");
    })
    .await;
}

#[tokio::test]
async fn a_challenge_is_good_once_for_its_purpose_browser_and_time_on_every_node() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        let (here, other) = (house.here().await, house.second().await);
        let ask = async || house.node.passkey_options(&house.here().await, &rp(), None).await.expect("options");
        // Once, on whatever node.
        let o = ask().await;
        let used = key.get(&o.public_key, ORIGIN);
        done(other.sign_in_passkey(&here, &browser(), &rp(), answer(&o, used.clone())).await);
        for node in [&house.node, &other] {
            house.tick();
            assert_eq!(code(node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, used.clone())).await), "SK-4002");
        }
        // At the same time on two nodes: one.
        let o = ask().await;
        let used = key.get(&o.public_key, ORIGIN);
        let b = browser();
        let r = rp();
        let (one, two) = tokio::join!(
            house.node.sign_in_passkey(&here, &b, &r, answer(&o, used.clone())),
            other.sign_in_passkey(&here, &b, &r, answer(&o, used.clone()))
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        // A wrong answer uses it up too.
        let o = ask().await;
        let wrong = key.get_with(&o.public_key, ORIGIN, &Twist { spoilt: true, ..Twist::default() });
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, wrong)).await), "SK-4001");
        let right = key.get(&o.public_key, ORIGIN);
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, right)).await), "SK-4002");
        // Another browser's.
        let o = ask().await;
        let used = key.get(&o.public_key, ORIGIN);
        let elsewhere = RelyingParty { browser: secret("another browser"), ..rp() };
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &elsewhere, answer(&o, used)).await), "SK-4002");
        // Of another purpose.
        let o = options(&house, &cx).await;
        let request = serde_json::json!({ "challenge": o.public_key["challenge"], "rpId": "acme.console.localhost" });
        let used = key.get(&request, ORIGIN);
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, used)).await), "SK-4002");
        let o = ask().await;
        let creation = serde_json::json!({
            "challenge": o.public_key["challenge"], "rp": { "id": "acme.console.localhost" }, "user": { "id": "AAAA" },
        });
        let made = Authenticator::default().create(&creation, ORIGIN);
        assert_eq!(code(house.node.create_passkey(&cx, &rp(), answer(&o, made)).await), "SK-4074");
        // Run out.
        let o = ask().await;
        let used = key.get(&o.public_key, ORIGIN);
        house.pass(Duration::from_secs(301));
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, used)).await), "SK-4002");
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM passkey_ceremony").await, 0);
        // Made up.
        let o = PasskeyOptions { ceremony: secret("AAAA"), ..ask().await };
        let used = key.get(&o.public_key, ORIGIN);
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, used)).await), "SK-4002");
    })
    .await;
}

#[tokio::test]
async fn registration_is_bound_to_the_session_that_asked() {
    each(|house| async move {
        let (one, two) = (house.admin_cx().await, house.admin_cx().await);
        let mut key = Authenticator::default();
        let o = options(&house, &one).await;
        let made = key.create(&o.public_key, ORIGIN);
        assert_eq!(code(house.node.create_passkey(&two, &rp(), answer(&o, made.clone())).await), "SK-4074");
        house.node.create_passkey(&one, &rp(), answer(&o, made.clone())).await.expect("registered");
        assert_eq!(code(house.node.create_passkey(&one, &rp(), answer(&o, made)).await), "SK-4074", "once");
        assert_eq!(code(house.node.register_options(&one, &rp(), Some(secret("wrong"))).await), "SK-4004");
    })
    .await;
}

#[tokio::test]
async fn what_is_forged_gets_the_one_answer_and_counts() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        let taro = house.cx("taro").await;
        let mut key = Authenticator::default();
        register(&house, &taro, &mut key).await;
        let mut answers = Vec::new();
        let t = Twist::default;
        let attacks = [
            Twist { origin: Some("https://evil.example"), ..t() },
            Twist { rp_id: Some("evil.example"), ..t() },
            Twist { flags: Some(1), ..t() },
            Twist { spoilt: true, ..t() },
            Twist { kind: Some("webauthn.create"), ..t() },
            Twist { cross_origin: Some(true.into()), ..t() },
            Twist { handle: Some(vec![1; 16]), ..t() },
            Twist { handle: Some(Vec::new()), ..t() },
        ];
        for twist in attacks {
            let problem = alone(&house, &house.node, &mut key, &twist).await.expect_err("refused");
            answers.push(format!("{problem:?}"));
            house.node.unlock_user(&cx, taro.actor.user().expect("taro")).await.expect("unlocked");
        }
        // A credential that nobody has, and one of another organisation.
        let mut stranger = Authenticator::default();
        let creation = serde_json::json!({
            "challenge": "AAAA", "rp": { "id": "acme.console.localhost" }, "user": { "id": "AAAA" },
        });
        stranger.create(&creation, ORIGIN);
        answers.push(format!("{:?}", in_by(&house, &mut stranger).await.expect_err("refused")));
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(answers[0].starts_with("SK-4001"));
    })
    .await;
}

#[tokio::test]
async fn three_wrong_passkeys_lock_as_three_wrong_passwords_do() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        let taro = house.cx("taro").await;
        let mut key = Authenticator::default();
        register(&house, &taro, &mut key).await;
        for _ in 0..3 {
            let twist = Twist { spoilt: true, ..Twist::default() };
            assert_eq!(code(alone(&house, &house.node, &mut key, &twist).await), "SK-4001");
        }
        assert_eq!(code(in_by(&house, &mut key).await), "SK-4001");
        let entered = last(&house).await;
        assert!(entered.2.contains("reason=locked"), "{entered:?}");
        assert_eq!(code(house.sign_in_as("taro", PASSWORD).await), "SK-4001", "and the password with it");
        let locked: Vec<_> = house.history().await.into_iter().filter(|r| r.event == "account.lock").collect();
        assert_eq!(locked.len(), 1);
    })
    .await;
}

/// A passkey is both factors, so that it is more than a step-up asks for; what the policy blocks, it does not open.
#[tokio::test]
async fn a_sign_in_by_passkey_is_judged_as_one_by_password() {
    let listed = with(&adaptive::LISTED, Value::Networks(vec!["203.0.113.0/24".parse().unwrap()]));
    each_under(listed, None, |house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        let stranger = Browser { agent: "Test/2.0".into(), device: None };
        let mut from = async |peer: &str, beside: bool| {
            house.tick();
            let knock = Knock { peer: peer.parse().unwrap(), ..house.here().await };
            let c = match beside {
                true => Some(challenge(house.sign_in_as("admin", PASSWORD).await)),
                false => None,
            };
            let options = house.node.passkey_options(&knock, &rp(), c.as_ref()).await.expect("options");
            let used = key.get(&options.public_key, ORIGIN);
            house.tick();
            house.node.sign_in_passkey(&knock, &stranger, &rp(), answer(&options, used)).await
        };
        done(from("198.51.100.4", false).await);
        let (_, _, entered) = last(&house).await;
        assert!(entered.contains("risk_action=step_up risk_reasons=new-device new-network"), "{entered}");
        for beside in [false, true] {
            assert_eq!(code(from("203.0.113.9", beside).await), "SK-4001");
            let (event, outcome, entered) = last(&house).await;
            assert_eq!((event.as_str(), outcome.as_str()), ("session.sign_in", "refused"));
            assert!(entered.contains("reason=risk") && entered.contains("listed-address"), "{entered}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_credential_costs_what_a_known_one_does() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        let mut stranger = Authenticator::default();
        let creation = serde_json::json!({
            "challenge": "AAAA", "rp": { "id": "acme.console.localhost" }, "user": { "id": "AAAA" },
        });
        stranger.create(&creation, ORIGIN);
        let mut costs = Vec::new();
        for who in [&mut key, &mut stranger] {
            let before = house.node.counts().read();
            let twist = Twist { spoilt: true, ..Twist::default() };
            assert_eq!(code(alone(&house, &house.node, who, &twist).await), "SK-4001");
            let after = house.node.counts().read();
            costs.push((after.0 - before.0, after.1 - before.1, after.2 - before.2));
        }
        assert_eq!(costs[0], costs[1]);
    })
    .await;
}

#[tokio::test]
async fn another_persons_passkey_proves_nothing() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        let taro = house.cx("taro").await;
        let (mut own, mut others) = (Authenticator::default(), Authenticator::default());
        register(&house, &cx, &mut own).await;
        register(&house, &taro, &mut others).await;
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let here = house.here().await;
        let o = house.node.passkey_options(&here, &rp(), Some(&c)).await.expect("options");
        let used = others.sign(0, &o.public_key, ORIGIN, &Twist::default());
        house.tick();
        assert_eq!(code(house.node.sign_in_passkey(&here, &browser(), &rp(), answer(&o, used)).await), "SK-4001");
        assert!(last(&house).await.2.contains("reason=another-user"));
        // A handle of the administrator's with another person's key.
        let admin = own.credentials[0].handle.clone();
        let twist = Twist { handle: Some(admin), ..Twist::default() };
        assert_eq!(code(alone(&house, &house.node, &mut others, &twist).await), "SK-4001");
        // Nobody renames or removes another's.
        let theirs = house.node.passkeys(&taro).await.expect("listed")[0].id;
        let patch = PasskeyPatch { name: "mine".into() };
        assert_eq!(code(house.node.rename_passkey(&cx, theirs, 1, patch).await), "SK-0003");
        assert_eq!(code(house.node.delete_passkey(&cx, theirs, secret(PASSWORD)).await), "SK-0003");
        // The same credential is registered once, by anybody.
        let o = options(&house, &taro).await;
        let again = own.create(&o.public_key, ORIGIN);
        house.node.create_passkey(&taro, &rp(), answer(&o, again)).await.expect("a key of its own");
    })
    .await;
}

#[tokio::test]
async fn a_count_that_has_not_grown_is_refused_and_recorded() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        let count = |n| Twist { count: Some(n), ..Twist::default() };
        done(alone(&house, &house.node, &mut key, &count(7)).await);
        for n in [7, 6, 0] {
            assert_eq!(code(alone(&house, &house.node, &mut key, &count(n)).await), "SK-4001", "{n}");
            let rows = house.history().await;
            let suspects: Vec<_> = rows.iter().filter(|r| r.event == "passkey.suspect").collect();
            assert!(suspects.last().is_some_and(|r| told(r).contains(&format!("count={n} "))), "{n}");
            house.node.unlock_user(&cx, house.admin).await.expect("unlocked");
        }
        done(alone(&house, &house.node, &mut key, &count(8)).await);
        // One that never counts is as good as its kind.
        let mut still = Authenticator { counts: false, ..Authenticator::default() };
        register(&house, &cx, &mut still).await;
        done(in_by(&house, &mut still).await);
        done(in_by(&house, &mut still).await);
    })
    .await;
}

#[tokio::test]
async fn passkeys_are_named_and_removed() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let (mut one, mut two) = (Authenticator::default(), Authenticator::default());
        let first = register(&house, &cx, &mut one).await;
        let second = register(&house, &cx, &mut two).await;
        assert!(second.recovery_codes.is_empty(), "the codes that there are stay good");
        let id = first.passkey.id;
        let patch = |name: &str| PasskeyPatch { name: name.into() };
        let renamed = house.node.rename_passkey(&cx, id, 1, patch(" 社用スマートフォン ")).await.expect("renamed");
        assert_eq!((renamed.name.as_str(), renamed.version), ("社用スマートフォン", 2));
        assert_eq!(code(house.node.rename_passkey(&cx, id, 1, patch("x")).await), "SK-0006");
        assert_eq!(code(house.node.rename_passkey(&cx, id, 2, patch("")).await), "SK-0005");
        assert_eq!(code(house.node.delete_passkey(&cx, id, secret("wrong")).await), "SK-4004");
        house.node.delete_passkey(&cx, id, secret(PASSWORD)).await.expect("removed");
        assert_eq!(code(in_by(&house, &mut one).await), "SK-4001");
        done(in_by(&house, &mut two).await);
        house.node.delete_passkey(&cx, second.passkey.id, secret(PASSWORD)).await.expect("the password is a way in");
        house.signed_in("admin").await;
        assert_eq!(house.count("SELECT COUNT(*) FROM recovery_codes").await, 0, "the codes go with the last factor");
    })
    .await;
}

#[tokio::test]
async fn the_policy_says_what_a_passkey_may_do() {
    each_under(mode("second-factor"), None, |house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        assert_eq!(code(house.node.passkey_options(&house.here().await, &rp(), None).await), "SK-4070");
        done(beside(&house, "admin", &mut key).await);
    })
    .await;
    each_under(mode("off"), None, |house| async move {
        let cx = house.admin_cx().await;
        assert_eq!(code(house.node.register_options(&cx, &rp(), Some(secret(PASSWORD))).await), "SK-4070");
        assert_eq!(code(house.node.passkey_options(&house.here().await, &rp(), None).await), "SK-4070");
    })
    .await;
}

#[tokio::test]
async fn the_policy_says_which_authenticators_are_welcome() {
    let listed = "05050505-0505-0505-0505-050505050505";
    let policy = with(&control::AUTHENTICATORS, Value::List(vec![listed.into()]));
    each_under(policy, None, |house| async move {
        let cx = house.admin_cx().await;
        let o = options(&house, &cx).await;
        assert_eq!(o.public_key["attestation"], "direct");
        let mut other = Authenticator::default();
        assert_eq!(code(try_register(&house, &cx, &mut other, &Twist::default()).await), "SK-4072");
        let mut welcome = Authenticator { aaguid: [5; 16], ..Authenticator::default() };
        let made = register(&house, &cx, &mut welcome).await;
        assert_eq!(made.passkey.authenticator, listed);
    })
    .await;
    let policy = with(&control::ATTESTATION, Value::Str("statement".into()));
    each_under(policy, None, |house| async move {
        let cx = house.admin_cx().await;
        let mut silent = Authenticator::default();
        assert_eq!(code(try_register(&house, &cx, &mut silent, &Twist::default()).await), "SK-4072");
        let mut other = Authenticator { statement: Statement::Other("fido-u2f"), ..Authenticator::default() };
        assert_eq!(code(try_register(&house, &cx, &mut other, &Twist::default()).await), "SK-4072");
        let mut own = Authenticator { statement: Statement::Own, ..Authenticator::default() };
        assert_eq!(register(&house, &cx, &mut own).await.passkey.attestation, "own");
        let twist = Twist { spoilt: true, ..Twist::default() };
        assert_eq!(code(try_register(&house, &cx, &mut own, &twist).await), "SK-4071");
    })
    .await;
    let policy = with(&control::ATTESTATION, Value::Str("trusted".into()));
    each_under(policy, None, |house| async move {
        let cx = house.admin_cx().await;
        let mut own = Authenticator { statement: Statement::Own, ..Authenticator::default() };
        assert_eq!(code(try_register(&house, &cx, &mut own, &Twist::default()).await), "SK-4072", "no roots, no trust");
    })
    .await;
}

#[tokio::test]
async fn certificates_lead_to_the_roots_in_the_policys_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let (maker, other) = (Maker::new(), Maker::new());
    let path = dir.path().join("roots.pem");
    std::fs::write(&path, format!("# makers\n{}{}", Maker::new().pem(), maker.pem())).expect("written");
    let policy = with(&control::ATTESTATION, Value::Str("trusted".into()))
        .with(&control::ROOTS, Value::Str(path.display().to_string()));
    let house = crate::house::one_under(policy, None).await;
    let cx = house.admin_cx().await;
    let key = |maker: &Maker| Authenticator {
        aaguid: [5; 16],
        statement: maker.leaf([5; 16], &Slip::default()),
        ..Authenticator::default()
    };
    assert_eq!(register(&house, &cx, &mut key(&maker)).await.passkey.attestation, "trusted");
    let refused = try_register(&house, &cx, &mut key(&other), &Twist::default()).await;
    assert_eq!(code(refused), "SK-4072");
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").expect("written");
    let refused = try_register(&house, &cx, &mut key(&maker), &Twist::default()).await;
    assert_eq!(code(refused), "SK-4072", "a file that cannot be read trusts nobody");
}

#[tokio::test]
async fn a_lost_passkey_falls_back_to_what_the_policy_allows() {
    let policy = with(&control::RECOVERY, Value::Str("administrator".into()));
    each_under(policy, None, |house| async move {
        let admin = house.admin_cx().await;
        let taro = house.person(&admin, "taro", UserType::User, None).await.id;
        let cx = house.cx("taro").await;
        let mut key = Authenticator::default();
        let made = register(&house, &cx, &mut key).await;
        assert!(made.recovery_codes.is_empty());
        // Codes of an authenticator app that is gone do not stand in for the passkey either.
        let codes = house.node.new_recovery_codes(&cx, secret(PASSWORD)).await.expect("codes");
        let c = challenge(house.sign_in_as("taro", PASSWORD).await);
        let ways = house.node.second_factors(&house.here().await, &c).await.expect("ways");
        assert_eq!(ways.names(), ["passkey"]);
        let proof = sekisho_identity::types::FactorProof::Recovery(codes[0].clone());
        assert_eq!(code(house.node.sign_in_factor(&house.here().await, &browser(), &c, proof).await), "SK-4001");
        // An administrator's link: entered, passkeys gone, sessions ended, and a second factor is set up anew.
        let link = house.node.invite_user(&admin, taro).await.expect("a link");
        house.tick();
        house.node.use_link(&house.here().await, &link, secret("another battery horse")).await.expect("used");
        let rows = house.history().await;
        assert!(rows.iter().any(|r| r.event == "user.invite") && rows.iter().any(|r| r.event == "link.use"));
        assert!(rows.iter().any(|r| r.event == "link.use" && told(r).contains("factors_removed=1 ")));
        assert_eq!(code(in_by(&house, &mut key).await), "SK-4001");
        let step = house.sign_in_as("taro", "another battery horse").await.expect("a step");
        let SignInStep::EnrolFactor(c) = step else { panic!("a second factor is to be set up: {step:?}") };
        let o = house.node.enrol_passkey_options(&house.here().await, &rp(), &c).await.expect("options");
        let made = key.create(&o.public_key, ORIGIN);
        done(house.node.enrol_passkey(&house.here().await, &browser(), &rp(), answer(&o, made)).await);
        done(in_by(&house, &mut key).await);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_off_or_gone_is_not_signed_in_to() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let taro = house.person(&admin, "taro", UserType::User, None).await.id;
        let cx = house.cx("taro").await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        house.node.disable_user(&admin, taro).await.expect("disabled");
        assert_eq!(code(in_by(&house, &mut key).await), "SK-4001");
        house.node.enable_user(&admin, taro).await.expect("enabled");
        done(in_by(&house, &mut key).await);
        house.node.delete_user(&admin, taro, None).await.expect("deleted");
        assert_eq!(code(in_by(&house, &mut key).await), "SK-4001");
        assert_eq!(house.count("SELECT COUNT(*) FROM passkey").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_authenticator_app_beside_a_passkey_stays_one() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let (shared, codes) = enrol(&house, &cx).await;
        let cx = house.cx_of_code(&shared).await;
        let mut key = Authenticator::default();
        let made = register(&house, &cx, &mut key).await;
        assert!(made.recovery_codes.is_empty() && codes.len() == 10);
        house.pass(Duration::from_secs(60));
        house.cx_of_code(&shared).await;
        done(beside(&house, "admin", &mut key).await);
        let known = Browser { device: None, ..browser() };
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let proof = sekisho_identity::types::FactorProof::Recovery(codes[0].clone());
        done(house.node.sign_in_factor(&house.here().await, &known, &c, proof).await);
    })
    .await;
}

#[tokio::test]
async fn twenty_passkeys_and_no_more() {
    let house = crate::house::one_under(defaults(), None).await;
    let cx = house.admin_cx().await;
    let mut key = Authenticator::default();
    for _ in 0..20 {
        register(&house, &cx, &mut key).await;
    }
    assert_eq!(code(try_register(&house, &cx, &mut key, &Twist::default()).await), "SK-4027");
    let o = options(&house, &cx).await;
    assert_eq!(o.public_key["excludeCredentials"].as_array().map(Vec::len), Some(20));
}

/// A proof of who is there, by the passkey.
async fn prove(house: &House, cx: &Cx, key: &mut Authenticator, twist: &Twist) -> Result<Secret<String>, Problem> {
    let o = house.node.confirm_options(cx, &rp()).await.expect("options");
    let used = key.get_with(&o.public_key, ORIGIN, twist);
    house.tick();
    house.node.confirm_by_passkey(cx, &rp(), answer(&o, used)).await
}

#[tokio::test]
async fn a_passkey_proves_again_who_is_there() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        let plain = Twist::default();
        let proof = prove(&house, &cx, &mut key, &plain).await.expect("a proof");
        let token = done(in_by(&house, &mut key).await).token;
        let elsewhere = house.passage(&token).await.expect("a passage").cx.clone();
        assert_eq!(code(house.node.reauthenticate(&elsewhere, proof.clone()).await), "SK-4074", "another session");
        house.node.reauthenticate(&cx, proof.clone()).await.expect("once");
        assert_eq!(code(house.node.reauthenticate(&cx, proof.clone()).await), "SK-4074", "and not again");
        let late = prove(&house, &cx, &mut key, &plain).await.expect("a proof");
        house.pass(Duration::from_secs(301));
        assert_eq!(code(house.node.reauthenticate(&cx, late).await), "SK-4074");
        // It is no password where the password itself is wanted, and what only begins like one may be a password.
        let proof = prove(&house, &cx, &mut key, &plain).await.expect("a proof");
        let changed = house.node.change_password(&cx, proof, secret("another battery horse")).await;
        assert_eq!(code(changed), "SK-4004");
        assert_eq!(code(house.node.reauthenticate(&cx, secret("skc_AAAA")).await), "SK-4004");
        // Wrong ones share the counter with passwords.
        let spoilt = Twist { spoilt: true, ..Twist::default() };
        assert_eq!(code(prove(&house, &cx, &mut key, &spoilt).await), "SK-4076");
        assert_eq!(code(house.node.reauthenticate(&cx, secret(PASSWORD)).await), "SK-4004", "locked");
        assert_eq!(code(prove(&house, &cx, &mut key, &plain).await), "SK-4076", "locked");
    })
    .await;
}

#[tokio::test]
async fn the_last_passkey_of_an_account_without_a_password_stays() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let (mut one, mut two) = (Authenticator::default(), Authenticator::default());
        let first = register(&house, &cx, &mut one).await.passkey.id;
        let all = house.test.store.within(sekisho_store::Reach::Platform);
        assert_eq!(all.write(|db| db.exec("DELETE FROM credential", &[])).await, Ok::<_, sekisho_store::StoreError>(1));
        done(in_by(&house, &mut one).await);
        let plain = Twist::default();
        let proof = prove(&house, &cx, &mut one, &plain).await.expect("a proof");
        assert_eq!(code(house.node.delete_passkey(&cx, first, proof).await), "SK-4055");
        let proof = prove(&house, &cx, &mut one, &plain).await.expect("a proof");
        let o = house.node.register_options(&cx, &rp(), Some(proof)).await.expect("options");
        let made = two.create(&o.public_key, ORIGIN);
        house.node.create_passkey(&cx, &rp(), answer(&o, made)).await.expect("registered");
        let proof = prove(&house, &cx, &mut two, &plain).await.expect("a proof");
        house.node.delete_passkey(&cx, first, proof).await.expect("removed");
        assert_eq!(code(in_by(&house, &mut one).await), "SK-4001");
        done(in_by(&house, &mut two).await);
    })
    .await;
}

#[tokio::test]
async fn beside_a_provider_a_passkey_is_asked_for_and_is_a_way_in() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = federation::provider(&house, &admin, federation::makes_people()).await;
        let hanako = federation::comes_in(&house, &p, "hanako").await.user.id;
        let link = house.node.invite_user(&admin, hanako).await.expect("a link");
        house.node.use_link(&house.here().await, &link, secret(PASSWORD)).await.expect("used");
        let cx = house.cx("hanako").await;
        let mut key = Authenticator::default();
        let passkey = register(&house, &cx, &mut key).await.passkey.id;
        let round = async || federation::round(&house, &p, "hanako", serde_json::json!({})).await;
        let c = challenge(round().await);
        let options = house.node.passkey_options(&house.here().await, &rp(), Some(&c)).await.expect("options");
        let used = key.get(&options.public_key, ORIGIN);
        house.tick();
        done(house.node.sign_in_passkey(&house.here().await, &browser(), &rp(), answer(&options, used)).await);
        // Of a passkey and a link, without a password, one stays.
        let all = house.test.store.within(sekisho_store::Reach::Platform);
        let gone = all
            .write(move |db| db.exec("DELETE FROM credential WHERE id = $1", &sekisho_store::params![&hanako.bytes()]));
        assert_eq!(gone.await, Ok::<_, sekisho_store::StoreError>(1));
        let token = done(in_by(&house, &mut key).await).token;
        let cx = house.passage(&token).await.expect("a passage").cx.clone();
        let linked = house.node.own_identities(&cx).await.expect("links")[0].id;
        house.node.delete_own_identity(&cx, linked).await.expect("the passkey is left");
        let proof = prove(&house, &cx, &mut key, &Twist::default()).await.expect("a proof");
        assert_eq!(code(house.node.delete_passkey(&cx, passkey, proof).await), "SK-4055");
    })
    .await;
}

/// Nothing of a ceremony can be read by whoever carries it.
#[tokio::test]
async fn a_ceremony_is_sealed() {
    let house = crate::house::one_under(defaults(), None).await;
    let o = house.node.passkey_options(&house.here().await, &rp(), None).await.expect("options");
    let challenge = o.public_key["challenge"].as_str().expect("one").to_owned();
    let sealed: Secret<String> = o.ceremony;
    assert!(!sealed.reveal().contains(&challenge));
    assert_eq!(challenge.len(), 43);
}
