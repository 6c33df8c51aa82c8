//! Blind indexes: equality without the value.
//!
//! ```text
//! index = normaliser version (1) || HMAC-SHA256( blind-index key, normaliser version (1) || length of table (1) || table
//!         || length of field (1) || field || normalised value )
//! ```

use aws_lc_rs::hmac;
use unicode_normalization::UnicodeNormalization;

/// The version of [`normalise`]. A change of it means a rebuild of every index.
pub const NORMALISER: u8 = 1;

/// Bytes of an index.
pub const LENGTH: usize = 33;

/// What two values must have in common to be found as one: NFKC, then caseless (upper case, then lower case, letter by
/// letter, so that ß meets SS and final sigma meets sigma), then NFKC again, then without white space at either end.
pub fn normalise(value: &str) -> String {
    let upper = value.nfkc().flat_map(char::to_uppercase);
    let folded: String = upper.flat_map(char::to_lowercase).nfkc().collect();
    folded.trim().to_owned()
}

/// The index of `value` in `table.field`.
pub(crate) fn index(key: &hmac::Key, table: &str, field: &str, value: &str) -> Vec<u8> {
    let mut mac = hmac::Context::with_key(key);
    mac.update(&[NORMALISER]);
    for name in [table, field] {
        mac.update(&[u8::try_from(name.len()).unwrap_or(u8::MAX)]);
        mac.update(name.as_bytes());
    }
    mac.update(normalise(value).as_bytes());
    let mut out = Vec::with_capacity(LENGTH);
    out.push(NORMALISER);
    out.extend_from_slice(mac.sign().as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_people_hold_for_the_same_meet() {
        for (a, b) in [
            ("Alice", " alice "),
            ("ＡＬＩＣＥ", "alice"),
            ("Straße", "STRASSE"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ﾔﾏﾀﾞ", "ヤマダ"),
            ("e\u{301}", "é"),
            ("ǅ", "ǆ"),
        ] {
            assert_eq!(normalise(a), normalise(b), "{a} {b}");
        }
        assert_ne!(normalise("ヤマダ"), normalise("やまだ"));
        assert_ne!(normalise("a b"), normalise("ab"));
    }

    proptest::proptest! {
        #[test]
        fn normalising_twice_changes_nothing(s in "\\PC{0,24}") {
            let once = normalise(&s);
            proptest::prop_assert_eq!(normalise(&once), once);
        }
    }
}
