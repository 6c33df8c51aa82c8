//! Provisioning by SCIM over HTTPS: people taken in by `/Bulk`, several requests at a time, and some by single POSTs;
//! then lists of few among many.

use std::{sync::Arc, time::Instant};

use sekisho_identity::types::NewConnection;
use sekisho_kernel::world::{Answer, Ask};
use sekisho_prober::client::Client;
use serde_json::{Value, json};

use crate::{
    house::{self, House},
    served::{Served, ToPort},
    table::{Row, count},
};

const PEOPLE: usize = 100_000;
/// Operations of one bulk request.
const BATCH: usize = 500;
/// Requests at a time.
const AT_ONCE: usize = 8;
/// People taken in by single POSTs.
const SINGLY: usize = 5_000;
/// Lists asked for, of each kind.
const LISTS: usize = 2_000;
/// Members of the group.
const MEMBERS: usize = 10;
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// Upstream of nobody: the answers are our own.
const NOBODY: &str = "http://127.0.0.1:9";

/// The identity provider's side.
struct Provider {
    client: Client<ToPort>,
    host: String,
    token: String,
}

impl Provider {
    async fn send(&self, over: usize, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut ask = Ask::new(method, &self.host, &format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .over(u32::try_from(over).unwrap());
        if let Some(body) = body {
            ask = ask.header("content-type", "application/scim+json");
            ask.body = body.to_string().into_bytes();
        }
        let answer = self.client.send(&ask).await.unwrap();
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        answer
    }

    /// Sends what `work` names, `AT_ONCE` at a time; the seconds that it took.
    async fn all(
        self: &Arc<Self>,
        times: usize,
        path: &'static str,
        body: fn(usize) -> Value,
        good: fn(&Answer) -> bool,
    ) -> f64 {
        let start = Instant::now();
        let lanes: Vec<_> = (0..AT_ONCE)
            .map(|lane| {
                let me = self.clone();
                tokio::spawn(async move {
                    for n in (lane..times).step_by(AT_ONCE) {
                        let answer = me.send(lane, "POST", path, Some(&body(n))).await;
                        assert!(good(&answer), "{}", answer.text());
                    }
                })
            })
            .collect();
        for lane in lanes {
            lane.await.unwrap();
        }
        start.elapsed().as_secs_f64()
    }

    /// Milliseconds of each list, and none has fewer or more than `wanted`.
    async fn lists(&self, wanted: usize, filter: impl Fn(usize) -> String) -> Vec<f64> {
        let mut spans = Vec::with_capacity(LISTS);
        for n in 0..LISTS {
            let path = format!("/Users?filter={}", filter(n).replace(' ', "%20").replace('"', "%22"));
            let start = Instant::now();
            let answer = self.send(0, "GET", &path, None).await;
            spans.push(start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(answer.json()["totalResults"], json!(wanted), "{path}");
        }
        spans.sort_by(f64::total_cmp);
        spans
    }
}

/// A person as an identity provider describes them.
fn person(name: &str) -> Value {
    json!({
        "schemas": [USER], "externalId": format!("ext-{name}"), "userName": format!("{name}@bench.example"),
        "active": true, "displayName": "山田 花子", "name": { "familyName": "山田", "givenName": "花子" },
        "emails": [{ "primary": true, "type": "work", "value": format!("{name}@bench.example") }],
        "title": "主任", "preferredLanguage": "ja-JP",
    })
}

fn many(n: usize) -> Value {
    let operation = |k: usize| {
        let name = format!("u{}", n * BATCH + k);
        json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": person(&name) })
    };
    json!({ "schemas": [BULK], "Operations": (0..BATCH).map(operation).collect::<Vec<_>>() })
}

fn single(n: usize) -> Value {
    person(&format!("s{n}"))
}

pub fn measure() -> Vec<Row> {
    let dir = tempfile::tempdir_in("target").unwrap();
    let data = dir.path().join("data");
    let (host, token) = house::runtime().block_on(async {
        let house = House::open(&data, house::policy(&[])).await;
        let tenant = house.tenant("acme").await;
        let (_, passage) = house.sign_in(&tenant).await;
        let new = NewConnection { name: "Bench".into(), networks: Vec::new(), days: 30, subject_provider: None };
        let made = house.identity.create_connection(&passage.cx, new).await.unwrap();
        house.store.close();
        (tenant.console, made.text.reveal().clone())
    });
    let served = Served::start(&data, NOBODY, None, "");
    house::runtime().block_on(async {
        let provider = Arc::new(Provider { client: served.client(), host, token });
        let singly = provider.all(SINGLY, "/Users", single, |answer| answer.status == 201).await;
        let bulk = provider.all(PEOPLE / BATCH, "/Bulk", many, |answer| {
            let answer = answer.json();
            let operations = answer["Operations"].as_array().map_or(&[][..], Vec::as_slice);
            operations.len() == BATCH && operations.iter().all(|o| o["status"] == "201")
        });
        let bulk = bulk.await;
        let group = group(&provider).await;
        let by_group = provider.lists(MEMBERS, |_| format!("groups eq \"{group}\"")).await;
        let by_name = provider.lists(1, |n| format!("userName eq \"u{}@bench.example\"", n * 7_919 % PEOPLE)).await;
        let people = format!("{} people, over HTTPS, one request at a time", count((PEOPLE + SINGLY) as f64));
        let list = |what, spans: &[f64], bar| {
            let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
            Row {
                what,
                ours: format!("p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99)),
                against: people.clone(),
                result: format!("p99 {:.2} ms", at(0.99)),
                bar,
            }
        };
        vec![
            Row {
                what: "SCIM, people provisioned by `/Bulk`, 500 a request, 8 requests at a time",
                ours: format!("{} in {bulk:.0} s, {} /s", count(PEOPLE as f64), count(PEOPLE as f64 / bulk)),
                against: format!(
                    "{} by single POSTs, 8 at a time, {} /s",
                    count(SINGLY as f64),
                    count(SINGLY as f64 / singly)
                ),
                result: format!("{bulk:.0} s"),
                bar: "≤ 120 s",
            },
            list("SCIM, list of the ten of a group, filter `groups eq`", &by_group, "≤ 10 ms"),
            list("SCIM, list of one, filter `userName eq`", &by_name, "≤ 10 ms"),
        ]
    })
}

/// A group of some from all over.
async fn group(provider: &Provider) -> String {
    let mut members = Vec::new();
    for n in 0..MEMBERS {
        let filter = format!("/Users?filter=externalId%20eq%20%22ext-u{}%22", n * (PEOPLE / MEMBERS));
        let found = provider.send(0, "GET", &filter, None).await.json();
        members.push(json!({ "value": found["Resources"][0]["id"] }));
    }
    let body = json!({ "schemas": [GROUP], "displayName": "Ten", "members": members });
    let made = provider.send(0, "POST", "/Groups", Some(&body)).await.json();
    made["id"].as_str().unwrap().to_owned()
}
