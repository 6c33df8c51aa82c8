//! One sample of every page, rendered in a language: for the test that none is missing in either, and for the gallery
//! that people look at.

#[path = "samples/connected.rs"]
mod connected;
#[path = "samples/federation.rs"]
mod federated;
#[path = "samples/risk.rs"]
mod judged;
#[path = "samples/proofs.rs"]
mod proofs;
#[path = "samples/relations.rs"]
mod related;
#[path = "samples/signals.rs"]
mod signalled;

use sekisho_console::{
    EntryView, Proof, messages as m,
    page::{self, *},
};
use sekisho_controls::catalogue::ClaimFile;
use sekisho_identity::types::*;
use sekisho_kernel::{
    Effective, Function, Lang, Policy, Right, Text, Time, Zone,
    access::UserType,
    claim::{Stage, Step, StepKind, StepResult, Verdict},
    gate::Gates as _,
    id::*,
    policy::show,
};

#[path = "samples/of_firewall.rs"]
mod of_firewall;
use proofs::proofs;

const NOW: i64 = 1_795_312_800;

fn at(before_secs: i64) -> Time {
    Time::from_secs(NOW - before_secs)
}

fn id<K: Kind>(n: u8) -> Id<K> {
    let mut bytes = [0x01, 0x9a, 0xaa, 0x31, 0x5c, 0x00, 0x7d, 0x3e, 0x9b, 0x41, 0, 0, 0, 0, 0, 0];
    bytes[15] = n;
    bytes[12] = n.wrapping_mul(37);
    Id::from_bytes(bytes)
}

fn j(lang: Lang, ja: &str, en: &str) -> String {
    if lang == Lang::Ja { ja.into() } else { en.into() }
}

fn shell(lang: Lang, title: &Text, path: &str) -> Shell {
    let rights: Vec<Right> = Right::all().collect();
    Shell {
        lang,
        theme: "auto",
        csrf: "sample".into(),
        path: path.into(),
        title: title.get(lang).into(),
        host: "acme.console.localhost".into(),
        who: Some(Who { name: j(lang, "佐藤 花子", "Hanako Sato"), kind: UserType::Administrator }),
        nav: nav(&rights),
        rights,
        zone: Zone::parse("JST").expect("a zone"),
        zone_fixed: true,
        done: None,
        returned: None,
    }
}

fn alone(lang: Lang, title: &Text, path: &str) -> Shell {
    Shell { who: None, nav: Vec::new(), rights: Vec::new(), ..shell(lang, title, path) }
}

fn user(lang: Lang, n: u8) -> UserView {
    let people = [
        ("hanako.sato", "佐藤 花子", "Hanako Sato", UserType::Administrator, UserState::Active, true),
        ("taro.suzuki", "鈴木 太郎", "Taro Suzuki", UserType::Approver, UserState::Active, true),
        ("yui.takahashi", "高橋 結衣", "Yui Takahashi", UserType::User, UserState::Invited, false),
        ("ren.tanaka", "田中 蓮", "Ren Tanaka", UserType::User, UserState::Active, false),
        ("mei.ito", "伊藤 芽依", "Mei Ito", UserType::User, UserState::Disabled, false),
    ];
    let (name, ja, en, kind, state, has_factor) = people[usize::from(n) % people.len()];
    UserView {
        id: id(n),
        version: 3,
        created: at(86_400 * 90),
        updated: at(86_400 * i64::from(n + 1)),
        name: name.into(),
        display_name: j(lang, ja, en),
        mail: (n != 4).then(|| format!("{name}@example.co.jp")),
        kind,
        site: (n % 2 == 1).then(|| id(40)),
        state,
        locked_until: (n == 3).then(|| at(-1_500)),
        has_factor,
        functions_off: if n == 3 { vec!["application".into()] } else { Vec::new() },
        service: false,
        terms: (n < 2)
            .then(|| sekisho_identity::types::AcceptedView { version: "2026-04-01".into(), at: at(86_400 * 3) }),
    }
}

fn site(lang: Lang, n: u8) -> SiteView {
    let names = [
        ("東京本店", "Tokyo head office"),
        ("大阪支店", "Osaka branch"),
        ("福岡データセンター", "Fukuoka data centre"),
    ];
    let (ja, en) = names[usize::from(n) % 3];
    SiteView {
        id: id(40 + n),
        version: 1,
        created: at(86_400 * 200),
        updated: at(86_400 * 20),
        name: j(lang, ja, en),
        note: if n == 0 { j(lang, "本社機能、監査部門", "Headquarters and audit") } else { String::new() },
    }
}

fn role(lang: Lang, n: u8) -> RoleView {
    let names = [("監査担当", "Audit"), ("ヘルプデスク", "Help desk")];
    let (ja, en) = names[usize::from(n) % 2];
    let rights = if n == 0 {
        vec!["history.read", "history.export", "claims.read", "policy.read"]
    } else {
        vec!["users.read", "users.write"]
    };
    RoleView {
        id: id(60 + n),
        version: 2,
        created: at(86_400 * 100),
        updated: at(86_400 * 7),
        name: j(lang, ja, en),
        rights: rights.into_iter().map(Into::into).collect(),
    }
}

fn effective() -> Effective {
    let text = sekisho_controls::profile("netmeister").expect("it ships");
    assert!(!text.is_empty());
    let schema = sekisho_controls::schema();
    let platform = std::sync::Arc::new(Policy::defaults(&schema).named("netmeister"));
    let mut own = sekisho_kernel::TenantSettings::default();
    let tries = schema.get("lockout.tries").expect("a setting");
    own.set(tries, Some(sekisho_kernel::policy::Value::Int(2)));
    Effective::new(platform, std::sync::Arc::new(own))
}

fn entry(lang: Lang, n: u8) -> EntryView {
    let rows = [
        ("session.sign_in", "success", 0, "protected", "203.0.113.24", "console"),
        ("user.update", "success", 0, "protected", "203.0.113.24", "console"),
        ("policy.update", "refused", 1, "protected", "203.0.113.87", "api"),
        ("session.sign_in", "refused", 9, "sequenced", "198.51.100.7", "console"),
        ("history.export", "success", 1, "accepted", "203.0.113.87", "console"),
        ("grant.create", "failed", 0, "protected", "2001:db8:12::8f", "api"),
    ];
    let (event, outcome, who, state, address, via) = rows[usize::from(n) % rows.len()];
    let when = at(i64::from(n) * 173);
    EntryView {
        id: id(100 + n),
        at: when.rfc3339(),
        local_time: when.in_zone(&Zone::parse("JST").expect("a zone")),
        event: event.into(),
        says: sekisho_kernel::event::by_name(event).expect("a known event").text.clone(),
        actor: if who == 9 { "stranger".into() } else { id::<UserKind>(who).to_string() },
        actor_name: (who != 9).then(|| user(lang, who).display_name),
        target: if n == 2 { "lockout.tries".into() } else { id::<UserKind>(n).to_string() },
        outcome: outcome.into(),
        address: address.into(),
        via: via.into(),
        trace: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        detail: [("code".to_owned(), "SK-0004".into())].into_iter().collect(),
        state,
    }
}

fn fault(lang: Lang, form: &str, field: &str) -> Returned {
    let kind = &sekisho_kernel::problem::INVALID;
    let says = Text::new(
        "必須の項目です。1 文字以上 128 文字以下で入力します。",
        "This field is required. Give 1 to 128 characters.",
    );
    Returned {
        form: form.into(),
        values: vec![("display_name".into(), "Nobody".into())],
        title: kind.title.get(lang).into(),
        detail: Some(says.get(lang).into()),
        remedy: kind.remedy.get(lang).into(),
        code: kind.code,
        fields: vec![sekisho_console::problem::FieldFault { field: field.into(), says }],
    }
}

const QR: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA0IDQiPjxwYXRoIGQ9Ik0wIDBoMXYxaC0xek0yIDBoMXYxaC0xek0xIDFoMXYxaC0xek0zIDFoMXYxaC0xek0wIDJoMXYxaC0xek0yIDNoMXYxaC0xeiIvPjwvc3ZnPg==";

/// Every page by name.
pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    let mut put = |name: &'static str, page: &dyn askama::DynTemplate| {
        out.push((name, page.dyn_render().expect("it renders")));
    };
    let rule = || "10 文字以上".to_owned();
    put(
        "sign-in",
        &sign_in::SignInPage {
            p: alone(lang, m::SIGN_IN, "/sign-in"),
            known_name: String::new(),
            passkeys: true,
            passwords: true,
            providers: Vec::new(),
            by_mail: false,
        },
    );
    let failed = Shell {
        returned: Some(Returned { fields: Vec::new(), ..fault(lang, "sign-in", "name") }),
        ..alone(lang, m::SIGN_IN, "/sign-in")
    };
    let page = sign_in::SignInPage {
        p: failed,
        known_name: String::new(),
        passkeys: true,
        passwords: true,
        providers: Vec::new(),
        by_mail: false,
    };
    put("sign-in-failed", &page);
    let page = sign_in::SignInPage { p: alone(lang, m::SIGN_IN, "/sign-in"), passwords: false, ..page };
    put("sign-in-no-password", &page);
    for (name, totp, passkey) in [("factor", true, false), ("factor-passkey", false, true), ("factor-both", true, true)]
    {
        let ways = SecondFactors { totp, passkey, recovery: true };
        put(name, &sign_in::FactorPage { p: alone(lang, m::FACTOR_TITLE, "/sign-in/factor"), ways });
    }
    put(
        "new-password",
        &sign_in::PasswordPage { p: alone(lang, m::NEW_PASSWORD_TITLE, "/sign-in/password"), rule: rule() },
    );
    let secret = || "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".to_owned();
    put(
        "sign-in-enrol",
        &sign_in::EnrolPage {
            p: alone(lang, m::ENROL_TITLE, "/sign-in/enrol"),
            action: "/sign-in/enrol".into(),
            qr: QR.into(),
            secret: secret(),
            passkeys: true,
        },
    );
    let codes = (0..10).map(|i| format!("k7q{i}-m2xw-9d{i}t")).collect();
    let read = [(m::TERMS_OF_USE, "terms"), (m::TERMS_PRIVACY, "privacy")];
    put(
        "terms",
        &terms::TermsPage {
            p: alone(lang, m::TERMS, "/terms"),
            version: "2026-04-01".into(),
            texts: read
                .map(|(text, path)| (text.get(lang).into(), format!("https://www.example.co.jp/{path}")))
                .to_vec(),
            before: Some("2025-04-01".into()),
        },
    );
    put("codes", &sign_in::CodesPage { p: alone(lang, m::CODES_TITLE, "/account"), codes, onward: "/account".into() });
    put("link", &sign_in::LinkPage { p: alone(lang, m::LINK_TITLE, "/link"), token: String::new(), rule: rule() });
    put(
        "onward",
        &sign_in::OnwardPage {
            p: alone(lang, m::SIGNED_IN, "/sign-in"),
            says: m::GOING_ON,
            to: "/enter?to=acme.app.localhost".into(),
            waits: false,
        },
    );
    put(
        "onward-read",
        &sign_in::OnwardPage {
            p: alone(lang, m::SIGNED_OUT_PARTLY, "/sign-in"),
            says: m::DONE_SIGNED_OUT_PARTLY,
            to: "https://acme.app.localhost/".into(),
            waits: true,
        },
    );
    put(
        "post",
        &sign_in::PostPage {
            p: alone(lang, m::LEAVING_PROVIDER, "/sign-out"),
            says: m::LEAVING_PROVIDER_LEAD,
            to: "https://login.acme.example/4f1c-staff/saml2/logout".into(),
            fields: vec![("SAMLRequest", "PHNhbWxwOkxvZ291dFJlcXVlc3Q+".into())],
        },
    );

    let standings = sekisho_console::join(proofs());
    let session =
        SessionState { session: id(80), user: user(lang, 0), idle_ends_at: Some(at(-1_800)), ends_at: at(-43_200) };
    let rules = vec![
        overview::Rule {
            name: m::RULE_LOCKOUT,
            value: j(lang, "3 回の失敗で 30 分 ロック", "after 3 failures, for 30 minutes"),
        },
        overview::Rule { name: m::RULE_IDLE, value: j(lang, "30 分", "30 minutes") },
        overview::Rule { name: m::SECOND_FACTOR, value: m::VOLUNTARY.get(lang).into() },
        overview::Rule { name: m::RULE_RETENTION, value: j(lang, "365 日間", "365 days") },
    ];
    let tally = claims::Tally::of(standings.iter().filter(|s| s.claim.file == ClaimFile::Netmeister), lang);
    put(
        "overview",
        &overview::OverviewPage {
            p: shell(lang, m::OVERVIEW, "/"),
            greeting: user(lang, 0).display_name,
            claims: Some(tally),
            session,
            rules,
        },
    );

    of_firewall::pages(lang, &mut put);

    let sites: Vec<_> = (0..3).map(|n| site(lang, n)).collect();
    let choices = || page::site_choices(&sites, m::NO_SITE, lang);
    let scopes = page::site_choices(&sites, m::WHOLE_TENANT, lang);
    let users: Vec<_> = (0..5).map(|n| user(lang, n)).collect();
    let list = |p| users::UsersPage {
        p,
        users: users.clone(),
        next: Some("Y3Vyc29y".into()),
        paged: false,
        text: String::new(),
        types: users::types(lang),
        sites: choices(),
    };
    put("users", &list(shell(lang, m::USERS, "/users")));
    put(
        "users-fault",
        &list(Shell { returned: Some(fault(lang, "create", "name")), ..shell(lang, m::USERS, "/users") }),
    );
    let functions = || -> Vec<FunctionView> {
        Function::all()
            .map(|f| FunctionView { name: f.name(), text: f.text().clone(), off: f.name() == "export" })
            .collect()
    };
    let one = user(lang, 3);
    put(
        "user",
        &users::UserPage {
            p: Shell {
                title: one.display_name.clone(),
                done: page_done("saved"),
                ..shell(lang, m::USERS, "/users/usr")
            },
            disabled: false,
            mail: one.mail.clone().unwrap_or_default(),
            site: one.site.map(|s| s.to_string()).unwrap_or_default(),
            types: users::types(lang),
            sites: choices(),
            scopes,
            functions: functions(),
            grants: Some(vec![users::GrantRow {
                id: id(70),
                role: role(lang, 0).name,
                scope: m::WHOLE_TENANT.get(lang).into(),
            }]),
            roles: vec![Choice::new("a", role(lang, 0).name), Choice::new("b", role(lang, 1).name)],
            user: one,
        },
    );
    put(
        "issued",
        &users::IssuedPage {
            p: shell(lang, m::LINK_ISSUED, "/users"),
            user: id(2),
            name: user(lang, 2).display_name,
            link: "https://acme.console.localhost:8443/link?token=V2hhdCBhIHRva2VuIHRoaXMgaXM".into(),
        },
    );
    let sessions: Vec<_> = (0..3)
        .map(|n| SessionView {
            id: id(80 + n),
            user: id(0),
            created: at(3_000 + i64::from(n) * 90_000),
            last_used: at(i64::from(n) * 700),
            ends_at: at(-40_000),
            address: ["203.0.113.24", "2001:db8:12::8f", "198.51.100.7"][usize::from(n)].into(),
            browser: [
                "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Edg/142.0",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19) Safari/604.1",
                "curl/8.5",
            ][usize::from(n)]
            .into(),
            current: n == 0,
        })
        .collect();
    put(
        "sessions",
        &sessions::SessionsPage {
            p: shell(lang, m::OWN_SESSIONS, "/sessions"),
            user: None,
            lead: m::OWN_SESSIONS_LEAD,
            sessions: sessions.clone(),
            can_end: true,
            end_all: "/sessions/end-others".into(),
        },
    );
    put(
        "user-sessions",
        &sessions::SessionsPage {
            p: shell(lang, m::SESSIONS, "/users/usr/sessions"),
            user: Some(id(1)),
            lead: m::USER_SESSIONS_LEAD,
            sessions,
            can_end: true,
            end_all: "/x".into(),
        },
    );
    put(
        "roles",
        &roles::RolesPage {
            p: shell(lang, m::ROLES, "/roles"),
            built_in: UserType::ALL,
            roles: vec![role(lang, 0), role(lang, 1)],
            next: None,
            paged: false,
            matrix: roles::matrix(&[]),
        },
    );
    put(
        "role",
        &roles::RolePage {
            p: Shell { title: role(lang, 0).name, ..shell(lang, m::ROLES, "/roles/rol") },
            matrix: roles::matrix(&role(lang, 0).rights),
            role: role(lang, 0),
        },
    );
    connected::put_all(lang, &mut put);
    judged::put_all(lang, &mut put);
    federated::put_all(lang, &mut put);
    signalled::put_all(lang, &mut put);
    related::put_all(lang, &mut put);
    let rows = sites.iter().cloned().map(Into::into).collect();
    put(
        "sites",
        &plain::PlainPage {
            p: shell(lang, m::SITES, "/sites"),
            words: &plain::SITES,
            rows,
            next: None,
            paged: false,
            can_write: true,
            notice: None,
        },
    );
    let rows = ["203.0.113.0/24", "2001:db8:12::/48"]
        .iter()
        .enumerate()
        .map(|(n, network)| plain::PlainRow {
            id: id::<AddressRuleKind>(90 + n as u8).to_string(),
            version: 1,
            name: (*network).into(),
            note: j(lang, "本店の出口", "Head office"),
            updated: at(5_000),
        })
        .collect();
    let notice = plain::Notice {
        tone: "",
        icon: "network",
        text: j(
            lang,
            "登録したアドレス範囲以外からは接続できません。現在の接続元アドレス: 203.0.113.24",
            "Only the networks below may come in. You come from 203.0.113.24.",
        ),
    };
    put(
        "addresses",
        &plain::PlainPage {
            p: shell(lang, m::ADDRESSES, "/addresses"),
            words: &plain::ADDRESSES,
            rows,
            next: None,
            paged: false,
            can_write: true,
            notice: Some(notice),
        },
    );
    put(
        "addresses-empty",
        &plain::PlainPage {
            p: shell(lang, m::ADDRESSES, "/addresses"),
            words: &plain::ADDRESSES,
            rows: Vec::new(),
            next: None,
            paged: false,
            can_write: true,
            notice: None,
        },
    );
    let me = Me {
        user: user(lang, 0),
        session: id(80),
        has_password: true,
        rights: Right::all().take(6).map(|r| r.name().to_owned()).collect(),
        site_rights: vec!["users.read".into()],
    };
    let factor =
        FactorView { id: id(85), version: 1, created: at(86_400), kind: "totp", confirmed: true, recovery_left: 8 };
    put(
        "account",
        &account::AccountPage {
            p: shell(lang, m::ACCOUNT, "/account"),
            rights: Right::all().take(6).collect(),
            site_rights: vec![Right::USERS_READ],
            me: me.clone(),
            factors: vec![factor],
            can_enrol: false,
            passkeys: vec![connected::passkey(lang, 0), connected::passkey(lang, 1)],
            can_register: true,
            confirm_at: Vec::new(),
            confirmed: false,
            alone: true,
            recovery_left: Some(8),
            rule: rule(),
        },
    );
    put(
        "account-bare",
        &account::AccountPage {
            p: shell(lang, m::ACCOUNT, "/account"),
            rights: Vec::new(),
            site_rights: Vec::new(),
            me: me.clone(),
            factors: Vec::new(),
            can_enrol: true,
            passkeys: Vec::new(),
            can_register: false,
            confirm_at: Vec::new(),
            confirmed: false,
            alone: false,
            recovery_left: None,
            rule: rule(),
        },
    );
    for (name, confirmed) in [("account-confirm", false), ("account-confirmed", true)] {
        put(name, &federated::without_password(lang, Me { has_password: false, ..me.clone() }, confirmed));
    }
    put(
        "enrol",
        &account::EnrolPage {
            p: shell(lang, m::ENROL_TITLE, "/account"),
            action: "/x".into(),
            qr: QR.into(),
            secret: secret(),
        },
    );

    let entries: Vec<_> = (0..12).map(|n| entry(lang, n)).collect();
    put(
        "history",
        &history::HistoryPage {
            p: shell(lang, m::HISTORY, "/history"),
            f: history::Sought { from: "2026-11-01".into(), ..Default::default() },
            actions: history::actions(lang),
            results: history::results(lang),
            entries,
            next: Some("Y3Vyc29y".into()),
            paged: true,
        },
    );
    put(
        "history-empty",
        &history::HistoryPage {
            p: shell(lang, m::HISTORY, "/history"),
            f: history::Sought::default(),
            actions: history::actions(lang),
            results: history::results(lang),
            entries: Vec::new(),
            next: None,
            paged: false,
        },
    );
    let e = entry(lang, 2);
    let proof = "c2sp.org/tlog-proof@v1\nindex 41203\nUEpJ4jLRFD6ZRqIzXnHX/6vz0TxJ0XjMDnPmMVQ1v2E=\nq8T2WJ7y8zN0y1TqQ2nM6sVxYyQxkq1tqvQwQm1u2aE=\n\nacme.console.localhost/log/1\n41877\nMzN0y1TqQ2nM6sVxYyQxkq1tqvQwQm1u2aEUEpJ4jLR=\n\n— acme.console.localhost/log/1 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n";
    let details =
        || vec![("code".to_owned(), "SK-0004".to_owned()), ("setting".to_owned(), "lockout.tries".to_owned())];
    put(
        "entry",
        &history::EntryPage {
            p: Shell { title: e.says.get(lang).into(), ..shell(lang, m::ENTRY, "/history/ent") },
            e: e.clone(),
            details: details(),
            proof: Some(history::proof_view(proof)),
        },
    );
    put(
        "entry-young",
        &history::EntryPage { p: shell(lang, m::ENTRY, "/history/ent"), e, details: details(), proof: None },
    );

    let policy = effective();
    let schema = policy.platform.schema().clone();
    let settings: Vec<SettingView> = schema
        .iter()
        .map(|s| SettingView {
            key: s.key.into(),
            platform: show(&policy.platform.value(s)).into(),
            platform_text: show(&policy.platform.value(s)),
            tenant: None,
            tenant_text: None,
            effective: show(&policy.value(s)).into(),
            effective_text: show(&policy.value(s)),
            choices: &[],
            movement: "min",
            kind: "int",
            doc: s.doc.clone(),
        })
        .collect();
    let view = PolicyView { name: "netmeister".into(), digest: policy.platform.digest(), settings };
    let named = sekisho_controls::Gates::whole().sections();
    let sections = page::policy::sections(&named, &policy, &view, true, lang);
    put(
        "policy",
        &page::policy::PolicyPage {
            p: Shell { returned: Some(fault(lang, "lockout.tries", "value")), ..shell(lang, m::POLICY, "/policy") },
            policy: view,
            sections,
            functions: Some(functions()),
        },
    );

    put(
        "claims",
        &claims::list(
            shell(lang, m::CLAIMS, "/claims"),
            &standings,
            Some(ClaimFile::Netmeister),
            Default::default(),
            at(0),
        ),
    );
    put("claims-all", &claims::list(shell(lang, m::CLAIMS, "/claims"), &standings, None, Default::default(), at(0)));
    let known = standings.iter().find(|s| s.claim.id == "NM-01").expect("it is catalogued");
    put(
        "claim",
        &claims::detail(Shell { title: "NM-01".into(), ..shell(lang, m::CLAIMS, "/claims/NM-01") }, known, at(0)),
    );
    let unkept = standings.iter().find(|s| s.proof.is_none()).expect("some are not kept yet");
    put("claim-unkept", &claims::detail(shell(lang, m::CLAIMS, "/claims/x"), unkept, at(0)));
    let forbidden = &sekisho_kernel::problem::FORBIDDEN;
    put(
        "error",
        &error::ErrorPage {
            p: alone(lang, &forbidden.title, "/policy"),
            status: 403,
            title: forbidden.title.get(lang).into(),
            detail: None,
            remedy: forbidden.remedy.get(lang).into(),
            code: forbidden.code.into(),
            trace: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        },
    );
    out
}

fn page_done(code: &str) -> Option<&'static Text> {
    m::done(code)
}
