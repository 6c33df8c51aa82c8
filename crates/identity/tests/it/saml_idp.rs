//! A SAML provider for tests: writes canonical text by hand and signs it.

use std::collections::BTreeMap;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest,
    rand::SystemRandom,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::Time;

pub const ENTITY: &str = "https://saml.example/idp";
pub const METADATA_URL: &str = "https://saml.example/metadata.xml";
pub const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../saml/tests/fixtures/", $name))
    };
}

/// Its keys: the present one, and the one to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Present,
    Next,
}

impl Key {
    const fn certificate(self) -> &'static str {
        match self {
            Self::Present => fixture!("idp.crt.b64"),
            Self::Next => fixture!("idp-next.crt.b64"),
        }
    }
    pub fn sign(self, text: &str) -> String {
        let pkcs8 = match self {
            Self::Present => fixture!("idp.pk8.b64"),
            Self::Next => fixture!("idp-next.pk8.b64"),
        };
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(pkcs8.trim()).unwrap()).unwrap();
        let mut out = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut out).unwrap();
        STANDARD.encode(out)
    }
}

fn descriptors(keys: &[Key]) -> String {
    keys.iter()
        .map(|k| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data><ds:X509Certificate>{}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                k.certificate()
            )
        })
        .collect()
}

/// Metadata with these keys, and more attributes of the root.
pub fn metadata(entity: &str, keys: &[Key], more: &str) -> String {
    let keys = descriptors(keys);
    format!(
        "<?xml version=\"1.0\"?>\r\n<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         entityID=\"{entity}\"{more}><md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"{entity}/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

/// What an answer says.
#[derive(Clone, Debug)]
pub struct Said {
    pub subject: String,
    pub format: &'static str,
    pub request: Option<String>,
    pub origin: String,
    pub id: String,
    pub at: Time,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub context: &'static str,
    pub by: Key,
    /// `SessionIndex`; made from the id without.
    pub index: Option<String>,
    /// `SessionNotOnOrAfter`.
    pub session_until: Option<Time>,
    /// `AuthnInstant`; the moment itself without.
    pub since: Option<Time>,
}

pub fn moment(at: Time) -> String {
    format!("{}Z", Time::from_secs(at.secs()).rfc3339().split(['.', 'Z']).next().unwrap())
}

/// A canonical element with a key's signature behind the first `after`.
pub fn signed(content: &str, id: &str, after: &str, by: Key) -> String {
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, content.as_bytes()));
    let info = |xmlns: &str| {
        format!(
            "<ds:SignedInfo{xmlns}><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
             </ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
             </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"{DS}enveloped-signature\">\
             </ds:Transform><ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>{hash}\
             </ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )
    };
    let value = by.sign(&info(&format!(" xmlns:ds=\"{DS}\"")));
    let signature = format!(
        "<ds:Signature xmlns:ds=\"{DS}\">{}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        info(""),
        by.certificate(),
    );
    content.replacen(after, &format!("{after}{signature}"), 1)
}

/// Metadata with these keys that one of them has signed.
pub fn signed_metadata(entity: &str, keys: &[Key], by: Key) -> String {
    let keys = descriptors(keys);
    let head = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_m\" entityID=\"{entity}\">"
    );
    let text = format!(
        "{head}<md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{entity}/sso\">\
         </md:SingleSignOnService></md:IDPSSODescriptor></md:EntityDescriptor>"
    );
    signed(&text, "_m", &head, by)
}

/// Where a certificate has its RSA key (SubjectPublicKeyInfo).
fn rsa_key(certificate: &[u8]) -> &[u8] {
    const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let start = certificate.windows(RSA.len()).position(|w| w == RSA).unwrap() - 4;
    let length = usize::from(u16::from_be_bytes([certificate[start + 2], certificate[start + 3]]));
    &certificate[start..start + 4 + length]
}

/// What the certificate's key opens, in an element of this name.
pub fn encrypted(name: &str, certificate: &[u8], content: &str) -> String {
    let (key, iv) = ([7; 32], [9; 12]);
    let mut body = content.as_bytes().to_vec();
    let by = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    by.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut body).unwrap();
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(rsa_key(certificate)).unwrap()).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None).unwrap();
    let value = |bytes: &[u8]| {
        format!("<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>", STANDARD.encode(bytes))
    };
    format!(
        "<saml:{name} xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"><xenc:EncryptedData \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod \
         Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/><ds:KeyInfo xmlns:ds=\"{DS}\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>{}</xenc:EncryptedKey></ds:KeyInfo>{}\
         </xenc:EncryptedData></saml:{name}>",
        value(&wrapped),
        value(&[&iv[..], &body].concat()),
    )
}

impl Said {
    fn acs(&self) -> String {
        format!("{}/saml/acs", self.origin)
    }
    fn answers(&self) -> String {
        self.request.iter().map(|r| format!(" InResponseTo=\"{r}\"")).collect()
    }
    /// The form's field.
    pub fn field(&self) -> String {
        self.response(&self.assertion())
    }
    /// The same, encrypted to a certificate.
    pub fn field_for(&self, certificate: &[u8]) -> String {
        self.response(&encrypted("EncryptedAssertion", certificate, &self.assertion()))
    }
    fn assertion(&self) -> String {
        let (from, until) = (moment(self.at), moment(Time::from_secs(self.at.secs() + 300)));
        let (id, acs, answers) = (&self.id, self.acs(), self.answers());
        let audience = format!("{}/saml/metadata", self.origin);
        let index = self.index.clone().unwrap_or_else(|| format!("s{id}"));
        let since = moment(self.since.unwrap_or(self.at));
        let ends: String =
            self.session_until.iter().map(|t| format!(" SessionNotOnOrAfter=\"{}\"", moment(*t))).collect();
        let attributes: String = self
            .attributes
            .iter()
            .map(|(name, values)| {
                let values: String =
                    values.iter().map(|v| format!("<saml:AttributeValue>{v}</saml:AttributeValue>")).collect();
                format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
            })
            .collect();
        let assertion = format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" IssueInstant=\"{from}\" \
             Version=\"2.0\"><saml:Issuer>{ENTITY}</saml:Issuer><saml:Subject><saml:NameID \
             Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:{}\">{}</saml:NameID><saml:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData{answers} NotOnOrAfter=\"{until}\" \
             Recipient=\"{acs}\"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions \
             NotOnOrAfter=\"{until}\"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>\
             </saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\"{since}\" SessionIndex=\"{index}\"{ends}>\
             <saml:AuthnContext><saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef></saml:AuthnContext>\
             </saml:AuthnStatement><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>",
            self.format, self.subject, self.context,
        );
        signed(&assertion, id, "</saml:Issuer>", self.by)
    }
    fn response(&self, inner: &str) -> String {
        let (id, acs, answers, from) = (&self.id, self.acs(), self.answers(), moment(self.at));
        STANDARD.encode(format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{acs}\" ID=\"r{id}\"{answers} \
             IssueInstant=\"{from}\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{ENTITY}\
             </saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>\
             </samlp:Status>{inner}</samlp:Response>"
        ))
    }
}
