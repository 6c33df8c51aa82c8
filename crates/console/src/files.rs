//! The console's own files, compiled in.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{call::Call, problem::Fault};

/// The style sheet.
pub const STYLE: &str = include_str!("../assets/console.css");
/// The script.
pub const SCRIPT: &str = include_str!("../assets/console.js");
/// The script of pages with passkeys.
pub const PASSKEY_SCRIPT: &str = include_str!("../assets/passkey.js");
/// The mark.
pub const MARK: &str = include_str!("../assets/mark.svg");

fn file(kind: &'static str, text: &'static str) -> Result<Response, Fault> {
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response())
}

/// GET /assets/console.css
pub async fn style(_call: Arc<Call>) -> Result<Response, Fault> {
    file("text/css; charset=utf-8", STYLE)
}

/// GET /assets/console.js
pub async fn script(_call: Arc<Call>) -> Result<Response, Fault> {
    file("text/javascript; charset=utf-8", SCRIPT)
}

/// GET /assets/passkey.js
pub async fn passkey_script(_call: Arc<Call>) -> Result<Response, Fault> {
    file("text/javascript; charset=utf-8", PASSKEY_SCRIPT)
}

/// GET /assets/mark.svg
pub async fn mark(_call: Arc<Call>) -> Result<Response, Fault> {
    file("image/svg+xml", MARK)
}
