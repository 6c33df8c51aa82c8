//! Claims with what has been proven of them, and the data catalogue.

use std::{collections::HashMap, sync::Arc};

use axum::response::Response;
use sekisho_controls::catalogue::{self, CatalogueClaim, ClaimFile, Kind};
use sekisho_kernel::{
    Problem, Right, Time,
    catalogue::{Protection, Retention},
    claim::Verdict,
    problem::NOT_FOUND,
};
use serde_json::{Map, Value, json};

use crate::{call::Call, parts::Proof, problem::Fault, reply, serve::defect};

/// A catalogued claim and its newest proof, if there is one.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The claim.
    pub claim: &'static CatalogueClaim,
    /// Its newest proof.
    pub proof: Option<Proof>,
}

impl Standing {
    /// What is said of the claim today: a claim that a control keeps and nobody has proven here is not proven; one
    /// without a control is not kept yet.
    pub fn verdict(&self) -> Verdict {
        match &self.proof {
            Some(proof) => proof.verdict,
            None if sekisho_controls::spec(&self.claim.id).is_some() => Verdict::NotProven,
            None => Verdict::NotKeptYet,
        }
    }
}

/// Which claims.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Of one paper.
    pub paper: Option<ClaimFile>,
    /// With one verdict.
    pub verdict: Option<Verdict>,
    /// Of one kind.
    pub kind: Option<Kind>,
}

impl Filter {
    /// From the checked query.
    pub fn read(given: &Map<String, Value>) -> Self {
        let text = |name: &str| given.get(name).and_then(Value::as_str);
        let kind = |k: &str| serde_json::from_value::<Kind>(json!(k)).ok();
        Self {
            paper: text("paper").and_then(ClaimFile::from_slug),
            verdict: text("verdict").and_then(|v| Verdict::ALL.into_iter().find(|x| x.name() == v)),
            kind: text("kind").and_then(kind),
        }
    }
    /// Whether the standing is among them.
    pub fn admits(&self, s: &Standing) -> bool {
        self.paper.is_none_or(|p| s.claim.file == p)
            && self.verdict.is_none_or(|v| s.verdict() == v)
            && self.kind.is_none_or(|k| s.claim.kind == k)
    }
}

/// Every claim as it stands, in the order of the papers. One entry.
pub(crate) async fn standings(call: &Call) -> Result<Vec<Standing>, Fault> {
    let act = call.act(Right::CLAIMS_READ, "claims")?;
    let proofs = call.parts.evidence.all().await;
    let proofs = call.parts.vault.look(call.cx()?, act, move |_| proofs).await?;
    Ok(join(proofs))
}

/// The catalogue with the proofs beside it.
pub fn join(proofs: Vec<Proof>) -> Vec<Standing> {
    let mut proofs: HashMap<String, Proof> = proofs.into_iter().map(|p| (p.claim.clone(), p)).collect();
    catalogue::all().iter().map(|claim| Standing { claim, proof: proofs.remove(&claim.id) }).collect()
}

/// One claim with its steps. One entry.
pub(crate) async fn standing(call: &Call, id: &str) -> Result<Standing, Fault> {
    let claim = catalogue::by_id(id);
    let act = call.act(Right::CLAIMS_READ, claim.map_or("claims", |c| c.id.as_str()))?;
    let proof = match claim {
        Some(claim) => call.parts.evidence.of(&claim.id).await,
        None => Err(Problem::new(&NOT_FOUND)),
    };
    let proof = call.parts.vault.look(call.cx()?, act, move |_| proof).await?;
    Ok(Standing { claim: claim.ok_or_else(|| defect("a claim vanished"))?, proof })
}

/// GET /claims
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let filter = Filter::read(&call.filter()?);
    let all = standings(&call).await?;
    let claims: Vec<_> = all.iter().filter(|s| filter.admits(s)).map(|s| Value::Object(row(s, call.now))).collect();
    reply::ok(&json!({ "claims": claims }))
}

/// GET /claims/{claim}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let found = standing(&call, call.param("claim")).await?;
    let mut out = row(&found, call.now);
    out.insert("probe".into(), json!(found.claim.probe));
    out.insert("note".into(), json!(found.claim.note));
    let proof = found.proof.as_ref();
    out.insert("build".into(), json!(proof.and_then(|p| p.build.as_ref())));
    out.insert("policy".into(), json!(proof.and_then(|p| p.digest.as_ref())));
    out.insert("steps".into(), json!(proof.map(|p| p.steps.as_slice()).unwrap_or_default()));
    reply::ok(&out)
}

fn row(s: &Standing, now: Time) -> Map<String, Value> {
    let proof = s.proof.as_ref();
    let at = proof.and_then(|p| p.at);
    let row = json!({
        "id": s.claim.id,
        "paper": s.claim.file.slug(),
        "says": s.claim.says,
        "kind": s.claim.kind,
        "area": s.claim.area,
        "verdict": s.verdict().name(),
        "stage": proof.and_then(|p| p.stage),
        "at": at.map(Time::rfc3339),
        "age_seconds": at.map(|at| now.since(at).as_secs()),
        "fresh_until": proof.and_then(|p| p.fresh_until).map(Time::rfc3339),
    });
    match row {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// GET /catalogue
pub async fn catalogue(call: Arc<Call>) -> Result<Response, Fault> {
    let act = call.act(Right::CLAIMS_READ, "catalogue")?;
    call.parts.vault.look(call.cx()?, act, |_| Ok(())).await?;
    let items: Vec<_> = call
        .parts
        .catalogue
        .iter()
        .map(|def| {
            let (retention, setting) = match def.retention {
                Retention::UntilDeleted => ("until-deleted", None),
                Retention::UntilExpiry => ("until-expiry", None),
                Retention::Setting(key) => ("setting", Some(key)),
            };
            json!({
                "name": def.table,
                "text": def.text,
                "class": def.class.name(),
                "class_text": def.class.text(),
                "protection": match def.protection { Protection::Sealed => "sealed", Protection::ClearByGoldenFile => "clear" },
                "retention": retention,
                "retention_setting": setting,
                "indexed": def.indexed.iter().map(|f| f.name).collect::<Vec<_>>(),
                "clear": def.clear.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            })
        })
        .collect();
    reply::list(&items, None)
}
