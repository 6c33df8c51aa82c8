//! Memory of finished transactions, used again: allocating it costs more than a tenth of a small request.

use super::{eval::Candidate, sieve::Sieves, state::State, transaction::Entry, values::Values};
use crate::seclang::target::Variable;
use std::sync::Mutex;

/// Rooms kept.
const ROOMS: usize = 64;
/// A room that grew beyond this many bytes is not kept.
const LARGEST: usize = 1 << 18;

/// The memory of one transaction.
#[derive(Debug)]
pub struct Room {
    pub(super) values: Values,
    pub(super) vars: Vec<Vec<Entry>>,
    pub(super) state: State,
    pub(super) matched: Vec<Entry>,
    pub(super) sieves: Sieves,
    pub(super) candidates: Vec<Candidate>,
}

impl Room {
    fn new() -> Self {
        Self {
            values: Values::new(),
            vars: vec![Vec::new(); Variable::ALL.len()],
            state: State::default(),
            matched: Vec::new(),
            sieves: Sieves::default(),
            candidates: Vec::new(),
        }
    }
}

/// Rooms that are free.
#[derive(Debug, Default)]
pub struct Rooms(Mutex<Vec<Room>>);

impl Rooms {
    /// An empty room.
    pub(super) fn take(&self) -> Room {
        let free = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        free.unwrap_or_else(Room::new)
    }

    /// Clears a room and keeps it, if it is of an ordinary size.
    pub(super) fn put(&self, mut room: Room) {
        if room.values.capacity() + room.sieves.capacity() > LARGEST || room.vars.len() != Variable::ALL.len() {
            return;
        }
        room.values.clear();
        room.vars.iter_mut().for_each(Vec::clear);
        room.state.clear();
        room.matched.clear();
        room.candidates.clear();
        let mut free = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if free.len() < ROOMS {
            free.push(room);
        }
    }
}
