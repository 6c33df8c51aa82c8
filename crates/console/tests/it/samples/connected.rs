//! Samples of what acts beside people: third-party applications, API tokens, signing clients.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::types::{ApplicationState as S, *};
use sekisho_kernel::{Lang, Right};

use super::{alone, at, id, j, shell};

fn signing_key(state: KeyState) -> SigningKeyView {
    let (kid, starts, ends) = match state {
        KeyState::Past => ("5kQ0oS8iXv3mJzq1m2tLrYw7eB4nC9dF6gH0jK2lM4N", 12_960_000, Some(at(-100_000))),
        KeyState::Signing => ("b9V1cX3zL5kJ7hG9fD1sA3qW5eR7tY9uI1oP3aS5dF7", 500_000, Some(at(-8_000_000))),
        KeyState::Next => ("q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C", -7_400_000, None),
    };
    SigningKeyView { kid: kid.into(), alg: "RS256", state, starts: at(starts), ends }
}

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
        openid: n < 3,
        post_logout_redirect_uris: vec!["https://expenses.example/bye".into()],
        require_pushed_authorization_requests: false,
        dpop_bound_access_tokens: n == 2,
        device_authorization: n == 1,
        backchannel_logout_uri: (n == 2).then(|| "https://expenses.example/backchannel".into()),
        backchannel_logout_session_required: n == 2,
        logouts: LogoutsView {
            sent: 42,
            dropped: 0,
            failing: i64::from(n == 2),
            trouble: (n == 2).then(|| "unreached".into()),
        },
        state,
    };
    put(
        "applications",
        &applications::ApplicationsPage {
            p: shell(lang, m::APPLICATIONS, "/applications"),
            rows: vec![application(1, S::Pending), application(2, S::Approved), application(3, S::Stopped)],
            keys: [KeyState::Past, KeyState::Signing, KeyState::Next].map(signing_key).to_vec(),
            matrix: roles::matrix(&[]),
            next: None,
            paged: false,
        },
    );
    put(
        "consent",
        &authorize::ConsentPage {
            p: alone(lang, m::CONSENT_TITLE, "/oauth/authorize"),
            name: j(lang, "経費精算", "Expenses"),
            person: PersonScope::ALL.to_vec(),
            rights: vec![Right::USERS_READ, Right::SITES_READ],
            request: "sealed".into(),
        },
    );
    let p = alone(lang, m::DEVICE_TITLE, "/device");
    put("device", &device::DevicePage { p: p.clone(), code: "WDJB-MJHT".into() });
    put(
        "device-consent",
        &device::DeviceConsentPage {
            p,
            name: j(lang, "集計コマンド", "Report command"),
            code: "WDJB-MJHT".into(),
            person: vec![PersonScope::Openid],
            rights: vec![Right::USERS_READ],
            request: "sealed".into(),
        },
    );
    for (sample, name) in [("leave", j(lang, "経費精算", "Expenses")), ("leave-unknown", String::new())] {
        let p = alone(lang, m::LEAVE_TITLE, "/oauth/logout");
        put(sample, &authorize::LeavePage { p, name, request: "sealed".into() });
    }
    let consent = ConsentView {
        id: id(4),
        version: 1,
        created: at(90_000),
        updated: at(4_000),
        application: id(1),
        name: j(lang, "経費精算", "Expenses"),
        rights: vec!["users.read".into()],
        person: vec![PersonScope::Openid, PersonScope::Profile],
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
    let group = |n: u8, name: &str, role: bool| MappedGroupView {
        id: id(n),
        version: 3,
        created: at(90_000),
        updated: at(4_000),
        name: name.into(),
        members: 12,
        role: role.then(|| id(7)),
        site: None,
    };
    let call = |n: u8, name: &'static str, outcome: &'static str, why: Option<&'static sekisho_kernel::ProblemKind>| {
        let event = sekisho_kernel::event::by_name(name).expect("an event");
        provisioning::CallRow {
            id: id(n),
            at: at(4_000).rfc3339(),
            local_time: "2026-05-14 09:12:31 +09:00".into(),
            says: event.text.clone(),
            event: name.into(),
            outcome: history::outcome(outcome),
            target: "usr_0198c2b400007000800000000000002a".into(),
            code: why.map(|w| w.code.to_owned()).unwrap_or_default(),
            why,
            place: if why.is_some() { "emails".into() } else { String::new() },
            ignored: if why.is_none() { "nickNames shoeSize".into() } else { String::new() },
        }
    };
    let connection = |n: u8, name: &str, active: bool| ConnectionView {
        user: id(n),
        created: at(90_000),
        name: name.into(),
        active,
        subject_provider: active.then(|| id(9)),
        tokens: if active { vec![token(n, Some(4_000))] } else { Vec::new() },
    };
    for (name, open) in [("provisioning", true), ("provisioning-empty", false)] {
        let some = |list: Vec<provisioning::CallRow>| if open { list } else { Vec::new() };
        put(
            name,
            &provisioning::ProvisioningPage {
                p: shell(lang, m::PROVISIONING, "/provisioning"),
                address: "https://acme.console.localhost/scim/v2".into(),
                open,
                connections: if open {
                    vec![connection(1, "Entra ID", true), connection(2, "Okta", false)]
                } else {
                    Vec::new()
                },
                providers: if open {
                    vec![Choice::new("", m::SCIM_SUBJECTS_NONE.get(lang)), Choice::new("idp_x", "Entra ID")]
                } else {
                    Vec::new()
                },
                groups: if open {
                    vec![group(3, "Sales", true), group(4, &j(lang, "開発部", "Development"), false)]
                } else {
                    Vec::new()
                },
                roles: vec![
                    Choice::new("", m::NO_ROLE.get(lang)),
                    Choice::new(id::<sekisho_kernel::id::RoleKind>(7).to_string(), j(lang, "監査", "Auditors")),
                ],
                sites: vec![Choice::new("", m::WHOLE_TENANT.get(lang)), Choice::new("x", j(lang, "大阪", "Osaka"))],
                calls: Some(some(vec![
                    call(5, "user.create", "success", None),
                    call(6, "user.update", "failed", Some(&sekisho_identity::problems::SCIM_VALUE)),
                ])),
                next: None,
                paged: false,
            },
        );
    }
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

/// A passkey: one that is kept by a synchronising service, and one that was never used.
pub fn passkey(lang: Lang, n: u8) -> PasskeyView {
    PasskeyView {
        id: id(130 + n),
        version: 1,
        created: at(86_400 * 30),
        updated: at(86_400 * 30),
        name: if n == 0 { j(lang, "社用スマートフォン", "Work phone") } else { "YubiKey 5C".into() },
        last_used: (n == 0).then(|| at(4_000)),
        authenticator: "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4".into(),
        attestation: "none",
        backed_up: n == 0,
        recovery_left: 8,
    }
}
