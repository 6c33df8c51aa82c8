//! Compares verdicts with another engine over the Core Rule Set's corpus, ordinary traffic and mutations of both.
//!
//! `compare FOLDER LEVEL MUTATIONS PROGRAM ARGUMENT…`: FOLDER holds the rule set; PROGRAM runs the other engine with the same
//! rules in blocking mode at paranoia level LEVEL. It reads requests from its standard input, every number a little-endian
//! 32-bit integer and every string preceded by its length: method, target, version without `HTTP/`, number of header fields,
//! names and values, body. It answers each with the status (200 when it lets pass) and a string of rule ids. Some lines of C
//! around Debian's libmodsecurity make such a program.

#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "shared with the tests")]

use sekisho_waf::{Options, wire::Request};
use std::{
    error::Error,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

#[path = "../tests/it/crs.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod crs;
#[path = "../tests/it/ftw.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests")]
mod ftw;
#[path = "../tests/it/traffic.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod traffic;

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn encode(wire: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    put(&wire.method, &mut out);
    put(&wire.target, &mut out);
    put(wire.protocol.strip_prefix(b"HTTP/").unwrap_or(&wire.protocol), &mut out);
    out.extend((wire.headers.len() as u32).to_le_bytes());
    for (name, value) in &wire.headers {
        put(name, &mut out);
        put(value, &mut out);
    }
    put(&wire.body, &mut out);
    out
}

fn number(from: &mut impl Read) -> std::io::Result<usize> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

/// SplitMix64: mutations are the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ z >> 27) % n.max(1) as u64) as usize
    }
}

/// Changes some bytes of the target or the body, keeping the message one that a server takes.
fn mutate(wire: &Request, random: &mut Random) -> Request {
    let mut wire = wire.clone();
    let part = if wire.body.is_empty() || random.below(2) == 0 { &mut wire.target } else { &mut wire.body };
    for _ in 0..=random.below(3) {
        let at = random.below(part.len() + 1).max(1);
        match random.below(3) {
            0 if at < part.len() => {
                part.remove(at);
            }
            1 => part.insert(at.min(part.len()), b"abZ09'\"()<>=;&%+-/._*!"[random.below(22)]),
            _ if at < part.len() && part[at].is_ascii_alphabetic() => part[at] ^= 0x20,
            _ => {}
        }
    }
    let length = wire.body.len().to_string().into_bytes();
    for (name, value) in &mut wire.headers {
        if name.eq_ignore_ascii_case(b"content-length") && !wire.body.is_empty() {
            value.clone_from(&length);
        }
    }
    wire
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: compare FOLDER LEVEL MUTATIONS PROGRAM ARGUMENT…");
    let (folder, level, mutations) = (next()?, next()?, next()?.parse::<usize>()?);
    let program = next()?;
    let folder = Path::new(&folder);
    let rules = crs::load(&crs::ordinary_text(folder), &Options::paranoia(level.parse()?));
    let mut requests: Vec<(String, Request)> =
        ftw::stages(folder).into_iter().filter_map(|s| Some((s.name, s.request?))).collect();
    let mut random = Random(11);
    let count = requests.len();
    for index in 0..mutations {
        let wire = mutate(&requests[random.below(count)].1, &mut random);
        requests.push((format!("mutation {index}"), wire));
    }
    for (index, made) in traffic::traffic(2026, 5_000).into_iter().enumerate() {
        requests.push((format!("ordinary {index} {}", made.kind), made.wire()));
    }
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut stdin, mut stdout) = (child.stdin.take().ok_or("no input")?, child.stdout.take().ok_or("no output")?);
    let requests = Arc::new(requests);
    let sent = Arc::clone(&requests);
    let writer = std::thread::spawn(move || sent.iter().try_for_each(|(_, wire)| stdin.write_all(&encode(wire))));
    let mut out = std::io::stdout();
    let (mut same, mut let_through, mut stricter) = (0, 0, 0);
    for (name, wire) in requests.iter() {
        let status = number(&mut stdout)?;
        let length = number(&mut stdout)?;
        let mut ids = vec![0; length];
        stdout.read_exact(&mut ids)?;
        let mut tx = rules.transaction(&ftw::client());
        wire.examine(&mut tx);
        let ours = tx.verdict().is_some();
        if ours == (status != 200) {
            same += 1;
            continue;
        }
        if ours {
            stricter += 1
        } else {
            let_through += 1
        }
        let seen: Vec<u32> = tx.matches().iter().map(|m| m.rule).collect();
        writeln!(
            out,
            "{name}: {} ours {seen:?} theirs [{}]",
            if ours { "blocked by ours alone" } else { "LET THROUGH" },
            String::from_utf8_lossy(&ids).trim()
        )?;
    }
    writer.join().map_err(|_| "the writer failed")??;
    let total = requests.len();
    writeln!(
        out,
        "{total} requests at level {level}: {same} the same ({:.2} %), {stricter} blocked by ours alone, {let_through} let through by ours alone",
        100.0 * same as f64 / total as f64
    )?;
    Ok(())
}
