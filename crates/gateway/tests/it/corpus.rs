//! The Core Rule Set's own regression tests, each stage sent over the wire through the door.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sekisho_gateway::settings;
use sekisho_kernel::{
    gate::{FirewallMode, FirewallResponses, FirewallRule},
    policy::Value,
};
use sekisho_waf::{
    ftw::{self, Overrides, Report, Seen, Stage},
    wire,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use crate::{
    client::{self, tls},
    fakes::{APP, FakeGates},
    house::{House, TOKEN, peer, policy},
};

/// Stages that only a server's own refusal satisfies. This list may only shrink.
const OVERRIDES: &str = include_str!("corpus_overrides.txt");
/// The number of them now: lower it with the list, never raise it.
const MOST_OVERRIDES: usize = 42;
/// Houses that work side by side.
const LANES: usize = 4;

/// The folder of the rule set, if this machine has it: `SEKISHO_SHARED`, or `../shared` beside the workspace.
fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = [std::env::var_os("SEKISHO_SHARED").map(PathBuf::from), Some(root.join("../shared"))];
    shared.into_iter().flatten().map(|dir| dir.join("data/crs-4.28.0")).find(|dir| dir.join("tests").is_dir())
}

fn stages(folder: &Path) -> Vec<Stage> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("tests"))
        .unwrap()
        .filter_map(|d| fs::read_dir(d.unwrap().path()).ok())
        .flat_map(|d| d.map(|f| f.unwrap().path()))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .collect();
    files.sort();
    let read = |file: &PathBuf| ftw::parse(&file.display().to_string(), &fs::read_to_string(file).unwrap()).unwrap();
    files.iter().flat_map(read).collect()
}

/// The rule set with the settings that its tests ask for, as a folder that the door loads.
fn prepared(folder: &Path, into: &Path) {
    let setup = fs::read_to_string(folder.join("crs-setup.conf.example")).unwrap();
    let asked = "SecAction \"id:900001,phase:1,pass,nolog,t:none,setvar:tx.arg_length=400,setvar:tx.arg_name_length=100,\
        setvar:tx.max_num_args=255,setvar:tx.total_arg_length=6400,setvar:tx.max_file_size=64100,\
        setvar:tx.combined_file_sizes=65535\"\n";
    fs::write(into.join("crs-setup.conf"), setup + asked).unwrap();
    fs::create_dir(into.join("rules")).unwrap();
    for entry in fs::read_dir(folder.join("rules")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, into.join("rules").join(path.file_name().unwrap())).unwrap();
    }
}

/// What the tests' backend answers, over the wire.
async fn backend() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let server = hyper::server::conn::http1::Builder::new();
                let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            });
        }
    });
    origin
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<bytes::Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let asked = wire::Request {
        method: parts.method.as_str().into(),
        target: parts.uri.to_string().into_bytes(),
        protocol: b"HTTP/1.1".to_vec(),
        headers: Vec::new(),
        body: body.collect().await?.to_bytes().to_vec(),
    };
    let told = ftw::answer(&asked);
    let mut out = Response::new(Full::new(told.body.into()));
    *out.status_mut() = told.status.try_into().unwrap();
    for (name, value) in told.headers {
        let (name, value) = (HeaderName::from_bytes(&name).unwrap(), HeaderValue::from_bytes(&value).unwrap());
        out.headers_mut().append(name, value);
    }
    Ok(out)
}

/// The tests name hosts that the local authority has no certificate for.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// The name for the handshake: the request's own host where it is a name.
fn name(stage: &Stage) -> String {
    let host = stage.request.as_ref().and_then(|r| r.header("host").map(|h| String::from_utf8_lossy(h).into_owned()));
    let host = host.unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let good = |host: &str| {
        !host.is_empty()
            && host.split('.').all(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    if good(&host) { host } else { APP.to_owned() }
}

/// The bytes with the cookie of somebody signed in, after the request line.
fn signed_in(bytes: &[u8]) -> Vec<u8> {
    let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") else { return bytes.to_vec() };
    let cookie = format!("Cookie: __Host-sekisho={TOKEN}\r\n");
    [&bytes[..end + 2], cookie.as_bytes(), &bytes[end + 2..]].concat()
}

struct Lane {
    house: House,
    /// What was seen of the transactions since the last request.
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Lane {
    async fn open(rules: &Path, origin: &str) -> Self {
        let rule = FirewallRule {
            mode: FirewallMode::Detect,
            paranoia: 4,
            max_body: 1 << 20,
            refuse_longer: true,
            responses: FirewallResponses::Body,
            ..FirewallRule::off()
        };
        let gates = FakeGates {
            firewall: Mutex::new(rule),
            rules: Mutex::new(String::new()),
            set: Mutex::new(rules.display().to_string()),
            ..FakeGates::default()
        };
        let settings = [
            (&settings::BODY_TIMEOUT, Value::Span(Duration::from_secs(2))),
            (&settings::HEADER_TIMEOUT, Value::Span(Duration::from_secs(2))),
        ];
        let house = House::with(policy(origin, &settings), gates).await;
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let told = seen.clone();
        house.firewall.as_ref().unwrap().watch(Box::new(move |transaction| {
            let ids = transaction.matches().iter().map(|m| m.rule).collect();
            told.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
                ids,
                log: ftw::log(transaction),
                status: None,
            });
        }));
        Self { house, seen }
    }

    async fn carry_out(&self, stage: &Stage) -> Option<String> {
        let name = name(stage);
        self.house.directory.add(&name);
        self.seen.lock().unwrap().clear();
        let mut config = client::config(&self.house.gateway.trust().unwrap(), &self.house.clock, "http/1.1");
        config.dangerous().set_certificate_verifier(Arc::new(Anybody));
        let mut stream = match tls(&self.house.places.https, peer(), &name, config).await {
            Ok(stream) => stream,
            Err(error) => return stage.judge(&Seen::default()).map(|_| format!("no handshake for {name}: {error}")),
        };
        // The door may refuse before it has read all of it.
        let _ = stream.write_all(&signed_in(&stage.bytes)).await;
        let _ = stream.flush().await;
        let status = timeout(Duration::from_secs(20), status(&mut stream)).await.expect("an answer in time");
        let seen = self.seen.lock().unwrap().pop().unwrap_or_default();
        let fault = stage.judge(&Seen { status, ..seen })?;
        let status = status.map_or("no answer".to_owned(), |s| s.to_string());
        let sent = String::from_utf8_lossy(&stage.bytes[..stage.bytes.len().min(240)]).escape_debug().to_string();
        Some(format!("{}\n  answered {status} to {sent}", fault.trim_end()))
    }
}

/// Reads an answer to its end; its status.
async fn status(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<u16> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        let ended = match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => true,
            Ok(n) => {
                bytes.extend_from_slice(&chunk[..n]);
                false
            }
        };
        if let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            let chunked = text.contains("transfer-encoding: chunked");
            let whole = match length {
                Some(length) => bytes.len() >= head + 4 + length,
                None => chunked && bytes.ends_with(b"0\r\n\r\n"),
            };
            if whole || ended {
                return text.split(' ').nth(1)?.get(..3)?.parse().ok();
            }
        }
        if ended {
            return None;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stage_of_the_corpus_holds_through_the_door() {
    let Some(folder) = folder() else { return };
    let scratch = tempfile::tempdir().unwrap();
    prepared(&folder, scratch.path());
    let overrides = Overrides::parse(OVERRIDES).unwrap();
    assert!(overrides.len() <= MOST_OVERRIDES, "{} overrides, at most {MOST_OVERRIDES}", overrides.len());
    let stages = Arc::new(stages(&folder));
    assert!(stages.len() >= 4_972, "only {} stages were found", stages.len());
    let names: HashSet<&str> = stages.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names.len(), stages.len(), "two stages have one name");
    let origin = backend().await;
    let mut lanes = Vec::new();
    for lane in 0..LANES {
        let (rules, origin, stages) = (scratch.path().to_owned(), origin.clone(), stages.clone());
        lanes.push(tokio::spawn(async move {
            let door = Lane::open(&rules, &origin).await;
            let mut out = Vec::new();
            for at in (lane..stages.len()).step_by(LANES) {
                out.push((at, door.carry_out(&stages[at]).await));
            }
            out
        }));
    }
    let mut faults = Vec::new();
    for lane in lanes {
        faults.extend(lane.await.unwrap());
    }
    faults.sort_by_key(|(at, _)| *at);
    let mut report = Report::default();
    for (at, fault) in faults {
        report.add(&stages[at].name, fault, &overrides);
    }
    assert!(report.failed.is_empty(), "{report}");
    assert_eq!(report.overridden.len(), overrides.len(), "an override names no stage");
}
