//! A house that keeps a log as the vault does, in memory, so that tests can tamper with it.

use sekisho_kernel::Secret;
use sekisho_ledger::*;

use crate::memory::MemoryLog;

pub const LOG: [u8; 16] = [7; 16];
pub const HOUSE: &str = "sekisho.test";
/// 2026-01-01T00:00:00Z in microseconds.
pub const START: i64 = 1_767_225_600_000_000;
pub const DAY: i64 = 86_400_000_000;

pub fn seed_key(name: &str, kind: KeyKind, seed: u8) -> SigningKey {
    SigningKey::from_seed(name, kind, &Secret::new([seed; 32])).unwrap()
}

pub fn log_key() -> SigningKey {
    seed_key(HOUSE, KeyKind::Ed25519, 1)
}

pub fn uuid(at_micros: i64, n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&(at_micros / 1_000).to_be_bytes()[2..]);
    id[6] = 0x70;
    id[8..].copy_from_slice(&n.to_be_bytes());
    id[8] = 0x80;
    id
}

/// Writes a log: every entry a second after the one before.
pub struct House {
    pub stored: MemoryLog,
    pub epoch: u32,
    pub edge: Edge,
    pub count: u64,
    pub now: i64,
    pub key: SigningKey,
}

impl House {
    pub fn new() -> Self {
        let key = log_key();
        let stored = MemoryLog { log: LOG, keys: vec![key.key().clone()], ..MemoryLog::default() };
        let mut house = Self { stored, epoch: 0, edge: Edge::new(), count: 0, now: START, key };
        house.open_epoch();
        house
    }

    /// A house with `n` events, all under a checkpoint.
    pub fn with(n: u64) -> Self {
        let mut house = Self::new();
        house.events(n);
        house.sign();
        house
    }

    pub fn origin(&self) -> String {
        Origin { house: HOUSE.to_owned(), log: LOG, epoch: self.epoch }.to_string()
    }

    pub fn open_epoch(&mut self) {
        self.epoch += 1;
        self.edge = Edge::new();
        self.stored.epochs.push(EpochHead { epoch: self.epoch, origin: self.origin(), size: 0 });
    }

    pub fn row(&mut self, format: Format, body: Vec<u8>) -> Row {
        self.count += 1;
        self.now += 1_000_000;
        let id = uuid(self.now, self.count);
        let bytes = Entry { log: LOG, id, format, at_micros: self.now, body }.encode();
        let salt = [(self.count % 251) as u8; 32];
        Row { leaf: Leaf::of(&salt, &bytes).unwrap(), body: Body::Open { salt, bytes }, differs: None }
    }

    /// Puts rows into the tree. Returns the first one's index.
    pub fn sequence(&mut self, rows: Vec<Row>) -> u64 {
        let first = self.edge.size();
        let hashes: Vec<Hash> = rows.iter().map(|r| r.leaf.hash()).collect();
        for write in self.edge.append(&hashes) {
            self.stored.tiles.insert((self.epoch, write.id), write.bytes);
        }
        let kept = self.stored.rows.entry(self.epoch).or_default();
        kept.extend((first..).zip(rows));
        self.stored.epochs.last_mut().unwrap().size = self.edge.size();
        first
    }

    pub fn events(&mut self, n: u64) {
        let rows = (0..n).map(|i| self.row(Format::Event, format!("{{\"n\":{i}}}").into_bytes())).collect();
        self.sequence(rows);
    }

    pub fn sign(&mut self) -> SignedCheckpoint {
        let head = Checkpoint { origin: self.origin(), size: self.edge.size(), root: self.edge.root() };
        let signed = head.sign(&self.key).unwrap();
        let notes = self.stored.checkpoints.entry(self.epoch).or_default();
        notes.push(signed.note.encode().into_bytes());
        signed
    }

    pub fn rows(&mut self) -> &mut Vec<(u64, Row)> {
        self.stored.rows.get_mut(&self.epoch).unwrap()
    }

    /// Destroys the bodies of `from..to` of the present epoch with a purge entry that keeps bodies for `keep`.
    pub fn purge(&mut self, from: u64, to: u64, keep: i64) -> u64 {
        let before_micros = self.now - keep;
        let epoch = self.epoch;
        let purge = Purge {
            rule: "history".into(),
            class: "history".into(),
            before_micros,
            keep_micros: keep,
            epoch,
            leaves: vec![(from, to)],
            receipt: None,
        };
        let index = self.purge_entry(&purge);
        self.destroy(from, to);
        index
    }

    pub fn purge_entry(&mut self, purge: &Purge) -> u64 {
        let body = purge.to_body(serde_json::json!({"class_uid": 6003})).unwrap();
        let row = self.row(Format::Purge, body);
        let index = self.sequence(vec![row]);
        self.stored.purges.push((self.epoch, index));
        index
    }

    pub fn destroy(&mut self, from: u64, to: u64) {
        for (index, row) in self.rows() {
            if (from..to).contains(index) {
                row.body = Body::Missing;
            }
        }
    }

    /// As if a backup with the first `kept` leaves had been restored.
    pub fn restore(&mut self, kept: u64, previous: &SignedCheckpoint) {
        let epoch = self.epoch;
        self.rows().truncate(kept as usize);
        let hashes: Vec<Hash> = self.rows().iter().map(|(_, r)| r.leaf.hash()).collect();
        self.stored.tiles.retain(|(e, _), _| *e != epoch);
        self.edge = Edge::new();
        for write in self.edge.append(&hashes) {
            self.stored.tiles.insert((epoch, write.id), write.bytes);
        }
        self.stored.epochs.last_mut().unwrap().size = kept;
        let notes = self.stored.checkpoints.entry(epoch).or_default();
        notes.retain(|n| parse_checkpoint(n).unwrap().checkpoint.size <= kept);
        let start = EpochStart {
            epoch: epoch + 1,
            previous: previous.note.encode(),
            kept_size: kept,
            kept_root: self.edge.root(),
        };
        self.open_epoch();
        let row = self.row(Format::EpochStart, start.to_body(serde_json::json!({})).unwrap());
        self.sequence(vec![row]);
    }

    pub fn trust(&self) -> Trust {
        Trust { keys: vec![self.key.key().clone()], ..Trust::default() }
    }

    pub fn verify(&self) -> Report {
        verify_log(&self.stored, &self.trust()).unwrap()
    }

    pub fn verify_with(&self, anchors: &[&SignedCheckpoint]) -> Report {
        let anchors = anchors.iter().map(|a| (*a).clone()).collect();
        verify_log(&self.stored, &Trust { anchors, ..self.trust() }).unwrap()
    }

    pub fn export(&self) -> Vec<u8> {
        let zone = sekisho_kernel::Zone::parse("JST").unwrap();
        let header = ExportHeader { log: LOG, zone, keys: vec![self.key.key().clone()] };
        let mut out = ExportWriter::new(Vec::new(), &header).unwrap();
        for (epoch, index) in &self.stored.purges {
            if let Body::Open { salt, bytes } = &self.stored.rows[epoch][*index as usize].1.body {
                out.purge(*epoch, *index, salt, bytes).unwrap();
            }
        }
        for head in &self.stored.epochs {
            let notes = self.stored.checkpoints.get(&head.epoch).cloned().unwrap_or_default();
            out.epoch(head.epoch, head.size, &head.origin, &notes).unwrap();
            for (_, row) in &self.stored.rows[&head.epoch] {
                match &row.body {
                    Body::Open { salt, bytes } => out.entry(&row.leaf.commitment, salt, bytes).unwrap(),
                    _ => out.gone(&row.leaf).unwrap(),
                }
            }
        }
        out.end(self.stored.unsequenced.len() as u64).unwrap()
    }
}

#[track_caller]
pub fn clean(report: &Report) {
    assert_eq!(report.findings, [], "{:#?}", report.lines(sekisho_kernel::Lang::En));
    assert_eq!(report.verdict(), Verdict::Intact);
}

#[track_caller]
pub fn found(report: &Report, kind: &Kind) {
    assert!(report.found(|k| k == kind), "{kind:?} is not in {:#?}", report.findings);
}

#[track_caller]
pub fn tampered(report: &Report, kind: &Kind) {
    found(report, kind);
    assert_eq!(report.verdict(), Verdict::Tampered);
}

/// The tiles of the present epoch.
pub struct HouseTiles<'a>(&'a House);

impl Tiles for HouseTiles<'_> {
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, sekisho_kernel::Problem> {
        self.0.stored.tile(self.0.epoch, id)
    }
}

impl House {
    pub fn tiles(&self) -> HouseTiles<'_> {
        HouseTiles(self)
    }
}

pub fn alter(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

/// Cuts the tail with everything that goes with it, as someone with the database and no key would.
pub fn cut(house: &mut House, size: u64) {
    house.rows().truncate(size as usize);
    house.stored.epochs[0].size = size;
    house.stored.tiles.clear();
    let hashes: Vec<Hash> = house.rows().iter().map(|(_, r)| r.leaf.hash()).collect();
    let mut edge = Edge::new();
    for write in edge.append(&hashes) {
        house.stored.tiles.insert((1, write.id), write.bytes);
    }
}
