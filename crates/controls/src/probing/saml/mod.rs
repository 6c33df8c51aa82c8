//! A SAML identity provider that the probe itself is, and a person's way there and back. Its messages are written in their
//! canonical form by hand and signed here, by other code than that which reads them.

mod seal;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{
    Time,
    claim::Trouble,
    percent::encode,
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Session, browser::Browser, person::text, provider::hidden, rehearsed, told};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// By which the provider says that it asked for two factors.
const TWO_FACTORS: &str = "https://refeds.org/profile/mfa";

/// A signing key with its certificate.
pub struct Pen {
    key: EcdsaKeyPair,
    certificate: String,
}

/// The provider.
pub struct Provider {
    /// Its entity id.
    pub entity: String,
    /// Its record's id.
    pub id: String,
    /// Its record as it was last read.
    pub record: Value,
    /// Host name of the organisation's console.
    pub console: String,
    /// Our entity id there.
    pub audience: String,
    /// Where its answers go.
    pub acs: String,
    /// The service's certificate, DER.
    own: Vec<u8>,
    /// Its key.
    pub pen: Pen,
}

/// A person who is on the way to it.
pub struct Leave {
    /// The request's id.
    pub request: String,
    /// RelayState.
    pub state: String,
    /// The query, as the browser was sent with it.
    query: String,
}

/// What an answer says; honest at first.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whom it names.
    pub subject: String,
    /// The request that it answers, if any.
    pub request: Option<String>,
    /// For whom it is.
    pub audience: String,
    /// Who may take it.
    pub recipient: String,
    /// Who says it.
    pub issuer: String,
    /// Its id.
    pub id: String,
    /// When it was said.
    pub at: Time,
    /// How long it is good, in seconds.
    pub good: i64,
}

fn broken(why: impl std::fmt::Display) -> Trouble {
    Trouble(format!("the probe's SAML provider: {why}"))
}

fn moment(at: Time) -> String {
    let text = Time::from_secs(at.secs()).rfc3339();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// What stands between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split(from).nth(1)?.split(to).next()
}

/// `text` with the first `from` replaced.
fn swap(text: &str, from: &str, to: &str) -> String {
    text.replacen(from, to, 1)
}

impl Pen {
    /// A new key.
    ///
    /// # Errors
    /// When there is none.
    pub fn new() -> Result<Self, Trouble> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(broken)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).map_err(broken)?;
        let certificate = STANDARD.encode(seal::certificate(key.public_key().as_ref()));
        Ok(Self { key, certificate })
    }

    /// The element `id`, which is canonical, with this key's signature after its issuer.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn sign(&self, id: &str, content: &str) -> Result<String, Trouble> {
        let digest = STANDARD.encode(Sha256::digest(content));
        let info = |xmlns: &str| {
            format!(
                "<ds:SignedInfo{xmlns}><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
                 </ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\">\
                 </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
                 <ds:Transform Algorithm=\"{DS}enveloped-signature\"></ds:Transform>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
                 <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
                 <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
            )
        };
        let signed = info(&format!(" xmlns:ds=\"{DS}\""));
        let value = self.key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(broken)?;
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
            info(""),
            STANDARD.encode(value),
            self.certificate,
        );
        Ok(swap(content, "</saml:Issuer>", &format!("</saml:Issuer>{signature}")))
    }
}

/// Metadata of a provider, in base64.
pub fn metadata(entity: &str, pen: &Pen) -> String {
    STANDARD.encode(format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"{PROTOCOL}\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data>\
         <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
         <md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{entity}/slo\"/>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{entity}/sso\"/>\
         </md:IDPSSODescriptor></md:EntityDescriptor>",
        pen.certificate
    ))
}

impl Provider {
    /// Registers a provider that makes accounts and whose second factor is trusted, and switches it on.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn register(world: &dyn World, desk: &Session) -> Result<Self, Trouble> {
        let marker = world.marker("saml");
        let entity = format!("https://{marker}.example.test");
        let pen = Pen::new()?;
        let new = json!({"name": marker, "metadata": metadata(&entity, &pen)});
        let record = desk.make(world, "/saml-providers", &new).await?;
        let ours = world.send(Ask::new("GET", &desk.host, "/saml/metadata")).await?;
        let ours = ours.text().to_owned();
        let find = |from: &str, to: &str| between(&ours, from, to).map(str::to_owned);
        let (Some(audience), Some(acs), Some(own)) = (
            find("entityID=\"", "\""),
            ours.split("AssertionConsumerService")
                .nth(1)
                .and_then(|r| between(r, "Location=\"", "\""))
                .map(str::to_owned),
            find("<ds:X509Certificate>", "<").and_then(|c| STANDARD.decode(c.replace(char::is_whitespace, "")).ok()),
        ) else {
            return Err(broken("the service's metadata lacks entity id, address or key"));
        };
        let id = text(&record, "id");
        let mut provider = Self { entity, id, record, console: desk.host.clone(), audience, acs, own, pen };
        let patch = json!({"enabled": true, "create_users": true, "trusts_factor": true});
        provider.change(world, desk, &patch).await?;
        Ok(provider)
    }

    /// Changes its record.
    ///
    /// # Errors
    /// When that is refused.
    pub async fn change(&mut self, world: &dyn World, desk: &Session, patch: &Value) -> Result<(), Trouble> {
        let version = self.record.get("version").and_then(Value::as_i64).unwrap_or(1);
        let ask = desk.ask("PATCH", &format!("/providers/{}", self.id));
        self.record = desk.need(world, ask.header("if-match", format!("\"{version}\"")).json(patch)).await?;
        Ok(())
    }

    /// A person's browser sets out for it.
    ///
    /// # Errors
    /// When the sign-in page does not lead there.
    pub async fn leave(&self, world: &dyn World, browser: &mut Browser) -> Result<Leave, Trouble> {
        let form =
            browser.send(world, Ask::new("GET", &self.console, "/sign-in").header("accept", "text/html")).await?;
        let csrf = hidden(&form, "csrf").ok_or_else(|| Trouble("the sign-in page has no form".into()))?;
        let mut ask = Ask::new("POST", &self.console, "/sign-in/provider")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        ask.body = format!("csrf={csrf}&provider={}", self.id).into_bytes();
        let got = browser.send(world, ask).await?;
        let page = got.text().replace("&#38;", "&").replace("&amp;", "&");
        let to = between(&page, "url=", "\"").filter(|to| to.starts_with(&self.entity));
        let query = to.and_then(|to| to.split_once('?')).map(|(_, query)| query.to_owned());
        let Some(query) = query else { return Err(Trouble(format!("the sign-in page was answered {}", told(&got)))) };
        let field = |name: &str| {
            let value = query.split('&').find_map(|p| p.strip_prefix(&format!("{name}="))).unwrap_or_default();
            String::from_utf8_lossy(&seal::unescaped(value)).into_owned()
        };
        let packed = STANDARD.decode(field("SAMLRequest")).map_err(broken)?;
        let request = miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, 64 * 1024).map_err(broken)?;
        let request = String::from_utf8_lossy(&request).into_owned();
        let id = between(&request, " ID=\"", "\"").ok_or_else(|| broken("the request has no id"))?.to_owned();
        Ok(Leave { request: id, state: field("RelayState"), query })
    }

    /// Whether a request carries the signature of the key in the service's metadata (bindings §3.4.4.1).
    pub fn signed(&self, leave: &Leave) -> bool {
        let Some((octets, signature)) = leave.query.split_once("&Signature=") else { return false };
        let signature = STANDARD.decode(seal::unescaped(signature)).unwrap_or_default();
        let Some(key) = seal::rsa_key(&self.own) else { return false };
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(octets.as_bytes(), &signature).is_ok()
    }

    /// What it honestly says of a subject.
    ///
    /// # Errors
    /// On a serving instance, whose clock is not known.
    pub fn said(&self, world: &dyn World, leave: Option<&Leave>, subject: &str) -> Result<Said, Trouble> {
        Ok(Said {
            subject: subject.to_owned(),
            request: leave.map(|l| l.request.clone()),
            audience: self.audience.clone(),
            recipient: self.acs.clone(),
            issuer: self.entity.clone(),
            id: format!("_{}", hex::encode(&Sha256::digest(world.marker("assertion"))[..16])),
            at: rehearsed(world)?.now(),
            good: 300,
        })
    }

    /// The answer as a form's field, with its assertion signed.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn answer(&self, said: &Said) -> Result<String, Trouble> {
        Ok(response(said, &self.pen.sign(&said.id, &said.assertion())?))
    }

    /// The same, with the assertion encrypted to the service's key.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn sealed_answer(&self, said: &Said) -> Result<String, Trouble> {
        let signed = self.pen.sign(&said.id, &said.assertion())?;
        Ok(response(said, &seal::encrypted(&self.own, &signed)?))
    }

    /// The browser brings an answer, by a form of the provider's page.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn bring(
        &self,
        world: &dyn World,
        browser: &mut Browser,
        field: &str,
        state: &str,
    ) -> Result<Answer, Trouble> {
        let mut ask = Ask::new("POST", &self.console, "/saml/acs")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("origin", self.entity.clone());
        ask.body = format!("SAMLResponse={}&RelayState={}", encode(field), encode(state)).into_bytes();
        browser.send_across(world, ask).await
    }
}

/// A request to end a session.
pub struct Wish {
    /// Its id.
    pub id: String,
    /// In canonical form, unsigned.
    pub text: String,
}

impl Provider {
    /// What it honestly says when the person of an answer signs out there.
    ///
    /// # Errors
    /// On a serving instance, whose clock is not known.
    pub fn farewell(&self, world: &dyn World, said: &Said) -> Result<Wish, Trouble> {
        let id = format!("_{}", hex::encode(&Sha256::digest(world.marker("farewell"))[..16]));
        let to = self.acs.replace("/saml/acs", "/saml/slo");
        let text = format!(
            "<samlp:LogoutRequest xmlns:samlp=\"{PROTOCOL}\" Destination=\"{to}\" ID=\"{id}\" IssueInstant=\"{at}\" \
             Version=\"2.0\"><saml:Issuer xmlns:saml=\"{ASSERTION}\">{issuer}</saml:Issuer><saml:NameID xmlns:saml=\"{ASSERTION}\" \
             Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{subject}</saml:NameID><samlp:SessionIndex>s-{index}\
             </samlp:SessionIndex></samlp:LogoutRequest>",
            at = moment(rehearsed(world)?.now()),
            issuer = self.entity,
            subject = said.subject,
            index = said.id,
        );
        Ok(Wish { id, text })
    }

    /// Sends a logout request by a form.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn part(&self, world: &dyn World, request: &str) -> Result<Answer, Trouble> {
        let mut ask = Ask::new("POST", &self.console, "/saml/slo")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("origin", self.entity.clone());
        let field = encode(&STANDARD.encode(request));
        ask.body = format!("SAMLRequest={field}").into_bytes();
        Browser::default().send_across(world, ask).await
    }
}

impl Said {
    /// The assertion in canonical form, unsigned.
    pub fn assertion(&self) -> String {
        let (from, until) = (moment(self.at), moment(Time::from_secs(self.at.secs() + self.good)));
        let answers = self.request.iter().map(|r| format!(" InResponseTo=\"{r}\"")).collect::<String>();
        format!(
            "<saml:Assertion xmlns:saml=\"{ASSERTION}\" ID=\"{id}\" IssueInstant=\"{from}\" Version=\"2.0\"><saml:Issuer>{issuer}\
             </saml:Issuer><saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{subject}\
             </saml:NameID><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData{answers} NotOnOrAfter=\"{until}\" Recipient=\"{recipient}\">\
             </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\"{from}\" \
             NotOnOrAfter=\"{until}\"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>\
             </saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\"{from}\" SessionIndex=\"s-{id}\">\
             <saml:AuthnContext><saml:AuthnContextClassRef>{TWO_FACTORS}</saml:AuthnContextClassRef></saml:AuthnContext>\
             </saml:AuthnStatement></saml:Assertion>",
            id = self.id,
            issuer = self.issuer,
            subject = self.subject,
            recipient = self.recipient,
            audience = self.audience,
        )
    }
}

/// A form's field: a response around what it holds.
pub fn response(said: &Said, inner: &str) -> String {
    let answers = said.request.iter().map(|r| format!(" InResponseTo=\"{r}\"")).collect::<String>();
    STANDARD.encode(format!(
        "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" Destination=\"{to}\" ID=\"r{id}\"{answers} IssueInstant=\"{at}\" \
         Version=\"2.0\"><saml:Issuer xmlns:saml=\"{ASSERTION}\">{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode \
         Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>{inner}</samlp:Response>",
        to = said.recipient,
        id = said.id,
        at = moment(said.at),
        issuer = said.issuer,
    ))
}

/// Answers in which somebody else stands where a reader may look, beside a signature that is good.
///
/// # Errors
/// When the key does not sign.
pub fn wrapped(provider: &Provider, said: &Said, thief: &str) -> Result<Vec<(&'static str, String)>, Trouble> {
    let signed = provider.pen.sign(&said.id, &said.assertion())?;
    let evil = Said { subject: thief.to_owned(), id: format!("{}e", said.id), ..said.clone() }.assertion();
    let same = Said { subject: thief.to_owned(), ..said.clone() }.assertion();
    let signature = between(&signed, "</saml:Issuer>", "<saml:Subject>").unwrap_or_default().to_owned();
    let inside =
        |object: &str| signature.replace("</ds:Signature>", &format!("<ds:Object>{object}</ds:Object></ds:Signature>"));
    let plain = said.assertion();
    let with =
        |assertion: &str, signature: &str| swap(assertion, "</saml:Issuer>", &format!("</saml:Issuer>{signature}"));
    let shapes = [
        ("before it", format!("{evil}{signed}")),
        ("after it", format!("{signed}{evil}")),
        ("around it, in the signature's Object", with(&evil, &inside(&plain))),
        ("around it, with its id", with(&same, &inside(&plain))),
        (
            "around it, in the Advice",
            swap(&evil, "<saml:AuthnStatement", &format!("<saml:Advice>{signed}</saml:Advice><saml:AuthnStatement")),
        ),
        (
            "in its place, it in the Extensions",
            format!("{}<samlp:Extensions>{signed}</samlp:Extensions>", with(&evil, &signature)),
        ),
        ("in its subject", swap(&signed, &format!(">{}<", said.subject), &format!(">{thief}<"))),
        (
            "in its subject, behind a comment",
            swap(&signed, &format!(">{}<", said.subject), &format!(">{thief}<!---->{}<", said.subject)),
        ),
    ];
    Ok(shapes.into_iter().map(|(what, inner)| (what, response(said, &inner))).collect())
}
