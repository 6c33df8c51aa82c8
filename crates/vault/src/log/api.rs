//! What others do with the log through the vault.

use std::io::Write;

use sekisho_kernel::{
    Cx, Effective, Job, Outcome, Problem, TakenOut, Zone, event, id::EntryId, id::TenantId, problem::INTERNAL,
};
use sekisho_keys::Keys;
use sekisho_ledger::{Report, Trust};
use sekisho_store::{Reach, Store};

use super::{export, purge, read, sequence, source};
use crate::{Scope, Vault, history};

impl Vault {
    /// Entries of the scope's log, newest first. Reading is itself an act: enter it.
    ///
    /// # Errors
    /// The store's; `INVALID` for a free-text search over more than 10,000 entries.
    pub async fn history(&self, scope: &Scope, filter: history::Filter) -> Result<history::Found, Problem> {
        let (log, keys) = (scope.tenant(), self.parts().keys.ready(scope.tenant()).await?);
        self.parts().within(log).read(move |db| read::find(db, &keys, log, &filter)).await
    }

    /// One entry of the scope's log.
    ///
    /// # Errors
    /// The store's.
    pub async fn history_entry(&self, scope: &Scope, id: EntryId) -> Result<Option<history::Row>, Problem> {
        let (log, keys) = (scope.tenant(), self.parts().keys.ready(scope.tenant()).await?);
        self.parts().within(log).read(move |db| read::one(db, &keys, log, id)).await
    }

    /// The C2SP tlog-proof of one entry; `None` while no checkpoint covers it.
    ///
    /// # Errors
    /// The store's.
    pub async fn history_proof(&self, scope: &Scope, id: EntryId) -> Result<Option<String>, Problem> {
        let log = scope.tenant();
        self.parts().within(log).read(move |db| read::proof(db, log, id)).await
    }

    /// The newest signed checkpoint of the scope's log.
    ///
    /// # Errors
    /// The store's.
    pub async fn history_checkpoint(&self, scope: &Scope) -> Result<Option<String>, Problem> {
        let log = scope.tenant();
        self.parts().within(log).read(move |db| Ok(read::checkpoint(db, log)?.map(|(_, _, note)| note))).await
    }

    /// Writes the scope's whole log with its proof ([`sekisho_ledger::export`]), times rendered in `zone` beside the bytes.
    ///
    /// # Errors
    /// The store's and `out`'s.
    pub async fn export<W: Write + Send + 'static>(&self, scope: &Scope, zone: Zone, out: W) -> Result<W, Problem> {
        let (log, keys) = (scope.tenant(), self.parts().keys.ready(scope.tenant()).await?);
        self.parts().within(log).read(move |db| export::write(db, keys, log, &zone, out)).await
    }

    /// Gives every accepted entry its leaf, and enters counts of refusals whose minute is over.
    ///
    /// # Errors
    /// The store's.
    pub async fn sequence(&self, policy: &Effective) -> Result<(), Problem> {
        self.enter_counts(policy).await?;
        loop {
            let house = self.parts().house.clone();
            let more = self.parts().across().write(move |db| sequence::sequence(db, &house)).await?;
            if !more {
                return Ok(());
            }
        }
    }

    async fn enter_counts(&self, policy: &Effective) -> Result<(), Problem> {
        let parts = self.parts();
        for counted in parts.strangers.take_over(parts.clock.now()) {
            let mut cx = Cx::job(counted.knocker.log, Job::Sequencer, policy.clone(), &*parts.rng);
            cx.peer = counted.knocker.address;
            let detail = vec![("refusals", counted.beyond.to_string()), ("since", counted.since.rfc3339())];
            let object = counted.knocker.log.to_string();
            self.enter(&cx, &event::LEDGER_COUNT, Outcome::Refused, &object, detail).await?;
        }
        Ok(())
    }

    /// Signs a checkpoint of every log that has grown, and keeps the newest ones outside the database.
    ///
    /// # Errors
    /// The store's, and that the file outside cannot be written.
    pub async fn checkpoint(&self) -> Result<(), Problem> {
        let parts = self.parts();
        loop {
            let signer = sequence::HouseSigner::new(&parts.keys, &parts.house)?;
            let more = parts.across().write(move |db| sequence::checkpoint(db, &signer)).await?;
            if !more {
                break;
            }
        }
        let Some(path) = parts.outside.clone() else { return Ok(()) };
        if parts.out == Some(TakenOut::OutsideCheckpoint) {
            return Ok(());
        }
        let notes = parts.across().read(|db| sequence::newest(db)).await?;
        tokio::task::spawn_blocking(move || sequence::keep_outside(&path, &notes))
            .await
            .map_err(|e| Problem::new(&INTERNAL).log(e))?
            .map_err(|e| Problem::new(&INTERNAL).log(format!("keeping checkpoints outside the database: {e}")))
    }

    /// Purges entries past the audit retention of `policy` from every log.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge(&self, policy: &Effective) -> Result<(), Problem> {
        if self.parts().out == Some(TakenOut::RetentionPurge) {
            return Ok(());
        }
        let Some(keep) = self.parts().gates.audit(policy).retention else { return Ok(()) };
        for log in self.parts().across().read(|db| source::logs(db)).await? {
            // A tenant whose keys were destroyed has nothing readable left to purge.
            let Ok(keys) = self.parts().keys.ready(log).await else { continue };
            loop {
                let (keys, rng, now) = (keys.clone(), self.parts().rng.clone(), self.parts().clock.now());
                let cx = Cx::job(log, Job::Sweeper, policy.clone(), &*rng);
                let more = self
                    .parts()
                    .within(log)
                    .write(move |db| purge::purge(db, &cx, &keys, &*rng, log, keep, now))
                    .await?;
                if !more {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Verifies every log of the running instance, or the one asked for.
    ///
    /// # Errors
    /// The store's; whatever is wrong with the data is a finding.
    pub async fn verify(&self, only: Option<TenantId>, trust: Trust) -> Result<Vec<(TenantId, Report)>, Problem> {
        let keys = self.parts().keys.clone();
        let store = self.parts().store.within(reach(only));
        store.read(move |db| source::verify(db, Some(&keys), only, &trust)).await
    }

    /// The checkpoint key of this installation, as verifiers are given it (`name+hash+key`).
    ///
    /// # Errors
    /// The key's holder does not answer.
    pub fn verifier_key(&self) -> Result<String, Problem> {
        use sekisho_ledger::Signer;
        Ok(sequence::HouseSigner::new(&self.parts().keys, &self.parts().house)?.key().encode())
    }
}

/// The rows of one log, or of all.
fn reach(only: Option<TenantId>) -> Reach {
    only.map_or(Reach::Platform, Reach::Tenant)
}

/// Verifies every log of a store opened beside its instance ([`Store::inspect`]) or of a copied database.
///
/// # Errors
/// The store's; whatever is wrong with the data is a finding.
pub async fn verify_store(
    store: &Store,
    keys: Option<Keys>,
    only: Option<TenantId>,
    trust: Trust,
) -> Result<Vec<(TenantId, Report)>, Problem> {
    store.within(reach(only)).read(move |db| source::verify(db, keys.as_ref(), only, &trust)).await
}

/// Sequences what is pending in a store and signs its heads, without an instance around it: for a rehearsal that plays
/// the thief of the signing key on a copy.
///
/// # Errors
/// The store's.
pub async fn sequence_copy(store: &Store, keys: &Keys) -> Result<(), Problem> {
    let house = store.mark("house").await?.unwrap_or_default();
    let signer = sequence::HouseSigner::new(keys, &house)?;
    store
        .within(Reach::Platform)
        .write(move |db| {
            while sequence::sequence(db, &house)? {}
            while sequence::checkpoint(db, &signer)? {}
            Ok::<(), Problem>(())
        })
        .await
}
