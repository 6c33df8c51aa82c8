//! Writes a small database in MaxMind's file format, version 2: rehearsals and tests bring their own places.

use std::net::IpAddr;

use ipnet::IpNet;

/// What a network has.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
    /// How far the place may be off, kilometres.
    pub radius: u16,
    /// The number of the autonomous system.
    pub system: u32,
}

/// A node of the tree before it is written: two children, each nothing, a node, or data.
#[derive(Clone, Copy)]
enum Child {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A database of these networks, for IPv4 and IPv6. The first of two that overlap wins.
pub fn database(networks: &[(&str, At)]) -> Vec<u8> {
    let mut nodes = vec![[Child::Nothing; 2]];
    let mut data = Vec::new();
    for (net, at) in networks {
        let Ok(net) = net.parse::<IpNet>() else { continue };
        let (bits, length) = match net.addr() {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), usize::from(net.prefix_len()) + 96),
            IpAddr::V6(v6) => (u128::from(v6), usize::from(net.prefix_len())),
        };
        let offset = data.len();
        entry(&mut data, at);
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                if matches!(nodes[node][side], Child::Nothing) {
                    nodes[node][side] = Child::Data(offset);
                }
                break;
            }
            node = match nodes[node][side] {
                Child::Node(next) => next,
                Child::Data(_) => break,
                Child::Nothing => {
                    nodes.push([Child::Nothing; 2]);
                    nodes[node][side] = Child::Node(nodes.len() - 1);
                    nodes.len() - 1
                }
            };
        }
    }
    let count = nodes.len();
    let mut out = Vec::with_capacity(count * 8 + data.len() + 256);
    for child in nodes.iter().flatten() {
        let record = match child {
            Child::Nothing => count,
            Child::Node(n) => *n,
            Child::Data(offset) => count + 16 + offset,
        };
        out.extend(u32::try_from(record).unwrap_or(u32::MAX).to_be_bytes());
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    metadata(&mut out, u32::try_from(count).unwrap_or(u32::MAX));
    out
}

fn map(out: &mut Vec<u8>, fields: u8) {
    out.push(0b111 << 5 | fields);
}

fn text(out: &mut Vec<u8>, text: &str) {
    let length = text.len().min(28);
    out.push(0b010 << 5 | u8::try_from(length).unwrap_or(0));
    out.extend(&text.as_bytes()[..length]);
}

fn double(out: &mut Vec<u8>, n: f64) {
    out.push(0b011 << 5 | 8);
    out.extend(n.to_be_bytes());
}

fn u16(out: &mut Vec<u8>, n: u16) {
    out.push(0b101 << 5 | 2);
    out.extend(n.to_be_bytes());
}

fn u32(out: &mut Vec<u8>, n: u32) {
    out.push(0b110 << 5 | 4);
    out.extend(n.to_be_bytes());
}

fn entry(out: &mut Vec<u8>, at: &At) {
    map(out, 2);
    text(out, "location");
    map(out, 3);
    text(out, "latitude");
    double(out, at.lat);
    text(out, "longitude");
    double(out, at.lon);
    text(out, "accuracy_radius");
    u16(out, at.radius);
    // Longer names than 28 bytes need a size of their own.
    let name = "autonomous_system_number";
    text(out, name);
    u32(out, at.system);
}

fn metadata(out: &mut Vec<u8>, nodes: u32) {
    map(out, 9);
    text(out, "node_count");
    u32(out, nodes);
    text(out, "record_size");
    u16(out, 32);
    text(out, "ip_version");
    u16(out, 6);
    text(out, "database_type");
    text(out, "Sekisho-Places");
    text(out, "languages");
    // An empty array: an extended type (11) of size 0.
    out.extend([0, 11 - 7]);
    text(out, "binary_format_major_version");
    u16(out, 2);
    text(out, "binary_format_minor_version");
    u16(out, 0);
    text(out, "build_epoch");
    // An unsigned number of 64 bits (extended type 9).
    out.extend([8, 9 - 7]);
    out.extend(1_800_000_000_u64.to_be_bytes());
    text(out, "description");
    map(out, 0);
}
