//! `sekisho ledger …`

use std::{path::PathBuf, sync::Arc};

use sekisho_kernel::{Lang, Problem, SystemClock, SystemRng, id::TenantId, problem::INVALID, world::CommandOutcome};
use sekisho_keys::{Keys, RootSource};
use sekisho_ledger::{Report, Trust, Verdict, parse_checkpoint, parse_verifier_key, verify_export};
use sekisho_store::{Store, StoreConfig};
use sekisho_vault::Scope;

use super::{FAILED, NO_INSTANCE, said, unreadable};
use crate::{instance, instance::Instance, place::Paths, policies, settings};

/// `sekisho ledger verify`.
pub struct Verify {
    /// The data directory.
    pub data: PathBuf,
    /// A downloaded log instead.
    pub export: Option<PathBuf>,
    /// Checkpoints kept outside.
    pub anchor: Option<PathBuf>,
    /// The verifier key to trust.
    pub key: Option<String>,
    /// The root key file.
    pub root_key: Option<PathBuf>,
    /// Print JSON.
    pub json: bool,
}

/// What the verifier believes: the checkpoints in `outside`, where the file exists, and the key, where one is given.
///
/// # Errors
/// The file or key cannot be read.
pub fn trust(outside: &std::path::Path, key: Option<&str>) -> std::io::Result<Trust> {
    let mut trust = Trust::default();
    if let Some(key) = key {
        trust.keys.push(parse_verifier_key(key).map_err(|e| std::io::Error::other(format!("{e}")))?);
    }
    match sekisho_vault::log::read_outside(outside) {
        Ok(kept) => trust.anchors.extend(kept.values().filter_map(|note| parse_checkpoint(note.as_bytes()).ok())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    Ok(trust)
}

/// Verifies an export, a copied database, or the database of a running instance.
///
/// # Errors
/// What is to be verified cannot be read; what is wrong with it is a finding.
pub async fn verify(args: Verify, lang: Lang) -> Result<CommandOutcome, Problem> {
    let paths = Paths::around(&args.data);
    let outside = args.anchor.clone().unwrap_or_else(|| paths.checkpoints.clone());
    if let Some(anchor) = args.anchor.as_ref().filter(|a| !a.exists()) {
        return Err(unreadable(anchor, &std::io::ErrorKind::NotFound.into()));
    }
    let trust = trust(&outside, args.key.as_deref()).map_err(|e| unreadable(&outside, &e))?;
    let reports = match &args.export {
        Some(file) => {
            let input = std::fs::File::open(file).map_err(|e| unreadable(file, &e))?;
            let report = verify_export(std::io::BufReader::with_capacity(1 << 20, input), &trust)?;
            vec![report]
        }
        None => stored(&args, &paths, trust).await?,
    };
    Ok(shown(&reports, args.json, lang))
}

async fn stored(args: &Verify, paths: &Paths, trust: Trust) -> Result<Vec<Report>, Problem> {
    if !args.data.join("sekisho.db").exists() && !args.data.is_dir() {
        return Err(Problem::new(&NO_INSTANCE).at(args.data.display().to_string()));
    }
    let (config, migrations) = (config(paths)?, instance::migrations());
    let store = tokio::task::spawn_blocking(move || Store::inspect(config, &migrations))
        .await
        .map_err(|e| Problem::new(&INVALID).log(e))??;
    let root_key = args.root_key.clone().unwrap_or_else(|| paths.root_key.clone());
    let keys = if root_key.exists() {
        let root = RootSource::File(root_key);
        Some(Keys::open(store.clone(), root, Arc::new(SystemClock), Arc::new(SystemRng)).await?)
    } else {
        None
    };
    let reports = sekisho_vault::log::verify_store(&store, keys, None, trust).await;
    store.close();
    Ok(reports?.into_iter().map(|(_, report)| report).collect())
}

/// The database that the data directory's policy names. A copy without a policy that can be read is of the embedded one.
fn config(paths: &Paths) -> Result<StoreConfig, Problem> {
    match policies::from_file(&settings::schema(), &paths.policy, Lang::En) {
        Ok(policy) => instance::store_config(&policy, &paths.data),
        Err(_) => Ok(StoreConfig::sqlite(&paths.data)),
    }
}

/// Verifies the logs of the instance that runs the command.
///
/// # Errors
/// The store's.
pub async fn on_instance(instance: &Instance, lang: Lang) -> Result<CommandOutcome, Problem> {
    let trust = trust(&instance.paths.checkpoints, None).map_err(|e| unreadable(&instance.paths.checkpoints, &e))?;
    let reports: Vec<Report> = instance.vault.verify(None, trust).await?.into_iter().map(|(_, r)| r).collect();
    Ok(shown(&reports, false, lang))
}

fn shown(reports: &[Report], json: bool, lang: Lang) -> CommandOutcome {
    let tampered = reports.iter().any(|r| r.verdict() == Verdict::Tampered);
    let stdout = if json {
        let all: Vec<_> = reports.iter().map(|r| serde_json::json!({ "verdict": r.verdict(), "report": r })).collect();
        format!("{:#}\n", serde_json::Value::from(all))
    } else if reports.is_empty() {
        match lang {
            Lang::Ja => "記録はまだありません。\n".into(),
            Lang::En => "There is no log yet.\n".into(),
        }
    } else {
        reports.iter().flat_map(|r| r.lines(lang)).fold(String::new(), |out, line| out + &line + "\n")
    };
    CommandOutcome { code: if tampered { i32::from(FAILED) } else { 0 }, stdout, stderr: String::new() }
}

/// A log's export as hex, for the command that writes it to a file.
///
/// # Errors
/// The store's.
pub async fn export(instance: &Instance, log: TenantId) -> Result<CommandOutcome, Problem> {
    let policy = sekisho_kernel::Effective::platform(instance.policy());
    let zone = instance.gates.audit(&policy).zone.unwrap_or_else(sekisho_kernel::Zone::utc);
    let cx = sekisho_kernel::Cx::job(log, sekisho_kernel::Job::Command, policy, &*instance.rng);
    let bytes = instance.vault.export(&Scope::of(&cx), zone, Vec::new()).await?;
    Ok(said(hex::encode(bytes)))
}
