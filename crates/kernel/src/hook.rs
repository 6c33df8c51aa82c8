//! Where engines meet without naming each other: what the door asks of identity and of the pages behind it.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, Serializer};

use crate::problem::UNAUTHENTICATED;
use crate::{
    actor::{Cx, TraceId, Via},
    event::{Event, Outcome},
    gate::AddressLists,
    id::{SessionId, SiteId, TenantId, UserId},
    policy::Effective,
    problem::Problem,
    secret::Secret,
    text::Lang,
};

/// What a host name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKind {
    /// Sign-in, console and API of one tenant.
    Console,
    /// A tenant's application behind the door.
    Application,
}

/// A registered host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// Lower-case, without port.
    pub host: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it stands for.
    pub kind: HostKind,
}

/// Tenants by host name, and what holds for a tenant before anyone has signed in.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The entry for a host name (lower-case, without port), or `None` for a stranger's.
    async fn host(&self, host: &str) -> Result<Option<Arc<HostEntry>>, Problem>;
    /// The tenant's console host, where its people sign in.
    async fn console_host(&self, tenant: TenantId) -> Result<Option<Arc<HostEntry>>, Problem>;
    /// The policy in force for a tenant, as one snapshot.
    async fn effective(&self, tenant: TenantId) -> Result<Effective, Problem>;
    /// The address lists in force for a tenant.
    async fn addresses(&self, tenant: TenantId) -> Result<Arc<AddressLists>, Problem>;
}

/// Who is behind a session token.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The person's context, ready for engine calls.
    pub cx: Cx,
    /// The person.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The names of type and roles, for the assertion.
    pub roles: Arc<[String]>,
    /// The sites the person's grants name.
    pub sites: Arc<[SiteId]>,
    /// Whether the person has yet to accept the terms in force: nothing but the question for it is theirs until then.
    pub terms_due: bool,
}

/// What the door knows of a request when it asks for the session.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The host entry the request came to.
    pub host: Arc<HostEntry>,
    /// The connection's peer.
    pub peer: IpAddr,
    /// The interface.
    pub via: Via,
    /// Follows the request.
    pub trace: TraceId,
    /// The policy snapshot.
    pub policy: Effective,
    /// The person's language.
    pub lang: Lang,
    /// Whether the request counts as activity of a person (polling and WebSocket traffic do not).
    pub activity: bool,
    /// The thumbprint (RFC 7638) of the key that the caller has proven to hold for this request (RFC 9449).
    pub holds: Option<[u8; 32]>,
}

/// On to an address of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Onward {
    /// The address.
    pub to: String,
    /// What a form posts there; empty where the browser just goes.
    #[serde(serialize_with = "named")]
    pub fields: Vec<(&'static str, String)>,
}

/// The scheme and host of an https address, as a content security policy may name it.
pub fn origin(address: &str) -> Option<&str> {
    let host = address.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    (!host.is_empty() && host.bytes().all(plain)).then(|| &address[.."https://".len() + host.len()])
}

fn named<S: Serializer>(fields: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
}

/// Sessions and the way from the console's host to an application's.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The person behind a token. `UNAUTHENTICATED` for unknown, ended and idle sessions alike.
    async fn resolve(&self, knock: &Knock, token: &Secret<String>) -> Result<Arc<Passage>, Problem>;
    /// A 30-second, one-time code by which `session` enters the application host; bound to the browser by `binding`
    /// (the value of a cookie that only that browser at that host has).
    async fn entry_code(&self, passage: &Passage, host: &HostEntry, binding: &str) -> Result<Secret<String>, Problem>;
    /// Takes the code in; answers the token for the host's own session cookie.
    async fn enter(&self, knock: &Knock, code: &Secret<String>, binding: &str) -> Result<Secret<String>, Problem>;
    /// The 32 bytes under which pages of `host` seal what they keep on the device of this session: the same while it lives,
    /// others for another host, and nobody's to have once it is over. `UNAUTHENTICATED` where there is no such session.
    async fn device_key(&self, _passage: &Passage, _host: &HostEntry) -> Result<Secret<Vec<u8>>, Problem> {
        Err(Problem::new(&UNAUTHENTICATED))
    }
    /// Ends the session behind the token. `console` is the origin of the tenant's console, by which identity providers know us;
    /// with it, tells where the person may go on to sign out at theirs. Nothing that is wrong there keeps anybody signed in.
    async fn sign_out(
        &self,
        knock: &Knock,
        token: &Secret<String>,
        console: Option<&str>,
    ) -> Result<Option<Onward>, Problem>;
}

/// Entries that the door itself writes about requests that no engine function enters.
#[async_trait]
pub trait Journal: Send + Sync {
    /// One entry, accepted before the answer leaves. `target` is an opaque id or a path without query.
    /// Refusals of strangers beyond 10 per address and minute are counted, not entered singly.
    async fn enter(
        &self,
        cx: &Cx,
        event: &'static Event,
        outcome: Outcome,
        target: &str,
        detail: Vec<(&'static str, String)>,
    ) -> Result<(), Problem>;
}

/// What our own pages get beside the HTTP request: put into its extensions by the door.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The host entry.
    pub host: Arc<HostEntry>,
    /// The connection's peer.
    pub peer: IpAddr,
    /// Follows the request.
    pub trace: TraceId,
    /// The policy snapshot.
    pub policy: Effective,
    /// The port people reach the door at, for links between host names.
    pub port: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host_alone_and_nothing_that_a_policy_would_read() {
        for (address, found) in [
            ("https://idp.example/slo?a=b", Some("https://idp.example")),
            ("https://idp.example:8443", Some("https://idp.example:8443")),
            ("https://[::1]:1/x", Some("https://[::1]:1")),
            ("http://idp.example/", None),
            ("https:///x", None),
            ("https://a;script-src/x", None),
            ("https://a b/", None),
            ("https://user@idp.example/", None),
            ("https://京.example/", None),
        ] {
            assert_eq!(origin(address), found, "{address}");
        }
    }
}
