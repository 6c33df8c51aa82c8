//! A tenant's own policy and its function switches.

use std::sync::Arc;

use sekisho_kernel::{
    Cx, Effective, Function, Problem, Setting, Target,
    access::Right,
    event,
    gate::Decision,
    id::TenantId,
    policy::{Kind, Movement, parse_value, show, value_from_json, value_to_json},
    problem::NOT_FOUND,
};
use sekisho_vault::{Entry, Stored, Tx, View};

use crate::{
    Answer, Identity,
    problems::UNKNOWN_SETTING,
    records::TenantSetting,
    rights, sql,
    types::{FunctionView, PolicyView, SettingView},
    under,
};

impl Identity {
    /// The policy in force: the platform's, the tenant's own, and the stricter of the two.
    ///
    /// # Errors
    /// The access check's and the store's.
    pub async fn policy(&self, cx: &Cx) -> Answer<PolicyView> {
        let (this, tenant) = (self.clone(), cx.tenant);
        let policy = self.platform();
        let act = under(Right::POLICY_READ, &event::POLICY_READ, Target::tenant(tenant), "policy");
        let effective = self
            .vault()
            .look(cx, act, move |view| {
                let own = setting(view, tenant)?.body;
                Ok(this.with_floor(Effective::new(policy, Arc::new(this.own_settings(&own)))))
            })
            .await?;
        // Where the provider's files and sockets are is not for tenants.
        let inner = |s: &&Setting| matches!(s.kind, Kind::Path | Kind::Socket | Kind::Sockets | Kind::Origin);
        let schema = effective.platform.schema();
        let settings = schema.iter().filter(|s| !inner(s)).map(|s| shown(&effective, s)).collect();
        let (name, digest) = (effective.platform.name().to_owned(), effective.platform.digest());
        Ok(PolicyView { name, digest, settings })
    }

    /// Sets one value for the tenant. `value` is JSON as the API writes it (durations in seconds), or a text as the policy
    /// file would have it (`"30m"`). In force on every node at once.
    ///
    /// # Errors
    /// `SK-4021` (no such setting), a value's own fault, or the gate's refusal of what would loosen the platform's.
    pub async fn set_policy(&self, cx: &Cx, key: &str, value: serde_json::Value) -> Answer<SettingView> {
        let policy = self.platform();
        let known = policy.schema().get(key).ok_or_else(|| Problem::new(&UNKNOWN_SETTING).at(short(key)));
        let gates = self.0.gates.clone();
        let key = short(key);
        self.tenant_policy(cx, key.clone(), move |own| {
            let known = known?;
            let value = given(known, &value)?;
            if let Decision::Refuse(kind) = gates.tenant_value(known, &policy.value(known), &value) {
                return Err(Problem::new(kind).at(known.key));
            }
            own.settings.insert(known.key.to_owned(), value_to_json(&value));
            Ok((known, Entry::of(known.key).with("value", show(&value))))
        })
        .await
    }

    /// Takes the tenant's own value away: the platform's holds again.
    ///
    /// # Errors
    /// `SK-4021`.
    pub async fn clear_policy(&self, cx: &Cx, key: &str) -> Answer<SettingView> {
        let known = self.platform().schema().get(key).ok_or_else(|| Problem::new(&UNKNOWN_SETTING).at(short(key)));
        self.tenant_policy(cx, short(key), move |own| {
            let known = known?;
            own.settings.remove(known.key);
            Ok((known, Entry::of(known.key).with("value", "")))
        })
        .await
    }

    async fn tenant_policy<F>(&self, cx: &Cx, object: String, f: F) -> Answer<SettingView>
    where
        F: FnOnce(&mut TenantSetting) -> Answer<(&'static Setting, Entry)> + Send + 'static,
    {
        let (this, tenant, policy) = (self.clone(), cx.tenant, self.platform());
        let act = under(Right::POLICY_WRITE, &event::POLICY_UPDATE, Target::tenant(tenant), object);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let old = held(tx, tenant)?;
                let mut own = old.body;
                let (known, entry) = f(&mut own)?;
                tx.update(tenant, old.version, &own)?;
                tx.notify("tenant", &tenant.to_string())?;
                let effective = this.with_floor(Effective::new(policy, Arc::new(this.own_settings(&own))));
                tx.commit(permit, entry, shown(&effective, known))
            })
            .await
    }

    /// Every function, and whether the tenant has switched it off.
    ///
    /// # Errors
    /// The access check's and the store's.
    pub async fn functions(&self, cx: &Cx) -> Answer<Vec<FunctionView>> {
        let tenant = cx.tenant;
        let act = under(Right::POLICY_READ, &event::SWITCH_READ, Target::tenant(tenant), "functions");
        self.vault().look(cx, act, move |view| Ok(switches(&setting(view, tenant)?.body.functions_off))).await
    }

    /// Switches functions off for the whole tenant, and all others on. With `policy` off nobody in the tenant can switch
    /// it on again; the link of `sekisho admin recover` does.
    ///
    /// # Errors
    /// `SK-4024`.
    pub async fn switch_functions(&self, cx: &Cx, off: Vec<String>) -> Answer<Vec<FunctionView>> {
        let (tenant, functions) = (cx.tenant, rights::functions(&off));
        let act = under(Right::SWITCHES_WRITE, &event::SWITCH_UPDATE, Target::tenant(tenant), "functions");
        self.vault()
            .act(cx, act, move |tx, permit| {
                let old = held(tx, tenant)?;
                let own = TenantSetting { functions_off: functions?, ..old.body };
                tx.update(tenant, old.version, &own)?;
                tx.keep(&sql::RIGHTS_BUMP_TENANT, &[])?;
                tx.notify("rights", &format!("{tenant}:"))?;
                let entry = Entry::default().with("off", own.functions_off.join(" "));
                tx.commit(permit, entry, switches(&own.functions_off))
            })
            .await
    }
}

/// The tenant's one record.
pub fn setting(view: &mut View<'_>, tenant: TenantId) -> Answer<Stored<TenantSetting>> {
    view.get::<TenantSetting>(tenant)?.ok_or_else(|| Problem::new(&NOT_FOUND))
}

/// The same, with other writers of it waiting.
pub fn held(tx: &mut Tx<'_>, tenant: TenantId) -> Answer<Stored<TenantSetting>> {
    tx.keep(&sql::TENANT_HOLD, &[])?;
    setting(&mut tx.view(), tenant)
}

/// A key from outside, as far as it is shown and entered.
fn short(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn given(setting: &'static Setting, json: &serde_json::Value) -> Answer<sekisho_kernel::policy::Value> {
    match json {
        serde_json::Value::String(text) => parse_value(setting, text),
        json => value_from_json(setting, json),
    }
}

fn switches(off: &[String]) -> Vec<FunctionView> {
    Function::all()
        .map(|f| FunctionView { name: f.name(), text: f.text().clone(), off: off.iter().any(|n| n == f.name()) })
        .collect()
}

fn shown(effective: &Effective, setting: &'static Setting) -> SettingView {
    let (platform, own) = (effective.platform.value(setting), effective.tenant.get(setting).cloned());
    let value = effective.value(setting);
    SettingView {
        key: setting.key.to_owned(),
        platform: value_to_json(&platform),
        platform_text: show(&platform),
        tenant: own.as_ref().map(value_to_json),
        tenant_text: own.as_ref().map(show),
        effective: value_to_json(&value),
        effective_text: show(&value),
        movement: match setting.tenant {
            Movement::Fixed => "fixed",
            Movement::Min => "min",
            Movement::Max => "max",
            Movement::Subset => "subset",
            Movement::Beside => "beside",
        },
        kind: match setting.kind {
            Kind::Bool => "bool",
            Kind::Int { .. } => "int",
            Kind::Span { .. } => "span",
            Kind::Choice(_) => "choice",
            Kind::Str { .. } => "str",
            Kind::Zone => "zone",
            Kind::Networks => "networks",
            Kind::Socket => "socket",
            Kind::Sockets => "sockets",
            Kind::Origin => "origin",
            Kind::Path => "path",
            Kind::List => "list",
        },
        choices: match setting.kind {
            Kind::Choice(words) => words,
            _ => &[],
        },
        doc: setting.doc.clone(),
    }
}
