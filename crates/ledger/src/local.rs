//! The local time column of exports, fast.

use sekisho_kernel::Zone;

/// Renders times as `2026-11-22 09:30:00 JST`, as [`sekisho_kernel::Time::in_zone`] does; times outside the years 1 to 9998
/// as their microseconds. Keeps the last day's digits, since neighbours mostly share them.
pub(crate) struct LocalTime {
    offset: i64,
    day: i64,
    /// `YYYY-MM-DD HH:MM:SS NAME`.
    text: Vec<u8>,
    odd: Vec<u8>,
}

const DAYS: std::ops::Range<i64> = -719_162..2_932_532;

impl LocalTime {
    pub(crate) fn new(zone: &Zone) -> Self {
        let mut text = b"0000-00-00 00:00:00 ".to_vec();
        text.extend_from_slice(zone.name().as_bytes());
        Self { offset: i64::from(zone.seconds()), day: i64::MIN, text, odd: Vec::new() }
    }

    pub(crate) fn render(&mut self, micros: i64) -> &[u8] {
        let seconds = micros.div_euclid(1_000_000) + self.offset;
        let day = seconds.div_euclid(86_400);
        if !DAYS.contains(&day) {
            self.odd = micros.to_string().into_bytes();
            return &self.odd;
        }
        if day != self.day {
            self.day = day;
            let (year, month, date) = civil(day);
            two(&mut self.text, 0, year / 100);
            two(&mut self.text, 2, year % 100);
            two(&mut self.text, 5, month);
            two(&mut self.text, 8, date);
        }
        let second = seconds.rem_euclid(86_400);
        two(&mut self.text, 11, second / 3_600);
        two(&mut self.text, 14, second / 60 % 60);
        two(&mut self.text, 17, second % 60);
        &self.text
    }
}

fn two(text: &mut [u8], at: usize, value: i64) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

/// Year, month and day of the proleptic Gregorian calendar, `day` days after 1970-01-01. Years start in March, so that the
/// leap day is the last of its year and months follow a linear rule.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_kernel::Time;

    proptest! {
        #[test]
        fn says_what_the_kernel_says(micros in -62_000_000_000_000_000i64..253_000_000_000_000_000, zone in 0usize..4) {
            let zone = Zone::parse(["UTC", "JST", "-11:30", "+14:00"][zone]).unwrap();
            let mut local = LocalTime::new(&zone);
            prop_assert_eq!(std::str::from_utf8(local.render(micros)).unwrap(), Time::from_micros(micros).in_zone(&zone));
            let later = micros.saturating_add(7_200_000_000);
            prop_assert_eq!(std::str::from_utf8(local.render(later)).unwrap(), Time::from_micros(later).in_zone(&zone));
        }

        #[test]
        fn never_panics(micros: i64) {
            let mut local = LocalTime::new(&Zone::parse("+14:00").unwrap());
            prop_assert!(!local.render(micros).is_empty());
        }
    }
}
