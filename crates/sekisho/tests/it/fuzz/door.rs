//! Readers that stand at the door of an instance: the first bytes of a connection, whole requests, tokens, sealed texts,
//! the API's bodies and the pages' forms. A stranger's bytes reach neither a session nor the application; whoever is
//! signed in gets an answer of ours, and nothing of another organisation.

use sekisho_gateway::{ASSERTION, SESSION_COOKIE, START_COOKIE};

use super::scene::{SECRET, Scene, with};

/// A stretch of an input as a text that may stand in one header field or in a query.
fn one_line(input: &[u8]) -> String {
    String::from_utf8_lossy(input).chars().filter(|c| !c.is_control()).take(4_000).collect()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// The statuses of everything that was answered, one after the other on a connection.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let found = answer.windows(12).filter(|w| w.starts_with(b"HTTP/1.") && w[8] == b' ');
    found.filter_map(|w| std::str::from_utf8(&w[9..]).ok()?.parse().ok()).collect()
}

fn told(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).chars().take(3_000).collect()
}

fn has(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|w| w == word.as_bytes())
}

/// What holds of every answer of ours, whoever asks.
fn sound(answer: &[u8]) {
    for status in statuses(answer) {
        assert!((100..600).contains(&status) && status != 500, "{}", told(answer));
    }
    for word in [SECRET, "panicked", ".rs:", "SELECT ", "SQLITE_"] {
        assert!(!has(answer, word), "{word} is told: {}", told(answer));
    }
}

/// What holds where the application cannot be meant.
fn ours(answer: &[u8]) {
    sound(answer);
    for status in statuses(answer) {
        assert!(status < 500 || matches!(status, 501 | 505), "{}", told(answer));
    }
}

/// A page never says back what came in as if it were markup.
fn unscripted(answer: &[u8]) {
    assert!(!has(answer, "<fuzz"), "markup came back: {}", told(answer));
}

fn nobody_reached(scene: &Scene) {
    let reached = scene.reached();
    assert!(reached.is_empty(), "a stranger reached the application: {reached:?}");
}

/// The first bytes of a TLS connection.
pub fn client_hello(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("https", None, input);
        assert!(answer.len() < 64 << 10, "{} bytes for a hello", answer.len());
        nobody_reached(scene);
    });
}

/// A stranger's bytes inside TLS, at an application's host.
pub fn request(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("https", Some(&scene.words["app"]), &scene.dressed(input));
        ours(&answer);
        unscripted(&answer);
        nobody_reached(scene);
    });
}

/// A stranger's frames of HTTP/2.
pub fn http2(input: &[u8]) {
    with(|scene| {
        let answer = scene.frames(input);
        for word in [SECRET, "panicked", ".rs:", "SELECT "] {
            assert!(!has(&answer, word), "{word} is told: {}", told(&answer));
        }
        nobody_reached(scene);
    });
}

/// Bytes without TLS.
pub fn plain_request(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("http", None, &scene.dressed(input));
        ours(&answer);
        unscripted(&answer);
        assert!(statuses(&answer).iter().all(|s| !(200..300).contains(s)), "plain HTTP is served: {}", told(&answer));
        nobody_reached(scene);
    });
}

/// A reverse proxy's question about a stranger, with the right secret.
pub fn forward_auth(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("forward-auth", None, &scene.dressed(input));
        ours(&answer);
        if !has(input, "{entered}") {
            assert!(statuses(&answer).iter().all(|s| !(200..300).contains(s)), "let in: {}", told(&answer));
        }
        nobody_reached(scene);
    });
}

/// A session's token, as bearer and as cookie: the real one with something changed, or anything else.
pub fn token(input: &[u8]) {
    with(|scene| {
        let real = &scene.words["token"];
        let given = one_line(&scene.dressed(input));
        if given.trim() == real {
            return;
        }
        let (console, cookie) = (&scene.words["console"], &scene.words["cookie"]);
        let cookie = cookie.replace(real.as_str(), &given);
        if cookie == scene.words["cookie"] {
            return;
        }
        for field in [format!("Authorization: Bearer {given}"), format!("Cookie: {cookie}")] {
            let head = format!("GET /api/v1/me HTTP/1.1\r\nHost: {console}\r\n{field}\r\nConnection: close\r\n\r\n");
            let answer = scene.exchange("https", Some(console), head.as_bytes());
            ours(&answer);
            assert!(!statuses(&answer).contains(&200), "signed in with {field}: {}", told(&answer));
        }
    });
}

/// A list's cursor: sealed by us, bound to its list.
pub fn cursor(input: &[u8]) {
    with(|scene| {
        let given = one_line(&scene.dressed(input));
        if given.is_empty() {
            return;
        }
        let real = given == scene.words["cursor"];
        let (console, token, given) = (&scene.words["console"], &scene.words["token"], escaped(&given));
        for list in ["sites", "users", "history", "roles"] {
            let head = format!(
                "GET /api/v1/{list}?after={given} HTTP/1.1\r\nHost: {console}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            );
            let answer = scene.exchange("https", Some(console), head.as_bytes());
            ours(&answer);
            let accepted = statuses(&answer).contains(&200);
            assert!(!accepted || real && list == "sites", "{list} goes on after {given}: {}", told(&answer));
        }
    });
}

/// A sign-in's challenge, which comes back from outside, and the one-time links' and entries' codes.
pub fn challenge(input: &[u8]) {
    with(|scene| {
        let (console, app, given) = (&scene.words["console"], &scene.words["app"], one_line(input));
        let body = serde_json::json!({ "challenge": given, "code": "000000" }).to_string();
        let link = serde_json::json!({ "token": given, "password": "Kansuiro-no-Banya-1601" }).to_string();
        for (path, body) in [("sign-in/factor", &body), ("sign-in/enrol/confirm", &body), ("links/use", &link)] {
            let head = format!(
                "POST /api/v1/{path} HTTP/1.1\r\nHost: {console}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let answer = scene.exchange("https", Some(console), head.as_bytes());
            ours(&answer);
            assert!(!statuses(&answer).contains(&200), "{path}: {}", told(&answer));
        }
        let code = escaped(&given);
        let head = format!("GET /.sekisho/enter?code={code} HTTP/1.1\r\nHost: {app}\r\nConnection: close\r\n\r\n");
        let answer = scene.exchange("https", Some(app), head.as_bytes());
        ours(&answer);
        assert!(!has(&answer, &format!("{SESSION_COOKIE}=")), "a session for {given}: {}", told(&answer));
        nobody_reached(scene);
    });
}

/// A request to the API by a signed-in administrator.
pub fn api(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("https", Some(&scene.words["console"]), &scene.dressed(input));
        ours(&answer);
        if let Some((head, body)) = heads(&answer)
            && has(head, "application/problem+json")
            && !body.is_empty()
        {
            let problem: serde_json::Value =
                serde_json::from_slice(body).unwrap_or_else(|e| panic!("{e}: {}", told(&answer)));
            let kind = problem["type"].as_str().unwrap_or_default();
            assert!(kind.starts_with("urn:sekisho:problem:"), "{}", told(&answer));
        }
    });
}

/// Head and body of a lone answer with a length.
fn heads(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    if statuses(answer).len() != 1 || has(answer, "transfer-encoding") {
        return None;
    }
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    Some((&answer[..at], &answer[at + 4..]))
}

/// A page or a form's target, by a signed-in administrator's browser.
pub fn form(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("https", Some(&scene.words["console"]), &scene.dressed(input));
        ours(&answer);
        unscripted(&answer);
        if let Some((head, _)) = heads(&answer)
            && has(head, "text/html")
        {
            assert!(has(head, "content-security-policy"), "{}", told(&answer));
        }
    });
}

/// A signed-in person's request through the door: what reaches the application names that person, once, and has nothing
/// of our own.
pub fn passage(input: &[u8]) {
    with(|scene| {
        let answer = scene.exchange("https", Some(&scene.words["app"]), &scene.dressed(input));
        sound(&answer);
        for seen in scene.reached() {
            let fields = |name: &str| seen.headers.iter().filter(|(n, _)| n == name).collect::<Vec<_>>();
            let assertion = fields(ASSERTION.as_str());
            assert!(assertion.len() == 1 && assertion[0].1.matches('.').count() == 2, "{seen:?}");
            for (name, value) in &seen.headers {
                let mine = value.to_ascii_lowercase();
                let named = |cookie: &str| {
                    mine.split(';').any(|p| p.trim().starts_with(&format!("{}=", cookie.to_ascii_lowercase())))
                };
                assert!(name != "cookie" || !(named(SESSION_COOKIE) || named(START_COOKIE)), "our cookie: {seen:?}");
            }
            assert!(fields("cookie").len() <= 1 && fields("host").len() == 1, "{seen:?}");
            assert!(fields("content-length").is_empty() || fields("transfer-encoding").is_empty(), "{seen:?}");
        }
    });
}
