//! Evidence where it is kept: a sealed record for each claim's newest proof of each stage, and an entry in the platform's log.

use std::sync::Arc;

use async_trait::async_trait;
use sekisho_console::{Evidence as ForConsole, Proof as Shown};
use sekisho_kernel::{
    Cx, DataClass, Effective, Id, IndexedField, Job, Policy, Problem, RecordDef, Rng, Target, Text, Time,
    catalogue::{Protection, Retention},
    claim::{Stage, Verdict},
    event,
    id::{EvidenceId, TenantId},
    problem::INTERNAL,
    time::SharedClock,
};
use sekisho_keys::{Keys, Purpose};
use sekisho_prober::{
    Evidence,
    evidence::{Envelope, sha256_hex},
};
use sekisho_store::Migration;
use sekisho_vault::{Act, Entry, Need, Page, Record, Scope, Vault};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The evidence table.
pub static MIGRATION: Migration = Migration {
    number: 20,
    name: "evidence",
    sql: "
CREATE TABLE claim_evidence (
    tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL,
    x_claim BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE UNIQUE INDEX claim_evidence_claim ON claim_evidence (tenant, x_claim);
",
    postgres: "",
    sqlite: "",
};

static DEF: RecordDef = RecordDef {
    table: "claim_evidence",
    text: Text::new("約束ごとの最新の証跡", "The newest evidence for each claim"),
    class: DataClass::Metadata,
    protection: Protection::Sealed,
    retention: Retention::UntilDeleted,
    indexed: &[IndexedField { name: "claim", unique: true }],
    clear: &[],
};

/// The binary's own record types.
pub const RECORDS: &[&RecordDef] = &[&DEF];

#[derive(Serialize, Deserialize)]
struct Held {
    /// Claim and stage: the newest of each is kept.
    key: String,
    envelope: Envelope,
}

impl Record for Held {
    const DEF: &'static RecordDef = &DEF;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("claim", self.key.clone())]
    }
}

fn key_of(evidence: &Evidence) -> String {
    let stage = match evidence.stage {
        Stage::Rehearsal => "rehearsal",
        Stage::Live => "live",
    };
    format!("{}/{stage}", evidence.claim)
}

/// The evidence of one instance.
#[derive(Clone)]
pub struct Shelf {
    /// Tenant data.
    pub vault: Vault,
    /// Holds the evidence key.
    pub keys: Keys,
    /// The policy in force.
    pub policy: watch::Receiver<Arc<Policy>>,
    /// Judges freshness.
    pub clock: SharedClock,
    /// Ids.
    pub rng: Arc<dyn Rng>,
    /// The digest of the running binary.
    pub build: &'static str,
}

impl Shelf {
    fn cx(&self) -> Cx {
        let policy = Effective::platform(self.policy.borrow().clone());
        Cx::job(TenantId::NIL, Job::Prover, policy, &*self.rng)
    }

    /// Signs the evidence and enters it.
    ///
    /// # Errors
    /// The store's, and the key holder's.
    pub async fn enter(&self, evidence: Evidence) -> Result<(), Problem> {
        let signer = self.keys.signer(Purpose::Evidence)?;
        let keyid = sha256_hex(&signer.public().bytes);
        let mut failed = None;
        let envelope = evidence.seal(&keyid, |message| match signer.sign(message) {
            Ok(signature) => signature.to_vec(),
            Err(problem) => {
                failed = Some(problem);
                Vec::new()
            }
        });
        if let Some(problem) = failed {
            return Err(problem);
        }
        let cx = self.cx();
        let object = evidence.claim.clone();
        let act = Act {
            event: &event::CLAIM_PROVE,
            need: Need::Job(Job::Prover),
            target: Target::tenant(TenantId::NIL),
            object: object.clone(),
        };
        let id: EvidenceId = Id::new(self.clock.now(), &*self.rng);
        self.vault
            .act(&cx, act, move |tx, permit| {
                let held = Held { key: key_of(&evidence), envelope };
                match tx.find::<Held>("claim", &held.key)?.into_iter().next() {
                    Some(old) => tx.update(old.id, old.version, &held)?,
                    None => tx.insert(id, &held)?,
                };
                let entry = Entry::of(&object)
                    .with("verdict", evidence.verdict.name())
                    .with("stage", serde_json::to_string(&evidence.stage).unwrap_or_default().trim_matches('"'))
                    .with("build", &evidence.build)
                    .with("policy_digest", &evidence.policy_digest)
                    .with("statement", sha256_hex(&evidence.statement()));
                tx.commit(permit, entry, ())
            })
            .await
    }

    /// Every kept piece of evidence whose signature verifies.
    ///
    /// # Errors
    /// The store's.
    pub async fn all(&self) -> Result<Vec<Evidence>, Problem> {
        let public: Vec<[u8; 32]> =
            self.keys.public_keys().iter().filter(|k| k.purpose == Purpose::Evidence).map(|k| k.bytes).collect();
        let held = self
            .vault
            .peek(&Scope::of(&self.cx()), |view| view.list::<Held>(&Page { limit: Page::MOST, ..Page::default() }))
            .await?;
        let opened = held.into_iter().map(|h| {
            public.iter().find_map(|key| h.body.envelope.open(key)).ok_or_else(|| {
                Problem::new(&INTERNAL).log(format!("the evidence {} does not verify under our key", h.body.key))
            })
        });
        opened.collect()
    }

    /// The newest evidence of each claim with what it is worth now, a fresh one before a stale one.
    ///
    /// # Errors
    /// The store's.
    pub async fn worth(&self) -> Result<Vec<(Evidence, Verdict)>, Problem> {
        let (now, digest) = (self.clock.now(), self.policy.borrow().digest());
        let mut best: Vec<(Evidence, Verdict)> = Vec::new();
        for evidence in self.all().await? {
            let verdict = evidence.worth(self.build, &digest, now);
            match best.iter_mut().find(|(e, _)| e.claim == evidence.claim) {
                None => best.push((evidence, verdict)),
                Some(kept) => {
                    let better = match (kept.1, verdict) {
                        (_, Verdict::Broken) => true,
                        (Verdict::Broken, _) => false,
                        (Verdict::Stale, v) if v != Verdict::Stale => true,
                        (k, Verdict::Stale) if k != Verdict::Stale => false,
                        _ => evidence.at > kept.0.at,
                    };
                    if better {
                        *kept = (evidence, verdict);
                    }
                }
            }
        }
        Ok(best)
    }
}

fn shown(evidence: Evidence, verdict: Verdict) -> Shown {
    Shown {
        claim: evidence.claim,
        verdict,
        stage: Some(evidence.stage),
        at: Some(evidence.at),
        fresh_until: Some(evidence.fresh_until),
        build: Some(evidence.build),
        digest: Some(evidence.policy_digest),
        steps: evidence.steps,
    }
}

#[async_trait]
impl ForConsole for Shelf {
    async fn all(&self) -> Result<Vec<Shown>, Problem> {
        Ok(self.worth().await?.into_iter().map(|(e, v)| shown(e, v)).collect())
    }
    async fn of(&self, claim: &str) -> Result<Option<Shown>, Problem> {
        Ok(self.worth().await?.into_iter().find(|(e, _)| e.claim == claim).map(|(e, v)| shown(e, v)))
    }
}

/// Evidence from a proof.
pub fn from_proof(proof: &sekisho_prober::Proof, build: &str) -> Evidence {
    let replaced = match proof.stage {
        Stage::Rehearsal => sekisho_prober::run::REPLACED.iter().map(|s| (*s).to_owned()).collect(),
        Stage::Live => Vec::new(),
    };
    Evidence {
        claim: proof.id.to_owned(),
        verdict: proof.verdict,
        stage: proof.stage,
        at: proof.at,
        fresh_until: fresh_until(proof.at, proof.fresh_secs),
        build: build.to_owned(),
        policy: proof.policy.clone(),
        policy_digest: proof.policy_digest.clone(),
        replaced,
        steps: proof.steps.clone(),
    }
}

fn fresh_until(at: Time, secs: u64) -> Time {
    at.plus(std::time::Duration::from_secs(secs))
}
