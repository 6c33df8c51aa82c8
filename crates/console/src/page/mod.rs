//! The pages: what is read goes into a template, what is sent goes to the act that the API runs too.

pub mod account;
pub mod applications;
pub mod authorize;
pub mod claims;
pub mod clients;
pub mod device;
pub mod error;
pub mod federation;
pub mod firewall;
pub mod history;
pub mod icon;
pub mod overview;
pub mod passkeys;
pub mod people;
pub mod plain;
pub mod policy;
pub mod prefs;
pub mod providers;
pub mod provisioning;
pub mod relations;
pub mod risk;
pub mod roles;
pub mod saml;
pub mod sessions;
pub mod sign_in;
pub mod signals;
pub mod terms;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_kernel::{Lang, Right, Text, Time, Zone, access::UserType, percent::with_query};

use crate::{
    call::Call,
    cookie, messages as m,
    problem::{Fault, FieldFault},
    reply,
    serve::defect,
};

/// Who is signed in, for the corner of every page.
#[derive(Clone, Debug)]
pub struct Who {
    /// What people call them.
    pub name: String,
    /// The built-in type.
    pub kind: UserType,
}

/// A group of the navigation.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its heading.
    pub title: Option<&'static Text>,
    /// Its pages.
    pub items: Vec<Item>,
}

/// A page in the navigation.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Where.
    pub href: &'static str,
    /// Its name.
    pub text: &'static Text,
    /// Its icon.
    pub icon: &'static str,
}

/// An option of a choice.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
}

impl Choice {
    /// One option.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// A status as a chip: tone, icon and word, never colour alone.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// `good`, `bad`, `warn`, `info`, `mute`.
    pub tone: &'static str,
    /// The icon's name.
    pub icon: &'static str,
    /// The word.
    pub text: &'static Text,
}

/// A form that came back with faults: shown again as it was sent, secrets excepted.
#[derive(Clone, Debug)]
pub struct Returned {
    /// Which form of the page.
    pub form: String,
    /// What was sent.
    pub values: Vec<(String, String)>,
    /// The problem's title, detail, remedy and code.
    pub title: String,
    /// See `title`.
    pub detail: Option<String>,
    /// See `title`.
    pub remedy: String,
    /// See `title`.
    pub code: &'static str,
    /// Each field at fault.
    pub fields: Vec<FieldFault>,
}

/// What every template knows.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The reader's language.
    pub lang: Lang,
    /// `auto`, `light`, `dark`.
    pub theme: &'static str,
    /// The forms' value against forgery.
    pub csrf: String,
    /// Path and query of this page, to come back to.
    pub path: String,
    /// The heading.
    pub title: String,
    /// The host name, which tells organisations apart.
    pub host: String,
    /// Who is signed in.
    pub who: Option<Who>,
    /// The navigation.
    pub nav: Vec<Group>,
    /// The rights that decide what is shown.
    pub rights: Vec<Right>,
    /// The zone of times.
    pub zone: Zone,
    /// Whether the policy fixes it.
    pub zone_fixed: bool,
    /// What was just done.
    pub done: Option<&'static Text>,
    /// A form that came back.
    pub returned: Option<Returned>,
}

impl Shell {
    /// A text in the reader's language.
    pub fn t<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.lang)
    }
    /// A text in the reader's language, about somebody or something of this name.
    pub fn named(&self, text: &Text, name: &str) -> String {
        text.get(self.lang).replace("{name}", name)
    }
    /// A user type in the reader's language.
    pub fn kind(&self, kind: &UserType) -> String {
        kind.text().get(self.lang).to_owned()
    }
    /// A time in the page's zone.
    pub fn time(&self, at: &Time) -> String {
        at.in_zone(&self.zone)
    }
    /// Whether the person has the right somewhere.
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }
    /// Whether a navigation link leads to this page or one below it.
    pub fn is_current(&self, href: &str) -> bool {
        let here = self.path.split('?').next().unwrap_or("");
        here == href || (href != "/" && here.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
    }
    /// What came back, for the summary.
    pub const fn fault_view(&self) -> Option<&Returned> {
        self.returned.as_ref()
    }
    fn of(&self, form: &str) -> Option<&Returned> {
        self.returned.as_ref().filter(|r| r.form == form)
    }
    /// What is wrong with a field.
    pub fn fault(&self, form: &str, name: &str) -> Option<&str> {
        self.of(form)?.fields.iter().find(|f| f.field == name).map(|f| f.says.get(self.lang))
    }
    /// What was sent for a field, or its present value.
    pub fn value<'a>(&'a self, form: &str, name: &str, present: &'a str) -> &'a str {
        let sent = self.of(form).and_then(|r| r.values.iter().find(|(n, _)| n == name));
        sent.map_or(present, |(_, v)| v.as_str())
    }
    /// Whether a folded form is shown open.
    pub fn is_open(&self, form: &str) -> bool {
        self.of(form).is_some()
    }
    /// The ids of what describes a field.
    pub fn described(&self, form: &str, name: &str, hint: &str) -> Option<String> {
        let mut ids = Vec::new();
        if !hint.is_empty() {
            ids.push(format!("{form}-{name}-hint"));
        }
        if self.fault(form, name).is_some() {
            ids.push(format!("{form}-{name}-fault"));
        }
        (!ids.is_empty()).then(|| ids.join(" "))
    }
    /// A field's name for people.
    pub fn field_name<'a>(&self, name: &'a str) -> &'a str {
        m::field(name).map_or(name, |text| text.get(self.lang))
    }
    fn query_without_after(&self) -> (String, Vec<(String, String)>) {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let keep = |n: &str| !matches!(n, "after" | "done");
        let pairs = crate::call::pairs(query.as_bytes()).into_iter().filter(|(n, v)| keep(n) && !v.is_empty());
        (path.to_owned(), pairs.collect())
    }
    /// The first page of this list.
    pub fn first_href(&self) -> String {
        let (path, pairs) = self.query_without_after();
        with_query(&path, &pairs)
    }
    /// The next page of this list.
    pub fn next_href(&self, after: &str) -> String {
        let (path, mut pairs) = self.query_without_after();
        pairs.push(("after".into(), after.into()));
        with_query(&path, &pairs)
    }
}

/// The rights that pages ask about.
const SHOWN: [Right; 27] = [
    Right::USERS_READ,
    Right::USERS_WRITE,
    Right::ROLES_READ,
    Right::ROLES_WRITE,
    Right::GRANTS_WRITE,
    Right::SITES_READ,
    Right::SITES_WRITE,
    Right::ADDRESSES_READ,
    Right::ADDRESSES_WRITE,
    Right::HISTORY_READ,
    Right::HISTORY_EXPORT,
    Right::POLICY_READ,
    Right::POLICY_WRITE,
    Right::SWITCHES_WRITE,
    Right::CLAIMS_READ,
    Right::SESSIONS_READ,
    Right::SESSIONS_END,
    Right::CLIENTS_READ,
    Right::CLIENTS_WRITE,
    Right::TOKENS_READ,
    Right::TOKENS_WRITE,
    Right::CLIENTS_APPROVE,
    Right::FEDERATION_READ,
    Right::FEDERATION_WRITE,
    Right::PEOPLE_FIND,
    Right::RELATIONS_READ,
    Right::RELATIONS_WRITE,
];

/// The navigation of somebody with these rights.
pub fn nav(rights: &[Right]) -> Vec<Group> {
    type Gated = (Option<Right>, Item);
    let all: [(Option<&'static Text>, &[Gated]); 3] = [
        (
            None,
            &[
                (None, Item { href: "/", text: m::OVERVIEW, icon: "overview" }),
                (Some(Right::PEOPLE_FIND), Item { href: "/people", text: m::PEOPLE, icon: "people" }),
            ],
        ),
        (
            Some(m::NAV_ACCESS),
            &[
                (Some(Right::USERS_READ), Item { href: "/users", text: m::USERS, icon: "people" }),
                (Some(Right::ROLES_READ), Item { href: "/roles", text: m::ROLES, icon: "key" }),
                (Some(Right::RELATIONS_READ), Item { href: "/relations", text: m::RELATIONS, icon: "link" }),
                (Some(Right::SITES_READ), Item { href: "/sites", text: m::SITES, icon: "site" }),
                (Some(Right::ADDRESSES_READ), Item { href: "/addresses", text: m::ADDRESSES, icon: "network" }),
                (Some(Right::FEDERATION_READ), Item { href: "/providers", text: m::PROVIDERS, icon: "person" }),
                (Some(Right::CLIENTS_READ), Item { href: "/clients", text: m::CLIENTS, icon: "link" }),
                (Some(Right::CLIENTS_READ), Item { href: "/applications", text: m::APPLICATIONS, icon: "screen" }),
                (Some(Right::CLIENTS_READ), Item { href: "/provisioning", text: m::PROVISIONING, icon: "people" }),
                (Some(Right::CLIENTS_READ), Item { href: "/signals", text: m::SIGNALS, icon: "screen" }),
                (Some(Right::TOKENS_READ), Item { href: "/tokens", text: m::TOKENS, icon: "key" }),
            ],
        ),
        (
            Some(m::NAV_ASSURANCE),
            &[
                (Some(Right::HISTORY_READ), Item { href: "/firewall", text: m::FIREWALL, icon: "shield" }),
                (Some(Right::HISTORY_READ), Item { href: "/history", text: m::HISTORY, icon: "history" }),
                (Some(Right::HISTORY_READ), Item { href: "/risk", text: m::RISK, icon: "alert" }),
                (Some(Right::CLAIMS_READ), Item { href: "/claims", text: m::CLAIMS, icon: "seal" }),
                (Some(Right::POLICY_READ), Item { href: "/policy", text: m::POLICY, icon: "policy" }),
            ],
        ),
    ];
    let mut groups = Vec::new();
    for (title, items) in all {
        let shown: Vec<Item> =
            items.iter().filter(|(r, _)| r.is_none_or(|r| rights.contains(&r))).map(|(_, i)| *i).collect();
        if !shown.is_empty() {
            groups.push(Group { title, items: shown });
        }
    }
    groups
}

/// The shell of this request. The name in the corner comes from the directory and makes no entry.
pub async fn shell(call: &Call, title: &Text) -> Result<Shell, Fault> {
    let mut shell = bare(call, title);
    if let Some(passage) = &call.passage {
        let names = call.parts.identity.names(&passage.cx, vec![passage.user]).await.map_err(Fault::own)?;
        let kind = UserType::ALL.into_iter().find(|k| passage.roles.iter().any(|r| r == k.name()));
        shell.who = Some(Who {
            name: names.get(&passage.user).cloned().unwrap_or_else(|| passage.user.to_string()),
            kind: kind.unwrap_or(UserType::User),
        });
        shell.rights = SHOWN.into_iter().filter(|r| call.may(*r)).collect();
        shell.nav = nav(&shell.rights);
    }
    Ok(shell)
}

/// The shell without a person: it asks nothing that could fail.
pub fn bare(call: &Call, title: &Text) -> Shell {
    let path = call.uri.path_and_query().map_or("/", |p| p.as_str());
    let theme = match cookie::get(&call.headers, cookie::THEME) {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "auto",
    };
    Shell {
        lang: call.lang,
        theme,
        csrf: call.csrf(),
        path: if call.route.verb.mutates() { "/".into() } else { path.to_owned() },
        title: title.get(call.lang).to_owned(),
        host: call.arrival.host.host.clone(),
        who: None,
        nav: Vec::new(),
        rights: Vec::new(),
        zone: call.zone.clone(),
        zone_fixed: call.zone_fixed,
        done: call.asked("done").and_then(|code| m::done(&code)),
        returned: None,
    }
}

/// What a form sent, to show it again beside what is wrong with it.
pub fn returned(call: &Call, form: &str, fault: &Fault) -> Returned {
    let kind = fault.problem.kind;
    let secret = |n: &str| {
        n.contains("password")
            || n.contains("secret")
            || matches!(n, "csrf" | "token" | "code" | "recovery_code" | "current" | "new" | "repeat")
    };
    Returned {
        form: form.to_owned(),
        values: call.form().into_iter().filter(|(n, _)| !secret(n)).collect(),
        title: kind.title.get(call.lang).to_owned(),
        detail: fault.problem.detail.as_ref().map(|d| d.get(call.lang).to_owned()),
        remedy: kind.remedy.get(call.lang).to_owned(),
        code: kind.code,
        fields: fault.fields.iter().filter(|f| f.field != "If-Match").cloned().collect(),
    }
}

/// Renders a template.
pub fn render(status: StatusCode, page: &impl Template) -> Result<Response, Fault> {
    let text = page.render().map_err(defect)?;
    Ok(reply::html(status, text))
}

/// The answer to a form whose act was refused: the page again, under the problem's status, with the form as it was sent.
/// A problem that belongs to no form (no session, no right, not there) keeps its own page.
pub async fn again<F, Fut>(call: &Arc<Call>, form: &str, fault: Fault, show: F) -> Result<Response, Fault>
where
    F: FnOnce(Arc<Call>, Option<Returned>) -> Fut,
    Fut: Future<Output = Result<Response, Fault>>,
{
    use sekisho_kernel::problem::Category as C;
    let belongs = matches!(
        fault.problem.kind.category,
        C::Invalid | C::Conflict | C::Precondition | C::TooMany | C::Unauthenticated
    ) || (fault.problem.kind.category == C::Forbidden && fault.problem.place.is_some());
    let lost = fault.problem.is(&sekisho_kernel::problem::UNAUTHENTICATED);
    if !belongs || lost {
        return Err(fault);
    }
    match show(Arc::clone(call), Some(returned(call, form, &fault))).await {
        Ok(mut page) => {
            *page.status_mut() = reply::status(fault.problem.kind.category);
            Err(fault.on(page))
        }
        Err(_) => Err(fault),
    }
}

/// A form's act is done: back to a page, which says so.
pub fn done(path: &str, code: &str) -> Result<Response, Fault> {
    Ok(reply::see(&format!("{path}?done={code}")))
}

/// The two passwords of a form must be the same; checked before the act.
pub fn repeated(call: &Call, field: &str) -> Result<(), Fault> {
    if call.field(field) == call.field("repeat") {
        return Ok(());
    }
    Err(Fault::field("repeat", m::NOT_THE_SAME.clone()))
}

/// The option that stands for none, and one for each site.
pub fn site_choices(sites: &[sekisho_identity::types::SiteView], none: &Text, lang: Lang) -> Vec<Choice> {
    let mut out = vec![Choice::new("", none.get(lang))];
    out.extend(sites.iter().map(|s| Choice::new(s.id.to_string(), s.name.clone())));
    out
}

/// Every site, for a choice; empty for who may not read sites.
pub async fn sites(call: &Call) -> Result<Vec<sekisho_identity::types::SiteView>, Fault> {
    if !call.may(Right::SITES_READ) {
        return Ok(Vec::new());
    }
    let query = sekisho_identity::types::After { after: None, limit: 200 };
    Ok(call.parts.identity.sites(call.cx()?, query).await?.items)
}
