//! Addresses at the exact edges of a tenant's lists, and headers that claim another one (DX-04, IDO-40).

use std::net::IpAddr;

use async_trait::async_trait;
use ipnet::IpNet;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::json;

use super::{DX_04, IDO_40};
use crate::probing::{Person, Session, answer::good, browser::Browser, told};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(Edges(&DX_04)), Box::new(Edges(&IDO_40))]
}

struct Edges(&'static ClaimSpec);

/// Networks of documentation addresses (RFC 5737, RFC 3849) in odd and even sizes, down to a single address.
const V4: [&str; 4] = ["198.51.100.16/28", "203.0.113.200/32", "192.0.2.128/25", "198.51.100.252/31"];
const V6: [&str; 4] = ["2001:db8:5::/64", "2001:db8:77::1/128", "2001:db8:8000::/33", "2001:db8:6:8::/61"];

/// First and last address of a network, and the ones right before and after it.
fn edges(net: IpNet) -> ([IpAddr; 2], Vec<IpAddr>) {
    let (first, last) = (net.network(), net.broadcast());
    let step = |at: IpAddr, up: bool| match at {
        IpAddr::V4(a) => {
            let n = u32::from(a);
            (if up { n.checked_add(1) } else { n.checked_sub(1) }).map(|n| IpAddr::from(n.to_be_bytes()))
        }
        IpAddr::V6(a) => {
            let n = u128::from(a);
            (if up { n.checked_add(1) } else { n.checked_sub(1) }).map(|n| IpAddr::from(n.to_be_bytes()))
        }
    };
    ([first, last], [step(first, false), step(last, true)].into_iter().flatten().collect())
}

#[async_trait]
impl Probe for Edges {
    fn spec(&self) -> &'static ClaimSpec {
        self.0
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let nets: Vec<IpNet> = V4.iter().chain(&V6).filter_map(|n| n.parse().ok()).collect();
        // The administrator works from an admitted address, so as not to be shut out.
        let inside = IpAddr::from([198, 51, 100, 20]);
        let mut admin = Person::admin(ours).from(inside);
        let desk = admin.sign_in(world).await?;
        for net in &nets {
            desk.make(world, "/address-rules", &json!({"network": net.to_string(), "note": "probe"})).await?;
        }
        let mut browser = Browser::from(Some(inside));
        browser.keep(&ours.console, "__Host-sekisho", &desk.token);
        let entered = browser.open(world, &ours.application, "/").await?;
        if entered.host != ours.application {
            return Err(Trouble(format!("the application could not be opened: {}", entered.told())));
        }

        for v4 in [true, false] {
            let (admitted, refused, family) = if v4 {
                ("ipv4-edges-admitted", "ipv4-beyond-edges-refused", "IPv4")
            } else {
                ("ipv6-edges-admitted", "ipv6-beyond-edges-refused", "IPv6")
            };
            for net in nets.iter().filter(|n| n.addr().is_ipv4() == v4) {
                let (edge, beyond) = edges(*net);
                let tried = format!("{} and {}, the edges of {net}", edge[0], edge[1]);
                let got = every_way(world, &desk, &browser, &admin, &edge).await?;
                finding.positive(
                    admitted,
                    format!("API, page, application and sign-in at both nodes from {tried}"),
                    "admitted",
                    got.words(),
                    got.refused == 0,
                );
                let beyond: Vec<IpAddr> = beyond.into_iter().filter(|a| !nets.iter().any(|n| n.contains(a))).collect();
                let got = every_way(world, &desk, &browser, &admin, &beyond).await?;
                let tried = beyond.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                finding.forbidden(
                    refused,
                    format!("the same from {tried}, one {family} address beyond {net}"),
                    "refused",
                    got.words(),
                    got.admitted == 0,
                );
            }
        }
        forged(world, finding, &desk, &admin).await?;
        let mut neighbour = Person::admin(theirs).from(IpAddr::from([198, 51, 100, 15]));
        let session = neighbour.sign_in(world).await;
        finding.positive(
            "ipv4-edges-admitted",
            "another organisation, which has no list, signs in from an address that the first one refuses",
            "signed in",
            session.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()),
            session.is_ok(),
        );
        Ok(())
    }
}

/// What came of requests from some addresses.
#[derive(Default)]
struct Seen {
    admitted: usize,
    refused: usize,
    example: String,
}

impl Seen {
    fn add(&mut self, what: &str, from: IpAddr, got: &Answer) {
        if got.status == 403 {
            self.refused += 1;
        } else {
            self.admitted += 1;
        }
        self.example = format!("{what} from {from}: {}", told(got));
    }
    fn words(&self) -> String {
        format!("{} admitted, {} refused; the last: {}", self.admitted, self.refused, self.example)
    }
}

/// The API at both nodes, a page, the application, and a sign-in, from each address. Whatever is not refused for its address
/// counts as admitted, whatever else it is answered.
async fn every_way(
    world: &dyn World,
    desk: &Session,
    browser: &Browser,
    person: &Person,
    from: &[IpAddr],
) -> Result<Seen, Trouble> {
    let mut seen = Seen::default();
    for peer in from {
        for node in [0, 1] {
            let got = world.send(desk.at(node).ask("GET", "/me").peer(*peer)).await?;
            seen.add("the API", *peer, &got);
        }
        let mut browser = browser.clone();
        browser.peer = Some(*peer);
        let got = browser.send(world, Ask::new("GET", &person.console, "/account")).await?;
        seen.add("a page", *peer, &got);
        let got = browser.send(world, Ask::new("GET", &person.application, "/")).await?;
        seen.add("the application", *peer, &got);
        // A wrong password: an admitted address is told so, a refused one is not even asked.
        let nobody = world.marker("nobody");
        let got = world.send(crate::probing::person::knock(&person.console, &nobody, "wrong", Some(*peer))).await?;
        seen.add("a sign-in", *peer, &got);
    }
    Ok(seen)
}

async fn forged(world: &dyn World, finding: &mut Finding, desk: &Session, person: &Person) -> Result<(), Trouble> {
    let (inside, outside) = (IpAddr::from([198, 51, 100, 16]), IpAddr::from([198, 51, 100, 15]));
    let claims = |address: IpAddr| {
        vec![
            ("x-forwarded-for", address.to_string()),
            ("forwarded", format!("for={address};proto=https")),
            ("x-real-ip", address.to_string()),
            ("true-client-ip", address.to_string()),
            ("cf-connecting-ip", address.to_string()),
            ("x-client-ip", address.to_string()),
            ("via", format!("1.1 {address}")),
        ]
    };
    let mut honest = Vec::new();
    for (header, value) in claims(outside) {
        let got = world.send(desk.ask("GET", "/me").peer(inside).header(header, value)).await?;
        honest.push((header, got));
    }
    let bad = honest.iter().find(|(_, a)| !good(a));
    finding.positive(
        "forged-headers-change-nothing",
        format!("from {inside}, which is admitted, with each of {} headers claiming {outside}", honest.len()),
        "admitted",
        bad.map_or_else(|| format!("all {} admitted", honest.len()), |(h, a)| format!("with {h}: {}", told(a))),
        bad.is_none(),
    );
    let mut lies = Vec::new();
    for (header, value) in claims(inside) {
        let got = world.send(desk.ask("GET", "/me").peer(outside).header(header, value.clone())).await?;
        lies.push((header, got));
        let knock = person.knock(&person.password).peer(outside).header(header, value);
        lies.push((header, world.send(knock).await?));
    }
    let through = lies.iter().find(|(_, a)| a.status != 403);
    finding.forbidden(
        "forged-headers-change-nothing",
        format!(
            "from {outside}, which is refused, with each of these headers claiming {inside}: a request and a sign-in"
        ),
        "refused",
        through.map_or_else(|| format!("all {} refused", lies.len()), |(h, a)| format!("with {h}: {}", told(a))),
        through.is_none(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_exact() {
        let (edge, beyond) = edges("198.51.100.16/28".parse().expect("a network"));
        assert_eq!(edge.map(|a| a.to_string()), ["198.51.100.16", "198.51.100.31"]);
        assert_eq!(beyond.iter().map(ToString::to_string).collect::<Vec<_>>(), ["198.51.100.15", "198.51.100.32"]);
        let (edge, beyond) = edges("2001:db8:5::/64".parse().expect("a network"));
        assert_eq!(edge[1].to_string(), "2001:db8:5:0:ffff:ffff:ffff:ffff");
        assert_eq!(beyond[0].to_string(), "2001:db8:4:ffff:ffff:ffff:ffff:ffff");
        let (_, beyond) = edges("255.255.255.255/32".parse().expect("a network"));
        assert_eq!(beyond.len(), 1);
    }
}
