//! SAML 2.0, the service provider's side: metadata, requests, responses, single logout. Pure: no store, no network; time and
//! randomness are parameters.
//!
//! What must hold:
//!
//! 1. **What is claimed is read only from bytes whose digest was verified.** The verifier writes the canonical form of the signed
//!    element, compares its digest, and parses that very text anew; claims come from the new tree. One parser reads both.
//! 2. **No id is looked up.** A signature is a child of the element it signs and refers to it; whatever stands elsewhere is refused.
//! 3. **Keys come from metadata.** `KeyInfo` is not looked at.
//! 4. **What is not on a list is refused**: algorithms, transforms, elements, conditions.
//! 5. **Claims cannot be had without a replay record**: [`Accepted::first_use`] gives them out.
//!
//! Standards: SAML 2.0 core, bindings, profiles and metadata (OASIS, 2005, with errata 05), XML Signature 1.1, Exclusive XML
//! Canonicalization 1.0, XML Encryption 1.1.

mod algorithms;
mod binding;
mod claims;
mod encryption;
mod instant;
mod keys;
mod logout;
pub mod problems;
mod provider;
mod request;
mod response;
mod signature;
mod xml;

pub use binding::{Kind, Outgoing, RELAY_STATE_BYTES};
pub use claims::{Attribute, NameId, SignedIn};
pub use keys::{Certificate, Credential};
pub use logout::{EndSession, LogoutAnswer, LogoutMessage, LogoutRequest, Peeked, PendingLogout};
pub use provider::{Binding, Endpoint, IdentityProvider, Rules, ServiceProvider, Signed};
pub use request::{ANSWER_WITHIN, Ask, Pending, fresh_id};
pub use response::{Accepted, OneTime, Received};
