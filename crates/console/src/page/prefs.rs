//! Language and theme: cookies, no record.

use std::sync::Arc;

use axum::{http::header, response::Response};

use crate::{call::Call, cookie, problem::Fault, reply};

const YEAR: cookie::Life = cookie::Life::Seconds(365 * 86_400);

/// POST /lang
pub async fn set(call: Arc<Call>) -> Result<Response, Fault> {
    let back = call.field("back");
    let mut response = reply::see(if local(&back) { &back } else { "/" });
    let lang = call.field("lang");
    let theme = call.field("theme");
    let mut set = |name: &str, value: &str| {
        response.headers_mut().extend(cookie::set_open(name, value, YEAR).map(|v| (header::SET_COOKIE, v)));
    };
    if matches!(lang.as_str(), "ja" | "en") {
        set(cookie::LANG, &lang);
    }
    if matches!(theme.as_str(), "auto" | "light" | "dark") {
        set(cookie::THEME, &theme);
    }
    Ok(response)
}

/// Whether a text is a path of this very host: one slash, then no second slash or backslash that would make it another's.
pub fn local(path: &str) -> bool {
    let plain = path.bytes().all(|b| (0x21..=0x7e).contains(&b));
    path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && plain && path.len() <= 2048
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_paths_of_our_own() {
        for good in ["/", "/users?after=x", "/enter?to=a&path=%2F"] {
            assert!(local(good), "{good}");
        }
        for bad in ["", "//evil", "https://evil", "/\\evil", "users", "/a\r\nSet-Cookie: x", "/ a"] {
            assert!(!local(bad), "{bad}");
        }
    }
}
