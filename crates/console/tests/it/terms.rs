//! The terms of use: asked for before anything else, accepted by version, asked for again when they change.

use sekisho_controls::terms::VERSION;
use sekisho_kernel::policy::{Policy, Value};
use serde_json::json;
use std::sync::Arc;

use crate::house::{House, PASSWORD};

fn in_force(house: &House, version: &str) {
    let policy = Policy::defaults(&sekisho_controls::schema()).with(&VERSION, Value::Str(version.into()));
    house.identity.reload(Arc::new(policy));
}

#[tokio::test]
async fn nobody_goes_on_before_accepting_the_version_in_force() {
    let house = House::new().await;
    let admin = house.admin().await;
    assert_eq!(admin.get("/api/v1/me").await.status, 200);
    assert!(!admin.get("/api/v1/me/terms").await.body["due"].as_bool().expect("a flag"), "none are in force");

    in_force(&house, "2026-04-01");
    for (method, path) in [("GET", "/api/v1/me"), ("GET", "/api/v1/users"), ("PUT", "/api/v1/me/password")] {
        let answer = admin.json(method, path, &json!({"current": PASSWORD, "new": "another good one"})).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("SK-0008")), "{path}: {}", answer.text);
    }
    let question = admin.get("/api/v1/me/terms").await;
    assert_eq!(question.body["version"], "2026-04-01");
    assert_eq!(question.body["due"], true);
    let other = admin.json("POST", "/api/v1/me/terms", &json!({"accept": "2025-04-01"})).await;
    assert_eq!(other.status, 409, "{}", other.text);

    let given = json!({"accept": "2026-04-01"});
    let accepting = admin.json("POST", "/api/v1/me/terms", &given);
    let (accepted, entries) = house.entries(accepting).await;
    assert_eq!((accepted.status, accepted.body["due"].as_bool()), (200, Some(false)), "{}", accepted.text);
    assert_eq!(entries, ["terms.accept success"]);
    let me = admin.get("/api/v1/me").await;
    assert_eq!((me.status, &me.body["user"]["terms"]["version"]), (200, &json!("2026-04-01")));

    in_force(&house, "2027-04-01");
    assert_eq!(admin.get("/api/v1/me").await.status, 403, "a new version asks again");
    assert_eq!(admin.json("POST", "/api/v1/sign-out", &json!({})).await.status, 200, "one may always leave");
}

#[tokio::test]
async fn a_browser_is_led_to_the_question_and_back_to_where_it_wanted() {
    let house = House::new().await;
    in_force(&house, "2026-04-01");
    let browser = house.at("acme");
    browser.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    let led = browser.get("/users?limit=5").await;
    assert_eq!((led.status, led.header("location")), (303, "/terms"));
    let page = browser.get("/terms").await;
    assert!(page.status == 200 && page.text.contains("2026-04-01"), "{}", page.text);

    in_force(&house, "2026-10-01");
    let stale = browser.form("/terms", "/terms", &[("accept", "2026-04-01")]).await;
    assert_eq!((stale.status, stale.header("location")), (303, "/terms"), "what was read is in force no more");
    assert_eq!(browser.get("/users?limit=5").await.status, 303);

    let back = browser.form("/terms", "/terms", &[("accept", "2026-10-01")]).await;
    assert_eq!((back.status, back.header("location")), (303, "/users?limit=5"));
    assert_eq!(browser.get("/users").await.status, 200);
    assert_eq!(browser.get("/terms").await.header("location"), "/", "nothing is asked any more");
}

#[tokio::test]
async fn a_token_is_as_far_as_its_person_and_a_service_is_not_asked() {
    let house = House::new().await;
    let admin = house.admin().await;
    let service = admin.json("POST", "/api/v1/users", &json!({"name": "robot", "type": "user", "service": true})).await;
    let wanted = json!({"name": "sync", "rights": ["application.use"], "days": 30, "user": service.body["id"]});
    let robot = admin.json("POST", "/api/v1/tokens", &wanted).await;
    let wanted = json!({"name": "sync", "rights": ["application.use"], "days": 30, "password": PASSWORD});
    let mine = admin.json("POST", "/api/v1/me/tokens", &wanted).await;
    let bearer = |answer: &crate::house::Answer| {
        let token = answer.body["token"].as_str().unwrap_or_else(|| panic!("a token: {}", answer.text));
        house.at("acme").with("authorization", &format!("Bearer {token}"))
    };
    let (robot, mine) = (bearer(&robot), bearer(&mine));
    in_force(&house, "2026-04-01");
    assert_eq!(robot.get("/api/v1/me").await.status, 200);
    assert_eq!(mine.get("/api/v1/me").await.status, 403);
    admin.json("POST", "/api/v1/me/terms", &json!({"accept": "2026-04-01"})).await;
    assert_eq!(mine.get("/api/v1/me").await.status, 200);
}
