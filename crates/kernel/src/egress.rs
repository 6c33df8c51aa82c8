//! The one way out. Implemented in `gateway`, handed down by the binary; no other part opens connections.

use std::{net::IpAddr, pin::Pin};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{problem::Problem, secret::Secret, text::Text};

/// A connected byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why a connection is wanted; what is not on this list cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The application behind the door.
    Upstream,
    /// The feed of the firewall's rule sets.
    Feed,
}

/// Opens outgoing connections to destinations the policy lists.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Connects to `authority` (`host:port`), or refuses.
    async fn connect(&self, purpose: Purpose, authority: &str) -> Result<Pin<Box<dyn Stream>>, Problem>;
}

/// A request to an address that somebody outside the platform has given: a tenant's identity provider, a receiver.
pub struct Outgoing {
    /// The address, https.
    pub url: String,
    /// Header fields beside those that every request has.
    pub headers: Vec<(&'static str, Secret<String>)>,
    /// A body to POST, a form unless `headers` has another `content-type`; without one it is a GET.
    pub form: Option<Secret<String>>,
    /// The most bytes of body that are read.
    pub most: usize,
}

impl Outgoing {
    /// A GET of a JSON document of at most `most` bytes.
    pub fn get(url: impl Into<String>, most: usize) -> Self {
        Self { url: url.into(), headers: Vec::new(), form: None, most }
    }
}

/// What came back: a success's body.
#[derive(Debug)]
pub struct Incoming {
    /// Status code; never a redirect.
    pub status: u16,
    /// The media type, lower case, without parameters.
    pub kind: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Why an address was not asked, or did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// It is no https address that may be asked: why.
    Address(&'static str),
    /// Its name leads nowhere.
    Name,
    /// Its name leads to an address inside, which only the platform's policy can open.
    Inside(IpAddr),
    /// Nobody listens there.
    Connect(String),
    /// Its certificate or its TLS is not good.
    Tls(String),
    /// It took longer than `egress.timeout`.
    Slow,
    /// It sent more than is read.
    Large,
    /// It leads elsewhere; that is not followed.
    Redirect(String),
    /// It broke off, or is not HTTP.
    Broken(String),
    /// This process has no way out.
    Closed,
}

impl Unreached {
    /// What is wrong, for an administrator.
    pub fn text(&self) -> Text {
        match self {
            Self::Address("port") => Text::new(
                "このポートには接続できません。443 番または 1024 番以上のポートを使うアドレスを指定してください。",
                "This port is not asked. Give an address on port 443, or on one from 1024 on.",
            ),
            Self::Address(why) => Text::owned(
                format!("このアドレスには接続できません（{why}）。https のアドレスを指定してください。"),
                format!("This address cannot be asked ({why}). Give an https address."),
            ),
            Self::Name => Text::new(
                "ホスト名を名前解決できません。綴りと DNS の登録を確かめてください。",
                "The host name leads nowhere. Check its spelling and its DNS records.",
            ),
            Self::Inside(address) => Text::owned(
                format!(
                    "ホスト名が公開されていないアドレス {address} を指しています。内部のアドレスへ接続するには、プラットフォームのポリシー（egress.allow）で許可が必要です。"
                ),
                format!(
                    "The host name leads to {address}, which is not public. Only the platform's policy (egress.allow) can open an inside address."
                ),
            ),
            Self::Connect(why) => Text::owned(
                format!("接続できません（{why}）。ポート番号とファイアウォールを確かめてください。"),
                format!("Nobody answers there ({why}). Check port and firewall."),
            ),
            Self::Tls(why) => Text::owned(
                format!("TLS の接続を確立できません（{why}）。証明書の期限、ホスト名、発行元を確かめてください。"),
                format!("TLS cannot be set up ({why}). Check the certificate's dates, host name and issuer."),
            ),
            Self::Slow => Text::new("時間内に応答がありません。", "It does not answer in time."),
            Self::Large => Text::new("応答が大きすぎます。", "Its answer is too large."),
            Self::Redirect(to) => Text::owned(
                format!(
                    "別のアドレス（{to}）へ転送されます。転送には従わないため、転送先のアドレスを指定してください。"
                ),
                format!("It leads on to {to}. Redirects are not followed: give the address it leads to."),
            ),
            Self::Broken(why) => Text::owned(
                format!("応答が HTTP として読み取れません（{why}）。"),
                format!("Its answer cannot be read as HTTP ({why})."),
            ),
            Self::Closed => Text::new("外部への接続は構成されていません。", "No way out is set up here."),
        }
    }
}

/// Asks addresses that somebody outside the platform has given. Implemented in `gateway`: https only, each address behind
/// the name checked and the checked one connected to, redirects not followed, sizes and times bounded.
#[async_trait]
pub trait Outside: Send + Sync {
    /// One request.
    async fn ask(&self, request: Outgoing) -> Result<Incoming, Unreached>;
    /// The texts of a name's TXT records (RFC 1035 section 3.3.14), each record's strings joined.
    async fn txt(&self, name: &str) -> Result<Vec<String>, Unreached>;
}

/// No way out: for tests and commands that need none.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

#[async_trait]
impl Outside for Nowhere {
    async fn ask(&self, _request: Outgoing) -> Result<Incoming, Unreached> {
        Err(Unreached::Closed)
    }
    async fn txt(&self, _name: &str) -> Result<Vec<String>, Unreached> {
        Err(Unreached::Closed)
    }
}
