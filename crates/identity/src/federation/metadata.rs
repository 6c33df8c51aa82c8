//! What a provider says of itself (OpenID Connect Discovery 1.0) and its keys, kept for a while. An unknown key leads to
//! one look at the key set, and no stranger can make there be more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sekisho_kernel::{
    Text, Time,
    egress::{Incoming, Outgoing, Unreached},
    id::ProviderId,
};
use serde_json::{Map, Value};

use super::{
    json,
    jwt::{Algorithm, Keys},
};
use crate::{Identity, records::OidcSettings};

/// How long metadata and keys are believed.
const FRESH: Duration = Duration::from_secs(3_600);
/// The least time between two looks at the key set.
const KEYS_AGAIN: Duration = Duration::from_secs(60);
/// The least time between two tries of a provider that did not answer.
const TRY_AGAIN: Duration = Duration::from_secs(10);
/// Largest document.
const LARGEST: usize = 256 * 1024;
/// Most providers kept.
const MOST: usize = 1_000;

/// Which step of asking a provider went wrong, and what about it.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The step: `discovery`, `issuer`, `endpoints`, `pkce`, `algorithms`, `keys`, `token`, `userinfo`.
    pub step: &'static str,
    /// What is wrong, for an administrator.
    pub text: Text,
}

impl Trouble {
    pub(super) fn new(step: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { step, text: Text::owned(ja, en) }
    }
    pub(super) fn unreached(step: &'static str, url: &str, why: &Unreached) -> Self {
        let text = why.text();
        Self::new(step, format!("{url}: {}", text.ja), format!("{url}: {}", text.en))
    }
}

/// What discovery said.
#[derive(Clone, Debug)]
pub struct Metadata {
    pub authorization: String,
    pub token: String,
    pub jwks: String,
    pub userinfo: Option<String>,
    /// Whether answers name the issuer (RFC 9207 §3).
    pub names_issuer: bool,
    /// Whether the token endpoint takes the secret in the form only.
    pub secret_in_form: bool,
}

/// A provider as it is known at the moment.
#[derive(Clone)]
pub struct Known {
    pub metadata: Metadata,
    pub keys: Arc<Keys>,
    at: Time,
    keys_at: Time,
    /// Held by whoever looks at the key set anew; the others wait and take what was found.
    look: Arc<tokio::sync::Mutex<()>>,
}

enum Slot {
    Known(Arc<Known>),
    Down(Time, Trouble),
}

/// What a node keeps of providers.
#[derive(Default)]
pub struct Cache(Mutex<HashMap<ProviderId, (String, Slot)>>);

impl Cache {
    fn put(&self, id: ProviderId, issuer: &str, slot: Slot) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&id) {
            all.clear();
        }
        all.insert(id, (issuer.to_owned(), slot));
    }
    fn get(&self, id: ProviderId, issuer: &str, now: Time) -> Option<Result<Arc<Known>, Trouble>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&id).filter(|(of, _)| of == issuer)? {
            (_, Slot::Known(known)) => (now.since(known.at) < FRESH).then(|| Ok(known.clone())),
            (_, Slot::Down(at, why)) => (now.since(*at) < TRY_AGAIN).then(|| Err(why.clone())),
        }
    }
    pub(super) fn forget(&self, id: ProviderId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Where discovery is (Discovery §4).
pub fn discovery(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

fn words<'a>(document: &'a Map<String, Value>, name: &str) -> Option<Vec<&'a str>> {
    Some(document.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// Reads a discovery document against the settings of the provider.
pub fn read(body: &[u8], settings: &OidcSettings) -> Result<Metadata, Trouble> {
    let document = json::object(body).ok_or_else(|| {
        Trouble::new(
            "discovery",
            "応答が JSON のオブジェクトとして読み取れません。",
            "The answer cannot be read as a JSON object.",
        )
    })?;
    let issuer = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if issuer != settings.issuer {
        let shown: String = issuer.chars().filter(|c| !c.is_control()).take(256).collect();
        return Err(Trouble::new(
            "issuer",
            format!(
                "プロバイダーは自分を「{shown}」と名乗っています。登録した発行者と 1 文字も違わないようにしてください。"
            ),
            format!("The provider calls itself “{shown}”. The issuer must be registered to the letter."),
        ));
    }
    let https = |name: &'static str| -> Result<Option<String>, Trouble> {
        match document.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(url)) if url.starts_with("https://") && !url.contains('#') && url.len() <= 2_048 => {
                Ok(Some(url.clone()))
            }
            Some(_) => Err(Trouble::new(
                "endpoints",
                format!("{name} が https のアドレスではありません。"),
                format!("{name} is no https address."),
            )),
        }
    };
    let need = |name: &'static str| -> Result<String, Trouble> {
        https(name)?
            .ok_or_else(|| Trouble::new("endpoints", format!("{name} がありません。"), format!("{name} is missing.")))
    };
    let metadata = Metadata {
        authorization: need("authorization_endpoint")?,
        token: need("token_endpoint")?,
        jwks: need("jwks_uri")?,
        userinfo: https("userinfo_endpoint")?,
        names_issuer: document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
        secret_in_form: words(&document, "token_endpoint_auth_methods_supported")
            .is_some_and(|all| all.contains(&"client_secret_post") && !all.contains(&"client_secret_basic")),
    };
    if words(&document, "response_types_supported").is_some_and(|all| !all.contains(&"code")) {
        return Err(Trouble::new(
            "endpoints",
            "認可コードフロー（response_type=code）に対応していません。",
            "It does not support the authorisation code flow (response_type=code).",
        ));
    }
    if words(&document, "code_challenge_methods_supported").is_some_and(|all| !all.contains(&"S256")) {
        return Err(Trouble::new("pkce", "PKCE（S256）に対応していません。", "It does not support PKCE with S256."));
    }
    let algorithms = words(&document, "id_token_signing_alg_values_supported");
    if algorithms.as_ref().is_some_and(|all| !all.iter().any(|a| Algorithm::by_name(a).is_some())) {
        let ours = Algorithm::ALL.map(Algorithm::name).join(", ");
        let theirs = algorithms.unwrap_or_default().join(", ");
        let theirs: String = theirs.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(Trouble::new(
            "algorithms",
            format!("ID トークンの署名方式（{theirs}）に、受け付けるもの（{ours}）がありません。"),
            format!("It signs ID tokens with {theirs}; taken are {ours}."),
        ));
    }
    Ok(metadata)
}

/// A document that was asked for and came with status 200.
pub fn good(step: &'static str, url: &str, got: Result<Incoming, Unreached>) -> Result<Vec<u8>, Trouble> {
    let got = got.map_err(|why| Trouble::unreached(step, url, &why))?;
    if got.status == 200 {
        return Ok(got.body);
    }
    let status = got.status;
    Err(Trouble::new(
        step,
        format!("{url}: 状態コード {status} が返りました。アドレスを確かめてください。"),
        format!("{url} answers with status {status}. Check the address."),
    ))
}

impl Identity {
    async fn document(&self, step: &'static str, url: &str) -> Result<Vec<u8>, Trouble> {
        let mut request = Outgoing::get(url, LARGEST);
        request.headers.push(("accept", sekisho_kernel::Secret::new("application/json".to_owned())));
        good(step, url, self.0.outside.ask(request).await)
    }

    pub(super) async fn metadata(&self, settings: &OidcSettings) -> Result<Metadata, Trouble> {
        read(&self.document("discovery", &discovery(&settings.issuer)).await?, settings)
    }

    pub(super) async fn keys(&self, metadata: &Metadata) -> Result<Keys, Trouble> {
        let body = self.document("keys", &metadata.jwks).await?;
        let keys = Keys::read(&body).ok_or_else(|| {
            Trouble::new("keys", "鍵の一覧（JWKS）として読み取れません。", "The key set (JWKS) cannot be read.")
        })?;
        if keys.len() == 0 {
            return Err(Trouble::new(
                "keys",
                "鍵の一覧に、使える署名検証鍵（RSA 2048 ビット以上、P-256、Ed25519）がありません。",
                "The key set has no key that can be used (RSA of 2,048 bits or more, P-256, Ed25519).",
            ));
        }
        Ok(keys)
    }

    /// The provider, from what is kept where that is fresh.
    pub(super) async fn known_provider(&self, id: ProviderId, settings: &OidcSettings) -> Result<Arc<Known>, Trouble> {
        let now = self.now();
        if let Some(kept) = self.0.providers.get(id, &settings.issuer, now) {
            return kept;
        }
        let asked = async {
            let metadata = self.metadata(settings).await?;
            let keys = self.keys(&metadata).await?;
            Ok(Arc::new(Known { metadata, keys: Arc::new(keys), at: now, keys_at: now, look: Arc::default() }))
        };
        let found: Result<Arc<Known>, Trouble> = asked.await;
        let slot = match &found {
            Ok(known) => Slot::Known(known.clone()),
            Err(why) => Slot::Down(now, why.clone()),
        };
        self.0.providers.put(id, &settings.issuer, slot);
        found
    }

    /// The provider with its keys as they are now, unless they were looked at within the last minute.
    pub(super) async fn renewed_keys(
        &self,
        id: ProviderId,
        settings: &OidcSettings,
        known: &Known,
    ) -> Option<Arc<Known>> {
        let _looking = known.look.lock().await;
        let now = self.now();
        if let Some(Ok(newer)) = self.0.providers.get(id, &settings.issuer, now)
            && newer.keys_at > known.keys_at
        {
            return Some(newer);
        }
        if now.since(known.keys_at) < KEYS_AGAIN {
            return None;
        }
        // A look that fails counts too: an unknown key never makes more than one a minute.
        let keys = match self.keys(&known.metadata).await {
            Ok(keys) => Arc::new(keys),
            Err(trouble) => {
                tracing::warn!(provider = %id, step = trouble.step, why = %trouble.text.en, "keys not renewed");
                known.keys.clone()
            }
        };
        let newer = Arc::new(Known { keys, keys_at: now, ..known.clone() });
        self.0.providers.put(id, &settings.issuer, Slot::Known(newer.clone()));
        Some(newer)
    }
}
