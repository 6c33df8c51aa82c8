//! From a provider's claims to names and roles.

use serde_json::{Map, Value};

use crate::records::RoleRule;

/// Most steps of a path.
const DEEPEST: usize = 8;

/// A claim by its name, or by a path of names with dots between (`realm_access.roles`). A name that has dots itself, as
/// names that are addresses do, is found first.
fn claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut steps = path.split('.').take(DEEPEST);
    let first = claims.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.as_object()?.get(step))
}

/// A claim that is a text.
pub fn text<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    claim(claims, path).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty())
}

fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Bool(b) => wanted == if *b { "true" } else { "false" },
        Value::Number(n) => n.to_string() == wanted,
        _ => false,
    }
}

/// Whether a claim has the rule's value, or has it in its list.
pub fn matches(claims: &Map<String, Value>, rule: &RoleRule) -> bool {
    match claim(claims, &rule.claim) {
        Some(Value::Array(all)) => all.iter().any(|one| is(one, &rule.value)),
        Some(one) => is(one, &rule.value),
        None => false,
    }
}

/// A mail address that the provider says is verified.
pub fn verified_mail(claims: &Map<String, Value>, path: &str) -> Option<String> {
    let verified = match claims.get("email_verified") {
        Some(Value::Bool(b)) => *b,
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    text(claims, path).filter(|_| verified).and_then(|mail| crate::values::mail(mail).ok())
}

/// Whether the provider says that the person used a second factor there (RFC 8176).
pub fn used_factor(claims: &Map<String, Value>) -> bool {
    claims.get("amr").and_then(Value::as_array).is_some_and(|all| all.iter().any(|m| m == "mfa"))
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::id::RoleId;
    use serde_json::json;

    use super::*;

    fn claims() -> Map<String, Value> {
        let Value::Object(map) = json!({
            "groups": ["sales", "tokyo", 7], "department": "sales", "admin": true, "level": 3,
            "realm_access": { "roles": ["auditor"] }, "https://acme.example/role": "boss",
            "email": " hanako@example.jp ", "email_verified": true, "amr": ["pwd", "mfa"],
        }) else {
            panic!("an object")
        };
        map
    }

    #[test]
    fn rules_match_to_the_letter() {
        let rule = |claim: &str, value: &str| {
            matches(&claims(), &RoleRule { claim: claim.into(), value: value.into(), role: RoleId::NIL })
        };
        for (claim, value) in [
            ("groups", "sales"),
            ("groups", "7"),
            ("department", "sales"),
            ("admin", "true"),
            ("level", "3"),
            ("realm_access.roles", "auditor"),
            ("https://acme.example/role", "boss"),
        ] {
            assert!(rule(claim, value), "{claim} {value}");
        }
        for (claim, value) in [
            ("groups", "Sales"),
            ("groups", "sale"),
            ("groups", "[\"sales\"]"),
            ("department", "sal"),
            ("admin", "1"),
            ("realm_access", "auditor"),
            ("realm_access.roles.auditor", "auditor"),
            ("nothing", "null"),
            ("", ""),
        ] {
            assert!(!rule(claim, value), "{claim} {value}");
        }
    }

    #[test]
    fn a_mail_address_counts_when_it_is_verified() {
        assert_eq!(verified_mail(&claims(), "email").as_deref(), Some("hanako@example.jp"));
        for claim in [json!(false), json!(1), json!("yes"), json!(null)] {
            let mut claims = claims();
            claims.insert("email_verified".into(), claim);
            assert_eq!(verified_mail(&claims, "email"), None);
        }
        assert!(used_factor(&claims()));
        assert!(!used_factor(&Map::new()));
    }
}
