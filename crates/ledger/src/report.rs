//! What a verification found, in words for people.

use sekisho_kernel::{Lang, Text};

use crate::{Hash, SignedCheckpoint, VerifierKey};

/// What the person who verifies believes, from outside of what is verified.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The log's verifier keys, old ones included. Without any, the key that the data themselves name is used, and the
    /// report says so.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints kept elsewhere: the instance's own file, a witness's, an earlier download's. Without any that fits, the
    /// report says `unanchored`: a log cut back together with its checkpoints would not be noticed.
    pub anchors: Vec<SignedCheckpoint>,
    /// Witnesses' keys ([`crate::KeyKind::Cosignature`]).
    pub witnesses: Vec<VerifierKey>,
    /// How many of `witnesses` must have signed the newest checkpoint.
    pub quorum: usize,
    /// The least retention of a data class, in microseconds, by policy: a purge that kept it shorter is not lawful.
    /// Classes not named here are judged by what the purge entry says was in force.
    pub retention: Vec<(String, i64)>,
}

/// The short answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything looked at is as it was signed.
    Intact,
    /// Nothing contradicts, and nothing trusted vouches for it either.
    Unproven,
    /// Something was changed, removed, added or rolled back.
    Tampered,
}

impl Verdict {
    /// The word for people.
    pub const fn text(self) -> Text {
        match self {
            Self::Intact => Text::new("改ざんなし", "intact"),
            Self::Unproven => Text::new("証明なし", "unproven"),
            Self::Tampered => Text::new("改ざんあり", "tampered"),
        }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// To be known; nothing is wrong.
    Notice,
    /// Proof is missing.
    Unproven,
    /// Tampering, or damage that cannot be told from it.
    Tampering,
}

/// What was found. Leaves are counted from 0 within their epoch.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are leaf indexes, sizes and counts, named for what they are")]
pub enum Kind {
    /// The entry, its salt, its id or its commitment is not what the tree holds.
    Altered { leaf: u64 },
    /// A column kept beside the entry (time, action, local time…) says something else than the entry.
    AlteredColumn { leaf: u64, column: String },
    /// A stored tile is not what its leaves (or the tiles below) hash to.
    AlteredTile { level: u8, index: u64 },
    /// The row of a leaf is gone.
    MissingLeaf { leaf: u64 },
    /// The body is gone, and no lawful purge covers it.
    MissingBody { leaf: u64 },
    /// Bodies are gone; without keys the purge entries cannot be read.
    MissingBodiesUnchecked { count: u64 },
    /// A row that no part of the tree accounts for.
    UnexpectedEntry { leaf: u64 },
    /// An entry not yet in the tree that does not open, or is not what its columns say.
    UnexpectedLoose { id: String },
    /// Two leaves have changed places.
    Reordered { leaf: u64, with: u64 },
    /// An entry is in the log twice.
    DuplicateEntry { leaf: u64 },
    /// The log ends before the size that was signed.
    CutTail { have: u64, signed: u64 },
    /// A checkpoint kept elsewhere is newer than all that is here.
    RolledBack { have: u64, anchor: u64 },
    /// The tree here and a checkpoint kept elsewhere, or two checkpoints here, say different things of one size.
    ForkedHead { size: u64 },
    /// The leaves do not hash to the signed root, and it cannot be told which.
    RootMismatch { size: u64 },
    /// A signature that names the log's key is not of it.
    BadSignature { key: String },
    /// A checkpoint is not well-formed, of another log, or signed by no known key.
    BadCheckpoint { why: String },
    /// An epoch does not begin with what the one before ended with.
    BadEpoch { why: String },
    /// A purge entry that is not well-formed, or was promised and is not there.
    BadPurge { leaf: u64 },
    /// The file is not of the export format from this byte on.
    BadFormat { at: u64, why: String },
    /// Fewer witnesses than asked for signed the newest checkpoint.
    TooFewWitnesses { have: usize, want: usize },
    /// There is no checkpoint that a known key signed: nothing shows that this is the log, or all of it.
    NoCheckpoint,
    /// An export leaves these leaves out; only the hashes of their subtrees were compared.
    LeftOut { count: u64 },
    /// The checkpoint kept elsewhere could not be compared: its size lies where leaves are left out or lost.
    AnchorNotCompared { size: u64 },
    /// Accepted entries that no checkpoint protects yet.
    NotYetProtected { count: u64 },
    /// Leaves that existed once and that a restore from an older backup did not bring back; the next epoch says so.
    LostInRestore { from: u64, to: u64 },
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What.
    #[serde(flatten)]
    pub kind: Kind,
    /// In which epoch; 0 where it is of none.
    pub epoch: u32,
    /// How much it weighs.
    pub weight: Weight,
    /// What it means, for people.
    pub text: Text,
}

impl Finding {
    pub(crate) fn new(epoch: u32, kind: Kind) -> Self {
        let weight = match &kind {
            Kind::NotYetProtected { .. }
            | Kind::LostInRestore { .. }
            | Kind::AnchorNotCompared { .. }
            | Kind::LeftOut { .. } => Weight::Notice,
            Kind::MissingBodiesUnchecked { .. } | Kind::TooFewWitnesses { .. } | Kind::NoCheckpoint => Weight::Unproven,
            _ => Weight::Tampering,
        };
        let (ja, en) = words(&kind);
        let text = if epoch > 1 {
            Text::owned(format!("第{epoch}期: {ja}"), format!("Epoch {epoch}: {en}"))
        } else {
            Text::owned(ja, en)
        };
        Self { kind, epoch, weight, text }
    }
}

fn words(kind: &Kind) -> (String, String) {
    match kind {
        Kind::Altered { leaf } => {
            (format!("{leaf}番の記録は書き換えられています。"), format!("Entry {leaf} has been altered."))
        }
        Kind::AlteredColumn { leaf, column } => (
            format!("{leaf}番の記録に添えられた列「{column}」は、記録の本文と一致しません。"),
            format!("The column \"{column}\" beside entry {leaf} does not say what the entry says."),
        ),
        Kind::AlteredTile { level, index } => (
            format!("木のタイル{level}/{index}は書き換えられたか失われています。記録そのものは署名と一致します。"),
            format!("Tile {level}/{index} of the tree has been altered or lost; the entries themselves are as signed."),
        ),
        Kind::MissingLeaf { leaf } => {
            (format!("{leaf}番の記録の行が失われています。"), format!("The row of entry {leaf} is gone."))
        }
        Kind::MissingBody { leaf } => (
            format!("{leaf}番の記録の本文が失われており、正当な削除の記録がありません。"),
            format!("The body of entry {leaf} is gone, and no lawful purge covers it."),
        ),
        Kind::MissingBodiesUnchecked { count } => (
            format!("本文のない記録が{count}件あります。鍵がないため、正当な削除かどうかを確かめられません。"),
            format!("{count} entries have no body; without keys it cannot be told whether they were purged lawfully."),
        ),
        Kind::UnexpectedEntry { leaf } => (
            format!("{leaf}番として、記録の木にない行が加えられています。"),
            format!("A row has been added as entry {leaf} that is not in the tree."),
        ),
        Kind::UnexpectedLoose { id } => (
            format!("まだ木に入っていない記録{id}は、開けないか、添えられた列と一致しません。"),
            format!("Entry {id}, not yet in the tree, does not open or is not what its columns say."),
        ),
        Kind::Reordered { leaf, with } => (
            format!("{leaf}番に、{with}番の記録が置かれています。順序が変えられています。"),
            format!("Entry {with} stands in the place of entry {leaf}: the order has been changed."),
        ),
        Kind::DuplicateEntry { leaf } => (
            format!("{leaf}番の記録は、すでにある記録と同じ識別子です。"),
            format!("Entry {leaf} has the id of an entry that is already in the log."),
        ),
        Kind::CutTail { have, signed } => (
            format!("記録の末尾が切り取られています。署名は{signed}件、残っているのは{have}件です。"),
            format!("The end of the log has been cut off: {signed} entries were signed, {have} are left."),
        ),
        Kind::RolledBack { have, anchor } => (
            format!(
                "記録が過去の状態に戻されています。外に保管された署名は{anchor}件、ここには{have}件しかありません。"
            ),
            format!(
                "The log has been rolled back: the checkpoint kept elsewhere has {anchor} entries, here are {have}."
            ),
        ),
        Kind::ForkedHead { size } => (
            format!("{size}件の時点の記録が、別の署名と食い違っています。記録が差し替えられています。"),
            format!("At {size} entries the log differs from another signed checkpoint: it has been replaced."),
        ),
        Kind::RootMismatch { size } => (
            format!("最初の{size}件の記録が、署名された値と一致しません。"),
            format!("The first {size} entries do not hash to the signed value."),
        ),
        Kind::BadSignature { key } => (
            format!("鍵「{key}」の署名が正しくありません。"),
            format!("The signature that names the key \"{key}\" is not of that key."),
        ),
        Kind::BadCheckpoint { why } => {
            (format!("チェックポイントを信用できません({why})。"), format!("A checkpoint cannot be believed ({why})."))
        }
        Kind::BadEpoch { why } => (
            format!("復元前の記録とのつながりが正しくありません({why})。"),
            format!("The log does not join with what was before a restore ({why})."),
        ),
        Kind::BadPurge { leaf } => (
            format!("{leaf}番の削除の記録が正しくありません。"),
            format!("Entry {leaf} should be a purge and is not a well-formed one."),
        ),
        Kind::BadFormat { at, why } => (
            format!("ファイルの{at}バイト目から先が壊れています({why})。"),
            format!("The file is damaged from byte {at} on ({why})."),
        ),
        Kind::TooFewWitnesses { have, want } => (
            format!("最新のチェックポイントに連署した証人は{have}者で、必要な{want}者に足りません。"),
            format!("{have} witnesses have signed the newest checkpoint; {want} are asked for."),
        ),
        Kind::NoCheckpoint => (
            "既知の鍵で署名されたチェックポイントがありません。".to_owned(),
            "There is no checkpoint signed by a known key.".to_owned(),
        ),
        Kind::LeftOut { count } => (
            format!("この書き出しに含まれない記録が{count}件あります。ハッシュだけを照合しました。"),
            format!("{count} entries are left out of this export; only their hashes were compared."),
        ),
        Kind::AnchorNotCompared { size } => (
            format!("外に保管された{size}件のチェックポイントとは、その部分の記録がここにないため比べられません。"),
            format!("The checkpoint of {size} entries kept elsewhere cannot be compared: those entries are not here."),
        ),
        Kind::NotYetProtected { count } => (
            format!("受け付けた記録のうち{count}件は、まだチェックポイントで保護されていません。"),
            format!("{count} accepted entries are not yet protected by a checkpoint."),
        ),
        Kind::LostInRestore { from, to } => (
            format!("{from}番から{}番までの記録は、バックアップからの復元で失われました。", to.saturating_sub(1)),
            format!("Entries {from} to {} were lost in a restore from a backup.", to.saturating_sub(1)),
        ),
    }
}

/// What was counted on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Leaves hashed.
    pub leaves: u64,
    /// Bodies compared with their commitments.
    pub bodies: u64,
    /// Bodies that were sealed and no key was given.
    pub sealed: u64,
    /// Bodies gone by age, each under a purge entry.
    pub purged: u64,
    /// Bodies gone by an erasure receipt.
    pub erased: u64,
    /// Leaves that an export leaves out on purpose and that only their subtree's hash stands for.
    pub left_out: u64,
    /// Stored tiles compared.
    pub tiles: u64,
    /// Checkpoints whose signature verified.
    pub checkpoints: u64,
    /// Witnesses that signed the newest checkpoint.
    pub witnesses: u64,
}

/// One epoch as recomputed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EpochReport {
    /// Its number.
    pub epoch: u32,
    /// Its origin line.
    pub origin: String,
    /// Leaves found.
    pub size: u64,
    /// The root they hash to.
    pub root: Hash,
    /// The size of its newest checkpoint that verified.
    pub signed: Option<u64>,
}

/// The outcome of a verification.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    /// The log's id in hex.
    pub log: String,
    /// The epochs, oldest first.
    pub epochs: Vec<EpochReport>,
    /// The largest size at which a checkpoint kept elsewhere agreed; `None`: `unanchored`.
    pub anchored: Option<u64>,
    /// Whether every body that is there was compared; `false`: `bodies unchecked`.
    pub bodies_checked: bool,
    /// Names of the keys that were believed.
    pub keys: Vec<String>,
    /// Whether those keys came from the data themselves, since none was given.
    pub keys_from_data: bool,
    /// What was counted.
    pub counts: Counts,
    /// The erasure receipts that purge entries name, at most [`MAX_FINDINGS`]: to be compared with the erasure list.
    pub receipts: Vec<String>,
    /// What was found, in the order of the log; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more_findings: u64,
    pub(crate) worst: Option<Weight>,
}

/// The most findings that a report lists; the rest is counted.
pub const MAX_FINDINGS: usize = 1_000;

impl Report {
    pub(crate) fn add(&mut self, epoch: u32, kind: Kind) {
        let finding = Finding::new(epoch, kind);
        self.worst = self.worst.max(Some(finding.weight));
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }

    /// The short answer.
    pub fn verdict(&self) -> Verdict {
        match self.worst {
            Some(Weight::Tampering) => Verdict::Tampered,
            Some(Weight::Unproven) => Verdict::Unproven,
            _ if self.keys_from_data => Verdict::Unproven,
            _ => Verdict::Intact,
        }
    }

    /// Whether a finding of this kind is among the listed ones.
    pub fn found(&self, what: impl Fn(&Kind) -> bool) -> bool {
        self.findings.iter().any(|f| what(&f.kind))
    }

    /// Leaves of the newest epoch.
    pub fn size(&self) -> u64 {
        self.epochs.last().map_or(0, |e| e.size)
    }

    /// Root of the newest epoch.
    pub fn root(&self) -> Option<Hash> {
        self.epochs.last().map(|e| e.root)
    }

    /// What was checked and what is trusted, line by line; findings not included.
    pub fn summary(&self) -> Vec<Text> {
        let c = &self.counts;
        let mut out = Vec::new();
        for e in &self.epochs {
            let (ja, en) = match e.signed {
                Some(signed) => (format!("うち署名済み{signed}件"), format!("{signed} of them signed")),
                None => ("署名なし".to_owned(), "none of them signed".to_owned()),
            };
            out.push(Text::owned(
                format!("{}: 記録{}件、{ja}。ルート {}", e.origin, e.size, e.root),
                format!("{}: {} entries, {en}; root {}", e.origin, e.size, e.root),
            ));
        }
        let (ja, en) = match self.keys_from_data {
            true => (
                "検証対象自身が名乗る鍵(外から確かめていません)",
                "the key that the data themselves name, not confirmed from outside",
            ),
            false => ("与えられた鍵", "the given key"),
        };
        let names = self.keys.join(", ");
        out.push(Text::owned(format!("信頼するもの: {ja} {names}"), format!("Trusts {en}: {names}")));
        out.push(match self.anchored {
            Some(size) => Text::owned(
                format!("外に保管された{size}件のチェックポイントと一致しました。"),
                format!("Agrees with a checkpoint of {size} entries kept elsewhere."),
            ),
            None => Text::new(
                "外部照合なし(unanchored): 外に保管されたチェックポイントと照合していないため、末尾ごと過去に戻されていても分かりません。",
                "unanchored: not compared with a checkpoint kept elsewhere, so a log cut back together with its checkpoints would pass.",
            ),
        });
        out.push(match self.bodies_checked {
            true => Text::owned(
                format!(
                    "本文{}件を照合しました。期限による削除{}件、消去の指示による削除{}件。",
                    c.bodies, c.purged, c.erased
                ),
                format!("{} bodies compared; {} purged by age, {} by erasure.", c.bodies, c.purged, c.erased),
            ),
            false => Text::owned(
                format!("本文未照合(bodies unchecked): 鍵がないため{}件の本文を開けません。", c.sealed),
                format!("bodies unchecked: {} bodies are sealed and no key was given.", c.sealed),
            ),
        });
        out
    }

    /// The whole report as text in one language, a line each.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let mut out = vec![self.verdict().text().get(lang).to_owned()];
        out.extend(self.summary().iter().map(|t| t.get(lang).to_owned()));
        out.extend(self.findings.iter().map(|f| f.text.get(lang).to_owned()));
        if self.more_findings > 0 {
            let more = Text::owned(
                format!("ほか{}件。", self.more_findings),
                format!("And {} more findings.", self.more_findings),
            );
            out.push(more.get(lang).to_owned());
        }
        out
    }
}
