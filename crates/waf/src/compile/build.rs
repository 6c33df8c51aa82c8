//! Building the program.

use super::{
    Change, Checker, Control, Disruption, Entry, Head, HeadSet, Link, Members, Order, Piece, Pipe, Program, Property,
    SetVar, Settings, Target, Test, Text,
    collect::{Pending, collect, plain},
    pattern::{self, Completed, Needs},
    prefilter::Prefilter,
};
use crate::{
    Exclusion, LoadError, Place, libinjection,
    seclang::{
        Parsed, Rule, Which, action,
        operator::{self, Operator},
        target::{self, Selector, Variable},
        text,
    },
    transform::Transformation,
};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex_automata::meta::Regex;
use std::collections::{BTreeMap, HashMap};

/// Variables that rules or the engine change within a phase; they are read when a rule runs.
fn moves(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Tx
            | Variable::Ip
            | Variable::Global
            | Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames
            | Variable::ReqbodyProcessor
    )
}

/// A target together with how its atom is told from others.
type AtomKey = (Variable, Selector);

struct Builder {
    links: Vec<Link>,
    heads: Vec<Head>,
    tests: Vec<Test>,
    test_keys: Vec<(Operator, bool)>,
    pipes: Vec<Pipe>,
    pipe_index: HashMap<Vec<Transformation>, u16>,
    atoms: Vec<(Variable, Members)>,
    atom_index: HashMap<AtomKey, u16>,
    pairs: HashMap<(u16, u16), u16>,
    pair_list: Vec<(u16, u16)>,
    groups: HashMap<Vec<u16>, u16>,
    group_list: Vec<Vec<u16>>,
    slots: Vec<String>,
    slot_index: BTreeMap<String, u16>,
    used: Vec<bool>,
    patterns: HashMap<String, Regex>,
}

fn small(n: usize) -> Result<u16, String> {
    u16::try_from(n).map_err(|_| "too many rules".to_owned())
}

/// Compiles what was parsed.
///
/// # Errors
/// The first rule that cannot be carried out.
pub fn build(parsed: &Parsed) -> Result<Program, LoadError> {
    let mut settings = Settings::default();
    let mut signatures = Vec::new();
    let mut order: [Vec<Result<usize, String>>; 5] = Default::default();
    let rules = collect(parsed, &mut settings, &mut signatures, &mut order)?;
    let mut builder = Builder::new();
    // Slots first, so that patterns over members see all names that occur anywhere.
    for rule in &rules {
        builder.names(rule);
    }
    let mut position: Vec<Option<u32>> = Vec::new();
    let metas: Vec<(u32, Vec<String>, String)> = rules
        .iter()
        .map(|r| {
            let msg = r.head().actions.msg.as_ref().map(plain).unwrap_or_default();
            (r.id(), r.head().actions.tags.clone(), msg)
        })
        .collect();
    let mut kept = 0_u32;
    for rule in &rules {
        position.push((!rule.removed).then_some(kept));
        kept += u32::from(!rule.removed);
    }
    let lookup = Lookup { metas: &metas, position: &position };
    for rule in rules.iter().filter(|r| !r.removed) {
        builder.rule(rule, &lookup)?;
    }
    let mut phases: [Vec<Entry>; 5] = Default::default();
    for (phase, entries) in phases.iter_mut().zip(&order) {
        for entry in entries {
            match entry {
                Ok(index) => phase.extend(position[*index].map(Entry::Rule)),
                Err(marker) => phase.push(Entry::Marker(marker.clone())),
            }
        }
    }
    for head in &builder.heads {
        if let Some(marker) = &head.skip_after {
            let known = order.iter().flatten().any(|e| e.as_ref().is_err_and(|m| m == marker));
            if !known {
                return Err(LoadError::new(&head.place, format!("skipAfter:{marker}: there is no such SecMarker")));
            }
        }
    }
    let place = Place { file: "".into(), line: 0 };
    let prefilters = builder.prefilters().map_err(|e| LoadError::new(&place, e))?;
    let (bare_pairs, bare_groups) = builder.bare().map_err(|e| LoadError::new(&place, e))?;
    let scored = |n: &str| n.rsplit_once("anomaly_score_pl").is_some_and(|(_, l)| matches!(l, "1" | "2" | "3" | "4"));
    let score_slots = builder.slot_index.iter().filter(|(n, _)| scored(n)).map(|(_, s)| *s).collect();
    Ok(Program {
        links: builder.links,
        heads: builder.heads,
        phases,
        tests: builder.tests,
        pipes: builder.pipes,
        atoms: builder.atoms,
        pairs: builder.pair_list,
        bare_pairs,
        groups: builder.group_list,
        bare_groups,
        slots: builder.slots,
        slot_index: builder.slot_index,
        score_slots,
        prefilters,
        rooms: Default::default(),
        verdicts: Default::default(),
        used: builder.used,
        settings,
        signatures,
    })
}

/// Finds rules for `ctl:ruleRemove…`.
struct Lookup<'a> {
    metas: &'a [(u32, Vec<String>, String)],
    position: &'a [Option<u32>],
}

impl Lookup<'_> {
    fn heads(&self, wanted: impl Fn(&(u32, Vec<String>, String)) -> bool) -> HeadSet {
        let mut set = vec![0_u64; self.metas.len().div_ceil(64)];
        for (meta, position) in self.metas.iter().zip(self.position) {
            if let Some(at) = position.filter(|_| wanted(meta)) {
                set[at as usize >> 6] |= 1 << (at & 63);
            }
        }
        set
    }

    fn ids(&self, ranges: &[(u32, u32)]) -> HeadSet {
        self.heads(|m| ranges.iter().any(|(a, b)| (*a..=*b).contains(&m.0)))
    }

    fn tag(&self, pattern: &str) -> Result<HeadSet, String> {
        let regex = pattern::selector(pattern, false)?;
        Ok(self.heads(|m| m.1.iter().any(|t| regex.is_match(t.as_bytes()))))
    }

    fn msg(&self, pattern: &str) -> Result<HeadSet, String> {
        let regex = pattern::selector(pattern, false)?;
        Ok(self.heads(|m| regex.is_match(m.2.as_bytes())))
    }
}

/// Exclusions of the caller, resolved.
#[derive(Debug, Default)]
pub struct Exclusions {
    /// Rules that do not run.
    pub rules: HeadSet,
    /// Rules and what they do not look at.
    pub targets: Vec<(HeadSet, Vec<Target>)>,
}

/// Resolves exclusions.
///
/// # Errors
/// The one that means no rule, or whose targets are not known.
pub fn exclusions(program: &Program, list: &[Exclusion]) -> Result<Exclusions, String> {
    let mut out = Exclusions { rules: vec![0; program.heads.len().div_ceil(64)], targets: Vec::new() };
    if list.is_empty() {
        return Ok(out);
    }
    let metas: Vec<_> = program.heads.iter().map(|h| (h.id, h.tags.clone(), literal(&h.msg))).collect();
    let position: Vec<Option<u32>> = (0..).map(Some).take(metas.len()).collect();
    let lookup = Lookup { metas: &metas, position: &position };
    for exclusion in list {
        let heads = match &exclusion.rules {
            Which::Ids(ranges) => lookup.ids(ranges),
            Which::Tag(pattern) => lookup.tag(pattern)?,
            Which::Msg(pattern) => lookup.msg(pattern)?,
        };
        if heads.iter().all(|w| *w == 0) {
            return Err(format!("no rule is meant by {:?}", exclusion.rules));
        }
        let Some(text) = &exclusion.targets else {
            out.rules.iter_mut().zip(&heads).for_each(|(to, from)| *to |= from);
            continue;
        };
        let mut targets = Vec::new();
        for target in target::parse(text)? {
            if target.exclude || target.count {
                return Err(format!("`{text}`: names what is left out, without `!` and `&`"));
            }
            let variable = target.variable;
            let members = match target.selector {
                Selector::All => Members::All,
                Selector::Key(key) if variable == Variable::Tx => {
                    let slot = program.slot_index.get(&format!("tx.{}", key.to_ascii_lowercase()));
                    Members::Slot(*slot.ok_or_else(|| format!("no rule reads or writes TX:{key}"))?)
                }
                Selector::Key(key) => Members::Key(key.to_ascii_lowercase().into_bytes().into()),
                Selector::Pattern(pattern) => Members::Pattern(pattern::selector(&pattern, true)?),
            };
            targets.push(Target { variable, members, count: false, atom: None });
        }
        out.targets.push((heads, targets));
    }
    Ok(out)
}

/// The constant parts of a text.
pub fn literal(text: &[Piece]) -> String {
    let parts = text.iter().map(|p| if let Piece::Literal(b) = p { String::from_utf8_lossy(b) } else { "".into() });
    parts.collect()
}

impl Builder {
    fn new() -> Self {
        let identity = Pipe { list: Box::new([]), triggers: [0; 4], changes_empty: false };
        let mut out = Self {
            links: Vec::new(),
            heads: Vec::new(),
            tests: Vec::new(),
            test_keys: Vec::new(),
            pipes: vec![identity],
            pipe_index: HashMap::from([(Vec::new(), 0)]),
            atoms: Vec::new(),
            atom_index: HashMap::new(),
            pairs: HashMap::new(),
            pair_list: Vec::new(),
            groups: HashMap::new(),
            group_list: Vec::new(),
            slots: Vec::new(),
            slot_index: BTreeMap::new(),
            used: vec![false; Variable::ALL.len()],
            patterns: HashMap::new(),
        };
        for digit in 0..10 {
            out.slot(&format!("tx.{digit}"));
        }
        out
    }

    /// The slot of `collection.name`.
    fn slot(&mut self, name: &str) -> u16 {
        let lower = name.to_ascii_lowercase();
        if let Some(slot) = self.slot_index.get(&lower) {
            return *slot;
        }
        let slot = u16::try_from(self.slots.len()).unwrap_or(u16::MAX);
        self.slots.push(lower.clone());
        self.slot_index.insert(lower, slot);
        slot
    }

    fn names(&mut self, rule: &Pending) {
        for link in &rule.links {
            for target in &link.targets {
                if let (Variable::Tx | Variable::Ip | Variable::Global, Selector::Key(key)) =
                    (target.variable, &target.selector)
                {
                    self.slot(&format!("{}.{key}", target.variable.name()));
                }
            }
            for setvar in &link.actions.setvars {
                if let Some(name) = setvar.name.constant() {
                    self.slot(&format!("{}.{}", setvar.collection.name(), String::from_utf8_lossy(name)));
                }
            }
        }
    }

    fn text(&mut self, template: &text::Template) -> Result<Text, String> {
        template
            .0
            .iter()
            .map(|piece| {
                Ok(match piece {
                    text::Piece::Literal(bytes) => Piece::Literal(bytes.clone().into()),
                    text::Piece::Value(v @ (Variable::Tx | Variable::Ip | Variable::Global), Some(key)) => {
                        Piece::Slot(self.slot(&format!("{}.{key}", v.name())))
                    }
                    text::Piece::Value(variable, key) => {
                        self.used[*variable as usize] = true;
                        Piece::Value(*variable, key.as_ref().map(|k| k.as_bytes().into()))
                    }
                    text::Piece::Rule(name) => Piece::Rule(match name.as_str() {
                        "id" => Property::Id,
                        "msg" => Property::Msg,
                        "severity" => Property::Severity,
                        "rev" => Property::Rev,
                        "ver" => Property::Ver,
                        _ => Property::LogData,
                    }),
                })
            })
            .collect()
    }

    fn member_pattern(&mut self, pattern: &str) -> Result<Regex, String> {
        if let Some(regex) = self.patterns.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = pattern::selector(pattern, true)?;
        self.patterns.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }

    fn target(&mut self, target: &target::Target) -> Result<Target, String> {
        let variable = target.variable;
        self.used[variable as usize] = true;
        let written = matches!(variable, Variable::Tx | Variable::Ip | Variable::Global);
        let members = match &target.selector {
            Selector::All => Members::All,
            Selector::Key(key) if written => Members::Slot(self.slot(&format!("{}.{key}", variable.name()))),
            Selector::Key(key) => Members::Key(key.to_ascii_lowercase().into_bytes().into()),
            Selector::Pattern(pattern) => {
                let regex = self.member_pattern(pattern)?;
                if variable == Variable::Tx {
                    let slots = self.slots.iter().enumerate();
                    let found =
                        slots.filter(|(_, n)| n.strip_prefix("tx.").is_some_and(|n| regex.is_match(n.as_bytes())));
                    Members::Slots(found.map(|(i, _)| small(i)).collect::<Result<_, _>>()?, regex)
                } else if written {
                    return Err(format!("{}: patterns are not supported here", variable.name()));
                } else {
                    Members::Pattern(regex)
                }
            }
        };
        if written && matches!(members, Members::All) {
            return Err(format!("{}: which member?", variable.name()));
        }
        let atom = if moves(variable) {
            None
        } else {
            let key = (variable, target.selector.clone());
            let at = match self.atom_index.get(&key) {
                Some(at) => *at,
                None => {
                    let at = small(self.atoms.len())?;
                    self.atoms.push((variable, members.clone()));
                    self.atom_index.insert(key, at);
                    at
                }
            };
            Some(at)
        };
        Ok(Target { variable, members, count: target.count, atom })
    }

    fn pipe(&mut self, list: &[Transformation]) -> Result<u16, String> {
        if let Some(at) = self.pipe_index.get(list) {
            return Ok(*at);
        }
        let mut triggers = [0; 4];
        for transformation in list {
            for (word, more) in triggers.iter_mut().zip(transformation.triggers()) {
                *word |= more;
            }
        }
        let changes_empty = list.iter().any(|t| !t.keeps(true, &[0; 4]));
        let at = small(self.pipes.len())?;
        self.pipes.push(Pipe { list: list.into(), triggers, changes_empty });
        self.pipe_index.insert(list.to_vec(), at);
        Ok(at)
    }

    fn test(&mut self, test: &operator::Test, response: bool, filtered: bool) -> Result<u16, String> {
        let lines = !test.negated;
        let at = match self
            .test_keys
            .iter()
            .position(|(o, l)| *o == test.operator && (*l == lines || !matches!(o, Operator::Rx(_))))
        {
            Some(at) => at,
            None => {
                let checker = self.checker(&test.operator, lines)?;
                self.tests.push(Test {
                    checker,
                    bits: [None; 2],
                    name: test.name.clone(),
                    operand: test.operand.clone(),
                });
                self.test_keys.push((test.operator.clone(), lines));
                self.tests.len() - 1
            }
        };
        let filterable = matches!(
            self.tests[at].checker,
            Checker::Rx(_) | Checker::Pm(_) | Checker::DetectSqli | Checker::DetectXss
        );
        let which = usize::from(response);
        if filtered && filterable && self.tests[at].bits[which].is_none() {
            let taken = self.tests.iter().filter(|t| t.bits[which].is_some()).count();
            self.tests[at].bits[which] = Some(small(taken)?);
        }
        small(at)
    }

    fn checker(&mut self, operator: &Operator, lines: bool) -> Result<Checker, String> {
        let order = |order, text: Text| Checker::Number(order, text);
        Ok(match operator {
            Operator::Rx(template) => {
                let Some(pattern) = template.constant() else {
                    let text = self.text(template)?;
                    if text.iter().any(|p| !matches!(p, Piece::Literal(_) | Piece::Slot(_))) {
                        return Err("@rx: of expansions only members of TX are supported, which rules set".to_owned());
                    }
                    return Ok(Checker::RxText(Completed::new(text, lines)));
                };
                if pattern == b"^.*$" {
                    return Ok(Checker::Whole);
                }
                let pattern = std::str::from_utf8(pattern).map_err(|e| e.to_string())?;
                Checker::Rx(Box::new(pattern::compile(pattern, lines)?))
            }
            Operator::Pm(words) | Operator::PmFromFile(_, words) => Checker::Pm(
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .kind(Some(AhoCorasickKind::ContiguousNFA))
                    .build(words)
                    .map_err(|e| e.to_string())?,
            ),
            Operator::Contains(t) | Operator::StrMatch(t) => Checker::Contains(self.text(t)?),
            Operator::ContainsWord(t) => Checker::ContainsWord(self.text(t)?),
            Operator::BeginsWith(t) => Checker::BeginsWith(self.text(t)?),
            Operator::EndsWith(t) => Checker::EndsWith(self.text(t)?),
            Operator::StrEq(t) => Checker::StrEq(self.text(t)?),
            Operator::Within(t) => Checker::Within(self.text(t)?),
            Operator::Eq(t) => order(Order::Eq, self.text(t)?),
            Operator::Ge(t) => order(Order::Ge, self.text(t)?),
            Operator::Gt(t) => order(Order::Gt, self.text(t)?),
            Operator::Le(t) => order(Order::Le, self.text(t)?),
            Operator::Lt(t) => order(Order::Lt, self.text(t)?),
            Operator::IpMatch(networks) => Checker::IpMatch(networks.clone()),
            Operator::DetectSqli => Checker::DetectSqli,
            Operator::DetectXss => Checker::DetectXss,
            Operator::ValidateByteRange(set) => Checker::ValidateByteRange(*set),
            Operator::ValidateUrlEncoding => Checker::ValidateUrlEncoding,
            Operator::ValidateUtf8Encoding => Checker::ValidateUtf8Encoding,
            Operator::GeoLookup => Checker::GeoLookup,
            Operator::UnconditionalMatch => Checker::Always,
            Operator::NoMatch | Operator::Rbl => Checker::Never,
        })
    }

    fn rule(&mut self, pending: &Pending, lookup: &Lookup<'_>) -> Result<(), LoadError> {
        let head = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
        let first = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        for (index, rule) in pending.links.iter().enumerate() {
            let mut link = self.link(rule, pending, lookup).map_err(|e| LoadError::new(&rule.place, e))?;
            link.head = head;
            if index + 1 < pending.links.len() {
                link.next = Some(first + u32::try_from(index).unwrap_or(u32::MAX) + 1);
            }
            self.links.push(link);
        }
        let rule = pending.head();
        let (own, default) = (&rule.actions, &pending.defaults);
        let fail = |reason: String| LoadError::new(&rule.place, reason);
        let disruption = match &own.disruption {
            None | Some(action::Disruption::Block) => default.disruption.as_ref(),
            some => some.as_ref(),
        };
        let disruption = match disruption {
            None | Some(action::Disruption::Pass | action::Disruption::Block) => Disruption::Pass,
            Some(action::Disruption::Deny) => Disruption::Deny,
            Some(action::Disruption::Drop) => Disruption::Drop,
            Some(action::Disruption::Redirect(to)) => Disruption::Redirect(self.text(to).map_err(fail)?),
            Some(action::Disruption::Allow(scope)) => Disruption::Allow(*scope),
        };
        let msg = own.msg.as_ref().map(|m| self.text(m)).transpose().map_err(fail)?.unwrap_or_default();
        let logdata = own.logdata.as_ref().map(|m| self.text(m)).transpose().map_err(fail)?;
        self.heads.push(Head {
            id: pending.id(),
            phase: pending.phase,
            link: first,
            place: rule.place.clone(),
            disruption,
            status: own.status.or(default.status).unwrap_or(403),
            log: own.log.or(default.log).unwrap_or(true),
            msg,
            logdata,
            severity: own.severity,
            tags: own.tags.clone(),
            ver: own.ver.clone().unwrap_or_default(),
            rev: own.rev.clone().unwrap_or_default(),
            skip_after: own.skip_after.clone(),
            skip: own.skip.unwrap_or(0),
        });
        Ok(())
    }

    fn link(&mut self, rule: &Rule, pending: &Pending, lookup: &Lookup<'_>) -> Result<Link, String> {
        let actions = &rule.actions;
        let mut targets = Vec::new();
        let mut excluded = Vec::new();
        for target in &rule.targets {
            let compiled = self.target(target)?;
            if target.exclude { excluded.push(compiled) } else { targets.push(compiled) }
        }
        let mut list = Vec::new();
        if !actions.transformations_reset {
            list.extend(pending.defaults.transformations.iter().copied());
        }
        list.extend(actions.transformations.iter().copied());
        let pipe = self.pipe(&list)?;
        let mut steps = Vec::new();
        if actions.multi_match {
            for end in 0..=list.len() {
                steps.push(self.pipe(&list[..end])?);
            }
        }
        let negated = rule.test.as_ref().is_some_and(|t| t.negated);
        let fixed = targets.iter().all(|t| t.atom.is_some() && !t.count);
        let test = rule.test.as_ref().map(|t| self.test(t, pending.phase > 2, !negated)).transpose()?;
        let filtered = test.is_some_and(|t| self.tests[usize::from(t)].bits[usize::from(pending.phase > 2)].is_some());
        let (mut group, mut pairs) = (None, Vec::new());
        if fixed && filtered && !negated && !targets.is_empty() {
            let mut members = Vec::new();
            for atom in targets.iter().filter_map(|t| t.atom) {
                for step in if steps.is_empty() { std::slice::from_ref(&pipe) } else { &steps } {
                    members.push(self.pair(atom, *step)?);
                }
            }
            if steps.is_empty() {
                pairs.clone_from(&members);
            }
            group = Some(self.group(members)?);
        }
        let mut setvars = Vec::new();
        for setvar in &actions.setvars {
            let prefix = format!("{}.", setvar.collection.name().to_ascii_lowercase());
            let mut name = vec![Piece::Literal(prefix.as_bytes().into())];
            name.extend(self.text(&setvar.name)?);
            let slot = setvar.name.constant().map(|n| self.slot(&format!("{prefix}{}", String::from_utf8_lossy(n))));
            let change = match &setvar.change {
                action::Change::Set(t) => Change::Set(self.text(t)?),
                action::Change::Add(t) => Change::Add(self.text(t)?),
                action::Change::Subtract(t) => Change::Subtract(self.text(t)?),
                action::Change::Unset => Change::Unset,
            };
            setvars.push(SetVar { slot, name, change });
        }
        let mut controls = Vec::new();
        for control in &actions.controls {
            controls.extend(self.control(control, lookup)?);
        }
        Ok(Link {
            head: 0,
            targets,
            excluded,
            test,
            negated,
            pipe,
            steps,
            capture: actions.capture,
            setvars,
            controls,
            next: None,
            group,
            pairs,
        })
    }

    /// Of each pair and each group the one of the same selections without transformations.
    fn bare(&mut self) -> Result<(Vec<u16>, Vec<u16>), String> {
        let pipe = self.pipe(&[])?;
        let (mut pairs, mut groups) = (Vec::new(), Vec::new());
        while let Some((atom, _)) = self.pair_list.get(pairs.len()) {
            pairs.push(self.pair(*atom, pipe)?);
        }
        while let Some(members) = self.group_list.get(groups.len()) {
            let bare = members.iter().map(|pair| pairs[usize::from(*pair)]).collect();
            groups.push(self.group(bare)?);
        }
        Ok((pairs, groups))
    }

    fn group(&mut self, mut members: Vec<u16>) -> Result<u16, String> {
        members.sort_unstable();
        members.dedup();
        if let Some(at) = self.groups.get(&members) {
            return Ok(*at);
        }
        let at = small(self.group_list.len())?;
        self.group_list.push(members.clone());
        self.groups.insert(members, at);
        Ok(at)
    }

    fn pair(&mut self, atom: u16, pipe: u16) -> Result<u16, String> {
        if let Some(at) = self.pairs.get(&(atom, pipe)) {
            return Ok(*at);
        }
        let at = small(self.pair_list.len())?;
        self.pair_list.push((atom, pipe));
        self.pairs.insert((atom, pipe), at);
        Ok(at)
    }

    fn control(&mut self, control: &action::Control, lookup: &Lookup<'_>) -> Result<Option<Control>, String> {
        use action::Control as C;
        let mut targets = |list: &[target::Target]| list.iter().map(|t| self.target(t)).collect::<Result<Vec<_>, _>>();
        Ok(Some(match control {
            C::RuleEngine(mode) => Control::RuleEngine(*mode),
            C::AuditEngine => return Ok(None),
            C::RequestBodyAccess(on) => Control::RequestBodyAccess(*on),
            C::ResponseBodyAccess(on) => Control::ResponseBodyAccess(*on),
            C::ForceRequestBodyVariable(on) => Control::ForceRequestBodyVariable(*on),
            C::RequestBodyProcessor(processor) => Control::RequestBodyProcessor(*processor),
            C::RequestBodyLimit(n) => Control::RequestBodyLimit(*n),
            C::ResponseBodyLimit(n) => Control::ResponseBodyLimit(*n),
            C::RemoveById(ids) => Control::Remove(lookup.ids(ids)),
            C::RemoveByTag(tag) => Control::Remove(lookup.tag(tag)?),
            C::RemoveByMsg(msg) => Control::Remove(lookup.msg(msg)?),
            C::RemoveTargetById(ids, list) => Control::RemoveTargets(lookup.ids(ids), targets(list)?),
            C::RemoveTargetByTag(tag, list) => Control::RemoveTargets(lookup.tag(tag)?, targets(list)?),
            C::RemoveTargetByMsg(msg, list) => Control::RemoveTargets(lookup.msg(msg)?, targets(list)?),
        }))
    }

    fn prefilters(&mut self) -> Result<[Prefilter; 2], String> {
        let one = |which: usize| {
            let count = self.tests.iter().filter(|t| t.bits[which].is_some()).count();
            let mut needs = vec![Needs::default(); count];
            for (test, (operator, _)) in self.tests.iter().zip(&self.test_keys) {
                let Some(bit) = test.bits[which] else { continue };
                needs[usize::from(bit)] = match (&test.checker, operator) {
                    (Checker::Rx(pattern), _) => pattern.needs.clone(),
                    (Checker::Pm(_), Operator::Pm(words) | Operator::PmFromFile(_, words)) => words_need(words),
                    (Checker::DetectSqli, _) => libinjection::sqli_needs(),
                    (Checker::DetectXss, _) => libinjection::xss_needs(),
                    _ => Needs::default(),
                };
            }
            Prefilter::build(needs)
        };
        Ok([one(0)?, one(1)?])
    }
}

/// Words of `@pm` are cut to this length in the prefilter; the operator itself verifies.
const WORD: usize = 64;

fn words_need(words: &[Vec<u8>]) -> Needs {
    let length = words.iter().map(Vec::len).min().unwrap_or(0);
    let mut cut: Vec<Vec<u8>> = words.iter().map(|w| w[..w.len().min(WORD)].to_ascii_lowercase()).collect();
    cut.sort_unstable();
    cut.dedup();
    Needs { literals: (length > 0).then_some(cut), bytes: Vec::new(), length }
}
