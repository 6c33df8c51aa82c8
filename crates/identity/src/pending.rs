//! Signatures.
#![allow(missing_docs, clippy::unused_async)]
use crate::{Identity, types::*};
use async_trait::async_trait;
use sekisho_kernel::{
    Cx, Effective, Problem, Secret,
    gate::AddressLists,
    hook::{Directory, HostEntry, Knock, Passage, Sessions},
    id::*,
    problem::INTERNAL,
};
use std::{collections::HashMap, sync::Arc};

macro_rules! stubs { ($($(#[$d:meta])* fn $n:ident(&self $(, $a:ident: $t:ty)*) -> $r:ty;)*) => {
    impl Identity { $($(#[$d])* pub async fn $n(&self $(, $a: $t)*) -> Result<$r, Problem> { $(let _ = &$a;)* let _ = (&self.parts.clock, self.taken); Err(Problem::new(&INTERNAL)) })* }
} }
stubs! {
    // users.rs
    fn create_user(&self, cx: &Cx, new: NewUser) -> Created;
    fn user(&self, cx: &Cx, id: UserId) -> UserView;
    fn users(&self, cx: &Cx, query: UserQuery) -> Listed<UserView, UserId>;
    fn update_user(&self, cx: &Cx, id: UserId, version: i64, patch: UserPatch) -> UserView;
    fn disable_user(&self, cx: &Cx, id: UserId) -> UserView;
    fn enable_user(&self, cx: &Cx, id: UserId) -> UserView;
    fn unlock_user(&self, cx: &Cx, id: UserId) -> UserView;
    fn delete_user(&self, cx: &Cx, id: UserId, version: Option<i64>) -> ();
    /// A link by which the person sets a password (again); shown once, one hour.
    fn invite_user(&self, cx: &Cx, id: UserId) -> Secret<String>;
    fn switch_user(&self, cx: &Cx, id: UserId, off: Vec<String>) -> UserView;
    /// Names for entries shown in the history; missing ids are left out. Makes no entry.
    fn names(&self, cx: &Cx, ids: Vec<UserId>) -> HashMap<UserId, String>;
    fn me(&self, cx: &Cx) -> Me;
    // roles.rs, grants.rs, sites.rs, addresses.rs
    fn create_role(&self, cx: &Cx, new: NewRole) -> RoleView;
    fn role(&self, cx: &Cx, id: RoleId) -> RoleView;
    fn roles(&self, cx: &Cx, page: After<RoleKind>) -> Listed<RoleView, RoleId>;
    fn update_role(&self, cx: &Cx, id: RoleId, version: i64, patch: RolePatch) -> RoleView;
    fn delete_role(&self, cx: &Cx, id: RoleId, version: Option<i64>) -> ();
    fn create_grant(&self, cx: &Cx, new: NewGrant) -> GrantView;
    fn grants(&self, cx: &Cx, query: GrantQuery) -> Listed<GrantView, GrantId>;
    fn delete_grant(&self, cx: &Cx, id: GrantId) -> ();
    fn create_site(&self, cx: &Cx, new: NewSite) -> SiteView;
    fn site(&self, cx: &Cx, id: SiteId) -> SiteView;
    fn sites(&self, cx: &Cx, page: After<SiteKind>) -> Listed<SiteView, SiteId>;
    fn update_site(&self, cx: &Cx, id: SiteId, version: i64, patch: SitePatch) -> SiteView;
    fn delete_site(&self, cx: &Cx, id: SiteId, version: Option<i64>) -> ();
    fn create_address_rule(&self, cx: &Cx, new: NewAddressRule) -> AddressRuleView;
    fn address_rule(&self, cx: &Cx, id: AddressRuleId) -> AddressRuleView;
    fn address_rules(&self, cx: &Cx, page: After<AddressRuleKind>) -> Listed<AddressRuleView, AddressRuleId>;
    fn update_address_rule(&self, cx: &Cx, id: AddressRuleId, version: i64, patch: AddressRulePatch) -> AddressRuleView;
    fn delete_address_rule(&self, cx: &Cx, id: AddressRuleId, version: Option<i64>) -> ();
    // settings.rs
    fn policy(&self, cx: &Cx) -> PolicyView;
    /// `value` is JSON: a string as the policy file would write it (`"30m"`), a number, a truth value or a list of strings.
    fn set_policy(&self, cx: &Cx, key: &str, value: serde_json::Value) -> SettingView;
    fn clear_policy(&self, cx: &Cx, key: &str) -> SettingView;
    fn functions(&self, cx: &Cx) -> Vec<FunctionView>;
    fn switch_functions(&self, cx: &Cx, off: Vec<String>) -> Vec<FunctionView>;
    // session.rs
    fn session_state(&self, cx: &Cx) -> SessionState;
    fn own_sessions(&self, cx: &Cx) -> Vec<SessionView>;
    fn end_own_session(&self, cx: &Cx, id: SessionId) -> ();
    fn end_other_sessions(&self, cx: &Cx) -> u32;
    fn user_sessions(&self, cx: &Cx, id: UserId) -> Vec<SessionView>;
    fn end_user_sessions(&self, cx: &Cx, id: UserId) -> u32;
    // account.rs
    fn change_password(&self, cx: &Cx, current: Secret<String>, new: Secret<String>) -> ();
    fn reauthenticate(&self, cx: &Cx, password: Secret<String>) -> ();
    fn factors(&self, cx: &Cx) -> Vec<FactorView>;
    fn enrol_factor(&self, cx: &Cx) -> Enrolment;
    fn confirm_factor(&self, cx: &Cx, id: FactorId, code: Secret<String>) -> Vec<Secret<String>>;
    fn delete_factor(&self, cx: &Cx, id: FactorId, password: Secret<String>) -> ();
    fn new_recovery_codes(&self, cx: &Cx, password: Secret<String>) -> Vec<Secret<String>>;
    // sign_in.rs, link.rs
    fn sign_in(&self, knock: &Knock, browser: &Browser, name: &str, password: Secret<String>) -> SignInStep;
    fn sign_in_factor(&self, knock: &Knock, browser: &Browser, challenge: &Secret<String>, proof: FactorProof) -> SignInStep;
    fn sign_in_password(&self, knock: &Knock, browser: &Browser, challenge: &Secret<String>, new: Secret<String>) -> SignInStep;
    fn sign_in_enrol(&self, knock: &Knock, challenge: &Secret<String>) -> Enrolment;
    fn sign_in_enrol_confirm(&self, knock: &Knock, browser: &Browser, challenge: &Secret<String>, code: Secret<String>) -> SignInStep;
    fn use_link(&self, knock: &Knock, token: &Secret<String>, password: Secret<String>) -> LinkUsed;
    // provision.rs: for the binary. First start and commands of the host.
    /// Makes a tenant with its two host names; the token of its first administrator's link.
    fn create_tenant(&self, name: &str, console_host: &str, app_host: &str) -> (TenantId, Secret<String>);
    fn recover_admin(&self, tenant: TenantId) -> Secret<String>;
    fn unlock(&self, tenant: TenantId, name: &str) -> UserId;
    /// Ends what has run out: sessions with an entry each; links, codes and counters. Run it every minute.
    fn sweep(&self) -> ();
}

#[async_trait]
impl Directory for Identity {
    async fn host(&self, _host: &str) -> Result<Option<Arc<HostEntry>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    async fn console_host(&self, _tenant: TenantId) -> Result<Option<Arc<HostEntry>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    async fn effective(&self, _tenant: TenantId) -> Result<Effective, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    async fn addresses(&self, _tenant: TenantId) -> Result<Arc<AddressLists>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
}
#[async_trait]
impl Sessions for Identity {
    async fn resolve(&self, _knock: &Knock, _token: &Secret<String>) -> Result<Arc<Passage>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    async fn entry_code(
        &self,
        _passage: &Passage,
        _host: &HostEntry,
        _binding: &str,
    ) -> Result<Secret<String>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    async fn enter(&self, _knock: &Knock, _code: &Secret<String>, _binding: &str) -> Result<Secret<String>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    async fn sign_out(&self, _knock: &Knock, _token: &Secret<String>) -> Result<(), Problem> {
        Err(Problem::new(&INTERNAL))
    }
}
