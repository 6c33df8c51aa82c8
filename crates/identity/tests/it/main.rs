//! Identity on both databases, behind the real vault, keys and gates.

#![allow(clippy::unwrap_used, reason = "tests only")]

mod accounts;
mod backchannel;
mod confirm;
mod device;
mod device_code;
mod domains;
mod dpop;
mod equal;
mod federation;
mod house;
mod idp;
mod jwt_attacks;
mod lockout;
mod oauth;
mod openid;
mod passkeys;
mod password_way;
mod relations;
mod risk;
mod rules;
mod rules_and_groups;
mod saml;
mod saml_idp;
mod saml_keys;
mod saml_logout;
mod saml_parting;
mod saml_upkeep;
mod scim;
mod sessions;
mod sign_in;
mod signals;
mod signature;
mod signing;
mod subjects;
mod tenancy;
mod tokens;
mod webauthn;
mod weeks;
