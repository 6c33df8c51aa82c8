//! Passkeys of one's own account: registered, named, removed. Signing in by one is in `sign_in/passkey.rs`.

pub mod ceremony;
mod confirm;

use sekisho_kernel::{
    Cx, Problem, Secret, Time, event,
    id::{PasskeyId, PasskeyKind, UserId},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{ClearValue, Entry, Scope, Stored, Tx, View};

use crate::{
    Answer, Identity,
    account::who,
    boxed, factors, guard, own, people,
    problems::{CONFIRM_FIRST, PASSKEY_EXISTS, PASSKEY_OVER, PASSKEYS_OFF, TOO_MANY_RECORDS},
    records::{Passkey, RecoveryCodes, UserAccount},
    signals, sql, token,
    types::{PasskeyAnswer, PasskeyMade, PasskeyOptions, PasskeyPatch, PasskeyView, RelyingParty},
    values,
    webauthn::Registered,
};
use ceremony::{Begun, Owner, Purpose, creation_options};

/// Most passkeys of one account.
const MOST: usize = 20;

/// What finds a passkey by its credential's id: to the letter, where a text's index folds case.
pub fn credential_key(id: &str) -> String {
    hex::encode(token::sha256(&[id.as_bytes()]))
}

/// A person's passkeys, oldest first.
pub fn of(view: &mut View<'_>, user: UserId) -> Answer<Vec<Stored<Passkey>>> {
    people::of_user::<Passkey>(view, user)
}

/// Takes every passkey of a person away; how many there were.
pub fn drop_all(tx: &mut Tx<'_>, user: UserId) -> Answer<u32> {
    let mut n = 0;
    for passkey in of(&mut tx.view(), user)? {
        n += u32::from(tx.delete::<Passkey>(passkey.id)?);
        signals::credential_changed(tx, user, passkey.body.credential_type(), "revoke")?;
    }
    Ok(n)
}

/// A passkey that an act is about to store.
pub struct Fresh {
    pub id: PasskeyId,
    pub passkey: Passkey,
    pub made: Registered,
    /// Recovery codes as stored and as shown once, where the policy lets them stand in.
    pub codes: Option<(RecoveryCodes, Vec<Secret<String>>)>,
    /// Whether they take the place of any that are there.
    pub anew: bool,
}

impl Fresh {
    /// Stores it; the recovery codes to show.
    ///
    /// # Errors
    /// `SK-4027`, `SK-4073`.
    pub fn put(&self, tx: &mut Tx<'_>) -> Answer<Vec<Secret<String>>> {
        let user = self.passkey.user;
        if of(&mut tx.view(), user)?.len() >= MOST {
            return Err(Problem::new(&TOO_MANY_RECORDS));
        }
        let taken = |p: Problem| if p.is(&CONFLICT) { Problem::new(&PASSKEY_EXISTS) } else { p };
        tx.insert(self.id, &self.passkey).map_err(taken)?;
        used(tx, self.id, self.made.sign_count, self.made.backed_up, None)?;
        people::has_second_factor(tx, user)?;
        signals::credential_changed(tx, user, self.passkey.credential_type(), "create")?;
        match &self.codes {
            Some((stored, shown)) if self.anew || tx.get::<RecoveryCodes>(user)?.is_none() => {
                factors::put_codes(tx, user, stored)?;
                Ok(shown.clone())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Writes a use down; whether the count was one that the last one allows.
pub fn used(tx: &mut Tx<'_>, id: PasskeyId, count: u32, backed_up: bool, at: Option<Time>) -> Answer<bool> {
    let at = at.map_or(ClearValue::Null, Into::into);
    Ok(tx.keep(&sql::PASSKEY_USED, &[id.into(), i64::from(count).into(), backed_up.into(), at])? > 0)
}

fn view_of(stored: &Stored<Passkey>, recovery_left: u32) -> Answer<PasskeyView> {
    let model = &stored.body.model;
    let groups: Vec<&str> = [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|r| model.get(r)).collect();
    Ok(PasskeyView {
        id: stored.id::<PasskeyKind>(),
        version: stored.version,
        created: stored.created,
        updated: stored.updated,
        name: stored.body.name.clone(),
        last_used: Some(stored.int("last_used")?).filter(|t| *t > 0).map(Time::from_micros),
        authenticator: groups.join("-"),
        attestation: stored.body.attestation.name(),
        backed_up: stored.int("backed_up")? != 0,
        recovery_left,
    })
}

fn shown(view: &mut View<'_>, id: PasskeyId, user: UserId) -> Answer<PasskeyView> {
    let left = left(view, user)?;
    let stored = view.get::<Passkey>(id)?.filter(|p| p.body.user == user);
    view_of(&stored.ok_or_else(|| Problem::new(&NOT_FOUND))?, left)
}

fn left(view: &mut View<'_>, user: UserId) -> Answer<u32> {
    let left = view.get::<RecoveryCodes>(user)?.map_or(0, |c| c.body.hashes.len());
    Ok(u32::try_from(left).unwrap_or(u32::MAX))
}

impl Identity {
    /// One's own passkeys, oldest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn passkeys(&self, cx: &Cx) -> Answer<Vec<PasskeyView>> {
        let (user, _) = who(cx)?;
        self.vault()
            .look(cx, own(cx, &event::PASSKEY_LIST, user), move |view| {
                let left = left(view, user)?;
                of(view, user)?.iter().map(|p| view_of(p, left)).collect()
            })
            .await
    }

    /// Begins to register a passkey: a new way in, so the password is asked for first, or what stands in for it. For a first one
    /// of an account that has no password, that is a fresh sign-in at its provider.
    ///
    /// # Errors
    /// `SK-4070` (the policy takes none), `SK-4004`, `SK-4203` where nothing is given, `SK-4074` for a proof that counts no more.
    #[boxed]
    pub async fn register_options(
        &self,
        cx: &Cx,
        rp: &RelyingParty,
        given: Option<Secret<String>>,
    ) -> Answer<PasskeyOptions> {
        let (user, session) = who(cx)?;
        let event = &event::SESSION_REAUTHENTICATE;
        let rule = self.gates().passkeys(&cx.policy);
        if !rule.allowed {
            return Err(self.stop(cx, own(cx, event, user), Problem::new(&PASSKEYS_OFF)).await);
        }
        let Some(given) = given else {
            return Err(self.stop(cx, own(cx, event, user), Problem::new(&CONFIRM_FIRST)).await);
        };
        let t = match self.confirmed_by_proof(cx, event, &given, true).await? {
            Some(t) => t,
            None => self.confirm_password(cx, event, &given).await?.1,
        };
        let done = self
            .vault()
            .act(cx, own(cx, event, user), move |tx, permit| {
                let account = tx.get::<UserAccount>(user)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let passkeys = of(&mut tx.view(), user)?;
                t.give_back(tx)?;
                let entry = Entry::of(user).with("session", session).with("for", "passkey");
                tx.commit(permit, entry, (account, passkeys))
            })
            .await;
        let (account, passkeys) = self.settle(cx, t, done).await?;
        let tenant = self.state(cx.tenant).await?.name.clone();
        let owner = Owner { id: user, name: &account.body.name, display_name: &account.body.display_name };
        let options = creation_options(rp, &tenant, &owner, &passkeys, &rule);
        let begun = Begun { session: Some(session), user: Some(user), way_in: None };
        self.begin_ceremony(&Scope::of(cx), rp, Purpose::Register, begun, options).await
    }

    /// Registers the passkey that a browser has made.
    ///
    /// # Errors
    /// `SK-4070`, `SK-4074` (challenge), `SK-4071`, `SK-4072` (verification, policy), `SK-4073`, `SK-4027`, `INVALID` (name).
    #[boxed]
    pub async fn create_passkey(&self, cx: &Cx, rp: &RelyingParty, given: PasskeyAnswer) -> Answer<PasskeyMade> {
        let (user, session) = who(cx)?;
        let id: PasskeyId = self.id();
        let act = || own(cx, &event::PASSKEY_CREATE, id);
        let fresh = match self.fresh(cx, rp, (id, user), session, given).await {
            Ok(fresh) => fresh,
            Err(problem) => return Err(self.stop(cx, act(), problem).await),
        };
        self.vault()
            .act(cx, act(), move |tx, permit| {
                let recovery_codes = fresh.put(tx)?;
                let passkey = shown(&mut tx.view(), id, user)?;
                let entry = Entry::of(id)
                    .with("user", user)
                    .with("authenticator", &passkey.authenticator)
                    .with("attestation", passkey.attestation)
                    .with("recovery_codes", recovery_codes.len());
                tx.commit(permit, entry, PasskeyMade { passkey, recovery_codes })
            })
            .await
    }

    async fn fresh(
        &self,
        cx: &Cx,
        rp: &RelyingParty,
        (id, user): (PasskeyId, UserId),
        session: sekisho_kernel::id::SessionId,
        given: PasskeyAnswer,
    ) -> Answer<Fresh> {
        let rule = self.gates().passkeys(&cx.policy);
        if !rule.allowed {
            return Err(Problem::new(&PASSKEYS_OFF));
        }
        let name = values::label("name", &given.name)?;
        let sealed = given.ceremony.reveal();
        let ceremony = self.take_ceremony(&Scope::of(cx), rp, sealed, Purpose::Register, Some(session)).await?;
        let ceremony = ceremony.filter(|c| c.user == Some(user)).ok_or_else(|| Problem::new(&PASSKEY_OVER))?;
        let (passkey, made) = self.registered(cx, rp, &ceremony, (user, name), given.credential).await?;
        Ok(Fresh { id, passkey, made, codes: self.codes_beside(cx), anew: false })
    }

    /// Recovery codes for an account that has none, where the policy lets them stand in for a passkey.
    pub(crate) fn codes_beside(&self, cx: &Cx) -> Option<(RecoveryCodes, Vec<Secret<String>>)> {
        let count = self.gates().factor(&cx.policy).recovery_codes;
        self.gates().passkeys(&cx.policy).codes.then(|| {
            let (shown, stored) = factors::recovery_codes(self.rng(), count);
            (stored, shown)
        })
    }

    /// Renames a passkey as it was at `version`.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `INVALID`.
    #[boxed]
    pub async fn rename_passkey(
        &self,
        cx: &Cx,
        id: PasskeyId,
        version: i64,
        patch: PasskeyPatch,
    ) -> Answer<PasskeyView> {
        let (user, _) = who(cx)?;
        self.vault()
            .act(cx, own(cx, &event::PASSKEY_UPDATE, id), move |tx, permit| {
                let stored = tx.get::<Passkey>(id)?.filter(|p| p.body.user == user);
                let stored = stored.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let name = values::label("name", &patch.name)?;
                tx.update(id, version, &Passkey { name, ..stored.body })?;
                let passkey = shown(&mut tx.view(), id, user)?;
                tx.commit(permit, Entry::of(id).with("user", user), passkey)
            })
            .await
    }

    /// Removes a passkey, and the recovery codes with the last second factor. One way in stays.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4004`, `SK-4055`.
    #[boxed]
    pub async fn delete_passkey(&self, cx: &Cx, id: PasskeyId, password: Secret<String>) -> Answer<()> {
        let (user, _) = who(cx)?;
        let t = self.confirm(cx, &event::PASSKEY_DELETE, &password).await?;
        let ways = self.ways(cx);
        let done = self
            .vault()
            .act(cx, own(cx, &event::PASSKEY_DELETE, id), move |tx, permit| {
                let old = tx.get::<Passkey>(id)?.filter(|p| p.body.user == user);
                let old = old.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                tx.delete::<Passkey>(id)?;
                signals::credential_changed(tx, user, old.body.credential_type(), "delete")?;
                guard::own_way_left(tx, ways, user)?;
                if !factors::any(&mut tx.view(), user)? {
                    tx.delete::<RecoveryCodes>(user)?;
                }
                t.give_back(tx)?;
                tx.commit(permit, Entry::of(id).with("user", user), ())
            })
            .await;
        self.settle(cx, t, done).await
    }
}
