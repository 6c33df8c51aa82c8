//! Adaptive sign-in: each sign-in by password or passkey is judged by what is known of the person, of the address and of the
//! moment.
//!
//! What is counted over all organisations (names tried from one address) lies in the platform's books under keyed hashes.
//! What is known of a person is a sealed record of theirs. A wrong password is judged too, and the judgement thrown away,
//! so that it costs what a right one does.

pub mod judge;
mod known;
mod places;
mod replay;
pub mod writer;

use sekisho_kernel::{
    Cx, Time,
    gate::{AdaptiveMode, RiskAction},
    hook::Knock,
    id::UserId,
};
use sekisho_vault::{ClearValue, Scope, Stored, Tx, View};

pub use judge::{Facts, Held, Level, Reason, Travel, Verdict, judge};
pub use known::{Known, MOST_DEVICES, MOST_NETWORKS, Origin, REMEMBERED, Used, Visit};
pub use places::{Condition, Locations, Mmdb, Networks, Place, Sources, Spot, Told};
pub use replay::{given, tried_settings};

use crate::{Answer, Identity, boxed, lockout, records::RiskProfile, sign_in::step::Found, sql, types::Browser};

/// Most names remembered of one address: beyond, it sprays anyway.
const MOST_NAMES: i64 = 256;
/// Most marks in all: a quarter of an hour of every core's hashes on a large machine.
pub(crate) const MOST_MARKS: i64 = 200_000;
/// Stands for an address that has sprayed.
const SPRAYED: [u8; 16] = [0; 16];

/// Under which hashes a sign-in is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    address: [u8; 16],
    name: [u8; 16],
    /// Of both.
    both: [u8; 16],
    /// Of an address that has sprayed.
    sprayed: [u8; 16],
}

/// What is known of the account that a sign-in is for.
#[derive(Clone, Copy)]
struct Past<'a> {
    owner: UserId,
    profile: Option<&'a Known>,
    held: Held,
}

/// What is known of a person, and how risky the last sign-in was; somebody who is not there costs the same statements.
pub(crate) fn known_of(
    view: &mut View<'_>,
    counts: &lockout::Counts,
    user: UserId,
) -> Answer<(Option<Stored<RiskProfile>>, Held)> {
    counts.statement();
    let profile = view.get::<RiskProfile>(user)?;
    counts.statement();
    let held = view.books(&sql::RISK_HELD, &[user.into()])?;
    let number = |i: usize| held.first().and_then(|r| r.get(i)).and_then(ClearValue::int).unwrap_or(0);
    Ok((profile, Held { level: Level::from_code(number(0)), until: Time::from_micros(number(1)) }))
}

/// A judged sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Risk {
    pub facts: Facts,
    pub verdict: Verdict,
    /// The browser's mark, if it was known or is to be.
    pub device: Option<String>,
    origin: Origin,
    marks: Marks,
    /// Failed tries of this name from this address.
    slips: bool,
    without_factor: RiskAction,
    held: Held,
}

impl Risk {
    /// Whether an account with or without a second factor is refused.
    pub fn blocks(&self, has_factor: bool) -> bool {
        let missing = !has_factor && self.without_factor == RiskAction::Block;
        match self.verdict.action {
            RiskAction::Allow => false,
            RiskAction::StepUp => missing,
            RiskAction::Block => true,
        }
    }
    /// Whether more is wanted than the password.
    pub const fn steps_up(&self) -> bool {
        matches!(self.verdict.action, RiskAction::StepUp)
    }
    /// What the entry says of it.
    pub fn detail(&self) -> Vec<(&'static str, String)> {
        let verdict = &self.verdict;
        let reasons: Vec<_> = verdict.reasons.iter().map(|r| r.name()).collect();
        let mut out = vec![
            ("risk", verdict.level.name().to_owned()),
            ("risk_score", verdict.score.to_string()),
            ("risk_action", verdict.action.name().to_owned()),
            ("risk_reasons", reasons.join(" ")),
            ("risk_facts", serde_json::to_string(&self.facts).unwrap_or_default()),
        ];
        if verdict.advised != verdict.action {
            out.push(("risk_advised", verdict.advised.name().to_owned()));
        }
        out
    }
    /// Remembers the level of a sign-in that is to go on, within the act that asks for more.
    pub fn remember(&self, tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
        if self.held.level == Level::Low {
            return Ok(());
        }
        let hold = [user.into(), self.held.level.code().into(), self.held.until.into()];
        tx.keep(&sql::RISK_HOLD, &hold).map(drop)
    }
    /// Takes the sign-in in, within the act that completes it.
    pub fn learn(&self, tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
        tx.keep(&sql::USER_HOLD, &[user.into()])?;
        let now = tx.now();
        match tx.get::<RiskProfile>(user)? {
            Some(mut stored) => {
                stored.body.0.learn(self.device.as_deref(), &self.origin, now);
                tx.update(user, stored.version, &stored.body)?;
            }
            None => {
                let mut fresh = RiskProfile::default();
                fresh.0.learn(self.device.as_deref(), &self.origin, now);
                tx.insert(user, &fresh)?;
            }
        }
        tx.keep(&sql::RISK_CLEAR, &[user.into()]).map(drop)
    }
}

impl Identity {
    /// How a sign-in by this person would be judged now, from where the request comes; `None` where nothing is judged.
    /// Nothing is counted, entered or learnt.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn risk_of(
        &self,
        knock: &Knock,
        browser: &Browser,
        user: UserId,
        name: &str,
    ) -> Answer<Option<(Facts, Verdict)>> {
        let cx = Self::before_sign_in(knock);
        let counts = self.0.counts.clone();
        let (profile, held) = self.vault().peek(&Scope::of(&cx), move |view| known_of(view, &counts, user)).await?;
        let past = Past { owner: user, profile: profile.as_ref().map(|p| &p.body.0), held };
        Ok(self.judged(&cx, browser, name, Some(past)).await?.map(|risk| (risk.facts, risk.verdict)))
    }

    /// Judges a sign-in as it stands: what is known of the account as `found`, what is counted of address and name now.
    /// `None` where nothing is judged.
    pub(crate) async fn judge(
        &self,
        cx: &Cx,
        browser: &Browser,
        name: &str,
        found: Option<&Found>,
    ) -> Answer<Option<Risk>> {
        let past = found.map(|f| Past { owner: f.id(), profile: f.profile.as_ref().map(|p| &p.body.0), held: f.held });
        self.judged(cx, browser, name, past).await
    }

    async fn judged(&self, cx: &Cx, browser: &Browser, name: &str, past: Option<Past<'_>>) -> Answer<Option<Risk>> {
        let rule = self.gates().adaptive(&cx.policy);
        if rule.mode == AdaptiveMode::Off {
            return Ok(None);
        }
        let now = self.now();
        let peer = cx.peer.unwrap_or(known::NOWHERE).to_canonical();
        let told = self.0.sources.ask(&rule, peer, now).await;
        let origin = Origin::of(peer, &told.place);
        let mark = self.device(&Scope::of(cx), browser.device.as_ref()).await?;
        let device = mark.filter(|m| past.is_some_and(|p| p.owner == m.owner)).map(|m| m.id);
        let marks = self.marks(cx, name).await?;
        let counted = self.counted(marks, now).await?;
        let nobody = Known::default();
        let profile = past.and_then(|p| p.profile).unwrap_or(&nobody);
        let facts = Facts {
            account_tries: counted.account,
            address_tries: counted.address,
            names: counted.names,
            sprayed: counted.sprayed,
            listed: told.listed,
            blind: told.blind,
            ..profile.facts(device.as_deref(), &origin, now)
        };
        let held = past.map_or_else(Held::default, |p| p.held);
        let verdict = judge(&rule, &facts, held.at(now));
        Ok(Some(Risk {
            held: Held::after(&rule, &verdict, now),
            slips: counted.slips > 0,
            without_factor: rule.without_factor,
            facts,
            verdict,
            device,
            origin,
            marks,
        }))
    }

    async fn marks(&self, cx: &Cx, name: &str) -> Answer<Marks> {
        let platform = self.vault().platform();
        let short = |hash: [u8; 32]| {
            let mut out = [0; 16];
            out.copy_from_slice(&hash[..16]);
            out
        };
        let who = known::customer(cx.peer.unwrap_or(known::NOWHERE)).to_string();
        let name = format!("{} {}", cx.tenant, lockout::normal(name));
        let address = short(self.vault().keyed_hash(&platform, "risk.address", who.as_bytes()).await?);
        let name = short(self.vault().keyed_hash(&platform, "risk.name", name.as_bytes()).await?);
        let both = short(self.vault().keyed_hash(&platform, "risk.mark", &[address, name].concat()).await?);
        let sprayed = short(self.vault().keyed_hash(&platform, "risk.mark", &[address, SPRAYED].concat()).await?);
        Ok(Marks { address, name, both, sprayed })
    }

    async fn counted(&self, marks: Marks, now: Time) -> Answer<Counted> {
        let counts = self.0.counts.clone();
        self.vault()
            .peek(&self.vault().platform(), move |view| {
                counts.statement();
                Ok(Counted::of(&view.books(&sql::RISK_COUNTS, &marks.counts(now))?))
            })
            .await
    }

    /// Counts a failed try by its address and name, over all organisations.
    pub(crate) async fn mark(&self, cx: &Cx, risk: Option<&Risk>) -> Answer<()> {
        let Some(marks) = risk.map(|r| r.marks) else { return Ok(()) };
        let rule = self.gates().adaptive(&cx.policy);
        let counts = self.0.counts.clone();
        self.vault()
            .keep(&self.vault().platform(), move |keeper| {
                counts.statement();
                let now = keeper.now();
                let until = now.plus(rule.window);
                let before = Counted::of(&keeper.rows(&sql::RISK_COUNTS, &marks.counts(now))?);
                counts.statement();
                if i64::from(before.names) < MOST_NAMES {
                    keeper.run(&sql::RISK_MARK, &marks.one(marks.both, marks.name, until, now))?;
                }
                if before.names.saturating_add(1) >= rule.spray_names {
                    keeper.run(&sql::RISK_MARK, &marks.one(marks.sprayed, SPRAYED, until, now))?;
                }
                Ok(())
            })
            .await
    }

    /// A name's slips from an address count no more: its person has come in from there.
    pub(crate) async fn forgive(&self, risk: &Risk) -> Answer<()> {
        if !risk.slips {
            return Ok(());
        }
        let mark = risk.marks.both;
        self.vault()
            .keep(&self.vault().platform(), move |keeper| keeper.run(&sql::RISK_FORGIVE, &[mark.into()]).map(drop))
            .await
    }

    /// What a failed sign-in's counters are told of the risk, right password or not.
    pub(crate) fn hold(risk: Option<&Risk>, who: lockout::Counter, right: bool, now: Time) -> Option<lockout::Hold> {
        let risk = risk?;
        let (level, until) = if right { (risk.held.level.code(), risk.held.until) } else { (0, now) };
        Some(lockout::Hold { who, level, until })
    }

    /// Forgets marks that have run out, and those beyond the bound.
    pub(crate) async fn sweep_marks(&self) -> Answer<u64> {
        self.vault()
            .keep(&self.vault().platform(), |keeper| {
                let now = keeper.now();
                Ok(keeper.run(&sql::RISK_SWEEP, &[now.into()])? + keeper.run(&sql::RISK_TRIM, &[MOST_MARKS.into()])?)
            })
            .await
    }
}

/// What is counted of an address and a name.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    names: u32,
    address: u32,
    account: u32,
    slips: u32,
    sprayed: bool,
}

impl Counted {
    fn of(rows: &[Vec<ClearValue>]) -> Self {
        let at = |i: usize| {
            let n = rows.first().and_then(|r| r.get(i)).and_then(ClearValue::int).unwrap_or(0);
            u32::try_from(n).unwrap_or(u32::MAX)
        };
        Self { names: at(0), address: at(1), account: at(2), slips: at(3), sprayed: at(4) > 0 }
    }
}

impl Marks {
    fn counts(&self, now: Time) -> [ClearValue; 4] {
        [self.address.into(), self.name.into(), now.into(), SPRAYED.into()]
    }
    fn one(&self, id: [u8; 16], name: [u8; 16], until: Time, now: Time) -> [ClearValue; 5] {
        [id.into(), self.address.into(), name.into(), until.into(), now.into()]
    }
}
