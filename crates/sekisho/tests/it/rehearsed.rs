//! Rehearsals on PostgreSQL: what a claim says of database roles and of a server's disk is tried there.

use std::{process::Command, sync::Arc};

use sekisho::{instance, policies, rehearsal::OwnFactory, settings};
use sekisho_kernel::{
    Lang, Secret, SystemClock, SystemRng, TakenOut,
    claim::{StepKind, StepResult, Verdict},
};
use sekisho_prober::{Plan, Progress, Proof, run::Runner};
use serde_json::Value;

/// What `sekisho prove --postgres` finds; `None` where PostgreSQL is not installed.
fn prove(words: &[&str]) -> Option<(bool, Value)> {
    let cluster = sekisho_testkit::pg()?;
    let dir = tempfile::tempdir().expect("a directory");
    let lender = dir.path().join("lender");
    std::fs::write(&lender, cluster.address()).expect("an address");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(["--lang", "en", "prove", "--json", "--postgres"]).arg(&lender).args(words);
    let done = command.output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let found = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}\n{err}"));
    Some((done.status.success(), found))
}

/// The forbidden steps of a clause that were really tried, and how each came out.
fn tried<'v>(found: &'v Value, id: &str, clause: &str) -> Vec<(&'v str, &'v Value)> {
    let claim = found["claims"].as_array().expect("claims").iter().find(|c| c["id"] == id).expect("the claim");
    let steps = claim["steps"].as_array().expect("steps").iter();
    let steps = steps.filter(|step| step["clause"] == clause && step["kind"] == "forbidden");
    steps.map(|step| (step["result"].as_str().expect("a result"), step)).collect()
}

/// Clauses that only a database server has a subject for.
const ON_A_SERVER: [(&str, &[&str]); 4] = [
    ("NM-06", &["role-update-refused", "role-delete-refused", "role-truncate-refused"]),
    ("NM-09", &["sql-without-group-nothing", "sql-with-other-group-nothing"]),
    ("NM-27", &["database-files", "write-ahead-log", "hop-to-database"]),
    ("IDO-07", &["refused-by-raw-role", "refused-by-store"]),
];

#[test]
fn what_a_server_knows_and_lets_through_is_held_to_the_claims() {
    let words: Vec<&str> = ON_A_SERVER.iter().flat_map(|(id, _)| ["--claim", id]).collect();
    let Some((success, found)) = prove(&words) else { return };
    let verdicts: Vec<&Value> = found["claims"].as_array().expect("claims").iter().map(|c| &c["verdict"]).collect();
    assert!(success && verdicts == ["holds"; 4], "{found:#}");
    for (id, clauses) in ON_A_SERVER {
        for clause in clauses {
            let tried = tried(&found, id, clause);
            assert!(!tried.is_empty() && tried.iter().all(|(result, _)| *result == "pass"), "{id} {clause}: {tried:?}");
        }
    }
}

#[test]
fn what_is_taken_out_is_missed_there_too() {
    let Some((success, found)) = prove(&["--negative", "--claim", "NM-06", "--claim", "NM-27"]) else { return };
    assert!(success, "{found:#}");
    assert!(found["claims"].as_array().expect("claims").iter().all(|c| c["verdict"] == "broken"), "{found:#}");
    // Unsealed, the marker is found in each place where a server's bytes lie or pass.
    for clause in ON_A_SERVER[2].1 {
        let tried = tried(&found, "NM-27", clause);
        assert!(tried.iter().any(|(result, _)| *result == "fail"), "{clause}: {tried:?}");
    }
}

struct Quiet;

impl Progress for Quiet {
    fn started(&self, _id: &str) {}
    fn finished(&self, _proof: &Proof) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn without_row_level_security_the_services_role_reads_every_organisation() {
    let Some(cluster) = sekisho_testkit::pg() else { return };
    let scratch = tempfile::tempdir().expect("a directory");
    let lender = Some(Secret::new(cluster.address().to_owned()));
    let factory = OwnFactory { scratch: scratch.path().to_owned(), lender };
    let (clock, rng) = (SystemClock, Arc::new(SystemRng));
    let runner = Runner { factory: &factory, clock: &clock, rng, at_once: 2, chromium: None, progress: &Quiet };
    let policy = policies::shipped(&settings::schema(), "netmeister", Lang::En).expect("a profile");
    let policy = Arc::new(policy);
    let wanted = [("NM-09", "sql-"), ("IDO-07", "refused-by-raw-role")];
    let probes = sekisho_controls::probes().into_iter().filter(|p| wanted.iter().any(|(id, _)| *id == p.spec().id));
    let plans: Vec<Plan> = probes.map(|probe| Plan { probe, policy: policy.clone() }).collect();
    assert_eq!(plans.len(), wanted.len());
    for proof in runner.rehearse_without(plans, TakenOut::RowSecurity).await {
        let (_, clauses) = wanted.iter().find(|(id, _)| *id == proof.id).expect("asked for");
        assert_eq!(proof.verdict, Verdict::Broken, "{}", proof.id);
        for step in &proof.steps {
            let missed = step.kind == StepKind::Forbidden && step.result == StepResult::Fail;
            assert!(missed || matches!(step.result, StepResult::Pass), "{}: {step:?}", proof.id);
            assert!(!missed || step.clause.starts_with(clauses), "{}: {step:?}", proof.id);
        }
        let missed = proof.steps.iter().filter(|step| step.result == StepResult::Fail).count();
        assert!(missed >= 1, "{}", proof.id);
    }
}

/// Whatever table is made, and by whatever migration: where its rows are some tenant's, the database keeps them apart.
#[tokio::test]
async fn every_table_with_a_tenant_column_has_its_policy() {
    const TABLES: &str = "SELECT c.relname, count(p.oid), bool_and(c.relrowsecurity AND c.relforcerowsecurity)
        FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'own_tenant'
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace GROUP BY 1 ORDER BY 1";
    // Their rows are nobody's in particular.
    const COMMON: [&str; 4] = ["meta", "root_key", "signing_key", "store_migration"];
    let Some(test) = sekisho_testkit::postgres(&instance::migrations()) else { return };
    let rows = test.store.read(|db| db.query(TABLES, &[])).await.expect("the tables");
    let declared: Vec<&str> = instance::catalogue().iter().map(|def| def.table).collect();
    assert_eq!(rows.len(), declared.len());
    for row in rows {
        let name = row.text(0).expect("a name");
        assert!(declared.contains(&name), "{name}");
        let (policies, kept) = (row.int(1).expect("a count"), row.flag(2).expect("a flag"));
        assert_eq!((policies == 1, kept), if COMMON.contains(&name) { (false, false) } else { (true, true) }, "{name}");
    }
}
