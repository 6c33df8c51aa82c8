//! Proofs as the claims pages show them.

use super::*;

fn steps() -> Vec<Step> {
    let step = |clause: &str, kind, tried: &str, expected: &str, seen: &str, result| Step {
        clause: clause.into(),
        kind,
        tried: tried.into(),
        expected: expected.into(),
        seen: seen.into(),
        result,
    };
    vec![
        step(
            "accepted-after",
            StepKind::Positive,
            "the right password before any failure",
            "200",
            "200 signed-in",
            StepResult::Pass,
        ),
        step(
            "three-wrong-lock",
            StepKind::Forbidden,
            "three wrong passwords, then the right one",
            "401 sign-in-failed",
            "401 sign-in-failed",
            StepResult::Pass,
        ),
        step(
            "all-at-once",
            StepKind::Forbidden,
            "forty guesses at once over two nodes",
            "at most three evaluated",
            "3 evaluated",
            StepResult::Pass,
        ),
        step(
            "live-mail",
            StepKind::Absent,
            "a mail that tells of the lock",
            "nothing to search",
            "does not exist in this build",
            StepResult::Pass,
        ),
    ]
}

pub fn proofs() -> Vec<Proof> {
    let mut out = Vec::new();
    for (i, spec) in sekisho_controls::specs().enumerate() {
        let verdict = match i % 9 {
            4 => Verdict::Stale,
            6 => Verdict::Partly,
            7 if i < 12 => Verdict::Broken,
            8 => Verdict::Unknown,
            _ => Verdict::Holds,
        };
        out.push(Proof {
            claim: spec.id.into(),
            verdict,
            stage: Some(if i % 3 == 0 { Stage::Live } else { Stage::Rehearsal }),
            at: Some(at(600 + i as i64 * 4_000)),
            fresh_until: Some(at(-86_400 * 6)),
            build: Some("0.1.0+4f2a91c".into()),
            digest: Some("9c1185a5c5e9fc54612808977ee8f548b2258d31a1d7b1f3c7d0ef6c1d5e2b7a".into()),
            steps: steps(),
        });
    }
    out
}
