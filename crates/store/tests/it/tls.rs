//! PostgreSQL by TLS: only with the right authority and the right name.

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use sekisho_kernel::Secret;
use sekisho_store::{Store, StoreConfig, StoreError, postgres_script};
use sekisho_testkit::{Cluster, pg};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority")
}

#[tokio::test]
async fn the_server_must_show_a_certificate_of_the_named_authority_for_the_named_host() {
    if pg().is_none() {
        return;
    }
    let (ours, other) = (authority(), authority());
    let key = KeyPair::generate().expect("key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let server = server.signed_by(&key, &ours).expect("certificate");
    let dir = tempfile::tempdir().expect("directory");
    let (ca, wrong) = (dir.path().join("ca.pem"), dir.path().join("wrong.pem"));
    std::fs::write(&ca, ours.pem()).expect("write");
    std::fs::write(&wrong, other.pem()).expect("write");
    let (cluster, port) = Cluster::start_tls(&server.pem(), &key.serialize_pem()).expect("cluster");

    let role = "CREATE ROLE svc LOGIN; GRANT ALL ON SCHEMA public TO svc";
    postgres_script(cluster.address(), role).expect("a role that serves");
    let open = |host: &str, ca: &std::path::Path| {
        let address = Secret::new(format!("host={host} port={port} user=svc dbname=postgres"));
        Store::open(StoreConfig::postgres(address, None).ca(ca).readers(1).writers(1), &[])
    };
    let store = open("localhost", &ca).expect("trusted");
    let row = store.read(|db| db.query_opt("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[])).await;
    assert!(row.expect("read").expect("row").flag(0).expect("flag"));
    for (host, ca) in [("localhost", &wrong), ("127.0.0.1", &ca), ("localhost", &dir.path().join("missing"))] {
        let refused = open(host, ca).err();
        assert!(matches!(refused, Some(StoreError::Config(_))), "{host}: {refused:?}");
    }
}
