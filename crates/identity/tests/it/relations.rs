//! Who finds and reaches whom: along relations in force, and nobody beside them.

use std::time::Duration;

use sekisho_identity::types::{
    NewGrant, NewRelation, NewRole, NewSite, PeopleQuery, ReachAsked, RelationQuery, RelationState, Side, UserPatch,
    WhyReach,
};
use sekisho_kernel::{
    Cx, Policy,
    access::UserType,
    id::UserId,
    policy::Value,
    problem::{FORBIDDEN, INVALID, NOT_FOUND},
};

use crate::house::{House, code, each, each_under, new_user, with};

const DAY: Duration = Duration::from_secs(86_400);

fn related() -> Policy {
    with(&sekisho_controls::relations::MODE, Value::Str("related".into()))
}

fn between(one: Side, other: Side) -> NewRelation {
    NewRelation { one, other, note: String::new(), starts: None, ends: None }
}

/// Whom somebody finds, by name.
async fn found(house: &House, cx: &Cx, text: Option<&str>) -> Vec<String> {
    let query = PeopleQuery { text: text.map(str::to_owned), after: None, limit: 200 };
    let page = house.node.people(cx, query).await.expect("people");
    assert!(page.next.is_none());
    page.items.into_iter().map(|p| p.display_name).collect()
}

async fn may(house: &House, cx: &Cx, person: UserId, other: UserId) -> bool {
    let asked = ReachAsked { person, others: vec![other] };
    house.node.may_reach(cx, asked).await.expect("told").others[0].may
}

#[tokio::test]
async fn by_default_everybody_who_is_there_is_found() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        house.node.create_user(&cx, new_user("invited", UserType::User, None, None)).await.expect("invited");
        let mut robot = new_user("robot", UserType::User, None, None);
        robot.service = true;
        let robot = house.node.create_user(&cx, robot).await.expect("a service account").user;
        assert_eq!(found(&house, &cx, None).await, ["taro"]);
        let own = house.cx("taro").await;
        assert_eq!(found(&house, &own, None).await, ["admin"]);
        assert!(may(&house, &cx, taro.id, house.admin).await);
        assert!(!may(&house, &cx, taro.id, robot.id).await, "nobody is behind it");
        assert!(!may(&house, &cx, taro.id, taro.id).await, "oneself is no other");
    })
    .await;
}

#[tokio::test]
async fn with_relations_only_they_count_and_only_while_they_last() {
    each_under(related(), None, |house| async move {
        let cx = house.admin_cx().await;
        let client = house.person(&cx, "client", UserType::User, None).await;
        let adviser = house.person(&cx, "adviser", UserType::User, None).await;
        let stranger = house.person(&cx, "stranger", UserType::User, None).await;
        let own = house.cx("client").await;
        assert!(found(&house, &own, None).await.is_empty());
        let new = between(Side::Person(client.id), Side::Person(adviser.id));
        let starts = Some(house.now().plus(DAY));
        let dated = NewRelation { starts, ends: Some(house.now().plus(3 * DAY)), note: "x".into(), ..new.clone() };
        let made = house.node.create_relation(&cx, dated.clone()).await.expect("a relation");
        assert_eq!(made.state, RelationState::Planned);
        assert!(found(&house, &own, None).await.is_empty(), "it has not begun");
        assert_eq!(code(house.node.create_relation(&cx, dated).await), "SK-4180");
        let turned = between(Side::Person(adviser.id), Side::Person(client.id));
        assert_eq!(code(house.node.create_relation(&cx, turned).await), "SK-4180", "the same two");
        house.pass(DAY);
        assert_eq!(found(&house, &own, None).await, ["adviser"]);
        assert_eq!(found(&house, &own, Some("ADVIS")).await, ["adviser"]);
        assert!(found(&house, &own, Some("adviser@example.jp")).await.is_empty(), "what is not shown is not searched");
        assert!(found(&house, &own, Some("stranger")).await.is_empty());
        let back = house.cx("adviser").await;
        assert_eq!(found(&house, &back, None).await, ["client"], "either way");
        assert!(may(&house, &cx, adviser.id, client.id).await);
        assert!(!may(&house, &cx, stranger.id, client.id).await);
        house.pass(2 * DAY);
        assert!(found(&house, &own, None).await.is_empty(), "it is over");
        assert_eq!(code(house.node.end_relation(&cx, made.id).await), "SK-4183");
        let again = house.node.create_relation(&cx, new).await.expect("a new one");
        assert_eq!(found(&house, &own, None).await, ["adviser"]);
        house.node.disable_user(&cx, adviser.id).await.expect("disabled");
        assert!(found(&house, &own, None).await.is_empty());
        let told = house.node.between(&cx, client.id, adviser.id).await.expect("told");
        assert_eq!((told.may, told.why), (false, WhyReach::NotActive));
        house.node.enable_user(&cx, adviser.id).await.expect("enabled");
        let told = house.node.between(&cx, client.id, adviser.id).await.expect("told");
        assert_eq!((told.may, told.why, told.relations[0].id), (true, WhyReach::Related, again.id));
        house.node.end_relation(&cx, again.id).await.expect("ended");
        let told = house.node.between(&cx, client.id, adviser.id).await.expect("told");
        assert_eq!((told.may, told.why), (false, WhyReach::NotRelated));
        let side = RelationQuery { side: Some(Side::Person(client.id)), limit: 1, after: None };
        let first = house.node.relations(&cx, side).await.expect("listed");
        let rest = house.node.relations(&cx, RelationQuery { after: first.next, ..side }).await.expect("listed");
        assert_eq!((first.items[0].id, rest.items[0].id, rest.next), (made.id, again.id, None));
        house.pass(400 * DAY);
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM relation").await, 0);
        let rows = house.history().await;
        assert_eq!(
            rows.iter().filter(|r| r.event == "relation.create" && format!("{:?}", r.outcome) == "Success").count(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn roles_and_sites_stand_for_whoever_has_them() {
    each_under(related(), None, |house| async move {
        let cx = house.admin_cx().await;
        let site = house
            .node
            .create_site(&cx, NewSite { name: "Yokohama".into(), note: String::new() })
            .await
            .expect("a site");
        let desk = NewRole { name: "desk".into(), rights: vec!["application.use".into()] };
        let desk = house.node.create_role(&cx, desk).await.expect("a role");
        let client = house.person(&cx, "client", UserType::User, Some(site.id)).await;
        let helper = house.person(&cx, "helper", UserType::User, None).await;
        house.person(&cx, "other", UserType::User, Some(site.id)).await;
        house.node.create_relation(&cx, between(Side::Role(desk.id), Side::Site(site.id))).await.expect("a relation");
        let own = house.cx("client").await;
        assert!(found(&house, &own, None).await.is_empty());
        let grant = NewGrant { user: helper.id, role: desk.id, site: None };
        let grant = house.node.create_grant(&cx, grant).await.expect("granted");
        assert_eq!(found(&house, &own, None).await, ["helper"], "not those of the same site");
        assert_eq!(found(&house, &house.cx("helper").await, None).await, ["client", "other"]);
        assert!(may(&house, &cx, client.id, helper.id).await);
        house
            .node
            .create_relation(&cx, between(Side::Site(site.id), Side::Site(site.id)))
            .await
            .expect("among themselves");
        assert_eq!(found(&house, &own, None).await, ["helper", "other"]);
        assert!(!may(&house, &cx, client.id, client.id).await);
        let version = house.node.user(&cx, client.id).await.expect("there").version;
        let moved = UserPatch { site: Some(None), ..UserPatch::default() };
        house.node.update_user(&cx, client.id, version, moved).await.expect("moved");
        assert!(found(&house, &own, None).await.is_empty(), "no longer of the site");
        house.node.delete_grant(&cx, grant.id).await.expect("taken back");
        house.node.delete_role(&cx, desk.id, None).await.expect("deleted");
        let left =
            house.node.relations(&cx, RelationQuery { limit: 50, ..RelationQuery::default() }).await.expect("listed");
        assert_eq!(left.items.len(), 1, "the role's relations went with it");
    })
    .await;
}

/// What it costs to look at one person: statements, entries, and the answer.
async fn cost(house: &House, own: &Cx, admin: &Cx, id: UserId) -> (u64, usize, String, bool) {
    let (statements, rows) = (house.node.counts().read().1, house.history().await.len());
    let answer = format!("{:?}", house.node.person(own, id).await.expect_err("not to be found"));
    let asked = may(house, admin, own.actor.user().expect("a person"), id).await;
    (house.node.counts().read().1 - statements, house.history().await.len() - rows, answer, asked)
}

#[tokio::test]
async fn somebody_unrelated_costs_and_looks_what_nobody_does() {
    each_under(related(), None, |house| async move {
        let cx = house.admin_cx().await;
        let client = house.person(&cx, "client", UserType::User, None).await;
        let adviser = house.person(&cx, "adviser", UserType::User, None).await;
        let stranger = house.person(&cx, "stranger", UserType::User, None).await;
        let off = house.person(&cx, "off", UserType::User, None).await;
        house.node.disable_user(&cx, off.id).await.expect("disabled");
        house
            .node
            .create_relation(&cx, between(Side::Person(client.id), Side::Person(adviser.id)))
            .await
            .expect("made");
        house.node.create_relation(&cx, between(Side::Person(client.id), Side::Person(off.id))).await.expect("made");
        let own = house.cx("client").await;
        let nobody = cost(&house, &own, &cx, UserId::from_bytes([7; 16])).await;
        assert_eq!((nobody.0, nobody.1, nobody.3), (2, 2, false), "a statement and an entry each");
        for id in [stranger.id, off.id, client.id] {
            assert_eq!(cost(&house, &own, &cx, id).await, nobody);
        }
        // A search opens the accounts of those whom one may reach, whoever else has such a name.
        let search = async |text: &str| {
            let before = house.node.counts().read().1;
            let people = found(&house, &own, Some(text)).await;
            (people, house.node.counts().read().1 - before)
        };
        let (none, steps) = search("nobody of that name").await;
        assert_eq!(search("stranger").await, (none, steps));
        for n in 0..3 {
            house.person(&cx, &format!("stranger-{n}"), UserType::User, None).await;
        }
        assert_eq!(search("stranger").await.1, steps);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_relation_is_refused() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        let mut robot = new_user("robot", UserType::User, None, None);
        robot.service = true;
        let robot = house.node.create_user(&cx, robot).await.expect("a service account").user;
        let (me, him) = (Side::Person(house.admin), Side::Person(taro.id));
        let make = async |new: NewRelation| code(house.node.create_relation(&cx, new).await);
        assert_eq!(make(between(him, him)).await, "SK-4181");
        assert_eq!(make(between(him, Side::Person(robot.id))).await, NOT_FOUND.code);
        assert_eq!(make(between(him, Side::Person(UserId::from_bytes([7; 16])))).await, NOT_FOUND.code);
        let past = NewRelation { ends: Some(house.now()), ..between(me, him) };
        assert_eq!(make(past).await, "SK-4182");
        let long = NewRelation { note: "x".repeat(1_001), ..between(me, him) };
        assert_eq!(make(long).await, INVALID.code);
        let many = ReachAsked { person: taro.id, others: vec![house.admin; 51] };
        assert_eq!(code(house.node.may_reach(&cx, many).await), INVALID.code);
        let own = house.cx("taro").await;
        assert_eq!(code(house.node.create_relation(&own, between(me, him)).await), FORBIDDEN.code);
        assert_eq!(code(house.node.between(&own, taro.id, house.admin).await), FORBIDDEN.code);
    })
    .await;
}
