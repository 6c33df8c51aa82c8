//! The operators of SecLang.

use super::text::Template;

/// What a rule does with each value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `@rx`: the pattern is found.
    Rx(Template),
    /// `@pm`: one of the words is found, in any case (ASCII).
    Pm(Vec<Vec<u8>>),
    /// `@pmFromFile`, already read: as `@pm`.
    PmFromFile(Vec<String>, Vec<Vec<u8>>),
    /// `@contains`.
    Contains(Template),
    /// `@containsWord`: bounded by bytes that are not word bytes.
    ContainsWord(Template),
    /// `@beginsWith`.
    BeginsWith(Template),
    /// `@endsWith`.
    EndsWith(Template),
    /// `@streq`.
    StrEq(Template),
    /// `@strmatch`: as `@contains`.
    StrMatch(Template),
    /// `@within`: the value occurs in the operand.
    Within(Template),
    /// `@eq`.
    Eq(Template),
    /// `@ge`.
    Ge(Template),
    /// `@gt`.
    Gt(Template),
    /// `@le`.
    Le(Template),
    /// `@lt`.
    Lt(Template),
    /// `@ipMatch`, `@ipMatchFromFile`.
    IpMatch(Vec<ipnet::IpNet>),
    /// `@detectSQLi`.
    DetectSqli,
    /// `@detectXSS`.
    DetectXss,
    /// `@validateByteRange`: matches when a byte lies outside.
    ValidateByteRange([u64; 4]),
    /// `@validateUrlEncoding`: matches when a `%` escape is broken.
    ValidateUrlEncoding,
    /// `@validateUtf8Encoding`: matches when the value is not UTF-8.
    ValidateUtf8Encoding,
    /// `@geoLookup`: the host knows the country of the address, see [`Transaction::set_country`](crate::Transaction::set_country).
    GeoLookup,
    /// `@rbl`: never matches, because the engine asks nobody.
    Rbl,
    /// `@unconditionalMatch`.
    UnconditionalMatch,
    /// `@noMatch`.
    NoMatch,
}

/// An operator and whether its result is turned round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// `!` before the operator.
    pub negated: bool,
    /// The operator and operand.
    pub operator: Operator,
    /// The operator's name as written, for messages.
    pub name: String,
    /// The operand as written, for messages.
    pub operand: String,
}

/// Reads an operator and operand such as `!@within GET POST`; without `@` it is a pattern.
///
/// `file` reads a data file beside the rule file.
///
/// # Errors
/// The reason, when the operator is not supported or its operand not understood.
pub fn parse(text: &str, file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) -> Result<Test, String> {
    let trimmed = text.trim_start();
    let (negated, rest) = match trimmed.strip_prefix('!') {
        Some(rest) if rest.trim_start().starts_with('@') => (true, rest.trim_start()),
        _ => (false, trimmed),
    };
    let (negated, name, operand) = match rest.strip_prefix('@') {
        Some(rest) => {
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            (negated, &rest[..end], rest[end..].trim_start())
        }
        None => match text.strip_prefix('!') {
            Some(pattern) => (true, "rx", pattern),
            None => (false, "rx", text),
        },
    };
    let template = || Template::parse(operand);
    let lower = name.to_ascii_lowercase();
    let operator = match lower.as_str() {
        "rx" => Operator::Rx(Template::parse(operand)?),
        "pm" => Operator::Pm(words(operand)),
        "pmf" | "pmfromfile" => {
            let files: Vec<String> = operand.split_ascii_whitespace().map(str::to_owned).collect();
            let mut all = Vec::new();
            for name in &files {
                all.extend(lines(&file(name)?));
            }
            if all.is_empty() {
                return Err(format!("@{name} {operand}: the file holds no phrase"));
            }
            Operator::PmFromFile(files, all)
        }
        "contains" => Operator::Contains(template()?),
        "containsword" => Operator::ContainsWord(template()?),
        "beginswith" => Operator::BeginsWith(template()?),
        "endswith" => Operator::EndsWith(template()?),
        "streq" => Operator::StrEq(template()?),
        "strmatch" => Operator::StrMatch(template()?),
        "within" => Operator::Within(template()?),
        "eq" => Operator::Eq(template()?),
        "ge" => Operator::Ge(template()?),
        "gt" => Operator::Gt(template()?),
        "le" => Operator::Le(template()?),
        "lt" => Operator::Lt(template()?),
        "ipmatch" => Operator::IpMatch(networks(operand.split(','))?),
        "ipmatchf" | "ipmatchfromfile" => {
            let text = file(operand)?;
            let text = String::from_utf8(text).map_err(|_| format!("{operand}: not UTF-8"))?;
            let rows = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
            Operator::IpMatch(networks(rows)?)
        }
        "detectsqli" => Operator::DetectSqli,
        "detectxss" => Operator::DetectXss,
        "validatebyterange" => Operator::ValidateByteRange(ranges(operand)?),
        "validateurlencoding" => Operator::ValidateUrlEncoding,
        "validateutf8encoding" => Operator::ValidateUtf8Encoding,
        "geolookup" => Operator::GeoLookup,
        "rbl" => Operator::Rbl,
        "unconditionalmatch" => Operator::UnconditionalMatch,
        "nomatch" => Operator::NoMatch,
        _ => return Err(format!("operator `@{name}` is not supported")),
    };
    if matches!(lower.as_str(), "pm" | "ipmatch" | "pmfromfile") && operand.is_empty() {
        return Err(format!("@{name} needs an operand"));
    }
    Ok(Test { negated, operator, name: name.to_owned(), operand: operand.to_owned() })
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split_ascii_whitespace().map(unhex).collect()
}

/// `@pm` lets a word hold bytes as `|41 42|`, after Snort; any other bar stands for itself.
fn unhex(word: &str) -> Vec<u8> {
    let parts: Vec<&str> = word.split('|').collect();
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|h| u8::from_str_radix(h, 16).ok());
    let mut out = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 0 {
            out.extend_from_slice(part.as_bytes());
            continue;
        }
        let decoded: Option<Vec<u8>> = part.as_bytes().chunks(2).map(byte).collect();
        match decoded {
            Some(bytes) if !bytes.is_empty() && part.len() % 2 == 0 && parts.len() % 2 == 1 => out.extend(bytes),
            _ => return word.as_bytes().to_vec(),
        }
    }
    out
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|l| !l.is_empty() && l[0] != b'#')
        .map(<[u8]>::to_vec)
        .collect()
}

fn networks<'a>(items: impl Iterator<Item = &'a str>) -> Result<Vec<ipnet::IpNet>, String> {
    items
        .map(|item| {
            let item = item.trim();
            item.parse()
                .or_else(|_| item.parse::<std::net::IpAddr>().map(ipnet::IpNet::from))
                .map_err(|_| format!("`{item}` is not an address or network"))
        })
        .collect()
}

fn ranges(text: &str) -> Result<[u64; 4], String> {
    let mut set = [0; 4];
    let number = |t: &str| t.trim().parse::<u8>().map_err(|_| format!("`{t}` is not a byte"));
    for item in text.split(',') {
        let (from, to) = match item.split_once('-') {
            Some((a, b)) => (number(a)?, number(b)?),
            None => (number(item)?, number(item)?),
        };
        if from > to {
            return Err(format!("`{item}` is an empty range"));
        }
        for byte in from..=to {
            set[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }
    Ok(set)
}
