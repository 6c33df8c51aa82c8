//! Two people without a relation find nothing of each other by any route; with one they do (MOX-34).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::{MODE, MOX_34};
use crate::probing::{
    Person, Session,
    answer::{good, same_face, tally},
    history,
    operations::{Operation, operations},
    person::text,
    rights::service_account,
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(Apart)]
}

struct Apart;

/// An account that nobody has.
const NOBODY: &str = "usr_0198c2b4000070008000000000000000";

/// A client, her adviser, and a client of somebody else; and an application's own token.
struct Cast {
    desk: Session,
    client: Session,
    adviser: Person,
    stranger: Person,
    stranger_desk: Session,
    machine: Session,
    role: String,
}

#[async_trait]
impl Probe for Apart {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_34
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mode = desk.ask("PUT", &format!("/policy/{}", MODE.key)).json(&json!({"value": "related"}));
        desk.need(world, mode).await?;
        let cast = Cast::assemble(world, desk, &admin).await?;
        let body = json!({"one": cast.client.user, "other": cast.adviser.id});
        let relation = text(&cast.desk.make(world, "/relations", &body).await?, "id");
        unrelated(world, finding, &cast).await?;
        every_route(world, finding, &cast).await?;
        related(world, finding, &cast).await?;
        application(world, finding, &cast).await?;
        groups(world, finding, &cast).await?;
        ended(world, finding, &cast, &relation).await?;
        finding.missing("unrelated-not-messaged", "messages from one person to another");
        finding.missing("unrelated-not-invited", "an invitation of one person by another to a conversation or meeting");
        finding.missing("unrelated-not-shared-with", "files that one person shares with another");
        let back = cast.desk.delete(world, &format!("/policy/{}", MODE.key)).await?;
        if good(&back) {
            Ok(())
        } else {
            Err(Trouble(format!("taking {} back was answered {}", MODE.key, told(&back))))
        }
    }
}

impl Cast {
    async fn assemble(world: &dyn World, desk: Session, admin: &Person) -> Result<Self, Trouble> {
        let mut client = desk.hire(world, admin, "user", &Value::Null).await?;
        let adviser = desk.hire(world, admin, "user", &Value::Null).await?;
        let mut stranger = desk.hire(world, admin, "user", &Value::Null).await?;
        let role = json!({"name": world.marker("asks"), "rights": ["relations.check"]});
        let asks = text(&desk.make(world, "/roles", &role).await?, "id");
        let account = service_account(world, &desk).await?;
        desk.make(world, "/grants", &json!({"user": account, "role": asks})).await?;
        let token = json!({"user": account, "name": world.marker("asks"), "rights": ["relations.check"], "days": 1});
        let token = text(&desk.make(world, "/tokens", &token).await?, "token");
        let role = json!({"name": world.marker("branch"), "rights": ["application.use"]});
        let role = text(&desk.make(world, "/roles", &role).await?, "id");
        Ok(Self {
            client: client.sign_in(world).await?,
            stranger_desk: stranger.sign_in(world).await?,
            machine: Session { token, ..desk.clone() },
            adviser,
            stranger,
            role,
            desk,
        })
    }

    /// The cookie of a session, on a page.
    fn page(session: &Session, path: &str) -> Ask {
        Ask::new("GET", &session.host, path).header("cookie", format!("__Host-sekisho={}", session.token))
    }
}

/// The lists and searches, by API and page, at both nodes; and each held against an account that nobody has.
async fn unrelated(world: &dyn World, finding: &mut Finding, cast: &Cast) -> Result<(), Trouble> {
    let clause = "unrelated-not-found";
    let (mut seen, mut differ) = (Vec::new(), Vec::new());
    for (asks, about) in [(&cast.client, &cast.stranger), (&cast.stranger_desk, &cast.adviser)] {
        for node in [0, 1] {
            let here = asks.at(node);
            let name = format!("Probe {}", about.name).replace(' ', "%20");
            for path in ["/people".to_owned(), format!("/people?text={name}"), format!("/people?text={}", about.name)] {
                seen.push((here.get(world, &path).await?, about));
                seen.push((world.send(Cast::page(&here, &path).node(node)).await?, about));
            }
            let one = here.get(world, &format!("/people/{}", about.id)).await?;
            let nobody = here.get(world, &format!("/people/{NOBODY}")).await?;
            differ.extend(same_face(&one, &[&about.id], &nobody, &[NOBODY]).err());
            seen.push((one, about));
            let found = here.get(world, &format!("/people?text={}", about.name)).await?;
            let none = here.get(world, "/people?text=nobody-of-that-name").await?;
            differ.extend(same_face(&found, &[], &none, &[]).err());
        }
    }
    // A search is shown with the words that were typed.
    let named = |got: &Answer, about: &Person| {
        got.contains(&about.id)
            || got.json().to_string().contains(&about.name)
            || got.contains(&format!("Probe {}<", about.name))
    };
    let leaks = seen.iter().filter(|(got, about)| named(got, about)).count();
    let answers: Vec<&Answer> = seen.iter().map(|(got, _)| got).collect();
    finding.forbidden(
        clause,
        format!(
            "people without a relation look for each other in {} ways: lists, searches, pages and ids, at both nodes",
            seen.len()
        ),
        "nothing of the other is shown",
        format!("{leaks} answers name the other; {}", tally(answers)),
        leaks == 0,
    );
    finding.forbidden(
        clause,
        "the answers about an unrelated person are held against those about somebody who does not exist",
        "the same status, header fields and body",
        differ.first().cloned().unwrap_or_else(|| "the same throughout".into()),
        differ.is_empty(),
    );
    Ok(())
}

/// A request of the client's that names somebody in path, query or body; also every list. `None` for an operation that takes
/// nobody's id.
fn naming(operation: &Operation, cast: &Cast, id: &str) -> Option<Ask> {
    let mut path = operation.filled(id);
    let role = "rol_0198c2b4000070008000000000000000";
    let client = "cli_0198c2b4000070008000000000000000";
    let body = match (operation.method.as_str(), operation.path.as_str()) {
        ("GET" | "DELETE", _) => Value::Null,
        (_, "/grants") => json!({"user": id, "role": role}),
        (_, "/relations") => json!({"one": id, "other": id}),
        (_, "/relations/check") => json!({"person": id, "others": [id]}),
        (_, "/tokens") => json!({"user": id, "name": "x", "rights": [], "days": 1}),
        (_, "/unique-ids") => json!({"client": client, "user": id, "unique_id": "x"}),
        _ if operation.has_parameter() => json!({}),
        _ => return None,
    };
    if operation.method == "DELETE" && !operation.has_parameter() {
        return None;
    }
    let takes = |q: &&String| matches!(q.as_str(), "user" | "side" | "actor" | "target" | "text" | "name" | "one");
    if let Some(name) = operation.query.iter().find(takes) {
        path = format!("{path}?{name}={id}");
    }
    let ask = cast.client.ask(&operation.method, &path);
    let ask = if operation.method == "PATCH" { ask.header("if-match", "\"1\"") } else { ask };
    Some(if body.is_null() { ask } else { ask.json(&body) })
}

/// Every operation of the document, by the client with the stranger's id, and with nobody's.
async fn every_route(world: &dyn World, finding: &mut Finding, cast: &Cast) -> Result<(), Trouble> {
    let all = operations(world, &cast.client.host).await?;
    let apart = |o: &&Operation| !o.path.starts_with("/sign-") && o.path != "/links/use";
    let (mut calls, mut telling, mut done) = (0, Vec::new(), Vec::new());
    for operation in all.iter().filter(apart) {
        let (Some(named), Some(blank)) = (naming(operation, cast, &cast.stranger.id), naming(operation, cast, NOBODY))
        else {
            continue;
        };
        let got = world.send(named).await?;
        calls += 1;
        if got.contains(&cast.stranger.name) {
            telling.push(format!("{} names the stranger", operation.name()));
        }
        if !operation.has_parameter() && operation.method == "GET" && operation.query.is_empty() {
            continue;
        }
        calls += 1;
        let blank = world.send(blank).await?;
        if let Err(why) = same_face(&got, &[&cast.stranger.id], &blank, &[NOBODY]) {
            telling.push(format!("{}: {why}", operation.name()));
        }
        if good(&got) && operation.method != "GET" {
            done.push(operation.name());
        }
    }
    let said = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join("; ") };
    finding.forbidden(
        "unrelated-not-found",
        format!("{calls} calls: each operation of the API's document, by the client, with the stranger's id and with nobody's"),
        "the same answer for both, and nothing done",
        format!("different: {}; done: {}", said(&telling), said(&done)),
        telling.is_empty() && done.is_empty() && calls > 0,
    );
    let path = format!("/users/{}/invite", cast.stranger.id);
    let tries = [
        cast.client.post(world, &path, &json!({})).await?,
        cast.client.post(world, "/users", &json!({"name": world.marker("guest"), "type": "user"})).await?,
    ];
    finding.forbidden(
        "unrelated-not-invited",
        "the client invites the stranger, and somebody new, as administrators do",
        "refused",
        tally(&tries),
        tries.iter().all(|a| a.status == 403),
    );
    Ok(())
}

/// What a relation opens.
async fn related(world: &dyn World, finding: &mut Finding, cast: &Cast) -> Result<(), Trouble> {
    let mut seen = Vec::new();
    for node in [0, 1] {
        let here = cast.client.at(node);
        seen.push(here.get(world, "/people").await?);
        seen.push(here.get(world, &format!("/people?text={}", cast.adviser.name)).await?);
        seen.push(here.get(world, &format!("/people/{}", cast.adviser.id)).await?);
        seen.push(world.send(Cast::page(&here, "/people").node(node)).await?);
    }
    let all = seen.iter().all(|got| good(got) && got.contains(&cast.adviser.name));
    finding.positive(
        "related-can",
        "the client looks for the adviser, to whom there is a relation, by list, search, id and page at both nodes",
        "found",
        tally(&seen),
        all,
    );
    Ok(())
}

/// What an application is told, that it may keep messages and shares to it.
async fn application(world: &dyn World, finding: &mut Finding, cast: &Cast) -> Result<(), Trouble> {
    let others = [&cast.adviser.id, &cast.stranger.id, &NOBODY.to_owned()].map(String::from);
    let body = json!({"person": cast.client.user, "others": others});
    let got = cast.machine.post(world, "/relations/check", &body).await?;
    let may: Vec<bool> = got.json()["others"]
        .as_array()
        .map(|list| list.iter().filter_map(|o| o["may"].as_bool()).collect())
        .unwrap_or_default();
    let words = format!("{}; adviser, stranger, nobody: {may:?}", told(&got));
    finding.positive(
        "related-can",
        "an application asks, with a token for nothing else, whether the client may reach the adviser",
        "they may",
        words.clone(),
        good(&got) && may.first() == Some(&true),
    );
    let own = cast.client.post(world, "/relations/check", &body).await?;
    finding.forbidden(
        "unrelated-not-found",
        "it asks the same about the stranger and about nobody; the client herself asks",
        "neither; refused",
        format!("{words}; the client: {}", told(&own)),
        may.get(1) == Some(&false) && may.get(2) == Some(&false) && own.status == 403,
    );
    let entries = history::entries(world, &cast.desk, "action=people.read").await?;
    let looked = entries.iter().any(|e| e.target() == cast.stranger.id && e.actor() == cast.client.user);
    let entries = history::entries(world, &cast.desk, "action=relation.create").await?;
    let made = entries.iter().any(|e| e.0.to_string().contains(&cast.adviser.id));
    finding.positive(
        "related-can",
        "the history is read for the relation, and for the client's look at the stranger",
        "an entry of each",
        format!("relation: {made}, look: {looked}"),
        made && looked,
    );
    let entries = history::entries(world, &cast.desk, "action=relation.check").await?;
    let entered = entries.iter().any(|e| e.0.to_string().contains(&cast.stranger.id));
    finding.forbidden(
        "unrelated-not-found",
        "the history is read for what the application was refused",
        "an entry that names the stranger",
        if entered { "entered" } else { "no such entry" },
        entered,
    );
    Ok(())
}

/// A relation between two roles: whoever has them reach each other, and nobody else does.
async fn groups(world: &dyn World, finding: &mut Finding, cast: &Cast) -> Result<(), Trouble> {
    let at = format!("/people/{}", cast.stranger.id);
    let relation = json!({"one": cast.role, "other": cast.client.user});
    let relation = text(&cast.desk.make(world, "/relations", &relation).await?, "id");
    let before = cast.client.get(world, &at).await?;
    let grant = json!({"user": cast.stranger.id, "role": cast.role});
    let grant = text(&cast.desk.make(world, "/grants", &grant).await?, "id");
    let with = cast.client.at(1).get(world, &at).await?;
    finding.positive(
        "related-can",
        "the client has a relation to a role; the stranger is granted it",
        "found",
        told(&with),
        good(&with),
    );
    let gone = cast.desk.delete(world, &format!("/grants/{grant}")).await?;
    let after = cast.client.at(1).get(world, &at).await?;
    cast.desk.make(world, &format!("/relations/{relation}/end"), &json!({})).await?;
    finding.forbidden(
        "unrelated-not-found",
        "the client looks for the stranger before the role was granted, and after it was taken back",
        "not found",
        format!("{}, {} (taking back: {})", told(&before), told(&after), told(&gone)),
        before.status == 404 && after.status == 404,
    );
    Ok(())
}

/// The relation is ended: at once, at both nodes, neither finds the other.
async fn ended(world: &dyn World, finding: &mut Finding, cast: &Cast, relation: &str) -> Result<(), Trouble> {
    cast.desk.make(world, &format!("/relations/{relation}/end"), &json!({})).await?;
    let mut seen = Vec::new();
    for node in [0, 1] {
        let here = cast.client.at(node);
        seen.push(here.get(world, &format!("/people/{}", cast.adviser.id)).await?);
        let body = json!({"person": cast.adviser.id, "others": [cast.client.user]});
        let asked = cast.machine.at(node).post(world, "/relations/check", &body).await?;
        let list = here.get(world, "/people").await?;
        finding.forbidden(
            "unrelated-not-found",
            format!("the relation is ended; at node {node} the client looks for the adviser, and the application asks the other way round"),
            "not found, not allowed",
            format!("{}; {}", tally(&seen), asked.json()),
            seen.iter().all(|a| a.status == 404)
                && asked.json()["others"][0]["may"] == json!(false)
                && !list.contains(&cast.adviser.name),
        );
    }
    Ok(())
}
