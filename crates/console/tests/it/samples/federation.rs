//! Samples of outside identity providers: the sign-in page that offers them, their settings, what is linked.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::types::*;
use sekisho_kernel::{Lang, Text};

use super::{alone, at, id, j, shell};

fn way(lang: Lang) -> WayIn {
    WayIn { id: id(21), name: j(lang, "アクメ ID", "Acme ID") }
}

/// The account of somebody whom a provider alone signs in.
pub fn without_password(lang: Lang, me: Me, confirmed: bool) -> account::AccountPage {
    account::AccountPage {
        p: shell(lang, m::ACCOUNT, "/account"),
        rights: Vec::new(),
        site_rights: Vec::new(),
        me,
        factors: Vec::new(),
        can_enrol: true,
        passkeys: Vec::new(),
        can_register: true,
        confirm_at: vec![way(lang)],
        confirmed,
        alone: true,
        recovery_left: None,
        rule: String::new(),
    }
}

fn provider(lang: Lang, n: u8, enabled: bool) -> ProviderView {
    ProviderView {
        id: id(n),
        version: 4,
        created: at(90_000),
        updated: at(4_000),
        name: way(lang).name,
        protocol: "oidc",
        issuer: "https://login.acme.example/realms/staff".into(),
        client_id: "sekisho-console".into(),
        has_secret: true,
        scopes: vec!["profile".into(), "email".into(), "groups".into()],
        userinfo: false,
        enabled,
        button: true,
        create_users: true,
        trusts_factor: false,
        claims: ClaimNames { name: "preferred_username".into(), display_name: "name".into(), mail: "email".into() },
        rules: Vec::new(),
        saml: None,
    }
}

/// The same by SAML.
fn by_saml(lang: Lang, n: u8) -> ProviderView {
    let certificate = |end: i64| CertificateView {
        fingerprint: "5f0c1d2e3a4b5968778695a4b3c2d1e0f5f0c1d2e3a4b5968778695a4b3c2d1e".into(),
        not_after: at(end),
    };
    ProviderView {
        name: j(lang, "アクメ 認証基盤", "Acme Access"),
        protocol: "saml",
        issuer: "https://sts.acme.example/4f1c-staff/".into(),
        client_id: String::new(),
        has_secret: false,
        scopes: Vec::new(),
        claims: ClaimNames { name: "NameID".into(), display_name: "displayName".into(), mail: "mail".into() },
        saml: Some(SamlView {
            certificates: vec![certificate(60_000), certificate(-900_000)],
            sign_on: "https://login.acme.example/4f1c-staff/saml2".into(),
            metadata_url: Some("https://login.acme.example/4f1c-staff/federationmetadata.xml".into()),
            read_at: at(4_000),
            valid_until: None,
            signed: SamlSigned::Assertion,
            encrypted: true,
            unsolicited: false,
            logout: Some("https://login.acme.example/4f1c-staff/saml2/logout".into()),
            single_logout: true,
            look: Some(SamlLookView {
                at: at(3_000),
                found: "waiting",
                certificates: vec!["5f0c1d2e3a4b5968778695a4b3c2d1e0f5f0c1d2e3a4b5968778695a4b3c2d1e".into()],
                says: None,
            }),
        }),
        ..provider(lang, n, true)
    }
}

fn key(n: u8, stage: KeyStage, made: i64, end: i64) -> SamlKeyView {
    SamlKeyView {
        id: id(n),
        version: 2,
        created: at(made),
        updated: at(4_000),
        stage,
        fingerprint: format!("{n:02x}").repeat(32),
        not_after: at(-end),
        due: stage == KeyStage::Current,
    }
}

fn domain(n: u8, name: &str, verified: bool) -> MailDomainView {
    MailDomainView {
        id: id(n),
        version: 1,
        created: at(90_000),
        updated: at(4_000),
        domain: name.into(),
        provider: id(21),
        record_name: format!("_sekisho-challenge.{name}"),
        record_value: "sekisho-domain-verification=kJ3v0x-sample-of-a-proof-43-characters-oB1yZ9Qw".into(),
        verified_at: verified.then(|| at(4_000)),
    }
}

/// Puts each of them.
pub fn put_all(lang: Lang, put: &mut dyn FnMut(&'static str, &dyn askama::DynTemplate)) {
    put(
        "sign-in-ways",
        &sign_in::SignInPage {
            p: alone(lang, m::SIGN_IN, "/sign-in"),
            known_name: String::new(),
            passwords: true,
            passkeys: true,
            providers: vec![way(lang)],
            by_mail: true,
        },
    );
    put(
        "providers",
        &providers::ProvidersPage {
            p: shell(lang, m::PROVIDERS, "/providers"),
            rows: vec![provider(lang, 21, true), provider(lang, 22, false), by_saml(lang, 23)],
            keys: vec![
                key(51, KeyStage::Old, 99_000_000, 900_000),
                key(52, KeyStage::Current, 90_000_000, 4_000_000),
                key(53, KeyStage::Next, 90_000, 94_000_000),
            ],
            next: None,
            paged: false,
        },
    );
    let rule = |at, value: &str, role| providers::RuleRow { at, claim: "groups".into(), value: value.into(), role };
    let good = Check {
        name: "discovery",
        good: true,
        says: Text::new(
            "発行者、エンドポイント、署名方式を確認しました。",
            "Issuer, endpoints and signature algorithms are good.",
        ),
    };
    let bad = Check {
        name: "keys",
        good: false,
        says: Text::new("鍵の一覧に、使える署名検証鍵がありません。", "The key set has no key that can be used."),
    };
    let known = Check {
        name: "metadata",
        good: true,
        says: Text::new("公開中のメタデータと一致しています。", "It is as the published metadata says."),
    };
    let ended = Check {
        name: "certificates",
        good: false,
        says: Text::new(
            "署名用の証明書の期限がすべて 30 日以内か、過ぎています。",
            "Every certificate for signatures ends within 30 days, or has ended.",
        ),
    };
    let samples = [
        ("provider", provider(lang, 21, true), None),
        ("provider-tested", provider(lang, 21, true), Some(vec![good, bad])),
        ("provider-saml", by_saml(lang, 23), Some(vec![known, ended])),
    ];
    for (name, provider, checks) in samples {
        let own = |path: &str| {
            let id = id::<sekisho_kernel::id::ProviderKind>(21);
            format!("https://acme.console.localhost/federation/{id}/{path}")
        };
        put(
            name,
            &providers::ProviderPage {
                p: Shell { title: provider.name.clone(), ..shell(lang, m::PROVIDERS, "/providers/idp") },
                scopes: provider.scopes.join(" "),
                provider,
                callback: own("callback"),
                logout: own("logout"),
                saml: providers::SamlAddresses {
                    entity: "https://acme.console.localhost/saml/metadata".into(),
                    acs: "https://acme.console.localhost/saml/acs".into(),
                    slo: "https://acme.console.localhost/saml/slo".into(),
                },
                signatures: vec![
                    Choice::new("assertion", j(lang, "アサーション", "The assertion's")),
                    Choice::new("response", j(lang, "応答全体", "The response's")),
                ],
                rules: vec![
                    rule(0, "audit", j(lang, "監査担当", "Audit")),
                    rule(1, "helpdesk", j(lang, "ヘルプデスク", "Help desk")),
                ],
                roles: vec![Choice::new("rol_1", j(lang, "監査担当", "Audit"))],
                domains: vec![domain(31, "acme.example", true), domain(32, "acme.co.jp", false)],
                checks,
            },
        );
    }
    let linked = IdentityView {
        id: id(41),
        version: 1,
        created: at(90_000),
        updated: at(4_000),
        provider: id(22),
        provider_name: j(lang, "旧アクメ ID", "Old Acme ID"),
        user: id(1),
        subject: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6".into(),
        name: "hanako.sato".into(),
    };
    put(
        "identities",
        &federation::IdentitiesPage {
            p: shell(lang, m::IDENTITIES, "/account/identities"),
            rows: vec![linked],
            ways: vec![way(lang)],
        },
    );
}
