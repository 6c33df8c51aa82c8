//! The whole surface: route list, document, headers, unknown addresses, one entry a request.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_console::{Access, Surface, Verb, openapi::document, routes};
use sekisho_kernel::{Right, access::UserType};
use serde_json::{Value, json};

use crate::house::House;

#[test]
fn names_and_addresses_are_unique() {
    let mut names = BTreeSet::new();
    let mut places = BTreeSet::new();
    for route in routes() {
        assert!(names.insert(route.name), "{} twice", route.name);
        assert!(places.insert((route.path, route.verb.name())), "{route:?} twice");
        assert_eq!(route.path.starts_with("/api/v1/"), route.surface == Surface::Api, "{route:?}");
        assert!(route.surface != Surface::Api || !route.says.is_empty(), "{route:?} says nothing");
        // A challenge for a passkey, or the way to a provider, changes nothing; its answer is entered.
        let silent = [
            "readSession",
            "readDocument",
            "signInPasskeyOptions",
            "signInEnrolPasskeyOptions",
            "reauthenticatePasskeyOptions",
            "reauthenticateProvider",
        ];
        let enters = route.event.is_some() || route.surface != Surface::Api || silent.contains(&route.name);
        assert!(enters, "{route:?} makes no entry");
    }
}

/// Who may do what by type alone: a person who is no programmer can review it.
#[test]
fn the_permission_matrix_is_as_written() {
    let mut out = String::from("route | needs | administrator | approver | user | stranger\n");
    for route in routes().iter().filter(|r| r.surface != Surface::File) {
        let may = |kind: UserType| match route.access {
            Access::Public | Access::Own => true,
            Access::Right(right) => kind.rights().has(right),
        };
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let stranger = route.access == Access::Public;
        let cells: Vec<&str> = UserType::ALL.map(|k| word(may(k))).into_iter().chain([word(stranger)]).collect();
        out.push_str(&format!(
            "{} {} | {} | {}\n",
            route.verb.name(),
            route.path,
            route.access.name(),
            cells.join(" | ")
        ));
    }
    golden("permission_matrix.txt", &out);
}

#[test]
fn every_right_opens_a_route() {
    let used: BTreeSet<&str> = routes().iter().map(|r| r.access.name()).collect();
    let unused: Vec<_> = Right::all().map(Right::name).filter(|n| !used.contains(n)).collect();
    assert_eq!(unused, ["application.use"], "the application's own right is asked at its door");
}

#[test]
fn the_document_is_as_written() {
    let text = serde_json::to_string_pretty(document()).expect("a document");
    golden("openapi.json", &format!("{text}\n"));
}

/// OpenAPI 3.1.0 §4: the parts that must be there, and every reference leads somewhere.
#[test]
fn the_document_is_sound() {
    let doc = document();
    assert_eq!(doc["openapi"], "3.1.0");
    assert!(doc["info"]["title"].is_string() && doc["info"]["version"].is_string());
    let mut operations = BTreeSet::new();
    for (path, item) in doc["paths"].as_object().expect("paths") {
        assert!(path.starts_with('/'), "{path}");
        for (verb, operation) in item.as_object().expect("operations") {
            assert!(["get", "post", "put", "patch", "delete"].contains(&verb.as_str()));
            let name = operation["operationId"].as_str().expect("a name");
            assert!(operations.insert(name), "{name} twice");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let mut seen = BTreeSet::new();
            for p in &parameters {
                assert!(p["schema"].is_object(), "{name}: {p}");
                assert!(seen.insert((p["name"].to_string(), p["in"].to_string())), "{name}: {p} twice");
                assert!(p["in"] != "path" || p["required"] == true);
            }
            let in_path: BTreeSet<&str> = path.split('{').skip(1).filter_map(|p| p.split('}').next()).collect();
            let told = parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str());
            assert_eq!(in_path, told.collect(), "{name}");
            let responses = operation["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|s| s.starts_with('2')), "{name} never succeeds");
            for response in responses.values() {
                assert!(response["description"].is_string() || response["$ref"].is_string(), "{name}");
            }
            for tag in operation["tags"].as_array().expect("tags") {
                assert!(doc["tags"].as_array().expect("tags").iter().any(|t| t["name"] == *tag), "{tag}");
            }
        }
    }
    let api = routes().iter().filter(|r| r.surface == Surface::Api).count();
    assert_eq!(operations.len(), api, "every API route is in the document");
    references(doc, doc);
}

fn references(doc: &Value, value: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                let pointer = target.strip_prefix('#').expect("within the document");
                assert!(doc.pointer(pointer).is_some(), "{target} leads nowhere");
            }
            map.values().for_each(|v| references(doc, v));
        }
        Value::Array(list) => list.iter().for_each(|v| references(doc, v)),
        _ => {}
    }
}

/// Every form's target is an act that the API has too, but for what only a browser can do: enter a host, consent, leave for a provider.
#[test]
fn every_act_of_a_page_is_an_act_of_the_api() {
    let api: BTreeMap<&str, &str> =
        routes().iter().filter(|r| r.surface == Surface::Api).filter_map(|r| Some((r.event?.name, r.name))).collect();
    for route in routes().iter().filter(|r| r.surface == Surface::Page) {
        match route.event {
            Some(event) => {
                assert!(
                    api.contains_key(event.name)
                        || matches!(
                            route.name,
                            "enterPage" | "consentForm" | "deviceForm" | "deviceDecisionForm" | "linkIdentityForm"
                        ),
                    "{route:?}"
                )
            }
            None => assert!(route.verb == Verb::Get || route.name == "preferencesForm", "{route:?}"),
        }
    }
}

fn golden(name: &str, now: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("SEKISHO_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, now).expect("written");
    }
    let then = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(then == now, "{name} has changed; look at the difference, then write it anew with SEKISHO_GOLDEN=1");
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let house = House::new().await;
    let admin = house.admin().await;
    let stranger = house.at("acme");
    let answers = [
        stranger.get("/sign-in").await,
        stranger.get("/users").await,
        stranger.get("/no-such-page").await,
        stranger.get("/api/v1/no-such-route").await,
        stranger.get("/api/v1/users").await,
        stranger.get("/assets/console.css").await,
        admin.get("/api/v1/users").await,
        admin.get("/api/v1/openapi.json").await,
        admin.json("POST", "/api/v1/users", &json!([])).await,
        admin.get("/api/v1/history/export?format=csv").await,
    ];
    for answer in answers {
        let csp = answer.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(csp.contains(directive), "{csp}");
        }
        assert!(!csp.contains("unsafe"), "{csp}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), value, "{} {}", answer.status, name);
        }
        let kind = answer.header("content-type");
        assert_eq!(answer.header("cache-control") == "no-store", kind != "text/css; charset=utf-8", "{kind}");
        for name in ["access-control-allow-origin", "server", "strict-transport-security"] {
            assert!(answer.headers.get(name).is_none(), "{name}");
        }
    }
}

#[tokio::test]
async fn unknown_addresses_are_refused_and_entered() {
    let house = House::new().await;
    let admin = house.admin().await;
    for (method, path) in [
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v2/users"),
        ("POST", "/api/v1/history"),
        ("DELETE", "/api/v1/users"),
        ("GET", "/nothing"),
        ("GET", "/users/"),
        ("OPTIONS", "/api/v1/users"),
        ("TRACE", "/"),
        ("GET", "/assets/../console.css"),
    ] {
        let (answer, entries) = house.entries(admin.send(method, path, &[], Vec::new())).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
        assert_eq!(entries, ["route.refuse refused"], "{method} {path}");
    }
}

/// One entry each, whatever the outcome: refused for want of a right, and failed for want of sense.
#[tokio::test]
async fn every_api_route_leaves_one_entry_when_refused_or_failing() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.person(&admin, "taro", "user").await;
    let taro = house.signed_in("acme", "taro").await;
    for route in routes().iter().filter(|r| r.surface == Surface::Api) {
        let Some(event) = route.event else { continue };
        // It ends the very session that this walk goes by; api.rs signs out for itself.
        if route.path.ends_with("/sign-out") {
            continue;
        }
        let path = route
            .path
            .replace("{id}", &format!("{}_{:032x}", route.id.unwrap_or("x"), 7))
            .replace("{key}", "no.such")
            .replace("{claim}", "XX-1");
        let wanted = route.query.map(|q| sample(&q.schema())).unwrap_or_default();
        let query: Vec<String> = wanted.iter().map(|(n, v)| format!("{n}={}", v.as_str().expect("a text"))).collect();
        let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let ask = async |client: &crate::house::Client<'_>, body: &[u8]| {
            let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
            client.send(route.verb.name(), &path, &headers, body.to_vec()).await
        };
        if let Access::Right(right) = route.access
            && !UserType::User.rights().has(right)
        {
            let body = Value::Object(route.body.map(|b| sample(&b.schema())).unwrap_or_default());
            let (answer, entries) = house.entries(ask(&taro, body.to_string().as_bytes())).await;
            assert_eq!(answer.status, 403, "{route:?}: {}", answer.text);
            assert_eq!(entries, [format!("{} refused", event.name)], "{route:?} refused");
        }
        if route.verb != Verb::Get {
            let (answer, entries) = house.entries(ask(&admin, b"{\"no_such_field\":1}")).await;
            if answer.status == 400 {
                assert_eq!(entries, [format!("{} failed", event.name)], "{route:?} failing");
            } else {
                assert!(route.body.is_none(), "{route:?} took an unknown field: {} {}", answer.status, answer.text);
            }
        }
    }
}

/// What fits a shape's schema: every field that must be there.
fn sample(schema: &Value) -> serde_json::Map<String, Value> {
    let mut out = serde_json::Map::new();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let field = &schema["properties"][name];
        let value = match (field["type"].as_str(), field["enum"].as_array(), field["pattern"].as_str()) {
            (_, Some(words), _) => words[0].clone(),
            (_, _, Some(pattern)) => {
                let prefix = pattern.trim_start_matches(['^', '(']).split(['_', '|']).next().unwrap_or("");
                json!(format!("{prefix}_{:032x}", 9))
            }
            (Some("array"), ..) if field["minItems"] == 1 => json!([format!("usr_{:032x}", 9)]),
            (Some("array"), ..) => json!([]),
            (Some("boolean"), ..) => json!(false),
            (Some("string"), ..) if name == "until" => json!("2027-01-20"),
            (Some("string"), ..) if name == "network" => json!("192.0.2.0/24"),
            (Some("string"), ..) => json!("123456"),
            _ => json!(1),
        };
        out.insert(name.to_owned(), value);
    }
    out
}
