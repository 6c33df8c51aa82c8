//! The entries of `waf.paths` and `waf.exclusions`, read.

use sekisho_kernel::{
    Text, Time,
    gate::{FirewallExclusion, FirewallMode, FirewallPath, FirewallRules},
};

/// Characters of an entry, and of a reason.
const LONGEST: usize = 500;
const SHORTEST_REASON: usize = 3;

/// A mode by its word.
pub fn mode(word: &str) -> Option<FirewallMode> {
    match word {
        "off" => Some(FirewallMode::Off),
        "detect" => Some(FirewallMode::Detect),
        "on" => Some(FirewallMode::On),
        _ => None,
    }
}

fn is_prefix(text: &str) -> bool {
    text.starts_with('/') && text.chars().all(|c| !c.is_control() && c != '?' && c != '#')
}

/// `/prefix` and then `off`, `detect`, `on` or `paranoia N`, each at most once.
///
/// # Errors
/// What is wrong with it.
pub fn path(text: &str) -> Result<FirewallPath, Text> {
    let wrong = Text::new(
        "「/経路 off|detect|on」または「/経路 paranoia 1〜4」と書きます。",
        "write `/path off|detect|on` or `/path paranoia 1..4`",
    );
    let mut words = text.split_whitespace();
    let prefix = words.next().filter(|p| is_prefix(p)).ok_or_else(|| wrong.clone())?;
    let mut out = FirewallPath { prefix: prefix.to_owned(), mode: None, paranoia: None };
    while let Some(word) = words.next() {
        match (word, mode(word)) {
            (_, found @ Some(_)) if out.mode.is_none() => out.mode = found,
            ("paranoia", _) if out.paranoia.is_none() => {
                let level = words.next().and_then(|w| w.parse().ok()).filter(|n| (1..=4).contains(n));
                out.paranoia = Some(level.ok_or_else(|| wrong.clone())?);
            }
            _ => return Err(wrong),
        }
    }
    if out.mode.is_none() && out.paranoia.is_none() { Err(wrong) } else { Ok(out) }
}

/// `rule ID` or `tag TAG`, perhaps `on PARTS`, then `at /prefix until YYYY-MM-DD: reason`.
///
/// # Errors
/// What is wrong with it.
pub fn exclusion(text: &str) -> Result<FirewallExclusion, Text> {
    let form = || {
        Text::new(
            "「rule 番号 on 部分 at /経路 until 年-月-日: 理由」と書きます（「tag タグ」も使え、on は省けます）。",
            "write `rule ID on PART at /path until YYYY-MM-DD: reason` (or `tag TAG`; `on` may be left out)",
        )
    };
    if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(Text::new("長すぎるか、制御文字があります。", "it is too long, or holds control characters"));
    }
    let (head, reason) = text.split_once(": ").ok_or_else(form)?;
    let reason = reason.trim();
    if reason.chars().count() < SHORTEST_REASON {
        return Err(Text::new("理由がありません。", "it gives no reason"));
    }
    let words: Vec<&str> = head.split_whitespace().collect();
    let (rules, rest) = match words.as_slice() {
        ["rule", id, rest @ ..] => (FirewallRules::Id(id.parse().map_err(|_| form())?), rest),
        ["tag", tag, rest @ ..] => (FirewallRules::Tag((*tag).to_owned()), rest),
        _ => return Err(form()),
    };
    let (targets, rest) = match rest {
        ["on", targets, rest @ ..] => (Some((*targets).to_owned()), rest),
        rest => (None, rest),
    };
    let ["at", path, "until", day] = rest else { return Err(form()) };
    if !is_prefix(path) {
        return Err(Text::new("経路は / で始まります。", "the path begins with /"));
    }
    // The day itself still counts, in UTC.
    let until = Time::parse_rfc3339(&format!("{day}T00:00:00Z"))
        .ok_or_else(|| Text::new("期限は 2027-03-31 のように書きます。", "write the last day as 2027-03-31"))?
        .plus(std::time::Duration::from_secs(86_400));
    Ok(FirewallExclusion {
        rules,
        targets,
        path: (*path).to_owned(),
        until,
        reason: reason.to_owned(),
        text: text.to_owned(),
        own: false,
    })
}

/// Parts that are one value each.
const SINGLE: [&str; 6] =
    ["QUERY_STRING", "REQUEST_BASENAME", "REQUEST_BODY", "REQUEST_FILENAME", "REQUEST_URI", "REQUEST_URI_RAW"];

/// Whether a tenant may have it: one rule, one part.
pub fn is_narrow(exclusion: &FirewallExclusion) -> bool {
    let member = |t: &str| t.split_once(':').is_some_and(|(_, name)| !name.is_empty() && !name.starts_with('/'));
    let one = exclusion.targets.as_deref().is_some_and(|t| !t.contains('|') && (member(t) || SINGLE.contains(&t)));
    matches!(exclusion.rules, FirewallRules::Id(_)) && one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_or_refused() {
        let read =
            exclusion("rule 942100 on ARGS:comment at /orders/ until 2027-03-31: 備考に SQL の例が入る").unwrap();
        assert_eq!((read.rules.clone(), read.targets.as_deref()), (FirewallRules::Id(942_100), Some("ARGS:comment")));
        assert_eq!((read.path.as_str(), read.until.rfc3339().as_str()), ("/orders/", "2027-04-01T00:00:00Z"));
        assert!(is_narrow(&read));
        let narrow =
            |part: &str| is_narrow(&exclusion(&format!("rule 1 on {part} at / until 2027-03-31: a reason")).unwrap());
        assert!(narrow("REQUEST_URI_RAW") && narrow("REQUEST_HEADERS:Referer"));
        for wide in ["ARGS", "ARGS:a|ARGS:b", "ARGS:/.*/", "REQUEST_HEADERS"] {
            assert!(!narrow(wide), "{wide}");
        }
        let whole = exclusion("tag attack-sqli at / until 2027-03-31: a scanner of ours").unwrap();
        assert_eq!((&whole.targets, is_narrow(&whole)), (&None, false));
        for bad in [
            "",
            "rule x on ARGS:a at / until 2027-03-31: reason",
            "rule 1 on ARGS:a at / until 2027-03-31",
            "rule 1 on ARGS:a at / until 2027-03-31: x",
            "rule 1 on ARGS:a at orders until 2027-03-31: reason",
            "rule 1 on ARGS:a at / until tomorrow: reason",
            "rule 1 on ARGS:a at /: reason",
        ] {
            assert!(exclusion(bad).is_err(), "{bad}");
        }
        let both = path("/admin/ detect paranoia 3").unwrap();
        assert_eq!((both.mode, both.paranoia), (Some(FirewallMode::Detect), Some(3)));
        for bad in ["", "/a", "a on", "/a on off", "/a paranoia 5", "/a paranoia", "/a?b on"] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
