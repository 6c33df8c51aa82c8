//! The keys that sign what a tenant says to others, ID tokens and security events: one line of them a tenant, each sealed,
//! published before it signs and for as long after.
//!
//! RS256 alone: every OpenID provider must sign by it and every client takes it (OpenID Connect Core §15.1), and where one
//! algorithm is known, none can be confused with another. 2,048 bits, since a key signs for months and a token lives minutes.
//! Each kind of token says what it is in `typ`, so that nobody takes one for another.

mod before;
mod turn;

use std::time::Duration;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Job, Problem, Time, event,
    gate::OauthRule,
    id::OauthKeyKind,
    jws::{self, Header},
    problem::{CONFLICT, INTERNAL},
};
use sekisho_vault::{Entry, Scope, Stored};
use serde_json::{Value, json};

use crate::{
    Answer, Identity, boxed, by_job,
    federation::jwt,
    oauth::dpop::thumbprint,
    records::{OauthKey, SignalKey},
};

/// The algorithm.
pub const ALG: &str = "RS256";

fn defect(why: impl std::fmt::Debug) -> Problem {
    Problem::new(&INTERNAL).log(format!("{why:?}"))
}

/// Modulus and exponent of a 2,048-bit `RSAPublicKey` (RFC 8017 §A.1.1), whose integers stand at fixed places.
fn components(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00])?;
    let (n, rest) = rest.split_at_checked(256)?;
    let e = rest.strip_prefix(&[0x02, 0x03])?;
    (e.len() == 3).then_some((n, e))
}

fn made(turn: u32, starts: Time) -> Answer<OauthKey> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(defect)?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(defect)?;
    let (n, e) = components(pair.public_key().as_ref()).ok_or_else(|| defect("a public key of another shape"))?;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = (encode(n), encode(e));
    // The name follows from the key: two keys never share one.
    let print = thumbprint(&json!({ "kty": "RSA", "n": public.0, "e": public.1 }));
    let kid = encode(&print.ok_or_else(|| defect("a public key without a thumbprint"))?);
    Ok(OauthKey { turn, kid, private: encode(private.as_ref()), public, starts })
}

/// A key that signs now.
pub struct Signer {
    kid: String,
    pair: RsaKeyPair,
}

impl Signer {
    fn of(key: &OauthKey) -> Answer<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(&key.private).map_err(defect)?;
        Ok(Self { kid: key.kid.clone(), pair: RsaKeyPair::from_pkcs8(&bytes).map_err(defect)? })
    }
    /// A compact token of this type and these claims.
    pub fn sign(&self, typ: &'static str, claims: &Value) -> Answer<String> {
        jws::compact(&Header { alg: ALG, typ, kid: &self.kid }, claims, |text| {
            let mut tag = vec![0; self.pair.public_modulus_len()];
            self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut tag).map_err(defect)?;
            Ok(tag)
        })
    }
}

/// Which key signs at a moment: of those that have begun, the newest.
fn current(keys: &[Stored<OauthKey>], now: Time) -> Option<&Stored<OauthKey>> {
    keys.iter().filter(|k| k.body.starts <= now).max_by_key(|k| k.body.turn)
}

/// Which keys nobody needs any more: a successor has signed for longer than the overlap.
fn retired(keys: &[Stored<OauthKey>], now: Time, overlap: Duration) -> Vec<&Stored<OauthKey>> {
    let gone = current(keys, now.minus(overlap)).map_or(0, |k| k.body.turn);
    keys.iter().filter(|k| k.body.turn < gone).collect()
}

/// A key as everybody may read it (RFC 7517 §4).
fn public(key: &OauthKey) -> Value {
    let (n, e) = &key.public;
    json!({ "kty": "RSA", "use": "sig", "alg": ALG, "kid": key.kid, "n": n, "e": e })
}

/// When the next key begins, if it is to be published now.
fn due(keys: &[Stored<OauthKey>], now: Time, rule: &OauthRule) -> Option<Time> {
    let newest = keys.iter().max_by_key(|k| k.body.turn)?;
    let overlap = rule.key_overlap.min(rule.key_every / 2);
    let next = newest.body.starts.plus(rule.key_every);
    (now.plus(overlap) >= next).then(|| now.plus(overlap))
}

impl Identity {
    async fn oauth_keys(&self, cx: &Cx) -> Answer<Vec<Stored<OauthKey>>> {
        self.vault().peek(&Scope::of(cx), |view| view.list(&sekisho_vault::Page::default())).await
    }

    /// The same, and those that signed signals before they were one line.
    async fn signing_keys(&self, cx: &Cx) -> Answer<(Vec<Stored<OauthKey>>, Vec<Stored<SignalKey>>)> {
        let page = sekisho_vault::Page::default();
        self.vault().peek(&Scope::of(cx), move |view| Ok((view.list(&page)?, view.list(&page)?))).await
    }

    /// Makes a key. Whoever comes second to the same turn finds the first one's.
    async fn make_key(&self, cx: &Cx, job: Job, turn: u32, starts: Time) -> Answer<()> {
        let key = tokio::task::spawn_blocking(move || made(turn, starts)).await.map_err(defect)??;
        let (id, cx) = (self.id::<OauthKeyKind>(), Cx::job(cx.tenant, job, cx.policy.clone(), self.rng()));
        let done = self
            .vault()
            .act(&cx, by_job(&cx, job, &event::OAUTH_KEY_CREATE, id), move |tx, permit| {
                tx.insert(id, &key)?;
                let entry = Entry::of(id).with("kid", &key.kid).with("starts", key.starts.rfc3339());
                tx.commit(permit, entry, ())
            })
            .await;
        match done {
            Err(p) if p.is(&CONFLICT) => Ok(()),
            other => other,
        }
    }

    /// The key that signs now; the tenant's first is made where there is none.
    pub(crate) async fn signer(&self, cx: &Cx) -> Answer<Signer> {
        let mut keys = self.oauth_keys(cx).await?;
        if keys.is_empty() {
            self.make_key(cx, Job::SignIn, 1, self.now()).await?;
            keys = self.oauth_keys(cx).await?;
        }
        let key = current(&keys, self.now()).or(keys.first()).ok_or_else(|| defect("no key signs"))?;
        Signer::of(&key.body)
    }

    /// The keys as everybody may read them (RFC 7517 §5): those that sign, have signed a while ago, or soon will.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn key_set(&self, cx: &Cx) -> Answer<Value> {
        let (keys, before) = self.signing_keys(cx).await?;
        let mut all: Vec<Value> = keys.iter().map(|k| public(&k.body)).collect();
        for key in &before {
            all.push(before::public(&key.body)?);
        }
        Ok(json!({ "keys": all }))
    }

    /// Those of them that have ever signed ID tokens, for our own checks.
    pub(crate) async fn own_keys(&self, cx: &Cx) -> Answer<jwt::Keys> {
        let keys = self.oauth_keys(cx).await?;
        let all = json!({ "keys": keys.iter().map(|k| public(&k.body)).collect::<Vec<_>>() });
        jwt::Keys::read(all.to_string().as_bytes()).ok_or_else(|| defect("our own key set"))
    }

    /// Publishes the next key of a tenant that has any, and takes those away that nobody needs any more.
    pub(crate) async fn turn_keys(&self, cx: &Cx) -> Answer<()> {
        let (rule, now) = (self.gates().oauth(&cx.policy), self.now());
        let (keys, before) = self.signing_keys(cx).await?;
        self.end_signal_keys(cx, &before, now, rule.key_overlap).await?;
        if let Some(starts) = due(&keys, now, &rule) {
            let turn = keys.iter().map(|k| k.body.turn).max().unwrap_or(0) + 1;
            self.make_key(cx, Job::Sweeper, turn, starts).await?;
        }
        for key in retired(&keys, now, rule.key_overlap) {
            let (id, kid) = (key.id::<OauthKeyKind>(), key.body.kid.clone());
            self.vault()
                .act(cx, by_job(cx, Job::Sweeper, &event::OAUTH_KEY_RETIRE, id), move |tx, permit| {
                    tx.delete::<OauthKey>(id)?;
                    tx.commit(permit, Entry::of(id).with("kid", kid), ())
                })
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(turn: u32, starts: i64) -> Stored<OauthKey> {
        let starts = Time::from_micros(starts * 86_400_000_000);
        Stored {
            id: sekisho_kernel::id::RecordId::from_bytes([u8::try_from(turn).unwrap(); 16]),
            version: 1,
            created: starts,
            updated: starts,
            body: OauthKey { turn, kid: String::new(), private: String::new(), public: Default::default(), starts },
            clear: vec![],
        }
    }
    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_key_is_published_before_it_signs_and_after() {
        let rule = OauthRule { key_every: DAY * 90, key_overlap: DAY * 7, ..OauthRule::NONE };
        let at = |day: i64| Time::from_micros(day * 86_400_000_000);
        let one = [key(1, 0)];
        assert_eq!(due(&[], at(0), &rule), None, "a tenant without keys gets none by itself");
        assert_eq!(due(&one, at(82), &rule), None);
        assert_eq!(due(&one, at(83), &rule), Some(at(90)));
        assert_eq!(due(&one, at(200), &rule), Some(at(207)), "however late, it is published first");
        let two = [key(1, 0), key(2, 90)];
        assert_eq!(due(&two, at(89), &rule), None, "one is on its way");
        let signs = |day| current(&two, at(day)).map(|k| k.body.turn);
        assert_eq!((signs(0), signs(89), signs(90)), (Some(1), Some(1), Some(2)));
        let gone = |day| retired(&two, at(day), rule.key_overlap).len();
        assert_eq!((gone(90), gone(96), gone(97)), (0, 0, 1));
        assert_eq!(retired(&one, at(400), rule.key_overlap).len(), 0, "the last one stays");
    }

    #[test]
    fn what_it_signs_is_verified_by_what_it_publishes() {
        let one = made(1, Time::ZERO).unwrap();
        let set = json!({ "keys": [public(&one)] });
        let keys = jwt::Keys::read(set.to_string().as_bytes()).unwrap();
        let token = Signer::of(&one).unwrap().sign("JWT", &json!({ "sub": "x" })).unwrap();
        assert_eq!(jwt::verify(&token, &keys, &["jwt"], true).ok().map(|t| t.claims["sub"].clone()), Some(json!("x")));
        let other = format!(
            "{}.{}.{}",
            token.split('.').next().unwrap(),
            URL_SAFE_NO_PAD.encode("{}"),
            token.rsplit('.').next().unwrap()
        );
        assert_eq!(jwt::verify(&other, &keys, &["jwt"], true).err(), Some(jwt::Flaw::Signature));
        let event = Signer::of(&one).unwrap().sign("secevent+jwt", &json!({ "sub": "x" })).unwrap();
        assert!(jwt::verify(&event, &keys, &["jwt"], true).is_err(), "another kind of token");
    }
}
