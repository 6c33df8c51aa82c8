//! What this node keeps of sessions, rights and tenants between requests.
//!
//! Everything here is dropped by notices of committed changes. A value is put in only if no notice came while it was
//! being read, so that an old state never outlives the change that ended it.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use sekisho_kernel::{
    Time,
    access::RightsView,
    gate::SessionTimes,
    hook::HostEntry,
    id::{SessionId, SiteId, TenantId, UserId},
};

use crate::directory::TenantState;

const SHARDS: usize = 64;
/// Most sessions a shard keeps: 64 × 1,024 in all.
const PER_SHARD: usize = 1_024;
/// Most host names a shard keeps.
const HOSTS_PER_SHARD: usize = 256;

/// A map in shards, so that readers of different keys never wait for each other's writers.
pub struct Sharded<K, V> {
    shards: Vec<RwLock<HashMap<K, V>>>,
    hash: RandomState,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), hash: RandomState::new() }
    }
}

impl<K: Eq + Hash, V: Clone> Sharded<K, V> {
    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<HashMap<K, V>> {
        &self.shards[self.hash.hash_one(key) as usize % SHARDS]
    }
    fn read(lock: &RwLock<HashMap<K, V>>) -> RwLockReadGuard<'_, HashMap<K, V>> {
        lock.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn write(lock: &RwLock<HashMap<K, V>>) -> RwLockWriteGuard<'_, HashMap<K, V>> {
        lock.write().unwrap_or_else(PoisonError::into_inner)
    }
    /// The value of a key.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Self::read(self.shard(key)).get(key).cloned()
    }
    /// Takes a key out.
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Self::write(self.shard(key)).remove(key)
    }
    /// Puts a value in. A full shard is first emptied of what `keep` does not want, or else of everything.
    fn put(&self, key: K, value: V, most: usize, keep: impl Fn(&V) -> bool) {
        let mut shard = Self::write(self.shard(&key));
        if shard.len() >= most {
            shard.retain(|_, v| keep(v));
            if shard.len() >= most {
                shard.clear();
            }
        }
        shard.insert(key, value);
    }
    fn get_or(&self, key: K, make: impl FnOnce() -> V) -> V {
        Self::write(self.shard(&key)).entry(key).or_insert_with(make).clone()
    }
    fn clear(&self) {
        self.shards.iter().for_each(|s| Self::write(s).clear());
    }
    fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.shards.iter().for_each(|s| Self::write(s).retain(|_, v| keep(v)));
    }
    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|s| Self::read(s).len()).sum()
    }
}

/// Raised when what it stands for has changed.
type Flag = Arc<AtomicBool>;

/// A resolved session.
pub struct Slot {
    /// The tenant.
    pub tenant: TenantId,
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
    /// The host whose token leads here.
    pub host: String,
    /// When the person signed in.
    pub created: Time,
    /// When whoever vouched for them says that it ends.
    pub until: Option<Time>,
    /// The last activity this node knows of, microseconds.
    pub used: AtomicI64,
    /// The last activity in the store, microseconds.
    pub stored: AtomicI64,
    /// What the person may do.
    pub rights: Arc<RightsView>,
    /// Names of type and roles.
    pub roles: Arc<[String]>,
    /// The sites that grants name.
    pub sites: Arc<[SiteId]>,
    /// The version of the terms that the person accepted last. `None` for what no person is behind.
    pub terms: Option<Box<str>>,
    /// Session, person, tenant.
    pub flags: [Flag; 3],
    /// The ends of an API token; `None` for a session.
    pub ends: Option<TokenEnds>,
}

/// What ends or bounds an API token.
pub struct TokenEnds {
    /// When it runs out.
    pub expires: Time,
    /// From where it may be used; none admits all.
    pub networks: Vec<ipnet::IpNet>,
    /// The thumbprint of the key whose holder alone may use it; anybody's without.
    pub key: Option<[u8; 32]>,
}

impl Slot {
    /// Whether nothing of it has changed.
    pub fn fresh(&self) -> bool {
        self.flags.iter().all(|f| !f.load(Ordering::Acquire))
    }
    /// Its times as this node knows them.
    pub fn times(&self) -> SessionTimes {
        let last_used = Time::from_micros(self.used.load(Ordering::Relaxed));
        SessionTimes { created: self.created, last_used, until: self.until }
    }
}

/// The node's cache.
#[derive(Default)]
pub struct Cache {
    slots: Sharded<[u8; 32], Arc<Slot>>,
    sessions: Sharded<SessionId, Flag>,
    users: Sharded<UserId, Flag>,
    tenants: Sharded<TenantId, Flag>,
    states: Sharded<TenantId, Arc<TenantState>>,
    hosts: Sharded<String, Option<Arc<HostEntry>>>,
    /// Moves with every notice.
    notices: AtomicU64,
}

impl Cache {
    /// The slot of a token's key.
    pub fn slot(&self, key: &[u8; 32]) -> Option<Arc<Slot>> {
        self.slots.get(key)
    }
    /// Takes a slot out.
    pub fn forget_slot(&self, key: &[u8; 32]) {
        self.slots.remove(key);
    }
    /// How many notices there have been: taken before reading what is to be put in.
    pub fn moment(&self) -> u64 {
        self.notices.load(Ordering::Acquire)
    }
    /// The flags of a session, to be put into its slot.
    pub fn flags(&self, session: SessionId, user: UserId, tenant: TenantId) -> [Flag; 3] {
        [
            self.sessions.get_or(session, Flag::default),
            self.users.get_or(user, Flag::default),
            self.tenants.get_or(tenant, Flag::default),
        ]
    }
    /// Puts a slot in that was read after `moment`.
    pub fn put_slot(&self, key: [u8; 32], slot: &Arc<Slot>, moment: u64) {
        self.slots.put(key, slot.clone(), PER_SHARD, |s| s.fresh());
        if self.moment() != moment {
            self.slots.remove(&key);
        }
    }
    /// What is known of a tenant.
    pub fn state(&self, tenant: TenantId) -> Option<Arc<TenantState>> {
        self.states.get(&tenant)
    }
    /// Puts a tenant's state in that was read after `moment`.
    pub fn put_state(&self, tenant: TenantId, state: &Arc<TenantState>, moment: u64) {
        self.states.put(tenant, state.clone(), PER_SHARD, |_| false);
        if self.moment() != moment {
            self.states.remove(&tenant);
        }
    }
    /// What a host name stands for; the inner `None` is a stranger's.
    pub fn host(&self, host: &str) -> Option<Option<Arc<HostEntry>>> {
        self.hosts.get(host)
    }
    /// Puts a host name in. Strangers' names are the first to go.
    pub fn put_host(&self, host: &str, entry: Option<Arc<HostEntry>>, moment: u64) {
        self.hosts.put(host.to_owned(), entry, HOSTS_PER_SHARD, Option::is_some);
        if self.moment() != moment {
            self.hosts.remove(host);
        }
    }
    /// Every tenant's state is read anew.
    pub fn forget_tenants(&self) {
        self.notices.fetch_add(1, Ordering::AcqRel);
        self.states.clear();
    }
    /// Takes out what is over, and flags that nobody looks at any more.
    pub fn tidy(&self, over: impl Fn(&Slot) -> bool) {
        self.slots.retain(|s| s.fresh() && !over(s));
        self.sessions.retain(|f| Arc::strong_count(f) > 1);
        self.users.retain(|f| Arc::strong_count(f) > 1);
        self.tenants.retain(|f| Arc::strong_count(f) > 1);
    }

    /// A committed change, of this node or another. Payloads: `session` and `rights` have `TENANT:ID` (without an id,
    /// all of the tenant), `tenant` has `TENANT`, `host` has the host name.
    pub fn notice(&self, topic: &str, payload: &str) {
        self.notices.fetch_add(1, Ordering::AcqRel);
        let (tenant, id) = payload.split_once(':').unwrap_or((payload, ""));
        match topic {
            "session" => match id.parse() {
                Ok(id) => raise(self.sessions.remove::<SessionId>(&id)),
                Err(_) => self.forget_all(),
            },
            "rights" => match (id.parse::<UserId>(), tenant.parse::<TenantId>()) {
                (Ok(id), _) => raise(self.users.remove(&id)),
                (_, Ok(tenant)) => {
                    raise(self.tenants.remove(&tenant));
                    self.states.remove(&tenant);
                }
                _ => self.forget_all(),
            },
            "tenant" => match tenant.parse::<TenantId>() {
                Ok(tenant) => drop(self.states.remove(&tenant)),
                Err(_) => self.forget_all(),
            },
            "host" => drop(self.hosts.remove(payload)),
            "resync" => self.forget_all(),
            _ => {}
        }
    }

    fn forget_all(&self) {
        self.slots.clear();
        self.sessions.clear();
        self.users.clear();
        self.tenants.clear();
        self.states.clear();
        self.hosts.clear();
    }
}

fn raise(flag: Option<Flag>) {
    if let Some(flag) = flag {
        flag.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId::from_bytes([1; 16]);
    const SESSION: SessionId = SessionId::from_bytes([2; 16]);
    const USER: UserId = UserId::from_bytes([3; 16]);

    fn filled() -> (Cache, Arc<Slot>) {
        let cache = Cache::default();
        let slot = Arc::new(Slot {
            tenant: TENANT,
            session: SESSION,
            user: USER,
            host: "acme.console.localhost".into(),
            created: Time::ZERO,
            until: None,
            used: AtomicI64::new(0),
            stored: AtomicI64::new(0),
            rights: Arc::new(RightsView { version: 1, grants: vec![], tenant_off: 0, user_off: 0 }),
            roles: Arc::from([]),
            sites: Arc::from([]),
            terms: None,
            flags: cache.flags(SESSION, USER, TENANT),
            ends: None,
        });
        cache.put_slot([9; 32], &slot, cache.moment());
        (cache, slot)
    }

    fn still_there(cache: &Cache) -> bool {
        cache.slot(&[9; 32]).is_some_and(|s| s.fresh())
    }

    #[test]
    fn a_notice_of_session_person_or_tenant_ends_it_and_others_do_not() {
        for (topic, payload, stays) in [
            ("session", format!("{TENANT}:{SESSION}"), false),
            ("session", format!("{TENANT}:{}", SessionId::from_bytes([8; 16])), true),
            ("rights", format!("{TENANT}:{USER}"), false),
            ("rights", format!("{TENANT}:{}", UserId::from_bytes([8; 16])), true),
            ("rights", format!("{TENANT}:"), false),
            ("rights", format!("{}:", TenantId::from_bytes([8; 16])), true),
            ("tenant", TENANT.to_string(), true),
            ("resync", String::new(), false),
            ("session", "nonsense".into(), false),
            ("rights", "nonsense".into(), false),
        ] {
            let (cache, _) = filled();
            assert!(still_there(&cache));
            cache.notice(topic, &payload);
            assert_eq!(still_there(&cache), stays, "{topic} {payload}");
        }
    }

    #[test]
    fn what_was_read_before_a_notice_is_not_kept_after_it() {
        let (cache, slot) = filled();
        let moment = cache.moment();
        cache.notice("session", &format!("{TENANT}:{}", SessionId::from_bytes([8; 16])));
        cache.put_slot([7; 32], &slot, moment);
        assert!(cache.slot(&[7; 32]).is_none());
    }

    #[test]
    fn it_stays_bounded_and_tidy() {
        let (cache, slot) = filled();
        for n in 0..200_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            cache.put_slot(key, &slot, cache.moment());
        }
        assert!(cache.slots.len() <= SHARDS * PER_SHARD);
        cache.tidy(|_| true);
        assert_eq!(cache.slots.len(), 0);
        drop(slot);
        cache.tidy(|_| true);
        assert_eq!((cache.sessions.len(), cache.users.len(), cache.tenants.len()), (0, 0, 0));
    }
}
