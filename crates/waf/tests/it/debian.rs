//! The rule set that Debian ships (package `modsecurity-crs`, version 3.3) loads as it is and does its work.

use crate::{crs, ftw};
use sekisho_waf::{Options, RequestHead, presets};
use std::path::Path;

#[test]
fn the_rule_set_of_debian_loads_unmodified_and_blocks() {
    let load = "/usr/share/modsecurity-crs/owasp-crs.load";
    if !Path::new(load).exists() {
        crs::skip(load, "install Debian's package modsecurity-crs");
        return;
    }
    let text = format!("{}Include {load}\n", presets::RECOMMENDED);
    let rules = crs::load(&text, &Options::default());
    assert!(rules.signatures().iter().any(|s| s.starts_with("OWASP_CRS/3.3")), "{:?}", rules.signatures());
    assert!(rules.stats().rules > 400, "{:?}", rules.stats());
    for (target, blocked) in [
        ("/articles?page=2&sort=new", false),
        ("/?name=Mary+O%27Connor", false),
        ("/?id=1%27+or+%271%27=%271", true),
        ("/?q=%3Cscript%3Ealert(1)%3C/script%3E", true),
        ("/?file=../../../../etc/passwd", true),
        ("/?c=%3Bcat+/etc/shadow", true),
    ] {
        let headers: [(&[u8], &[u8]); 3] = [
            (b"Host", b"a.example"),
            (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
            (b"Accept", b"text/html"),
        ];
        let mut tx = rules.transaction(&ftw::client());
        tx.request(&RequestHead {
            method: b"GET",
            target: target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &headers,
        });
        let outcome = tx.request_body();
        let rule = outcome.blocked().map(|b| (b.rule, b.status));
        assert_eq!(rule, blocked.then_some((949_110, 403)), "{target}: {:?}", tx.matches());
        assert_eq!(blocked, tx.scores().inbound >= 5, "{target}");
    }
}
