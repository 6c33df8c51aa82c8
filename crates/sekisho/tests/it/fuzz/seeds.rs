//! The beginnings of the corpora: `cargo xtask fuzz --seeds` writes one well-formed example after the other, the same
//! every time. What a run finds is added beside them by its own name.

use std::fs;

use sekisho_controls as controls;
use sekisho_kernel::{Lang, Secret, Zone, policy, world::Hello};
use sekisho_ledger::{
    Checkpoint, Edge, Entry, ExportHeader, ExportWriter, Format, Hash, KeyKind, Leaf, Origin, Signer as _, SigningKey,
    TlogProof, VerifierKey, parse_checkpoint,
};

const LOG: [u8; 16] = [7; 16];
const AT: i64 = 1_767_225_600_000_000;
const HOST: &str = "{app}";

/// Writes the seeds of every target.
pub fn write() {
    policies();
    log();
    let texts: &[(&str, &[&str])] = &[
        ("host", &["acme.app.localhost", "Acme.Example:8443", "http://127.0.0.1:3000", "https://[::1]:81", "/a?b=//c"]),
        (
            "host",
            &["//evil.example/", "/\\evil", "path=%2Forders%3Fa%3D1&path=x", "a..b", "-a", "a:65536", "é.example"],
        ),
        (
            "words",
            &["ent_0198c2b40198c2b40198c2b40198c2b4", "2026-11-22T00:00:00Z", "2026-11-22T09:00:00.123456+09:00"],
        ),
        ("words", &["JST", "UTC", "+09:00", "-14:00", "+24:00", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"]),
        (
            "token",
            &[
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "short",
                "AAAA AAA",
                "{token}x",
                "x{token}",
                "{token}, {token}",
            ],
        ),
        ("token", &["{token}=", " {token}", "{csrf}", "{cursor}", "{user}", "{other}", "\"{token}\""]),
        ("cursor", &["{cursor}", "{cursor}A", "{cursor}=", "{csrf}", "{token}", "{site}", "==", "AAAA"]),
        ("challenge", &["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "{token}", "x", "%00"]),
    ];
    for (n, (target, examples)) in texts.iter().enumerate() {
        for (m, text) in examples.iter().enumerate() {
            put(target, &format!("{n}-{m}"), text.as_bytes());
        }
    }
    passkeys();
    super::saml::seeds(put);
    requests();
    strangers();
    bodies();
    provisioning();
    signed_in();
}

fn put(target: &str, name: &str, bytes: &[u8]) {
    let folder = super::folder(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

fn policies() {
    for name in controls::PROFILES.iter().map(|(name, _)| *name) {
        put("policy", name, controls::profile(name).expect("it ships").as_bytes());
    }
    let schema = sekisho::settings::schema();
    put("policy", "explained", policy::explain(&schema, Lang::Ja).as_bytes());
    put("policy", "extends", b"name = \"a\"\nextends = \"netmeister\"\n\n[sessions]\nidle = \"10m\"\n");
    put(
        "policy",
        "wrong",
        b"[sesions]\nidle = 30\n[sessions]\nidle = \"30x\"\nabsolute = \"1s\"\n[lockout]\ntries = true\n",
    );
    put("policy", "broken", b"[sessions\nidle = \"30m\nx = [[[[\n\"\\u12\"");
}

fn log() {
    let key = SigningKey::from_seed("sekisho.example", KeyKind::Ed25519, &Secret::new([1; 32])).unwrap();
    let witness = SigningKey::from_seed("witness.example", KeyKind::Cosignature, &Secret::new([2; 32])).unwrap();
    let entries: Vec<(Vec<u8>, Leaf)> = (0..5u8)
        .map(|n| {
            let at_micros = AT + i64::from(n) * 1_000_000;
            let mut id = [n; 16];
            id[..6].copy_from_slice(&(at_micros / 1_000).to_be_bytes()[2..]);
            id[6] = 0x70;
            id[8] = 0x80;
            let body = format!("{{\"class_uid\":6003,\"n\":{n}}}").into_bytes();
            let bytes = Entry { log: LOG, id, format: Format::Event, at_micros, body }.encode();
            let leaf = Leaf::of(&[n; 32], &bytes).unwrap();
            (bytes, leaf)
        })
        .collect();
    let hashes: Vec<Hash> = entries.iter().map(|(_, leaf)| leaf.hash()).collect();
    let mut edge = Edge::new();
    for tile in edge.append(&hashes) {
        put("tile", &format!("{}-{}", tile.id.level, tile.id.index), &tile.bytes);
    }
    put("tile", "partial", &hashes.iter().flat_map(|h| h.0).collect::<Vec<u8>>());
    put("entry", "event", &entries[0].0);
    let origin = Origin { house: "sekisho.example".into(), log: LOG, epoch: 1 }.to_string();
    let mut signed = Checkpoint { origin: origin.clone(), size: 5, root: edge.root() }.sign(&key).unwrap();
    put("checkpoint", "signed", signed.note.encode().as_bytes());
    signed.note.sign(&witness, 1_767_225_605).unwrap();
    let note = signed.note.encode();
    put("checkpoint", "witnessed", note.as_bytes());
    put("note", "witnessed", note.as_bytes());
    let keys: [&VerifierKey; 2] = [key.key(), witness.key()];
    for (n, key) in keys.iter().enumerate() {
        put("verifier-key", &n.to_string(), key.encode().as_bytes());
    }
    let proof = TlogProof {
        extra: Some(b"extra".to_vec()),
        index: 4,
        hashes: vec![hashes[0]],
        checkpoint: parse_checkpoint(note.as_bytes()).unwrap(),
    };
    put("proof", "extra", proof.encode().as_bytes());
    let header = ExportHeader { log: LOG, zone: Zone::parse("JST").unwrap(), keys: vec![key.key().clone()] };
    let mut out = ExportWriter::new(Vec::new(), &header).unwrap();
    out.epoch(1, 5, &origin, &[note.into_bytes()]).unwrap();
    for (n, (bytes, leaf)) in (0..).zip(&entries) {
        out.entry(&leaf.commitment, &[n; 32], bytes).unwrap();
    }
    put("export", "five", &out.end(1).unwrap());
    put("export", "header", header.encode().as_bytes());
}

/// Attestation objects, authenticator data, keys and client data, as [`super::text::passkey`] takes them.
fn passkeys() {
    let bytes = |hex: &str| hex::decode(hex).expect("hex");
    let point = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    let other = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let es256 = bytes(&format!("a5010203262001215820{point}225820{other}"));
    let eddsa = bytes(&format!("a4010103272006215820{point}"));
    let rs256 = [bytes("a401030339010020590100"), vec![0xc5; 256], bytes("2143010001")].concat();
    put("passkey", "key-es256", &es256);
    put("passkey", "key-eddsa", &eddsa);
    put("passkey", "key-rs256", &rs256);
    let rp = super::text::passkey_rp_hash();
    let used = [&rp[..], &[0b0000_0101, 0, 0, 0, 9]].concat();
    put("passkey", "used", &used);
    put("passkey", "used-extended", &[&rp[..], &[0b1000_0101, 0, 0, 0, 9, 0xa1, 0x63], b"abc", &[0xf5]].concat());
    for (name, key) in [("es256", &es256), ("eddsa", &eddsa), ("rs256", &rs256)] {
        let data = [&rp[..], &[0b0101_1101, 0, 0, 0, 0], &[5; 16], &[0, 4], b"cred", &key[..]].concat();
        let length = u16::try_from(data.len()).expect("short").to_be_bytes();
        let behind = [b"hauthData\x59".as_slice(), &length, &data].concat();
        let object = |format: &str, statement: &[u8]| {
            let word = [&[0x60 | u8::try_from(format.len()).expect("short")], format.as_bytes()].concat();
            [b"\xa3cfmt".as_slice(), &word, b"gattStmt", statement, &behind].concat()
        };
        put("passkey", &format!("none-{name}"), &object("none", &[0xa0]));
        let own = b"\xa2calg\x26csig\x44abcd".as_slice();
        put("passkey", &format!("own-{name}"), &object("packed", own));
        let chained = b"\xa3calg\x26csig\x44abcdcx5c\x81\x44\x30\x02\x05\x00".as_slice();
        put("passkey", &format!("chained-{name}"), &object("packed", chained));
    }
    for kind in ["create", "get"] {
        let data = format!(
            "{{\"type\":\"webauthn.{kind}\",\"challenge\":\"{}\",\"origin\":\"https://acme.console.localhost\",\"crossOrigin\":false}}",
            "A".repeat(43)
        );
        put("passkey", &format!("client-{kind}"), data.as_bytes());
    }
}

fn requests() {
    let heads = [
        ("get", format!("GET /orders?a=1 HTTP/1.1\r\nHost: {HOST}\r\nAccept: text/html\r\n\r\n")),
        (
            "forged",
            format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nSekisho-Assertion: x\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n"),
        ),
        (
            "cookie",
            format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nCookie: a=b; __Host-sekisho={}; c\r\n\r\n", "A".repeat(43)),
        ),
        ("enter", format!("GET /.sekisho/enter?code=x&path=/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n")),
        ("out", format!("POST /.sekisho/sign-out HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n")),
        (
            "chunked",
            format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "both",
            format!(
                "POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        ("twice", format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: evil.example\r\n\r\n")),
        ("pipelined", format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\nGET /b HTTP/1.1\r\nHost: {HOST}\r\n\r\n")),
        (
            "websocket",
            format!(
                "GET /socket HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            ),
        ),
        ("absolute", format!("GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n")),
        ("connect", format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n")),
        ("http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("old", "GET / HTTP/1.0\r\n\r\n".to_owned()),
    ];
    for (name, head) in &heads {
        put("request", name, head.as_bytes());
        put("plain-request", name, head.as_bytes());
    }
}

/// Questions of a reverse proxy, hellos, evidence that nobody signed.
fn strangers() {
    for (name, path, cookie) in [
        ("auth", "/auth", ""),
        ("forward", "/forward", "Cookie: {entered}\r\n"),
        ("own", "/.sekisho/enter?code=x", ""),
        ("unknown", "/", "Cookie: __Host-sekisho=x\r\n"),
    ] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Sekisho-Proxy-Secret: {{secret}}\r\nX-Forwarded-Host: {HOST}\r\n\
             X-Forwarded-Uri: /orders\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\n{cookie}\
             X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\nConnection: close\r\n\r\n"
        );
        put("forward-auth", name, head.as_bytes());
    }
    for (name, version, suite) in [("tls12", 0x0303, 0xc030), ("tls13", 0x0304, 0x1302), ("tls10", 0x0301, 0xc014)] {
        let hello = sekisho_prober::hello::client_hello(Hello { version, suite }, "acme.app.localhost", &[7; 96]);
        put("client-hello", name, &hello);
    }
    put("client-hello", "plain", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    http2();
    put("server-hello", "alert", &[21, 3, 3, 0, 2, 2, 40]);
    let mut hello = vec![22, 3, 3, 0, 0x2e, 2, 0, 0, 0x2a, 3, 3];
    hello.extend([9; 32]);
    hello.extend([0, 0xc0, 0x30, 0, 0, 0]);
    hello.extend([22, 3, 3, 0, 4, 14, 0, 0, 0]);
    put("server-hello", "tls12", &hello);
    let envelope = serde_json::json!({
        "payloadType": "application/vnd.in-toto+json",
        "payload": "e30=",
        "signatures": [{ "keyid": "x", "sig": "AAAA" }],
    });
    put("evidence", "unsigned", envelope.to_string().as_bytes());
}

/// Frames (RFC 9113 §4) to the first organisation's application.
fn http2() {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, stream];
        [&head[..], payload].concat()
    };
    let mut fields = vec![0x82, 0x87, 0x84, 0x41, 24];
    fields.extend(b"canary-one.app.localhost");
    let begun = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, &[])].concat();
    put("http2", "get", &[&begun[..], &frame(1, 5, 1, &fields)].concat());
    // A cookie of ours, and another field in a continuation.
    let mut cookie = vec![0x60, 16];
    cookie.extend(b"__Host-sekisho=x");
    let open = [&fields[..], &cookie].concat();
    put("http2", "continued", &[&begun[..], &frame(1, 1, 1, &open), &frame(9, 4, 1, &[0x90])].concat());
    put("http2", "body", &[&begun[..], &frame(1, 4, 1, &fields), &frame(0, 1, 1, b"hello")].concat());
    let others =
        [frame(6, 0, 0, &[7; 8]), frame(8, 0, 0, &[0, 0, 1, 0]), frame(3, 0, 1, &[0; 4]), frame(7, 0, 0, &[0; 8])];
    put("http2", "others", &[&begun[..], &frame(1, 5, 1, &fields), &others.concat()].concat());
}

/// What a provisioning client sends.
fn provisioning() {
    for (name, text) in [
        ("and", r#"userName eq "taro" and active eq true"#),
        ("or", r#"userName eq "taro" or externalId eq "E1" or id eq "usr_1""#),
        ("not", r#"not (title pr) and (name.familyName co "山" or emails ew "jp")"#),
        ("within", r#"emails[type eq "work" and value co "@example.jp"]"#),
        ("path", r#"emails[type eq "work"].value"#),
        ("extension", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"usr_2\""),
        ("time", r#"meta.lastModified ge "2026-05-13T13:42:34+09:00""#),
        ("members", r#"displayName eq "g" and members eq "usr_1""#),
        ("deep", r#"((((not (title eq "\u0041")))))"#),
        ("null", "nickName eq null or title ne null"),
    ] {
        put("scim-filter", name, text.as_bytes());
    }
    let operations = |list: serde_json::Value| serde_json::json!({ "Operations": list }).to_string();
    for (name, body) in [
        ("replace", operations(serde_json::json!([{"op": "replace", "path": "title", "value": "x"}]))),
        (
            "entra",
            operations(serde_json::json!([
                {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "090"},
                {"op": "Replace", "value": {"active": "False", "name.givenName": "G", "emails[type eq \"work\"].value": "n@example.jp"}},
            ])),
        ),
        ("remove", operations(serde_json::json!([{"op": "remove", "path": "emails[primary eq true]"}, {"op": "remove", "path": "name"}]))),
        ("primary", operations(serde_json::json!([{"op": "add", "path": "emails", "value": [{"value": "x@y.jp", "primary": "True"}]}]))),
        (
            "user",
            serde_json::json!({
                "schemas": [sekisho_identity::scim::schema::USER_URI], "userName": "a", "emails": {"value": "b"}, "addresses": [{"locality": "東京"}],
                sekisho_identity::scim::schema::ENTERPRISE_URI: {"manager": "usr_1"},
            })
            .to_string(),
        ),
    ] {
        put("scim-patch", name, body.as_bytes());
    }
}

/// A body and a form of every route that takes one.
fn bodies() {
    for (name, body) in BODIES {
        put("input", name, format!("{name}\n{body}").as_bytes());
    }
    put("input", "form", b"createSite\nname=a%20b&note=%E3%81%82&csrf=x&version=1");
    put("input", "form-list", b"createRole\nname=x&rights=users.read&rights=sites.read");
}

const BODIES: &[(&str, &str)] = &[
    ("createSite", r#"{"name":"東京","note":"a"}"#),
    ("createUser", r#"{"name":"hanako","display_name":"花子","mail":"h@example.test","type":"user","site":"{site}"}"#),
    ("createRole", r#"{"name":"auditors","rights":["users.read","history.read"]}"#),
    ("createGrant", r#"{"user":"{user}","role":"rol_01a203baed7576b7ae94e9addb9a46de","site":"{site}"}"#),
    ("createAddressRule", r#"{"network":"127.0.0.0/8","note":"here"}"#),
    ("signIn", r#"{"name":"nobody","password":"x"}"#),
    ("signInFactor", r#"{"challenge":"x","code":"123456","recovery_code":"abcd"}"#),
    ("signInAgain", r#"{"challenge":"AAAA","password":"x"}"#),
    ("replayRisk", r#"{"days":7,"settings":{"adaptive.medium_at":20,"adaptive.listed":["192.0.2.0/24"]}}"#),
    ("useLink", r#"{"token":"x","password":"Kansuiro-no-Banya-1601"}"#),
    ("setPolicy", r#"{"value":"10m"}"#),
    ("switchFunctions", r#"{"off":[]}"#),
    (
        "signInSignature",
        r#"{"client":"cli_01a203baed7576b7ae94e9addb9a46de","unique_id":"EMP-1","timestamp":1800000000,"nonce":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
    ),
    ("createSigningClient", r#"{"name":"portal","note":"a"}"#),
    ("createUniqueId", r#"{"client":"cli_01a203baed7576b7ae94e9addb9a46de","user":"{user}","unique_id":"EMP-1"}"#),
    ("createConnection", r#"{"name":"idp","networks":["192.0.2.0/24"],"days":1}"#),
    ("mapGroup", r#"{"role":"rol_01a203baed7576b7ae94e9addb9a46de","site":null}"#),
    ("createOwnToken", r#"{"name":"t","rights":["users.read"],"networks":["192.0.2.0/24"],"days":1,"password":"x"}"#),
    ("createToken", r#"{"user":"{user}","name":"t","rights":[],"networks":[],"days":1}"#),
    (
        "createApplication",
        r#"{"name":"app","redirect_uris":["https://app.example.test/cb"],"rights":["users.read"],"confidential":true,"openid":true,"backchannel_logout_uri":"https://app.example.test/bye","backchannel_logout_session_required":true}"#,
    ),
    (
        "createProvider",
        r#"{"name":"idp","issuer":"https://idp.example.test/realms/a","client_id":"x","client_secret":"a secret"}"#,
    ),
    (
        "updateProvider",
        r#"{"name":"idp","scopes":["profile","groups"],"enabled":true,"rules":[{"claim":"realm_access.roles","value":"audit","role":"rol_01a203baed7576b7ae94e9addb9a46de"}]}"#,
    ),
    (
        "createSignalReceiver",
        r#"{"name":"siem","url":"https://siem.example.test/set","audience":"siem","token":"t","events":["session-revoked"],"subject":"email"}"#,
    ),
    (
        "updateSignalReceiver",
        r#"{"url":"https://siem.example.test/b","token":"","events":["credential-change"],"enabled":false}"#,
    ),
    ("turnSigningKeys", r#"{"withdraw":false}"#),
    ("reauthenticateProvider", r#"{"provider":"idp_01a203baed7576b7ae94e9addb9a46de"}"#),
    (
        "createRelation",
        r#"{"one":"usr_01a203baed7576b7ae94e9addb9a46de","other":"sit_01a203baed7576b7ae94e9addb9a46de","starts":"2026-11-22T00:00:00Z","ends":"2126-11-22T09:00:00+09:00","note":"x"}"#,
    ),
    (
        "checkRelations",
        r#"{"person":"usr_01a203baed7576b7ae94e9addb9a46de","others":["usr_01a203baed7576b7ae94e9addb9a46de","usr_01a203baed7576b7ae94e9addb9a46df"]}"#,
    ),
    ("createMailDomain", r#"{"domain":"example.co.jp","provider":"idp_01a203baed7576b7ae94e9addb9a46de"}"#),
];

/// What an administrator does, through the API, the pages, and the door.
fn signed_in() {
    let api = |name: &str, line: &str, more: &str, body: &str| {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {{console}}\r\nAuthorization: Bearer {{token}}\r\n{more}\
             Content-Type: application/json\r\nContent-Length: {{length}}\r\nConnection: close\r\n\r\n{body}"
        );
        put("api", name, head.as_bytes());
    };
    let paths = [("createSite", "sites"), ("createUser", "users"), ("createRole", "roles"), ("createGrant", "grants")];
    for (name, path) in paths {
        let body = BODIES.iter().find(|(n, _)| *n == name).map_or("", |(_, body)| body);
        api(name, &format!("POST /api/v1/{path}"), "Idempotency-Key: k1\r\n", body);
    }
    api("patch", "PATCH /api/v1/sites/{site}", "If-Match: \"1\"\r\n", r#"{"note":"b"}"#);
    api("patch-null", "PATCH /api/v1/users/{user}", "If-Match: \"2\"\r\n", r#"{"mail":null,"site":null}"#);
    api("policy", "PUT /api/v1/policy/sessions.idle", "", r#"{"value":"10m"}"#);
    api("sign-in", "POST /api/v1/sign-in", "", r#"{"name":"nobody","password":"x"}"#);
    let of = |name: &str| BODIES.iter().find(|(n, _)| *n == name).map_or("", |(_, body)| *body);
    for (name, path) in [
        ("signInSignature", "sign-in/signature"),
        ("createOwnToken", "me/tokens"),
        ("createApplication", "applications"),
        ("createProvider", "providers"),
        ("createMailDomain", "mail-domains"),
        ("createSignalReceiver", "signal-receivers"),
        ("turnSigningKeys", "signing-keys/turn"),
        ("reauthenticateProvider", "me/reauthenticate/provider"),
        ("createRelation", "relations"),
        ("checkRelations", "relations/check"),
    ] {
        api(name, &format!("POST /api/v1/{path}"), "", of(name));
    }
    for (name, path) in [
        ("other", "sites/{other}"),
        (
            "history",
            "history?from=2026-01-01T00:00:00Z&to=2027-12-31T00:00:00Z&action=site.&result=success&limit=5&text=a",
        ),
        ("users", "users?text=adm&limit=200"),
        ("export", "history/export?format=csv"),
        ("claims", "claims?paper=mist&verdict=holds"),
        ("document", "openapi.json"),
        ("nothing", "nothing/here"),
    ] {
        api(name, &format!("GET /api/v1/{path}"), "Accept-Language: ja, en;q=0.5\r\n", "");
    }
    let page = |name: &str, line: &str, body: &str| {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {{console}}\r\nCookie: {{cookie}}\r\nAccept: text/html\r\nOrigin: https://{{console}}\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {{length}}\r\nConnection: close\r\n\r\n{body}"
        );
        put("form", name, head.as_bytes());
    };
    page("site", "POST /sites", "csrf={csrf}&name=a%3Cfuzz%3E&note=%22%3E%3Cfuzz%3E");
    page("site-change", "POST /sites/{site}", "csrf={csrf}&version=1&name=b&note=c");
    page("role", "POST /roles", "csrf={csrf}&name=%E7%9B%A3%E6%9F%BB&rights=users.read&rights=history.read");
    page("user", "POST /users", "csrf={csrf}&name=taro&type=user&mail=&display_name=%3Cfuzz%3E");
    page("risk-replay", "POST /risk/replay", "csrf={csrf}&days=7&medium_at=20&high_at=&low=step_up&medium=");
    page("lang", "POST /lang", "csrf={csrf}&lang=en&back=%2Fsites");
    page("policy", "POST /policy/sessions.idle", "csrf={csrf}&value=10m");
    page(
        "oauth-code",
        "POST /oauth/token",
        "grant_type=authorization_code&client_id=app_01a203baed7576b7ae94e9addb9a46de&client_secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=x&code_verifier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&redirect_uri=https%3A%2F%2Fapp.example.test%2Fcb",
    );
    page(
        "oauth-refresh",
        "POST /oauth/token",
        "grant_type=refresh_token&client_id=app_01a203baed7576b7ae94e9addb9a46de&refresh_token=srt_01a203baed7576b7ae94e9addb9a46de00000000AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );
    page(
        "oauth-introspect",
        "POST /oauth/introspect",
        "client_id=app_01a203baed7576b7ae94e9addb9a46de&client_secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&token=sat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );
    page("oauth-revoke", "POST /oauth/revoke", "client_id=app_01a203baed7576b7ae94e9addb9a46de&token={token}");
    page(
        "oauth-authorize",
        "GET /oauth/authorize?response_type=code&client_id=app_01a203baed7576b7ae94e9addb9a46de&redirect_uri=https%3A%2F%2Fapp.example.test%2Fcb&scope=users.read&state=%22%3E%3Cfuzz%3E&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_challenge_method=S256",
        "",
    );
    page(
        "oauth-push",
        "POST /oauth/par",
        "client_id=app_01a203baed7576b7ae94e9addb9a46de&client_secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&response_type=code&redirect_uri=https%3A%2F%2Fapp.example.test%2Fcb&scope=openid+profile+users.read&state=%22%3E%3Cfuzz%3E&nonce=n&prompt=login&max_age=60&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_challenge_method=S256",
    );
    page(
        "oauth-authorize-pushed",
        "GET /oauth/authorize?client_id=app_01a203baed7576b7ae94e9addb9a46de&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&fresh=x",
        "",
    );
    page(
        "oauth-leave",
        "GET /oauth/logout?id_token_hint=eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJ4Iiwic2lkIjoieCJ9.AAAA&client_id=app_01a203baed7576b7ae94e9addb9a46de&post_logout_redirect_uri=https%3A%2F%2Fapp.example.test%2Fbye&state=%3Cfuzz%3E",
        "",
    );
    page(
        "oauth-device",
        "POST /oauth/device_authorization",
        "client_id=app_01a203baed7576b7ae94e9addb9a46de&scope=openid+users.read",
    );
    page(
        "oauth-device-poll",
        "POST /oauth/token",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=app_01a203baed7576b7ae94e9addb9a46de&device_code=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );
    put(
        "form",
        "oauth-token-bound",
        b"POST /oauth/token HTTP/1.1\r\nHost: {console}\r\nDPoP: eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiQUEiLCJ5IjoiQUEifX0.eyJqdGkiOiJ4IiwiaHRtIjoiUE9TVCIsImh0dSI6IngiLCJpYXQiOjF9.AAAA\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\ngrant_type=client_credentials&client_id=app_01a203baed7576b7ae94e9addb9a46de",
    );
    page("device", "POST /device", "csrf={csrf}&user_code=wdjb-mjht");
    page("device-decide", "POST /device/decide", "csrf={csrf}&request=x&decision=allow");
    page("oauth-left", "POST /oauth/logout", "csrf={csrf}&request=x");
    page("oauth-userinfo", "POST /oauth/userinfo", "access_token=sat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    page("oauth-consent", "POST /oauth/authorize", "csrf={csrf}&request=x&decision=allow");
    page(
        "application",
        "POST /applications",
        "csrf={csrf}&name=%3Cfuzz%3E&redirect_uris=https%3A%2F%2Fa.example%2F+https%3A%2F%2Fb.example%2F&rights=users.read",
    );
    page("provider-leave", "POST /sign-in/provider", "csrf={csrf}&provider=idp_01a203baed7576b7ae94e9addb9a46de");
    page("account-confirm", "POST /account/confirm", "csrf={csrf}&provider=idp_01a203baed7576b7ae94e9addb9a46de");
    page("provider-mail", "POST /sign-in/mail", "csrf={csrf}&mail=hanako%40example.co.jp");
    page(
        "provider-callback",
        "GET /federation/idp_01a203baed7576b7ae94e9addb9a46de/callback?code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&iss=https%3A%2F%2Fidp.example.test",
        "",
    );
    page(
        "provider-logout",
        "POST /federation/idp_01a203baed7576b7ae94e9addb9a46de/logout",
        "logout_token=eyJhbGciOiJFZERTQSIsInR5cCI6ImxvZ291dCtqd3QifQ.eyJzdWIiOiJoYW5ha28iLCJqdGkiOiJ4In0.AAAA",
    );
    page(
        "provider",
        "POST /providers",
        "csrf={csrf}&name=%3Cfuzz%3E&issuer=https%3A%2F%2Fidp.example.test&client_id=x&client_secret=y",
    );
    page("signing-keys", "POST /applications/keys/turn", "csrf={csrf}&withdraw=false");
    page(
        "signal-receiver",
        "POST /signals",
        "csrf={csrf}&name=%3Cfuzz%3E&url=https%3A%2F%2Fsiem.example.test&audience=&token=t&subject=iss_sub&events=session-revoked&events=credential-change",
    );
    page(
        "signal-switch",
        "POST /signals/sgr_01a203baed7576b7ae94e9addb9a46de/switch",
        "csrf={csrf}&version=1&enabled=false",
    );
    page(
        "relation",
        "POST /relations",
        "csrf={csrf}&one_group=&one=admin&other_group=rol_01a203baed7576b7ae94e9addb9a46de&other=&starts=2026-11-22&ends=2126-11-22&note=%3Cfuzz%3E",
    );
    page("relation-end", "POST /relations/rel_01a203baed7576b7ae94e9addb9a46de/end", "csrf={csrf}");
    page("token", "POST /account/tokens", "csrf={csrf}&name=%3Cfuzz%3E&days=1&networks=192.0.2.0%2F24+::1&password=x");
    for (name, path) in [
        ("overview", "/"),
        ("history", "/history?from=2026-01-01&to=2027-01-01&text=%3Cfuzz%3E&actor=%22"),
        ("users", "/users?text=%3Cfuzz%3E"),
        ("entry", "/history/ent_01a203baed7576b7ae94e9addb9a46de"),
        ("claims", "/claims?paper=all&verdict=holds"),
        ("enter", "/enter?host={app}&path=%2F%2Fevil.example"),
        ("missing", "/%3Cfuzz%3E?x=<fuzz>"),
    ] {
        page(name, &format!("GET {path}"), "");
    }
    for (name, head) in [
        ("get", "GET /orders?a=1 HTTP/1.1\r\nHost: {app}\r\nCookie: a=b; {entered}; c=d\r\nConnection: close\r\n\r\n"),
        (
            "forged",
            "GET / HTTP/1.1\r\nHost: {app}\r\nCookie: {entered}\r\nSekisho-Assertion: a.b.c\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: close, Sekisho-Assertion\r\n\r\n",
        ),
        (
            "post",
            "POST /orders HTTP/1.1\r\nHost: {app}\r\nCookie: {entered}\r\nSec-Fetch-Site: same-origin\r\nOrigin: https://{app}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\nitem=a&count=1",
        ),
        (
            "chunked",
            "POST /echo HTTP/1.1\r\nHost: {app}\r\nCookie: {entered}\r\nSec-Fetch-Site: same-origin\r\nOrigin: https://{app}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "socket",
            "GET /socket HTTP/1.1\r\nHost: {app}\r\nCookie: {entered}\r\nOrigin: https://{app}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        ),
        (
            "cookies",
            "GET / HTTP/1.1\r\nHost: {app}\r\nCookie: =__Host-sekisho=x; {entered}\r\nCookie: __HOST-SEKISHO=y; z=1\r\nConnection: close\r\n\r\n",
        ),
    ] {
        put("passage", name, head.as_bytes());
    }
}
