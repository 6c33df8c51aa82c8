//! See docs/ARCHITECTURE.md.

pub mod catalogue;
