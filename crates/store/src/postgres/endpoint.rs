//! Where a PostgreSQL server is, and how it is reached: in the clear only on this very machine.

use std::{future::poll_fn, sync::Arc, time::Duration};

use sekisho_kernel::Secret;
use tokio::sync::mpsc::UnboundedSender;
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, NoTls, Notification,
    config::{Host, SslMode},
};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{tls::Tls, types::error};
use crate::error::StoreError;

/// A server, a database, a role.
#[derive(Clone)]
pub(crate) struct Endpoint {
    config: Config,
    tls: Option<Tls>,
}

impl Endpoint {
    /// From a URL or key=value text; `ca` is the PEM file of the authority that signed the server's certificate.
    pub(crate) fn new(url: &Secret<String>, ca: Option<&std::path::Path>) -> Result<Self, StoreError> {
        // The parser's message may quote the text, which holds a password.
        let parsed = url.reveal().parse::<Config>();
        let mut config = parsed.map_err(|_| StoreError::Config("the PostgreSQL address is not well-formed".into()))?;
        if config.get_user().is_none() {
            return Err(StoreError::Config("the PostgreSQL address names no role (user)".into()));
        }
        config
            .application_name("sekisho")
            .connect_timeout(Duration::from_secs(3))
            .tcp_user_timeout(Duration::from_secs(5))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3);
        let near = config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
            && config.get_hosts().iter().all(|host| match host {
                Host::Unix(_) => true,
                Host::Tcp(name) => {
                    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
                }
            });
        let tls = match ca {
            Some(path) => {
                config.ssl_mode(SslMode::Require);
                Some(Tls(Arc::new(trust(path)?)))
            }
            None if near && config.get_ssl_mode() != SslMode::Require => None,
            None => {
                return Err(StoreError::Config(
                    "PostgreSQL on another machine needs the PEM file of its certificate authority".into(),
                ));
            }
        };
        Ok(Self { config, tls })
    }

    /// What was parsed.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// The role's name.
    pub(crate) fn role(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// Connects; the connection is driven by a task of the present runtime, which hands notices to `sink`.
    pub(crate) async fn connect(&self, sink: Option<UnboundedSender<Notification>>) -> Result<Client, StoreError> {
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(|e| error(&e, "connect"))?;
                tokio::spawn(drive(connection, sink));
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await.map_err(|e| error(&e, "connect"))?;
                tokio::spawn(drive(connection, sink));
                Ok(client)
            }
        }
    }
}

async fn drive<S, T>(mut connection: Connection<S, T>, sink: Option<UnboundedSender<Notification>>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notification(notice))) => {
                if let Some(sink) = &sink
                    && sink.send(notice).is_err()
                {
                    return;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "a database connection ended");
                return;
            }
            None => return,
        }
    }
}

fn trust(path: &std::path::Path) -> Result<ClientConfig, StoreError> {
    let bad = |why: String| StoreError::Config(format!("{}: {why}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))? {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad("no certificate in it".into()));
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(|e| bad(e.to_string()))?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_not_reached_in_the_clear() {
        let open = |url: &str| Endpoint::new(&Secret::new(url.to_owned()), None).err();
        assert_eq!(open("postgres://svc@localhost/db"), None);
        assert_eq!(open("postgres://svc:pw@127.0.0.1:5433/db"), None);
        assert_eq!(open("host=/run/postgresql user=svc dbname=db"), None);
        for url in [
            "postgres://svc@db.example/db",
            "postgres://svc@db.example/db?sslmode=disable",
            "postgres://svc@127.0.0.1/db?sslmode=require",
            "host=localhost hostaddr=192.0.2.1 user=svc",
            "host=localhost",
            "postgres://svc:secret@[/db",
        ] {
            let refused = open(url);
            assert!(matches!(&refused, Some(StoreError::Config(why)) if !why.contains("secret")), "{url}: {refused:?}");
        }
    }
}
