//! Words for people about settings and values: ranges, suggestions, units.

use std::time::Duration;

use super::{Default, Kind, Movement, Setting, Value, show, show_span};
use crate::text::{Lang, Text};

/// What values a setting takes, with an example: "a whole number from 1 to 100, for example 3".
pub fn allowed(setting: &'static Setting) -> Text {
    let example = example(setting);
    let (ja, en) = match setting.kind {
        Kind::Bool => return Text::new("true または false", "true or false"),
        Kind::Choice(words) => {
            let quoted: Vec<String> = words.iter().map(|w| quote(w)).collect();
            return Text::owned(
                format!("{} のいずれか", quoted.join("、")),
                match quoted.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                    _ => quoted.join(""),
                },
            );
        }
        Kind::Int { min, max } => {
            (format!("{min} 以上 {max} 以下の整数"), format!("a whole number from {min} to {max}"))
        }
        Kind::Span { min, max } => {
            let (min, max) = (show_span(Duration::from_secs(min)), show_span(Duration::from_secs(max)));
            (format!("\"{min}\" 以上 \"{max}\" 以下の期間"), format!("a duration from \"{min}\" to \"{max}\""))
        }
        Kind::Str { max } => (format!("{max} 文字以内の文字列"), format!("a text of at most {max} characters")),
        Kind::Zone => ("固定のタイムゾーン".into(), "a fixed zone".into()),
        Kind::Networks => (
            "アドレス範囲（CIDR）のリスト。空はすべてを許可".into(),
            "a list of networks in CIDR form, empty for every address".into(),
        ),
        Kind::Socket => ("アドレスとポート".into(), "an address and port".into()),
        Kind::Sockets => ("アドレスとポートのリスト".into(), "a list of addresses and ports".into()),
        Kind::Origin => (
            "パスを含まない http:// または https:// のオリジン".into(),
            "an http:// or https:// origin without path".into(),
        ),
        Kind::Path => ("ファイルのパス".into(), "a file path".into()),
        Kind::List => ("文字列のリスト".into(), "a list of texts".into()),
    };
    Text::owned(format!("{ja}（例: {example}）"), format!("{en}, for example {example}"))
}

/// An example as the file would write it: the default where it says something.
fn example(setting: &'static Setting) -> String {
    match (setting.kind, setting.default) {
        (Kind::Span { min: 0, max }, Default::Secs(0)) => quote(&show_span(Duration::from_secs(max.min(90 * 86_400)))),
        (Kind::Zone, _) => "\"JST\"".into(),
        (Kind::Networks, _) => "[\"192.0.2.0/24\", \"2001:db8::/32\"]".into(),
        (Kind::Socket, Default::Str("")) => "\"127.0.0.1:8443\"".into(),
        (Kind::Sockets, Default::List([])) => "[\"127.0.0.1:8443\"]".into(),
        (Kind::Origin, Default::Str("")) => "\"http://127.0.0.1:3000\"".into(),
        (Kind::Path, Default::Str("")) => "\"list.txt\"".into(),
        (Kind::List, Default::List([])) => "[\"one\", \"two\"]".into(),
        _ => show(&setting.default_value()),
    }
}

/// How a tenant may move a setting, as a sentence.
pub fn movement(setting: &'static Setting) -> Text {
    match (setting.tenant, setting.kind) {
        (Movement::Fixed, _) => Text::new("組織は変更できません。", "A tenant cannot change it."),
        (Movement::Inner, _) => {
            Text::new("組織は変更できず、見ることもできません。", "A tenant can neither change nor see it.")
        }
        (Movement::Min, Kind::Choice(_)) => {
            Text::new("組織は、先に挙げた値へ変更できます。", "A tenant may move it to a word listed earlier.")
        }
        (Movement::Max, Kind::Choice(_)) => {
            Text::new("組織は、後に挙げた値へ変更できます。", "A tenant may move it to a word listed later.")
        }
        (Movement::Min, Kind::Bool) => Text::new("組織は、無効にできます。", "A tenant may turn it off."),
        (Movement::Max, Kind::Bool) => Text::new("組織は、有効にできます。", "A tenant may turn it on."),
        (Movement::Min, _) => Text::new("組織は、より小さい値に変更できます。", "A tenant may set a smaller value."),
        (Movement::Max, _) => Text::new("組織は、より大きい値に変更できます。", "A tenant may set a greater value."),
        (Movement::Subset, _) => {
            Text::new("組織は、この範囲の一部に狭められます。", "A tenant may narrow it to a part.")
        }
        (Movement::Beside, _) => {
            Text::new("組織は、自身の項目を加えられます。", "A tenant may have entries of its own beside these.")
        }
    }
}

/// A value as a sentence would say it: "30 minutes", "30 分間". Texts stand as they are.
pub fn spoken(value: &Value, lang: Lang) -> String {
    match (value, lang) {
        (Value::Span(d), _) => spoken_span(*d, lang),
        (Value::Bool(true), Lang::Ja) => "有効".into(),
        (Value::Bool(false), Lang::Ja) => "無効".into(),
        (Value::Bool(true), Lang::En) => "on".into(),
        (Value::Bool(false), Lang::En) => "off".into(),
        (Value::Int(n), _) => n.to_string(),
        (Value::Str(s), _) if !s.is_empty() => s.clone(),
        (Value::List(l), _) if !l.is_empty() => l.join(", "),
        (Value::Networks(l), _) if !l.is_empty() => l.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        (Value::Networks(_), Lang::Ja) => "すべて".into(),
        (Value::Networks(_), Lang::En) => "all".into(),
        (_, Lang::Ja) => "なし".into(),
        (_, Lang::En) => "none".into(),
    }
}

fn spoken_span(span: Duration, lang: Lang) -> String {
    let secs = span.as_secs();
    let (size, ja, en) = [(86_400, "日間", "day"), (3_600, "時間", "hour"), (60, "分間", "minute")]
        .into_iter()
        .find(|(size, ..)| secs > 0 && secs.is_multiple_of(*size))
        .unwrap_or((1, "秒間", "second"));
    let n = secs / size;
    match lang {
        Lang::Ja => format!("{n} {ja}"),
        Lang::En if n == 1 => format!("{n} {en}"),
        Lang::En => format!("{n} {en}s"),
    }
}

/// "Write it as X."
pub(super) fn write_as(text: &str) -> Text {
    Text::owned(format!("{text} と書きます。"), format!("write {text}"))
}

/// The first letter in upper case.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A text in messages: at most 64 characters of it.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(64) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A TOML basic string (TOML 1.0, "String").
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Beside control characters, what would change the direction or shape of a terminal's line.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The candidate that `text` was probably meant to be: at most a third of its letters differ.
pub(super) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > 64 {
        return None;
    }
    let plain = |s: &str| s.to_lowercase().replace(['-', ' ', '.'], "_");
    let wanted = plain(text);
    let most = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| {
            let c_plain = plain(c);
            // A word written out or cut short is near even when many letters are missing.
            let contained =
                wanted.len() >= 3 && (c_plain.starts_with(&wanted) || c_plain.split('_').any(|w| w == wanted));
            (if contained { 1 } else { distance(&wanted, &c_plain) }, c)
        })
        .filter(|(d, _)| *d <= most)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Edits (insert, delete, replace, swap of neighbours) from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(ca != cb)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Columns of a terminal that a character takes: two for the wide ones of East Asian scripts, none for combining marks.
pub(super) fn columns(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (a, b, want) in
            [("", "", 0), ("idle", "idle", 0), ("ilde", "idle", 1), ("tires", "tries", 1), ("", "abc", 3)]
        {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn nearest_takes_what_is_close_and_nothing_else() {
        let keys = ["idle", "absolute", "second_factor"];
        assert_eq!(nearest("ilde", keys), Some("idle"));
        assert_eq!(nearest("second-factor", keys), Some("second_factor"));
        assert_eq!(nearest("Absolut", keys), Some("absolute"));
        assert_eq!(nearest("factor", keys), Some("second_factor"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest(&"i".repeat(65), keys), None);
    }

    #[test]
    fn quoting_is_toml() {
        let text = "a\"b\\c\n\u{7f}\u{1}\u{202e}日本";
        let parsed: toml::Table = format!("x = {}", quote(text)).parse().expect("valid TOML");
        assert_eq!(parsed["x"].as_str(), Some(text));
    }
}
