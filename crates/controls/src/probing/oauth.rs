//! An application as its maker would write it: authorisation code with PKCE, refresh, revocation.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    claim::Trouble,
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Session, answer::good, browser::Browser, person::text, told};

/// Where the application is sent back to.
pub const REDIRECT: &str = "https://app.example.test/callback";
/// The endpoint.
pub const TOKEN: &str = "/oauth/token";

/// An application with its secret.
#[derive(Clone, Debug)]
pub struct App {
    /// Host name of the authorisation server.
    pub host: String,
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// What it asks for.
    pub scope: String,
}

/// What it holds.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Tokens {
    /// From the token endpoint's answer.
    pub fn of(got: &Answer) -> Option<Self> {
        let body = got.json();
        let tokens = Self { access: text(&body, "access_token"), refresh: text(&body, "refresh_token") };
        (good(got) && !tokens.access.is_empty()).then_some(tokens)
    }
}

impl App {
    /// Has it registered, and approved unless told otherwise.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn register(world: &dyn World, desk: &Session, rights: &[&str], approved: bool) -> Result<Self, Trouble> {
        let new = json!({
            "name": world.marker("app"), "redirect_uris": [REDIRECT], "rights": rights, "confidential": true,
        });
        Self::register_as(world, desk, &new, &rights.join(" "), approved).await
    }

    /// The same, of any kind.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn register_as(
        world: &dyn World,
        desk: &Session,
        new: &Value,
        scope: &str,
        approved: bool,
    ) -> Result<Self, Trouble> {
        let made = desk.make(world, "/applications", new).await?;
        let (id, secret) = (text(&made, "id"), text(&made, "secret"));
        let app = Self { host: desk.host.clone(), id, secret, scope: scope.to_owned() };
        if approved {
            desk.make(world, &format!("/applications/{}/approve", app.id), &json!({})).await?;
        }
        Ok(app)
    }

    /// The address to which it sends a browser.
    pub fn authorize(&self, verifier: &str, state: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        format!(
            "/oauth/authorize?response_type=code&client_id={}&redirect_uri={}&scope={}&state={state}&code_challenge={challenge}&code_challenge_method=S256",
            self.id,
            REDIRECT.replace(':', "%3A").replace('/', "%2F"),
            self.scope.replace(' ', "%20"),
        )
    }

    /// Opens it in a browser: a consent page, or at once the way back.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn open(&self, world: &dyn World, browser: &mut Browser, verifier: &str) -> Result<Answer, Trouble> {
        let path = self.authorize(verifier, "xyz");
        browser.send(world, Ask::new("GET", &self.host, &path).header("accept", "text/html")).await
    }

    /// The person's answer on the consent page.
    ///
    /// # Errors
    /// When the page is none.
    pub async fn decide(
        &self,
        world: &dyn World,
        browser: &mut Browser,
        page: &Answer,
        decision: &str,
    ) -> Result<Answer, Trouble> {
        let html = page.text();
        let value = |name: &str| {
            let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
            Some(rest.split('"').next()?.to_owned())
        };
        let (Some(csrf), Some(request)) = (value("csrf"), value("request")) else {
            return Err(Trouble(format!("no consent page: {}", told(page))));
        };
        let mut ask = Ask::new("POST", &self.host, "/oauth/authorize")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        ask.body = format!("csrf={csrf}&request={request}&decision={decision}").into_bytes();
        browser.send(world, ask).await
    }

    /// The code in the way back, be it a redirect or a page that leads on.
    pub fn code(answer: &Answer) -> Option<String> {
        let html = answer.text();
        let to = answer.header("location").map_or_else(
            || html.split("url=").nth(1).and_then(|r| r.split('"').next()).unwrap_or_default().to_owned(),
            str::to_owned,
        );
        let query = to.strip_prefix(REDIRECT)?.strip_prefix('?')?.replace("&#38;", "&").replace("&amp;", "&");
        query.split('&').find_map(|pair| pair.strip_prefix("code=").map(str::to_owned))
    }

    /// A form to an endpoint, with the application's own proof.
    pub fn form(&self, path: &str, fields: &str) -> Ask {
        let mut ask = Ask::new("POST", &self.host, path).header("content-type", "application/x-www-form-urlencoded");
        ask.body = format!("client_id={}&client_secret={}&{fields}", self.id, self.secret).into_bytes();
        ask
    }

    /// Brings a code to the token endpoint.
    pub fn exchange(&self, code: &str, verifier: &str) -> Ask {
        let redirect = REDIRECT.replace(':', "%3A").replace('/', "%2F");
        self.form(
            TOKEN,
            &format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={verifier}"),
        )
    }

    /// Brings a refresh token.
    pub fn refresh(&self, token: &str) -> Ask {
        self.form(TOKEN, &format!("grant_type=refresh_token&refresh_token={token}"))
    }

    /// From the consent to the tokens, as a person and their browser do it.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn tokens(&self, world: &dyn World, browser: &mut Browser) -> Result<Tokens, Trouble> {
        let verifier = verifier(world);
        let page = self.open(world, browser, &verifier).await?;
        let back = match Self::code(&page) {
            Some(_) => page,
            None => self.decide(world, browser, &page, "allow").await?,
        };
        let code = Self::code(&back).ok_or_else(|| Trouble(format!("no code came back: {}", told(&back))))?;
        let got = world.send(self.exchange(&code, &verifier)).await?;
        Tokens::of(&got).ok_or_else(|| Trouble(format!("the code was answered {}: {}", told(&got), got.text())))
    }
}

/// A code verifier (RFC 7636 §4.1).
pub fn verifier(world: &dyn World) -> String {
    format!("{}-{}-{}", world.marker("v"), world.marker("v"), world.marker("v"))
}

/// A session's request with an application's token in its place.
pub fn as_app(like: &Session, access: &str) -> Session {
    Session { token: access.to_owned(), ..like.clone() }
}

/// Whether a visit ended on the consent page.
pub fn asks(answer: &Answer) -> bool {
    answer.status == 200 && answer.contains("name=\"decision\"")
}

/// `error=…` of a way back.
pub fn refused(answer: &Answer) -> Option<String> {
    let to = answer.header("location")?;
    let (_, query) = to.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("error=").map(str::to_owned))
}
