//! What this crate refuses, for programs ([`Malformed`]) and for people (the `SK-8…` problems).

use sekisho_kernel::{Category, Problem, ProblemKind, Text};

/// Bytes that are not what they should be. Nothing of them has been believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {what}: {why}")]
pub struct Malformed {
    /// What was expected: `checkpoint`, `signed note`, `proof`, `entry`…
    pub what: &'static str,
    /// The rule that is broken.
    pub why: &'static str,
}

impl Malformed {
    pub(crate) const fn new(what: &'static str, why: &'static str) -> Self {
        Self { what, why }
    }
}

/// Bytes handed to the ledger are not well-formed.
pub static MALFORMED: ProblemKind = ProblemKind {
    code: "SK-8001",
    name: "ledger-malformed",
    category: Category::Invalid,
    title: Text::new("記録の形式が正しくありません。", "This is not in the format of the ledger."),
    remedy: Text::new(
        "途中で切れたり書き換わったりしていないか確かめ、もう一度取得してください。",
        "Check that it is complete and unchanged, and get it again.",
    ),
};

/// A stored tile that the tree needs is missing or too short.
pub static TILE_MISSING: ProblemKind = ProblemKind {
    code: "SK-8002",
    name: "ledger-tile-missing",
    category: Category::Internal,
    title: Text::new("記録の木の一部が保存先にありません。", "A part of the ledger's tree is not in the store."),
    remedy: Text::new(
        "`sekisho ledger verify` で調べ、必要ならバックアップから復元してください。",
        "Run `sekisho ledger verify`, and restore from a backup if it finds tampering.",
    ),
};

/// A downloaded export could not be read to its end.
pub static UNREADABLE: ProblemKind = ProblemKind {
    code: "SK-8003",
    name: "ledger-unreadable",
    category: Category::Unavailable,
    title: Text::new("ファイルを読み取れません。", "The file cannot be read."),
    remedy: Text::new(
        "ディスクと権限を確かめて、もう一度試してください。",
        "Check the disk and your permission, then try again.",
    ),
};

impl From<Malformed> for Problem {
    fn from(bad: Malformed) -> Self {
        Self::new(&MALFORMED).at(bad.what).log(bad)
    }
}
