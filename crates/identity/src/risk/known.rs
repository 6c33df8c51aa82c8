//! What is known of a person: the browsers and networks of their sign-ins, and where the last one came from.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use ipnet::IpNet;
use sekisho_kernel::Time;
use serde::{Deserialize, Serialize};

use super::{
    judge::{Facts, Travel},
    places::{Place, Spot},
};

/// Most browsers and networks remembered of one person; the one longest unused gives way.
pub const MOST_DEVICES: usize = 16;
/// See [`MOST_DEVICES`]. A telephone that wanders has many.
pub const MOST_NETWORKS: usize = 64;
/// What was not used for so long is forgotten.
pub const REMEMBERED: Duration = Duration::from_secs(180 * 86_400);

/// Something that was used, and when last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// A browser's mark in hex, or a network: `203.0.113.0/24`, `2001:db8:1::/48`, `AS64500`.
    #[serde(rename = "k")]
    pub key: String,
    /// The last sign-in with it.
    #[serde(rename = "t")]
    pub at: Time,
}

/// Where a sign-in came from, and when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// Where.
    pub spot: Spot,
    /// When.
    pub at: Time,
}

/// What is known of one person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Browsers.
    pub devices: Vec<Used>,
    /// Networks.
    pub networks: Vec<Used>,
    /// The last place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Visit>,
}

/// Where somebody comes from, as far as a judgement goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The names of the network, the narrowest first.
    pub networks: Vec<String>,
    /// The place.
    pub spot: Option<Spot>,
}

impl Origin {
    /// Of an address, with what a database knows of it.
    pub fn of(peer: IpAddr, place: &Place) -> Self {
        let mut networks = vec![network(peer).to_string()];
        networks.extend(place.system.map(|n| format!("AS{n}")));
        Self { networks, spot: place.spot }
    }
}

/// The network of an address: its /24, or its /48.
pub fn network(peer: IpAddr) -> IpNet {
    let net = match peer.to_canonical() {
        IpAddr::V4(v4) => IpNet::new(v4.into(), 24),
        IpAddr::V6(v6) => IpNet::new(v6.into(), 48),
    };
    net.map_or_else(|_| IpNet::from(peer), |n| n.trunc())
}

/// The address that one customer has: one of IPv4, a /64 of IPv6.
pub fn customer(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// What stands for no address where there is none.
pub const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn has(used: &[Used], key: &str, now: Time) -> bool {
    used.iter().any(|u| u.key == key && u.at.plus(REMEMBERED) > now)
}

fn note(used: &mut Vec<Used>, key: &str, most: usize, now: Time) {
    used.retain(|u| u.key != key && u.at.plus(REMEMBERED) > now);
    used.insert(0, Used { key: key.to_owned(), at: now });
    used.truncate(most);
}

impl Known {
    /// Whether anything is known at all.
    pub fn nobody(&self) -> bool {
        self.networks.is_empty()
    }

    /// What this person's own past says of a sign-in with the browser `device` from `origin`.
    pub fn facts(&self, device: Option<&str>, origin: &Origin, now: Time) -> Facts {
        let first = self.nobody();
        let new_device = !device.is_some_and(|d| has(&self.devices, d, now));
        let new_network = !origin.networks.iter().any(|n| has(&self.networks, n, now));
        // Networks of one's own may be anywhere: a telephone's exit is often in another town.
        let travel = match (self.last, origin.spot) {
            (Some(last), Some(spot)) if new_network => Some(Travel {
                km: last.spot.apart(spot),
                minutes: u32::try_from(now.since(last.at).as_secs() / 60).unwrap_or(u32::MAX),
            }),
            _ => None,
        };
        Facts { first, new_device, new_network, travel, ..Facts::default() }
    }

    /// Takes in a sign-in that was completed.
    pub fn learn(&mut self, device: Option<&str>, origin: &Origin, now: Time) {
        if let Some(device) = device {
            note(&mut self.devices, device, MOST_DEVICES, now);
        }
        for network in origin.networks.iter().rev() {
            note(&mut self.networks, network, MOST_NETWORKS, now);
        }
        if let Some(spot) = origin.spot {
            self.last = Some(Visit { spot, at: now });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const TOKYO: Spot = Spot { lat: 3_568, lon: 13_969, radius: 20 };
    const OSAKA: Spot = Spot { lat: 3_469, lon: 13_550, radius: 20 };
    const NEW_YORK: Spot = Spot { lat: 4_071, lon: -7_401, radius: 20 };

    fn from(peer: &str, spot: Option<Spot>, system: Option<u32>) -> Origin {
        Origin::of(peer.parse().unwrap(), &Place { spot, system })
    }

    #[test]
    fn addresses_are_known_by_their_network() {
        for (peer, net, who) in [
            ("203.0.113.77", "203.0.113.0/24", "203.0.113.77"),
            ("::ffff:203.0.113.77", "203.0.113.0/24", "203.0.113.77"),
            ("2001:db8:1:2:3::4", "2001:db8:1::/48", "2001:db8:1:2::"),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            assert_eq!(network(peer).to_string(), net);
            assert_eq!(customer(peer).to_string(), who);
        }
    }

    #[test]
    fn what_was_used_is_known_and_what_was_not_is_new() {
        let now = Time::from_secs(1_800_000_000);
        let (home, office) = (from("192.0.2.1", Some(TOKYO), None), from("198.51.100.1", Some(OSAKA), None));
        let mut known = Known::default();
        let facts = known.facts(None, &home, now);
        assert!(facts.first && facts.new_device && facts.new_network && facts.travel.is_none());
        known.learn(Some("d1"), &home, now);
        let facts = known.facts(Some("d1"), &home, now);
        assert_eq!(facts, Facts::default());
        let facts = known.facts(Some("d2"), &office, now.plus(Duration::from_secs(3 * 3_600)));
        assert!(facts.new_device && facts.new_network && !facts.first);
        let travel = facts.travel.unwrap();
        assert!((350..=400).contains(&travel.km) && travel.minutes == 180, "{travel:?}");
        assert!(!travel.impossible(1_000));
        let far = known.facts(Some("d1"), &from("203.0.113.9", Some(NEW_YORK), None), now.plus(DAY / 24));
        assert!(far.travel.unwrap().impossible(1_000));
    }

    #[test]
    fn a_provider_that_is_known_makes_its_other_networks_known() {
        let now = Time::from_secs(1_800_000_000);
        let mut known = Known::default();
        known.learn(None, &from("192.0.2.1", None, Some(64_500)), now);
        assert!(!known.facts(None, &from("198.51.100.1", None, Some(64_500)), now).new_network);
        assert!(known.facts(None, &from("198.51.100.1", None, Some(64_501)), now).new_network);
        assert!(known.facts(None, &from("198.51.100.1", None, None), now).new_network);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_runs_out() {
        let now = Time::from_secs(1_800_000_000);
        let mut known = Known::default();
        for n in 0..300_u32 {
            let at = now.plus(Duration::from_secs(u64::from(n)));
            let peer = IpAddr::from([10, 0, u8::try_from(n % 256).unwrap(), 1]);
            known.learn(Some(&format!("d{n}")), &Origin::of(peer, &Place::default()), at);
        }
        assert_eq!((known.devices.len(), known.networks.len()), (MOST_DEVICES, MOST_NETWORKS));
        assert_eq!(known.devices[0].key, "d299");
        let origin = from("10.0.43.9", None, None);
        assert_eq!(known.facts(Some("d299"), &origin, now.plus(DAY)), Facts::default());
        let late = known.facts(Some("d299"), &origin, now.plus(REMEMBERED).plus(DAY));
        assert!(late.new_device && late.new_network && !late.first);
    }
}
