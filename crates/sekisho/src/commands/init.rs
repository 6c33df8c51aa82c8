//! `sekisho init`

use std::{os::unix::fs::DirBuilderExt, path::PathBuf, sync::Arc, time::Duration};

use sekisho_kernel::{Lang, Problem, SystemRng, world::CommandOutcome};
use sekisho_keys::RootFile;

use super::{bad_policy, host, paths, root, said, unreadable};
use crate::{
    cli::{NewTenant, Place},
    instance::{Instance, Spec},
    policies, settings,
};

/// Makes data directory, policy file, root key and first organisation.
///
/// # Errors
/// Something is there already, or cannot be made.
pub async fn run(
    place: Place,
    profile: &str,
    upstream: Option<String>,
    tenant: NewTenant,
    link_file: Option<PathBuf>,
    lang: Lang,
) -> Result<CommandOutcome, Problem> {
    let paths = paths(&place);
    let schema = settings::schema();
    if let Err(unreadable) = policies::shipped(&schema, profile, lang) {
        return Ok(bad_policy(unreadable));
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&paths.data)
        .map_err(|e| unreadable(&paths.data, &e))?;
    if !paths.policy.exists() {
        let upstream = upstream.map_or_else(String::new, |u| format!("\n[door]\nupstream = {u:?}\n"));
        let text = format!("name = {profile:?}\nextends = {profile:?}\n{upstream}");
        std::fs::write(&paths.policy, text).map_err(|e| unreadable(&paths.policy, &e))?;
    }
    let policy = match policies::from_file(&schema, &paths.policy, lang) {
        Ok(policy) => Arc::new(policy),
        Err(unreadable) => return Ok(bad_policy(unreadable)),
    };
    let mut sheet = None;
    if place.passphrase_file.is_none() {
        sheet = Some(RootFile::create(&paths.root_key, &SystemRng)?.sheet());
    }
    let spec = Spec { root: root(&place, &paths)?, paths: paths.clone(), policy, rng: Arc::new(SystemRng) };
    let mut instance = Instance::closed(spec).await?;
    let words = [lang.tag(), "tenant", "create", &tenant.name, &tenant.console_host, &tenant.app_host];
    let made = host::run(&instance, words.map(str::to_owned).to_vec(), None).await;
    let key = instance.vault.verifier_key();
    instance.stop(Duration::ZERO).await;
    let mut outcome = host::deliver_link(made, link_file.as_deref(), lang)?;
    if outcome.code != 0 {
        return Ok(outcome);
    }
    let (root_key, data, checkpoints) = (paths.root_key.display(), paths.data.display(), paths.checkpoints.display());
    let digits = sheet.as_ref().map_or("", |s| s.reveal().as_str());
    let key = key?;
    outcome.stdout = match lang {
        Lang::Ja => format!(
            "{}\n── 復旧シート（印刷して金庫へ） ──\nルート鍵ファイル: {root_key}\n{digits}\n記録の検証鍵: {key}\nチェックポイントの控え: {checkpoints}\n\n次: sekisho serve --data {data}\n",
            outcome.stdout
        ),
        Lang::En => format!(
            "{}\n── Recovery sheet (print it, lock it away) ──\nroot key file: {root_key}\n{digits}\nlog verifier key: {key}\ncheckpoints outside: {checkpoints}\n\nnext: sekisho serve --data {data}\n",
            outcome.stdout
        ),
    };
    Ok(said(outcome.stdout))
}
