//! The actions of a rule.

use super::{
    target::{self, Target},
    text::Template,
};
use crate::transform::Transformation;

/// What a rule that matches does with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// `pass`: goes on.
    Pass,
    /// `block`: does what the phase's `SecDefaultAction` says.
    Block,
    /// `deny`: answers with the rule's status.
    Deny,
    /// `drop`: closes the connection.
    Drop,
    /// `redirect:…`.
    Redirect(Template),
    /// `allow`, `allow:phase`, `allow:request`.
    Allow(Scope),
}

/// How far an `allow` reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To the end of the transaction.
    All,
    /// To the end of the phase.
    Phase,
    /// To the end of the request phases.
    Request,
}

/// How `setvar` changes its variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `x=…`.
    Set(Template),
    /// `x=+…`.
    Add(Template),
    /// `x=-…`.
    Subtract(Template),
    /// `!x`.
    Unset,
}

/// `setvar`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetVar {
    /// The collection: `tx`, or a persistent one whose contents last as long as the transaction.
    pub collection: target::Variable,
    /// The member's name, in lower case where constant.
    pub name: Template,
    /// The change.
    pub change: Change,
}

/// `ctl`: changes the engine for this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// `ctl:ruleEngine`.
    RuleEngine(Mode),
    /// `ctl:auditEngine`: left to the host.
    AuditEngine,
    /// `ctl:requestBodyAccess`.
    RequestBodyAccess(bool),
    /// `ctl:responseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `ctl:forceRequestBodyVariable`.
    ForceRequestBodyVariable(bool),
    /// `ctl:requestBodyProcessor`.
    RequestBodyProcessor(Processor),
    /// `ctl:requestBodyLimit`, in bytes.
    RequestBodyLimit(usize),
    /// `ctl:responseBodyLimit`, in bytes.
    ResponseBodyLimit(usize),
    /// `ctl:ruleRemoveById`.
    RemoveById(Vec<(u32, u32)>),
    /// `ctl:ruleRemoveByTag`: a pattern.
    RemoveByTag(String),
    /// `ctl:ruleRemoveByMsg`: a pattern.
    RemoveByMsg(String),
    /// `ctl:ruleRemoveTargetById`.
    RemoveTargetById(Vec<(u32, u32)>, Vec<Target>),
    /// `ctl:ruleRemoveTargetByTag`: a pattern.
    RemoveTargetByTag(String, Vec<Target>),
    /// `ctl:ruleRemoveTargetByMsg`: a pattern.
    RemoveTargetByMsg(String, Vec<Target>),
}

/// Whether rules run, and whether they may block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Rules run and block.
    On,
    /// Rules run, nothing is blocked.
    DetectionOnly,
    /// No rule runs.
    Off,
}

impl Mode {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "on" => Some(Self::On),
            "off" => Some(Self::Off),
            "detectiononly" => Some(Self::DetectionOnly),
            _ => None,
        }
    }
}

/// How a request body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data` (RFC 7578).
    Multipart,
    /// JSON (RFC 8259).
    Json,
    /// XML 1.0.
    Xml,
}

impl Processor {
    /// The name in `REQBODY_PROCESSOR`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Urlencoded => "URLENCODED",
            Self::Multipart => "MULTIPART",
            Self::Json => "JSON",
            Self::Xml => "XML",
        }
    }
}

/// The actions of one rule, those that are given once as fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// `id`.
    pub id: Option<u32>,
    /// `phase`, 1 to 5.
    pub phase: Option<u8>,
    /// `pass`, `deny`…
    pub disruption: Option<Disruption>,
    /// `status`, of an answer to a blocked request.
    pub status: Option<u16>,
    /// `chain`: the next rule must match too.
    pub chain: bool,
    /// `capture`: `TX.0` to `TX.9` take what a pattern captured.
    pub capture: bool,
    /// `multiMatch`: tests after each transformation that changes the value.
    pub multi_match: bool,
    /// `log` or `nolog`.
    pub log: Option<bool>,
    /// `auditlog` or `noauditlog`.
    pub audit_log: Option<bool>,
    /// `msg`.
    pub msg: Option<Template>,
    /// `logdata`.
    pub logdata: Option<Template>,
    /// `severity`, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// `tag`.
    pub tags: Vec<String>,
    /// `ver`.
    pub ver: Option<String>,
    /// `rev`.
    pub rev: Option<String>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
    /// The transformations after the last `t:none`.
    pub transformations: Vec<Transformation>,
    /// Whether `t:none` was given.
    pub transformations_reset: bool,
    /// `setvar`, in order.
    pub setvars: Vec<SetVar>,
    /// `ctl`, in order.
    pub controls: Vec<Control>,
    /// `skipAfter`.
    pub skip_after: Option<String>,
    /// `skip`: a number of rules.
    pub skip: Option<u32>,
    /// `initcol`: the collection; nothing persists beyond the transaction.
    pub initcols: Vec<target::Variable>,
    /// `expirevar`: without effect, because nothing persists.
    pub expirevars: Vec<String>,
}

/// Reads a list of actions.
///
/// # Errors
/// The reason, when an action is not supported or its argument not understood.
pub fn parse(text: &str) -> Result<Actions, String> {
    let mut out = Actions::default();
    for (name, value) in split(text)? {
        one(&mut out, &name.to_ascii_lowercase(), &value)?;
    }
    Ok(out)
}

/// Splits `a,b:c,d:'e,f'` into names and values.
fn split(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find([',', ':']).unwrap_or(rest.len());
        let name = rest[..end].trim().to_owned();
        if name.is_empty() {
            return Err(format!("an action without a name before `{rest}`"));
        }
        if !rest[end..].starts_with(':') {
            out.push((name, String::new()));
            rest = rest.get(end + 1..).unwrap_or_default().trim_start();
            continue;
        }
        rest = rest[end + 1..].trim_start();
        let mut value = String::new();
        // `setvar:tx.a='b'` quotes only the part after the `=`.
        let lead = rest.find(['\'', ',']).unwrap_or(rest.len());
        let quoted =
            rest[lead..].starts_with('\'') && (lead == 0 || rest[..lead].trim_end().ends_with(['=', '+', '-']));
        if quoted {
            value.push_str(rest[..lead].trim_end());
            let mut chars = rest[lead + 1..].char_indices();
            let mut close = None;
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => match chars.next() {
                        Some((_, '\'')) => value.push('\''),
                        Some((_, next)) => value.extend(['\\', next]),
                        None => value.push('\\'),
                    },
                    '\'' => {
                        close = Some(lead + 1 + at + 1);
                        break;
                    }
                    _ => value.push(c),
                }
            }
            let close = close.ok_or_else(|| format!("action `{name}`: a ' is not closed"))?;
            rest = rest[close..].trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(format!("action `{name}`: `{rest}` after the closing '"));
            }
            rest = rest.get(1..).unwrap_or_default().trim_start();
        } else {
            // `ctl:ruleRemoveTargetById=1;ARGS:/a,b/` may hold a comma inside of a pattern.
            let end = rest.find(',').unwrap_or(rest.len());
            value.push_str(rest[..end].trim());
            rest = rest.get(end + 1..).unwrap_or_default().trim_start();
        }
        out.push((name, value));
    }
    Ok(out)
}

fn one(out: &mut Actions, name: &str, value: &str) -> Result<(), String> {
    let number = |what: &str| value.parse::<u32>().map_err(|_| format!("{what}: `{value}` is not a number"));
    let bare = || if value.is_empty() { Ok(()) } else { Err(format!("`{name}` takes no argument")) };
    match name {
        "id" => out.id = Some(number("id")?),
        "phase" => out.phase = Some(phase(value)?),
        "pass" => out.disruption = Some(Disruption::Pass),
        "block" => out.disruption = Some(Disruption::Block),
        "deny" => out.disruption = Some(Disruption::Deny),
        "drop" => out.disruption = Some(Disruption::Drop),
        "redirect" => out.disruption = Some(Disruption::Redirect(Template::parse(value)?)),
        "allow" => {
            out.disruption = Some(Disruption::Allow(match value {
                "" => Scope::All,
                "phase" => Scope::Phase,
                "request" => Scope::Request,
                _ => return Err(format!("allow:`{value}` is not known")),
            }));
        }
        "status" => {
            let status = u16::try_from(number("status")?).ok().filter(|s| (100..600).contains(s));
            out.status = Some(status.ok_or_else(|| format!("status: `{value}` is no HTTP status"))?);
        }
        "chain" => (out.chain, _) = (true, bare()?),
        "capture" => (out.capture, _) = (true, bare()?),
        "multimatch" => (out.multi_match, _) = (true, bare()?),
        "log" => (out.log, _) = (Some(true), bare()?),
        "nolog" => (out.log, out.audit_log, _) = (Some(false), Some(false), bare()?),
        "auditlog" => (out.audit_log, _) = (Some(true), bare()?),
        "noauditlog" => (out.audit_log, _) = (Some(false), bare()?),
        "msg" => out.msg = Some(Template::parse(value)?),
        "logdata" => out.logdata = Some(Template::parse(value)?),
        "severity" => out.severity = Some(severity(value)?),
        "tag" => out.tags.push(value.to_owned()),
        "ver" => out.ver = Some(value.to_owned()),
        "rev" => out.rev = Some(value.to_owned()),
        "maturity" => out.maturity = Some(u8::try_from(number("maturity")?).map_err(|e| e.to_string())?),
        "accuracy" => out.accuracy = Some(u8::try_from(number("accuracy")?).map_err(|e| e.to_string())?),
        "t" if value.eq_ignore_ascii_case("none") => {
            out.transformations.clear();
            out.transformations_reset = true;
        }
        "t" => {
            let known = Transformation::parse(value);
            out.transformations.push(known.ok_or_else(|| format!("transformation `t:{value}` is not supported"))?);
        }
        "setvar" => out.setvars.push(setvar(value)?),
        "ctl" => out.controls.push(control(value)?),
        "skipafter" => out.skip_after = Some(value.to_owned()),
        "skip" => out.skip = Some(number("skip")?),
        "initcol" => {
            let (collection, _) = value.split_once('=').ok_or("initcol needs `collection=key`")?;
            out.initcols.push(persistent(collection)?);
        }
        "expirevar" => {
            let (path, _) = value.split_once('=').ok_or("expirevar needs `collection.name=seconds`")?;
            let (collection, _) =
                path.split_once('.').ok_or_else(|| format!("expirevar: `{path}` names no collection"))?;
            persistent(collection)?;
            out.expirevars.push(path.to_owned());
        }
        _ => return Err(format!("action `{name}` is not supported")),
    }
    Ok(())
}

fn phase(value: &str) -> Result<u8, String> {
    match value.to_ascii_lowercase().as_str() {
        "1" => Ok(1),
        "2" | "request" => Ok(2),
        "3" => Ok(3),
        "4" | "response" => Ok(4),
        "5" | "logging" => Ok(5),
        _ => Err(format!("phase: `{value}` is none of 1 to 5, request, response, logging")),
    }
}

fn severity(value: &str) -> Result<u8, String> {
    const NAMES: [&str; 8] = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
    let by_name = NAMES.iter().position(|n| n.eq_ignore_ascii_case(value)).and_then(|at| u8::try_from(at).ok());
    by_name.or_else(|| value.parse().ok().filter(|n| *n < 8)).ok_or_else(|| format!("severity: `{value}` is not known"))
}

fn persistent(name: &str) -> Result<target::Variable, String> {
    use target::Variable;
    match Variable::parse(name.trim()) {
        Some(v @ (Variable::Tx | Variable::Ip | Variable::Global)) => Ok(v),
        _ => Err(format!("collection `{name}` is not supported")),
    }
}

fn setvar(text: &str) -> Result<SetVar, String> {
    let (text, unset) = text.strip_prefix('!').map_or((text, false), |t| (t, true));
    let (path, change) = match text.split_once('=') {
        _ if unset => (text, Change::Unset),
        Some((path, value)) => {
            let change = match value.as_bytes().first() {
                Some(b'+') => Change::Add(Template::parse(&value[1..])?),
                Some(b'-') => Change::Subtract(Template::parse(&value[1..])?),
                _ => Change::Set(Template::parse(value)?),
            };
            (path, change)
        }
        None => (text, Change::Set(Template::parse("1")?)),
    };
    let (collection, name) =
        path.trim().split_once('.').ok_or_else(|| format!("setvar: `{path}` names no collection"))?;
    Ok(SetVar { collection: persistent(collection)?, name: lower(Template::parse(name)?), change })
}

/// Names are compared in any case; the constant parts are lowered once, here.
fn lower(template: Template) -> Template {
    use super::text::Piece;
    Template(
        template
            .0
            .into_iter()
            .map(|piece| match piece {
                Piece::Literal(bytes) => Piece::Literal(bytes.to_ascii_lowercase()),
                other => other,
            })
            .collect(),
    )
}

/// Reads `920100`, `920100-920199`, several of them apart by commas or blanks.
pub(super) fn ids(text: &str) -> Result<Vec<(u32, u32)>, String> {
    let number = |t: &str| t.trim().parse::<u32>().map_err(|_| format!("`{t}` is not a rule id"));
    text.split([',', ' '])
        .filter(|t| !t.trim().is_empty())
        .map(|item| match item.split_once('-') {
            Some((a, b)) => Ok((number(a)?, number(b)?)),
            None => number(item).map(|n| (n, n)),
        })
        .collect()
}

fn control(text: &str) -> Result<Control, String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("ctl: `{text}` has no `=`"))?;
    let switch = || match value.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("ctl:{name}: `{value}` is neither On nor Off")),
    };
    let size = || value.parse::<usize>().map_err(|_| format!("ctl:{name}: `{value}` is not a number"));
    let targets = || {
        let (what, list) = value.split_once(';').ok_or_else(|| format!("ctl:{name}: `{value}` names no target"))?;
        Ok::<_, String>((what.trim().to_owned(), target::parse(list)?))
    };
    Ok(match name.trim().to_ascii_lowercase().as_str() {
        "ruleengine" => Control::RuleEngine(Mode::parse(value).ok_or_else(|| format!("ctl:ruleEngine: `{value}`"))?),
        "auditengine" => match value.to_ascii_lowercase().as_str() {
            "on" | "off" | "relevantonly" => Control::AuditEngine,
            _ => return Err(format!("ctl:auditEngine: `{value}` is not known")),
        },
        "auditlogparts" => Control::AuditEngine,
        "requestbodyaccess" => Control::RequestBodyAccess(switch()?),
        "responsebodyaccess" => Control::ResponseBodyAccess(switch()?),
        "forcerequestbodyvariable" => Control::ForceRequestBodyVariable(switch()?),
        "requestbodyprocessor" => Control::RequestBodyProcessor(match value.to_ascii_uppercase().as_str() {
            "URLENCODED" => Processor::Urlencoded,
            "MULTIPART" => Processor::Multipart,
            "JSON" => Processor::Json,
            "XML" => Processor::Xml,
            _ => return Err(format!("ctl:requestBodyProcessor: `{value}` is not supported")),
        }),
        "requestbodylimit" => Control::RequestBodyLimit(size()?),
        "responsebodylimit" => Control::ResponseBodyLimit(size()?),
        "ruleremovebyid" => Control::RemoveById(ids(value)?),
        "ruleremovebytag" => Control::RemoveByTag(value.to_owned()),
        "ruleremovebymsg" => Control::RemoveByMsg(value.to_owned()),
        "ruleremovetargetbyid" => {
            let (what, list) = targets()?;
            Control::RemoveTargetById(ids(&what)?, list)
        }
        "ruleremovetargetbytag" => {
            let (what, list) = targets()?;
            Control::RemoveTargetByTag(what, list)
        }
        "ruleremovetargetbymsg" => {
            let (what, list) = targets()?;
            Control::RemoveTargetByMsg(what, list)
        }
        _ => return Err(format!("ctl:{name} is not supported")),
    })
}
