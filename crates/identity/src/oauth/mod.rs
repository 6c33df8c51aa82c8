//! Third-party applications: OAuth 2.1 as an authorisation server (draft-ietf-oauth-v2-1, RFC 7636, 8414, 8628, 9126, 9207, 9449, 7662,
//! 7009) and OpenID provider (OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0). Access tokens are opaque; what
//! they may do is their person's rights, narrowed to what was consented to.

pub mod applications;
mod authorize;
mod device;
pub mod dpop;
mod flow;
pub mod grants;
mod inspect;
mod openid;
mod origins;
mod pushed;
pub mod scope;

pub use grants::ACCESS;
pub use origins::Origins;
pub use pushed::SCHEME as PUSHED;
