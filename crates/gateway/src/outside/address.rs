//! Which addresses are outside: what a tenant's address may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use ipnet::IpNet;
use sekisho_kernel::egress::Unreached;

/// Longest address that is asked.
const LONGEST: usize = 2_048;

/// An https address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Host name in lower case, or an address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query, as written.
    pub path: String,
    /// Host and port as they go into the `Host` field.
    pub authority: String,
}

impl Place {
    /// Parses an https address strictly: no user part, no fragment, printable ASCII, port 443 or one from 1024 on.
    ///
    /// # Errors
    /// Why it may not be asked.
    pub fn parse(text: &str) -> Result<Self, Unreached> {
        let bad = Unreached::Address;
        if text.len() > LONGEST {
            return Err(bad("too long"));
        }
        if !text.starts_with("https://") {
            return Err(bad("not https"));
        }
        if text.contains(['@', '#', '\\']) || !text.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            return Err(bad("malformed"));
        }
        let uri: Uri = text.parse().map_err(|_| bad("malformed"))?;
        let authority = uri.authority().ok_or(bad("malformed"))?;
        let port = match authority.port() {
            Some(port) => port.as_str().parse().map_err(|_| bad("malformed"))?,
            None if authority.as_str() != authority.host() => return Err(bad("malformed")),
            None => 443,
        };
        if port != 443 && port < 1_024 {
            return Err(bad("port"));
        }
        let host = match authority.host().strip_prefix('[') {
            Some(rest) => {
                let v6 = rest.strip_suffix(']').and_then(|v6| v6.parse::<Ipv6Addr>().ok());
                v6.ok_or(bad("malformed"))?.to_string()
            }
            None => crate::host::name(authority.host()).ok_or(bad("malformed"))?.into_owned(),
        };
        let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        Ok(Self { host, port, path, authority: authority.as_str().to_ascii_lowercase() })
    }
}

/// Refuses the whole name when one of its addresses is inside: which one a client takes is chance.
///
/// # Errors
/// The first address that is inside, or that there is none.
pub fn checked(addresses: &[IpAddr], exceptions: &[IpNet]) -> Result<IpAddr, Unreached> {
    for address in addresses {
        let address = address.to_canonical();
        if !public(address) && !exceptions.iter().any(|net| net.contains(&address)) {
            return Err(Unreached::Inside(address));
        }
    }
    addresses.first().map(IpAddr::to_canonical).ok_or(Unreached::Name)
}

/// Whether an address is a public unicast one (IANA special-purpose registries, RFC 6890). Private, loopback, link-local
/// (cloud metadata included), shared (RFC 6598), documentation, benchmarking, multicast, reserved, and what tunnels IPv4
/// inside IPv6 are not; nor is the one public address that a cloud serves its machines' metadata at.
pub fn public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let inside = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || address == Ipv4Addr::new(168, 63, 129, 16);
    !inside
}

fn public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast is 2000::/3 alone; of it 2001::/23 is special, 2001:db8::/32 and 3fff::/20 documentation, 2002::/16 6to4.
    let global = (0x2000..=0x3fff).contains(&first);
    let special = (first == 0x2001 && (second < 0x200 || second == 0xdb8))
        || first == 0x2002
        || (first == 0x3fff && second < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "192.88.99.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
            "4000::1",
        ] {
            assert!(!public(inside.parse().unwrap()), "{inside}");
        }
        for outside in
            ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.17.0.1", "2001:4860::8888", "2606:4700::1"]
        {
            assert!(public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn one_inside_address_closes_the_name() {
        let list = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(checked(&list(&["1.1.1.1", "2606:4700::1"]), &[]), Ok("1.1.1.1".parse().unwrap()));
        let inside = Unreached::Inside("127.0.0.1".parse().unwrap());
        assert_eq!(checked(&list(&["1.1.1.1", "::ffff:127.0.0.1"]), &[]), Err(inside.clone()));
        assert_eq!(checked(&list(&["127.0.0.1"]), &["10.0.0.0/8".parse().unwrap()]), Err(inside));
        assert_eq!(checked(&list(&["127.0.0.1"]), &["127.0.0.0/8".parse().unwrap()]), Ok("127.0.0.1".parse().unwrap()));
        assert_eq!(checked(&[], &[]), Err(Unreached::Name));
    }

    #[test]
    fn addresses_are_https_and_plain() {
        let place = Place::parse("https://IdP.example:8443/a?b=c").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("idp.example", 8443, "/a?b=c"));
        assert_eq!(Place::parse("https://idp.example").unwrap().path, "/");
        assert_eq!(Place::parse("https://[2606:4700::1]/").unwrap().host, "2606:4700::1");
        for bad in [
            "",
            "http://idp.example/",
            "ftp://idp.example/",
            "https://",
            "https:///x",
            "https://u@idp.example/",
            "https://u:p@idp.example/",
            "https://idp.example/#x",
            "https://idp.example:22/",
            "https://idp.example:0/",
            "https://idp.example:99999/",
            "https://idp.example:/",
            "https://idp.example\\@evil.example/",
            "https://idp.example/ x",
            "https://[::1",
            "https://idp_.example/",
            "https://ïdp.example/",
            "//idp.example/",
            "HTTPS://idp.example/",
            "https://idp.example.:443/",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}
