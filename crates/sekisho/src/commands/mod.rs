//! What each command does. A command that needs an instance asks the running one through its socket, or opens the data
//! itself when none is running.

pub mod host;
pub mod init;
pub mod ledger;
mod paper;
mod policy;
pub mod prove;
pub mod relation;
pub mod serve;
pub mod waf;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use sekisho_kernel::{Lang, Policy, Problem, Secret, SystemRng, Text, world::CommandOutcome};
use sekisho_keys::RootSource;

use crate::{
    cli::{AdminCommand, Cli, Command, DomainCommand, KeyCommand, LedgerCommand, Place, TenantCommand, UserCommand},
    demo,
    instance::{Instance, Spec},
    place::Paths,
    policies, settings, socket,
};

/// Done.
pub const DONE: u8 = 0;
/// A claim or check failed.
pub const FAILED: u8 = 1;
/// Wrong usage or configuration.
pub const WRONG: u8 = 2;

/// Runs the command line; the exit code.
pub async fn run(cli: Cli, lang: Lang) -> u8 {
    let outcome = match cli.command {
        Command::Policy(command) => policy::run(command, lang),
        Command::Waf(command) if waf::host_words(&command).is_none() => waf::run(command, lang),
        Command::Prove(args) => return prove::run(args, lang).await,
        Command::Paper { format, policy, data, output } => paper::run(format, policy, data, output, lang).await,
        Command::Init { place, profile, upstream, tenant, link_file } => {
            init::run(place, &profile, upstream, tenant, link_file, lang).await
        }
        Command::Serve { place } => return serve::run(place, lang).await,
        Command::Demo { port, data } => return demo::run(port, data, lang).await,
        Command::Ledger(LedgerCommand::Verify { data, export, anchor, key, root_key, json }) => {
            ledger::verify(ledger::Verify { data, export, anchor, key, root_key, json }, lang).await
        }
        Command::Ledger(LedgerCommand::Export { place, tenant, output }) => {
            on_host(&place, vec!["ledger".into(), "export".into(), tenant], None, lang)
                .await
                .and_then(|o| host::save_export(o, &output, lang))
        }
        command => match host_words(&command) {
            Some((place, words, link_file)) => {
                on_host(&place, words, None, lang).await.and_then(|o| host::deliver_link(o, link_file.as_deref(), lang))
            }
            None => return WRONG,
        },
    };
    finish(outcome, lang)
}

type OnHost = (Place, Vec<String>, Option<PathBuf>);

/// The words by which an instance is told a command, where it belongs, and the file that a link goes to; `None` for
/// commands that no instance runs.
pub fn host_words(command: &Command) -> Option<OnHost> {
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    Some(match command {
        Command::Tenant(TenantCommand::Create { place, tenant, link_file }) => {
            let told = words(&["tenant", "create", &tenant.name, &tenant.console_host, &tenant.app_host]);
            (place.clone(), told, link_file.clone())
        }
        Command::Tenant(TenantCommand::List { place }) => (place.clone(), words(&["tenant", "list"]), None),
        Command::Admin(AdminCommand::Recover { place, tenant, link_file }) => {
            (place.clone(), words(&["admin", "recover", tenant]), link_file.clone())
        }
        Command::User(UserCommand::Unlock { place, tenant, name }) => {
            (place.clone(), words(&["user", "unlock", tenant, name]), None)
        }
        Command::Domain(DomainCommand::Verify { place, tenant, domain }) => {
            (place.clone(), words(&["domain", "verify", tenant, domain]), None)
        }
        Command::Key(KeyCommand::Rotate { place, tenant }) => (place.clone(), words(&["key", "rotate", tenant]), None),
        Command::Key(KeyCommand::Turn { place, tenant, withdraw }) => {
            (place.clone(), words(&["key", "turn", tenant, if *withdraw { "withdraw" } else { "keep" }]), None)
        }
        Command::Key(KeyCommand::Shred { place, tenant, confirm }) => {
            (place.clone(), words(&["key", "shred", tenant, confirm]), None)
        }
        Command::Relation(command) => {
            let (place, told) = relation::host_words(command);
            (place, told, None)
        }
        Command::Waf(command) => {
            let (place, told) = waf::host_words(command)?;
            (place, told, None)
        }
        Command::Reload { place } => (place.clone(), words(&["reload"]), None),
        Command::Status { place } => (place.clone(), words(&["status"]), None),
        _ => return None,
    })
}

/// Prints an outcome; the exit code.
pub fn finish(outcome: Result<CommandOutcome, Problem>, lang: Lang) -> u8 {
    match outcome {
        Ok(outcome) => {
            print(&outcome.stdout);
            complain(&outcome.stderr);
            u8::try_from(outcome.code).unwrap_or(WRONG)
        }
        Err(problem) => {
            complain(&format!("{} {}\n", problem.kind.code, problem.message(lang)));
            if let Some(log) = problem.log_text() {
                complain(&format!("  {log}\n"));
            }
            WRONG
        }
    }
}

/// Writes to standard output; a closed pipe is nobody's error.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush());
}

/// Writes to standard error.
pub fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// An outcome that only says something.
pub fn said(text: impl Into<String>) -> CommandOutcome {
    CommandOutcome { code: 0, stdout: text.into(), stderr: String::new() }
}

/// An outcome that complains.
pub fn refused(code: u8, text: impl Into<String>) -> CommandOutcome {
    CommandOutcome { code: i32::from(code), stdout: String::new(), stderr: text.into() }
}

/// The paths that a place names.
pub fn paths(place: &Place) -> Paths {
    let mut paths = Paths::around(&place.data);
    if let Some(policy) = &place.policy {
        paths.policy = policy.clone();
    }
    if let Some(root_key) = &place.root_key {
        paths.root_key = root_key.clone();
    }
    paths
}

/// The root key that a place names.
///
/// # Errors
/// The passphrase file cannot be read.
pub fn root(place: &Place, paths: &Paths) -> Result<RootSource, Problem> {
    match &place.passphrase_file {
        None => Ok(RootSource::File(paths.root_key.clone())),
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| unreadable(file, &e))?;
            Ok(RootSource::Passphrase(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())))
        }
    }
}

/// A file that cannot be read or written.
pub fn unreadable(file: &Path, error: &std::io::Error) -> Problem {
    Problem::new(&FILE).at(file.display().to_string()).detail(Text::owned(error.to_string(), error.to_string()))
}

/// A file that cannot be used.
pub static FILE: sekisho_kernel::ProblemKind = sekisho_kernel::ProblemKind {
    code: "SK-9002",
    name: "file",
    category: sekisho_kernel::Category::Invalid,
    title: Text::new("ファイルを使えません。", "A file cannot be used."),
    remedy: Text::new("パスと権限を確かめてください。", "Check its path and permissions."),
};

/// A data directory without an instance in it.
pub static NO_INSTANCE: sekisho_kernel::ProblemKind = sekisho_kernel::ProblemKind {
    code: "SK-9003",
    name: "no-instance",
    category: sekisho_kernel::Category::NotFound,
    title: Text::new(
        "このディレクトリーに Sekisho のデータはありません。",
        "There is no Sekisho data in this directory.",
    ),
    remedy: Text::new(
        "`--data` を確かめるか、`sekisho init` で新しく作ってください。",
        "Check `--data`, or make one with `sekisho init`.",
    ),
};

/// A policy that could not be read; the text is ready to print.
pub fn bad_policy(unreadable: policies::Unreadable) -> CommandOutcome {
    refused(WRONG, unreadable.0 + "\n")
}

/// Opens a stopped instance's data.
///
/// # Errors
/// Whatever opening meets; `Err` inside `Ok` is a policy that cannot be read.
pub async fn open(place: &Place, lang: Lang) -> Result<Result<Instance, CommandOutcome>, Problem> {
    let paths = paths(place);
    if !paths.data.is_dir() || !paths.policy.exists() {
        return Err(Problem::new(&NO_INSTANCE).at(paths.data.display().to_string()));
    }
    let policy = match policies::from_file(&settings::schema(), &paths.policy, lang) {
        Ok(policy) => Arc::new(policy),
        Err(unreadable) => return Ok(Err(bad_policy(unreadable))),
    };
    let spec = Spec { root: root(place, &paths)?, paths, policy, rng: Arc::new(SystemRng) };
    Instance::closed(spec).await.map(Ok)
}

/// Gives a command to the running instance, or opens the data and runs it there.
///
/// # Errors
/// Neither could be done.
pub async fn on_host(
    place: &Place,
    args: Vec<String>,
    input: Option<String>,
    lang: Lang,
) -> Result<CommandOutcome, Problem> {
    let mut words = vec![lang.tag().to_owned()];
    words.extend(args);
    match socket::ask(&place.data, &words, input.clone()).await {
        Ok(Some(outcome)) => return Ok(outcome),
        Ok(None) => {}
        Err(e) => return Err(unreadable(&socket::path(&place.data), &e)),
    }
    match open(place, lang).await? {
        Err(outcome) => Ok(outcome),
        Ok(mut instance) => {
            let outcome = host::run(&instance, words, input).await;
            instance.stop(std::time::Duration::ZERO).await;
            Ok(outcome)
        }
    }
}

/// Writes a file that only its owner may read.
///
/// # Errors
/// As the file system says; an existing file is not overwritten.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The policy to rehearse or print: a file's, or a shipped profile's.
///
/// # Errors
/// What is wrong with it, ready to print.
pub fn policy_or_profile(file: Option<&PathBuf>, profile: &str, lang: Lang) -> Result<Policy, policies::Unreadable> {
    let schema = settings::schema();
    file.map_or_else(|| policies::shipped(&schema, profile, lang), |file| policies::from_file(&schema, file, lang))
}
