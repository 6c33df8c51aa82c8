//! The gates of all controls, as engines ask them.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    access::AccessQuestion,
    gate::{
        AdaptiveRule, AddressLists, AuditRule, Decision, DeviceRule, FactorRule, FederationRule, FirewallRule,
        FirewallSource, Gates as Hooks, LockoutRule, OauthRule, PasskeyRule, PasswordRule, ProvisioningRule,
        RelationRule, SessionRule, SignatureRule, TermsRule, TlsRule, TokenRule,
    },
    policy::Value,
};

use crate::{
    CONTROLS, access, adaptive, addresses, audit, device, encryption, federation, lockout, oauth, passkeys, passwords,
    provisioning, relations, second_factor, sessions, switches, tenancy, tenant_keys, tenant_policy, terms, tokens,
    unique_id, waf,
};

/// Every gate. A serving instance is given [`Gates::whole`]; only a rehearsal can name what is taken out, since
/// [`TakenOut`] comes from no policy, flag, file or environment.
#[derive(Debug)]
pub struct Gates {
    out: Option<TakenOut>,
}

impl Gates {
    /// All controls in place.
    pub const fn whole() -> Self {
        Self { out: None }
    }
    /// For a rehearsal: one control really taken out, or none.
    pub const fn rehearse(out: Option<TakenOut>) -> Self {
        Self { out }
    }
}

impl Hooks for Gates {
    fn tls(&self, policy: &Effective) -> TlsRule {
        encryption::tls(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn refuse_plain_http(&self, _policy: &Effective) -> bool {
        self.out != Some(TakenOut::PlainHttpRefusal)
    }
    fn hsts(&self, policy: &Effective) -> Option<Duration> {
        encryption::hsts(policy)
    }
    fn platform_networks(&self, policy: &Effective) -> Vec<IpNet> {
        tenant_policy::seen(policy, self.out).networks(&addresses::ALLOW)
    }
    fn address(&self, lists: &AddressLists, peer: IpAddr) -> Decision {
        addresses::check(lists, peer, self.out)
    }
    fn lockout(&self, policy: &Effective) -> LockoutRule {
        lockout::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn adaptive(&self, policy: &Effective) -> AdaptiveRule {
        adaptive::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn session(&self, policy: &Effective) -> SessionRule {
        sessions::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn factor(&self, policy: &Effective) -> FactorRule {
        second_factor::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn passkeys(&self, policy: &Effective) -> PasskeyRule {
        passkeys::rule(&tenant_policy::seen(policy, self.out))
    }
    fn password(&self, policy: &Effective) -> PasswordRule {
        passwords::rule(&tenant_policy::seen(policy, self.out))
    }
    fn password_way(&self, policy: &Effective) -> bool {
        passwords::way(&tenant_policy::seen(policy, self.out))
    }
    fn signature(&self, policy: &Effective) -> SignatureRule {
        unique_id::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn tokens(&self, policy: &Effective) -> TokenRule {
        tokens::rule(&tenant_policy::seen(policy, self.out))
    }
    fn provisioning(&self, policy: &Effective) -> ProvisioningRule {
        provisioning::rule(&tenant_policy::seen(policy, self.out))
    }
    fn federation(&self, policy: &Effective) -> FederationRule {
        federation::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn terms(&self, policy: &Effective) -> Option<TermsRule> {
        terms::rule(policy, self.out)
    }
    fn relations(&self, policy: &Effective) -> RelationRule {
        relations::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn device(&self, policy: &Effective) -> DeviceRule {
        device::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn oauth(&self, policy: &Effective) -> OauthRule {
        oauth::rule(policy)
    }
    fn access(&self, question: &AccessQuestion) -> Decision {
        let tenant = tenancy::check(question);
        if !tenant.allows() {
            return tenant;
        }
        let switch = switches::check(question, self.out);
        if !switch.allows() {
            return switch;
        }
        access::granted(question, self.out)
    }
    fn audit(&self, policy: &Effective) -> AuditRule {
        audit::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn key_rotation(&self, policy: &Effective) -> Option<Duration> {
        Some(tenant_keys::rotation(&tenant_policy::seen(policy, self.out)))
    }
    fn firewall(&self, policy: &Effective) -> FirewallRule {
        waf::rule(&tenant_policy::seen(policy, self.out), self.out)
    }
    fn firewall_source(&self, policy: &Effective) -> FirewallSource {
        waf::source(policy)
    }
    fn tenant_value(&self, setting: &'static Setting, platform: &Value, own: &Value) -> Decision {
        if setting.key == waf::EXCLUSIONS.key && !waf::may_exclude(own) {
            return Decision::Refuse(&tenant_policy::BELOW_FLOOR);
        }
        tenant_policy::may_set(setting, platform, own, self.out)
    }
    fn sections(&self) -> Vec<(&'static str, Text)> {
        CONTROLS.iter().map(|c| (c.section, c.text.clone())).collect()
    }
}
