//! CBOR as authenticators write it: the CTAP2 canonical form (FIDO CTAP 2.1 §8) and nothing else. Definite lengths, the
//! shortest form of each number, maps in order without a key twice, no tags, no fractions, four levels, no byte left over.

use super::{Read, Refused};

/// Levels of arrays and maps (CTAP 2.1 §8).
const DEEPEST: u8 = 4;
/// Members of one array or map. Nothing that we read has more than a dozen.
const MOST: u64 = 64;

/// One value, borrowing its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Major types 0 and 1, as far as 64 bits with a sign hold them.
    Int(i64),
    /// Major type 2.
    Bytes(&'a [u8]),
    /// Major type 3.
    Text(&'a str),
    /// Major type 4.
    Array(Vec<Self>),
    /// Major type 5, in the order of the keys.
    Map(Vec<(Self, Self)>),
    /// `true` and `false`.
    Bool(bool),
    /// `null`.
    Null,
}

impl<'a> Value<'a> {
    /// What a map has under a text.
    pub fn named(&self, key: &str) -> Option<&Self> {
        self.pairs()?.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v)
    }
    /// What a map has under a number.
    pub fn numbered(&self, key: i64) -> Option<&Self> {
        self.pairs()?.iter().find(|(k, _)| k.int() == Some(key)).map(|(_, v)| v)
    }
    /// A map's members.
    pub const fn pairs(&self) -> Option<&Vec<(Self, Self)>> {
        match self {
            Self::Map(pairs) => Some(pairs),
            _ => None,
        }
    }
    /// A number.
    pub const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }
    /// A byte string.
    pub const fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(b) => Some(b),
            _ => None,
        }
    }
    /// A text.
    pub const fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }
    /// An array's members.
    pub const fn items(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }
}

const fn broken() -> Refused {
    Refused("cbor")
}

/// The one value that `bytes` are.
pub fn whole(bytes: &[u8]) -> Read<Value<'_>> {
    match first(bytes)? {
        (value, []) => Ok(value),
        _ => Err(Refused("trailing-bytes")),
    }
}

/// The first value of `bytes`, and what follows it.
pub fn first(bytes: &[u8]) -> Read<(Value<'_>, &[u8])> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    Ok((value, reader.rest))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: u64) -> Read<&'a [u8]> {
        let n = usize::try_from(n).map_err(|_| broken())?;
        let (taken, rest) = self.rest.split_at_checked(n).ok_or_else(broken)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Major type and argument of the next head (RFC 8949 §3), in its shortest form.
    fn head(&mut self) -> Read<(u8, u8, u64)> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        let (argument, least) = match info {
            0..=23 => return Ok((major, info, u64::from(info))),
            24 => (u64::from(self.take(1)?[0]), 24),
            25 => (be(self.take(2)?), 1 << 8),
            26 => (be(self.take(4)?), 1 << 16),
            27 => (be(self.take(8)?), 1 << 32),
            _ => return Err(broken()),
        };
        if argument < least { Err(broken()) } else { Ok((major, info, argument)) }
    }

    fn value(&mut self, depth: u8) -> Read<Value<'a>> {
        let (major, info, argument) = self.head()?;
        if matches!(major, 4 | 5) && (depth == DEEPEST || argument > MOST) {
            return Err(broken());
        }
        let number = || i64::try_from(argument).map_err(|_| broken());
        Ok(match major {
            0 => Value::Int(number()?),
            1 => Value::Int(-1 - number()?),
            2 => Value::Bytes(self.take(argument)?),
            3 => Value::Text(std::str::from_utf8(self.take(argument)?).map_err(|_| broken())?),
            4 => {
                let mut items = Vec::new();
                for _ in 0..argument {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            5 => Value::Map(self.pairs(depth, argument)?),
            7 => match info {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                22 => Value::Null,
                _ => return Err(broken()),
            },
            _ => return Err(broken()),
        })
    }

    /// A map's members: keys are numbers or texts, each after the one before by type, then length, then bytes.
    fn pairs(&mut self, depth: u8, count: u64) -> Read<Vec<(Value<'a>, Value<'a>)>> {
        let mut pairs = Vec::new();
        let mut before: Option<&'a [u8]> = None;
        for _ in 0..count {
            let start = self.rest;
            let key = self.value(depth + 1)?;
            if !matches!(key, Value::Int(_) | Value::Text(_)) {
                return Err(broken());
            }
            let written = &start[..start.len() - self.rest.len()];
            let order = |k: &'a [u8]| (k[0] >> 5, k.len(), k);
            if before.is_some_and(|b| order(b) >= order(written)) {
                return Err(Refused("cbor-order"));
            }
            before = Some(written);
            pairs.push((key, self.value(depth + 1)?));
        }
        Ok(pairs)
    }
}

fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(hex: &str) -> Read<Value<'static>> {
        whole(Box::leak(hex::decode(hex).unwrap().into_boxed_slice()))
    }

    /// RFC 8949 Appendix A, what of it is canonical and of our kinds.
    #[test]
    fn the_examples_of_the_standard() {
        for (hex, value) in [
            ("00", Value::Int(0)),
            ("17", Value::Int(23)),
            ("1818", Value::Int(24)),
            ("1903e8", Value::Int(1000)),
            ("1a000f4240", Value::Int(1_000_000)),
            ("1b000000e8d4a51000", Value::Int(1_000_000_000_000)),
            ("20", Value::Int(-1)),
            ("3903e7", Value::Int(-1000)),
            ("f4", Value::Bool(false)),
            ("f6", Value::Null),
            ("4401020304", Value::Bytes(&[1, 2, 3, 4])),
            ("62c3bc", Value::Text("ü")),
            ("83010203", Value::Array(vec![Value::Int(1), Value::Int(2), Value::Int(3)])),
            ("a0", Value::Map(vec![])),
            ("a201020304", Value::Map(vec![(Value::Int(1), Value::Int(2)), (Value::Int(3), Value::Int(4))])),
        ] {
            assert_eq!(read(hex), Ok(value), "{hex}");
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for (hex, why) in [
            ("", "nothing"),
            ("1800", "a longer form than needed"),
            ("190017", "the same in two bytes"),
            ("1a0000ffff", "in four"),
            ("1b00000000ffffffff", "in eight"),
            ("5800", "of a length"),
            ("1bffffffffffffffff", "more than 63 bits"),
            ("5f42010243030405ff", "indefinite bytes"),
            ("9fff", "an indefinite array"),
            ("bfff", "an indefinite map"),
            ("c074323031", "a tag"),
            ("f93c00", "a fraction"),
            ("fb3ff199999999999a", "a longer one"),
            ("f7", "undefined"),
            ("f820", "a simple value"),
            ("61ff", "no UTF-8"),
            ("42ff", "too few bytes"),
            ("5bffffffffffffffff", "a length beyond memory"),
            ("9b0000000100000000", "a count beyond memory"),
            ("98417f", "more members than allowed"),
            ("a203040102", "keys out of order"),
            ("a201020103", "a key twice"),
            ("a2616101020a", "texts before numbers"),
            ("a26161016161ff", "a text twice"),
            ("a1400a", "a byte string as key"),
            ("a1f40a", "a truth as key"),
            ("0000", "a byte left over"),
            ("818181818100", "too deep"),
        ] {
            assert!(read(hex).is_err(), "{hex}: {why}");
        }
        assert!(read("8181818100").is_ok());
        assert_eq!(read("0000"), Err(Refused("trailing-bytes")));
    }

    proptest! {
        /// What is accepted has one spelling, and no input makes more values than it has bytes.
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((value, rest)) = first(&bytes) {
                let mut written = Vec::new();
                write(&value, &mut written);
                prop_assert_eq!(&written[..], &bytes[..bytes.len() - rest.len()]);
            }
        }
    }

    fn head(major: u8, n: u64, out: &mut Vec<u8>) {
        let major = major << 5;
        match n {
            0..=23 => out.push(major | n as u8),
            24..=0xff => out.extend([major | 24, n as u8]),
            0x100..=0xffff => {
                out.push(major | 25);
                out.extend((n as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                out.push(major | 26);
                out.extend((n as u32).to_be_bytes());
            }
            _ => {
                out.push(major | 27);
                out.extend(n.to_be_bytes());
            }
        }
    }

    fn write(value: &Value<'_>, out: &mut Vec<u8>) {
        match value {
            Value::Int(n) if *n >= 0 => head(0, *n as u64, out),
            Value::Int(n) => head(1, (-1 - n) as u64, out),
            Value::Bytes(b) => {
                head(2, b.len() as u64, out);
                out.extend_from_slice(b);
            }
            Value::Text(t) => {
                head(3, t.len() as u64, out);
                out.extend_from_slice(t.as_bytes());
            }
            Value::Array(items) => {
                head(4, items.len() as u64, out);
                items.iter().for_each(|i| write(i, out));
            }
            Value::Map(pairs) => {
                head(5, pairs.len() as u64, out);
                pairs.iter().for_each(|(k, v)| {
                    write(k, out);
                    write(v, out);
                });
            }
            Value::Bool(b) => out.push(if *b { 0xf5 } else { 0xf4 }),
            Value::Null => out.push(0xf6),
        }
    }
}
