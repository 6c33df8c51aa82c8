//! Points in time, clocks as parameters, and the fixed zones a policy may name.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use ::time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Microseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// The epoch.
    pub const ZERO: Self = Self(0);
    /// The last representable moment; stands for "never" in comparisons.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From whole seconds since the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }
    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Later by `span`, stopping at [`Time::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
    /// Earlier by `span`, stopping at the least representable moment.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
    /// The span from `earlier` to here; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
    /// RFC 3339 in UTC with microseconds, as every API answer shows it.
    pub fn rfc3339(self) -> String {
        self.at(UtcOffset::UTC).format(&Rfc3339).unwrap_or_else(|_| self.0.to_string())
    }
    /// `2026-11-22 09:30:00 JST`, to the second, for people.
    pub fn in_zone(self, zone: &Zone) -> String {
        let t = self.at(zone.offset);
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            zone.name
        )
    }
    /// Parses RFC 3339 with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        i64::try_from(nanos.div_euclid(1_000)).ok().map(Self)
    }
    fn at(self, offset: UtcOffset) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .ok()
            .and_then(|utc| utc.checked_to_offset(offset))
            .unwrap_or_else(|| OffsetDateTime::UNIX_EPOCH.to_offset(offset))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// A zone without daylight saving, as a policy fixes one: a name and an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    offset: UtcOffset,
}

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        Self { name: "UTC".into(), offset: UtcOffset::UTC }
    }
    /// `UTC`, `JST`, or `+09:00`-like offsets of at most 14 hours. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let seconds = match text {
            "UTC" => 0,
            "JST" => 9 * 3600,
            _ => {
                let (sign, rest) = match text.as_bytes().first()? {
                    b'+' => (1, &text[1..]),
                    b'-' => (-1, &text[1..]),
                    _ => return None,
                };
                let (h, m) = rest.split_once(':')?;
                let digits = |s: &str| {
                    (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<i32>().ok()).flatten()
                };
                let (h, m) = (digits(h)?, digits(m)?);
                if h > 14 || m > 59 {
                    return None;
                }
                sign * (h * 3600 + m * 60)
            }
        };
        let offset = UtcOffset::from_whole_seconds(seconds).ok()?;
        Some(Self { name: text.to_owned(), offset })
    }
    /// The name shown beside times.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Seconds east of UTC.
    pub fn seconds(&self) -> i32 {
        self.offset.whole_seconds()
    }
}

/// A future without borrowed data.
pub type Due = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where "now" comes from. Every deadline, expiry and timestamp asks one of these.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Time;
    /// Completes once `now() >= at`; at once if it already is.
    fn due(&self, at: Time) -> Due;
}

/// A clock shared by the parts of one instance.
pub type SharedClock = Arc<dyn Clock>;

/// The operating system's clock. The only one that `serve` can be given.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the ambient clock enters")]
    fn now(&self) -> Time {
        let span = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time::ZERO.plus(span)
    }
    fn due(&self, at: Time) -> Due {
        let wait = at.since(self.now());
        Box::pin(tokio::time::sleep(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_its_zone_pushes_out_of_the_calendar_does_not_panic() {
        let last = Time::parse_rfc3339("9999-12-31T23:59:59Z").unwrap();
        assert_eq!(last.in_zone(&Zone::utc()), "9999-12-31 23:59:59 UTC");
        assert_eq!(last.in_zone(&Zone::parse("JST").unwrap()), "1970-01-01 09:00:00 JST");
        assert_eq!(Time::MAX.in_zone(&Zone::utc()), "1970-01-01 00:00:00 UTC");
    }
}
