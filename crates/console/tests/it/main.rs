//! The console, from outside.

mod api;
mod forms;
mod house;
mod pages;
mod samples;
mod surface;
