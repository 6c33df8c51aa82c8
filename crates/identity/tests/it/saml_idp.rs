//! A SAML provider for tests: writes canonical text by hand and signs it.

use std::collections::BTreeMap;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::Time;

pub const ENTITY: &str = "https://saml.example/idp";
pub const METADATA_URL: &str = "https://saml.example/metadata.xml";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

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
    fn sign(self, text: &str) -> String {
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

/// Metadata with these keys, and more attributes of the root.
pub fn metadata(entity: &str, keys: &[Key], more: &str) -> String {
    let keys: String = keys
        .iter()
        .map(|k| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data><ds:X509Certificate>{}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                k.certificate()
            )
        })
        .collect();
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
}

fn moment(at: Time) -> String {
    format!("{}Z", Time::from_secs(at.secs()).rfc3339().split(['.', 'Z']).next().unwrap())
}

impl Said {
    /// The form's field.
    pub fn field(&self) -> String {
        let (from, until) = (moment(self.at), moment(Time::from_secs(self.at.secs() + 300)));
        let answers: String = self.request.iter().map(|r| format!(" InResponseTo=\"{r}\"")).collect();
        let (id, acs, audience) =
            (&self.id, format!("{}/saml/acs", self.origin), format!("{}/saml/metadata", self.origin));
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
             </saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\"{from}\" SessionIndex=\"s{id}\">\
             <saml:AuthnContext><saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef></saml:AuthnContext>\
             </saml:AuthnStatement><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>",
            self.format, self.subject, self.context,
        );
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, assertion.as_bytes()));
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
        let value = self.by.sign(&info(&format!(" xmlns:ds=\"{DS}\"")));
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
            info(""),
            self.by.certificate(),
        );
        let signed = assertion.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1);
        STANDARD.encode(format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{acs}\" ID=\"r{id}\"{answers} \
             IssueInstant=\"{from}\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{ENTITY}\
             </saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>\
             </samlp:Status>{signed}</samlp:Response>"
        ))
    }
}
