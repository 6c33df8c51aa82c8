//! Sealing 64 KiB as the vault does it, against bare AES-256-GCM of the same library and against `openssl speed`.

use std::{hint::black_box, process::Command, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sekisho_kernel::{SystemClock, SystemRng};
use sekisho_keys::{HEADER, Keys, MIGRATION, OVERHEAD, Place, RootFile, RootSource, TenantKeys};
use sekisho_store::{Store, StoreConfig};

use crate::{
    machine,
    table::{Row, in_turns, rate},
};

const SIZE: usize = 64 * 1024;
const TIMES: u32 = 4_000;

pub fn measure() -> Vec<Row> {
    machine::on_core(0);
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let place = Place { table: "file", id: [7; 16], version: 1 };
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).unwrap());
    let mut ours = vec![0u8; HEADER + SIZE];
    ours.reserve(OVERHEAD);
    let mut theirs = ours.clone();
    let gigabytes = |a_second: f64| a_second * SIZE as f64 / 1e9;
    let (ours, theirs, ratio) = in_turns(
        9,
        || {
            rate(TIMES, || {
                ours.truncate(HEADER + SIZE);
                keys.seal_in_place(place, &mut ours).unwrap();
            })
        },
        || {
            rate(TIMES, || {
                let nonce = Nonce::assume_unique_for_key([1; 12]);
                let tag = bare.seal_in_place_separate_tag(nonce, Aad::from([0; 60]), &mut theirs[HEADER..]).unwrap();
                drop(black_box(tag));
            })
        },
    );
    let openssl = openssl();
    machine::anywhere();
    let ours_said = format!("{:.1} GB/s", gigabytes(ours));
    vec![
        Row {
            what: "sealing 64 KiB, one core",
            ours: ours_said.clone(),
            against: format!("bare aws-lc-rs {:.1} GB/s", gigabytes(theirs)),
            result: format!("{ratio:.2} ×"),
            bar: "≥ 0.8 ×",
        },
        Row {
            what: "sealing 64 KiB, one core",
            ours: ours_said,
            against: format!("`openssl speed -evp aes-256-gcm` {:.1} GB/s", openssl / 1e9),
            result: format!("{:.2} ×", gigabytes(ours) * 1e9 / openssl),
            bar: "",
        },
    ]
}

fn keys(dir: &std::path::Path) -> TenantKeys {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Store::open(StoreConfig::sqlite(dir.join("data")), &[MIGRATION]).unwrap();
    let root = dir.join("root.key");
    RootFile::create(&root, &SystemRng).unwrap();
    runtime.block_on(async {
        let opened = Keys::open(store, RootSource::File(root), Arc::new(SystemClock), Arc::new(SystemRng));
        opened.await.unwrap().platform().await.unwrap()
    })
}

/// Bytes per second.
fn openssl() -> f64 {
    let mut command = Command::new("openssl");
    command.args(["speed", "-mr", "-seconds", "2", "-bytes", "65536", "-evp", "aes-256-gcm"]);
    let output = command.output().expect("openssl runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // +F:number:name:bytes per second
    let line = text.lines().find(|l| l.starts_with("+F:")).unwrap_or_else(|| panic!("{text}"));
    line.rsplit(':').next().unwrap().parse().unwrap()
}
