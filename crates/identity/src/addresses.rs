//! A tenant's own address rules.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use sekisho_kernel::{
    Cx, Problem, Target, Text,
    access::Right,
    event,
    gate::{AddressLists, Gates},
    id::{AddressRuleId, AddressRuleKind},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Stored, Tx, View};

use crate::{
    Answer, Identity, boxed, guard, page_size,
    problems::{LOCKS_YOU_OUT, TOO_MANY_RECORDS},
    records::AddressRule,
    sql,
    types::{AddressRulePatch, AddressRuleView, After, Listed, NewAddressRule},
    under,
    values::{network, note},
};

/// Most rules of one tenant: they are all looked at for every connection.
pub const MOST: usize = 1_000;

/// Who sets a rule, from where, under which lists.
struct Setter {
    gates: Arc<dyn Gates>,
    platform: Vec<IpNet>,
    peer: Option<IpAddr>,
}

impl Setter {
    /// Refuses a list that would shut its own author out.
    fn stays_in(&self, view: &mut View<'_>) -> Answer<()> {
        let Some(peer) = self.peer else { return Ok(()) };
        let lists = AddressLists { platform: self.platform.clone(), tenant: networks(view)? };
        if self.gates.address(&lists, peer).allows() {
            return Ok(());
        }
        let peer = peer.to_canonical();
        Err(Problem::new(&LOCKS_YOU_OUT)
            .at("network")
            .detail(Text::owned(format!("現在の接続元: {peer}"), format!("You come from {peer}."))))
    }
}

/// Every network of the tenant's rules.
pub fn networks(view: &mut View<'_>) -> Answer<Vec<IpNet>> {
    let rules = view.list::<AddressRule>(&Page { limit: Page::MOST, ..Page::default() })?;
    Ok(rules.into_iter().map(|r| r.body.network).collect())
}

impl Identity {
    fn setter(&self, cx: &Cx) -> Setter {
        Setter { gates: self.0.gates.clone(), platform: self.gates().platform_networks(&cx.policy), peer: cx.peer }
    }

    /// Adds a rule. The first one shuts out every other address.
    ///
    /// # Errors
    /// `SK-4017` (would shut out whoever sets it), `SK-4018`, `INVALID`.
    #[boxed]
    pub async fn create_address_rule(&self, cx: &Cx, new: NewAddressRule) -> Answer<AddressRuleView> {
        let (id, setter): (AddressRuleId, _) = (self.id(), self.setter(cx));
        let tenant = cx.tenant;
        let act = under(Right::ADDRESSES_WRITE, &event::ADDRESS_RULE_CREATE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                if networks(&mut tx.view())?.len() >= MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                let rule = AddressRule { network: network(&new.network)?, note: note(&new.note)? };
                tx.insert(id, &rule)?;
                let made = shown(tx.get(id)?)?;
                let entry = settled(tx, &setter, tenant, Entry::of(id).with("network", rule.network))?;
                tx.commit(permit, entry, made)
            })
            .await
    }

    /// One rule.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn address_rule(&self, cx: &Cx, id: AddressRuleId) -> Answer<AddressRuleView> {
        let act = under(Right::ADDRESSES_READ, &event::ADDRESS_RULE_LIST, Target::tenant(cx.tenant), id);
        self.vault().look(cx, act, move |view| shown(view.get(id)?)).await
    }

    /// A page of rules.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn address_rules(
        &self,
        cx: &Cx,
        page: After<AddressRuleKind>,
    ) -> Answer<Listed<AddressRuleView, AddressRuleId>> {
        let act = under(Right::ADDRESSES_READ, &event::ADDRESS_RULE_LIST, Target::tenant(cx.tenant), "address-rules");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (page.after.map(AddressRuleId::cast), page_size(page.limit));
                let (rows, next) = guard::page(view, &Page { after, limit, ..Page::default() }, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(rule_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes a rule as it was at `version`.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, and those of [`Identity::create_address_rule`].
    #[boxed]
    pub async fn update_address_rule(
        &self,
        cx: &Cx,
        id: AddressRuleId,
        version: i64,
        patch: AddressRulePatch,
    ) -> Answer<AddressRuleView> {
        let (tenant, setter) = (cx.tenant, self.setter(cx));
        let act = under(Right::ADDRESSES_WRITE, &event::ADDRESS_RULE_UPDATE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let mut rule = tx.get::<AddressRule>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?.body;
                if let Some(text) = &patch.network {
                    rule.network = network(text)?;
                }
                if let Some(text) = &patch.note {
                    rule.note = note(text)?;
                }
                tx.update(id, version, &rule)?;
                let now = shown(tx.get(id)?)?;
                let entry = settled(tx, &setter, tenant, Entry::of(id).with("network", rule.network))?;
                tx.commit(permit, entry, now)
            })
            .await
    }

    /// Removes a rule. Without the last one every address is admitted again, as far as the platform's list goes.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `SK-4017`.
    #[boxed]
    pub async fn delete_address_rule(&self, cx: &Cx, id: AddressRuleId, version: Option<i64>) -> Answer<()> {
        let (tenant, setter) = (cx.tenant, self.setter(cx));
        let act = under(Right::ADDRESSES_WRITE, &event::ADDRESS_RULE_DELETE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let rule = tx.get::<AddressRule>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if version.is_some_and(|v| v != rule.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                tx.delete::<AddressRule>(id)?;
                let entry = settled(tx, &setter, tenant, Entry::of(id).with("network", rule.body.network))?;
                tx.commit(permit, entry, ())
            })
            .await
    }
}

/// The list as it now is does not shut its author out, and every node hears of it.
fn settled(tx: &mut Tx<'_>, setter: &Setter, tenant: sekisho_kernel::id::TenantId, entry: Entry) -> Answer<Entry> {
    setter.stays_in(&mut tx.view())?;
    tx.notify("tenant", &tenant.to_string())?;
    Ok(entry)
}

fn shown(rule: Option<Stored<AddressRule>>) -> Answer<AddressRuleView> {
    rule.map(rule_view).ok_or_else(|| Problem::new(&NOT_FOUND))
}

fn rule_view(rule: Stored<AddressRule>) -> AddressRuleView {
    AddressRuleView {
        id: rule.id(),
        version: rule.version,
        created: rule.created,
        updated: rule.updated,
        network: rule.body.network.to_string(),
        note: rule.body.note,
    }
}
