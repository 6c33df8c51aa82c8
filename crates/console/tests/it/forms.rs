//! Pages and forms on the real engines: they do what the API does, and leave the same entries.

use serde_json::json;

use crate::house::{Client, House, PASSWORD};

pub async fn browser(house: &House) -> Client<'_> {
    let client = house.at("acme").with("accept-language", "en");
    let done = client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert_eq!((done.status, done.header("location")), (303, "/"), "{}", done.text);
    assert!(client.cookie("__Host-sekisho").is_some());
    client
}

#[tokio::test]
async fn every_page_of_the_navigation_opens() {
    let house = House::new().await;
    let client = browser(&house).await;
    for path in [
        "/",
        "/users",
        "/roles",
        "/sites",
        "/addresses",
        "/history",
        "/risk",
        "/claims",
        "/claims?paper=all",
        "/claims/NM-01",
        "/policy",
        "/account",
        "/sessions",
    ] {
        let page = client.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(page.text.contains("aria-current=\"page\"") || matches!(path, "/account" | "/sessions"), "{path}");
    }
    let user = client.get("/api/v1/me").await;
    let id = user.body["user"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(client.get(&format!("/users/{id}")).await.status, 200);
    assert_eq!(client.get(&format!("/users/{id}/sessions")).await.status, 200);
    let history = client.get("/history").await;
    let entry = history.text.split("/history/ent_").nth(1).and_then(|r| r.split('"').next()).expect("an entry");
    assert_eq!(client.get(&format!("/history/ent_{entry}")).await.status, 200);
}

#[tokio::test]
async fn a_form_does_what_the_api_does_with_the_same_entry() {
    let house = House::new().await;
    let client = browser(&house).await;
    client.get("/sites").await;
    let before = house.history().await.len();
    let done = client.form("/sites", "/sites", &[("name", "本店"), ("note", "")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/sites?done=created"), "{}", done.text);
    let made: Vec<_> = house.history().await.into_iter().skip(before).filter(|r| r.event == "site.create").collect();
    assert_eq!((made.len(), made[0].via.as_str(), made[0].outcome.name()), (1, "console", "success"));
    let page = client.get("/sites?done=created").await;
    assert!(page.text.contains("Created."), "{} {}", page.status, page.text);
    let site = client.get("/api/v1/sites").await.body["items"][0].clone();
    let path = format!("/sites/{}", site["id"].as_str().expect("an id"));
    let done = client.form("/sites", &path, &[("version", "1"), ("name", "東京本店"), ("note", "x")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let stale = client.form("/sites", &path, &[("version", "1"), ("name", "大阪"), ("note", "")]).await;
    assert_eq!(stale.status, 409);
    assert!(stale.text.contains("This collides with another change.") && stale.text.contains("value=\"大阪\""));
    let done = client.form("/sites", &format!("{path}/delete"), &[("version", "2")]).await;
    assert_eq!(done.header("location"), "/sites?done=deleted", "{}", done.text);
}

#[tokio::test]
async fn a_form_with_faults_comes_back_with_what_was_sent_and_without_secrets() {
    let house = House::new().await;
    let client = browser(&house).await;
    let (answer, entries) = house
        .entries(client.form(
            "/users",
            "/users",
            &[("name", ""), ("display_name", "花子"), ("type", "user"), ("mail", "no")],
        ))
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("value=\"花子\"") && answer.text.contains("id=\"create-mail-fault\""));
    assert!(answer.text.contains("href=\"#create-name\"") && answer.text.contains("aria-invalid=\"true\""));
    assert_eq!(entries.iter().filter(|e| *e == "user.create failed").count(), 1, "{entries:?}");
    let answer =
        house.at("acme").form("/sign-in", "/sign-in", &[("name", "admin"), ("password", "wrong-secret")]).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains("value=\"admin\"") && !answer.text.contains("wrong-secret"));
}

#[tokio::test]
async fn forged_forms_are_refused_and_entered() {
    let house = House::new().await;
    let client = browser(&house).await;
    let csrf = client.get("/sites").await.csrf();
    let origin = client.origin();
    let fields = |csrf: &str| vec![("csrf".to_owned(), csrf.to_owned()), ("name".to_owned(), "本店".to_owned())];
    let cases: [(&str, Vec<(&str, &str)>); 6] = [
        ("", vec![("origin", &origin)]),
        ("AAAA", vec![("origin", &origin)]),
        (&csrf, vec![]),
        (&csrf, vec![("origin", "https://evil.example")]),
        (&csrf, vec![("origin", "null")]),
        (&csrf, vec![("origin", &origin), ("sec-fetch-site", "cross-site")]),
    ];
    for (value, headers) in cases {
        let (answer, entries) = house.entries(client.raw_form("/sites", &fields(value), &headers)).await;
        assert_eq!(answer.status, 403, "{value} {headers:?}");
        assert_eq!(entries, ["site.create refused"], "{value} {headers:?}");
    }
    let done = client.raw_form("/sites", &fields(&csrf), &[("origin", &origin)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    // The value of another session is of no use.
    let other = browser(&house).await;
    let stolen = client.raw_form("/sites", &fields(&other.get("/sites").await.csrf()), &[("origin", &origin)]).await;
    assert_eq!(stolen.status, 403);
}

#[tokio::test]
async fn signing_in_with_a_form_needs_the_forms_own_value() {
    let house = House::new().await;
    let client = house.at("acme");
    let origin = client.origin();
    let fields = |csrf: &str| {
        [("csrf", csrf), ("name", "admin"), ("password", PASSWORD)].map(|(n, v)| (n.to_owned(), v.to_owned()))
    };
    let bare = client.raw_form("/sign-in", &fields("x"), &[("origin", &origin)]).await;
    assert_eq!(bare.status, 403, "no form cookie yet");
    let csrf = client.get("/sign-in").await.csrf();
    let strange = house.at("acme").raw_form("/sign-in", &fields(&csrf), &[("origin", &origin)]).await;
    assert_eq!(strange.status, 403, "another browser's value");
    assert_eq!(client.raw_form("/sign-in", &fields(&csrf), &[("origin", &origin)]).await.status, 303);
}

#[tokio::test]
async fn a_page_without_a_session_leads_to_sign_in_and_back() {
    let house = House::new().await;
    let client = house.at("acme");
    let (answer, entries) = house.entries(client.get("/policy")).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"));
    assert!(entries.is_empty(), "a first visit is no refusal: {entries:?}");
    let done = client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert_eq!((done.status, done.header("location")), (303, "/policy"));
    let done = client.form("/policy", "/sign-out", &[]).await;
    assert_eq!((done.status, done.header("location")), (303, "/sign-in?done=signed-out"), "{}", done.text);
    assert!(client.cookie("__Host-sekisho").is_none());
}

#[tokio::test]
async fn entering_an_application_takes_a_code_and_only_at_ones_own_tenant() {
    let house = House::new().await;
    let client = house.at("acme");
    let way = "/enter?to=acme.app.localhost&path=%2Fwork%3Fa%3D1&bind=dGhlIGJpbmRpbmc";
    assert_eq!(client.get(way).await.header("location"), "/sign-in");
    let done = client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert_eq!(done.status, 200, "a navigation of its own, not a redirected form");
    assert!(done.text.contains("http-equiv=\"refresh\"") && done.text.contains("0;url=/enter?to=acme.app.localhost"));
    let (entered, entries) = house.entries(client.get(way)).await;
    let to = entered.header("location");
    assert!(to.starts_with("https://acme.app.localhost:8443/.sekisho/enter?code="), "{to}");
    assert!(to.ends_with("&path=%2Fwork%3Fa%3D1"), "{to}");
    assert!(entries.len() <= 1, "{entries:?}");
    for elsewhere in ["globex.app.localhost", "acme.console.localhost", "evil.example", ""] {
        let answer = client.get(&format!("/enter?to={elsewhere}&path=/&bind=x")).await;
        assert_eq!(answer.status, 404, "{elsewhere}");
    }
}

#[tokio::test]
async fn language_and_theme_are_kept_in_cookies() {
    let house = House::new().await;
    let client = house.at("acme").with("accept-language", "en");
    assert!(client.get("/sign-in").await.text.contains("<html lang=\"en\">"));
    let done = client.form("/sign-in", "/lang", &[("lang", "ja"), ("back", "/sign-in")]).await;
    assert_eq!(done.header("location"), "/sign-in");
    client.form("/sign-in", "/lang", &[("theme", "dark"), ("back", "//evil.example")]).await;
    let page = client.get("/sign-in").await;
    assert!(page.text.contains("<html lang=\"ja\" data-theme=\"dark\">"), "{}", page.text);
    let done = client.form("/sign-in", "/lang", &[("lang", "xx"), ("back", "//evil.example")]).await;
    assert_eq!(done.header("location"), "/");
}

#[tokio::test]
async fn people_see_and_do_what_their_rights_allow() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.person(&admin, "taro", "user").await;
    let client = house.at("acme").with("accept-language", "en");
    client.form("/sign-in", "/sign-in", &[("name", "taro"), ("password", PASSWORD)]).await;
    let page = client.get("/").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for hidden in ["/users", "/roles", "/sites", "/addresses", "/history", "/risk", "/claims", "/policy"] {
        assert!(!page.text.contains(&format!("href=\"{hidden}\"")), "{hidden}");
        let (answer, entries) = house.entries(client.get(hidden)).await;
        assert_eq!(answer.status, 403, "{hidden}");
        assert_eq!(entries.len(), 1, "{hidden}: {entries:?}");
        assert!(entries[0].ends_with(" refused"), "{hidden}: {entries:?}");
    }
    let _ = json!({});
}

const WIPE: &str = "\"cache\", \"storage\"";

#[tokio::test]
async fn signing_out_wipes_what_the_site_kept_in_the_browser() {
    let house = House::new().await;
    let client = browser(&house).await;
    assert_eq!(client.get("/").await.header("clear-site-data"), "");
    let out = client.form("/", "/sign-out", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in?done=signed-out"));
    assert_eq!(out.header("clear-site-data"), WIPE);
    assert!(client.cookie("__Host-sekisho").is_none_or(|c| c.is_empty()));
}

#[tokio::test]
async fn one_press_signs_out_everywhere_and_each_browser_is_wiped_when_it_next_asks() {
    let house = House::new().await;
    let (here, there) = (browser(&house).await, browser(&house).await);
    let page = here.get("/sessions").await;
    assert!(page.text.contains("action=\"/sessions/end-all\"") && page.text.contains("192.0.2"), "{}", page.text);
    let (out, entries) = house.entries(here.form("/sessions", "/sessions/end-all", &[])).await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in?done=signed-out-everywhere"), "{}", out.text);
    assert_eq!(out.header("clear-site-data"), WIPE);
    assert_eq!(entries.iter().filter(|e| *e == "session.end success").count(), 1, "{entries:?}");
    let next = there.get("/users").await;
    assert_eq!((next.status, next.header("location")), (303, "/sign-in"));
    assert_eq!(next.header("clear-site-data"), WIPE);
    let shown = here.get("/sign-in?done=signed-out-everywhere").await;
    assert!(shown.text.contains("You have signed out everywhere."), "{}", shown.text);

    let (one, other) = (browser(&house).await, house.signed_in("acme", "admin").await);
    let ended = other.json("DELETE", "/api/v1/me/sessions?keep=none", &json!({})).await;
    assert_eq!((ended.status, &ended.body["ended"]), (200, &json!(2)), "{}", ended.text);
    let polled = one.get("/api/v1/session").await;
    assert_eq!((polled.status, polled.header("clear-site-data")), (401, WIPE));
    assert_eq!(other.get("/api/v1/session").await.header("clear-site-data"), "", "no cookie, no browser");
}

#[tokio::test]
async fn an_application_is_registered_approved_consented_to_and_withdrawn_on_its_pages() {
    let house = House::new().await;
    let client = browser(&house).await;
    let fields = [("name", "Expenses"), ("redirect_uris", "https://app.example/cb"), ("rights", "sites.read")];
    let made = client.form("/applications", "/applications", &fields).await;
    assert_eq!(made.header("location"), "/applications?done=created", "{}", made.text);
    let bad = [("name", "Other"), ("redirect_uris", "https://app.example:8443/cb")];
    let refused = client.form("/applications", "/applications", &bad).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("This redirect address cannot be used.") && refused.text.contains("value=\"Other\""));
    let listed = client.get("/applications").await;
    assert!(listed.text.contains("Waiting for approval"), "{}", listed.text);
    let id = listed.text.split("/applications/app_").nth(1).and_then(|r| r.get(..32)).expect("an id").to_owned();
    let ask = format!(
        "/oauth/authorize?response_type=code&client_id=app_{id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=x&code_challenge={}&code_challenge_method=S256",
        "A".repeat(43)
    );
    let early = client.get(&ask).await;
    assert_eq!(early.status, 401, "{}", early.text);
    let approved = client.form("/applications", &format!("/applications/app_{id}/approve"), &[]).await;
    assert_eq!(approved.status, 303, "{}", approved.text);

    let stranger = house.at("acme").with("accept-language", "en");
    let sent = stranger.get(&ask).await;
    assert_eq!(sent.header("location"), "/sign-in");
    let inside = stranger.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert_eq!(inside.status, 200, "a page leads on: a form of ours may end at no other site");
    assert!(inside.text.contains("url=/oauth/authorize?"), "{}", inside.text);

    let page = client.get(&ask).await;
    assert!(page.text.contains("Expenses") && page.text.contains("See sites"), "{}", page.text);
    let request =
        page.text.split("name=\"request\" value=\"").nth(1).and_then(|r| r.split('"').next()).expect("sealed");
    let decide = |decision: &'static str| vec![("request", request), ("decision", decision)];
    let (denied, entries) = house.entries(client.form(&ask, "/oauth/authorize", &decide("deny"))).await;
    assert!(denied.text.contains("error=access_denied"), "{}", denied.text);
    assert_eq!(entries.iter().filter(|e| *e == "consent.create refused").count(), 1, "{entries:?}");
    let (allowed, entries) = house.entries(client.form(&ask, "/oauth/authorize", &decide("allow"))).await;
    assert!(allowed.text.contains("url=https://app.example/cb?code="), "{}", allowed.text);
    assert!(entries.contains(&"consent.create success".to_owned()), "{entries:?}");
    let again = client.get(&ask).await;
    assert!(again.header("location").starts_with("https://app.example/cb?code="), "on record");
    let mine = client.get("/account/applications").await;
    assert!(mine.text.contains("Expenses"));
    let consent = mine.text.split("/account/applications/cns_").nth(1).and_then(|r| r.get(..32)).expect("an id");
    let path = format!("/account/applications/cns_{consent}/withdraw");
    let gone = client.form("/account/applications", &path, &[]).await;
    assert_eq!(gone.header("location"), "/account/applications?done=consent-withdrawn", "{}", gone.text);
    assert!(client.get(&ask).await.text.contains("name=\"decision\""), "asked anew");
    let elsewhere = ask.replace("app.example%2Fcb", "evil.example%2Fcb");
    let refused = client.get(&elsewhere).await;
    assert_eq!((refused.status, refused.header("location")), (400, ""));
}

#[tokio::test]
async fn the_token_endpoint_speaks_oauths_own_errors_and_needs_no_cookie() {
    let house = House::new().await;
    let client = house.at("acme");
    let form =
        |fields: &[(&str, &str)]| fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
    let nobody = ("client_id", "app_0198c2b4000070008000000000000000");
    for (fields, status, error) in [
        (form(&[nobody, ("grant_type", "refresh_token"), ("refresh_token", "x")]), 401, "invalid_client"),
        (form(&[nobody, ("grant_type", "password")]), 400, "unsupported_grant_type"),
        (form(&[nobody, nobody, ("grant_type", "refresh_token")]), 400, "invalid_request"),
        (form(&[("grant_type", "client_credentials")]), 400, "invalid_request"),
        (form(&[("client_id", "x"), ("grant_type", "client_credentials")]), 401, "invalid_client"),
    ] {
        let (answer, entries) = house.entries(client.raw_form("/oauth/token", &fields, &[])).await;
        assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{fields:?} {}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(entries.len(), 1, "{entries:?}");
    }
    let metadata = client.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.body["issuer"], "https://acme.console.localhost:8443");
    assert_eq!(metadata.body["code_challenge_methods_supported"], json!(["S256"]));
}

#[tokio::test]
async fn settings_are_tried_on_past_sign_ins_and_applied_on_the_page() {
    let house = House::new().await;
    let client = browser(&house).await;
    let page = client.get("/risk").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Allowed") && page.text.contains("None named"), "{}", page.text);
    let fields = [("days", "7"), ("medium_at", "10"), ("high_at", ""), ("low", ""), ("medium", "")];
    let tried = client.form("/risk", "/risk/replay", &fields).await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    assert!(
        tried.text.contains("What it would do") && tried.text.contains("name=\"medium_at\" value=\"10\""),
        "{}",
        tried.text
    );
    let looser = client.form("/risk", "/risk/replay", &[("days", "7"), ("medium_at", "50")]).await;
    assert_eq!(looser.status, 400, "{}", looser.text);
    assert!(looser.text.contains("looser than the platform"), "{}", looser.text);
    let applied = client.form("/risk", "/risk/apply", &[("medium_at", "30")]).await;
    assert_eq!((applied.status, applied.header("location")), (303, "/risk?done=saved"), "{}", applied.text);
    let policy = client.get("/policy").await;
    assert!(policy.text.contains("adaptive.medium_at"), "{}", policy.text);
}
