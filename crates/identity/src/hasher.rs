//! Password hashes: Argon2id (RFC 9106), as many at once as there are cores, in a line that is fair between addresses.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use sekisho_kernel::{Problem, Rng, Secret, TakenOut, gate::PasswordRule, problem::INTERNAL, rng};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use unicode_normalization::UnicodeNormalization;

use crate::{boxed, problems::BUSY};

/// Most hashes of one address (one /64 of IPv6) that run or wait.
pub const PER_ADDRESS: usize = 32;
/// Most hashes of all addresses that run or wait.
pub const IN_ALL: usize = 1_024;

/// Whose place in line it is.
type Source = IpAddr;

/// An IPv6 peer counts with its /64, since one subscriber holds that much.
fn source(peer: Option<IpAddr>) -> Source {
    match peer.map(|p| p.to_canonical()) {
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(v4) => v4,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[derive(Default)]
struct Line {
    /// Hashes that run.
    running: usize,
    /// How many places each source holds, running or waiting.
    held: HashMap<Source, usize>,
    /// All places.
    total: usize,
    /// Who waits, by source.
    waiting: HashMap<Source, VecDeque<oneshot::Sender<()>>>,
    /// Sources in the order in which they are served next.
    turns: VecDeque<Source>,
}

impl Line {
    /// Hands a free core to the next source's first in line. Whoever has gone meanwhile is passed over.
    fn next(&mut self, cores: usize) {
        while self.running < cores {
            let Some(source) = self.turns.pop_front() else { return };
            let Some(queue) = self.waiting.get_mut(&source) else { continue };
            let woken = queue.pop_front().is_some_and(|w| w.send(()).is_ok());
            if queue.is_empty() {
                self.waiting.remove(&source);
            } else {
                self.turns.push_back(source);
            }
            if woken {
                self.running += 1;
            }
        }
    }
}

/// The pool.
pub struct Hasher {
    line: Arc<Mutex<Line>>,
    cores: usize,
    rng: Arc<dyn Rng>,
    plain: bool,
    hashes: AtomicU64,
    /// A hash of a value nobody knows, per cost, for accounts that have none.
    dummies: Mutex<HashMap<(u32, u32), String>>,
}

/// A place in line. Its holder runs its hashes one after the other.
pub struct Place {
    line: Arc<Mutex<Line>>,
    cores: usize,
    source: Source,
}

/// A core, for one hash.
struct Core {
    line: Arc<Mutex<Line>>,
    cores: usize,
}

impl Hasher {
    /// A pool of `cores` cores.
    pub fn new(cores: usize, rng: Arc<dyn Rng>, taken: Option<TakenOut>) -> Self {
        Self {
            line: Arc::default(),
            cores: cores.max(1),
            rng,
            plain: taken == Some(TakenOut::PasswordHash),
            hashes: AtomicU64::new(0),
            dummies: Mutex::default(),
        }
    }

    /// How many hashes have been computed.
    pub fn count(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// A place in line for the peer, before anything else is done for it.
    ///
    /// # Errors
    /// `SK-4003` when the peer's line or the whole is full.
    pub fn enter(&self, peer: Option<IpAddr>) -> Result<Place, Problem> {
        let source = source(peer);
        let mut line = lock(&self.line);
        let held = line.held.get(&source).copied().unwrap_or(0);
        if held >= PER_ADDRESS || line.total >= IN_ALL {
            return Err(Problem::new(&BUSY).retry_after(Duration::from_secs(2)));
        }
        line.held.insert(source, held + 1);
        line.total += 1;
        drop(line);
        Ok(Place { line: self.line.clone(), cores: self.cores, source })
    }

    /// Whether `password` is the one that `stored` was made of.
    ///
    /// # Errors
    /// A defect of ours when `stored` is no hash.
    #[boxed]
    pub async fn verify(&self, place: &Place, password: &Secret<String>, stored: &str) -> Result<bool, Problem> {
        let password = normal(password);
        if self.plain && !stored.starts_with('$') {
            return Ok(password.reveal().as_bytes().ct_eq(stored.as_bytes()).into());
        }
        let stored = Secret::new(stored.to_owned());
        self.run(place, move || {
            let hash = PasswordHash::new(stored.reveal()).map_err(|e| Problem::new(&INTERNAL).log(e))?;
            Ok(Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok())
        })
        .await
    }

    /// The PHC string of a new hash at the rule's cost.
    ///
    /// # Errors
    /// A defect of ours when the cost is out of range.
    #[boxed]
    pub async fn hash(&self, place: &Place, password: &Secret<String>, rule: &PasswordRule) -> Result<String, Problem> {
        let password = normal(password);
        if self.plain {
            return Ok(password.reveal().clone());
        }
        let (params, salt) = (params(rule)?, rng::bytes::<16>(&*self.rng));
        self.run(place, move || phc(params, password.reveal().as_bytes(), &salt)).await
    }

    /// A hash at the rule's cost that no password matches.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub fn dummy(&self, rule: &PasswordRule) -> Result<String, Problem> {
        let cost = (rule.memory_kib, rule.passes);
        if let Some(known) = lock(&self.dummies).get(&cost) {
            return Ok(known.clone());
        }
        // The output is random bytes instead of a hash: as good as a secret nobody knows, and nothing is computed.
        let hash = PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: (&params(rule)?).try_into().map_err(|e| Problem::new(&INTERNAL).log(format!("{e:?}")))?,
            salt: Some(salt(&rng::bytes::<16>(&*self.rng))?),
            hash: Some(
                argon2::password_hash::phc::Output::new(&rng::bytes::<32>(&*self.rng))
                    .map_err(|e| Problem::new(&INTERNAL).log(e))?,
            ),
        }
        .to_string();
        lock(&self.dummies).insert(cost, hash.clone());
        Ok(hash)
    }

    async fn run<T: Send + 'static>(
        &self,
        place: &Place,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let core = place.core().await;
        self.hashes.fetch_add(1, Ordering::Relaxed);
        // The core goes with the work, so that a caller who gives up does not free it early.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(core);
            result
        });
        done.await.unwrap_or_else(|e| Err(Problem::new(&INTERNAL).log(e)))
    }
}

impl Place {
    async fn core(&self) -> Core {
        let waiting = {
            let mut line = lock(&self.line);
            let (wake, woken) = oneshot::channel();
            let queue = line.waiting.entry(self.source).or_default();
            queue.push_back(wake);
            if queue.len() == 1 {
                line.turns.push_back(self.source);
            }
            line.next(self.cores);
            Waiting { line: self.line.clone(), cores: self.cores, woken: Some(woken) }
        };
        waiting.wait().await
    }
}

/// Between being put in line and being served; gives a core back that came too late.
struct Waiting {
    line: Arc<Mutex<Line>>,
    cores: usize,
    woken: Option<oneshot::Receiver<()>>,
}

impl Waiting {
    async fn wait(mut self) -> Core {
        if let Some(woken) = self.woken.as_mut() {
            // The sender is dropped only with the line itself, which this place holds.
            let _ = woken.await;
        }
        self.woken = None;
        Core { line: self.line.clone(), cores: self.cores }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(woken) = &mut self.woken {
            woken.close();
            if woken.try_recv().is_ok() {
                drop(Core { line: self.line.clone(), cores: self.cores });
            }
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let mut line = lock(&self.line);
        line.running -= 1;
        line.next(self.cores);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = lock(&self.line);
        line.total -= 1;
        if let Some(held) = line.held.get_mut(&self.source) {
            *held -= 1;
            if *held == 0 {
                line.held.remove(&self.source);
            }
        }
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passwords are compared in NFKC (RFC 8265 §4.2 uses NFC; NIST SP 800-63B §3.1.1.2 allows either), so that one typed
/// on another keyboard is the same.
pub fn normal(password: &Secret<String>) -> Secret<String> {
    Secret::new(password.reveal().nfkc().collect())
}

/// Whether a stored hash was made at another cost than the rule's.
pub fn outdated(stored: &str, rule: &PasswordRule) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else { return false };
    let Ok(made) = Params::try_from(&hash) else { return true };
    hash.algorithm != argon2::ARGON2ID_IDENT || made.m_cost() != rule.memory_kib || made.t_cost() != rule.passes
}

fn params(rule: &PasswordRule) -> Result<Params, Problem> {
    Params::new(rule.memory_kib, rule.passes, 1, Some(32)).map_err(|e| Problem::new(&INTERNAL).log(e))
}

fn salt(bytes: &[u8; 16]) -> Result<argon2::password_hash::phc::Salt, Problem> {
    argon2::password_hash::phc::Salt::new(bytes).map_err(|e| Problem::new(&INTERNAL).log(e))
}

fn phc(params: Params, password: &[u8], salt: &[u8; 16]) -> Result<String, Problem> {
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash =
        argon.hash_password_with_salt(password, salt).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    fn rule() -> PasswordRule {
        PasswordRule {
            min_length: 1,
            classes: 1,
            history: 0,
            max_age: Duration::ZERO,
            breached_list: None,
            memory_kib: 64,
            passes: 1,
        }
    }

    fn hasher(taken: Option<TakenOut>) -> Hasher {
        Hasher::new(2, Arc::new(SystemRng), taken)
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_alone_and_is_salted() {
        let h = hasher(None);
        let place = h.enter(None).unwrap();
        let one = h.hash(&place, &secret("関所を通る"), &rule()).await.unwrap();
        let two = h.hash(&place, &secret("関所を通る"), &rule()).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{one}");
        assert_ne!(one, two);
        assert!(h.verify(&place, &secret("関所を通る"), &one).await.unwrap());
        assert!(!h.verify(&place, &secret("関所を通れ"), &one).await.unwrap());
        assert_eq!(h.count(), 4);
        assert!(!outdated(&one, &rule()));
        assert!(outdated(&one, &PasswordRule { passes: 2, ..rule() }));
    }

    #[tokio::test]
    async fn full_width_and_half_width_are_one_password() {
        let h = hasher(None);
        let place = h.enter(None).unwrap();
        let stored = h.hash(&place, &secret("Ｐａｓｓ１２３"), &rule()).await.unwrap();
        assert!(h.verify(&place, &secret("Pass123"), &stored).await.unwrap());
    }

    #[tokio::test]
    async fn the_dummy_costs_one_hash_and_fits_nothing() {
        let h = hasher(None);
        let dummy = h.dummy(&rule()).unwrap();
        assert_eq!(dummy, h.dummy(&rule()).unwrap());
        assert_eq!(h.count(), 0);
        let place = h.enter(None).unwrap();
        assert!(!h.verify(&place, &secret(""), &dummy).await.unwrap());
        assert_eq!(h.count(), 1);
        assert!(!outdated(&dummy, &rule()));
    }

    #[tokio::test]
    async fn taken_out_the_password_is_stored_as_it_came() {
        let h = hasher(Some(TakenOut::PasswordHash));
        let place = h.enter(None).unwrap();
        let stored = h.hash(&place, &secret("marker"), &rule()).await.unwrap();
        assert_eq!(stored, "marker");
        assert!(h.verify(&place, &secret("marker"), &stored).await.unwrap());
        assert!(!h.verify(&place, &secret("market"), &stored).await.unwrap());
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let h = hasher(None);
        let stranger = Some("203.0.113.9".parse().unwrap());
        let places: Vec<_> = (0..PER_ADDRESS).map(|_| h.enter(stranger).unwrap()).collect();
        let full = h.enter(stranger).err().unwrap();
        assert!(full.is(&BUSY) && full.retry_after.is_some());
        assert!(h.enter(Some("203.0.113.10".parse().unwrap())).is_ok());
        drop(places);
        assert!(h.enter(stranger).is_ok());
        assert!(lock(&h.line).held.is_empty(), "a place given back leaves nothing behind");
    }

    #[test]
    fn a_64_of_ipv6_is_one_address_and_a_mapped_one_is_ipv4() {
        let at = |s: &str| source(Some(s.parse().unwrap()));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:2"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }

    /// With one core, two sources take turns however many of the first were there before.
    #[tokio::test]
    async fn sources_take_turns() {
        let h = Arc::new(Hasher::new(1, Arc::new(SystemRng), None));
        let blocker = h.enter(None).unwrap();
        let core = blocker.core().await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for (n, who) in ["192.0.2.1"; 3].iter().chain(["192.0.2.2"; 2].iter()).enumerate() {
            let (own, order, peer) = (h.clone(), order.clone(), Some(who.parse().unwrap()));
            tasks.spawn(async move {
                let place = own.enter(peer).unwrap();
                let core = place.core().await;
                lock(&order).push(peer.unwrap());
                drop(core);
            });
            while lock(&h.line).waiting.values().map(VecDeque::len).sum::<usize>() <= n {
                tokio::task::yield_now().await;
            }
        }
        drop(core);
        while tasks.join_next().await.is_some() {}
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_eq!(*lock(&order), [a, b, a, b, a]);
        assert_eq!(lock(&h.line).running, 0);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_takes_no_core_along() {
        let h = Hasher::new(1, Arc::new(SystemRng), None);
        let (one, two) = (h.enter(None).unwrap(), h.enter(None).unwrap());
        let core = one.core().await;
        {
            let mut waiting = Box::pin(two.core());
            assert!(futures_poll(&mut waiting).is_none());
        }
        drop(core);
        drop(two.core().await);
        assert_eq!(lock(&h.line).running, 0);
    }

    fn futures_poll<F: Future + Unpin>(f: &mut F) -> Option<F::Output> {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(f).poll(&mut cx) {
            std::task::Poll::Ready(v) => Some(v),
            std::task::Poll::Pending => None,
        }
    }
}
