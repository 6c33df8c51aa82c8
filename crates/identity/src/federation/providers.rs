//! A tenant's identity providers: registered by an administrator, switched on once they are good.

use sekisho_kernel::{
    Cx, Problem, RightSet, Target, Text,
    access::Right,
    event,
    id::{ProviderId, ProviderKind},
    problem::{CONFLICT, INVALID, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Stored, Tx, View};

use super::{domains, identities, saml::settings};
use crate::{
    Answer, Identity, boxed,
    guard::{self, Reach},
    page_size,
    problems::TOO_MANY_RECORDS,
    records::{ClaimNames, CustomRole, IdentityProvider, OidcSettings, OutsideIdentity, Protocol, RoleRule},
    rights,
    types::{After, Listed, NewProvider, ProviderPatch, ProviderView},
    under,
    values::{self, taken},
};

/// Most providers of a tenant: the sign-in page shows them.
pub(super) const MOST: u64 = 20;
/// Most rules of one.
const MOST_RULES: usize = 50;
/// Most scopes asked for.
const MOST_SCOPES: usize = 20;
/// Most linked people that a new client is checked against.
const MOST_LINKED: u32 = 10_000;

pub(super) fn invalid(place: &'static str, ja: &'static str, en: &'static str) -> Problem {
    Problem::new(&INVALID).at(place).detail(Text::new(ja, en))
}

/// One line of printable ASCII without white space, as ids, claims and scopes are written.
fn word(place: &'static str, text: &str, longest: usize) -> Answer<String> {
    let plain = !text.is_empty() && text.len() <= longest && text.bytes().all(|b| (0x21..=0x7e).contains(&b));
    if plain {
        return Ok(text.to_owned());
    }
    Err(invalid(place, "空白を含まない ASCII の文字で入力してください。", "Give ASCII characters without white space."))
}

/// A secret of ours elsewhere: printable ASCII (RFC 6749 appendix A.2).
fn secret(text: &str) -> Answer<String> {
    if text.len() <= 512 && text.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
        return Ok(text.to_owned());
    }
    Err(invalid(
        "client_secret",
        "512 文字以下の ASCII の文字で入力してください。",
        "Give at most 512 ASCII characters.",
    ))
}

/// An issuer (Discovery §3): https, a host, perhaps a path; no user, query or fragment.
fn issuer(text: &str) -> Answer<String> {
    let text = text.trim();
    let bad = || {
        invalid(
            "issuer",
            "https で始まり、ホスト名を含み、「?」「#」「@」を含まないアドレスを入力してください。",
            "Give an https address with a host name and without “?”, “#” and “@”.",
        )
    };
    let rest = text.strip_prefix("https://").ok_or_else(bad)?;
    let plain =
        text.len() <= 512 && text.bytes().all(|b| (0x21..=0x7e).contains(&b) && !b"\"<>\\^`{|}?#@".contains(&b));
    if !plain || rest.starts_with('/') || rest.is_empty() {
        return Err(bad());
    }
    Ok(text.to_owned())
}

pub(super) fn missing() -> Problem {
    Problem::new(&NOT_FOUND)
}

impl Identity {
    /// Registers a provider; it signs nobody in until it is enabled.
    ///
    /// # Errors
    /// `INVALID`, `SK-4019` (name taken), `SK-4027`.
    #[boxed]
    pub async fn create_provider(&self, cx: &Cx, new: NewProvider) -> Answer<ProviderView> {
        let id: ProviderId = self.id();
        let act = under(Right::FEDERATION_WRITE, &event::PROVIDER_CREATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                if tx.count::<IdentityProvider>(&[])? >= MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                let given = new.client_secret.as_ref().map(|s| s.reveal().clone()).filter(|s| !s.is_empty());
                let provider = IdentityProvider {
                    name: values::label("name", &new.name)?,
                    protocol: Protocol::Oidc(OidcSettings {
                        issuer: issuer(&new.issuer)?,
                        client_id: word("client_id", new.client_id.trim(), 256)?,
                        client_secret: given.map(|s| secret(&s)).transpose()?,
                        scopes: vec!["profile".into(), "email".into()],
                        userinfo: false,
                    }),
                    enabled: false,
                    button: true,
                    create_users: false,
                    trusts_factor: false,
                    claims: ClaimNames {
                        name: "preferred_username".into(),
                        display_name: "name".into(),
                        mail: "email".into(),
                    },
                    rules: Vec::new(),
                };
                tx.insert(id, &provider).map_err(taken)?;
                let made = shown(&mut tx.view(), id)?;
                tx.commit(permit, Entry::of(id).with("protocol", made.protocol), made)
            })
            .await
    }

    /// One provider.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn provider(&self, cx: &Cx, id: ProviderId) -> Answer<ProviderView> {
        let act = under(Right::FEDERATION_READ, &event::PROVIDER_READ, Target::tenant(cx.tenant), id);
        self.vault().look(cx, act, move |view| shown(view, id)).await
    }

    /// A page of providers.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn providers(&self, cx: &Cx, page: After<ProviderKind>) -> Answer<Listed<ProviderView, ProviderId>> {
        let act = under(Right::FEDERATION_READ, &event::PROVIDER_LIST, Target::tenant(cx.tenant), "providers");
        self.vault()
            .look(cx, act, move |view| {
                let after = page.after.map(ProviderId::cast);
                let (rows, next) =
                    guard::page(view, &Page { after, limit: page_size(page.limit), ..Page::default() }, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(provider_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes a provider as it was at `version`. Whoever moves it to another client, or enables it, has every right of
    /// the people it signs in; whoever writes a rule has the role's.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `INVALID`, `SK-4013`, `SK-4014`, `SK-4019`, `SK-4185`.
    #[boxed]
    pub async fn update_provider(
        &self,
        cx: &Cx,
        id: ProviderId,
        version: i64,
        patch: ProviderPatch,
    ) -> Answer<ProviderView> {
        let (reach, ways) = (self.reach(cx), self.ways(cx));
        let now = self.now();
        let act = || under(Right::FEDERATION_WRITE, &event::PROVIDER_UPDATE, Target::tenant(cx.tenant), id);
        let given = match self.given_metadata(cx, patch.metadata.as_deref(), patch.metadata_url.as_deref()).await {
            Ok(given) => given,
            Err(problem) => return Err(self.stop(cx, act(), problem).await),
        };
        let view = self
            .vault()
            .act(cx, act(), move |tx, permit| {
                let mut provider = tx.get::<IdentityProvider>(id)?.ok_or_else(missing)?.body;
                let (enabled, mut changed) = (provider.enabled, Vec::new());
                if let Some((metadata, url)) = given
                    && settings::moved(&mut provider, metadata, url, now)?
                {
                    above_all(tx, &reach, id)?;
                    changed.push("metadata");
                }
                changed.extend(apply(tx, &reach, id, &mut provider, &patch)?);
                tx.update(id, version, &provider).map_err(taken)?;
                if enabled && !provider.enabled {
                    guard::way_in_left(tx, ways)?;
                }
                let now = shown(&mut tx.view(), id)?;
                tx.commit(permit, Entry::of(id).with("changed", changed.join(" ")), now)
            })
            .await?;
        self.0.providers.forget(id);
        Ok(view)
    }

    /// Deletes a provider with its links and mail domains. Accounts stay, sessions that it began go on.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `SK-4185`.
    #[boxed]
    pub async fn delete_provider(&self, cx: &Cx, id: ProviderId, version: Option<i64>) -> Answer<()> {
        let act = under(Right::FEDERATION_WRITE, &event::PROVIDER_DELETE, Target::tenant(cx.tenant), id);
        let ways = self.ways(cx);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let provider = tx.get::<IdentityProvider>(id)?.ok_or_else(missing)?;
                if version.is_some_and(|v| v != provider.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                let links = identities::drop_of(tx, id)?;
                domains::drop_of(tx, id)?;
                tx.delete::<IdentityProvider>(id)?;
                if provider.body.enabled {
                    guard::way_in_left(tx, ways)?;
                }
                tx.commit(permit, Entry::of(id).with("links", links), ())
            })
            .await?;
        self.0.providers.forget(id);
        Ok(())
    }
}

/// What a patch changes, by name.
fn apply(
    tx: &mut Tx<'_>,
    reach: &Reach,
    id: ProviderId,
    provider: &mut IdentityProvider,
    patch: &ProviderPatch,
) -> Answer<Vec<&'static str>> {
    let mut changed = Vec::new();
    let mut above = false;
    match &mut provider.protocol {
        Protocol::Oidc(oidc) => {
            settings::none_of(patch)?;
            above |= apply_oidc(oidc, patch, &mut changed)?;
        }
        Protocol::Saml(saml) => {
            none_of_oidc(patch)?;
            settings::apply(saml, patch, &mut changed);
        }
    }
    if let Some(name) = &patch.name {
        provider.name = values::label("name", name)?;
        changed.push("name");
    }
    for (place, new, old) in [
        ("name_claim", &patch.name_claim, &mut provider.claims.name),
        ("display_name_claim", &patch.display_name_claim, &mut provider.claims.display_name),
        ("mail_claim", &patch.mail_claim, &mut provider.claims.mail),
    ] {
        if let Some(new) = new {
            *old = word(place, new.trim(), 256)?;
            changed.push(place);
        }
    }
    for (place, new, old) in [
        ("button", patch.button, &mut provider.button),
        ("create_users", patch.create_users, &mut provider.create_users),
        ("trusts_factor", patch.trusts_factor, &mut provider.trusts_factor),
    ] {
        if let Some(new) = new {
            // Whose word is taken for a second factor matters to everybody whom it signs in.
            above |= place == "trusts_factor" && new && !*old;
            *old = new;
            changed.push(place);
        }
    }
    if let Some(enabled) = patch.enabled {
        above |= enabled && !provider.enabled;
        provider.enabled = enabled;
        changed.push(if enabled { "enabled" } else { "disabled" });
    }
    if let Some(rules) = &patch.rules {
        checked_rules(tx, reach, rules)?;
        provider.rules.clone_from(rules);
        changed.push("rules");
    }
    if above {
        above_all(tx, reach, id)?;
    }
    Ok(changed)
}

/// Refuses a patch that names what this protocol does not have.
pub(super) fn foreign(named: &[(&'static str, bool)]) -> Answer<()> {
    match named.iter().find(|(_, there)| *there) {
        None => Ok(()),
        Some((place, _)) => Err(invalid(
            place,
            "このプロバイダーの方式にはない設定です。",
            "Providers of this protocol have no such setting.",
        )),
    }
}

fn none_of_oidc(patch: &ProviderPatch) -> Answer<()> {
    foreign(&[
        ("client_id", patch.client_id.is_some()),
        ("client_secret", patch.client_secret.is_some()),
        ("scopes", patch.scopes.is_some()),
        ("userinfo", patch.userinfo.is_some()),
    ])
}

/// What only an OpenID provider has; whether it is another client than before.
fn apply_oidc(oidc: &mut OidcSettings, patch: &ProviderPatch, changed: &mut Vec<&'static str>) -> Answer<bool> {
    let mut above = false;
    if let Some(client) = &patch.client_id {
        let client = word("client_id", client.trim(), 256)?;
        above |= client != oidc.client_id;
        oidc.client_id = client;
        changed.push("client_id");
    }
    if let Some(given) = &patch.client_secret {
        oidc.client_secret = match given.reveal().as_str() {
            "" => None,
            text => Some(secret(text)?),
        };
        changed.push("client_secret");
    }
    if let Some(scopes) = &patch.scopes {
        let plain = |s: &String| word("scopes", s, 64).is_ok() && !s.contains(['"', '\\']);
        if scopes.len() > MOST_SCOPES || !scopes.iter().all(plain) {
            return Err(invalid(
                "scopes",
                "20 個以下の scope の名前を指定してください。",
                "Give at most 20 names of scopes.",
            ));
        }
        oidc.scopes = scopes.iter().filter(|s| *s != "openid").cloned().collect();
        changed.push("scopes");
    }
    if let Some(userinfo) = patch.userinfo {
        oidc.userinfo = userinfo;
        changed.push("userinfo");
    }
    Ok(above)
}

fn checked_rules(tx: &mut Tx<'_>, reach: &Reach, rules: &[RoleRule]) -> Answer<()> {
    if rules.len() > MOST_RULES {
        return Err(Problem::new(&TOO_MANY_RECORDS).at("rules"));
    }
    let mut given = RightSet::EMPTY;
    for rule in rules {
        word("claim", &rule.claim, 256).map_err(|p| p.at("rules"))?;
        values::label("value", &rule.value).map_err(|p| p.at("rules"))?;
        let role = tx.get::<CustomRole>(rule.role)?.ok_or_else(|| missing().at("rules"))?;
        given = given.union(rights::known(&role.body.rights));
    }
    reach.gives(given, None)
}

/// Refuses where anybody whom the provider signs in has more rights than the actor.
fn above_all(tx: &mut Tx<'_>, reach: &Reach, id: ProviderId) -> Answer<()> {
    let tenant = tx.scope().tenant();
    let links =
        tx.list::<OutsideIdentity>(&Page { limit: MOST_LINKED, eq: &[("provider_id", id.into())], ..Page::default() })?;
    for link in links {
        if let Some(person) = rights::person(&mut tx.view(), tenant, link.body.user)? {
            reach.above(&person)?;
        }
    }
    Ok(())
}

/// A provider as it is shown.
pub fn shown(view: &mut View<'_>, id: ProviderId) -> Answer<ProviderView> {
    view.get::<IdentityProvider>(id)?.map(provider_view).ok_or_else(missing)
}

fn provider_view(p: Stored<IdentityProvider>) -> ProviderView {
    let (oidc, saml) = match &p.body.protocol {
        Protocol::Oidc(oidc) => (Some(oidc), None),
        Protocol::Saml(saml) => (None, Some(saml)),
    };
    let issuer = oidc.map(|o| &o.issuer).or(saml.map(|s| &s.metadata.entity_id));
    ProviderView {
        id: p.id(),
        version: p.version,
        created: p.created,
        updated: p.updated,
        protocol: if saml.is_some() { "saml" } else { "oidc" },
        issuer: issuer.cloned().unwrap_or_default(),
        client_id: oidc.map(|o| o.client_id.clone()).unwrap_or_default(),
        has_secret: oidc.is_some_and(|o| o.client_secret.is_some()),
        scopes: oidc.map(|o| o.scopes.clone()).unwrap_or_default(),
        userinfo: oidc.is_some_and(|o| o.userinfo),
        saml: saml.map(settings::view),
        name: p.body.name,
        enabled: p.body.enabled,
        button: p.body.button,
        create_users: p.body.create_users,
        trusts_factor: p.body.trusts_factor,
        claims: p.body.claims,
        rules: p.body.rules,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_https_and_plain() {
        for good in ["https://idp.example", "https://idp.example/realms/acme", "https://idp.example:8443/"] {
            assert_eq!(issuer(good).unwrap(), good);
        }
        for bad in [
            "",
            "http://idp.example",
            "https://",
            "https:///x",
            "https://u@idp.example",
            "https://idp.example?x",
            "https://idp.example#x",
            "https://idp.example/ü",
            "javascript:x",
        ] {
            assert!(issuer(bad).is_err(), "{bad}");
        }
    }
}
