//! A tenant's identity providers: the list, and one with its settings, rules, mail domains and what a test of it found.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{
    After, Check, KeyStage, MailDomainView, NewMailDomain, ProviderPatch, ProviderView, RoleRule, SamlKeyView,
    SamlSigned, Says,
};
use sekisho_kernel::{
    Lang, Problem, Right, Text,
    id::{MailDomainId, ProviderId, RoleId},
    problem::NOT_FOUND,
};
use serde::Deserialize;

use super::{Choice, Returned, Shell, again, render, shell};
use crate::{
    api::{
        self,
        federation::{addresses, saml_addresses},
        oauth::issuer,
    },
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
};

/// The list.
#[derive(Template)]
#[template(path = "providers.html")]
pub struct ProvidersPage {
    /// Shell.
    pub p: Shell,
    /// Providers.
    pub rows: Vec<ProviderView>,
    /// Our keys towards SAML providers.
    pub keys: Vec<SamlKeyView>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

impl ProvidersPage {
    /// Whether the next key is there.
    pub fn prepared(&self) -> bool {
        self.keys.iter().any(|k| k.stage == KeyStage::Next)
    }
    /// Whether the key that signs ends soon and the next one is not in use.
    pub fn ends_soon(&self) -> bool {
        self.keys.iter().any(|k| k.stage == KeyStage::Current && k.due)
    }
}

/// A rule with its role's name.
#[derive(Clone, Debug)]
pub struct RuleRow {
    /// Its place in the list.
    pub at: usize,
    /// The claim.
    pub claim: String,
    /// The value.
    pub value: String,
    /// The role's name.
    pub role: String,
}

/// What a SAML provider has to know of us.
#[derive(Clone, Debug)]
pub struct SamlAddresses {
    /// Our entity id, which is where our metadata is.
    pub entity: String,
    /// Where answers arrive.
    pub acs: String,
    /// Where logout messages arrive.
    pub slo: String,
}

/// One provider.
#[derive(Template)]
#[template(path = "provider.html")]
pub struct ProviderPage {
    /// Shell.
    pub p: Shell,
    /// The provider.
    pub provider: ProviderView,
    /// Its scopes on one line.
    pub scopes: String,
    /// Where it sends people back to.
    pub callback: String,
    /// Where it signs them out.
    pub logout: String,
    /// Our entity id and where answers arrive, for a SAML provider.
    pub saml: SamlAddresses,
    /// Which signatures may be asked for.
    pub signatures: Vec<Choice>,
    /// Rules.
    pub rules: Vec<RuleRow>,
    /// Roles that a rule may give.
    pub roles: Vec<Choice>,
    /// Mail domains.
    pub domains: Vec<MailDomainView>,
    /// What a test found.
    pub checks: Option<Vec<Check>>,
}

impl ProviderPage {
    /// Whether everything that was tried is good.
    pub fn all_good(checks: &[Check]) -> bool {
        checks.iter().all(|c| c.good)
    }
    /// The word for a choice of signatures.
    pub fn signed(&self) -> &'static str {
        self.provider.saml.as_ref().map_or("", |s| signature(s.signed))
    }
    /// Whether published metadata waits for an administrator.
    pub fn waits(&self) -> bool {
        let look = self.provider.saml.as_ref().and_then(|s| s.look.as_ref());
        look.is_some_and(|l| l.found == "waiting")
    }
    /// A reason in the reader's language.
    pub fn reason<'a>(&self, says: &'a Says) -> &'a str {
        if self.p.lang == Lang::Ja { &says.ja } else { &says.en }
    }
    /// The name of a check for people.
    pub fn check_name(check: &Check) -> &'static Text {
        match check.name {
            "metadata" => m::TEST_METADATA,
            "certificates" => m::TEST_CERTIFICATES,
            "own" => m::TEST_OWN,
            "keys" => m::TEST_KEYS,
            "client" => m::TEST_CLIENT,
            _ => m::TEST_DISCOVERY,
        }
    }
}

const fn signature(signed: SamlSigned) -> &'static str {
    match signed {
        SamlSigned::Assertion => "assertion",
        SamlSigned::Response => "response",
        SamlSigned::Both => "both",
    }
}

/// GET /providers
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (rows, next) = if call.route.verb.mutates() {
        (call.parts.identity.providers(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::federation::page(&call).await?
    };
    let keys = call.parts.identity.saml_keys(call.cx()?).await?;
    let mut p = shell(&call, m::PROVIDERS).await?;
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = "/providers".into();
    }
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &ProvidersPage { p, rows, keys, next, paged })
}

/// POST /providers
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async { Ok(call.parts.identity.create_provider(call.cx()?, call.input()?).await?) };
    match made.await {
        Ok(made) => page::done(&format!("/providers/{}", made.id), "created"),
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// POST /saml-providers
pub async fn create_saml(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async { Ok(call.parts.identity.create_saml_provider(call.cx()?, call.input()?).await?) };
    match made.await {
        Ok(made) => page::done(&format!("/providers/{}", made.id), "created"),
        Err(fault) => again(&call, "create-saml", fault, show_with).await,
    }
}

async fn key_moved(call: &Arc<Call>, done: &str, moved: Result<(), Problem>) -> Result<Response, Fault> {
    match moved {
        Ok(()) => page::done("/providers", done),
        Err(problem) => again(call, "keys", problem.into(), show_with).await,
    }
}

/// POST /saml-keys
pub async fn prepare_key(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.prepare_saml_key(call.cx()?).await.map(drop);
    key_moved(&call, "created", made).await
}

/// POST /saml-keys/{id}/switch
pub async fn switch_key(call: Arc<Call>) -> Result<Response, Fault> {
    let moved = call.parts.identity.switch_saml_key(call.cx()?, call.id("id")?).await.map(drop);
    key_moved(&call, "saved", moved).await
}

/// POST /saml-keys/{id}/retire
pub async fn retire_key(call: Arc<Call>) -> Result<Response, Fault> {
    let gone = call.parts.identity.retire_saml_key(call.cx()?, call.id("id")?).await;
    key_moved(&call, "deleted", gone).await
}

/// GET /providers/{id}
pub async fn show_one(call: Arc<Call>) -> Result<Response, Fault> {
    show_one_with(call, None).await
}

async fn show_one_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    one(call, returned, None).await
}

async fn one(call: Arc<Call>, returned: Option<Returned>, checks: Option<Vec<Check>>) -> Result<Response, Fault> {
    let id: ProviderId = call.id("id")?;
    let cx = call.cx()?;
    let provider = call.parts.identity.provider(cx, id).await?;
    let domains = call.parts.identity.domains(cx, After { after: None, limit: 200 }, Some(id)).await?.items;
    let all = if call.may(Right::ROLES_READ) {
        call.parts.identity.roles(cx, After { after: None, limit: 200 }).await?.items
    } else {
        Vec::new()
    };
    let names: HashMap<RoleId, String> = all.iter().map(|r| (r.id, r.name.clone())).collect();
    let rules = provider.rules.iter().enumerate().map(|(at, rule)| RuleRow {
        at,
        claim: rule.claim.clone(),
        value: rule.value.clone(),
        role: names.get(&rule.role).cloned().unwrap_or_else(|| rule.role.to_string()),
    });
    let rules = rules.collect();
    let roles = all.into_iter().map(|r| Choice::new(r.id.to_string(), r.name)).collect();
    let (callback, logout) = addresses(&call, id);
    let mut p = shell(&call, m::PROVIDERS).await?;
    p.title.clone_from(&provider.name);
    p.path = format!("/providers/{id}");
    p.returned = returned;
    let scopes = provider.scopes.join(" ");
    let [entity, acs, slo] = saml_addresses(&call);
    let saml = SamlAddresses { entity, acs, slo };
    let signatures = [
        (SamlSigned::Assertion, m::SAML_SIGNED_ASSERTION),
        (SamlSigned::Response, m::SAML_SIGNED_RESPONSE),
        (SamlSigned::Both, m::SAML_SIGNED_BOTH),
    ];
    let signatures = signatures.map(|(s, text)| Choice::new(signature(s), p.t(text))).to_vec();
    let page = ProviderPage { p, provider, scopes, callback, logout, saml, signatures, rules, roles, domains, checks };
    render(StatusCode::OK, &page)
}

fn here(call: &Call) -> Result<String, Fault> {
    Ok(format!("/providers/{}", call.id::<sekisho_kernel::id::ProviderKind>("id")?))
}

async fn change(call: &Arc<Call>, form: &str, patch: Result<ProviderPatch, Fault>) -> Result<Response, Fault> {
    let done = async {
        let patch = patch?;
        let version = call.needed_version()?;
        Ok(call.parts.identity.update_provider(call.cx()?, call.id("id")?, version, patch).await?)
    };
    match done.await {
        Ok(_) => page::done(&here(call)?, "saved"),
        Err(fault) => again(call, form, fault, show_one_with).await,
    }
}

/// POST /providers/{id}. A box that is not ticked is sent as nothing, and means no.
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let patch = async {
        let saml = call.field("protocol") == "saml";
        let form: Vec<(String, String)> =
            call.form().into_iter().filter(|(n, _)| !matches!(n.as_str(), "csrf" | "version" | "protocol")).collect();
        let (scopes, rest): (Vec<_>, Vec<_>) = form.into_iter().partition(|(n, _)| n == "scopes");
        let mut patch: ProviderPatch = typed(inputs::PROVIDER_PATCH.pairs(&rest)?)?;
        let words = scopes.iter().flat_map(|(_, line)| line.split_whitespace()).map(str::to_owned);
        patch.scopes = (!saml).then(|| words.collect());
        // An empty field keeps the secret.
        patch.client_secret = patch.client_secret.filter(|s| !s.reveal().is_empty());
        let mut flags = vec![&mut patch.button, &mut patch.create_users, &mut patch.trusts_factor];
        if saml {
            flags.extend([&mut patch.encrypted, &mut patch.unsolicited, &mut patch.single_logout]);
        } else {
            flags.push(&mut patch.userinfo);
        }
        for flag in flags {
            flag.get_or_insert(false);
        }
        Ok(patch)
    };
    let patch = patch.await;
    change(&call, "update", patch).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetadataForm {
    #[serde(default)]
    metadata: Option<String>,
    #[serde(default)]
    metadata_url: Option<String>,
}

/// POST /providers/{id}/metadata
pub async fn metadata(call: Arc<Call>) -> Result<Response, Fault> {
    let patch = async {
        let MetadataForm { metadata, metadata_url } = call.input()?;
        Ok(ProviderPatch { metadata, metadata_url, ..ProviderPatch::default() })
    };
    let patch = patch.await;
    change(&call, "metadata", patch).await
}

/// POST /providers/{id}/switch
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let enabled = Some(call.field("enabled") == "true");
    change(&call, "switch", Ok(ProviderPatch { enabled, ..ProviderPatch::default() })).await
}

/// POST /providers/{id}/test
pub async fn test(call: Arc<Call>) -> Result<Response, Fault> {
    let checks = call.parts.identity.test_provider(call.cx()?, &issuer(&call), call.id("id")?).await?;
    one(call, None, Some(checks)).await
}

async fn rules(call: &Call) -> Result<Vec<RoleRule>, Fault> {
    Ok(call.parts.identity.provider(call.cx()?, call.id("id")?).await?.rules)
}

/// POST /providers/{id}/rules
pub async fn add_rule(call: Arc<Call>) -> Result<Response, Fault> {
    let patch = async {
        let rule: RoleRule = call.input()?;
        let mut all = rules(&call).await?;
        all.push(rule);
        Ok(ProviderPatch { rules: Some(all), ..ProviderPatch::default() })
    };
    let patch = patch.await;
    change(&call, "rule", patch).await
}

/// POST /providers/{id}/rules/{rule}/delete
pub async fn remove_rule(call: Arc<Call>) -> Result<Response, Fault> {
    let patch = async {
        let mut all = rules(&call).await?;
        let missing = || Fault::own(Problem::new(&NOT_FOUND));
        let at: usize = call.param("rule").parse().map_err(|_| missing())?;
        if at >= all.len() {
            return Err(missing());
        }
        all.remove(at);
        Ok(ProviderPatch { rules: Some(all), ..ProviderPatch::default() })
    };
    let patch = patch.await;
    change(&call, "rule", patch).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainForm {
    domain: String,
}

/// POST /providers/{id}/domains
pub async fn add_domain(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let DomainForm { domain } = call.input()?;
        let new = NewMailDomain { domain, provider: call.id("id")? };
        Ok(call.parts.identity.create_domain(call.cx()?, new).await?)
    };
    match made.await {
        Ok(_) => page::done(&here(&call)?, "created"),
        Err(fault) => again(&call, "domain", fault, show_one_with).await,
    }
}

/// POST /providers/{id}/domains/{domain}/verify
pub async fn verify_domain(call: Arc<Call>) -> Result<Response, Fault> {
    let id: MailDomainId = call.id("domain")?;
    let done = async { Ok(call.parts.identity.verify_domain(call.cx()?, id).await?) };
    match done.await {
        Ok(_) => page::done(&here(&call)?, "domain-verified"),
        Err(fault) => again(&call, "domain-check", fault, show_one_with).await,
    }
}

/// POST /providers/{id}/domains/{domain}/delete
pub async fn remove_domain(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_domain(call.cx()?, call.id("domain")?).await?;
    page::done(&here(&call)?, "deleted")
}

/// POST /providers/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_provider(call.cx()?, call.id("id")?, call.version()?).await?;
    page::done("/providers", "deleted")
}
