//! The one way out: connections to what the policy lists, and to nothing else.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use http::Uri;
use sekisho_kernel::{
    Policy, Problem,
    egress::{Egress, Purpose, Stream},
    policy::Value,
};
use tokio::{net::TcpStream, sync::watch};

use crate::{problems, settings};

/// An origin, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether it is `https`.
    pub tls: bool,
    /// Host name or address, lower-case, IPv6 in brackets.
    pub host: String,
    /// Port; 80 or 443 where none is written.
    pub port: u16,
}

impl Origin {
    /// `http://` or `https://`, a host, perhaps a port, and nothing more.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        let bare = !authority.as_str().contains('@') && uri.path() == "/" && uri.query().is_none();
        if !bare || !reachable(authority.host()) {
            return None;
        }
        let port = match authority.port() {
            Some(port) => port.as_str().parse().ok().filter(|port| *port != 0)?,
            None if authority.as_str() != authority.host() => return None,
            None if tls => 443,
            None => 80,
        };
        Some(Self { tls, host: authority.host().to_ascii_lowercase(), port })
    }
    /// `host:port`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// An address, or a name that a resolver takes: unlike host names of ours it may have an underscore, as containers' do.
fn reachable(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok()),
        None => crate::host::name(&host.replace('_', "x")).is_some(),
    }
}

impl fmt::Display for Origin {
    /// As RFC 6454 §6.2 serialises an origin: the scheme's own port is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, own) = if self.tls { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == own { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// The upstream that a policy names.
pub(crate) fn upstream(policy: &Policy) -> Option<Origin> {
    match policy.value(&settings::UPSTREAM) {
        Value::Str(text) => Origin::parse(&text),
        _ => None,
    }
}

/// `host:port` of the firewall's feed that a policy names. The setting is its control's; here it is known by its key.
fn feed(policy: &Policy) -> Option<String> {
    let Value::Str(text) = policy.value(policy.schema().get("waf.feed")?) else { return None };
    let uri: Uri = text.parse().ok().filter(|u: &Uri| u.scheme_str() == Some("https"))?;
    Some(format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(443)))
}

/// [`Egress`] by the policy in force.
#[derive(Clone, Debug)]
pub struct PolicyEgress {
    policy: watch::Receiver<Arc<Policy>>,
}

impl PolicyEgress {
    /// Follows the policy as the binary swaps it.
    pub const fn new(policy: watch::Receiver<Arc<Policy>>) -> Self {
        Self { policy }
    }
    fn lists(&self, purpose: Purpose, authority: &str) -> bool {
        match purpose {
            Purpose::Upstream => upstream(&self.policy.borrow()).is_some_and(|o| o.authority() == authority),
            Purpose::Feed => feed(&self.policy.borrow()).is_some_and(|listed| listed == authority),
        }
    }
}

#[async_trait]
impl Egress for PolicyEgress {
    async fn connect(&self, purpose: Purpose, authority: &str) -> Result<Pin<Box<dyn Stream>>, Problem> {
        if !self.lists(purpose, authority) {
            return Err(Problem::new(&problems::EGRESS_REFUSED).log(format!("{purpose:?} {authority}")));
        }
        let failed = |e: std::io::Error| Problem::new(&problems::UPSTREAM_UNREACHABLE).log(format!("{authority}: {e}"));
        let stream = TcpStream::connect(authority).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(Box::pin(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let o = Origin::parse("http://App.example:8080/").unwrap();
        assert_eq!((o.to_string(), o.authority()), ("http://app.example:8080".into(), "app.example:8080".into()));
        assert_eq!(Origin::parse("https://a").unwrap().to_string(), "https://a");
        assert_eq!(Origin::parse("http://[::1]:81").unwrap().authority(), "[::1]:81");
        for bad in [
            "",
            "a",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://a?x",
            "http://u@a",
            "http://a:b",
            "http://a:",
            "http://a:99999",
        ] {
            assert_eq!(Origin::parse(bad), None, "{bad}");
        }
    }
}
