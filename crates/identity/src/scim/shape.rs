//! What of a resource an answer shows (RFC 7644 §3.9).

use serde_json::Value;

use super::{
    Resource,
    filter::{Place, path},
    schema::{Attribute, ResourceType, TYPES},
};

/// `attributes` and `excludedAttributes`.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Only these, and what is always there.
    pub only: Vec<String>,
    /// All but these.
    pub without: Vec<String>,
}

impl Shape {
    /// Whether an attribute of the core schema would be shown.
    pub fn shows(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|n| head(n).eq_ignore_ascii_case(name));
        if self.only.is_empty() {
            !self.without.iter().any(|n| bare(n).eq_ignore_ascii_case(name))
        } else {
            named(&self.only)
        }
    }

    /// Leaves what is asked for. Names that no schema has are passed over.
    pub fn cut(&self, of: &'static ResourceType, resource: &mut Resource) {
        let places = |list: &[String]| -> Vec<Place> {
            list.iter().filter_map(|n| path(of, n).ok()).filter(|p| p.within.is_none()).map(|p| p.place).collect()
        };
        if !self.only.is_empty() {
            let places = places(&self.only);
            let whole = std::mem::take(resource);
            for (name, value) in whole {
                let always = of.attribute(&name).is_some_and(|a| a.always);
                if always {
                    resource.insert(name, value);
                    continue;
                }
                let extension = of.extension(&name);
                let mine: Vec<&Place> = places
                    .iter()
                    .filter(|p| match extension {
                        Some(e) => p.extension.is_some_and(|x| x.id == e.id),
                        None => p.extension.is_none() && p.attribute.is_some_and(|a| a.name == name),
                    })
                    .collect();
                if let Some(left) = kept(value, extension.is_some(), &mine) {
                    resource.insert(name, left);
                }
            }
            return;
        }
        for place in places(&self.without) {
            if place.attribute.is_some_and(|a| a.always) {
                continue;
            }
            match (place.extension, place.attribute) {
                (Some(e), None) => drop(resource.remove(e.id)),
                (Some(e), Some(a)) => {
                    if let Some(Value::Object(map)) = resource.get_mut(e.id) {
                        take_out(map, a.name, place.part);
                    }
                }
                (None, Some(a)) => take_out(resource, a.name, place.part),
                (None, None) => {}
            }
        }
    }
}

fn bare(name: &str) -> &str {
    TYPES.iter().find_map(|t| name.strip_prefix(t.core.id)?.strip_prefix(':')).unwrap_or(name)
}

fn head(name: &str) -> &str {
    let name = bare(name);
    name.split('.').next().unwrap_or(name)
}

/// What of a value the places ask for.
fn kept(value: Value, extension: bool, places: &[&Place]) -> Option<Value> {
    if places.is_empty() {
        return None;
    }
    // The place names the value itself, not something in it.
    let whole = |p: &&Place| if extension { p.attribute.is_none() } else { p.part.is_none() };
    if places.iter().any(whole) {
        return Some(value);
    }
    let names: Vec<&str> =
        places.iter().filter_map(|p| if extension { p.attribute } else { p.part }).map(|a| a.name).collect();
    let cut = |value: Value| match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(n, _)| names.contains(&n.as_str())).collect()),
        other => other,
    };
    Some(match value {
        Value::Array(all) => Value::Array(all.into_iter().map(cut).collect()),
        one => cut(one),
    })
}

fn take_out(from: &mut Resource, name: &str, part: Option<&Attribute>) {
    let Some(part) = part else {
        from.remove(name);
        return;
    };
    match from.get_mut(name) {
        Some(Value::Array(all)) => {
            all.iter_mut().filter_map(Value::as_object_mut).for_each(|v| drop(v.remove(part.name)))
        }
        Some(Value::Object(map)) => drop(map.remove(part.name)),
        _ => {}
    }
}
