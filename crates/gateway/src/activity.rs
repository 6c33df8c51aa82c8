//! What a person does, told from what a page does by itself: only the former keeps a session alive.

use http::{HeaderMap, Method};

use crate::{proxy, upstream::is_websocket};

/// Whether a request is somebody's act. A browser says how a request came about (Fetch Metadata, `Sec-Fetch-Mode`,
/// `Sec-Fetch-Dest`, `Sec-Fetch-User`): opening a page and sending something are acts; what a page reads by itself (polling,
/// images, frames that reload) is none, unless `scripted` says that such reads count. A program that says nothing acts with
/// each request. Upgrades never count.
pub(crate) fn is_act(method: &Method, headers: &HeaderMap, scripted: bool) -> bool {
    let field = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    if is_websocket(method, headers) {
        return false;
    }
    if scripted || !proxy::is_read(method, headers) {
        return true;
    }
    match field("sec-fetch-mode") {
        None => true,
        Some(b"navigate") => field("sec-fetch-user") == Some(b"?1") || field("sec-fetch-dest") == Some(b"document"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(method: &str, fields: &[(&'static str, &str)], scripted: bool) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, value.parse().expect("a value"));
        }
        is_act(&method.parse().expect("a method"), &headers, scripted)
    }

    #[test]
    fn opening_and_sending_are_acts_polling_is_none() {
        let page = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        let click_in_frame = [frame[0], frame[1], ("sec-fetch-user", "?1")];
        let script = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
        let image = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
        let socket = [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-fetch-mode", "websocket")];
        assert!(act("GET", &page, false));
        assert!(!act("GET", &frame, false));
        assert!(act("GET", &click_in_frame, false));
        assert!(!act("GET", &script, false) && act("GET", &script, true) && act("POST", &script, false));
        assert!(!act("GET", &image, false));
        assert!(!act("GET", &socket, false) && !act("GET", &socket, true));
        assert!(act("GET", &[], false), "a program says nothing of how its request came about");
        let overridden = [script[0], script[1], ("x-http-method-override", "DELETE")];
        assert!(act("GET", &overridden, false));
    }
}
