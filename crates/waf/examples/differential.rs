//! Compares our SQL injection and XSS detectors with another implementation over many inputs.
//!
//! `differential PROGRAM COUNT [FILE…]`: PROGRAM reads inputs from its standard input, each as a little-endian 32-bit length
//! and the bytes, and answers each with ten bytes: SQLi verdict, fingerprint (eight bytes, NUL-padded), XSS verdict:
//! `reference/libinjection.c`, compiled. Inputs are the lines of the files, COUNT mutations of them, and COUNT random phrases.

use sekisho_waf::libinjection::{is_sqli, is_xss, is_xss_any_event};
use std::{
    error::Error,
    fs,
    io::{Read, Write},
    process::{Command, Stdio},
};

#[path = "../tests/it/inputs.rs"]
mod inputs;
use inputs::{Random, mutate, phrase};

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
    let (mut sql, mut xss, mut differ, mut differ_listed, mut differ_any) = (0, 0, 0, 0, 0);
    let mut out = std::io::stdout();
    for input in &inputs {
        let mut answer = [0; 10];
        stdout.read_exact(&mut answer)?;
        let theirs = (answer[0] == 1)
            .then(|| answer[1..9].iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect::<String>());
        let (ours, listed, any) = (is_sqli(input), is_xss(input), is_xss_any_event(input));
        let their_xss = answer[9] == 1;
        sql += usize::from(theirs.is_some());
        xss += usize::from(their_xss);
        differ += usize::from(ours != theirs);
        differ_listed += usize::from(listed != their_xss);
        differ_any += usize::from(any != their_xss);
        if ours != theirs || (listed != their_xss && any != their_xss) {
            let shown = input.escape_ascii();
            writeln!(out, "{shown}: SQLi {ours:?} theirs {theirs:?}, XSS {listed}, {any} theirs {their_xss}")?;
        }
    }
    writer.join().map_err(|_| "the writer failed")??;
    writeln!(
        out,
        "{} inputs: {sql} SQLi, {differ} disagreements; {xss} XSS, {differ_listed} disagreements with a list of events, {differ_any} with any event",
        inputs.len()
    )?;
    if differ == 0 && (differ_listed == 0 || differ_any == 0) { Ok(()) } else { Err("the detectors disagree".into()) }
}
