//! The fast way and the plain way say the same.

use crate::{
    crs, ftw,
    inputs::{Random, mutate},
    properties,
    traffic::traffic,
};
use proptest::{prelude::*, test_runner::RngSeed};
use sekisho_waf::{Match, Options, RuleSet, Transaction};
use std::sync::{Arc, LazyLock};

fn plain() -> Options {
    Options { plain: true, ..Options::default() }
}

/// Rule ids with what they matched, scores and the verdict.
fn summary(tx: &Transaction) -> (Vec<(u32, Vec<u8>, usize)>, sekisho_waf::Scores, Option<u32>) {
    let short = |m: &Match| (m.rule, m.data.clone(), m.parts.len());
    (tx.matches().iter().map(short).collect(), tx.scores(), tx.verdict().map(|b| b.rule))
}

#[test]
fn prefilter_and_folding_change_nothing_on_the_whole_corpus() {
    let Some(folder) = crs::folder() else { return };
    let text = crs::corpus_text(&folder);
    let (fast, slow) = (crs::load(&text, &Options::default()), crs::load(&text, &plain()));
    assert!(fast.stats().decided > 100 && slow.stats().decided == 0, "folding is not what is compared");
    for stage in ftw::stages(&folder) {
        let Some(wire) = &stage.request else { continue };
        assert_eq!(summary(&ftw::run(&fast, wire)), summary(&ftw::run(&slow, wire)), "{}", stage.name);
    }
}

#[test]
fn prefilter_and_folding_change_nothing_on_ordinary_traffic_at_each_level() {
    let Some(folder) = crs::folder() else { return };
    let text = crs::ordinary_text(&folder);
    for level in 1..=4 {
        let pins = |plain| Options { plain, ..Options::paranoia(level) };
        let (fast, slow) = (crs::load(&text, &pins(false)), crs::load(&text, &pins(true)));
        for (index, request) in traffic(7 + u64::from(level), 100).iter().enumerate() {
            let wire = request.wire();
            assert_eq!(summary(&ftw::run(&fast, &wire)), summary(&ftw::run(&slow, &wire)), "PL{level} {index}");
        }
    }
}

static BOTH: LazyLock<Option<[Arc<RuleSet>; 2]>> = LazyLock::new(|| {
    let text = crs::corpus_text(&crs::folder()?);
    Some([crs::load(&text, &Options::default()), crs::load(&text, &plain())])
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn prefilter_and_folding_change_nothing_on_made_up_requests(wire in properties::wire()) {
        if let Some([fast, slow]) = BOTH.as_ref() {
            prop_assert_eq!(summary(&ftw::run(fast, &wire)), summary(&ftw::run(slow, &wire)));
        }
    }
}

#[test]
fn prefilter_and_folding_change_nothing_on_mutations_of_the_corpus() {
    let (Some(folder), Some([fast, slow])) = (crs::folder(), BOTH.as_ref()) else { return };
    let mut random = Random(23);
    let requests: Vec<_> = ftw::stages(&folder).into_iter().filter_map(|s| s.request).collect();
    for round in 0..500 {
        let mut request = requests[random.below(requests.len())].clone();
        let part = match random.below(3) {
            0 => &mut request.target,
            1 => &mut request.body,
            _ => {
                let at = random.below(request.headers.len());
                match request.headers.get_mut(at) {
                    Some((_, value)) => value,
                    None => &mut request.target,
                }
            }
        };
        *part = mutate(&mut random, part);
        assert_eq!(summary(&ftw::run(fast, &request)), summary(&ftw::run(slow, &request)), "{round}: {request:?}");
    }
}
