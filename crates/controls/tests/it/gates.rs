//! Each gate decides as its setting says, and each control taken out opens its own hook and no other.

use std::{net::IpAddr, sync::Arc};

use sekisho_controls::{Gates, addresses, audit, encryption, lockout, passwords, schema, second_factor, sessions};
use sekisho_kernel::{
    Effective, Function, Grant, Policy, Right, RightSet, RightsView, Setting, SystemRng, TakenOut, Target,
    TenantSettings,
    access::{AccessQuestion, UserType},
    gate::{AddressLists, Decision, Gates as Hooks},
    id::{SiteId, TenantId},
    policy::Value,
    problem::{FORBIDDEN, NOT_FOUND},
};

fn secs(n: u64) -> Value {
    Value::Span(std::time::Duration::from_secs(n))
}

fn effective(platform: &[(&'static Setting, Value)], tenant: &[(&'static Setting, Value)]) -> Effective {
    let policy =
        platform.iter().fold(Policy::defaults(&schema()), |p, (setting, value)| p.with(setting, value.clone()));
    let mut own = TenantSettings::default();
    for (setting, value) in tenant {
        own.set(setting, Some(value.clone()));
    }
    Effective::new(Arc::new(policy), Arc::new(own))
}

fn code(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Refuse(kind) => kind.code,
    }
}

struct Asker {
    tenant: TenantId,
    view: RightsView,
}

impl Asker {
    fn of_type(kind: UserType) -> Self {
        let tenant = TenantId::new(sekisho_kernel::Time::from_secs(1), &SystemRng);
        let own = Grant { rights: kind.rights(), site: None, role: kind.name().into() };
        Self { tenant, view: RightsView { version: 1, grants: vec![own], tenant_off: 0, user_off: 0 } }
    }
    fn granted(mut self, rights: &[Right], site: Option<SiteId>) -> Self {
        let rights: RightSet = rights.iter().copied().collect();
        self.view.grants.push(Grant { rights, site, role: "role".into() });
        self
    }
    fn ask(&self, gates: &Gates, right: Right, target: Target) -> &'static str {
        let view = Arc::new(self.view.clone());
        code(gates.access(&AccessQuestion { tenant: self.tenant, view, right, target }))
    }
}

fn site() -> SiteId {
    SiteId::new(sekisho_kernel::Time::from_secs(1), &SystemRng)
}

#[test]
fn the_user_types_have_the_rights_of_the_golden_table() {
    let gates = Gates::whole();
    let mut table = format!("{:<18} administrator approver user\n", "right");
    for right in Right::all() {
        let mut row = format!("{:<18}", right.name());
        for kind in UserType::ALL {
            let asker = Asker::of_type(kind);
            let tenant = asker.ask(&gates, right, Target::tenant(asker.tenant));
            let at_site = asker.ask(&gates, right, Target::site(asker.tenant, Some(site())));
            assert_eq!(tenant, at_site, "a type's rights hold for the whole tenant");
            row.push_str(&format!(
                " {:<width$}",
                if tenant == "allow" { "yes" } else { "-" },
                width = kind.name().len()
            ));
        }
        table.push_str(row.trim_end());
        table.push('\n');
    }
    let golden = include_str!("user_types.txt");
    assert_eq!(table, golden, "the table of user types has changed; it would now be:\n{table}");
}

#[test]
fn a_role_gives_its_right_and_no_other() {
    let gates = Gates::whole();
    for granted in Right::all() {
        let asker = Asker::of_type(UserType::User).granted(&[granted], None);
        for right in Right::all() {
            let own = right == granted || UserType::User.rights().has(right);
            let expected = if own { "allow" } else { FORBIDDEN.code };
            assert_eq!(asker.ask(&gates, right, Target::tenant(asker.tenant)), expected, "{}", right.name());
        }
    }
}

#[test]
fn a_site_role_reaches_its_site_alone() {
    let (here, next) = (site(), site());
    for right in Right::all().filter(|r| !UserType::User.rights().has(*r)) {
        let asker = Asker::of_type(UserType::User).granted(&[right], Some(here));
        let ask = |gates: &Gates, at: Option<SiteId>| asker.ask(gates, right, Target::site(asker.tenant, at));
        let expected = if right.by_site() { "allow" } else { FORBIDDEN.code };
        assert_eq!(ask(&Gates::whole(), Some(here)), expected, "{}", right.name());
        assert_eq!(ask(&Gates::whole(), Some(next)), FORBIDDEN.code, "{}", right.name());
        assert_eq!(ask(&Gates::whole(), None), FORBIDDEN.code, "{}", right.name());
        let out = Gates::rehearse(Some(TakenOut::SiteScope));
        assert_eq!(ask(&out, Some(next)), "allow", "{}", right.name());
    }
}

#[test]
fn another_tenants_target_is_missing_even_without_the_access_check() {
    let asker = Asker::of_type(UserType::Administrator);
    let other = Asker::of_type(UserType::Administrator);
    for out in [None, Some(TakenOut::AccessCheck), Some(TakenOut::SiteScope)] {
        for right in Right::all() {
            assert_eq!(asker.ask(&Gates::rehearse(out), right, Target::tenant(other.tenant)), NOT_FOUND.code);
        }
    }
}

#[test]
fn the_access_check_taken_out_grants_every_right_but_no_switched_off_function() {
    let gates = Gates::rehearse(Some(TakenOut::AccessCheck));
    let mut asker = Asker::of_type(UserType::User);
    for right in Right::all() {
        assert_eq!(asker.ask(&gates, right, Target::tenant(asker.tenant)), "allow");
    }
    asker.view.user_off = Function::USERS.bit();
    assert_eq!(asker.ask(&gates, Right::USERS_READ, Target::tenant(asker.tenant)), "SK-7101");
}

#[test]
fn switched_off_functions_are_refused_and_each_switch_is_taken_out_alone() {
    for function in Function::all() {
        let mut by_user = Asker::of_type(UserType::Administrator);
        by_user.view.user_off = function.bit();
        let mut by_tenant = Asker::of_type(UserType::Administrator);
        by_tenant.view.tenant_off = function.bit();
        for right in Right::all() {
            let off = if right.function() == function { "SK-7101" } else { "allow" };
            let ask = |asker: &Asker, out| asker.ask(&Gates::rehearse(out), right, Target::tenant(asker.tenant));
            assert_eq!(ask(&by_user, None), off);
            assert_eq!(ask(&by_tenant, None), off);
            assert_eq!(ask(&by_user, Some(TakenOut::UserSwitch)), "allow");
            assert_eq!(ask(&by_user, Some(TakenOut::TenantSwitch)), off);
            assert_eq!(ask(&by_tenant, Some(TakenOut::TenantSwitch)), "allow");
            assert_eq!(ask(&by_tenant, Some(TakenOut::UserSwitch)), off);
        }
    }
}

#[test]
fn without_self_service_the_administrator_type_cannot_manage_accounts() {
    let gates = Gates::rehearse(Some(TakenOut::SelfService));
    let administrator = Asker::of_type(UserType::Administrator);
    let target = Target::tenant(administrator.tenant);
    for right in [Right::USERS_WRITE, Right::ROLES_WRITE, Right::GRANTS_WRITE, Right::SESSIONS_END] {
        assert_eq!(administrator.ask(&gates, right, target), FORBIDDEN.code, "{}", right.name());
    }
    for right in [Right::USERS_READ, Right::POLICY_WRITE, Right::HISTORY_READ] {
        assert_eq!(administrator.ask(&gates, right, target), "allow", "{}", right.name());
    }
    let by_role = Asker::of_type(UserType::User).granted(&[Right::USERS_WRITE], None);
    assert_eq!(by_role.ask(&gates, Right::USERS_WRITE, Target::tenant(by_role.tenant)), "allow");
}

#[test]
fn addresses_are_admitted_to_their_exact_edges() {
    let gates = Gates::whole();
    let nets = |l: &[&str]| l.iter().map(|n| n.parse().expect("a network")).collect::<Vec<ipnet::IpNet>>();
    let peer = |s: &str| s.parse::<IpAddr>().expect("an address");
    let tenant = AddressLists { platform: Vec::new(), tenant: nets(&["192.0.2.64/26", "2001:db8:1::/48"]) };
    for (address, expected) in [
        ("192.0.2.63", "SK-7102"),
        ("192.0.2.64", "allow"),
        ("192.0.2.127", "allow"),
        ("192.0.2.128", "SK-7102"),
        ("::ffff:192.0.2.64", "allow"),
        ("::ffff:192.0.2.128", "SK-7102"),
        ("2001:db8:0:ffff:ffff:ffff:ffff:ffff", "SK-7102"),
        ("2001:db8:1::", "allow"),
        ("2001:db8:1:ffff:ffff:ffff:ffff:ffff", "allow"),
        ("2001:db8:2::", "SK-7102"),
        ("127.0.0.1", "SK-7102"),
    ] {
        assert_eq!(code(gates.address(&tenant, peer(address))), expected, "{address}");
        assert_eq!(code(Gates::rehearse(Some(TakenOut::AddressRule)).address(&tenant, peer(address))), "allow");
    }
    let both = AddressLists { platform: nets(&["10.0.0.0/8"]), tenant: nets(&["10.1.0.0/16", "192.0.2.0/24"]) };
    assert_eq!(code(gates.address(&both, peer("10.1.2.3"))), "allow");
    assert_eq!(code(gates.address(&both, peer("10.2.0.1"))), "SK-7102", "the tenant's list narrows");
    assert_eq!(code(gates.address(&both, peer("192.0.2.1"))), "SK-7102", "the tenant's list cannot widen");
    assert_eq!(code(gates.address(&AddressLists::default(), peer("203.0.113.9"))), "allow");
}

#[test]
fn rules_follow_the_policy_and_the_stricter_tenant() {
    let gates = Gates::whole();
    let policy = effective(
        &[
            (&lockout::TRIES, Value::Int(5)),
            (&passwords::MAX_AGE, secs(0)),
            (&encryption::CIPHERS, Value::Str("aes-256".into())),
            (&encryption::HSTS, secs(0)),
            (&audit::ZONE, Value::Str("JST".into())),
        ],
        &[
            (&lockout::TRIES, Value::Int(3)),
            (&lockout::PERIOD, secs(60)),
            (&sessions::IDLE, secs(300)),
            (&second_factor::MODE, Value::Str("required".into())),
            (&passwords::MAX_AGE, secs(86_400)),
            (&audit::ZONE, Value::Str("UTC".into())),
        ],
    );
    let lock = gates.lockout(&policy);
    assert_eq!((lock.tries, lock.period.as_secs(), lock.known_device), (Some(3), 1_800, false));
    let session = gates.session(&policy);
    assert_eq!(
        (session.idle.map(|d| d.as_secs()), session.absolute.as_secs(), session.recheck),
        (Some(300), 43_200, true)
    );
    let factor = gates.factor(&policy);
    assert!(factor.ask && factor.required && factor.allowed && factor.refuse_replay && factor.recovery_codes == 10);
    let password = gates.password(&policy);
    assert_eq!((password.min_length, password.memory_kib, password.passes), (12, 19_456, 2));
    assert_eq!((password.max_age.as_secs(), password.breached_list), (86_400, None));
    let tls = gates.tls(&policy);
    assert!(tls.tls12 && tls.aes_only && tls.aes_bits == 256);
    assert_eq!(gates.hsts(&policy), None);
    let audit = gates.audit(&policy);
    assert_eq!(audit.retention.map(|d| d.as_secs()), Some(365 * 86_400));
    assert_eq!(audit.zone.map(|z| z.name().to_owned()).as_deref(), Some("JST"), "the zone is fixed");
    assert!(!audit.each_read);
    assert_eq!(gates.key_rotation(&policy).map(|d| d.as_secs()), Some(365 * 86_400));
    assert!(gates.refuse_plain_http(&policy));
}

#[test]
fn a_factor_that_is_off_still_protects_who_has_one() {
    let factor = Gates::whole().factor(&effective(&[(&second_factor::MODE, Value::Str("off".into()))], &[]));
    assert!(factor.ask && !factor.allowed && !factor.required);
}

#[test]
fn without_the_floor_the_tenants_value_wins_and_may_be_set() {
    let policy = effective(&[], &[(&lockout::TRIES, Value::Int(50)), (&sessions::IDLE, secs(86_400))]);
    let (whole, out) = (Gates::whole(), Gates::rehearse(Some(TakenOut::PolicyFloor)));
    assert_eq!(whole.lockout(&policy).tries, Some(3));
    assert_eq!(out.lockout(&policy).tries, Some(50));
    assert_eq!(out.session(&policy).idle.map(|d| d.as_secs()), Some(86_400));
    let set = |gates: &Gates, n| code(gates.tenant_value(&lockout::TRIES, &Value::Int(3), &Value::Int(n)));
    assert_eq!(set(&whole, 2), "allow");
    assert_eq!(set(&whole, 3), "allow");
    assert_eq!(set(&whole, 4), "SK-7103");
    assert_eq!(set(&out, 4), "allow");
    assert_eq!(code(whole.tenant_value(&audit::ZONE, &Value::Str("JST".into()), &Value::Str("UTC".into()))), "SK-7103");
}

/// What each hook answers, in words, so that a removal's reach can be compared.
fn answers(out: Option<TakenOut>) -> Vec<(&'static str, String)> {
    let gates = Gates::rehearse(out);
    let policy = effective(
        &[(&encryption::CIPHERS, Value::Str("aes-256".into())), (&audit::ZONE, Value::Str("JST".into()))],
        &[(&lockout::TRIES, Value::Int(50))],
    );
    let here = site();
    let mut asker = Asker::of_type(UserType::Administrator);
    let target = Target::tenant(asker.tenant);
    let manages = asker.ask(&gates, Right::USERS_WRITE, target);
    asker.view.user_off = Function::USERS.bit();
    let user_off = asker.ask(&gates, Right::USERS_WRITE, Target::tenant(asker.tenant));
    (asker.view.user_off, asker.view.tenant_off) = (0, Function::SITES.bit());
    let tenant_off = asker.ask(&gates, Right::SITES_WRITE, target);
    let member = Asker::of_type(UserType::User).granted(&[Right::SITES_READ], Some(here));
    let next_site = member.ask(&gates, Right::SITES_READ, Target::site(member.tenant, Some(site())));
    let no_right = member.ask(&gates, Right::POLICY_WRITE, Target::tenant(member.tenant));
    let lists = AddressLists { platform: Vec::new(), tenant: vec!["192.0.2.0/24".parse().expect("a network")] };
    vec![
        ("tls", format!("{:?}", gates.tls(&policy))),
        ("plain-http", gates.refuse_plain_http(&policy).to_string()),
        ("hsts", format!("{:?}", gates.hsts(&policy))),
        ("platform-networks", format!("{:?}", gates.platform_networks(&policy))),
        ("address", code(gates.address(&lists, IpAddr::from([127, 0, 0, 1]))).into()),
        ("lockout", format!("{:?}", gates.lockout(&policy))),
        ("session", format!("{:?}", gates.session(&policy))),
        ("factor", format!("{:?}", gates.factor(&policy))),
        ("password", format!("{:?}", gates.password(&policy))),
        ("manages", manages.into()),
        ("user-off", user_off.into()),
        ("tenant-off", tenant_off.into()),
        ("next-site", next_site.into()),
        ("no-right", no_right.into()),
        ("audit", format!("{:?}", gates.audit(&policy))),
        ("key-rotation", format!("{:?}", gates.key_rotation(&policy))),
        ("tenant-value", code(gates.tenant_value(&lockout::TRIES, &Value::Int(3), &Value::Int(9))).into()),
    ]
}

#[test]
fn each_control_taken_out_opens_its_own_hook_and_no_other() {
    use TakenOut as T;
    // Those without a hook here are taken out of ledger, vault, keys, store and identity.
    let expected: [(TakenOut, &[&str]); 25] = [
        (T::Lockout, &["lockout"]),
        (T::IdleEnd, &["session"]),
        (T::SecondFactor, &["factor"]),
        (T::CodeReplay, &["factor"]),
        (T::AccessCheck, &["next-site", "no-right"]),
        (T::SiteScope, &["next-site"]),
        (T::EntryWrite, &[]),
        (T::RetentionPurge, &["audit"]),
        (T::OutsideCheckpoint, &[]),
        (T::CheckpointKey, &[]),
        (T::FixedZone, &["audit"]),
        (T::TenantScope, &[]),
        (T::Sealing, &[]),
        (T::TenantKeys, &[]),
        (T::PasswordHash, &[]),
        (T::PlainHttpRefusal, &["plain-http"]),
        (T::TlsSuites, &["tls"]),
        (T::SessionRecheck, &["session"]),
        (T::TokenHash, &[]),
        (T::UserSwitch, &["user-off"]),
        (T::TenantSwitch, &["tenant-off"]),
        (T::PolicyFloor, &["lockout", "tenant-value"]),
        (T::AddressRule, &["address"]),
        (T::SelfService, &["manages"]),
        (T::DataCatalogue, &[]),
    ];
    let whole = answers(None);
    for (out, hooks) in expected {
        let changed: Vec<&str> =
            whole.iter().zip(answers(Some(out))).filter(|(a, b)| a.1 != b.1).map(|(a, _)| a.0).collect();
        assert_eq!(changed, hooks, "{}", out.name());
    }
}

#[test]
fn the_platforms_networks_are_handed_out() {
    let nets: Vec<ipnet::IpNet> = vec!["10.0.0.0/8".parse().expect("a network")];
    let policy = effective(&[(&addresses::ALLOW, Value::Networks(nets.clone()))], &[]);
    assert_eq!(Gates::whole().platform_networks(&policy), nets);
}
