//! A role that an identity provider's claims give and a provisioned group gives too: neither takes away what is the other's.

use sekisho_identity::types::{GrantQuery, GroupMap, NewRole, ProviderPatch, RoleRule};
use sekisho_kernel::id::ScimGroupId;
use serde_json::json;

use crate::{
    federation::{makes_people, provider, round},
    house::{done, each},
    scim::{self, BASE},
};

#[tokio::test]
async fn a_role_of_claims_and_group_stays_while_one_of_them_gives_it() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let role = NewRole { name: "auditor".into(), rights: vec!["history.read".into()] };
        let role = house.node.create_role(&admin, role).await.unwrap().id;
        let rules = vec![RoleRule { claim: "groups".into(), value: "audit".into(), role }];
        let p = provider(&house, &admin, ProviderPatch { rules: Some(rules), ..makes_people() }).await;
        let user = done(round(&house, &p, "hanako", json!({"groups": []})).await).user.id;
        let idp = scim::provider(&house, &admin).await;
        let group = json!({"displayName": "Audit", "members": [{"value": user}]});
        let group: ScimGroupId =
            house.node.scim_create_group(&idp, BASE, &group).await.unwrap().id.parse().expect("an id");
        let gives = |role| GroupMap { role, site: None };
        let held = async || {
            house.tick();
            let query = GrantQuery { user: Some(user), ..GrantQuery::default() };
            let grants = house.node.grants(&admin, query).await.unwrap().items;
            grants.iter().map(|g| (g.direct, g.groups.len())).collect::<Vec<_>>()
        };
        let comes = async |groups: &[&str]| {
            house.tick();
            done(round(&house, &p, "hanako", json!({"groups": groups})).await)
        };

        house.node.map_group(&admin, group, None, gives(Some(role))).await.unwrap();
        assert_eq!(held().await, [(false, 1)]);
        comes(&[]).await;
        assert_eq!(held().await, [(false, 1)], "claims take nothing that is a group's");
        comes(&["audit"]).await;
        assert_eq!(held().await, [(true, 1)]);
        comes(&[]).await;
        assert_eq!(held().await, [(false, 1)]);
        comes(&["audit"]).await;
        house.node.map_group(&admin, group, None, gives(None)).await.unwrap();
        assert_eq!(held().await, [(true, 0)], "a group takes nothing that is the claims'");
        comes(&[]).await;
        assert!(held().await.is_empty());
    })
    .await;
}
