//! The door, tried from outside with stand-ins behind every hook.

#![expect(clippy::unwrap_used, reason = "a test stops where its ground is not as it says")]

mod client;
mod fakes;
mod house;
mod upstream;

mod assertions;
mod corpus;
mod device;
mod entrance;
mod firewall;
mod forward_auth;
mod limits;
mod nginx;
mod outside;
mod plain;
mod proxying;
mod tls;
mod upstreams;
