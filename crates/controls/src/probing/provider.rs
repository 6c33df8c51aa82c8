//! An identity provider that the probe itself is: metadata, keys and tokens on a staged site, and a person's way there and
//! back. Its tokens are made here, by other code than that which checks them.

use std::net::{IpAddr, Ipv4Addr};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    claim::Trouble,
    world::{Answer, Ask, Site, SitePage, World},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Session, browser::Browser, person::text, rehearsed, told};

/// Our name at the provider.
pub const CLIENT: &str = "sekisho-probe";

/// The provider.
pub struct Provider {
    /// Its host name.
    pub host: String,
    /// Its record's id.
    pub id: String,
    /// Host name of the organisation's console.
    pub console: String,
    key: Ed25519KeyPair,
}

/// A person who is on the way to it.
pub struct Leave {
    to: String,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key(seed: &str) -> Result<Ed25519KeyPair, Trouble> {
    Ed25519KeyPair::from_seed_unchecked(&Sha256::digest(seed)).map_err(|e| Trouble::of("making the provider's key", e))
}

fn page(path: &str, body: &Value) -> SitePage {
    SitePage { path: path.into(), status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// An address outside that belongs to this name alone.
fn address(host: &str) -> IpAddr {
    let hash = Sha256::digest(host);
    IpAddr::V4(Ipv4Addr::new(198, 51, hash[0] % 100, hash[1].max(1)))
}

impl Provider {
    /// Registers a staged provider that makes accounts and whose second factor is trusted, and switches it on.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn register(world: &dyn World, desk: &Session) -> Result<Self, Trouble> {
        let marker = world.marker("idp");
        let mut provider = Self {
            host: format!("{marker}.example.test"),
            id: String::new(),
            console: desk.host.clone(),
            key: key(&marker)?,
        };
        provider.stage(world, None).await?;
        let new = json!({"name": marker, "issuer": provider.issuer(), "client_id": CLIENT, "client_secret": "s3cret"});
        let made = desk.make(world, "/providers", &new).await?;
        provider.id = text(&made, "id");
        let patch = json!({"enabled": true, "create_users": true, "trusts_factor": true});
        let ask = desk.ask("PATCH", &format!("/providers/{}", provider.id));
        let version = made.get("version").and_then(Value::as_i64).unwrap_or(1);
        desk.need(world, ask.header("if-match", format!("\"{version}\"")).json(&patch)).await?;
        Ok(provider)
    }

    /// What it calls itself.
    pub fn issuer(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Puts its site up: metadata, keys, and the token endpoint's answer where there is one.
    async fn stage(&self, world: &dyn World, token: Option<&str>) -> Result<(), Trouble> {
        let at = |path: &str| format!("{}{path}", self.issuer());
        let metadata = json!({
            "issuer": self.issuer(), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["EdDSA"], "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        let mut pages =
            vec![page("/.well-known/openid-configuration", &metadata), page("/jwks", &json!({"keys": [self.jwk()]}))];
        if let Some(token) = token {
            let answer = json!({"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": token});
            pages.push(page("/token", &answer));
        }
        let site = Site { host: self.host.clone(), addresses: vec![address(&self.host)], texts: Vec::new(), pages };
        rehearsed(world)?.stage_site(site).await
    }

    /// Its public key as the set shows it.
    pub fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "probe", "use": "sig", "x": b64(self.key.public_key())})
    }

    /// What it honestly says of a subject.
    ///
    /// # Errors
    /// On a serving instance, whose clock is not known.
    pub fn claims(&self, world: &dyn World, leave: &Leave, subject: &str) -> Result<Value, Trouble> {
        let now = rehearsed(world)?.now().secs();
        Ok(json!({
            "iss": self.issuer(), "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300,
            "nonce": leave.field("nonce"), "preferred_username": subject, "name": subject,
            "email": format!("{subject}@example.test"), "email_verified": true, "amr": ["pwd", "mfa"],
        }))
    }

    /// Signs claims under a header.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        signed(&self.key, header, claims)
    }

    /// The usual token.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "EdDSA", "kid": "probe"}), claims)
    }

    /// A person's browser sets out for it.
    ///
    /// # Errors
    /// When the sign-in page does not lead there.
    pub async fn leave(&self, world: &dyn World, browser: &mut Browser) -> Result<Leave, Trouble> {
        let form =
            browser.send(world, Ask::new("GET", &self.console, "/sign-in").header("accept", "text/html")).await?;
        let csrf = hidden(&form, "csrf").ok_or_else(|| Trouble("the sign-in page has no form".into()))?;
        let mut ask = Ask::new("POST", &self.console, "/sign-in/provider")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        ask.body = format!("csrf={csrf}&provider={}", self.id).into_bytes();
        let got = browser.send(world, ask).await?;
        let to = got.text().split("url=").nth(1).and_then(|r| r.split('"').next()).map(plain);
        match to.filter(|to| to.starts_with(&self.issuer())) {
            Some(to) => Ok(Leave { to }),
            None => Err(Trouble(format!("the sign-in page was answered {}", told(&got)))),
        }
    }

    /// The browser comes back with an answer, and the provider has this token for its code.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn come_back(
        &self,
        world: &dyn World,
        browser: &mut Browser,
        leave: &Leave,
        token: &str,
    ) -> Result<Answer, Trouble> {
        self.stage(world, Some(token)).await?;
        browser.send(world, self.answer(leave, &self.issuer())).await
    }

    /// The request by which the answer comes back, in the name of an issuer.
    pub fn answer(&self, leave: &Leave, issuer: &str) -> Ask {
        let issuer = issuer.replace(':', "%3A").replace('/', "%2F");
        let path =
            format!("/federation/{}/callback?code=the-code&state={}&iss={issuer}", self.id, leave.field("state"));
        Ask::new("GET", &self.console, &path).header("accept", "text/html").header("sec-fetch-site", "cross-site")
    }
}

/// A token under any key.
fn signed(key: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    let head = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    format!("{head}.{}", b64(key.sign(head.as_bytes())))
}

/// A token that a stranger has signed, in the provider's name.
///
/// # Errors
/// When there is no key.
pub fn forged(claims: &Value) -> Result<String, Trouble> {
    Ok(signed(&key("a stranger")?, &json!({"alg": "EdDSA", "kid": "probe"}), claims))
}

/// A token without a signature.
pub fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", b64(json!({"alg": "none"}).to_string()), b64(claims.to_string()))
}

impl Leave {
    /// A field of the address that the person is sent to.
    pub fn field(&self, name: &str) -> String {
        let (_, query) = self.to.split_once('?').unwrap_or_default();
        query.split('&').find_map(|p| p.strip_prefix(&format!("{name}="))).unwrap_or_default().to_owned()
    }
}

fn plain(text: &str) -> String {
    text.replace("&#38;", "&").replace("&amp;", "&")
}

/// The value of a page's hidden field.
pub fn hidden(page: &Answer, name: &str) -> Option<String> {
    let html = page.text();
    let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1)?.to_owned();
    Some(rest.split('"').next()?.to_owned())
}

/// The session that an answer began; `None` where it began none.
pub fn session(got: &Answer) -> Option<String> {
    got.headers
        .iter()
        .filter(|(n, _)| n == "set-cookie")
        .find_map(|(_, v)| v.strip_prefix("__Host-sekisho=")?.split(';').next())
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}
