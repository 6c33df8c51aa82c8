//! What a claim may be printed as. Whatever is not plainly proven is printed as less, never as more.

use sekisho_kernel::{
    Lang, Time, Zone,
    claim::{Stage, Verdict},
};

use crate::{Claim, Proof, words};

/// The verdict under which a claim is printed as of `now`: what the evidence says, or less.
pub fn standing(proof: &Proof, now: Time) -> Verdict {
    let fresh = proof.fresh_until.is_some_and(|until| now < until);
    match proof.verdict {
        Verdict::Holds | Verdict::Partly => {
            let complete = proof.stage.is_some()
                && proof.at.is_some_and(|at| at <= now)
                && proof.reference.as_ref().is_some_and(|r| !r.trim().is_empty());
            if complete && fresh { proof.verdict } else { Verdict::Stale }
        }
        Verdict::Attested if !fresh => Verdict::Lapsed,
        other => other,
    }
}

/// A claim as it is printed.
#[derive(Debug)]
pub struct Printed {
    /// Its id.
    pub id: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict's mark, in words.
    pub mark: String,
    /// The sentence.
    pub says: String,
    /// Facts about the proof: label and text.
    pub facts: Vec<(&'static str, String)>,
}

impl Printed {
    /// The claim as of `now`.
    pub fn new(claim: &Claim, now: Time, zone: &Zone, lang: Lang) -> Self {
        let verdict = standing(&claim.proof, now);
        Self {
            id: claim.id.clone(),
            verdict,
            mark: verdict.text().get(lang).to_owned(),
            says: claim.says.get(lang).to_owned(),
            facts: facts(claim, verdict, zone, lang),
        }
    }

    /// Whether the sentence is a fact.
    pub fn is_fact(&self) -> bool {
        self.verdict == Verdict::Holds
    }
}

fn facts(claim: &Claim, verdict: Verdict, zone: &Zone, lang: Lang) -> Vec<(&'static str, String)> {
    let proof = &claim.proof;
    let say = |text: &sekisho_kernel::Text| text.get(lang).to_owned();
    let mut out = vec![(words::KIND.in_lang(lang), say(&claim.kind))];
    if let Some(stage) = proof.stage {
        let place = match stage {
            Stage::Rehearsal => &words::REHEARSAL,
            Stage::Live => &words::LIVE,
        };
        out.push((words::WHERE.in_lang(lang), place.in_lang(lang).to_owned()));
    }
    if let Some(at) = proof.at {
        out.push((words::WHEN.in_lang(lang), at.in_zone(zone)));
    }
    if let Some(until) = proof.fresh_until {
        let label = match verdict {
            Verdict::Attested | Verdict::Lapsed => &words::VALID_UNTIL,
            _ => &words::FRESH_UNTIL,
        };
        out.push((label.in_lang(lang), until.in_zone(zone)));
    }
    if let Some(reference) = &proof.reference {
        out.push((words::EVIDENCE.in_lang(lang), reference.clone()));
    }
    if verdict == Verdict::Partly {
        let missing =
            if proof.missing.is_empty() { words::NOT_NAMED.in_lang(lang).to_owned() } else { proof.missing.join("; ") };
        out.push((words::MISSING.in_lang(lang), missing));
    }
    if let Some(reason) = words::reason(verdict) {
        out.push((words::REASON.in_lang(lang), reason.in_lang(lang).to_owned()));
    }
    out
}
