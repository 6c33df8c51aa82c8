//! The vault's own tables and statements. Statements on records are composed in [`crate::compose`].

use sekisho_store::Migration;

/// Tenants, pointers and kept answers.
pub(crate) const MIGRATION: Migration = Migration {
    number: 5,
    name: "vault",
    sql: "
CREATE TABLE tenant (
    id BLOB PRIMARY KEY, state TEXT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL);
CREATE TABLE pointer (
    kind TEXT NOT NULL, key BLOB NOT NULL, tenant BLOB NOT NULL, target BLOB NOT NULL, created BIGINT NOT NULL,
    expires BIGINT, PRIMARY KEY (kind, key)) /*sqlite: WITHOUT ROWID */;
CREATE INDEX pointer_tenant ON pointer (tenant);
CREATE INDEX pointer_expires ON pointer (expires);
CREATE TABLE kept_answer (
    tenant BLOB NOT NULL, key BLOB NOT NULL, fingerprint BLOB NOT NULL, created BIGINT NOT NULL, sealed BLOB,
    PRIMARY KEY (tenant, key));
CREATE INDEX kept_answer_created ON kept_answer (created);
",
    postgres: "",
    sqlite: "",
};

/// What may be done before a tenant is known, or for several at once, where the database keeps tenants apart.
pub(crate) const REACHES: Migration = Migration {
    number: 6,
    name: "lookups and appends",
    sql: "",
    postgres: "
CREATE POLICY lookup ON pointer FOR SELECT USING ((SELECT current_setting('sekisho.reach', true)) = 'lookup');
CREATE POLICY append ON ledger_entry FOR INSERT
    WITH CHECK ((SELECT current_setting('sekisho.reach', true)) = 'append');
CREATE POLICY append ON ledger_pending FOR INSERT
    WITH CHECK ((SELECT current_setting('sekisho.reach', true)) = 'append');
",
    sqlite: "",
};

/// What was done under a key, where its answer was lost.
pub(crate) const DONE: Migration = Migration {
    number: 7,
    name: "acts under a key",
    sql: "ALTER TABLE kept_answer ADD COLUMN entry BLOB;",
    postgres: "",
    sqlite: "",
};

/// An undeclared table, for the rehearsal that has taken the data catalogue out.
pub(crate) const SCRATCH: Migration = Migration {
    number: 9,
    name: "scratch",
    sql: "CREATE TABLE scratch_note (id BIGINT PRIMARY KEY, note TEXT NOT NULL);",
    postgres: "",
    sqlite: "",
};
pub(crate) const INSERT_SCRATCH: &str =
    "INSERT INTO scratch_note (id, note) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";

pub(crate) const INSERT_TENANT: &str = "INSERT INTO tenant (id, state, created, updated) VALUES ($1, 'active', $2, $2)";
pub(crate) const TENANTS: &str = "SELECT id FROM tenant WHERE state = 'active' ORDER BY id";
pub(crate) const END_TENANT: &str =
    "UPDATE tenant SET state = 'deleted', updated = $2 WHERE id = $1 AND state = 'active'";

pub(crate) const POINT: &str = "INSERT INTO pointer (tenant, kind, key, target, created, expires)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (kind, key) DO UPDATE SET tenant = excluded.tenant, target = excluded.target,
        created = excluded.created, expires = excluded.expires
    WHERE pointer.tenant = excluded.tenant AND pointer.expires <= excluded.created";
pub(crate) const UNPOINT: &str = "DELETE FROM pointer WHERE tenant = $1 AND kind = $2 AND key = $3 RETURNING expires";
pub(crate) const POINTER: &str = "SELECT target FROM pointer WHERE tenant = $1 AND kind = $2 AND key = $3
    AND (expires IS NULL OR expires > $4)";
/// The one read without a tenant: it finds out which.
pub(crate) const RESOLVE: &str =
    "SELECT tenant, target FROM pointer WHERE kind = $1 AND key = $2 AND (expires IS NULL OR expires > $3)";

pub(crate) const ENTRY_THERE: &str = "SELECT 1 FROM ledger_entry WHERE log = $1 AND id = $2";

/// Declares the bookkeeping statements of this crate and the list of all of them.
macro_rules! bookkeeping {
    ($($name:ident $sql:literal;)*) => {
        $(pub(crate) const $name: &str = $sql;)*
        /// Statements that write without an entry.
        pub(crate) const BOOKKEEPING: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

bookkeeping! {
    SWEEP_POINTERS "DELETE FROM pointer WHERE expires <= $1";
    SWEEP_ANSWERS "DELETE FROM kept_answer WHERE created <= $1";
    RESERVE_ANSWER "INSERT INTO kept_answer (tenant, key, fingerprint, created) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant, key) DO UPDATE SET fingerprint = excluded.fingerprint, created = excluded.created,
            sealed = NULL, entry = NULL
        WHERE kept_answer.created <= $5
            OR (kept_answer.sealed IS NULL AND kept_answer.entry IS NULL AND kept_answer.created <= $6)";
    MARK_ANSWER "UPDATE kept_answer SET entry = COALESCE(entry, $5) WHERE tenant = $1 AND key = $2 AND fingerprint = $3
        AND created = $4";
    KEEP_ANSWER "UPDATE kept_answer SET sealed = $5 WHERE tenant = $1 AND key = $2 AND fingerprint = $3 AND created = $4
        AND sealed IS NULL";
    FORGET_ANSWER "DELETE FROM kept_answer WHERE tenant = $1 AND key = $2 AND fingerprint = $3 AND created = $4
        AND sealed IS NULL AND entry IS NULL";
}
pub(crate) const ANSWER: &str =
    "SELECT fingerprint, sealed, entry, created FROM kept_answer WHERE tenant = $1 AND key = $2";
