//! What a person or a program reads when the door itself answers: a self-contained page in both languages, or a
//! problem document (RFC 9457).

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use sekisho_kernel::{
    Lang, Problem, TraceId,
    hook::{Onward, origin},
};
use serde_json::json;

use crate::{body::Body, problems};

const STYLE: &str = ":root{color-scheme:light dark;--ink:#1c2430;--paper:#f6f7f9;--card:#fff;--line:#d8dde5;--mute:#5b6675}\
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--paper:#12161c;--card:#1a2029;--line:#303947;--mute:#98a4b5}}\
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);\
font:16px/1.7 system-ui,'Hiragino Sans','Noto Sans JP',sans-serif}main{width:min(38rem,92vw);background:var(--card);\
border:1px solid var(--line);border-radius:10px;padding:2rem 2.2rem}h1,h2{font-size:1.2rem;margin:0 0 .4rem}p{margin:.3rem 0}\
section+section{margin-top:1.4rem;padding-top:1.4rem;border-top:1px solid var(--line)}\
button{margin-top:1rem;font:inherit;padding:.45rem 1.4rem;border:0;border-radius:8px;background:var(--ink);color:var(--card);cursor:pointer}\
footer{margin-top:1.6rem;color:var(--mute);font-size:.82rem;overflow-wrap:anywhere}";

/// Sends the page's only form.
const SEND: &str = "document.forms[0].submit()";

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let text = policy("'none'", "'none'");
    HeaderValue::try_from(text).expect("base64 and ASCII words are a header value")
});

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
}

fn policy(scripts: &str, forms: &str) -> String {
    let style = hash(STYLE);
    format!(
        "default-src 'none'; style-src {style}; script-src {scripts}; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )
}

/// Whether whoever asks is a browser about to show a page.
pub(crate) fn wants_page(method: &Method, headers: &HeaderMap) -> bool {
    if let Some(mode) = headers.get("sec-fetch-mode") {
        return mode == "navigate";
    }
    let reads = method == Method::GET || method == Method::HEAD || method == Method::POST;
    reads
        && headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .any(|accept| accept.contains("text/html"))
}

/// The language to answer in.
pub(crate) fn lang(headers: &HeaderMap) -> Lang {
    Lang::negotiate(headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()))
}

/// The problem as an answer.
pub(crate) fn refusal(problem: &Problem, trace: TraceId, lang: Lang, page: bool) -> Response<Body> {
    let status = problems::status(problem);
    let mut answer = if page { html(problem, status, trace, lang) } else { document(problem, status, trace, lang) };
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-language"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Sekisho"));
    }
    if let Some(wait) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    answer
}

fn document(problem: &Problem, status: StatusCode, trace: TraceId, lang: Lang) -> Response<Body> {
    let mut body = json!({
        "type": format!("urn:sekisho:problem:{}", problem.kind.name),
        "title": problem.kind.title.get(lang),
        "status": status.as_u16(),
        "detail": problem.detail.as_ref().map_or_else(|| problem.kind.title.get(lang), |d| d.get(lang)),
        "code": problem.kind.code,
        "trace": trace.to_string(),
        "remedy": problem.kind.remedy.get(lang),
    });
    if let Some(place) = &problem.place {
        body["place"] = json!(place);
    }
    if let Some(wait) = problem.retry_after {
        body["retry_after"] = json!(wait.as_secs());
    }
    let mut answer = Response::new(Body::text(body.to_string()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    answer
}

fn html(problem: &Problem, status: StatusCode, trace: TraceId, lang: Lang) -> Response<Body> {
    let other = if lang == Lang::Ja { Lang::En } else { Lang::Ja };
    let mut sections = String::new();
    for (level, lang) in [("h1", lang), ("h2", other)] {
        let detail = problem.detail.as_ref().map(|d| format!("<p>{}</p>", escape(d.get(lang)))).unwrap_or_default();
        sections.push_str(&format!(
            "<section lang=\"{}\"><{level}>{}</{level}>{detail}<p>{}</p></section>",
            lang.tag(),
            escape(problem.kind.title.get(lang)),
            escape(problem.kind.remedy.get(lang)),
        ));
    }
    let trace_word = if lang == Lang::Ja { "追跡番号" } else { "Trace" };
    let (status, code) = (status.as_u16(), problem.kind.code);
    let title = format!("{status} {}", escape(problem.kind.title.get(lang)));
    let body = format!("<main>{sections}<footer>{code} · HTTP {status} · {trace_word} {trace}</footer></main>");
    whole(lang, &title, &body, POLICY.clone())
}

/// A page of our own look; title and body are markup already.
fn whole(lang: Lang, title: &str, body: &str, policy: HeaderValue) -> Response<Body> {
    let text = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\
<body>{body}</body></html>",
        lang.tag(),
    );
    let mut answer = Response::new(Body::text(text));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

/// Where a person may go on, for the script that asked.
pub(crate) fn told(on: &Onward) -> Response<Body> {
    let mut answer = Response::new(Body::text(json!({ "onward": on }).to_string()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A page whose form leads on to an identity provider. `None` for an address that no policy can name.
pub(crate) fn posts(on: &Onward, lang: Lang) -> Option<Response<Body>> {
    let origin = origin(&on.to)?;
    let (title, says, button) = match lang {
        Lang::Ja => ("サインアウトしました", "続けて ID プロバイダーからもサインアウトします。", "続ける"),
        Lang::En => ("You are signed out", "Now on to sign out at the identity provider.", "Go on"),
    };
    let fields: String = on
        .fields
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value)))
        .collect();
    let body = format!(
        "<main><h1>{title}</h1><p>{says}</p><form method=\"post\" action=\"{to}\">{fields}<button>{button}</button></form></main>\
<script>{SEND}</script>",
        to = escape(&on.to),
    );
    let policy = HeaderValue::try_from(policy(&hash(SEND), origin)).ok()?;
    let mut answer = whole(lang, title, &body, policy);
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(answer)
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// 303 to another address; never cached.
pub(crate) fn redirect(status: StatusCode, to: &str) -> Option<Response<Body>> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_str(to).ok()?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(answer)
}
