//! The append-only Merkle log of Sekisho: what is hashed, signed, proven and verified, and nothing of where it is kept.
//! No I/O, no clock, no randomness of its own.
//!
//! | to | use |
//! | --- | --- |
//! | write an entry | [`Entry::encode`], [`Leaf::of`] with a fresh salt; store id, commitment, salt and bytes |
//! | sequence entries | [`Edge::load`], [`Edge::append`] with [`Leaf::hash`]es; store the tiles, move the head |
//! | sign the committed head | [`Checkpoint::sign`] with [`Edge::root`]; store it, then hand it out |
//! | prove | [`Tree`] with [`inclusion_proof`], [`consistency_proof`], [`TlogProof`] |
//! | purge lawfully | an entry of [`Format::Purge`] with a [`Purge`], in the same transaction that destroys bodies |
//! | restore | a new epoch whose leaf 0 is an entry of [`Format::EpochStart`] with an [`EpochStart`] |
//! | verify a store | [`LogSource`], [`verify_log`] |
//! | export, verify an export | [`ExportWriter`], [`verify_export`]; the format is documented in [`export`] |
//!
//! Standards: RFC 6962 and RFC 9162 (tree), C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof.
//! Layer L1 without any dependency but `kernel`.

mod check;
pub mod checkpoint;
pub mod entry;
pub mod export;
mod frontier;
mod hash;
mod local;
pub mod note;
pub mod problem;
mod proof;
mod purge;
mod purges;
pub mod report;
mod source;
mod tile;

pub use checkpoint::{Checkpoint, Origin, SignedCheckpoint, parse_checkpoint};
pub use entry::{Entry, EntryRef, Format, Leaf, MAX_ENTRY, Salt, commit, id_micros, parse_entry};
pub use export::{ExportHeader, ExportReader, ExportWriter, parse_export_header, verify_export};
pub use frontier::{Frontier, cover};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use note::{KeyKind, Note, Signer, SigningKey, VerifierKey, parse_note, parse_verifier_key};
pub use problem::Malformed;
pub use proof::{TlogProof, consistency_proof, inclusion_proof, parse_proof, verify_consistency, verify_inclusion};
pub use purge::{EpochStart, Purge, Receipt};
pub use report::{Finding, Kind, Report, Trust, Verdict, Weight};
pub use source::{Body, EpochHead, LogSource, Row, verify_log};
pub use tile::{Edge, TILE_WIDTH, TileId, TileWrite, Tiles, Tree, parse_tile};
