//! Tries a provider's settings and says what is wrong with them, so that an administrator needs nobody else.

use sekisho_kernel::{Cx, Problem, Target, Text, access::Right, event, id::ProviderId, problem::NOT_FOUND};
use serde_json::Value;

use super::{
    flow::{callback, token_request},
    json,
    metadata::{Known, Trouble},
};
use crate::{
    Answer, Identity, boxed,
    records::{IdentityProvider, OidcSettings, Protocol},
    types::Check,
    under,
};

pub(super) fn good(name: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Check {
    Check { name, good: true, says: Text::owned(ja, en) }
}

pub(super) fn bad(name: &'static str, trouble: Trouble) -> Check {
    Check { name, good: false, says: trouble.text }
}

impl Identity {
    /// Asks the provider for its metadata and keys, and shows it our client; what was found, step by step.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn test_provider(&self, cx: &Cx, origin: &str, id: ProviderId) -> Answer<Vec<Check>> {
        let act = under(Right::FEDERATION_WRITE, &event::PROVIDER_TEST, Target::tenant(cx.tenant), id);
        let missing = || Problem::new(&NOT_FOUND);
        let found = self.vault().look(cx, act, move |view| view.get::<IdentityProvider>(id)?.ok_or_else(missing));
        let provider = found.await?.body;
        match &provider.protocol {
            Protocol::Oidc(oidc) => Ok(self.checks(origin, id, oidc).await),
            Protocol::Saml(saml) => self.saml_checks(cx, saml).await,
        }
    }

    async fn checks(&self, origin: &str, id: ProviderId, oidc: &OidcSettings) -> Vec<Check> {
        let mut out = Vec::new();
        self.0.providers.forget(id);
        let metadata = match self.metadata(oidc).await {
            Ok(metadata) => metadata,
            Err(trouble) => {
                out.push(bad("discovery", trouble));
                return out;
            }
        };
        out.push(good(
            "discovery",
            "発行者、エンドポイント、署名方式を確認しました。",
            "Issuer, endpoints and signature algorithms are good.",
        ));
        match self.keys(&metadata).await {
            Ok(keys) => {
                let n = keys.len();
                out.push(good(
                    "keys",
                    format!("使える署名検証鍵が {n} 個あります。"),
                    format!("{n} keys can be used."),
                ));
            }
            Err(trouble) => out.push(bad("keys", trouble)),
        }
        let known = match self.known_provider(id, oidc).await {
            Ok(known) => known,
            Err(_) => return out,
        };
        out.push(self.client_check(origin, id, oidc, &known).await);
        out
    }

    /// Shows the provider our client with a code that is none: whoever knows the client complains about the code.
    async fn client_check(&self, origin: &str, id: ProviderId, oidc: &OidcSettings, known: &Known) -> Check {
        let redirect = callback(origin, id);
        let verifier = "A".repeat(43);
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", "sekisho-connection-test"),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let got = match self.0.outside.ask(token_request(known, oidc, &pairs)).await {
            Ok(got) => got,
            Err(why) => return bad("client", Trouble::unreached("token", &known.metadata.token, &why)),
        };
        let word = json::object(&got.body)
            .and_then(|b| b.get("error").and_then(Value::as_str).map(str::to_owned))
            .unwrap_or_default();
        match word.as_str() {
            "invalid_grant" => good(
                "client",
                "プロバイダーがクライアント ID と秘密を受け入れました。",
                "The provider takes the client id and its secret.",
            ),
            "invalid_client" | "unauthorized_client" => bad(
                "client",
                Trouble::new(
                    "client",
                    "プロバイダーがクライアント ID または秘密を拒否しました。プロバイダー側の登録と見比べてください。",
                    "The provider refuses the client id or its secret. Compare them with what is registered there.",
                ),
            ),
            _ => good(
                "client",
                "クライアント ID と秘密の正否は、実際にサインインするまで分かりません。",
                "Whether client id and secret are right is only seen at a real sign-in.",
            ),
        }
    }
}
