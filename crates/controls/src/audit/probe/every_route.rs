//! NM-05 and, with the download, IDO-41: every operation of the API's document, succeeding, refused and failing.

use std::{collections::HashMap, net::IpAddr};

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};

use super::{kept, recipes::Cast};
use crate::{
    audit::{IDO_41, NM_05},
    probing::{
        answer::good,
        history::{self, Entry},
        operations::operations,
        person::knock,
        told,
    },
};

/// Every operation; with `handed_over` also the download of the log.
pub struct EveryOperation {
    pub handed_over: bool,
}

/// How a run is meant to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It is done.
    Succeeding,
    /// It is refused.
    Refused,
    /// It goes wrong.
    Failing,
}

impl End {
    const ALL: [Self; 3] = [Self::Succeeding, Self::Refused, Self::Failing];
    fn outcome(self) -> &'static str {
        match self {
            Self::Succeeding => "success",
            Self::Refused => "refused",
            Self::Failing => "failed",
        }
    }
    fn clause(self) -> &'static str {
        match self {
            Self::Succeeding => "succeeding-one-entry",
            Self::Refused => "refused-one-entry",
            Self::Failing => "failing-one-entry",
        }
    }
    fn came_out(self, got: &Answer) -> bool {
        match self {
            Self::Succeeding => good(got),
            Self::Refused => matches!(got.status, 401 | 403 | 429),
            Self::Failing => (400..500).contains(&got.status) && !matches!(got.status, 401 | 403 | 429),
        }
    }
}

/// One run of one operation, from an address that nothing else comes from.
struct Run {
    operation: String,
    end: End,
    from: IpAddr,
    actor: String,
    answer: Answer,
}

#[async_trait]
impl Probe for EveryOperation {
    fn spec(&self) -> &'static ClaimSpec {
        if self.handed_over { &IDO_41 } else { &NM_05 }
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let mut cast = Cast::assemble(world).await?;
        let all = operations(world, &cast.admin.console).await?;
        let mut runs = Vec::new();
        let mut left_out = Vec::new();
        for operation in &all {
            for end in End::ALL {
                let Some(ask) = cast.ask(world, operation, end).await? else {
                    left_out.push(format!("{} {}", operation.name(), end.outcome()));
                    continue;
                };
                let actor = actor_of(&cast, &ask, end);
                let from = address(runs.len());
                let answer = world.send(ask.peer(from)).await?;
                runs.push(Run { operation: operation.name(), end, from, actor, answer });
            }
        }
        let (sign_ins, mut extra) = sign_ins(world, &cast, runs.len()).await?;
        runs.append(&mut extra);
        cast.refresh(world).await?;
        let entries = history::entries(world, &cast.desk, "").await?;
        let mut by_address: HashMap<String, Vec<&Entry>> = HashMap::new();
        for entry in &entries {
            by_address.entry(entry.address()).or_default().push(entry);
        }
        judge(finding, &runs[..runs.len() - sign_ins], &by_address, all.len(), &left_out);
        name_all(finding, &runs, &by_address);
        judge_sign_ins(finding, &runs[runs.len() - sign_ins..], &by_address);
        kept::no_entry_no_action(world, finding, &mut cast).await?;
        if self.handed_over {
            kept::handed_over(world, finding, &mut cast).await?;
        }
        kept::its_time(world, finding, &mut cast).await
    }
}

/// Another address for each run, in 10.0.0.0/8.
fn address(n: usize) -> IpAddr {
    let n = u32::try_from(n + 257).unwrap_or(u32::MAX).to_be_bytes();
    IpAddr::from([10, n[1], n[2], n[3]])
}

fn actor_of(cast: &Cast, ask: &Ask, end: End) -> String {
    let bearer = ask.headers.iter().find(|(n, _)| n == "authorization").map(|(_, v)| v.as_str());
    let session = bearer.and_then(|b| cast.sessions().into_iter().find(|s| b.ends_with(&s.token)));
    // An operation whose body is too long to be read has no actor yet.
    let unread = end == End::Failing && ask.body.len() > 60_000;
    session.filter(|_| !unread).map_or_else(|| "stranger".into(), |s| s.user.clone())
}

/// Sign-in, failed sign-in and sign-out, told apart from the sweep. How many runs they are.
async fn sign_ins(world: &dyn World, cast: &Cast, taken: usize) -> Result<(usize, Vec<Run>), Trouble> {
    let person = &cast.member;
    let mut runs = Vec::new();
    let mut add = |operation: &str, end, from, actor: &str, answer| {
        runs.push(Run { operation: operation.into(), end, from, actor: actor.into(), answer });
    };
    let from = address(taken);
    let answer = world.send(knock(&person.console, &person.name, "not the password", Some(from))).await?;
    add("failed sign-in", End::Refused, from, "", answer);
    let from = address(taken + 1);
    let mut entering = person.clone().from(from);
    entering.again(world).await?;
    let session = entering.sign_in(world).await?;
    let answer = world.send(session.ask("GET", "/session")).await?;
    add("sign-in", End::Succeeding, from, "", answer);
    let from = address(taken + 2);
    let answer = world.send(session.ask("POST", "/sign-out").json(&serde_json::json!({})).peer(from)).await?;
    add("sign-out", End::Succeeding, from, &session.user, answer);
    Ok((3, runs))
}

fn shown(all: &[String]) -> String {
    let few: Vec<&str> = all.iter().take(6).map(String::as_str).collect();
    format!("{}{}", few.join("; "), if all.len() > 6 { format!("; and {} more", all.len() - 6) } else { String::new() })
}

fn judge(
    finding: &mut Finding,
    runs: &[Run],
    by_address: &HashMap<String, Vec<&Entry>>,
    operations: usize,
    left_out: &[String],
) {
    let mut otherwise = Vec::new();
    for end in End::ALL {
        let these: Vec<&Run> = runs.iter().filter(|r| r.end == end).collect();
        let mut wrong = Vec::new();
        for run in &these {
            if !end.came_out(&run.answer) {
                otherwise.push(format!("{} {}: {}", run.operation, end.outcome(), told(&run.answer)));
            }
            let entries = by_address.get(&run.from.to_string()).map_or(&[][..], Vec::as_slice);
            match entries {
                [one] if one.outcome() == end.outcome() => {}
                [one] => wrong.push(format!("{}: entered as {}", run.operation, one.outcome())),
                many => wrong.push(format!(
                    "{}: {} entries ({})",
                    run.operation,
                    many.len(),
                    many.iter().map(|e| e.event()).collect::<Vec<_>>().join(", ")
                )),
            }
        }
        finding.forbidden(
            end.clause(),
            format!(
                "{} runs that end {}, each from an address of its own; then the history is read",
                these.len(),
                end.outcome()
            ),
            format!("exactly one entry for each, {}", end.outcome()),
            if wrong.is_empty() { format!("{} entries, one each", these.len()) } else { shown(&wrong) },
            wrong.is_empty() && !these.is_empty(),
        );
    }
    finding.positive(
        "succeeding-one-entry",
        format!(
            "all {operations} operations of the API's document, once so that each succeeds, once refused, once failing"
        ),
        "each run ends as meant",
        if otherwise.is_empty() {
            format!(
                "{} runs ended as meant; which have no such ending: {}",
                runs.len(),
                if left_out.is_empty() { "none".into() } else { left_out.join(", ") }
            )
        } else {
            shown(&otherwise)
        },
        otherwise.is_empty(),
    );
}

fn name_all(finding: &mut Finding, runs: &[Run], by_address: &HashMap<String, Vec<&Entry>>) {
    let mut lacking = Vec::new();
    let mut count = 0;
    for run in runs {
        let Some([entry]) = by_address.get(&run.from.to_string()).map(Vec::as_slice) else { continue };
        count += 1;
        // Before there is a session the sign-in job acts, on the account that the target names.
        let before_session = run.actor == "stranger" && entry.actor() == "system:sign-in";
        let actor = run.actor.is_empty() && !entry.actor().is_empty() || entry.actor() == run.actor || before_session;
        let checks = [
            ("actor", actor),
            ("action", entry.event().contains('.')),
            ("target", !entry.target().is_empty()),
            ("result", entry.outcome() == run.end.outcome()),
            ("time", !entry.at().is_empty()),
            ("address", entry.address() == run.from.to_string()),
        ];
        let missing: Vec<&str> = checks.iter().filter(|(_, ok)| !ok).map(|(n, _)| *n).collect();
        if !missing.is_empty() {
            lacking.push(format!("{} {}: {} ({})", run.operation, run.end.outcome(), missing.join(", "), entry.told()));
        }
    }
    finding.forbidden(
        "entry-names-all",
        format!("{count} of these entries are held against who did what from where"),
        "each names actor, action, target, result, time and address, and names them right",
        if lacking.is_empty() { "each does".into() } else { shown(&lacking) },
        lacking.is_empty() && count > 0,
    );
}

fn judge_sign_ins(finding: &mut Finding, runs: &[Run], by_address: &HashMap<String, Vec<&Entry>>) {
    for (run, clause, event) in runs
        .iter()
        .zip([
            ("failed-sign-in-entry", "session.sign_in"),
            ("sign-in-entry", "session.sign_in"),
            ("sign-out-entry", "session.sign_out"),
        ])
        .map(|(run, (clause, event))| (run, clause, event))
    {
        let entries = by_address.get(&run.from.to_string()).map_or(&[][..], Vec::as_slice);
        let fitting = entries.iter().filter(|e| e.event() == event && e.outcome() == run.end.outcome()).count();
        finding.forbidden(
            clause,
            format!("a {} from {}", run.operation, run.from),
            format!("one entry {event}, {}", run.end.outcome()),
            entries.iter().map(|e| e.told()).collect::<Vec<_>>().join("; "),
            fitting == 1,
        );
    }
}
