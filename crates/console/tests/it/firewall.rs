//! The firewall's routes and pages on the real engines.

use serde_json::json;

use crate::{forms::browser, house::House};

#[tokio::test]
async fn the_rule_set_its_age_and_what_holds_are_shown() {
    let house = House::new().await;
    let admin = house.admin().await;
    let state = admin.get("/api/v1/firewall").await;
    assert_eq!(state.status, 200, "{}", state.text);
    assert_eq!((&state.body["mode"], &state.body["paranoia"]), (&json!("on"), &json!(1)));
    let set = &state.body["rule_set"];
    assert_eq!((&set["origin"], &set["version"]), (&json!("base"), &json!(0)));
    assert!(set["rules"].as_u64() > Some(20) && set["tests"].as_u64() > Some(5), "{set}");
    assert!(set["age_seconds"].is_u64() && set["out_of_date"].is_boolean(), "{set}");
    let people = browser(&house).await;
    for path in ["/firewall", "/firewall/try?paranoia=2", "/firewall/exclude?rule=9100110&part=ARGS:q&path=/x"] {
        assert_eq!(people.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_exclusion_is_the_operators_unless_the_policy_says_otherwise() {
    let house = House::new().await;
    let admin = house.admin().await;
    let until = house.day_after(20);
    let body = |part: &str, until: &str| json!({"rule": 9_100_110, "part": part, "path": "/orders", "until": until, "reason": "quotes SQL"});
    let refused = admin.json("POST", "/api/v1/firewall/exclusions", &body("ARGS:q", &until)).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("SK-6020")));
    let wide = admin.json("POST", "/api/v1/firewall/exclusions", &body("ARGS", &until)).await;
    assert_eq!(wide.status, 400, "{}", wide.text);
    let long = admin.json("POST", "/api/v1/firewall/exclusions", &body("ARGS:q", &house.day_after(200))).await;
    assert_eq!(long.status, 400, "{}", long.text);
    // Nor by the policy's own route: only narrow ones are taken, and none counts while none is allowed.
    let loose = json!({"value": [format!("tag attack-sqli at / until {until}: all of it")]});
    assert_eq!(admin.json("PUT", "/api/v1/policy/waf.exclusions", &loose).await.status, 400);
    let page = browser(&house).await.get("/firewall/exclude?rule=9100110&part=ARGS:q&path=/orders").await;
    assert!(page.text.contains("rule 9100110 on ARGS:q at /orders until"), "the line for the operator is shown");
}

#[tokio::test]
async fn a_trial_changes_nothing_and_refuses_what_it_cannot_read() {
    let house = House::new().await;
    let admin = house.admin().await;
    let tried = admin.json("POST", "/api/v1/firewall/replay", &json!({"paranoia": 4, "threshold": 1})).await;
    assert_eq!((tried.status, &tried.body["tried"]), (200, &json!(0)), "{}", tried.text);
    let bad = admin.json("POST", "/api/v1/firewall/replay", &json!({"exclusion": "everything"})).await;
    assert_eq!(bad.status, 400);
    assert_eq!(admin.get("/api/v1/firewall").await.body["paranoia"], json!(1));
}
