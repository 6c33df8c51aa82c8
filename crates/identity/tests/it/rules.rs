use std::{net::IpAddr, time::Duration};

use sekisho_controls::{lockout, passwords, sessions};
use sekisho_identity::{
    problems as p,
    types::{AddressRulePatch, NewAddressRule},
};
use sekisho_kernel::{Cx, Right, TakenOut, access::UserType, gate::Gates, hook::Directory, policy::Value};
use serde_json::json;

use crate::house::{House, code, defaults, each, each_under, with};

fn rule(network: &str) -> NewAddressRule {
    NewAddressRule { network: network.into(), note: String::new() }
}

async fn admits(house: &House, peer: &str) -> bool {
    let lists = house.node.addresses(house.tenant).await.expect("lists");
    sekisho_controls::Gates::whole().address(&lists, peer.parse::<IpAddr>().expect("an address")).allows()
}

#[tokio::test]
async fn rules_admit_and_refuse_at_their_exact_edges() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        for network in ["192.0.2.0/25", "2001:db8:1::/48", "::ffff:198.51.100.0/127"] {
            house.tick();
            house.node.create_address_rule(&cx, rule(network)).await.expect("added");
        }
        for inside in [
            "192.0.2.0",
            "192.0.2.127",
            "::ffff:192.0.2.127",
            "2001:db8:1::",
            "2001:db8:1:ffff:ffff:ffff:ffff:ffff",
            "198.51.100.1",
        ] {
            assert!(admits(&house, inside).await, "{inside}");
        }
        for outside in [
            "192.0.1.255",
            "192.0.2.128",
            "::ffff:192.0.2.128",
            "2001:db8:0:ffff:ffff:ffff:ffff:ffff",
            "2001:db8:2::",
            "198.51.100.2",
            "::",
        ] {
            assert!(!admits(&house, outside).await, "{outside}");
        }
        house.tenant("other").await;
        let listed = house.node.address_rules(&cx, Default::default()).await.expect("listed").items;
        let networks: Vec<_> = listed.iter().map(|r| r.network.as_str()).collect();
        assert_eq!(networks, ["192.0.2.0/25", "2001:db8:1::/48", "198.51.100.0/31"]);
    })
    .await;
}

#[tokio::test]
async fn a_rule_never_shuts_out_whoever_sets_it() {
    each(|house| async move {
        let cx = house.admin_cx().await; // from 192.0.2.7
        let problem = house.node.create_address_rule(&cx, rule("198.51.100.0/24")).await.expect_err("refused");
        assert_eq!(problem.kind.code, p::LOCKS_YOU_OUT.code);
        assert!(problem.message(sekisho_kernel::Lang::En).contains("192.0.2.7"));
        assert!(admits(&house, "203.0.113.1").await, "nothing of it stands");
        let own = house.node.create_address_rule(&cx, rule("192.0.2.0/24")).await.expect("added");
        let more = house.node.create_address_rule(&cx, rule("198.51.100.0/24")).await.expect("added");
        let away = AddressRulePatch { network: Some("203.0.113.0/24".into()), note: None };
        let moved = house.node.update_address_rule(&cx, own.id, own.version, away).await;
        assert_eq!(code(moved), p::LOCKS_YOU_OUT.code);
        assert_eq!(code(house.node.delete_address_rule(&cx, own.id, None).await), p::LOCKS_YOU_OUT.code);
        house.node.delete_address_rule(&cx, more.id, Some(more.version)).await.expect("deleted");
        house.node.delete_address_rule(&cx, own.id, None).await.expect("without any rule all may come");
        assert!(admits(&house, "203.0.113.1").await);
        assert_eq!(code(house.node.create_address_rule(&cx, rule("192.0.2.1/24")).await), p::BAD_NETWORK.code);
    })
    .await;
}

async fn set(house: &House, cx: &Cx, key: &str, value: serde_json::Value) -> Result<String, &'static str> {
    let done = house.node.set_policy(cx, key, value).await;
    done.map(|s| s.effective_text).map_err(|p| p.kind.code)
}

#[tokio::test]
async fn a_tenant_tightens_and_never_loosens() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let other = house.second().await;
        assert_eq!(other.effective(house.tenant).await.expect("a policy").span(&sessions::IDLE).as_secs(), 1_800);
        assert_eq!(set(&house, &cx, "sessions.idle", json!("10m")).await.as_deref(), Ok("\"10m\""));
        assert_eq!(set(&house, &cx, "sessions.idle", json!(300)).await.as_deref(), Ok("\"5m\""));
        assert_eq!(set(&house, &cx, "sessions.idle", json!("31m")).await, Err("SK-7103"));
        assert_eq!(set(&house, &cx, "passwords.min_length", json!(11)).await, Err("SK-7103"));
        assert_eq!(set(&house, &cx, "passwords.min_length", json!(16)).await.as_deref(), Ok("16"));
        assert_eq!(set(&house, &cx, "lockout.known_device", json!(true)).await, Err("SK-7103"), "fixed");
        assert_eq!(set(&house, &cx, "sessions.idel", json!("1m")).await, Err(p::UNKNOWN_SETTING.code));
        assert!(set(&house, &cx, "sessions.idle", json!({"a": 1})).await.is_err());
        let effective = house.effective().await;
        assert_eq!((effective.span(&sessions::IDLE).as_secs(), effective.int(&passwords::MIN_LENGTH)), (300, 16));
        // On the other node within a second, and nowhere in another tenant.
        let heard = tokio::time::timeout(Duration::from_secs(5), async {
            while other.effective(house.tenant).await.expect("a policy").span(&sessions::IDLE).as_secs() != 300 {
                tokio::task::yield_now().await;
            }
        });
        heard.await.expect("heard");
        let (stranger, _) = house.tenant("other").await;
        assert_eq!(house.node.effective(stranger).await.expect("a policy").span(&sessions::IDLE).as_secs(), 1_800);
        let view = house.node.policy(&cx).await.expect("a policy");
        let idle = view.settings.iter().find(|s| s.key == "sessions.idle").expect("listed");
        assert_eq!((idle.platform_text.as_str(), idle.tenant_text.as_deref()), ("\"30m\"", Some("\"5m\"")));
        assert_eq!((idle.movement, idle.kind, idle.effective.clone()), ("min", "span", json!(300)));
        assert!(view.settings.iter().all(|s| s.key != "passwords.breached_list"), "no paths of the provider's");
        assert_eq!(set(&house, &cx, "passwords.breached_list", json!("x")).await, Err(p::UNKNOWN_SETTING.code));
        assert_eq!(code(house.node.clear_policy(&cx, "passwords.breached_list").await), p::UNKNOWN_SETTING.code);
        assert_eq!(house.node.clear_policy(&cx, "sessions.idle").await.expect("cleared").effective_text, "\"30m\"");
        let taro = house.person(&cx, "taro", UserType::Approver, None).await;
        assert!(!taro.kind.rights().has(Right::POLICY_WRITE));
        assert_eq!(set(&house, &house.cx("taro").await, "sessions.idle", json!("5m")).await, Err("SK-0004"));
    })
    .await;
}

#[tokio::test]
async fn without_the_floor_a_tenant_loosens() {
    each_under(defaults(), Some(TakenOut::PolicyFloor), |house| async move {
        let cx = house.admin_cx().await;
        assert_eq!(set(&house, &cx, "sessions.idle", json!("60m")).await.as_deref(), Ok("\"1h\""));
        assert_eq!(house.effective().await.span(&sessions::IDLE).as_secs(), 3_600);
    })
    .await;
}

#[tokio::test]
async fn a_new_platform_policy_holds_from_the_next_request_on() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        set(&house, &cx, "lockout.tries", json!(2)).await.expect("set");
        assert_eq!(house.effective().await.int(&lockout::TRIES), 2);
        house.node.reload(std::sync::Arc::new(with(&lockout::TRIES, Value::Int(1))));
        assert_eq!(house.effective().await.int(&lockout::TRIES), 1);
        house.node.reload(std::sync::Arc::new(with(&lockout::TRIES, Value::Int(5))));
        assert_eq!(house.effective().await.int(&lockout::TRIES), 2, "the tenant's own is kept as it was given");
    })
    .await;
}
