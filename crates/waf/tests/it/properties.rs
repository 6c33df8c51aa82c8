//! Nothing panics, whatever comes in, and what is said to change nothing changes nothing.

use crate::{
    crs, ftw,
    inputs::{Random, mutate},
};
use proptest::{prelude::*, test_runner::RngSeed};
use sekisho_waf::{
    Files, Options, RuleSet,
    body::{Limits, json, multipart, urlencoded, xml},
    libinjection::{is_sqli, is_xss},
    seclang::parse_text,
    transform::{Transformation, presence},
    wire::Request,
};

struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &str, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path}: no files here"))
    }

    fn expand(&mut self, _: &str, pattern: &str) -> Result<Vec<String>, String> {
        Err(format!("{pattern}: no files here"))
    }
}

/// Text with the marks that decoders, comments, quotes and tags are made of.
fn spiced() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[a-zA-Z0-9 ]{1,8}".prop_map(String::into_bytes),
        3 => prop::sample::select(vec![
            "%41", "%u0041", "%uff21", "%", "%2", "&#x41;", "&#65", "&lt", "&amp;", "\\x41", "\\u0041", "\\", "\\101", "\\a", "/*", "*/", "<!--", "-->", "--", "#",
            "../", "..\\", "/./", "//", "'", "\"", "`", "<script>", "javascript:", "onerror=", "union select", "' or 1=1", "0x41", "{", "}", "[", "]", ":", ",", "=", ";", "&", "\r\n", "\n",
            "../../etc/passwd", "$(id)", "${jndi:ldap://x}", "<?php", "__proto__", "null", "true", "1e9", "é", "日本", "<![CDATA[", "]]>", "<a b=\"c\">", "</a>", "<!DOCTYPE", "<!ENTITY a \"b\">", "&a;",
            "--b", "--b--", "Content-Disposition: form-data; name=\"a\"", "filename=\"x.php\"",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|v| v.concat())
}

/// A request of any content.
pub fn wire() -> impl Strategy<Value = Request> {
    let kinds = vec![
        "application/x-www-form-urlencoded",
        "application/json",
        "text/xml",
        "multipart/form-data; boundary=b",
        "text/plain",
        "",
    ];
    (
        prop::sample::select(vec!["GET", "POST", "PUT"]),
        spiced(),
        spiced(),
        spiced(),
        prop::sample::select(kinds),
        spiced(),
    )
        .prop_map(|(method, query, cookie, agent, kind, body)| {
            let mut headers: Vec<(Vec<u8>, Vec<u8>)> = vec![
                (b"Host".to_vec(), b"a.example".to_vec()),
                (b"Cookie".to_vec(), cookie),
                (b"User-Agent".to_vec(), agent),
            ];
            if !kind.is_empty() {
                headers.push((b"Content-Type".to_vec(), kind.into()));
            }
            Request {
                method: method.into(),
                target: [b"/a?b=", query.as_slice()].concat(),
                protocol: b"HTTP/1.1".to_vec(),
                headers,
                body,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn a_transformation_that_keeps_a_value_gives_it_back(value in spiced()) {
        let mut out = Vec::new();
        for transformation in Transformation::ALL {
            transformation.apply(&value, &mut out);
            if transformation.keeps(value.is_empty(), &presence(&value)) {
                prop_assert_eq!(&out, &value, "{:?}", transformation);
            }
        }
    }

    #[test]
    fn presence_is_the_set_of_bytes(value in prop_oneof![spiced(), prop::collection::vec(0_u8..128, 0..60), prop::collection::vec(any::<u8>(), 0..130)]) {
        let mut set = [0_u64; 4];
        value.iter().for_each(|b| set[usize::from(b >> 6)] |= 1 << (b & 63));
        prop_assert_eq!(presence(&value), set);
    }

    #[test]
    fn no_body_makes_a_reader_panic_or_exceed_its_bounds(body in spiced()) {
        let limits = Limits { values: 5, depth: 3, files: 2, expansion: 64 };
        let mut count = 0;
        let _ = json::read(&body, &limits, |_, _| count += 1);
        prop_assert!(count <= limits.values + 1);
        count = 0;
        let _ = urlencoded::read(&body, b'&', limits.values, |_, _| count += 1);
        prop_assert!(count <= limits.values);
        let mut document = xml::Document::default();
        let _ = xml::read(&body, &limits, &mut document);
        prop_assert!(document.attributes.len() <= limits.values);
        prop_assert!(document.text.len() <= body.len() + 64 * 8);
        let mut form = multipart::Form::default();
        let _ = multipart::read(b"multipart/form-data; boundary=b", &body, &limits, &mut form);
        prop_assert!(form.parts.len() <= limits.values);
        let _ = multipart::read(&body, b"--b\r\n", &limits, &mut form);
    }

    #[test]
    fn no_value_makes_a_detector_panic(value in spiced()) {
        let (sql, xss) = (is_sqli(&value), is_xss(&value));
        prop_assert!(sql.is_none_or(|f| (1..=5).contains(&f.len())));
        prop_assert!(!xss || value.iter().any(|b| matches!(b, b'<' | b'=')));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(SecRule|SecAction|Include|SecMarker)? ?[A-Z_:|&!/*' ]{0,20} ?\"?[!@a-zA-Z ]{0,12}[^\u{0}]{0,20}\"? ?\"?(id:1,|phase:2,|t:none,|chain,|setvar:tx.a=[+%{}a.]{0,6},|ctl:)*\"?\n?\\\\?") {
        if let Err(error) = parse_text(&mut NoFiles, "any.conf", &text) {
            prop_assert!(error.to_string().starts_with("any.conf:"), "{}", error);
        }
        let _ = RuleSet::from_text(&mut NoFiles, "any.conf", &text, &Options::default());
    }
}

#[test]
fn the_rule_set_loads_in_a_bounded_size() {
    let Some(folder) = crs::folder() else { return };
    let stats = crs::load(&crs::ordinary_text(&folder), &Options::default()).stats();
    assert!(stats.bytes <= 30 << 20, "{stats:?}");
    assert!(stats.rules > 600 && stats.decided > 200, "{stats:?}");
    let _ = ftw::client();
}

/// Reads a line of `seeds.txt`.
fn unescape(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b'x') => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            Some(other) => out.push(other),
            None => panic!("{line}: ends in a backslash"),
        }
    }
    out
}

#[test]
fn seeds_and_what_is_made_of_them_pass_through_everything() {
    let rules = crs::folder().map(|folder| crs::load(&crs::corpus_text(&folder), &Options::default()));
    let seeds: Vec<Vec<u8>> =
        include_str!("seeds.txt").lines().filter(|l| !l.starts_with("# ")).map(unescape).collect();
    assert!(seeds.len() > 70, "{}", seeds.len());
    let mut random = Random(17);
    let mut inputs = seeds.clone();
    for seed in &seeds {
        inputs.extend((0..40).map(|_| mutate(&mut random, seed)));
    }
    let limits = Limits { values: 20, depth: 8, files: 2, expansion: 256 };
    let mut out = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        for transformation in Transformation::ALL {
            transformation.apply(input, &mut out);
            assert!(out.len() <= 8 * input.len() + 64, "{transformation:?}: {}", input.escape_ascii());
        }
        let _ = json::read(input, &limits, |_, _| {});
        let _ = urlencoded::read(input, b'&', limits.values, |_, _| {});
        let _ = xml::read(input, &limits, &mut xml::Document::default());
        let _ = multipart::read(b"multipart/form-data; boundary=b", input, &limits, &mut multipart::Form::default());
        let _ = multipart::read(input, b"--b\r\n", &limits, &mut multipart::Form::default());
        let _ = (is_sqli(input), is_xss(input));
        if let Ok(text) = std::str::from_utf8(input) {
            let _ = RuleSet::from_text(&mut NoFiles, "seed.conf", text, &Options::default());
            let _ = ftw_parse(text);
        }
        if let (Some(rules), true) = (&rules, index % 9 == 0) {
            for kind in
                ["application/json", "text/xml", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"]
            {
                let length = input.len().to_string().into_bytes();
                let headers = vec![
                    (b"Host".to_vec(), b"a.example".to_vec()),
                    (b"Content-Type".to_vec(), kind.into()),
                    (b"Content-Length".to_vec(), length),
                    (b"Cookie".to_vec(), input.clone()),
                ];
                let target = [b"/?a=", input.as_slice()].concat();
                let request = Request {
                    method: b"POST".to_vec(),
                    target,
                    protocol: b"HTTP/1.1".to_vec(),
                    headers,
                    body: input.clone(),
                };
                let _ = ftw::run(rules, &request).verdict();
            }
        }
    }
}

fn ftw_parse(text: &str) -> Result<Vec<sekisho_waf::ftw::Stage>, String> {
    sekisho_waf::ftw::parse("seed.yaml", text)
}
