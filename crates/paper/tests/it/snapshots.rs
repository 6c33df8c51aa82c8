//! What the paper looks like, in both languages and formats.

use sekisho_kernel::Lang;
use sekisho_paper::{Format, paper};

use crate::sample;

fn shot(lang: Lang, format: Format) -> String {
    let policy = sample::policy();
    paper(&sample::input(&policy), lang, format)
}

#[test]
fn html_in_japanese() {
    insta::assert_snapshot!(shot(Lang::Ja, Format::Html));
}

#[test]
fn html_in_english() {
    insta::assert_snapshot!(shot(Lang::En, Format::Html));
}

#[test]
fn markdown_in_japanese() {
    insta::assert_snapshot!(shot(Lang::Ja, Format::Md));
}

#[test]
fn markdown_in_english() {
    insta::assert_snapshot!(shot(Lang::En, Format::Md));
}
