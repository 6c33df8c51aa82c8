//! MIST-17, IDO-25 and a part of IDO-07: every sealed row, listed from raw storage, opened by a second program.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::World,
};
use serde_json::Value;

use crate::probing::{
    planted::{self, Planted},
    raw::id_bytes,
    rehearsed,
    sealed::{Sealed, Store, census},
    unseal::{self, HEADER, Place},
};

/// The opening, for one of the claims that ask for it.
pub struct OpenedIndependently(pub &'static ClaimSpec);

#[async_trait]
impl Probe for OpenedIndependently {
    fn spec(&self) -> &'static ClaimSpec {
        self.0
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let planted = planted::plant(world, ours).await?;
        let others = planted::plant(world, theirs).await?;
        planted::settle(world).await?;
        finding.positive(
            "right-plaintext",
            "records are written in two organisations and read back through the API",
            "they come back",
            format!("{}; {}", planted.told(), others.told()),
            planted.comes_back() && others.comes_back(),
        );
        let (own, other) = (ours.tenant.bytes(), theirs.tenant.bytes());
        open_everything(world, finding, &planted, own, other).await
    }
}

/// Every clause of the opening, over what lies in raw storage.
///
/// # Errors
/// When raw storage cannot be read.
pub async fn open_everything(
    world: &dyn World,
    finding: &mut Finding,
    planted: &Planted,
    own: [u8; 16],
    other: [u8; 16],
) -> Result<(), Trouble> {
    let store = Store::read(rehearsed(world)?).await?;
    let opened: Vec<(&Sealed, Option<Vec<u8>>)> =
        store.values.iter().map(|v| (v, store.ring.open(&v.place, &v.bytes))).collect();
    let closed: Vec<&&Sealed> = opened.iter().filter(|(_, p)| p.is_none()).map(|(v, _)| v).collect();
    finding.forbidden(
        "every-row-opened-independently",
        format!("{} sealed rows of all organisations, listed from raw storage ({}), are opened with AES-256-GCM by another program and library", opened.len(), census(&store.values)),
        "every one opens",
        match closed.first() {
            None => format!("{} opened", opened.len()),
            Some(first) => format!("{} do not open, the first in {}", closed.len(), first.place.table),
        },
        closed.is_empty() && !opened.is_empty(),
    );
    finding.absent("every-object-opened-independently", "an object store");
    let lengths = store.ring.key_lengths();
    finding.forbidden(
        "key-of-32-bytes",
        "the keys that raw storage holds are unwrapped with the root key and measured",
        "32 bytes each",
        format!("lengths in bytes: {lengths:?}"),
        lengths == [32],
    );
    plaintext(world, finding, planted, &store).await?;
    nonces(finding, &store);
    flips(finding, &store, own, other);
    Ok(())
}

/// What the second program reads is what the API says.
async fn plaintext(world: &dyn World, finding: &mut Finding, planted: &Planted, store: &Store) -> Result<(), Trouble> {
    let mut wrong = Vec::new();
    let mut right = 0;
    for (kind, path, fields) in [
        ("account", format!("/users/{}", planted.person.id), &["name", "display_name", "mail"][..]),
        ("role", format!("/roles/{}", planted.id("role")), &["name"]),
        ("site", format!("/sites/{}", planted.id("site")), &["name", "note"]),
    ] {
        let shown = planted.desk.get(world, &path).await?.json();
        let id = id_bytes(path.rsplit('/').next().unwrap_or_default())?;
        // What belongs to an account, its credential for one, bears the same id in a table of its own.
        let plain = store.records(id).filter_map(|v| store.ring.open(&v.place, &v.bytes)).collect::<Vec<_>>().concat();
        for field in fields {
            let said = shown.get(*field).and_then(Value::as_str).unwrap_or("nothing at all");
            if plain.windows(said.len()).any(|w| w == said.as_bytes()) {
                right += 1;
            } else {
                wrong.push(format!("{kind}.{field}"));
            }
        }
    }
    finding.forbidden(
        "right-plaintext",
        "what the second program reads from an account, a role and a site is held against what the API says",
        "the same values",
        if wrong.is_empty() { format!("{right} values the same") } else { format!("not found: {}", wrong.join(", ")) },
        wrong.is_empty(),
    );
    Ok(())
}

fn nonces(finding: &mut Finding, store: &Store) {
    let all: Vec<[u8; 24]> = store.values.iter().filter_map(|v| unseal::nonce(&v.bytes)).collect();
    let distinct: BTreeSet<&[u8; 24]> = all.iter().collect();
    finding.forbidden(
        "no-nonce-repeats",
        format!("the random values of {} sealed rows, all keys together", all.len()),
        "no two the same",
        format!("{} different", distinct.len()),
        distinct.len() == all.len(),
    );
}

/// Every sealed row of the organisation with one thing changed, and with keys that are not its own.
fn flips(finding: &mut Finding, store: &Store, own: [u8; 16], other: [u8; 16]) {
    let rows: Vec<&Sealed> = store.of(own).filter(|v| v.bytes.len() > HEADER + 16).collect();
    let mut report = |clause: &str, tried: String, broken: &dyn Fn(usize, &Sealed) -> bool| {
        let opened = rows.iter().enumerate().filter(|(n, v)| broken(*n, v)).count();
        finding.forbidden(
            clause,
            tried,
            "not one opens",
            format!("{opened} of {} open", rows.len()),
            opened == 0 && !rows.is_empty(),
        );
    };
    let bytes = |v: &Sealed, at: usize, bit: u8| {
        let mut changed = v.bytes.clone();
        changed[at] ^= 1 << bit;
        store.ring.open(&v.place, &changed).is_some()
    };
    report(
        "flipped-ciphertext-fails",
        "one bit of the ciphertext flipped, first, last and in between".into(),
        &|n, v| {
            let body = v.bytes.len() - HEADER - 16;
            [0, n % body, body - 1].iter().any(|at| bytes(v, HEADER + at, (n % 8) as u8))
        },
    );
    report("flipped-tag-fails", "each bit of the tag flipped, one at a time".into(), &|_, v| {
        let end = v.bytes.len();
        (end - 16..end).any(|at| (0..8).any(|bit| bytes(v, at, bit)))
    });
    let place = |v: &Sealed, change: &dyn Fn(&mut Place)| {
        let mut place = v.place.clone();
        change(&mut place);
        store.ring.open_with(own, &place, &v.bytes).is_some()
    };
    report(
        "flipped-tenant-fails",
        "one bit of the organisation's id flipped, and the other organisation's id in its place".into(),
        &|n, v| place(v, &|p| p.tenant[n % 16] ^= 1) || place(v, &|p| p.tenant = other),
    );
    report(
        "flipped-record-id-fails",
        "one bit of the record's id flipped, and its version moved by one".into(),
        &|n, v| place(v, &|p| p.id[n % 16] ^= 1) || place(v, &|p| p.version += 1),
    );
    report("other-tenants-key-fails", "the other organisation's keys".into(), &|_, v| {
        store.ring.open_with(other, &v.place, &v.bytes).is_some()
    });
    report(
        "next-records-key-fails",
        "the key of the next record: its random value, from which a record's key is derived".into(),
        &|n, v| {
            let next = rows[(n + 1) % rows.len()];
            let mut changed = v.bytes.clone();
            changed[5..HEADER].copy_from_slice(&next.bytes[5..HEADER]);
            changed != v.bytes && store.ring.open(&v.place, &changed).is_some()
        },
    );
}
