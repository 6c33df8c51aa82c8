//! Reading a policy file: every problem at once, each with its place.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Policy, Schema, Setting, Value,
    problem::{
        EXTENDS, NOT_ALLOWED, Note, PolicyProblem, SYNTAX, TOO_LARGE, TOO_MANY, UNKNOWN_KEY, UNKNOWN_SECTION,
        WRONG_TYPE,
    },
    value::{Given, fit},
    words::{allowed, cut, nearest, quote},
};
use crate::text::Text;

/// Largest policy file in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// Longest chain of files joined by `extends`, the first one included.
pub const MOST_DEPTH: usize = 8;
/// Problems that are listed before reading stops.
const MOST_PROBLEMS: usize = 100;
/// Longest `name` in characters.
const MOST_NAME: usize = 64;

/// A policy file's text and the name that messages give it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name as messages show it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// From a name and a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Reads a policy. `resolve` gives the text of a shipped profile that `extends` may name. Relative paths stay as
/// written: see [`Policy::beside`].
///
/// # Errors
/// Every problem found, in the order of the file; never an empty list.
pub fn read(
    schema: &Schema,
    source: &Source,
    resolve: &dyn Fn(&str) -> Option<&'static str>,
) -> Result<Policy, Vec<PolicyProblem>> {
    let mut reader = Reader { schema, resolve, values: BTreeMap::new(), problems: Vec::new(), chain: Vec::new() };
    let name = reader.file(&source.name, &source.text);
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let stem = source.name.rsplit(['/', '\\']).next().unwrap_or("policy");
    let name = name.unwrap_or_else(|| stem.strip_suffix(".toml").unwrap_or(stem).to_owned());
    Ok(reader
        .values
        .into_iter()
        .filter_map(|(key, value)| Some((schema.get(key)?, value)))
        .fold(Policy::defaults(schema).named(name), |policy, (setting, value)| policy.with(setting, value)))
}

struct Reader<'a> {
    schema: &'a Schema,
    resolve: &'a dyn Fn(&str) -> Option<&'static str>,
    values: BTreeMap<&'static str, Value>,
    problems: Vec<PolicyProblem>,
    /// Names of the profiles being read, outermost first.
    chain: Vec<String>,
}

/// One file of the chain, for places.
#[derive(Clone, Copy)]
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn problem(
        &self,
        kind: &'static crate::problem::ProblemKind,
        span: std::ops::Range<usize>,
        what: Text,
    ) -> PolicyProblem {
        PolicyProblem::new(kind, self.name, self.text, span, what)
    }
}

impl Reader<'_> {
    /// Reads one file over what it extends; answers its `name`.
    fn file(&mut self, name: &str, text: &str) -> Option<String> {
        let file = File { name, text };
        if text.len() > MOST_BYTES {
            let what = Text::owned(
                format!("{} バイトあります。上限は {MOST_BYTES} バイトです。", text.len()),
                format!("it has {} bytes; at most {MOST_BYTES} are read", text.len()),
            );
            self.add(PolicyProblem::new(&TOO_LARGE, name, "", 0..0, what));
            return None;
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut found: Vec<PolicyProblem> =
            errors.iter().take(MOST_PROBLEMS + 1).map(|error| syntax(file, error)).collect();
        // What the parser recovered on a line it could not read says nothing about what was meant there.
        let broken: Vec<usize> = found.iter().map(|p| p.line).collect();
        let earlier = self.problems.len();
        let policy_name = self.table(file, table.get_ref());
        found.extend(
            self.problems.split_off(earlier).into_iter().filter(|p| p.file != name || !broken.contains(&p.line)),
        );
        found.sort_by_key(|p| (p.file != name, p.line, p.column));
        found.into_iter().for_each(|p| self.add(p));
        policy_name
    }

    fn add(&mut self, problem: PolicyProblem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        } else if self.problems.len() == MOST_PROBLEMS {
            let what = Text::owned(
                format!("最初の {MOST_PROBLEMS} 件を示しました。"),
                format!("the first {MOST_PROBLEMS} are shown"),
            );
            self.problems.push(PolicyProblem { kind: &TOO_MANY, what, notes: Vec::new(), ..problem });
        }
    }

    fn table(&mut self, file: File<'_>, table: &DeTable<'_>) -> Option<String> {
        if let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "extends") {
            self.extends(file, value);
        }
        let mut name = None;
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("extends", _) => {}
                ("name", DeValue::String(text)) => {
                    let fine = !text.is_empty()
                        && text.chars().nth(MOST_NAME).is_none()
                        && !text.chars().any(char::is_control);
                    if fine {
                        name = Some(text.to_string());
                    } else {
                        let what = Text::owned(
                            format!("name は制御文字を含まない 1 文字以上 {MOST_NAME} 文字以下の文字列です。"),
                            format!("a name has 1 to {MOST_NAME} characters and no control characters"),
                        );
                        self.add(file.problem(&NOT_ALLOWED, value.span(), what));
                    }
                }
                ("name", _) => {
                    let what = Text::new("name には文字列を指定します。", "name must be a text");
                    self.add(file.problem(&WRONG_TYPE, value.span(), what));
                }
                (section, DeValue::Table(settings)) if self.has_section(section) => {
                    self.section(file, section, settings);
                }
                (section, _) if self.has_section(section) => {
                    let what = Text::owned(
                        format!("{section} はセクションです。"),
                        format!("{section} is a section, not a setting"),
                    );
                    let help = Text::owned(
                        format!("[{section}] の下に設定項目を書きます。"),
                        format!("write its settings below a line [{section}]"),
                    );
                    self.add(file.problem(&WRONG_TYPE, key.span(), what).note(Note::Help(help)));
                }
                (other, value) => {
                    let problem = self.unknown_section(file, key, other, value.is_table());
                    self.add(problem);
                }
            }
            if self.problems.len() > MOST_PROBLEMS {
                break;
            }
        }
        name
    }

    fn extends(&mut self, file: File<'_>, value: &Spanned<DeValue<'_>>) {
        let Some(base) = value.get_ref().as_str() else {
            let what = Text::new("extends には文字列を指定します。", "extends must be a text");
            self.add(file.problem(&WRONG_TYPE, value.span(), what));
            return;
        };
        let shown = quote(&cut(base));
        let what = if self.chain.iter().any(|known| known == base) {
            let path = self.chain.iter().map(String::as_str).chain([base]).collect::<Vec<_>>().join(" → ");
            Text::owned(format!("継承が循環しています（{path}）。"), format!("it extends itself ({path})"))
        } else if self.chain.len() + 1 >= MOST_DEPTH {
            Text::owned(
                format!("継承は {MOST_DEPTH} 段までです。"),
                format!("a chain of extends has at most {MOST_DEPTH} files"),
            )
        } else if let Some(text) = (self.resolve)(base) {
            self.chain.push(base.to_owned());
            self.file(&format!("{base}.toml"), text);
            self.chain.pop();
            return;
        } else {
            Text::owned(
                format!("{shown} というプロファイルはありません。"),
                format!("there is no profile called {shown}"),
            )
        };
        self.add(file.problem(&EXTENDS, value.span(), what));
    }

    fn section(&mut self, file: File<'_>, section: &str, settings: &DeTable<'_>) {
        for (key, value) in settings {
            let full = format!("{section}.{}", key.get_ref());
            match self.schema.get(&full) {
                Some(setting) => self.setting(file, setting, value),
                None => {
                    let problem = self.unknown_key(file, section, key);
                    self.add(problem);
                }
            }
            if self.problems.len() > MOST_PROBLEMS {
                return;
            }
        }
    }

    fn setting(&mut self, file: File<'_>, setting: &'static Setting, value: &Spanned<DeValue<'_>>) {
        let faults = match fit(setting, &given(value.get_ref())) {
            Ok(value) => {
                self.values.insert(setting.key, value);
                return;
            }
            Err(faults) => faults,
        };
        for fault in faults {
            let item = fault.item.and_then(|at| value.get_ref().as_array()?.get(at));
            // A value of several lines, such as a table, is marked by its first.
            let span = item.map_or_else(|| value.span(), Spanned::span);
            let mut problem = file.problem(fault.kind, span, fault.what).note(Note::Allowed(allowed(setting)));
            if let Some(help) = fault.help {
                problem = problem.note(Note::Help(help));
            }
            self.add(problem);
        }
    }

    fn has_section(&self, name: &str) -> bool {
        self.sections().any(|section| section == name)
    }
    fn sections(&self) -> impl Iterator<Item = &'static str> {
        let mut all: Vec<&'static str> =
            self.schema.iter().filter_map(|s| s.key.split_once('.').map(|(section, _)| section)).collect();
        all.dedup();
        all.into_iter()
    }
    fn keys(&self, section: &str) -> Vec<&'static str> {
        self.schema
            .iter()
            .filter_map(|s| s.key.split_once('.').filter(|(of, _)| *of == section).map(|(_, k)| k))
            .collect()
    }

    fn unknown_section(
        &self,
        file: File<'_>,
        key: &Spanned<toml::de::DeString<'_>>,
        name: &str,
        is_table: bool,
    ) -> PolicyProblem {
        let shown = cut(name);
        let words = self.sections().chain(["name", "extends"]);
        let near = nearest(name, words).filter(|n| self.has_section(n) == is_table);
        let moved = self.elsewhere(name).filter(|_| !is_table);
        let help = match (near, moved) {
            (Some(near), _) => meant(near),
            (None, Some(full)) => in_section(full),
            (None, None) => {
                let list = self.sections().collect::<Vec<_>>().join(", ");
                Text::owned(format!("セクションは次のとおりです: {list}"), format!("the sections are {list}"))
            }
        };
        let (kind, what) = if is_table {
            let what = Text::owned(
                format!("{shown} というセクションはありません。"),
                format!("no control has a section called {shown}"),
            );
            (&UNKNOWN_SECTION, what)
        } else {
            let what = Text::owned(
                format!("{shown} という項目は、セクションの外にはありません。"),
                format!("outside a section there is nothing called {shown}"),
            );
            (&UNKNOWN_KEY, what)
        };
        file.problem(kind, key.span(), what).note(Note::Help(help))
    }

    fn unknown_key(&self, file: File<'_>, section: &str, key: &Spanned<toml::de::DeString<'_>>) -> PolicyProblem {
        let name: &str = key.get_ref();
        let shown = cut(name);
        let what = Text::owned(
            format!("[{section}] に {shown} という設定項目はありません。"),
            format!("[{section}] has no setting called {shown}"),
        );
        let keys = self.keys(section);
        let help = match (nearest(name, keys.iter().copied()), self.elsewhere(name)) {
            (Some(near), _) => meant(near),
            (None, Some(full)) => in_section(full),
            (None, None) if matches!(name, "name" | "extends") => Text::owned(
                format!("{name} は、最初のセクションより前に書きます。"),
                format!("{name} stands before the first section"),
            ),
            (None, None) => {
                let list = keys.join(", ");
                Text::owned(format!("設定項目は次のとおりです: {list}"), format!("its settings are {list}"))
            }
        };
        file.problem(&UNKNOWN_KEY, key.span(), what).note(Note::Help(help))
    }

    /// A setting of any section whose last part has this name, or nearly.
    fn elsewhere(&self, name: &str) -> Option<&'static str> {
        let last = |key: &'static str| key.split_once('.').map_or(key, |(_, last)| last);
        let near = nearest(name, self.schema.iter().map(|s| last(s.key)))?;
        self.schema.iter().map(|s| s.key).find(|key| last(key) == near)
    }
}

fn meant(near: &str) -> Text {
    Text::owned(format!("{near} ではありませんか。"), format!("did you mean {near}?"))
}

fn in_section(full: &str) -> Text {
    let (section, key) = full.split_once('.').unwrap_or((full, ""));
    Text::owned(format!("[{section}] の {key} ではありませんか。"), format!("did you mean {key} in [{section}]?"))
}

fn syntax(file: File<'_>, error: &toml::de::Error) -> PolicyProblem {
    let message = error.message();
    let what = match message {
        "duplicate key" => Text::new("同じ名前が 2 回指定されています。", "the same name is given twice"),
        _ => Text::owned(format!("読み取れません（{}）。", cut(message)), cut(message)),
    };
    file.problem(&SYNTAX, error.span().unwrap_or(0..0), what)
}

fn given<'a>(value: &'a DeValue<'_>) -> Given<'a> {
    match value {
        DeValue::Boolean(b) => Given::Bool(*b),
        DeValue::Integer(n) => Given::Int(i64::from_str_radix(n.as_str(), n.radix()).ok()),
        DeValue::Float(_) => Given::Other("float"),
        DeValue::Datetime(_) => Given::Other("datetime"),
        DeValue::String(s) => Given::Str(s),
        DeValue::Array(items) => Given::List(items.iter().map(|item| given(item.get_ref())).collect()),
        DeValue::Table(_) => Given::Other("table"),
    }
}
