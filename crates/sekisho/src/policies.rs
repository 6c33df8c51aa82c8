//! Reading policies: a file, a shipped profile, and reloading without dropping what is in force.

use std::path::Path;

use sekisho_kernel::{
    Lang, Policy, Schema,
    policy::{Source, read},
};

/// A policy that could not be read, in words for a person, ready to print.
#[derive(Debug)]
pub struct Unreadable(pub String);

fn profile(name: &str) -> Option<&'static str> {
    sekisho_controls::profile(name)
}

/// Reads a policy from its text.
///
/// # Errors
/// Every problem of the text at once, rendered with place, cause and remedy.
pub fn from_text(schema: &Schema, name: &str, text: &str, lang: Lang) -> Result<Policy, Unreadable> {
    let source = Source::new(name, text);
    let policy = read(schema, &source, &profile)
        .map_err(|problems| Unreadable(problems.iter().map(|p| p.render(lang)).collect::<Vec<_>>().join("\n")))?;
    let faults = sekisho_controls::waf::faults(&policy);
    if faults.is_empty() {
        return Ok(policy);
    }
    let told = faults.iter().map(|(key, entry, why)| format!("{name}: {key}: {entry}\n  {}", why.get(lang)));
    Err(Unreadable(told.collect::<Vec<_>>().join("\n")))
}

/// Reads a policy file.
///
/// # Errors
/// As [`from_text`], or that the file cannot be read.
pub fn from_file(schema: &Schema, file: &Path, lang: Lang) -> Result<Policy, Unreadable> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let shown = file.display();
        Unreadable(match lang {
            Lang::Ja => format!("ポリシーファイル {shown} を読めません: {e}\nパスと読み取り権限を確かめてください。"),
            Lang::En => format!("The policy file {shown} cannot be read: {e}\nCheck the path and its permissions."),
        })
    })?;
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    from_text(schema, &file.display().to_string(), &text, lang).map(|policy| policy.beside(folder))
}

/// A shipped profile.
///
/// # Errors
/// When there is no profile of that name.
pub fn shipped(schema: &Schema, name: &str, lang: Lang) -> Result<Policy, Unreadable> {
    let names: Vec<&str> = sekisho_controls::PROFILES.iter().map(|(n, _)| *n).collect();
    let text = profile(name).ok_or_else(|| {
        let names = names.join(", ");
        Unreadable(match lang {
            Lang::Ja => format!("プロファイル {name} はありません。あるのは {names} です。"),
            Lang::En => format!("There is no profile called {name}. There are: {names}."),
        })
    })?;
    from_text(schema, &format!("profiles/{name}.toml"), text, lang)
}
