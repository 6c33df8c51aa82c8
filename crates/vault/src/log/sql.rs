//! Tables and statements of the ledger.
//!
//! `ledger_entry` holds what may be purged: the sealed body and the columns by which history is filtered. What must stay for
//! the tree to verify is `ledger_leaf`. The service cannot change or delete any of it: on PostgreSQL its role lacks the
//! privilege, on SQLite triggers refuse. The newest checkpoint gives way to a newer one within the hour (else a busy log would
//! keep thousands a day); those kept form a chain, each naming the one before. A body goes only through `ledger_forget`, whose trigger asks for a purge entry.

use sekisho_store::Migration;

/// The tables of the ledger.
pub(crate) const MIGRATION: Migration = Migration {
    number: 3,
    name: "ledger",
    sql: "
CREATE TABLE ledger_entry (
    log BLOB NOT NULL, id BLOB NOT NULL, format BIGINT NOT NULL, at BIGINT NOT NULL, event TEXT NOT NULL,
    outcome TEXT NOT NULL, actor TEXT NOT NULL, x_object BLOB NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (log, id));
CREATE TABLE ledger_pending (
    log BLOB NOT NULL, id BLOB NOT NULL, commitment BLOB NOT NULL, PRIMARY KEY (log, id)) /*sqlite: WITHOUT ROWID */;
CREATE TABLE ledger_leaf (
    log BLOB NOT NULL, epoch BIGINT NOT NULL, idx BIGINT NOT NULL, id BLOB NOT NULL, commitment BLOB NOT NULL,
    PRIMARY KEY (log, epoch, idx)) /*sqlite: WITHOUT ROWID */;
CREATE UNIQUE INDEX ledger_leaf_id ON ledger_leaf (log, id);
CREATE TABLE ledger_tile (
    log BLOB NOT NULL, epoch BIGINT NOT NULL, level BIGINT NOT NULL, idx BIGINT NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (log, epoch, level, idx));
CREATE TABLE ledger_head (
    log BLOB NOT NULL, epoch BIGINT NOT NULL, origin TEXT NOT NULL, size BIGINT NOT NULL, signed BIGINT NOT NULL,
    PRIMARY KEY (log, epoch));
CREATE TABLE ledger_checkpoint (
    log BLOB NOT NULL, epoch BIGINT NOT NULL, size BIGINT NOT NULL, prev BIGINT NOT NULL, note BLOB NOT NULL,
    PRIMARY KEY (log, epoch, size));
CREATE TABLE ledger_forget (
    log BLOB NOT NULL, id BLOB NOT NULL, PRIMARY KEY (log, id));
",
    postgres: "
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entry, ledger_leaf, ledger_checkpoint FROM {service};
GRANT UPDATE (size, note) ON ledger_checkpoint TO {service};
REVOKE UPDATE, TRUNCATE ON ledger_pending FROM {service};
REVOKE DELETE, TRUNCATE ON ledger_tile, ledger_head FROM {service};
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_forget FROM {service};
CREATE FUNCTION ledger_forgotten() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM ledger_entry p WHERE p.log = NEW.log AND p.format = 2 AND p.id > NEW.id) THEN
        RAISE EXCEPTION 'no purge entry covers this entry';
    END IF;
    DELETE FROM ledger_entry WHERE log = NEW.log AND id = NEW.id AND format = 1;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_forget_now BEFORE INSERT ON ledger_forget FOR EACH ROW EXECUTE FUNCTION ledger_forgotten();
CREATE FUNCTION ledger_head_moves() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.size < OLD.size OR NEW.signed < OLD.signed OR (NEW.log, NEW.epoch, NEW.origin) <> (OLD.log, OLD.epoch, OLD.origin) THEN
        RAISE EXCEPTION 'the ledger is append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_head_moves BEFORE UPDATE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_head_moves();
CREATE FUNCTION ledger_checkpoint_moves() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.size <= OLD.size OR (NEW.log, NEW.epoch, NEW.prev) <> (OLD.log, OLD.epoch, OLD.prev) THEN
        RAISE EXCEPTION 'the ledger is append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_checkpoint_moves BEFORE UPDATE ON ledger_checkpoint
FOR EACH ROW EXECUTE FUNCTION ledger_checkpoint_moves();
",
    sqlite: "
CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entry
WHEN NOT EXISTS (SELECT 1 FROM ledger_forget f WHERE f.log = OLD.log AND f.id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_leaf_stays BEFORE UPDATE ON ledger_leaf BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_leaf_kept BEFORE DELETE ON ledger_leaf BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_checkpoint_moves BEFORE UPDATE ON ledger_checkpoint
WHEN NEW.size <= OLD.size OR NEW.log <> OLD.log OR NEW.epoch <> OLD.epoch OR NEW.prev <> OLD.prev
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_checkpoint_kept BEFORE DELETE ON ledger_checkpoint
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_head_moves BEFORE UPDATE ON ledger_head
WHEN NEW.size < OLD.size OR NEW.signed < OLD.signed OR NEW.log <> OLD.log OR NEW.epoch <> OLD.epoch OR NEW.origin <> OLD.origin
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_head_kept BEFORE DELETE ON ledger_head BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_tile_kept BEFORE DELETE ON ledger_tile BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_pending_stays BEFORE UPDATE ON ledger_pending
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_forget_covered BEFORE INSERT ON ledger_forget
WHEN NOT EXISTS (SELECT 1 FROM ledger_entry p WHERE p.log = NEW.log AND p.format = 2 AND p.id > NEW.id)
BEGIN SELECT RAISE(ABORT, 'no purge entry covers this entry'); END;
CREATE TRIGGER ledger_forget_now AFTER INSERT ON ledger_forget BEGIN
    DELETE FROM ledger_entry WHERE log = NEW.log AND id = NEW.id AND format = 1;
    DELETE FROM ledger_forget WHERE log = NEW.log AND id = NEW.id;
END;
",
};

/// Declares the statements.
macro_rules! statements {
    ($($name:ident $sql:literal;)*) => {
        $(pub(crate) const $name: &str = $sql;)*
    };
}

statements! {
    INSERT_ENTRY "INSERT INTO ledger_entry (log, id, format, at, event, outcome, actor, x_object, sealed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    INSERT_PENDING "INSERT INTO ledger_pending (log, id, commitment) VALUES ($1, $2, $3)";
    PENDING_LOGS "SELECT DISTINCT log FROM ledger_pending LIMIT 256";
    PENDING "SELECT id, commitment FROM ledger_pending WHERE log = $1 ORDER BY id LIMIT 4096";
    DELETE_PENDING "DELETE FROM ledger_pending WHERE log = $1 AND id <= $4
        AND id IN (SELECT l.id FROM ledger_leaf l WHERE l.log = $1 AND l.epoch = $2 AND l.idx >= $3)";
    INSERT_LEAF "INSERT INTO ledger_leaf (log, epoch, idx, id, commitment) VALUES ($1, $2, $3, $4, $5)";
    NEWEST_HEAD "SELECT epoch, origin, size, signed FROM ledger_head WHERE log = $1 ORDER BY epoch DESC LIMIT 1";
    HEADS "SELECT epoch, origin, size, signed FROM ledger_head WHERE log = $1 ORDER BY epoch";
    UNSIGNED_HEADS "SELECT log, epoch, origin, size, signed FROM ledger_head WHERE size > signed LIMIT 256";
    LOGS "SELECT log FROM ledger_head UNION SELECT id FROM tenant ORDER BY 1";
    INSERT_HEAD "INSERT INTO ledger_head (log, epoch, origin, size, signed) VALUES ($1, $2, $3, 0, 0)";
    MOVE_HEAD "UPDATE ledger_head SET size = $4 WHERE log = $1 AND epoch = $2 AND size = $3";
    SIGN_HEAD "UPDATE ledger_head SET signed = $3 WHERE log = $1 AND epoch = $2 AND signed < $3 AND size >= $3";
    TILE "SELECT bytes FROM ledger_tile WHERE log = $1 AND epoch = $2 AND level = $3 AND idx = $4";
    PUT_TILE "INSERT INTO ledger_tile (log, epoch, level, idx, bytes) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (log, epoch, level, idx) DO UPDATE SET bytes = excluded.bytes";
    INSERT_CHECKPOINT "INSERT INTO ledger_checkpoint (log, epoch, size, prev, note) VALUES ($1, $2, $3, $4, $5)";
    MOVE_CHECKPOINT "UPDATE ledger_checkpoint SET size = $4, note = $5 WHERE log = $1 AND epoch = $2 AND size = $3";
    LEAF_ID "SELECT id FROM ledger_leaf WHERE log = $1 AND epoch = $2 AND idx = $3";
    LAST_CHECKPOINT "SELECT size, prev FROM ledger_checkpoint WHERE log = $1 AND epoch = $2 ORDER BY size DESC LIMIT 1";
    CHECKPOINTS "SELECT note FROM ledger_checkpoint WHERE log = $1 AND epoch = $2 ORDER BY size DESC LIMIT 32";
    CHECKPOINT_CHAIN "SELECT size, prev, note FROM ledger_checkpoint WHERE log = $1 AND epoch = $2 ORDER BY size";
    STRAY_TILE "SELECT level, idx FROM ledger_tile WHERE log = $1 AND epoch = $2
        AND (level < 0 OR level > 7 OR (level = $3 AND (idx < 0 OR idx >= $4))) ORDER BY level, idx LIMIT 100";
    STRAY_EPOCH "SELECT 'ledger_leaf' FROM ledger_leaf WHERE log = $1 AND (epoch > $2 OR epoch < 1)
        UNION ALL SELECT 'ledger_tile' FROM ledger_tile WHERE log = $1 AND (epoch > $2 OR epoch < 1)
        UNION ALL SELECT 'ledger_checkpoint' FROM ledger_checkpoint WHERE log = $1 AND (epoch > $2 OR epoch < 1)
        LIMIT 100";
    STRAY_PENDING "SELECT p.id FROM ledger_pending p LEFT JOIN ledger_entry e ON e.log = p.log AND e.id = p.id
        LEFT JOIN ledger_leaf l ON l.log = p.log AND l.id = p.id
        WHERE p.log = $1 AND (e.id IS NULL OR l.id IS NOT NULL) ORDER BY p.id LIMIT 100";
    NEWEST_CHECKPOINT "SELECT epoch, size, note FROM ledger_checkpoint WHERE log = $1 ORDER BY epoch DESC, size DESC LIMIT 1";
    ALL_NEWEST_CHECKPOINTS "SELECT c.note FROM ledger_checkpoint c JOIN ledger_head h
        ON h.log = c.log AND h.epoch = c.epoch AND h.signed = c.size ORDER BY c.log, c.epoch";
    ROWS "SELECT l.idx, l.id, l.commitment, e.format, e.at, e.event, e.outcome, e.actor, e.x_object, e.sealed
        FROM ledger_leaf l LEFT JOIN ledger_entry e ON e.log = l.log AND e.id = l.id
        WHERE l.log = $1 AND l.epoch = $2 AND l.idx >= $3 ORDER BY l.idx LIMIT $4";
    UNSEQUENCED "SELECT e.id, COALESCE(p.commitment, $4), e.format, e.at, e.event, e.outcome, e.actor, e.x_object, e.sealed
        FROM ledger_entry e LEFT JOIN ledger_pending p ON p.log = e.log AND p.id = e.id
        LEFT JOIN ledger_leaf l ON l.log = e.log AND l.id = e.id
        WHERE e.log = $1 AND l.id IS NULL AND e.id > $2 ORDER BY e.id LIMIT $3";
    PURGES "SELECT l.epoch, l.idx FROM ledger_entry e JOIN ledger_leaf l ON l.log = e.log AND l.id = e.id
        WHERE e.log = $1 AND e.format = 2 ORDER BY l.epoch, l.idx";
    OLD "SELECT l.epoch, l.idx, l.id FROM ledger_entry e JOIN ledger_leaf l ON l.log = e.log AND l.id = e.id
        WHERE e.log = $1 AND e.id < $2 AND e.format = 1 ORDER BY l.epoch, l.idx LIMIT $3";
    FORGET "INSERT INTO ledger_forget (log, id) VALUES ($1, $2)";
    FIND "SELECT e.id, e.sealed, l.epoch, l.idx, h.signed
        FROM ledger_entry e LEFT JOIN ledger_leaf l ON l.log = e.log AND l.id = e.id
        LEFT JOIN ledger_head h ON h.log = l.log AND h.epoch = l.epoch
        WHERE e.log = $1 AND e.id < $2 AND e.id >= $3 AND e.actor = COALESCE($4, e.actor)
        AND e.outcome = COALESCE($5, e.outcome) AND e.x_object = COALESCE($6, e.x_object)
        AND e.event = COALESCE($7, e.event) AND substr(e.event, 1, length(CAST($8 AS TEXT))) = CAST($8 AS TEXT)
        ORDER BY e.id DESC LIMIT $9";
    ONE "SELECT e.id, e.sealed, l.epoch, l.idx, h.signed
        FROM ledger_entry e LEFT JOIN ledger_leaf l ON l.log = e.log AND l.id = e.id
        LEFT JOIN ledger_head h ON h.log = l.log AND h.epoch = l.epoch
        WHERE e.log = $1 AND e.id = $2";
    CLAIMED_KEYS "SELECT public FROM signing_key WHERE purpose = 'checkpoint' ORDER BY version";
    HOUSE "SELECT value FROM meta WHERE key = 'house'";
}
