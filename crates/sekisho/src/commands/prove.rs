//! `sekisho prove`

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sekisho_controls::catalogue::{self, ClaimFile};
use sekisho_kernel::{
    Clock, Lang, Policy, Problem, Secret, SystemClock, SystemRng, TakenOut,
    claim::{Probe, Verdict},
    problem::INTERNAL,
    rng,
    world::{Account, Canary},
};
use sekisho_prober::{
    Plan, Progress, Proof,
    live::{Doors, LiveWorld},
    report::{self, Row},
    run::{Runner, judge_negative},
};

use super::{DONE, FAILED, WRONG, complain, finish, print, unreadable};
use crate::{cli::ProveArgs, evidence, policies, process, rehearsal::OwnFactory, settings, socket};

struct Bar(ProgressBar, Mutex<Vec<String>>);

impl Bar {
    fn new(length: usize, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(length as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self(bar, Mutex::default())
    }
    fn show(&self) {
        self.0.set_message(self.1.lock().unwrap_or_else(PoisonError::into_inner).join(" "));
    }
}

impl Progress for Bar {
    fn started(&self, id: &str) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
        self.show();
    }
    fn finished(&self, proof: &Proof) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| id != proof.id);
        self.0.inc(1);
        self.show();
    }
}

/// Every probe under its own paper's profile, or all under one policy.
fn plans(policy: Option<&Policy>, claims: &[String], lang: Lang) -> Result<Vec<Plan>, policies::Unreadable> {
    let mut profiles: BTreeMap<&str, Arc<Policy>> = BTreeMap::new();
    let mut plans = Vec::new();
    for probe in of_paper(chosen(claims), policy, claims) {
        let policy = match policy {
            Some(policy) => Arc::new(policy.clone()),
            None => {
                let slug = catalogue::by_id(probe.spec().id).map_or("netmeister", |c| c.file.slug());
                match profiles.get(slug) {
                    Some(policy) => policy.clone(),
                    None => {
                        let read = Arc::new(policies::shipped(&settings::schema(), slug, lang)?);
                        profiles.insert(slug, read.clone());
                        read
                    }
                }
            }
        };
        plans.push(Plan { probe, policy });
    }
    Ok(plans)
}

/// Under a policy that is one paper's own, that paper's claims; another paper's figures are no promise of this service.
fn of_paper(mut probes: Vec<Box<dyn Probe>>, policy: Option<&Policy>, claims: &[String]) -> Vec<Box<dyn Probe>> {
    if let (Some(file), true) = (policy.and_then(|p| ClaimFile::from_slug(p.name())), claims.is_empty()) {
        probes.retain(|p| catalogue::by_id(p.spec().id).is_some_and(|c| c.file == file));
    }
    probes
}

fn chosen(claims: &[String]) -> Vec<Box<dyn Probe>> {
    let mut probes = sekisho_controls::probes();
    probes.retain(|p| claims.is_empty() || claims.iter().any(|c| c.eq_ignore_ascii_case(p.spec().id)));
    // In the catalogue's order, whatever control keeps which claim.
    let place = |id: &str| catalogue::all().iter().position(|c| c.id == id);
    probes.sort_by_key(|p| place(p.spec().id));
    probes
}

/// What raises the rehearsals, on the server that is lent or without one.
fn factory(args: &ProveArgs) -> Result<OwnFactory, Problem> {
    let lender = match &args.postgres {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| unreadable(file, &e))?;
            Some(Secret::new(text.trim().to_owned()))
        }
    };
    Ok(OwnFactory { scratch: std::env::temp_dir(), lender })
}

/// Proves; the exit code.
pub async fn run(args: ProveArgs, lang: Lang) -> u8 {
    for id in &args.claims {
        if catalogue::by_id(&id.to_uppercase()).is_none() {
            complain(&match lang {
                Lang::Ja => format!("約束 {id} は一覧にありません。\n"),
                Lang::En => format!("There is no claim {id} in the catalogue.\n"),
            });
            return WRONG;
        }
    }
    let file = match (&args.policy, &args.data) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(data)) => Some(crate::place::Paths::around(data).policy),
        (None, None) => None,
    };
    let policy = match file.map(|file| policies::from_file(&settings::schema(), &file, lang)).transpose() {
        Ok(policy) => policy,
        Err(policies::Unreadable(text)) => {
            complain(&format!("{text}\n"));
            return WRONG;
        }
    };
    let plans = match plans(policy.as_ref(), &args.claims, lang) {
        Ok(plans) => plans,
        Err(policies::Unreadable(text)) => {
            complain(&format!("{text}\n"));
            return WRONG;
        }
    };
    let factory = match factory(&args) {
        Ok(factory) => factory,
        Err(problem) => return finish(Err(problem), lang),
    };
    if args.matrix {
        return matrix(policy.as_ref(), &args, &factory, lang).await;
    }
    let bar = Bar::new(plans.len(), args.json);
    let runner = runner(&args, &factory, &bar);
    let mut proofs = runner.rehearse(plans, args.negative).await;
    let mut lived = Vec::new();
    if let Some(data) = &args.data {
        match live(data, policy.as_ref(), &args.claims, &runner, lang).await {
            Ok(found) => lived = found,
            Err(problem) => {
                bar.0.finish_and_clear();
                return finish(Err(problem), lang);
            }
        }
        let all: Vec<_> = proofs.iter().chain(&lived).map(|p| evidence::from_proof(p, process::build())).collect();
        if let Err(problem) = enter(data, &all, lang).await {
            bar.0.finish_and_clear();
            return finish(Err(problem), lang);
        }
    }
    bar.0.finish_and_clear();
    proofs.extend(lived);
    let mut rows: Vec<Row> = proofs.into_iter().map(Row::Proven).collect();
    if !args.negative && args.claims.is_empty() {
        let kept: Vec<String> = rows.iter().map(|r| r.id().to_owned()).collect();
        let missing = catalogue::all().iter().filter(|c| !kept.contains(&c.id));
        rows.extend(missing.map(|c| Row::NotKeptYet(c.id.clone())));
    }
    conclude(&rows, &args, lang)
}

fn conclude(rows: &[Row], args: &ProveArgs, lang: Lang) -> u8 {
    let wanted = if args.negative { Verdict::Broken } else { Verdict::Holds };
    if let Some(file) = &args.junit
        && let Err(e) = std::fs::write(file, report::junit(rows, wanted))
    {
        return finish(Err(unreadable(file, &e)), lang);
    }
    if args.json {
        print(&format!("{}\n", report::json(rows)));
    } else {
        print(&report::table(rows, SystemClock.now(), lang));
    }
    if !args.negative {
        return if rows.iter().any(|r| r.verdict() == Verdict::Broken) { FAILED } else { DONE };
    }
    let mut code = DONE;
    for row in rows {
        let Row::Proven(proof) = row else { continue };
        let Some(spec) = sekisho_controls::spec(proof.id) else { continue };
        if let Err(why) = judge_negative(spec, proof) {
            complain(&format!("{}: {why}\n", proof.id));
            code = FAILED;
        }
    }
    code
}

fn runner<'a>(args: &ProveArgs, factory: &'a OwnFactory, bar: &'a Bar) -> Runner<'a> {
    Runner {
        factory,
        clock: &SystemClock,
        rng: Arc::new(SystemRng),
        at_once: usize::from(args.at_once),
        chromium: args.chromium.clone().or_else(process::chromium),
        progress: bar,
    }
}

/// For each control taken out, every probe that turns with it: the golden file.
async fn matrix(policy: Option<&Policy>, args: &ProveArgs, factory: &OwnFactory, lang: Lang) -> u8 {
    let outs: std::collections::BTreeSet<TakenOut> = sekisho_controls::specs().map(|s| s.negative).collect();
    let known: Vec<String> = outs.iter().map(|o| o.name()).collect();
    if let Some(name) = args.controls.iter().find(|n| !known.contains(n)) {
        complain(&match lang {
            Lang::Ja => format!("統制 {name} はありません。次のどれかです: {}\n", known.join(", ")),
            Lang::En => format!("There is no control {name}. It is one of: {}\n", known.join(", ")),
        });
        return WRONG;
    }
    for out in outs.into_iter().filter(|o| args.controls.is_empty() || args.controls.contains(&o.name())) {
        let plans = match plans(policy, &args.claims, lang) {
            Ok(plans) => plans,
            Err(policies::Unreadable(text)) => {
                complain(&format!("{text}\n"));
                return WRONG;
            }
        };
        let bar = Bar::new(plans.len(), true);
        let runner = runner(args, factory, &bar);
        let proofs = runner.rehearse_without(plans, out).await;
        let turned: Vec<&str> = proofs.iter().filter(|p| p.verdict == Verdict::Broken).map(|p| p.id).collect();
        print(&format!("{}: {}\n", out.name(), turned.join(" ")));
    }
    DONE
}

async fn tell(data: &Path, words: &[&str], input: Option<String>, lang: Lang) -> Result<String, Problem> {
    let mut all = vec![lang.tag().to_owned()];
    all.extend(words.iter().map(|w| (*w).to_owned()));
    let answered = socket::ask(data, &all, input).await.map_err(|e| unreadable(&socket::path(data), &e))?;
    let outcome = answered.ok_or_else(|| Problem::new(&NOT_RUNNING).at(data.display().to_string()))?;
    if outcome.code == 0 { Ok(outcome.stdout) } else { Err(Problem::new(&INTERNAL).log(outcome.stderr)) }
}

/// Live probes need a serving instance.
pub static NOT_RUNNING: sekisho_kernel::ProblemKind = sekisho_kernel::ProblemKind {
    code: "SK-9004",
    name: "not-running",
    category: sekisho_kernel::Category::Unavailable,
    title: sekisho_kernel::Text::new(
        "このデータディレクトリーで動いているインスタンスがありません。",
        "No instance is serving this data directory.",
    ),
    remedy: sekisho_kernel::Text::new("`sekisho serve` で起動してください。", "Start it with `sekisho serve`."),
};

async fn enter(data: &Path, all: &[sekisho_prober::Evidence], lang: Lang) -> Result<(), Problem> {
    let text = serde_json::to_string(all).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    tell(data, &["evidence", "enter"], Some(text), lang).await.map(|_| ())
}

#[derive(serde::Deserialize)]
struct Made {
    canaries: Vec<MadeCanary>,
    https: Option<std::net::SocketAddr>,
    http: Option<std::net::SocketAddr>,
    trust: Option<String>,
}

#[derive(serde::Deserialize)]
struct MadeCanary {
    tenant: sekisho_kernel::id::TenantId,
    name: String,
    console: String,
    application: String,
    user: sekisho_kernel::id::UserId,
    admin: String,
}

/// Each probe gets canary tenants of its own, which end with it whatever it found: none meets what another left behind.
async fn live(
    data: &Path,
    policy: Option<&Policy>,
    claims: &[String],
    runner: &Runner<'_>,
    lang: Lang,
) -> Result<Vec<Proof>, Problem> {
    let Some(policy) = policy else { return Ok(Vec::new()) };
    let policy = Arc::new(policy.clone());
    let mut proofs = Vec::new();
    for probe in of_paper(chosen(claims), Some(&policy), claims).into_iter().filter(|p| p.spec().live) {
        let password = format!("Kanari-{}-Aa7!", hex::encode(rng::bytes::<8>(&SystemRng)));
        let made: Made = serde_json::from_str(&tell(data, &["canary", "make", &password], None, lang).await?)
            .map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let tenants: Vec<String> = made.canaries.iter().map(|c| c.tenant.to_string()).collect();
        let proven = match live_world(made, &password, policy.clone()) {
            Ok(world) => Ok(runner.live(vec![Plan { probe, policy: policy.clone() }], &world).await),
            Err(problem) => Err(problem),
        };
        let mut words = vec!["canary", "end"];
        words.extend(tenants.iter().map(String::as_str));
        tell(data, &words, None, lang).await?;
        proofs.extend(proven?);
    }
    Ok(proofs)
}

fn live_world(made: Made, password: &str, policy: Arc<Policy>) -> Result<LiveWorld, Problem> {
    let https = made.https.ok_or_else(|| Problem::new(&NOT_RUNNING).at("listen.https"))?;
    let canary = |c: MadeCanary| Canary {
        tenant: c.tenant,
        name: c.name,
        console: c.console,
        application: c.application,
        admin: Account { user: c.user, name: c.admin, password: Secret::new(password.to_owned()) },
    };
    let canaries = made.canaries.into_iter().map(canary).collect();
    let (doors, pem) = (Doors { https, http: made.http }, made.trust.unwrap_or_default());
    LiveWorld::new(doors, &pem, canaries, policy, Arc::new(SystemClock), Arc::new(SystemRng))
        .map_err(|e| Problem::new(&INTERNAL).log(e))
}
