//! AuthnRequest (core §3.4.1, profiles §4.1.4.1): asking an identity provider to sign somebody in.

use std::time::Duration;

use sekisho_kernel::{Problem, Rng, Time, rng};

use crate::{
    binding::{self, Draft, Kind, Outgoing},
    instant,
    problems::NO_ENDPOINT,
    provider::{Binding, Endpoint, IdentityProvider, ServiceProvider},
    xml::{self, ns},
};

/// How long an answer is waited for.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15 * 60);

/// A fresh message id: 128 random bits, a letter-like first character as xs:ID asks.
pub fn fresh_id(random: &dyn Rng) -> String {
    format!("_{}", hex::encode(rng::bytes::<16>(random)))
}

/// What a request asks for beyond the sign-in itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Opaque to the provider; comes back with the response. At most 80 bytes; without spaces, since some providers verify what they
    /// have encoded anew.
    pub relay_state: Option<String>,
    /// Whether the person must authenticate anew (ForceAuthn).
    pub force: bool,
    /// Context classes of which one is asked for (RequestedAuthnContext, exact).
    pub contexts: Vec<String>,
    /// The binding to use; `None` takes the first that the metadata lists.
    pub binding: Option<Binding>,
}

/// A request that waits for its answer. The caller keeps it, bound to the browser, and gives it up when the answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The request's id, which the answer's InResponseTo must name.
    pub id: String,
    /// The entity id of the provider that was asked.
    pub issuer: String,
    /// The address where the answer must arrive.
    pub acs: String,
    /// When it was asked.
    pub issued: Time,
    /// After this no answer is taken.
    pub until: Time,
    /// Whether the person had to authenticate anew.
    pub force: bool,
    /// The RelayState that must come back.
    pub relay_state: Option<String>,
}

impl ServiceProvider {
    /// A signed request to `idp`, and what to keep until its answer comes.
    pub fn request(
        &self,
        idp: &IdentityProvider,
        ask: &Ask,
        now: Time,
        random: &dyn Rng,
    ) -> Result<(Outgoing, Pending), Problem> {
        let endpoint = choose(&idp.sign_on, ask.binding)?;
        let id = fresh_id(random);
        let force = if ask.force { " ForceAuthn=\"true\"" } else { "" };
        let head = format!(
            "<samlp:AuthnRequest xmlns:samlp=\"{protocol}\" xmlns:saml=\"{assertion}\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{at}\" Destination=\"{to}\"{force} ProtocolBinding=\"{post}\" AssertionConsumerServiceURL=\"{acs}\">\
             <saml:Issuer>{issuer}</saml:Issuer>",
            protocol = ns::PROTOCOL,
            assertion = ns::ASSERTION,
            at = instant::text(now),
            to = xml::value(&endpoint.location),
            post = Binding::Post.uri(),
            acs = xml::value(self.acs()),
            issuer = xml::text(self.entity_id()),
        );
        let classes: String = ask
            .contexts
            .iter()
            .map(|c| format!("<saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>", xml::text(c)))
            .collect();
        let contexts = if classes.is_empty() {
            String::new()
        } else {
            format!("<samlp:RequestedAuthnContext Comparison=\"exact\">{classes}</samlp:RequestedAuthnContext>")
        };
        let xml = format!("{head}<samlp:NameIDPolicy AllowCreate=\"true\"/>{contexts}</samlp:AuthnRequest>");
        let draft = Draft { xml, place: head.len(), id: id.clone() };
        let state = ask.relay_state.as_deref();
        let out = binding::send(&draft, Kind::Request, endpoint.binding, &endpoint.location, state, self.signer())?;
        let pending = Pending {
            id,
            issuer: idp.entity_id.clone(),
            acs: self.acs().to_owned(),
            issued: now,
            until: now.plus(ANSWER_WITHIN),
            force: ask.force,
            relay_state: ask.relay_state.clone(),
        };
        Ok((out, pending))
    }
}

pub(crate) fn choose(endpoints: &[Endpoint], binding: Option<Binding>) -> Result<&Endpoint, Problem> {
    endpoints.iter().find(|e| binding.is_none_or(|b| b == e.binding)).ok_or_else(|| Problem::new(&NO_ENDPOINT))
}
