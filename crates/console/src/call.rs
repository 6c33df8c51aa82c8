//! One request, read once: who, where from, in which language, with what.

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Uri, header},
};
use sekisho_identity::types::Browser;
use sekisho_kernel::{
    Actor, Cx, Lang, Once, Problem, Right, Secret, Target, Time, Zone,
    access::AccessQuestion,
    actor::Via,
    hook::{Arrival, Knock, Passage},
    id::{Id, Kind, UserId},
    problem::{INTERNAL, NOT_FOUND, UNAUTHENTICATED},
};
use sekisho_vault::{Act, Need, Scope};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    cookie, guard,
    parts::Parts,
    problem::{BAD_CURSOR, Fault, MALFORMED, VERSION_NEEDED},
    routes::{RouteInfo, Surface},
    shape::Shape,
};

/// Fields that pages add to a form beside the act's own.
const OF_FORMS: [&str; 3] = ["csrf", "version", "repeat"];

/// A request on its way through a handler.
pub struct Call {
    /// The parts.
    pub parts: Parts,
    /// The route it came by.
    pub route: &'static RouteInfo,
    /// What the door says of it.
    pub arrival: Arrival,
    /// The reader's language.
    pub lang: Lang,
    /// The zone of times shown.
    pub zone: Zone,
    /// Whether the policy fixes it.
    pub zone_fixed: bool,
    /// Header fields.
    pub headers: HeaderMap,
    /// The method as it was sent.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Parameters of the path.
    pub params: Vec<(String, String)>,
    /// The body, at most 64 KiB.
    pub body: Bytes,
    /// The session's token, if one was sent.
    pub token: Option<Secret<String>>,
    /// The thumbprint of the key that was proven to be held, where the token wants one (RFC 9449).
    pub holds: Option<[u8; 32]>,
    /// Whoever is behind it, where the route needs somebody.
    pub passage: Option<Arc<Passage>>,
    /// The value that forms before sign-in are bound to, and whether it is new.
    pub form_token: (String, bool),
    /// The moment of arrival.
    pub now: Time,
}

impl Call {
    /// The person's context, for engine calls.
    pub fn cx(&self) -> Result<&Cx, Fault> {
        self.passage.as_ref().map(|p| &p.cx).ok_or_else(|| Fault::own(Problem::new(&UNAUTHENTICATED)))
    }
    /// From here on, what the person does is done under this key.
    pub fn act_once(&mut self, once: Once) {
        if let Some(passage) = &mut self.passage {
            Arc::make_mut(passage).cx.once = Some(once);
        }
    }
    /// The context, with or without a person.
    pub fn any_cx(&self) -> Cx {
        self.passage.as_ref().map_or_else(|| self.stranger(), |p| p.cx.clone())
    }
    /// The context of somebody who has not signed in.
    pub fn stranger(&self) -> Cx {
        Cx {
            tenant: self.arrival.host.tenant,
            actor: Actor::Stranger,
            via: self.via(),
            peer: Some(self.arrival.peer),
            trace: self.arrival.trace,
            policy: self.arrival.policy.clone(),
            lang: self.lang,
            once: None,
        }
    }
    /// The interface of the route.
    pub const fn via(&self) -> Via {
        match self.route.surface {
            Surface::Api | Surface::Oauth => Via::Api,
            Surface::Scim => Via::Scim,
            Surface::Page | Surface::File | Surface::Saml => Via::Console,
        }
    }
    /// What the door and identity know of the request.
    pub fn knock(&self, activity: bool) -> Knock {
        Knock {
            host: Arc::clone(&self.arrival.host),
            peer: self.arrival.peer,
            via: self.via(),
            trace: self.arrival.trace,
            policy: self.arrival.policy.clone(),
            lang: self.lang,
            activity,
            holds: self.holds,
        }
    }
    /// What is known of the browser.
    pub fn browser(&self) -> Browser {
        let agent = self.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("");
        Browser {
            agent: agent.chars().take(200).collect(),
            device: cookie::get(&self.headers, cookie::DEVICE).map(|d| Secret::new(d.to_owned())),
        }
    }
    /// The scope of the host's tenant.
    pub fn scope(&self) -> Scope {
        Scope::of(&self.any_cx())
    }
    /// The person.
    pub fn user(&self) -> Option<UserId> {
        self.passage.as_ref().map(|p| p.user)
    }

    /// Whether the person has `right` tenant-wide or on any site. For what is shown; acts are checked where they are done.
    pub fn may(&self, right: Right) -> bool {
        let Some(Actor::User { rights, .. }) = self.passage.as_ref().map(|p| &p.cx.actor) else { return false };
        let tenant = self.arrival.host.tenant;
        let ask = |target| {
            let question = AccessQuestion { tenant, view: Arc::clone(rights), right, target };
            self.parts.gates.access(&question).allows()
        };
        ask(Target::tenant(tenant))
            || rights.grants.iter().any(|g| g.site.is_some() && ask(Target::site(tenant, g.site)))
    }
    /// An act of this route on the whole tenant, for reads that the console itself makes through the vault.
    pub fn act(&self, right: Right, object: impl Into<String>) -> Result<Act, Fault> {
        let event = self.route.event.ok_or_else(|| Fault::own(Problem::new(&INTERNAL).log("a route without event")))?;
        Ok(Act {
            event,
            need: Need::Right(right),
            target: Target::tenant(self.arrival.host.tenant),
            object: object.into(),
        })
    }

    /// A parameter of the path.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }
    /// An id of the path. What is no id of that kind is simply not there.
    pub fn id<K: Kind>(&self, name: &str) -> Result<Id<K>, Fault> {
        self.param(name).parse().map_err(|_| Fault::own(Problem::new(&NOT_FOUND)))
    }
    /// The query's pairs, at most 32.
    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.uri.query().unwrap_or("").as_bytes())
    }
    /// One value of the query.
    pub fn asked(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v)
    }
    /// The query, checked against the route's shape.
    pub fn filter(&self) -> Result<Map<String, Value>, Fault> {
        let shape = self.route.query.unwrap_or(&NOTHING);
        let mut given = self.query();
        // Where a form's act leads back to, the address says what was done; that filters nothing.
        if self.route.surface == Surface::Page {
            given.retain(|(name, _)| name != "done");
        }
        shape.pairs(&given)
    }
    /// The form's pairs.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
    /// One value of the form.
    pub fn field(&self, name: &str) -> String {
        self.form().into_iter().find(|(n, _)| n == name).map_or_else(String::new, |(_, v)| v)
    }
    /// The act's input: JSON from the API, a form from a page, checked by the same shape.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let shape = self.route.body.unwrap_or(&NOTHING);
        let given = match self.route.surface {
            Surface::Api => shape.json(&self.body)?,
            Surface::Page | Surface::File | Surface::Oauth | Surface::Saml | Surface::Scim => {
                let own: Vec<_> = self.form().into_iter().filter(|(n, _)| !OF_FORMS.contains(&n.as_str())).collect();
                shape.pairs(&own)?
            }
        };
        typed(given)
    }

    /// The version that `If-Match` (or a form's hidden field) names; `*` and none are `None`.
    pub fn version(&self) -> Result<Option<i64>, Fault> {
        let refuse = || Fault::own(Problem::new(&VERSION_NEEDED).at("If-Match"));
        if self.route.surface != Surface::Api {
            let field = self.field("version");
            return if field.is_empty() { Ok(None) } else { field.parse().map(Some).map_err(|_| refuse()) };
        }
        let Some(value) = self.headers.get(header::IF_MATCH) else { return Ok(None) };
        let text = value.to_str().map_err(|_| refuse())?.trim();
        if text == "*" {
            return Ok(None);
        }
        let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).ok_or_else(refuse)?;
        bare.parse().map(Some).map_err(|_| refuse())
    }
    /// The version, which must be named.
    pub fn needed_version(&self) -> Result<i64, Fault> {
        self.version()?.ok_or_else(|| Fault::own(Problem::new(&VERSION_NEEDED).at("If-Match")))
    }

    /// The value that forms of this page carry.
    pub fn csrf(&self) -> String {
        self.token
            .as_ref()
            .filter(|_| self.passage.is_some())
            .map_or_else(|| guard::csrf(&self.form_token.0), |token| guard::csrf(token.reveal()))
    }

    /// What a cursor of this list is bound to, besides its tenant: operation and filter, without position and limit.
    fn cursor_context(&self, list: &str) -> String {
        let mut filter: Vec<_> = self
            .query()
            .into_iter()
            .filter(|(n, v)| !matches!(n.as_str(), "after" | "limit") && !v.is_empty())
            .collect();
        filter.sort_unstable();
        let mut out = format!("cursor/1/{list}");
        for (name, value) in filter {
            out.push_str(&format!("/{}:{name}={}:{value}", name.len(), value.len()));
        }
        out
    }
    /// Where a list goes on behind `last`, for the next request's `after`.
    pub async fn next<K: Kind>(&self, list: &str, last: Option<Id<K>>) -> Result<Option<String>, Fault> {
        match last {
            Some(id) => Ok(Some(self.seal(list, &id.to_string()).await?)),
            None => Ok(None),
        }
    }
    /// Seals a list position.
    pub async fn seal(&self, list: &str, position: &str) -> Result<String, Fault> {
        let sealed = self.parts.vault.seal_text(&self.scope(), &self.cursor_context(list), position).await;
        sealed.map_err(Fault::own)
    }
    /// Opens the `after` of the query; `None` when there is none.
    pub async fn position<K: Kind>(&self, list: &str) -> Result<Option<Id<K>>, Fault> {
        let Some(text) = self.asked("after") else { return Ok(None) };
        let bad = || Fault::own(Problem::new(&BAD_CURSOR).at("after"));
        if text.len() > 1024 {
            return Err(bad());
        }
        let open = self.parts.vault.open_text(&self.scope(), &self.cursor_context(list), &text).await;
        let plain = open.map_err(Fault::own)?.ok_or_else(bad)?;
        plain.parse().map(Some).map_err(|_| bad())
    }
    /// The `limit` of the query, 1 to 200; 50 without one.
    pub fn limit(&self, given: &Map<String, Value>) -> u32 {
        given.get("limit").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(50)
    }
}

static NOTHING: Shape = Shape { name: "Nothing", fields: &[] };

/// The typed value of a checked object. What still does not fit is a field's form that the shape cannot say.
pub fn typed<T: DeserializeOwned>(given: Map<String, Value>) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(given)).map_err(|e| Fault::own(Problem::new(&MALFORMED).log(e)))
}

/// `application/x-www-form-urlencoded` (URL Standard §5.1), at most 256 pairs.
pub fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let decode = |part: &[u8]| {
        let mut out = Vec::with_capacity(part.len());
        let mut at = 0;
        while at < part.len() {
            let hex = |i: usize| part.get(i).and_then(|b| char::from(*b).to_digit(16));
            match part[at] {
                b'+' => out.push(b' '),
                b'%' => match (hex(at + 1), hex(at + 2)) {
                    (Some(h), Some(l)) => {
                        out.push(u8::try_from(h * 16 + l).unwrap_or(b'?'));
                        at += 2;
                    }
                    _ => out.push(b'%'),
                },
                byte => out.push(byte),
            }
            at += 1;
        }
        String::from_utf8_lossy(&out).replace("\r\n", "\n")
    };
    text.split(|b| *b == b'&')
        .filter(|p| !p.is_empty())
        .take(256)
        .map(|pair| {
            let mut sides = pair.splitn(2, |b| *b == b'=');
            (decode(sides.next().unwrap_or(b"")), decode(sides.next().unwrap_or(b"")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_kernel::percent::encode;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let got = pairs("a=1&b=%E9%96%A2+%E6%89%80&c&d=x%0D%0Ay&e=%zz".as_bytes());
        let want = [("a", "1"), ("b", "関 所"), ("c", ""), ("d", "x\ny"), ("e", "%zz")];
        assert_eq!(got, want.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    proptest! {
        #[test]
        fn encoding_comes_back(text in "[^\r\u{0}]{0,40}") {
            let line = format!("k={}", encode(&text));
            prop_assert_eq!(pairs(line.as_bytes()), vec![("k".to_owned(), text)]);
        }
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = pairs(&bytes);
        }
    }
}
