//! The sample application behind the demo's door: a small order book that knows nothing of Sekisho. It trusts whoever
//! reaches it, keeps no accounts, and shows what it was sent.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::{
        Form, Query, Request, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response, sse},
    routing::{any, get, post},
};
use futures_util::stream;
use sekisho_kernel::world::Seen;
use std::sync::{Arc, Mutex};

/// What arrived, newest last, at most [`KEPT`].
#[derive(Clone, Default)]
pub struct Received(Arc<Mutex<Vec<Seen>>>);

const KEPT: usize = 1_000;

impl Received {
    /// Takes what has arrived so far.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().expect("no holder of this lock panics"))
    }
    fn push(&self, seen: Seen) {
        let mut all = self.0.lock().expect("no holder of this lock panics");
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(seen);
    }
}

/// A running sample application. Stops when dropped.
pub struct Sample {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it has received.
    pub received: Received,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Sample {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the application on a free loopback port.
///
/// # Errors
/// When no loopback port can be had.
pub async fn start() -> std::io::Result<Sample> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let received = Received::default();
    let app = router(received.clone());
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the sample application stopped");
        }
    });
    Ok(Sample { address, received, task })
}

/// Whether a loopback port can be listened at now.
pub fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn router(received: Received) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/socket", get(socket))
        .route("/events", get(events))
        .route("/notes", get(notes))
        .route("/notes.css", get(notes_style))
        .route("/notes.js", get(notes_script))
        .route("/search", get(search))
        .route("/orders", get(order).post(place_order))
        .route("/api/notes", post(note))
        .route("/{*path}", any(echo))
        .layer(axum::middleware::from_fn_with_state(received.clone(), record))
        .with_state(received)
}

async fn record(State(received): State<Received>, request: Request, next: axum::middleware::Next) -> Response {
    let (parts, body) = request.into_parts();
    let upgrade = parts.headers.contains_key(header::UPGRADE);
    let bytes = if upgrade { None } else { axum::body::to_bytes(body, 1 << 20).await.ok() };
    received.push(Seen {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
        headers: plain(&parts.headers),
        body: bytes.as_deref().unwrap_or_default().to_vec(),
    });
    next.run(Request::from_parts(parts, bytes.map_or_else(Body::empty, Body::from))).await
}

fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn in_japanese(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .is_none_or(|v| v.trim_start().to_ascii_lowercase().starts_with("ja"))
}

/// Notes that stay on the device. What is typed is kept by the script alone: `autocomplete=off` keeps it out of what a browser
/// remembers of forms.
async fn notes(headers: HeaderMap) -> Response {
    let (lang, title, lead, words) = if in_japanese(&headers) {
        (
            "ja",
            "この端末のメモ（サンプル）",
            "下書き、連絡先および縮小画像を、この端末に暗号化して保存します。鍵は関所がこのセッションに渡し、サインアウトすると失われます。",
            ["下書き", "連絡先", "追加", "画像", "縮小画像", "保存しています。", "サインアウト"],
        )
    } else {
        (
            "en",
            "Notes on this device (sample)",
            "A draft, contacts and a thumbnail stay on this device, encrypted. Sekisho hands the key to this session; signing out destroys it.",
            ["Draft", "Contacts", "Add", "Picture", "Thumbnail", "Kept.", "Sign out"],
        )
    };
    let [draft, contacts, add, file, thumbnail, kept, out] = words;
    let page = format!(
        "<!doctype html><html lang={lang}><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>\
         <link rel=stylesheet href=/notes.css><script type=module src=/notes.js></script>\
         <h1>{title}</h1><p>{lead}</p><p id=state role=status hidden>{kept}</p>\
         <p><label>{draft}<br><textarea id=draft rows=4 cols=60 autocomplete=off></textarea></label></p>\
         <h2>{contacts}</h2><ul id=contacts></ul><form id=add autocomplete=off><input name=name required aria-label='{contacts}'> <button>{add}</button></form>\
         <p><label>{file} <input id=file type=file accept='image/*'></label></p><p><img id=picture alt='{thumbnail}' hidden></p>\
         <p><button id=out type=button>{out}</button></p></html>"
    );
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src blob:; base-uri 'none'; form-action 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

async fn notes_style() -> Response {
    let style = "body{font:16px/1.6 system-ui,sans-serif;max-width:56rem;margin:3rem auto;padding:0 1.5rem;color:#1c2733}\
                 h2{font-size:1.1rem}textarea{width:100%;box-sizing:border-box}textarea,input,button{font:inherit;padding:.5rem .8rem;\
                 border:1px solid #b6c0cc;border-radius:.4rem;background:#fff}";
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], style).into_response()
}

async fn notes_script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("sample/notes.js")).into_response()
}

async fn home(headers: HeaderMap) -> Html<String> {
    let (lang, title, lead, orders, got, notes, out) = if in_japanese(&headers) {
        (
            "ja",
            "受注一覧（サンプル）",
            "このアプリケーションには、サインインも権限も記録もありません。すべて手前の関所が担っています。",
            ["注文番号", "品名", "数量"],
            "この要求とともに届いたヘッダー",
            "この端末のメモ",
            "サインアウト",
        )
    } else {
        (
            "en",
            "Order book (sample)",
            "This application has no sign-in, no rights and no log of its own. Sekisho keeps all of that in front of it.",
            ["Order", "Item", "Quantity"],
            "Header fields that came with this request",
            "Notes on this device",
            "Sign out",
        )
    };
    let rows = [
        ("A-1001", "光ルーター / optical router", 12),
        ("A-1002", "無線LAN AP / Wi-Fi access point", 48),
        ("A-1003", "保守契約 / support plan", 3),
    ]
    .map(|(id, item, n)| format!("<tr><td>{id}<td>{item}<td>{n}"))
    .concat();
    let fields: String = plain(&headers)
        .iter()
        .map(|(n, v)| {
            let shown: String = v.chars().take(96).collect();
            let more = if v.chars().count() > 96 { "…" } else { "" };
            format!("<tr><th scope=row>{}<td>{}{more}", escape(n), escape(&shown))
        })
        .collect();
    Html(format!(
        "<!doctype html><html lang={lang}><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>\
         <style>body{{font:16px/1.6 system-ui,sans-serif;max-width:56rem;margin:3rem auto;padding:0 1.5rem;color:#1c2733}}\
         table{{border-collapse:collapse;width:100%;margin:1rem 0}}th,td{{text-align:left;padding:.5rem .75rem;border-bottom:1px solid #d8dee6;word-break:break-all}}\
         button{{font:inherit;padding:.6rem 1.2rem;border:1px solid #b6c0cc;border-radius:.4rem;background:#fff}}</style>\
         <h1>{title}</h1><p>{lead}</p><p><a href=/notes>{notes}</a></p><table><thead><tr><th scope=col>{}<th scope=col>{}<th scope=col>{}<tbody>{rows}</table>\
         <h2>{got}</h2><table>{fields}</table><form method=post action='/.sekisho/sign-out'><button>{out}</button></form></html>",
        orders[0], orders[1], orders[2]
    ))
}

async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let answer = serde_json::json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "received_bytes": bytes.len(),
    });
    axum::Json(answer).into_response()
}

/// Words of a language: letters, digits and the marks of prose. A value that is anything else is not taken.
fn is_prose(text: &str) -> bool {
    let marks = " 、。，．・（）「」！？ー〜,!?'-+&%;@\n";
    let good = |c: char| c.is_alphanumeric() || marks.contains(c);
    let long = text.split_whitespace().any(|w| w.is_ascii() && w.len() > 30);
    // A full stop ends a word; inside one it is an address or a program's text.
    let dotted = text.split_whitespace().any(|w| w.trim_end_matches(['.', ',', '!', '?']).contains('.'));
    // An apostrophe stands between letters; two dashes are nobody's punctuation here.
    let letters: Vec<char> = text.chars().collect();
    let quoted = letters.iter().enumerate().any(|(i, c)| {
        let letter = |n: Option<&char>| n.is_some_and(|c| c.is_alphabetic());
        *c == '\'' && !(letter(i.checked_sub(1).and_then(|n| letters.get(n))) && letter(letters.get(i + 1)))
    });
    let quoted = quoted || text.contains("--");
    // A percent sign that goes on is somebody's encoding.
    let escaped = text.split('%').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let command =
        text.trim_start().starts_with([';', '&', '-', '\'', '%']) || text.contains("&&") || text.contains('\n');
    !text.is_empty()
        && text.len() <= 500
        && text.chars().all(|c| good(c) || c == '.')
        && !(long || dotted || quoted || escaped || command)
}

/// The number of an order: a capital, a dash, four digits.
fn is_order(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 6 && bytes[0].is_ascii_uppercase() && bytes[1] == b'-' && bytes[2..].iter().all(u8::is_ascii_digit)
}

fn taken(good: bool) -> Response {
    if good {
        axum::Json(serde_json::json!({ "taken": true })).into_response()
    } else {
        (StatusCode::BAD_REQUEST, axum::Json(serde_json::json!({ "taken": false }))).into_response()
    }
}

type Values = std::collections::BTreeMap<String, String>;

async fn search(Query(values): Query<Values>) -> Response {
    taken(values.get("q").is_some_and(|q| is_prose(q)))
}

async fn order(Query(values): Query<Values>) -> Response {
    taken(values.get("id").is_none_or(|id| is_order(id)))
}

async fn place_order(Form(values): Form<Values>) -> Response {
    taken(values.get("note").is_none_or(|note| is_prose(note)))
}

#[derive(serde::Deserialize)]
struct Note {
    text: String,
}

async fn note(axum::Json(note): axum::Json<Note>) -> Response {
    taken(is_prose(&note.text))
}

async fn events() -> sse::Sse<impl futures_util::Stream<Item = Result<sse::Event, Infallible>>> {
    let ticks = stream::iter(0..3).map(|n| Ok(sse::Event::default().data(format!("tick {n}"))));
    sse::Sse::new(ticks)
}

use futures_util::StreamExt as _;

async fn socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(talk)
}

async fn talk(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match message {
            Message::Text(text) => Message::Text(format!("order book heard: {text}").into()),
            Message::Binary(bytes) => Message::Binary(bytes),
            Message::Close(_) => return,
            _ => continue,
        };
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}
