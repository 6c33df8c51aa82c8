//! An identity provider for tests that knows nothing of the code under test: it writes canonical text by hand, digests that text, and
//! signs it. Attackers get the same pen.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{Problem, Secret, Time};
use sekisho_saml::{
    Accepted, Binding, Certificate, Credential, Endpoint, IdentityProvider, Pending, Received, Rules, ServiceProvider,
    SignedIn,
};
use sha2::{Digest, Sha256};

pub const IDP: &str = "https://idp.example.test/metadata";
pub const SP: &str = "https://sp.example.test/saml";
pub const ACS: &str = "https://sp.example.test/saml/acs";
pub const SLO: &str = "https://sp.example.test/saml/slo";
pub const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub const EXC: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// The forged messages' moment.
pub fn now() -> Time {
    Time::parse_rfc3339("2026-11-22T09:00:00Z").unwrap()
}

macro_rules! fixture {
    ($name:expr) => {
        include_str!(concat!("../fixtures/", $name))
    };
}
pub(crate) use fixture;

fn pkcs8(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

pub fn credential(key: &str, certificate: &str) -> Credential {
    Credential::new(&Secret::new(pkcs8(key)), Certificate::from_base64(certificate).unwrap()).unwrap()
}

pub fn sp() -> ServiceProvider {
    let own = || credential(fixture!("sp.pk8.b64"), fixture!("sp.crt.b64"));
    ServiceProvider::new(SP, ACS, Some(SLO), vec![own()], vec![own()]).unwrap()
}

pub fn idp() -> IdentityProvider {
    let at = |binding, location: &str, response: &str| Endpoint {
        binding,
        location: location.into(),
        response: response.into(),
    };
    IdentityProvider {
        entity_id: IDP.into(),
        signing: vec![Certificate::from_base64(fixture!("idp.crt.b64")).unwrap()],
        sign_on: vec![
            at(Binding::Redirect, "https://idp.example.test/sso", "https://idp.example.test/sso"),
            at(Binding::Post, "https://idp.example.test/sso", "https://idp.example.test/sso"),
        ],
        logout: vec![at(Binding::Redirect, "https://idp.example.test/slo", "https://idp.example.test/slo")],
        valid_until: None,
        wants_signed: true,
    }
}

pub fn pending(at: Time) -> Pending {
    Pending {
        id: "_request-1".into(),
        issuer: IDP.into(),
        acs: ACS.into(),
        issued: at.minus(std::time::Duration::from_secs(60)),
        until: at.plus(std::time::Duration::from_secs(600)),
        force: false,
        relay_state: None,
    }
}

/// A private key that signs whatever it is given.
pub struct Pen(RsaKeyPair);

impl Pen {
    pub fn idp() -> Self {
        Self(RsaKeyPair::from_pkcs8(&pkcs8(fixture!("idp.pk8.b64"))).unwrap())
    }
    pub fn attacker() -> Self {
        Self(RsaKeyPair::from_pkcs8(&pkcs8(fixture!("idp-next.pk8.b64"))).unwrap())
    }
    pub fn sign(&self, text: &str) -> String {
        let mut out = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut out).unwrap();
        STANDARD.encode(out)
    }
}

/// The parts of a signature that an attack may change.
pub struct Signing {
    pub pen: Pen,
    pub method: &'static str,
    pub digest_method: &'static str,
    pub canonicalization: String,
    pub transforms: String,
    pub uri: String,
    pub key_info: String,
}

impl Signing {
    pub fn of(id: &str) -> Self {
        Self {
            pen: Pen::idp(),
            method: RSA_SHA256,
            digest_method: SHA256,
            canonicalization: format!("<ds:CanonicalizationMethod Algorithm=\"{EXC}\"></ds:CanonicalizationMethod>"),
            transforms: transform(ENVELOPED) + &transform(EXC),
            uri: format!("#{id}"),
            key_info: String::new(),
        }
    }
    pub fn reference(&self, content: &str) -> String {
        let digest = STANDARD.encode(Sha256::digest(content));
        format!(
            "<ds:Reference URI=\"{}\"><ds:Transforms>{}</ds:Transforms><ds:DigestMethod Algorithm=\"{}\"></ds:DigestMethod>\
             <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>",
            self.uri, self.transforms, self.digest_method
        )
    }
    /// A `Signature` whose `SignedInfo` holds `references`.
    pub fn around(&self, references: &str) -> String {
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"{DS}\">{}<ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod>{references}</ds:SignedInfo>",
            self.canonicalization, self.method
        );
        let value = self.pen.sign(&info);
        let info = info.replacen(&format!(" xmlns:ds=\"{DS}\""), "", 1);
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue>{}</ds:Signature>",
            self.key_info
        )
    }
    /// `content`, which must be canonical, with its signature after its issuer.
    pub fn put(&self, content: &str) -> String {
        put(content, &self.around(&self.reference(content)))
    }
}

pub fn transform(algorithm: &str) -> String {
    format!("<ds:Transform Algorithm=\"{algorithm}\"></ds:Transform>")
}

pub fn put(content: &str, signature: &str) -> String {
    swap(content, "</saml:Issuer>", &format!("</saml:Issuer>{signature}"))
}

/// `text` with the first `from` replaced, which must be there.
pub fn swap(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is in {text}");
    text.replacen(from, to, 1)
}

/// An assertion in canonical form, unsigned.
pub fn assertion() -> String {
    format!(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a1\" IssueInstant=\"2026-11-22T09:00:00Z\" \
         Version=\"2.0\"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject><saml:NameID \
         Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">yamada</saml:NameID><saml:SubjectConfirmation \
         Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData InResponseTo=\"_request-1\" \
         NotOnOrAfter=\"2026-11-22T09:05:00Z\" Recipient=\"{ACS}\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>\
         </saml:Subject><saml:Conditions NotBefore=\"2026-11-22T08:59:00Z\" NotOnOrAfter=\"2026-11-22T09:10:00Z\">\
         <saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"2026-11-22T08:58:00Z\" SessionIndex=\"_s1\"><saml:AuthnContext>\
         <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>\
         </saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name=\"role\"><saml:AttributeValue>user\
         </saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"
    )
}

/// The same for another person, with another id, as an attacker would like it believed.
pub fn evil() -> String {
    swap(&swap(&assertion(), ">yamada<", ">administrator<"), "ID=\"_a1\"", "ID=\"_evil\"")
}

/// The assertion with the provider's signature.
pub fn signed() -> String {
    Signing::of("_a1").put(&assertion())
}

/// A response in canonical form around `inner`.
pub fn response(inner: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{ACS}\" ID=\"_r1\" \
         InResponseTo=\"_request-1\" IssueInstant=\"2026-11-22T09:00:00Z\" Version=\"2.0\"><saml:Issuer \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode \
         Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>{inner}</samlp:Response>"
    )
}

pub fn field(xml: &str) -> String {
    STANDARD.encode(xml)
}

/// What becomes of `xml` under `rules` at `at`.
pub fn judge(xml: &str, rules: &Rules, at: Time) -> Result<Accepted, Problem> {
    Received::read(&field(xml), None)?.accept(&sp(), &idp(), Some(&pending(at)), rules, at)
}

/// Whom `xml` signs in under the default rules.
pub fn person(xml: &str) -> Result<SignedIn, Problem> {
    judge(xml, &Rules::default(), now())?.first_use(true)
}

/// One line a refusal: its name and its whole message in both languages.
pub fn told(name: &str, problem: &Problem) -> String {
    use sekisho_kernel::Lang;
    format!("{name}\n  {} {}\n  {}\n", problem.kind.code, problem.message(Lang::En), problem.message(Lang::Ja))
}
