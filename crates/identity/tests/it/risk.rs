//! Staged sign-ins: what is judged, what follows, what is entered, and what nobody can tell.

use std::time::Duration;

use sekisho_controls::{adaptive as control, lockout};
use sekisho_identity::{
    risk::writer::{At, database},
    totp,
    types::{Browser, FactorProof, RiskDecision, RiskQuery, RiskReplay, SignInStep},
};
use sekisho_kernel::{
    Policy, Problem,
    access::UserType,
    hook::Knock,
    policy::{Setting, Value},
};
use serde_json::json;

use crate::{
    house::{House, PASSWORD, code, defaults, done, each, each_under, one_under, secret, with},
    sign_in::{challenge, enrol},
};

const HOME: &str = "192.0.2.7";
const ELSEWHERE: &str = "203.0.113.9";
const HOUR: Duration = Duration::from_secs(3_600);

/// A browser with a cookie jar.
#[derive(Default)]
struct Jar(Browser);

impl Jar {
    fn fresh() -> Self {
        Self(Browser { agent: "Test/2.0".into(), device: None })
    }

    async fn try_from(&mut self, house: &House, name: &str, password: &str, peer: &str) -> Result<SignInStep, Problem> {
        house.tick();
        let knock = Knock { peer: peer.parse().unwrap(), ..house.here().await };
        let step = house.node.sign_in(&knock, &self.0, name, secret(password)).await;
        self.keep(&step);
        step
    }

    async fn from(&mut self, house: &House, name: &str, peer: &str) -> &'static str {
        came_to(&self.try_from(house, name, PASSWORD, peer).await)
    }

    fn keep(&mut self, step: &Result<SignInStep, Problem>) {
        if let Ok(SignInStep::SignedIn(done)) = step {
            self.0.device = done.device.clone().or_else(|| self.0.device.take());
        }
    }

    async fn again(
        &mut self,
        house: &House,
        step: Result<SignInStep, Problem>,
        password: &str,
        peer: &str,
    ) -> Result<SignInStep, Problem> {
        house.tick();
        let c = challenge(step);
        let knock = Knock { peer: peer.parse().unwrap(), ..house.here().await };
        let step = house.node.sign_in_again(&knock, &self.0, &c, secret(password)).await;
        self.keep(&step);
        step
    }
}

fn came_to(step: &Result<SignInStep, Problem>) -> &'static str {
    match step {
        Ok(SignInStep::SignedIn(_)) => "in",
        Ok(SignInStep::PasswordAgain(_)) => "again",
        Ok(SignInStep::SecondFactor(_)) => "factor",
        Ok(_) => "other",
        Err(p) => p.kind.code,
    }
}

/// A person who has signed in from home.
async fn taro(house: &House) -> Jar {
    let cx = house.admin_cx().await;
    house.person(&cx, "taro", UserType::User, None).await;
    let mut jar = Jar::fresh();
    assert_eq!(jar.from(house, "taro", HOME).await, "in");
    jar
}

async fn decisions(house: &House) -> Vec<RiskDecision> {
    let cx = house.admin_cx().await;
    house.node.risk_decisions(&cx, RiskQuery { limit: 200, ..RiskQuery::default() }).await.expect("decisions").0
}

fn path(setting: &'static Setting, file: &std::path::Path) -> Policy {
    with(setting, Value::Str(file.display().to_string()))
}

#[tokio::test]
async fn a_new_browser_in_a_new_network_is_asked_for_the_password_again_and_is_known_then() {
    each(|house| async move {
        let mut own = taro(&house).await;
        assert_eq!(own.from(&house, "taro", ELSEWHERE).await, "in", "the browser is known");
        assert_eq!(Jar::fresh().from(&house, "taro", HOME).await, "in", "the network is known");
        let (mut new, at) = (Jar::fresh(), "198.51.100.4");
        let step = new.try_from(&house, "taro", PASSWORD, at).await;
        assert_eq!(came_to(&step), "again");
        let wrong = new.try_from(&house, "taro", PASSWORD, at).await;
        assert_eq!(code(new.again(&house, wrong, "wrong", at).await), "SK-4001");
        assert_eq!(came_to(&new.again(&house, step, PASSWORD, at).await), "in");
        assert_eq!(new.from(&house, "taro", at).await, "in", "it is known now");
        // The newest first: what was seen is told with its reasons.
        let all = decisions(&house).await;
        let asked = all.iter().find(|d| d.action == "step_up").expect("a step-up");
        assert_eq!((asked.score, asked.reasons.join(" ")), (40, "new-device new-network".to_owned()));
        assert_eq!(asked.address, at);
    })
    .await;
}

#[tokio::test]
async fn whoever_has_a_second_factor_is_asked_for_that() {
    each(|house| async move {
        let mut own = taro(&house).await;
        let cx = house.cx("taro").await;
        let (shared, _) = enrol(&house, &cx).await;
        for (jar, peer) in [(&mut own, HOME), (&mut Jar::fresh(), ELSEWHERE)] {
            let step = jar.try_from(&house, "taro", PASSWORD, peer).await;
            assert_eq!(came_to(&step), "factor");
            house.pass(Duration::from_secs(60));
            let proof = FactorProof::Code(secret(&totp::code(&shared, house.now()).unwrap()));
            let knock = Knock { peer: peer.parse().unwrap(), ..house.here().await };
            done(house.node.sign_in_factor(&knock, &jar.0, &challenge(step), proof).await);
        }
    })
    .await;
}

#[tokio::test]
async fn a_listed_address_is_refused_as_a_wrong_password_is() {
    let listed = with(&control::LISTED, Value::Networks(vec!["203.0.113.0/24".parse().unwrap()]));
    each_under(listed, None, |house| async move {
        let mut own = taro(&house).await;
        let (hashes, statements, entries) = house.node.counts().read();
        assert_eq!(code(own.try_from(&house, "taro", "wrong", ELSEWHERE).await), "SK-4001");
        let (h, s, e) = house.node.counts().read();
        let wrong = (h - hashes, s - statements, e - entries);
        let problem = own.try_from(&house, "taro", PASSWORD, ELSEWHERE).await.expect_err("refused");
        assert_eq!(
            format!("{problem:?}"),
            format!("{:?}", Problem::new(&sekisho_identity::problems::SIGN_IN_FAILED)),
            "the answer says nothing"
        );
        let (h2, s2, e2) = house.node.counts().read();
        assert_eq!((h2 - h, s2 - s, e2 - e), wrong, "hashes, statements and entries are those of a wrong password");
        let rows = house.history().await;
        let last = rows.last().expect("an entry");
        let detail = |name: &str| last.detail.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!((last.event.as_str(), last.outcome.name()), ("session.sign_in", "refused"));
        assert_eq!(detail("reason"), Some("risk"));
        assert_eq!(detail("risk_reasons"), Some("new-network listed-address"));
        // It counts as any failure does: the third locks.
        assert_eq!(code(own.try_from(&house, "taro", PASSWORD, ELSEWHERE).await), "SK-4001");
        assert_eq!(own.from(&house, "taro", HOME).await, "SK-4001");
        assert_eq!(house.history().await.iter().filter(|r| r.event == "account.lock").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn refusals_for_risk_are_never_folded_into_a_count() {
    let tries = with(&lockout::TRIES, Value::Int(100))
        .with(&control::LISTED, Value::Networks(vec!["203.0.113.0/24".parse().unwrap()]));
    let house = one_under(tries, None).await;
    let mut own = taro(&house).await;
    for _ in 0..15 {
        assert!(own.try_from(&house, "taro", "wrong", ELSEWHERE).await.is_err());
    }
    for _ in 0..15 {
        assert!(own.try_from(&house, "taro", PASSWORD, ELSEWHERE).await.is_err());
    }
    let blocked = decisions(&house).await.iter().filter(|d| d.action == "block").count();
    assert_eq!(blocked, 15, "a right password stands behind each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_names_from_one_address_are_spraying_over_tenants_and_nodes() {
    each(|house| async move {
        let other = house.second().await;
        house.tenant("globex").await;
        let cx = house.admin_cx().await;
        for name in ["taro", "jiro"] {
            house.person(&cx, name, UserType::User, None).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..10 {
            let word = if n % 2 == 0 { "acme" } else { "globex" };
            let node = if n % 3 == 0 { other.clone() } else { house.node.clone() };
            let knock = Knock { peer: ELSEWHERE.parse().unwrap(), ..house.knock_at(word).await };
            tasks.spawn(async move {
                node.sign_in(&knock, &Browser::default(), &format!("guess{n}"), secret("x")).await.map(drop)
            });
        }
        while let Some(one) = tasks.join_next().await {
            assert_eq!(code(one.unwrap()), "SK-4001");
        }
        assert_eq!(Jar::fresh().from(&house, "taro", ELSEWHERE).await, "SK-4001", "the right password is of no use");
        assert_eq!(Jar::fresh().from(&house, "taro", HOME).await, "in", "elsewhere nobody is to blame");
        // Nobody's name or address is stored in the clear.
        assert_eq!(
            house.count("SELECT COUNT(*) FROM risk_mark WHERE length(address) <> 16 OR length(name) <> 16").await,
            0
        );
        assert_eq!(house.count("SELECT COUNT(*) FROM risk_mark").await, 12);
        // An hour after the last of it, nothing is counted any more, and the books are swept.
        house.pass(HOUR + HOUR);
        assert_eq!(Jar::fresh().from(&house, "jiro", ELSEWHERE).await, "in");
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM risk_mark").await, 0);
    })
    .await;
}

#[tokio::test]
async fn slips_of_colleagues_behind_one_address_are_forgiven() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        for n in 0..14 {
            let name = format!("person{n}");
            house.person(&cx, &name, UserType::User, None).await;
            let mut own = Jar::fresh();
            assert!(own.try_from(&house, &name, "a slip", HOME).await.is_err());
            assert_eq!(own.from(&house, &name, HOME).await, "in", "{name}");
        }
        assert_eq!(house.count("SELECT COUNT(*) FROM risk_mark").await, 0);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_in_two_places_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("places.mmdb");
    let tokyo = At { lat: 35.68, lon: 139.69, radius: 20, system: 64_500 };
    let new_york = At { lat: 40.71, lon: -74.01, radius: 20, system: 64_501 };
    std::fs::write(&file, database(&[("192.0.2.0/24", tokyo), ("203.0.113.0/24", new_york)])).unwrap();
    each_under(path(&control::LOCATION_DB, &file), None, |house| async move {
        let mut own = taro(&house).await;
        house.pass(HOUR);
        assert_eq!(own.from(&house, "taro", ELSEWHERE).await, "again", "the person's own browser, far away");
        assert_eq!(Jar::fresh().from(&house, "taro", ELSEWHERE).await, "SK-4001", "another one, as far away");
        house.pass(13 * HOUR);
        assert_eq!(own.from(&house, "taro", ELSEWHERE).await, "in", "by now one can have flown");
        let all = decisions(&house).await;
        let blocked = all.iter().find(|d| d.action == "block").expect("one blocked");
        assert_eq!(blocked.reasons.join(" "), "new-device new-network impossible-travel");
        assert!(blocked.facts.travel.is_some_and(|t| (10_700..10_900).contains(&t.km)), "{:?}", blocked.facts);
    })
    .await;
}

#[tokio::test]
async fn without_its_data_the_policy_decides_and_says_so() {
    let missing = std::path::Path::new("/nonexistent/places.mmdb");
    for (word, wanted) in [("step_up", "again"), ("allow", "in")] {
        let policy = path(&control::LOCATION_DB, missing).with(&control::WITHOUT_LOCATION, Value::Str(word.into()));
        let house = one_under(policy, None).await;
        let mut jar = Jar::fresh();
        assert_eq!(jar.from(&house, "admin", HOME).await, wanted);
    }
}

#[tokio::test]
async fn a_rule_that_only_watches_stops_nobody() {
    let watch = with(&control::MODE, Value::Str("watch".into()))
        .with(&control::LISTED, Value::Networks(vec!["203.0.113.0/24".parse().unwrap()]));
    let house = one_under(watch, None).await;
    let mut own = taro(&house).await;
    assert_eq!(own.from(&house, "taro", ELSEWHERE).await, "in");
    let all = decisions(&house).await;
    let watched = all.iter().find(|d| d.advised == "block").expect("a decision");
    assert_eq!(watched.action, "allow");
}

#[tokio::test]
async fn switched_off_nothing_is_judged_and_no_cookie_is_set() {
    let house = one_under(with(&control::MODE, Value::Str("off".into())), None).await;
    let signed = done(Jar::fresh().try_from(&house, "admin", PASSWORD, HOME).await);
    assert!(signed.device.is_none());
    assert_eq!(house.count("SELECT COUNT(*) FROM risk_profile").await, 0);
    assert!(house.history().await.iter().all(|r| r.detail.iter().all(|(n, _)| n != "risk")));
}

#[tokio::test]
async fn a_step_that_nobody_finished_is_remembered_for_a_while() {
    each(|house| async move {
        let mut own = taro(&house).await;
        assert_eq!(Jar::fresh().from(&house, "taro", ELSEWHERE).await, "again");
        // The person's own browser from a third network would be let in; just after that it is not.
        assert_eq!(own.from(&house, "taro", "198.51.100.4").await, "again");
        assert_eq!(own.from(&house, "taro", HOME).await, "in", "whoever comes as ever is not asked");
        assert_eq!(own.from(&house, "taro", "198.51.100.4").await, "in", "and that ends it");
        assert_eq!(Jar::fresh().from(&house, "taro", ELSEWHERE).await, "again");
        house.pass(HOUR);
        assert_eq!(own.from(&house, "taro", "198.51.100.200").await, "in", "it runs out");
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM risk_state").await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_further_step_holds_where_it_is_and_where_it_goes() {
    let block = with(&control::WITHOUT_FACTOR, Value::Str("block".into()));
    let house = one_under(block, None).await;
    taro(&house).await;
    assert_eq!(Jar::fresh().from(&house, "taro", ELSEWHERE).await, "SK-4001", "there is no factor to ask for");
    // A challenge that is carried to a listed address is worth nothing there.
    let listed = with(&control::LISTED, Value::Networks(vec!["198.51.100.0/24".parse().unwrap()]));
    let house = one_under(listed, None).await;
    taro(&house).await;
    let mut new = Jar::fresh();
    let step = new.try_from(&house, "taro", PASSWORD, ELSEWHERE).await;
    assert_eq!(came_to(&step), "again");
    assert_eq!(code(new.again(&house, step, PASSWORD, "198.51.100.9").await), "SK-4001");
    // And one challenge is no way to guess: each try takes its place.
    let step = new.try_from(&house, "taro", PASSWORD, ELSEWHERE).await;
    let c = challenge(step);
    let knock = Knock { peer: ELSEWHERE.parse().unwrap(), ..house.here().await };
    for _ in 0..3 {
        assert_eq!(code(house.node.sign_in_again(&knock, &new.0, &c, secret("wrong")).await), "SK-4001");
    }
    assert_eq!(code(house.node.sign_in_again(&knock, &new.0, &c, secret(PASSWORD)).await), "SK-4001", "locked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_of_one_person_at_the_same_time_all_succeed_and_are_all_learnt() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        let other = house.second().await;
        let mut tasks = tokio::task::JoinSet::new();
        // As many as the lockout lets be evaluated at once.
        for n in 0..3 {
            let node = if n % 2 == 0 { other.clone() } else { house.node.clone() };
            let knock = Knock { peer: format!("192.0.{n}.9").parse().unwrap(), ..house.here().await };
            tasks.spawn(async move { node.sign_in(&knock, &Browser::default(), "taro", secret(PASSWORD)).await });
        }
        let mut ended = Vec::new();
        while let Some(one) = tasks.join_next().await {
            ended.push(came_to(&one.unwrap()));
        }
        assert!(ended.iter().all(|e| *e == "in" || *e == "again"), "{ended:?}");
        assert!(ended.contains(&"in"));
    })
    .await;
}

#[tokio::test]
async fn what_is_known_goes_with_the_account() {
    each(|house| async move {
        taro(&house).await;
        let cx = house.admin_cx().await;
        let query = sekisho_identity::types::UserQuery { name: Some("taro".into()), ..Default::default() };
        let id = house.node.users(&cx, query).await.expect("users").items[0].id;
        assert_eq!(house.count("SELECT COUNT(*) FROM risk_profile").await, 2);
        house.node.delete_user(&cx, id, None).await.expect("deleted");
        assert_eq!(house.count("SELECT COUNT(*) FROM risk_profile").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_link_forgets_the_devices_that_may_have_been_lost() {
    each(|house| async move {
        let mut own = taro(&house).await;
        let cx = house.admin_cx().await;
        let query = sekisho_identity::types::UserQuery { name: Some("taro".into()), ..Default::default() };
        let id = house.node.users(&cx, query).await.expect("users").items[0].id;
        let link = house.node.invite_user(&cx, id).await.expect("a link");
        let new = "another long password";
        house.node.use_link(&house.here().await, &link, secret(new)).await.expect("used");
        let mut fresh = Jar::fresh();
        assert_eq!(came_to(&fresh.try_from(&house, "taro", new, ELSEWHERE).await), "in", "nothing is known");
        assert_eq!(came_to(&own.try_from(&house, "taro", new, HOME).await), "again", "nor is the lost one");
    })
    .await;
}

#[tokio::test]
async fn the_past_is_tried_against_other_settings_before_they_are_applied() {
    let house = one_under(defaults(), None).await;
    let mut own = taro(&house).await;
    for peer in [ELSEWHERE, HOME, HOME] {
        assert_eq!(own.from(&house, "taro", peer).await, "in");
    }
    assert_eq!(Jar::fresh().from(&house, "taro", "198.51.100.4").await, "again");
    let cx = house.admin_cx().await;
    let replay = async |settings: serde_json::Value| {
        let settings = settings.as_object().cloned().unwrap();
        house.node.replay_risk(&cx, RiskReplay { days: 7, settings }).await
    };
    let same = replay(json!({})).await.expect("replayed");
    assert_eq!(same.was, same.would);
    assert!(same.complete && same.changes.is_empty() && same.decisions >= 6, "{same:?}");
    let lower = replay(json!({"adaptive.medium_at": 20})).await.expect("replayed");
    // The known browser from a new network, and the administrator's without a cookie in a known one.
    let changed: Vec<_> = lower.changes.iter().map(|c| (c.was.advised.as_str(), c.new_action.as_str())).collect();
    assert!(!changed.is_empty() && changed.iter().all(|c| *c == ("allow", "step_up")), "{changed:?}");
    assert_eq!(lower.would.step_up, 1 + u32::try_from(changed.len()).unwrap());
    let listed = replay(json!({"adaptive.listed": ["198.51.100.0/24"]})).await.expect("replayed");
    assert_eq!((listed.was.block, listed.would.block), (0, 1));
    for (settings, wanted) in [
        (json!({"adaptive.medium_at": 41}), "SK-7103"),
        (json!({"adaptive.window": "2h"}), "SK-4061"),
        (json!({"sessions.idle": "2m"}), "SK-4061"),
        (json!({"adaptive.nothing": 1}), "SK-4021"),
        (json!({"adaptive.high": "allow"}), "SK-7103"),
    ] {
        assert_eq!(code(replay(settings.clone()).await), wanted, "{settings}");
    }
    // A tenant tightens; nothing was changed by trying.
    assert_eq!(own.from(&house, "taro", "203.0.113.77").await, "in");
    house.node.set_policy(&cx, "adaptive.medium_at", json!(20)).await.expect("set");
    assert_eq!(code(house.node.set_policy(&cx, "adaptive.medium_at", json!(41)).await), "SK-7103");
    assert_eq!(own.from(&house, "taro", "198.51.100.77").await, "again");
    house.node.set_policy(&cx, "adaptive.listed", json!(["192.0.2.0/24"])).await.expect("added to");
    assert_eq!(own.from(&house, "taro", HOME).await, "SK-4001");
}
