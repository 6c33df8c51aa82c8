//! Runs probes, each in a world of its own, and reaches verdicts.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use sekisho_kernel::{
    Clock, Policy, Rng, TakenOut, Time,
    claim::{ClaimSpec, Finding, Probe, Stage, Step, StepKind, StepResult, Trouble, Verdict},
    world::{Factory, World},
};

use crate::rehearsal::RehearsalWorld;

/// A probe that has not finished by then is `unknown`.
const MOST_TIME: Duration = Duration::from_secs(180);

/// The places that a rehearsal replaces: a closed list that evidence names.
pub const REPLACED: [&str; 6] = ["listeners", "upstream", "store", "root key", "clock", "location database"];

/// One probe to run under one policy.
pub struct Plan {
    /// The probe.
    pub probe: Box<dyn Probe>,
    /// The policy it is rehearsed under.
    pub policy: Arc<Policy>,
}

/// What came of one plan.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The claim's id.
    pub id: &'static str,
    /// The verdict that follows from the steps.
    pub verdict: Verdict,
    /// Where it ran.
    pub stage: Stage,
    /// When it finished.
    pub at: Time,
    /// Seconds for which it counts.
    pub fresh_secs: u64,
    /// The policy's name.
    pub policy: String,
    /// The policy's digest.
    pub policy_digest: String,
    /// What was taken out, in a negative control.
    pub taken_out: Option<TakenOut>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// Told as plans start and finish.
pub trait Progress: Send + Sync {
    /// A claim's probe has started.
    fn started(&self, id: &str);
    /// It has ended.
    fn finished(&self, proof: &Proof);
}

/// What running needs.
pub struct Runner<'a> {
    /// Raises rehearsals.
    pub factory: &'a dyn Factory,
    /// Dates evidence.
    pub clock: &'a dyn Clock,
    /// Markers and hellos.
    pub rng: Arc<dyn Rng>,
    /// How many rehearsals run at the same time.
    pub at_once: usize,
    /// The program of a real browser, where the host has one.
    pub chromium: Option<PathBuf>,
    /// Told of progress.
    pub progress: &'a dyn Progress,
}

impl Runner<'_> {
    /// Rehearses every plan; `negative` takes out each probe's own control. The proofs come back in the plans' order.
    pub async fn rehearse(&self, plans: Vec<Plan>, negative: bool) -> Vec<Proof> {
        self.all(plans, |plan| negative.then_some(plan.probe.spec().negative)).await
    }

    /// Rehearses every plan with the same control taken out: which probes turn with it.
    pub async fn rehearse_without(&self, plans: Vec<Plan>, out: TakenOut) -> Vec<Proof> {
        self.all(plans, |_| Some(out)).await
    }

    async fn all(&self, plans: Vec<Plan>, out: impl Fn(&Plan) -> Option<TakenOut>) -> Vec<Proof> {
        let runs = plans.into_iter().map(|plan| {
            let out = out(&plan);
            self.one(plan, out)
        });
        stream::iter(runs).buffered(self.at_once.max(1)).collect().await
    }

    async fn one(&self, plan: Plan, out: Option<TakenOut>) -> Proof {
        let spec = plan.probe.spec();
        self.progress.started(spec.id);
        let mut finding = Finding::default();
        if let Err(trouble) = self.rehearse_one(&plan, out, &mut finding).await {
            finding.error("the rehearsal itself", "running the probe to its end", trouble.to_string());
        }
        let proof = conclude(spec, finding, Stage::Rehearsal, self.clock.now(), &plan.policy, out);
        self.progress.finished(&proof);
        proof
    }

    async fn rehearse_one(&self, plan: &Plan, out: Option<TakenOut>, finding: &mut Finding) -> Result<(), Trouble> {
        let instance: Arc<dyn sekisho_kernel::world::Rehearsed> =
            Arc::from(self.factory.raise(plan.policy.clone(), out).await?);
        let outcome = match RehearsalWorld::new(instance.clone(), self.rng.clone(), self.chromium.clone()) {
            Ok(world) => run_probe(&*plan.probe, &world, finding).await,
            Err(trouble) => Err(trouble),
        };
        instance.end().await;
        outcome
    }

    /// Runs the probes that do no harm against a serving instance.
    pub async fn live(&self, plans: Vec<Plan>, world: &dyn World) -> Vec<Proof> {
        let mut proofs = Vec::new();
        for plan in plans.into_iter().filter(|p| p.probe.spec().live) {
            let spec = plan.probe.spec();
            self.progress.started(spec.id);
            let mut finding = Finding::default();
            if let Err(trouble) = run_probe(&*plan.probe, world, &mut finding).await {
                finding.error("the run itself", "running the probe to its end", trouble.to_string());
            }
            let proof = conclude(spec, finding, Stage::Live, self.clock.now(), &plan.policy, None);
            self.progress.finished(&proof);
            proofs.push(proof);
        }
        proofs
    }
}

async fn run_probe(probe: &dyn Probe, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
    tokio::time::timeout(MOST_TIME, probe.run(world, finding))
        .await
        .unwrap_or_else(|_| Err(Trouble(format!("not finished within {MOST_TIME:?}"))))
}

fn conclude(
    spec: &'static ClaimSpec,
    finding: Finding,
    stage: Stage,
    at: Time,
    policy: &Policy,
    taken_out: Option<TakenOut>,
) -> Proof {
    Proof {
        id: spec.id,
        verdict: finding.verdict(spec.clauses),
        stage,
        at,
        fresh_secs: spec.fresh_secs,
        policy: policy.name().to_owned(),
        policy_digest: policy.digest(),
        taken_out,
        steps: finding.steps,
    }
}

/// Whether a negative control came out as its spec says: `broken`, every positive step still passing, and the named
/// clause among those whose forbidden step failed. The error says what did not.
///
/// # Errors
/// What came out otherwise, for people.
pub fn judge_negative(spec: &ClaimSpec, proof: &Proof) -> Result<(), String> {
    if proof.verdict != Verdict::Broken {
        return Err(format!("says {} with its control taken out", proof.verdict.name()));
    }
    let bad_positive = proof.steps.iter().find(|s| s.kind == StepKind::Positive && s.result != StepResult::Pass);
    if let Some(step) = bad_positive {
        return Err(format!("its positive step “{}” no longer passes ({})", step.tried, step.seen));
    }
    let named = proof.steps.iter().any(|s| s.clause == spec.negative_clause && s.result == StepResult::Fail);
    if named { Ok(()) } else { Err(format!("the clause {} did not fail", spec.negative_clause)) }
}
