//! The OpenAPI 3.1 document, from the route list, the input shapes and the answers' schemas.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::{
    inputs,
    routes::{Access, Gives, RouteInfo, Surface, Verb, routes},
    schemas,
    shape::{Shape, schema_of},
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);

/// The document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

fn build() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes().iter().filter(|r| r.surface == Surface::Api) {
        let path = route.path.strip_prefix("/api/v1").unwrap_or(route.path);
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[route.verb.name().to_ascii_lowercase()] = operation(route);
    }
    let mut components = schemas::all();
    for shape in inputs::ALL.iter().filter(|s| routes().iter().any(|r| is_body(r, s))) {
        components.insert(format!("{}Input", shape.name), shape.schema());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sekisho API",
            "version": "1",
            "summary": "Everything that the console does.",
            "description": "JSON in snake_case; times in RFC 3339, UTC; ids with a type prefix. Lists take `limit` and \
                `after` and give `next`. Within version 1 only additions are made.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "bearer": [] }, { "cookie": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "The session's token." },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-sekisho",
                    "description": "The same token; requests that change something also need the header `X-CSRF-Token`." },
            },
            "responses": {
                "Problem": {
                    "description": "A problem (RFC 9457): what happened, why, what to do next, in the language of `Accept-Language`.",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
    })
}

fn is_body(route: &RouteInfo, shape: &Shape) -> bool {
    route.surface == Surface::Api && route.body.is_some_and(|b| b.name == shape.name)
}

const TAGS: [(&str, &str); 10] = [
    ("sign-in", "The way in and out."),
    ("me", "One's own account."),
    ("users", "Accounts of the tenant."),
    ("roles", "Roles, rights and grants."),
    ("sites", "Sites."),
    ("address-rules", "Where people may come from."),
    ("policy", "The policy in force and the function switches."),
    ("history", "The operation history and its proofs."),
    ("claims", "Claims, evidence, the data catalogue."),
    ("document", "This document."),
];

fn tags() -> Vec<Value> {
    TAGS.iter().map(|(name, says)| json!({ "name": name, "description": says })).collect()
}

fn tag(path: &str) -> &'static str {
    let first = path.strip_prefix("/api/v1/").unwrap_or(path).split('/').next().unwrap_or("");
    match first {
        "sign-in" | "sign-out" | "session" | "links" => "sign-in",
        "me" => "me",
        "users" => "users",
        "roles" | "rights" | "grants" => "roles",
        "sites" => "sites",
        "address-rules" => "address-rules",
        "policy" | "functions" => "policy",
        "history" => "history",
        "claims" | "catalogue" => "claims",
        _ => "document",
    }
}

fn operation(route: &RouteInfo) -> Value {
    let mut out = json!({
        "operationId": route.name,
        "tags": [tag(route.path)],
        "summary": route.says,
        "description": describe(route),
        "responses": responses(route),
    });
    let parameters = parameters(route);
    if !parameters.is_empty() {
        out["parameters"] = json!(parameters);
    }
    if route.access == Access::Public {
        out["security"] = json!([]);
    }
    if let Some(shape) = route.body {
        let required = shape.fields.iter().any(|f| !f.optional);
        let schema = json!({ "$ref": format!("#/components/schemas/{}Input", shape.name) });
        out["requestBody"] = json!({ "required": required, "content": { "application/json": { "schema": schema } } });
    }
    out["x-sekisho-right"] = json!(route.access.name());
    if let Some(event) = route.event {
        out["x-sekisho-event"] = json!(event.name);
    }
    out
}

fn describe(route: &RouteInfo) -> String {
    let mut text = route.access.text().en.into_owned();
    match route.event {
        Some(event) => text.push_str(&format!(" One entry: `{}`.", event.name)),
        None => text.push_str(" Makes no entry when it succeeds."),
    }
    text
}

/// The names in braces.
pub fn path_parameters(path: &str) -> Vec<&str> {
    path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')).collect()
}

fn parameters(route: &RouteInfo) -> Vec<Value> {
    let mut out = Vec::new();
    for name in path_parameters(route.path) {
        let schema = match (name, route.id) {
            ("id", Some(prefix)) => json!({ "type": "string", "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") }),
            _ => json!({ "type": "string" }),
        };
        out.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    for field in route.query.map(|q| q.fields).unwrap_or_default() {
        out.push(json!({
            "name": field.name, "in": "query", "required": !field.optional, "description": field.says,
            "schema": schema_of(field.takes),
        }));
    }
    if let Some(must) = route.version {
        out.push(json!({
            "name": "If-Match", "in": "header", "required": must, "schema": { "type": "string" },
            "description": "The `ETag` of the version that was read.",
        }));
    }
    if route.verb == Verb::Post && route.access != Access::Public {
        out.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
            "description": "The same key and request within 24 h is done once and answered alike.",
        }));
    }
    out.push(json!({ "name": "Accept-Language", "in": "header", "required": false, "schema": { "type": "string" } }));
    out
}

fn responses(route: &RouteInfo) -> Value {
    let mut out = Map::new();
    match route.gives {
        Gives::Json(status, name) => {
            let mut answer = json!({
                "description": "Done.",
                "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } },
            });
            if matches!(name, "User" | "NewUserMade" | "Role" | "Grant" | "Site" | "AddressRule") {
                answer["headers"] = json!({
                    "ETag": { "description": "The record's version, for `If-Match`.", "schema": { "type": "string" } },
                });
            }
            out.insert(status.to_string(), answer);
        }
        Gives::Media(kinds) => {
            let content: Map<String, Value> =
                kinds.iter().map(|k| ((*k).to_owned(), json!({ "schema": { "type": "string" } }))).collect();
            out.insert("200".into(), json!({ "description": "The file.", "content": content }));
        }
        Gives::Nothing | Gives::Page | Gives::Redirect => {
            out.insert("204".into(), json!({ "description": "Done." }));
        }
    }
    let mut refusals = vec!["400", "429", "503"];
    if route.access != Access::Public || tag(route.path) == "sign-in" {
        refusals.push("401");
    }
    if matches!(route.access, Access::Right(_)) || route.verb.mutates() {
        refusals.push("403");
    }
    if !path_parameters(route.path).is_empty() {
        refusals.push("404");
    }
    if route.verb.mutates() {
        refusals.extend(["409", "413"]);
    }
    if route.version == Some(true) {
        refusals.push("428");
    }
    for status in refusals {
        out.insert(status.into(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    Value::Object(out)
}
