//! Encrypted names in logout requests: what opens, and every one that does not.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey},
    rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::ProblemKind;
use sekisho_saml::{LogoutMessage, Rules, problems::*};

use crate::{
    forge::*,
    logout::{by_form, by_query, canonical_request, deflated, query, request},
};

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";

/// The parts of an encrypted name that an attack may change.
struct Sealing {
    plain: String,
    kind: &'static str,
    content: &'static str,
    transport: &'static str,
    more: &'static str,
    by: &'static OaepAlgorithm,
    cipher: &'static Algorithm,
    key: Vec<u8>,
    recipients: Vec<&'static str>,
    cut: usize,
}

impl Sealing {
    fn of(plain: &str) -> Self {
        Self {
            plain: plain.into(),
            kind: ELEMENT,
            content: GCM,
            transport: MGF1P,
            more: "",
            by: &OAEP_SHA1_MGF1SHA1,
            cipher: &AES_256_GCM,
            key: vec![7; 32],
            recipients: vec![fixture!("sp.pk8.b64")],
            cut: 0,
        }
    }

    fn wrapped(&self, recipient: &str) -> String {
        let pair = PrivateDecryptingKey::from_pkcs8(&STANDARD.decode(recipient).unwrap()).unwrap();
        let public = OaepPublicEncryptingKey::new(pair.public_key()).unwrap();
        let mut out = vec![0; public.ciphertext_size()];
        let n = public.encrypt(self.by, &self.key, &mut out, None).unwrap().len();
        out.truncate(n);
        STANDARD.encode(out)
    }

    /// `EncryptedID` in canonical form.
    fn sealed(&self) -> String {
        let mut body = self.plain.clone().into_bytes();
        let iv = [9; 12];
        let key = LessSafeKey::new(UnboundKey::new(self.cipher, &vec![7; self.cipher.key_len()]).unwrap());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut body).unwrap();
        let whole = [iv.as_slice(), &body].concat();
        let value = STANDARD.encode(&whole[..whole.len() - self.cut]);
        let method = |uri: &str, more: &str| {
            format!("<xenc:EncryptionMethod Algorithm=\"{uri}\">{more}</xenc:EncryptionMethod>")
        };
        let cipher =
            |value: &str| format!("<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>");
        let keys: String = self
            .recipients
            .iter()
            .map(|to| {
                let inner = method(self.transport, self.more) + &cipher(&self.wrapped(to));
                format!("<xenc:EncryptedKey>{inner}</xenc:EncryptedKey>")
            })
            .collect();
        format!(
            "<saml:EncryptedID><xenc:EncryptedData xmlns:xenc=\"{XENC}\" Type=\"{}\">{}<ds:KeyInfo \
             xmlns:ds=\"{DS}\">{keys}</ds:KeyInfo>{}</xenc:EncryptedData></saml:EncryptedID>",
            self.kind,
            method(self.content, ""),
            cipher(&value),
        )
    }
}

fn name() -> String {
    format!("<saml:NameID xmlns:saml=\"{SAML}\" Format=\"urn:x\">yamada</saml:NameID>")
}

fn with(change: impl FnOnce(&mut Sealing)) -> String {
    let mut sealing = Sealing::of(&name());
    change(&mut sealing);
    sealing.sealed()
}

/// A signed query whose name is `written`.
fn asking(written: &str) -> String {
    let whole = swap(&request(), "<saml:NameID>yamada</saml:NameID>", written);
    query(&deflated(&whole), &Pen::idp(), None, RSA_SHA256)
}

/// The same by a form, signed within.
fn posting(written: &str) -> String {
    let declared = written.replacen("<saml:EncryptedID", &format!("<saml:EncryptedID xmlns:saml=\"{SAML}\""), 1);
    let plain = format!("<saml:NameID xmlns:saml=\"{SAML}\">yamada</saml:NameID>");
    Signing::of("_l1").put(&swap(&canonical_request(), &plain, &declared))
}

#[test]
fn a_name_encrypted_to_one_of_our_keys_is_read() {
    let other = fixture!("idp-next.pk8.b64");
    for (what, written) in [
        ("as everybody does", Sealing::of(&name()).sealed()),
        (
            "with SHA-256",
            with(|s| {
                (s.transport, s.by) = ("http://www.w3.org/2009/xmlenc11#rsa-oaep", &OAEP_SHA256_MGF1SHA256);
                s.more = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">\
                          </ds:DigestMethod><e:MGF xmlns:e=\"http://www.w3.org/2009/xmlenc11#\" \
                          Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"></e:MGF>";
            }),
        ),
        (
            "with AES-128",
            with(|s| {
                (s.content, s.cipher, s.key) =
                    ("http://www.w3.org/2009/xmlenc11#aes128-gcm", &AES_128_GCM, vec![7; 16]);
            }),
        ),
        ("beside another recipient", with(|s| s.recipients.insert(0, other))),
        ("with the prefix that is in scope", with(|s| s.plain = swap(&name(), &format!(" xmlns:saml=\"{SAML}\""), ""))),
        ("with a comment in it", with(|s| s.plain = swap(&name(), ">yamada", ">yama<!-- -->da"))),
    ] {
        let by_query = by_query(&asking(&written), now()).expect(what);
        let by_form = by_form(&posting(&written), now()).expect(what);
        for read in [by_query, by_form] {
            assert_eq!(
                (read.name_id.value.as_str(), read.name_id.format.as_deref()),
                ("yamada", Some("urn:x")),
                "{what}"
            );
        }
    }
    // A key that is no longer offered opens until it is taken away.
    let old = with(|s| s.recipients = vec![other]);
    let query = asking(&old);
    let message = LogoutMessage::Redirect(&query);
    assert!(sp().logout_request(&idp(), message, &Rules::default(), now()).unwrap_err().is(&DECRYPTION));
    let both = sp().opening_too(vec![credential(other, fixture!("idp-next.crt.b64"))]).unwrap();
    assert_eq!(both.logout_request(&idp(), message, &Rules::default(), now()).unwrap().name_id.value, "yamada");
}

#[test]
fn every_attack_on_an_encrypted_name_is_refused() {
    let good = Sealing::of(&name()).sealed();
    let inside = |from: &str, to: &str| with(|s| s.plain = swap(&name(), from, to));
    let other = fixture!("idp-next.pk8.b64");
    let nested =
        format!("<saml:EncryptedID xmlns:saml=\"{SAML}\"><saml:NameID>yamada</saml:NameID></saml:EncryptedID>");
    let cases: Vec<(&str, String, &'static ProblemKind)> = vec![
        ("content-cbc", with(|s| s.content = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"), &ALGORITHM),
        ("content-triple-des", with(|s| s.content = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"), &ALGORITHM),
        ("transport-pkcs1", with(|s| s.transport = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"), &ALGORITHM),
        ("transport-none", with(|s| s.transport = ""), &SHAPE),
        ("key-of-another", with(|s| s.recipients = vec![other]), &DECRYPTION),
        ("key-short", with(|s| s.key = vec![7; 16]), &DECRYPTION),
        ("key-wrong", with(|s| s.key = vec![8; 32]), &DECRYPTION),
        ("cut-by-one", with(|s| s.cut = 1), &DECRYPTION),
        ("cut-to-nothing", with(|s| s.cut = s.plain.len() + 20), &DECRYPTION),
        ("recipients-none", with(|s| s.recipients.clear()), &SHAPE),
        ("recipients-many", with(|s| s.recipients = vec![other; 5]), &SHAPE),
        ("kind-content", with(|s| s.kind = "http://www.w3.org/2001/04/xmlenc#Content"), &SHAPE),
        (
            "reference",
            swap(
                &good,
                "<xenc:CipherValue>",
                "<xenc:CipherReference URI=\"https://evil.example/\"/><xenc:CipherValue>",
            ),
            &SHAPE,
        ),
        ("stranger", swap(&good, "<saml:EncryptedID>", "<saml:EncryptedID><x></x>"), &SHAPE),
        ("twice", good.repeat(2), &SHAPE),
        ("beside-a-plain-one", format!("<saml:NameID>admin</saml:NameID>{good}"), &SHAPE),
        ("none", String::new(), &SHAPE),
        ("empty", "<saml:EncryptedID></saml:EncryptedID>".into(), &SHAPE),
        ("plain-within", "<saml:EncryptedID><saml:NameID>yamada</saml:NameID></saml:EncryptedID>".into(), &SHAPE),
        ("holds-an-assertion", with(|s| s.plain = assertion()), &SHAPE),
        ("holds-another", with(|s| s.plain = nested), &SHAPE),
        ("holds-a-base-id", with(|s| s.plain = name().replace("NameID", "BaseID")), &SHAPE),
        ("holds-a-stranger's-name", inside(SAML, "urn:evil"), &SHAPE),
        ("holds-a-name-with-a-child", inside(">yamada", "><x></x>yamada"), &SHAPE),
        ("holds-an-empty-name", inside(">yamada<", "><"), &SUBJECT),
        ("holds-white-space", inside(">yamada<", "> yamada<"), &SUBJECT),
        ("holds-two", with(|s| s.plain = name().repeat(2)), &UNREADABLE),
        ("holds-text", with(|s| s.plain = "yamada".into()), &UNREADABLE),
        ("holds-nothing", with(|s| s.plain = String::new()), &UNREADABLE),
        ("holds-a-doctype", with(|s| s.plain = format!("<!DOCTYPE x>{}", name())), &DOCTYPE),
        ("holds-an-entity", inside(">yamada<", ">&x;<"), &DOCTYPE),
        ("holds-a-prefix-of-nobody", with(|s| s.plain = "<q:NameID>yamada</q:NameID>".into()), &UNREADABLE),
        ("holds-depth", inside(">yamada<", &format!(">{}{}<", "<x>".repeat(30), "</x>".repeat(30))), &TOO_LARGE),
    ];
    let mut all = String::new();
    for (name, written, kind) in cases {
        let problem = by_query(&asking(&written), now()).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
        all.push_str(&told(name, &problem));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn nothing_is_opened_that_the_provider_has_not_signed() {
    let good = Sealing::of(&name()).sealed();
    // One that would not open either: the signature is what is told.
    let closed = with(|s| s.cut = 1);
    for written in [&good, &closed] {
        let whole = asking(written);
        let unsigned = whole.split("&SigAlg").next().unwrap();
        assert!(by_query(unsigned, now()).unwrap_err().is(&UNSIGNED));
        let message = swap(&request(), "<saml:NameID>yamada</saml:NameID>", written);
        let foreign = query(&deflated(&message), &Pen::attacker(), None, RSA_SHA256);
        assert!(by_query(&foreign, now()).unwrap_err().is(&SIGNATURE));
    }
    // Another name that somebody has encrypted, for everybody has our certificate.
    let admin = with(|s| s.plain = swap(&name(), ">yamada<", ">admin<"));
    let value =
        |sealed: &str| sealed.rsplit("<xenc:CipherValue>").next().unwrap().split('<').next().unwrap().to_owned();
    let replaced = swap(&posting(&good), &value(&good), &value(&admin));
    assert!(by_form(&replaced, now()).unwrap_err().is(&DIGEST));
}
