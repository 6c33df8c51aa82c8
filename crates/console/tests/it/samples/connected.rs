//! Samples of what acts beside people: third-party applications, API tokens, signing clients.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::types::{ApplicationState as S, *};
use sekisho_kernel::{Lang, Right};

use super::{alone, at, id, j, shell};

/// Puts each of them.
pub fn put_all(lang: Lang, put: &mut dyn FnMut(&'static str, &dyn askama::DynTemplate)) {
    let application = |n: u8, state| ApplicationView {
        id: id(n),
        version: 2,
        created: at(90_000),
        updated: at(4_000),
        name: j(lang, "経費精算", "Expenses"),
        redirect_uris: vec!["https://expenses.example/callback".into()],
        rights: vec!["users.read".into()],
        confidential: true,
        account: None,
        state,
    };
    put(
        "applications",
        &applications::ApplicationsPage {
            p: shell(lang, m::APPLICATIONS, "/applications"),
            rows: vec![application(1, S::Pending), application(2, S::Approved), application(3, S::Stopped)],
            matrix: roles::matrix(&[]),
            next: None,
            paged: false,
        },
    );
    put(
        "consent",
        &applications::ConsentPage {
            p: alone(lang, m::CONSENT_TITLE, "/oauth/authorize"),
            name: j(lang, "経費精算", "Expenses"),
            rights: vec![Right::USERS_READ, Right::SITES_READ],
            request: "sealed".into(),
        },
    );
    let consent = ConsentView {
        id: id(4),
        version: 1,
        created: at(90_000),
        updated: at(4_000),
        application: id(1),
        name: j(lang, "経費精算", "Expenses"),
        rights: vec!["users.read".into()],
    };
    put(
        "consents",
        &applications::ConsentsPage { p: shell(lang, m::CONSENTS, "/account/applications"), rows: vec![consent] },
    );
    let token = |n: u8, used: Option<i64>| TokenView {
        id: id(n),
        version: 1,
        created: at(90_000),
        updated: at(90_000),
        user: id(1),
        name: j(lang, "夜間の集計", "Nightly figures"),
        rights: vec!["users.read".into(), "history.read".into()],
        networks: vec!["203.0.113.0/24".into()],
        last_used: used.map(at),
        expires_at: at(-7_776_000),
        ends_unused_at: at(-7_000_000),
    };
    let row = |n, used| tokens::TokenRow { token: token(n, used), owner: j(lang, "集計", "Figures") };
    for (name, own) in [("tokens", false), ("own-tokens", true)] {
        put(
            name,
            &tokens::TokensPage {
                p: shell(lang, m::TOKENS, if own { "/account/tokens" } else { "/tokens" }),
                own,
                action: if own { "/account/tokens" } else { "/tokens" },
                rows: vec![row(1, Some(4_000)), row(2, None)],
                matrix: roles::matrix(&[]),
                can_issue: true,
                can_end: true,
                next: None,
                paged: false,
            },
        );
    }
    put(
        "token-issued",
        &tokens::TokenIssuedPage {
            p: shell(lang, m::TOKEN_ISSUED, "/tokens"),
            name: j(lang, "夜間の集計", "Nightly figures"),
            text: "skt_sample-of-a-token-with-43-characters-0123456".into(),
            onward: "/tokens",
        },
    );
    let client = |n: u8, disabled| ClientView {
        id: id(n),
        version: 2,
        created: at(90_000),
        updated: at(4_000),
        name: j(lang, "販売管理", "Sales desk"),
        note: j(lang, "本社の社内ポータル", "The portal at head office"),
        disabled,
    };
    put(
        "clients",
        &clients::ClientsPage {
            p: shell(lang, m::CLIENTS, "/clients"),
            clients: vec![client(1, false), client(2, true)],
            next: None,
            paged: false,
        },
    );
    let link = clients::LinkRow {
        id: id(3),
        unique_id: "EMP-00417".into(),
        user: id(1),
        name: j(lang, "佐藤 花子", "Hanako Sato"),
    };
    put(
        "client",
        &clients::ClientPage {
            p: Shell { title: client(1, false).name, ..shell(lang, m::CLIENTS, "/clients/cli") },
            client: client(1, false),
            links: vec![link],
        },
    );
    put(
        "client-issued",
        &clients::ClientIssuedPage {
            p: shell(lang, m::CLIENT_ISSUED, "/clients/cli"),
            client: client(1, false),
            key: "kJ3v0x-sample-key-of-43-characters-oB1yZ9Qw".into(),
        },
    );
}
