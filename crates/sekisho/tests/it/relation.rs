//! `sekisho relation …` beside a serving instance and over a stopped one.

use std::process::{Command, Output};

use sekisho_store::Kind;
use serde_json::json;

use crate::served::{PASSWORD, Place, Served, signed};

fn given(place: &Place, lang: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    let Output { status, stdout, stderr } = command
        .args(["--lang", lang, "relation"])
        .args(words)
        .arg("--data")
        .arg(&place.data)
        .output()
        .expect("it starts");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned())
}

fn said(place: &Place, words: &[&str]) -> String {
    let (code, out, err) = given(place, "en", words);
    assert_eq!(code, Some(0), "{words:?}: {out}\n{err}");
    out
}

async fn made(served: &Served, token: &str, path: &str, body: serde_json::Value) -> String {
    let made = served.done(signed("POST", path, token).json(&body)).await;
    made.get("user").unwrap_or(&made)["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_keeps_relations_in_the_organisations_own_history() {
    let place = Place::new(Kind::Sqlite).expect("a place");
    let (link, _) = place.init();
    let served = place.serve_now();
    served.use_link(&link).await;
    let token = served.sign_in("admin").await;
    let person = |name: &str| json!({"name": name, "type": "user", "password": PASSWORD});
    let client = made(&served, &token, "/users", person("client")).await;
    made(&served, &token, "/users", person("adviser")).await;
    let site = made(&served, &token, "/sites", json!({"name": "Yokohama"})).await;
    let mode = signed("PUT", "/policy/relations.mode", &token).json(&json!({"value": "related"}));
    served.done(mode).await;
    let tenants = place.run(&["tenant", "list"]);
    let tenant = tenants.split_whitespace().next().expect("its id");

    let check = ["check", "--tenant", tenant, "--one", "client", "--other", "adviser"];
    let (code, out, _) = given(&place, "en", &check);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.ends_with("they may not reach each other. No relation between them is in force.\n"), "{out}");
    let out =
        said(&place, &["add", "--tenant", tenant, "--one", "client", "--other", "adviser", "--note", "request 1204"]);
    let relation = out.split_whitespace().next().expect("its id").to_owned();
    assert!(relation.starts_with("rel_") && out.contains(&client) && out.trim_end().ends_with("request 1204"), "{out}");
    assert!(out.contains("in force") && out.contains("– no end"), "{out}");
    let out = said(&place, &check);
    assert!(
        out.contains("they may reach each other. These relations are in force.\n") && out.contains(&relation),
        "{out}"
    );
    let (code, out, _) = given(&place, "ja", &check);
    assert!(
        code == Some(0) && out.contains("連絡できます。次の関係が有効です。") && out.contains("終了日なし"),
        "{out}"
    );

    // Dates, sides and ids that are none, and the engine's own refusals.
    let add = |more: &[&'static str]| {
        let words: Vec<&str> = ["add", "--tenant", tenant].into_iter().chain(more.iter().copied()).collect();
        given(&place, "en", &words)
    };
    for (words, wanted) in [
        (&["--one", "client", "--other", "nobody"][..], "(nobody)"),
        (&["--one", "client", "--other", "admin", "--ends", "tomorrow"], "RFC 3339"),
        (&["--one", "client", "--other", "admin", "--ends", "2020-01-01T00:00:00Z"], "SK-4182"),
        (&["--one", "client", "--other", "client"], "SK-4181"),
        (&["--one", "adviser", "--other", "client"], "SK-4180"),
        (&["--one", "client", "--other", "sit_00000000000000000000000000000000"], "SK-0003"),
    ] {
        let (code, _, err) = add(words);
        assert!(code == Some(1) && err.contains(wanted), "{words:?}: {code:?} {err}");
    }
    let (code, _, err) = given(&place, "en", &["end", "--tenant", tenant, "--relation", "rel_1"]);
    assert!(code == Some(1) && err.contains("sekisho relation list"), "{err}");
    let (code, _, err) = given(&place, "en", &["check", "--tenant", tenant, "--one", "client", "--other", &site]);
    assert!(code == Some(1) && err.contains("Name two people."), "{err}");
    let (code, _, _) = given(&place, "en", &["end", "--tenant", tenant]);
    assert_eq!(code, Some(2), "the relation is missing");

    let starts = "2090-01-01T00:00:00Z";
    said(&place, &["add", "--tenant", tenant, "--one", &site, "--other", &site, "--starts", starts]);
    let out = said(&place, &["list", "--tenant", tenant, "--limit", "1"]);
    assert!(out.lines().count() == 2 && out.ends_with(&format!("There are more: --after {relation}\n")), "{out}");
    let out = said(&place, &["list", "--tenant", tenant, "--after", &relation]);
    assert!(out.lines().count() == 1 && out.contains("not begun") && out.contains(starts), "{out}");
    let out = said(&place, &["list", "--tenant", tenant, "--of", "adviser"]);
    assert!(out.lines().count() == 1 && out.contains(&relation), "{out}");

    let history = served.read(&token, "/history?action=relation.create").await;
    let entries = history["entries"].as_array().expect("entries");
    let kept = entries.iter().find(|e| e["target"] == relation).expect("its entry");
    assert_eq!((&kept["via"], &kept["outcome"]), (&json!("command"), &json!("success")), "{kept}");
    assert_eq!(served.stop().await, Some(0));

    let out = said(&place, &["end", "--tenant", tenant, "--relation", &relation]);
    assert!(out.contains("ended"), "{out}");
    let (code, _, err) = given(&place, "en", &["end", "--tenant", tenant, "--relation", &relation]);
    assert!(code == Some(1) && err.contains("SK-4183"), "{err}");
    assert_eq!(given(&place, "en", &check).0, Some(1), "it has ended");
    let help = said(&place, &["check", "--help"]);
    assert!(help.contains("--one") && help.contains("Exit code 1"), "{help}");
}
