//! Our keys towards SAML providers: a tenant's own, sealed, the first made with its first SAML provider. One signs; the next is
//! published beside it before it does; the one before goes on opening what is encrypted to it until an administrator retires it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{
    Cx, Job, Problem, Secret, Target, Text, Time,
    access::Right,
    event,
    hook::Knock,
    id::{SamlKeyId, SamlKeyKind},
    problem::{CONFLICT, INTERNAL, NOT_FOUND},
};
use sekisho_saml::{Certificate, Credential, ServiceProvider, fresh_id};
use sekisho_vault::{Entry, Page, Scope, Stored, Tx, View};

use crate::{
    Answer, Identity, boxed, by_job,
    records::{KeyStage, SamlKey},
    types::SamlKeyView,
    under,
};

/// How long a key's certificate says that it is good.
const CERTIFICATE: Duration = Duration::from_secs(3 * 365 * 86_400);
/// How long our metadata says that it is good.
const METADATA: Duration = Duration::from_secs(7 * 86_400);
/// Most keys of a tenant: one that signs, the next, and some that only open.
const MOST: usize = 4;

/// Where our metadata is: our entity id, too.
pub fn entity_id(origin: &str) -> String {
    format!("{origin}/saml/metadata")
}

/// Where answers arrive.
pub fn acs(origin: &str) -> String {
    format!("{origin}/saml/acs")
}

/// Where logout messages arrive.
pub fn slo(origin: &str) -> String {
    format!("{origin}/saml/slo")
}

fn all(view: &mut View<'_>) -> Answer<Vec<Stored<SamlKey>>> {
    let mut keys = view.list::<SamlKey>(&Page { limit: 10, ..Page::default() })?;
    keys.sort_by_key(|k| k.body.turn);
    Ok(keys)
}

fn credential(key: &SamlKey) -> Answer<Credential> {
    let pkcs8 = STANDARD.decode(&key.key).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    Credential::new(&Secret::new(pkcs8), Certificate::from_base64(&key.certificate)?)
}

fn of_stage(keys: &[Stored<SamlKey>], stage: KeyStage) -> impl Iterator<Item = &Stored<SamlKey>> {
    keys.iter().filter(move |k| k.body.stage == stage)
}

fn credentials(keys: &[Stored<SamlKey>], stages: &[KeyStage]) -> Answer<Vec<Credential>> {
    stages.iter().flat_map(|stage| of_stage(keys, *stage)).map(|k| credential(&k.body)).collect()
}

fn not_now(ja: &'static str, en: &'static str) -> Problem {
    Problem::new(&CONFLICT).detail(Text::new(ja, en))
}

/// Whether a certificate ends so soon that the next key is wanted.
fn due(certificate: &Certificate, now: Time, ahead: Duration) -> bool {
    certificate.not_after() <= now.plus(ahead)
}

fn key_view(key: &Stored<SamlKey>, now: Time, ahead: Duration) -> Answer<SamlKeyView> {
    let certificate = Certificate::from_base64(&key.body.certificate)?;
    Ok(SamlKeyView {
        id: key.id(),
        version: key.version,
        created: key.created,
        updated: key.updated,
        stage: key.body.stage,
        fingerprint: certificate.fingerprint(),
        not_after: certificate.not_after(),
        due: due(&certificate, now, ahead),
    })
}

/// A new key that signs, unless there is one.
pub fn put_first(tx: &mut Tx<'_>, id: SamlKeyId, key: &SamlKey) -> Answer<()> {
    if all(&mut tx.view())?.is_empty() {
        tx.insert(id, key)?;
    }
    Ok(())
}

/// The number that the next key has, where there may be one now.
fn next_turn(keys: &[Stored<SamlKey>]) -> Answer<u32> {
    if of_stage(keys, KeyStage::Next).next().is_some() {
        return Err(not_now("次の鍵はすでに用意されています。", "The next key is prepared already."));
    }
    if keys.len() >= MOST {
        return Err(not_now(
            "終了していない以前の鍵が多すぎます。先に以前の鍵を終了してください。",
            "Too many earlier keys are still there. Retire them first.",
        ));
    }
    let newest = keys.iter().map(|k| k.body.turn).max();
    newest.map(|turn| turn + 1).ok_or_else(|| Problem::new(&NOT_FOUND))
}

impl Identity {
    /// This tenant's service towards SAML providers; `None` before there is a key.
    pub(super) async fn saml_service(&self, cx: &Cx, origin: &str) -> Answer<Option<ServiceProvider>> {
        let keys = self.vault().peek(&Scope::of(cx), all).await?;
        let opening = credentials(&keys, &[KeyStage::Current, KeyStage::Next])?;
        if opening.is_empty() {
            return Ok(None);
        }
        // What the one before has signed may still be on its way.
        let old = credentials(&keys, &[KeyStage::Old])?;
        let signing = opening.iter().chain(&old).cloned().collect();
        let (entity, acs, slo) = (entity_id(origin), acs(origin), slo(origin));
        ServiceProvider::new(&entity, &acs, Some(&slo), signing, opening)?.opening_too(old).map(Some)
    }

    /// Our metadata, signed, for providers to read. Makes no entry: it is shown to everybody.
    ///
    /// # Errors
    /// `NOT_FOUND` before the tenant has a SAML provider, or where the policy closes this way in.
    #[boxed]
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
        let certificate = credential.certificate().to_base64();
        Ok(SamlKey { turn: 1, stage, key: STANDARD.encode(key.reveal()), certificate })
    }

    /// Our keys towards SAML providers, oldest first.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn saml_keys(&self, cx: &Cx) -> Answer<Vec<SamlKeyView>> {
        let act = under(Right::FEDERATION_READ, &event::SAML_KEY_LIST, Target::tenant(cx.tenant), "saml-keys");
        let (now, ahead) = (self.now(), self.gates().federation(&cx.policy).key_ahead);
        self.vault()
            .look(cx, act, move |view| all(view)?.iter().map(|k| key_view(k, now, ahead)).collect::<Answer<_>>())
            .await
    }

    /// Prepares the next key: it stands in our metadata and opens what is encrypted to it, and does not sign.
    ///
    /// # Errors
    /// `NOT_FOUND` before the tenant has a SAML provider, `CONFLICT` when the next key is there already or too many earlier ones
    /// are.
    #[boxed]
    pub async fn prepare_saml_key(&self, cx: &Cx) -> Answer<SamlKeyView> {
        let id: SamlKeyId = self.id();
        let act = || under(Right::FEDERATION_WRITE, &event::SAML_KEY_CREATE, Target::tenant(cx.tenant), id);
        let (now, ahead) = (self.now(), self.gates().federation(&cx.policy).key_ahead);
        // A key takes a while: whoever may not have one waits for none.
        let mut key = None;
        if self.reach(cx).has(Right::FEDERATION_WRITE, None) {
            let keys = self.vault().peek(&Scope::of(cx), all).await?;
            let made = async {
                next_turn(&keys)?;
                self.new_saml_key(KeyStage::Next).await
            };
            key = match made.await {
                Ok(made) => Some(made),
                Err(problem) => return Err(self.stop(cx, act(), problem).await),
            };
        }
        self.vault()
            .act(cx, act(), move |tx, permit| {
                let mut key = key.ok_or_else(|| Problem::new(&INTERNAL).log("a right without its key"))?;
                key.turn = next_turn(&all(&mut tx.view())?)?;
                tx.insert(id, &key)?;
                let made = tx.get::<SamlKey>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let made = key_view(&made, now, ahead)?;
                tx.commit(permit, Entry::of(id).with("certificate", &made.fingerprint), made)
            })
            .await
    }

    /// Takes the next key into use. The one before opens what is still encrypted to it until it is retired.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT` for a key that is not the next one.
    #[boxed]
    pub async fn switch_saml_key(&self, cx: &Cx, id: SamlKeyId) -> Answer<SamlKeyView> {
        let act = under(Right::FEDERATION_WRITE, &event::SAML_KEY_SWITCH, Target::tenant(cx.tenant), id);
        let (now, ahead) = (self.now(), self.gates().federation(&cx.policy).key_ahead);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let keys = all(&mut tx.view())?;
                let next = keys.iter().find(|k| k.id::<SamlKeyKind>() == id);
                let next = next.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if next.body.stage != KeyStage::Next {
                    return Err(not_now("次の鍵ではありません。", "It is not the next key."));
                }
                for before in of_stage(&keys, KeyStage::Current) {
                    let body = SamlKey { stage: KeyStage::Old, ..before.body.clone() };
                    tx.update(before.id::<SamlKeyKind>(), before.version, &body)?;
                }
                tx.update(id, next.version, &SamlKey { stage: KeyStage::Current, ..next.body.clone() })?;
                let shown = tx.get::<SamlKey>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let shown = key_view(&shown, now, ahead)?;
                tx.commit(permit, Entry::of(id).with("certificate", &shown.fingerprint), shown)
            })
            .await
    }

    /// Takes away a key that has signed, or one that is to and is not wanted.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT` for the key that signs.
    #[boxed]
    pub async fn retire_saml_key(&self, cx: &Cx, id: SamlKeyId) -> Answer<()> {
        let act = under(Right::FEDERATION_WRITE, &event::SAML_KEY_RETIRE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let key = tx.get::<SamlKey>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if key.body.stage == KeyStage::Current {
                    return Err(not_now(
                        "署名に使っている鍵は終了できません。先に次の鍵へ切り替えてください。",
                        "The key that signs cannot be retired. Take the next one into use first.",
                    ));
                }
                // As it was looked at: whoever takes it into use at the same moment is not overtaken.
                tx.update(id, key.version, &key.body)?;
                tx.delete::<SamlKey>(id)?;
                let print = Certificate::from_base64(&key.body.certificate)?.fingerprint();
                tx.commit(permit, Entry::of(id).with("certificate", print), ())
            })
            .await
    }

    /// Prepares the next key of a tenant whose certificate ends soon; it is taken into use by an administrator alone, who knows
    /// which provider has read our metadata.
    pub(super) async fn prepare_due_key(&self, cx: &Cx) -> Answer<()> {
        let ahead = self.gates().federation(&cx.policy).key_ahead;
        let keys = self.vault().peek(&Scope::of(cx), all).await?;
        let Some(current) = of_stage(&keys, KeyStage::Current).next() else { return Ok(()) };
        let certificate = Certificate::from_base64(&current.body.certificate)?;
        if !due(&certificate, self.now(), ahead) || next_turn(&keys).is_err() {
            return Ok(());
        }
        let (id, mut key): (SamlKeyId, _) = (self.id(), self.new_saml_key(KeyStage::Next).await?);
        let done = self
            .vault()
            .act(cx, by_job(cx, Job::Federation, &event::SAML_KEY_CREATE, id), move |tx, permit| {
                key.turn = next_turn(&all(&mut tx.view())?)?;
                tx.insert(id, &key)?;
                let print = Certificate::from_base64(&key.certificate)?.fingerprint();
                tx.commit(permit, Entry::of(id).with("certificate", print), ())
            })
            .await;
        match done {
            // Somebody was first.
            Err(p) if p.is(&CONFLICT) => Ok(()),
            other => other,
        }
    }
}
