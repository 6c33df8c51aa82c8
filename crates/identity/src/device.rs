//! What pages keep on a device is sealed under a key of its session. The key is made anew from the session's own secret each
//! time that it is asked for; when the session ends, the secret goes with its record, and nobody can make the key again.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Problem, Rng, Secret, event,
    hook::{HostEntry, Passage},
    problem::{INTERNAL, UNAUTHENTICATED},
    rng,
};

use crate::{
    Answer, Identity, own,
    records::{DeviceSecret, UserSession},
};

/// A new session's secret.
pub fn secret(source: &dyn Rng) -> DeviceSecret {
    DeviceSecret(URL_SAFE_NO_PAD.encode(rng::bytes::<32>(source)))
}

/// The key of one host: HMAC-SHA-256 of its name under the session's secret.
fn of_host(secret: &DeviceSecret, host: &str) -> Answer<Secret<Vec<u8>>> {
    let secret = URL_SAFE_NO_PAD.decode(&secret.0).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let text = format!("sekisho device key 1 {host}");
    Ok(Secret::new(hmac::sign(&key, text.as_bytes()).as_ref().to_vec()))
}

/// The key of a session that lives, with its entry.
pub async fn key(identity: &Identity, passage: &Passage, host: &HostEntry) -> Answer<Secret<Vec<u8>>> {
    let (id, cx) = (passage.session, &passage.cx);
    if host.tenant != cx.tenant {
        return Err(Problem::new(&UNAUTHENTICATED));
    }
    let act = own(cx, &event::DEVICE_KEY, passage.user);
    let found = identity.vault().look(cx, act, move |view| {
        let session = view.get::<UserSession>(id)?;
        session.and_then(|s| s.body.device).ok_or_else(|| Problem::new(&UNAUTHENTICATED))
    });
    of_host(&found.await?, &host.host)
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    #[test]
    fn each_host_has_its_own_key_and_the_secret_is_not_told() {
        let (one, other) = (secret(&SystemRng), secret(&SystemRng));
        let key = |s: &DeviceSecret, host: &str| of_host(s, host).unwrap().reveal().clone();
        assert_eq!(key(&one, "a.example"), key(&one, "a.example"));
        assert_ne!(key(&one, "a.example"), key(&one, "b.example"));
        assert_ne!(key(&one, "a.example"), key(&other, "a.example"));
        assert_eq!(key(&one, "a.example").len(), 32);
        assert_eq!(format!("{one:?}"), "DeviceSecret");
    }
}
