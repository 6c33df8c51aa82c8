//! The keys of an instance: root ► tenant key ► data secret and blind-index secret ► table keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use sekisho_kernel::{Problem, Rng, TakenOut, Time, id::TenantId, problem::INTERNAL, rng, time::SharedClock};
use sekisho_store::{Notice, RESYNC, Reach, Read, Sql, Store, params};
use zeroize::Zeroizing;

use crate::{
    kdf, kwp,
    problem::{NO_KEY, ROOT_KIND, ROOT_WRONG},
    root::{self, RootFile, RootKey, RootSource},
    sign::{PublicKey, Purpose, Signer},
    sql,
    tenant::{Material, TenantKeys},
};

/// The notice that says: forget this tenant's keys.
const CHANGED: &str = "keys.changed";

/// Tenants whose keys are kept unwrapped; each takes about 8 KB once a dozen tables are in use.
const MOST_TENANTS: usize = 256;

/// What [`Keys::open`] takes the root's word for.
const PROOF: &[u8; 32] = b"sekisho: this root key is right!";

/// The state of one version of a tenant's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// From 1.
    pub version: u32,
    /// `active` or `destroyed`.
    pub state: String,
    /// When it was made.
    pub created: Time,
}

/// The keys of an instance. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    store: Store,
    clock: SharedClock,
    rng: Arc<dyn Rng>,
    root: RwLock<Arc<Root>>,
    signers: HashMap<Purpose, Arc<Signer>>,
    public: Vec<PublicKey>,
    cache: Mutex<Cache>,
    out: Option<TakenOut>,
}

struct Root {
    version: u32,
    key: Box<dyn RootKey>,
}

/// Unwrapped keys, the least recently used leaving first.
#[derive(Default)]
struct Cache {
    by_tenant: HashMap<TenantId, (Arc<Material>, u64)>,
    tick: u64,
    /// Moves whenever something is forgotten, so that a slow reader does not put back what was destroyed meanwhile.
    forgotten: u64,
}

impl Keys {
    /// Opens the keys in `store` with the root of `source`; makes root record, platform key and signing keys where the
    /// store has none yet.
    ///
    /// # Errors
    /// The root's (`SK-2001` to `SK-2005`, `SK-2008`), and the store's.
    pub async fn open(
        store: Store,
        source: RootSource,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, Problem> {
        Self::open_with(store, source, clock, rng, None).await
    }

    /// [`Keys::open`] for a rehearsal, with something really taken out: [`TakenOut::Sealing`], [`TakenOut::TenantKeys`] and
    /// [`TakenOut::CheckpointKey`] are heeded here.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub async fn rehearse(
        store: Store,
        source: RootSource,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
        out: Option<TakenOut>,
    ) -> Result<Self, Problem> {
        Self::open_with(store, source, clock, rng, out).await
    }

    async fn open_with(
        store: Store,
        source: RootSource,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
        out: Option<TakenOut>,
    ) -> Result<Self, Problem> {
        let root = Arc::new(open_root(&store, source, &*clock, &*rng).await?);
        let seeds = signing_seeds(&store, &root, &*clock, &*rng).await?;
        let mut signers = HashMap::new();
        let mut public = Vec::new();
        for (purpose, version, seed) in seeds {
            let mut signer = Signer::of_seed(purpose, version, &seed[..])?;
            public.push(signer.public());
            if out == Some(TakenOut::CheckpointKey) && purpose == Purpose::Checkpoint {
                signer = signer.swapped(&rng::bytes(&*rng))?;
            }
            // Versions ascend: the newest signs.
            signers.insert(purpose, Arc::new(signer));
        }
        let root = RwLock::new(root);
        let inner = Inner { store, clock, rng, root, signers, public, cache: Mutex::default(), out };
        let keys = Self(Arc::new(inner));
        let weak = Arc::downgrade(&keys.0);
        keys.0.store.on_notice(move |notice| {
            if let Some(inner) = weak.upgrade() {
                inner.heed(notice);
            }
        });
        keys.make_platform().await?;
        Ok(keys)
    }

    async fn make_platform(&self) -> Result<(), Problem> {
        let there = self
            .0
            .store
            .within(Reach::Tenant(TenantId::NIL))
            .read(|db| db.query(sql::TENANT_KEYS, &params![&TenantId::NIL.bytes()]).map(|rows| !rows.is_empty()))
            .await
            .map_err(Problem::from)?;
        if there {
            return Ok(());
        }
        let keys = self.clone();
        let store = self.0.store.within(Reach::Tenant(TenantId::NIL));
        store.write(move |db| keys.create_tenant(db, TenantId::NIL).map(drop)).await
    }

    /// The platform's keys.
    ///
    /// # Errors
    /// As [`Keys::ready`].
    pub async fn platform(&self) -> Result<TenantKeys, Problem> {
        self.ready(TenantId::NIL).await
    }

    /// A tenant's keys; read from the store where they are not in memory.
    ///
    /// # Errors
    /// `SK-2006` when the tenant has no key, `SK-2004` when it does not unwrap, and the store's.
    pub async fn ready(&self, tenant: TenantId) -> Result<TenantKeys, Problem> {
        if let Some(keys) = self.cached(tenant) {
            return Ok(keys);
        }
        let this = self.clone();
        self.0.store.within(Reach::Tenant(tenant)).read(move |db| this.tenant(db, tenant)).await
    }

    /// [`Keys::ready`] within a transaction.
    ///
    /// # Errors
    /// As there.
    pub fn tenant(&self, db: &mut dyn Read, tenant: TenantId) -> Result<TenantKeys, Problem> {
        if let Some(keys) = self.cached(tenant) {
            return Ok(keys);
        }
        let owner = self.owner(tenant);
        let before = self.0.cache().forgotten;
        let material = Arc::new(self.load_owners(db, tenant)?);
        let mut cache = self.0.cache();
        if cache.forgotten == before {
            cache.put(owner, material.clone());
        }
        drop(cache);
        Ok(self.wrap_up(tenant, material))
    }

    /// A tenant's keys if they are in memory.
    pub fn cached(&self, tenant: TenantId) -> Option<TenantKeys> {
        let material = self.0.cache().get(self.owner(tenant))?;
        Some(self.wrap_up(tenant, material))
    }

    fn wrap_up(&self, tenant: TenantId, material: Arc<Material>) -> TenantKeys {
        TenantKeys { tenant, material, rng: self.0.rng.clone(), sealing: self.0.out != Some(TakenOut::Sealing) }
    }

    /// Whose keys a tenant's data are under: its own.
    fn owner(&self, tenant: TenantId) -> TenantId {
        if self.0.out == Some(TakenOut::TenantKeys) { TenantId::NIL } else { tenant }
    }

    /// The keys of whoever owns them, in a transaction that reaches the tenant's rows.
    fn load_owners(&self, db: &mut dyn Read, tenant: TenantId) -> Result<Material, Problem> {
        let owner = self.owner(tenant);
        if owner == tenant {
            return self.load(db, tenant);
        }
        db.reach(Reach::Tenant(owner))?;
        let material = self.load(db, owner)?;
        db.reach(Reach::Tenant(tenant))?;
        Ok(material)
    }

    fn load(&self, db: &mut dyn Read, tenant: TenantId) -> Result<Material, Problem> {
        let no_key = || Problem::new(&NO_KEY).log(tenant);
        let root = self.0.root();
        let mut tenant_keys = Vec::new();
        for row in db.query(sql::TENANT_KEYS, &params![&tenant.bytes()])? {
            let version = row.int(0)?;
            tenant_keys.push((version, key32(&root.key.unwrap(&tenant_context(tenant, version), row.blob(1)?)?)?));
        }
        let mut data = Vec::new();
        let mut blind = None;
        for row in db.query(sql::DATA_KEYS, &params![&tenant.bytes()])? {
            let (purpose, version, under) = (row.text(0)?, row.int(1)?, row.int(2)?);
            let kek = tenant_keys.iter().find(|(v, _)| *v == under).ok_or_else(no_key)?;
            let secret = unwrap_data(&kek.1, purpose, version, row.blob(3)?)?;
            match purpose {
                DATA => data.push((u32::try_from(version).map_err(|_| no_key())?, secret)),
                BLIND => blind = Some(secret),
                _ => return Err(Problem::new(&INTERNAL).log(format!("a data key for {purpose}"))),
            }
        }
        let blind = blind.filter(|_| !data.is_empty()).ok_or_else(no_key)?;
        Ok(Material::new(data, &blind))
    }

    /// Makes the keys of a new tenant, within the transaction that makes the tenant, and answers them for use in that same
    /// transaction. They are not kept in memory: it may yet be taken back.
    ///
    /// # Errors
    /// The store's; a taken id.
    pub fn create_tenant(&self, db: &mut dyn Sql, tenant: TenantId) -> Result<TenantKeys, Problem> {
        let now = self.0.clock.now();
        let key = self.insert_tenant_key(db, tenant, 1, now)?;
        for purpose in [DATA, BLIND] {
            self.insert_data_key(db, tenant, &key, 1, (purpose, 1), now)?;
        }
        let material = self.load_owners(db, tenant)?;
        Ok(self.wrap_up(tenant, Arc::new(material)))
    }

    fn insert_tenant_key(
        &self,
        db: &mut dyn Sql,
        tenant: TenantId,
        version: i64,
        now: Time,
    ) -> Result<Zeroizing<[u8; 32]>, Problem> {
        let root = self.0.root();
        let key = Zeroizing::new(rng::bytes::<32>(&*self.0.rng));
        let wrapped = root.key.wrap(&tenant_context(tenant, version), &key[..])?;
        db.exec(sql::INSERT_TENANT_KEY, &params![&tenant.bytes(), version, root.version, &wrapped, now])?;
        Ok(key)
    }

    fn insert_data_key(
        &self,
        db: &mut dyn Sql,
        tenant: TenantId,
        key: &[u8; 32],
        under: i64,
        (purpose, version): (&'static str, i64),
        now: Time,
    ) -> Result<(), Problem> {
        let secret = Zeroizing::new(rng::bytes::<32>(&*self.0.rng));
        let wrapped = wrap_data(key, purpose, version, &secret)?;
        db.exec(sql::INSERT_DATA_KEY, &params![&tenant.bytes(), purpose, version, under, &wrapped, now])?;
        Ok(())
    }

    /// Scheduled rotation: a new tenant key under which the data and blind-index secrets are wrapped anew; the old
    /// versions are destroyed. Nothing needs to be resealed. The new version.
    ///
    /// # Errors
    /// `SK-2006` when the tenant has no key, and the store's.
    pub fn rotate(&self, db: &mut dyn Sql, tenant: TenantId) -> Result<u32, Problem> {
        let now = self.0.clock.now();
        let no_key = || Problem::new(&NO_KEY).log(tenant);
        let root = self.0.root();
        let newest = db.query(sql::NEWEST_TENANT_KEY, &params![&tenant.bytes()])?;
        let newest = newest.iter().map(|r| r.int(0)).collect::<Result<Vec<_>, _>>()?.into_iter().max();
        let version = newest.ok_or_else(no_key)? + 1;
        let mut old = HashMap::new();
        for row in db.query(sql::TENANT_KEYS, &params![&tenant.bytes()])? {
            let version = row.int(0)?;
            old.insert(version, key32(&root.key.unwrap(&tenant_context(tenant, version), row.blob(1)?)?)?);
        }
        let key = self.insert_tenant_key(db, tenant, version, now)?;
        for row in db.query(sql::DATA_KEYS, &params![&tenant.bytes()])? {
            let (purpose, data_version, under) = (row.text(0)?, row.int(1)?, row.int(2)?);
            let secret = unwrap_data(old.get(&under).ok_or_else(no_key)?, purpose, data_version, row.blob(3)?)?;
            let wrapped = wrap_data(&key, purpose, data_version, &secret)?;
            db.exec(sql::REWRAP_DATA_KEY, &params![&tenant.bytes(), purpose, data_version, version, &wrapped])?;
        }
        db.exec(sql::DESTROY_OLDER, &params![&tenant.bytes(), version])?;
        self.tell(db, tenant)?;
        u32::try_from(version).map_err(|_| no_key())
    }

    /// The first step after a compromise: a new data secret, under which everything is sealed from now on. Records
    /// sealed under older ones still open until they have been resealed and [`Keys::drop_secret`] ends it. The new version.
    ///
    /// # Errors
    /// As [`Keys::rotate`].
    pub fn renew_secret(&self, db: &mut dyn Sql, tenant: TenantId) -> Result<u32, Problem> {
        let under = i64::from(self.rotate(db, tenant)?);
        let now = self.0.clock.now();
        let no_key = || Problem::new(&NO_KEY).log(tenant);
        let root = self.0.root();
        let rows = db.query(sql::TENANT_KEYS, &params![&tenant.bytes()])?;
        let row = rows.last().ok_or_else(no_key)?;
        let key = key32(&root.key.unwrap(&tenant_context(tenant, under), row.blob(1)?)?)?;
        let mut newest = 0;
        for row in db.query(sql::DATA_KEYS, &params![&tenant.bytes()])? {
            if row.text(0)? == DATA {
                newest = newest.max(row.int(1)?);
            }
        }
        self.insert_data_key(db, tenant, &key, under, (DATA, newest + 1), now)?;
        u32::try_from(newest + 1).map_err(|_| no_key())
    }

    /// Destroys a data secret that nothing is sealed under any more.
    ///
    /// # Errors
    /// The store's.
    pub fn drop_secret(&self, db: &mut dyn Sql, tenant: TenantId, version: u32) -> Result<(), Problem> {
        db.exec(sql::DELETE_DATA_KEY, &params![&tenant.bytes(), DATA, version])?;
        self.tell(db, tenant)
    }

    /// Destroys every key of a tenant: what was sealed under them is unreadable from the commit on. Call
    /// [`Store::checkpoint_wal`] afterwards, so that the wrapped bytes are gone from the disk too.
    ///
    /// # Errors
    /// The store's.
    pub fn shred(&self, db: &mut dyn Sql, tenant: TenantId) -> Result<(), Problem> {
        db.exec(sql::DESTROY_TENANT, &params![&tenant.bytes()])?;
        db.exec(sql::DELETE_DATA_KEYS, &params![&tenant.bytes()])?;
        self.tell(db, tenant)
    }

    fn tell(&self, db: &mut dyn Sql, tenant: TenantId) -> Result<(), Problem> {
        Ok(db.notify(CHANGED, &tenant.to_string())?)
    }

    /// All versions of a tenant's key.
    ///
    /// # Errors
    /// The store's.
    pub fn states(&self, db: &mut dyn Read, tenant: TenantId) -> Result<Vec<KeyState>, Problem> {
        let mut out = Vec::new();
        for row in db.query(sql::STATES, &params![&tenant.bytes()])? {
            let version = u32::try_from(row.int(0)?).unwrap_or(0);
            out.push(KeyState { version, state: row.text(1)?.to_owned(), created: Time::from_micros(row.int(2)?) });
        }
        Ok(out)
    }

    /// Wraps every tenant key and signing key under a new root key, in one transaction. From then on only the new root opens
    /// this store.
    ///
    /// # Errors
    /// The new root's, and the store's.
    pub async fn rotate_root(&self, source: RootSource) -> Result<(), Problem> {
        let old = self.0.root();
        let version = old.version + 1;
        let (key, params) = new_root(source, &*self.0.rng)?;
        let root = Arc::new(Root { version, key });
        let (now, new) = (self.0.clock.now(), root.clone());
        let store = self.0.store.within(Reach::Platform);
        let done: Result<(), Problem> = store.write(move |db| rewrap(db, &old, &new, &params, now)).await;
        done?;
        *self.0.root.write().unwrap_or_else(PoisonError::into_inner) = root;
        Ok(())
    }

    /// What signs for `purpose`.
    ///
    /// # Errors
    /// A defect of ours when there is none.
    pub fn signer(&self, purpose: Purpose) -> Result<Arc<Signer>, Problem> {
        self.0.signers.get(&purpose).cloned().ok_or_else(|| Problem::new(&INTERNAL).log("no signing key"))
    }

    /// The public keys, old versions included.
    pub fn public_keys(&self) -> &[PublicKey] {
        &self.0.public
    }

    /// How many tenants' keys are in memory now.
    pub fn in_memory(&self) -> usize {
        self.0.cache().by_tenant.len()
    }
}

impl Inner {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn root(&self) -> Arc<Root> {
        self.root.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn heed(&self, notice: &Notice) {
        if notice.topic == RESYNC {
            self.cache().forget(None);
        } else if notice.topic == CHANGED {
            self.cache().forget(notice.payload.parse().ok());
        }
    }
}

impl Cache {
    fn get(&mut self, tenant: TenantId) -> Option<Arc<Material>> {
        self.tick += 1;
        let (material, used) = self.by_tenant.get_mut(&tenant)?;
        *used = self.tick;
        Some(material.clone())
    }
    fn put(&mut self, tenant: TenantId, material: Arc<Material>) {
        if self.by_tenant.len() >= MOST_TENANTS
            && let Some(oldest) = self.by_tenant.iter().min_by_key(|(_, (_, used))| *used).map(|(t, _)| *t)
        {
            self.by_tenant.remove(&oldest);
        }
        self.tick += 1;
        self.by_tenant.insert(tenant, (material, self.tick));
    }
    /// Forgets one tenant, or all.
    fn forget(&mut self, tenant: Option<TenantId>) {
        self.forgotten += 1;
        match tenant {
            Some(tenant) => drop(self.by_tenant.remove(&tenant)),
            None => self.by_tenant.clear(),
        }
    }
}

const DATA: &str = "data";
const BLIND: &str = "blind";

fn tenant_context(tenant: TenantId, version: i64) -> String {
    format!("tenant/{tenant}/{version}")
}

fn signing_context(purpose: Purpose, version: i64) -> String {
    format!("signing/{}/{version}", purpose.name())
}

fn data_wrapping_key(key: &[u8; 32], purpose: &str, version: i64) -> Zeroizing<[u8; 32]> {
    kdf::derive(key, &["tenant/wrap", purpose, &version.to_string()])
}

fn wrap_data(key: &[u8; 32], purpose: &str, version: i64, secret: &[u8; 32]) -> Result<Vec<u8>, Problem> {
    kwp::wrap(&data_wrapping_key(key, purpose, version), secret)
}

fn unwrap_data(key: &[u8; 32], purpose: &str, version: i64, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, Problem> {
    let wrong = || Problem::new(&ROOT_WRONG).log(format!("data key {purpose}/{version} does not unwrap"));
    key32(&kwp::unwrap(&data_wrapping_key(key, purpose, version), wrapped).ok_or_else(wrong)?)
}

fn key32(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, Problem> {
    let mut out = Zeroizing::new([0; 32]);
    if bytes.len() != 32 {
        return Err(Problem::new(&INTERNAL).log("a key of another length"));
    }
    out.copy_from_slice(bytes);
    Ok(out)
}

/// A new root and the parameters that the database keeps for it.
fn new_root(source: RootSource, rng: &dyn Rng) -> Result<(Box<dyn RootKey>, String), Problem> {
    Ok(match source {
        RootSource::File(path) => (Box::new(RootFile::load(&path)?.into_root()), String::new()),
        RootSource::Passphrase(passphrase) => {
            let params = root::new_params(rng);
            (Box::new(root::of_passphrase(&passphrase, &params)?), params)
        }
        RootSource::Other(key) => (key, String::new()),
    })
}

async fn open_root(
    store: &Store,
    source: RootSource,
    clock: &dyn sekisho_kernel::Clock,
    rng: &dyn Rng,
) -> Result<Root, Problem> {
    let row = store.read(|db| db.query_opt(sql::ROOT, &[])).await?;
    let Some(row) = row else {
        let (key, params) = new_root(source, rng)?;
        let (kind, proof, now) = (key.kind(), key.wrap("root/proof", PROOF)?, clock.now());
        let made: Result<(), Problem> = store
            .write(move |db| Ok(db.exec(sql::INSERT_ROOT, &params![1, kind, &params, &proof, now]).map(drop)?))
            .await;
        made?;
        return Ok(Root { version: 1, key });
    };
    let version = u32::try_from(row.int(0)?).map_err(|_| Problem::new(&ROOT_WRONG))?;
    let (kind, params, proof) = (row.text(1)?, row.text(2)?, row.blob(3)?);
    let key: Box<dyn RootKey> = match source {
        RootSource::Passphrase(passphrase) if kind == "passphrase" => {
            Box::new(root::of_passphrase(&passphrase, params)?)
        }
        RootSource::Passphrase(_) => return Err(Problem::new(&ROOT_KIND)),
        RootSource::File(path) => Box::new(RootFile::load(&path)?.into_root()),
        RootSource::Other(key) => key,
    };
    if key.kind() != kind {
        return Err(Problem::new(&ROOT_KIND).log(format!("{} instead of {kind}", key.kind())));
    }
    if key.unwrap("root/proof", proof)?[..] != PROOF[..] {
        return Err(Problem::new(&ROOT_WRONG));
    }
    Ok(Root { version, key })
}

type Seeds = Vec<(Purpose, u32, Zeroizing<[u8; 32]>)>;

async fn signing_seeds(
    store: &Store,
    root: &Arc<Root>,
    clock: &dyn sekisho_kernel::Clock,
    rng: &dyn Rng,
) -> Result<Seeds, Problem> {
    let mut out: Seeds = Vec::new();
    for row in store.read(|db| db.query(sql::SIGNING_KEYS, &[])).await? {
        let Some(purpose) = Purpose::by_name(row.text(0)?) else { continue };
        let version = row.int(1)?;
        let seed = key32(&root.key.unwrap(&signing_context(purpose, version), row.blob(3)?)?)?;
        if Signer::of_seed(purpose, 0, &seed[..])?.public().bytes != row.blob(2)? {
            return Err(Problem::new(&ROOT_WRONG).log("a stored public key is not the stored seed's"));
        }
        out.push((purpose, u32::try_from(version).unwrap_or(0), seed));
    }
    let missing: Vec<Purpose> = Purpose::ALL.into_iter().filter(|p| out.iter().all(|(known, ..)| known != p)).collect();
    out.sort_by_key(|(purpose, version, _)| (*purpose, *version));
    if missing.is_empty() {
        return Ok(out);
    }
    let made: Seeds = missing.into_iter().map(|p| (p, 1, Zeroizing::new(rng::bytes(rng)))).collect();
    let mut rows = Vec::new();
    for (purpose, version, seed) in &made {
        let wrapped = root.key.wrap(&signing_context(*purpose, i64::from(*version)), &seed[..])?;
        rows.push((*purpose, *version, Signer::of_seed(*purpose, *version, &seed[..])?.public().bytes, wrapped));
    }
    let (now, root_version) = (clock.now(), root.version);
    let inserted: Result<(), Problem> = store
        .write(move |db| {
            for (purpose, version, public, wrapped) in &rows {
                let row = params![purpose.name(), *version, root_version, public, wrapped, now];
                db.exec(sql::INSERT_SIGNING_KEY, &row)?;
            }
            Ok(())
        })
        .await;
    inserted?;
    out.extend(made);
    out.sort_by_key(|(purpose, version, _)| (*purpose, *version));
    Ok(out)
}

fn rewrap(db: &mut dyn Sql, old: &Root, new: &Root, root_params: &str, now: Time) -> Result<(), Problem> {
    for row in db.query(sql::ALL_TENANT_KEYS, &[])? {
        let wrong = || Problem::new(&ROOT_WRONG);
        let (tenant, version) = (TenantId::from_slice(row.blob(0)?).ok_or_else(wrong)?, row.int(1)?);
        let context = tenant_context(tenant, version);
        let wrapped = new.key.wrap(&context, &old.key.unwrap(&context, row.blob(2)?)?)?;
        db.exec(sql::REWRAP_TENANT_KEY, &params![&tenant.bytes(), version, new.version, &wrapped])?;
    }
    for row in db.query(sql::SIGNING_KEYS, &[])? {
        let Some(purpose) = Purpose::by_name(row.text(0)?) else { continue };
        let context = signing_context(purpose, row.int(1)?);
        let wrapped = new.key.wrap(&context, &old.key.unwrap(&context, row.blob(3)?)?)?;
        db.exec(sql::REWRAP_SIGNING_KEY, &params![purpose.name(), row.int(1)?, new.version, &wrapped])?;
    }
    let proof = new.key.wrap("root/proof", PROOF)?;
    db.exec(sql::INSERT_ROOT, &params![new.version, new.key.kind(), root_params, &proof, now])?;
    Ok(())
}
