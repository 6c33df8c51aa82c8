//! Outside identity providers: a tenant's people sign in where they have their account already. People are linked by
//! tenant, provider and subject, never by mail address.

pub mod confirm;
pub mod domains;
mod flow;
mod id_token;
pub mod identities;
pub mod json;
pub mod jwt;
pub mod logout;
mod mapping;
mod metadata;
mod people;
pub mod providers;
pub mod saml;
mod trial;

pub use id_token::LONGEST as LONGEST_SUBJECT;
pub use metadata::Cache;
