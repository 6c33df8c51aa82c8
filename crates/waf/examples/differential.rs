//! Compares our SQL injection and XSS detectors with another implementation over many inputs.
//!
//! `differential PROGRAM COUNT [FILE…]`: PROGRAM reads inputs from its standard input, each as a little-endian 32-bit length
//! and the bytes, and answers each with ten bytes: SQLi verdict, fingerprint (eight bytes, NUL-padded), XSS verdict. A few lines
//! of C around libinjection make one. Inputs are the lines of the files, COUNT mutations of them, and COUNT random phrases.

use sekisho_waf::libinjection::{is_sqli, is_xss};
use std::{
    error::Error,
    fs,
    io::{Read, Write},
    process::{Command, Stdio},
};

/// SplitMix64: inputs are the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

const WORDS: &[&str] = &[
    "select",
    "union",
    "all",
    "from",
    "where",
    "and",
    "or",
    "not",
    "in",
    "like",
    "1",
    "0x1f",
    "1e5",
    "1.e",
    ".",
    "'",
    "\"",
    "`",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    ":",
    "::",
    ":=",
    "@",
    "@@",
    "@`a`",
    "$",
    "$$",
    "$a$",
    "$1.2",
    "\\",
    "\\N",
    "||",
    "&&",
    "!!",
    "!",
    "<=>",
    "<>",
    "=",
    "+",
    "-",
    "~",
    "%",
    "^",
    "null",
    "if",
    "case",
    "user(",
    "user",
    "database()",
    "collate",
    "latin1_bin",
    "int",
    "date",
    "binary",
    "x'41'",
    "b'01'",
    "n'a'",
    "q'(a)'",
    "nq'[a]'",
    "u&'a'",
    "e'a'",
    "sp_password",
    "into outfile",
    "drop table",
    "exec",
    "waitfor delay",
    "foo",
    "bar",
    " ",
    "\n",
    "\t",
    "\u{0}",
    "\u{a0}",
    "é",
    "<",
    ">",
    "<script",
    "</",
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "<!doctype",
    "<?xml",
    "<%",
    "%>",
    "<svg",
    "<a href=",
    "onclick=",
    "style=",
    "src=",
    "xlink:href=",
    "javascript:",
    "&#106;",
    "&#x6a",
    "data:",
    "/",
    "/>",
    "<!ENTITY",
    "attributename=",
    "xmlns:",
    "1d",
    "1funion",
];

fn phrase(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..=random.below(12) {
        match random.below(12) {
            0 => out.push(random.next() as u8),
            1 => out.push(b' '),
            _ => out.extend_from_slice(WORDS[random.below(WORDS.len())].as_bytes()),
        }
    }
    out
}

fn mutate(random: &mut Random, line: &[u8]) -> Vec<u8> {
    let mut out = line.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(out.len() + 1);
        match random.below(6) {
            0 if at < out.len() => {
                out.remove(at);
            }
            1 => out.insert(at, random.next() as u8),
            2 => {
                let word = WORDS[random.below(WORDS.len())].as_bytes();
                out.splice(at..at, word.iter().copied());
            }
            3 if at < out.len() => out[at] ^= 0x20,
            4 => out.truncate(at),
            _ => {
                out.drain(..at);
            }
        }
    }
    out
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(program), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: differential PROGRAM COUNT [FILE…]".into());
    };
    let count: usize = count.parse()?;
    let mut inputs: Vec<Vec<u8>> = Vec::new();
    for file in arguments {
        for line in fs::read(file)?.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let mut decoded = Vec::new();
            sekisho_waf::transform::Transformation::UrlDecodeUni.apply(line, &mut decoded);
            inputs.push(line.to_vec());
            inputs.push(decoded);
        }
    }
    let mut random = Random(7);
    let seeds = inputs.clone();
    for _ in 0..count {
        if !seeds.is_empty() {
            let line = seeds[random.below(seeds.len())].clone();
            inputs.push(mutate(&mut random, &line));
        }
        inputs.push(phrase(&mut random));
    }
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let mut stdout = child.stdout.take().ok_or("no standard output")?;
    let bytes: Vec<u8> = inputs.iter().flat_map(|i| [&(i.len() as u32).to_le_bytes(), i.as_slice()].concat()).collect();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let (mut sql, mut xss, mut differ) = (0, 0, 0);
    let mut out = std::io::stdout();
    for input in &inputs {
        let mut answer = [0; 10];
        stdout.read_exact(&mut answer)?;
        let theirs = (answer[0] == 1)
            .then(|| answer[1..9].iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect::<String>());
        let (ours, our_xss) = (is_sqli(input), is_xss(input));
        sql += usize::from(theirs.is_some());
        xss += usize::from(answer[9] == 1);
        if ours != theirs || our_xss != (answer[9] == 1) {
            differ += 1;
            if differ <= 40 {
                writeln!(
                    out,
                    "{:?}: sqli {ours:?} theirs {theirs:?}, xss {our_xss} theirs {}",
                    String::from_utf8_lossy(input),
                    answer[9]
                )?;
            }
        }
    }
    writer.join().map_err(|_| "the writer failed")??;
    writeln!(out, "{} inputs: {sql} SQLi, {xss} XSS; {differ} disagreements", inputs.len())?;
    if differ == 0 { Ok(()) } else { Err("the detectors disagree".into()) }
}
