//! Directives applied in order: chains joined, defaults kept, later changes made.

use super::{Settings, pattern};
use crate::{
    LoadError, Place,
    seclang::{Directive, Parsed, Rule, Setting, Which, action::Actions, text},
};
use std::collections::HashMap;

/// A rule being collected: its links and what changed them later.
pub struct Pending {
    pub links: Vec<Rule>,
    pub phase: u8,
    pub defaults: Actions,
    pub removed: bool,
}

impl Pending {
    pub fn head(&self) -> &Rule {
        &self.links[0]
    }

    pub fn id(&self) -> u32 {
        self.head().actions.id.unwrap_or_default()
    }
}

/// The constant parts of a text, for matching messages.
pub fn plain(text: &text::Template) -> String {
    let bytes: Vec<u8> =
        text.0.iter().flat_map(|p| if let text::Piece::Literal(b) = p { b.clone() } else { Vec::new() }).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Applies directives in order: chains joined, defaults applied, later changes made.
pub fn collect(
    parsed: &Parsed,
    settings: &mut Settings,
    signatures: &mut Vec<String>,
    order: &mut [Vec<Result<usize, String>>; 5],
) -> Result<Vec<Pending>, LoadError> {
    let mut rules: Vec<Pending> = Vec::new();
    let mut ids: HashMap<u32, Place> = HashMap::new();
    let mut defaults: [Actions; 5] = Default::default();
    let mut chained = false;
    for directive in &parsed.directives {
        if chained && !matches!(directive, Directive::Rule(_)) {
            let place = rules.last().map(|r| r.head().place.clone());
            return Err(LoadError::new(
                &place.unwrap_or(Place { file: "".into(), line: 0 }),
                "the chain is not followed by a rule",
            ));
        }
        match directive {
            Directive::Rule(rule) => {
                let fail = |reason: &str| LoadError::new(&rule.place, reason);
                if chained {
                    let a = &rule.actions;
                    if a.id.is_some()
                        || a.phase.is_some()
                        || a.disruption.is_some()
                        || a.skip_after.is_some()
                        || a.msg.is_some()
                    {
                        return Err(fail(
                            "a chained rule cannot have id, phase, msg, skipAfter or a disruptive action",
                        ));
                    }
                    chained = a.chain;
                    if let Some(pending) = rules.last_mut() {
                        pending.links.push((**rule).clone());
                    }
                    continue;
                }
                let id = rule.actions.id.ok_or_else(|| fail("the rule has no id"))?;
                if let Some(first) = ids.insert(id, rule.place.clone()) {
                    return Err(fail(&format!("id {id} stands at {first} already")));
                }
                let phase = rule.actions.phase.or(defaults[1].phase.filter(|_| false)).unwrap_or(2);
                chained = rule.actions.chain;
                order[usize::from(phase) - 1].push(Ok(rules.len()));
                rules.push(Pending {
                    links: vec![(**rule).clone()],
                    phase,
                    defaults: defaults[usize::from(phase) - 1].clone(),
                    removed: false,
                });
            }
            Directive::Marker(_, name) => order.iter_mut().for_each(|phase| phase.push(Err(name.clone()))),
            Directive::DefaultAction(_, actions) => {
                let phase = actions.phase.unwrap_or(2);
                defaults[usize::from(phase) - 1] = (**actions).clone();
            }
            Directive::Setting(setting) => set(settings, setting),
            Directive::Signature(text) => signatures.push(text.clone()),
            Directive::Remove(place, which) => {
                let found = select(&rules, which).map_err(|e| LoadError::new(place, e))?;
                if found.is_empty() {
                    return Err(LoadError::new(place, "no rule before this line is meant"));
                }
                for index in found {
                    rules[index].removed = true;
                }
            }
            Directive::UpdateTarget(place, which, targets) => {
                let found = select(&rules, which).map_err(|e| LoadError::new(place, e))?;
                if found.is_empty() {
                    return Err(LoadError::new(place, "no rule before this line is meant"));
                }
                for index in found {
                    rules[index].links[0].targets.extend(targets.iter().cloned());
                }
            }
            Directive::UpdateAction(place, id, actions) => {
                let Some(pending) = rules.iter_mut().find(|r| r.id() == *id) else {
                    return Err(LoadError::new(place, format!("there is no rule {id} before this line")));
                };
                merge(&mut pending.links[0].actions, actions).map_err(|e| LoadError::new(place, e))?;
            }
        }
    }
    if chained && let Some(last) = rules.last() {
        return Err(LoadError::new(&last.head().place, "the chain is not followed by a rule"));
    }
    Ok(rules)
}

fn set(settings: &mut Settings, setting: &Setting) {
    match setting {
        Setting::RuleEngine(mode) => settings.mode = *mode,
        Setting::RequestBodyAccess(on) => settings.request_body = *on,
        Setting::ResponseBodyAccess(on) => settings.response_body = *on,
        Setting::RequestBodyLimit(n) => settings.request_limit = *n,
        Setting::RequestBodyNoFilesLimit(n) => settings.no_files_limit = *n,
        Setting::RequestBodyLimitAction(over) => settings.request_over = *over,
        Setting::JsonDepthLimit(n) => settings.body.depth = *n,
        Setting::ArgumentsLimit(n) => settings.body.values = *n,
        Setting::FileLimit(n) => settings.body.files = *n,
        Setting::ResponseBodyLimit(n) => settings.response_limit = *n,
        Setting::ResponseBodyLimitAction(over) => settings.response_over = *over,
        Setting::ResponseMimeTypes(types) => settings.mime_types.extend(types.iter().cloned()),
        Setting::ResponseMimeTypesClear => settings.mime_types.clear(),
        Setting::ArgumentSeparator(byte) => settings.separator = *byte,
    }
}

fn select(rules: &[Pending], which: &Which) -> Result<Vec<usize>, String> {
    let regex = |pattern: &str| pattern::selector(pattern, false);
    let all = rules.iter().enumerate();
    Ok(match which {
        Which::Ids(ranges) => {
            all.filter(|(_, r)| ranges.iter().any(|(a, b)| (*a..=*b).contains(&r.id()))).map(|(i, _)| i).collect()
        }
        Which::Tag(pattern) => {
            let regex = regex(pattern)?;
            all.filter(|(_, r)| r.head().actions.tags.iter().any(|t| regex.is_match(t.as_bytes())))
                .map(|(i, _)| i)
                .collect()
        }
        Which::Msg(pattern) => {
            let regex = regex(pattern)?;
            all.filter(|(_, r)| r.head().actions.msg.as_ref().is_some_and(|m| regex.is_match(plain(m).as_bytes())))
                .map(|(i, _)| i)
                .collect()
        }
    })
}

/// `SecRuleUpdateActionById`: what is given replaces, lists grow.
fn merge(into: &mut Actions, from: &Actions) -> Result<(), String> {
    if from.id.is_some() || from.phase.is_some() || from.chain {
        return Err("id, phase and chain cannot be changed".to_owned());
    }
    into.disruption = from.disruption.clone().or(into.disruption.take());
    into.status = from.status.or(into.status);
    into.log = from.log.or(into.log);
    into.audit_log = from.audit_log.or(into.audit_log);
    into.msg = from.msg.clone().or(into.msg.take());
    into.logdata = from.logdata.clone().or(into.logdata.take());
    into.severity = from.severity.or(into.severity);
    into.skip_after = from.skip_after.clone().or(into.skip_after.take());
    into.tags.extend(from.tags.iter().cloned());
    into.setvars.extend(from.setvars.iter().cloned());
    into.controls.extend(from.controls.iter().cloned());
    if from.transformations_reset {
        into.transformations = from.transformations.clone();
    } else {
        into.transformations.extend(from.transformations.iter().copied());
    }
    Ok(())
}
