//! SCIM 2.0 (RFC 7643, RFC 7644): an identity provider keeps an organisation's people and groups.
//!
//! What parses and changes resources ([`schema`], [`value`], [`filter`], [`patch`]) is pure: JSON in, JSON out, every depth
//! and length bounded. What reads and writes records follows the same walls as everything else here.

mod connections;
pub mod filter;
mod groups;
mod members;
mod paging;
pub mod patch;
pub mod schema;
pub mod shape;
mod subjects;
mod users;
pub mod value;

pub use members::forget_person;

use sekisho_kernel::{Cx, Problem, Right, Target};
use sekisho_vault::Act;
use serde_json::{Map, Value};

use crate::{Answer, Identity, problems::SCIM_OFF, under};

/// A resource: attributes by their canonical names.
pub type Resource = Map<String, Value>;

/// Most resources that a search looks through, and most members of a group.
pub const SEARCHED: u64 = 10_000;
/// Most resources in one answer.
pub const MOST_LISTED: u32 = 200;

impl Identity {
    /// The act of a provisioning client, refused where the policy has SCIM switched off.
    fn provision(
        &self,
        cx: &Cx,
        event: &'static sekisho_kernel::Event,
        object: impl ToString,
    ) -> (Act, Result<(), Problem>) {
        let act = under(Right::USERS_PROVISION, event, Target::tenant(cx.tenant), object);
        let open = if self.gates().provisioning(&cx.policy).scim { Ok(()) } else { Err(Problem::new(&SCIM_OFF)) };
        (act, open)
    }

    /// Refuses what cannot be done before a transaction is worth beginning; the refusal is entered, the access check first.
    async fn sound<T>(&self, cx: &Cx, act: &Act, checked: Answer<T>) -> Answer<T> {
        match checked {
            Ok(value) => Ok(value),
            Err(problem) => Err(self.stop(cx, act.clone(), problem).await),
        }
    }
}

/// Whether `given`, an `If-Match` or `If-None-Match`, names a version: weak comparison (RFC 9110 §8.8.3.2).
pub fn names(given: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    given.trim() == "*" || given.split(',').any(|tag| bare(tag) == bare(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_weakly() {
        for given in ["W/\"3.1\"", "\"3.1\"", "*", "W/\"1.1\", W/\"3.1\""] {
            assert!(names(given, "W/\"3.1\""), "{given}");
        }
        for given in ["", "W/\"3.2\"", "3.1", "W/\"13.1\""] {
            assert!(!names(given, "W/\"3.1\""), "{given}");
        }
    }
}
