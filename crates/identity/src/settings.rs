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
    Answer, Identity, boxed,
    guard::{self, Ways},
    problems::UNKNOWN_SETTING,
    records::TenantSetting,
    rights, sql,
    types::{FunctionView, PolicyView, SettingView},
    under,
};

impl Identity {
    /// The policy in force: the platform's, the tenant's own, and the stricter of the two. A tenant is shown what promises
    /// something to it or may be tightened by it; the platform itself, every setting.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
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
        let schema = effective.platform.schema();
        let settings = schema.iter().filter(|s| is_for(tenant, s)).map(|s| shown(&effective, s)).collect();
        let (name, digest) = (effective.platform.name().to_owned(), effective.platform.digest());
        Ok(PolicyView { name, digest, settings })
    }

    /// Sets one value for the tenant. `value` is JSON as the API writes it (durations in seconds), or a text as the policy
    /// file would have it (`"30m"`). In force on every node at once.
    ///
    /// # Errors
    /// `SK-4021` (no such setting), a value's own fault, the gate's refusal of what would loosen the platform's, or `SK-4185`
    /// where no administrator could come in any more.
    #[boxed]
    pub async fn set_policy(&self, cx: &Cx, key: &str, value: serde_json::Value) -> Answer<SettingView> {
        let policy = self.platform();
        let known = self.known(cx, key);
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
    #[boxed]
    pub async fn clear_policy(&self, cx: &Cx, key: &str) -> Answer<SettingView> {
        let known = self.known(cx, key);
        self.tenant_policy(cx, short(key), move |own| {
            let known = known?;
            own.settings.remove(known.key);
            Ok((known, Entry::of(known.key).with("value", "")))
        })
        .await
    }

    /// The setting of that key, if it is for the context's tenant.
    fn known(&self, cx: &Cx, key: &str) -> Answer<&'static Setting> {
        let known = self.platform().schema().get(key).filter(|s| is_for(cx.tenant, s));
        known.ok_or_else(|| Problem::new(&UNKNOWN_SETTING).at(short(key)))
    }

    async fn tenant_policy<F>(&self, cx: &Cx, object: String, f: F) -> Answer<SettingView>
    where
        F: FnOnce(&mut TenantSetting) -> Answer<(&'static Setting, Entry)> + Send + 'static,
    {
        let (this, tenant, policy) = (self.clone(), cx.tenant, self.platform());
        let (gates, before) = (self.0.gates.clone(), cx.policy.clone());
        let act = under(Right::POLICY_WRITE, &event::POLICY_UPDATE, Target::tenant(tenant), object);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let old = held(tx, tenant)?;
                let mut own = old.body;
                let (known, entry) = f(&mut own)?;
                tx.update(tenant, old.version, &own)?;
                tx.notify("tenant", &tenant.to_string())?;
                let effective = this.with_floor(Effective::new(policy, Arc::new(this.own_settings(&own))));
                let closes = |open: &dyn Fn(&Effective) -> bool| open(&before) && !open(&effective);
                if closes(&|p| gates.password_way(p))
                    || closes(&|p| gates.passkeys(p).alone)
                    || closes(&|p| gates.federation(p).allowed)
                {
                    guard::way_in_left(tx, Ways::of(&*gates, &effective)).map_err(|p| p.at(known.key))?;
                }
                tx.commit(permit, entry, shown(&effective, known))
            })
            .await
    }

    /// Every function, and whether the tenant has switched it off.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
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
    #[boxed]
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

/// Whether a tenant is shown the setting.
fn is_for(tenant: TenantId, setting: &Setting) -> bool {
    // Where the provider's files and sockets are is not for tenants, whatever is declared.
    let place = matches!(setting.kind, Kind::Path | Kind::Socket | Kind::Sockets | Kind::Origin);
    tenant.is_nil() || (setting.tenant != Movement::Inner && !place)
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
            Movement::Inner => "inner",
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

#[cfg(test)]
mod tests {
    use sekisho_kernel::policy::Default;

    use super::*;

    #[test]
    fn the_platform_sees_everything_and_a_tenant_what_is_for_it() {
        const SHOWN: Setting = Setting {
            key: "test.shown",
            kind: Kind::Bool,
            default: Default::Bool(true),
            tenant: Movement::Fixed,
            doc: sekisho_kernel::Text::new("試験", "test"),
        };
        let place = Setting { key: "test.place", kind: Kind::Path, default: Default::Str(""), ..SHOWN };
        let inner = Setting { key: "test.inner", tenant: Movement::Inner, ..SHOWN };
        let tenant = TenantId::from_bytes([1; 16]);
        assert_eq!([&SHOWN, &place, &inner].map(|s| is_for(tenant, s)), [true, false, false]);
        assert_eq!([&SHOWN, &place, &inner].map(|s| is_for(TenantId::NIL, s)), [true; 3]);
    }
}
