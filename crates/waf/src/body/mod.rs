//! Request bodies, read into named values. Every reader is one pass over the bytes and bounded by the limits it is given.

pub mod json;
pub mod multipart;
pub mod urlencoded;
pub mod xml;

/// Bounds of a reader.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Values of one body.
    pub values: usize,
    /// Nesting of JSON and XML.
    pub depth: usize,
    /// Files of a multipart body.
    pub files: usize,
    /// Bytes to which entities of XML may expand.
    pub expansion: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { values: 1000, depth: 512, files: 100, expansion: 1 << 16 }
    }
}

/// What stopped a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The body does not follow its format; the text says how.
    Malformed(&'static str),
    /// A bound was reached; the text says which.
    OverLimit(&'static str),
}

impl Stop {
    /// The text.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed(text) | Self::OverLimit(text) => text,
        }
    }
}
