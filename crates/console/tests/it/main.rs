//! The console, from outside.

mod pages;
mod samples;
