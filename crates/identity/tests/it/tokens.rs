//! API tokens: a person's own, and service accounts'.

use std::{sync::Arc, time::Duration};

use sekisho_controls::tokens;
use sekisho_identity::{
    Identity,
    types::{NewGrant, NewOwnToken, NewRole, NewToken, NewUser, TokenIssued, TokenQuery},
};
use sekisho_kernel::{
    Actor, Cx, Problem, Right, Secret,
    access::UserType,
    actor::Via,
    hook::{Knock, Passage, Sessions},
    id::UserId,
    policy::Value,
};

use crate::house::{House, PASSWORD, code, defaults, each, knock, new_user, one_under, secret, with};

const DAY: Duration = Duration::from_secs(86_400);

fn wanted(name: &str, rights: &[&str], days: u32) -> NewToken {
    let rights = rights.iter().map(|r| (*r).to_owned()).collect();
    NewToken { name: name.into(), rights, networks: Vec::new(), days }
}

async fn own(house: &House, cx: &Cx, token: NewToken) -> Result<TokenIssued, Problem> {
    house.tick();
    house.node.create_own_token(cx, NewOwnToken { token, password: secret(PASSWORD) }).await
}

async fn used(node: &Identity, knock: &Knock, token: &Secret<String>) -> Result<Arc<Passage>, Problem> {
    node.resolve(knock, token).await
}

fn may(passage: &Passage, right: Right) -> bool {
    let Actor::User { rights, .. } = &passage.cx.actor else { return false };
    rights.grants.iter().any(|g| g.rights.has(right))
}

/// A service account with the right to read users, and a token of it.
async fn service(house: &House, cx: &Cx) -> (UserId, TokenIssued) {
    house.tick();
    let new = NewUser { service: true, ..new_user("robot", UserType::User, None, None) };
    let made = house.node.create_user(cx, new).await.expect("a service account");
    assert!(made.link.is_none() && made.user.service, "there is nobody to invite");
    let rights = vec!["users.read".to_owned()];
    let role = house.node.create_role(cx, NewRole { name: "reader".into(), rights }).await.expect("a role").id;
    house.node.create_grant(cx, NewGrant { user: made.user.id, role, site: None }).await.expect("granted");
    let token = wanted("nightly", &["users.read", "sites.read"], 365);
    (made.user.id, house.node.create_token(cx, made.user.id, token).await.expect("a token"))
}

#[tokio::test]
async fn a_token_does_what_its_owner_may_within_its_scope_on_the_api_alone() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = own(&house, &admin, wanted("laptop", &["users.read"], 30)).await.expect("a token");
        assert!(made.text.reveal().starts_with("skt_") && made.text.reveal().len() == 47);
        let api = house.here().await;
        for node in [&house.node, &other] {
            let passage = used(node, &api, &made.text).await.expect("it works");
            assert_eq!(passage.user, house.admin);
            assert!(may(&passage, Right::USERS_READ) && !may(&passage, Right::USERS_WRITE));
            let refused = node.create_user(&passage.cx, new_user("x", UserType::User, None, None)).await;
            assert_eq!(code(refused.map(|_| ())), "SK-0004");
            node.users(&passage.cx, Default::default()).await.expect("in scope");
        }
        let pages = Knock { via: Via::Console, ..api.clone() };
        assert_eq!(code(used(&house.node, &pages, &made.text).await), "SK-0007");
        let door = Knock { via: Via::Door, ..house.app_knock().await };
        assert_eq!(code(used(&house.node, &door, &made.text).await), "SK-0007");
        assert_eq!(code(used(&house.node, &house.app_knock().await, &made.text).await), "SK-0007");
        house.tenant("globex").await;
        assert_eq!(code(used(&house.node, &house.knock_at("globex").await, &made.text).await), "SK-0007");
        for wrong in ["skt_", "skt_AAAA", &format!("skt_{}", "A".repeat(43)), &made.text.reveal()[4..]] {
            assert_eq!(code(used(&house.node, &api, &secret(wrong)).await), "SK-0007", "{wrong}");
        }
        house.node.end_own_token(&admin, made.token.id).await.expect("ended");
        for node in [&house.node, &other] {
            assert_eq!(code(used(node, &api, &made.text).await), "SK-0007", "at once, everywhere");
        }
        assert_eq!(house.count("SELECT COUNT(*) FROM pointer WHERE kind = 'token'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn one_of_ones_own_needs_the_password_and_gives_nothing_that_one_has_not() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    house.person(&admin, "hanako", UserType::User, None).await;
    let cx = house.cx("hanako").await;
    let wrong = NewOwnToken { token: wanted("t", &[], 1), password: secret("wrong") };
    assert_eq!(code(house.node.create_own_token(&cx, wrong).await), "SK-4004");
    for (token, wanted) in [
        (wanted("t", &["users.read"], 1), "SK-4013"),
        (wanted("t", &["users.fly"], 1), "SK-4024"),
        (wanted("t", &[], 0), "SK-0005"),
        (wanted("t", &[], 366), "SK-0005"),
        (wanted("", &[], 1), "SK-0005"),
        (NewToken { networks: vec!["nowhere".into()], ..wanted("t", &[], 1) }, "SK-4018"),
    ] {
        assert_eq!(code(own(&house, &cx, token).await), wanted);
    }
    let made = own(&house, &cx, wanted("t", &["application.use"], 365)).await.expect("a year is the longest");
    let passage = used(&house.node, &house.here().await, &made.text).await.expect("it works");
    assert_eq!(passage.user, cx.actor.user().expect("hanako"));
    let others = house.admin_cx().await;
    assert_eq!(code(house.node.end_own_token(&others, made.token.id).await), "SK-0003");
    let closed = one_under(with(&tokens::PERSONAL, Value::Str("off".into())), None).await;
    let cx = closed.admin_cx().await;
    assert_eq!(code(own(&closed, &cx, wanted("t", &[], 1)).await), "SK-4031");
}

#[tokio::test]
async fn it_is_used_from_its_networks_alone() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let networks = vec!["198.51.100.0/24".to_owned(), "2001:db8::7".to_owned()];
    let made = own(&house, &admin, NewToken { networks, ..wanted("t", &[], 1) }).await.expect("a token");
    for (peer, good) in [
        ("198.51.100.9", true),
        ("::ffff:198.51.100.9", true),
        ("2001:db8::7", true),
        ("198.51.101.9", false),
        ("2001:db8::8", false),
        ("192.0.2.7", false),
        ("198.51.100.9", true),
    ] {
        let from = knock(&house.node, "acme.console.localhost", peer).await;
        assert_eq!(used(&house.node, &from, &made.text).await.is_ok(), good, "{peer}");
    }
}

#[tokio::test]
async fn ninety_days_without_use_end_it_and_use_keeps_it_until_it_runs_out() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let (_, busy) = service(&house, &admin).await;
        let idle = own(&house, &admin, wanted("idle", &[], 365)).await.expect("a token");
        let short = own(&house, &admin, wanted("short", &[], 10)).await.expect("a token");
        let other = house.second().await;
        let api = house.here().await;
        house.pass(10 * DAY);
        assert_eq!(code(used(&house.node, &api, &short.text).await), "SK-0007", "run out");
        for _ in 0..8 {
            house.pass(10 * DAY - Duration::from_secs(1));
            used(&other, &api, &busy.text).await.expect("in use");
        }
        house.pass(Duration::from_secs(10));
        assert_eq!(code(used(&other, &api, &idle.text).await), "SK-0007", "ninety days unused");
        used(&house.node, &api, &busy.text).await.expect("the use at another node counts");
        let swept = house.node.sweep().await.expect("swept");
        assert!(swept.others >= 2);
        assert_eq!(house.count("SELECT COUNT(*) FROM api_token").await, 1);
        let ended: Vec<_> = house.history().await.into_iter().filter(|r| r.event == "token.expire").collect();
        assert_eq!(ended.len(), 2);
        for _ in 0..40 {
            house.pass(8 * DAY);
            if used(&house.node, &api, &busy.text).await.is_err() {
                break;
            }
        }
        assert_eq!(code(used(&house.node, &api, &busy.text).await), "SK-0007", "a year is a year, however busy");
    })
    .await;
}

#[tokio::test]
async fn what_ends_the_account_or_narrows_its_rights_reaches_its_tokens_at_once() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let (robot, made) = service(&house, &admin).await;
        let api = house.here().await;
        let passage = used(&other, &api, &made.text).await.expect("it works");
        assert!(may(&passage, Right::USERS_READ), "granted by the role");
        assert!(!may(&passage, Right::SITES_READ), "in the scope, and not granted");
        let grants = house.node.grants(&admin, Default::default()).await.expect("grants").items;
        house.node.delete_grant(&admin, grants[0].id).await.expect("taken back");
        assert!(!may(&used(&other, &api, &made.text).await.expect("still a token"), Right::USERS_READ));
        house.node.disable_user(&admin, robot).await.expect("disabled");
        assert_eq!(code(used(&other, &api, &made.text).await), "SK-0007");
        let back = house.node.enable_user(&admin, robot).await.expect("enabled");
        assert_eq!(back.state, sekisho_identity::types::UserState::Active, "it never had a password");
        assert_eq!(code(used(&other, &api, &made.text).await), "SK-0007", "what has ended stays ended");
        let again = house.node.create_token(&admin, robot, wanted("again", &[], 1)).await.expect("a new one");
        used(&other, &api, &again.text).await.expect("it works");
        let listed = house.node.tokens(&admin, TokenQuery { user: Some(robot), ..Default::default() }).await;
        assert_eq!(listed.expect("a list").items.len(), 1);
        house.node.end_token(&admin, again.token.id).await.expect("ended");
        assert_eq!(code(used(&other, &api, &again.text).await), "SK-0007");
        house.node.create_token(&admin, robot, wanted("last", &[], 1)).await.expect("a new one");
        house.node.delete_user(&admin, robot, None).await.expect("deleted");
        assert_eq!(house.count("SELECT COUNT(*) FROM api_token").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_service_account_is_nobody_and_only_it_has_tokens_that_others_issue() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let (robot, _) = service(&house, &admin).await;
    let hanako = house.person(&admin, "hanako", UserType::User, None).await.id;
    assert_eq!(code(house.node.create_token(&admin, hanako, wanted("t", &[], 1)).await), "SK-4032");
    assert_eq!(code(house.node.invite_user(&admin, robot).await), "SK-4033");
    let kind = sekisho_identity::types::UserPatch { kind: Some(UserType::Administrator), ..Default::default() };
    let version = house.node.user(&admin, robot).await.expect("read").version;
    assert_eq!(code(house.node.update_user(&admin, robot, version, kind).await), "SK-4033");
    for new in [
        NewUser { service: true, ..new_user("boss", UserType::Administrator, None, None) },
        NewUser { service: true, ..new_user("boss", UserType::User, None, Some(PASSWORD)) },
    ] {
        assert_eq!(code(house.node.create_user(&admin, new).await.map(|_| ())), "SK-4033");
    }
    assert_eq!(code(house.sign_in_as("robot", PASSWORD).await), "SK-4001");
    // Somebody who may issue tokens hands on no more than they have.
    let rights = vec!["tokens.read".to_owned(), "tokens.write".to_owned()];
    let role = house.node.create_role(&admin, NewRole { name: "issuer".into(), rights }).await.expect("a role").id;
    house.node.create_grant(&admin, NewGrant { user: hanako, role, site: None }).await.expect("granted");
    let cx = house.cx("hanako").await;
    assert_eq!(code(house.node.create_token(&cx, robot, wanted("t", &[], 1)).await), "SK-4014", "it may read users");
    let grants = house.node.grants(&admin, Default::default()).await.expect("grants").items;
    let of_robot = grants.iter().find(|g| g.user == robot).expect("granted");
    house.node.delete_grant(&admin, of_robot.id).await.expect("taken back");
    assert_eq!(code(house.node.create_token(&cx, robot, wanted("t", &["users.read"], 1)).await), "SK-4013");
    house.node.create_token(&cx, robot, wanted("t", &["tokens.read"], 1)).await.expect("one's own right");
}
