//! `sekisho policy …`

use sekisho_kernel::{
    Lang, Problem,
    policy::{Source, check, explain, json_schema, read},
    world::CommandOutcome,
};

use super::{DONE, WRONG, bad_policy, said, unreadable};
use crate::{cli::PolicyCommand, policies, settings};

/// Runs it.
///
/// # Errors
/// A file cannot be read.
pub fn run(command: PolicyCommand, lang: Lang) -> Result<CommandOutcome, Problem> {
    let schema = settings::schema();
    match command {
        PolicyCommand::Check { file } => {
            let text = std::fs::read_to_string(&file).map_err(|e| unreadable(&file, &e))?;
            let source = Source::new(file.display().to_string(), text);
            let result = read(&schema, &source, &|name| sekisho_controls::profile(name));
            let shown = check(&source, &result, lang);
            Ok(match result {
                Ok(_) => CommandOutcome { code: i32::from(DONE), stdout: shown, stderr: String::new() },
                Err(_) => CommandOutcome { code: i32::from(WRONG), stdout: String::new(), stderr: shown },
            })
        }
        PolicyCommand::Explain => Ok(said(explain(&schema, lang))),
        PolicyCommand::Schema => Ok(said(format!("{:#}\n", json_schema(&schema)))),
        PolicyCommand::Profile { name } => Ok(match policies::shipped(&schema, &name, lang) {
            Ok(_) => said(sekisho_controls::profile(&name).unwrap_or_default()),
            Err(unreadable) => bad_policy(unreadable),
        }),
    }
}
