//! Signing in by unique ID and signature: an application vouches for one of its users with a key that an administrator
//! has issued. A signature is good for one sign-in, close to its timestamp, at one host, for one client.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Problem, Secret, Time, event,
    hook::Knock,
    id::{SigningClientId, UserKind},
};
use sekisho_vault::{Scope, Stored};

use super::step::{By, Finish, Found, Once, Stage, Way, look_up};
use crate::{
    Answer, Identity, boxed,
    clients::{link_key, no_key},
    problems::SIGNATURE_REFUSED,
    records::{SigningClient, UniqueId},
    token,
    types::{Browser, SignInStep, SignedSignIn},
    values,
};

/// The first line of what is signed.
pub const SCHEME: &str = "sekisho-sign-in-v1";
/// Characters of a nonce.
const NONCE: std::ops::RangeInclusive<usize> = 16..=64;

/// What an application signs: six lines, a line feed between them and none at the end.
pub fn signed_text(host: &str, client: SigningClientId, unique_id: &str, timestamp: i64, nonce: &str) -> String {
    format!("{SCHEME}\n{host}\n{client}\n{unique_id}\n{timestamp}\n{nonce}")
}

fn refused() -> Problem {
    Problem::new(&SIGNATURE_REFUSED)
}

/// Who has signed for whom.
struct Signed {
    client: Option<Stored<SigningClient>>,
    found: Option<Found>,
}

impl Identity {
    /// Signs a person in whom an application vouches for. A second factor that the account has, or that the policy
    /// requires, is asked for all the same.
    ///
    /// # Errors
    /// `SK-4030` for every failure alike.
    #[boxed]
    pub async fn sign_in_signed(&self, knock: &Knock, browser: &Browser, given: SignedSignIn) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let rule = self.gates().signature(&cx.policy);
        let object = given.client.to_string();
        if !rule.allowed {
            return Err(self.refused(&cx, &object, "way-off", refused()).await);
        }
        let nonce = NONCE.contains(&given.nonce.len()) && given.nonce.bytes().all(is_plain);
        if !nonce || values::unique_id(&given.unique_id).is_err() {
            return Err(self.refused(&cx, &object, "malformed", refused()).await);
        }
        let signed = self.signed(&cx, &given).await?;
        let key = signed.client.as_ref().map_or_else(no_key, |c| Secret::new(c.body.secret.clone()));
        let text = signed_text(&knock.host.host, given.client, &given.unique_id, given.timestamp, &given.nonce);
        let right = matches_signature(&key, &text, given.signature.reveal());
        let Some(client) = signed.client.filter(|c| right && !c.body.disabled) else {
            return Err(self.refused(&cx, &object, "signature", refused()).await);
        };
        let at = Time::from_secs(given.timestamp);
        let now = self.now();
        if now.since(at) > rule.skew || at.since(now) > rule.skew {
            return Err(self.refused(&cx, &object, "timestamp", refused()).await);
        }
        let Some(found) = signed.found else {
            return Err(self.refused(&cx, &object, "unknown-id", refused()).await);
        };
        let person = found.id().to_string();
        if !found.active() {
            return Err(self.refused(&cx, &person, "disabled", refused()).await);
        }
        let client: SigningClientId = client.id();
        let once = Once {
            kind: "signature",
            target: client.cast(),
            refused: &SIGNATURE_REFUSED,
            key: token::sha256(&[&client.bytes(), given.nonce.as_bytes()]),
            until: at.plus(rule.skew).plus(Duration::from_secs(1)),
        };
        let finish = Finish { way: Way::Signature(client), once: rule.once.then_some(once), ..Finish::default() };
        if self.gates().factor(&cx.policy).ask && found.second() {
            return self.challenge(knock, &cx, Stage::Factor, &found, None, finish, &event::SESSION_CHALLENGE).await;
        }
        self.finish(knock, browser, &cx, found, finish, false).await
    }

    /// The client and the person of a request, whatever it is worth.
    async fn signed(&self, cx: &Cx, given: &SignedSignIn) -> Answer<Signed> {
        let (id, key) = (given.client, link_key(given.client, &given.unique_id));
        let counts = self.0.counts.clone();
        self.vault()
            .peek(&Scope::of(cx), move |view| {
                let client = view.get::<SigningClient>(id)?;
                let link = view.find::<UniqueId>("link", &key)?.into_iter().next();
                let user = link.map(|l| l.body.user.cast::<UserKind>());
                let found = match user {
                    Some(user) => look_up(view, &counts, &By::Id(user))?,
                    None => None,
                };
                Ok(Signed { client, found })
            })
            .await
    }
}

const fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}

/// HMAC-SHA-256 under the key's text, in base64url without padding; compared in constant time.
fn matches_signature(key: &Secret<String>, text: &str, given: &str) -> bool {
    let Ok(given) = URL_SAFE_NO_PAD.decode(given) else { return false };
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes()), text.as_bytes(), &given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_as_documented() {
        let client: SigningClientId = "cli_0198c2b4000070008000000000000001".parse().expect("an id");
        let text = signed_text("acme.console.example", client, "hanako", 1_800_000_000, "0123456789abcdef");
        assert_eq!(
            text,
            "sekisho-sign-in-v1\nacme.console.example\ncli_0198c2b4000070008000000000000001\nhanako\n1800000000\n0123456789abcdef"
        );
        // Computed with: printf '…' | openssl dgst -sha256 -hmac "$KEY" -binary | basenc --base64url | tr -d =
        let key = Secret::new("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I".to_owned());
        assert!(matches_signature(&key, &text, "CPX870UkziI1woQoRlwGdkE-fG-tatolljyAM3Wmqek"));
        assert!(!matches_signature(&key, &format!("{text}\n"), "CPX870UkziI1woQoRlwGdkE-fG-tatolljyAM3Wmqek"));
        assert!(!matches_signature(&key, &text, "CPX870UkziI1woQoRlwGdkE-fG-tatolljyAM3Wmqek="));
        assert!(!matches_signature(&no_key(), &text, "CPX870UkziI1woQoRlwGdkE-fG-tatolljyAM3Wmqek"));
    }
}
