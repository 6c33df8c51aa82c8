//! Our keys towards SAML providers: a tenant's own, sealed, made with its first SAML provider.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{
    Cx, Problem, Secret,
    hook::Knock,
    problem::{INTERNAL, NOT_FOUND},
};
use sekisho_saml::{Certificate, Credential, ServiceProvider, fresh_id};
use sekisho_vault::{Page, Scope, Stored, Tx, View};

use crate::{
    Answer, Identity,
    records::{KeyStage, SamlKey},
};

/// How long a key's certificate says that it is good.
const CERTIFICATE: Duration = Duration::from_secs(3 * 365 * 86_400);
/// How long our metadata says that it is good.
const METADATA: Duration = Duration::from_secs(7 * 86_400);

/// Where our metadata is: our entity id, too.
pub fn entity_id(origin: &str) -> String {
    format!("{origin}/saml/metadata")
}

/// Where answers arrive.
pub fn acs(origin: &str) -> String {
    format!("{origin}/saml/acs")
}

fn all(view: &mut View<'_>) -> Answer<Vec<Stored<SamlKey>>> {
    view.list::<SamlKey>(&Page { limit: 10, ..Page::default() })
}

fn credential(key: &SamlKey) -> Answer<Credential> {
    let pkcs8 = STANDARD.decode(&key.key).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    Credential::new(&Secret::new(pkcs8), Certificate::from_base64(&key.certificate)?)
}

/// A new key that signs, unless there is one.
pub fn put_first(tx: &mut Tx<'_>, id: sekisho_kernel::id::RecordId, key: &SamlKey) -> Answer<()> {
    if all(&mut tx.view())?.is_empty() {
        tx.insert(id, key)?;
    }
    Ok(())
}

impl Identity {
    /// This tenant's service towards SAML providers; `None` before there is a key.
    pub(super) async fn saml_service(&self, cx: &Cx, origin: &str) -> Answer<Option<ServiceProvider>> {
        let keys = self.vault().peek(&Scope::of(cx), all).await?;
        let of = |stage| keys.iter().filter(move |k| k.body.stage == stage).map(|k| credential(&k.body));
        let signing: Vec<Credential> = of(KeyStage::Current).chain(of(KeyStage::Next)).collect::<Result<_, _>>()?;
        if signing.is_empty() {
            return Ok(None);
        }
        let opening = of(KeyStage::Current).chain(of(KeyStage::Next)).chain(of(KeyStage::Old));
        let opening = opening.collect::<Result<_, _>>()?;
        ServiceProvider::new(&entity_id(origin), &acs(origin), None, signing, opening).map(Some)
    }

    /// Our metadata, signed, for providers to read. Makes no entry: it is shown to everybody.
    ///
    /// # Errors
    /// `NOT_FOUND` before the tenant has a SAML provider, or where the policy closes this way in.
    pub async fn saml_metadata(&self, knock: &Knock, origin: &str) -> Answer<String> {
        let cx = Self::before_sign_in(knock);
        let missing = || Problem::new(&NOT_FOUND);
        if !self.gates().federation(&cx.policy).allowed {
            return Err(missing());
        }
        let service = self.saml_service(&cx, origin).await?.ok_or_else(missing)?;
        service.metadata(&fresh_id(self.rng()), self.now().plus(METADATA))
    }

    /// Whether the tenant has a key already.
    pub(in crate::federation) async fn has_saml_key(&self, cx: &Cx) -> Answer<bool> {
        Ok(!self.vault().peek(&Scope::of(cx), all).await?.is_empty())
    }

    /// Makes a key; it takes a while, and is done where that holds nobody up.
    pub(in crate::federation) async fn new_saml_key(&self, stage: KeyStage) -> Answer<SamlKey> {
        let now = self.now();
        let made =
            tokio::task::spawn_blocking(move || Credential::generate("Sekisho SAML", now, now.plus(CERTIFICATE)));
        let (credential, key) = made.await.map_err(|e| Problem::new(&INTERNAL).log(e))??;
        Ok(SamlKey { stage, key: STANDARD.encode(key.reveal()), certificate: credential.certificate().to_base64() })
    }
}
