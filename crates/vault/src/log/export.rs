//! The download: a tenant's whole log with its proof, verifiable without any server.

use std::io::Write;

use sekisho_kernel::{Problem, Zone, id::TenantId, problem::INTERNAL};
use sekisho_keys::TenantKeys;
use sekisho_ledger::{Body, ExportHeader, ExportWriter, LogSource};
use sekisho_store::Read;

use super::source::Source;

const BATCH: usize = 1_024;

/// Writes the log. Memory does not grow with it.
pub(crate) fn write<W: Write>(
    db: &mut dyn Read,
    keys: TenantKeys,
    log: TenantId,
    zone: &Zone,
    out: W,
) -> Result<W, Problem> {
    let source = Source::new(db, log, Some(keys));
    let io = |e: std::io::Error| Problem::new(&INTERNAL).log(e);
    let header = ExportHeader { log: log.bytes(), zone: zone.clone(), keys: source.claimed_keys()? };
    let mut writer = ExportWriter::new(out, &header).map_err(io)?;
    for (epoch, index) in source.purges()? {
        if let Some((_, row)) = source.rows(epoch, index, 1)?.pop()
            && let Body::Open { salt, bytes } = &row.body
        {
            writer.purge(epoch, index, salt, bytes).map_err(io)?;
        }
    }
    let mut unprotected = 0;
    for head in source.epochs()? {
        // The export ends where the newest checkpoint does: what lies beyond is not yet protected.
        let notes = source.checkpoints(head.epoch)?;
        let size = notes
            .first()
            .and_then(|n| sekisho_ledger::parse_checkpoint(n).ok())
            .map_or(0, |c| c.checkpoint.size.min(head.size));
        unprotected += head.size - size;
        let newest: Vec<Vec<u8>> = notes.into_iter().take(1).collect();
        writer.epoch(head.epoch, size, &head.origin, &newest).map_err(io)?;
        let mut next = 0;
        while next < size {
            let want = BATCH.min(usize::try_from(size - next).unwrap_or(BATCH));
            let rows = source.rows(head.epoch, next, want)?;
            if rows.is_empty() {
                return Err(Problem::new(&INTERNAL).log("leaves are missing from the ledger: verify the log"));
            }
            for (index, row) in rows {
                match &row.body {
                    Body::Open { salt, bytes } => writer.entry(&row.leaf.commitment, salt, bytes).map_err(io)?,
                    _ => writer.gone(&row.leaf).map_err(io)?,
                }
                next = index + 1;
            }
        }
    }
    let mut after = None;
    loop {
        let rows = source.unsequenced(after, BATCH)?;
        unprotected += rows.len() as u64;
        match rows.last() {
            Some(last) if rows.len() == BATCH => after = Some(last.leaf.id),
            _ => break,
        }
    }
    writer.end(unprotected).map_err(io)
}
