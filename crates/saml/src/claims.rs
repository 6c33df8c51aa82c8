//! What an assertion says (core §2, profiles §4.1.4.2), read from signed bytes alone.

use sekisho_kernel::{Problem, Time};

use crate::{
    algorithms::shown,
    instant,
    problems::{AUDIENCE, AUTHENTICATION, CONDITION, RECIPIENT, SHAPE, SUBJECT, refuse},
    provider::{IdentityProvider, Rules, ServiceProvider, issued_by},
    request::Pending,
    response::{self, OneTime},
    signature::Covered,
    xml::{Node, ns},
};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The longest name of a subject, in bytes.
const NAME: usize = 1024;

/// A subject's name with its qualifiers (core §2.2.2). People are linked by all of it and the provider, never by a mail address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// Its format's URI.
    pub format: Option<String>,
    /// NameQualifier.
    pub qualifier: Option<String>,
    /// SPNameQualifier.
    pub sp_qualifier: Option<String>,
}

impl NameId {
    /// Reads a `NameID`; white space around the name and control characters are refused, not cut.
    pub(crate) fn read(node: Node<'_>) -> Result<Self, Problem> {
        let value = node.text()?;
        if value.is_empty() || value.len() > NAME || value.trim() != value || value.chars().any(char::is_control) {
            return Err(refuse(
                &SUBJECT,
                "名前が空か、長すぎるか、空白または制御文字を含みます。",
                "The name is empty, too long, or holds white space around it or control characters.",
            )
            .at(node.path()));
        }
        let own = |name| node.attribute(name).map(str::to_owned);
        Ok(Self { value, format: own("Format"), qualifier: own("NameQualifier"), sp_qualifier: own("SPNameQualifier") })
    }

    /// Whether it is a name for one session only, with which nobody can be linked.
    pub fn is_transient(&self) -> bool {
        self.format.as_deref() == Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
    }
}

/// An attribute and its values that are plain text, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// NameFormat.
    pub format: Option<String>,
    /// FriendlyName: for people to read, never to decide by.
    pub friendly: Option<String>,
    /// Values; structured ones are left out.
    pub values: Vec<String>,
}

/// Somebody whom the provider has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The provider's entity id.
    pub issuer: String,
    /// Who.
    pub name_id: NameId,
    /// The provider's session, to be named in logout messages.
    pub session_index: Option<String>,
    /// When the person authenticated.
    pub authenticated: Time,
    /// When our session must end at the latest, if the provider says so.
    pub session_until: Option<Time>,
    /// How the person authenticated (AuthnContextClassRef).
    pub context: Option<String>,
    /// What else is said.
    pub attributes: Vec<Attribute>,
    /// SHA-256 fingerprint of the certificate whose key signed.
    pub signer: String,
    /// Whether we had asked.
    pub solicited: bool,
    /// RelayState as it came; checked if we had asked, anybody's word if not.
    pub relay_state: Option<String>,
}

impl SignedIn {
    /// The values of every attribute called `name`.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |a| a.name == name).flat_map(|a| a.values.iter().map(String::as_str))
    }
}

/// Against what an assertion is judged.
pub(crate) struct Asked<'a> {
    pub(crate) sp: &'a ServiceProvider,
    pub(crate) idp: &'a IdentityProvider,
    pub(crate) pending: Option<&'a Pending>,
    pub(crate) rules: &'a Rules,
    pub(crate) now: Time,
}

/// Reads an assertion, refusing it for the first thing that is wrong.
pub(crate) fn read(covered: Covered<'_>, asked: &Asked<'_>) -> Result<(OneTime, SignedIn), Problem> {
    let assertion = covered.node();
    assertion.only(&[
        (ns::ASSERTION, "Issuer"),
        (ns::ASSERTION, "Subject"),
        (ns::ASSERTION, "Conditions"),
        (ns::ASSERTION, "Advice"),
        (ns::ASSERTION, "AuthnStatement"),
        (ns::ASSERTION, "AuthzDecisionStatement"),
        (ns::ASSERTION, "AttributeStatement"),
    ])?;
    response::version(assertion)?;
    let id = assertion.required("ID")?.to_owned();
    let issued = response::fresh(assertion, asked.rules, asked.now)?;
    issued_by(assertion, asked.idp)?;
    let (name_id, expires) = subject(assertion, asked)?;
    conditions(assertion, asked)?;
    let statement = authentication(assertion, asked)?;
    let signed_in = SignedIn {
        issuer: asked.idp.entity_id.clone(),
        name_id,
        session_index: statement.node.attribute("SessionIndex").map(str::to_owned),
        authenticated: statement.at,
        session_until: statement.until,
        context: statement.context,
        attributes: attributes(assertion)?,
        signer: String::new(),
        solicited: asked.pending.is_some(),
        relay_state: None,
    };
    let until = response::believable(issued, expires, asked.rules);
    Ok((OneTime { issuer: asked.idp.entity_id.clone(), id, until }, signed_in))
}

/// The name, and until when its bearer may bring the assertion.
fn subject(assertion: Node<'_>, asked: &Asked<'_>) -> Result<(NameId, Time), Problem> {
    let subject = assertion.one(ns::ASSERTION, "Subject")?;
    subject.only(&[(ns::ASSERTION, "NameID"), (ns::ASSERTION, "SubjectConfirmation")])?;
    let Some(name) = subject.optional(ns::ASSERTION, "NameID")? else {
        return Err(refuse(&SUBJECT, "NameID がありません。", "There is no NameID.").at(subject.path()));
    };
    let name_id = NameId::read(name)?;
    if name_id.sp_qualifier.as_deref().is_some_and(|q| q != asked.sp.entity_id()) {
        return Err(
            refuse(&SUBJECT, "別のサービスのための名前です。", "The name is another service's.").at(name.path())
        );
    }
    let mut bearers =
        subject.all_of(ns::ASSERTION, "SubjectConfirmation").filter(|c| c.attribute("Method") == Some(BEARER));
    let (Some(bearer), None) = (bearers.next(), bearers.next()) else {
        return Err(refuse(
            &SUBJECT,
            "bearer の SubjectConfirmation が 1 つではありません。",
            "There is not exactly one bearer SubjectConfirmation.",
        )
        .at(subject.path()));
    };
    let data = bearer.one(ns::ASSERTION, "SubjectConfirmationData")?;
    let recipient = data.attribute("Recipient");
    if recipient != Some(asked.sp.acs()) {
        return Err(response::differs(&RECIPIENT, data, "Recipient", recipient));
    }
    response::answers(data, asked.pending)?;
    let skew = asked.rules.skew();
    if let Some(from) = instant::optional(data, "NotBefore")? {
        instant::reached(data, "NotBefore", from, asked.now, skew)?;
    }
    let until = instant::required(data, "NotOnOrAfter")?;
    instant::before(data, "NotOnOrAfter", until, asked.now, skew)?;
    Ok((name_id, until))
}

fn conditions(assertion: Node<'_>, asked: &Asked<'_>) -> Result<(), Problem> {
    let conditions = assertion.one(ns::ASSERTION, "Conditions")?;
    let skew = asked.rules.skew();
    if let Some(from) = instant::optional(conditions, "NotBefore")? {
        instant::reached(conditions, "NotBefore", from, asked.now, skew)?;
    }
    if let Some(until) = instant::optional(conditions, "NotOnOrAfter")? {
        instant::before(conditions, "NotOnOrAfter", until, asked.now, skew)?;
    }
    let mut restricted = false;
    for condition in conditions.children() {
        if condition.is(ns::ASSERTION, "OneTimeUse") || condition.is(ns::ASSERTION, "ProxyRestriction") {
            continue;
        }
        if !condition.is(ns::ASSERTION, "AudienceRestriction") {
            return Err(refuse(&CONDITION, "知らない種類の条件です。", "The condition is of an unknown kind.")
                .at(condition.path()));
        }
        restricted = true;
        let mut found = Vec::new();
        for audience in condition.all_of(ns::ASSERTION, "Audience") {
            found.push(audience.text()?);
        }
        if !found.iter().any(|a| a == asked.sp.entity_id()) {
            let found = shown(&found.join(" "));
            return Err(response::differs(&AUDIENCE, condition, "Audience", Some(&found)));
        }
    }
    if !restricted {
        return Err(response::differs(&AUDIENCE, conditions, "AudienceRestriction", None));
    }
    Ok(())
}

struct Statement<'a> {
    node: Node<'a>,
    at: Time,
    until: Option<Time>,
    context: Option<String>,
}

fn authentication<'a>(assertion: Node<'a>, asked: &Asked<'_>) -> Result<Statement<'a>, Problem> {
    let Some(node) = assertion.optional(ns::ASSERTION, "AuthnStatement")? else {
        return Err(refuse(&AUTHENTICATION, "AuthnStatement がありません。", "There is no AuthnStatement.")
            .at(assertion.path()));
    };
    let skew = asked.rules.skew();
    let at = instant::required(node, "AuthnInstant")?;
    instant::reached(node, "AuthnInstant", at, asked.now, skew)?;
    if asked.pending.is_some_and(|p| p.force && at.plus(skew) < p.issued) {
        return Err(refuse(&AUTHENTICATION, "認証がやり直されていません。", "The person has not authenticated anew.")
            .at(node.path()));
    }
    let until = instant::optional(node, "SessionNotOnOrAfter")?;
    if let Some(until) = until {
        instant::before(node, "SessionNotOnOrAfter", until, asked.now, skew)?;
    }
    let context = node
        .one(ns::ASSERTION, "AuthnContext")?
        .optional(ns::ASSERTION, "AuthnContextClassRef")?
        .map(|c| c.text())
        .transpose()?;
    if !asked.rules.contexts.is_empty() && !context.as_ref().is_some_and(|c| asked.rules.contexts.contains(c)) {
        return Err(response::differs(&AUTHENTICATION, node, "AuthnContextClassRef", context.as_deref()));
    }
    Ok(Statement { node, at, until, context })
}

fn attributes(assertion: Node<'_>) -> Result<Vec<Attribute>, Problem> {
    let mut found = Vec::new();
    for statement in assertion.all_of(ns::ASSERTION, "AttributeStatement") {
        statement.only(&[(ns::ASSERTION, "Attribute")])?;
        for node in statement.children() {
            let own = |name| node.attribute(name).map(str::to_owned);
            let mut values = Vec::new();
            node.only(&[(ns::ASSERTION, "AttributeValue")])?;
            for value in node.children() {
                if value.children().next().is_none() {
                    values.push(value.text()?);
                }
            }
            let name = node.required("Name").map_err(|p| p.at(node.path()))?.to_owned();
            if name.chars().any(char::is_control) {
                return Err(refuse(
                    &SHAPE,
                    "属性名に制御文字があります。",
                    "An attribute's name holds control characters.",
                )
                .at(node.path()));
            }
            found.push(Attribute { name, format: own("NameFormat"), friendly: own("FriendlyName"), values });
        }
    }
    Ok(found)
}
