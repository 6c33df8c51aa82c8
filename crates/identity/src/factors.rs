//! Second factors and recovery codes of one's own account.

use sekisho_kernel::{
    Cx, Problem, Rng, Secret, event,
    id::{FactorId, FactorKind, UserId},
    problem::NOT_FOUND,
    rng,
};
use sekisho_vault::{Entry, Scope, Stored, Tx, View};
use subtle::ConstantTimeEq;

use crate::{
    Answer, Identity,
    account::who,
    boxed, own, people,
    problems::{CODE_WRONG, FACTOR_EXISTS, FACTORS_OFF},
    records::{Factor, Passkey, RecoveryCodes, UserAccount},
    signals, sql, token, totp,
    types::{Enrolment, FactorView},
};

/// Characters of a recovery code (Crockford's base 32): 16 of them make 80 bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// New recovery codes, and what of them is stored.
pub fn recovery_codes(rng: &dyn Rng, count: u32) -> (Vec<Secret<String>>, RecoveryCodes) {
    let mut codes = Vec::new();
    let mut hashes = Vec::new();
    for _ in 0..count.clamp(1, 50) {
        let bytes: [u8; 16] = rng::bytes(rng);
        let plain: String = bytes.iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect();
        hashes.push(recovery_hash(&plain));
        let groups: Vec<&str> = [0, 4, 8, 12].iter().map(|i| &plain[*i..i + 4]).collect();
        codes.push(Secret::new(groups.join("-")));
    }
    (codes, RecoveryCodes { hashes })
}

/// What is stored of a recovery code. Hyphens, spaces and case do not count, and look-alikes are taken for what they
/// look like.
pub fn recovery_hash(code: &str) -> String {
    let read = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let plain: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).map(read).collect();
    hex::encode(token::sha256(&[plain.as_bytes()]))
}

/// The codes without the one of this hash; `None` when it is not among them.
pub fn without(codes: &RecoveryCodes, hash: &str) -> Option<RecoveryCodes> {
    let mut hashes = codes.hashes.clone();
    let found = hashes.iter().position(|h| h.as_bytes().ct_eq(hash.as_bytes()).into())?;
    hashes.remove(found);
    Some(RecoveryCodes { hashes })
}

/// The confirmed factor of a person.
pub fn confirmed(view: &mut View<'_>, user: UserId) -> Answer<Option<Stored<Factor>>> {
    Ok(people::of_user::<Factor>(view, user)?.into_iter().find(|f| f.body.confirmed))
}

/// Puts a person's recovery codes in place of earlier ones.
pub fn put_codes(tx: &mut Tx<'_>, user: UserId, codes: &RecoveryCodes) -> Answer<()> {
    match tx.get::<RecoveryCodes>(user)? {
        Some(old) => tx.update(user, old.version, codes)?,
        None => tx.insert(user, codes)?,
    };
    Ok(())
}

/// Puts a factor that waits for its first code in place of earlier ones that do.
pub fn put_pending(tx: &mut Tx<'_>, id: FactorId, factor: &Factor) -> Answer<()> {
    for old in people::of_user::<Factor>(&mut tx.view(), factor.user)? {
        if old.body.confirmed {
            return Err(Problem::new(&FACTOR_EXISTS));
        }
        tx.delete::<Factor>(old.id)?;
    }
    tx.insert(id, factor).map(drop)
}

/// Confirms a factor by the step of its first code, and issues recovery codes.
pub fn confirm(tx: &mut Tx<'_>, factor: &Stored<Factor>, step: i64, codes: &RecoveryCodes) -> Answer<()> {
    let user = factor.body.user;
    if confirmed(&mut tx.view(), user)?.is_some() {
        return Err(Problem::new(&FACTOR_EXISTS));
    }
    tx.update(factor.id, factor.version, &Factor { confirmed: true, ..factor.body.clone() })?;
    if tx.keep(&sql::FACTOR_STEP, &[factor.id.into(), step.into()])? == 0 {
        return Err(Problem::new(&CODE_WRONG).at("code"));
    }
    people::has_second_factor(tx, user)?;
    signals::credential_changed(tx, user, "app", "create")?;
    put_codes(tx, user, codes)
}

/// Whether a person has a second factor: an authenticator that was confirmed, or a passkey.
pub fn any(view: &mut View<'_>, user: UserId) -> Answer<bool> {
    Ok(confirmed(view, user)?.is_some() || view.count::<Passkey>(&[("user_id", user.into())])? > 0)
}

impl Identity {
    /// What an authenticator needs of a new factor.
    pub(crate) async fn enrolment(
        &self,
        cx: &Cx,
        id: FactorId,
        user: UserId,
        name: &str,
    ) -> Answer<(Enrolment, Factor)> {
        let secret = totp::new_secret(self.rng());
        let tenant = self.state(cx.tenant).await?.name.clone();
        let issuer = if tenant.is_empty() { "Sekisho".to_owned() } else { format!("Sekisho {tenant}") };
        let uri = totp::uri(&secret, &issuer, name);
        let factor = Factor { user, secret: secret.reveal().clone(), confirmed: false };
        Ok((Enrolment { id, qr_svg: totp::qr(&uri)?, uri, secret }, factor))
    }

    /// One's own second factors, with the recovery codes that are left.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn factors(&self, cx: &Cx) -> Answer<Vec<FactorView>> {
        let (user, _) = who(cx)?;
        self.vault()
            .look(cx, own(cx, &event::FACTOR_LIST, user), move |view| {
                let left = view.get::<RecoveryCodes>(user)?.map_or(0, |c| c.body.hashes.len());
                let left = u32::try_from(left).unwrap_or(u32::MAX);
                let shown = |f: Stored<Factor>| FactorView {
                    id: f.id::<FactorKind>(),
                    version: f.version,
                    created: f.created,
                    kind: "totp",
                    confirmed: f.body.confirmed,
                    recovery_left: if f.body.confirmed { left } else { 0 },
                };
                Ok(people::of_user::<Factor>(view, user)?.into_iter().map(shown).collect())
            })
            .await
    }

    /// Begins to enrol an authenticator. Nothing is asked for until a code has confirmed it.
    ///
    /// # Errors
    /// `SK-4009` (the policy allows none), `SK-4010` (there is one).
    #[boxed]
    pub async fn enrol_factor(&self, cx: &Cx) -> Answer<Enrolment> {
        let (user, _) = who(cx)?;
        let id: FactorId = self.id();
        let allowed = self.gates().factor(&cx.policy).allowed;
        let account = self.vault().peek(&Scope::of(cx), move |view| view.get::<UserAccount>(user)).await?;
        let name = account.map(|a| a.body.name).ok_or_else(|| Problem::new(&NOT_FOUND))?;
        let (enrolment, factor) = self.enrolment(cx, id, user, &name).await?;
        self.vault()
            .act(cx, own(cx, &event::FACTOR_CREATE, id), move |tx, permit| {
                if !allowed {
                    return Err(Problem::new(&FACTORS_OFF));
                }
                put_pending(tx, id, &factor)?;
                tx.commit(permit, Entry::of(id).with("kind", "totp"), enrolment)
            })
            .await
    }

    /// Confirms the authenticator by its first code; the recovery codes, shown once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4008`, `SK-4010`.
    #[boxed]
    pub async fn confirm_factor(&self, cx: &Cx, id: FactorId, code: Secret<String>) -> Answer<Vec<Secret<String>>> {
        let (user, _) = who(cx)?;
        let (codes, stored) = recovery_codes(self.rng(), self.gates().factor(&cx.policy).recovery_codes);
        let now = self.now();
        self.vault()
            .act(cx, own(cx, &event::FACTOR_CONFIRM, id), move |tx, permit| {
                let factor = tx.get::<Factor>(id)?.filter(|f| f.body.user == user);
                let factor = factor.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let secret = Secret::new(factor.body.secret.clone());
                let step = totp::check(&secret, code.reveal(), now)?;
                confirm(tx, &factor, step.ok_or_else(|| Problem::new(&CODE_WRONG).at("code"))?, &stored)?;
                tx.commit(permit, Entry::of(id).with("recovery_codes", stored.hashes.len()), codes)
            })
            .await
    }

    /// Removes a factor, and with it the recovery codes. Where the policy requires one, the next sign-in asks for
    /// another.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4004`.
    #[boxed]
    pub async fn delete_factor(&self, cx: &Cx, id: FactorId, password: Secret<String>) -> Answer<()> {
        let (user, _) = who(cx)?;
        let t = self.confirm(cx, &event::FACTOR_DELETE, &password).await?;
        let done = self
            .vault()
            .act(cx, own(cx, &event::FACTOR_DELETE, id), move |tx, permit| {
                let factor = tx.get::<Factor>(id)?.filter(|f| f.body.user == user);
                factor.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                tx.delete::<Factor>(id)?;
                signals::credential_changed(tx, user, "app", "delete")?;
                if !any(&mut tx.view(), user)? {
                    tx.delete::<RecoveryCodes>(user)?;
                }
                t.give_back(tx)?;
                tx.commit(permit, Entry::of(id), ())
            })
            .await;
        self.settle(cx, t, done).await
    }

    /// New recovery codes in place of the old ones, shown once.
    ///
    /// # Errors
    /// `NOT_FOUND` without a second factor, `SK-4004`.
    #[boxed]
    pub async fn new_recovery_codes(&self, cx: &Cx, password: Secret<String>) -> Answer<Vec<Secret<String>>> {
        let (user, _) = who(cx)?;
        let t = self.confirm(cx, &event::RECOVERY_CREATE, &password).await?;
        let (codes, stored) = recovery_codes(self.rng(), self.gates().factor(&cx.policy).recovery_codes);
        let done = self
            .vault()
            .act(cx, own(cx, &event::RECOVERY_CREATE, user), move |tx, permit| {
                if !any(&mut tx.view(), user)? {
                    return Err(Problem::new(&NOT_FOUND));
                }
                put_codes(tx, user, &stored)?;
                t.give_back(tx)?;
                tx.commit(permit, Entry::of(user).with("recovery_codes", stored.hashes.len()), codes)
            })
            .await;
        self.settle(cx, t, done).await
    }
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    #[test]
    fn each_recovery_code_works_once_however_it_is_typed() {
        let (codes, stored) = recovery_codes(&SystemRng, 10);
        assert_eq!((codes.len(), stored.hashes.len()), (10, 10));
        let code = codes[3].reveal();
        assert_eq!(code.len(), 19);
        let typed = format!(" {} ", code.replace('-', " ").to_lowercase().replace('0', "o").replace('1', "l"));
        let left = without(&stored, &recovery_hash(&typed)).unwrap();
        assert_eq!(left.hashes.len(), 9);
        assert!(without(&left, &recovery_hash(code)).is_none());
        assert!(without(&left, &recovery_hash("")).is_none());
    }
}
