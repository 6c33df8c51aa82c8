//! PATCH (RFC 7644 §3.5.2), with what Entra ID and Okta make of it: operations in any case, truth as text, keys of a
//! value without path that are paths themselves, members to remove named in the value.

use sekisho_kernel::{Problem, Text};
use serde_json::{Map, Value};

use super::{
    Resource,
    filter::{Path, Place, path},
    schema::{Attribute, ResourceType},
    value::{self, Ignored, unassigned},
};
use crate::{
    Answer,
    problems::{SCIM_MUTABILITY, SCIM_NO_TARGET, SCIM_PATH, SCIM_SYNTAX},
};

/// Most operations of one request.
const MOST: usize = 1_000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Adds values.
    Add,
    /// Takes values away.
    Remove,
    /// Puts values in others' place.
    Replace,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// What it does.
    pub action: Action,
    /// Where; in the whole resource without.
    pub path: Option<Path>,
    /// With what.
    pub value: Value,
}

/// The operations of a request's body.
///
/// # Errors
/// `SK-4090`, `SK-4092`, `SK-4091`.
pub fn operations(of: &'static ResourceType, body: &Value) -> Answer<Vec<Operation>> {
    let syntax = |place: &'static str| Problem::new(&SCIM_SYNTAX).at(place);
    let list = field(body, "Operations").and_then(Value::as_array).ok_or_else(|| syntax("Operations"))?;
    if list.is_empty() || list.len() > MOST {
        let (ja, en) = ("1 件以上 1,000 件以下にしてください。", "Give 1 to 1,000 operations.");
        return Err(syntax("Operations").detail(Text::new(ja, en)));
    }
    list.iter()
        .map(|one| {
            let action = match field(one, "op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
                Some("add") => Action::Add,
                Some("remove") => Action::Remove,
                Some("replace") => Action::Replace,
                _ => return Err(syntax("op")),
            };
            let path = match field(one, "path") {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) if text.is_empty() => None,
                Some(Value::String(text)) => Some(path(of, text)?),
                Some(_) => return Err(Problem::new(&SCIM_PATH)),
            };
            let value = field(one, "value").cloned().unwrap_or(Value::Null);
            Ok(Operation { action, path, value })
        })
        .collect()
}

/// A member of an object, whatever the case of its name.
pub fn field<'v>(of: &'v Value, name: &str) -> Option<&'v Value> {
    of.as_object()?.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

/// Does the operations one after the other; the resource is worth nothing when one fails.
///
/// # Errors
/// `SK-4090` to `SK-4095`.
pub fn apply(
    of: &'static ResourceType,
    resource: &mut Resource,
    operations: &[Operation],
    ignored: &mut Ignored,
) -> Answer<()> {
    for operation in operations {
        match &operation.path {
            Some(path) => at(resource, operation.action, path, &operation.value, ignored)?,
            None => whole(of, resource, operation.action, &operation.value, ignored)?,
        }
    }
    Ok(())
}

/// Without a path the value's members say where.
fn whole(
    of: &'static ResourceType,
    resource: &mut Resource,
    action: Action,
    value: &Value,
    ignored: &mut Ignored,
) -> Answer<()> {
    let members = match (action, value) {
        (Action::Remove, _) => return Err(Problem::new(&SCIM_NO_TARGET)),
        (_, Value::Object(members)) => members,
        _ => return Err(Problem::new(&SCIM_SYNTAX).at("value")),
    };
    for (name, value) in members {
        let Ok(path) = path(of, name) else {
            ignored.note(name);
            continue;
        };
        // A client that sends back what it has read is not to be refused for what only the service writes.
        let read_only = path.place.attribute.is_some_and(|a| !a.writable || a.name == "schemas");
        if !read_only {
            at(resource, action, &path, value, ignored)?;
        }
    }
    Ok(())
}

fn at(resource: &mut Resource, action: Action, path: &Path, value: &Value, ignored: &mut Ignored) -> Answer<()> {
    let Place { extension, attribute, part } = path.place;
    let base = match extension {
        None => resource,
        Some(extension) => {
            let Some(attribute) = attribute else {
                return match action {
                    Action::Remove => {
                        resource.remove(extension.id);
                        Ok(())
                    }
                    Action::Add | Action::Replace => {
                        let given = value::attributes(extension, value, ignored)?;
                        object(resource, extension.id).extend(given);
                        Ok(())
                    }
                };
            };
            let done = one(object(resource, extension.id), action, attribute, part, path, value, ignored);
            if resource.get(extension.id).is_some_and(unassigned) {
                resource.remove(extension.id);
            }
            return done;
        }
    };
    let attribute = attribute.ok_or_else(|| Problem::new(&SCIM_PATH))?;
    one(base, action, attribute, part, path, value, ignored)
}

/// A member that is an object, made where there is none.
fn object<'r>(of: &'r mut Resource, name: &str) -> &'r mut Resource {
    let entry = of.entry(name).or_insert(Value::Null);
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    entry.as_object_mut().expect("an object was just put there")
}

fn immutable(name: &str) -> Problem {
    Problem::new(&SCIM_MUTABILITY).at(name.to_owned())
}

fn one(
    base: &mut Resource,
    action: Action,
    attribute: &'static Attribute,
    part: Option<&'static Attribute>,
    path: &Path,
    value: &Value,
    ignored: &mut Ignored,
) -> Answer<()> {
    let locked = !attribute.writable || attribute.name == "schemas" || part.is_some_and(|p| !p.writable);
    let emptied = part.is_none() && path.within.is_none() && (!attribute.many || unassigned(value));
    if locked || (action == Action::Remove && attribute.required && emptied) {
        return Err(immutable(attribute.name));
    }
    if attribute.many {
        return several(base, action, attribute, part, path, value, ignored);
    }
    if path.within.is_some() {
        return Err(Problem::new(&SCIM_PATH).at(attribute.name));
    }
    let Some(part) = part else {
        if action == Action::Remove {
            base.remove(attribute.name);
            return Ok(());
        }
        match (value::single(attribute, unwrapped(attribute, value), ignored)?, attribute.parts().is_empty()) {
            (None, _) if attribute.required => return Err(immutable(attribute.name)),
            (None, _) => drop(base.remove(attribute.name)),
            (Some(value), true) => drop(base.insert(attribute.name.into(), value)),
            // Sub-attributes that are not named stay.
            (Some(Value::Object(parts)), false) => object(base, attribute.name).extend(parts),
            (Some(_), false) => return Err(Problem::new(&SCIM_SYNTAX).at(attribute.name)),
        }
        return Ok(());
    };
    put(object(base, attribute.name), action, part, value, ignored)?;
    if base.get(attribute.name).is_some_and(unassigned) {
        base.remove(attribute.name);
    }
    Ok(())
}

/// Some clients wrap a single value in a list of one object.
fn unwrapped<'v>(attribute: &Attribute, value: &'v Value) -> &'v Value {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) if attribute.parts().is_empty() => only.get("value").unwrap_or(only),
        Some([only]) => only,
        _ => value,
    }
}

/// A sub-attribute of one value.
fn put(of: &mut Resource, action: Action, part: &Attribute, value: &Value, ignored: &mut Ignored) -> Answer<()> {
    let value = match action {
        Action::Remove => None,
        Action::Add | Action::Replace => value::single(part, unwrapped(part, value), ignored)?,
    };
    match value {
        Some(value) => drop(of.insert(part.name.into(), value)),
        None => drop(of.remove(part.name)),
    }
    Ok(())
}

/// Several values: all of them, or those that a filter chooses.
fn several(
    base: &mut Resource,
    action: Action,
    attribute: &'static Attribute,
    part: Option<&'static Attribute>,
    path: &Path,
    value: &Value,
    ignored: &mut Ignored,
) -> Answer<()> {
    let mut all = match base.remove(attribute.name) {
        Some(Value::Array(all)) => all,
        _ => Vec::new(),
    };
    let preferred = |all: &[Value]| all.iter().position(|v| v.get("primary") == Some(&Value::Bool(true)));
    let before = preferred(&all).and_then(|at| all.get(at).cloned());
    match (&path.within, part) {
        (None, None) => list(&mut all, action, attribute, value, ignored)?,
        (None, Some(part)) => {
            if all.is_empty() && action != Action::Remove {
                all.push(Value::Object(Map::new()));
            }
            for one in all.iter_mut().filter_map(Value::as_object_mut) {
                put(one, action, part, value, ignored)?;
            }
        }
        (Some(filter), part) => {
            let chosen: Vec<bool> = all.iter().map(|v| v.as_object().is_some_and(|v| filter.matches(v))).collect();
            if !chosen.contains(&true) && action != Action::Remove {
                // RFC 7644 §3.5.2.3: replacing nothing is an error. Adding makes a value that the filter would choose.
                let seeds = filter.seeds().filter(|_| action == Action::Add);
                let seeds = seeds.ok_or_else(|| Problem::new(&SCIM_NO_TARGET).at(attribute.name))?;
                let seed = Value::Object(seeds.into_iter().map(|(n, v)| (n.to_owned(), v)).collect());
                let Some(Value::Object(mut made)) = value::single(attribute, &seed, ignored)? else {
                    return Err(Problem::new(&SCIM_NO_TARGET).at(attribute.name));
                };
                overlay(&mut made, Action::Add, attribute, part, value, ignored)?;
                all.push(Value::Object(made));
            } else if action == Action::Remove && part.is_none() {
                let mut chosen = chosen.into_iter();
                all.retain(|_| !chosen.next().unwrap_or(false));
            } else {
                for (one, _) in all.iter_mut().zip(chosen).filter(|(_, chosen)| *chosen) {
                    if let Value::Object(one) = one {
                        overlay(one, action, attribute, part, value, ignored)?;
                    }
                }
            }
        }
    }
    // What has lost its value is no value any more.
    all.retain(|v| attribute.part("value").is_none_or(|_| v.get("value").is_some()) && !unassigned(v));
    one_primary(&mut all, before.as_ref());
    if let Some(all) = value::attribute(attribute, &Value::Array(all), ignored)? {
        base.insert(attribute.name.into(), all);
    }
    Ok(())
}

/// One of several values: a sub-attribute of it, or the whole of it.
fn overlay(
    one: &mut Resource,
    action: Action,
    attribute: &'static Attribute,
    part: Option<&'static Attribute>,
    value: &Value,
    ignored: &mut Ignored,
) -> Answer<()> {
    if let Some(part) = part {
        return put(one, action, part, value, ignored);
    }
    let Some(Value::Object(given)) = value::single(attribute, unwrapped(attribute, value), ignored)? else {
        return Err(Problem::new(&SCIM_SYNTAX).at(attribute.name));
    };
    if action == Action::Replace {
        *one = given;
    } else {
        one.extend(given);
    }
    Ok(())
}

/// The list of values as a whole.
fn list(
    all: &mut Vec<Value>,
    action: Action,
    attribute: &'static Attribute,
    value: &Value,
    ignored: &mut Ignored,
) -> Answer<()> {
    let given = match value::attribute(attribute, value, ignored)? {
        Some(Value::Array(given)) => given,
        _ => Vec::new(),
    };
    let same = |a: &Value, b: &Value| {
        let keyed = a.get("value").is_some_and(|v| Some(v) == b.get("value"));
        a == b || (keyed && (a.get("type") == b.get("type") || attribute.name == "members"))
    };
    match action {
        Action::Replace => *all = given,
        Action::Remove if given.is_empty() => all.clear(),
        Action::Remove => all.retain(|v| !given.iter().any(|g| same(v, g))),
        Action::Add if attribute.name == "members" => {
            let known: std::collections::HashSet<String> =
                all.iter().filter_map(|v| v.get("value")?.as_str().map(str::to_owned)).collect();
            all.extend(given.into_iter().filter(|g| g["value"].as_str().is_none_or(|v| !known.contains(v))));
        }
        Action::Add => {
            for new in given {
                match all.iter_mut().find(|v| same(v, &new)) {
                    Some(Value::Object(there)) => there.extend(new.as_object().cloned().unwrap_or_default()),
                    Some(_) => {}
                    None => all.push(new),
                }
            }
        }
    }
    Ok(())
}

/// A value that becomes the preferred one ends the preference of another (RFC 7644 §3.5.2).
fn one_primary(all: &mut [Value], before: Option<&Value>) {
    let is = |v: &Value| v.get("primary") == Some(&Value::Bool(true));
    if all.iter().filter(|v| is(v)).count() < 2 {
        return;
    }
    let old = before.and_then(|b| all.iter().position(|v| v == b));
    let keep = all.iter().enumerate().rposition(|(n, v)| is(v) && Some(n) != old);
    for (n, one) in all.iter_mut().enumerate() {
        if let (true, Value::Object(one)) = (is(one) && Some(n) != keep, one) {
            one.insert("primary".into(), Value::Bool(false));
        }
    }
}

#[cfg(test)]
mod tests;
