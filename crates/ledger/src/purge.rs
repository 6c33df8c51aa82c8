//! Bodies that the verifier reads: lawful purges and the opening of an epoch. Both are OCSF events like any
//! other; what the verifier needs stands under `unmapped`, where OCSF puts what it has no attribute for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Hash, Malformed};

/// That bodies were destroyed, and by what right. The body of an entry of [`crate::Format::Purge`], under
/// `unmapped.sekisho_purge`.
///
/// A missing body is lawful where a purge entry in the same log covers its leaf and either names an erasure
/// receipt, or the leaf was past its retention: made before `before_micros`, and `before_micros + keep_micros` not after
/// the purge entry's own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// The policy rule that ordered it.
    pub rule: String,
    /// The data class whose bodies went.
    pub class: String,
    /// Only leaves made before this moment were due; microseconds since 1970.
    pub before_micros: i64,
    /// The retention that was in force, in microseconds.
    pub keep_micros: i64,
    /// The epoch whose leaves these are.
    pub epoch: u32,
    /// Leaf indexes, as ascending half-open ranges that do not touch: `[[from, to], …]`.
    pub leaves: Vec<(u64, u64)>,
    /// The erasure that ordered it, where it was not age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// An order of erasure (a tenant's end, a person's request), by which bodies may go before their time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The receipt's id in the erasure list.
    pub id: String,
    /// When the erasure was ordered; microseconds since 1970.
    pub at_micros: i64,
}

/// How an epoch opened by a restore begins: it commits to what the epoch before had. The body of an entry of
/// [`crate::Format::EpochStart`], under `unmapped.sekisho_epoch`; leaf 0 of every epoch but the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochStart {
    /// The number of the epoch that it opens.
    pub epoch: u32,
    /// The last checkpoint known of the epoch before, from wherever the newest one was kept: the signed note.
    pub previous: String,
    /// How many leaves of the epoch before the restore brought back. Fewer than `previous` has when the
    /// backup was older.
    pub kept_size: u64,
    /// The root of those.
    pub kept_root: Hash,
}

const PURGE: &str = "sekisho_purge";
const EPOCH: &str = "sekisho_epoch";

impl Purge {
    /// The body: `event` (an OCSF event; an empty object will do) with this under `unmapped`.
    ///
    /// # Errors
    /// `event` is not an object, or its `unmapped` is not.
    pub fn to_body(&self, event: Value) -> Result<Vec<u8>, Malformed> {
        embed(event, PURGE, self)
    }

    /// Reads the purge out of a body.
    ///
    /// # Errors
    /// There is none, or its ranges are empty, unordered or touching.
    pub fn from_body(body: &[u8]) -> Result<Self, Malformed> {
        let purge: Self = extract(body, PURGE)?;
        let mut end = None;
        for (from, to) in &purge.leaves {
            if from >= to || end.is_some_and(|end| *from <= end) {
                return Err(Malformed::new("purge", "leaf ranges are not ascending"));
            }
            end = Some(*to);
        }
        Ok(purge)
    }
}

impl EpochStart {
    /// The body: `event` with this under `unmapped`.
    ///
    /// # Errors
    /// As [`Purge::to_body`].
    pub fn to_body(&self, event: Value) -> Result<Vec<u8>, Malformed> {
        embed(event, EPOCH, self)
    }

    /// Reads it out of a body.
    ///
    /// # Errors
    /// There is none.
    pub fn from_body(body: &[u8]) -> Result<Self, Malformed> {
        extract(body, EPOCH)
    }
}

fn embed<T: Serialize>(mut event: Value, key: &'static str, value: &T) -> Result<Vec<u8>, Malformed> {
    let bad = Malformed::new("event", "not an object");
    let fields = event.as_object_mut().ok_or(bad)?;
    let unmapped = fields.entry("unmapped").or_insert_with(|| Value::Object(serde_json::Map::new()));
    let value = serde_json::to_value(value).map_err(|_| bad)?;
    unmapped.as_object_mut().ok_or(bad)?.insert(key.to_owned(), value);
    serde_json::to_vec(&event).map_err(|_| bad)
}

fn extract<T: for<'de> Deserialize<'de>>(body: &[u8], key: &'static str) -> Result<T, Malformed> {
    let bad = |why| Malformed::new(key, why);
    let mut event: Value = serde_json::from_slice(body).map_err(|_| bad("the body is not JSON"))?;
    let value = event.pointer_mut(&format!("/unmapped/{key}")).ok_or(bad("not in the body"))?.take();
    serde_json::from_value(value).map_err(|_| bad("not of its form"))
}
