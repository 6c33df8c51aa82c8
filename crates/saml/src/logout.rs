//! Single logout (core §3.7, profiles §4.4): signed requests and responses, out and in.

use sekisho_kernel::{Problem, Rng, Time};

use crate::{
    binding::{self, Draft, Kind, Outgoing, Query},
    claims::NameId,
    encryption, instant,
    keys::Credential,
    problems::{DESTINATION, IN_RESPONSE_TO, NO_ENDPOINT, PENDING_OVER, SHAPE, SIGNATURE_SHAPE, UNSIGNED, refuse},
    provider::{Binding, IdentityProvider, Rules, ServiceProvider, issued_by},
    request::{ANSWER_WITHIN, choose, fresh_id},
    response::{differs, fresh, status, version},
    signature::{self, Verified},
    xml::{self, Bounds, Form, Node, ns},
};

/// Sessions that one logout request may name.
const SESSIONS: usize = 64;
const RESPONDER: &str = "urn:oasis:names:tc:SAML:2.0:status:Responder";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// How a logout message has arrived.
#[derive(Clone, Copy, Debug)]
pub enum LogoutMessage<'a> {
    /// HTTP-Redirect: the raw query, without the question mark, exactly as it came.
    Redirect(&'a str),
    /// HTTP-POST: the fields.
    Post {
        /// `SAMLRequest` or `SAMLResponse`.
        field: &'a str,
        /// `RelayState`.
        relay_state: Option<&'a str>,
    },
}

/// Whose session is to end at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndSession {
    /// The subject as the provider named it.
    pub name_id: NameId,
    /// The session as the provider named it.
    pub session_index: Option<String>,
}

/// A logout request of ours that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingLogout {
    /// The request's id.
    pub id: String,
    /// The provider that was asked.
    pub issuer: String,
    /// After this no answer is taken.
    pub until: Time,
    /// The RelayState that must come back.
    pub relay_state: Option<String>,
}

/// A provider's verified request to end sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The request's id, to be named in the answer.
    pub id: String,
    /// The provider.
    pub issuer: String,
    /// Whose sessions.
    pub name_id: NameId,
    /// Which of them; empty means all.
    pub sessions: Vec<String>,
    /// To be sent back with the answer.
    pub relay_state: Option<String>,
}

/// How a provider has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutAnswer {
    /// Whether other participants may still be signed in (PartialLogout).
    pub partial: bool,
    /// RelayState as we had sent it.
    pub relay_state: Option<String>,
}

impl ServiceProvider {
    /// A signed LogoutRequest to `idp`.
    pub fn logout(
        &self,
        idp: &IdentityProvider,
        session: &EndSession,
        relay_state: Option<&str>,
        now: Time,
        random: &dyn Rng,
    ) -> Result<(Outgoing, PendingLogout), Problem> {
        let endpoint = choose(&idp.logout, None)?;
        let id = fresh_id(random);
        let until = now.plus(ANSWER_WITHIN);
        let expires = format!(" NotOnOrAfter=\"{}\"", instant::text(until));
        let mut draft = self.draft("LogoutRequest", &id, &endpoint.location, &expires, now);
        let mut qualifiers = String::new();
        let name = &session.name_id;
        for (attribute, value) in
            [("Format", &name.format), ("NameQualifier", &name.qualifier), ("SPNameQualifier", &name.sp_qualifier)]
        {
            if let Some(value) = value {
                qualifiers.push_str(&format!(" {attribute}=\"{}\"", xml::value(value)));
            }
        }
        draft.xml.push_str(&format!("<saml:NameID{qualifiers}>{}</saml:NameID>", xml::text(&name.value)));
        if let Some(index) = &session.session_index {
            draft.xml.push_str(&format!("<samlp:SessionIndex>{}</samlp:SessionIndex>", xml::text(index)));
        }
        draft.xml.push_str("</samlp:LogoutRequest>");
        let out =
            binding::send(&draft, Kind::Request, endpoint.binding, &endpoint.location, relay_state, self.signer())?;
        let pending =
            PendingLogout { id, issuer: idp.entity_id.clone(), until, relay_state: relay_state.map(str::to_owned) };
        Ok((out, pending))
    }

    /// The signed answer to a provider's request: whether every session named has `ended` here.
    pub fn logout_answer(
        &self,
        idp: &IdentityProvider,
        request: &LogoutRequest,
        ended: bool,
        now: Time,
        random: &dyn Rng,
    ) -> Result<Outgoing, Problem> {
        let endpoint = choose(&idp.logout, None)?;
        let answers = format!(" InResponseTo=\"{}\"", xml::value(&request.id));
        let mut draft = self.draft("LogoutResponse", &fresh_id(random), &endpoint.response, &answers, now);
        let code = if ended { SUCCESS } else { RESPONDER };
        draft.xml.push_str(&format!(
            "<samlp:Status><samlp:StatusCode Value=\"{code}\"/></samlp:Status></samlp:LogoutResponse>"
        ));
        let state = request.relay_state.as_deref();
        binding::send(&draft, Kind::Response, endpoint.binding, &endpoint.response, state, self.signer())
    }

    /// Verifies a provider's LogoutRequest. It must be signed.
    pub fn logout_request(
        &self,
        idp: &IdentityProvider,
        message: LogoutMessage<'_>,
        rules: &Rules,
        now: Time,
    ) -> Result<LogoutRequest, Problem> {
        let (verified, relay_state) = receive(message, Kind::Request, idp)?;
        let root = verified.root();
        self.head(root, "LogoutRequest", idp, rules, now)?;
        root.only(&[
            (ns::ASSERTION, "Issuer"),
            (ns::DS, "Signature"),
            (ns::PROTOCOL, "Extensions"),
            (ns::ASSERTION, "NameID"),
            (ns::ASSERTION, "EncryptedID"),
            (ns::PROTOCOL, "SessionIndex"),
        ])?;
        if let Some(until) = instant::optional(root, "NotOnOrAfter")? {
            instant::before(root, "NotOnOrAfter", until, now, rules.skew())?;
        }
        let name_id = named(root, self.opening())?;
        let sessions: Vec<String> =
            root.all_of(ns::PROTOCOL, "SessionIndex").take(SESSIONS + 1).map(Node::text).collect::<Result<_, _>>()?;
        if sessions.len() > SESSIONS {
            return Err(refuse(&SHAPE, "SessionIndex が多すぎます。", "There are too many SessionIndex elements.")
                .at(root.path()));
        }
        let id = root.required("ID")?.to_owned();
        Ok(LogoutRequest { id, issuer: idp.entity_id.clone(), name_id, sessions, relay_state })
    }

    /// Verifies a provider's LogoutResponse to `pending`. It must be signed.
    pub fn logout_response(
        &self,
        idp: &IdentityProvider,
        message: LogoutMessage<'_>,
        pending: &PendingLogout,
        rules: &Rules,
        now: Time,
    ) -> Result<LogoutAnswer, Problem> {
        let (verified, relay_state) = receive(message, Kind::Response, idp)?;
        let root = verified.root();
        self.head(root, "LogoutResponse", idp, rules, now)?;
        root.only(&[
            (ns::ASSERTION, "Issuer"),
            (ns::DS, "Signature"),
            (ns::PROTOCOL, "Extensions"),
            (ns::PROTOCOL, "Status"),
        ])?;
        if now >= pending.until {
            return Err(Problem::new(&PENDING_OVER));
        }
        let answered = root.attribute("InResponseTo");
        if answered != Some(&pending.id) || pending.issuer != idp.entity_id {
            return Err(differs(&IN_RESPONSE_TO, root, "InResponseTo", answered));
        }
        if relay_state != pending.relay_state {
            return Err(refuse(
                &IN_RESPONSE_TO,
                "RelayState が要求のものと違います。",
                "RelayState is not the request's.",
            )
            .at("RelayState"));
        }
        status(root)?;
        let code = root.one(ns::PROTOCOL, "Status")?.one(ns::PROTOCOL, "StatusCode")?;
        let partial = code
            .optional(ns::PROTOCOL, "StatusCode")?
            .is_some_and(|c| c.attribute("Value") == Some("urn:oasis:names:tc:SAML:2.0:status:PartialLogout"));
        Ok(LogoutAnswer { partial, relay_state })
    }

    /// Opens a message up to and with its Issuer; the caller adds the rest and the closing tag.
    fn draft(&self, name: &str, id: &str, to: &str, more: &str, now: Time) -> Draft {
        let xml = format!(
            "<samlp:{name} xmlns:samlp=\"{protocol}\" xmlns:saml=\"{assertion}\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{at}\" Destination=\"{to}\"{more}><saml:Issuer>{issuer}</saml:Issuer>",
            protocol = ns::PROTOCOL,
            assertion = ns::ASSERTION,
            at = instant::text(now),
            to = xml::value(to),
            issuer = xml::text(self.entity_id()),
        );
        let place = xml.len();
        Draft { xml, place, id: id.to_owned() }
    }

    fn head(
        &self,
        root: Node<'_>,
        name: &str,
        idp: &IdentityProvider,
        rules: &Rules,
        now: Time,
    ) -> Result<(), Problem> {
        if !root.is(ns::PROTOCOL, name) {
            return Err(refuse(&SHAPE, "期待した種類のメッセージではありません。", "It is another kind of message.")
                .at(root.path()));
        }
        version(root)?;
        issued_by(root, idp)?;
        let Some(slo) = self.slo() else {
            return Err(Problem::new(&NO_ENDPOINT));
        };
        let to = root.attribute("Destination");
        if to != Some(slo) {
            return Err(differs(&DESTINATION, root, "Destination", to));
        }
        fresh(root, rules, now).map(|_| ())
    }
}

/// Whose sessions: a name in the clear, or one encrypted to us (core §2.2.4). Only what stands in a verified message is opened, so
/// that nobody but the provider asks our keys anything.
fn named(verified: Node<'_>, keys: &[Credential]) -> Result<NameId, Problem> {
    let plain = verified.optional(ns::ASSERTION, "NameID")?;
    match (plain, verified.optional(ns::ASSERTION, "EncryptedID")?) {
        (Some(plain), None) => NameId::read(plain),
        (None, Some(sealed)) => {
            let opened = encryption::open(sealed, keys, Bounds::MESSAGE)?;
            if !opened.root().is(ns::ASSERTION, "NameID") {
                return Err(refuse(
                    &SHAPE,
                    "暗号化されていたものが NameID ではありません。",
                    "What was encrypted is not a NameID.",
                )
                .at(sealed.path()));
            }
            NameId::read(opened.root())
        }
        _ => Err(refuse(&SHAPE, "名前が 1 つではありません。", "There is not exactly one name.").at(verified.path())),
    }
}

/// Decodes and verifies; nothing unsigned comes out.
fn receive(
    message: LogoutMessage<'_>,
    kind: Kind,
    idp: &IdentityProvider,
) -> Result<(Verified, Option<String>), Problem> {
    match message {
        LogoutMessage::Redirect(raw) => {
            let query = Query::read(raw, kind)?;
            let (bytes, signer) = query.verified(&idp.signing)?;
            let state = query.state()?;
            let document = xml::parse(&bytes, Form::Received, Bounds::MESSAGE, Vec::new())?;
            document.unique_ids()?;
            if let Some(found) = document.all().find(|n| n.local() == "Signature") {
                return Err(refuse(
                    &SIGNATURE_SHAPE,
                    "HTTP-Redirect では文書の中に署名を置けません。",
                    "With HTTP-Redirect no signature stands in the document.",
                )
                .at(found.path()));
            }
            Ok((Verified::detached(document, signer), state))
        }
        LogoutMessage::Post { field, relay_state } => {
            binding::relay_state(relay_state)?;
            let bytes = binding::posted(field, kind)?;
            let document = xml::parse(&bytes, Form::Received, Bounds::MESSAGE, Vec::new())?;
            document.unique_ids()?;
            let root = document.root();
            let Some(found) = signature::of(root)? else {
                return Err(refuse(&UNSIGNED, "要素に署名がありません。", "The element is not signed.").at(root.path()));
            };
            let verified = signature::verify(found, &idp.signing, Bounds::MESSAGE)?;
            Ok((verified, relay_state.filter(|s| !s.is_empty()).map(str::to_owned)))
        }
    }
}

/// What a message says before anything of it is believed: good for finding records alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// The issuer that it names.
    pub issuer: String,
    /// The request that it says it answers.
    pub in_response_to: Option<String>,
}

impl LogoutMessage<'_> {
    /// Which kind a raw query holds, by the names of its parameters.
    pub fn kind_of(raw: &str) -> Kind {
        let asks = raw.split('&').any(|pair| pair.split('=').next() == Some(Kind::Request.parameter()));
        if asks { Kind::Request } else { Kind::Response }
    }

    /// Reads what names the sender; unproven.
    pub fn peek(&self, kind: Kind) -> Result<Peeked, Problem> {
        let bytes = match self {
            Self::Redirect(raw) => Query::read(raw, kind)?.inflated()?,
            Self::Post { field, relay_state } => {
                binding::relay_state(*relay_state)?;
                binding::posted(field, kind)?
            }
        };
        let document = xml::parse(&bytes, Form::Received, Bounds::MESSAGE, Vec::new())?;
        let root = document.root();
        let issuer = root.one(ns::ASSERTION, "Issuer")?.text()?;
        Ok(Peeked { issuer, in_response_to: root.attribute("InResponseTo").map(str::to_owned) })
    }

    /// The binding it came by.
    pub const fn binding(&self) -> Binding {
        match self {
            Self::Redirect(_) => Binding::Redirect,
            Self::Post { .. } => Binding::Post,
        }
    }
}
