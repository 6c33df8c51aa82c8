//! A small part of the comparisons with libmodsecurity and libinjection, where Debian's libmodsecurity-dev is installed. The
//! whole of them: `examples/compare.rs`, `examples/differential.rs`.

use crate::{
    crs, ftw,
    inputs::{Random, mutate, phrase},
    protocol::{encode, number},
    traffic::traffic,
};
use sekisho_waf::{
    Options,
    libinjection::{is_sqli, is_xss, is_xss_any_event},
    wire::Request,
};
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Compiles a program of `reference/`.
fn program(name: &str) -> Option<PathBuf> {
    if !Path::new("/usr/include/modsecurity/modsecurity.h").exists() {
        crs::skip("modsecurity/modsecurity.h", "install Debian's package libmodsecurity-dev");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("reference/{name}.c"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let compiled =
        Command::new("gcc").arg("-O1").arg("-o").arg(&out).arg(&source).arg("-lmodsecurity").output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(out)
}

/// Starts a program that reads `input`, and lets `each` read an answer as often as there are questions.
fn ask(mut command: Command, input: Vec<u8>, mut each: impl FnMut(&mut dyn Read)) {
    let mut child: Child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    each(child.stdout.as_mut().unwrap());
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
}

/// Rules for which the answers differ, and why: see DIFFERENCES.md.
const DIFFERENT: &[&str] = &["922110", "934110"];

#[test]
fn libmodsecurity_decides_the_same_on_a_part_of_the_corpus_and_of_ordinary_traffic() {
    let (Some(folder), Some(program)) = (crs::folder(), program("modsecurity")) else { return };
    let text = crs::leveled_text(&folder, 2, true);
    let rules = crs::load(&text, &Options::default());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modsecurity.conf");
    std::fs::write(&file, text).unwrap();
    let stages = ftw::stages(&folder).into_iter().step_by(31).filter_map(|s| Some((s.name, s.request?)));
    let mut requests: Vec<(String, Request)> = stages.collect();
    requests.extend(traffic(31, 40).iter().map(|made| (made.kind.to_owned(), made.wire())));
    let mut command = Command::new(program);
    command.arg(&file);
    let mut theirs_blocked = 0;
    ask(command, requests.iter().flat_map(|(_, r)| encode(r)).collect(), |answers| {
        for (name, request) in &requests {
            let status = number(answers).unwrap();
            let mut ids = vec![0; number(answers).unwrap()];
            answers.read_exact(&mut ids).unwrap();
            let ids = String::from_utf8(ids).unwrap();
            theirs_blocked += usize::from(status != 200);
            let mut tx = rules.transaction(&ftw::client());
            request.examine(&mut tx);
            let empty = request.body.is_empty() && request.header("content-type").is_some_and(|t| t.ends_with(b"xml"));
            if (status != 200) != tx.verdict().is_some() {
                let known = empty || DIFFERENT.iter().any(|d| ids.contains(d));
                assert!(known, "{name}: {status} [{ids}], ours {:?} {:?}", tx.verdict(), tx.matches());
            }
        }
    });
    assert!(theirs_blocked > 30, "only {theirs_blocked} were blocked");
}

#[test]
fn libinjection_gives_the_same_fingerprints() {
    let Some(program) = program("libinjection") else { return };
    let mut random = Random(31);
    let mut inputs: Vec<Vec<u8>> = (0..10_000).map(|_| phrase(&mut random)).collect();
    inputs.extend(inputs.clone().iter().map(|line| mutate(&mut random, line)));
    let bytes = inputs.iter().flat_map(|i| [&(i.len() as u32).to_le_bytes(), i.as_slice()].concat()).collect();
    let mut found = 0;
    ask(Command::new(program), bytes, |answers| {
        for input in &inputs {
            let mut answer = [0; 10];
            answers.read_exact(&mut answer).unwrap();
            let end = answer[1..9].iter().position(|b| *b == 0).unwrap_or(8);
            let theirs = (answer[0] == 1).then(|| String::from_utf8_lossy(&answer[1..=end]).into_owned());
            let shown = input.escape_ascii();
            assert_eq!(is_sqli(input), theirs, "{shown}");
            assert_eq!(is_xss_any_event(input), answer[9] == 1, "{shown}");
            // With a list of events less is found.
            assert!(!is_xss(input) || answer[9] == 1, "{shown}");
            found += usize::from(theirs.is_some()) + usize::from(answer[9]);
        }
    });
    assert!(found > 1_000, "only {found} were found");
}
