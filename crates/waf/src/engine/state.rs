//! The members that rules write: `TX`, and `IP` and `GLOBAL` for as long as the transaction lasts.

use std::{collections::BTreeMap, sync::Arc};

/// A value that a rule wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A number.
    Number(i64),
    /// Text; shared, because what is known while loading begins every transaction.
    Text(Arc<[u8]>),
}

impl Written {
    /// From text, as a number where it is one in canonical form.
    pub fn from_text(text: Vec<u8>) -> Self {
        let canonical = text.first().is_some_and(|b| b.is_ascii_digit() || (*b == b'-' && text.len() > 1))
            && text.len() < 19
            && text[1..].iter().all(u8::is_ascii_digit)
            && (text.len() == 1 || (text[0] != b'0' && !text.starts_with(b"-0")));
        if canonical { Self::Number(number(&text)) } else { Self::Text(text.into()) }
    }

    /// As a number: the digits it begins with, or 0.
    pub fn number(&self) -> i64 {
        match self {
            Self::Number(n) => *n,
            Self::Text(text) => number(text),
        }
    }

    /// Appends it as text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Self::Text(text) => out.extend_from_slice(text),
        }
    }
}

/// The number that text begins with, after blanks and a sign; 0 without digits. Saturates.
pub fn number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|b| b.is_ascii_digit());
    let n = digits.fold(0_i64, |n, b| n.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    if negative { -n } else { n }
}

/// Members known while loading by slot, others by name.
#[derive(Clone, Debug, Default)]
pub struct State {
    slots: Vec<Option<Written>>,
    named: BTreeMap<Vec<u8>, Written>,
}

impl State {
    /// Without members, for so many slots.
    pub fn new(slots: usize) -> Self {
        Self { slots: vec![None; slots], named: BTreeMap::new() }
    }

    /// Begins again with the members of `plan`, in the memory of the slots.
    pub fn reset(&mut self, plan: &Self) {
        self.slots.clone_from(&plan.slots);
        self.named.clone_from(&plan.named);
    }

    /// Forgets all members, keeping the memory of the slots.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.named.clear();
    }

    pub fn slot(&self, slot: u16) -> Option<&Written> {
        self.slots[usize::from(slot)].as_ref()
    }

    pub fn set_slot(&mut self, slot: u16, value: Option<Written>) {
        self.slots[usize::from(slot)] = value;
    }

    pub fn named(&self) -> impl Iterator<Item = (&Vec<u8>, &Written)> {
        self.named.iter()
    }

    pub fn get_named(&self, name: &[u8]) -> Option<&Written> {
        self.named.get(name)
    }

    pub fn set_named(&mut self, name: Vec<u8>, value: Option<Written>) {
        match value {
            Some(value) => self.named.insert(name, value),
            None => self.named.remove(&name),
        };
    }
}
