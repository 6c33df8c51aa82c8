//! Refusals of strangers are entered singly up to ten per address and minute, then as one count: whoever knocks without
//! end does not fill the log.

use std::{collections::HashMap, net::IpAddr, sync::Mutex, time::Duration};

use sekisho_kernel::{Time, id::TenantId};

/// Entered singly per address and minute.
const SINGLE: u64 = 10;
/// Most addresses counted apart; beyond, all share one count.
const MOST: usize = 10_000;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Knocker {
    pub log: TenantId,
    pub address: Option<IpAddr>,
}

struct Count {
    since: Time,
    knocks: u64,
}

/// The counts of this node.
#[derive(Default)]
pub(crate) struct Strangers(Mutex<HashMap<Knocker, Count>>);

/// Refusals beyond the singly entered ones, to be entered as one count.
pub(crate) struct Counted {
    pub knocker: Knocker,
    pub beyond: u64,
    pub since: Time,
}

impl Strangers {
    /// Whether this refusal is entered singly.
    pub(crate) fn single(&self, knocker: Knocker, now: Time) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let crowded = counts.len() >= MOST && !counts.contains_key(&knocker);
        let key = if crowded { Knocker { address: None, ..knocker } } else { knocker };
        let count = counts.entry(key).or_insert(Count { since: now, knocks: 0 });
        count.knocks += 1;
        count.knocks <= SINGLE
    }

    /// Takes the counts whose minute is over.
    pub(crate) fn take_over(&self, now: Time) -> Vec<Counted> {
        let mut counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = Vec::new();
        counts.retain(|knocker, count| {
            let over = now.since(count.since) >= MINUTE;
            if over && count.knocks > SINGLE {
                out.push(Counted { knocker: *knocker, beyond: count.knocks - SINGLE, since: count.since });
            }
            !over
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_minute_singly_then_one_count() {
        let strangers = Strangers::default();
        let knocker = Knocker { log: TenantId::NIL, address: "192.0.2.1".parse().ok() };
        let start = Time::from_secs(1_000);
        let singly = (0..25).filter(|_| strangers.single(knocker, start)).count();
        assert_eq!(singly, 10);
        assert!(strangers.take_over(start.plus(Duration::from_secs(59))).is_empty());
        let counted = strangers.take_over(start.plus(MINUTE));
        assert_eq!(counted.iter().map(|c| c.beyond).collect::<Vec<_>>(), [15]);
        assert!(strangers.single(knocker, start.plus(MINUTE)));
    }
}
