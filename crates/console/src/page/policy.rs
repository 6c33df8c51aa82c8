//! The policy in force: each setting with the platform's value, the tenant's own, and what holds; and the functions.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{FunctionView, PolicyView, SettingView};
use sekisho_kernel::{
    Effective, Lang, Problem, Right, Setting, Text,
    policy::{Kind, Movement, Value, show_span},
    problem::NOT_FOUND,
};
use serde_json::json;

use super::{Choice, Returned, Shell, again, overview::span, render, shell, users::off};
use crate::{call::Call, messages as m, page, problem::Fault};

/// A section of the policy.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name in the file.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What the control does, one sentence.
    pub says: Option<String>,
    /// Its settings.
    pub settings: Vec<Row>,
}

/// A setting on the page.
#[derive(Clone, Debug)]
pub struct Row {
    /// As the API gives it.
    pub view: SettingView,
    /// The platform's value, for people.
    pub platform: String,
    /// The tenant's own.
    pub tenant: Option<String>,
    /// What holds.
    pub effective: String,
    /// How a tenant may move it.
    pub movement: &'static Text,
    /// The chip's tone.
    pub tone: &'static str,
    /// The chip's icon.
    pub icon: &'static str,
    /// Whether the reader may move it.
    pub can_move: bool,
    /// Words to choose from.
    pub options: Vec<Choice>,
    /// Whether it takes one value a line.
    pub many: bool,
    /// What the field starts with.
    pub own: String,
    /// The range that is allowed.
    pub range: String,
}

/// The page.
#[derive(Template)]
#[template(path = "policy.html")]
pub struct PolicyPage {
    /// Shell.
    pub p: Shell,
    /// The policy.
    pub policy: PolicyView,
    /// Its settings by section.
    pub sections: Vec<Section>,
    /// The functions.
    pub functions: Option<Vec<FunctionView>>,
}

/// The movement for people: words, chip.
fn movement(setting: &Setting) -> (&'static Text, &'static str, &'static str) {
    match (setting.tenant, setting.kind) {
        (Movement::Fixed | Movement::Inner, _) => (m::MOVES_NOT, "mute", "lock"),
        (Movement::Min, Kind::Int { .. } | Kind::Span { .. }) => (m::MOVES_DOWN, "info", "down"),
        (Movement::Max, Kind::Int { .. } | Kind::Span { .. }) => (m::MOVES_UP, "info", "up"),
        (Movement::Beside, _) => (m::MOVES_BESIDE, "info", "up"),
        (Movement::Subset, _) => (m::MOVES_INSIDE, "info", "down"),
        (Movement::Min | Movement::Max, _) => (m::MOVES_STRICTER, "info", "up"),
    }
}

/// What a tenant may set, in words.
pub fn range(setting: &Setting, platform: &Value, lang: Lang) -> String {
    let between = |low: String, high: String| match lang {
        Lang::Ja => format!("{low} 以上 {high} 以下"),
        Lang::En => format!("{low} to {high}"),
    };
    let span = |s: u64| show_span(std::time::Duration::from_secs(s));
    match (setting.kind, setting.tenant, platform) {
        (Kind::Int { min, .. }, Movement::Min, Value::Int(p)) => between(min.to_string(), p.to_string()),
        (Kind::Int { max, .. }, Movement::Max, Value::Int(p)) => between(p.to_string(), max.to_string()),
        (Kind::Span { min, .. }, Movement::Min, Value::Span(p)) => between(span(min), show_span(*p)),
        (Kind::Span { max, .. }, Movement::Max, Value::Span(p)) => between(show_span(*p), span(max)),
        (Kind::Networks, ..) => m::NETWORKS_HINT.get(lang).to_owned(),
        (Kind::List, ..) => m::LINES_HINT.get(lang).to_owned(),
        (Kind::Str { max }, ..) => match lang {
            Lang::Ja => format!("{max} 文字以下"),
            Lang::En => format!("at most {max} characters"),
        },
        _ => String::new(),
    }
}

/// The words that are not looser than the platform's.
fn options(setting: &Setting, platform: &Value, lang: Lang) -> Vec<Choice> {
    match (setting.kind, setting.tenant, platform) {
        (Kind::Bool, movement, Value::Bool(p)) => {
            let both = [(true, m::ON), (false, m::OFF)];
            let fits = |b: bool| match movement {
                Movement::Max => b || !p,
                Movement::Min => !b || *p,
                _ => false,
            };
            both.into_iter().filter(|(b, _)| fits(*b)).map(|(b, t)| Choice::new(b.to_string(), t.get(lang))).collect()
        }
        (Kind::Choice(words), movement, Value::Str(p)) => {
            let at = words.iter().position(|w| w == p).unwrap_or(0);
            let fit = match movement {
                Movement::Min => &words[..=at],
                Movement::Max => &words[at..],
                _ => &[][..],
            };
            fit.iter().map(|w| Choice::new(*w, *w)).collect()
        }
        _ => Vec::new(),
    }
}

/// A value for people.
fn shown(setting: &Setting, value: &Value, lang: Lang) -> String {
    match value {
        Value::Bool(true) => m::ON.get(lang).to_owned(),
        Value::Bool(false) => m::OFF.get(lang).to_owned(),
        Value::Span(d) => span(*d, lang),
        Value::List(l) if l.is_empty() => m::NONE.get(lang).to_owned(),
        Value::Networks(n) if n.is_empty() && setting.tenant == Movement::Beside => m::NONE.get(lang).to_owned(),
        Value::Networks(n) if n.is_empty() => m::ANY_ADDRESS.get(lang).to_owned(),
        Value::Str(s) if s.is_empty() => m::NONE.get(lang).to_owned(),
        other => written(other),
    }
}

/// A value as its field starts.
fn written(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Span(d) => show_span(*d),
        Value::Str(s) => s.clone(),
        Value::List(l) => l.join("\n"),
        Value::Networks(n) => n.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

/// The settings by section, in the order of the controls; the door's, store's and keys' own sections last.
pub fn sections(
    named: &[(&'static str, Text)],
    effective: &Effective,
    policy: &PolicyView,
    can_write: bool,
    lang: Lang,
) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    for view in &policy.settings {
        let Some(setting) = effective.platform.schema().get(&view.key) else { continue };
        let name = view.key.split('.').next().unwrap_or("");
        let row = row(effective, setting, view.clone(), can_write, lang);
        match out.iter_mut().find(|s| s.name == name) {
            Some(section) => section.settings.push(row),
            None => {
                let says = named.iter().find(|(n, _)| *n == name).map(|(_, t)| t.get(lang).to_owned());
                let title = m::section(name).map_or_else(|| name.to_owned(), |t| t.get(lang).to_owned());
                out.push(Section { name: name.to_owned(), title, says, settings: vec![row] });
            }
        }
    }
    out.sort_by_key(|s| named.iter().position(|(n, _)| *n == s.name).unwrap_or(usize::MAX));
    out
}

fn row(effective: &Effective, setting: &'static Setting, view: SettingView, can_write: bool, lang: Lang) -> Row {
    let platform = effective.platform.value(setting);
    let own = effective.tenant.get(setting).cloned().unwrap_or_else(|| effective.value(setting));
    let (words, tone, icon) = movement(setting);
    Row {
        platform: shown(setting, &platform, lang),
        tenant: effective.tenant.get(setting).map(|v| shown(setting, v, lang)),
        effective: shown(setting, &effective.value(setting), lang),
        movement: words,
        tone,
        icon,
        can_move: can_write && !matches!(setting.tenant, Movement::Fixed | Movement::Inner),
        options: options(setting, &platform, lang),
        many: matches!(setting.kind, Kind::Networks | Kind::List | Kind::Sockets),
        own: written(&own),
        range: range(setting, &platform, lang),
        view,
    }
}

/// GET /policy
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let cx = call.cx()?;
    let policy = call.parts.identity.policy(cx).await?;
    let functions = Some(call.parts.identity.functions(cx).await?);
    let mut p = shell(&call, m::POLICY).await?;
    let named = call.parts.gates.sections();
    let may = p.may(Right::POLICY_WRITE);
    let sections = sections(&named, &call.arrival.policy, &policy, may, call.lang);
    p.returned = returned;
    p.path = "/policy".into();
    render(StatusCode::OK, &PolicyPage { p, policy, sections, functions })
}

/// The form's text as the JSON that the API takes for this kind of setting.
pub fn value_of(setting: &Setting, text: &str) -> serde_json::Value {
    let lines = || text.split(['\n', ',']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>();
    match setting.kind {
        Kind::Bool => text.parse::<bool>().map_or_else(|_| json!(text), |b| json!(b)),
        Kind::Int { .. } => text.trim().parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
        Kind::Networks | Kind::List | Kind::Sockets => json!(lines()),
        _ => json!(text.trim()),
    }
}

/// POST /policy/{key}
pub async fn set(call: Arc<Call>) -> Result<Response, Fault> {
    let key = call.param("key");
    let ended = async {
        let setting = call.arrival.policy.platform.schema().get(key);
        let setting = setting.ok_or_else(|| Fault::own(Problem::new(&NOT_FOUND)))?;
        let value = value_of(setting, &call.field("value"));
        Ok(call.parts.identity.set_policy(call.cx()?, key, value).await?)
    };
    match ended.await {
        Ok(_) => page::done("/policy", "saved"),
        Err(fault) => again(&call, key, at_value(fault), show_with).await,
    }
}

/// The engine names the setting; the form's field is called `value`.
fn at_value(mut fault: Fault) -> Fault {
    for field in &mut fault.fields {
        field.field = "value".into();
    }
    fault
}

/// POST /policy/{key}/clear
pub async fn clear(call: Arc<Call>) -> Result<Response, Fault> {
    let key = call.param("key");
    match call.parts.identity.clear_policy(call.cx()?, key).await {
        Ok(_) => page::done("/policy", "saved"),
        Err(problem) => again(&call, key, problem.into(), show_with).await,
    }
}

/// POST /functions
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let off = off(&call)?;
        Ok(call.parts.identity.switch_functions(call.cx()?, off).await?)
    };
    match ended.await {
        Ok(_) => page::done("/policy", "saved"),
        Err(fault) => again(&call, "functions", fault, show_with).await,
    }
}
