//! The firewall before the application and before our own pages.

use std::{sync::Mutex, time::Duration};

use http::{StatusCode, header};
use sekisho_kernel::{
    Outcome,
    gate::{FirewallExclusion, FirewallMode, FirewallPath, FirewallResponses, FirewallRule, FirewallRules},
    policy::Value,
};

use crate::{
    client::{ask, empty, full, json, signed, text},
    fakes::{APP, CONSOLE, Entered, FakeGates},
    house::{House, clock, policy, refused_with},
    upstream::Application,
};

const ATTACK: &str = "/orders?q=1%27%20or%20%271%27%3D%271";

fn on() -> FirewallRule {
    FirewallRule {
        mode: FirewallMode::On,
        max_body: 64 << 10,
        refuse_longer: true,
        responses: FirewallResponses::Body,
        ..FirewallRule::off()
    }
}

fn gates(rule: FirewallRule) -> FakeGates {
    FakeGates { firewall: Mutex::new(rule), ..FakeGates::default() }
}

async fn before(application: &Application, rule: FirewallRule) -> House {
    House::with(policy(&application.origin, &[]), gates(rule)).await
}

fn last(house: &House) -> Entered {
    house.journal.entries.lock().unwrap().last().cloned().expect("an entry")
}

fn detail<'a>(entry: &'a Entered, name: &str) -> &'a str {
    entry.detail.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v.as_str())
}

#[tokio::test]
async fn an_attack_is_stopped_entered_and_told_in_both_languages() {
    let application = Application::start().await;
    let house = before(&application, on()).await;
    let request = signed("GET", APP, ATTACK).header(header::ACCEPT, "text/html").header("accept-language", "ja");
    let answer = house.send(APP, request.body(empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let page = text(answer).await;
    for words in ["遮断されました", "looks like an attack", "追跡番号", "SK-5020"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let entry = last(&house);
    assert_eq!((entry.event, entry.outcome, entry.target.as_str()), ("firewall.block", Outcome::Refused, "/orders"));
    assert!(detail(&entry, "rules").starts_with("9100110"), "{entry:?}");
    assert_eq!((detail(&entry, "part"), detail(&entry, "matched")), ("ARGS:q", "1' or '1'='1"));
    assert!(detail(&entry, "score").parse::<u32>().unwrap() >= 5);
    let program = ask("GET", APP, ATTACK).header(header::ACCEPT, "application/json").body(empty()).unwrap();
    let told = json(house.send(APP, program).await).await;
    assert_eq!((told["code"].as_str(), told["trace"].as_str().map(str::len)), (Some("SK-5020"), Some(32)));
    assert_eq!(house.send(APP, signed("GET", APP, "/orders?q=O%27Brien").body(empty()).unwrap()).await.status(), 200);
}

#[tokio::test]
async fn bodies_are_looked_at_and_reach_the_application_whole() {
    let application = Application::start().await;
    let house = before(&application, on()).await;
    let send = |kind: &'static str, body: Vec<u8>| {
        let request = signed("POST", APP, "/notes").header(header::CONTENT_TYPE, kind).body(full(body)).unwrap();
        house.send(APP, request)
    };
    let attack = send("application/json", br#"{"note":"<script>alert(1)</script>"}"#.to_vec()).await;
    assert_eq!(attack.status(), 403);
    let body = format!("note={}", "ordinary+words+".repeat(3_000));
    let passed = json(send("application/x-www-form-urlencoded", body.clone().into_bytes()).await).await;
    assert_eq!(passed["length"].as_u64(), Some(body.len() as u64), "{passed}");
    assert_eq!(send("text/plain", vec![b'a'; 70 << 10]).await.status(), 413);
    let raw = send("text/plain", b"x; cat /etc/passwd".to_vec()).await;
    assert_eq!(raw.status(), 403);
}

#[tokio::test]
async fn longer_bodies_pass_unseen_only_where_the_policy_says_so() {
    let application = Application::start().await;
    let house = before(&application, FirewallRule { refuse_longer: false, ..on() }).await;
    let body = vec![b'a'; 200 << 10];
    let request = signed("POST", APP, "/notes").header(header::CONTENT_TYPE, "text/plain").body(full(body)).unwrap();
    assert_eq!(json(house.send(APP, request).await).await["length"].as_u64(), Some(200 << 10));
}

#[tokio::test]
async fn passwords_and_codes_on_our_own_routes_are_neither_looked_at_nor_written_down() {
    let house = House::with(policy("", &[]), gates(on())).await;
    let form = "name=ann&password=%27%20or%20%271%27%3D%271";
    let sign_in = || ask("POST", CONSOLE, "/sign-in").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = house.send(CONSOLE, sign_in().body(full(form)).unwrap()).await;
    assert_eq!((answer.status(), text(answer).await.ends_with(&form.len().to_string())), (StatusCode::OK, true));
    let attack = house.send(CONSOLE, sign_in().body(full("name=%27%20or%201%3D1--&password=secret-1")).unwrap()).await;
    assert_eq!(attack.status(), 403);
    let token = ask("GET", CONSOLE, "/enter?to=x&code=%27%20or%20%271%27%3D%271").body(empty()).unwrap();
    assert_eq!(house.send(CONSOLE, token).await.status(), 200);
    let entries = format!("{:?}", house.journal.entries.lock().unwrap());
    assert!(!entries.contains("secret-1") && entries.contains("firewall.block"), "{entries}");
}

#[tokio::test]
async fn detection_lets_pass_and_enters() {
    let application = Application::start().await;
    let house = before(&application, FirewallRule { mode: FirewallMode::Detect, ..on() }).await;
    assert_eq!(house.send(APP, signed("GET", APP, ATTACK).body(empty()).unwrap()).await.status(), 200);
    let names: Vec<&str> = house.journal.entries.lock().unwrap().iter().map(|e| e.event).collect();
    assert!(names.contains(&"firewall.detect") && names.contains(&"door.pass"), "{names:?}");
}

#[tokio::test]
async fn paths_and_exclusions_decide_where() {
    let application = Application::start().await;
    let exclusion = |rule, days: u64| FirewallExclusion {
        rules: FirewallRules::Id(rule),
        targets: Some("ARGS:q".into()),
        path: "/orders".into(),
        until: sekisho_kernel::Clock::now(&clock()).plus(Duration::from_secs(days * 86_400)),
        reason: "a test".into(),
        text: format!("{rule} {days}"),
        own: false,
    };
    let rule = FirewallRule {
        paths: vec![FirewallPath { prefix: "/static/".into(), mode: Some(FirewallMode::Off), paranoia: None }],
        exclusions: vec![exclusion(9_100_110, 10), exclusion(9_100_111, 10), exclusion(9_100_121, 1)],
        ..on()
    };
    let house = before(&application, rule).await;
    let get = |path: &str| house.send(APP, signed("GET", APP, path).body(empty()).unwrap());
    assert_eq!(get(ATTACK).await.status(), 200);
    assert_eq!(get("/others?q=1%27%20or%20%271%27%3D%271").await.status(), 403);
    assert_eq!(get("/orders?p=1%27%20or%20%271%27%3D%271").await.status(), 403);
    assert_eq!(get("/static/x?q=%3Cscript%3Ealert(1)%3C/script%3E").await.status(), 200);
    for around in
        ["/static/../others", "/static/%2e%2e/others", "/static//../others", "/static/..;/x", "/static/%252e%252e/x"]
    {
        let path = format!("{around}?q=%3Cscript%3Ealert(1)%3C/script%3E");
        assert_eq!(get(&path).await.status(), 403, "{around} may be another place");
    }
    assert_eq!(get("/st%61tic/x?q=%3Cscript%3Ealert(1)%3C/script%3E").await.status(), 200, "it is the same place");
    house.clock.advance(Duration::from_secs(11 * 86_400));
    assert_eq!(get(ATTACK).await.status(), 403, "an exclusion past its day counts no longer");
}

#[tokio::test]
async fn an_answer_that_tells_too_much_is_withheld() {
    let application = Application::start().await;
    let house = before(&application, on()).await;
    let answer = house.send(APP, signed("GET", APP, "/leak").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(!text(answer).await.contains("SQL syntax"));
    assert_eq!(last(&house).event, "firewall.block");
    let answer = house.send(APP, signed("GET", APP, "/page").body(empty()).unwrap()).await;
    assert_eq!((answer.status(), text(answer).await.as_str()), (StatusCode::OK, "<html>an ordinary page</html>"));
}

#[tokio::test]
async fn rules_of_ones_own_join_the_set_and_a_broken_set_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.conf");
    std::fs::write(&file, "SecRule ARGS \"@contains forbidden-word\" \"id:1,phase:2,deny,status:403,msg:'own'\"\n")
        .unwrap();
    let own = |rule| FakeGates { rules: Mutex::new(file.display().to_string()), ..gates(rule) };
    let application = Application::start().await;
    let house = House::with(policy(&application.origin, &[]), own(on())).await;
    let get = |path: &str| house.send(APP, signed("GET", APP, path).body(empty()).unwrap());
    assert_eq!(get("/?q=a+forbidden-word").await.status(), 403);
    assert_eq!(get("/?q=a+word").await.status(), 200);
    for broken in ["SecRule ARGS \"@rx (\" \"id:1\"", "SecRule ARGS \"@rx .\" \"id:2,phase:2,deny\"", "SecFoo On"] {
        std::fs::write(&file, broken).unwrap();
        assert_eq!(refused_with(policy("", &[]), own(on())).await, "SK-5022", "{broken}");
    }
}

#[tokio::test]
async fn without_its_firewall_nobody_passes() {
    let application = Application::start().await;
    let house = before(&application, FirewallRule::off()).await;
    assert_eq!(house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await.status(), 200);
    *house.gates.firewall.lock().unwrap() = on();
    // A new snapshot: the rule is asked for again, and there is nothing to look with.
    house.policy.send_replace(policy(&application.origin, &[(&sekisho_gateway::settings::PUBLIC_PORT, Value::Int(1))]));
    assert_eq!(house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await.status(), 503);
}
