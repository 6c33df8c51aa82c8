//! One value against one setting: what fits, and in words why something does not.

use std::time::Duration;

use ipnet::IpNet;

use super::{
    Kind, Setting, Value,
    problem::{NOT_ALLOWED, OUT_OF_RANGE, WRONG_TYPE, WRONG_UNIT},
    words::{self, allowed, nearest, quote},
};
use crate::{
    problem::{Problem, ProblemKind},
    text::Text,
    time::Zone,
};

/// Most items of a list, most characters of an item or of a path.
const MOST_ITEMS: usize = 4_096;
const MOST_CHARS: usize = 1_024;

/// A value as it came, before it is known to fit.
#[derive(Debug)]
pub(super) enum Given<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; `None` when it does not fit 64 bits.
    Int(Option<i64>),
    /// A whole number of seconds where the form has no units (JSON).
    Secs(Option<i64>),
    /// A text.
    Str(&'a str),
    /// A list.
    List(Vec<Self>),
    /// Anything else, by its name in the form it came in.
    Other(&'static str),
}

/// Why a value does not fit.
#[derive(Debug)]
pub(super) struct Fault {
    /// What kind of problem it is.
    pub kind: &'static ProblemKind,
    /// What is wrong with it.
    pub what: Text,
    /// What was probably meant.
    pub help: Option<Text>,
    /// The item of a list, from 0.
    pub item: Option<usize>,
}

impl Fault {
    const fn new(kind: &'static ProblemKind, what: Text) -> Self {
        Self { kind, what, help: None, item: None }
    }
    fn meant(mut self, suggestion: Option<String>) -> Self {
        self.help = suggestion.map(|s| {
            let s = quote(&s);
            Text::owned(format!("{s} ではありませんか。"), format!("did you mean {s}?"))
        });
        self
    }
}

/// The value, if it fits the setting; every fault otherwise.
pub(super) fn fit(setting: &'static Setting, given: &Given<'_>) -> Result<Value, Vec<Fault>> {
    match (setting.kind, given) {
        (Kind::Bool, Given::Bool(b)) => Ok(Value::Bool(*b)),
        (Kind::Int { min, max }, Given::Int(n)) => {
            within(i128::from(min), i128::from(max), *n, |n| n.to_string()).map(Value::Int).map_err(|fault| vec![fault])
        }
        (Kind::Span { min, max }, Given::Secs(n)) => {
            within(i128::from(min), i128::from(max), *n, |n| n.to_string()).map(seconds).map_err(|fault| vec![fault])
        }
        (Kind::Span { min, max }, Given::Str(text)) => span(text, min, max).map(seconds).map_err(|fault| vec![fault]),
        (Kind::Span { min, max }, Given::Int(n)) => Err(vec![bare_number(*n, min, max)]),
        (Kind::Networks, Given::List(items)) => texts(setting, items, network).map(Value::Networks),
        (Kind::List, Given::List(items)) => texts(setting, items, |text| plain(text, MOST_CHARS)).map(Value::List),
        (Kind::Sockets, Given::List(items)) => texts(setting, items, socket).map(Value::List),
        (Kind::Networks | Kind::List | Kind::Sockets, Given::Str(text)) => Err(vec![Fault {
            help: Some(words::write_as(&format!("[{}]", quote(text)))),
            ..wrong_type(setting, given)
        }]),
        (kind, Given::Str("")) if is_text(kind) => {
            if setting.default == super::Default::Str("") {
                return Ok(Value::Str(String::new()));
            }
            let what = Text::new("空の値は指定できません。", "it must not be empty");
            Err(vec![Fault::new(&NOT_ALLOWED, what)])
        }
        (kind, Given::Str(text)) if is_text(kind) => one_text(kind, text).map(Value::Str).map_err(|fault| vec![fault]),
        (Kind::Choice(words), Given::Int(_) | Given::Other("float"))
            if words.iter().any(|w| w.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            let fault = wrong_type(setting, given);
            Err(vec![Fault { help: Some(words::write_as(&quote(words.first().unwrap_or(&"")))), ..fault }])
        }
        _ => Err(vec![wrong_type(setting, given)]),
    }
}

fn seconds(n: i64) -> Value {
    Value::Span(Duration::from_secs(u64::try_from(n).unwrap_or(0)))
}

const fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Choice(_) | Kind::Str { .. } | Kind::Zone | Kind::Socket | Kind::Origin | Kind::Path)
}

fn one_text(kind: Kind, text: &str) -> Result<String, Fault> {
    match kind {
        Kind::Choice(words) if words.contains(&text) => Ok(text.to_owned()),
        Kind::Choice(words) => {
            let shown = quote(&words::cut(text));
            let what =
                Text::owned(format!("{shown} は選択肢にありません。"), format!("{shown} is not one of the choices"));
            let near = nearest(text, words.iter().copied());
            Err(Fault::new(&NOT_ALLOWED, what).meant(near.map(str::to_owned)))
        }
        Kind::Str { max } => plain(text, max),
        Kind::Path => plain(text, MOST_CHARS),
        Kind::Zone => zone(text),
        Kind::Socket => socket(text),
        Kind::Origin => origin(text),
        _ => unreachable!("only kinds that are written as one text come here"),
    }
}

fn wrong_type(setting: &'static Setting, given: &Given<'_>) -> Fault {
    let (ja, en) = match given {
        Given::Bool(_) => ("真偽値", "true or false"),
        Given::Int(_) | Given::Secs(_) => ("整数", "a whole number"),
        Given::Str(_) => ("文字列", "a text"),
        Given::List(_) => ("リスト", "a list"),
        Given::Other("float") => ("小数", "a number with a fraction"),
        Given::Other("datetime") => ("日時", "a date"),
        Given::Other("null") => ("null", "null"),
        Given::Other(_) => ("テーブル", "a table"),
    };
    let (want_ja, want_en) = match setting.kind {
        Kind::Bool => ("真偽値", "true or false"),
        Kind::Int { .. } => ("整数", "a whole number"),
        Kind::Span { .. } if matches!(given, Given::Secs(_) | Given::Other(_)) => ("期間", "a duration"),
        Kind::Span { .. } => ("単位の付いた期間", "a duration with its unit"),
        Kind::Networks | Kind::Sockets | Kind::List => ("リスト", "a list"),
        _ => ("文字列", "a text"),
    };
    let what = Text::owned(
        format!("{want_ja}を指定します（{ja}が指定されています）。"),
        format!("this must be {want_en}, not {en}"),
    );
    let help = match (setting.kind, given) {
        (Kind::Int { .. }, Given::Str(text)) if text.trim().parse::<i64>().is_ok() => {
            Some(words::write_as(text.trim()))
        }
        (Kind::Bool, Given::Str(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(words::write_as("true")),
            "false" | "no" | "off" => Some(words::write_as("false")),
            _ => None,
        },
        (Kind::Bool, Given::Int(Some(n @ (0 | 1)))) => Some(words::write_as(if *n == 1 { "true" } else { "false" })),
        _ => None,
    };
    Fault { help, ..Fault::new(&WRONG_TYPE, what) }
}

/// A number within bounds, both included.
fn within(min: i128, max: i128, n: Option<i64>, show: impl Fn(i128) -> String) -> Result<i64, Fault> {
    let what = match n {
        None => Text::new("数値が大きすぎます。", "the number is too large"),
        Some(n) if i128::from(n) < min => {
            let (n, least) = (show(n.into()), show(min));
            Text::owned(
                format!("{n} は最小値 {least} を下回っています。"),
                format!("{n} is below the least value, {least}"),
            )
        }
        Some(n) if i128::from(n) > max => {
            let (n, most) = (show(n.into()), show(max));
            Text::owned(
                format!("{n} は最大値 {most} を超えています。"),
                format!("{n} is above the greatest value, {most}"),
            )
        }
        Some(n) => return Ok(n),
    };
    Err(Fault::new(&OUT_OF_RANGE, what))
}

/// Seconds of each unit of the duration grammar.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];

/// `30s`, `30m`, `12h`, `365d`: digits without leading zero, then one unit.
fn span(text: &str, min: u64, max: u64) -> Result<i64, Fault> {
    let shown = quote(&words::cut(text));
    let Some(secs) = exact_span(text) else {
        let near = loose_span(text).map(|s| super::show_span(Duration::from_secs(s)));
        let digits_alone = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits_alone {
            return Err(bare_number(text.parse().ok(), min, max));
        }
        let what = Text::owned(
            format!("{shown} は期間として読み取れません。整数に s、m、h、d のいずれかを付けます。"),
            format!("{shown} is no duration: write a whole number and one of the units s, m, h, d"),
        );
        return Err(Fault::new(&WRONG_UNIT, what).meant(near));
    };
    let show = |n: i128| super::show_span(Duration::from_secs(u64::try_from(n).unwrap_or(u64::MAX)));
    let secs = secs.and_then(|s| i64::try_from(s).ok());
    within(i128::from(min), i128::from(max), secs, show)
}

/// The seconds of a span in the exact grammar; `Some(None)` when they do not fit 64 bits.
fn exact_span(text: &str) -> Option<Option<u64>> {
    let unit = text.chars().next_back()?;
    let (_, size) = UNITS.into_iter().find(|(u, _)| *u == unit)?;
    let digits = &text[..text.len() - 1];
    let canonical =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    canonical.then(|| digits.parse::<u64>().ok().and_then(|n| n.checked_mul(size)))
}

/// What somebody probably meant by `30 min`, `2 weeks`, `1h30m`, `30分`.
fn loose_span(text: &str) -> Option<u64> {
    let text = words::cut(text).to_lowercase();
    let mut total: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        rest = rest[digits.len()..].trim_start();
        let unit: String = rest.chars().take_while(|c| c.is_alphabetic()).collect();
        rest = rest[unit.len()..].trim_start();
        let size = match unit.as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" | "秒" | "秒間" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" | "分" | "分間" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" | "時間" => 3_600,
            "d" | "day" | "days" | "日" | "日間" => 86_400,
            "w" | "wk" | "week" | "weeks" | "週" | "週間" => 7 * 86_400,
            "y" | "yr" | "year" | "years" | "年" | "年間" => 365 * 86_400,
            _ => return None,
        };
        total = digits.parse::<u64>().ok()?.checked_mul(size)?.checked_add(total)?;
    }
    (total > 0).then_some(total)
}

/// A number without a unit: which unit makes it fit?
fn bare_number(n: Option<i64>, min: u64, max: u64) -> Fault {
    let what =
        Text::new("単位がありません。整数に s、m、h、d のいずれかを付けます。", "the unit is missing: s, m, h or d");
    let fits =
        |size: u64| n.and_then(|n| u64::try_from(n).ok()?.checked_mul(size)).is_some_and(|s| s >= min && s <= max);
    // Minutes first: most spans of a policy are meant so.
    let unit = ['m', 'h', 'd', 's'].into_iter().find(|unit| UNITS.iter().any(|(u, size)| u == unit && fits(*size)));
    let near = n.zip(unit).map(|(n, unit)| format!("{n}{unit}"));
    Fault::new(&WRONG_UNIT, what).meant(near)
}

fn texts<T>(
    setting: &'static Setting,
    items: &[Given<'_>],
    read: impl Fn(&str) -> Result<T, Fault>,
) -> Result<Vec<T>, Vec<Fault>> {
    if items.len() > MOST_ITEMS {
        let what = Text::owned(
            format!("項目は {MOST_ITEMS} 個までです。"),
            format!("a list holds at most {MOST_ITEMS} items"),
        );
        return Err(vec![Fault::new(&OUT_OF_RANGE, what)]);
    }
    let (mut good, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for (at, item) in items.iter().enumerate() {
        let one = match item {
            Given::Str(text) => read(text),
            _ => {
                let allowed = allowed(setting);
                let what = Text::owned(
                    format!("リストの項目は文字列で書きます（{}）。", allowed.ja),
                    format!("each item must be a text ({})", allowed.en),
                );
                Err(Fault::new(&WRONG_TYPE, what))
            }
        };
        match one {
            Ok(value) => good.push(value),
            Err(fault) => faults.push(Fault { item: Some(at), ..fault }),
        }
    }
    if faults.is_empty() { Ok(good) } else { Err(faults) }
}

fn plain(text: &str, max: usize) -> Result<String, Fault> {
    if text.chars().any(char::is_control) {
        let what = Text::new("制御文字は使えません。", "it must not have control characters");
        return Err(Fault::new(&NOT_ALLOWED, what));
    }
    if text.chars().nth(max).is_some() {
        let what = Text::owned(format!("{max} 文字を超えています。"), format!("it is longer than {max} characters"));
        return Err(Fault::new(&OUT_OF_RANGE, what));
    }
    Ok(text.to_owned())
}

fn refused(text: &str, ja: &str, en: &str, meant: Option<String>) -> Fault {
    let shown = quote(&words::cut(text));
    Fault::new(&NOT_ALLOWED, Text::owned(format!("{shown} は{ja}"), format!("{shown} {en}"))).meant(meant)
}

fn zone(text: &str) -> Result<String, Fault> {
    if Zone::parse(text).is_some() {
        return Ok(text.to_owned());
    }
    let meant = match text.to_ascii_lowercase().as_str() {
        "asia/tokyo" | "japan" | "tokyo" | "jst" | "jst-9" => Some("JST"),
        "utc" | "gmt" | "z" | "etc/utc" | "zulu" => Some("UTC"),
        _ => None,
    };
    let (ja, en) = ("固定のタイムゾーンとして読み取れません。", "is no fixed zone");
    Err(refused(text, ja, en, meant.map(str::to_owned)))
}

fn network(text: &str) -> Result<IpNet, Fault> {
    let (ja, en) = ("アドレス範囲（CIDR）として読み取れません。", "is no network in CIDR form");
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        let one = IpNet::from(address.to_canonical());
        return Err(refused(
            text,
            "範囲ではなく、ひとつのアドレスです。",
            "is an address, not a network",
            Some(one.to_string()),
        ));
    }
    let Ok(net) = text.parse::<IpNet>() else {
        return Err(refused(text, ja, en, None));
    };
    if let IpNet::V6(v6) = net
        && let Some(v4) = v6.addr().to_ipv4_mapped()
    {
        let (ja, en) = ("IPv4 射影アドレスです。IPv4 で書きます。", "is an IPv4-mapped network: write it as IPv4");
        let short = v6.prefix_len().checked_sub(96).and_then(|len| ipnet::Ipv4Net::new(v4, len).ok());
        return Err(refused(text, ja, en, short.map(|n| n.trunc().to_string())));
    }
    if net.trunc() != net {
        let (ja, en) = ("プレフィックスより後のビットが残っています。", "has bits set beyond its prefix");
        return Err(refused(text, ja, en, Some(net.trunc().to_string())));
    }
    Ok(net)
}

fn socket(text: &str) -> Result<String, Fault> {
    if text.parse::<std::net::SocketAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let meant = port.parse::<u16>().ok().and_then(|port| match host {
        "" | "localhost" => Some(format!("127.0.0.1:{port}")),
        "*" => Some(format!("0.0.0.0:{port}")),
        v6 if v6.parse::<std::net::Ipv6Addr>().is_ok() => Some(format!("[{v6}]:{port}")),
        _ => None,
    });
    let (ja, en) = ("アドレスとポートの組として読み取れません。", "is no socket address (address and port)");
    Err(refused(text, ja, en, meant))
}

fn origin(text: &str) -> Result<String, Fault> {
    let (ja, en) =
        ("オリジン（http:// または https:// とホスト名）として読み取れません。", "is no origin (scheme and host)");
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        let bare = !text.is_empty() && good_authority(text);
        return Err(refused(text, ja, en, bare.then(|| format!("https://{text}"))));
    };
    if good_authority(rest) {
        return Ok(text.to_owned());
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or("");
    let scheme = if text.starts_with("https") { "https" } else { "http" };
    Err(refused(text, ja, en, good_authority(host).then(|| format!("{scheme}://{host}"))))
}

/// `host`, `host:port`, `[v6]:port`; lower case, as a browser's origin has it.
fn good_authority(text: &str) -> bool {
    if text.len() > 255 {
        return false;
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) => {
            if v6.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", if rest.is_empty() { None } else { Some(rest.strip_prefix(':').unwrap_or("")) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    host.split('.').all(label) && port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0 && p == n.to_string()))
}

/// A value that came as JSON: durations as whole seconds, everything else as in the policy file.
///
/// # Errors
/// The first fault, as a problem at the setting's key.
pub fn value_from_json(setting: &'static Setting, json: &serde_json::Value) -> Result<Value, Problem> {
    fit(setting, &from_json(setting, json)).map_err(|faults| problem(setting, &faults))
}

fn from_json<'a>(setting: &'static Setting, json: &'a serde_json::Value) -> Given<'a> {
    use serde_json::Value as J;
    match json {
        J::Bool(b) => Given::Bool(*b),
        J::Number(n) if n.is_f64() => Given::Other("float"),
        J::Number(n) if matches!(setting.kind, Kind::Span { .. }) => Given::Secs(n.as_i64()),
        J::Number(n) => Given::Int(n.as_i64()),
        // A duration has one form in JSON: seconds.
        J::String(_) if matches!(setting.kind, Kind::Span { .. }) => Given::Other("string"),
        J::String(s) => Given::Str(s),
        J::Array(items) => {
            Given::List(items.iter().take(MOST_ITEMS + 1).map(|item| from_json(setting, item)).collect())
        }
        J::Null => Given::Other("null"),
        J::Object(_) => Given::Other("table"),
    }
}

/// A value as JSON: durations as whole seconds.
pub fn value_to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as J;
    match value {
        Value::Bool(b) => J::Bool(*b),
        Value::Int(n) => J::from(*n),
        Value::Span(d) => J::from(d.as_secs()),
        Value::Str(s) => J::String(s.clone()),
        Value::List(l) => J::from(l.clone()),
        Value::Networks(l) => l.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
    }
}

/// A value typed into a form: durations as `30m`, lists by line, comma or space.
///
/// # Errors
/// The first fault, as a problem at the setting's key.
pub fn parse_value(setting: &'static Setting, text: &str) -> Result<Value, Problem> {
    let text = text.trim();
    let given = match setting.kind {
        Kind::Bool if text == "true" => Given::Bool(true),
        Kind::Bool if text == "false" => Given::Bool(false),
        Kind::Int { .. } => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                Given::Int(text.parse().ok())
            } else {
                Given::Str(text)
            }
        }
        Kind::Networks | Kind::Sockets => Given::List(items(text, |c| c.is_whitespace() || c == ',')),
        Kind::List => Given::List(items(text, |c| c == '\n' || c == ',')),
        _ => Given::Str(text),
    };
    fit(setting, &given).map_err(|faults| problem(setting, &faults))
}

fn items(text: &str, between: impl Fn(char) -> bool) -> Vec<Given<'_>> {
    text.split(between).map(str::trim).filter(|s| !s.is_empty()).take(MOST_ITEMS + 1).map(Given::Str).collect()
}

/// The first fault as a problem for the API and for forms.
fn problem(setting: &'static Setting, faults: &[Fault]) -> Problem {
    let Some(fault) = faults.first() else { return Problem::new(&NOT_ALLOWED).at(setting.key) };
    let allowed = allowed(setting);
    let (ja, en) = match &fault.help {
        Some(help) => (format!("{}{}", fault.what.ja, help.ja), format!("{}; {}", fault.what.en, help.en)),
        None => (fault.what.ja.to_string(), fault.what.en.to_string()),
    };
    let detail = Text::owned(
        format!("{ja}指定できる値は、{}です。", allowed.ja),
        format!("{}. Allowed: {}.", words::sentence(&en), allowed.en),
    );
    Problem::new(fault.kind).detail(detail).at(setting.key)
}
