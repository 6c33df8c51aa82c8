//! An input for every route that there is: a new route is tried without anybody writing a seed for it.

use sekisho_console::{RouteInfo, Surface, Verb, routes};
use serde_json::{Value, json};

/// One well-formed request for each route of the API, as a signed-in administrator sends it.
pub fn api() -> Vec<Vec<u8>> {
    let of_api = |route: &&RouteInfo| matches!(route.surface, Surface::Api | Surface::Scim) && !ends(route);
    let of_api = routes().iter().filter(of_api);
    of_api
        .map(|route| {
            let body = match (route.verb, route.surface) {
                (Verb::Get, _) => String::new(),
                (_, Surface::Scim) => provisioned(route).to_string(),
                _ => sample(route).to_string(),
            };
            let more = "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nIf-Match: \"1\"\r\n";
            request(route, more, &body)
        })
        .collect()
}

/// A body of SCIM: a resource, a change, or many of them.
fn provisioned(route: &RouteInfo) -> Value {
    let user = json!({"userName": "{token}", "active": true, "emails": [{"value": "h@example.test", "primary": true}]});
    let group = json!({"displayName": "{token}", "members": [{"value": "{user}"}]});
    let change =
        json!({"Operations": [{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "h@example.test"}]});
    match (route.verb, route.path) {
        (Verb::Patch, _) => change,
        (_, path) if path.ends_with("/Bulk") => json!({"Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": user},
            {"method": "POST", "path": "/Groups", "bulkId": "b", "data": {"displayName": "x", "members": [{"value": "bulkId:a"}]}},
            {"method": "PATCH", "path": "/Users/bulkId:a", "data": change},
        ]}),
        (_, path) if path.ends_with("/.search") => {
            json!({"filter": "userName sw \"a\"", "count": 5, "attributes": ["id"]})
        }
        (_, path) if path.contains("/Groups") => group,
        _ => user,
    }
}

/// One for each page and form.
pub fn pages() -> Vec<Vec<u8>> {
    let of_pages = routes().iter().filter(|route| route.surface == Surface::Page && !ends(route));
    of_pages
        .map(|route| {
            let form = match route.verb {
                Verb::Get => String::new(),
                _ => fields(&sample(route))
                    .fold("csrf={csrf}&version=1".to_owned(), |form, (name, value)| format!("{form}&{name}={value}")),
            };
            let more = "Cookie: {cookie}\r\nOrigin: https://{console}\r\nSec-Fetch-Site: same-origin\r\n\
                        Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\n";
            request(route, more, &form)
        })
        .collect()
}

/// What ends the administrator's own session is tried by mutation alone: a new sign-in costs more than all the rest.
fn ends(route: &RouteInfo) -> bool {
    route.name.starts_with("signOut") || route.name.starts_with("changePassword") || route.name == "passwordForm"
}

fn request(route: &RouteInfo, more: &str, body: &str) -> Vec<u8> {
    let query = route.query.map_or_else(String::new, |shape| {
        let pairs: Vec<String> =
            fields(&of_schema(&shape.schema())).map(|(name, value)| format!("{name}={value}")).collect();
        format!("?{}", pairs.join("&"))
    });
    let path: Vec<String> = route.path.split('/').map(|part| placed(route, part)).collect();
    let (verb, path) = (route.verb.name(), path.join("/"));
    format!(
        "{verb} {path}{query} HTTP/1.1\r\nHost: {{console}}\r\n{more}Content-Length: {{length}}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A part of a path: an id of the right kind, the administrator's own where there is one.
fn placed(route: &RouteInfo, part: &str) -> String {
    match (part, route.id) {
        // The administrator's own account is to stay.
        ("{id}", Some("usr")) if !["delete", "disable", "end", "switch"].iter().any(|w| route.name.starts_with(w)) => {
            "{user}".into()
        }
        ("{id}", Some("sit")) => "{site}".into(),
        ("{id}", Some(prefix)) => format!("{prefix}_01a203baed7576b7ae94e9addb9a46de"),
        ("{key}", _) => "sessions.idle".into(),
        ("{claim}", _) => "NM-06".into(),
        (part, _) if part.starts_with('{') => "gra_01a203baed7576b7ae94e9addb9a46de".into(),
        (part, _) => part.to_owned(),
    }
}

fn sample(route: &RouteInfo) -> Value {
    route.body.map_or_else(|| json!({}), |shape| of_schema(&shape.schema()))
}

/// A value that the schema allows, as far as a schema says it.
fn of_schema(schema: &Value) -> Value {
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("string");
    match kind {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, schema)| (name.clone(), of_schema(schema))).collect::<serde_json::Map<_, _>>().into()
        }
        "array" => json!([of_schema(&schema["items"])]),
        "boolean" => json!(true),
        "integer" => schema["minimum"].clone(),
        _ => match (schema["enum"].as_array(), schema["format"].as_str(), schema["pattern"].as_str()) {
            (Some(words), ..) => words[0].clone(),
            (_, Some("date-time"), _) => json!("2026-11-22T00:00:00Z"),
            (_, Some("date"), _) => json!("2026-11-22"),
            (_, Some("email"), _) => json!("hanako@example.test"),
            (.., Some(id)) if id.starts_with("^usr") => json!("{user}"),
            (.., Some(id)) if id.starts_with("^sit") => json!("{site}"),
            (.., Some(id)) => json!(format!("{}_01a203baed7576b7ae94e9addb9a46de", id.get(1..4).unwrap_or("x"))),
            _ if schema["maxLength"] == 49 => json!("127.0.0.0/8"),
            _ => json!("{token}"),
        },
    }
}

/// A flat object as a form says it.
fn fields(object: &Value) -> impl Iterator<Item = (String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = object.as_object().cloned().unwrap_or_default().into_iter();
    pairs.map(move |(name, value)| match &value {
        Value::Array(items) => (name, items.first().map_or_else(String::new, text)),
        value => (name, text(value)),
    })
}
