//! Third-party applications: OAuth 2.1 as an authorisation server (draft-ietf-oauth-v2-1, RFC 7636, 8414, 9207, 7662,
//! 7009). Tokens are opaque; what they may do is their person's rights, narrowed to what was consented to.

pub mod applications;
mod flow;
pub mod grants;
