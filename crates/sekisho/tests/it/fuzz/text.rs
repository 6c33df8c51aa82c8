//! Readers that are pure: text or bytes in, a value or a refusal out. What is accepted has one spelling.

use std::sync::OnceLock;

use sekisho_console::routes;
use sekisho_controls as controls;
use sekisho_gateway::{Origin, host as names};
use sekisho_identity::{
    scim::{
        self,
        filter::{Filter, Literal, Operator, Place},
    },
    webauthn::{self, Demand, Expected, Key},
};
use sekisho_kernel::{Lang, Schema, Time, Zone, id::EntryId, percent, policy, world::HelloAnswer};
use sekisho_ledger as ledger;
use sekisho_prober::{evidence::Envelope, hello};
use serde_json::{Value, json};

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(sekisho::settings::schema)
}

/// A policy file is read or every problem in it is named, with its place, in both languages; what was read is the same
/// after being written out.
pub fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let source = policy::Source::new("policy.toml", text);
    let result = policy::read(schema(), &source, &controls::profile);
    for lang in [Lang::Ja, Lang::En] {
        assert!(!policy::check(&source, &result, lang).is_empty());
    }
    match result {
        Ok(read) => {
            let written = policy::Source::new("written.toml", policy::render(&read));
            let again = policy::read(schema(), &written, &controls::profile).expect("what was written is read");
            assert_eq!(again.digest(), read.digest());
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
}

/// C2SP signed-note.
pub fn note(input: &[u8]) {
    if let Ok(note) = ledger::parse_note(input) {
        assert_eq!(note.encode().as_bytes(), input);
    }
}

/// C2SP tlog-checkpoint.
pub fn checkpoint(input: &[u8]) {
    if let Ok(signed) = ledger::parse_checkpoint(input) {
        assert_eq!(signed.note.encode().as_bytes(), input);
    }
}

/// C2SP tlog-proof.
pub fn proof(input: &[u8]) {
    if let Ok(proof) = ledger::parse_proof(input) {
        assert_eq!(proof.encode().as_bytes(), input);
        let _ = proof.includes(&ledger::leaf_hash(input));
    }
}

/// A verifier key as the recovery sheet prints it.
pub fn verifier_key(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(key) = ledger::parse_verifier_key(text) {
        assert_eq!(key.encode(), text);
    }
}

/// The bytes of an entry.
pub fn entry(input: &[u8]) {
    if let Ok(entry) = ledger::parse_entry(input) {
        assert_eq!(entry.to_entry().encode(), input);
    }
}

/// A tile of the tree.
pub fn tile(input: &[u8]) {
    if let Ok(hashes) = ledger::parse_tile(input) {
        assert_eq!(hashes.len() * 32, input.len());
    }
}

/// A downloaded log. Nobody's key is trusted, so nothing that is made up may come out as intact and anchored.
pub fn export(input: &[u8]) {
    let _ = ledger::parse_export_header(input);
    let report = ledger::verify_export(input, &ledger::Trust::default()).expect("a slice can be read");
    assert!(report.anchored.is_none(), "{report:?}");
    for finding in &report.findings {
        assert!(!finding.text.ja.is_empty() && !finding.text.en.is_empty());
    }
}

/// Host names, origins, and the parts of addresses that are carried through a sign-in.
pub fn host(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(authority) = names::parse(&text) {
        let again = names::name(&authority.host).expect("a name that was accepted is one");
        assert_eq!(again, authority.host);
        assert!(authority.host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b)));
    }
    if let Some(origin) = Origin::parse(&text) {
        assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
    }
    let path = names::local_path(&text);
    assert!(path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']));
    let _ = names::query_value(&text, "path");
}

/// Ids, times and zones.
pub fn words(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(id) = text.parse::<EntryId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Some(zone) = Zone::parse(&text) {
        assert_eq!(Zone::parse(zone.name()).map(|z| z.name().to_owned()), Some(zone.name().to_owned()));
    }
    if let Some(time) = Time::parse_rfc3339(&text) {
        assert_eq!(Time::parse_rfc3339(&time.rfc3339()), Some(time));
    }
}

/// A piece of evidence as it lies in the ledger: signed by a key that the input does not have.
pub fn evidence(input: &[u8]) {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(input) else { return };
    assert!(envelope.open(&[7; 32]).is_none(), "evidence that nobody signed");
    let written = serde_json::to_vec(&envelope).expect("it can be written");
    let again: Envelope = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(serde_json::to_vec(&again).expect("it can be written"), written);
}

/// A route's body or form, checked against its shape: the first line names the route. What is accepted is accepted again.
pub fn input(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (name, body) = text.split_once('\n').unwrap_or(("createSite", &text));
    let all = routes();
    let route = all.iter().find(|r| r.name == name).unwrap_or(&all[name.len() % all.len()]);
    for shape in [route.body, route.query].into_iter().flatten() {
        if let Ok(read) = shape.json(body.as_bytes()) {
            let written = serde_json::to_vec(&read).expect("it can be written");
            assert_eq!(shape.json(&written).ok(), Some(read), "{name}: {body}");
        }
        let decoded = |part: &str| percent::decode(part).unwrap_or_else(|| part.to_owned());
        let pairs: Vec<(String, String)> = body
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        if let Ok(read) = shape.pairs(&pairs) {
            let written = serde_json::to_vec(&read).expect("it can be written");
            assert!(shape.json(&written).is_ok(), "a form may say what a body may not: {name}: {body}");
        }
    }
}

/// Somebody as a provisioning client knows them.
fn provisioned() -> scim::Resource {
    let value = json!({
        "id": "usr_01a203baed7576b7ae94e9addb9a46de", "userName": "taro", "externalId": "E1", "active": true, "title": "Manager",
        "name": {"familyName": "山田", "givenName": "太郎"},
        "emails": [{"value": "w@example.jp", "type": "work", "primary": true}, {"value": "h@example.jp", "type": "home"}],
        "meta": {"created": "2026-04-01T00:00:00Z", "lastModified": "2026-05-13T04:42:34Z"},
        scim::schema::ENTERPRISE_URI: {"department": "QA", "manager": {"value": "usr_2"}},
    });
    value.as_object().cloned().expect("an object")
}

/// A filter or a path of SCIM. What an index is asked for is what every match has.
pub fn scim_filter(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let person = provisioned();
    for kind in scim::schema::TYPES {
        let _ = scim::filter::path(kind, &text);
        let Ok(read) = scim::filter::filter(kind, &text) else { continue };
        let matches = read.matches(&person);
        assert_eq!(Filter::Not(Box::new(read.clone())).matches(&person), !matches);
        if let (true, Some(equalities)) = (matches, read.equalities()) {
            let equals = |(place, text): &(Place, &str)| {
                Filter::Compare(*place, Operator::Eq, Literal::Text((*text).to_owned())).matches(&person)
            };
            assert!(equalities.iter().any(equals), "an index would not find {text}");
        }
    }
}

/// A PATCH request of SCIM, or a resource. What comes of it is taken again as it is.
pub fn scim_patch(input: &[u8]) {
    let Ok(body) = serde_json::from_slice(input) else { return };
    let users = &scim::schema::USERS;
    let again = |resource: scim::Resource| {
        let mut ignored = scim::value::Ignored::default();
        let taken = scim::value::resource(users, &Value::Object(resource.clone()), &mut ignored);
        let mut without = resource;
        for name in ["id", "meta", "groups", "schemas"] {
            without.remove(name);
        }
        assert_eq!(taken.expect("what was written is read"), without);
    };
    if let Ok(read) = scim::value::resource(users, &body, &mut scim::value::Ignored::default()) {
        again(read);
    }
    if let Ok(operations) = scim::patch::operations(users, &body) {
        let mut person = provisioned();
        if scim::patch::apply(users, &mut person, &operations, &mut scim::value::Ignored::default()).is_ok() {
            again(person);
        }
    }
}

/// What a server answers to the prober's hello. What is clear from a part stays so with more of it.
pub fn server_hello(input: &[u8]) {
    let whole = hello::answer(input, true).expect("a closed connection is an answer");
    if let Some(part) = hello::answer(&input[..input.len() / 2], false)
        && let HelloAnswer::Refused(Some(_)) = part
    {
        assert_eq!(hello::answer(input, false), Some(part));
    }
    assert!(!matches!(whole, HelloAnswer::Accepted { version, .. } if version < 0x0300 && input.is_empty()));
}

const PASSKEY_RP: &str = "acme.console.localhost";

/// The relying party's hash in authenticator data.
pub fn passkey_rp_hash() -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, PASSKEY_RP.as_bytes());
    digest.as_ref().try_into().expect("32 bytes")
}

/// What an authenticator and its browser say, each part as hostile as the next. A registration that is accepted has a key that
/// is read again; nobody's assertion is accepted, since the bytes hold no signature.
pub fn passkey(input: &[u8]) {
    let origin = format!("https://{PASSKEY_RP}");
    let challenge = [0; 32];
    let expected = Expected { rp_id: PASSKEY_RP, origin: &origin, challenge: &challenge };
    let data = serde_json::json!({
        "type": "webauthn.create",
        "challenge": base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, challenge),
        "origin": origin,
        "crossOrigin": false,
    });
    let client = data.to_string().into_bytes();
    for demand in [Demand::Nothing, Demand::Statement, Demand::Chain(&[], 1_800_000_000)] {
        if let Ok(made) = webauthn::registration(&expected, demand, &client, input) {
            assert!(matches!(demand, Demand::Nothing), "no statement can be right");
            assert!((1..=webauthn::LONGEST_ID).contains(&made.id.len()));
            assert!(webauthn::ALGORITHMS.contains(&Key::whole(&made.key).expect("the key is read again").algorithm()));
            assert!(made.backup_eligible || !made.backed_up);
        }
        assert!(webauthn::registration(&expected, demand, input, input).is_err());
    }
    if let Ok(key) = Key::whole(input) {
        assert!(!key.verifies(b"message", input));
    }
    let used = String::from_utf8_lossy(&client).replace("webauthn.create", "webauthn.get").into_bytes();
    let key = Key::EdDsa([9; 32]);
    for eligible in [false, true] {
        assert!(webauthn::assertion(&expected, &key, eligible, &used, input, input).is_err());
        assert!(webauthn::assertion(&expected, &key, eligible, input, &passkey_rp_hash(), input).is_err());
    }
}
