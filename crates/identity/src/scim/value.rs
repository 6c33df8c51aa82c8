//! Values of attributes: checked against the schema, brought under canonical names (RFC 7643 §2).

use sekisho_kernel::{Problem, Text, Time};
use serde_json::{Map, Value};

use super::{
    Resource,
    schema::{Attribute, Kind, ResourceType, Schema},
};
use crate::{
    Answer,
    problems::{SCIM_SYNTAX, SCIM_VALUE},
};

/// Longest text, in characters.
pub const TEXT_LEN: usize = 1_024;
/// Most values of an attribute; a group's members may be more.
const MOST_VALUES: usize = 100;
/// Most names of ignored attributes that are kept.
const MOST_IGNORED: usize = 10;

/// What was in a body that no schema here has.
#[derive(Debug, Default)]
pub struct Ignored(Vec<String>);

impl Ignored {
    /// Notes a name; what is no attribute's name is noted as `?`.
    pub fn note(&mut self, name: &str) {
        let plain = name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"$_-.:".contains(&b));
        let name = if plain { name } else { "?" };
        if self.0.len() < MOST_IGNORED && !self.0.iter().any(|n| n == name) {
            self.0.push(name.to_owned());
        }
    }
    /// The names, for an entry.
    pub fn names(&self) -> String {
        self.0.join(" ")
    }
}

/// What is wrong with a value.
pub fn wrong(place: &str, ja: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem::new(&SCIM_VALUE).at(place.to_owned()).detail(Text::owned(ja.into(), en.into()))
}

/// Whether `null`, nothing, or an empty list (RFC 7643 §2.5).
pub fn unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// A resource as a client sends it to be made or replaced. What only this service writes is left out; what no schema has
/// is noted.
///
/// # Errors
/// `SK-4090` for what is no resource of this type, `SK-4094` for a value of another type.
pub fn resource(of: &ResourceType, given: &Value, ignored: &mut Ignored) -> Answer<Resource> {
    let syntax = || Problem::new(&SCIM_SYNTAX);
    let Value::Object(given) = given else { return Err(syntax()) };
    let mut out = Map::new();
    for (name, value) in given {
        if name.eq_ignore_ascii_case("schemas") {
            schemas(of, value)?;
        } else if let Some(extension) = of.extension(name) {
            let parts = attributes(extension, value, ignored)?;
            if !parts.is_empty() {
                out.insert(extension.id.into(), Value::Object(parts));
            }
        } else {
            match of.attribute(name) {
                Some(attribute) if attribute.writable => {
                    if let Some(value) = self::attribute(attribute, value, ignored)?
                        && out.insert(attribute.name.into(), value).is_some()
                    {
                        return Err(syntax().at(attribute.name));
                    }
                }
                Some(_) => {}
                None => ignored.note(name),
            }
        }
    }
    Ok(out)
}

/// Nothing but schemas of this type, if any is named.
fn schemas(of: &ResourceType, given: &Value) -> Answer<()> {
    let known = |v: &Value| v.as_str().is_some_and(|s| s.eq_ignore_ascii_case(of.core.id) || of.extension(s).is_some());
    match given {
        Value::Null => Ok(()),
        Value::Array(list) if list.iter().any(known) => Ok(()),
        _ => Err(Problem::new(&SCIM_SYNTAX).at("schemas")),
    }
}

/// The attributes of an extension.
///
/// # Errors
/// As [`resource`].
pub fn attributes(of: &Schema, given: &Value, ignored: &mut Ignored) -> Answer<Resource> {
    let mut out = Map::new();
    match given {
        Value::Null => {}
        Value::Object(given) => {
            for (name, value) in given {
                match of.attribute(name) {
                    Some(a) if a.writable => {
                        out.extend(attribute(a, value, ignored)?.map(|v| (a.name.to_owned(), v)));
                    }
                    Some(_) => {}
                    None => ignored.note(name),
                }
            }
        }
        _ => return Err(Problem::new(&SCIM_SYNTAX).at(of.id)),
    }
    Ok(out)
}

/// A value of an attribute; `None` for one that stands for none.
///
/// # Errors
/// `SK-4094`.
pub fn attribute(of: &Attribute, given: &Value, ignored: &mut Ignored) -> Answer<Option<Value>> {
    if unassigned(given) {
        return Ok(None);
    }
    if !of.many {
        return single(of, given, ignored);
    }
    let one = std::slice::from_ref(given);
    let list = given.as_array().map_or(one, Vec::as_slice);
    let most = if of.name == "members" { usize::try_from(super::SEARCHED).unwrap_or(MOST_VALUES) } else { MOST_VALUES };
    if list.len() > most {
        return Err(wrong(of.name, format!("{most} 件までです。"), format!("At most {most} values.")));
    }
    let mut out = Vec::with_capacity(list.len());
    for value in list {
        out.extend(single(of, value, ignored)?);
    }
    if out.iter().filter(|v| v.get("primary") == Some(&Value::Bool(true))).count() > 1 {
        return Err(wrong(of.name, "primary は 1 件だけです。", "At most one value is primary."));
    }
    Ok((!out.is_empty()).then_some(Value::Array(out)))
}

/// One value, or one of several.
///
/// # Errors
/// `SK-4094`.
pub fn single(of: &Attribute, given: &Value, ignored: &mut Ignored) -> Answer<Option<Value>> {
    let other = |ja: &str, en: &str| Err(wrong(of.name, ja, en));
    Ok(Some(match (&of.kind, given) {
        (_, Value::Null) => return Ok(None),
        (Kind::Complex(_), Value::Object(parts)) => {
            let mut out = Map::new();
            for (name, value) in parts {
                match of.part(name) {
                    Some(part) if part.writable => {
                        out.extend(attribute(part, value, ignored)?.map(|v| (part.name.to_owned(), v)));
                    }
                    Some(_) => {}
                    None => ignored.note(&format!("{}.{name}", of.name)),
                }
            }
            if out.is_empty() {
                return Ok(None);
            }
            Value::Object(out)
        }
        // Some clients write the value alone where a complex one stands, a manager's above all.
        (Kind::Complex(_), Value::String(_)) if of.part("value").is_some() => {
            let Some(part) = of.part("value") else { return Ok(None) };
            let value = single(part, given, ignored)?;
            Value::Object(value.map(|v| (part.name.to_owned(), v)).into_iter().collect())
        }
        (Kind::Complex(_), _) => {
            return other("オブジェクトで指定してください。", "It must be an object.");
        }
        (Kind::Bool, Value::Bool(_)) => given.clone(),
        // Entra ID writes truth as a text.
        (Kind::Bool, Value::String(s)) if s.eq_ignore_ascii_case("true") => Value::Bool(true),
        (Kind::Bool, Value::String(s)) if s.eq_ignore_ascii_case("false") => Value::Bool(false),
        (Kind::Bool, _) => return other("true または false を指定してください。", "It must be true or false."),
        (Kind::Time, Value::String(s)) if Time::parse_rfc3339(s).is_some() => given.clone(),
        (Kind::Time, _) => return other("RFC 3339 の時刻を指定してください。", "It must be an RFC 3339 time."),
        (Kind::Text | Kind::Exact | Kind::Reference(_), Value::String(s)) => {
            let clean = !s.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
            if s.chars().count() > TEXT_LEN || !clean {
                let (ja, en) = (
                    "文字以下で、制御文字を含めずに指定してください。",
                    "characters at most, none a control character.",
                );
                return Err(wrong(of.name, format!("{TEXT_LEN} {ja}"), format!("{TEXT_LEN} {en}")));
            }
            given.clone()
        }
        (Kind::Text | Kind::Exact | Kind::Reference(_), _) => {
            return other("文字列で指定してください。", "It must be text.");
        }
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{ENTERPRISE_URI, GROUPS, USERS};

    fn taken(given: Value) -> Answer<(Value, String)> {
        let mut ignored = Ignored::default();
        let out = resource(&USERS, &given, &mut ignored)?;
        Ok((Value::Object(out), ignored.names()))
    }

    #[test]
    fn names_become_canonical_and_what_is_unknown_is_noted() {
        let (user, ignored) = taken(json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "USERNAME": "taro", "id": "x", "groups": [{"value": "g"}],
            "Name": {"FamilyName": "山田", "shoe": 27}, "active": "True", "emails": {"value": "t@example.jp"}, "shoeSize": 27,
            "title": null, "phoneNumbers": [],
            "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user": {"department": "品質", "manager": "usr_1", "cat": 1},
        }))
        .unwrap();
        assert_eq!(
            user,
            json!({
                "userName": "taro", "name": {"familyName": "山田"}, "active": true, "emails": [{"value": "t@example.jp"}],
                ENTERPRISE_URI: {"department": "品質", "manager": {"value": "usr_1"}},
            })
        );
        let mut names: Vec<&str> = ignored.split(' ').collect();
        names.sort_unstable();
        assert_eq!(names, ["cat", "name.shoe", "shoeSize"]);
    }

    #[test]
    fn other_types_and_too_much_are_refused() {
        for (given, place) in [
            (json!({"userName": 5}), "userName"),
            (json!({"userName": "x".repeat(1_025)}), "userName"),
            (json!({"userName": "a\u{0}b"}), "userName"),
            (json!({"active": "perhaps"}), "active"),
            (json!({"name": "Taro"}), "name"),
            (json!({"name": {"givenName": {}, "familyName": 1}}), "familyName"),
            (json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}), "emails"),
            (json!({"emails": vec![json!({"value": "a"}); 101]}), "emails"),
        ] {
            let problem = taken(given.clone()).unwrap_err();
            assert!(problem.is(&SCIM_VALUE), "{given}");
            assert_eq!(problem.place.as_deref(), Some(place), "{given}");
        }
        for given in [json!([]), json!("x"), json!({"schemas": ["urn:x"]}), json!({"userName": "a", "username": "b"})] {
            assert!(taken(given.clone()).unwrap_err().is(&SCIM_SYNTAX), "{given}");
        }
    }

    #[test]
    fn a_group_takes_many_members() {
        let many = vec![json!({"value": "usr_1"}); 5_000];
        let group = json!({"displayName": "g", "members": many});
        let mut ignored = Ignored::default();
        let out = resource(&GROUPS, &group, &mut ignored).unwrap();
        assert_eq!(out["members"].as_array().map(Vec::len), Some(5_000));
    }

    #[test]
    fn odd_names_are_not_repeated() {
        let mut ignored = Ignored::default();
        ignored.note("<script>");
        ignored.note("urn:x:y");
        assert_eq!(ignored.names(), "? urn:x:y");
    }
}
