//! Compares verdicts with libmodsecurity's over the Core Rule Set's corpus, mutations of it, and ordinary traffic.
//!
//! `compare FOLDER LEVEL MUTATIONS PROGRAM [RAW]`: FOLDER holds the rule set; PROGRAM is `reference/modsecurity.c`, compiled. Both
//! engines read the same text of rules, blocking, at paranoia level LEVEL. With RAW (`ctl:forceRequestBodyVariable=On`) rules see
//! the raw text of XML bodies too, as libmodsecurity shows it always.

#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "shared with the tests")]

use sekisho_waf::{Options, wire::Request};
use std::{
    collections::BTreeMap,
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
#[path = "../tests/it/protocol.rs"]
mod protocol;
#[path = "../tests/it/traffic.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod traffic;

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

use protocol::{encode, number};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, level, mutations, program, raw @ ..] = arguments.as_slice() else {
        return Err("usage: compare FOLDER LEVEL MUTATIONS PROGRAM [RAW]".into());
    };
    let mutations: usize = mutations.parse()?;
    let folder = Path::new(folder);
    let text = crs::leveled_text(folder, level.parse()?, !raw.is_empty());
    let file = std::env::temp_dir().join(format!("compare-{}.conf", std::process::id()));
    std::fs::write(&file, &text)?;
    let rules = crs::load(&text, &Options::default());
    let mut requests: Vec<(String, Request)> =
        ftw::stages(folder).into_iter().filter_map(|s| Some((s.name, s.request?))).collect();
    let mut random = Random(11);
    let count = requests.len();
    for index in 0..mutations {
        let at = random.below(count);
        let wire = mutate(&requests[at].1, &mut random);
        requests.push((format!("mutation {index} of {}", requests[at].0), wire));
    }
    for (index, made) in traffic::traffic(2026, 5_000).into_iter().enumerate() {
        requests.push((format!("ordinary {index} {}", made.kind), made.wire()));
    }
    let mut child = Command::new(program).arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut stdin, mut stdout) = (child.stdin.take().ok_or("no input")?, child.stdout.take().ok_or("no output")?);
    let requests = Arc::new(requests);
    let sent = Arc::clone(&requests);
    let writer = std::thread::spawn(move || sent.iter().try_for_each(|(_, wire)| stdin.write_all(&encode(wire))));
    let mut out = std::io::stdout();
    let mut counts: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for (name, wire) in requests.iter() {
        let status = number(&mut stdout)?;
        let length = number(&mut stdout)?;
        let mut ids = vec![0; length];
        stdout.read_exact(&mut ids)?;
        let mut tx = rules.transaction(&ftw::client());
        wire.examine(&mut tx);
        let ours = tx.verdict().is_some();
        let part = ["mutation", "ordinary"].into_iter().find(|p| name.starts_with(p)).unwrap_or("corpus");
        let count = counts.entry(part).or_default();
        count[0] += 1;
        count[4] += usize::from(status != 200);
        if ours == (status != 200) {
            count[1] += 1;
            continue;
        }
        count[if ours { 2 } else { 3 }] += 1;
        let seen: Vec<u32> = tx.matches().iter().map(|m| m.rule).collect();
        if std::env::var_os("SHOW").is_some() {
            writeln!(out, "{}", wire.bytes().escape_ascii())?;
        }
        writeln!(
            out,
            "{name}: {} ours {seen:?} theirs [{}]",
            if ours { "blocked by ours alone" } else { "blocked by theirs alone" },
            String::from_utf8_lossy(&ids).trim()
        )?;
    }
    writer.join().map_err(|_| "the writer failed")??;
    std::fs::remove_file(&file)?;
    for (part, [total, same, stricter, let_through, blocked]) in &counts {
        writeln!(
            out,
            "level {level}, {part}: {total} requests, {blocked} blocked by theirs, {:.2} % the same, {stricter} blocked by ours alone, {let_through} by theirs alone",
            100.0 * *same as f64 / *total as f64
        )?;
    }
    Ok(())
}
