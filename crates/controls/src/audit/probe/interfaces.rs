//! MIST-09: an act through each interface, found in the one log.

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    Time,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Ask, World},
};
use serde_json::{Value, json};

use crate::{
    audit::MIST_09,
    probing::{
        Person,
        answer::good,
        browser::Browser,
        history::{self, Entry},
        person::text,
        rehearsed, told,
    },
};

pub struct OnePlace;

/// "Within seconds": so many.
const SECONDS: u64 = 5;

#[async_trait]
impl Probe for OnePlace {
    fn spec(&self) -> &'static ClaimSpec {
        &MIST_09
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let instance = rehearsed(world)?;
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let began = instance.now();

        // Console: a page's own form.
        let name = world.marker("by-form");
        let mut browser = Browser::default();
        browser.keep(&canary.console, "__Host-sekisho", &desk.token);
        let mut form =
            Ask::new("POST", &canary.console, "/sites").header("content-type", "application/x-www-form-urlencoded");
        form.body = format!("csrf={}&name={name}&note=", desk.csrf).into_bytes();
        let by_form = browser.send(world, form.header("origin", format!("https://{}", canary.console))).await?;
        let made = desk.get(world, "/sites?limit=200").await?.json();
        let sites = made.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let by_form_id = sites.iter().find(|s| text(s, "name") == name).map_or_else(String::new, |s| text(s, "id"));
        // API.
        let by_api = desk.post(world, "/sites", &json!({"name": world.marker("by-api")})).await?;
        let by_api_id = text(&by_api.json(), "id");
        // Gateway.
        let path = format!("/orders/{}", world.marker("by-door"));
        browser.open(world, &canary.application, "/").await?;
        let by_door = browser.open(world, &canary.application, &path).await?;
        // Command line.
        let somebody = desk.hire(world, &admin, "user", &Value::Null).await?;
        let tenant = canary.tenant.to_string();
        let by_command = instance.command(&["user", "unlock", "--tenant", &tenant, "--name", &somebody.name]).await?;
        finding.positive(
            "api",
            "an act through each interface: a form of the console, the API, the gateway, the command line",
            "each is done",
            format!(
                "form {}, API {}, gateway {}, command {}",
                told(&by_form),
                told(&by_api),
                by_door.told(),
                if by_command.code == 0 { "done".into() } else { by_command.stderr.trim().to_owned() }
            ),
            (by_form.status < 400)
                && !by_form_id.is_empty()
                && good(&by_api)
                && good(&by_door.answer)
                && by_command.code == 0,
        );
        let entries = history::entries(world, &desk, "").await?;
        let wanted = [
            ("console", "console", by_form_id, "a site made by the console's form"),
            ("api", "api", by_api_id, "a site made through the API"),
            ("gateway", "door", path, "a request through the gateway"),
            ("command-line", "command", somebody.id.clone(), "an account unlocked on the command line"),
        ];
        let mut found: Vec<&Entry> = Vec::new();
        for (clause, via, target, what) in &wanted {
            let of_it = |e: &&Entry| {
                e.via() == *via
                    && !target.is_empty()
                    && (e.target().contains(target.as_str()) || e.0.to_string().contains(target.as_str()))
            };
            let these: Vec<&Entry> = entries.iter().filter(of_it).collect();
            finding.forbidden(
                clause,
                format!("{what} is looked for in the organisation's one history"),
                format!("an entry by way of “{via}”"),
                these.first().map_or_else(|| "no such entry".into(), |e| e.told()),
                !these.is_empty(),
            );
            found.extend(these.first());
        }
        finding.absent("device", "an interface for devices");
        finding.absent("operator", "an interface for operators of the provider");
        let late = found
            .iter()
            .filter_map(|e| Time::parse_rfc3339(&e.at()))
            .filter(|at| at.since(began) > Duration::from_secs(SECONDS))
            .count();
        finding.forbidden(
            "within-seconds",
            format!(
                "the history is read right after the last act; the clock has moved by {} s since the first",
                instance.now().since(began).as_secs()
            ),
            format!("every entry is there, none dated later than {SECONDS} s"),
            format!("{} of {} there, {late} late", found.len(), wanted.len()),
            found.len() == wanted.len() && late == 0,
        );
        Ok(())
    }
}
