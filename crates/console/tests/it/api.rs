//! The API on the real engines.

use std::time::Duration;

use serde_json::{Value, json};

use sekisho_console::{Access, Surface, Verb, routes};

use crate::house::{House, PASSWORD};

#[tokio::test]
async fn signing_in_reading_the_session_and_signing_out() {
    let house = House::new().await;
    let client = house.at("acme");
    let wrong = client.json("POST", "/api/v1/sign-in", &json!({ "name": "admin", "password": "no" })).await;
    let nobody = client.json("POST", "/api/v1/sign-in", &json!({ "name": "nobody", "password": "no" })).await;
    assert_eq!((wrong.status, &wrong.body["code"]), (401, &json!("SK-4001")));
    for part in ["type", "title", "status", "detail", "code", "remedy"] {
        assert_eq!(wrong.body[part], nobody.body[part], "{part} tells the two apart");
    }
    let answer = client.json("POST", "/api/v1/sign-in", &json!({ "name": "admin", "password": PASSWORD })).await;
    assert_eq!((answer.status, &answer.body["state"]), (200, &json!("signed-in")));
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-sekisho="), "{cookie}");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // The cookie alone reads; to change something it needs the header.
    assert_eq!(client.get("/api/v1/me").await.status, 200);
    let out = client.json("POST", "/api/v1/sign-out", &json!({})).await;
    assert_eq!((out.status, &out.body["code"]), (403, &json!("SK-6002")));
    let csrf = answer.body["csrf"].as_str().expect("a value");
    let out = client.json_with("POST", "/api/v1/sign-out", &json!({}), &[("x-csrf-token", csrf)]).await;
    assert_eq!((out.status, &out.body), (200, &json!({ "onward": null })));
    client.set_cookie("__Host-sekisho", answer.body["token"].as_str().expect("a token"));
    let gone = client.get("/api/v1/me").await;
    assert_eq!((gone.status, gone.header("www-authenticate")), (401, "Bearer"));
}

#[tokio::test]
async fn polling_never_prolongs_a_session() {
    let house = House::new().await;
    let admin = house.admin().await;
    let minutes = |n: u64| Duration::from_secs(n * 60);
    for _ in 0..5 {
        house.pass(minutes(6));
        let polled = admin.get("/api/v1/session").await;
        if polled.status == 401 {
            return;
        }
        assert_eq!(polled.status, 200, "{}", polled.text);
        assert!(polled.body["now"].as_str() < polled.body["idle_ends_at"].as_str());
    }
    panic!("thirty minutes of polling kept the session");
}

#[tokio::test]
async fn accounts_through_their_whole_life() {
    let house = House::new().await;
    let admin = house.admin().await;
    let made = admin
        .json("POST", "/api/v1/users", &json!({ "name": "taro", "display_name": "鈴木 太郎", "type": "user" }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!((made.header("etag"), &made.body["state"]), ("\"1\"", &json!("invited")));
    assert!(made.body["link"].is_string());
    let path = format!("/api/v1/users/{}", made.body["id"].as_str().expect("an id"));
    let patch = json!({ "mail": "taro@example.jp" });
    assert_eq!(admin.json("PATCH", &path, &patch).await.status, 428);
    assert_eq!(admin.json_with("PATCH", &path, &patch, &[("if-match", "\"9\"")]).await.status, 409);
    let changed = admin.json_with("PATCH", &path, &patch, &[("if-match", made.header("etag"))]).await;
    assert_eq!((changed.status, &changed.body["mail"]), (200, &json!("taro@example.jp")), "{}", changed.text);
    let cleared =
        admin.json_with("PATCH", &path, &json!({ "mail": null }), &[("if-match", changed.header("etag"))]).await;
    assert_eq!((cleared.status, &cleared.body["mail"]), (200, &Value::Null), "{}", cleared.text);
    let off = admin.json("PUT", &format!("{path}/functions"), &json!({ "off": ["application"] })).await;
    assert_eq!(off.body["functions_off"], json!(["application"]), "{}", off.text);
    assert_eq!(admin.json("POST", &format!("{path}/disable"), &json!({})).await.body["state"], "disabled");
    assert_eq!(admin.json("POST", &format!("{path}/enable"), &json!({})).await.body["state"], "invited");
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&path).await.status, 404);
}

#[tokio::test]
async fn roles_grants_sites_and_rules() {
    let house = House::new().await;
    let admin = house.admin().await;
    let taro = house.person(&admin, "taro", "user").await;
    let site = admin.json("POST", "/api/v1/sites", &json!({ "name": "大阪" })).await;
    let site = site.body["id"].as_str().expect("an id").to_owned();
    let role = admin.json("POST", "/api/v1/roles", &json!({ "name": "監査", "rights": ["history.read"] })).await;
    assert_eq!(role.status, 201, "{}", role.text);
    let role = role.body["id"].as_str().expect("an id").to_owned();
    let grant = admin.json("POST", "/api/v1/grants", &json!({ "user": taro, "role": role })).await;
    assert_eq!(grant.status, 201, "{}", grant.text);
    let listed = admin.get(&format!("/api/v1/grants?user={taro}")).await;
    assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(1));
    let own = house.signed_in("acme", "taro").await;
    assert_eq!(own.get("/api/v1/history").await.status, 200);
    assert_eq!(own.get("/api/v1/sites").await.status, 403);
    let grant = format!("/api/v1/grants/{}", grant.body["id"].as_str().expect("an id"));
    assert_eq!(admin.delete(&grant).await.status, 204);
    assert_eq!(own.get("/api/v1/history").await.status, 403, "at once");
    assert_eq!(admin.get(&format!("/api/v1/sites/{site}")).await.body["name"], "大阪");
    let rule = admin.json("POST", "/api/v1/address-rules", &json!({ "network": "192.0.2.0/24" })).await;
    assert_eq!((rule.status, &rule.body["network"]), (201, &json!("192.0.2.0/24")), "{}", rule.text);
    assert_eq!(admin.get("/api/v1/address-rules").await.body["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn inputs_are_refused_with_field_and_range_in_the_readers_language() {
    let house = House::new().await;
    let admin = house.admin().await;
    let ja = [("accept-language", "ja")];
    let bad = json!({ "nmae": "x", "type": "boss" });
    let answer = admin.json_with("POST", "/api/v1/users", &bad, &ja).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"));
    let told: Vec<_> = answer.body["errors"].as_array().expect("errors").iter().map(|e| e["place"].as_str()).collect();
    assert_eq!(told, [Some("nmae"), Some("name"), Some("type")]);
    assert_eq!(answer.body["errors"][0]["detail"], "この項目はありません。「name」ではありませんか。");
    assert_eq!(answer.body["errors"][1]["detail"], "必須の項目です。1 文字以上 128 文字以下で入力します。");
    let answer = admin.get("/api/v1/users?limit=201").await;
    assert_eq!((answer.status, &answer.body["place"]), (400, &json!("limit")));
    assert_eq!(answer.body["detail"], "Give a whole number from 1 to 200.");
    let answer = admin.get("/api/v1/users?lmit=2").await;
    assert_eq!((answer.status, &answer.body["place"]), (400, &json!("lmit")));
    let answer = admin.send("POST", "/api/v1/users", &[("content-type", "text/plain")], b"{}".to_vec()).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("SK-6001")));
    let big = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000)).into_bytes();
    let answer = admin.send("POST", "/api/v1/users", &[("content-type", "application/json")], big).await;
    assert_eq!((answer.status, &answer.body["code"]), (413, &json!("SK-6003")));
}

#[tokio::test]
async fn lists_page_by_sealed_cursors_bound_to_tenant_list_and_filter() {
    let house = House::new().await;
    let admin = house.admin().await;
    for n in 0..4 {
        house.person(&admin, &format!("taro{n}"), "user").await;
    }
    let first = admin.get("/api/v1/users?limit=2").await;
    let cursor = first.body["next"].as_str().expect("more").to_owned();
    let mut names: Vec<String> = Vec::new();
    let mut page = first.body;
    loop {
        names.extend(
            page["items"].as_array().expect("items").iter().map(|u| u["name"].as_str().expect("a name").into()),
        );
        let Some(next) = page["next"].as_str() else { break };
        page = admin.get(&format!("/api/v1/users?limit=2&after={next}")).await.body;
    }
    names.sort();
    assert_eq!(names, ["admin", "taro0", "taro1", "taro2", "taro3"]);
    assert!(!cursor.contains("usr"), "a cursor shows no id");
    let refused = async |path: String| {
        let answer = admin.get(&path).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("SK-6005")), "{path}");
    };
    refused(format!("/api/v1/roles?after={cursor}")).await;
    refused(format!("/api/v1/users?after={cursor}&text=taro")).await;
    refused("/api/v1/users?after=AAAA".into()).await;
    for at in [0, cursor.len() / 2, cursor.len() - 2] {
        let other = if cursor.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut changed = cursor.clone();
        changed.replace_range(at..=at, other);
        refused(format!("/api/v1/users?limit=2&after={changed}")).await;
    }
    let globex = house.signed_in("globex", "admin").await;
    assert_eq!(globex.get(&format!("/api/v1/users?after={cursor}")).await.status, 400);
}

#[tokio::test]
async fn another_tenants_ids_answer_as_missing_ones() {
    let house = House::new().await;
    let admin = house.admin().await;
    let taro = house.person(&admin, "taro", "user").await;
    let globex = house.signed_in("globex", "admin").await;
    let strip = |mut body: Value| {
        body["trace"] = Value::Null;
        body
    };
    let theirs = globex.get(&format!("/api/v1/users/{taro}")).await;
    let missing = globex.get("/api/v1/users/usr_00000000000000000000000000000001").await;
    assert_eq!((theirs.status, strip(theirs.body)), (404, strip(missing.body)));
    let token = admin.get("/api/v1/session").await;
    assert_eq!(token.status, 200);
    // A session of one tenant is nobody at another's host.
    let answer =
        house.at("acme").json("POST", "/api/v1/sign-in", &json!({ "name": "admin", "password": PASSWORD })).await;
    let bearer = format!("Bearer {}", answer.body["token"].as_str().expect("a token"));
    assert_eq!(house.at("globex").with("authorization", &bearer).get("/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn the_same_key_is_done_once_and_answered_twice() {
    let house = House::new().await;
    let admin = house.admin().await;
    let body = json!({ "name": "本店" });
    let key = [("idempotency-key", "k-1")];
    let (first, entries) = house.entries(admin.json_with("POST", "/api/v1/sites", &body, &key)).await;
    assert_eq!((first.status, entries.as_slice()), (201, &["site.create success".to_owned()][..]));
    let (again, entries) = house.entries(admin.json_with("POST", "/api/v1/sites", &body, &key)).await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (201, &first.body, "true"));
    assert!(entries.is_empty(), "{entries:?}");
    let other = admin.json_with("POST", "/api/v1/sites", &json!({ "name": "支店" }), &key).await;
    assert_eq!(other.status, 409, "{}", other.text);
    // What failed may be tried again with its key.
    let key = [("idempotency-key", "k-2")];
    assert_eq!(admin.json_with("POST", "/api/v1/sites", &json!({}), &key).await.status, 400);
    assert_eq!(admin.json_with("POST", "/api/v1/sites", &json!({ "name": "支店" }), &key).await.status, 201);
    assert_eq!(admin.get("/api/v1/sites").await.body["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn an_invitation_whose_answer_was_lost_is_not_made_twice() {
    for house in House::each().await {
        let admin = house.admin().await;
        let body = json!({ "name": "hanako", "mail": "hanako@example.test", "type": "user" });
        let key = [("idempotency-key", "k-1")];
        let faults = house.store.faults.clone();
        // The key is claimed, the act committed; what comes next, the keeping of the answer, fails.
        let gates = [faults.hold(), faults.hold()];
        faults.plan(1, sekisho_store::Fault::Io);
        let through = std::thread::spawn(move || {
            for gate in gates {
                gate.wait();
                gate.open();
            }
        });
        let first = admin.json_with("POST", "/api/v1/users", &body, &key).await;
        through.join().expect("both commits came");
        assert_eq!((first.status, faults.left()), (201, 0), "{}", first.text);
        let again = admin.json_with("POST", "/api/v1/users", &body, &key).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("SK-3005")), "{}", again.text);
        house.pass(Duration::from_secs(30));
        let (again, entries) = house.entries(admin.json_with("POST", "/api/v1/users", &body, &key)).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("SK-3008")), "{}", again.text);
        assert_eq!(entries, ["user.create failed"]);
        let made = house.history().await.into_iter().filter(|r| r.event == "user.create");
        let made: Vec<String> = made.filter(|r| r.outcome.name() == "success").map(|r| r.id.to_string()).collect();
        assert_eq!(made.len(), 1);
        assert!(again.body["detail"].as_str().expect("where to look").contains(&made[0]), "{}", again.text);
        let entry = admin.get(&format!("/api/v1/history/{}", made[0])).await;
        assert_eq!(entry.body["target"], first.body["id"], "{}", entry.text);
        let people = admin.get("/api/v1/users").await;
        assert_eq!(people.body["items"].as_array().map(Vec::len), Some(2), "the administrator, and one hanako");
    }
}

#[tokio::test]
async fn the_policy_can_be_tightened_and_not_loosened() {
    let house = House::new().await;
    let admin = house.admin().await;
    let looser = admin.json("PUT", "/api/v1/policy/lockout.tries", &json!({ "value": 50 })).await;
    assert_eq!(looser.status, 400, "{}", looser.text);
    let tighter = admin.json("PUT", "/api/v1/policy/lockout.tries", &json!({ "value": 2 })).await;
    assert_eq!((tighter.status, &tighter.body["effective"]), (200, &json!(2)), "{}", tighter.text);
    assert_eq!(admin.delete("/api/v1/policy/lockout.tries").await.body["tenant"], Value::Null);
    assert_eq!(admin.json("PUT", "/api/v1/policy/no.such", &json!({ "value": 2 })).await.status, 404);
    let functions = admin.json("PUT", "/api/v1/functions", &json!({ "off": ["export"] })).await;
    assert_eq!(functions.status, 200, "{}", functions.text);
    assert_eq!(admin.get("/api/v1/history/export").await.status, 403);
}

#[tokio::test]
async fn a_tenant_sees_what_promises_something_to_it_and_not_where_the_house_stands() {
    let house = House::new().await;
    let admin = house.admin().await;
    let policy = admin.get("/api/v1/policy").await.body;
    let settings = policy["settings"].as_array().expect("settings");
    let shown: Vec<&str> = settings.iter().map(|s| s["key"].as_str().expect("a key")).collect();
    for key in ["sessions.idle", "lockout.tries", "audit.retention", "encryption.tls_min"] {
        assert!(shown.contains(&key), "{key}: {shown:?}");
    }
    let idle = settings.iter().find(|s| s["key"] == "sessions.idle").expect("shown");
    assert!(idle["claims"].as_array().expect("claims").contains(&json!("NM-02")), "{idle}");
    for hidden in ["passwords.breached_list", "waf.feed", "waf.feed_key", "waf.own_rules"] {
        assert!(!shown.contains(&hidden), "{hidden}");
        // Nor is it told by trying to move it, in whichever way.
        for method in ["PUT", "DELETE"] {
            let tried = admin.json(method, &format!("/api/v1/policy/{hidden}"), &json!({ "value": "" })).await;
            let unknown = admin.json(method, "/api/v1/policy/no.such", &json!({ "value": "" })).await;
            assert_eq!((tried.status, &tried.body["code"]), (unknown.status, &unknown.body["code"]), "{}", tried.text);
        }
    }
    let all: Vec<&str> = settings.iter().map(|s| s["movement"].as_str().expect("a word")).collect();
    assert!(!all.contains(&"inner"), "{all:?}");
}

#[tokio::test]
async fn the_history_is_searched_proven_and_downloaded() {
    let house = House::new().await;
    let admin = house.admin().await;
    admin.json("POST", "/api/v1/sites", &json!({ "name": "本店" })).await;
    let found = admin.get("/api/v1/history?action=site.create").await;
    let entry = &found.body["entries"][0];
    assert_eq!((&entry["event"], &entry["outcome"]), (&json!("site.create"), &json!("success")), "{}", found.text);
    assert_eq!((&entry["via"], &entry["address"]), (&json!("api"), &json!("192.0.2.7")));
    assert!(entry["local_time"].as_str().expect("a time").ends_with("JST"));
    let path = format!("/api/v1/history/{}", entry["id"].as_str().expect("an id"));
    assert_eq!(admin.get(&path).await.body["id"], entry["id"]);
    assert_eq!(admin.get(&format!("{path}/proof")).await.status, 404, "no checkpoint covers it yet");
    let policy = sekisho_kernel::hook::Directory::effective(&house.identity, house.acme).await.expect("a policy");
    house.vault.sequence(&policy).await.expect("sequenced");
    house.vault.checkpoint().await.expect("signed");
    let proof = admin.get(&format!("{path}/proof")).await;
    assert_eq!((proof.status, proof.header("content-type")), (200, "text/plain; charset=utf-8"), "{}", proof.text);
    assert!(proof.text.starts_with("c2sp.org/tlog-proof@v1"));
    assert!(admin.get("/api/v1/history/checkpoint").await.text.contains("test.example"));
    assert_eq!(admin.get(&path).await.body["state"], "protected");

    let csv = admin.get("/api/v1/history/export?format=csv").await;
    assert_eq!((csv.status, csv.header("content-disposition")), (200, "attachment; filename=\"history.csv\""));
    assert!(csv.text.starts_with("\u{feff}id,time_utc,time,"));
    assert!(csv.text.contains("site.create,success,"));
    let lines = admin.get("/api/v1/history/export?format=jsonl").await;
    let parsed: Vec<Value> = lines.text.lines().map(|l| serde_json::from_str(l).expect("a line")).collect();
    assert!(parsed.iter().any(|l| l["event"] == "history.export") && parsed[0]["ocsf"].is_object());
    let log = admin.get("/api/v1/history/export").await;
    assert_eq!((log.status, log.header("content-type")), (200, "application/vnd.sekisho.log"));
    assert!(log.text.len() > 1_000, "{} bytes", log.text.len());
}

#[tokio::test]
async fn claims_stand_as_proven() {
    let house = House::new().await;
    house.prove("NM-01", sekisho_kernel::claim::Verdict::Holds);
    let admin = house.admin().await;
    let all = admin.get("/api/v1/claims").await;
    let claims = all.body["claims"].as_array().expect("claims");
    assert_eq!(claims.len(), 216);
    let of = |id: &str| claims.iter().find(|c| c["id"] == id).map(|c| c["verdict"].as_str().expect("a verdict"));
    assert_eq!((of("NM-01"), of("NM-02"), of("NM-08")), (Some("holds"), Some("not proven"), Some("not kept yet")));
    let held = admin.get("/api/v1/claims?verdict=holds").await;
    assert_eq!(held.body["claims"].as_array().map(Vec::len), Some(1));
    assert_eq!(admin.get("/api/v1/claims/NM-01").await.body["steps"], json!([]));
    assert_eq!(admin.get("/api/v1/claims/NM-99").await.status, 404);
    let catalogue = admin.get("/api/v1/catalogue").await;
    assert!(catalogue.body["items"].as_array().expect("rows").iter().any(|r| r["name"] == "user_account"));
}

#[tokio::test]
async fn a_second_factor_from_the_qr_code_to_the_sign_in() {
    let house = House::new().await;
    let admin = house.admin().await;
    let made = admin.json("POST", "/api/v1/me/factors", &json!({})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(made.body["qr_svg"].as_str().expect("a picture").contains("<svg"));
    let secret = crate::house::secret(made.body["secret"].as_str().expect("a secret"));
    let code = || sekisho_identity::totp::code(&secret, sekisho_kernel::Clock::now(&house.clock)).expect("a code");
    let path = format!("/api/v1/me/factors/{}", made.body["id"].as_str().expect("an id"));
    let confirmed = admin.json("POST", &format!("{path}/confirm"), &json!({ "code": code() })).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let recovery = confirmed.body["recovery_codes"][0].as_str().expect("a code").to_owned();
    house.pass(Duration::from_secs(60));
    let client = house.at("acme");
    let step = client.json("POST", "/api/v1/sign-in", &json!({ "name": "admin", "password": PASSWORD })).await;
    assert_eq!(step.body["state"], "second-factor");
    assert!(step.header("set-cookie").is_empty() && step.body.get("token").is_none());
    let body = json!({ "challenge": step.body["challenge"], "recovery_code": recovery });
    assert_eq!(client.json("POST", "/api/v1/sign-in/factor", &body).await.body["state"], "signed-in");
    let both = json!({ "challenge": step.body["challenge"], "code": "123456", "recovery_code": "x" });
    assert_eq!(client.json("POST", "/api/v1/sign-in/factor", &both).await.status, 400);
}

#[tokio::test]
async fn an_api_token_reaches_its_scope_and_nothing_of_the_persons_own() {
    let house = House::new().await;
    let admin = house.admin().await;
    let new = json!({ "name": "laptop", "rights": ["sites.read"], "networks": ["192.0.2.0/24"], "days": 30, "password": PASSWORD });
    let made = admin.json("POST", "/api/v1/me/tokens", &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.body["token"].as_str().expect("a token").to_owned();
    assert!(!admin.get("/api/v1/me/tokens").await.text.contains(&token), "shown once");
    let bearer = house.at("acme").with("authorization", &format!("Bearer {token}"));
    assert_eq!(bearer.get("/api/v1/sites").await.status, 200);
    assert_eq!(bearer.get("/api/v1/me").await.body["rights"], json!(["sites.read"]));
    assert_eq!(bearer.get("/api/v1/users").await.status, 403);
    assert_eq!(bearer.json("POST", "/api/v1/sites", &json!({ "name": "x" })).await.status, 403);
    for route in routes().iter().filter(|r| r.surface == Surface::Api && r.access == Access::Own && r.name != "readMe")
    {
        let path = route.path.replace("{id}", "ses_0198c2b4000070008000000000000000");
        let (answer, entries) = match route.verb {
            Verb::Get => house.entries(bearer.get(&path)).await,
            verb => house.entries(bearer.json(verb.name(), &path, &json!({}))).await,
        };
        assert_eq!(answer.status, 403, "{route:?} {}", answer.text);
        assert_eq!(entries.len(), 1, "{route:?} {entries:?}");
    }
    let cookie = house.at("acme");
    cookie.set_cookie("__Host-sekisho", &token);
    assert_eq!(cookie.get("/api/v1/sites").await.status, 401, "no browser sends it along");
    assert_eq!(cookie.get("/sites").await.header("location"), "/sign-in");
    let id = made.body["id"].as_str().expect("an id");
    assert_eq!(admin.json("DELETE", &format!("/api/v1/tokens/{id}"), &json!({})).await.status, 204);
    assert_eq!(bearer.get("/api/v1/sites").await.status, 401);
}

#[tokio::test]
async fn a_service_accounts_token_is_issued_on_its_page_and_shown_once() {
    let house = House::new().await;
    let client = house.at("acme").with("accept-language", "en");
    client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    let made = client.form("/users", "/users", &[("name", "robot"), ("type", "user"), ("service", "true")]).await;
    assert_eq!((made.status, made.header("location").starts_with("/users")), (303, true), "{}", made.text);
    let fields = [
        ("user", "robot"),
        ("name", "nightly"),
        ("days", "30"),
        ("networks", "192.0.2.0/24 2001:db8::/32"),
        ("rights", "sites.read"),
    ];
    let issued = client.form("/tokens", "/tokens", &fields).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let token = issued.text.split("value=\"skt_").nth(1).and_then(|r| r.split('"').next()).expect("a token").to_owned();
    let list = client.get("/tokens").await;
    assert!(list.text.contains("nightly") && list.text.contains("192.0.2.0/24") && !list.text.contains(&token));
    let bearer = house.at("acme").with("authorization", &format!("Bearer skt_{token}"));
    assert_eq!(bearer.get("/api/v1/me").await.body["user"]["service"], json!(true));
    let nobody = client.form("/tokens", "/tokens", &[("user", "nobody"), ("name", "x"), ("days", "1")]).await;
    assert_eq!(nobody.status, 400);
    assert!(nobody.text.contains("Nobody has this sign-in name."));
    let own = client
        .form("/account/tokens", "/account/tokens", &[("name", "mine"), ("days", "1"), ("password", "wrong-one")])
        .await;
    assert_eq!(own.status, 403, "{}", own.text);
    assert!(!own.text.contains("wrong-one"));
    let own = client
        .form("/account/tokens", "/account/tokens", &[("name", "mine"), ("days", "1"), ("password", PASSWORD)])
        .await;
    assert!(own.text.contains("value=\"skt_"), "{}", own.text);
}

#[tokio::test]
async fn a_signing_client_from_the_page_to_the_sign_in() {
    let house = House::new().await;
    let client = house.at("acme").with("accept-language", "en");
    client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    let issued = client.form("/clients", "/clients", &[("name", "Portal"), ("note", "")]).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let value = |id: &str| {
        let rest = issued.text.split(&format!("<input id=\"{id}\"")).nth(1).expect("a field");
        rest.split("value=\"").nth(1).and_then(|r| r.split('"').next()).expect("a value").to_owned()
    };
    let (id, key) = (value("client"), value("key"));
    let page = format!("/clients/{id}");
    let none = client.form(&page, &format!("{page}/unique-ids"), &[("user", "nobody"), ("unique_id", "E1")]).await;
    assert_eq!(none.status, 400, "{}", none.text);
    let linked = client.form(&page, &format!("{page}/unique-ids"), &[("user", "admin"), ("unique_id", "E1")]).await;
    assert_eq!(linked.status, 303, "{}", linked.text);
    let shown = client.get(&page).await;
    assert!(shown.text.contains("E1") && !shown.text.contains(&key), "the key is shown once");
    let now = sekisho_kernel::Clock::now(&house.clock).secs();
    let text = format!("sekisho-sign-in-v1\nacme.console.localhost\n{id}\nE1\n{now}\nnonce-of-console-1");
    let signature = {
        use base64::Engine;
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, text.as_bytes()))
    };
    let body = json!({ "client": id, "unique_id": "E1", "timestamp": now, "nonce": "nonce-of-console-1", "signature": signature });
    let stranger = house.at("acme");
    let (done, entries) = house.entries(stranger.json("POST", "/api/v1/sign-in/signature", &body)).await;
    assert_eq!((done.status, &done.body["state"]), (200, &json!("signed-in")), "{}", done.text);
    assert_eq!(entries, ["session.sign_in success"]);
    let (again, entries) = house.entries(stranger.json("POST", "/api/v1/sign-in/signature", &body)).await;
    assert_eq!((again.status, &again.body["code"]), (401, &json!("SK-4030")), "{}", again.text);
    assert_eq!(entries, ["session.sign_in refused"]);
    let stopped = client.form(&page, &page, &[("version", "1"), ("disabled", "true")]).await;
    assert_eq!(stopped.status, 303, "{}", stopped.text);
    assert!(client.get(&page).await.text.contains("Stopped"));
    let key = client.form(&page, &format!("{page}/key"), &[]).await;
    assert_eq!(key.status, 200, "{}", key.text);
    let gone = client.form(&page, &format!("{page}/delete"), &[]).await;
    assert_eq!(gone.header("location"), "/clients?done=deleted", "{}", gone.text);
}
