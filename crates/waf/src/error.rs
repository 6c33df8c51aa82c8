//! What can go wrong while rules are loaded. Nothing can go wrong while a request is examined.

use std::{fmt, sync::Arc};

/// A line of a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the resolver gave it.
    pub file: Arc<str>,
    /// The line, from 1, on which the directive begins.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A rule file that cannot be used, with the place and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Where the offending directive begins.
    pub place: Place,
    /// What is wrong with it, in English.
    pub reason: String,
}

impl LoadError {
    pub(crate) fn new(place: &Place, reason: impl Into<String>) -> Self {
        Self { place: place.clone(), reason: reason.into() }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for LoadError {}
