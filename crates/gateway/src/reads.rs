//! Proxied reads are entered once for each session, route and minute. Which have been is remembered here.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use sekisho_kernel::{Time, id::SessionId};

/// Sessions remembered in one minute, and routes of each. Past them every read is entered.
const SESSIONS: usize = 65_536;
const ROUTES: usize = 512;

/// The reads of this minute.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    seen: HashMap<SessionId, HashSet<Box<str>>>,
}

impl Reads {
    /// Whether this route of this session has been entered in this minute.
    pub fn entered(&self, session: SessionId, route: &str, now: Time) -> bool {
        let minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        minute.number == number(now) && minute.seen.get(&session).is_some_and(|routes| routes.contains(route))
    }
    /// Remembers it, after the entry was accepted.
    pub fn remember(&self, session: SessionId, route: &str, now: Time) {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number(now) {
            minute.number = number(now);
            minute.seen.clear();
        }
        if minute.seen.len() >= SESSIONS && !minute.seen.contains_key(&session) {
            return;
        }
        let routes = minute.seen.entry(session).or_default();
        if routes.len() < ROUTES {
            routes.insert(route.into());
        }
    }
}

const fn number(now: Time) -> i64 {
    now.secs().div_euclid(60)
}

/// A path as a route: segments that are ids (digits, UUIDs, long hexadecimal, our own ids) become `*`, so that one
/// page's many records are one route.
pub(crate) fn route(path: &str) -> std::borrow::Cow<'_, str> {
    if !path.split('/').any(is_id) {
        return path.into();
    }
    path.split('/').map(|s| if is_id(s) { "*" } else { s }).collect::<Vec<_>>().join("/").into()
}

fn is_id(segment: &str) -> bool {
    if segment.is_empty() {
        return false;
    }
    if segment.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let bare = segment.split_once('_').map_or(segment, |(_, rest)| rest);
    bare.len() >= 16 && bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::Id;

    use super::*;

    #[test]
    fn one_a_minute() {
        let (reads, session) = (Reads::default(), Id::from_bytes([1; 16]));
        let at = Time::from_secs(120);
        assert!(!reads.entered(session, "/a", at));
        reads.remember(session, "/a", at);
        assert!(reads.entered(session, "/a", Time::from_secs(179)));
        assert!(!reads.entered(session, "/b", at));
        assert!(!reads.entered(Id::from_bytes([2; 16]), "/a", at));
        assert!(!reads.entered(session, "/a", Time::from_secs(180)));
    }

    #[test]
    fn routes_without_ids() {
        assert_eq!(route("/orders/17/lines"), "/orders/*/lines");
        assert_eq!(route("/u/usr_0198c2b40198c2b40198c2b40198c2b4"), "/u/*");
        assert_eq!(route("/f/123e4567-e89b-12d3-a456-426614174000"), "/f/*");
        assert_eq!(route("/deadbeef"), "/deadbeef");
        assert!(matches!(route("/plain/path"), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn bounded() {
        let (reads, session) = (Reads::default(), Id::from_bytes([1; 16]));
        for n in 0..2 * ROUTES {
            reads.remember(session, &format!("/{n}x"), Time::ZERO);
        }
        assert_eq!(reads.minute.lock().unwrap().seen[&session].len(), ROUTES);
    }
}
