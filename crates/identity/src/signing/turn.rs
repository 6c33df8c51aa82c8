//! Turning the keys by hand: an administrator, or whoever runs the host, suspects that one has leaked.

use sekisho_kernel::{
    Cx, Effective, Job, Problem, Target,
    access::Right,
    event,
    id::{OauthKeyId, OauthKeyKind, SignalKeyKind, TenantId},
};
use sekisho_vault::{Act, Entry, Page, Stored, View};

use super::{ALG, before, current, defect, made};
use crate::{
    Answer, Identity, boxed, by_job,
    problems::TOO_MANY_RECORDS,
    records::{OauthKey, SignalKey},
    sql,
    types::{KeyState, SigningKeyView},
    under,
};

/// Most keys that are published at the same time.
const MOST: usize = 10;

impl Identity {
    /// The published keys, oldest first.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn signing_key_list(&self, cx: &Cx) -> Answer<Vec<SigningKeyView>> {
        let act = under(Right::CLIENTS_READ, &event::OAUTH_KEY_LIST, Target::tenant(cx.tenant), "signing-keys");
        let (now, overlap) = (self.now(), self.gates().oauth(&cx.policy).key_overlap);
        self.vault().look(cx, act, move |view| shown(view, now, overlap)).await
    }

    /// A new key signs from this moment on. Those before it are verified for as long as any key that has turned, or, when they
    /// are withdrawn, by nobody who reads the key set from now on: what they have signed is worth nothing there.
    ///
    /// # Errors
    /// `SK-4027` when many are published already and none is withdrawn.
    #[boxed]
    pub async fn turn_signing_keys(&self, cx: &Cx, withdraw: bool) -> Answer<Vec<SigningKeyView>> {
        let id: OauthKeyId = self.id();
        let act = under(Right::CLIENTS_WRITE, &event::OAUTH_KEY_TURN, Target::tenant(cx.tenant), id);
        self.turned(cx, act, id, withdraw).await
    }

    /// The same, by the operator.
    ///
    /// # Errors
    /// `SK-4027`; the store's.
    #[boxed]
    pub async fn turn_signing_keys_of(&self, tenant: TenantId, withdraw: bool) -> Answer<Vec<SigningKeyView>> {
        let cx = Cx::job(tenant, Job::Command, Effective::platform(self.platform()), self.rng());
        let id: OauthKeyId = self.id();
        let act = by_job(&cx, Job::Command, &event::OAUTH_KEY_TURN, id);
        self.turned(&cx, act, id, withdraw).await
    }

    async fn turned(&self, cx: &Cx, act: Act, id: OauthKeyId, withdraw: bool) -> Answer<Vec<SigningKeyView>> {
        let now = self.now();
        let key = tokio::task::spawn_blocking(move || made(0, now)).await.map_err(defect)??;
        let overlap = self.gates().oauth(&cx.policy).key_overlap;
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let keys = tx.list::<OauthKey>(&Page::default())?;
                if !withdraw && keys.len() >= MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                let turn = keys.iter().map(|k| k.body.turn).max().unwrap_or(0) + 1;
                let mut entry = Entry::of(id).with("kid", &key.kid).with("withdrawn", withdraw);
                if withdraw {
                    let mut gone: Vec<String> = keys.iter().map(|k| k.body.kid.clone()).collect();
                    for old in &keys {
                        tx.delete::<OauthKey>(old.id::<OauthKeyKind>())?;
                    }
                    for old in tx.list::<SignalKey>(&Page::default())? {
                        gone.push(before::kid(&old.body)?);
                        tx.delete::<SignalKey>(old.id::<SignalKeyKind>())?;
                    }
                    entry = entry.with("gone", gone.join(" "));
                }
                tx.insert(id, &OauthKey { turn, ..key })?;
                let all = shown(&mut tx.view(), now, overlap)?;
                tx.commit(permit, entry, all)
            })
            .await
    }
}

fn shown(view: &mut View<'_>, now: sekisho_kernel::Time, overlap: std::time::Duration) -> Answer<Vec<SigningKeyView>> {
    let mut keys = view.list::<OauthKey>(&Page::default())?;
    keys.sort_by_key(|k| k.body.turn);
    let turn = |key: &Stored<OauthKey>| key.body.turn;
    let signing = current(&keys, now).map_or(0, turn);
    let mut out = Vec::new();
    for old in view.list::<SignalKey>(&Page::default())? {
        let ends = old.body.ends;
        let kid = before::kid(&old.body)?;
        out.push(SigningKeyView { kid, alg: "ES256", state: KeyState::Past, starts: old.created, ends });
    }
    for key in &keys {
        let state = match turn(key) {
            t if t == signing => KeyState::Signing,
            // One that was to begin later, and was overtaken by hand, never signs.
            t if t < signing => KeyState::Past,
            _ => KeyState::Next,
        };
        let after = keys.iter().filter(|k| turn(k) > turn(key)).map(|k| k.body.starts).min();
        let ends = after.map(|starts| starts.plus(overlap));
        out.push(SigningKeyView { kid: key.body.kid.clone(), alg: ALG, state, starts: key.body.starts, ends });
    }
    Ok(out)
}
