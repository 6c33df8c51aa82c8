//! Sign-ins by password, against the bare Argon2id of the same cost, both by the processor time they take on as many
//! threads as there are cores.

use argon2::{Algorithm, Argon2, Params, Version};
use sekisho_identity::types::{Browser, SignInStep};
use sekisho_kernel::Secret;

use crate::{
    house::{self, ADMIN, House, PASSWORD},
    table::{Row, in_turns, process_seconds},
};

const EACH: usize = 40;

pub fn measure() -> Vec<Row> {
    let runtime = house::runtime();
    let cores = std::thread::available_parallelism().unwrap().get();
    let dir = tempfile::tempdir_in("target").unwrap();
    let house = runtime.block_on(House::open(&dir.path().join("data"), house::policy(&[])));
    let mut tenants = Vec::new();
    for n in 0..cores {
        tenants.push(runtime.block_on(house.tenant(&format!("t{n}"))));
    }
    let rule = house.gates.password(&house.effective());
    let params = Params::new(rule.memory_kib, rule.passes, 1, Some(32)).unwrap();
    let (ours, bare, ratio) = in_turns(
        3,
        || {
            let spent = process_seconds(|| {
                runtime.block_on(async {
                    let tasks: Vec<_> = tenants.iter().map(|tenant| house.knock(&tenant.console)).collect();
                    let mut running = Vec::new();
                    for knock in tasks {
                        let (house, knock) = (house.clone(), knock.await);
                        running.push(tokio::spawn(async move {
                            for _ in 0..EACH {
                                let password = Secret::new(PASSWORD.to_owned());
                                let step = house.identity.sign_in(&knock, &Browser::default(), ADMIN, password).await;
                                assert!(matches!(step.unwrap(), SignInStep::SignedIn(_)));
                            }
                        }));
                    }
                    for task in running {
                        task.await.unwrap();
                    }
                });
            });
            (cores * EACH) as f64 / spent
        },
        || {
            let spent = process_seconds(|| {
                std::thread::scope(|scope| {
                    for _ in 0..cores {
                        scope.spawn(|| {
                            let bare = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                            let mut out = [0; 32];
                            for _ in 0..EACH {
                                bare.hash_password_into(PASSWORD.as_bytes(), &[3; 16], &mut out).unwrap();
                            }
                        });
                    }
                });
            });
            (cores * EACH) as f64 / spent
        },
    );
    vec![Row {
        what: "sign-ins by password per second and core",
        ours: format!("{ours:.1} /s"),
        against: format!("bare Argon2id ({} KiB, {} passes) {bare:.1} /s", rule.memory_kib, rule.passes),
        result: format!("{ratio:.2} ×"),
        bar: "≥ 0.9 ×",
    }]
}
