//! Another tenant's ids answer as missing ones do, and hosts lead to their own tenant.

use sekisho_identity::{
    NewTenant, problems as p,
    types::{NewGrant, NewRole, NewSite, RolePatch, SitePatch, UserPatch},
};
use sekisho_kernel::{
    Job, Problem,
    access::UserType,
    hook::{Directory, HostKind},
    id::{AddressRuleId, GrantId, RoleId, SessionId, SiteId, UserId},
};

use crate::house::{House, PASSWORD, browser, code, done, each, secret};

fn told(result: Result<(), Problem>) -> String {
    format!("{:?}", result.expect_err("refused"))
}

struct Ids {
    user: UserId,
    role: RoleId,
    grant: GrantId,
    site: SiteId,
    rule: AddressRuleId,
    session: SessionId,
}

/// Every function that takes an id, with that id; what each answers.
async fn answers(house: &House, ids: &Ids) -> Vec<String> {
    let cx = &house.admin_cx().await;
    let node = &house.node;
    let user = || UserPatch::default();
    let grant = |user, role, site| NewGrant { user, role, site };
    let own_role =
        node.create_role(cx, NewRole { name: format!("r{}", ids.user), rights: vec![] }).await.expect("made");
    vec![
        told(node.user(cx, ids.user).await.map(drop)),
        told(node.update_user(cx, ids.user, 1, user()).await.map(drop)),
        told(node.disable_user(cx, ids.user).await.map(drop)),
        told(node.enable_user(cx, ids.user).await.map(drop)),
        told(node.unlock_user(cx, ids.user).await.map(drop)),
        told(node.invite_user(cx, ids.user).await.map(drop)),
        told(node.switch_user(cx, ids.user, vec![]).await.map(drop)),
        told(node.delete_user(cx, ids.user, None).await),
        told(node.user_sessions(cx, ids.user).await.map(drop)),
        told(node.end_user_sessions(cx, ids.user).await.map(drop)),
        told(node.role(cx, ids.role).await.map(drop)),
        told(node.update_role(cx, ids.role, 1, RolePatch::default()).await.map(drop)),
        told(node.delete_role(cx, ids.role, None).await),
        told(node.create_grant(cx, grant(ids.user, own_role.id, None)).await.map(drop)),
        told(node.create_grant(cx, grant(house.admin, ids.role, None)).await.map(drop)),
        told(node.create_grant(cx, grant(house.admin, own_role.id, Some(ids.site))).await.map(drop)),
        told(node.delete_grant(cx, ids.grant).await),
        told(node.site(cx, ids.site).await.map(drop)),
        told(node.update_site(cx, ids.site, 1, SitePatch::default()).await.map(drop)),
        told(node.delete_site(cx, ids.site, None).await),
        told(node.address_rule(cx, ids.rule).await.map(drop)),
        told(node.delete_address_rule(cx, ids.rule, None).await),
        told(node.end_own_session(cx, ids.session).await),
    ]
}

#[tokio::test]
async fn another_tenants_ids_answer_as_missing_ones() {
    each(|house| async move {
        let (tenant, admin) = house.tenant("other").await;
        let knock = house.knock_at("other").await;
        let signed_in = done(house.node.sign_in(&knock, &browser(), "admin", secret(PASSWORD)).await);
        let passage = sekisho_kernel::hook::Sessions::resolve(&house.node, &knock, &signed_in.token).await;
        let cx = passage.expect("a passage").cx.clone();
        assert_eq!(cx.tenant, tenant);
        let user = house.person(&cx, "marker", UserType::User, None).await.id;
        let site =
            house.node.create_site(&cx, NewSite { name: "s".into(), note: String::new() }).await.expect("made").id;
        let role = house.node.create_role(&cx, NewRole { name: "r".into(), rights: vec![] }).await.expect("made").id;
        let grant = house.node.create_grant(&cx, NewGrant { user, role, site: None }).await.expect("granted").id;
        let new = sekisho_identity::types::NewAddressRule { network: "192.0.2.0/24".into(), note: String::new() };
        let rule = house.node.create_address_rule(&cx, new).await.expect("added").id;
        let theirs = Ids { user, role, grant, site, rule, session: signed_in.session };
        let nobodys = Ids {
            user: UserId::from_bytes([7; 16]),
            role: RoleId::from_bytes([7; 16]),
            grant: GrantId::from_bytes([7; 16]),
            site: SiteId::from_bytes([7; 16]),
            rule: AddressRuleId::from_bytes([7; 16]),
            session: SessionId::from_bytes([7; 16]),
        };
        let (of_theirs, of_nobodys) = (answers(&house, &theirs).await, answers(&house, &nobodys).await);
        assert_eq!(of_theirs, of_nobodys);
        assert!(of_theirs.iter().all(|a| a.starts_with("SK-0003")), "{of_theirs:#?}");
        assert!(house.node.user(&cx, user).await.is_ok() && house.node.user(&cx, admin).await.is_ok());
        assert!(house.node.names(&house.admin_cx().await, vec![user]).await.expect("names").is_empty());
    })
    .await;
}

#[tokio::test]
async fn hosts_lead_to_their_tenant_and_are_taken_once() {
    each(|house| async move {
        let host = async |name: &str| house.node.host(name).await.expect("looked up");
        let (console, app) = (host("acme.console.localhost").await, host("acme.app.localhost").await);
        let (console, app) = (console.expect("there"), app.expect("there"));
        assert_eq!((console.tenant, console.kind), (house.tenant, HostKind::Console));
        assert_eq!((app.tenant, app.kind), (house.tenant, HostKind::Application));
        assert!(host("nobody.example").await.is_none() && host("ACME.app.localhost").await.is_none());
        let home = house.node.console_host(house.tenant).await.expect("looked up").expect("there");
        assert_eq!(home.host, "acme.console.localhost");
        let new = |console: &str, app: &str| NewTenant {
            name: "Two".into(),
            console_host: console.into(),
            app_host: app.into(),
            admin_name: "admin".into(),
        };
        let make = async |new| house.node.create_tenant(Job::Command, new).await;
        for bad in [
            new("acme.app.localhost", "two.app.localhost"),
            new("two.localhost", "two.localhost"),
            new("Two.localhost", "two.app.localhost"),
        ] {
            assert_eq!(code(make(bad).await), p::BAD_HOST.code);
        }
        assert!(host("two.app.localhost").await.is_none());
        house.tick();
        let made = make(new("two.console.localhost", "two.app.localhost")).await.expect("made");
        assert_eq!(host("two.app.localhost").await.expect("known at once").tenant, made.tenant);
        let named = house.node.tenants().await.expect("listed");
        assert_eq!(named.iter().map(|(_, n)| n.as_str()).collect::<Vec<_>>(), ["acme K.K.", "Two"]);
    })
    .await;
}
