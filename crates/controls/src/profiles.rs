//! The policies that ship: one for each of the five papers, each with the figures of its claims.

/// Names and texts of the shipped profiles, in the order in which they are rehearsed.
pub static PROFILES: &[(&str, &str)] = &[
    ("netmeister", include_str!("../profiles/netmeister.toml")),
    ("mist", include_str!("../profiles/mist.toml")),
    ("moxtra", include_str!("../profiles/moxtra.toml")),
    ("dxsuite", include_str!("../profiles/dxsuite.toml")),
    ("idoperation", include_str!("../profiles/idoperation.toml")),
];

/// The policy text of a shipped profile: what `extends = "NAME"` refers to. `None` for any other name.
pub fn profile(name: &str) -> Option<&'static str> {
    PROFILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
