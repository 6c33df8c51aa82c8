//! The two sides: this service, and an identity provider as its metadata describes it.

use std::time::Duration;

use sekisho_kernel::{Problem, Time};

use crate::{
    instant,
    keys::{Certificate, Credential},
    problems::{METADATA, METADATA_EXPIRED, SETTING, SHAPE, UNSIGNED, refuse},
    signature::{self, Verified},
    xml::{self, Bounds, Form, Node, ns},
};

/// The longest entity id or address, in bytes (metadata §2.2.1).
const LONGEST: usize = 1024;
/// Signing certificates of one provider: the present ones and those to come.
const CERTIFICATES: usize = 8;
/// Endpoints read from metadata.
const ENDPOINTS: usize = 32;

/// How a message travels (bindings §3.4, §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// HTTP-Redirect: a signed query.
    Redirect,
    /// HTTP-POST: a form with a signed document.
    Post,
}

impl Binding {
    /// Its name in metadata.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Redirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            Self::Post => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        }
    }
    fn from_uri(uri: &str) -> Option<Self> {
        [Self::Redirect, Self::Post].into_iter().find(|b| b.uri() == uri)
    }
}

/// Which signatures a response must carry. One that is there is always verified, required or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Signed {
    /// The assertion's own.
    #[default]
    Assertion,
    /// The whole response's; the assertion may do without.
    Response,
    /// Both.
    Both,
}

/// What is asked of responses and logout messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Signatures that must be there.
    pub signed: Signed,
    /// Whether only encrypted assertions are taken.
    pub encrypted: bool,
    /// Whether the identity provider may begin (IdP-initiated sign-in). Off: such a response can be planted in a stranger's browser.
    pub unsolicited: bool,
    /// How far two clocks may be apart; at most five minutes count.
    pub skew: Duration,
    /// How old a response may be when it arrives, whatever it says of itself.
    pub oldest: Duration,
    /// `AuthnContextClassRef` values of which one must be there; empty asks for none.
    pub contexts: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            signed: Signed::Assertion,
            encrypted: false,
            unsolicited: false,
            skew: Duration::from_secs(60),
            oldest: Duration::from_secs(10 * 60),
            contexts: Vec::new(),
        }
    }
}

impl Rules {
    pub(crate) fn skew(&self) -> Duration {
        self.skew.min(Duration::from_secs(5 * 60))
    }
}

/// This service towards one tenant's identity providers.
#[derive(Debug)]
pub struct ServiceProvider {
    entity_id: String,
    acs: String,
    slo: Option<String>,
    signing: Vec<Credential>,
    opening: Vec<Credential>,
    /// How many of them are published.
    offered: usize,
}

impl ServiceProvider {
    /// `acs` and `slo` are the addresses of the assertion consumer and the logout service, https. The first of `signing` signs; all of
    /// them are published, so that providers learn the next one before it is used. `opening` are RSA keys for encrypted assertions.
    pub fn new(
        entity_id: &str,
        acs: &str,
        slo: Option<&str>,
        signing: Vec<Credential>,
        opening: Vec<Credential>,
    ) -> Result<Self, Problem> {
        name(entity_id, "entity_id")?;
        for (address, place) in [(Some(acs), "acs"), (slo, "slo")] {
            if let Some(address) = address {
                name(address, place)?;
                if !address.starts_with("https://") {
                    return Err(
                        refuse(&SETTING, "https のアドレスではありません。", "The address is not https.").at(place)
                    );
                }
            }
        }
        if signing.is_empty() || signing.len() > CERTIFICATES || opening.len() > CERTIFICATES {
            return Err(refuse(&SETTING, "鍵の数が正しくありません。", "The number of keys is wrong.").at("keys"));
        }
        if !opening.iter().all(Credential::opens) {
            return Err(
                refuse(&SETTING, "暗号化用の鍵は RSA に限ります。", "A key for encryption must be RSA.").at("keys")
            );
        }
        let offered = opening.len();
        Ok(Self {
            entity_id: entity_id.to_owned(),
            acs: acs.to_owned(),
            slo: slo.map(str::to_owned),
            signing,
            opening,
            offered,
        })
    }

    /// RSA keys that open, too, and are no longer offered for encryption: providers are led away from them.
    pub fn opening_too(mut self, more: Vec<Credential>) -> Result<Self, Problem> {
        if !more.iter().all(Credential::opens) || self.opening.len() + more.len() > CERTIFICATES {
            return Err(refuse(&SETTING, "鍵を使えません。", "The keys cannot be used.").at("keys"));
        }
        self.opening.extend(more);
        Ok(self)
    }

    /// Our entity id.
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }
    /// Where responses arrive.
    pub fn acs(&self) -> &str {
        &self.acs
    }
    /// Where logout messages arrive.
    pub fn slo(&self) -> Option<&str> {
        self.slo.as_deref()
    }
    pub(crate) fn signer(&self) -> &Credential {
        self.signing.first().expect("the constructor refuses an empty list")
    }
    pub(crate) fn opening(&self) -> &[Credential] {
        &self.opening
    }

    /// Our metadata (metadata §2.4), signed, valid until `until`. `id` is fresh for each document, see [`crate::fresh_id`].
    pub fn metadata(&self, id: &str, until: Time) -> Result<String, Problem> {
        name(id, "id")?;
        let mut keys = String::new();
        for credential in &self.signing {
            keys.push_str(&descriptor("signing", credential.certificate(), ""));
        }
        let methods = "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>\
             <md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/>\
             <md:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>";
        for credential in &self.opening[..self.offered] {
            keys.push_str(&descriptor("encryption", credential.certificate(), methods));
        }
        let logout: String = self.slo.iter().fold(String::new(), |all, slo| {
            [Binding::Redirect, Binding::Post].iter().fold(all, |all, binding| {
                format!("{all}<md:SingleLogoutService Binding=\"{}\" Location=\"{}\"/>", binding.uri(), xml::value(slo))
            })
        });
        let head = format!(
            "<md:EntityDescriptor xmlns:md=\"{md}\" ID=\"{id}\" entityID=\"{entity}\" validUntil=\"{until}\">",
            md = ns::METADATA,
            id = xml::value(id),
            entity = xml::value(&self.entity_id),
            until = instant::text(until),
        );
        let body = format!(
            "<md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"{protocol}\">{keys}{logout}\
             <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>\
             <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
             <md:AssertionConsumerService Binding=\"{post}\" Location=\"{acs}\" index=\"0\" isDefault=\"true\"/>\
             </md:SPSSODescriptor></md:EntityDescriptor>",
            protocol = ns::PROTOCOL,
            post = Binding::Post.uri(),
            acs = xml::value(&self.acs),
        );
        signature::sign(&format!("{head}{body}"), head.len(), id, self.signer())
    }
}

fn descriptor(purpose: &str, certificate: &Certificate, methods: &str) -> String {
    format!(
        "<md:KeyDescriptor use=\"{purpose}\"><ds:KeyInfo xmlns:ds=\"{ds}\"><ds:X509Data><ds:X509Certificate>{base64}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>",
        ds = ns::DS,
        base64 = certificate.to_base64(),
    )
}

fn name(value: &str, place: &'static str) -> Result<(), Problem> {
    if value.is_empty() || value.len() > LONGEST || value.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(refuse(
            &SETTING,
            "値が空か、長すぎるか、空白を含みます。",
            "The value is empty, too long, or holds white space.",
        )
        .at(place));
    }
    Ok(())
}

/// An address of an identity provider and how messages travel to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// How.
    pub binding: Binding,
    /// Where requests go.
    pub location: String,
    /// Where responses go; the same place when metadata names none.
    pub response: String,
}

/// What an identity provider's metadata says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its entity id.
    pub entity_id: String,
    /// Certificates whose keys sign for it: during a change of keys more than one.
    pub signing: Vec<Certificate>,
    /// Where requests to sign in go, as metadata lists them.
    pub sign_on: Vec<Endpoint>,
    /// Where logout messages go.
    pub logout: Vec<Endpoint>,
    /// When the metadata must have been read again.
    pub valid_until: Option<Time>,
    /// Whether it asks for signed requests. Ours always are.
    pub wants_signed: bool,
}

impl IdentityProvider {
    /// Reads metadata of one provider (metadata §2.4.3). With `pins`, the document must be signed by one of them and only what is
    /// signed is read; without, trust comes from how the caller got the document, and a signature is not looked at.
    pub fn read(bytes: &[u8], pins: &[Certificate], now: Time) -> Result<Self, Problem> {
        let received = xml::parse(bytes, Form::Received, Bounds::METADATA, Vec::new())?;
        received.unique_ids()?;
        if pins.is_empty() {
            return Self::from_root(received.root(), now);
        }
        let Some(found) = signature::of(received.root())? else {
            return Err(refuse(&UNSIGNED, "メタデータに署名がありません。", "The metadata is not signed.")
                .at(received.root().path()));
        };
        let verified: Verified = signature::verify(found, pins, Bounds::METADATA)?;
        Self::from_root(verified.root(), now)
    }

    fn from_root(root: Node<'_>, now: Time) -> Result<Self, Problem> {
        if !root.is(ns::METADATA, "EntityDescriptor") {
            return Err(bad("EntityDescriptor ではありません。", "It is not an EntityDescriptor.", root));
        }
        let entity_id = root.required("entityID")?;
        if name(entity_id, "entityID").is_err() {
            return Err(bad("エンティティ ID を使えません。", "The entity id cannot be used.", root));
        }
        let mut roles = root.all_of(ns::METADATA, "IDPSSODescriptor").filter(|r| {
            r.attribute("protocolSupportEnumeration")
                .is_some_and(|p| p.split_ascii_whitespace().any(|p| p == ns::PROTOCOL))
        });
        let (Some(role), None) = (roles.next(), roles.next()) else {
            return Err(bad(
                "SAML 2.0 の IDPSSODescriptor が 1 つではありません。",
                "There is not exactly one IDPSSODescriptor for SAML 2.0.",
                root,
            ));
        };
        let mut valid_until = None;
        for node in [root, role] {
            let Some(text) = node.attribute("validUntil") else { continue };
            let until = instant::parse(text, node, "validUntil")?;
            if until <= now {
                return Err(
                    refuse(&METADATA_EXPIRED, "validUntil を過ぎています。", "validUntil has passed.").at(node.path())
                );
            }
            valid_until = Some(valid_until.map_or(until, |before: Time| before.min(until)));
        }
        let found = Self {
            entity_id: entity_id.to_owned(),
            signing: certificates(role)?,
            sign_on: endpoints(role, "SingleSignOnService")?,
            logout: endpoints(role, "SingleLogoutService")?,
            valid_until,
            wants_signed: matches!(role.attribute("WantAuthnRequestsSigned"), Some("true" | "1")),
        };
        if found.signing.is_empty() {
            return Err(bad("署名用の証明書がありません。", "There is no certificate for signatures.", role));
        }
        if found.sign_on.is_empty() {
            return Err(bad(
                "HTTP-Redirect または HTTP-POST の SingleSignOnService がありません。",
                "There is no SingleSignOnService by HTTP-Redirect or HTTP-POST.",
                role,
            ));
        }
        Ok(found)
    }
}

fn certificates(role: Node<'_>) -> Result<Vec<Certificate>, Problem> {
    let mut found: Vec<Certificate> = Vec::new();
    for key in role.all_of(ns::METADATA, "KeyDescriptor") {
        match key.attribute("use") {
            None | Some("signing") => {}
            Some("encryption") => continue,
            Some(_) => return Err(bad("鍵の用途が正しくありません。", "A key's use is not one.", key)),
        }
        let info = key.one(ns::DS, "KeyInfo")?;
        for data in info.all_of(ns::DS, "X509Data") {
            for certificate in data.all_of(ns::DS, "X509Certificate") {
                let read = Certificate::from_base64(&certificate.text()?).map_err(|p| p.at(certificate.path()))?;
                if !found.contains(&read) {
                    found.push(read);
                }
                if found.len() > CERTIFICATES {
                    return Err(bad("証明書が多すぎます。", "There are too many certificates.", key));
                }
            }
        }
    }
    Ok(found)
}

/// Endpoints by the bindings we speak; others are left out.
fn endpoints(role: Node<'_>, local: &str) -> Result<Vec<Endpoint>, Problem> {
    let mut found = Vec::new();
    for node in role.children().filter(|c| c.is(ns::METADATA, local)).take(ENDPOINTS) {
        let Some(binding) = node.attribute("Binding").and_then(Binding::from_uri) else { continue };
        let location = node.required("Location")?;
        let response = node.attribute("ResponseLocation").unwrap_or(location);
        for address in [location, response] {
            if name(address, "Location").is_err() || !address.starts_with("https://") || address.contains('#') {
                return Err(bad(
                    "https で始まり、フラグメントのないアドレスではありません。",
                    "The address is not https without a fragment.",
                    node,
                ));
            }
        }
        found.push(Endpoint { binding, location: location.to_owned(), response: response.to_owned() });
    }
    Ok(found)
}

fn bad(ja: &'static str, en: &'static str, node: Node<'_>) -> Problem {
    refuse(&METADATA, ja, en).at(node.path())
}

/// `Issuer` of a message or assertion: exactly the provider's entity id, as an entity.
pub(crate) fn issued_by(parent: Node<'_>, idp: &IdentityProvider) -> Result<(), Problem> {
    use crate::problems::ISSUER;
    let issuer = parent.one(ns::ASSERTION, "Issuer")?;
    if issuer.attribute("Format").is_some_and(|f| f != "urn:oasis:names:tc:SAML:2.0:nameid-format:entity") {
        return Err(refuse(
            &SHAPE,
            "発行者の形式が entity ではありません。",
            "The issuer's format is not that of an entity.",
        )
        .at(issuer.path()));
    }
    let found = issuer.text()?;
    if found != idp.entity_id {
        let shown = crate::algorithms::shown(&found);
        return Err(Problem::new(&ISSUER)
            .detail(sekisho_kernel::Text::owned(
                format!("届いた発行者: {shown}。"),
                format!("Issuer received: {shown}."),
            ))
            .at(issuer.path()));
    }
    Ok(())
}
