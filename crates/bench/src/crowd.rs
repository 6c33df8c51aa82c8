//! A house full of tenants: what an idle instance holds in memory, and how long a tenant waits for its first page,
//! against a house with one tenant.

use std::{fs, path::Path, time::Duration, time::Instant};

use sekisho_identity::types::NewUser;
use sekisho_kernel::{Clock, SystemClock, access::UserType};

use crate::{
    house::{self, House},
    served::{Served, page},
    table::{Row, count, median},
};

const TENANTS: usize = 1_000;
const USERS_EACH: usize = 100;
/// Tenants worked on at a time while the house is filled.
const AT_ONCE: usize = 16;
/// Restarts, each with one tenant's first page.
const RESTARTS: usize = 9;
/// Pages asked for over a kept connection.
const WARM: usize = 200;
/// Upstream of nobody: the pages are our own.
const NOBODY: &str = "http://127.0.0.1:9";

/// A tenant's console host and its administrator's token.
type Way = (String, String);

pub fn measure() -> Vec<Row> {
    let dir = tempfile::tempdir_in("target").unwrap();
    let (full, single) = (dir.path().join("full"), dir.path().join("single"));
    let begun = SystemClock.now();
    let many = fill(&full, TENANTS);
    let one = fill(&single, 1);
    println!("filled in {:?}", SystemClock.now().since(begun));
    let memory = {
        let served = Served::start(&full, NOBODY, None, "");
        std::thread::sleep(Duration::from_secs(15));
        megabytes(served.pid())
    };
    let (mut first, mut warm) = (Vec::new(), Vec::new());
    for n in 0..RESTARTS {
        let crowded = Served::start(&full, NOBODY, None, "");
        let alone = Served::start(&single, NOBODY, None, "");
        let way = &many[n * 97 % many.len()];
        first.push((first_page(&crowded, way), first_page(&alone, &one[0])));
        warm.extend(pages(&crowded, way, &alone, &one[0]));
    }
    let row = |what, pairs: &[(f64, f64)], bar| {
        let (many, one) = (median(pairs.iter().map(|p| p.0).collect()), median(pairs.iter().map(|p| p.1).collect()));
        Row {
            what,
            ours: format!("{:.2} ms with {} tenants", many * 1e3, count(TENANTS as f64)),
            against: format!("{:.2} ms with 1", one * 1e3),
            result: format!("{:.2} ×", many / one),
            bar,
        }
    };
    vec![
        Row {
            what: "idle memory (resident)",
            ours: format!("{memory:.0} MB"),
            against: format!("{} tenants, {} users", count(TENANTS as f64), count((TENANTS * USERS_EACH) as f64)),
            result: format!("{memory:.0} MB"),
            bar: "≤ 80 MB",
        },
        row("a tenant's first page after a start, connection and certificate included", &first, "≤ 1.2 ×"),
        row("a tenant's page over a kept connection", &warm, "≤ 1.2 ×"),
    ]
}

fn fill(data: &Path, tenants: usize) -> Vec<Way> {
    house::runtime().block_on(async {
        let house = House::open(data, house::policy(&[])).await;
        let mut ways = Vec::new();
        let mut next = 0;
        while next < tenants {
            let upto = (next + AT_ONCE).min(tenants);
            let working: Vec<_> = (next..upto).map(|n| tokio::spawn(tenant(house.clone(), n))).collect();
            for worked in working {
                ways.push(worked.await.unwrap());
            }
            next = upto;
        }
        house.vault.sequence(&house.effective()).await.unwrap();
        house.vault.checkpoint().await.unwrap();
        house.store.close();
        ways
    })
}

async fn tenant(house: House, n: usize) -> Way {
    let tenant = house.tenant(&format!("t{n}")).await;
    let (signed, passage) = house.sign_in(&tenant).await;
    for user in 0..USERS_EACH {
        let new = NewUser {
            name: format!("user-{user}"),
            display_name: Some(format!("山田 太郎 {user}")),
            mail: Some(format!("user-{user}@t{n}.example")),
            kind: UserType::User,
            site: None,
            password: None,
            service: false,
        };
        house.identity.create_user(&passage.cx, new).await.unwrap();
    }
    (tenant.console, signed.token.reveal().clone())
}

/// Resident memory of a process, in millions of bytes.
fn megabytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}

fn first_page(served: &Served, (host, token): &Way) -> f64 {
    house::runtime().block_on(async {
        let client = served.client();
        let start = Instant::now();
        page(&client, host, "/", token, None).await;
        start.elapsed().as_secs_f64()
    })
}

fn pages(crowded: &Served, many: &Way, alone: &Served, one: &Way) -> Vec<(f64, f64)> {
    house::runtime().block_on(async {
        let (crowded, alone) = (crowded.client(), alone.client());
        let mut spans = Vec::new();
        for _ in 0..WARM / RESTARTS {
            let start = Instant::now();
            page(&crowded, &many.0, "/users", &many.1, Some(1)).await;
            let middle = Instant::now();
            page(&alone, &one.0, "/users", &one.1, Some(1)).await;
            spans.push(((middle - start).as_secs_f64(), middle.elapsed().as_secs_f64()));
        }
        spans
    })
}
