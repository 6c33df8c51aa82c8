//! Rehearsals on PostgreSQL: what a claim says of database roles is tried there, and everything else holds there too.

use std::process::Command;

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

/// NM-06: "The service's own database role is refused update, delete and truncate on the log where the database has roles".
#[test]
fn the_services_role_cannot_alter_the_log() {
    let Some((success, found)) = prove(&["--claim", "NM-06"]) else { return };
    let claim = &found["claims"][0];
    assert!(success && claim["verdict"] == "holds", "{claim:#}");
    for clause in ["role-update-refused", "role-delete-refused", "role-truncate-refused"] {
        let steps = claim["steps"].as_array().expect("steps").iter();
        let tried: Vec<&Value> = steps.filter(|step| step["clause"] == clause).collect();
        assert!(
            !tried.is_empty() && tried.iter().all(|step| step["kind"] == "forbidden" && step["result"] == "pass"),
            "{clause}: {tried:?}"
        );
    }
}

#[test]
fn what_is_taken_out_is_missed_there_too() {
    let Some((success, found)) = prove(&["--negative", "--claim", "NM-06"]) else { return };
    assert!(success && found["claims"][0]["verdict"] == "broken", "{found:#}");
}
