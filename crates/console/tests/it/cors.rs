//! Whose pages may read what: an approved public application's, what it needs, and nothing with credentials.

use serde_json::json;

use crate::house::{Answer, Client, House};

const PAGE: &str = "https://spa.example";

async fn application(admin: &Client<'_>, name: &str, redirect: &str, confidential: bool) -> String {
    let new = json!({"name": name, "redirect_uris": [redirect], "openid": true, "confidential": confidential});
    let made = admin.json("POST", "/api/v1/applications", &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().expect("an id").to_owned()
}

async fn decide(admin: &Client<'_>, id: &str, act: &str) {
    let done = admin.json("POST", &format!("/api/v1/applications/{id}/{act}"), &json!({})).await;
    assert_eq!(done.status, 200, "{}", done.text);
}

fn leave(answer: &Answer) -> &str {
    assert_eq!(answer.header("access-control-allow-credentials"), "", "never");
    answer.header("access-control-allow-origin")
}

async fn asks(client: &Client<'_>, path: &str, origin: &str, method: &str, fields: &str) -> Answer {
    let headers =
        [("origin", origin), ("access-control-request-method", method), ("access-control-request-headers", fields)];
    client.send("OPTIONS", path, &headers, Vec::new()).await
}

#[tokio::test]
async fn pages_of_approved_public_applications_read_what_they_need_and_no_others_do() {
    let house = House::new().await;
    let admin = house.admin().await;
    let page = house.at("acme");
    let read = async |path: &str, origin: &str| page.send("GET", path, &[("origin", origin)], Vec::new()).await;
    let spa = application(&admin, "spa", "https://spa.example:443/cb?x=1", false).await;
    let server = application(&admin, "server", "https://server.example/cb", true).await;
    assert_eq!(leave(&read("/oauth/jwks", PAGE).await), "", "nobody has approved it");
    decide(&admin, &spa, "approve").await;
    decide(&admin, &server, "approve").await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth/jwks"] {
        let answer = read(path, PAGE).await;
        assert_eq!((answer.status, leave(&answer)), (200, PAGE), "{path}");
    }
    let denied = read("/oauth/userinfo", PAGE).await;
    assert_eq!((denied.status, leave(&denied)), (401, PAGE), "it may read why");
    let form = [("origin", PAGE), ("content-type", "application/x-www-form-urlencoded")];
    let refused = page.send("POST", "/oauth/token", &form, b"grant_type=x&client_id=x".to_vec()).await;
    assert_eq!(leave(&refused), PAGE);

    for stranger in [
        "https://evil.example",
        "https://server.example",
        "https://spa.example.evil.example",
        "https://spa.example:8443",
        "http://spa.example",
        "https://SPA.example",
        "https://spa.example/",
        "null",
        "*",
        "",
    ] {
        assert_eq!(leave(&read("/oauth/jwks", stranger).await), "", "{stranger}");
        assert_eq!(asks(&page, "/oauth/token", stranger, "POST", "dpop").await.status, 403, "{stranger}");
    }
    assert_eq!(leave(&page.send("GET", "/oauth/jwks", &[], Vec::new()).await), "");
    let twice = [("origin", PAGE), ("origin", "https://evil.example")];
    assert_eq!(leave(&page.send("GET", "/oauth/jwks", &twice, Vec::new()).await), "");
    let elsewhere = house.at("globex").send("GET", "/oauth/jwks", &[("origin", PAGE)], Vec::new()).await;
    assert_eq!(leave(&elsewhere), "", "another organisation's application");

    decide(&admin, &spa, "stop").await;
    assert_eq!(leave(&read("/oauth/jwks", PAGE).await), "", "stopped");
}

#[tokio::test]
async fn what_a_browser_asks_beforehand_is_answered_within_bounds() {
    let house = House::new().await;
    let admin = house.admin().await;
    let spa = application(&admin, "spa", "https://spa.example/cb", false).await;
    decide(&admin, &spa, "approve").await;
    let page = house.at("acme");
    for (path, method, methods) in [
        ("/oauth/token", "POST", "POST"),
        ("/oauth/revoke", "POST", "POST"),
        ("/oauth/userinfo", "GET", "GET, POST"),
        ("/oauth/jwks", "GET", "GET"),
    ] {
        let answer = asks(&page, path, PAGE, method, "Authorization, dpop,content-type").await;
        assert_eq!((answer.status, leave(&answer)), (204, PAGE), "{path}: {}", answer.text);
        assert_eq!(answer.header("access-control-allow-methods"), methods, "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type, dpop");
        assert_eq!(answer.header("access-control-max-age"), "300");
        assert!(answer.header("set-cookie").is_empty());
    }
    let long = vec!["dpop"; 100].join(",");
    for (path, method, fields) in [
        ("/oauth/token", "DELETE", "dpop"),
        ("/oauth/token", "GET", "dpop"),
        ("/oauth/token", "", "dpop"),
        ("/oauth/token", "POST", "x-csrf-token"),
        ("/oauth/token", "POST", "cookie"),
        ("/oauth/token", "POST", long.as_str()),
    ] {
        assert_eq!(asks(&page, path, PAGE, method, fields).await.status, 403, "{path} {method} {fields}");
    }
    for path in [
        "/oauth/authorize",
        "/oauth/logout",
        "/oauth/introspect",
        "/oauth/par",
        "/oauth/device_authorization",
        "/sign-in",
        "/api/v1/me",
        "/api/v1/users",
        "/",
    ] {
        let answer = asks(&page, path, PAGE, "GET", "authorization").await;
        assert_eq!((answer.status, leave(&answer)), (404, ""), "{path}");
        let got = page.send("GET", path, &[("origin", PAGE)], Vec::new()).await;
        assert_eq!(leave(&got), "", "{path}");
    }
}
