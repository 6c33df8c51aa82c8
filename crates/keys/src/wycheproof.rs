//! Wycheproof's vectors against our wrappers. The data are read from beside the project; see `data`.

use std::path::Path;

use aws_lc_rs::{aead, hmac};
use serde_json::Value;

use crate::{kdf, kwp, sign::PublicKey, sign::Purpose};

/// The vectors, or `None`, with the reason printed, where they are not to be had. In CI they must be.
fn data(name: &str) -> Option<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = here.ancestors().map(|a| a.join("shared/data/wycheproof").join(name)).find(|p| p.exists());
    let Some(file) = file else {
        assert!(std::env::var_os("CI").is_none(), "shared/data/wycheproof is missing");
        println!("skipped: no shared/data/wycheproof/{name} beside the project");
        return None;
    };
    Some(serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON"))
}

fn bytes(test: &Value, field: &str) -> Vec<u8> {
    hex::decode(test[field].as_str().expect("a text")).expect("hex")
}

/// Runs `check` on each test of each group that `wanted`; `check` answers whether our wrapper accepted it.
fn run(name: &str, least: usize, wanted: impl Fn(&Value) -> bool, check: impl Fn(&Value, &Value) -> bool) {
    let Some(data) = data(name) else { return };
    let mut ran = 0;
    for group in data["testGroups"].as_array().expect("groups").iter().filter(|g| wanted(g)) {
        for test in group["tests"].as_array().expect("tests") {
            let valid = test["result"] == "valid";
            assert_eq!(check(group, test), valid, "{name} {}: {}", test["tcId"], test["comment"]);
            ran += 1;
        }
    }
    assert!(ran >= least, "{name}: only {ran} tests ran");
}

#[test]
fn aes_256_gcm() {
    let ours = |g: &Value| g["keySize"] == 256 && g["ivSize"] == 96;
    run("aes_gcm_test.json", 30, ours, |_, t| {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, &bytes(t, "key")).expect("key");
        let key = aead::LessSafeKey::new(key);
        let nonce = aead::Nonce::try_assume_unique_for_key(&bytes(t, "iv")).expect("nonce");
        let mut data = [bytes(t, "ct"), bytes(t, "tag")].concat();
        let opened = key.open_in_place(nonce, aead::Aad::from(bytes(t, "aad")), &mut data);
        opened.is_ok_and(|plain| *plain == bytes(t, "msg")[..])
    });
}

#[test]
fn aes_256_key_wrap_with_padding() {
    run(
        "aes_kwp_test.json",
        60,
        |g| g["keySize"] == 256,
        |_, t| {
            let kek: [u8; 32] = bytes(t, "key").try_into().expect("256 bits");
            let (message, wrapped) = (bytes(t, "msg"), bytes(t, "ct"));
            if t["result"] == "valid" {
                assert_eq!(kwp::wrap(&kek, &message).expect("wrapped"), wrapped);
            }
            kwp::unwrap(&kek, &wrapped).is_some_and(|plain| *plain == message)
        },
    );
}

#[test]
fn hkdf_sha_256() {
    run(
        "hkdf_sha256_test.json",
        80,
        |_| true,
        |_, t| {
            let mut out = vec![0; usize::try_from(t["size"].as_u64().expect("a size")).expect("small")];
            let done = kdf::hkdf(&bytes(t, "salt"), &bytes(t, "ikm"), &bytes(t, "info"), &mut out);
            done.is_ok() && out == bytes(t, "okm")
        },
    );
}

#[test]
fn hmac_sha_256() {
    run(
        "hmac_sha256_test.json",
        80,
        |g| g["tagSize"] == 256,
        |_, t| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(t, "key"));
            hmac::verify(&key, &bytes(t, "msg"), &bytes(t, "tag")).is_ok()
        },
    );
}

#[test]
fn ed25519() {
    run(
        "ed25519_test.json",
        100,
        |_| true,
        |g, t| {
            let key = bytes(&g["publicKey"], "pk").try_into().expect("32 bytes");
            let key = PublicKey { purpose: Purpose::Checkpoint, version: 1, bytes: key };
            key.verifies(&bytes(t, "msg"), &bytes(t, "sig"))
        },
    );
}
