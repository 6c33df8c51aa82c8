//! Keys of security events from before one line of keys signed everything. They sign nothing any more; each stays published for
//! as long as any key after its last signature, and is gone then.

use std::time::Duration;

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Job, Time, event,
    id::{SignalKeyId, SignalKeyKind},
};
use sekisho_vault::{Entry, Stored};
use serde_json::{Value, json};

use super::defect;
use crate::{Answer, Identity, by_job, records::SignalKey};

/// Its name, and the point.
fn read(key: &SignalKey) -> Answer<(String, Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(&key.pkcs8).map_err(defect)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes).map_err(defect)?;
    let point = pair.public_key().as_ref().to_vec();
    Ok((hex::encode(&digest(&SHA256, &point).as_ref()[..8]), point))
}

/// A key's name.
pub fn kid(key: &SignalKey) -> Answer<String> {
    read(key).map(|(kid, _)| kid)
}

/// A key as everybody may read it (RFC 7518 §6.2).
pub fn public(key: &SignalKey) -> Answer<Value> {
    let (kid, point) = read(key)?;
    // An uncompressed point (SEC 1 §2.3.3): 4, then both coordinates.
    let part = |from: usize| URL_SAFE_NO_PAD.encode(point.get(from..from + 32).unwrap_or_default());
    Ok(json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": part(1), "y": part(33) }))
}

impl Identity {
    /// Sets such keys their end, and takes those away that have reached it; an entry each time.
    pub(super) async fn end_signal_keys(
        &self,
        cx: &Cx,
        keys: &[Stored<SignalKey>],
        now: Time,
        overlap: Duration,
    ) -> Answer<()> {
        for key in keys {
            let (id, kid): (SignalKeyId, _) = (key.id::<SignalKeyKind>(), kid(&key.body)?);
            if key.body.ends.is_some_and(|ends| ends > now) {
                continue;
            }
            let (old, ends) = (key.clone(), now.plus(overlap));
            self.vault()
                .act(cx, by_job(cx, Job::Sweeper, &event::OAUTH_KEY_RETIRE, id), move |tx, permit| {
                    let entry = Entry::of(id).with("kid", kid);
                    if old.body.ends.is_some() {
                        tx.delete::<SignalKey>(id)?;
                        return tx.commit(permit, entry, ());
                    }
                    tx.update(id, old.version, &SignalKey { ends: Some(ends), ..old.body })?;
                    tx.commit(permit, entry.with("ends", ends.rfc3339()), ())
                })
                .await?;
        }
        Ok(())
    }
}
