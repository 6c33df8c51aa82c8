//! Every template in every language.

use crate::samples::pages;
use sekisho_kernel::Lang;

#[test]
fn every_page_renders_in_both_languages() {
    let [ja, en] = Lang::ALL.map(pages);
    assert_eq!(ja.len(), en.len());
    for ((name, ja), (_, en)) in ja.iter().zip(&en) {
        assert!(ja.contains("<html lang=\"ja\""), "{name}");
        assert!(en.contains("<html lang=\"en\""), "{name}");
        assert!(ja.chars().any(|c| ('\u{3041}'..='\u{30ff}').contains(&c)), "{name} has no Japanese");
        assert_ne!(ja, en, "{name}");
    }
}

#[test]
fn english_pages_hold_no_japanese_of_ours() {
    for (name, html) in pages(Lang::En) {
        // The language menu names 日本語 in its own language; the samples' password rule is data.
        let own = html.replace("日本語", "").replace("10 文字以上", "");
        let found: String = own.chars().filter(|c| ('\u{3041}'..='\u{9fff}').contains(c)).collect();
        assert_eq!(found, "", "{name}");
    }
}

#[test]
fn no_page_has_inline_script_or_style() {
    for lang in Lang::ALL {
        for (name, html) in pages(lang) {
            assert!(!html.contains(" style="), "{name}: an inline style");
            assert!(!html.contains("<style"), "{name}: a style element");
            let with_passkeys = "<script src=\"/assets/passkey.js\" defer></script>";
            let scripts = 1 + html.matches(with_passkeys).count();
            assert_eq!(html.matches("<script").count(), scripts, "{name}: another script");
            assert_eq!(scripts > 1, html.contains("data-passkey"), "{name}: the passkeys' script where there are any");
            assert!(html.contains("<script src=\"/assets/console.js\" defer></script>"), "{name}");
            for handler in [" onclick", " onsubmit", " onload", "javascript:"] {
                assert!(!html.contains(handler), "{name}: {handler}");
            }
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_value_against_forgery() {
    for (name, html) in pages(Lang::En) {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or("");
            if form.contains("method=\"post\"") {
                // Another site is told nothing of it.
                let own = !form.contains("action=\"https://");
                assert_eq!(form.contains("name=\"csrf\" value=\"sample\""), own, "{name}: {form}");
            }
        }
    }
}

/// A small check of what assistive technology needs: ids are unique, labels and descriptions lead somewhere, every page
/// has one main heading, a language, a skip link and landmarks.
#[test]
fn pages_are_wired_for_assistive_technology() {
    for lang in Lang::ALL {
        for (name, html) in pages(lang) {
            let ids: Vec<&str> = attributes(&html, " id=\"");
            let mut unique = ids.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), ids.len(), "{name}: an id twice in {ids:?}");
            for reference in ["for=\"", "aria-describedby=\"", "aria-labelledby=\"", "data-copy=\""] {
                for target in attributes(&html, reference).iter().flat_map(|t| t.split(' ')) {
                    assert!(ids.contains(&target), "{name}: {reference}{target} leads nowhere");
                }
            }
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert_eq!(html.matches("<main id=\"main\"").count(), 1, "{name}");
            assert!(html.contains("class=\"skip\" href=\"#main\""), "{name}");
            for field in html.split("<input").skip(1).chain(html.split("<select").skip(1)) {
                let field = field.split('>').next().unwrap_or("");
                let hidden = field.contains("type=\"hidden\"") || field.contains("type=\"checkbox\"");
                let id = attributes(field, "id=\"");
                assert!(
                    hidden || id.iter().any(|i| html.contains(&format!("for=\"{i}\""))),
                    "{name}: no label for {field}"
                );
            }
            for table in html.split("<table").skip(1) {
                assert!(table.contains("scope=\"col\""), "{name}: a table without column headings");
            }
        }
    }
}

fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(name).skip(1).map(|rest| rest.split('"').next().unwrap_or("")).collect()
}
