//! The page is closed to script and outside resources, and no text from outside becomes markup.

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_controls::catalogue::ClaimFile;
use sekisho_kernel::{Lang, claim::Verdict};
use sekisho_paper::{CONTENT_SECURITY_POLICY, Format, Proof, paper};

use crate::{
    catalogue::{evidence, input, policy, sources},
    sample,
};

/// Start tags, end tags and attributes of a page, in order.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)).collect()
}

fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(page) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().expect("a name");
        if tag.starts_with('!') || matches!(name, "meta") {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_is_well_formed_and_self_contained() {
    let policy = policy("netmeister");
    for lang in Lang::ALL {
        let page =
            paper(&input(Some(&policy), sources(&ClaimFile::ALL, |_| evidence(Verdict::Holds))), lang, Format::Html);
        assert_well_formed(&page);
        assert!(page.contains(&format!("<html lang=\"{}\">", lang.tag())));
        for tag in tags(&page) {
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().expect("a name");
            assert!(!["script", "link", "img", "iframe", "form", "object", "base"].contains(&name), "{tag}");
            for banned in [" src=", " style=", " on", "javascript:"] {
                assert!(!tag.contains(banned), "{tag}");
            }
            if let Some(target) = tag.split("href=\"").nth(1) {
                assert!(target.starts_with('#'), "{tag}");
                let id = target[1..].trim_end_matches('"');
                assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
            }
        }
        assert!(!page.contains("url(") && !page.contains("@import"));
    }
}

#[test]
fn the_policy_names_the_style_sheet_by_its_hash() {
    let policy = sample::policy();
    let page = paper(&sample::input(&policy), Lang::En, Format::Html);
    let style = page.split("<style>").nth(1).and_then(|r| r.split("</style>").next()).expect("a style sheet");
    let hash = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes()));
    assert!(
        CONTENT_SECURITY_POLICY.contains(&format!("style-src 'sha256-{hash}';")),
        "the style sheet's hash is now sha256-{hash}"
    );
    assert!(page.contains(&format!("content=\"{CONTENT_SECURITY_POLICY}\"")));
}

#[test]
fn text_from_outside_stays_text() {
    let policy = sample::policy();
    let mut hostile = sample::input(&policy);
    hostile.service = "<script>alert(1)</script>\u{202e}\n# x";
    hostile.build = "`a` | b | [c](javascript:alert(1)) <img src=x> &amp; **d** \\";
    let reference = "\"><script>\n- item\n| cell".to_owned();
    hostile.papers[0].claims[0].proof = Proof { reference: Some(reference), ..evidence(Verdict::Broken) };
    hostile.papers[0].claims[0].id = "\"><b>1".into();
    for lang in Lang::ALL {
        let page = paper(&hostile, lang, Format::Html);
        assert_well_formed(&page);
        assert!(
            !page.contains("<script") && !page.contains("<img") && !page.contains("<b>") && !page.contains('\u{202e}')
        );
        let text = paper(&hostile, lang, Format::Md);
        assert!(text.starts_with("# \\<script\\>alert(1)\\</script\\>\u{fffd} \\# x "), "{text}");
        assert!(
            text.contains(
                "\\`a\\` \\| b \\| \\[c\\](javascript:alert(1)) \\<img src=x\\> \\&amp; \\*\\*d\\*\\* \\\\ |"
            ),
            "{text}"
        );
        assert!(text.contains("\"\\>\\<script\\> - item \\| cell"), "{text}");
        assert!(!text.lines().any(|l| l.starts_with("- item") || l.starts_with("| cell")));
    }
}

#[test]
fn addresses_and_files_of_the_policy_are_not_shown() {
    let policy = sample::policy();
    for format in [Format::Html, Format::Md] {
        assert!(!paper(&sample::input(&policy), Lang::Ja, format).contains("10.1.2.3"));
    }
}

#[test]
fn a_claim_of_an_unknown_area_is_still_printed() {
    let policy = sample::policy();
    let mut odd = sample::input(&policy);
    odd.papers[0].claims[3].area = "nowhere".into();
    let text = paper(&odd, Lang::En, Format::Md);
    assert!(text.contains("3. Other") && text.contains("**EX-04**"), "{text}");
}

#[test]
fn formats_have_names() {
    assert_eq!(Format::from_name("html"), Some(Format::Html));
    assert_eq!(Format::from_name("md"), Some(Format::Md));
    assert_eq!(Format::from_name("pdf"), None);
    assert_eq!(Format::Md.media_type(), "text/markdown; charset=utf-8");
}
