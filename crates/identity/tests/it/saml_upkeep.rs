//! A provider's metadata is read again where it is published; of what changed, only what its own key has signed is believed.

use std::time::Duration;

use sekisho_identity::types::{ProviderPatch, ProviderView};
use sekisho_kernel::{Cx, egress::Unreached};

use crate::{
    house::{House, each},
    saml::{back, changed, leave, provider, said},
    saml_idp::{ENTITY, Key, METADATA_URL, Said, metadata, signed_metadata},
};

const DAY: Duration = Duration::from_secs(86_400);

async fn at_an_address(house: &House, cx: &Cx, keys: &[Key]) -> ProviderView {
    let p = provider(house, cx).await;
    house.idp.put(METADATA_URL, 200, metadata(ENTITY, keys, ""));
    let load = ProviderPatch { metadata_url: Some(METADATA_URL.into()), ..ProviderPatch::default() };
    changed(house, cx, &p, load).await.expect("loaded")
}

/// What a look finds, and how many certificates are registered then.
async fn look(house: &House, p: &ProviderView) -> (&'static str, usize) {
    house.pass(DAY);
    house.node.keep_up_saml().await.expect("looked after");
    let admin = house.admin_cx().await;
    let saml = house.node.provider(&admin, p.id).await.unwrap().saml.unwrap();
    (saml.look.map_or("none", |l| l.found), saml.certificates.len())
}

async fn signs(house: &House, p: &ProviderView, by: Key) -> bool {
    let leaving = leave(house, p).await;
    let said = Said { by, ..said(house, Some(&leaving), "hanako") };
    back(house, Some(&leaving), &said).await.is_ok()
}

#[tokio::test]
async fn what_the_providers_own_key_has_signed_is_taken_over() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = at_an_address(&house, &admin, &[Key::Present]).await;
        assert_eq!(look(&house, &p).await, ("same", 1));
        house.idp.put(METADATA_URL, 200, signed_metadata(ENTITY, &[Key::Present, Key::Next], Key::Present));
        assert_eq!(look(&house, &p).await, ("taken", 2));
        assert!(signs(&house, &p, Key::Present).await && signs(&house, &p, Key::Next).await);
        house.idp.put(METADATA_URL, 200, signed_metadata(ENTITY, &[Key::Next], Key::Next));
        assert_eq!(look(&house, &p).await, ("taken", 1));
        assert!(!signs(&house, &p, Key::Present).await && signs(&house, &p, Key::Next).await);
        // An old document cannot bring the old key back, whoever has signed it.
        for old in [
            signed_metadata(ENTITY, &[Key::Present, Key::Next], Key::Present),
            signed_metadata(ENTITY, &[Key::Present, Key::Next], Key::Next),
        ] {
            house.idp.put(METADATA_URL, 200, old);
            assert_eq!(look(&house, &p).await, ("waiting", 1));
            assert!(!signs(&house, &p, Key::Present).await);
        }
        let admin = house.admin_cx().await;
        let rows = house.history().await;
        let looks = rows.iter().filter(|r| r.event == "provider.refresh" && r.actor == "system:federation").count();
        assert_eq!(looks, 5);
        // An administrator may.
        let load = ProviderPatch { metadata_url: Some(METADATA_URL.into()), ..ProviderPatch::default() };
        changed(&house, &admin, &p, load).await.expect("loaded");
        assert!(signs(&house, &p, Key::Present).await);
        assert_eq!(look(&house, &p).await, ("same", 2));
    })
    .await;
}

#[tokio::test]
async fn what_anybody_could_have_written_changes_nothing_and_is_shown() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = at_an_address(&house, &admin, &[Key::Present]).await;
        for (hostile, found) in [
            (metadata(ENTITY, &[Key::Present, Key::Next], ""), "waiting"),
            (metadata(ENTITY, &[Key::Next], ""), "waiting"),
            (signed_metadata(ENTITY, &[Key::Next], Key::Next), "waiting"),
            (signed_metadata(ENTITY, &[Key::Present], Key::Present).replace("/sso", "/evil"), "waiting"),
            (metadata(ENTITY, &[Key::Present], " validUntil=\"2999-01-01T00:00:00Z\""), "waiting"),
            (metadata("https://other.example", &[Key::Present], ""), "failed"),
            (metadata(ENTITY, &[], ""), "failed"),
            (metadata(ENTITY, &[Key::Present], " validUntil=\"2020-01-01T00:00:00Z\""), "failed"),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(), "failed"),
            (" ".repeat(600_000), "failed"),
            (String::new(), "failed"),
        ] {
            house.idp.put(METADATA_URL, 200, hostile.clone());
            assert_eq!(look(&house, &p).await, (found, 1), "{hostile:.200}");
            assert!(signs(&house, &p, Key::Present).await && !signs(&house, &p, Key::Next).await);
        }
        house.idp.put(METADATA_URL, 500, metadata(ENTITY, &[Key::Present], ""));
        assert_eq!(look(&house, &p).await, ("failed", 1));
        house.idp.gone(METADATA_URL);
        assert_eq!(look(&house, &p).await, ("failed", 1));
        let admin = house.admin_cx().await;
        let saml = house.node.provider(&admin, p.id).await.unwrap().saml.unwrap();
        let says = saml.look.and_then(|l| l.says).expect("why");
        assert!(says.en.ends_with(&*Unreached::Name.text().en), "{}", says.en);
        // It is asked again within the hour, not at every turn.
        let asked = house.idp.times(METADATA_URL);
        house.node.keep_up_saml().await.unwrap();
        assert_eq!(house.idp.times(METADATA_URL), asked);
        house.pass(Duration::from_secs(3_600));
        house.node.keep_up_saml().await.unwrap();
        assert_eq!(house.idp.times(METADATA_URL), asked + 1);
    })
    .await;
}
