//! Response (core §3.3.3, profiles §4.1.4.3): from a form's field to an assertion that may be used once.

use std::time::Duration;

use sekisho_kernel::{Problem, Text, Time};

use crate::{
    algorithms::shown,
    binding::{self, Kind},
    claims::{self, Asked, SignedIn},
    encryption, instant,
    problems::{
        DESTINATION, IN_RESPONSE_TO, ISSUER, NOT_ENCRYPTED, PENDING_OVER, RELAY_STATE, REPLAY, SHAPE, SIGNATURE_SHAPE,
        STATUS, UNSIGNED, UNSOLICITED, VERSION, refuse,
    },
    provider::{IdentityProvider, Rules, ServiceProvider, Signed, issued_by},
    request::Pending,
    signature::{self, Covered},
    xml::{self, Bounds, Document, Form, Node, ns},
};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// A response that has been parsed and is not believed yet.
#[derive(Debug)]
pub struct Received {
    document: Document,
    relay_state: Option<String>,
}

impl Received {
    /// Reads the fields `SAMLResponse` and `RelayState` of an HTTP-POST form.
    pub fn read(field: &str, relay_state: Option<&str>) -> Result<Self, Problem> {
        binding::relay_state(relay_state)?;
        let bytes = binding::posted(field, Kind::Response)?;
        let document = xml::parse(&bytes, Form::Received, Bounds::MESSAGE, Vec::new())?;
        document.unique_ids()?;
        if !document.root().is(ns::PROTOCOL, "Response") {
            return Err(refuse(&SHAPE, "Response ではありません。", "It is not a Response.").at(document.root().path()));
        }
        Ok(Self { document, relay_state: relay_state.map(str::to_owned) })
    }

    /// The request that it says it answers: unproven, good for finding the pending record alone.
    pub fn in_response_to(&self) -> Option<&str> {
        self.document.root().attribute("InResponseTo")
    }

    /// The issuer that it names: unproven, good for finding the provider's record alone.
    pub fn issuer(&self) -> Option<String> {
        let root = self.document.root();
        let plain = root.all_of(ns::ASSERTION, "Assertion").next();
        [Some(root), plain]
            .into_iter()
            .flatten()
            .find_map(|n| n.all_of(ns::ASSERTION, "Issuer").next())
            .and_then(|i| i.text().ok())
    }

    /// Verifies everything. `pending` is the record of the request that this browser began; without one only
    /// [`Rules::unsolicited`] lets a response in.
    pub fn accept(
        self,
        sp: &ServiceProvider,
        idp: &IdentityProvider,
        pending: Option<&Pending>,
        rules: &Rules,
        now: Time,
    ) -> Result<Accepted, Problem> {
        expected(pending, self.relay_state.as_deref(), sp, idp, rules, now)?;
        let received = self.document.root();
        placed(received, 1)?;

        let whole = match signature::of(received)? {
            Some(found) => Some(signature::verify(found, &idp.signing, Bounds::MESSAGE)?),
            None if rules.signed == Signed::Assertion => None,
            None => return Err(unsigned(received)),
        };
        let response = whole.as_ref().map_or(received, signature::Verified::root);
        head(response, whole.is_some(), sp, idp, pending, rules, now)?;

        let (plain, sealed) =
            (received.optional(ns::ASSERTION, "Assertion")?, received.optional(ns::ASSERTION, "EncryptedAssertion")?);
        let opened;
        let assertion = match (plain, sealed) {
            (Some(plain), None) if rules.encrypted => {
                return Err(refuse(&NOT_ENCRYPTED, "平文のアサーションです。", "The assertion is in the clear.")
                    .at(plain.path()));
            }
            (Some(plain), None) => plain,
            (None, Some(sealed)) => {
                opened = open(sealed, sp)?;
                opened.root()
            }
            _ => {
                return Err(refuse(
                    &SHAPE,
                    "アサーションが 1 つではありません。",
                    "There is not exactly one assertion.",
                )
                .at(response.path()));
            }
        };
        let asked = Asked { sp, idp, pending, rules, now };
        if let Some(found) = signature::of(assertion)? {
            let own = signature::verify(found, &idp.signing, Bounds::MESSAGE)?;
            return Ok(accepted(claims::read(Covered::by(&own), &asked)?, own.signer(), self.relay_state));
        }
        let (Some(whole), Signed::Response) = (&whole, rules.signed) else {
            return Err(unsigned(assertion));
        };
        // Only the response's own signature covers the assertion: nothing of the received tree may be read any more.
        let opened;
        let covered = match whole.root().optional(ns::ASSERTION, "EncryptedAssertion")? {
            None => Covered::within(whole, whole.root().one(ns::ASSERTION, "Assertion")?),
            Some(sealed) => {
                opened = open(sealed, sp)?;
                Covered::opened(whole, &opened)
            }
        };
        Ok(accepted(claims::read(covered, &asked)?, whole.signer(), self.relay_state))
    }
}

/// Opens an encrypted assertion. What comes out is as untrusted as what arrived.
fn open(sealed: Node<'_>, sp: &ServiceProvider) -> Result<Document, Problem> {
    let document = encryption::open(sealed, sp.opening(), Bounds::MESSAGE)?;
    document.unique_ids()?;
    if !document.root().is(ns::ASSERTION, "Assertion") {
        return Err(refuse(
            &SHAPE,
            "暗号化されていたものがアサーションではありません。",
            "What was encrypted is not an assertion.",
        )
        .at(document.root().path()));
    }
    placed(document.root(), 0)?;
    Ok(document)
}

/// Whether a response may come at all, before anything in it is looked at.
fn expected(
    pending: Option<&Pending>,
    relay_state: Option<&str>,
    sp: &ServiceProvider,
    idp: &IdentityProvider,
    rules: &Rules,
    now: Time,
) -> Result<(), Problem> {
    let Some(pending) = pending else {
        return if rules.unsolicited { Ok(()) } else { Err(Problem::new(&UNSOLICITED)) };
    };
    if pending.issuer != idp.entity_id {
        return Err(refuse(&ISSUER, "要求を送った相手ではありません。", "It is not the provider that was asked."));
    }
    if pending.acs != sp.acs() {
        return Err(refuse(
            &DESTINATION,
            "要求が指定した ACS のアドレスではありません。",
            "It is not the ACS address that the request had named.",
        ));
    }
    if now >= pending.until {
        return Err(Problem::new(&PENDING_OVER));
    }
    if pending.relay_state.as_deref() != relay_state.filter(|s| !s.is_empty()) {
        return Err(refuse(&IN_RESPONSE_TO, "RelayState が要求のものと違います。", "RelayState is not the request's.")
            .at(RELAY_STATE.name));
    }
    Ok(())
}

/// Assertions stand at `depth` below the root and nowhere else, signatures directly in the root or in such an assertion: every
/// wrapping attack needs another place for one of them.
fn placed(root: Node<'_>, depth: usize) -> Result<(), Problem> {
    let above = |mut node: Node<'_>| {
        let mut n = 0;
        while let Some(parent) = node.parent() {
            node = parent;
            n += 1;
        }
        n
    };
    for node in root.document().all() {
        // Local names alone decide: an element that some reader might take for an assertion is one here.
        match node.local() {
            "Assertion" | "EncryptedAssertion" if above(node) != depth => {
                return Err(refuse(
                    &SHAPE,
                    "アサーションが許可されない場所にあります。",
                    "An assertion stands where it may not.",
                )
                .at(node.path()));
            }
            "Signature" => {
                let parent = node.parent();
                let good = parent.is_some_and(|p| p.same(root) || (above(p) == depth && p.local() == "Assertion"));
                if !good || !node.is(ns::DS, "Signature") {
                    return Err(refuse(
                        &SIGNATURE_SHAPE,
                        "署名が許可されない場所にあります。",
                        "A signature stands where it may not.",
                    )
                    .at(node.path()));
                }
            }
            "Response" if !node.same(root) => {
                return Err(refuse(&SHAPE, "応答の中に別の応答があります。", "A response stands within another.")
                    .at(node.path()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The response's own attributes, issuer and status.
fn head(
    response: Node<'_>,
    signed: bool,
    sp: &ServiceProvider,
    idp: &IdentityProvider,
    pending: Option<&Pending>,
    rules: &Rules,
    now: Time,
) -> Result<(), Problem> {
    response.only(&[
        (ns::ASSERTION, "Issuer"),
        (ns::DS, "Signature"),
        (ns::PROTOCOL, "Extensions"),
        (ns::PROTOCOL, "Status"),
        (ns::ASSERTION, "Assertion"),
        (ns::ASSERTION, "EncryptedAssertion"),
    ])?;
    version(response)?;
    response.required("ID")?;
    if signed || response.optional(ns::ASSERTION, "Issuer")?.is_some() {
        issued_by(response, idp)?;
    }
    let to = response.attribute("Destination");
    if to.is_some_and(|to| to != sp.acs()) || (signed && to.is_none()) {
        return Err(differs(&DESTINATION, response, "Destination", to));
    }
    answers(response, pending)?;
    fresh(response, rules, now)?;
    status(response)
}

/// Version 2.0.
pub(crate) fn version(node: Node<'_>) -> Result<(), Problem> {
    if node.attribute("Version") == Some("2.0") {
        return Ok(());
    }
    Err(Problem::new(&VERSION).at(format!("{}/@Version", node.path())))
}

/// InResponseTo: the request's id, or nothing if there was no request.
pub(crate) fn answers(node: Node<'_>, pending: Option<&Pending>) -> Result<(), Problem> {
    let found = node.attribute("InResponseTo");
    if found == pending.map(|p| p.id.as_str()) {
        Ok(())
    } else {
        Err(differs(&IN_RESPONSE_TO, node, "InResponseTo", found))
    }
}

/// IssueInstant neither in the future nor too old; gives it.
pub(crate) fn fresh(node: Node<'_>, rules: &Rules, now: Time) -> Result<Time, Problem> {
    let issued = instant::required(node, "IssueInstant")?;
    instant::reached(node, "IssueInstant", issued, now, rules.skew())?;
    instant::before(node, "IssueInstant", issued.plus(rules.oldest), now, rules.skew())?;
    Ok(issued)
}

/// Success, or the provider's own words.
pub(crate) fn status(node: Node<'_>) -> Result<(), Problem> {
    let status = node.one(ns::PROTOCOL, "Status")?;
    let code = status.one(ns::PROTOCOL, "StatusCode")?;
    let top = code.required("Value")?;
    if top == SUCCESS {
        return Ok(());
    }
    let second = code.optional(ns::PROTOCOL, "StatusCode")?.and_then(|c| c.attribute("Value"));
    let words = status.optional(ns::PROTOCOL, "StatusMessage")?.map(|m| m.text()).transpose()?;
    let last = |uri: &str| shown(uri.rsplit(':').next().unwrap_or_default());
    let told: Vec<String> =
        [Some(last(top)), second.map(last), words.map(|w| shown(&w))].into_iter().flatten().collect();
    let told = told.join(" / ");
    Err(Problem::new(&STATUS)
        .detail(Text::owned(format!("プロバイダーの答え: {told}。"), format!("The provider says: {told}.")))
        .at(code.path()))
}

/// A value that is not the one expected, with what was found.
pub(crate) fn differs(
    kind: &'static sekisho_kernel::ProblemKind,
    node: Node<'_>,
    name: &str,
    found: Option<&str>,
) -> Problem {
    let text = match found {
        Some(found) => {
            let found = shown(found);
            Text::owned(format!("届いた値: {found}。"), format!("Received: {found}."))
        }
        None => Text::new("値がありません。", "It is missing."),
    };
    Problem::new(kind).detail(text).at(format!("{}/@{name}", node.path()))
}

fn unsigned(node: Node<'_>) -> Problem {
    refuse(&UNSIGNED, "要素に署名がありません。", "The element is not signed.").at(node.path())
}

/// The id that may be used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTime {
    /// The provider's entity id: ids are unique per provider only.
    pub issuer: String,
    /// The assertion's id.
    pub id: String,
    /// Until when the record must be kept; after it the assertion is refused for its age.
    pub until: Time,
}

/// An assertion that has passed every check but one: that it is used for the first time.
#[derive(Debug)]
pub struct Accepted {
    once: OneTime,
    signed_in: SignedIn,
}

impl Accepted {
    /// What the caller's replay record must hold, written in one step that tells whether it was new.
    pub const fn one_time(&self) -> &OneTime {
        &self.once
    }

    /// The claims, if the record was `new`.
    pub fn first_use(self, new: bool) -> Result<SignedIn, Problem> {
        if new { Ok(self.signed_in) } else { Err(Problem::new(&REPLAY)) }
    }
}

fn accepted((once, mut signed_in): (OneTime, SignedIn), signer: &str, relay_state: Option<String>) -> Accepted {
    signed_in.signer = signer.to_owned();
    signed_in.relay_state = relay_state;
    Accepted { once, signed_in }
}

/// Until when an assertion could be believed.
pub(crate) fn believable(issued: Time, expires: Time, rules: &Rules) -> Time {
    expires.min(issued.plus(rules.oldest)).plus(rules.skew()).plus(Duration::from_secs(1))
}
