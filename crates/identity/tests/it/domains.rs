//! A mail domain leads to a provider once control of it is proven, and for one organisation only.

use sekisho_identity::types::{After, MailDomainView, NewMailDomain, ProviderPatch, ProviderView};
use sekisho_kernel::Cx;

use crate::{
    federation::{makes_people, provider},
    house::{House, code, each},
};

async fn registered(house: &House, cx: &Cx, p: &ProviderView, domain: &str) -> MailDomainView {
    house.tick();
    house.node.create_domain(cx, NewMailDomain { domain: domain.into(), provider: p.id }).await.expect("registered")
}

async fn leads(house: &House, word: &str, mail: &str) -> bool {
    house.node.provider_of_mail(&house.knock_at(word).await, mail).await.unwrap().is_some()
}

#[tokio::test]
async fn a_domain_leads_nowhere_before_its_dns_record_is_there() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let made = registered(&house, &admin, &p, "@Example.JP").await;
        assert_eq!((made.domain.as_str(), made.record_name.as_str()), ("example.jp", "_sekisho-challenge.example.jp"));
        assert!(made.record_value.starts_with("sekisho-domain-verification=") && made.record_value.len() == 71);
        assert!(!leads(&house, "acme", "hanako@example.jp").await);
        assert!(!house.node.ways_in(&house.here().await).await.unwrap().by_mail);
        for texts in
            [&[][..], &["something else"], &["sekisho-domain-verification="], &[&format!("{} ", made.record_value)]]
        {
            house.idp.texts(&made.record_name, texts);
            assert_eq!(code(house.node.verify_domain(&admin, made.id).await), "SK-4057", "{texts:?}");
        }
        // The record of another domain, or at the domain itself, proves nothing.
        house.idp.texts("example.jp", &[&made.record_value]);
        house.idp.texts("_sekisho-challenge.other.jp", &[&made.record_value]);
        assert_eq!(code(house.node.verify_domain(&admin, made.id).await), "SK-4057");
        house.idp.texts(&made.record_name, &["spf", &made.record_value]);
        let proven = house.node.verify_domain(&admin, made.id).await.expect("proven");
        assert!(proven.verified_at.is_some());
        assert!(leads(&house, "acme", "Hanako@EXAMPLE.jp").await);
        assert!(house.node.ways_in(&house.here().await).await.unwrap().by_mail);
        for other in
            ["hanako@sub.example.jp", "hanako@example.jp.evil.com", "hanako@xexample.jp", "example.jp", "@example.jp"]
        {
            assert!(!leads(&house, "acme", other).await, "{other}");
        }
        assert_eq!(
            code(house.node.create_domain(&admin, NewMailDomain { domain: "example.jp".into(), provider: p.id }).await),
            "SK-0006"
        );
        house.node.delete_provider(&admin, p.id, None).await.expect("deleted");
        assert!(!leads(&house, "acme", "hanako@example.jp").await);
    })
    .await;
}

#[tokio::test]
async fn a_domain_is_one_organisations() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let (other, _) = house.tenant("other").await;
        let knock = house.knock_at("other").await;
        let step = house
            .node
            .sign_in(&knock, &crate::house::browser(), "admin", crate::house::secret(crate::house::PASSWORD))
            .await;
        let token = crate::house::done(step).token;
        let theirs = sekisho_kernel::hook::Sessions::resolve(&house.node, &knock, &token).await.unwrap().cx.clone();
        let q = provider(&house, &theirs, ProviderPatch::default()).await;
        let here = registered(&house, &admin, &p, "example.jp").await;
        let there = registered(&house, &theirs, &q, "example.jp").await;
        assert_ne!(here.record_value, there.record_value, "one's proof is not the other's");
        house.idp.texts(&here.record_name, &[&here.record_value]);
        assert_eq!(code(house.node.verify_domain(&theirs, there.id).await), "SK-4057");
        house.node.verify_domain(&admin, here.id).await.expect("proven");
        // Both records in DNS: the domain still leads to one organisation.
        house.idp.texts(&here.record_name, &[&here.record_value, &there.record_value]);
        assert_eq!(code(house.node.verify_domain(&theirs, there.id).await), "SK-4058");
        assert_eq!(code(house.node.vouch_domain(other, "example.jp").await), "SK-4058");
        assert!(leads(&house, "acme", "a@example.jp").await && !leads(&house, "other", "a@example.jp").await);
        house.node.delete_domain(&admin, here.id).await.expect("deleted");
        let taken = house.node.vouch_domain(other, "Example.JP").await.expect("an operator vouches");
        assert!(taken.verified_at.is_some() && leads(&house, "other", "a@example.jp").await);
        assert_eq!(code(house.node.vouch_domain(other, "unknown.jp").await), "SK-0003");
        assert_eq!(
            house.node.domains(&theirs, After { after: None, limit: 0 }, Some(q.id)).await.unwrap().items.len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_no_domain_is_not_registered() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        for bad in [
            "",
            "jp",
            "example",
            "a b.jp",
            "例え.jp",
            "example.jp/",
            "hanako@example.jp",
            "-a.jp",
            "192.0.2.1",
            &format!("{}.jp", "a.".repeat(120)),
        ] {
            let made = house.node.create_domain(&admin, NewMailDomain { domain: bad.into(), provider: p.id }).await;
            assert!(made.is_err(), "{bad}");
        }
    })
    .await;
}
