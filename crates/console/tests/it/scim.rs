//! SCIM over HTTP: who may, in which form, with which errors, and the page where an administrator sees it.

use sekisho_console::{RouteInfo, Surface, Verb, routes};
use serde_json::{Value, json};

use crate::house::{Answer, Client, House, PASSWORD};

const JSON: (&str, &str) = ("content-type", "application/scim+json");

/// An administrator's browser, and a client with a provider's token.
async fn connected(house: &House) -> (Client<'_>, Client<'_>) {
    let browser = house.at("acme").with("accept-language", "en");
    browser.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    let fields = [("name", "Entra ID"), ("days", "30"), ("networks", "")];
    let made = browser.form("/provisioning", "/provisioning", &fields).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(made.text.contains("https://acme.console.localhost:8443/scim/v2"), "the address is shown beside it");
    let token = made.text.split("value=\"skt_").nth(1).and_then(|r| r.split('"').next()).expect("a token");
    let bearer = format!("Bearer skt_{token}");
    (browser, house.at("acme").with("authorization", &bearer).with("accept-language", "en"))
}

async fn scim(client: &Client<'_>, method: &str, path: &str, body: &Value) -> Answer {
    client.send(method, &format!("/scim/v2{path}"), &[JSON], body.to_string().into_bytes()).await
}

fn is_error(answer: &Answer, status: u16, word: Option<&str>) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/scim+json");
    assert_eq!(answer.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(answer.body["status"], json!(status.to_string()));
    assert_eq!(answer.body.get("scimType"), word.map(|w| json!(w)).as_ref(), "{}", answer.text);
    assert!(answer.body["detail"].as_str().is_some_and(|d| d.len() > 10), "{}", answer.text);
}

#[tokio::test]
async fn the_page_connects_shows_calls_and_gives_groups_their_role() {
    let house = House::new().await;
    let (browser, idp) = connected(&house).await;
    let made = scim(&idp, "POST", "/Users", &json!({"userName": "taro", "shoeSize": 27})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("location"), made.body["meta"]["location"]);
    let id = made.body["id"].as_str().expect("an id").to_owned();
    house.pass(std::time::Duration::from_millis(5));
    let bad = scim(&idp, "PUT", &format!("/Users/{id}"), &json!({"userName": "taro", "title": 5})).await;
    is_error(&bad, 400, Some("invalidValue"));
    scim(&idp, "POST", "/Groups", &json!({"displayName": "Sales", "members": [{"value": id}]})).await;
    let role = json!({"name": "Readers", "rights": ["users.read"]});
    let admin = house.admin().await;
    let role = admin.json("POST", "/api/v1/roles", &role).await.body["id"].as_str().expect("an id").to_owned();
    let page = browser.get("/provisioning").await;
    for text in ["Entra ID", "Sales", "shoeSize", "SK-4094", "This value cannot be used.", "User created", ">title<"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let group = page.text.split("/provisioning/groups/grp_").nth(1).and_then(|r| r.get(..32)).expect("a group");
    let path = format!("/provisioning/groups/grp_{group}");
    let mapped = browser.form("/provisioning", &path, &[("version", "1"), ("role", &role), ("site", "")]).await;
    assert_eq!(mapped.header("location"), "/provisioning?done=saved", "{}", mapped.text);
    let stale = browser.form("/provisioning", &path, &[("version", "1"), ("role", ""), ("site", "")]).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    let grants = admin.get(&format!("/api/v1/grants?user={id}")).await.body["items"].clone();
    assert_eq!((&grants[0]["role"], &grants[0]["direct"]), (&json!(role), &json!(false)), "{grants}");
    let taken = browser.form("/provisioning", &path, &[("version", "2"), ("role", ""), ("site", "")]).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    assert_eq!(admin.get(&format!("/api/v1/grants?user={id}")).await.body["items"], json!([]));
    // The token's end, then the connection's.
    let token = page.text.split("/provisioning/tokens/tok_").nth(1).and_then(|r| r.get(..32)).expect("a token");
    let ended = browser.form("/provisioning", &format!("/provisioning/tokens/tok_{token}/end"), &[]).await;
    assert_eq!(ended.header("location"), "/provisioning?done=token-ended", "{}", ended.text);
    is_error(&scim(&idp, "GET", "/Users", &Value::Null).await, 401, None);
    let account = page.text.split("/provisioning/usr_").nth(1).and_then(|r| r.get(..32)).expect("an account");
    let gone = browser.form("/provisioning", &format!("/provisioning/usr_{account}/delete"), &[]).await;
    assert_eq!(gone.header("location"), "/provisioning?done=deleted", "{}", gone.text);
    assert!(browser.get("/provisioning").await.text.contains("No identity provider is connected."));
    let bad = browser.form("/provisioning", "/provisioning", &[("name", "x"), ("days", "0")]).await;
    assert_eq!(bad.status, 400, "{}", bad.text);
}

#[tokio::test]
async fn every_call_needs_the_right_and_leaves_one_entry() {
    let all: Vec<_> = routes().iter().filter(|r| r.surface == Surface::Scim && r.event.is_some()).collect();
    // A house for a few each: refusals of strangers are entered singly up to ten.
    for some in all.chunks(5) {
        each_call(some).await;
    }
}

async fn each_call(routes: &[&'static RouteInfo]) {
    let house = House::new().await;
    let (browser, idp) = connected(&house).await;
    let admin = house.admin().await;
    house.person(&admin, "taro", "user").await;
    let taro = house.signed_in("acme", "taro").await;
    for route in routes {
        let Some(event) = route.event else { continue };
        let path = route.path.replace("{id}", &format!("{}_{:032x}", route.id.unwrap_or("x"), 7));
        let send = async |client: &Client<'_>, body: &str| {
            client.send(route.verb.name(), &path, &[JSON], body.as_bytes().to_vec()).await
        };
        let body = if route.verb == Verb::Get { "" } else { "{\"Operations\":[]}" };
        let (answer, entries) = house.entries(send(&taro, body)).await;
        // What is not supported is told before any right is asked for.
        if answer.status != 501 {
            is_error(&answer, 403, None);
            assert_eq!(entries, [format!("{} refused", event.name)], "{route:?}");
        }
        let (answer, entries) = house.entries(send(&house.at("acme"), body)).await;
        is_error(&answer, 401, None);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(entries, [format!("{} refused", event.name)], "{route:?}");
        // A browser's cookie counts for nothing.
        let (answer, entries) = house.entries(send(&browser, body)).await;
        assert_eq!(answer.status, 401, "{route:?}");
        assert_eq!(entries.len(), 1, "{route:?}");
        let (answer, entries) = house.entries(send(&idp, body)).await;
        assert_eq!(answer.header("content-type"), "application/scim+json", "{route:?} {}", answer.text);
        assert_eq!(entries.len(), 1, "{route:?}: {entries:?}");
        if route.verb.mutates() && route.verb != Verb::Delete && answer.status != 501 {
            let (answer, entries) = house.entries(send(&idp, "{\"a\":")).await;
            is_error(&answer, 400, Some("invalidSyntax"));
            assert_eq!(entries, [format!("{} failed", event.name)], "{route:?}");
        }
    }
}

#[tokio::test]
async fn the_form_of_requests_and_errors() {
    let house = House::new().await;
    let (_, idp) = connected(&house).await;
    for (method, path, status) in [
        ("GET", "/Nothing", 404),
        ("GET", "/Users/x", 404),
        ("GET", "/Users/usr_00000000000000000000000000000001", 404),
        ("GET", "/Schemas/urn:x", 404),
        ("PUT", "/Users", 405),
        ("POST", "/ServiceProviderConfig", 405),
        ("DELETE", "/Schemas/urn:x", 405),
        ("PATCH", "/ResourceTypes", 405),
        ("GET", "/Me", 501),
        ("POST", "/.search", 501),
    ] {
        is_error(&scim(&idp, method, path, &json!({})).await, status, None);
    }
    let long = vec![b' '; 1024 * 1024 + 1];
    is_error(&idp.send("POST", "/scim/v2/Users", &[JSON], long).await, 413, None);
    let form = ("content-type", "application/x-www-form-urlencoded");
    is_error(&idp.send("POST", "/scim/v2/Users", &[form], b"userName=x".to_vec()).await, 400, Some("invalidSyntax"));
    let plain = ("content-type", "application/json; charset=utf-8");
    let made = idp.send("POST", "/scim/v2/Users", &[plain], b"{\"userName\":\"x\"}".to_vec()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let foreign = [JSON, ("origin", "https://evil.example")];
    is_error(&idp.send("POST", "/scim/v2/Users", &foreign, b"{\"userName\":\"y\"}".to_vec()).await, 403, None);

    let stranger = house.at("acme");
    let config = stranger.get("/scim/v2/ServiceProviderConfig").await;
    assert_eq!((config.status, &config.body["bulk"]["maxOperations"]), (200, &json!(1_000)));
    let types = stranger.get("/scim/v2/ResourceTypes").await;
    assert_eq!((&types.body["totalResults"], &types.body["Resources"][0]["endpoint"]), (&json!(2), &json!("/Users")));
    let one = stranger.get("/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group").await;
    assert_eq!((one.status, &one.body["name"]), (200, &json!("Group")));
    let search = json!({"filter": "userName eq \"x\"", "attributes": ["userName"]});
    let found = scim(&idp, "POST", "/Users/.search", &search).await;
    assert_eq!(found.body["Resources"][0]["userName"], "x", "{}", found.text);
    assert!(found.body["Resources"][0].get("meta").is_none());
    let japanese = house.at("acme").with("accept-language", "ja").get("/scim/v2/Nothing").await;
    assert!(japanese.body["detail"].as_str().is_some_and(|d| !d.is_ascii()), "{}", japanese.text);
}
