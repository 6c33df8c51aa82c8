//! The console, from outside.

mod api;
mod cors;
mod firewall;
mod forms;
mod house;
mod pages;
mod passkeys;
mod samples;
mod scim;
mod surface;
mod terms;
