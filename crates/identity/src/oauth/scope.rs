//! What an application asks for (RFC 6749 §3.3): rights of the catalogue, and what it may learn of the person who signs in
//! to it (OpenID Connect Core 1.0 §5.4).

use sekisho_kernel::{RightSet, Text, access::Right};
use serde::{Deserialize, Serialize};

use crate::rights;

/// Asks for a refresh token (OpenID Connect Core §11). Every authorisation gives one that a person can withdraw, so there is
/// nothing to decide.
const OFFLINE: &str = "offline_access";

/// A scope about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonScope {
    /// Who it is: an ID token.
    Openid,
    /// Sign-in name and display name.
    Profile,
    /// The mail address.
    Email,
}

impl PersonScope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Openid, Self::Profile, Self::Email];

    /// As a request writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openid => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
        }
    }
    /// By its name, to the letter.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
    /// In words, for the person who is asked.
    pub const fn text(self) -> &'static Text {
        static OPENID: Text =
            Text::new("サインインしたのがあなたであることを知る", "Know that it is you who signed in");
        static PROFILE: Text = Text::new("サインイン名と表示名を知る", "Know your sign-in name and display name");
        static EMAIL: Text = Text::new("メールアドレスを知る", "Know your mail address");
        match self {
            Self::Openid => &OPENID,
            Self::Profile => &PROFILE,
            Self::Email => &EMAIL,
        }
    }
}

/// A scope that has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Rights.
    pub rights: RightSet,
    /// Of the person, in order, each once.
    pub person: Vec<PersonScope>,
}

impl Wanted {
    /// As a record holds it.
    pub fn of(names: &[String], person: &[PersonScope]) -> Self {
        Self { rights: rights::known(names), person: person.to_vec() }
    }
    /// The most that an application may ask for.
    pub fn most(names: &[String], openid: bool) -> Self {
        Self::of(names, if openid { &PersonScope::ALL } else { &[] })
    }
    /// The names of its rights.
    pub fn names(&self) -> Vec<String> {
        rights::names(self.rights)
    }
    /// Whether there is nothing in it that `most` has not.
    pub fn within(&self, most: &Self) -> bool {
        self.rights.within(most.rights) && self.person.iter().all(|s| most.person.contains(s))
    }
    /// Both together.
    pub fn with(&self, other: &Self) -> Self {
        let person = PersonScope::ALL.into_iter().filter(|s| self.person.contains(s) || other.person.contains(s));
        Self { rights: self.rights.union(other.rights), person: person.collect() }
    }
    /// Whether an ID token is asked for.
    pub fn openid(&self) -> bool {
        self.person.contains(&PersonScope::Openid)
    }
    /// As an answer writes it.
    pub fn text(&self) -> String {
        let person = self.person.iter().map(|s| s.name().to_owned());
        person.chain(self.names()).collect::<Vec<_>>().join(" ")
    }
    /// Reads a scope: names separated by spaces, all of `most`. Without one it is `otherwise`. What is asked about the person
    /// needs `openid` beside it.
    pub fn read(text: Option<&str>, most: &Self, otherwise: Self) -> Option<Self> {
        let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Some(otherwise) };
        let mut asked = Self::default();
        for name in text.split(' ').filter(|n| !n.is_empty() && *n != OFFLINE) {
            match PersonScope::by_name(name) {
                Some(scope) => asked.person.push(scope),
                None => asked.rights = asked.rights.with(Right::by_name(name)?),
            }
        }
        asked.person.sort_unstable();
        asked.person.dedup();
        (asked.within(most) && (asked.person.is_empty() || asked.openid())).then_some(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_within_what_was_approved() {
        let rights: RightSet = [Right::USERS_READ, Right::SITES_READ].into_iter().collect();
        let most = Wanted { rights, person: PersonScope::ALL.to_vec() };
        let plain = Wanted { rights, person: vec![] };
        let read = |text: &str| Wanted::read(Some(text), &most, plain.clone());
        assert_eq!(Wanted::read(None, &most, plain.clone()), Some(plain.clone()), "nobody is told who it is unasked");
        assert_eq!(read(" "), Some(plain.clone()));
        let sites = Wanted { rights: [Right::SITES_READ].into_iter().collect(), person: vec![] };
        assert_eq!(read("sites.read"), Some(sites));
        let who = Wanted { rights: RightSet::default(), person: vec![PersonScope::Openid, PersonScope::Email] };
        assert_eq!(read("email openid openid offline_access"), Some(who.clone()));
        assert_eq!(who.text(), "openid email");
        assert_eq!(who.with(&plain).text(), format!("openid email {}", plain.text()));
        for bad in ["users.write", "users.read users.fly", "USERS.READ", "users.read\tsites.read", "email", "OPENID"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(Wanted::read(Some("openid"), &plain, plain.clone()), None, "not where nobody signs in");
    }
}
