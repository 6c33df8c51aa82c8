//! The door's settings made ready for use: once for each policy snapshot, not at each request.

use std::{
    collections::HashMap,
    fs,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::HeaderValue;
use ipnet::IpNet;
use rustls::ServerConfig;
use sekisho_kernel::{
    Effective, Policy, Problem, Secret, Setting,
    gate::{DeviceRule, FirewallRule, Gates, TlsRule},
    id::TenantId,
    time::SharedClock,
};

use crate::{
    problems, settings,
    tls::{self, Certificates},
    upstream::Upstream,
};

/// The shortest shared secret of a reverse proxy.
const SHORTEST_SECRET: usize = 32;
/// Tenants whose derived rules are kept.
const TENANTS: usize = 4_096;

/// One policy snapshot, ready.
#[derive(Debug)]
pub(crate) struct Rules {
    pub policy: Arc<Policy>,
    pub upstream: Option<Arc<Upstream>>,
    pub upstream_timeout: Duration,
    pub connect_timeout: Duration,
    pub body_timeout: Duration,
    pub header_timeout: Duration,
    pub max_body: u64,
    pub max_headers: usize,
    pub max_header_bytes: usize,
    pub max_connections: usize,
    pub max_per_address: usize,
    pub streams: Box<[String]>,
    pub background: Box<[String]>,
    pub scripted_reads: bool,
    pub hsts: Option<HeaderValue>,
    pub allow_clear_site_data: bool,
    pub allow_service_worker: bool,
    pub public_port: Option<u16>,
    pub refuse_plain_http: bool,
    pub tls: Arc<ServerConfig>,
    pub tls_rule: TlsRule,
    pub proxies: Vec<IpNet>,
    pub secret: Option<Secret<String>>,
}

impl Rules {
    /// Whether a path is marked as a stream.
    pub fn is_stream(&self, path: &str) -> bool {
        begins(&self.streams, path)
    }
    /// Whether pages call a path by themselves.
    pub fn is_background(&self, path: &str) -> bool {
        begins(&self.background, path)
    }
}

/// Makes [`Rules`] and keeps the newest.
pub(crate) struct Keeper {
    clock: SharedClock,
    gates: Arc<dyn Gates>,
    certificates: Arc<Certificates>,
    current: RwLock<Arc<Rules>>,
    tenants: RwLock<HashMap<TenantId, TenantRules>>,
}

/// What the gates say for one tenant's policy.
#[derive(Clone, Debug)]
pub(crate) struct TenantRules {
    policy: Effective,
    /// Whether every proxied read is entered.
    pub each_read: bool,
    /// Whether open connections are checked against the session again and again.
    pub recheck: bool,
    /// What the firewall does.
    pub firewall: Arc<FirewallRule>,
    /// What browsers may keep.
    pub device: Arc<DeviceRule>,
}

impl Keeper {
    /// With the rules of the first snapshot.
    ///
    /// # Errors
    /// The first setting that cannot be used: an instance does not start with half a door.
    pub fn new(
        policy: Arc<Policy>,
        gates: Arc<dyn Gates>,
        certificates: Arc<Certificates>,
        clock: SharedClock,
    ) -> Result<Self, Problem> {
        let (rules, troubles) = build(policy, &*gates, &certificates, &clock, None)?;
        if let Some(first) = troubles.into_iter().next() {
            return Err(first);
        }
        Ok(Self { clock, gates, certificates, current: RwLock::new(Arc::new(rules)), tenants: RwLock::default() })
    }

    /// The rules of `policy`. A setting that cannot be used closes what depends on it, and the log says so.
    pub fn at(&self, policy: &Arc<Policy>) -> Arc<Rules> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if Arc::ptr_eq(&current.policy, policy) {
            return current;
        }
        let built = build(policy.clone(), &*self.gates, &self.certificates, &self.clock, Some(&current));
        let (rules, troubles) = match built {
            Ok(built) => built,
            Err(problem) => {
                tracing::error!(?problem, "the new policy's TLS rule cannot be used; the old rules stay");
                return current;
            }
        };
        for problem in troubles {
            tracing::error!(?problem, "a setting of the door cannot be used");
        }
        let rules = Arc::new(rules);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = rules.clone();
        rules
    }

    /// The rules made last.
    pub fn newest(&self) -> Arc<Rules> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the gates say for a tenant.
    pub fn tenant(&self, tenant: TenantId, policy: &Effective) -> TenantRules {
        let same = |kept: &&TenantRules| {
            Arc::ptr_eq(&kept.policy.platform, &policy.platform) && Arc::ptr_eq(&kept.policy.tenant, &policy.tenant)
        };
        if let Some(kept) = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).filter(same) {
            return kept.clone();
        }
        let fresh = TenantRules {
            policy: policy.clone(),
            each_read: self.gates.audit(policy).each_read,
            recheck: self.gates.session(policy).recheck,
            firewall: Arc::new(self.gates.firewall(policy)),
            device: Arc::new(self.gates.device(policy)),
        };
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS {
            tenants.clear();
        }
        tenants.insert(tenant, fresh.clone());
        fresh
    }
}

fn build(
    policy: Arc<Policy>,
    gates: &dyn Gates,
    certificates: &Arc<Certificates>,
    clock: &SharedClock,
    before: Option<&Rules>,
) -> Result<(Rules, Vec<Problem>), Problem> {
    let view = Effective::platform(policy.clone());
    let mut troubles = Vec::new();
    let tls_rule = gates.tls(&view);
    let tls = match before {
        Some(old) if old.tls_rule == tls_rule => old.tls.clone(),
        _ => tls::server_config(&tls_rule, clock.clone(), certificates.clone())?,
    };
    let count = |s: &'static Setting| usize::try_from(view.int(s)).unwrap_or(usize::MAX);
    let upstream = keep(&mut troubles, Upstream::of(&view, clock, before.and_then(|b| b.upstream.as_ref())));
    let secret = keep(&mut troubles, secret(&view.path(&settings::SECRET_FILE)));
    let hsts = gates.hsts(&view).map(|age| format!("max-age={}", age.as_secs()));
    let rules = Rules {
        upstream,
        upstream_timeout: view.span(&settings::UPSTREAM_TIMEOUT),
        connect_timeout: view.span(&settings::CONNECT_TIMEOUT),
        body_timeout: view.span(&settings::BODY_TIMEOUT),
        header_timeout: view.span(&settings::HEADER_TIMEOUT),
        max_body: u64::try_from(view.int(&settings::MAX_BODY)).unwrap_or(0),
        max_headers: count(&settings::MAX_HEADERS),
        max_header_bytes: count(&settings::MAX_HEADER_BYTES),
        max_connections: count(&settings::MAX_CONNECTIONS),
        max_per_address: count(&settings::MAX_PER_ADDRESS),
        streams: paths(&view, &settings::STREAMS),
        background: paths(&view, &settings::BACKGROUND),
        scripted_reads: view.bool(&settings::SCRIPTED_READS),
        hsts: hsts.and_then(|field| HeaderValue::try_from(field).ok()),
        allow_clear_site_data: view.bool(&settings::ALLOW_CLEAR_SITE_DATA),
        allow_service_worker: view.bool(&settings::ALLOW_SERVICE_WORKER),
        public_port: u16::try_from(view.int(&settings::PUBLIC_PORT)).ok().filter(|p| *p != 0),
        refuse_plain_http: gates.refuse_plain_http(&view),
        proxies: view.networks(&settings::PROXIES),
        secret,
        tls,
        tls_rule,
        policy,
    };
    Ok((rules, troubles))
}

fn keep<T>(troubles: &mut Vec<Problem>, result: Result<Option<T>, Problem>) -> Option<T> {
    result.unwrap_or_else(|problem| {
        troubles.push(problem);
        None
    })
}

fn paths(view: &Effective, setting: &'static Setting) -> Box<[String]> {
    view.list(setting).into_iter().filter(|p| p.starts_with('/')).collect()
}

pub(crate) fn begins(prefixes: &[String], path: &str) -> bool {
    prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()))
}

fn secret(path: &str) -> Result<Option<Secret<String>>, Problem> {
    if path.is_empty() {
        return Ok(None);
    }
    let bad = |why: &dyn std::fmt::Display| {
        Problem::new(&problems::PROXY_UNKNOWN).at(settings::SECRET_FILE.key).log(format!("{path}: {why}"))
    };
    let text = fs::read_to_string(path).map_err(|e| bad(&e))?;
    let text = Secret::new(text.trim().to_owned());
    if text.reveal().len() < SHORTEST_SECRET {
        return Err(bad(&"shorter than 32 characters"));
    }
    Ok(Some(text))
}
