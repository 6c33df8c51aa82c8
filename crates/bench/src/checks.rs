//! What the checks of a signed-in request add to it: the host's tenant, its address rules, the session, and the right.

use std::time::Instant;

use sekisho_kernel::{
    Actor, Right, Target,
    access::AccessQuestion,
    gate::Decision,
    hook::{Directory, Sessions},
};

use crate::{
    house::{self, House},
    table::Row,
};

const TIMES: usize = 200_000;

pub fn measure() -> Vec<Row> {
    let runtime = house::runtime();
    let dir = tempfile::tempdir_in("target").unwrap();
    let mut spans = runtime.block_on(async {
        let house = House::open(&dir.path().join("data"), house::policy(&[])).await;
        let tenant = house.tenant("acme").await;
        let (_, passage) = house.sign_in(&tenant).await;
        let token = house.enter(&tenant, &passage).await;
        let mut knock = house.knock(&tenant.app).await;
        let mut spans = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let start = Instant::now();
            let host = house.identity.host(&tenant.app).await.unwrap().unwrap();
            knock.policy = house.identity.effective(host.tenant).await.unwrap();
            let lists = house.identity.addresses(host.tenant).await.unwrap();
            assert!(matches!(house.gates.address(&lists, knock.peer), Decision::Allow));
            let passage = house.identity.resolve(&knock, &token).await.unwrap();
            let Actor::User { rights, .. } = &passage.cx.actor else { panic!("a person signed in") };
            let question = AccessQuestion {
                tenant: passage.cx.tenant,
                view: rights.clone(),
                right: Right::APPLICATION_USE,
                target: Target::site(host.tenant, None),
            };
            assert!(matches!(house.gates.access(&question), Decision::Allow));
            spans.push(start.elapsed().as_secs_f64() * 1e6);
        }
        spans
    });
    spans.sort_by(f64::total_cmp);
    let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    vec![Row {
        what: "latency added by the checks of tenant, address, session and right",
        ours: format!("p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs", at(0.5), at(0.99), at(0.999)),
        against: format!("{TIMES} requests of one session"),
        result: format!("p99 {:.1} µs", at(0.99)),
        bar: "p99 ≤ 50 µs",
    }]
}
