//! What pages keep on a device: the module, its key, and what caches are told.

use std::sync::{Mutex, atomic::Ordering};

use http::{StatusCode, header};
use sekisho_kernel::gate::DeviceRule;

use crate::{
    client::{ask, empty, signed, text},
    fakes::{APP, FakeGates},
    house::{House, TOKEN, policy},
    upstream::Application,
};

const KEY: &str = "/.sekisho/device-key";

fn asked(method: &str, site: &str) -> http::request::Builder {
    signed(method, APP, KEY).header("sec-fetch-site", site)
}

#[tokio::test]
async fn the_module_is_for_everybody_and_the_key_for_a_living_session_of_this_host() {
    let house = House::before("").await;
    let module = house.send(APP, ask("GET", APP, "/.sekisho/device.js").body(empty()).unwrap()).await;
    assert_eq!(module.status(), 200);
    assert_eq!(module.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(module.headers()["x-content-type-options"], "nosniff");
    assert!(text(module).await.contains("export function open()"));

    let given = house.send(APP, asked("POST", "same-origin").body(empty()).unwrap()).await;
    assert_eq!(
        (given.status(), &given.headers()[header::CACHE_CONTROL]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    assert_eq!(given.headers()["cross-origin-resource-policy"], "same-origin");
    assert!(text(given).await.ends_with(APP), "the key of this host");
    let alive = house.send(APP, asked("HEAD", "same-origin").body(empty()).unwrap()).await;
    assert_eq!(alive.status(), 204);
    assert_eq!(house.sessions.activity.load(Ordering::SeqCst), 0, "asking prolongs nothing");

    for site in ["cross-site", "same-site", "none"] {
        let refused = house.send(APP, asked("POST", site).body(empty()).unwrap()).await;
        assert_eq!(refused.status(), 403, "{site}");
    }
    let get = house.send(APP, asked("GET", "same-origin").body(empty()).unwrap()).await;
    assert_eq!(get.status(), 405);
    let stranger = ask("POST", APP, KEY).header("sec-fetch-site", "same-origin").body(empty()).unwrap();
    let refused = house.send(APP, stranger).await;
    assert_eq!(refused.status(), 401);
    assert!(!refused.headers().contains_key("clear-site-data"), "who was never in keeps what there is");
    house.sessions.end(TOKEN);
    for method in ["POST", "HEAD"] {
        let over = house.send(APP, asked(method, "same-origin").body(empty()).unwrap()).await;
        assert_eq!(over.status(), 401, "{method}");
        assert_eq!(over.headers()["clear-site-data"], "\"cache\", \"storage\"", "{method}");
    }
}

#[tokio::test]
async fn caches_keep_what_the_rule_lets_them() {
    let application = Application::start().await;
    for (cache, path, wanted) in
        [(true, "/cached", "max-age=60"), (false, "/cached", "no-store"), (false, "/assets/cached", "max-age=60")]
    {
        let rule = DeviceRule { cache, cacheable: vec!["/assets/".into()], wipe: true };
        let gates = FakeGates { device: Mutex::new(rule), ..FakeGates::default() };
        let house = House::with(policy(&application.origin, &[]), gates).await;
        let answer = house.send(APP, signed("GET", APP, path).body(empty()).unwrap()).await;
        assert_eq!(answer.headers()[header::CACHE_CONTROL], wanted, "{cache} {path}");
        assert_eq!(answer.headers().contains_key(header::EXPIRES), wanted != "no-store");
    }
}
