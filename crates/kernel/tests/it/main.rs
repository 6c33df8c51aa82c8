//! The kernel's tests.

mod policy;
