//! What is done by itself for tenants with SAML providers: the next key is prepared in time, and providers' metadata is read again
//! where it is published.
//!
//! Who holds a provider's certificate is anybody of the tenant. Of what an address says, only this is taken over without a person:
//! a document that a certificate registered already has signed, and a later `validUntil`. A certificate that has once left comes
//! back by nobody but an administrator, so that an old document cannot bring back an old key. Anything else waits and is shown.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Text, Time, event,
    hook::Directory,
    id::{ProviderId, TenantId},
    problem::CONFLICT,
};
use sekisho_saml::Certificate;
use sekisho_vault::{Entry, Page, Scope, Stored};

use super::metadata;
use crate::{
    Answer, Identity, boxed, by_job,
    records::{IdentityProvider, Protocol, SamlFound, SamlLook, SamlMetadata, SamlSettings},
};

/// How often to look what is due.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(600);
/// How soon an address that failed is asked again.
const AGAIN: Duration = Duration::from_secs(3_600);
/// Most certificates that are remembered to have left.
const LEFT: usize = 16;
/// The longest reason that is kept, in characters.
const REASON: usize = 400;

fn prints(metadata: &SamlMetadata) -> Vec<String> {
    let read = metadata.certificates.iter().filter_map(|c| Certificate::from_base64(c).ok());
    read.map(|c| c.fingerprint()).collect()
}

/// Puts other metadata in place, and remembers which certificates left with the old.
pub fn replace(saml: &mut SamlSettings, there: SamlMetadata, now: Time) {
    let (before, after) = (prints(&saml.metadata), prints(&there));
    saml.left.retain(|gone| !after.contains(gone));
    saml.left.extend(before.into_iter().filter(|print| !after.contains(print)));
    saml.left.drain(..saml.left.len().saturating_sub(LEFT));
    (saml.metadata, saml.read) = (there, now);
}

/// How what is published stands to what is registered. `signed`: a certificate that is registered has signed it.
fn judged(saml: &SamlSettings, there: &SamlMetadata, signed: bool) -> SamlFound {
    let known = &saml.metadata;
    if there == known {
        return SamlFound::Same;
    }
    let longer = matches!((known.valid_until, there.valid_until), (Some(before), Some(after)) if after > before);
    let more_time = longer && SamlMetadata { valid_until: known.valid_until, ..there.clone() } == *known;
    let certificates = prints(there);
    let back = certificates.iter().any(|print| saml.left.contains(print));
    if more_time || (signed && !back) { SamlFound::Taken } else { SamlFound::Waiting { certificates } }
}

fn failed(why: &Text) -> SamlFound {
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(REASON).collect();
    SamlFound::Failed { ja: short(&why.ja), en: short(&why.en) }
}

/// Whether an address is to be looked at.
fn due(saml: &SamlSettings, now: Time, every: Duration) -> bool {
    let (last, wait) = match &saml.look {
        None => (saml.read, every),
        Some(SamlLook { at, found: SamlFound::Failed { .. } }) => (*at, every.min(AGAIN)),
        Some(look) => (look.at, every),
    };
    saml.url.is_some() && now.since(last) >= wait
}

impl Identity {
    /// Looks after every tenant's SAML providers. One node at a time; run it every [`UPKEEP_EVERY`].
    ///
    /// # Errors
    /// The first tenant's that cannot be looked after; the others have been.
    #[boxed]
    pub async fn keep_up_saml(&self) -> Answer<()> {
        let mut trouble = None;
        for tenant in self.vault().tenants().await? {
            if let Err(problem) = self.keep_up_saml_of(tenant).await {
                tracing::warn!(%tenant, ?problem, "SAML providers were not looked after");
                trouble.get_or_insert(problem);
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    async fn keep_up_saml_of(&self, tenant: TenantId) -> Answer<()> {
        let policy = self.effective(tenant).await?;
        let rule = self.gates().federation(&policy);
        if !rule.allowed {
            return Ok(());
        }
        let cx = Cx::job(tenant, Job::Federation, policy, self.rng());
        self.prepare_due_key(&cx).await?;
        let every = self
            .vault()
            .peek(&Scope::of(&cx), |view| view.list::<IdentityProvider>(&Page { limit: 50, ..Page::default() }))
            .await?;
        for provider in every {
            let Protocol::Saml(saml) = &provider.body.protocol else { continue };
            if due(saml, self.now(), rule.metadata_every) {
                self.look_again(&cx, &provider, saml).await?;
            }
        }
        Ok(())
    }

    /// What is published now.
    async fn published(&self, saml: &SamlSettings, url: &str) -> Answer<(SamlMetadata, bool)> {
        let bytes = self.fetched(url).await.map_err(|mut problem| {
            problem.place = None;
            problem
        })?;
        let known = saml.metadata.certificates.iter().filter_map(|c| Certificate::from_base64(c).ok());
        let pins: Vec<Certificate> = known.collect();
        match metadata::read(&bytes, &pins, self.now()) {
            Ok(there) if !pins.is_empty() => Ok((there, true)),
            _ => metadata::read(&bytes, &[], self.now()).map(|there| (there, false)),
        }
    }

    async fn look_again(&self, cx: &Cx, provider: &Stored<IdentityProvider>, saml: &SamlSettings) -> Answer<()> {
        let Some(url) = &saml.url else { return Ok(()) };
        let mut next = saml.clone();
        let found = match self.published(saml, url).await {
            Ok((there, _)) if there.entity_id != saml.metadata.entity_id => {
                failed(&Text::new("別のエンティティ ID のメタデータです。", "It is the metadata of another entity id."))
            }
            Ok((there, signed)) => {
                let found = judged(saml, &there, signed);
                if found == SamlFound::Taken {
                    replace(&mut next, there, self.now());
                }
                found
            }
            Err(problem) => failed(&metadata::wrong(&problem)),
        };
        let (id, version): (ProviderId, _) = (provider.id(), provider.version);
        let mut entry = Entry::of(id).with("found", found.word());
        entry = match &found {
            SamlFound::Same => entry,
            SamlFound::Taken => entry.with("certificates", shortened(&prints(&next.metadata))),
            SamlFound::Waiting { certificates } => entry.with("certificates", shortened(certificates)),
            SamlFound::Failed { en, .. } => entry.with("reason", en),
        };
        next.look = Some(SamlLook { at: self.now(), found });
        let body = IdentityProvider { protocol: Protocol::Saml(next), ..provider.body.clone() };
        let done = self
            .vault()
            .act(cx, by_job(cx, Job::Federation, &event::PROVIDER_REFRESH, id), move |tx, permit| {
                tx.update(id, version, &body)?;
                tx.commit(permit, entry, ())
            })
            .await;
        match done {
            // An administrator was first; there will be another look.
            Err(p) if p.is(&CONFLICT) || p.is(&sekisho_kernel::problem::NOT_FOUND) => Ok(()),
            other => other,
        }
    }
}

fn shortened(prints: &[String]) -> String {
    prints.iter().map(|p| p.get(..16).unwrap_or(p)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(valid_until: Option<i64>, sign_on: &str) -> SamlMetadata {
        SamlMetadata {
            entity_id: "idp".into(),
            certificates: Vec::new(),
            sign_on: sign_on.into(),
            post: false,
            logout: None,
            valid_until: valid_until.map(Time::from_secs),
        }
    }

    fn settings(metadata: SamlMetadata) -> SamlSettings {
        SamlSettings::new(metadata, Some("https://idp.example/m".into()), Time::from_secs(0))
    }

    #[test]
    fn what_nobody_has_signed_moves_a_date_on_and_nothing_else() {
        let saml = settings(metadata(Some(100), "a"));
        let waiting = SamlFound::Waiting { certificates: Vec::new() };
        for (there, signed, found) in [
            (metadata(Some(100), "a"), false, SamlFound::Same),
            (metadata(Some(101), "a"), false, SamlFound::Taken),
            (metadata(Some(99), "a"), false, waiting.clone()),
            (metadata(None, "a"), false, waiting.clone()),
            (metadata(Some(101), "b"), false, waiting.clone()),
            (metadata(Some(99), "b"), true, SamlFound::Taken),
        ] {
            assert_eq!(judged(&saml, &there, signed), found, "{there:?} {signed}");
        }
    }

    #[test]
    fn an_address_is_looked_at_when_it_is_time_and_sooner_after_a_failure() {
        let mut saml = settings(metadata(None, "a"));
        let (day, hour) = (Duration::from_secs(86_400), 3_600);
        let at = Time::from_secs;
        assert!(!due(&saml, at(86_399), day) && due(&saml, at(86_400), day));
        let look = |found| Some(SamlLook { at: at(86_400), found });
        saml.look = look(SamlFound::Same);
        assert!(!due(&saml, at(86_400 + hour), day));
        saml.look = look(failed(&Text::new("x", "x")));
        assert!(!due(&saml, at(86_400 + hour - 1), day) && due(&saml, at(86_400 + hour), day));
        saml.url = None;
        assert!(!due(&saml, at(1_000_000), day), "what was pasted is looked at by nobody");
    }
}
