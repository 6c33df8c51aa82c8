//! Rules whose outcome is known while loading: paranoia gates, defaults, jumps.
//!
//! Rules are walked in the order in which they run, with what is surely known about the members that rules write. A rule
//! that only asks known members is decided here: one that cannot match is left out, one that always matches becomes an
//! effect or a jump. A rule that a `ctl` action may remove before it runs keeps its place, so that removing it works.

use super::{
    Change, Checker, Control, Disruption, Entry, Exclusions, Head, HeadSet, Link, Members, Order, Piece, Program,
    Target, Test, has,
};
use crate::engine::state::{State, Written, number};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Runs the rule.
    Run,
    /// The rule always matches: its variables are set.
    Effect,
}

/// A step of a phase.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub head: u32,
    pub kind: Kind,
    /// The step to go on with after a match.
    pub then: u32,
    /// The group and the bit of the operator without which the rule cannot match.
    pub gate: Option<(u16, u16)>,
}

/// How a program is run with given settings.
#[derive(Debug)]
pub struct Plan {
    pub steps: [Vec<Step>; 5],
    /// Members at the beginning.
    pub state: State,
    /// Members that rules cannot change, because the caller set them.
    pub pinned: Vec<bool>,
    /// Rules decided while loading, and all rules.
    pub decided: (usize, usize),
    /// Parts of messages that rules do not look at, by the caller's wish.
    pub excluded: Vec<(HeadSet, Vec<Target>)>,
}

/// What is known about a member.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Absent,
    Value(Written),
    Unknown,
}

/// Makes the plan; with `fold` false every rule runs that is not excluded.
pub fn plan(program: &Program, pins: &[(u16, Written)], exclusions: Exclusions, fold: bool) -> Plan {
    let mut pinned = vec![false; program.slots.len()];
    let mut state = State::new(program.slots.len());
    for (slot, value) in pins {
        pinned[usize::from(*slot)] = true;
        state.set_slot(*slot, Some(value.clone()));
    }
    let mut walker = Walker {
        program,
        known: (0..program.slots.len())
            .map(|s| state.slot(s as u16).map_or(Known::Absent, |v| Known::Value(v.clone())))
            .collect(),
        read: vec![false; program.slots.len()],
        removable: Vec::new(),
        pinned: &pinned,
        excluded: &exclusions.rules,
        decided: 0,
    };
    let mut steps: [Vec<Step>; 5] = Default::default();
    for (phase, out) in steps.iter_mut().enumerate() {
        *out = walker.phase(&program.phases[phase], &mut state, fold, phase == 0);
    }
    let decided = (walker.decided, program.heads.len());
    Plan { steps, state, pinned, decided, excluded: exclusions.targets }
}

fn gate(program: &Program, head: &Head) -> Option<(u16, u16)> {
    let link = &program.links[head.link as usize];
    let test = &program.tests[usize::from(link.test?)];
    link.group.zip(test.bits[usize::from(head.phase > 2)])
}

struct Walker<'a> {
    program: &'a Program,
    known: Vec<Known>,
    read: Vec<bool>,
    removable: Vec<u64>,
    pinned: &'a [bool],
    excluded: &'a [u64],
    decided: usize,
}

impl Walker<'_> {
    fn phase(&mut self, entries: &[Entry], state: &mut State, fold: bool, first: bool) -> Vec<Step> {
        // Entries until this index may be jumped over, or are surely.
        let (mut maybe, mut surely) = (0, 0);
        let mut kept: Vec<(usize, Step, usize)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let Entry::Rule(at) = entry else { continue };
            let head = &self.program.heads[*at as usize];
            let goal = goal(entries, index, head.skip_after.as_deref(), head.skip);
            if index < surely || has(self.excluded, *at as usize) {
                self.decided += 1;
                continue;
            }
            let verdict = if fold { self.decide(*at) } else { None };
            let loose = index < maybe || has(&self.removable, *at as usize);
            let links = links(self.program, *at);
            match verdict {
                Some(false) => {
                    self.decided += 1;
                    continue;
                }
                Some(true)
                    if matches!(head.disruption, Disruption::Pass)
                        && !head.log
                        && links.iter().all(|l| l.controls.is_empty() && !l.capture) =>
                {
                    self.decided += 1;
                    let whole = first && !loose && goal == index + 1 && self.settle(&links, state);
                    if !whole {
                        kept.push((index, Step { head: *at, kind: Kind::Effect, then: 0, gate: None }, goal));
                        self.forget_or_learn(&links, loose);
                    }
                    if goal > index + 1 {
                        if loose { maybe = maybe.max(goal) } else { surely = goal }
                    }
                    self.note(&links);
                    continue;
                }
                _ => {}
            }
            kept.push((index, Step { head: *at, kind: Kind::Run, then: 0, gate: gate(self.program, head) }, goal));
            self.note(&links);
            self.forget(&links);
            if goal > index + 1 {
                maybe = maybe.max(goal);
            }
            for control in links.iter().flat_map(|l| &l.controls) {
                if let Control::Remove(set) = control {
                    self.removable.resize(self.removable.len().max(set.len()), 0);
                    for (word, more) in self.removable.iter_mut().zip(set) {
                        *word |= more;
                    }
                }
            }
        }
        let starts: Vec<usize> = kept.iter().map(|k| k.0).collect();
        kept.into_iter()
            .map(|(_, step, goal)| Step { then: starts.partition_point(|s| *s < goal) as u32, ..step })
            .collect()
    }

    /// Remembers which members the links read.
    fn note(&mut self, links: &[&Link]) {
        for link in links {
            for target in link.targets.iter().chain(&link.excluded) {
                match &target.members {
                    Members::Slot(slot) => self.read[usize::from(*slot)] = true,
                    Members::Slots(slots, _) => slots.iter().for_each(|s| self.read[usize::from(*s)] = true),
                    _ => {}
                }
            }
            let head = &self.program.heads[link.head as usize];
            let operand = link.test.and_then(|t| operand(&self.program.tests[usize::from(t)])).unwrap_or_default();
            let changes = link.setvars.iter().flat_map(|s| match &s.change {
                Change::Set(t) | Change::Add(t) | Change::Subtract(t) => [&s.name[..], t],
                Change::Unset => [&s.name[..], &[]],
            });
            let texts = changes.chain([operand, &head.msg, head.logdata.as_deref().unwrap_or_default()]);
            for piece in texts.flatten() {
                if let Piece::Slot(slot) = piece {
                    self.read[usize::from(*slot)] = true;
                }
            }
            for setvar in &link.setvars {
                if let (Some(slot), Change::Add(_) | Change::Subtract(_)) = (setvar.slot, &setvar.change) {
                    self.read[usize::from(slot)] = true;
                }
            }
        }
    }

    /// The rule may or may not run: what it writes is unknown from here on.
    fn forget(&mut self, links: &[&Link]) {
        for link in links {
            if link.capture {
                self.known[..10].fill(Known::Unknown);
            }
            for setvar in &link.setvars {
                match setvar.slot {
                    Some(slot) if self.pinned[usize::from(slot)] => {}
                    Some(slot) => self.known[usize::from(slot)] = Known::Unknown,
                    None => {
                        let Some(Piece::Literal(prefix)) = setvar.name.first() else { continue };
                        // The name goes on after its constant beginning.
                        let start: Vec<u8> = match setvar.name.get(1) {
                            Some(Piece::Literal(more)) => [&prefix[..], more].concat(),
                            _ => prefix.to_vec(),
                        };
                        for (name, known) in self.program.slots.iter().zip(&mut self.known) {
                            if name.as_bytes().starts_with(&start) {
                                *known = Known::Unknown;
                            }
                        }
                    }
                }
            }
        }
    }

    /// The rule runs, if it is not removed: what it writes is known, where its inputs are.
    fn forget_or_learn(&mut self, links: &[&Link], loose: bool) {
        if loose {
            return self.forget(links);
        }
        for link in links {
            for setvar in &link.setvars {
                let Some(slot) = setvar.slot else {
                    self.forget(links);
                    continue;
                };
                if !self.pinned[usize::from(slot)] {
                    self.known[usize::from(slot)] = self.result(slot, &setvar.change);
                }
            }
        }
    }

    /// What a change makes of a member.
    fn result(&self, slot: u16, change: &Change) -> Known {
        let add = |text, sign: i64| match (self.value(text), &self.known[usize::from(slot)]) {
            (Some(v), Known::Absent) => Known::Value(Written::Number(sign * number(&v))),
            (Some(v), Known::Value(old)) => {
                Known::Value(Written::Number(old.number().saturating_add(sign * number(&v))))
            }
            _ => Known::Unknown,
        };
        match change {
            Change::Unset => Known::Absent,
            Change::Set(text) => self.value(text).map_or(Known::Unknown, |v| Known::Value(Written::from_text(v))),
            Change::Add(text) => add(text, 1),
            Change::Subtract(text) => add(text, -1),
        }
    }

    /// Puts what the rule writes into the beginning state, if all is known and nothing read it before.
    fn settle(&mut self, links: &[&Link], state: &mut State) -> bool {
        let all = links.iter().flat_map(|l| &l.setvars).all(|s| {
            s.slot.is_some_and(|slot| {
                let at = usize::from(slot);
                self.pinned[at] || (!self.read[at] && self.result(slot, &s.change) != Known::Unknown)
            })
        });
        if !all {
            return false;
        }
        for setvar in links.iter().flat_map(|l| &l.setvars) {
            let Some(slot) = setvar.slot.filter(|s| !self.pinned[usize::from(*s)]) else { continue };
            let result = self.result(slot, &setvar.change);
            state.set_slot(slot, if let Known::Value(v) = &result { Some(v.clone()) } else { None });
            self.known[usize::from(slot)] = result;
        }
        true
    }

    /// The text, if all that it names is known.
    fn value(&self, text: &[Piece]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for piece in text {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Slot(slot) => match &self.known[usize::from(*slot)] {
                    Known::Absent => {}
                    Known::Value(v) => v.write(&mut out),
                    Known::Unknown => return None,
                },
                _ => return None,
            }
        }
        Some(out)
    }

    /// Whether a rule matches, if that is known.
    fn decide(&self, head: u32) -> Option<bool> {
        for (index, link) in links(self.program, head).iter().enumerate() {
            // What an earlier link writes is not looked at: a chain whose links write is decided only by its first link.
            let earlier = links(self.program, head)[..index].iter().any(|l| !l.setvars.is_empty());
            match if earlier { None } else { self.decide_link(link) } {
                Some(true) => {}
                other => return other,
            }
        }
        Some(true)
    }

    fn decide_link(&self, link: &Link) -> Option<bool> {
        let Some(test) = link.test else { return Some(true) };
        let [target] = link.targets.as_slice() else { return None };
        let Members::Slot(slot) = target.members else { return None };
        if !link.excluded.is_empty() || link.pipe != 0 || !link.steps.is_empty() {
            return None;
        }
        let Checker::Number(order, operand) = &self.program.tests[usize::from(test)].checker else { return None };
        let right = number(&self.value(operand)?);
        let left = match (&self.known[usize::from(slot)], target.count) {
            (Known::Unknown, _) => return None,
            (Known::Absent, true) => 0,
            (Known::Value(_), true) => 1,
            (Known::Absent, false) => return Some(false),
            (Known::Value(v), false) => v.number(),
        };
        Some(compare(*order, left, right) != link.negated)
    }
}

/// The links of a rule.
fn links(program: &Program, head: u32) -> Vec<&Link> {
    let mut out = Vec::new();
    let mut at = Some(program.heads[head as usize].link);
    while let Some(link) = at.map(|at| &program.links[at as usize]) {
        out.push(link);
        at = link.next;
    }
    out
}

/// Compares numbers.
pub fn compare(order: Order, left: i64, right: i64) -> bool {
    match order {
        Order::Eq => left == right,
        Order::Ge => left >= right,
        Order::Gt => left > right,
        Order::Le => left <= right,
        Order::Lt => left < right,
    }
}

/// The operand that is completed while running.
fn operand(test: &Test) -> Option<&[Piece]> {
    match &test.checker {
        Checker::Contains(t)
        | Checker::ContainsWord(t)
        | Checker::BeginsWith(t)
        | Checker::EndsWith(t)
        | Checker::StrEq(t)
        | Checker::Within(t)
        | Checker::Number(_, t) => Some(t),
        Checker::RxText(completed) => Some(&completed.text),
        _ => None,
    }
}

/// The entry to go on with after a match at `index`.
fn goal(entries: &[Entry], index: usize, marker: Option<&str>, skip: u32) -> usize {
    if let Some(marker) = marker {
        let found = entries[index..].iter().position(|e| matches!(e, Entry::Marker(m) if m == marker));
        // A marker that stands before the rule, or in no later place of this phase, ends the phase.
        return found.map_or(entries.len(), |n| index + n);
    }
    let mut left = skip;
    let mut at = index + 1;
    while left > 0 && at < entries.len() {
        left -= u32::from(matches!(entries[at], Entry::Rule(_)));
        at += 1;
    }
    at
}
