//! The console, from outside.

mod api;
mod firewall;
mod forms;
mod house;
mod pages;
mod samples;
mod scim;
mod surface;
mod terms;
