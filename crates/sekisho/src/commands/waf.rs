//! `sekisho waf …`

use std::{
    fmt::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use sekisho_gateway::{
    PolicyEgress,
    firewall::{
        Firewall,
        archive::{self, SUFFIX, SigningKey},
        sources::{self, Disk, Folder},
        words,
    },
};
use sekisho_kernel::{
    Clock, Lang, Problem, Rng, SystemClock, SystemRng, Text, problem::INVALID, rng, world::CommandOutcome,
};
use sekisho_waf::{
    Client, Explained, Explanation, Options, RequestHead, RuleSet,
    ftw::{self, Overrides},
    mask::printable,
    wire::Request,
};

use super::{FAILED, refused, said, unreadable, write_private};
use crate::{
    cli::waf::{FeedCommand, WafCommand},
    instance::Instance,
    work::Feed,
};

/// Tests of the Core Rule Set that only a server's own refusal satisfies, with the reasons.
const OVERRIDES: &str = include_str!("../../../waf/tests/it/overrides.txt");

/// Runs a command that needs no instance.
///
/// # Errors
/// What cannot be read or used, with its place.
pub fn run(command: WafCommand, lang: Lang) -> Result<CommandOutcome, Problem> {
    match command {
        WafCommand::Check { request, rules, own, paranoia, all } => {
            check(&request, rules.as_deref(), own.as_deref(), paranoia, all, lang)
        }
        WafCommand::Test { tests, rules, overrides } => test(&tests, &rules, overrides.as_deref()),
        WafCommand::Feed(FeedCommand::Key { file }) => key(&file, lang),
        WafCommand::Feed(FeedCommand::Sign { dir, key, name, number, whole, output }) => {
            sign(&dir, &key, &name, number, whole, &output, lang)
        }
        WafCommand::Feed(FeedCommand::Fetch { .. } | FeedCommand::Status { .. }) => {
            Err(Problem::new(&sekisho_kernel::problem::INTERNAL))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|e| unreadable(path, &e))
}

fn wrong(place: impl std::fmt::Display, why: impl std::fmt::Display) -> Problem {
    let why = why.to_string();
    Problem::new(&INVALID).at(place.to_string()).detail(Text::owned(why.clone(), why))
}

fn load(rules: Option<&Path>, own: Option<&Path>) -> Result<RuleSet, Problem> {
    let text = match rules {
        Some(dir) => Folder::find(dir)?.text(own),
        None => sources::base_with(own),
    };
    RuleSet::from_text(&mut Disk::default(), "firewall.conf", &text, &Options::default())
        .map_err(|e| wrong(&e.place, &e.reason))
}

fn check(
    file: &Path,
    rules: Option<&Path>,
    own: Option<&Path>,
    paranoia: u8,
    all: bool,
    lang: Lang,
) -> Result<CommandOutcome, Problem> {
    let request = Request::parse(&read(file)?).map_err(|e| wrong(file.display(), e))?;
    let set = load(rules, own)?;
    // A set that knows no levels runs as it is.
    let set = Arc::new(set.with(&Options::paranoia(paranoia)).unwrap_or(set));
    let local = Ipv4Addr::LOCALHOST.into();
    let time = u64::try_from(SystemClock.now().micros() / 1_000_000).unwrap_or(0);
    let client =
        Client { address: local, port: 40_000, server: local, server_port: 443, time, unique_id: "check".into() };
    let headers: Vec<(&[u8], &[u8])> = request.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    let head = RequestHead {
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        headers: &headers,
    };
    let explanation = set.explain(&client, &head, &request.body);
    Ok(said(explained(&request, &explanation, all, lang)))
}

fn explained(request: &Request, explanation: &Explanation, all: bool, lang: Lang) -> String {
    let mut out = format!("{} {}\n\n", printable(&request.method), printable(&request.target));
    let shown: Vec<&Explained> = explanation.rules.iter().filter(|r| all || r.logged || r.score != 0).collect();
    if shown.is_empty() {
        out.push_str(match lang {
            Lang::Ja => "一致した規則はありません。\n",
            Lang::En => "No rule matched.\n",
        });
    }
    for rule in &shown {
        rule_text(&mut out, rule, lang);
    }
    let score = explanation.scores.inbound;
    out.push_str(&match (lang, &explanation.verdict) {
        (Lang::Ja, Some(b)) => {
            format!("\nスコア {score}。規則 {} が第 {} フェーズで遮断します（HTTP {}）。\n", b.rule, b.phase, b.status)
        }
        (Lang::En, Some(b)) => {
            format!("\nScore {score}. Rule {} blocks it in phase {} (HTTP {}).\n", b.rule, b.phase, b.status)
        }
        (Lang::Ja, None) => format!("\nスコア {score}。この要求は通ります。\n"),
        (Lang::En, None) => format!("\nScore {score}. The request passes.\n"),
    });
    out
}

fn rule_text(out: &mut String, rule: &Explained, lang: Lang) {
    let (word, phase, score, test, after, was) = match lang {
        Lang::Ja => ("規則", "フェーズ", "スコア", "検査", "変換", "変換前"),
        Lang::En => ("rule", "phase", "score", "test", "after", "was"),
    };
    let message = printable(&rule.message);
    let message = words::message(&message, lang);
    let _ = writeln!(out, "{word} {} · {phase} {} · {score} {:+} · {}", rule.rule, rule.phase, rule.score, rule.action);
    if !message.is_empty() {
        let _ = writeln!(out, "  {message}");
    }
    let _ = writeln!(out, "  {}", rule.place);
    for link in &rule.links {
        if !link.test.is_empty() {
            let mut operand: String = link.test.chars().take(160).collect();
            if link.test.chars().count() > 160 {
                operand.push('…');
            }
            let _ = write!(out, "  {test}: {operand}");
            if !link.transformations.is_empty() {
                let _ = write!(out, "  ({after}: {})", link.transformations.join(", "));
            }
            out.push('\n');
        }
        for part in &link.parts {
            let (value, before) = (printable(&part.value), printable(&part.before));
            let _ = write!(out, "    {} = {value}", printable(&part.name));
            if before != value {
                let _ = write!(out, "  ({was}: {before})");
            }
            out.push('\n');
        }
    }
}

fn tests_below(dir: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut out = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(&next).map_err(|e| unreadable(&next, &e))? {
            let path = entry.map_err(|e| unreadable(&next, &e))?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

fn test(tests: &Path, rules: &Path, overrides: Option<&Path>) -> Result<CommandOutcome, Problem> {
    let text = Folder::find(rules)?.test_text();
    let set = RuleSet::from_text(&mut Disk::default(), "firewall.conf", &text, &Options::default())
        .map_err(|e| wrong(&e.place, &e.reason))?;
    let overrides = match overrides {
        Some(file) => {
            let text = String::from_utf8_lossy(&read(file)?).into_owned();
            Overrides::parse(&text).map_err(|e| wrong(file.display(), e))?
        }
        None => Overrides::parse(OVERRIDES).map_err(|e| wrong("overrides", e))?,
    };
    let mut stages = Vec::new();
    for file in tests_below(tests)? {
        let text = String::from_utf8_lossy(&read(&file)?).into_owned();
        stages.extend(ftw::parse(&file.display().to_string(), &text).map_err(|e| wrong(file.display(), e))?);
    }
    if stages.is_empty() {
        return Err(wrong(tests.display(), "there are no tests (*.yaml) below this folder"));
    }
    let report = ftw::run(&Arc::new(set), &stages, &overrides);
    let code = if report.failed.is_empty() { 0 } else { i32::from(FAILED) };
    Ok(CommandOutcome { code, stdout: format!("{report}\n"), stderr: String::new() })
}

fn signing_key(file: &Path) -> Result<SigningKey, Problem> {
    let text = String::from_utf8_lossy(&read(file)?).trim().to_owned();
    SigningKey::from_seed(&hex::decode(text).map_err(|e| wrong(file.display(), e))?)
}

fn key(file: &Path, lang: Lang) -> Result<CommandOutcome, Problem> {
    let made = !file.exists();
    if made {
        let seed = rng::bytes::<32>(&SystemRng as &dyn Rng);
        write_private(file, &format!("{}\n", hex::encode(seed))).map_err(|e| unreadable(file, &e))?;
    }
    let public = signing_key(file)?.public();
    let shown = file.display();
    Ok(said(match (lang, made) {
        (Lang::Ja, true) => format!("署名鍵を {shown} に作りました（本人だけが読めます）。\nfeed_key = \"{public}\"\n"),
        (Lang::En, true) => {
            format!("A signing key is in {shown} (readable by its owner alone).\nfeed_key = \"{public}\"\n")
        }
        (_, false) => format!("feed_key = \"{public}\"\n"),
    }))
}

fn sign(
    dir: &Path,
    key: &Path,
    name: &str,
    version: u64,
    whole: bool,
    output: &Path,
    lang: Lang,
) -> Result<CommandOutcome, Problem> {
    if !output.display().to_string().ends_with(SUFFIX) {
        return Err(wrong(output.display(), format!("the name must end in {SUFFIX}")));
    }
    let files = archive::gather(dir).map_err(|e| wrong(dir.display(), e))?;
    let signer = signing_key(key)?;
    let bytes = archive::make(name, version, SystemClock.now(), whole, &files, Some(&signer))?;
    // What no instance would load is not signed into the world.
    let info = sources::try_archive(&bytes, &signer.public(), SystemClock.now())?;
    std::fs::write(output, &bytes).map_err(|e| unreadable(output, &e))?;
    let (shown, tests, rules) = (output.display(), info.tests, info.rules);
    Ok(said(match lang {
        Lang::Ja => format!("{shown} に署名しました: {name} 第 {version} 版、規則 {rules}、試験 {tests} 件に合格。\n"),
        Lang::En => format!("Signed {shown}: {name} number {version}, {rules} rules, {tests} tests passed.\n"),
    }))
}

/// What is in force, for people.
pub fn status(firewall: &Firewall, lang: Lang) -> String {
    let (info, now) = (firewall.info(), firewall.now());
    let days = now.since(info.made).as_secs() / 86_400;
    let stale = now.since(info.made) > firewall.max_age();
    let (name, made, rules, tests) = (&info.name, info.made.rfc3339(), info.rules, info.tests);
    let origin = info.origin.name();
    let version = if info.version == 0 { String::new() } else { format!(" {}", info.version) };
    match lang {
        Lang::Ja => {
            let old = if stale { "（古くなっています）" } else { "" };
            format!(
                "ルールセット: {name}{version}（{origin}）\n作成: {made}、{days} 日前{old}\n規則: {rules}、合格した試験: {tests}\n"
            )
        }
        Lang::En => {
            let old = if stale { " (out of date)" } else { "" };
            format!(
                "rule set: {name}{version} ({origin})\nmade: {made}, {days} days ago{old}\nrules: {rules}, own tests passed: {tests}\n"
            )
        }
    }
}

/// Asks the feed and enters what came of it. What the feed holds and is not sound is told, and is no failure of the visit.
///
/// # Errors
/// The feed cannot be read; the entry cannot be written.
pub async fn fetch(instance: &Instance, lang: Lang) -> Result<String, Problem> {
    let feed = Feed {
        vault: instance.vault.clone(),
        firewall: instance.firewall.clone(),
        live: instance.policy_watch(),
        egress: Arc::new(PolicyEgress::new(instance.policy_watch())),
    };
    let fetched = feed.visit().await?;
    let mut out = String::new();
    for refusal in &fetched.refused {
        let why = refusal.problem.message(lang);
        let _ = match lang {
            Lang::Ja => writeln!(out, "拒否: {} 第 {} 版: {why}", refusal.name, refusal.version),
            Lang::En => writeln!(out, "refused: {} {}: {why}", refusal.name, refusal.version),
        };
    }
    if fetched.loaded.is_none() && fetched.refused.is_empty() {
        out.push_str(match lang {
            Lang::Ja => "新しいルールセットはありません。\n",
            Lang::En => "There is nothing newer.\n",
        });
    }
    out.push_str(&status(&instance.firewall, lang));
    Ok(out)
}

/// Whether a command is for an instance.
pub fn host_words(command: &WafCommand) -> Option<(crate::cli::Place, Vec<String>)> {
    let words = |last: &str| vec!["waf".to_owned(), "feed".to_owned(), last.to_owned()];
    match command {
        WafCommand::Feed(FeedCommand::Fetch { place }) => Some((place.clone(), words("fetch"))),
        WafCommand::Feed(FeedCommand::Status { place }) => Some((place.clone(), words("status"))),
        _ => None,
    }
}

/// The outcome of a command that cannot be carried out.
pub fn none(lang: Lang) -> CommandOutcome {
    refused(
        FAILED,
        match lang {
            Lang::Ja => "配布元が設定されていません（waf.feed）。\n".to_owned(),
            Lang::En => "The policy names no feed (waf.feed).\n".to_owned(),
        },
    )
}
