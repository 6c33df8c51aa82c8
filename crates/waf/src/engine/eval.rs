//! Running the rules of a phase.

use super::{
    Transaction,
    report::{Blocked, Match, Outcome, Part},
    state::{Written, number},
    transaction::Entry,
    values::ValueId,
};
use crate::{
    RuleSet,
    compile::{
        Change, Checker, Control, Disruption, Head, Link, Members, Target,
        fold::{Kind, compare},
        has,
    },
    seclang::{
        action::{Mode, Scope},
        target::Variable,
    },
};
use std::sync::Arc;

/// A value that a rule looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) variable: Variable,
    pub(super) count: bool,
    pub(super) entry: Entry,
}

/// Values of matches are cut to this many bytes in reports.
const SHOWN: usize = 256;
/// Parts named in a report.
const PARTS: usize = 16;
/// Matches reported of one transaction; the rules run all the same.
const REPORTED: usize = 1000;

impl Transaction {
    /// Runs the rules of a phase.
    pub(super) fn run(&mut self, phase: u8) -> Outcome {
        if let Some(blocked) = &self.blocked
            && phase != 5
        {
            return Outcome::Block(blocked.clone());
        }
        match self.allowed {
            Some(Scope::All) if phase < 5 => return Outcome::Pass,
            Some(Scope::Request) if phase < 3 => return Outcome::Pass,
            Some(Scope::Phase) => self.allowed = None,
            _ => {}
        }
        let rules = Arc::clone(&self.rules);
        self.sieves.begin(&rules.program);
        let which = usize::from(phase > 2);
        let steps = &rules.plan.steps[usize::from(phase) - 1];
        let mut at = 0;
        let mut outcome = Outcome::Pass;
        while let Some(step) = steps.get(at) {
            at += 1;
            let head = &rules.program.heads[step.head as usize];
            if has(&self.removed, step.head as usize) {
                continue;
            }
            if let Some((group, bit)) = step.gate
                && !self.group_may(&rules, which, group, bit)
            {
                // As if it had run: most rules end here, with nothing of them read but the step.
                self.matched.clear();
                continue;
            }
            let matched = match step.kind {
                Kind::Effect => {
                    self.effect(&rules, head);
                    true
                }
                Kind::Run => self.rule(&rules, step.head, head),
            };
            if !matched {
                continue;
            }
            if step.then as usize > at {
                at = step.then as usize;
            }
            if step.kind == Kind::Run {
                match self.disrupt(&rules, head, phase) {
                    Some(Outcome::Pass) => break,
                    Some(block) => {
                        outcome = block;
                        break;
                    }
                    None => {}
                }
                if self.mode == Mode::Off {
                    break;
                }
            }
        }
        outcome
    }

    fn effect(&mut self, rules: &RuleSet, head: &Head) {
        let mut at = Some(head.link);
        while let Some(link) = at.map(|at| &rules.program.links[at as usize]) {
            self.set(rules, link, head);
            at = link.next;
        }
    }

    /// What a full match does to the message: an outcome when the phase ends here.
    fn disrupt(&mut self, rules: &RuleSet, head: &Head, phase: u8) -> Option<Outcome> {
        let (drop, redirect) = match &head.disruption {
            Disruption::Pass => return None,
            Disruption::Allow(scope) => {
                self.allowed = Some(*scope);
                return (self.mode == Mode::On).then_some(Outcome::Pass);
            }
            Disruption::Deny => (false, None),
            Disruption::Drop => (true, None),
            Disruption::Redirect(to) => (false, Some(self.expand(rules, to, Some(head)))),
        };
        if phase == 5 {
            return None;
        }
        let status = match &redirect {
            Some(_) if !(300..400).contains(&head.status) => 302,
            _ => head.status,
        };
        let outcome = self.stop(Blocked { rule: head.id, phase, status, redirect, drop });
        outcome.blocked().is_some().then_some(outcome)
    }

    /// Runs a rule with its chain; says whether all of it matched.
    fn rule(&mut self, rules: &RuleSet, index: u32, head: &Head) -> bool {
        let mut at = head.link;
        self.matched.clear();
        self.scored = 0;
        self.trace_begin();
        loop {
            let link = &rules.program.links[at as usize];
            if !self.link(rules, link, index, head, at == head.link) {
                return false;
            }
            match link.next {
                Some(next) => at = next,
                None => break,
            }
        }
        let last = at;
        let mut at = Some(head.link);
        while let Some(here) = at {
            let link = &rules.program.links[here as usize];
            for (number, control) in link.controls.iter().enumerate() {
                self.control(control, here, number);
            }
            at = link.next;
        }
        if head.log && self.matches.len() < REPORTED {
            self.report(rules, head, &rules.program.links[last as usize]);
        }
        if self.trace.is_some() {
            self.trace_rule(rules, head);
        }
        true
    }

    fn report(&mut self, rules: &RuleSet, head: &Head, last: &Link) {
        let parts = self.matched.iter().take(PARTS).map(|entry| {
            let value = self.values.get(entry.value);
            Part { name: self.values.get(entry.name).to_vec(), value: value[..value.len().min(SHOWN)].to_vec() }
        });
        let parts = parts.collect();
        let test: Arc<str> = match last.test.map(|t| &rules.program.tests[usize::from(t)]) {
            Some(test) => test.written(last.negated).into(),
            None => "".into(),
        };
        let found = Match {
            rule: head.id,
            phase: head.phase,
            message: self.expand(rules, &head.msg, Some(head)),
            data: self.expand(rules, head.logdata.as_deref().unwrap_or_default(), Some(head)),
            severity: head.severity,
            score: self.scored,
            tags: head.tags.clone().into(),
            parts,
            test,
            place: head.place.clone(),
        };
        self.matches.push(found);
    }

    fn control(&mut self, control: &Control, link: u32, number: usize) {
        match control {
            Control::RuleEngine(mode) => self.mode = *mode,
            Control::RequestBodyAccess(on) => self.request_access = *on,
            Control::ResponseBodyAccess(on) => self.response_access = *on,
            Control::ForceRequestBodyVariable(on) => self.force_body = *on,
            Control::RequestBodyProcessor(processor) => self.set_processor(*processor),
            Control::RequestBodyLimit(n) => self.request_limit = *n,
            Control::ResponseBodyLimit(n) => self.response_limit = *n,
            Control::Remove(set) => {
                self.removed.resize(self.removed.len().max(set.len()), 0);
                for (word, more) in self.removed.iter_mut().zip(set) {
                    *word |= more;
                }
            }
            Control::RemoveTargets(..) => {
                let key = (link, u16::try_from(number).unwrap_or(u16::MAX));
                if !self.removed_targets.contains(&key) {
                    self.removed_targets.push(key);
                }
            }
        }
    }

    /// Runs one link: its test on every value it looks at.
    fn link(&mut self, rules: &RuleSet, link: &Link, index: u32, head: &Head, first: bool) -> bool {
        let program = &rules.program;
        self.trace_link(rules, link);
        let Some(test) = link.test.map(|t| &program.tests[usize::from(t)]) else {
            self.set(rules, link, head);
            return true;
        };
        let which = usize::from(head.phase > 2);
        if let (Some(group), Some(bit)) = (link.group, test.bits[which])
            && !self.group_may(rules, which, group, bit)
        {
            return false;
        }
        if let (Checker::Number(order, operand), [Target { members: Members::Slot(slot), count, .. }], 0) =
            (&test.checker, link.targets.as_slice(), link.pipe)
            && let Some(operand) = crate::compile::constant(operand)
        {
            // The commonest rule by far: a member against a constant.
            let left = match (self.state.slot(*slot), count) {
                (value, true) => Some(i64::from(value.is_some())),
                (value, false) => value.map(Written::number),
            };
            let Some(left) = left else { return false };
            if compare(*order, left, number(operand)) == link.negated {
                return false;
            }
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        match test.bits[which] {
            Some(bit) if !link.pairs.is_empty() => {
                for (target, pair) in link.targets.iter().zip(&link.pairs) {
                    self.gather_sifted(rules, which, target.variable, *pair, bit, &mut candidates);
                }
            }
            _ => link.targets.iter().for_each(|target| self.gather(rules, target, &mut candidates)),
        }
        self.matched.clear();
        let mut captures = link.capture.then(Vec::new);
        let mut any = false;
        for candidate in &candidates {
            if self.is_excluded(rules, link, index, first, candidate) {
                continue;
            }
            let single = [link.pipe];
            let steps = if link.steps.is_empty() { &single[..] } else { &link.steps };
            let mut before = ValueId::MAX;
            let bit = test.bits[0].filter(|_| which == 0 && !link.negated);
            for pipe in steps {
                let known = self.values.known(candidate.entry.value);
                if known.zip(bit).is_some_and(|(known, bit)| known.excludes(*pipe, bit)) {
                    continue;
                }
                let id = self.values.transform(&program.pipes, candidate.entry.value, *pipe);
                if id == before {
                    continue;
                }
                before = id;
                let matches = self.check(rules, test, which, id, link.negated, captures.as_mut());
                if let (Some(known), Some(bit), false) = (self.values.known(candidate.entry.value), bit, matches) {
                    known.exclude(*pipe, bit, id == candidate.entry.value);
                }
                if matches == link.negated {
                    continue;
                }
                any = true;
                let name = self.full_name(candidate);
                self.matched.push(Entry { name, value: id });
                if self.trace.is_some() {
                    self.trace_part(candidate, name, id);
                }
                if let Some(captures) = &mut captures {
                    for slot in 0..10_u16 {
                        let value = captures.get(usize::from(slot)).map(|c| Written::Text(c.as_slice().into()));
                        self.state.set_slot(slot, value);
                    }
                }
                self.set(rules, link, head);
            }
        }
        self.candidates = candidates;
        any
    }

    pub(super) fn selects(&self, members: &Members, name: ValueId) -> bool {
        match members {
            Members::All => true,
            Members::Key(key) => self.values.get(name).eq_ignore_ascii_case(key),
            Members::Pattern(regex) => regex.is_match(self.values.get(name)),
            Members::Slot(_) | Members::Slots(..) => false,
        }
    }

    /// Lists the values that a target means.
    fn gather(&mut self, rules: &RuleSet, target: &Target, out: &mut Vec<Candidate>) {
        let from = out.len();
        let variable = target.variable;
        let mut push = |entry| out.push(Candidate { variable, count: target.count, entry });
        match (&target.members, variable) {
            (Members::Slot(slot), _) => {
                let name = rules.program.slots[usize::from(*slot)].as_bytes();
                let written = self.state.slot(*slot).or_else(|| self.state.get_named(name));
                if let Some(written) = written {
                    let mut text = Vec::new();
                    written.write(&mut text);
                    let key = name.splitn(2, |b| *b == b'.').nth(1).unwrap_or_default();
                    let (name, value) = (self.values.intern(key), self.values.intern(&text));
                    push(Entry { name, value });
                }
            }
            (Members::Slots(slots, regex), _) => {
                let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
                let text = |w: &Written| {
                    let mut out = Vec::new();
                    w.write(&mut out);
                    out
                };
                for slot in slots {
                    if let Some(written) = self.state.slot(*slot) {
                        found.push((rules.program.slots[usize::from(*slot)].as_bytes()[3..].to_vec(), text(written)));
                    }
                }
                for (name, written) in self.state.named() {
                    if let Some(key) = name.strip_prefix(b"tx.").filter(|k| regex.is_match(k)) {
                        found.push((key.to_vec(), text(written)));
                    }
                }
                for (name, value) in found {
                    let entry = Entry { name: self.values.intern(&name), value: self.values.intern(&value) };
                    push(entry);
                }
            }
            (_, Variable::MatchedVar) => self.matched.last().into_iter().for_each(|e| push(*e)),
            (_, Variable::MatchedVarName) => {
                self.matched.last().into_iter().for_each(|e| push(Entry { name: 0, value: e.name }))
            }
            (members, Variable::MatchedVars | Variable::MatchedVarsNames) => {
                for entry in &self.matched {
                    if self.selects(members, entry.name) {
                        let value = if variable == Variable::MatchedVars { entry.value } else { entry.name };
                        push(Entry { name: entry.name, value });
                    }
                }
            }
            (members, _) => {
                for entry in &self.vars[variable as usize] {
                    if self.selects(members, entry.name) {
                        push(*entry);
                    }
                }
            }
        }
        if target.count {
            let count = out.len() - from;
            out.truncate(from);
            let name = match &target.members {
                Members::Key(key) => self.values.intern(key),
                _ => 0,
            };
            let value = self.values.intern(count.to_string().as_bytes());
            out.push(Candidate { variable, count: true, entry: Entry { name, value } });
        }
    }

    fn is_excluded(&self, rules: &RuleSet, link: &Link, index: u32, first: bool, candidate: &Candidate) -> bool {
        if candidate.count {
            return false;
        }
        let hit = |target: &Target| match &target.members {
            Members::Slot(slot) => {
                rules.program.slots[usize::from(*slot)].as_bytes().get(3..)
                    == Some(self.values.get(candidate.entry.name))
            }
            members => self.selects(members, candidate.entry.name),
        };
        let same = |t: &&Target| t.variable == candidate.variable;
        if link.excluded.iter().filter(same).any(hit) {
            return true;
        }
        let by_caller = |(heads, targets): &(crate::compile::HeadSet, Vec<Target>)| {
            has(heads, index as usize) && targets.iter().filter(same).any(hit)
        };
        if first && rules.plan.excluded.iter().any(by_caller) {
            return true;
        }
        first
            && self.removed_targets.iter().any(|(link, control)| {
                match &rules.program.links[*link as usize].controls[usize::from(*control)] {
                    Control::RemoveTargets(heads, targets) => {
                        has(heads, index as usize) && targets.iter().filter(same).any(hit)
                    }
                    _ => false,
                }
            })
    }

    /// `ARGS:name` of a candidate.
    fn full_name(&mut self, candidate: &Candidate) -> ValueId {
        let variable = candidate.variable;
        if matches!(variable, Variable::MatchedVar | Variable::MatchedVars) {
            return candidate.entry.name;
        }
        let mut name = Vec::new();
        if candidate.count {
            name.push(b'&');
        }
        name.extend_from_slice(variable.name().as_bytes());
        let key = self.values.get(candidate.entry.name);
        if variable.is_collection() && !key.is_empty() {
            name.push(b':');
            name.extend_from_slice(key);
        }
        self.values.intern(&name)
    }

    /// The first value of a variable or its member.
    pub(super) fn first(&self, variable: Variable, key: Option<&[u8]>) -> Option<ValueId> {
        match variable {
            Variable::MatchedVar => self.matched.last().map(|e| e.value),
            Variable::MatchedVarName => self.matched.last().map(|e| e.name),
            Variable::MatchedVars => self.matched.first().map(|e| e.value),
            Variable::MatchedVarsNames => self.matched.first().map(|e| e.name),
            _ => {
                let mut entries = self.vars[variable as usize].iter();
                let found = match key {
                    Some(key) => entries.find(|e| self.values.get(e.name).eq_ignore_ascii_case(key)),
                    None => entries.next(),
                };
                found.map(|e| e.value)
            }
        }
    }

    /// Carries out the `setvar` actions of a link.
    fn set(&mut self, rules: &RuleSet, link: &Link, head: &Head) {
        for setvar in &link.setvars {
            let name = match setvar.slot {
                Some(_) => Vec::new(),
                None => self.expand(rules, &setvar.name, Some(head)).to_ascii_lowercase(),
            };
            let slot = setvar
                .slot
                .or_else(|| std::str::from_utf8(&name).ok().and_then(|n| rules.program.slot_index.get(n).copied()));
            if slot.is_some_and(|s| rules.plan.pinned[usize::from(s)]) {
                continue;
            }
            let old = match slot {
                Some(slot) => self.state.slot(slot).map(Written::number),
                None => self.state.get_named(&name).map(Written::number),
            };
            let operand = |text: &[crate::compile::Piece]| match text {
                [crate::compile::Piece::Slot(slot)] => self.state.slot(*slot).map_or(0, Written::number),
                text => match crate::compile::constant(text) {
                    Some(bytes) => number(bytes),
                    None => number(&self.expand(rules, text, Some(head))),
                },
            };
            let value = match &setvar.change {
                Change::Unset => None,
                Change::Add(text) => Some(Written::Number(old.unwrap_or(0).saturating_add(operand(text)))),
                Change::Subtract(text) => Some(Written::Number(old.unwrap_or(0).saturating_sub(operand(text)))),
                Change::Set(text) => Some(Written::from_text(self.expand(rules, text, Some(head)))),
            };
            if slot.is_some_and(|s| rules.program.score_slots.contains(&s)) {
                self.scored += value.as_ref().map_or(0, Written::number) - old.unwrap_or(0);
            }
            match slot {
                Some(slot) => self.state.set_slot(slot, value),
                None => self.state.set_named(name, value),
            }
        }
    }
}
