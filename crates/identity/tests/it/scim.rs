//! SCIM: people and groups that an identity provider keeps, and what follows when somebody leaves.

use std::sync::Arc;

use sekisho_controls::provisioning;
use sekisho_identity::types::{
    After, GrantQuery, GroupMap, NewConnection, NewGrant, NewRole, NewUser, ScimPrecondition, ScimQuery, ScimResource,
    UserPatch, UserState,
};
use sekisho_kernel::{
    Actor, Cx, Problem, Right, Secret, TakenOut,
    access::UserType,
    actor::Via,
    hook::{Knock, Passage, Sessions},
    id::{ScimGroupId, UserId},
    policy,
};
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, code, defaults, each, each_under, new_user, one_under, secret, with};

pub const BASE: &str = "https://acme.console.localhost/scim/v2";
const ANY: ScimPrecondition = ScimPrecondition { matches: None };

/// A connected identity provider's context.
pub async fn provider(house: &House, admin: &Cx) -> Cx {
    house.tick();
    let new = NewConnection { name: "Entra ID".into(), networks: Vec::new(), days: 30, subject_provider: None };
    let token = house.node.create_connection(admin, new).await.expect("connected").text;
    knocks(house, &token).await.expect("admitted").cx.clone()
}

async fn knocks(house: &House, token: &Secret<String>) -> Result<Arc<Passage>, Problem> {
    let knock = Knock { via: Via::Scim, ..house.here().await };
    house.node.resolve(&knock, token).await
}

fn named(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": format!("ext-{name}"),
        "name": {"familyName": "山田", "givenName": "太郎"}, "active": true, "title": "Manager",
        "emails": [{"value": format!("{name}@example.jp"), "type": "work", "primary": true}],
    })
}

async fn made(house: &House, idp: &Cx, name: &str) -> (UserId, ScimResource) {
    house.tick();
    let made = house.node.scim_create_user(idp, BASE, &named(name)).await.expect("made");
    (made.id.parse().expect("an id"), made)
}

async fn patch(house: &House, idp: &Cx, id: UserId, path: &str, value: Value) -> Result<ScimResource, Problem> {
    house.tick();
    let body = json!({"Operations": [{"op": "Replace", "path": path, "value": value}]});
    house.node.scim_patch_user(idp, BASE, id, &ANY, &body).await
}

/// The person sets a password by an invitation and signs in.
async fn enters(house: &House, admin: &Cx, id: UserId, name: &str) -> Secret<String> {
    house.tick();
    let link = house.node.invite_user(admin, id).await.expect("a link");
    house.node.use_link(&house.here().await, &link, secret(PASSWORD)).await.expect("used");
    house.signed_in(name).await.token
}

pub async fn found(house: &House, idp: &Cx, filter: &str) -> Result<Vec<String>, Problem> {
    let query = ScimQuery { filter: Some(filter.into()), ..ScimQuery::default() };
    let list = house.node.scim_users(idp, BASE, query).await?;
    assert_eq!(usize::try_from(list.total).unwrap(), list.resources.len());
    Ok(list.resources.iter().map(|r| r["userName"].as_str().expect("a name").to_owned()).collect())
}

#[tokio::test]
async fn a_person_is_made_read_changed_and_deleted() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let idp = provider(&house, &admin).await;
        let (id, first) = made(&house, &idp, "taro").await;
        assert_eq!(first.body.get("displayName"), None, "none was given");
        assert_eq!(first.body["meta"]["location"], format!("{BASE}/Users/{id}"));
        assert_eq!((&first.body["externalId"], &first.body["title"]), (&json!("ext-taro"), &json!("Manager")));
        let account = house.node.user(&admin, id).await.expect("an account");
        assert_eq!((account.display_name.as_str(), account.mail.as_deref()), ("山田 太郎", Some("taro@example.jp")));
        assert_eq!((account.state, account.kind), (UserState::Invited, UserType::User));
        assert_eq!(code(house.node.scim_create_user(&idp, BASE, &named("TARO")).await), "SK-4019");

        let now = patch(&house, &idp, id, "title", json!("Boss")).await.expect("changed");
        assert_ne!(now.etag, first.etag);
        let stale = ScimPrecondition { matches: Some(first.etag.clone()) };
        let put = house.node.scim_replace_user(&idp, BASE, id, &stale, &named("taro")).await;
        assert_eq!(code(put), "SK-4097");
        let fresh = ScimPrecondition { matches: Some(now.etag) };
        let put = json!({"userName": "taro", "displayName": "Taro", "emails": [{"value": "t2@example.jp"}]});
        let put = house.node.scim_replace_user(&idp, BASE, id, &fresh, &put).await.expect("replaced");
        assert_eq!(
            (put.body.get("title"), put.body.get("externalId"), &put.body["active"]),
            (None, None, &json!(true))
        );
        let account = house.node.user(&admin, id).await.expect("an account");
        assert_eq!((account.display_name.as_str(), account.mail.as_deref()), ("Taro", Some("t2@example.jp")));

        // What an administrator changes in the console is what SCIM shows.
        let edit = UserPatch { display_name: Some("太郎".into()), mail: Some(None), ..UserPatch::default() };
        house.node.update_user(&admin, id, account.version, edit).await.expect("edited");
        let seen = house.node.scim_user(&idp, BASE, id).await.expect("read").body;
        assert_eq!((&seen["displayName"], seen.get("emails")), (&json!("太郎"), None));

        house.node.scim_delete_user(&idp, id, &ANY).await.expect("deleted");
        assert_eq!(code(house.node.scim_user(&idp, BASE, id).await), "SK-0003");
        assert_eq!(code(house.node.scim_delete_user(&idp, id, &ANY).await), "SK-0003");
        assert_eq!(house.count("SELECT COUNT(*) FROM scim_profile").await, 0);
        let entries = house.history().await;
        let by_scim = entries.iter().filter(|r| r.via == "scim");
        let mut by_scim: Vec<String> = by_scim.map(|r| format!("{} {}", r.event, r.outcome.name())).collect();
        by_scim.sort_unstable();
        assert_eq!(
            by_scim,
            [
                "user.create failed",
                "user.create success",
                "user.delete failed",
                "user.delete success",
                "user.read failed",
                "user.read success",
                "user.update failed",
                "user.update success",
                "user.update success",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn who_leaves_is_out_at_once_on_every_node() {
    each(|house| async move {
        let (admin, other) = (house.admin_cx().await, house.second().await);
        let idp = provider(&house, &admin).await;
        let (id, _) = made(&house, &idp, "taro").await;
        let token = enters(&house, &admin, id, "taro").await;
        other.resolve(&house.here().await, &token).await.expect("inside at the other node");
        let now = patch(&house, &idp, id, "active", json!("False")).await.expect("deactivated");
        assert_eq!(now.body["active"], false);
        assert_eq!(code(house.passage(&token).await), "SK-0007");
        assert_eq!(code(other.resolve(&house.here().await, &token).await), "SK-0007");
        assert_eq!(code(house.sign_in_as("taro", PASSWORD).await), "SK-4001");
        let entry = house.history().await.into_iter().rfind(|r| r.event == "user.disable").expect("an entry");
        assert!(entry.detail.contains(&("sessions_ended".into(), "1".into())), "{:?}", entry.detail);
        // To say nothing of it lets nobody in again.
        house.tick();
        let put =
            house.node.scim_replace_user(&idp, BASE, id, &ANY, &json!({"userName": "taro"})).await.expect("replaced");
        assert_eq!(put.body["active"], false);
        patch(&house, &idp, id, "active", json!(true)).await.expect("again");
        assert_eq!(house.node.user(&admin, id).await.expect("read").state, UserState::Active);
        let token = house.signed_in("taro").await.token;
        house.node.scim_delete_user(&idp, id, &ANY).await.expect("deleted");
        assert_eq!(code(house.passage(&token).await), "SK-0007");
    })
    .await;
}

#[tokio::test]
async fn with_its_consequences_taken_out_nothing_follows() {
    each_under(defaults(), Some(TakenOut::Deprovisioning), |house| async move {
        let admin = house.admin_cx().await;
        let idp = provider(&house, &admin).await;
        let (id, _) = made(&house, &idp, "taro").await;
        let token = enters(&house, &admin, id, "taro").await;
        patch(&house, &idp, id, "active", json!(false)).await.expect("answered");
        house.passage(&token).await.expect("still inside");
        house.node.scim_delete_user(&idp, id, &ANY).await.expect("answered");
        house.passage(&token).await.expect("still inside");
    })
    .await;
}

#[tokio::test]
async fn a_providers_token_provisions_and_nothing_else() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let idp = provider(&house, &admin).await;
    assert_eq!(code(house.node.users(&idp, Default::default()).await), "SK-0004");
    assert_eq!(
        code(house.node.create_user(&idp, new_user("x", UserType::User, None, None)).await.map(|_| ())),
        "SK-0004"
    );
    let Actor::User { id: own, .. } = idp.actor else { panic!("a service account") };
    // It does not see itself, or any other service account.
    assert_eq!(code(house.node.scim_user(&idp, BASE, own).await), "SK-0003");
    assert_eq!(code(house.node.scim_delete_user(&idp, own, &ANY).await), "SK-0003");
    let list = house.node.scim_users(&idp, BASE, ScimQuery::default()).await.expect("a list");
    assert_eq!((list.total, list.resources.len()), (1, 1), "the administrator alone");
    assert!(found(&house, &idp, "userName sw \"scim-\"").await.expect("found").is_empty());
    // Nobody without the right calls it, or hands it on.
    let person = house.person(&admin, "taro", UserType::User, None).await;
    let cx = house.cx(&person.name).await;
    assert_eq!(code(house.node.scim_users(&cx, BASE, ScimQuery::default()).await), "SK-0004");
    let bad = ScimQuery { filter: Some("((".into()), ..ScimQuery::default() };
    assert_eq!(code(house.node.scim_users(&cx, BASE, bad).await), "SK-0004", "the right is asked first");
    let new = NewConnection { name: "x".into(), networks: Vec::new(), days: 30, subject_provider: None };
    assert_eq!(code(house.node.create_connection(&cx, new).await.map(|_| ())), "SK-0004");
    let listed = house.node.connections(&admin).await.expect("listed");
    assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].tokens.len()), (1, "Entra ID", 1));
    assert_eq!(listed[0].tokens[0].rights, ["users.provision"]);
}

#[tokio::test]
async fn who_was_given_rights_by_hand_can_be_shut_out_and_not_taken_over() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let idp = provider(&house, &admin).await;
    let boss = house.person(&admin, "boss", UserType::Approver, None).await;
    for (path, value) in [("userName", json!("mine")), ("emails", json!([{"value": "mine@example.jp"}]))] {
        assert_eq!(code(patch(&house, &idp, boss.id, path, value).await), "SK-4014", "{path}");
    }
    patch(&house, &idp, boss.id, "title", json!("Approver")).await.expect("that gives nothing away");
    patch(&house, &idp, boss.id, "active", json!(false)).await.expect("shut out");
    assert_eq!(code(patch(&house, &idp, boss.id, "active", json!(true)).await), "SK-4014");
    // The last administrator stays.
    assert_eq!(code(patch(&house, &idp, house.admin, "active", json!(false)).await), "SK-4012");
    assert_eq!(code(house.node.scim_delete_user(&idp, house.admin, &ANY).await), "SK-4012");
    // A role given by hand counts alike; one of a group does not.
    let (id, _) = made(&house, &idp, "taro").await;
    house.tick();
    let rights = vec!["users.read".to_owned()];
    let role = house.node.create_role(&admin, NewRole { name: "reader".into(), rights }).await.expect("a role").id;
    let group = json!({"displayName": "Readers", "members": [{"value": id}]});
    let group = house.node.scim_create_group(&idp, BASE, &group).await.expect("a group").id.parse().expect("an id");
    let map = GroupMap { role: Some(role), site: None };
    house.node.map_group(&admin, group, None, map).await.expect("mapped");
    patch(&house, &idp, id, "userName", json!("taro2")).await.expect("a group's role is the provider's own");
    house.node.create_grant(&admin, NewGrant { user: id, role, site: None }).await.expect("by hand too");
    assert_eq!(code(patch(&house, &idp, id, "userName", json!("taro3")).await), "SK-4014");
}

#[tokio::test]
async fn groups_give_the_role_that_an_administrator_says() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let idp = provider(&house, &admin).await;
        let (taro, _) = made(&house, &idp, "taro").await;
        let (hana, _) = made(&house, &idp, "hana").await;
        house.tick();
        let new = NewRole { name: "reader".into(), rights: vec!["users.read".into()] };
        let role = house.node.create_role(&admin, new).await.expect("a role").id;
        let mut groups = Vec::new();
        for name in ["Sales", "Tokyo"] {
            house.tick();
            let body = json!({"displayName": name, "externalId": name, "members": [{"value": taro}]});
            groups.push(house.node.scim_create_group(&idp, BASE, &body).await.expect("a group"));
        }
        let ids: Vec<ScimGroupId> = groups.iter().map(|g| g.id.parse().expect("an id")).collect();
        assert_eq!(code(house.node.scim_create_group(&idp, BASE, &json!({"displayName": "SALES"})).await), "SK-4019");
        assert_eq!(groups[0].body["members"][0]["$ref"], format!("{BASE}/Users/{taro}"));
        let read = async |name: &str| {
            let cx = house.cx(name).await;
            house.node.users(&cx, Default::default()).await.is_ok()
        };
        for (id, name) in [(taro, "taro"), (hana, "hana")] {
            enters(&house, &admin, id, name).await;
        }
        assert!(!read("taro").await, "a group gives nothing by itself");
        let cx = house.cx("taro").await;
        for id in &ids {
            let map = GroupMap { role: Some(role), site: None };
            let mapped = house.node.map_group(&admin, *id, None, map).await.expect("mapped");
            assert_eq!((mapped.members, mapped.role), (1, Some(role)));
        }
        assert!(read("taro").await && !read("hana").await);
        assert_eq!(
            code(house.node.users(&cx, Default::default()).await),
            "SK-0004",
            "what was known before is not enough"
        );
        let grants =
            house.node.grants(&admin, GrantQuery { user: Some(taro), ..GrantQuery::default() }).await.expect("read");
        assert_eq!((grants.items.len(), grants.items[0].groups.len(), grants.items[0].direct), (1, 2, false));
        assert_eq!(code(house.node.delete_grant(&admin, grants.items[0].id).await), "SK-4099");
        assert_eq!(code(house.node.delete_role(&admin, role, None).await), "SK-4015");

        // Entra ID's way to move somebody.
        let change = async |id: ScimGroupId, op: &str, user: UserId| {
            house.tick();
            let body = json!({"Operations": [{"op": op, "path": "members", "value": [{"$ref": null, "value": user}]}]});
            house.node.scim_patch_group(&idp, BASE, id, &ANY, &body).await
        };
        let token = house.signed_in("taro").await.token;
        change(ids[0], "Remove", taro).await.expect("out");
        assert!(read("taro").await, "the other group gives it too");
        change(ids[1], "Remove", taro).await.expect("out");
        assert!(!read("taro").await);
        let cx = house.passage(&token).await.expect("the session goes on").cx.clone();
        assert_eq!(code(house.node.users(&cx, Default::default()).await), "SK-0004");
        let both = change(ids[0], "Add", hana).await.expect("in");
        assert_eq!(both.body["members"].as_array().map(Vec::len), Some(1));
        assert!(read("hana").await);
        assert_eq!(house.node.scim_user(&idp, BASE, hana).await.expect("read").body["groups"][0]["display"], "Sales");
        assert_eq!(code(change(ids[0], "Add", UserId::from_bytes([7; 16])).await), "SK-4094");

        // A grant by hand stays when the group goes.
        house.node.create_grant(&admin, NewGrant { user: hana, role, site: None }).await.expect("by hand");
        house.node.scim_delete_group(&idp, ids[0], &ANY).await.expect("deleted");
        assert!(read("hana").await);
        house.node.scim_delete_user(&idp, hana, &ANY).await.expect("deleted");
        assert_eq!(house.count("SELECT COUNT(*) FROM scim_member").await, 0);
        let none = GroupMap { role: None, site: None };
        house.node.map_group(&admin, ids[1], None, none).await.expect("unmapped");
        house.node.delete_role(&admin, role, None).await.expect("nobody has it");
        let left = house.node.mapped_groups(&admin, After::default()).await.expect("listed").items;
        assert_eq!((left.len(), left[0].name.as_str(), left[0].role), (1, "Tokyo", None));
    })
    .await;
}

#[tokio::test]
async fn mapping_needs_the_rights_that_it_gives() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let idp = provider(&house, &admin).await;
    house.tick();
    let group = house.node.scim_create_group(&idp, BASE, &json!({"displayName": "g"})).await.expect("made");
    let group: ScimGroupId = group.id.parse().expect("an id");
    let strong = NewRole { name: "strong".into(), rights: vec!["policy.write".into()] };
    let strong = house.node.create_role(&admin, strong).await.expect("a role").id;
    let granter = NewRole { name: "granter".into(), rights: vec!["grants.write".into(), "clients.read".into()] };
    let granter = house.node.create_role(&admin, granter).await.expect("a role").id;
    let person = house.person(&admin, "taro", UserType::User, None).await;
    house.node.create_grant(&admin, NewGrant { user: person.id, role: granter, site: None }).await.expect("granted");
    let cx = house.cx("taro").await;
    let map = |role| GroupMap { role: Some(role), site: None };
    assert_eq!(code(house.node.map_group(&cx, group, None, map(strong)).await), "SK-4013");
    house.node.map_group(&cx, group, None, map(granter)).await.expect("one's own");
    assert_eq!(code(house.node.map_group(&idp, group, None, map(granter)).await), "SK-0004", "never the provider");
    assert_eq!(code(house.node.map_group(&admin, group, Some(1), map(granter)).await), "SK-0006");
}

#[tokio::test]
async fn lists_filters_pages_and_order() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let idp = provider(&house, &admin).await;
        for name in ["carol", "Alice", "bob"] {
            made(&house, &idp, name).await;
        }
        house.tick();
        let robot = NewUser { service: true, ..new_user("robot", UserType::User, None, None) };
        house.node.create_user(&admin, robot).await.expect("a service account");
        for (filter, names) in [
            ("userName eq \"ALICE\"", &["Alice"][..]),
            ("externalId eq \"ext-bob\"", &["bob"]),
            ("externalId eq \"EXT-bob\"", &[]),
            ("userName eq \"alice\" or externalId eq \"ext-bob\" or userName eq \"nobody\"", &["Alice", "bob"]),
            ("userName eq \"alice\" and title eq \"x\"", &[]),
            ("emails[type eq \"work\" and value ew \"@example.jp\"]", &["carol", "Alice", "bob"]),
            ("emails.value eq \"carol@example.jp\"", &["carol"]),
            ("title pr and not (userName sw \"c\")", &["Alice", "bob"]),
            ("active eq false", &[]),
            ("groups.display eq \"x\"", &[]),
        ] {
            assert_eq!(found(&house, &idp, filter).await.expect(filter), names, "{filter}");
        }
        let page = async |query: ScimQuery| {
            let list = house.node.scim_users(&idp, BASE, query).await.expect("a list");
            let names: Vec<String> =
                list.resources.iter().map(|r| r["userName"].as_str().expect("a name").to_owned()).collect();
            (list.total, list.start, names)
        };
        let of = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let from = |start, count| ScimQuery { start: Some(start), count: Some(count), ..ScimQuery::default() };
        assert_eq!(page(from(1, 2)).await, (4, 1, of(&["admin", "carol"])));
        assert_eq!(page(from(3, 2)).await, (4, 3, of(&["Alice", "bob"])));
        assert_eq!(page(from(5, 2)).await, (4, 5, of(&[])));
        assert_eq!(page(from(-7, 1)).await, (4, 1, of(&["admin"])));
        assert_eq!(page(from(1, 0)).await, (4, 1, of(&[])));
        assert_eq!(page(from(1, -1)).await, (4, 1, of(&[])));
        let sorted = |descending| ScimQuery { sort_by: Some("userName".into()), descending, ..ScimQuery::default() };
        assert_eq!(page(sorted(false)).await.2, ["admin", "Alice", "bob", "carol"]);
        assert_eq!(page(sorted(true)).await.2, ["carol", "bob", "Alice", "admin"]);
        // Who has no title comes last, whichever way.
        let by_title = ScimQuery { sort_by: Some("externalId".into()), descending: true, ..from(4, 1) };
        assert_eq!(page(by_title).await.2, ["admin"]);
        for bad in ["((", "shoe eq \"1\""] {
            assert_eq!(code(found(&house, &idp, bad).await), "SK-4091", "{bad}");
        }
        let bad = ScimQuery { sort_by: Some("shoe".into()), ..ScimQuery::default() };
        assert_eq!(code(house.node.scim_users(&idp, BASE, bad).await), "SK-4092");
    })
    .await;
}

#[tokio::test]
async fn the_policy_can_close_it() {
    let house = one_under(with(&provisioning::SCIM, policy::Value::Str("off".into())), None).await;
    let admin = house.admin_cx().await;
    let idp = provider(&house, &admin).await;
    assert_eq!(code(house.node.scim_users(&idp, BASE, ScimQuery::default()).await), "SK-4098");
    assert_eq!(code(house.node.scim_create_user(&idp, BASE, &named("taro")).await), "SK-4098");
    let id = house.admin;
    assert_eq!(code(house.node.scim_user(&idp, BASE, id).await), "SK-4098");
    assert_eq!(code(patch(&house, &idp, id, "title", json!("x")).await), "SK-4098");
    assert_eq!(code(house.node.scim_delete_user(&idp, id, &ANY).await), "SK-4098");
    assert_eq!(code(house.node.scim_create_group(&idp, BASE, &json!({"displayName": "g"})).await), "SK-4098");
    let by_scim = house.history().await.into_iter().filter(|r| r.via == "scim");
    assert!(by_scim.clone().count() >= 6);
    let last = by_scim.max_by_key(|r| r.event == "group.create").expect("an entry");
    assert_eq!((last.event.as_str(), last.outcome.name(), last.via.as_str()), ("group.create", "refused", "scim"));
}

#[tokio::test]
async fn another_organisations_people_are_not_there() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let idp = provider(&house, &admin).await;
    let (id, _) = made(&house, &idp, "taro").await;
    house.tenant("globex").await;
    let their =
        house.node.sign_in(&house.knock_at("globex").await, &crate::house::browser(), "admin", secret(PASSWORD)).await;
    let token = crate::house::done(their).token;
    let cx = house.node.resolve(&house.knock_at("globex").await, &token).await.expect("inside").cx.clone();
    house.tick();
    let new = NewConnection { name: "x".into(), networks: Vec::new(), days: 30, subject_provider: None };
    let text = house.node.create_connection(&cx, new).await.expect("connected").text;
    assert_eq!(code(knocks(&house, &text).await), "SK-0007", "a token is good at its own organisation's host");
    let knock = Knock { via: Via::Scim, ..house.knock_at("globex").await };
    let other = house.node.resolve(&knock, &text).await.expect("inside").cx.clone();
    assert_eq!(code(house.node.scim_user(&other, BASE, id).await), "SK-0003");
    assert_eq!(code(patch(&house, &other, id, "active", json!(false)).await), "SK-0003");
    assert_eq!(code(house.node.scim_delete_user(&other, id, &ANY).await), "SK-0003");
    assert!(found(&house, &other, "externalId eq \"ext-taro\"").await.expect("found").is_empty());
    let group = json!({"displayName": "g", "members": [{"value": id}]});
    assert_eq!(code(house.node.scim_create_group(&other, BASE, &group).await), "SK-4094");
    assert!(idp.actor.user().is_some() && Right::by_name("users.provision").is_some());
}
