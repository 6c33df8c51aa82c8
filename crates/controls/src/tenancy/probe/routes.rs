//! Every operation of the API's own document, called by one tenant with each identifier of the other.

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::{Answer, Ask, Canary, World},
};
use serde_json::{Value, json};

use crate::probing::{
    Session,
    answer::{good, same_face},
    history,
    operations::{Operation, operations},
    passkey,
    person::{API, text},
    planted::Planted,
    signature::Client,
    told,
};

/// An identifier of the first tenant, with one of the same kind that nobody has.
struct Foreign {
    kind: &'static str,
    id: String,
    missing: String,
}

/// The same prefix, other digits: an id of the right kind that names nothing.
fn missing(world: &dyn World, id: &str) -> String {
    let digits: String = world.marker("m").chars().filter(char::is_ascii_hexdigit).collect();
    let (prefix, own) = id.split_once('_').unwrap_or(("", id));
    let keep = own.len().saturating_sub(16);
    let tail: String = digits.chars().rev().cycle().take(own.len() - keep).collect();
    format!("{prefix}_{}{tail}", &own[..keep])
}

async fn foreign(world: &dyn World, planted: &Planted) -> Result<Vec<Foreign>, Trouble> {
    let mut all: Vec<(&'static str, String)> = planted.ids.clone();
    let entries = history::entries(world, &planted.desk, "").await?;
    all.extend(entries.first().map(|e| ("entry", e.id())));
    all.retain(|(_, id)| id.contains('_'));
    let known = |(kind, id): (&'static str, String)| Foreign { kind, missing: missing(world, &id), id };
    Ok(all.into_iter().map(known).collect())
}

/// A body that would be accepted, naming `id` wherever the operation takes one of another record.
fn body(operation: &Operation, world: &dyn World, kind: &str, id: &str, own: &Own) -> Value {
    let named = |wanted: &str, else_: &str| if kind == wanted { id.to_owned() } else { else_.to_owned() };
    match (operation.method.as_str(), operation.path.as_str()) {
        ("POST", "/users") => json!({"name": world.marker("x"), "type": "user", "site": named("site", &own.site)}),
        ("POST", "/grants") => json!({
            "user": named("account", &own.user), "role": named("role", &own.role),
            "site": named("site", &own.site),
        }),
        ("POST", "/applications") => json!({
            "name": world.marker("x"), "rights": [], "confidential": true, "account": named("account", &own.user),
        }),
        ("POST", "/tokens") => {
            json!({"user": named("account", &own.user), "name": world.marker("x"), "rights": ["users.read"], "days": 1})
        }
        ("POST", "/unique-ids") => json!({
            "client": named("signing client", &own.client), "user": named("account", &own.user),
            "unique_id": world.marker("x"),
        }),
        ("POST", "/relations") => {
            let other = if matches!(kind, "site" | "role") { id } else { &own.site };
            json!({"one": named("account", &own.user), "other": other})
        }
        ("POST", "/relations/check") => json!({"person": own.user, "others": [named("account", &own.user)]}),
        ("PUT", path) if path.starts_with("/provisioning/groups") => json!({"role": named("role", &own.role)}),
        ("POST", "/mail-domains") => json!({
            "domain": format!("{}.test", world.marker("x")), "provider": named("identity provider", &own.provider),
        }),
        ("PATCH", path) if path.starts_with("/providers") => json!({"name": "taken over"}),
        ("PATCH", path) if path.starts_with("/signal-receivers") => json!({"name": "taken over"}),
        ("PATCH", path) if path.starts_with("/signing-clients") => json!({"note": "taken over"}),
        ("PATCH", path) if path.starts_with("/users") => {
            json!({"display_name": "taken over", "site": named("site", &own.site)})
        }
        ("PATCH", path) if path.starts_with("/roles") => json!({"rights": ["users.read"]}),
        ("PATCH", path) if path.starts_with("/sites") => json!({"note": "taken over"}),
        ("PATCH", path) if path.starts_with("/address-rules") => json!({"note": "taken over"}),
        ("PUT", path) if path.ends_with("/functions") => json!({"off": ["application"]}),
        ("DELETE", path) if path.starts_with("/me/factors") => json!({"password": "wrong"}),
        ("POST", path) if path.ends_with("/confirm") => json!({"code": "000000"}),
        _ => json!({}),
    }
}

/// A kind of id, by its prefix, that some route takes in its path and of which the first group has none: a sweep without it would
/// say nothing of those routes. Passkeys are missing where the policy lets none be registered.
fn untried(operations: &[Operation], foreign: &[Foreign], passkeys: bool) -> Option<String> {
    let planted = |kind: &str| foreign.iter().any(|f| f.id.split('_').next() == Some(kind));
    let cannot = |kind: &str| kind == "pky" && !passkeys;
    operations.iter().filter_map(|o| o.takes.as_deref()).find(|kind| !planted(kind) && !cannot(kind)).map(str::to_owned)
}

/// Records of the caller's own, where a body needs one.
struct Own {
    user: String,
    role: String,
    site: String,
    client: String,
    provider: String,
}

/// Operations that are about the caller's own session or sign-in: they take no record's identifier, and would end the
/// session that the sweep runs in.
fn apart(operation: &Operation) -> bool {
    operation.path.starts_with("/sign-") || operation.path == "/links/use"
}

fn ask(desk: &Session, operation: &Operation, path: &str, body: &Value) -> Ask {
    let mut ask = desk.ask(&operation.method, path);
    match operation.method.as_str() {
        "GET" => {}
        "DELETE" if body.as_object().is_some_and(serde_json::Map::is_empty) => {}
        _ => ask = ask.json(body),
    }
    if operation.method == "PATCH" {
        ask = ask.header("if-match", "\"1\"");
    }
    ask
}

/// What the sweep found.
#[derive(Default)]
struct Sweep {
    calls: usize,
    compared: usize,
    leaked: Vec<String>,
    telling: Vec<String>,
    done: Vec<String>,
}

/// The sweep.
///
/// # Errors
/// When the world does not answer.
pub async fn every_route(
    world: &dyn World,
    finding: &mut Finding,
    planted: &Planted,
    desk: &Session,
) -> Result<(), Trouble> {
    let foreign = foreign(world, planted).await?;
    let own = Own {
        user: crate::probing::rights::invited(world, desk).await?,
        role: text(
            &desk.make(world, "/roles", &json!({"name": world.marker("own"), "rights": ["users.read"]})).await?,
            "id",
        ),
        site: text(&desk.make(world, "/sites", &json!({"name": world.marker("own")})).await?, "id"),
        client: Client::register(world, desk, &[]).await?.id,
        provider: text(&desk.make(world, "/providers", &crate::probing::rights::provider(world)).await?, "id"),
    };
    let operations = operations(world, &desk.host).await?;
    if let Some(untried) = untried(&operations, &foreign, passkey::welcome(world)) {
        return Err(Trouble(format!("the sweep has no {untried} id of the first group")));
    }
    let mut sweep = Sweep::default();
    for operation in operations.iter().filter(|o| !apart(o)) {
        for theirs in &foreign {
            one(world, desk, operation, theirs, &own, planted, &mut sweep).await?;
        }
        if !operation.has_parameter() && operation.method == "GET" {
            let got = world.send(desk.ask("GET", &operation.path)).await?;
            sweep.calls += 1;
            leak(&mut sweep, planted, operation, &got);
        }
    }
    let kinds: Vec<&str> = foreign.iter().map(|f| f.kind).collect();
    let shown = |all: &[String]| all.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    finding.forbidden(
        "no-marker-by-any-route",
        format!("{} calls: each of {} operations of the API's document, by the other group's administrator, with each identifier of the first group ({})", sweep.calls, operations.len(), kinds.join(", ")),
        "not one byte of the marker comes back, nothing is done to the records",
        if sweep.leaked.is_empty() && sweep.done.is_empty() {
            "no marker in any answer, nothing done".into()
        } else {
            format!("marker from: {}; done: {}", shown(&sweep.leaked), shown(&sweep.done))
        },
        sweep.leaked.is_empty() && sweep.done.is_empty() && sweep.calls > 0,
    );
    finding.forbidden(
        "refusals-hide-existence",
        format!(
            "{} of these answers are held against those to identifiers of the same kind that nobody has",
            sweep.compared
        ),
        "the same status, header fields and body",
        if sweep.telling.is_empty() {
            "the same throughout".into()
        } else {
            format!("different: {}", shown(&sweep.telling))
        },
        sweep.telling.is_empty() && sweep.compared > 0,
    );
    let untouched = planted.desk.get(world, &format!("/users/{}", planted.person.id)).await?;
    finding.forbidden(
        "no-marker-by-any-route",
        "after all these calls the first group's administrator reads the account again",
        "unchanged",
        told(&untouched),
        good(&untouched) && untouched.contains(&planted.marker.ascii),
    );
    Ok(())
}

fn leak(sweep: &mut Sweep, planted: &Planted, operation: &Operation, got: &Answer) {
    let header = got.headers.iter().any(|(_, v)| v.contains(&planted.marker.ascii));
    if got.contains(&planted.marker.ascii) || got.contains(&planted.marker.kana) || header {
        sweep.leaked.push(operation.name());
    }
}

async fn one(
    world: &dyn World,
    desk: &Session,
    operation: &Operation,
    theirs: &Foreign,
    own: &Own,
    planted: &Planted,
    sweep: &mut Sweep,
) -> Result<(), Trouble> {
    let mut forms: Vec<(String, String)> = Vec::new();
    if operation.has_parameter() {
        forms.push((operation.filled(&theirs.id), operation.filled(&theirs.missing)));
    } else {
        for name in
            operation.query.iter().filter(|q| !matches!(q.as_str(), "limit" | "after" | "format" | "from" | "to"))
        {
            let path = |id: &str| format!("{}?{name}={id}", operation.path);
            forms.push((path(&theirs.id), path(&theirs.missing)));
        }
        if operation.method != "GET" && operation.method != "DELETE" {
            forms.push((operation.path.clone(), operation.path.clone()));
        }
    }
    for (path, missing) in forms {
        let with = body(operation, world, theirs.kind, &theirs.id, own);
        let without = body(operation, world, theirs.kind, &theirs.missing, own);
        let got = world.send(ask(desk, operation, &path, &with)).await?;
        let blank = world.send(ask(desk, operation, &missing, &without)).await?;
        sweep.calls += 2;
        leak(sweep, planted, operation, &got);
        let names_it = path != missing || with.to_string().contains(&theirs.id);
        if !names_it {
            continue;
        }
        sweep.compared += 1;
        // A list filtered by an unknown id is empty and good; anything else that is done with a foreign id is not.
        let harmless = operation.method == "GET" && !operation.has_parameter();
        if good(&got) && !harmless && !good(&blank) {
            sweep.done.push(format!("{} with a foreign {}", operation.name(), theirs.kind));
        }
        // The history shows this group's own tries, each an entry of its own: what they were about is told by the
        // status and by the marker, not by entries being alike.
        if operation.path.starts_with("/history") && good(&got) && good(&blank) {
            continue;
        }
        if let Err(why) = same_face(&got, &[&theirs.id], &blank, &[&theirs.missing]) {
            sweep.telling.push(format!("{} with a foreign {}: {why}", operation.name(), theirs.kind));
        }
    }
    Ok(())
}

/// A session of one tenant at the other's hosts, at both nodes, each having been asked before so that caches are warm.
///
/// # Errors
/// When the world does not answer.
pub async fn wrong_door(
    world: &dyn World,
    finding: &mut Finding,
    planted: &Planted,
    theirs: &Canary,
) -> Result<(), Trouble> {
    let mut seen = Vec::new();
    for node in [0, 1] {
        planted.desk.at(node).get(world, "/me").await?;
        for host in [&theirs.console, &theirs.application] {
            let path = if *host == theirs.console { format!("{API}/me") } else { "/".to_owned() };
            for (name, value) in [
                ("authorization", format!("Bearer {}", planted.desk.token)),
                ("cookie", format!("__Host-sekisho={}", planted.desk.token)),
            ] {
                let got = world.send(Ask::new("GET", host, &path).node(node).header(name, value)).await?;
                seen.push(got);
            }
        }
    }
    let through = seen.iter().find(|a| good(a) || a.contains(&planted.marker.ascii));
    finding.forbidden(
        "cache-under-own-id",
        "a session of the first group, just used and so in both nodes' caches, is shown at the other group's hosts",
        "refused there",
        through.map_or_else(|| format!("{} requests refused", seen.len()), told),
        through.is_none(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_id_that_nothing_was_planted_of_is_told() {
        let operation = |takes: Option<&str>| Operation {
            method: "GET".into(),
            path: "/x/{id}".into(),
            query: Vec::new(),
            takes: takes.map(str::to_owned),
        };
        let all = [operation(None), operation(Some("usr")), operation(Some("pky")), operation(Some("smk"))];
        let one = |id: &str| Foreign { kind: "one", id: id.into(), missing: String::new() };
        assert_eq!(untried(&all, &[one("usr_1"), one("pky_1"), one("smk_1")], true), None);
        assert_eq!(untried(&all, &[one("usr_1"), one("smk_1")], false), None);
        assert_eq!(untried(&all, &[one("usr_1"), one("smk_1")], true).as_deref(), Some("pky"));
        assert_eq!(untried(&all, &[one("usr_1"), one("pky_1")], true).as_deref(), Some("smk"));
    }
}
