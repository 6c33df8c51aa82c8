use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn is_japanese(c: char) -> bool {
    // Hiragana, katakana, CJK unified ideographs.
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}')
}

/// Figures as written: runs of digits, with the points and colons inside them (`99.5`, `8:30`, `27001:2013`).
fn figures(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let bytes: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len()
            && (bytes[at].is_ascii_digit()
                || (matches!(bytes[at], '.' | ':') && bytes.get(at + 1).is_some_and(char::is_ascii_digit)))
        {
            at += 1;
        }
        *found.entry(bytes[start..at].iter().collect()).or_default() += 1;
    }
    found
}

/// Figures that English spells out. `one` is left to [`spelled_one`]: it is a pronoun more often than a number.
fn spelled(text: &str) -> BTreeSet<String> {
    const WORDS: [(&str, &str); 12] = [
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("seven", "7"),
        ("eight", "8"),
        ("nine", "9"),
        ("ten", "10"),
        ("eleven", "11"),
        ("twelve", "12"),
        ("thirty", "30"),
    ];
    let lower = text.to_ascii_lowercase();
    lower
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter_map(|word| WORDS.iter().find(|(name, _)| *name == word).map(|(_, digits)| (*digits).to_owned()))
        .collect()
}

fn spelled_one(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["one hour", "one year", "one generation"].iter().any(|unit| lower.contains(unit))
}

/// Every Japanese text, with the place it stands at.
fn texts() -> Vec<(String, &'static Text)> {
    let mut list = Vec::new();
    for claim in all() {
        list.push((format!("{} says", claim.id), &claim.says));
        list.extend(claim.probe.iter().map(|t| (format!("{} probe", claim.id), t)));
        list.extend(claim.note.iter().map(|t| (format!("{} note", claim.id), t)));
    }
    for area in areas() {
        list.push((format!("area {} intro", area.id), &area.intro));
    }
    list
}

#[test]
fn the_five_files_hold_their_claims() {
    let counts: Vec<_> = ClaimFile::ALL.into_iter().map(|f| (f.slug(), by_file(f).count())).collect();
    assert_eq!(counts, [("netmeister", 39), ("mist", 37), ("moxtra", 58), ("dxsuite", 22), ("idoperation", 60)]);
    assert_eq!(all().len(), 216);
    let enforced = all().iter().filter(|c| c.kind == Kind::Enforced).count();
    assert_eq!(enforced, 182, "the claims that the running system must keep");
}

#[test]
fn ids_are_unique_and_found() {
    let ids: BTreeSet<_> = all().iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids.len(), all().len());
    for claim in all() {
        assert_eq!(by_id(&claim.id), Some(claim));
    }
    for stranger in ["", "NM-1", "nm-01", "NM-40", "MOX-00"] {
        assert_eq!(by_id(stranger), None, "{stranger}");
    }
}

#[test]
fn ids_number_each_file_without_a_gap() {
    for file in ClaimFile::ALL {
        for (at, claim) in by_file(file).enumerate() {
            assert_eq!(claim.id, format!("{}-{:02}", file.prefix(), at + 1));
        }
    }
}

#[test]
fn files_are_known_by_their_slug() {
    for file in ClaimFile::ALL {
        assert_eq!(ClaimFile::from_slug(file.slug()), Some(file));
        assert_eq!(serde_json::to_value(file).unwrap(), file.slug());
    }
    assert_eq!(ClaimFile::from_slug("NetMeister"), None);
}

#[test]
fn every_text_stands_in_both_languages() {
    for (place, text) in texts() {
        let japanese = text.ja.chars().filter(|c| is_japanese(*c)).count();
        assert!(japanese >= 5, "{place}: too little Japanese in {:?}", text.ja);
        assert!(text.ja.ends_with('。') || text.ja.ends_with('）'), "{place}: not a whole sentence: {:?}", text.ja);
        assert!(!text.en.chars().any(is_japanese), "{place}: Japanese in the English {:?}", text.en);
    }
    for title in areas().iter().map(|a| &a.title).chain(chapters().iter().map(|c| &c.title)) {
        assert!(title.ja.chars().any(is_japanese), "{title:?}");
        assert!(!title.ja.ends_with('。') && !title.en.is_empty(), "{title:?}");
    }
}

#[test]
fn japanese_keeps_every_figure() {
    for (place, text) in texts() {
        let (en, ja) = (figures(&text.en), figures(&text.ja));
        for (figure, times) in &en {
            assert!(ja.get(figure) >= Some(times), "{place}: {figure} is missing in {:?}", text.ja);
        }
    }
}

#[test]
fn promises_have_the_same_figures_in_both_languages() {
    for claim in all() {
        let (en, ja) = (&claim.says.en, &claim.says.ja);
        let ja_figures = figures(ja);
        let spelled = spelled(en);
        for figure in &spelled {
            assert!(ja_figures.contains_key(figure), "{}: {figure} is missing in {ja:?}", claim.id);
        }
        assert!(!spelled_one(en) || ja_figures.contains_key("1"), "{}: 1 is missing in {ja:?}", claim.id);
        let known = figures(en);
        for figure in ja_figures.keys() {
            let from_words = spelled.contains(figure) || (figure == "1" && en.to_ascii_lowercase().contains("one"));
            assert!(known.contains_key(figure) || from_words, "{}: {figure} is invented in {ja:?}", claim.id);
        }
    }
}

/// docs/glossary.md: words that have a fixed translation, and spellings that are not ours.
#[test]
fn japanese_keeps_to_the_glossary() {
    const NOT_OURS: [&str; 14] = [
        "ログイン",
        "ログアウト",
        "テナント",
        "デバイス",
        "エビデンス",
        "漏洩",
        "改竄",
        "クレーム",
        "ホワイトリスト",
        "ブラックリスト",
        "オペレーター",
        "ユーザが",
        "サーバが",
        "リハーサル",
    ];
    for (place, text) in texts() {
        for word in NOT_OURS {
            assert!(!text.ja.contains(word), "{place}: {word} in {:?}", text.ja);
        }
        let mut before = ' ';
        for c in text.ja.chars() {
            let wide = matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ');
            assert!(!wide, "{place}: full-width {c} in {:?}", text.ja);
            let tight = is_japanese(before) && c.is_ascii_alphanumeric()
                || is_japanese(c) && (before.is_ascii_alphanumeric() || before == '%');
            assert!(!tight, "{place}: no space between {before} and {c} in {:?}", text.ja);
            before = c;
        }
    }
}

/// Text that points to another claim ("As MIST-03") points to one that exists.
#[test]
fn references_lead_somewhere() {
    let mut seen = 0;
    for (place, text) in texts() {
        for side in [&text.ja, &text.en] {
            for word in side.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
                let claim_like = word.split_once('-').is_some_and(|(prefix, rest)| {
                    ClaimFile::ALL.iter().any(|f| f.prefix() == prefix)
                        && rest.starts_with(|c: char| c.is_ascii_digit())
                });
                if claim_like {
                    seen += 1;
                    assert!(by_id(word).is_some(), "{place}: {word}");
                }
            }
        }
    }
    assert!(seen > 80, "references are read at all: {seen}");
}

#[test]
fn every_area_is_known_and_used() {
    let used: BTreeSet<_> = all().iter().map(|c| c.area.as_str()).collect();
    let known: BTreeSet<_> = areas().iter().map(|a| a.id.as_str()).collect();
    assert_eq!(used, known);
    assert_eq!(areas().iter().map(|a| by_area(&a.id).count()).sum::<usize>(), all().len());
    assert_eq!(area("sign-in").map(|a| &*a.title.ja), Some("サインイン"));
    assert_eq!(area("signin"), None);
}

const AREAS: &str = r#"
[[chapter]]
id = "c"
ja = "章"
en = "Chapter"
[[area]]
id = "a"
chapter = "c"
ja = "節"
en = "Area"
intro_ja = "本節です。"
intro_en = "This section."
"#;

fn refusal(en: &str, ja: &str) -> String {
    let layout = parse_areas(AREAS).unwrap();
    parse_file(ClaimFile::Netmeister, en, ja, &layout).map(|c| c.len()).unwrap_err()
}

const EN: &str = "[[claim]]\nid = 'NM-01'\nsays = 'x'\nkind = 'enforced'\narea = 'a'\nprobe = 'y'\n";
const JA: &str = "[ja]\nNM-01 = '文'\n[ja_probe]\nNM-01 = '検証'\n";

#[test]
fn a_whole_pair_of_files_is_read() {
    let layout = parse_areas(AREAS).unwrap();
    let claims = parse_file(ClaimFile::Netmeister, EN, JA, &layout).unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!((&*claims[0].says.ja, claims[0].probe.as_ref().map(|p| &*p.ja)), ("文", Some("検証")));
}

#[test]
fn a_flaw_in_the_files_is_named() {
    let cases = [
        (EN.to_owned(), "[ja]\n[ja_probe]\n".to_owned(), "NM-01: no Japanese"),
        (EN.to_owned(), "[ja]\nNM-01 = '文'\n[ja_probe]\n".to_owned(), "NM-01: no Japanese of its probe"),
        (format!("{EN}note = 'n'\n"), JA.to_owned(), "NM-01: no Japanese of its note"),
        (EN.to_owned(), format!("{JA}NM-02 = '余り'\n"), "NM-02: Japanese without its English"),
        (format!("{EN}{EN}"), JA.to_owned(), "NM-01: listed twice"),
        (EN.replace("NM-01", "MOX-01"), JA.to_owned(), "MOX-01: does not begin with NM-"),
        (EN.replace("'a'", "'b'"), JA.to_owned(), "NM-01: no area b"),
        (EN.replace("probe = 'y'\n", ""), JA.to_owned(), "NM-01: enforced, yet nothing says what a proof has to show"),
    ];
    for (en, ja, expected) in cases {
        assert_eq!(refusal(&en, &ja), expected);
    }
    assert!(refusal(&format!("{EN}surprise = 1\n"), JA).contains("unknown field `surprise`"));
    assert!(refusal(&EN.replace("enforced", "hoped"), JA).contains("unknown variant `hoped`"));
}

#[test]
fn a_flaw_in_the_areas_is_named() {
    let refusal = |source: String| parse_areas(&source).map(|l| l.areas.len()).unwrap_err();
    let second = "[[area]]\nid = 'b'\nchapter = 'd'\nja = '節'\nen = 'B'\nintro_ja = '。'\nintro_en = '.'\n";
    let chapter = "[[chapter]]\nid = 'd'\nja = '章'\nen = 'D'\n";
    assert_eq!(refusal(format!("{AREAS}{second}")), "area b: no chapter d");
    assert_eq!(refusal(format!("{chapter}{AREAS}")), "chapter d: has no area");
    let back = second.replace("'b'", "'e'").replace("'d'", "'c'");
    assert_eq!(refusal(format!("{chapter}{AREAS}{second}")), "area b: chapter d is interrupted");
    assert_eq!(refusal(format!("{AREAS}{chapter}{second}{back}")), "area e: chapter c is interrupted");
    let again = second.replace("'b'", "'a'").replace("'d'", "'c'");
    assert_eq!(refusal(format!("{AREAS}{again}")), "area a: listed twice");
}

/// Screens and papers are written from the glossary; it has to say what the code says.
#[test]
fn the_glossary_names_verdicts_and_kinds_as_the_code_does() {
    use sekisho_kernel::{access::UserType, claim::Verdict};
    let glossary = include_str!("../../../../docs/glossary.md");
    let coded = Verdict::ALL.into_iter().map(|v| (v.name().to_owned(), v.text())).chain(
        [Kind::Enforced, Kind::Attested, Kind::Inherited]
            .into_iter()
            .map(|k| (serde_json::to_value(k).unwrap().as_str().unwrap().to_owned(), k.title())),
    );
    for (code, text) in coded {
        let row = format!("| `{code}` | {} | {} |", text.ja, text.en);
        assert!(glossary.contains(&row), "docs/glossary.md lacks {row}");
    }
    for kind in UserType::ALL {
        let cell = format!("| {} |", kind.text().ja);
        assert!(glossary.contains(&cell), "docs/glossary.md lacks {cell}");
    }
}
