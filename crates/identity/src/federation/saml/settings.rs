//! A tenant's SAML providers: registered with their metadata, changed, tried.

use std::time::Duration;

use sekisho_kernel::{Cx, Problem, Target, Time, access::Right, event, id::ProviderId, problem::CONFLICT};
use sekisho_saml::Certificate;
use sekisho_vault::{Entry, Page, Tx};

use super::{NAME_ID, keys, metadata::Source, upkeep};
use crate::{
    Answer, Identity, boxed,
    federation::{
        metadata::Trouble,
        providers::{self, foreign, invalid},
        trial::{bad, good},
    },
    problems::TOO_MANY_RECORDS,
    records::{ClaimNames, IdentityProvider, KeyStage, Protocol, SamlFound, SamlLook, SamlMetadata, SamlSettings},
    types::{CertificateView, Check, NewSamlProvider, ProviderPatch, ProviderView, SamlLookView, SamlView, Says},
    under,
    values::{self, taken},
};

/// How long before its end a certificate is complained about.
const SOON: Duration = Duration::from_secs(30 * 86_400);

impl Identity {
    /// The metadata that a request gives, read; nothing where it gives none, or where who asks may not change providers.
    pub(in crate::federation) async fn given_metadata(
        &self,
        cx: &Cx,
        pasted: Option<&str>,
        url: Option<&str>,
    ) -> Answer<Option<(SamlMetadata, Option<String>)>> {
        let Some(source) = Source::of(pasted, url).filter(|_| self.reach(cx).has(Right::FEDERATION_WRITE, None)) else {
            return Ok(None);
        };
        let metadata = self.imported(&source).await?;
        Ok(Some((metadata, source.url())))
    }

    /// Registers a SAML provider by its metadata; it signs nobody in until it is enabled. The tenant's first one makes our key.
    ///
    /// # Errors
    /// `INVALID`, `CONFLICT` (its entity id is registered), `SK-4019` (name taken), `SK-4027`, `SK-4101` to `SK-4132` for metadata
    /// that cannot be used.
    #[boxed]
    pub async fn create_saml_provider(&self, cx: &Cx, new: NewSamlProvider) -> Answer<ProviderView> {
        let id: ProviderId = self.id();
        let act = || under(Right::FEDERATION_WRITE, &event::PROVIDER_CREATE, Target::tenant(cx.tenant), id);
        let prepared = async {
            let given = self.given_metadata(cx, new.metadata.as_deref(), new.metadata_url.as_deref()).await?;
            let given = given.ok_or_else(|| {
                invalid(
                    "metadata",
                    "メタデータ、またはメタデータのアドレスを入力してください。",
                    "Give the metadata, or the address of the metadata.",
                )
            })?;
            let key = match self.has_saml_key(cx).await? {
                true => None,
                false => Some((self.id(), self.new_saml_key(KeyStage::Current).await?)),
            };
            Ok((given, key))
        };
        // Whoever lacks the right is refused by the act itself.
        let ((metadata, url), key) = match prepared.await {
            Ok(prepared) => prepared,
            Err(problem) => return Err(self.stop(cx, act(), problem).await),
        };
        let read = self.now();
        self.vault()
            .act(cx, act(), move |tx, permit| {
                if tx.count::<IdentityProvider>(&[])? >= providers::MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                alone(tx, &metadata.entity_id)?;
                let settings = SamlSettings::new(metadata, url, read);
                let provider = IdentityProvider {
                    name: values::label("name", &new.name)?,
                    protocol: Protocol::Saml(settings),
                    enabled: false,
                    button: true,
                    create_users: false,
                    trusts_factor: false,
                    claims: ClaimNames {
                        name: NAME_ID.into(),
                        display_name: "displayName".into(),
                        mail: "mail".into(),
                    },
                    rules: Vec::new(),
                };
                tx.insert(id, &provider).map_err(taken)?;
                if let Some((key_id, key)) = &key {
                    keys::put_first(tx, *key_id, key)?;
                }
                let made = providers::shown(&mut tx.view(), id)?;
                tx.commit(permit, Entry::of(id).with("protocol", made.protocol), made)
            })
            .await
    }

    /// What is found out about a SAML provider without signing in there.
    pub(in crate::federation) async fn saml_checks(&self, cx: &Cx, saml: &SamlSettings) -> Answer<Vec<Check>> {
        let now = self.now();
        let mut out = Vec::new();
        match &saml.url {
            None => out.push(good(
                "metadata",
                "メタデータは貼り付けられたものです。プロバイダー側の変更は、読み込み直すまで反映されません。",
                "The metadata was pasted. What changes at the provider is not known until it is loaded again.",
            )),
            Some(url) => out.push(match self.imported(&Source::At(url.clone())).await {
                Ok(there) if there == saml.metadata => {
                    good("metadata", "公開中のメタデータと一致しています。", "It is as the published metadata says.")
                }
                Ok(_) => wrong(
                    "公開中のメタデータが、登録されたものと違います。読み込み直してください。",
                    "The published metadata is not what is registered. Load it again.",
                ),
                Err(problem) => {
                    let text = problem.detail.clone().unwrap_or_else(|| problem.kind.title.clone());
                    wrong(text.ja.into_owned(), text.en.into_owned())
                }
            }),
        }
        if saml.metadata.valid_until.is_some_and(|until| until <= now) {
            out.push(wrong(
                "登録されたメタデータの有効期限が切れています。読み込み直してください。",
                "The registered metadata has run out. Load it again.",
            ));
        }
        out.push(certificates(&saml.metadata, now));
        out.push(match self.has_saml_key(cx).await? {
            true => good(
                "own",
                "署名と復号に使うこちらの鍵があります。メタデータをプロバイダーに登録してください。",
                "There is a key of ours that signs and opens. Register our metadata at the provider.",
            ),
            false => bad("own", Trouble::new("own", "こちらの鍵がありません。", "There is no key of ours.")),
        });
        Ok(out)
    }
}

fn wrong(ja: impl Into<String>, en: impl Into<String>) -> Check {
    bad("metadata", Trouble::new("metadata", ja, en))
}

fn certificates(metadata: &SamlMetadata, now: Time) -> Check {
    let ends: Vec<Time> =
        metadata.certificates.iter().filter_map(|c| Certificate::from_base64(c).ok()).map(|c| c.not_after()).collect();
    let n = ends.len();
    if ends.iter().any(|end| *end > now.plus(SOON)) {
        return good(
            "certificates",
            format!("使える署名用の証明書が {n} 個あります。"),
            format!("{n} certificates can be used."),
        );
    }
    bad(
        "certificates",
        Trouble::new(
            "certificates",
            "署名用の証明書の期限がすべて 30 日以内か、過ぎています。期限が過ぎても検証は続きますが、プロバイダーの証明書が替わったら読み込み直してください。",
            "Every certificate for signatures ends within 30 days, or has ended. They go on being used; load the metadata again once the provider changes its certificate.",
        ),
    )
}

/// Refuses a second provider with the same entity id: answers that nobody asked for name nothing else.
fn alone(tx: &mut Tx<'_>, entity_id: &str) -> Answer<()> {
    let all = tx.list::<IdentityProvider>(&Page { limit: 50, ..Page::default() })?;
    let same = all.iter().any(|p| matches!(&p.body.protocol, Protocol::Saml(s) if s.metadata.entity_id == entity_id));
    match same {
        false => Ok(()),
        true => Err(Problem::new(&CONFLICT).at("metadata").detail(sekisho_kernel::Text::new(
            "このエンティティ ID のプロバイダーはすでに登録されています。",
            "A provider with this entity id is registered already.",
        ))),
    }
}

/// Puts other metadata in place; whether anything that is trusted has changed.
pub fn moved(provider: &mut IdentityProvider, metadata: SamlMetadata, url: Option<String>, now: Time) -> Answer<bool> {
    let Protocol::Saml(saml) = &mut provider.protocol else {
        foreign(&[("metadata", true)])?;
        return Ok(false);
    };
    if saml.metadata.entity_id != metadata.entity_id {
        return Err(invalid(
            "metadata",
            "別のエンティティ ID のメタデータです。別のプロバイダーとして登録してください。",
            "It is the metadata of another entity id. Register it as another provider.",
        ));
    }
    let changed = saml.metadata != metadata;
    upkeep::replace(saml, metadata, now);
    (saml.url, saml.look) = (url, None);
    Ok(changed)
}

/// Refuses what only SAML providers have.
pub fn none_of(patch: &ProviderPatch) -> Answer<()> {
    foreign(&[
        ("signed", patch.signed.is_some()),
        ("encrypted", patch.encrypted.is_some()),
        ("unsolicited", patch.unsolicited.is_some()),
        ("single_logout", patch.single_logout.is_some()),
    ])
}

/// What only SAML providers have.
pub fn apply(saml: &mut SamlSettings, patch: &ProviderPatch, changed: &mut Vec<&'static str>) {
    if let Some(signed) = patch.signed {
        saml.signed = signed;
        changed.push("signed");
    }
    for (place, new, old) in [
        ("encrypted", patch.encrypted, &mut saml.encrypted),
        ("unsolicited", patch.unsolicited, &mut saml.unsolicited),
        ("single_logout", patch.single_logout, &mut saml.single_logout),
    ] {
        if let Some(new) = new {
            *old = new;
            changed.push(place);
        }
    }
}

/// As it is shown.
pub fn view(saml: &SamlSettings) -> SamlView {
    let shown = |c: Certificate| CertificateView { fingerprint: c.fingerprint(), not_after: c.not_after() };
    let certificates = saml.metadata.certificates.iter().filter_map(|c| Certificate::from_base64(c).ok());
    SamlView {
        certificates: certificates.map(shown).collect(),
        sign_on: saml.metadata.sign_on.clone(),
        metadata_url: saml.url.clone(),
        read_at: saml.read,
        valid_until: saml.metadata.valid_until,
        signed: saml.signed,
        encrypted: saml.encrypted,
        unsolicited: saml.unsolicited,
        logout: saml.metadata.logout.as_ref().map(|l| l.location.clone()),
        single_logout: saml.single_logout,
        look: saml.look.as_ref().map(look_view),
    }
}

fn look_view(look: &SamlLook) -> SamlLookView {
    let (certificates, says) = match &look.found {
        SamlFound::Same | SamlFound::Taken => (Vec::new(), None),
        SamlFound::Waiting { certificates } => (certificates.clone(), None),
        SamlFound::Failed { ja, en } => (Vec::new(), Some(Says { ja: ja.clone(), en: en.clone() })),
    };
    SamlLookView { at: look.at, found: look.found.word(), certificates, says }
}
