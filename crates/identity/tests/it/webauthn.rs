//! The two ceremonies against an authenticator in software: what honest ones send passes, each difference is refused for its
//! own reason.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use sekisho_identity::webauthn::{Attestation, Demand, Expected, Key, Refused, Registered, assertion, registration};
use sekisho_testkit::{Algorithm, Authenticator, Statement, Twist};
use serde_json::{Value, json};

const RP: &str = "acme.console.localhost";
const ORIGIN: &str = "https://acme.console.localhost:8443";
const CHALLENGE: [u8; 32] = [7; 32];
const EXPECTED: Expected<'static> = Expected { rp_id: RP, origin: ORIGIN, challenge: &CHALLENGE };

fn creation() -> Value {
    json!({ "challenge": B64.encode(CHALLENGE), "rp": { "id": RP }, "user": { "id": B64.encode([9; 16]) } })
}

fn request() -> Value {
    json!({ "challenge": B64.encode(CHALLENGE), "rpId": RP })
}

fn part(response: &Value, name: &str) -> Vec<u8> {
    B64.decode(response["response"][name].as_str().expect("a part")).expect("base64url")
}

fn register(response: &Value, demand: Demand<'_>) -> Result<Registered, Refused> {
    registration(&EXPECTED, demand, &part(response, "clientDataJSON"), &part(response, "attestationObject"))
}

fn registered(authenticator: &mut Authenticator) -> Registered {
    register(&authenticator.create(&creation(), ORIGIN), Demand::Nothing).expect("registered")
}

fn assert(made: &Registered, response: &Value) -> Result<u32, Refused> {
    let key = Key::whole(&made.key).expect("a key");
    let (data, auth) = (part(response, "clientDataJSON"), part(response, "authenticatorData"));
    let done = assertion(&EXPECTED, &key, made.backup_eligible, &data, &auth, &part(response, "signature"));
    done.map(|a| a.sign_count)
}

#[test]
fn every_algorithm_registers_and_signs() {
    for (algorithm, cose) in [(Algorithm::Es256, -7), (Algorithm::EdDsa, -8), (Algorithm::Rs256, -257)] {
        let mut authenticator = Authenticator { algorithm, aaguid: [3; 16], ..Authenticator::default() };
        let made = registered(&mut authenticator);
        assert_eq!((made.aaguid, made.attestation, made.sign_count), ([3; 16], Attestation::None, 0));
        assert_eq!(made.id, authenticator.credentials[0].id);
        assert_eq!(Key::whole(&made.key).expect("a key").algorithm(), cose);
        for count in 1..3 {
            assert_eq!(assert(&made, &authenticator.get(&request(), ORIGIN)), Ok(count));
        }
    }
}

/// The attacks that both ceremonies have in common, with the reason that the history tells.
fn common() -> Vec<(&'static str, Twist)> {
    let t = Twist::default;
    vec![
        ("challenge", Twist { challenge: Some(B64.encode([8; 32])), ..t() }),
        ("challenge", Twist { challenge: Some(String::new()), ..t() }),
        ("challenge", Twist { challenge: Some(B64.encode(CHALLENGE) + "="), ..t() }),
        ("origin", Twist { origin: Some("https://acme.console.localhost"), ..t() }),
        ("origin", Twist { origin: Some("http://acme.console.localhost:8443"), ..t() }),
        ("origin", Twist { origin: Some("https://acme.console.localhost:8443/"), ..t() }),
        ("origin", Twist { origin: Some("https://ACME.console.localhost:8443"), ..t() }),
        ("origin", Twist { origin: Some("https://evil.acme.console.localhost:8443"), ..t() }),
        ("origin", Twist { origin: Some("https://acme.app.localhost:8443"), ..t() }),
        ("origin", Twist { origin: Some("android:apk-key-hash:AAAA"), ..t() }),
        ("cross-origin", Twist { cross_origin: Some(json!(true)), ..t() }),
        ("cross-origin", Twist { top_origin: Some("https://evil.example"), ..t() }),
        ("client-data", Twist { cross_origin: Some(json!("false")), ..t() }),
        ("client-data", Twist { more: r#","origin":"https://acme.console.localhost:8443""#, ..t() }),
        ("client-data", Twist { more: "}{", ..t() }),
        ("rp-id", Twist { rp_id: Some("acme.app.localhost"), ..t() }),
        ("rp-id", Twist { rp_id: Some("console.localhost"), ..t() }),
    ]
}

#[test]
fn a_registration_that_differs_is_refused() {
    let t = Twist::default;
    let key = |hex: &str| Some(hex::decode(hex).expect("hex"));
    let point = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    let mut twists = common();
    twists.extend([
        ("type", Twist { kind: Some("webauthn.get"), ..t() }),
        ("type", Twist { kind: Some("payment.get"), ..t() }),
        ("user-presence", Twist { flags: Some(0b0100_0100), ..t() }),
        ("user-verification", Twist { flags: Some(0b0100_0001), ..t() }),
        ("backup-flags", Twist { flags: Some(0b0101_0101), ..t() }),
        ("trailing-bytes", Twist { trailing: vec![0], ..t() }),
        ("trailing-bytes", Twist { trailing: vec![0xa0], ..t() }),
        ("trailing-bytes", Twist { behind: vec![0], ..t() }),
        // Without AT the credential is so many bytes left over; with ED and no extensions, something is missing.
        ("trailing-bytes", Twist { flags: Some(0b0000_0101), ..t() }),
        ("cbor", Twist { flags: Some(0b1100_0101), ..t() }),
        ("authenticator-data", Twist { flags: Some(0b1100_0101), trailing: vec![0], ..t() }),
        ("trailing-bytes", Twist { flags: Some(0b1100_0101), trailing: vec![0xa0, 0], ..t() }),
        ("algorithm", Twist { key: Some(vec![0xa0]), ..t() }),
        // ES384, P-384 under ES256, ES256 with another kind of key.
        ("algorithm", Twist { key: key("a301020338222002"), ..t() }),
        ("algorithm", Twist { key: key("a301020326 2002".replace(' ', "").as_str()), ..t() }),
        ("algorithm", Twist { key: key("a3010103262001"), ..t() }),
        // No coordinates, a short one, another member, members out of order.
        ("public-key", Twist { key: key("a3010203262001"), ..t() }),
        ("public-key", Twist { key: key(&format!("a5010203262001215820{point}225800").replace("5800", "40")), ..t() }),
        (
            "public-key",
            Twist {
                key: key(&format!("a601020326040020 01215820{point}225820{point}")
                    .replace(' ', "")
                    .replace("0400", "0480")),
                ..t()
            },
        ),
        ("cbor-order", Twist { key: key("a503020126"), ..t() }),
    ]);
    for (reason, twist) in twists {
        let response = Authenticator::default().create_with(&creation(), ORIGIN, &twist);
        assert_eq!(register(&response, Demand::Nothing).err(), Some(Refused(reason)), "{twist:?}");
    }
}

#[test]
fn an_assertion_that_differs_is_refused() {
    let t = Twist::default;
    let mut twists = common();
    twists.extend([
        ("type", Twist { kind: Some("webauthn.create"), ..t() }),
        ("user-presence", Twist { flags: Some(0b0000_0100), ..t() }),
        ("user-verification", Twist { flags: Some(0b0000_0001), ..t() }),
        ("user-presence", Twist { flags: Some(0), ..t() }),
        ("backup-flags", Twist { flags: Some(0b0001_0101), ..t() }),
        ("backup-eligibility", Twist { flags: Some(0b0000_1101), ..t() }),
        ("backup-eligibility", Twist { flags: Some(0b0001_1101), ..t() }),
        ("trailing-bytes", Twist { trailing: vec![0], ..t() }),
        ("trailing-bytes", Twist { flags: Some(0b1000_0101), trailing: vec![0xa0, 0], ..t() }),
        ("authenticator-data", Twist { flags: Some(0b0100_0101), ..t() }),
        ("signature", Twist { spoilt: true, ..t() }),
    ]);
    for (reason, twist) in twists {
        let mut authenticator = Authenticator::default();
        let made = registered(&mut authenticator);
        let response = authenticator.get_with(&request(), ORIGIN, &twist);
        assert_eq!(assert(&made, &response), Err(Refused(reason)), "{twist:?}");
    }
}

#[test]
fn parts_of_two_answers_do_not_fit_together() {
    let mut authenticator = Authenticator::default();
    let made = registered(&mut authenticator);
    let first = authenticator.get(&request(), ORIGIN);
    let second = authenticator.get(&request(), ORIGIN);
    assert!(assert(&made, &first).is_ok() && assert(&made, &second).is_ok());
    for name in ["signature", "authenticatorData"] {
        let mut mixed = first.clone();
        mixed["response"][name] = second["response"][name].clone();
        assert_eq!(assert(&made, &mixed), Err(Refused("signature")), "{name}");
    }
    let mut altered = first.clone();
    let data = String::from_utf8(part(&first, "clientDataJSON")).expect("text");
    altered["response"]["clientDataJSON"] = json!(B64.encode(data.replace(":false", ": false")));
    assert_eq!(assert(&made, &altered), Err(Refused("signature")), "the same data, spelt differently");
    let other = registered(&mut Authenticator::default());
    assert_eq!(assert(&other, &first), Err(Refused("signature")), "another credential's key");
}

#[test]
fn backup_eligibility_never_changes_and_backup_may() {
    let mut synced = Authenticator { flags: 0b0001_1101, ..Authenticator::default() };
    let made = registered(&mut synced);
    assert!(made.backup_eligible && made.backed_up);
    synced.flags = 0b0000_1101;
    assert!(assert(&made, &synced.get(&request(), ORIGIN)).is_ok());
    synced.flags = 0b0000_0101;
    assert_eq!(assert(&made, &synced.get(&request(), ORIGIN)), Err(Refused("backup-eligibility")));
}

#[test]
fn huge_inputs_are_refused_before_they_are_read() {
    let mut authenticator = Authenticator::default();
    let response = authenticator.create(&creation(), ORIGIN);
    let (data, object) = (part(&response, "clientDataJSON"), part(&response, "attestationObject"));
    let made = registration(&EXPECTED, Demand::Nothing, &data, &object).expect("registered");
    let padded = [&data[..], &vec![b' '; 5_000]].concat();
    assert_eq!(registration(&EXPECTED, Demand::Nothing, &padded, &object), Err(Refused("client-data")));
    let huge = [&object[..], &vec![0; 40_000]].concat();
    assert_eq!(registration(&EXPECTED, Demand::Nothing, &data, &huge), Err(Refused("attestation-object")));
    let deep = vec![0x81; 30_000];
    assert_eq!(registration(&EXPECTED, Demand::Nothing, &data, &deep), Err(Refused("cbor")));
    let used = authenticator.get(&request(), ORIGIN);
    let (data, auth) = (part(&used, "clientDataJSON"), part(&used, "authenticatorData"));
    let key = Key::whole(&made.key).expect("a key");
    let long = [&auth[..], &vec![0; 4_000]].concat();
    let refused = Err(Refused("authenticator-data"));
    assert_eq!(assertion(&EXPECTED, &key, false, &data, &long, &[]), refused);
    assert_eq!(assertion(&EXPECTED, &key, false, &data, &auth, &vec![0; 600]), refused);
    assert_eq!(assertion(&EXPECTED, &key, false, &data, &[], &[]), refused);
    for cut in 0..auth.len() {
        assert!(assertion(&EXPECTED, &key, false, &data, &auth[..cut], &part(&used, "signature")).is_err());
    }
}

// --- attestation

/// A maker of authenticators.
pub struct Maker {
    root: CertifiedIssuer<'static, KeyPair>,
}

/// How a maker's certificate differs from a right one.
#[derive(Default)]
pub struct Slip {
    unit: Option<&'static str>,
    country: Option<&'static str>,
    authority: bool,
    model: Option<[u8; 16]>,
    critical: bool,
    old: bool,
    usage: bool,
}

impl Maker {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Test authenticator root");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().expect("a key");
        Self { root: CertifiedIssuer::self_signed(params, key).expect("a root") }
    }

    pub fn leaf(&self, model: [u8; 16], slip: &Slip) -> Statement {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::CountryName, slip.country.unwrap_or("JP"));
        name.push(DnType::OrganizationName, "Test maker");
        name.push(DnType::OrganizationalUnitName, slip.unit.unwrap_or("Authenticator Attestation"));
        name.push(DnType::CommonName, "Test authenticator");
        params.is_ca = if slip.authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
        let value = [&[4, 16][..], &slip.model.unwrap_or(model)].concat();
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 45724, 1, 1, 4], value);
        extension.set_criticality(slip.critical);
        params.custom_extensions.push(extension);
        if slip.old {
            (params.not_before, params.not_after) = (date_time_ymd(2010, 1, 1), date_time_ymd(2012, 1, 1));
        }
        if slip.usage {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        let leaf = params.signed_by(&key, &self.root).expect("a certificate");
        Statement::Certificate(vec![leaf.der().to_vec()], key.serialize_der())
    }

    pub fn pem(&self) -> String {
        self.root.pem()
    }

    fn roots(&self) -> Vec<Vec<u8>> {
        vec![self.root.der().to_vec()]
    }
}

fn stated(statement: Statement, twist: &Twist) -> Value {
    let mut authenticator = Authenticator { aaguid: [5; 16], statement, ..Authenticator::default() };
    authenticator.create_with(&creation(), ORIGIN, twist)
}

const NOW: u64 = 1_800_000_000;

#[test]
fn a_packed_statement_is_verified_to_its_root() {
    let (maker, stranger) = (Maker::new(), Maker::new());
    let (roots, others) = (maker.roots(), stranger.roots());
    let plain = Twist::default();
    let attestation = |r: Result<Registered, Refused>| r.map(|m| m.attestation);
    let own = || stated(Statement::Own, &plain);
    assert_eq!(attestation(register(&own(), Demand::Statement)), Ok(Attestation::Own));
    assert_eq!(attestation(register(&own(), Demand::Nothing)), Ok(Attestation::Own));
    let chained = || stated(maker.leaf([5; 16], &Slip::default()), &plain);
    assert_eq!(attestation(register(&chained(), Demand::Nothing)), Ok(Attestation::Certificate));
    assert_eq!(attestation(register(&chained(), Demand::Statement)), Ok(Attestation::Certificate));
    assert_eq!(attestation(register(&chained(), Demand::Chain(&roots, NOW))), Ok(Attestation::Trusted));
    let untrusted = Err(Refused("attestation-untrusted"));
    assert_eq!(attestation(register(&chained(), Demand::Chain(&others, NOW))), untrusted);
    assert_eq!(attestation(register(&chained(), Demand::Chain(&[], NOW))), untrusted);
    assert_eq!(attestation(register(&own(), Demand::Chain(&roots, NOW))), untrusted);
    let other = stated(maker.leaf([5; 16], &Slip { old: true, ..Slip::default() }), &plain);
    assert_eq!(attestation(register(&other, Demand::Chain(&roots, NOW))), untrusted);
    let other = stated(maker.leaf([5; 16], &Slip { usage: true, ..Slip::default() }), &plain);
    assert_eq!(attestation(register(&other, Demand::Chain(&roots, NOW))), untrusted);
}

#[test]
fn what_the_policy_wants_is_not_got_around() {
    let plain = Twist::default();
    for statement in [Statement::None, Statement::Other("fido-u2f"), Statement::Other("apple"), Statement::Other("")] {
        let response = stated(statement, &plain);
        assert!(register(&response, Demand::Nothing).is_ok());
        let refused = Some(Refused("attestation-format"));
        assert_eq!(register(&response, Demand::Statement).err(), refused);
        assert_eq!(register(&response, Demand::Chain(&[], NOW)).err(), refused);
    }
    // A statement that is there must be right, wanted or not.
    let broken = Some(Refused("attestation"));
    for demand in [Demand::Nothing, Demand::Statement] {
        for twist in [
            Twist { spoilt: true, ..Twist::default() },
            Twist { algorithm: Some(-257), ..Twist::default() },
            Twist { algorithm: Some(-65535), ..Twist::default() },
        ] {
            assert_eq!(register(&stated(Statement::Own, &twist), demand).err(), broken, "{twist:?}");
            let maker = Maker::new();
            let response = stated(maker.leaf([5; 16], &Slip::default()), &twist);
            assert_eq!(register(&response, demand).err(), broken, "{twist:?}");
        }
    }
    assert_eq!(register(&stated(Statement::Other("packed"), &plain), Demand::Nothing).err(), broken);
    let maker = Maker::new();
    for slip in [
        Slip { unit: Some("Web Server"), ..Slip::default() },
        Slip { country: Some("Japan"), ..Slip::default() },
        Slip { authority: true, ..Slip::default() },
        Slip { model: Some([6; 16]), ..Slip::default() },
    ] {
        let response = stated(maker.leaf([5; 16], &slip), &plain);
        let refused = register(&response, Demand::Statement).err();
        assert_eq!(refused, Some(Refused("attestation-certificate")));
    }
    // A critical extension is one that must be understood.
    let response = stated(maker.leaf([5; 16], &Slip { critical: true, ..Slip::default() }), &plain);
    assert!(register(&response, Demand::Statement).is_err());
}
