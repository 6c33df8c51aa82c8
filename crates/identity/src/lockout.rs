//! Lockout: a try takes its place in the counter before any hash is computed, and gives it back once all factors were
//! right. So no more guesses than the rule allows are ever evaluated, in parallel and over all nodes.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use sekisho_kernel::{Cx, Outcome, Problem, Secret, Time, event, gate::LockoutRule, id::UserId, problem::INTERNAL};
use sekisho_vault::{ClearValue, Scope, Tx};
use unicode_normalization::UnicodeNormalization;

use crate::{Answer, Identity, sql};

/// What sign-ins have cost, by kind. Equal for all accounts, whatever their state; tests hold it to that.
#[derive(Debug, Default)]
pub struct Counts {
    /// Password hashes computed.
    pub hashes: AtomicU64,
    /// Statements run on the way to the answer.
    pub statements: AtomicU64,
    /// Entries made.
    pub entries: AtomicU64,
}

impl Counts {
    /// The three figures now.
    pub fn read(&self) -> (u64, u64, u64) {
        let of = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (of(&self.hashes), of(&self.statements), of(&self.entries))
    }
    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn entry(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }
}

/// Names a counter: a user's id, or what an unknown name or a known browser comes to.
pub type Counter = [u8; 16];

/// A level of risk to remember; 0 changes nothing, at the same cost.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Whose.
    pub who: Counter,
    /// Which.
    pub level: i64,
    /// Until when.
    pub until: Time,
}

/// A try that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// Its counter.
    pub counter: Counter,
    /// `None`: lockout is taken out.
    tries: Option<u32>,
    /// Whether it may be evaluated.
    pub granted: bool,
    /// Whether it holds a place that does not count as failed yet.
    open: bool,
}

/// The name as the blind index sees it.
pub(crate) fn normal(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().trim().to_owned()
}

impl Identity {
    /// The counter of somebody's tries, and the name under which a stranger's name is entered. Unknown names share
    /// 16,384 counters a tenant, so that inventing names fills nothing; nobody can tell, since none of them ever opens.
    pub(crate) async fn counter(&self, scope: &Scope, name: &str, known: Option<UserId>) -> Answer<(Counter, String)> {
        let hash = self.vault().keyed_hash(scope, "try.name", normal(name).as_bytes()).await?;
        Ok(match known {
            Some(user) => (user.bytes(), user.to_string()),
            None => {
                let mut counter = [0xff; 16];
                counter[14] = hash[0] & 0x3f;
                counter[15] = hash[1];
                (counter, format!("unknown:{}", hex::encode(&hash[..8])))
            }
        })
    }

    /// The counter of a browser that this person has signed in with before, if `device` is its mark.
    pub(crate) async fn device_counter(
        &self,
        scope: &Scope,
        user: UserId,
        device: Option<&Secret<String>>,
    ) -> Answer<Option<Counter>> {
        let Some(Device { owner, id }) = self.device(scope, device).await?.filter(|d| d.owner == user) else {
            return Ok(None);
        };
        let hash = self.vault().keyed_hash(scope, "try.device", format!("{owner} {id}").as_bytes()).await?;
        let mut counter = [0xfe; 16];
        counter[1..].copy_from_slice(&hash[..15]);
        Ok(Some(counter))
    }

    /// Whose browser it is, by the mark that it carries.
    pub(crate) async fn device(&self, scope: &Scope, mark: Option<&Secret<String>>) -> Answer<Option<Device>> {
        let Some(mark) = mark else { return Ok(None) };
        let Some(text) = self.vault().open_text(scope, DEVICE, mark.reveal()).await? else { return Ok(None) };
        let fields: Vec<&str> = text.split(' ').collect();
        let [owner, id, until] = fields[..] else { return Ok(None) };
        let in_time = until.parse::<i64>().is_ok_and(|t| t > self.now().micros());
        Ok(owner.parse().ok().filter(|_| in_time).map(|owner| Device { owner, id: id.to_owned() }))
    }

    /// A browser that has no mark yet gets this one.
    pub(crate) fn new_device(&self) -> String {
        hex::encode(sekisho_kernel::rng::bytes::<16>(self.rng()))
    }

    /// The mark by which the browser `id` is known again, for a year.
    pub(crate) async fn device_mark(&self, scope: &Scope, user: UserId, id: &str) -> Answer<Secret<String>> {
        let until = self.now().plus(std::time::Duration::from_secs(365 * 86_400)).micros();
        self.vault().seal_text(scope, DEVICE, &format!("{user} {id} {until}")).await.map(Secret::new)
    }

    /// Takes a place for a try.
    pub(crate) async fn take(&self, scope: &Scope, rule: &LockoutRule, counter: Counter) -> Answer<Try> {
        let Some(tries) = rule.tries else {
            return Ok(Try { counter, tries: None, granted: true, open: false });
        };
        let (period, counts) = (rule.period, self.0.counts.clone());
        let places = self
            .vault()
            .keep(scope, move |keeper| {
                counts.statement();
                let now = keeper.now();
                let row = keeper.rows(
                    &sql::TRY_TAKE,
                    &[counter.into(), i64::from(tries).into(), now.into(), now.plus(period).into()],
                )?;
                number(&row)
            })
            .await?;
        let granted = places <= i64::from(tries);
        Ok(Try { counter, tries: Some(tries), granted, open: granted })
    }

    /// A try that goes on in the place that the password took, and that counts as failed while it waits.
    pub(crate) const fn inherit(rule: &LockoutRule, counter: Counter) -> Try {
        Try { counter, tries: rule.tries, granted: true, open: false }
    }

    /// No try at all: what was confirmed before guesses nothing, and leaves nothing to give back.
    pub(crate) const fn untried(counter: Counter) -> Try {
        Try { counter, tries: None, granted: true, open: false }
    }

    /// Counts a try as failed; `account.lock` is entered once, by the try after which no place is left.
    pub(crate) async fn fail(&self, cx: &Cx, t: &Try, object: &str) -> Answer<()> {
        self.fail_with(cx, t, object, None).await
    }

    /// The same, and remembers a level of risk.
    pub(crate) async fn fail_with(&self, cx: &Cx, t: &Try, object: &str, hold: Option<Hold>) -> Answer<()> {
        if t.tries.is_none() && hold.is_none() {
            return Ok(());
        }
        let (t, counts) = (*t, self.0.counts.clone());
        let locked = self
            .vault()
            .keep(&Scope::of(cx), move |keeper| {
                if let Some(hold) = hold {
                    counts.statement();
                    keeper.run(&sql::RISK_HOLD, &[hold.who.into(), hold.level.into(), hold.until.into()])?;
                }
                let Some(tries) = t.tries else { return Ok(0) };
                counts.statement();
                let row = keeper
                    .rows(&sql::TRY_FAIL, &[t.counter.into(), i64::from(tries).into(), i64::from(t.open).into()])?;
                // No row: an administrator has unlocked the account meanwhile.
                if row.is_empty() { Ok(0) } else { number(&row) }
            })
            .await?;
        if locked == 1 {
            self.0.counts.entry();
            let job = Self::as_sign_in(cx);
            self.vault().enter(&job, &event::ACCOUNT_LOCK, Outcome::Success, object, Vec::new()).await?;
        }
        Ok(())
    }

    /// Gives the try back where no act does it.
    pub(crate) async fn give_back(&self, scope: &Scope, t: Try) -> Answer<()> {
        let Some(params) = t.returned() else { return Ok(()) };
        self.vault().keep(scope, move |keeper| keeper.run(&sql::TRY_GIVE_BACK, &params).map(drop)).await
    }

    /// Until when accounts of the tenant are locked, by counter.
    pub(crate) async fn locked(&self, cx: &Cx) -> Answer<HashMap<Counter, Time>> {
        let Some(tries) = self.gates().lockout(&cx.policy).tries else { return Ok(HashMap::new()) };
        self.vault()
            .keep(&Scope::of(cx), move |keeper| {
                let now = keeper.now();
                let rows = keeper.rows(&sql::TRY_LOCKED, &[i64::from(tries).into(), now.into()])?;
                let one = |row: &Vec<ClearValue>| {
                    let id = row.first()?.opaque()?.try_into().ok()?;
                    Some((id, Time::from_micros(row.get(1)?.int()?)))
                };
                Ok(rows.iter().filter_map(one).collect())
            })
            .await
    }

    /// The context's act, as the sign-in job's: it is the counter that locks, not the person who typed.
    fn as_sign_in(cx: &Cx) -> Cx {
        Cx { actor: sekisho_kernel::Actor::Job(sekisho_kernel::Job::SignIn), ..cx.clone() }
    }
}

const DEVICE: &str = "known device";

/// A browser that has signed somebody in before.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whom.
    pub owner: UserId,
    /// What it is called, hex.
    pub id: String,
}

impl Try {
    /// The parameters that give it back.
    fn returned(&self) -> Option<[ClearValue; 3]> {
        let tries = self.tries?;
        Some([self.counter.into(), i64::from(tries).into(), i64::from(self.open).into()])
    }
    /// Leaves the try's place to a step that follows. Until that has come, it counts as failed.
    pub fn pend(&self, tx: &mut Tx<'_>) -> Answer<()> {
        match self.tries {
            Some(_) if self.open => tx.keep(&sql::TRY_PEND, &[self.counter.into()]).map(drop),
            _ => Ok(()),
        }
    }
    /// Gives the try back within the act that it led to.
    pub fn give_back(&self, tx: &mut Tx<'_>) -> Answer<()> {
        match self.returned() {
            Some(params) => tx.keep(&sql::TRY_GIVE_BACK, &params).map(drop),
            None => Ok(()),
        }
    }
}

/// The first number of the first row.
fn number(rows: &[Vec<ClearValue>]) -> Answer<i64> {
    rows.first()
        .and_then(|r| r.first())
        .and_then(ClearValue::int)
        .ok_or_else(|| Problem::new(&INTERNAL).log("a counter statement gave no number"))
}
