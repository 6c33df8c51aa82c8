//! A person whom a believed SCIM client makes comes in by the provider at once; nothing that the client, another client or another
//! provider says afterwards leads anybody else to the account.

use sekisho_identity::types::{NewConnection, ProviderPatch, ScimPrecondition, UserState};
use sekisho_kernel::{
    Cx, Problem,
    actor::Via,
    hook::{Knock, Sessions},
    id::{ProviderId, UserId},
};
use serde_json::{Value, json};

use crate::{
    federation::{comes_in, makes_people, provider, round},
    house::{House, code, defaults, each, one_under},
    saml, scim,
    scim::BASE,
};

const ANY: ScimPrecondition = ScimPrecondition { matches: None };

async fn connected(house: &House, admin: &Cx, provider: Option<ProviderId>) -> Result<Cx, Problem> {
    house.tick();
    let name = format!("client {}", house.now().micros());
    let new = NewConnection { name, networks: Vec::new(), days: 30, subject_provider: provider };
    let token = house.node.create_connection(admin, new).await?.text;
    let knock = Knock { via: Via::Scim, ..house.here().await };
    Ok(house.node.resolve(&knock, &token).await.expect("admitted").cx.clone())
}

fn person(name: &str, external: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": external, "active": true})
}

async fn made(house: &House, client: &Cx, name: &str, external: &str) -> Result<UserId, Problem> {
    house.tick();
    let made = house.node.scim_create_user(client, BASE, &person(name, external)).await?;
    Ok(made.id.parse().expect("an id"))
}

#[tokio::test]
async fn whom_a_believed_client_makes_comes_in_at_once() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, ProviderPatch::default()).await;
        let client = connected(&house, &admin, Some(p.id)).await.expect("connected");
        let taro = made(&house, &client, "taro", "sub-1").await.expect("made");
        assert_eq!(house.node.user(&admin, taro).await.expect("seen").state, UserState::Active);
        assert_eq!(comes_in(&house, &p, "sub-1").await.user.id, taro);
        assert_eq!(code(round(&house, &p, "sub-2", json!({})).await), "SK-4053", "and nobody else does");
        let rows = house.history().await;
        let entry = rows.iter().find(|r| r.event == "user.create" && r.object == taro.to_string()).expect("its entry");
        assert!(entry.detail.iter().any(|(n, v)| n == "provider" && *v == p.id.to_string()), "{entry:?}");
        let setting = rows.iter().find(|r| r.event == "provisioning.create").expect("its entry");
        assert!(setting.detail.iter().any(|(n, _)| n == "subject_provider"), "{setting:?}");
        let listed = house.node.connections(&admin).await.expect("listed");
        assert_eq!(listed[0].subject_provider, Some(p.id));
        // A person who leaves and comes back is the same one.
        let state = async |active: bool| {
            house.tick();
            let body = json!({"Operations": [{"op": "Replace", "path": "active", "value": active}]});
            house.node.scim_patch_user(&client, BASE, taro, &ANY, &body).await.expect("changed");
        };
        state(false).await;
        assert_eq!(code(round(&house, &p, "sub-1", json!({})).await), "SK-4050");
        state(true).await;
        assert_eq!(comes_in(&house, &p, "sub-1").await.user.id, taro);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_led_to_another_account() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, ProviderPatch::default()).await;
        let other = provider(&house, &admin, makes_people()).await;
        let client = connected(&house, &admin, Some(p.id)).await.expect("connected");
        let plain = connected(&house, &admin, None).await.expect("connected");
        let taro = made(&house, &client, "taro", "sub-1").await.expect("made");

        // Another provider's same subject is another person.
        assert_ne!(comes_in(&house, &other, "sub-1").await.user.id, taro);
        // A client that nobody believes says what it likes.
        let hanako = made(&house, &plain, "hanako", "sub-2").await.expect("made");
        assert_eq!(house.node.user(&admin, hanako).await.expect("seen").state, UserState::Invited);
        assert_eq!(code(round(&house, &p, "sub-2", json!({})).await), "SK-4053");
        // A subject that is somebody's stays theirs, whoever says otherwise.
        assert_eq!(code(made(&house, &client, "jiro", "sub-1").await), "SK-4170");
        assert!(
            scim::found(&house, &client, "userName eq \"jiro\"").await.expect("looked").is_empty(),
            "nothing is left of it"
        );

        // What is said later moves nobody: not to an attacker's subject, nor away from one's own.
        for (id, by) in [(taro, &client), (taro, &plain), (hanako, &client)] {
            house.tick();
            let body = json!({"Operations": [{"op": "Replace", "path": "externalId", "value": "sub-9"}]});
            house.node.scim_patch_user(by, BASE, id, &ANY, &body).await.expect("changed");
            assert_eq!(code(round(&house, &p, "sub-9", json!({})).await), "SK-4053");
        }
        house.tick();
        house.node.scim_replace_user(&client, BASE, hanako, &ANY, &person("hanako", "sub-8")).await.expect("changed");
        assert_eq!(code(round(&house, &p, "sub-8", json!({})).await), "SK-4053");
        assert_eq!(comes_in(&house, &p, "sub-1").await.user.id, taro);

        // A provider that is gone vouches for nobody, and who comes after it is another.
        let seen =
            house.node.providers(&admin, sekisho_identity::types::After { after: None, limit: 50 }).await.expect("all");
        let p = seen.items.into_iter().find(|x| x.id == p.id).expect("there");
        house.node.delete_provider(&admin, p.id, Some(p.version)).await.expect("deleted");
        let saburo = made(&house, &client, "saburo", "sub-3").await.expect("made");
        assert_eq!(house.node.user(&admin, saburo).await.expect("seen").state, UserState::Invited);
    })
    .await;
}

#[tokio::test]
async fn who_is_believed_is_a_federation_administrators_to_say() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, ProviderPatch::default()).await;
    assert_eq!(code(connected(&house, &admin, Some(ProviderId::from_bytes([9; 16]))).await), "SK-0003");
    let saml = saml::provider(&house, &admin).await.id;
    assert_eq!(code(connected(&house, &admin, Some(saml)).await), "SK-0003", "a name of SAML is more than its text");
    let client = connected(&house, &admin, Some(p.id)).await.expect("connected");
    for bad in ["a\u{7}b", &"x".repeat(256)] {
        assert_eq!(code(made(&house, &client, "taro", bad).await), "SK-4094", "{}", bad.len());
    }
    house.tick();
    let role = sekisho_identity::types::NewRole {
        name: "connector".into(),
        rights: vec!["tokens.write".into(), "users.provision".into()],
    };
    let role = house.node.create_role(&admin, role).await.expect("a role");
    let taro = house.person(&admin, "taro", sekisho_kernel::access::UserType::User, None).await;
    let grant = sekisho_identity::types::NewGrant { user: taro.id, role: role.id, site: None };
    house.node.create_grant(&admin, grant).await.expect("granted");
    let own = house.cx("taro").await;
    assert_eq!(code(connected(&house, &own, Some(p.id)).await), "SK-4013");
    assert!(connected(&house, &own, None).await.is_ok());
}
