//! Samples of outside identity providers: the sign-in page that offers them, their settings, what is linked.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::types::*;
use sekisho_kernel::{Lang, Text};

use super::{alone, at, id, j, shell};

fn way(lang: Lang) -> WayIn {
    WayIn { id: id(21), name: j(lang, "アクメ ID", "Acme ID") }
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
            passkeys: true,
            providers: vec![way(lang)],
            by_mail: true,
        },
    );
    put(
        "providers",
        &providers::ProvidersPage {
            p: shell(lang, m::PROVIDERS, "/providers"),
            rows: vec![provider(lang, 21, true), provider(lang, 22, false)],
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
    for (name, checks) in [("provider", None), ("provider-tested", Some(vec![good, bad]))] {
        put(
            name,
            &providers::ProviderPage {
                p: Shell { title: way(lang).name, ..shell(lang, m::PROVIDERS, "/providers/idp") },
                provider: provider(lang, 21, true),
                scopes: "profile email groups".into(),
                callback: format!(
                    "https://acme.console.localhost/federation/{}/callback",
                    id::<sekisho_kernel::id::ProviderKind>(21)
                ),
                logout: format!(
                    "https://acme.console.localhost/federation/{}/logout",
                    id::<sekisho_kernel::id::ProviderKind>(21)
                ),
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
