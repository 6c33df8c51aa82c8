//! The local certificate authority's key, sealed under the platform's keys like everything else in the data directory.

use std::path::Path;

use sekisho_gateway::{CertStore, FileCertStore};
use sekisho_kernel::{Problem, Secret, problem::INTERNAL};
use sekisho_keys::{Place, TenantKeys};

const PLACE: Place<'static> = Place { table: "local-authority", id: [0; 16], version: 1 };

const BEGIN_CERTIFICATE: &str = "-----BEGIN CERTIFICATE";

/// The sealed key in `authority.sealed`; beside it `authority.pem`, the certificate alone, for whoever is to trust it. A key
/// that an earlier version left open in `authority.pem` is sealed when it is first read.
pub struct SealedCertStore {
    sealed: FileCertStore,
    certificate: FileCertStore,
    keys: TenantKeys,
}

impl SealedCertStore {
    /// In the data directory, under the platform's `keys`.
    pub fn new(data: &Path, keys: TenantKeys) -> Self {
        Self { sealed: FileCertStore::named(data, "authority.sealed"), certificate: FileCertStore::new(data), keys }
    }
}

impl CertStore for SealedCertStore {
    fn load(&self) -> Result<Option<Secret<String>>, Problem> {
        if let Some(sealed) = self.sealed.load()? {
            let bad = |why: &dyn std::fmt::Display| Problem::new(&INTERNAL).at("authority.sealed").log(why);
            let sealed = hex::decode(sealed.reveal().trim()).map_err(|e| bad(&e))?;
            let opened = self.keys.open(PLACE, sealed)?;
            return String::from_utf8(opened).map(Secret::new).map(Some).map_err(|e| bad(&e));
        }
        let open = self.certificate.load()?.filter(|text| text.reveal().contains("PRIVATE KEY"));
        if let Some(pem) = &open {
            self.save(pem)?;
        }
        Ok(open)
    }
    fn save(&self, pem: &Secret<String>) -> Result<(), Problem> {
        let sealed = self.keys.seal(PLACE, pem.reveal().as_bytes())?;
        self.sealed.save(&Secret::new(hex::encode(sealed)))?;
        let certificate = pem.reveal().find(BEGIN_CERTIFICATE).map_or("", |at| &pem.reveal()[at..]);
        self.certificate.save(&Secret::new(certificate.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sekisho_kernel::{SystemClock, SystemRng};
    use sekisho_keys::{Keys, RootFile, RootSource};
    use sekisho_store::{Store, StoreConfig};

    use super::*;

    #[tokio::test]
    async fn the_authoritys_key_is_sealed_and_an_open_one_becomes_so() {
        let (data, beside) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let root = beside.path().join("root.key");
        RootFile::create(&root, &SystemRng).expect("a root key");
        let store = Store::open(StoreConfig::sqlite(data.path()), &[sekisho_keys::MIGRATION]).expect("a store");
        let keys = Keys::open(store, RootSource::File(root), Arc::new(SystemClock), Arc::new(SystemRng)).await;
        let keys = keys.expect("keys").platform().await.expect("the platform's");
        let certificate = "-----BEGIN CERTIFICATE-----\nMIC\n-----END CERTIFICATE-----\n";
        let pem = format!("-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\n{certificate}");
        let open = |sealed: &SealedCertStore| sealed.load().map(|text| text.map(|t| t.reveal().clone()));

        let sealed = SealedCertStore::new(data.path(), keys);
        assert_eq!(open(&sealed).expect("nothing there"), None);
        FileCertStore::new(data.path()).save(&Secret::new(pem.clone())).expect("as an earlier version left it");
        assert_eq!(open(&sealed).expect("read"), Some(pem.clone()));
        let kept = |name: &str| std::fs::read_to_string(data.path().join(name)).expect("the file");
        assert_eq!(kept("authority.pem"), certificate);
        assert_eq!(open(&sealed).expect("read again"), Some(pem));
        let kept = kept("authority.sealed");
        assert!(!kept.contains("BEGIN") && !kept.contains("MIG"));

        let (last, end) = kept.split_at(kept.len() - 1);
        let other = if end == "0" { "1" } else { "0" };
        std::fs::write(data.path().join("authority.sealed"), format!("{last}{other}")).expect("changed");
        open(&sealed).expect_err("a changed file is refused");
    }
}
