//! Sign-in by unique ID and signature.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_controls::{second_factor, unique_id};
use sekisho_identity::{
    Identity, signed_text,
    types::{
        ClientIssued, ClientPatch, FactorProof, NewClient, NewGrant, NewRole, NewUniqueId, SignInStep, SignedSignIn,
        UserState,
    },
};
use sekisho_kernel::{
    Cx, Problem, TakenOut,
    access::UserType,
    id::{SigningClientId, UserId},
    policy::Value,
};

use crate::house::{House, browser, code, defaults, done, each, each_under, new_user, one_under, secret, with};

const HOST: &str = "acme.console.localhost";

async fn client(house: &House, cx: &Cx, name: &str) -> ClientIssued {
    house.tick();
    house.node.create_client(cx, NewClient { name: name.into(), note: String::new() }).await.expect("a client")
}

async fn link(house: &House, cx: &Cx, client: SigningClientId, user: UserId, unique_id: &str) {
    house.tick();
    let new = NewUniqueId { client, user, unique_id: unique_id.into() };
    house.node.create_unique_id(cx, new).await.expect("a unique ID");
}

fn signed(by: &ClientIssued, unique_id: &str, timestamp: i64, nonce: &str) -> SignedSignIn {
    let text = signed_text(HOST, by.client.id, unique_id, timestamp, nonce);
    let key = hmac::Key::new(hmac::HMAC_SHA256, by.secret.reveal().as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
    SignedSignIn {
        client: by.client.id,
        unique_id: unique_id.into(),
        timestamp,
        nonce: nonce.into(),
        signature: secret(&signature),
    }
}

async fn enter(house: &House, node: &Identity, given: SignedSignIn) -> Result<SignInStep, Problem> {
    house.tick();
    node.sign_in_signed(&house.here().await, &browser(), given).await
}

/// A client `desk` that knows `hanako`, who has no password.
async fn set_up(house: &House) -> (Cx, ClientIssued, UserId) {
    let admin = house.admin_cx().await;
    house.tick();
    let user = house.node.create_user(&admin, new_user("hanako", UserType::User, None, None)).await.expect("a user");
    let desk = client(house, &admin, "desk").await;
    link(house, &admin, desk.client.id, user.user.id, "EMP-1").await;
    (admin, desk, user.user.id)
}

#[tokio::test]
async fn a_signature_signs_in_once_on_whatever_node() {
    each(|house| async move {
        let other = house.second().await;
        let (admin, desk, user) = set_up(&house).await;
        assert_eq!(house.node.user(&admin, user).await.expect("a user").state, UserState::Active, "a way to sign in");
        let now = house.now().secs();
        let given = signed(&desk, "EMP-1", now, "nonce-0000000001");
        let token = done(enter(&house, &house.node, given.clone()).await).token;
        assert_eq!(house.passage(&token).await.expect("signed in").user, user);
        for node in [&house.node, &other] {
            assert_eq!(code(enter(&house, node, given.clone()).await), "SK-4030");
        }
        let again = signed(&desk, "EMP-1", now + 1, "nonce-0000000001");
        assert_eq!(code(enter(&house, &other, again).await), "SK-4030", "the nonce alone is spent too");
        house.pass(Duration::from_secs(59));
        house.vault.sweep().await.expect("swept");
        assert_eq!(code(enter(&house, &other, given).await), "SK-4030", "until its time is over");
        let rows = house.history().await;
        let ins: Vec<_> =
            rows.iter().filter(|r| r.event == "session.sign_in" && r.object == user.to_string()).collect();
        assert_eq!(ins.iter().filter(|r| r.outcome.name() == "success").count(), 1);
        assert!(ins.iter().filter(|r| r.outcome.name() == "refused").count() >= 3, "each replay is entered");
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_is_let_in() {
    each(|house| async move {
        let other = house.second().await;
        let (_, desk, _) = set_up(&house).await;
        let given = signed(&desk, "EMP-1", house.now().secs(), "nonce-0000000002");
        let knock = house.here().await;
        let tries = (0..8).map(|n| {
            let (node, knock, given) =
                (if n % 2 == 0 { house.node.clone() } else { other.clone() }, knock.clone(), given.clone());
            tokio::spawn(async move { node.sign_in_signed(&knock, &browser(), given).await })
        });
        let mut inside = 0;
        for tried in tries.collect::<Vec<_>>() {
            match tried.await.expect("joined") {
                Ok(SignInStep::SignedIn(_)) => inside += 1,
                Ok(other) => panic!("{other:?}"),
                Err(problem) => assert_eq!(problem.kind.code, "SK-4030"),
            }
        }
        assert_eq!(inside, 1);
    })
    .await;
}

#[tokio::test]
async fn its_time_is_a_minute_either_way_to_the_second() {
    let house = one_under(defaults(), None).await;
    let (_, desk, _) = set_up(&house).await;
    let mut n = 0;
    for (off, good) in
        [(0, true), (-59, true), (59, true), (-61, false), (62, false), (-86_400, false), (86_400, false)]
    {
        n += 1;
        let given = signed(&desk, "EMP-1", house.now().secs() + off, &format!("nonce-of-time-{n:04}"));
        let got = enter(&house, &house.node, given).await;
        assert_eq!(got.is_ok(), good, "{off} {got:?}");
    }
    for timestamp in [i64::MIN, -1, 0, i64::MAX] {
        n += 1;
        let given = signed(&desk, "EMP-1", timestamp, &format!("nonce-of-time-{n:04}"));
        assert_eq!(code(enter(&house, &house.node, given).await), "SK-4030", "{timestamp}");
    }
}

#[tokio::test]
async fn nothing_else_signs_in() {
    let house = one_under(defaults(), None).await;
    let (admin, desk, hanako) = set_up(&house).await;
    let other = client(&house, &admin, "other").await;
    let taro = house.person(&admin, "taro", UserType::User, None).await.id;
    link(&house, &admin, other.client.id, taro, "EMP-1").await;
    let now = house.now().secs();
    let n = std::cell::Cell::new(0);
    let nonce = || {
        n.set(n.get() + 1);
        format!("nonce-of-others-{}", n.get())
    };
    let right = || signed(&desk, "EMP-1", now, &nonce());
    let posing = ClientIssued { secret: other.secret.clone(), client: desk.client.clone() };
    for (what, given) in [
        ("another client's key", signed(&posing, "EMP-1", now, &nonce())),
        ("another client's name", SignedSignIn { client: other.client.id, ..right() }),
        ("an unknown client", SignedSignIn { client: SigningClientId::from_bytes([7; 16]), ..right() }),
        ("another person", SignedSignIn { unique_id: "EMP-2".into(), ..right() }),
        ("another case", signed(&desk, "emp-1", now, &nonce())),
        ("nobody", signed(&desk, "EMP-3", now, &nonce())),
        ("a longer text", SignedSignIn { unique_id: "EMP-1\n".into(), ..right() }),
        ("another time", SignedSignIn { timestamp: now + 1, ..right() }),
        ("another nonce", SignedSignIn { nonce: nonce(), ..right() }),
        ("a short nonce", signed(&desk, "EMP-1", now, "short")),
        ("a nonce with a line", signed(&desk, "EMP-1", now, "nonce-0000000000\n1")),
        ("no signature", SignedSignIn { signature: secret(""), ..right() }),
        ("padding", SignedSignIn { signature: secret(&format!("{}=", right().signature.reveal())), ..right() }),
    ] {
        assert_eq!(code(enter(&house, &house.node, given).await), "SK-4030", "{what}");
    }
    let token = done(enter(&house, &house.node, right()).await).token;
    assert_eq!(house.passage(&token).await.expect("in").user, hanako);
    let token = done(enter(&house, &house.node, signed(&other, "EMP-1", now, &nonce())).await).token;
    assert_eq!(house.passage(&token).await.expect("in").user, taro, "each client has its own people");

    let old = desk.clone();
    let renewed = house.node.renew_client(&admin, desk.client.id).await.expect("a new key");
    assert_eq!(code(enter(&house, &house.node, signed(&old, "EMP-1", now, &nonce())).await), "SK-4030");
    done(enter(&house, &house.node, signed(&renewed, "EMP-1", now, &nonce())).await);
    let stop = ClientPatch { disabled: Some(true), ..ClientPatch::default() };
    house.node.update_client(&admin, desk.client.id, renewed.client.version, stop).await.expect("stopped");
    assert_eq!(code(enter(&house, &house.node, signed(&renewed, "EMP-1", now, &nonce())).await), "SK-4030");

    house.node.disable_user(&admin, taro).await.expect("disabled");
    assert_eq!(code(enter(&house, &house.node, signed(&other, "EMP-1", now, &nonce())).await), "SK-4030");
    house.node.delete_user(&admin, taro, None).await.expect("deleted");
    assert_eq!(house.count("SELECT COUNT(*) FROM unique_id").await, 1, "it goes with the person");
    house.node.delete_client(&admin, desk.client.id, None).await.expect("deleted");
    assert_eq!(house.count("SELECT COUNT(*) FROM unique_id").await, 0, "and with the client");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_all_the_same() {
    let house = one_under(with(&second_factor::MODE, Value::Str("required".into())), None).await;
    let knock = house.here().await;
    // The administrator must enrol as well, and does.
    let SignInStep::EnrolFactor(challenge) = house.sign_in_as("admin", crate::house::PASSWORD).await.expect("a step")
    else {
        panic!("enrolment is required");
    };
    let admin = enrolled(&house, &challenge).await;
    let cx = house.passage(&admin).await.expect("in").cx.clone();
    let user =
        house.node.create_user(&cx, new_user("hanako", UserType::User, None, None)).await.expect("a user").user.id;
    let desk = client(&house, &cx, "desk").await;
    link(&house, &cx, desk.client.id, user, "EMP-1").await;
    let given = signed(&desk, "EMP-1", house.now().secs(), "nonce-of-factors-1");
    let SignInStep::EnrolFactor(challenge) = enter(&house, &house.node, given).await.expect("a step") else {
        panic!("enrolment is required");
    };
    let shared = house.node.sign_in_enrol(&knock, &challenge).await.expect("a secret").secret;
    let digits = |house: &House| sekisho_identity::totp::code(&shared, house.now()).expect("a code");
    let confirm = house.node.sign_in_enrol_confirm(&knock, &browser(), &challenge, secret(&digits(&house))).await;
    assert_eq!(house.passage(&done(confirm).token).await.expect("in").user, user);

    house.pass(Duration::from_secs(60));
    let given = signed(&desk, "EMP-1", house.now().secs(), "nonce-of-factors-2");
    let SignInStep::SecondFactor(challenge) = enter(&house, &house.node, given).await.expect("a step") else {
        panic!("a code is asked for");
    };
    let wrong = FactorProof::Code(secret("000000"));
    assert_eq!(code(house.node.sign_in_factor(&knock, &browser(), &challenge, wrong).await), "SK-4001");
    let right = FactorProof::Code(secret(&digits(&house)));
    let entered = done(house.node.sign_in_factor(&knock, &browser(), &challenge, right).await);
    assert_eq!(house.passage(&entered.token).await.expect("in").user, user);
}

async fn enrolled(house: &House, challenge: &sekisho_kernel::Secret<String>) -> sekisho_kernel::Secret<String> {
    let knock = house.here().await;
    let shared = house.node.sign_in_enrol(&knock, challenge).await.expect("a secret").secret;
    let digits = sekisho_identity::totp::code(&shared, house.now()).expect("a code");
    done(house.node.sign_in_enrol_confirm(&knock, &browser(), challenge, secret(&digits)).await).token
}

#[tokio::test]
async fn a_key_gives_nobody_more_rights_than_they_have() {
    let house = one_under(defaults(), None).await;
    let (admin, desk, _) = set_up(&house).await;
    let clerk = house.person(&admin, "clerk", UserType::User, None).await.id;
    let rights = vec!["clients.read".to_owned(), "clients.write".to_owned()];
    let role = house.node.create_role(&admin, NewRole { name: "clients".into(), rights }).await.expect("a role").id;
    house.node.create_grant(&admin, NewGrant { user: clerk, role, site: None }).await.expect("granted");
    let cx = house.cx("clerk").await;
    let link_admin = NewUniqueId { client: desk.client.id, user: house.admin, unique_id: "ROOT".into() };
    assert_eq!(code(house.node.create_unique_id(&cx, link_admin.clone()).await), "SK-4014");
    house.node.renew_client(&cx, desk.client.id).await.expect("its people have no more rights than the clerk");
    house.node.create_unique_id(&admin, link_admin).await.expect("an administrator may");
    assert_eq!(
        code(house.node.renew_client(&cx, desk.client.id).await),
        "SK-4014",
        "now it would be the administrator's key"
    );
    let version = house.node.client(&cx, desk.client.id).await.expect("read").version;
    let set = |disabled| ClientPatch { disabled: Some(disabled), ..ClientPatch::default() };
    let stopped = house.node.update_client(&cx, desk.client.id, version, set(true)).await.expect("stopping is safe");
    let back = house.node.update_client(&cx, desk.client.id, stopped.version, set(false)).await;
    assert_eq!(code(back), "SK-4014");
    let nobody = house.person(&admin, "nobody", UserType::User, None).await;
    let cx = house.cx(&nobody.name).await;
    assert_eq!(code(house.node.clients(&cx, Default::default()).await.map(|_| ())), "SK-0004");
}

#[tokio::test]
async fn the_way_can_be_closed_and_without_its_memory_a_signature_comes_back() {
    let house = one_under(with(&unique_id::MODE, Value::Str("off".into())), None).await;
    let (_, desk, _) = set_up(&house).await;
    let given = signed(&desk, "EMP-1", house.now().secs(), "nonce-0000000003");
    assert_eq!(code(enter(&house, &house.node, given).await), "SK-4030");
    each_under(defaults(), Some(TakenOut::SignatureOnce), |house| async move {
        let (_, desk, _) = set_up(&house).await;
        let given = signed(&desk, "EMP-1", house.now().secs(), "nonce-0000000004");
        for _ in 0..2 {
            done(enter(&house, &house.node, given.clone()).await);
        }
    })
    .await;
}

/// The guide's example is what the code computes.
#[test]
fn the_guide_tells_the_truth() {
    let guide = include_str!("../../../../docs/guides/sign-in-by-signature.md");
    let lines = guide.split("```\n").nth(1).expect("an example").trim_end();
    let fields: Vec<&str> = lines.lines().collect();
    let [scheme, host, client, unique_id, timestamp, nonce] = fields[..] else { panic!("six lines: {lines}") };
    assert_eq!(scheme, sekisho_identity::SIGNATURE_SCHEME);
    let client = client.parse().expect("an id");
    assert_eq!(signed_text(host, client, unique_id, timestamp.parse().expect("a number"), nonce), lines);
    let quoted = |after: &str| guide.split(after).nth(1).and_then(|r| r.split('`').nth(1)).expect("a value").to_owned();
    let key = hmac::Key::new(hmac::HMAC_SHA256, quoted("With the key").as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(hmac::sign(&key, lines.as_bytes())), quoted("without padding, is"));
}
