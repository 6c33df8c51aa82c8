//! Applications with bad manners, and applications behind TLS.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use sekisho_gateway::{PolicyEgress, settings};
use sekisho_kernel::{
    egress::{Egress, Purpose},
    policy::Value,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    client::{empty, full, signed, text},
    fakes::{APP, FakeGates},
    house::{House, policy},
};

async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(seen).ok()
}

/// Answers each connection's requests with `answers`, in turn, then closes it.
async fn scripted(answers: &'static [&'static str]) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                for answer in answers {
                    if head(&mut stream).await.is_none() {
                        return;
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (origin, asked)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced() {
    let (origin, _) = scripted(&[OK]).await;
    let house = House::before(&origin).await;
    for _ in 0..5 {
        let answer = house.send(APP, signed("POST", APP, "/").body(full("x")).unwrap()).await;
        assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    let (origin, asked) = scripted(&[OK, ""]).await;
    let house = House::before(&origin).await;
    let mut client = house.h1(APP).await;
    let statuses: [u16; 2] = [200, 502];
    for status in statuses {
        let answer = client.send_request(signed("POST", APP, "/").body(empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
        text(answer).await;
        client.ready().await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn answers_that_are_not_http_or_break_off() {
    for (answer, status) in [
        ("SSH-2.0-OpenSSH\r\n\r\n", 502),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 502),
        ("HTTP/1.1 200 OK\r\nContent Length: 5\r\n\r\nhello", 502),
    ] {
        let (origin, _) = scripted(Box::leak(Box::new([answer]))).await;
        let house = House::before(&origin).await;
        assert_eq!(house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await.status(), status, "{answer}");
    }
    let (origin, _) = scripted(&["HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"]).await;
    let house = House::before(&origin).await;
    let mut client = house.h1(APP).await;
    let whole = match client.send_request(signed("GET", APP, "/").body(empty()).unwrap()).await {
        Ok(answer) => http_body_util::BodyExt::collect(answer.into_body()).await.is_ok(),
        Err(_) => false,
    };
    assert!(!whole, "half an answer is no answer");
    let (origin, _) = scripted(&["HTTP/1.0 200 OK\r\n\r\nuntil the end"]).await;
    let house = House::before(&origin).await;
    let answer = house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await;
    assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (200, "until the end"));
}

#[tokio::test]
async fn only_what_the_policy_lists_is_connected_to() {
    let (one, _) = scripted(&[OK]).await;
    let (two, _) = scripted(&[OK]).await;
    let (sender, receiver) = watch::channel(policy(&one, &[]));
    let egress = PolicyEgress::new(receiver);
    let authority = |origin: &str| origin.strip_prefix("http://").unwrap().to_owned();
    assert!(egress.connect(Purpose::Upstream, &authority(&one)).await.is_ok());
    let refused = egress.connect(Purpose::Upstream, &authority(&two)).await.err().unwrap();
    assert_eq!(refused.kind.code, "SK-5014");
    sender.send_replace(policy(&two, &[]));
    assert!(egress.connect(Purpose::Upstream, &authority(&one)).await.is_err());
    assert!(egress.connect(Purpose::Upstream, &authority(&two)).await.is_ok());
}

#[tokio::test]
async fn a_request_with_two_lengths_ends_where_its_chunks_end() {
    let application = crate::upstream::Application::start().await;
    for both in ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3"] {
        let house = House::before(&application.origin).await;
        let mut raw = house.tls(APP, "http/1.1").await.unwrap();
        let session = format!("Host: {APP}\r\nCookie: __Host-sekisho={}", crate::house::TOKEN);
        let hidden = format!("GET /hidden HTTP/1.1\r\n{session}\r\nConnection: close\r\n\r\n");
        let request = format!("POST /first HTTP/1.1\r\n{session}\r\n{both}\r\n\r\n0\r\n\r\n{hidden}");
        raw.write_all(request.as_bytes()).await.unwrap();
        let mut said = String::new();
        let _ = raw.read_to_string(&mut said).await;
        assert!(said.contains("\"uri\":\"/first\"") && said.contains("\"length\":0"), "{said}");
        let hidden = said.contains("/hidden");
        let entered = house.entered().contains(&("door.pass", "/hidden".to_owned()));
        assert_eq!(hidden, entered, "what follows is a request of its own, seen by every phase, or not looked at");
    }
}

#[tokio::test]
async fn a_change_of_protocol_nobody_asked_for_is_no_answer() {
    let (origin, _) =
        scripted(&["HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"]).await;
    let house = House::before(&origin).await;
    assert_eq!(house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await.status(), 502);
}

/// An application that speaks TLS on loopback, and the PEM of who signed its certificate.
async fn behind_tls() -> (String, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                while head(&mut stream).await.is_some() {
                    if stream.write_all(OK.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (origin, authority.pem())
}

#[tokio::test]
async fn an_https_application_must_show_a_certificate_of_its_authority() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        (&settings::UPSTREAM_CA, Value::Str(path.display().to_string()))
    };
    let (origin, right) = behind_tls().await;
    let (_, wrong) = behind_tls().await;
    for (ca, status) in [(file("right", &right), 200), (file("wrong", &wrong), 502)] {
        let house = House::with(policy(&origin, &[ca]), FakeGates::default()).await;
        let answer = house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await;
        assert_eq!(answer.status(), status);
    }
    for more in [vec![], vec![file("empty", "")]] {
        assert_eq!(crate::house::refused(policy(&origin, &more)).await, "SK-5018");
    }
    assert_eq!(crate::house::refused(policy("http://a/path", &[])).await, "SK-5018");
}
