//! Samples of judged sign-ins and of a replay.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::{
    risk::{Condition, Facts, Level, Travel},
    types::*,
};
use sekisho_kernel::Lang;

use super::{alone, at, id, j, shell};

fn decision(n: u8, level: Level, score: u32, action: &str, reasons: &[&str]) -> RiskDecision {
    RiskDecision {
        id: id(n),
        at: at(i64::from(n) * 600),
        user: id(1),
        address: "203.0.113.9".into(),
        level,
        score,
        action: action.into(),
        advised: action.into(),
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        facts: Facts { travel: Some(Travel { km: 10_850, minutes: 30 }), ..Facts::default() },
    }
}

fn rows(lang: Lang) -> Vec<risk::Row> {
    let name = j(lang, "佐藤 花子", "Hanako Sato");
    let all = [
        decision(1, Level::Low, 0, "allow", &[]),
        decision(2, Level::Medium, 40, "step_up", &["new-device", "new-network"]),
        decision(3, Level::High, 100, "block", &["new-device", "spraying"]),
        decision(4, Level::Medium, 60, "step_up", &["new-network", "impossible-travel", "recent-risk"]),
        decision(5, Level::Low, 0, "step_up", &["location-unavailable"]),
    ];
    all.into_iter().map(|d| risk::Row { name: name.clone(), reasons: risk::reasons(&d.reasons, lang), d }).collect()
}

/// Puts each of them.
pub fn put_all(lang: Lang, put: &mut dyn FnMut(&'static str, &dyn askama::DynTemplate)) {
    put("sign-in-again", &sign_in::AgainPage { p: alone(lang, m::AGAIN_TITLE, "/sign-in/again") });
    let choices = || vec![Choice::new("", m::RISK_AS_NOW.get(lang)), Choice::new("block", m::RISK_BLOCK.get(lang))];
    let page = |replay, rows, conditions: [Condition; 3]| risk::RiskPage {
        p: shell(lang, m::RISK, "/risk"),
        sources: risk::sources(RiskSources { places: conditions[0], networks: conditions[1], listed: conditions[2] }),
        rows,
        risky: false,
        next: None,
        paged: false,
        actions: choices(),
        replay,
    };
    put("risk", &page(None, rows(lang), [Condition::Read, Condition::None, Condition::Unreadable]));
    put("risk-empty", &page(None, Vec::new(), [Condition::None; 3]));
    let changes = rows(lang).into_iter().take(1).map(|was| risk::ChangeRow {
        was,
        action: risk::action("step_up"),
        score: 20,
        reasons: risk::reasons(&["new-network".to_owned()], lang),
    });
    let figures = RiskReplayed {
        days: 7,
        decisions: 512,
        complete: false,
        was: RiskTally { allow: 500, step_up: 9, block: 3 },
        would: RiskTally { allow: 499, step_up: 10, block: 3 },
        people: 1,
        changes: Vec::new(),
    };
    let tried = vec![("medium_at".to_owned(), "20".to_owned())];
    let replay = risk::Replay { days: "7".into(), figures, changes: changes.collect(), tried };
    put("risk-replay", &page(Some(replay), rows(lang), [Condition::Read; 3]));
}
