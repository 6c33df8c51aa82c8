//! Ordinary weeks of many people, none of whom is ever challenged; and what strangers come to in the same world.

use std::{net::IpAddr, time::Duration};

use sekisho_controls::Gates;
use sekisho_identity::risk::{Facts, Held, Known, Level, Origin, Place, Spot, judge};
use sekisho_kernel::{
    Effective, Time,
    gate::{AdaptiveRule, Gates as _, RiskAction},
};

use crate::house::defaults;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// SplitMix64: every person is their seed.
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A network somebody uses: some addresses of it, its provider, and where a database says it is.
#[derive(Clone, Copy)]
struct Net {
    base: u32,
    /// How many /24s the provider hands out here, any at any time.
    spread: u64,
    /// The one of the moment, where it changes only now and then.
    third: u32,
    system: u32,
    lat: f64,
    lon: f64,
    radius: u16,
}

impl Net {
    fn new(seed: &mut Seed, (lat, lon): (f64, f64), spread: u64, system: u32, radius: u16) -> Self {
        let base = u32::try_from(0x0100_0000 + seed.below(0xdf00_0000)).unwrap() & 0xffff_0000;
        Self { base, spread, third: 0, system, lat, lon, radius }
    }
    /// An address of the moment, and what a database knows of it; `None` where there is no database.
    fn origin(&self, seed: &mut Seed, database: bool) -> Origin {
        let third = self.third + u32::try_from(seed.below(self.spread)).unwrap();
        let host = u32::try_from(1 + seed.below(250)).unwrap();
        let peer = IpAddr::from((self.base + (third << 8) + host).to_be_bytes());
        // The database is off, within what it says it may be off by.
        let off = f64::from(self.radius) / 111.0;
        let jitter = |seed: &mut Seed| {
            #[expect(clippy::cast_precision_loss, reason = "a thousandth")]
            let share = seed.below(1_000) as f64 / 1_000.0 - 0.5;
            share * off
        };
        let spot = Spot::new(self.lat + jitter(seed), self.lon + jitter(seed), self.radius);
        let place = if database { Place { spot, system: Some(self.system) } } else { Place::default() };
        Origin::of(peer, &place)
    }
}

struct Person {
    known: Known,
    held: Held,
    now: Time,
    seed: Seed,
    database: bool,
    rule: AdaptiveRule,
}

/// Towns of one country, an hour or more apart.
const TOWNS: [(f64, f64); 6] =
    [(35.68, 139.69), (34.69, 135.50), (43.06, 141.35), (33.59, 130.40), (38.27, 140.87), (35.18, 136.91)];

impl Person {
    /// A sign-in with the right password, with a browser that may be known; what it came to.
    fn sign_in(&mut self, device: Option<&str>, net: &Net, fresh: &str) -> RiskAction {
        let origin = net.origin(&mut self.seed, self.database);
        // A slip now and then, and colleagues behind the same address who slip too.
        let slips = u32::try_from(self.seed.below(3)).unwrap();
        let colleagues = u32::try_from(self.seed.below(5)).unwrap();
        let facts = Facts {
            account_tries: slips,
            address_tries: slips + colleagues * 2,
            names: colleagues,
            ..self.known.facts(device, &origin, self.now)
        };
        let verdict = judge(&self.rule, &facts, self.held.at(self.now));
        if verdict.action == RiskAction::Allow {
            self.known.learn(Some(device.unwrap_or(fresh)), &origin, self.now);
            self.held = Held::default();
        } else {
            self.held = Held::after(&self.rule, &verdict, self.now);
        }
        verdict.action
    }
    fn pass(&mut self, seconds: u64) {
        let more = self.seed.below(seconds / 4 + 1);
        self.now = self.now.plus(Duration::from_secs(seconds + more));
    }
}

/// A year's start, then a week; each challenge of the week, said.
fn week(seed: u64, rule: &AdaptiveRule, database: bool) -> Vec<String> {
    let mut s = Seed(seed);
    let town = TOWNS[usize::try_from(s.below(6)).unwrap()];
    let near = (town.0 + 0.15, town.1 - 0.2);
    let system = 64_000 + u32::try_from(s.below(200)).unwrap();
    let office = Net::new(&mut s, town, 1, system, 20);
    // A home line changes its network now and then; a telephone comes out wherever its provider has room.
    let mut home = Net::new(&mut s, near, 1, system + 1_000, 50);
    let carrier = Net::new(&mut s, TOWNS[0], 200, system + 2_000, 500);
    let vpn = Net::new(&mut s, (47.61, -122.33), 2, system + 3_000, 50);
    let uses_vpn = s.one_in(5);
    let mut p = Person {
        known: Known::default(),
        held: Held::default(),
        now: Time::from_secs(1_800_000_000),
        seed: s,
        database,
        rule: rule.clone(),
    };
    let mut said = Vec::new();
    let mut note = |what: &str, action: RiskAction| {
        if action != RiskAction::Allow {
            said.push(format!("seed {seed}, database {database}: {what}: {}", action.name()));
        }
    };
    // The first day: laptop and telephone are set up at the office, one after the other.
    note("first ever", p.sign_in(None, &office, "laptop"));
    p.pass(HOUR);
    note("telephone set up", p.sign_in(None, &office, "phone"));
    p.pass(8 * HOUR);
    note("home the first time", p.sign_in(Some("laptop"), &home, ""));
    p.pass(HOUR);
    note("telephone at home", p.sign_in(Some("phone"), &home, ""));
    p.pass(9 * HOUR);
    note("telephone on the way", p.sign_in(Some("phone"), &carrier, ""));
    if uses_vpn {
        // The only thing that is strange, and once: the tunnel's far end is known from then on.
        p.pass(HOUR);
        let origin = vpn.origin(&mut p.seed, p.database);
        let now = p.now;
        p.known.learn(Some("laptop"), &origin, now);
    }
    let mut laptop = String::from("laptop");
    for day in 0..7 {
        p.pass(10 * HOUR);
        if day < 5 {
            if p.seed.one_in(2) {
                note("telephone on the train", p.sign_in(Some("phone"), &carrier, ""));
                p.pass(HOUR / 2);
            }
            note("laptop at the office", p.sign_in(Some(&laptop), &office, ""));
            p.pass(4 * HOUR);
            if uses_vpn && p.seed.one_in(2) {
                note("through the tunnel", p.sign_in(Some(&laptop), &vpn, ""));
                p.pass(HOUR / 6);
                note("and without it", p.sign_in(Some(&laptop), &office, ""));
            }
            if p.seed.one_in(3) {
                let cafe = Net::new(&mut p.seed, near, 1, 70_000 + day, 50);
                note("laptop in a café", p.sign_in(Some(&laptop), &cafe, ""));
                p.pass(HOUR);
            }
            p.pass(HOUR);
            if p.seed.one_in(20) {
                home.third += 1;
            }
            note("laptop at home", p.sign_in(Some(&laptop), &home, ""));
        } else if p.seed.one_in(3) {
            // A trip: by train or air, as long as it takes, and a hotel.
            let to = TOWNS[usize::try_from(p.seed.below(6)).unwrap()];
            let hotel = Net::new(&mut p.seed, to, 1, 71_000 + day, 20);
            p.pass(5 * HOUR);
            note("laptop in a hotel", p.sign_in(Some(&laptop), &hotel, ""));
            p.pass(HOUR);
            note("telephone there", p.sign_in(Some("phone"), &carrier, ""));
            p.pass(8 * HOUR);
        } else {
            note("telephone at the weekend", p.sign_in(Some("phone"), &carrier, ""));
        }
        if p.seed.one_in(7) {
            // Cookies cleared, or a browser installed anew: at home or at the office.
            laptop = format!("laptop{day}");
            p.pass(5 * HOUR);
            let net = if p.seed.one_in(2) { &home } else { &office };
            note("a fresh browser in a known network", p.sign_in(None, net, &laptop));
        }
    }
    said
}

fn rule() -> AdaptiveRule {
    Gates::whole().adaptive(&Effective::platform(std::sync::Arc::new(defaults())))
}

#[test]
fn in_thousands_of_ordinary_weeks_nobody_is_challenged() {
    let rule = rule();
    let challenged: Vec<String> = (0..6_000).flat_map(|seed| week(seed, &rule, seed % 2 == 0)).take(20).collect();
    assert!(challenged.is_empty(), "{challenged:#?}");
}

/// That nobody is challenged says something only where strangers are, in the same world.
#[test]
fn strangers_with_the_right_password_are_always_challenged() {
    let rule = rule();
    for seed in 0..2_000 {
        let mut s = Seed(seed);
        let database = seed % 2 == 0;
        let home = Net::new(&mut s, TOWNS[0], 1, 64_000, 20);
        let abroad = Net::new(&mut s, (52.52, 13.40), 1, 80_000, 20);
        let held = Held::default();
        let mut p = Person {
            known: Known::default(),
            held,
            now: Time::from_secs(1_800_000_000),
            seed: s,
            database,
            rule: rule.clone(),
        };
        p.sign_in(None, &home, "laptop");
        p.pass(HOUR);
        let origin = abroad.origin(&mut p.seed, database);
        let facts = p.known.facts(None, &origin, p.now);
        let verdict = judge(&rule, &facts, Level::Low);
        let wanted = if database { RiskAction::Block } else { RiskAction::StepUp };
        assert_eq!(verdict.action, wanted, "seed {seed}: {facts:?}");
        // Days later nobody can tell travel from theft, but the browser and the network are still new.
        let late = p.known.facts(None, &origin, p.now.plus(Duration::from_secs(3 * DAY)));
        assert_eq!(judge(&rule, &late, Level::Low).action, RiskAction::StepUp);
    }
}

/// A week in which a setting is tightened too far does challenge people: the generator is no rubber stamp.
#[test]
fn too_tight_a_rule_shows_in_the_same_weeks() {
    let rule = AdaptiveRule { medium_at: 20, ..rule() };
    let challenged = (0..200).filter(|seed| !week(*seed, &rule, false).is_empty()).count();
    assert!(challenged > 100, "{challenged}");
}
