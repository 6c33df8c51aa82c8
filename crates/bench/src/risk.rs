//! What the judgement of a sign-in's risk adds to it: the person's past read and opened, the cookie opened, the counts of
//! address and name, the places and lists, and the judgement itself.

use std::{net::IpAddr, time::Instant};

use sekisho_controls::adaptive;
use sekisho_identity::{
    records::RiskProfile,
    risk::{
        Known, Origin, Place,
        writer::{At, database},
    },
    sql,
    types::Browser,
};
use sekisho_kernel::{Cx, Id, Job, SystemRng, Target, Time, event, hook::Knock, id::UserId, policy::Value, rng};
use sekisho_vault::{Act, Need};

use crate::{
    house::{self, ADMIN, House},
    table::{Row, count},
};

const PEOPLE: usize = 1_000_000;
/// People taken in within one transaction.
const BATCH: usize = 10_000;
/// Failed tries on the books: as many as there may be.
const MARKS: usize = 200_000;
/// Networks on the list.
const LISTED: u32 = 100_000;
const TIMES: usize = 50_000;

pub fn measure() -> Vec<Row> {
    let runtime = house::runtime();
    let dir = tempfile::tempdir_in("target").unwrap();
    let list = dir.path().join("listed.txt");
    let lines: String =
        (0..LISTED).map(|n| format!("{}/24\n", IpAddr::from((0x5000_0000 + (n << 8)).to_be_bytes()))).collect();
    std::fs::write(&list, lines).unwrap();
    let places = dir.path().join("places.mmdb");
    std::fs::write(&places, world()).unwrap();
    let named = |path: &std::path::Path| Value::Str(path.display().to_string());
    let policy = house::policy(&[
        (&adaptive::LOCATION_DB, named(&places)),
        (&adaptive::NETWORK_DB, named(&places)),
        (&adaptive::LISTED_FILE, named(&list)),
    ]);
    let mut spans = runtime.block_on(async {
        let house = House::open(&dir.path().join("data"), policy).await;
        let tenant = house.tenant("acme").await;
        let (signed, _) = house.sign_in(&tenant).await;
        let knock = house.knock(&tenant.console).await;
        let people = fill(&house, &knock).await;
        // A browser that somebody has signed in with: its cookie is opened, and found to be another's.
        let browser = Browser { device: signed.device, ..Browser::default() };
        let mut spans = Vec::with_capacity(TIMES);
        for n in 0..TIMES {
            let user = people[n * 7_919 % people.len()];
            let knock = Knock { peer: peer(n * 104_729), ..knock.clone() };
            let start = Instant::now();
            let judged = house.identity.risk_of(&knock, &browser, user, ADMIN).await.unwrap();
            spans.push(start.elapsed().as_secs_f64() * 1e6);
            let (facts, _) = judged.expect("it is judged");
            assert!(facts.new_device && !facts.first && !facts.blind, "{facts:?}");
        }
        house.store.close();
        spans
    });
    spans.sort_by(f64::total_cmp);
    let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    vec![Row {
        what: "risk decision of a sign-in, from the stored past of its person",
        ours: format!("p50 {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs", at(0.5), at(0.99), at(0.999)),
        against: format!(
            "{} people with a past, {} failed tries and {} networks on the books",
            count(PEOPLE as f64),
            count(MARKS as f64),
            count(f64::from(LISTED))
        ),
        result: format!("p99 {:.0} µs", at(0.99)),
        bar: "p99 ≤ 200 µs",
    }]
}

fn peer(n: usize) -> IpAddr {
    IpAddr::from((0x0100_0000_u32 + (n as u32 % 0x0300_0000)).to_be_bytes())
}

/// A database of 16,384 networks.
fn world() -> Vec<u8> {
    let names: Vec<String> =
        (0..16_384_u32).map(|n| format!("{}/20", IpAddr::from((0x0100_0000 + (n << 12)).to_be_bytes()))).collect();
    let at =
        |n: usize| At { lat: (n % 120) as f64 - 60.0, lon: (n % 360) as f64 - 180.0, radius: 50, system: n as u32 };
    database(&names.iter().enumerate().map(|(n, name)| (name.as_str(), at(n))).collect::<Vec<_>>())
}

/// What is known of one of them: three browsers, six networks, a place.
fn past(n: usize, now: Time) -> RiskProfile {
    let mut known = Known::default();
    for k in 0..6 {
        let place =
            Place { system: Some((n * 31 + k) as u32), spot: sekisho_identity::risk::Spot::new(35.0, 139.0, 50) };
        let device = hex(n * 3 + k % 3);
        known.learn(Some(&device), &Origin::of(peer(n * 977 + k * 65_536), &place), now);
    }
    RiskProfile(known)
}

fn hex(n: usize) -> String {
    format!("{n:032x}")
}

async fn fill(house: &House, knock: &Knock) -> Vec<UserId> {
    let cx = Cx::job(knock.host.tenant, Job::SignIn, knock.policy.clone(), &SystemRng);
    let now = house.vault.now();
    let mut people = Vec::with_capacity(PEOPLE);
    for batch in 0..PEOPLE / BATCH {
        let ids: Vec<UserId> = (0..BATCH).map(|_| Id::new(now, &SystemRng)).collect();
        people.extend_from_slice(&ids);
        let act = Act {
            event: &event::SESSION_SIGN_IN,
            need: Need::Job(Job::SignIn),
            target: Target::tenant(cx.tenant),
            object: "bench".into(),
        };
        house
            .vault
            .act(&cx, act, move |tx, permit| {
                for (k, id) in ids.iter().enumerate() {
                    tx.insert(*id, &past(batch * BATCH + k, now))?;
                }
                tx.commit(permit, sekisho_vault::Entry::default(), ())
            })
            .await
            .unwrap();
    }
    let until = now.plus(std::time::Duration::from_secs(3_600));
    for _ in 0..MARKS / BATCH {
        house
            .vault
            .keep(&house.vault.platform(), move |keeper| {
                for _ in 0..BATCH {
                    let [id, address, name] = [(); 3].map(|()| rng::bytes::<16>(&SystemRng));
                    let row = [id.into(), address.into(), name.into(), until.into(), now.into()];
                    keeper.run(&sql::RISK_MARK, &row)?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }
    people
}
