//! Addresses that tenants give: https, outside, the checked address dialled, nothing followed, everything bounded.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sekisho_gateway::{Beyond, PolicyOutside, settings};
use sekisho_kernel::{
    Policy, Schema, Secret, Setting, SystemRng,
    egress::{Incoming, Outgoing, Outside, Stream, Unreached},
    policy::Value,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::house::clock;

/// A world of one server behind every address, with names as a test wants them.
struct World {
    names: HashMap<&'static str, Vec<Vec<&'static str>>>,
    asked: Mutex<usize>,
    dialled: Mutex<Vec<SocketAddr>>,
    /// Host names in the server's certificate, and the year in which it runs out.
    authority: Issuer<'static, KeyPair>,
    pem: String,
    certificate: (&'static str, i32),
    answer: Vec<u8>,
    received: Arc<Mutex<Vec<u8>>>,
}

impl World {
    fn new(answer: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            names: HashMap::from([("idp.example", vec![vec!["198.51.99.7"]])]),
            asked: Mutex::new(0),
            dialled: Mutex::default(),
            authority: Issuer::new(params, key),
            pem,
            certificate: ("idp.example", 2_099),
            answer: answer.as_bytes().to_vec(),
            received: Arc::default(),
        }
    }
    fn named(mut self, addresses: &[&[&'static str]]) -> Self {
        self.names.insert("idp.example", addresses.iter().map(|a| a.to_vec()).collect());
        self
    }
    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![self.certificate.0.to_owned()]).unwrap();
        params.not_after = date_time_ymd(self.certificate.1, 1, 1);
        let leaf = params.signed_by(&key, &self.authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der().clone()], key)
                .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

#[async_trait]
impl Beyond for World {
    async fn addresses(&self, host: &str, _port: u16) -> io::Result<Vec<IpAddr>> {
        let mut asked = self.asked.lock().unwrap();
        let answers = self.names.get(host).ok_or(io::ErrorKind::NotFound)?;
        // A name that says something else each time it is asked.
        let now = answers[(*asked).min(answers.len() - 1)].iter().map(|a| a.parse().unwrap()).collect();
        *asked += 1;
        Ok(now)
    }
    async fn dial(&self, to: SocketAddr) -> io::Result<Pin<Box<dyn Stream>>> {
        self.dialled.lock().unwrap().push(to);
        let (near, far) = tokio::io::duplex(1 << 20);
        let (acceptor, answer, received) = (self.acceptor(), self.answer.clone(), self.received.clone());
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(far).await else { return };
            let mut got = vec![0; 64 * 1024];
            let n = stream.read(&mut got).await.unwrap_or(0);
            received.lock().unwrap().extend_from_slice(&got[..n]);
            if answer.is_empty() {
                // Says nothing, and does not go away either.
                std::future::pending::<()>().await;
            }
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        });
        Ok(Box::pin(near))
    }
    fn resolver(&self) -> Option<SocketAddr> {
        None
    }
    fn authorities(&self) -> io::Result<Vec<u8>> {
        Ok(self.pem.clone().into_bytes())
    }
}

fn outside(world: Arc<World>, more: &[(&'static Setting, Value)]) -> PolicyOutside {
    let mut policy = Policy::defaults(&Schema::new(settings::ALL.iter().copied()));
    for (setting, value) in more {
        policy = policy.with(setting, value.clone());
    }
    let (_, receiver) = watch::channel(Arc::new(policy));
    PolicyOutside::new(receiver, Arc::new(clock()), Arc::new(SystemRng), world)
}

async fn ask(world: &Arc<World>, url: &str) -> Result<Incoming, Unreached> {
    outside(world.clone(), &[]).ask(Outgoing::get(url, 1_000)).await
}

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_public_address_is_asked_with_what_was_to_be_sent() {
    let world = Arc::new(World::new(GOOD));
    let got = ask(&world, "https://idp.example/a?b=c").await.unwrap();
    assert_eq!((got.status, got.kind.as_str(), got.body.as_slice()), (200, "application/json", &b"{}"[..]));
    assert_eq!(*world.dialled.lock().unwrap(), ["198.51.99.7:443".parse().unwrap()]);
    let form = Outgoing {
        url: "https://idp.example:8443/token".into(),
        headers: vec![("authorization", Secret::new("Basic eA==".into()))],
        form: Some(Secret::new("a=b".into())),
        most: 10,
    };
    outside(world.clone(), &[]).ask(form).await.unwrap();
    let received = String::from_utf8(world.received.lock().unwrap().clone()).unwrap();
    for part in [
        "GET /a?b=c HTTP/1.1",
        "host: idp.example\r\n",
        "POST /token HTTP/1.1",
        "host: idp.example:8443",
        "authorization: Basic eA==",
        "\r\n\r\na=b",
    ] {
        assert!(received.contains(part), "{part}: {received}");
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_dialled() {
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["100.64.0.1"],
        &["::ffff:127.0.0.1"],
        &["0.0.0.0"],
        &["198.51.99.7", "192.168.1.1"],
        &["198.51.99.7", "::ffff:10.0.0.1"],
    ] {
        let world = Arc::new(World::new(GOOD).named(&[addresses]));
        assert!(matches!(ask(&world, "https://idp.example/").await, Err(Unreached::Inside(_))), "{addresses:?}");
        assert!(world.dialled.lock().unwrap().is_empty(), "{addresses:?}");
    }
    // Literal addresses in the URL, in every spelling that is one.
    let world = Arc::new(World::new(GOOD));
    for url in ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/", "https://169.254.169.254/latest"] {
        assert!(matches!(ask(&world, url).await, Err(Unreached::Inside(_))), "{url}");
    }
    for url in ["https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://localhost/"] {
        assert!(ask(&world, url).await.is_err(), "{url}");
    }
    for url in
        ["http://idp.example/", "https://user@idp.example/", "https://idp.example:22/", "gopher://idp.example/", ""]
    {
        assert!(matches!(ask(&world, url).await, Err(Unreached::Address(_))), "{url}");
    }
    assert!(world.dialled.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    // Asked a second time, the name would lead inside (DNS rebinding): it is asked once.
    let world = Arc::new(World::new(GOOD).named(&[&["198.51.99.7"], &["127.0.0.1"]]));
    assert!(ask(&world, "https://idp.example/").await.is_ok());
    assert_eq!(*world.asked.lock().unwrap(), 1);
    assert_eq!(*world.dialled.lock().unwrap(), ["198.51.99.7:443".parse().unwrap()]);
}

#[tokio::test]
async fn the_platforms_policy_alone_opens_what_is_inside() {
    let world = Arc::new(World::new(GOOD).named(&[&["10.1.2.3"]]));
    let allow = |text: &str| [(&settings::EGRESS_ALLOW, Value::Networks(vec![text.parse().unwrap()]))];
    let asked = |text: &str| outside(world.clone(), &allow(text));
    assert!(asked("10.1.2.0/24").ask(Outgoing::get("https://idp.example/", 10)).await.is_ok());
    let other = asked("10.1.3.0/24").ask(Outgoing::get("https://idp.example/", 10)).await;
    assert_eq!(other.unwrap_err(), Unreached::Inside("10.1.2.3".parse().unwrap()));
}

#[tokio::test]
async fn a_certificate_must_be_good() {
    for (name, year, said) in [("other.example", 2_099, "NotValidForName"), ("idp.example", 2_020, "Expired")] {
        let mut world = World::new(GOOD);
        world.certificate = (name, year);
        let Err(Unreached::Tls(why)) = ask(&Arc::new(world), "https://idp.example/").await else { panic!("{name}") };
        assert!(why.contains("certificate") || why.contains(said), "{why}");
    }
    // Another world's authority is not trusted.
    let (mut world, other) = (World::new(GOOD), World::new(GOOD));
    world.pem = other.pem;
    assert!(matches!(ask(&Arc::new(world), "https://idp.example/").await, Err(Unreached::Tls(_))));
}

#[tokio::test]
async fn nothing_is_followed_and_everything_has_an_end() {
    let to = "HTTP/1.1 302 Found\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let world = Arc::new(World::new(to));
    let got = ask(&world, "https://idp.example/").await;
    assert_eq!(got.unwrap_err(), Unreached::Redirect("https://169.254.169.254/".into()));
    assert_eq!(world.dialled.lock().unwrap().len(), 1);

    let large = format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{}", "x".repeat(1_001));
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(500_000));
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "3e8\r\n".to_owned() + &"x".repeat(1_000) + "\r\n3e8\r\n" + &"x".repeat(1_000)
    );
    for answer in [large, endless, chunked] {
        assert_eq!(ask(&Arc::new(World::new(&answer)), "https://idp.example/").await.unwrap_err(), Unreached::Large);
    }
    let head = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(50_000));
    for answer in ["no HTTP at all\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", head.as_str()] {
        let got = ask(&Arc::new(World::new(answer)), "https://idp.example/").await;
        assert!(matches!(got, Err(Unreached::Broken(_))), "{got:?}");
    }
    let silent = outside(Arc::new(World::new("")), &[(&settings::EGRESS_TIMEOUT, Value::Span(Duration::from_secs(1)))]);
    assert_eq!(silent.ask(Outgoing::get("https://idp.example/", 10)).await.unwrap_err(), Unreached::Slow);
    let world = Arc::new(World::new(GOOD));
    assert_eq!(ask(&world, "https://elsewhere.example/").await.unwrap_err(), Unreached::Name);
    assert_eq!(outside(world, &[]).txt("a.example").await.unwrap_err(), Unreached::Closed);
}
