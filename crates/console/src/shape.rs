//! What a request may carry: each input is declared once, field by field. Parsing, the messages to people, forms and
//! the OpenAPI document follow from the declaration.

use sekisho_kernel::Text;
use serde_json::{Map, Value, json};

use crate::problem::{Fault, FieldFault, MALFORMED};

/// What a field takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Text of so many characters, both bounds included, without control characters.
    Text(usize, usize),
    /// A document of at most so many characters, with line ends of any kind.
    Document(usize),
    /// A secret of so many characters; forms keep it out of what they show again.
    Secret(usize, usize),
    /// An id with this prefix.
    Id(&'static str),
    /// An id with one of these prefixes.
    OneId(&'static [&'static str]),
    /// At most so many ids with this prefix, and one at least.
    Ids(&'static str, usize),
    /// `true` or `false`.
    Bool,
    /// A whole number, both bounds included.
    Int(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several of these words, each at most once.
    Words(fn() -> Vec<&'static str>),
    /// RFC 3339 with any offset.
    Time,
    /// A day, `2026-04-01`.
    Day,
    /// An address or network in CIDR form.
    Network,
    /// At most so many of them.
    Networks(usize),
    /// At most so many https addresses.
    Addresses(usize),
    /// A mail address.
    Mail,
    /// Any JSON value; the handler knows its kind.
    Any,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON and in forms.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether `null` means something: to take the value away.
    pub nullable: bool,
    /// What it is, for the API document.
    pub says: &'static str,
}

/// An input.
#[derive(Debug)]
pub struct Shape {
    /// The schema's name.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// A field that must be there.
pub const fn need(name: &'static str, takes: Takes, says: &'static str) -> Field {
    Field { name, takes, optional: false, nullable: false, says }
}

/// A field that may be left out.
pub const fn may(name: &'static str, takes: Takes, says: &'static str) -> Field {
    Field { name, takes, optional: true, nullable: false, says }
}

impl Field {
    /// The same, where `null` takes the value away; in a form, the empty text does.
    #[must_use]
    pub const fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }
}

impl Shape {
    /// The checked object from a JSON body.
    pub fn json(&self, body: &[u8]) -> Result<Map<String, Value>, Fault> {
        let broken = |e: &dyn std::fmt::Display| Fault::own(sekisho_kernel::Problem::new(&MALFORMED).log(e));
        let value: Value = if body.is_empty() && self.fields.iter().all(|f| f.optional) {
            json!({})
        } else {
            serde_json::from_slice(body).map_err(|e| broken(&e))?
        };
        let Value::Object(given) = value else { return Err(broken(&"not an object")) };
        self.check(given)
    }

    /// The checked object from a form's or query's pairs. Texts become what the fields take; an empty text counts as
    /// left out, a check box as its presence, repeated names as a list.
    pub fn pairs(&self, pairs: &[(String, String)]) -> Result<Map<String, Value>, Fault> {
        let mut given = Map::new();
        let mut faults = Vec::new();
        for (name, text) in pairs {
            let Some(field) = self.fields.iter().find(|f| f.name == name) else {
                faults.push(FieldFault { field: clipped(name), says: unknown() });
                continue;
            };
            if let Takes::Words(_) | Takes::Networks(_) | Takes::Addresses(_) | Takes::Ids(..) = field.takes {
                let list = given.entry(name.clone()).or_insert_with(|| json!([]));
                if let (Value::Array(list), false) = (list, text.is_empty()) {
                    list.push(json!(text));
                }
                continue;
            }
            if text.is_empty() && !field.nullable && !matches!(field.takes, Takes::Text(0, _)) {
                continue;
            }
            let value = match field.takes {
                _ if text.is_empty() && field.nullable => Value::Null,
                Takes::Int(..) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
                Takes::Bool => match text.as_str() {
                    "true" | "on" | "yes" => json!(true),
                    "false" | "no" => json!(false),
                    _ => json!(text),
                },
                _ => json!(text),
            };
            if given.insert(name.clone(), value).is_some() {
                faults.push(FieldFault { field: clipped(name), says: twice() });
            }
        }
        if faults.is_empty() { self.check(given) } else { Err(Fault::fields(faults)) }
    }

    fn check(&self, given: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let mut faults = Vec::new();
        for name in given.keys().filter(|n| !self.fields.iter().any(|f| f.name == n.as_str())).take(8) {
            faults.push(FieldFault { field: clipped(name), says: self.unknown_near(name) });
        }
        for field in self.fields {
            match given.get(field.name) {
                None | Some(Value::Null) if field.optional => {}
                None | Some(Value::Null) => {
                    faults.push(FieldFault { field: field.name.into(), says: required(field.takes) });
                }
                Some(value) => {
                    if let Err(says) = fits(field.takes, value) {
                        faults.push(FieldFault { field: field.name.into(), says });
                    }
                }
            }
        }
        if faults.is_empty() { Ok(given) } else { Err(Fault::fields(faults)) }
    }

    fn unknown_near(&self, name: &str) -> Text {
        let near = self.fields.iter().map(|f| (distance(name, f.name), f.name)).min();
        match near {
            Some((d, near)) if d <= 2 => Text::owned(
                format!("この項目はありません。「{near}」ではありませんか。"),
                format!("There is no such field. Did you mean “{near}”?"),
            ),
            _ => unknown(),
        }
    }

    /// The JSON Schema (2020-12) of the input.
    pub fn schema(&self) -> Value {
        let mut properties = Map::new();
        for field in self.fields {
            let mut schema = schema_of(field.takes);
            if let Value::Object(map) = &mut schema {
                map.insert("description".into(), json!(field.says));
                if let (true, Some(kind)) = (field.nullable, map.get("type").cloned()) {
                    map.insert("type".into(), json!([kind, "null"]));
                }
            }
            properties.insert(field.name.into(), schema);
        }
        let required: Vec<_> = self.fields.iter().filter(|f| !f.optional).map(|f| f.name).collect();
        let mut out = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let (false, Value::Object(map)) = (required.is_empty(), &mut out) {
            map.insert("required".into(), json!(required));
        }
        out
    }
}

/// The JSON Schema of a field.
pub fn schema_of(takes: Takes) -> Value {
    match takes {
        Takes::Text(min, max) => json!({ "type": "string", "minLength": min, "maxLength": max }),
        Takes::Document(most) => json!({ "type": "string", "maxLength": most }),
        Takes::Secret(min, max) => {
            json!({ "type": "string", "minLength": min, "maxLength": max, "format": "password", "writeOnly": true })
        }
        Takes::Id(prefix) => json!({ "type": "string", "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") }),
        Takes::OneId(prefixes) => {
            json!({ "type": "string", "pattern": format!("^({})_[0-9a-f]{{32}}$", prefixes.join("|")) })
        }
        Takes::Ids(prefix, most) => {
            json!({ "type": "array", "minItems": 1, "maxItems": most, "items": schema_of(Takes::Id(prefix)) })
        }
        Takes::Bool => json!({ "type": "boolean" }),
        Takes::Int(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Takes::Word(words) => json!({ "type": "string", "enum": words }),
        Takes::Words(words) => {
            json!({ "type": "array", "uniqueItems": true, "items": { "type": "string", "enum": words() } })
        }
        Takes::Time => json!({ "type": "string", "format": "date-time" }),
        Takes::Day => json!({ "type": "string", "format": "date" }),
        Takes::Network => json!({ "type": "string", "maxLength": 49 }),
        Takes::Networks(most) => {
            json!({ "type": "array", "maxItems": most, "items": { "type": "string", "maxLength": 49 } })
        }
        Takes::Addresses(most) => {
            json!({ "type": "array", "maxItems": most, "items": { "type": "string", "format": "uri", "maxLength": 512 } })
        }
        Takes::Mail => json!({ "type": "string", "format": "email", "maxLength": 254 }),
        Takes::Any => json!({}),
    }
}

fn fits(takes: Takes, value: &Value) -> Result<(), Text> {
    let rule = || allowed(takes);
    match (takes, value) {
        (Takes::Text(min, max), Value::String(s)) => {
            let n = s.chars().count();
            let clean = !s.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
            if n >= min && n <= max && clean { Ok(()) } else { Err(rule()) }
        }
        (Takes::Document(most), Value::String(s)) if s.chars().count() <= most => Ok(()),
        (Takes::Secret(min, max), Value::String(s)) => {
            let n = s.chars().count();
            if n >= min && n <= max { Ok(()) } else { Err(rule()) }
        }
        (Takes::Id(prefix), Value::String(s)) => {
            let hex = s.strip_prefix(prefix).and_then(|s| s.strip_prefix('_')).unwrap_or("");
            let plain = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if plain { Ok(()) } else { Err(rule()) }
        }
        (Takes::OneId(prefixes), Value::String(_)) => {
            let any = prefixes.iter().any(|prefix| fits(Takes::Id(prefix), value).is_ok());
            if any { Ok(()) } else { Err(rule()) }
        }
        (Takes::Ids(prefix, most), Value::Array(list)) if (1..=most).contains(&list.len()) => {
            list.iter().try_for_each(|one| fits(Takes::Id(prefix), one)).map_err(|_| rule())
        }
        (Takes::Bool, Value::Bool(_)) | (Takes::Any, _) => Ok(()),
        (Takes::Int(min, max), Value::Number(n)) => match n.as_i64() {
            Some(n) if n >= min && n <= max => Ok(()),
            _ => Err(rule()),
        },
        (Takes::Word(words), Value::String(s)) if words.contains(&s.as_str()) => Ok(()),
        (Takes::Words(words), Value::Array(list)) => {
            let words = words();
            let mut seen = Vec::new();
            for item in list {
                let Some(word) = item.as_str().filter(|w| words.contains(w) && !seen.contains(w)) else {
                    return Err(rule());
                };
                seen.push(word);
            }
            Ok(())
        }
        (Takes::Time, Value::String(s)) if sekisho_kernel::Time::parse_rfc3339(s).is_some() => Ok(()),
        (Takes::Day, Value::String(s)) if day(s).is_some() => Ok(()),
        (Takes::Network, Value::String(s))
            if s.parse::<ipnet::IpNet>().is_ok() || s.parse::<std::net::IpAddr>().is_ok() =>
        {
            Ok(())
        }
        (Takes::Networks(most), Value::Array(list)) if list.len() <= most => {
            list.iter().try_for_each(|one| fits(Takes::Network, one)).map_err(|_| rule())
        }
        (Takes::Addresses(most), Value::Array(list)) if list.len() <= most => {
            let fits = |one: &Value| one.as_str().is_some_and(|s| s.starts_with("https://") && s.len() <= 512);
            if list.iter().all(fits) { Ok(()) } else { Err(rule()) }
        }
        (Takes::Mail, Value::String(s)) if is_mail(s) => Ok(()),
        _ => Err(rule()),
    }
}

/// The first moment of a day in UTC; `None` for what is no day of the calendar.
pub fn day(text: &str) -> Option<sekisho_kernel::Time> {
    (text.len() == 10).then(|| sekisho_kernel::Time::parse_rfc3339(&format!("{text}T00:00:00Z"))).flatten()
}

/// One `@` between a local part and a dotted or single-label domain, no spaces, at most 254 characters (RFC 5321 §4.5.3.1).
fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |s: &str| !s.is_empty() && !s.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@');
    text.len() <= 254 && local.len() <= 64 && plain(local) && plain(domain) && !domain.starts_with('.')
}

fn required(takes: Takes) -> Text {
    let rule = allowed(takes);
    Text::owned(format!("必須の項目です。{}", rule.ja), format!("This field is required. {}", rule.en))
}

fn unknown() -> Text {
    Text::new("この項目はありません。", "There is no such field.")
}

fn twice() -> Text {
    Text::new("同じ項目が 2 回指定されています。", "The field is given twice.")
}

/// What a field takes, for people.
pub fn allowed(takes: Takes) -> Text {
    match takes {
        Takes::Text(min, max) | Takes::Secret(min, max) => Text::owned(
            format!("{min} 文字以上 {max} 文字以下で入力します。"),
            format!("Give {min} to {max} characters."),
        ),
        Takes::Document(most) => {
            Text::owned(format!("{most} 文字以下で入力します。"), format!("Give at most {most} characters."))
        }
        Takes::Id(prefix) => Text::owned(
            format!("「{prefix}_」に続く 32 桁の 16 進数で指定します。"),
            format!("Give “{prefix}_” and 32 hexadecimal digits."),
        ),
        Takes::OneId(prefixes) => {
            let (ja, en) = (prefixes.join("_」「"), prefixes.join("_”, “"));
            Text::owned(
                format!("「{ja}_」のいずれかに続く 32 桁の 16 進数で指定します。"),
                format!("Give one of “{en}_” and 32 hexadecimal digits."),
            )
        }
        Takes::Ids(prefix, most) => Text::owned(
            format!("「{prefix}_」に続く 32 桁の 16 進数を、1 件以上 {most} 件まで指定します。"),
            format!("Give 1 to {most} of “{prefix}_” and 32 hexadecimal digits."),
        ),
        Takes::Bool => Text::new("true または false を指定します。", "Give true or false."),
        Takes::Int(min, max) => Text::owned(
            format!("{min} 以上 {max} 以下の整数を指定します。"),
            format!("Give a whole number from {min} to {max}."),
        ),
        Takes::Word(words) => Text::owned(
            format!("次のいずれかを指定します: {}", words.join("、")),
            format!("Give one of: {}.", words.join(", ")),
        ),
        Takes::Words(words) => Text::owned(
            format!("次の中から重複なく指定します: {}", words().join("、")),
            format!("Give any of these, each once: {}.", words().join(", ")),
        ),
        Takes::Time => Text::new(
            "RFC 3339 形式の時刻（例: 2026-04-01T09:00:00+09:00）で指定します。",
            "Give an RFC 3339 time such as 2026-04-01T09:00:00+09:00.",
        ),
        Takes::Day => Text::new("日付（例: 2026-04-01）を指定します。", "Give a day such as 2026-04-01."),
        Takes::Network => Text::new(
            "IPv4 または IPv6 のアドレス範囲（例: 203.0.113.0/24、2001:db8::/32）で指定します。",
            "Give an IPv4 or IPv6 range such as 203.0.113.0/24 or 2001:db8::/32.",
        ),
        Takes::Networks(most) => Text::owned(
            format!("IPv4 または IPv6 のアドレス範囲を {most} 件まで指定します（例: 203.0.113.0/24、2001:db8::/32）。"),
            format!("Give at most {most} IPv4 or IPv6 ranges such as 203.0.113.0/24 or 2001:db8::/32."),
        ),
        Takes::Addresses(most) => Text::owned(
            format!(
                "https で始まり、ポート 443 のアドレスを {most} 件まで指定します（例: https://app.example/callback）。"
            ),
            format!("Give at most {most} addresses that are https on port 443, such as https://app.example/callback."),
        ),
        Takes::Mail => {
            Text::new("メールアドレス（254 文字以下）で指定します。", "Give a mail address of at most 254 characters.")
        }
        Takes::Any => Text::new("JSON の値を指定します。", "Give a JSON value."),
    }
}

/// What of a stranger's field name is repeated to them.
fn clipped(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// Levenshtein distance, for short names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_kernel::Lang;

    static SHAPE: Shape = Shape {
        name: "Sample",
        fields: &[
            need("name", Takes::Text(1, 8), "A name."),
            may("age", Takes::Int(0, 150), "Years."),
            may("site", Takes::Id("sit"), "A site."),
            may("off", Takes::Words(|| vec!["a", "b"]), "Switched off."),
        ],
    };

    fn said(body: &str) -> Vec<(String, String)> {
        let fault = SHAPE.json(body.as_bytes()).expect_err("refused");
        fault.fields.iter().map(|f| (f.field.clone(), f.says.get(Lang::En).to_owned())).collect()
    }

    #[test]
    fn a_good_object_passes_unchanged() {
        let got = SHAPE.json(br#"{"name":"x","age":3,"off":["b"]}"#).expect("good");
        assert_eq!(Value::Object(got), json!({"name":"x","age":3,"off":["b"]}));
    }

    #[test]
    fn messages_name_field_and_range() {
        assert_eq!(said("{}"), [("name".into(), "This field is required. Give 1 to 8 characters.".into())]);
        assert_eq!(
            said(r#"{"nmae":"x","age":151}"#),
            [
                ("nmae".into(), "There is no such field. Did you mean “name”?".into()),
                ("name".into(), "This field is required. Give 1 to 8 characters.".into()),
                ("age".into(), "Give a whole number from 0 to 150.".to_owned()),
            ]
        );
        assert_eq!(
            said(r#"{"name":"x","off":["a","a"]}"#),
            [("off".into(), "Give any of these, each once: a, b.".into())]
        );
    }

    #[test]
    fn a_form_is_read_by_the_same_rules() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        let got = SHAPE
            .pairs(&[pair("name", "x"), pair("age", "7"), pair("site", ""), pair("off", "a"), pair("off", "b")])
            .expect("good");
        assert_eq!(Value::Object(got), json!({"name":"x","age":7,"off":["a","b"]}));
        let fault = SHAPE.pairs(&[pair("name", "x"), pair("age", "seven")]).expect_err("no number");
        assert_eq!(fault.fields[0].field, "age");
        assert!(SHAPE.pairs(&[pair("name", "x"), pair("name", "y")]).is_err());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "[]", "1", "{", "\u{feff}{}"] {
            assert!(SHAPE.json(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn mail_addresses() {
        assert!(is_mail("hanako@example.co.jp"));
        assert!(is_mail("root@localhost"));
        for bad in ["", "@", "a@", "@b", "a b@c", "a@b@c d", "a@.b"] {
            assert!(!is_mail(bad), "{bad}");
        }
    }
}
