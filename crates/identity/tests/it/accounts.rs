use sekisho_controls::passwords;
use sekisho_identity::{
    problems as p,
    types::{After, NewGrant, NewRole, NewSite, NewUser, RolePatch, UserPatch, UserQuery, UserState},
};
use sekisho_kernel::{
    Cx, Function, Problem, Right, TakenOut,
    access::UserType,
    id::{RoleId, SiteId, UserId},
    policy::Value,
};

use crate::house::{House, PASSWORD, code, defaults, each, each_under, new_user, secret, with};

async fn role(house: &House, cx: &Cx, name: &str, rights: &[Right]) -> RoleId {
    let rights = rights.iter().map(|r| r.name().to_owned()).collect();
    house.node.create_role(cx, NewRole { name: name.into(), rights }).await.expect("a role").id
}

async fn site(house: &House, cx: &Cx, name: &str) -> SiteId {
    house.node.create_site(cx, NewSite { name: name.into(), note: String::new() }).await.expect("a site").id
}

async fn granted(house: &House, cx: &Cx, user: UserId, role: RoleId, site: Option<SiteId>) {
    house.node.create_grant(cx, NewGrant { user, role, site }).await.expect("granted");
}

fn names(off: &[Function]) -> Vec<String> {
    off.iter().map(|f| f.name().to_owned()).collect()
}

#[tokio::test]
async fn accounts_are_made_read_listed_found_changed_and_deleted() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        for n in 0..5 {
            house.person(&cx, &format!("taro{n}"), UserType::User, None).await;
        }
        let mut seen = Vec::new();
        let mut query = UserQuery { limit: 2, ..UserQuery::default() };
        loop {
            let page = house.node.users(&cx, query.clone()).await.expect("listed");
            assert!(page.items.len() <= 2);
            seen.extend(page.items.into_iter().map(|u| u.name));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        assert_eq!(seen, ["admin", "taro0", "taro1", "taro2", "taro3", "taro4"]);
        let found = async |name: Option<&str>, text: Option<&str>| {
            let query = UserQuery { name: name.map(Into::into), text: text.map(Into::into), ..UserQuery::default() };
            house.node.users(&cx, query).await.expect("found").items.into_iter().map(|u| u.name).collect::<Vec<_>>()
        };
        assert_eq!(found(Some("ＴＡＲＯ３"), None).await, ["taro3"]);
        assert!(found(Some("taro"), None).await.is_empty());
        assert_eq!(found(None, Some("O3@EXAMPLE")).await, ["taro3"]);
        assert_eq!(found(None, Some("taro")).await.len(), 5);
        let taro = house.node.users(&cx, UserQuery { name: Some("taro3".into()), ..UserQuery::default() }).await;
        let taro = taro.expect("found").items.remove(0);
        let patch = UserPatch {
            display_name: Some("山田 太郎".into()),
            mail: Some(None),
            kind: Some(UserType::Approver),
            ..UserPatch::default()
        };
        let changed = house.node.update_user(&cx, taro.id, taro.version, patch.clone()).await.expect("changed");
        assert_eq!(
            (changed.version, changed.kind, changed.mail.as_deref()),
            (taro.version + 1, UserType::Approver, None)
        );
        assert_eq!(house.node.names(&cx, vec![taro.id, UserId::NIL]).await.expect("names")[&taro.id], "山田 太郎");
        assert_eq!(
            code(house.node.update_user(&cx, taro.id, taro.version, patch).await),
            "SK-0006",
            "the version moved"
        );
        assert_eq!(code(house.node.delete_user(&cx, taro.id, Some(taro.version)).await), "SK-0006");
        house.node.delete_user(&cx, taro.id, Some(changed.version)).await.expect("deleted");
        assert_eq!(code(house.node.user(&cx, taro.id).await), "SK-0003");
    })
    .await;
}

#[tokio::test]
async fn names_and_mails_are_unique_and_checked() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        let make = async |name: &str, mail: &str| {
            let new = NewUser { mail: Some(mail.into()), ..new_user(name, UserType::User, None, None) };
            house.node.create_user(&cx, new).await.map(drop)
        };
        let problem = make("ＴＡＲＯ", "other@example.jp").await.expect_err("taken");
        assert_eq!((problem.kind.code, problem.place.as_deref()), (p::NAME_TAKEN.code, Some("name")));
        let problem = make("jiro", "TARO@example.jp").await.expect_err("taken");
        assert_eq!((problem.kind.code, problem.place.as_deref()), (p::NAME_TAKEN.code, Some("mail")));
        assert_eq!(code(make("ji ro", "jiro@example.jp").await), "SK-0005");
        assert_eq!(code(make("jiro", "jiro").await), "SK-0005");
        make("jiro", "").await.expect("a mail address may be missing");
        make("saburo", "").await.expect("for several");
    })
    .await;
}

#[tokio::test]
async fn an_invited_person_has_no_password_yet() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let made = house.node.create_user(&cx, new_user("hanako", UserType::User, None, None)).await.expect("made");
        assert!(made.link.is_some());
        assert_eq!(made.user.state, UserState::Invited);
        house.node.disable_user(&cx, made.user.id).await.expect("disabled");
        let link = made.link.expect("a link");
        assert_eq!(code(house.node.use_link(&house.here().await, &link, secret(PASSWORD)).await), p::LINK_OVER.code);
        let enabled = house.node.enable_user(&cx, made.user.id).await.expect("enabled");
        assert_eq!(enabled.state, UserState::Invited);
        house.node.use_link(&house.here().await, &link, secret(PASSWORD)).await.expect("used");
        assert_eq!(house.node.user(&cx, made.user.id).await.expect("seen").state, UserState::Active);
        let made =
            house.node.create_user(&cx, new_user("taro", UserType::User, None, Some(PASSWORD))).await.expect("made");
        assert!(made.link.is_none() && made.user.state == UserState::Active);
    })
    .await;
}

#[tokio::test]
async fn passwords_are_held_to_rule_history_and_list() {
    let list = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(list.path(), "a breached password\n").expect("written");
    let policy = with(&passwords::HISTORY, Value::Int(2))
        .with(&passwords::BREACHED_LIST, Value::Str(list.path().to_string_lossy().into_owned()));
    each_under(policy, None, |house| async move {
        let cx = house.admin_cx().await;
        let change = async |from: &str, to: &str| house.node.change_password(&cx, secret(from), secret(to)).await;
        let problem = change(PASSWORD, "a breached password").await.expect_err("on the list");
        assert!(problem.message(sekisho_kernel::Lang::En).contains("list of breached passwords"));
        assert!(problem.message(sekisho_kernel::Lang::Ja).contains("漏えい済みパスワード一覧"));
        assert_eq!(code(change(PASSWORD, PASSWORD).await), "SK-4005");
        change(PASSWORD, "the second password").await.expect("changed");
        change("the second password", "the third password").await.expect("changed");
        assert_eq!(code(change("the third password", PASSWORD).await), "SK-4005", "two back");
        assert_eq!(code(change("the third password", "the second password").await), "SK-4005", "one back");
        change("the third password", "the fourth password").await.expect("changed");
        change("the fourth password", PASSWORD).await.expect("three back is forgotten");
        let own = new_user("longenoughname", UserType::User, None, Some("LongEnoughName"));
        assert_eq!(code(house.node.create_user(&cx, own).await), "SK-4005");
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays_and_is_able() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let deputy = house.person(&cx, "deputy", UserType::Administrator, None).await;
        let other = house.cx("deputy").await;
        let own = async |result: Result<_, Problem>| code(result);
        assert_eq!(own(house.node.disable_user(&cx, house.admin).await).await, p::OWN_ACCOUNT.code);
        assert_eq!(code(house.node.delete_user(&cx, house.admin, None).await), p::OWN_ACCOUNT.code);
        let demote = UserPatch { kind: Some(UserType::User), ..UserPatch::default() };
        let me = house.node.user(&cx, house.admin).await.expect("me");
        // With the deputy's functions off there is nobody else who could administer.
        house.node.switch_user(&cx, deputy.id, names(&[Function::POLICY])).await.expect("switched");
        let last = p::LAST_ADMINISTRATOR.code;
        assert_eq!(code(house.node.update_user(&cx, me.id, me.version, demote.clone()).await), last);
        assert_eq!(code(house.node.switch_user(&cx, me.id, names(&[Function::USERS])).await), last);
        house.node.switch_user(&cx, deputy.id, Vec::new()).await.expect("switched back");
        house.node.update_user(&cx, me.id, me.version, demote.clone()).await.expect("there is the deputy");
        let deputy = house.node.user(&house.cx("deputy").await, deputy.id).await.expect("seen");
        let other_now = house.cx("deputy").await;
        assert_eq!(code(house.node.update_user(&other_now, deputy.id, deputy.version, demote).await), last);
        drop(other);
    })
    .await;
}

#[tokio::test]
async fn two_administrators_cannot_strip_each_other_at_the_same_time() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let deputy = house.person(&cx, "deputy", UserType::Administrator, None).await;
        let other = house.cx("deputy").await;
        let (a, b) =
            tokio::join!(house.node.disable_user(&cx, deputy.id), house.node.disable_user(&other, house.admin));
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
        let active = "SELECT COUNT(*) FROM user_account WHERE state = 'active'";
        assert_eq!(house.count(active).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_role_of_one_right_gives_that_one_and_takes_effect_at_once() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        let own = house.cx("taro").await;
        assert_eq!(code(house.node.sites(&own, After::default()).await), "SK-0004");
        let reader = role(&house, &cx, "reader", &[Right::SITES_READ]).await;
        granted(&house, &cx, taro.id, reader, None).await;
        let token = house.signed_in("taro").await.token;
        let now = async || house.passage(&token).await.expect("a passage").cx.clone();
        house.node.sites(&now().await, After::default()).await.expect("listed");
        assert_eq!(code(house.node.users(&now().await, UserQuery::default()).await), "SK-0004");
        let stale = now().await;
        let patch = RolePatch { rights: Some(vec!["users.read".into()]), ..RolePatch::default() };
        house.node.update_role(&cx, reader, 1, patch).await.expect("changed");
        assert_eq!(code(house.node.sites(&now().await, After::default()).await), "SK-0004");
        house.node.users(&now().await, UserQuery::default()).await.expect("listed");
        // An act that was let in under the old rights does not commit.
        assert_eq!(
            code(house.node.change_password(&stale, secret(PASSWORD), secret("a new long password")).await),
            "SK-3006"
        );
        let busy = house.node.delete_role(&cx, reader, None).await;
        assert_eq!(code(busy), p::ROLE_IN_USE.code);
        let query = sekisho_identity::types::GrantQuery { user: Some(taro.id), ..Default::default() };
        let grants = house.node.grants(&cx, query).await.expect("listed").items;
        assert_eq!(grants.len(), 1);
        house.node.delete_grant(&cx, grants[0].id).await.expect("taken back");
        assert_eq!(code(house.node.users(&now().await, UserQuery::default()).await), "SK-0004");
        house.node.delete_role(&cx, reader, None).await.expect("deleted");
    })
    .await;
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have_or_touches_those_above() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let clerk = house.person(&cx, "clerk", UserType::User, None).await;
        let rights =
            [Right::USERS_READ, Right::USERS_WRITE, Right::ROLES_WRITE, Right::ROLES_READ, Right::GRANTS_WRITE];
        let office = role(&house, &cx, "office", &rights).await;
        let auditor = role(&house, &cx, "auditor", &[Right::HISTORY_READ]).await;
        granted(&house, &cx, clerk.id, office, None).await;
        let clerk_cx = house.cx("clerk").await;
        let beyond = p::BEYOND_OWN.code;
        let new = new_user("boss", UserType::Administrator, None, None);
        assert_eq!(code(house.node.create_user(&clerk_cx, new).await), beyond);
        let wide = NewRole { name: "wide".into(), rights: vec!["history.read".into()] };
        let problem = house.node.create_role(&clerk_cx, wide).await.expect_err("refused");
        assert_eq!(problem.kind.code, beyond);
        assert!(problem.message(sekisho_kernel::Lang::En).contains("history.read"));
        let grant = NewGrant { user: clerk.id, role: auditor, site: None };
        assert_eq!(code(house.node.create_grant(&clerk_cx, grant).await), beyond);
        let patch =
            RolePatch { rights: Some(vec!["users.read".into(), "policy.write".into()]), ..RolePatch::default() };
        assert_eq!(code(house.node.update_role(&clerk_cx, office, 1, patch).await), beyond);
        let above = p::ABOVE_OWN.code;
        assert_eq!(code(house.node.invite_user(&clerk_cx, house.admin).await), above, "a link would be the rights");
        assert_eq!(code(house.node.disable_user(&clerk_cx, house.admin).await), above);
        assert_eq!(code(house.node.delete_user(&clerk_cx, house.admin, None).await), above);
        let patch = UserPatch { mail: Some(Some("clerk2@example.jp".into())), ..UserPatch::default() };
        let admin = house.node.user(&clerk_cx, house.admin).await.expect("seen");
        assert_eq!(code(house.node.update_user(&clerk_cx, house.admin, admin.version, patch).await), above);
        house.person(&clerk_cx, "below", UserType::User, None).await;
    })
    .await;
}

#[tokio::test]
async fn a_site_role_reaches_its_site_and_no_other() {
    for (taken, scoped) in [(None, true), (Some(TakenOut::SiteScope), false)] {
        each_under(defaults(), taken, |house| async move {
            let cx = house.admin_cx().await;
            let (tokyo, osaka) = (site(&house, &cx, "東京").await, site(&house, &cx, "大阪").await);
            let here = house.person(&cx, "here", UserType::User, Some(tokyo)).await;
            let there = house.person(&cx, "there", UserType::User, Some(osaka)).await;
            let lead = house.person(&cx, "lead", UserType::User, Some(tokyo)).await;
            let rights = [Right::USERS_READ, Right::USERS_WRITE, Right::SITES_READ, Right::GRANTS_WRITE];
            let leads = role(&house, &cx, "lead", &rights).await;
            granted(&house, &cx, lead.id, leads, Some(tokyo)).await;
            let own = house.cx("lead").await;
            assert_eq!(house.node.user(&own, here.id).await.expect("seen").id, here.id);
            house.node.disable_user(&own, here.id).await.expect("disabled");
            assert_eq!(house.node.user(&own, there.id).await.is_err(), scoped);
            assert_eq!(house.node.disable_user(&own, there.id).await.is_err(), scoped);
            let new = |name: &str, site| new_user(name, UserType::User, site, None);
            house.node.create_user(&own, new("new", Some(tokyo))).await.expect("made");
            assert_eq!(house.node.create_user(&own, new("new2", Some(osaka))).await.is_err(), scoped);
            assert_eq!(house.node.create_user(&own, new("new3", None)).await.is_err(), scoped, "nobody's site");
            let listed = house.node.users(&own, UserQuery::default()).await.expect("listed").items;
            assert!(listed.iter().any(|u| u.id == here.id));
            assert_eq!(listed.iter().all(|u| u.site == Some(tokyo)), scoped);
            let sites = house.node.sites(&own, After::default()).await.expect("listed").items;
            assert_eq!(sites.len(), if scoped { 1 } else { 2 });
            let grant = NewGrant { user: there.id, role: leads, site: Some(tokyo) };
            assert_eq!(house.node.create_grant(&own, grant).await.is_err(), scoped, "the person is of another site");
            let grant = NewGrant { user: here.id, role: leads, site: Some(tokyo) };
            house.node.create_grant(&own, grant).await.expect("granted");
            assert_eq!(code(house.node.create_grant(&own, grant).await), "SK-0006", "twice");
            let moving = UserPatch { site: Some(Some(osaka)), ..UserPatch::default() };
            let now = house.node.user(&own, here.id).await.expect("seen").version;
            assert_eq!(house.node.update_user(&own, here.id, now, moving).await.is_err(), scoped, "out of reach");
            assert_eq!(code(house.node.delete_site(&cx, osaka, None).await), p::SITE_IN_USE.code);
        })
        .await;
    }
}

#[tokio::test]
async fn functions_are_switched_off_for_one_person_or_for_all() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let deputy = house.person(&cx, "deputy", UserType::Administrator, None).await;
        let token = house.signed_in("deputy").await.token;
        let now = async || house.passage(&token).await.expect("a passage").cx.clone();
        house.node.sites(&now().await, After::default()).await.expect("listed");
        house.node.switch_user(&cx, deputy.id, names(&[Function::SITES])).await.expect("switched");
        assert_eq!(code(house.node.sites(&now().await, After::default()).await), "SK-7101");
        house.node.roles(&now().await, After::default()).await.expect("others stay");
        house.node.sites(&cx, After::default()).await.expect("nobody else is refused");
        assert_eq!(code(house.node.switch_user(&cx, deputy.id, vec!["teleport".into()]).await), p::UNKNOWN_NAME.code);
        house.node.switch_functions(&cx, names(&[Function::ROLES])).await.expect("switched");
        let admin = house.admin_cx().await;
        assert_eq!(code(house.node.roles(&admin, After::default()).await), "SK-7101");
        assert_eq!(code(house.node.roles(&now().await, After::default()).await), "SK-7101");
        assert_eq!(code(house.node.switch_functions(&cx, Vec::new()).await), "SK-3006", "the old view has moved");
        house.node.switch_functions(&admin, Vec::new()).await.expect("switched back");
        house.node.roles(&house.admin_cx().await, After::default()).await.expect("listed");
    })
    .await;
}
