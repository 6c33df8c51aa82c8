//! SecLang: from text to typed directives.
//!
//! Nothing here is lenient: a directive, variable, operator, transformation or action that the engine does not carry out
//! is a [`LoadError`] with file and line. Directives that concern the host (logs, temporary files) are accepted and listed
//! by [`Parsed::left_to_host`], so that nothing is silently without effect.

pub mod action;
pub mod lexer;
pub mod operator;
pub mod target;
pub mod text;

use crate::error::{LoadError, Place};
use action::{Actions, Mode};
use operator::Test;
use std::sync::Arc;
use target::Target;

/// Where rule files come from. Paths are the caller's business: the engine reads nothing itself.
pub trait Files {
    /// The bytes of `path`, which stands in `from` (empty for the first file).
    ///
    /// # Errors
    /// The reason why it cannot be read.
    fn read(&mut self, from: &str, path: &str) -> Result<Vec<u8>, String>;
    /// The files that an `Include` of `pattern` in the file `from` means, in order: one for a plain path, those that
    /// match for a pattern with `*`.
    ///
    /// # Errors
    /// The reason why they cannot be listed.
    fn expand(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String>;
}

/// Files in memory, by path. Paths that are not absolute are looked for beside the including file.
#[derive(Clone, Debug, Default)]
pub struct InMemory(pub std::collections::BTreeMap<String, Vec<u8>>);

impl InMemory {
    fn beside(from: &str, path: &str) -> String {
        match from.rfind('/') {
            Some(at) if !path.starts_with('/') => format!("{}/{path}", &from[..at]),
            _ => path.to_owned(),
        }
    }
}

impl Files for InMemory {
    fn read(&mut self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let beside = Self::beside(from, path);
        let found = self.0.get(&beside).or_else(|| self.0.get(path));
        found.cloned().ok_or_else(|| format!("{beside}: there is no such file"))
    }

    fn expand(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let full = Self::beside(from, pattern);
        let Some((head, tail)) = full.split_once('*') else { return Ok(vec![full]) };
        let one = |path: &&String| {
            path.strip_prefix(head).and_then(|p| p.strip_suffix(tail)).is_some_and(|middle| !middle.contains('/'))
        };
        Ok(self.0.keys().filter(one).cloned().collect())
    }
}

/// A rule or action with its tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// The variables; empty for a `SecAction`.
    pub targets: Vec<Target>,
    /// The test; none for a `SecAction`.
    pub test: Option<Test>,
    /// The actions.
    pub actions: Actions,
}

/// What selects the rules that a later directive changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By id ranges.
    Ids(Vec<(u32, u32)>),
    /// By a pattern found in a tag.
    Tag(String),
    /// By a pattern found in the message.
    Msg(String),
}

/// What to do when a body is longer than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLimit {
    /// Refuse the message.
    Reject,
    /// Examine the part within the limit.
    ProcessPartial,
}

/// A setting of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `SecRuleEngine`.
    RuleEngine(Mode),
    /// `SecRequestBodyAccess`.
    RequestBodyAccess(bool),
    /// `SecResponseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `SecRequestBodyLimit`, in bytes.
    RequestBodyLimit(usize),
    /// `SecRequestBodyNoFilesLimit`, in bytes.
    RequestBodyNoFilesLimit(usize),
    /// `SecRequestBodyLimitAction`.
    RequestBodyLimitAction(OverLimit),
    /// `SecRequestBodyJsonDepthLimit`.
    JsonDepthLimit(usize),
    /// `SecArgumentsLimit`.
    ArgumentsLimit(usize),
    /// `SecUploadFileLimit`.
    FileLimit(usize),
    /// `SecResponseBodyLimit`, in bytes.
    ResponseBodyLimit(usize),
    /// `SecResponseBodyLimitAction`.
    ResponseBodyLimitAction(OverLimit),
    /// `SecResponseBodyMimeType`.
    ResponseMimeTypes(Vec<String>),
    /// `SecResponseBodyMimeTypesClear`.
    ResponseMimeTypesClear,
    /// `SecArgumentSeparator`.
    ArgumentSeparator(u8),
}

/// A directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// `SecRule`, `SecAction`.
    Rule(Box<Rule>),
    /// `SecMarker`.
    Marker(Place, String),
    /// `SecDefaultAction`.
    DefaultAction(Place, Box<Actions>),
    /// A setting.
    Setting(Setting),
    /// `SecRuleRemoveBy…`.
    Remove(Place, Which),
    /// `SecRuleUpdateTargetBy…`.
    UpdateTarget(Place, Which, Vec<Target>),
    /// `SecRuleUpdateActionById`.
    UpdateAction(Place, u32, Box<Actions>),
    /// `SecComponentSignature`.
    Signature(String),
}

/// A rule file and all that it includes, read.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The directives in order.
    pub directives: Vec<Directive>,
    /// Directives without effect here because they concern the host: logs, temporary files, the PCRE limits that a
    /// linear-time engine needs not.
    pub left_to_host: Vec<(Place, String)>,
}

/// Includes may not nest deeper.
const DEPTH: usize = 16;

/// Reads `path` and what it includes.
///
/// # Errors
/// The first directive that cannot be carried out.
pub fn parse_file(files: &mut dyn Files, path: &str) -> Result<Parsed, LoadError> {
    let mut out = Parsed::default();
    let place = Place { file: path.into(), line: 0 };
    let bytes = files.read("", path).map_err(|e| LoadError::new(&place, e))?;
    parse_into(files, path, &bytes, &mut out, 0)?;
    Ok(out)
}

/// Reads directives from `text`, which goes by `name`.
///
/// # Errors
/// As [`parse_file`].
pub fn parse_text(files: &mut dyn Files, name: &str, text: &str) -> Result<Parsed, LoadError> {
    let mut out = Parsed::default();
    parse_into(files, name, text.as_bytes(), &mut out, 0)?;
    Ok(out)
}

fn parse_into(
    files: &mut dyn Files,
    name: &str,
    bytes: &[u8],
    out: &mut Parsed,
    depth: usize,
) -> Result<(), LoadError> {
    let file: Arc<str> = name.into();
    let at = |line| Place { file: file.clone(), line };
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        LoadError::new(&at(u32::try_from(line).unwrap_or(u32::MAX)), "not UTF-8")
    })?;
    for line in lexer::lines(text).map_err(|(n, reason)| LoadError::new(&at(n), reason))? {
        let place = at(line.number);
        directive(files, &place, &line.words, out, depth).map_err(|fault| match fault {
            Fault::Here(reason) => LoadError::new(&place, reason),
            Fault::There(error) => error,
        })?;
    }
    Ok(())
}

enum Fault {
    Here(String),
    There(LoadError),
}

impl<T: Into<String>> From<T> for Fault {
    fn from(reason: T) -> Self {
        Self::Here(reason.into())
    }
}

/// Lists the actions that would need memory beyond the transaction.
fn left_to_host(place: &Place, actions: &Actions, out: &mut Parsed) {
    let initcols = actions.initcols.iter().map(|c| format!("initcol:{}", c.name()));
    let expirevars = actions.expirevars.iter().map(|v| format!("expirevar:{v}"));
    out.left_to_host.extend(initcols.chain(expirevars).map(|what| (place.clone(), what)));
}

#[allow(clippy::too_many_lines, reason = "one arm for each directive")]
fn directive(
    files: &mut dyn Files,
    place: &Place,
    words: &[String],
    out: &mut Parsed,
    depth: usize,
) -> Result<(), Fault> {
    let name = words[0].to_ascii_lowercase();
    let arguments = &words[1..];
    let single = || match arguments {
        [one] => Ok(one.as_str()),
        _ => Err(format!("{} takes one argument, not {}", words[0], arguments.len())),
    };
    let joined =
        || if arguments.is_empty() { Err(format!("{} needs an argument", words[0])) } else { Ok(arguments.join(" ")) };
    let switch = || match single()?.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{}: `{other}` is neither On nor Off", words[0])),
    };
    let size = || single()?.parse::<usize>().map_err(|_| format!("{}: not a number", words[0]));
    let over = || match single()?.to_ascii_lowercase().as_str() {
        "reject" => Ok(OverLimit::Reject),
        "processpartial" => Ok(OverLimit::ProcessPartial),
        other => Err(format!("{}: `{other}` is neither Reject nor ProcessPartial", words[0])),
    };
    let pair = || match arguments {
        [a, b] => Ok((a.as_str(), b.as_str())),
        _ => Err(format!("{} takes two arguments, not {}", words[0], arguments.len())),
    };
    let directive = match name.as_str() {
        "include" => {
            if depth == DEPTH {
                return Err("Include is nested too deep".into());
            }
            for path in files.expand(&place.file, single()?)? {
                let bytes = files.read(&place.file, &path)?;
                parse_into(files, &path, &bytes, out, depth + 1).map_err(Fault::There)?;
            }
            return Ok(());
        }
        "includeoptional" => {
            if depth == DEPTH {
                return Err("Include is nested too deep".into());
            }
            // A file that is not there is no error, but it is listed.
            for path in files.expand(&place.file, single()?).unwrap_or_default() {
                match files.read(&place.file, &path) {
                    Ok(bytes) => parse_into(files, &path, &bytes, out, depth + 1).map_err(Fault::There)?,
                    Err(reason) => out.left_to_host.push((place.clone(), format!("IncludeOptional: {reason}"))),
                }
            }
            return Ok(());
        }
        "secrule" => {
            let (targets, test, actions) = match arguments {
                [t, o] => (t, o, ""),
                [t, o, a] => (t, o, a.as_str()),
                _ => return Err(format!("SecRule takes two or three arguments, not {}", arguments.len()).into()),
            };
            let targets = target::parse(targets)?;
            let test = operator::parse(test, &mut |path| files.read(&place.file, path))?;
            let actions = action::parse(actions)?;
            if matches!(test.operator, operator::Operator::Rbl | operator::Operator::GeoLookup) {
                out.left_to_host.push((place.clone(), format!("@{}", test.name)));
            }
            left_to_host(place, &actions, out);
            Directive::Rule(Box::new(Rule { place: place.clone(), targets, test: Some(test), actions }))
        }
        "secaction" => {
            let actions = action::parse(single()?)?;
            left_to_host(place, &actions, out);
            Directive::Rule(Box::new(Rule { place: place.clone(), targets: Vec::new(), test: None, actions }))
        }
        "secmarker" => Directive::Marker(place.clone(), single()?.to_owned()),
        "secdefaultaction" => {
            let actions = action::parse(single()?)?;
            if actions.phase.is_none() || actions.disruption.is_none() {
                return Err("SecDefaultAction needs a phase and a disruptive action".into());
            }
            if actions.id.is_some() || actions.chain || matches!(actions.disruption, Some(action::Disruption::Block)) {
                return Err("SecDefaultAction cannot hold id, chain or block".into());
            }
            Directive::DefaultAction(place.clone(), Box::new(actions))
        }
        "seccomponentsignature" => Directive::Signature(single()?.to_owned()),
        "secruleengine" => {
            let value = single()?;
            let mode = Mode::parse(value).ok_or_else(|| format!("SecRuleEngine: `{value}` is not known"))?;
            Directive::Setting(Setting::RuleEngine(mode))
        }
        "secrequestbodyaccess" => Directive::Setting(Setting::RequestBodyAccess(switch()?)),
        "secresponsebodyaccess" => Directive::Setting(Setting::ResponseBodyAccess(switch()?)),
        "secrequestbodylimit" => Directive::Setting(Setting::RequestBodyLimit(size()?)),
        "secrequestbodynofileslimit" => Directive::Setting(Setting::RequestBodyNoFilesLimit(size()?)),
        "secrequestbodylimitaction" => Directive::Setting(Setting::RequestBodyLimitAction(over()?)),
        "secrequestbodyjsondepthlimit" => Directive::Setting(Setting::JsonDepthLimit(size()?)),
        "secargumentslimit" => Directive::Setting(Setting::ArgumentsLimit(size()?)),
        "secuploadfilelimit" => Directive::Setting(Setting::FileLimit(size()?)),
        "secresponsebodylimit" => Directive::Setting(Setting::ResponseBodyLimit(size()?)),
        "secresponsebodylimitaction" => Directive::Setting(Setting::ResponseBodyLimitAction(over()?)),
        "secresponsebodymimetype" => Directive::Setting(Setting::ResponseMimeTypes(
            joined()?.split_ascii_whitespace().map(str::to_owned).collect(),
        )),
        "secresponsebodymimetypesclear" => Directive::Setting(Setting::ResponseMimeTypesClear),
        "secargumentseparator" => match single()?.as_bytes() {
            [byte] => Directive::Setting(Setting::ArgumentSeparator(*byte)),
            _ => return Err("SecArgumentSeparator takes one character".into()),
        },
        "seccookieformat" => match single()? {
            "0" => return Ok(()),
            other => return Err(format!("SecCookieFormat {other} is not supported, only 0").into()),
        },
        "secruleremovebyid" => Directive::Remove(place.clone(), Which::Ids(action::ids(&joined()?)?)),
        "secruleremovebytag" => Directive::Remove(place.clone(), Which::Tag(single()?.to_owned())),
        "secruleremovebymsg" => Directive::Remove(place.clone(), Which::Msg(single()?.to_owned())),
        "secruleupdatetargetbyid" => {
            let (ids, list) = pair()?;
            Directive::UpdateTarget(
                place.clone(),
                Which::Ids(action::ids(ids)?),
                target::parse(&list.replace(',', "|"))?,
            )
        }
        "secruleupdatetargetbytag" => {
            let (tag, list) = pair()?;
            Directive::UpdateTarget(place.clone(), Which::Tag(tag.to_owned()), target::parse(list)?)
        }
        "secruleupdatetargetbymsg" => {
            let (msg, list) = pair()?;
            Directive::UpdateTarget(place.clone(), Which::Msg(msg.to_owned()), target::parse(list)?)
        }
        "secruleupdateactionbyid" => {
            let (id, actions) = pair()?;
            let id = id.parse().map_err(|_| format!("`{id}` is not a rule id"))?;
            Directive::UpdateAction(place.clone(), id, Box::new(action::parse(actions)?))
        }
        "secpcrematchlimit"
        | "secpcrematchlimitrecursion"
        | "secrequestbodyinmemorylimit"
        | "sectmpdir"
        | "secdatadir"
        | "secuploaddir"
        | "secuploadkeepfiles"
        | "secuploadfilemode"
        | "secdebuglog"
        | "secdebugloglevel"
        | "secauditengine"
        | "secauditlog"
        | "secauditlog2"
        | "secauditlogtype"
        | "secauditlogparts"
        | "secauditlogformat"
        | "secauditlogrelevantstatus"
        | "secauditlogstoragedir"
        | "secauditlogdirmode"
        | "secauditlogfilemode"
        | "secstatusengine"
        | "seccollectiontimeout"
        | "secunicodemapfile"
        | "sectmpsaveuploadedfiles" => {
            joined()?;
            out.left_to_host.push((place.clone(), words[0].clone()));
            return Ok(());
        }
        _ => return Err(format!("directive `{}` is not supported", words[0]).into()),
    };
    out.directives.push(directive);
    Ok(())
}
