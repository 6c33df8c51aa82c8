use std::os::unix::fs::PermissionsExt;

use sekisho_kernel::{SystemRng, id::TenantId};
use sekisho_keys::{Purpose, RootFile, RootSource, problem as p};

use crate::{PLACE, each, secret};

#[tokio::test]
async fn a_file_that_others_may_read_is_refused() {
    each(|house| async move {
        let path = house.dir.path().join("root.key");
        for mode in [0o640, 0o604, 0o620, 0o601] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("chmod");
            let refused = house.open(house.root()).await.err().expect("refused");
            assert!(refused.is(&p::ROOT_EXPOSED), "{mode:o}");
            assert_eq!(refused.place.as_deref(), path.to_str());
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
        house.keys().await;
    })
    .await;
}

#[tokio::test]
async fn another_root_key_does_not_open_the_store() {
    each(|house| async move {
        house.keys().await;
        let other = house.dir.path().join("other.key");
        RootFile::create(&other, &SystemRng).expect("a key");
        assert!(house.open(RootSource::File(other)).await.err().expect("refused").is(&p::ROOT_WRONG));
        let kind = house.open(RootSource::Passphrase(secret("関所"))).await.err().expect("refused");
        assert!(kind.is(&p::ROOT_KIND));
        let missing = RootSource::File(house.dir.path().join("none.key"));
        assert!(house.open(missing).await.err().expect("refused").is(&p::ROOT_MISSING));
    })
    .await;
}

#[tokio::test]
async fn the_recovery_sheet_brings_the_key_back() {
    each(|house| async move {
        let keys = house.keys().await;
        let sealed = keys.platform().await.expect("keys").seal(PLACE, b"note").expect("sealed");
        let path = house.dir.path().join("root.key");
        let sheet = RootFile::load(&path).expect("loaded").sheet();
        let taken = RootFile::restore(&path, &sheet).err().expect("an existing key is never overwritten");
        assert!(taken.is(&p::ROOT_EXISTS));
        std::fs::remove_file(&path).expect("removed");
        let typo = secret(&sheet.reveal().replacen(|c: char| c.is_ascii_digit(), "x", 1));
        assert!(RootFile::restore(&path, &typo).err().expect("refused").is(&p::ROOT_MALFORMED));
        let first = sheet.reveal().chars().next().expect("a digit");
        let wrong = secret(&sheet.reveal().replacen(first, if first == '1' { "2" } else { "1" }, 1));
        assert_eq!(RootFile::restore(&path, &wrong).err().expect("refused").place.as_deref(), Some("check digits"));
        RootFile::restore(&path, &secret(&sheet.reveal().replace('-', " ").to_uppercase())).expect("restored");
        let keys = house.keys().await;
        assert_eq!(keys.platform().await.expect("keys").open(PLACE, sealed).expect("opened"), b"note");
    })
    .await;
}

#[tokio::test]
async fn malformed_files_are_refused() {
    each(|house| async move {
        let path = house.dir.path().join("bad.key");
        let good = std::fs::read_to_string(house.dir.path().join("root.key")).expect("text");
        for text in
            ["", "hello\n", &good[..good.len() - 8], &format!("{good}more\n"), &good.replace("version 1", "version 2")]
        {
            std::fs::write(&path, text).expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
            assert!(RootFile::load(&path).err().expect("refused").is(&p::ROOT_MALFORMED), "{text:?}");
        }
        assert!(RootFile::load(house.dir.path()).err().expect("a directory is refused").is(&p::ROOT_MALFORMED));
    })
    .await;
}

#[tokio::test]
async fn a_passphrase_opens_again_and_another_does_not() {
    each(|house| async move {
        let words = || RootSource::Passphrase(secret("箱根 新居 木曽福島 碓氷"));
        let keys = house.open(words()).await.expect("keys");
        let sealed = keys.platform().await.expect("keys").seal(PLACE, b"note").expect("sealed");
        let again = house.open(words()).await.expect("keys");
        assert_eq!(again.platform().await.expect("keys").open(PLACE, sealed).expect("opened"), b"note");
        let wrong = house.open(RootSource::Passphrase(secret("箱根 新居"))).await.err().expect("refused");
        assert!(wrong.is(&p::ROOT_WRONG));
    })
    .await;
}

#[tokio::test]
async fn the_root_can_be_rotated() {
    each(|house| async move {
        let keys = house.keys().await;
        let tenant = house.tenant(&keys).await;
        let sealed = keys.ready(tenant).await.expect("keys").seal(PLACE, b"note").expect("sealed");
        let public = keys.signer(Purpose::Evidence).expect("signer").public();
        let path = house.dir.path().join("new.key");
        RootFile::create(&path, &SystemRng).expect("a key");
        keys.rotate_root(RootSource::File(path.clone())).await.expect("rotated");
        house.tenant(&keys).await;
        assert!(house.open(house.root()).await.err().expect("refused").is(&p::ROOT_WRONG));
        let keys = house.open(RootSource::File(path)).await.expect("keys");
        assert_eq!(keys.ready(tenant).await.expect("keys").open(PLACE, sealed).expect("opened"), b"note");
        assert_eq!(keys.signer(Purpose::Evidence).expect("signer").public(), public);
        keys.ready(TenantId::NIL).await.expect("the platform's keys");
    })
    .await;
}
