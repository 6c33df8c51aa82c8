//! Signing in at the console, entering the application's host, and leaving again.

use http::{Response, header};
use hyper::body::Incoming;
use sekisho_kernel::{Right, hook::Onward};

use crate::{
    client::{ask, empty, json, signed, text},
    fakes::{APP, CONSOLE, rights},
    house::{House, TOKEN},
    upstream::Application,
};

fn cookie(answer: &Response<Incoming>, name: &str) -> Option<String> {
    let mut all = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|v| v.to_str().ok());
    let line = all.find(|v| v.starts_with(&format!("{name}=")))?;
    assert!(line.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{line}");
    line.split(';').next()?.split_once('=').map(|(_, v)| v.to_owned())
}

/// What a redirect to the console says of the binding cookie: its hash.
pub fn bind(cookie: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, cookie.as_bytes()))
}

#[tokio::test]
async fn a_browser_is_sent_to_sign_in_and_comes_back() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let fresh = ask("GET", APP, "/orders?a=1&b=%20").header("accept", "text/html").body(empty()).unwrap();
    let answer = house.send(APP, fresh).await;
    assert_eq!(answer.status(), 303);
    let binding = cookie(&answer, "__Host-sekisho-start").unwrap();
    let to = format!("https://{CONSOLE}/enter?to={APP}&path=%2Forders%3Fa%3D1%26b%3D%2520&bind={}", bind(&binding));
    assert_eq!(answer.headers()["location"], to);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(binding.len(), 43);
    assert!(house.entered().is_empty(), "showing the way is no refusal");

    house.sessions.codes.lock().unwrap().insert("c1".into(), (bind(&binding), TOKEN.into()));
    let back = ask("GET", APP, "/.sekisho/enter?code=c1&path=%2Forders%3Fa%3D1")
        .header(header::COOKIE, format!("__Host-sekisho-start={binding}"))
        .header("accept", "text/html");
    let answer = house.send(APP, back.body(empty()).unwrap()).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/orders?a=1".parse().unwrap()));
    assert_eq!(cookie(&answer, "__Host-sekisho").as_deref(), Some(TOKEN));
    assert_eq!(cookie(&answer, "__Host-sekisho-start").as_deref(), Some(""));
}

#[tokio::test]
async fn the_binding_of_an_earlier_tab_is_kept() {
    let house = House::before("").await;
    let binding = "A".repeat(43);
    for (sent, kept) in [(binding.as_str(), true), ("short", false)] {
        let request = ask("GET", APP, "/")
            .header("accept", "text/html")
            .header(header::COOKIE, format!("__Host-sekisho-start={sent}"));
        let answer = house.send(APP, request.body(empty()).unwrap()).await;
        assert_eq!(cookie(&answer, "__Host-sekisho-start").as_deref() == Some(sent), kept);
    }
}

#[tokio::test]
async fn a_code_is_worth_nothing_elsewhere() {
    let house = House::before("").await;
    let binding = "B".repeat(43);
    let enter = |code: &str, binding: Option<&str>| {
        let mut request = ask("GET", APP, &format!("/.sekisho/enter?code={code}&path=//evil.example/"));
        if let Some(b) = binding {
            request = request.header(header::COOKIE, format!("__Host-sekisho-start={b}"));
        }
        request.body(empty()).unwrap()
    };
    let put = || house.sessions.codes.lock().unwrap().insert("c".into(), (bind(&binding), TOKEN.into()));
    put();
    assert_eq!(house.send(APP, enter("c", None)).await.status(), 403);
    assert_eq!(house.send(APP, enter("c", Some(&"C".repeat(43)))).await.status(), 403);
    put();
    let answer = house.send(APP, enter("c", Some(&binding))).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/".parse().unwrap()));
    let again = house.send(APP, enter("c", Some(&binding))).await;
    assert_eq!(again.status(), 403);
    assert_eq!(json(again).await["code"], "SK-5011");
    assert_eq!(house.entered().len(), 3);
}

#[tokio::test]
async fn programs_are_told_not_sent() {
    let house = House::before("").await;
    let requests = [
        ask("GET", APP, "/api").header("accept", "application/json"),
        ask("GET", APP, "/api"),
        ask("POST", APP, "/form").header("accept", "text/html"),
        ask("GET", APP, "/x").header("accept", "text/html").header("sec-fetch-mode", "cors"),
        ask("GET", APP, "/x").header(header::COOKIE, "__Host-sekisho=ended"),
    ];
    for request in requests {
        let answer = house.send(APP, request.body(empty()).unwrap()).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().contains_key("www-authenticate"));
    }
    let english = ask("GET", APP, "/api").header("accept-language", "en").body(empty()).unwrap();
    let document = json(house.send(APP, english).await).await;
    assert_eq!(document["type"], "urn:sekisho:problem:unauthenticated");
    assert_eq!(document["title"], "You need to sign in.");
    assert_eq!(document["trace"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn signing_out_ends_the_session_for_pages_of_this_host_only() {
    let house = House::before("").await;
    let out = |site: Option<&str>, origin: Option<&str>| {
        let mut request = signed("POST", APP, "/.sekisho/sign-out");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.body(empty()).unwrap()
    };
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), None),
        (None, Some("https://evil.example")),
        (None, Some("http://acme.app.localhost")),
        (None, Some("https://acme.app.localhost:9")),
        (None, None),
    ] {
        assert_eq!(house.send(APP, out(site, origin)).await.status(), 403, "{site:?} {origin:?}");
    }
    assert!(house.sessions.passages.lock().unwrap().contains_key(TOKEN));
    let answer = house.send(APP, out(None, Some("https://acme.app.localhost"))).await;
    assert_eq!(answer.status(), 204);
    assert_eq!(cookie(&answer, "__Host-sekisho").as_deref(), Some(""));
    assert_eq!(answer.headers()["clear-site-data"], WIPE);
    assert!(!house.sessions.passages.lock().unwrap().contains_key(TOKEN));
    let get = house.send(APP, signed("GET", APP, "/.sekisho/sign-out").body(empty()).unwrap()).await;
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn who_signs_out_is_led_on_to_their_provider() {
    let house = House::before("").await;
    let out = async |page: bool, onward: Onward| {
        house.sessions.sign_in(TOKEN, &house.policy.borrow(), rights(1, &[Right::APPLICATION_USE]));
        *house.sessions.onward.lock().unwrap() = Some(onward);
        let mode = if page { "navigate" } else { "cors" };
        let request = signed("POST", APP, "/.sekisho/sign-out").header("sec-fetch-site", "same-origin");
        let answer = house.send(APP, request.header("sec-fetch-mode", mode).body(empty()).unwrap()).await;
        assert_eq!(cookie(&answer, "__Host-sekisho").as_deref(), Some(""));
        assert_eq!(answer.headers()["clear-site-data"], WIPE);
        assert!(!house.sessions.passages.lock().unwrap().contains_key(TOKEN));
        answer
    };
    let goes = Onward { to: "https://idp.example/slo?SAMLRequest=x&Signature=y".into(), fields: Vec::new() };
    let answer = out(true, goes.clone()).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, goes.to.as_str()));
    let answer = out(false, goes.clone()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(json(answer).await, serde_json::json!({ "onward": { "to": goes.to, "fields": {} } }));
    let fields = vec![("SAMLRequest", "a+/=\"><script>".to_owned())];
    let posts = Onward { to: "https://idp.example:8443/slo?a=1&b=2".into(), fields };
    let answer = out(false, posts.clone()).await;
    let told = json(answer).await;
    assert_eq!(told["onward"]["fields"]["SAMLRequest"], "a+/=\"><script>");
    let answer = out(true, posts).await;
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains("form-action https://idp.example:8443;") && policy.contains("script-src 'sha256-"),
        "{policy}"
    );
    let page = text(answer).await;
    assert!(page.contains("action=\"https://idp.example:8443/slo?a=1&amp;b=2\""), "{page}");
    assert!(page.contains("value=\"a+/=&quot;&gt;&lt;script&gt;\"") && page.matches("<script>").count() == 1, "{page}");
    // An address that no policy can name: signed out all the same.
    let fields = vec![("SAMLRequest", "x".to_owned())];
    let answer = out(true, Onward { to: "https://京.example;x/slo".into(), fields }).await;
    let to = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(answer.status() == 303 && to.ends_with("/sign-in") && to.contains(CONSOLE), "{to}");
}

/// What a browser is told when its session has ended: cookies as a kind stay, since they are of the whole domain.
const WIPE: &str = "\"cache\", \"storage\"";

#[tokio::test]
async fn a_session_that_ended_elsewhere_takes_the_sites_data_along() {
    let house = House::before("").await;
    let ended = |accept: &str| {
        let request = ask("GET", APP, "/x").header("accept", accept).header(header::COOKIE, "__Host-sekisho=ended");
        request.body(empty()).unwrap()
    };
    for (accept, status) in [("text/html", 303), ("application/json", 401)] {
        let answer = house.send(APP, ended(accept)).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["clear-site-data"], WIPE, "{accept}");
        assert_eq!(cookie(&answer, "__Host-sekisho").as_deref(), Some(""), "{accept}");
    }
    let fresh = ask("GET", APP, "/x").header("accept", "text/html").body(empty()).unwrap();
    let answer = house.send(APP, fresh).await;
    assert!(!answer.headers().contains_key("clear-site-data"), "a first visit keeps what it has");
    let signed_in = house.send(APP, signed("GET", APP, "/x").body(empty()).unwrap()).await;
    assert!(!signed_in.headers().contains_key("clear-site-data"));
}

#[tokio::test]
async fn the_doors_own_addresses_never_reach_the_application() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let answer = house.send(APP, signed("GET", APP, "/.sekisho/anything").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(application.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}
