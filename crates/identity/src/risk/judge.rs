//! What the signs of risk come to: a score, a level, an action, and the reasons. Nothing here reads or writes, so that a
//! past sign-in is judged again exactly as it was.

use sekisho_kernel::{
    Text, Time,
    gate::{AdaptiveMode, AdaptiveRule, RiskAction},
};
use serde::{Deserialize, Serialize};

/// How great the risk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Below the first threshold.
    #[default]
    Low,
    /// From the first threshold.
    Medium,
    /// From the second.
    High,
}

impl Level {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
    /// As it is stored.
    pub(crate) const fn code(self) -> i64 {
        self as i64
    }
    /// From what is stored.
    pub(crate) const fn from_code(code: i64) -> Self {
        match code {
            ..1 => Self::Low,
            1 => Self::Medium,
            _ => Self::High,
        }
    }
    /// Its name for people.
    pub const fn text(self) -> Text {
        match self {
            Self::Low => Text::new("低", "Low"),
            Self::Medium => Text::new("中", "Medium"),
            Self::High => Text::new("高", "High"),
        }
    }
}

/// From the last place to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Travel {
    /// Kilometres, less what both places may be off by.
    #[serde(rename = "k")]
    pub km: u32,
    /// Minutes between the two sign-ins.
    #[serde(rename = "m")]
    pub minutes: u32,
}

/// Nearer than this is no travel: databases of places are not that exact.
const NEAR: u32 = 100;

impl Travel {
    /// Whether nobody travels that fast.
    pub fn impossible(self, speed: u32) -> bool {
        self.km >= NEAR && u64::from(self.km) * 60 > u64::from(speed) * u64::from(self.minutes.max(1))
    }
}

/// What was seen of one sign-in: everything that the judgement looks at, and no address or place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The person's first sign-in: nothing is known of them yet.
    #[serde(rename = "first", skip_serializing_if = "is_false")]
    pub first: bool,
    /// The browser has not signed this person in before.
    #[serde(rename = "device", skip_serializing_if = "is_false")]
    pub new_device: bool,
    /// The network is not one of theirs.
    #[serde(rename = "network", skip_serializing_if = "is_false")]
    pub new_network: bool,
    /// How far from the last place, where both are known and the network is not one of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub travel: Option<Travel>,
    /// Failed tries on this account.
    #[serde(rename = "account", skip_serializing_if = "is_zero")]
    pub account_tries: u32,
    /// Failed tries from this address, on whatever account of whatever organisation.
    #[serde(rename = "address", skip_serializing_if = "is_zero")]
    pub address_tries: u32,
    /// Names tried in vain from this address, this one left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub names: u32,
    /// Whether the address has sprayed of late.
    #[serde(skip_serializing_if = "is_false")]
    pub sprayed: bool,
    /// Whether the address is listed.
    #[serde(skip_serializing_if = "is_false")]
    pub listed: bool,
    /// Whether a database or list that the policy names could not be read.
    #[serde(skip_serializing_if = "is_false")]
    pub blind: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_false(b: &bool) -> bool {
    !*b
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $v:ident $name:literal $ja:literal $en:literal;)*) => {
        /// Why a sign-in was judged as it was.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $v),* }
        impl Reason {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$v),*];
            /// The stable name, as entries hold it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$v => $name),* }
            }
            /// For people.
            pub const fn text(self) -> Text {
                match self { $(Self::$v => Text::new($ja, $en)),* }
            }
        }
    };
}

reasons! {
    /// A browser not seen before.
    NewDevice "new-device" "新しい端末（ブラウザー）" "New device (browser)";
    /// A network not seen before.
    NewNetwork "new-network" "新しいネットワーク" "New network";
    /// Too far in too short a time.
    ImpossibleTravel "impossible-travel" "移動できない距離" "Impossible travel";
    /// Many tries on the account.
    AccountTries "account-tries" "アカウントへの多数の失敗" "Many failed tries on the account";
    /// Many tries from the address.
    AddressTries "address-tries" "接続元からの多数の失敗" "Many failed tries from the address";
    /// Many names from the address.
    Spraying "spraying" "多数のアカウントへの試行（スプレー）" "Many accounts tried (spraying)";
    /// A listed address.
    Listed "listed-address" "登録済みの危険なアドレス" "Listed address";
    /// A source of data cannot be read.
    NoLocation "location-unavailable" "位置データベースを読み取れない" "Location data cannot be read";
    /// A level that was reached a moment ago.
    Held "recent-risk" "直前の不審なサインイン" "A risky sign-in a moment ago";
}

impl Reason {
    /// By its stable name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.name() == name)
    }
}

/// What it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Sum of the points.
    pub score: u32,
    /// The level.
    pub level: Level,
    /// What is to be done; [`RiskAction::Allow`] while the rule only watches.
    pub action: RiskAction,
    /// What would be done if the rule did not only watch.
    pub advised: RiskAction,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// A level that was reached, for as long as it is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub level: Level,
    /// Until when.
    pub until: Time,
}

impl Held {
    /// What it is worth now.
    pub fn at(self, now: Time) -> Level {
        if self.until > now { self.level } else { Level::Low }
    }
    /// What is remembered after a verdict whose sign-in has not been completed.
    pub fn after(rule: &AdaptiveRule, verdict: &Verdict, now: Time) -> Self {
        match verdict.advised {
            RiskAction::Allow => Self::default(),
            _ => Self { level: verdict.level, until: now.plus(rule.calm) },
        }
    }
}

/// Judges.
pub fn judge(rule: &AdaptiveRule, facts: &Facts, held: Level) -> Verdict {
    let points = &rule.points;
    let known = !facts.new_device && !facts.first;
    // An address is shared: whoever comes with a browser of their own is not taken for a neighbour who sprays.
    let shared = |points: u32| if known { points / 2 } else { points };
    let spraying = facts.names >= rule.spray_names || (facts.sprayed && facts.names >= rule.spray_clear);
    let travelled = facts.travel.is_some_and(|t| t.impossible(rule.travel_speed));
    let account = facts.account_tries >= rule.account_tries;
    let address = facts.address_tries >= rule.address_tries;
    let velocity = if account { points.velocity } else { shared(points.velocity) };
    let (mut score, mut reasons) = (0_u32, Vec::new());
    for (seen, points, reason) in [
        (facts.new_device && !facts.first, points.device, Reason::NewDevice),
        (facts.new_network && !facts.first, points.network, Reason::NewNetwork),
        (travelled, points.travel, Reason::ImpossibleTravel),
        (account, velocity, Reason::AccountTries),
        // With tries on the account it is one sign, that counts once.
        (address && !account, velocity, Reason::AddressTries),
        (spraying, shared(points.spraying), Reason::Spraying),
        (facts.listed, points.listed, Reason::Listed),
    ] {
        if seen && points > 0 {
            score = score.saturating_add(points);
            reasons.push(reason);
        }
    }

    let reached = |at: u32, level: Level| {
        let eased = if held >= level { at.saturating_sub(rule.hysteresis).max(1) } else { at };
        score >= eased
    };
    let level = match () {
        () if reached(rule.high_at, Level::High) => Level::High,
        () if reached(rule.medium_at, Level::Medium) => Level::Medium,
        () => Level::Low,
    };
    let bare = match () {
        () if score >= rule.high_at => Level::High,
        () if score >= rule.medium_at => Level::Medium,
        () => Level::Low,
    };
    if level > bare {
        reasons.push(Reason::Held);
    }
    let mut advised = rule.actions[level as usize];
    if facts.blind && rule.without_location > RiskAction::Allow {
        advised = advised.max(rule.without_location);
        reasons.push(Reason::NoLocation);
    }
    let action = if rule.mode == AdaptiveMode::On { advised } else { RiskAction::Allow };
    Verdict { score, level, action, advised, reasons }
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::gate::RiskPoints;
    use std::time::Duration;

    use super::*;

    fn rule() -> AdaptiveRule {
        AdaptiveRule {
            mode: AdaptiveMode::On,
            actions: [RiskAction::Allow, RiskAction::StepUp, RiskAction::Block],
            medium_at: 40,
            high_at: 80,
            hysteresis: 20,
            calm: Duration::from_secs(3_600),
            points: RiskPoints { device: 20, network: 20, travel: 40, velocity: 40, spraying: 80, listed: 80 },
            account_tries: 10,
            address_tries: 60,
            spray_names: 10,
            spray_clear: 5,
            travel_speed: 1_000,
            without_location: RiskAction::StepUp,
            ..AdaptiveRule::OFF
        }
    }

    fn judged(facts: Facts) -> (u32, RiskAction, Vec<&'static str>) {
        let v = judge(&rule(), &facts, Level::Low);
        (v.score, v.action, v.reasons.iter().map(|r| r.name()).collect())
    }

    #[test]
    fn each_sign_adds_its_points_and_its_reason() {
        use RiskAction::{Allow, Block, StepUp};
        let none = Facts::default();
        let far = |km, minutes| Some(Travel { km, minutes });
        for (facts, score, action, reasons) in [
            (none, 0, Allow, vec![]),
            (Facts { new_device: true, ..none }, 20, Allow, vec!["new-device"]),
            (Facts { new_network: true, ..none }, 20, Allow, vec!["new-network"]),
            (Facts { new_device: true, new_network: true, ..none }, 40, StepUp, vec!["new-device", "new-network"]),
            (Facts { first: true, new_device: true, new_network: true, ..none }, 0, Allow, vec![]),
            (Facts { travel: far(9_000, 60), ..none }, 40, StepUp, vec!["impossible-travel"]),
            (Facts { travel: far(9_000, 600), ..none }, 0, Allow, vec![]),
            (Facts { travel: far(99, 0), ..none }, 0, Allow, vec![]),
            (Facts { travel: far(100, 0), ..none }, 40, StepUp, vec!["impossible-travel"]),
            (Facts { account_tries: 9, address_tries: 59, names: 9, ..none }, 0, Allow, vec![]),
            (Facts { account_tries: 10, ..none }, 40, StepUp, vec!["account-tries"]),
            (Facts { account_tries: 10, address_tries: 60, ..none }, 40, StepUp, vec!["account-tries"]),
            (Facts { address_tries: 60, ..none }, 20, Allow, vec!["address-tries"]),
            (Facts { address_tries: 60, new_device: true, ..none }, 60, StepUp, vec!["new-device", "address-tries"]),
            (Facts { names: 10, ..none }, 40, StepUp, vec!["spraying"]),
            (Facts { names: 10, new_device: true, ..none }, 100, Block, vec!["new-device", "spraying"]),
            (Facts { names: 10, first: true, ..none }, 80, Block, vec!["spraying"]),
            (Facts { names: 5, sprayed: true, first: true, ..none }, 80, Block, vec!["spraying"]),
            (Facts { names: 4, sprayed: true, first: true, ..none }, 0, Allow, vec![]),
            (Facts { listed: true, ..none }, 80, Block, vec!["listed-address"]),
            (Facts { blind: true, ..none }, 0, StepUp, vec!["location-unavailable"]),
        ] {
            assert_eq!(judged(facts), (score, action, reasons), "{facts:?}");
        }
    }

    #[test]
    fn a_level_is_left_only_well_below_its_threshold() {
        let one = Facts { new_network: true, ..Facts::default() };
        let two = Facts { new_device: true, ..one };
        let three = Facts { travel: Some(Travel { km: 9_000, minutes: 1 }), ..one };
        assert_eq!(judge(&rule(), &one, Level::Low).level, Level::Low);
        let held = judge(&rule(), &one, Level::Medium);
        assert_eq!((held.level, held.reasons.last()), (Level::Medium, Some(&Reason::Held)));
        assert_eq!(judge(&rule(), &two, Level::High).level, Level::Medium);
        assert_eq!(judge(&rule(), &three, Level::High).level, Level::High);
        // Nothing at all is always low: whoever comes as ever is not asked for what a stranger did.
        assert_eq!(judge(&rule(), &Facts::default(), Level::High).level, Level::Low);
    }

    #[test]
    fn what_was_reached_is_forgotten_after_a_while() {
        let (rule, now) = (rule(), Time::from_secs(1_000_000));
        let verdict = judge(&rule, &Facts { listed: true, ..Facts::default() }, Level::Low);
        let held = Held::after(&rule, &verdict, now);
        assert_eq!(held.at(now.plus(Duration::from_secs(3_599))), Level::High);
        assert_eq!(held.at(now.plus(Duration::from_secs(3_600))), Level::Low);
    }

    #[test]
    fn a_rule_that_only_watches_advises_and_lets_everybody_go_on() {
        let rule = AdaptiveRule { mode: AdaptiveMode::Watch, ..rule() };
        let verdict = judge(&rule, &Facts { listed: true, ..Facts::default() }, Level::Low);
        assert_eq!((verdict.action, verdict.advised), (RiskAction::Allow, RiskAction::Block));
    }

    #[test]
    fn facts_are_short_and_read_back() {
        let facts = Facts { new_device: true, travel: Some(Travel { km: 9_000, minutes: 3 }), ..Facts::default() };
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(text, r#"{"device":true,"travel":{"k":9000,"m":3}}"#);
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
        assert_eq!(serde_json::from_str::<Facts>("{}").unwrap(), Facts::default());
    }
}
