//! What is said of one route.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::response::Response;
use sekisho_kernel::Event;

use super::{Access, Gives, Surface, Verb};
use crate::{api, call::Call, problem::Fault, serve, shape::Shape};

type Run = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>;

/// One route.
#[derive(Clone, Copy)]
pub struct RouteInfo {
    /// Method.
    pub verb: Verb,
    /// Path, parameters in braces.
    pub path: &'static str,
    /// Kind.
    pub surface: Surface,
    /// The operation's name, unique.
    pub name: &'static str,
    /// What it does, one line.
    pub says: &'static str,
    /// What it needs.
    pub access: Access,
    /// The event of its entry; `None` makes no entry when it succeeds.
    pub event: Option<&'static Event>,
    /// The prefix of the id in the path's `{id}`.
    pub id: Option<&'static str>,
    /// Query parameters.
    pub query: Option<&'static Shape>,
    /// Body.
    pub body: Option<&'static Shape>,
    /// Answer.
    pub gives: Gives,
    /// Whether `If-Match` is read, and whether it must be there.
    pub version: Option<bool>,
    /// The largest body, in bytes.
    pub most: usize,
    /// Whether the request counts as activity of the person.
    pub activity: bool,
    /// Whether it is open to somebody who has yet to accept the terms of use.
    pub before_terms: bool,
    /// Whether pages of public applications may read its answers.
    pub shared: bool,
    pub(crate) handler: fn(Arc<Call>) -> Run,
}

impl std::fmt::Debug for RouteInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb.name(), self.path)
    }
}

impl RouteInfo {
    pub(super) const fn new(
        verb: Verb,
        path: &'static str,
        name: &'static str,
        access: Access,
        event: Option<&'static Event>,
        handler: fn(Arc<Call>) -> Run,
    ) -> Self {
        Self {
            verb,
            path,
            surface: Surface::Api,
            name,
            says: "",
            access,
            event,
            id: None,
            query: None,
            body: None,
            gives: Gives::Nothing,
            version: None,
            most: serve::MAX_BODY,
            activity: true,
            before_terms: false,
            shared: false,
            handler,
        }
    }
    pub(super) const fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }
    pub(super) const fn id(mut self, prefix: &'static str) -> Self {
        self.id = Some(prefix);
        self
    }
    pub(super) const fn query(mut self, shape: &'static Shape) -> Self {
        self.query = Some(shape);
        self
    }
    pub(super) const fn body(mut self, shape: &'static Shape) -> Self {
        self.body = Some(shape);
        self
    }
    pub(super) const fn gives(mut self, status: u16, schema: &'static str) -> Self {
        self.gives = Gives::Json(status, schema);
        self
    }
    pub(super) const fn media(mut self, kinds: &'static [&'static str]) -> Self {
        self.gives = Gives::Media(kinds);
        self
    }
    pub(super) const fn version(mut self, must: bool) -> Self {
        self.version = Some(must);
        self
    }
    pub(super) const fn idle(mut self) -> Self {
        self.activity = false;
        self
    }
    pub(super) const fn before_terms(mut self) -> Self {
        self.before_terms = true;
        self
    }
    pub(super) const fn page(mut self) -> Self {
        self.surface = Surface::Page;
        self.gives = if self.verb.mutates() { Gives::Redirect } else { Gives::Page };
        self
    }
    pub(super) const fn oauth(mut self) -> Self {
        self.surface = Surface::Oauth;
        self.gives = Gives::Media(&["application/json"]);
        self.activity = false;
        self
    }
    pub(super) const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }
    pub(super) const fn scim(mut self) -> Self {
        self.surface = Surface::Scim;
        self.most = api::scim::MAX_BODY;
        self.gives = Gives::Media(&["application/scim+json"]);
        self.activity = false;
        self
    }
    pub(super) const fn saml(mut self, kinds: &'static [&'static str]) -> Self {
        self.surface = Surface::Saml;
        self.gives = if kinds.is_empty() { Gives::Page } else { Gives::Media(kinds) };
        self.most = serve::LARGE_BODY;
        self
    }
    /// Its body holds a document.
    pub(super) const fn large(mut self) -> Self {
        self.most = serve::LARGE_BODY;
        self
    }
    pub(super) const fn file(mut self, kind: &'static [&'static str]) -> Self {
        self.surface = Surface::File;
        self.gives = Gives::Media(kind);
        self
    }
}
