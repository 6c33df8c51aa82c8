//! What a step of a sign-in looks at, uses up and leaves behind.

use sekisho_kernel::{
    Problem, ProblemKind, Secret, Time,
    id::{FactorId, FactorKind, PasskeyId, RecordId, SigningClientId, UserId, UserKind},
    problem::CONFLICT,
};
use sekisho_vault::{Entry, Stored, Tx, View};
use serde::{Deserialize, Serialize};

use super::failed;
use crate::{
    Answer, factors,
    lockout::{Counter, Counts, Try},
    passkeys::{self, Fresh},
    records::{CameBy, Credential, Factor, Passkey, RecoveryCodes, RiskProfile, UserAccount},
    risk::{self, Held, Risk},
    signals, sql,
    types::UserState,
};

/// What is wanted next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Factor,
    /// The password once more.
    Again,
    Password,
    Enrol,
}

impl Stage {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Factor => "factor",
            Self::Again => "password-again",
            Self::Password => "password",
            Self::Enrol => "enrol",
        }
    }
}

/// By what the person came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The account's password.
    #[default]
    Password,
    /// An application's signature.
    Signature(SigningClientId),
    /// An outside identity provider.
    Provider(CameBy),
    /// A passkey, alone.
    Passkey,
}

/// The mark of something that is good once: nobody uses it a second time.
#[derive(Clone)]
pub struct Once {
    /// The pointer's kind.
    pub kind: &'static str,
    /// Its key.
    pub key: [u8; 32],
    /// Whose it is.
    pub target: RecordId,
    /// Until when it could come again.
    pub until: Time,
    /// What the second one is told.
    pub refused: &'static ProblemKind,
}

impl Once {
    /// Uses it up. Of two who bring the same one, on whatever nodes, one is let in.
    pub fn take(&self, tx: &mut Tx<'_>) -> Answer<()> {
        let used = |p: Problem| if p.is(&CONFLICT) { Problem::new(self.refused) } else { p };
        tx.point(self.kind, &self.key, self.target, Some(self.until)).map_err(used)
    }
}

/// A sign-in under way, as the browser carries it: sealed, bound to the host, overtaken by any change of the password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge {
    pub stage: Stage,
    pub user: UserId,
    #[serde(default)]
    pub way: Way,
    /// Version of the credential that the account had; 0 for none.
    pub credential: i64,
    /// Whether a step-up was passed.
    #[serde(default)]
    pub stepped: bool,
    /// The counter, and the place in it in which the first code may go on.
    pub counter: Counter,
    pub place: RecordId,
    pub until: Time,
}

/// An account with what a sign-in looks at.
#[derive(Clone)]
pub struct Found {
    pub account: Stored<UserAccount>,
    pub credential: Option<Stored<Credential>>,
    pub factor: Option<Stored<Factor>>,
    /// What is known of its sign-ins, and how risky the last one was.
    pub profile: Option<Stored<RiskProfile>>,
    pub held: Held,
    /// How many passkeys there are.
    pub passkeys: u64,
}

impl Found {
    pub fn id(&self) -> UserId {
        self.account.id::<UserKind>()
    }
    /// The credential of an account that may sign in.
    pub fn usable(&self) -> Option<&Stored<Credential>> {
        self.credential.as_ref().filter(|_| self.account.body.state == UserState::Active)
    }
    /// Whether the account may sign in.
    pub fn active(&self) -> bool {
        self.account.body.state == UserState::Active
    }
    /// Whether it has a second factor: the password alone yields nothing then.
    pub const fn second(&self) -> bool {
        self.factor.is_some() || self.passkeys > 0
    }
    /// The version of its password; 0 for an account that has none.
    pub fn version(&self) -> i64 {
        self.credential.as_ref().map_or(0, |c| c.version)
    }
    /// Whether the account is still as it was when a challenge was given for it.
    pub fn unchanged(&self, challenge: &Challenge) -> bool {
        self.active() && self.version() == challenge.credential
    }
}

pub enum By {
    Name(String),
    Id(UserId),
}

/// Looks for an account; one that is not there costs the same statements.
pub fn look_up(view: &mut View<'_>, counts: &Counts, by: &By) -> Answer<Option<Found>> {
    counts.statement();
    let account = match by {
        By::Name(name) => view.find::<UserAccount>("name", name)?.into_iter().next(),
        By::Id(id) => view.get::<UserAccount>(*id)?,
    };
    let id = account.as_ref().map_or(UserId::NIL, |a| a.id::<UserKind>());
    counts.statement();
    let credential = view.get::<Credential>(id)?;
    counts.statement();
    let factor = factors::confirmed(view, id)?;
    let (profile, held) = risk::known_of(view, counts, id)?;
    counts.statement();
    let passkeys = view.count::<Passkey>(&[("user_id", id.into())])?;
    Ok(account.map(|account| Found { account, credential, factor, profile, held, passkeys }))
}

/// What the act that ends a step uses up and leaves behind.
#[derive(Default)]
pub struct Finish {
    /// By what the person came in.
    pub way: Way,
    /// The judgement, for sign-ins by password or passkey.
    pub risk: Option<Risk>,
    /// Whether an entry of this sign-in tells of it already.
    pub told: bool,
    /// Whether a step-up was passed.
    pub stepped: bool,
    /// The signature that is used up.
    pub once: Option<Once>,
    /// The try that is given back.
    pub given_back: Option<Try>,
    /// The second factor's proof, taken in the act.
    pub proof: Option<Proof>,
    /// The same password at today's cost.
    pub rehashed: Option<Credential>,
    /// A new password.
    pub renewed: Option<Credential>,
    /// A factor to confirm.
    pub enrolled: Option<Enrolled>,
    /// A passkey to store.
    pub registered: Option<Fresh>,
}

/// A factor whose first code was right.
pub struct Enrolled {
    pub factor: Stored<Factor>,
    pub step: i64,
    /// Recovery codes as stored, and as shown once.
    pub codes: RecoveryCodes,
    pub shown: Vec<Secret<String>>,
}

/// What has proven the second factor.
#[derive(Clone)]
pub enum Proof {
    Step(FactorId, i64),
    Recovery(String),
    /// A passkey, with its count of signatures and whether it is backed up.
    Passkey(PasskeyId, u32, bool),
}

impl Proof {
    /// Uses the proof up: of two who bring the same one, one is let in.
    pub fn take(&self, tx: &mut Tx<'_>, user: UserId, once: bool) -> Answer<&'static str> {
        match self {
            Self::Step(factor, step) => {
                let moved = tx.keep(&sql::FACTOR_STEP, &[(*factor).into(), (*step).into()])?;
                if moved == 0 && once { Err(failed()) } else { Ok("totp") }
            }
            Self::Recovery(hash) => {
                let codes = tx.get::<RecoveryCodes>(user)?.ok_or_else(failed)?;
                let left = factors::without(&codes.body, hash).ok_or_else(failed)?;
                if once {
                    let lost = |p: Problem| if p.is(&CONFLICT) { failed() } else { p };
                    tx.update(user, codes.version, &left).map_err(lost)?;
                }
                Ok("recovery-code")
            }
            Self::Passkey(id, count, backed_up) => {
                let now = tx.now();
                if passkeys::used(tx, *id, *count, *backed_up, Some(now))? { Ok("passkey") } else { Err(failed()) }
            }
        }
    }
}

impl Finish {
    /// Whether the judgement wants more than was given.
    pub fn wants_more(&self) -> bool {
        self.proof.is_none() && !self.stepped && self.risk.as_ref().is_some_and(Risk::steps_up)
    }
    /// Recovery codes to show, once.
    pub fn shown(self) -> Vec<Secret<String>> {
        let by_passkey = self.registered.and_then(|f| f.codes).map(|(_, shown)| shown);
        self.enrolled.map(|e| e.shown).or(by_passkey).unwrap_or_default()
    }
    /// Everything but session and commit.
    pub fn apply(&self, tx: &mut Tx<'_>, found: &Found, once: bool, mut entry: Entry) -> Answer<Entry> {
        let user = found.id();
        // What was read before the hash may have changed while it was computed.
        let account = tx.get::<UserAccount>(user)?.filter(|a| a.body.state == UserState::Active);
        let now = tx.get::<Credential>(user)?.map_or(0, |c| c.version);
        if account.is_none() || now != found.version() || (self.way == Way::Password && now == 0) {
            return Err(failed());
        }
        if let Some(once) = &self.once {
            once.take(tx)?;
        }
        if let Way::Signature(client) = self.way {
            entry = entry.with("way", "signature").with("client", client);
        }
        if let Way::Provider(by) = &self.way {
            entry = entry.with("way", "provider").with("provider", by.provider);
        }
        if self.way == Way::Passkey {
            entry = entry.with("way", "passkey");
        }
        if let Some(proof) = &self.proof {
            entry = entry.with("factor", proof.take(tx, user, once)?);
            if let Proof::Passkey(id, ..) = proof {
                entry = entry.with("passkey", id);
            }
        }
        if let Some(new) = self.renewed.as_ref().or(self.rehashed.as_ref()) {
            tx.update(user, found.version(), new)?;
        }
        if self.renewed.is_some() {
            signals::credential_changed(tx, user, "password", "update")?;
            entry = entry.with("password", "changed");
        }
        if let Some(Enrolled { factor, step, codes, .. }) = &self.enrolled {
            factors::confirm(tx, factor, *step, codes)?;
            entry = entry.with("factor_confirmed", factor.id::<FactorKind>());
        }
        if let Some(risk) = self.risk.as_ref().filter(|_| !self.told) {
            entry = risk.detail().into_iter().fold(entry, |entry, (name, value)| entry.with(name, value));
        }
        if let Some(fresh) = &self.registered {
            let codes = fresh.put(tx)?.len();
            entry = entry.with("passkey_registered", fresh.id).with("recovery_codes", codes);
        }
        if let Some(t) = &self.given_back {
            t.give_back(tx)?;
        }
        Ok(entry)
    }
}

/// What an administrator reads in the history; nobody else is told.
pub fn reason(found: Option<&Found>, t: &Try) -> &'static str {
    match found {
        _ if !t.granted => "locked",
        None => "unknown",
        Some(f) if f.account.body.state == UserState::Disabled => "disabled",
        Some(f) if f.usable().is_none() => "no-password",
        Some(_) => "wrong-password",
    }
}
