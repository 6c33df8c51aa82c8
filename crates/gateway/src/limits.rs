//! How many connections there may be: in all, and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

/// Counts open connections.
#[derive(Debug, Default)]
pub struct Connections {
    counts: Mutex<Counts>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place in the counts; given back when dropped.
#[derive(Debug)]
pub struct Seat {
    connections: Arc<Connections>,
    address: IpAddr,
}

/// An IPv6 house has a /64 of its own, so its addresses count as one.
fn counted(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

impl Connections {
    /// Takes a place for `peer`; `None` when the house or the address is full.
    pub fn take(self: &Arc<Self>, peer: IpAddr, most: usize, most_per_address: usize) -> Option<Seat> {
        let address = counted(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= most {
            return None;
        }
        let own = counts.by_address.entry(address).or_default();
        if *own >= most_per_address {
            return None;
        }
        *own += 1;
        counts.all += 1;
        Some(Seat { connections: self.clone(), address })
    }
    /// Completes once none is open.
    pub async fn emptied(&self) {
        loop {
            let mut notified = std::pin::pin!(self.empty.notified());
            notified.as_mut().enable();
            if self.open() == 0 {
                return;
            }
            notified.await;
        }
    }
    /// How many are open.
    pub fn open(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.connections.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if counts.all == 0 {
            self.connections.empty.notify_waiters();
        }
        if let Some(own) = counts.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_come_back() {
        let c = Arc::new(Connections::default());
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = c.take(a, 3, 2).unwrap();
        let _second = c.take(a, 3, 2).unwrap();
        assert!(c.take(a, 3, 2).is_none());
        let _third = c.take(b, 3, 2).unwrap();
        assert!(c.take(b, 3, 2).is_none(), "the house is full");
        drop(first);
        assert!(c.take(a, 3, 2).is_some());
    }

    #[test]
    fn one_ipv6_house_counts_once() {
        let c = Arc::new(Connections::default());
        let _seat = c.take("2001:db8::1".parse().unwrap(), 9, 1).unwrap();
        assert!(c.take("2001:db8::2".parse().unwrap(), 9, 1).is_none());
        assert!(c.take("2001:db8:0:1::2".parse().unwrap(), 9, 1).is_some());
        assert_eq!(c.counts.lock().unwrap().by_address.len(), 1, "an empty address leaves nothing behind");
    }
}
