//! The tamper sweep: whoever has the disk or the owner's password changes the ledger's tables, and each change is found.

use std::time::Duration;

use sekisho_kernel::{Outcome, Right, SystemRng, event, id::RecordId};
use sekisho_ledger::{Kind, Report, Trust, Verdict, Weight, parse_checkpoint, parse_verifier_key};
use sekisho_store::{Kind as Database, Param, Reach, Table};
use sekisho_vault::Entry;

use crate::house::{House, RETENTION, act, all, each, note, policy};

const TABLES: [&str; 6] =
    ["ledger_entry", "ledger_pending", "ledger_leaf", "ledger_tile", "ledger_head", "ledger_checkpoint"];

/// A value as SQL text.
fn literal(kind: Database, value: &Param<'_>) -> String {
    match (kind, value) {
        (_, Param::Null) => "NULL".into(),
        (_, Param::Int(n)) => n.to_string(),
        (_, Param::Text(t)) => format!("'{}'", t.replace('\'', "''")),
        (Database::Sqlite, Param::Blob(b)) => format!("X'{}'", hex(b)),
        (Database::Postgres, Param::Blob(b)) => format!("'\\x{}'::bytea", hex(b)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Another value of the same type.
fn other(value: &Param<'_>) -> Option<(Vec<u8>, i64, String)> {
    match value {
        // Far from its neighbours, where it is part of a key.
        Param::Int(n) => Some((Vec::new(), n + 100_000, String::new())),
        Param::Text("success") => Some((Vec::new(), 0, "refused".into())),
        Param::Text(t) => Some((Vec::new(), 0, format!("{t}x"))),
        Param::Blob(b) => {
            let mut b = b.to_vec();
            let middle = b.len() / 2;
            *b.get_mut(middle)? ^= 1;
            Some((b, 0, String::new()))
        }
        Param::Null => None,
    }
}

/// A house whose ledger can be broken and mended again.
struct Bench {
    house: House,
    schema: Vec<Table>,
}

impl Bench {
    /// Two tenants with a few hundred entries, some checkpoints, a lawful purge, and entries not yet in the tree.
    async fn new(house: House) -> Self {
        let cx = house.person(house.a, all()).await;
        for _ in 0..3 {
            house.write(&cx, &format!("old {:?}", RecordId::new(house.vault.now(), &SystemRng))).await;
            house.clock.advance(Duration::from_secs(1));
        }
        house.seal().await;
        house.clock.advance(RETENTION + Duration::from_secs(60));
        house.write(&cx, "middle").await;
        house.seal().await;
        house.vault.purge(&policy()).await.expect("purged");
        house.seal().await;
        // Later than an hour, so that the checkpoint just signed is kept.
        house.clock.advance(Duration::from_secs(4_000));
        let insert = |n: u32| {
            let cx = cx.clone();
            let vault = house.vault.clone();
            async move {
                let detail = vec![("n", n.to_string())];
                vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", detail).await.expect("entered");
            }
        };
        for n in 0..300 {
            insert(n).await;
        }
        house.seal().await;
        for n in 300..303 {
            insert(n).await;
        }
        let schema = house.store().schema().await.expect("schema");
        let this = Self { house, schema };
        let mut script = String::new();
        for table in TABLES {
            script.push_str(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table};"));
        }
        this.house.raw().run(&script).expect("kept");
        this.disarm();
        this
    }

    /// Takes the guards away, as somebody with the disk can.
    fn disarm(&self) {
        let script = match self.house.test.kind() {
            Database::Sqlite => {
                let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
                let rows = self.house.raw().query(sql).expect("triggers");
                rows.iter().map(|r| format!("DROP TRIGGER {};", r.text(0).expect("a name"))).collect()
            }
            Database::Postgres => TABLES.map(|t| format!("ALTER TABLE {t} DISABLE TRIGGER USER;")).concat(),
        };
        self.house.raw().run(&script).expect("disarmed");
    }

    fn run(&self, sql: &str) {
        self.house.raw().run(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    fn mend(&self) {
        let mut script = String::new();
        for table in TABLES {
            script.push_str(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table};"));
        }
        self.run(&script);
    }

    fn number(&self, sql: &str) -> i64 {
        self.house.raw().query(sql).expect("rows")[0].int(0).expect("a number")
    }

    fn trust(&self, anchored: bool) -> Trust {
        let key = self.house.vault.verifier_key().expect("a key");
        let mut trust = Trust { keys: vec![parse_verifier_key(&key).expect("a key")], ..Trust::default() };
        if anchored {
            let outside = sekisho_vault::log::read_outside(&self.house.dir.path().join("checkpoints.json"));
            let notes = outside.expect("a file").into_values();
            trust.anchors = notes.map(|n| parse_checkpoint(n.as_bytes()).expect("a checkpoint")).collect();
        }
        trust
    }

    async fn verify(&self, anchored: bool) -> Vec<Report> {
        let reports = self.house.vault.verify(None, self.trust(anchored)).await.expect("verified");
        reports.into_iter().map(|(_, report)| report).collect()
    }

    /// What a verification finds, but for notices.
    async fn findings(&self, anchored: bool) -> Vec<Kind> {
        let reports = self.verify(anchored).await;
        let all = reports.into_iter().flat_map(|r| r.findings);
        all.filter(|f| f.weight != Weight::Notice).map(|f| f.kind).collect()
    }

    /// The primary key of a row as a condition.
    fn condition(&self, table: &str, row: &sekisho_store::Row) -> String {
        let columns = &self.schema.iter().find(|t| t.name == table).expect("a table").columns;
        let parts = columns.iter().enumerate().filter(|(_, c)| c.primary_key.is_some()).map(|(i, c)| {
            format!("{} = {}", c.name, literal(self.house.test.kind(), &row.param(i).expect("a column")))
        });
        parts.collect::<Vec<_>>().join(" AND ")
    }

    fn columns(&self, table: &str) -> Vec<String> {
        let table = self.schema.iter().find(|t| t.name == table).expect("a table");
        table.columns.iter().map(|c| c.name.clone()).collect()
    }

    /// The first, a middle and the last row.
    fn samples(&self, table: &str) -> Vec<sekisho_store::Row> {
        let columns = self.columns(table).join(", ");
        let log = literal(self.house.test.kind(), &Param::Blob(&self.house.a.bytes()));
        let rows = self
            .house
            .raw()
            .query(&format!("SELECT {columns} FROM {table} WHERE log = {log} ORDER BY 1, 2, 3"))
            .expect("rows");
        let last = rows.len() - 1;
        let mut picks = vec![0, last / 2, last];
        picks.dedup();
        picks.into_iter().map(|i| rows[i].clone()).collect()
    }
}

#[tokio::test]
async fn an_untouched_log_is_intact_with_its_lawful_purge() {
    each(|house| async move {
        let bench = Bench::new(house).await;
        let reports = bench.verify(true).await;
        assert_eq!(reports.len(), 3);
        for report in &reports {
            assert_eq!(report.verdict(), Verdict::Intact, "{report:?}");
            assert!(report.bodies_checked && !report.keys_from_data);
            assert_eq!(report.anchored, Some(report.epochs[0].signed.expect("signed")));
        }
        let a = reports.iter().find(|r| r.log == hex(&bench.house.a.bytes())).expect("a's log");
        assert_eq!(a.counts.purged, 4, "the making of the keys and three notes");
        assert!(a.found(|k| matches!(k, Kind::NotYetProtected { count: 3 })));
        assert_eq!(bench.number("SELECT COUNT(*) FROM ledger_forget"), 0);
    })
    .await;
}

#[tokio::test]
async fn every_column_of_every_row_is_watched() {
    each(|house| async move {
        let bench = Bench::new(house).await;
        assert!(bench.findings(true).await.is_empty());
        let kind = bench.house.test.kind();
        let mut tried = 0;
        for table in TABLES {
            for row in bench.samples(table) {
                let condition = bench.condition(table, &row);
                for (i, column) in bench.columns(table).into_iter().enumerate() {
                    let Some((blob, int, text)) = other(&row.param(i).expect("a column")) else { continue };
                    let changed = match row.param(i).expect("a column") {
                        Param::Int(_) => Param::Int(int),
                        Param::Text(_) => Param::Text(&text),
                        _ => Param::Blob(&blob),
                    };
                    bench.run(&format!("UPDATE {table} SET {column} = {} WHERE {condition}", literal(kind, &changed)));
                    let found = bench.findings(true).await;
                    assert!(!found.is_empty(), "{table}.{column} was changed unseen, where {condition}");
                    bench.mend();
                    tried += 1;
                }
            }
        }
        assert!(tried >= 80, "{tried}");
        assert!(bench.findings(true).await.is_empty(), "mended");
    })
    .await;
}

#[tokio::test]
async fn every_row_is_missed_and_none_can_be_added() {
    each(|house| async move {
        let bench = Bench::new(house).await;
        let kind = bench.house.test.kind();
        for table in TABLES {
            for row in bench.samples(table) {
                let condition = bench.condition(table, &row);
                bench.run(&format!("DELETE FROM {table} WHERE {condition}"));
                let found = bench.findings(true).await;
                assert!(!found.is_empty(), "a row of {table} was dropped unseen, where {condition}");
                bench.mend();
                // The same row again under another key: the last key column moved far away.
                let schema = bench.schema.iter().find(|t| t.name == table).expect("a table");
                let last = schema.columns.iter().enumerate().max_by_key(|(_, c)| c.primary_key).expect("a key").0;
                let values = (0..row.len()).map(|i| match row.param(i).expect("a column") {
                    Param::Int(n) if i == last => (n + 1_000).to_string(),
                    Param::Blob(b) if i == last => {
                        let mut b = b.to_vec();
                        b[15] ^= 0x55;
                        literal(kind, &Param::Blob(&b))
                    }
                    value => literal(kind, &value),
                });
                let values = values.collect::<Vec<_>>().join(", ");
                // A leaf's id is unique in its log, so its copy needs another.
                let values = if table == "ledger_leaf" {
                    let id = row.param(3).expect("a column");
                    values.replace(&literal(kind, &id), &literal(kind, &Param::Blob(&[9; 16])))
                } else {
                    values
                };
                let columns = bench.columns(table).join(", ");
                bench.run(&format!("INSERT INTO {table} ({columns}) VALUES ({values})"));
                let found = bench.findings(true).await;
                assert!(!found.is_empty(), "a row of {table} was added unseen: {values}");
                bench.mend();
            }
        }
        assert!(bench.findings(true).await.is_empty(), "mended");
    })
    .await;
}

#[tokio::test]
async fn swapped_rows_are_found() {
    each(|house| async move {
        let bench = Bench::new(house).await;
        let kind = bench.house.test.kind();
        let log = literal(kind, &Param::Blob(&bench.house.a.bytes()));
        let first =
            bench.number(&format!("SELECT idx FROM ledger_leaf WHERE log = {log} AND idx > 10 ORDER BY idx LIMIT 1"));
        // Two leaves change places.
        bench.run(&format!(
            "UPDATE ledger_leaf SET idx = -1 WHERE log = {log} AND idx = {first};
             UPDATE ledger_leaf SET idx = {first} WHERE log = {log} AND idx = {first} + 1;
             UPDATE ledger_leaf SET idx = {first} + 1 WHERE log = {log} AND idx = -1;"
        ));
        let found = bench.findings(true).await;
        assert!(found.iter().any(|k| matches!(k, Kind::Reordered { .. })), "{found:?}");
        bench.mend();
        // Two bodies change places.
        let ids = bench
            .house
            .raw()
            .query(&format!("SELECT id, sealed FROM ledger_entry WHERE log = {log} AND format = 1 ORDER BY id LIMIT 2"))
            .expect("rows");
        let value = |row: usize, column: usize| literal(kind, &ids[row].param(column).expect("a column"));
        for (from, to) in [(0, 1), (1, 0)] {
            bench.run(&format!("UPDATE ledger_entry SET sealed = {} WHERE id = {}", value(from, 1), value(to, 0)));
        }
        let found = bench.findings(true).await;
        // An entry that is not in the tree yet is found as a loose one.
        let altered = |k: &&Kind| matches!(k, Kind::Altered { .. } | Kind::UnexpectedLoose { .. });
        assert!(found.iter().filter(altered).count() >= 2, "{found:?}");
        bench.mend();
        // An entry goes over to another tenant's log.
        let b = literal(kind, &Param::Blob(&bench.house.b.bytes()));
        bench.run(&format!("UPDATE ledger_entry SET log = {b} WHERE id = {}", value(0, 0)));
        let found = bench.findings(true).await;
        assert!(found.iter().any(|k| matches!(k, Kind::MissingBody { .. })), "{found:?}");
        assert!(found.iter().any(|k| matches!(k, Kind::UnexpectedLoose { .. })), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_body_deleted_without_a_purge_entry_is_missed() {
    each(|house| async move {
        let bench = Bench::new(house).await;
        let log = literal(bench.house.test.kind(), &Param::Blob(&bench.house.a.bytes()));
        bench.run(&format!("DELETE FROM ledger_entry WHERE log = {log} AND format = 1"));
        let found = bench.findings(true).await;
        let missing = found.iter().filter(|k| matches!(k, Kind::MissingBody { .. })).count();
        assert!(missing >= 300, "{missing}");
        bench.mend();
        // And the purge entry itself is not to be had.
        bench.run(&format!("DELETE FROM ledger_entry WHERE log = {log} AND format = 2"));
        let found = bench.findings(true).await;
        assert!(found.iter().filter(|k| matches!(k, Kind::MissingBody { .. })).count() >= 5, "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_cut_tail_is_found_even_with_the_older_checkpoint_put_back() {
    each(|house| async move {
        let bench = Bench::new(house).await;
        let kind = bench.house.test.kind();
        let log = literal(kind, &Param::Blob(&bench.house.a.bytes()));
        let cut = bench.number(&format!("SELECT MAX(prev) FROM ledger_checkpoint WHERE log = {log}"));
        bench.run(&format!(
            "DELETE FROM ledger_entry WHERE log = {log} AND id IN (SELECT id FROM ledger_leaf WHERE log = {log} AND idx >= {cut});
             DELETE FROM ledger_leaf WHERE log = {log} AND idx >= {cut};"
        ));
        let found = bench.findings(false).await;
        assert!(found.iter().any(|k| matches!(k, Kind::CutTail { .. })), "{found:?}");
        // The whole of an earlier state, signed in its day: only what is kept outside the database knows better.
        bench.run(&format!(
            "UPDATE ledger_head SET size = {cut}, signed = {cut} WHERE log = {log};
             DELETE FROM ledger_checkpoint WHERE log = {log} AND size > {cut};
             DELETE FROM ledger_tile WHERE log = {log} AND (idx > 0 OR level > 0);"
        ));
        let width = usize::try_from(cut).expect("small") * 32;
        let sql = format!("SELECT bytes FROM ledger_tile WHERE log = {log} AND level = 0 AND idx = 0");
        let tile = bench.house.raw().query(&sql).expect("rows")[0].blob(0).expect("a tile")[..width].to_vec();
        bench.run(&format!("UPDATE ledger_tile SET bytes = {} WHERE log = {log}", literal(kind, &Param::Blob(&tile))));
        assert!(bench.findings(false).await.is_empty(), "nothing inside the database tells of it");
        let found = bench.findings(true).await;
        assert!(found.iter().any(|k| matches!(k, Kind::RolledBack { .. })), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn checkpoints_of_one_hour_give_way_to_each_other() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        for n in 0..12 {
            house.write(&cx, &format!("n{n}")).await;
            house.seal().await;
            house.clock.advance(Duration::from_secs(600));
        }
        let log = literal(house.test.kind(), &Param::Blob(&house.a.bytes()));
        let sql = format!("SELECT size, prev FROM ledger_checkpoint WHERE log = {log} ORDER BY size");
        let rows = house.raw().query(&sql).expect("rows");
        let chain: Vec<_> = rows.iter().map(|r| (r.int(0).expect("size"), r.int(1).expect("prev"))).collect();
        assert_eq!(chain, [(7, 0), (12, 7), (13, 12)], "an hour's worth each, and the newest");
    })
    .await;
}

#[tokio::test]
async fn the_service_itself_can_change_none_of_it() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "kept").await;
        house.seal().await;
        house.vault.enter(&cx, &event::SITE_READ, Outcome::Success, "sit_1", Vec::new()).await.expect("entered");
        for sql in [
            "UPDATE ledger_entry SET outcome = 'refused'",
            "DELETE FROM ledger_entry",
            "UPDATE ledger_pending SET commitment = id",
            "UPDATE ledger_leaf SET idx = idx + 1",
            "DELETE FROM ledger_leaf",
            "DELETE FROM ledger_tile",
            "UPDATE ledger_head SET size = size - 1",
            "DELETE FROM ledger_head",
            "UPDATE ledger_checkpoint SET prev = 7",
            "UPDATE ledger_checkpoint SET size = size - 1",
            "DELETE FROM ledger_checkpoint",
            "INSERT INTO ledger_forget (log, id) SELECT log, id FROM ledger_entry",
        ] {
            let refused = house.store().within(Reach::Platform).write(move |db| db.exec(sql, &[])).await;
            assert!(refused.is_err(), "{sql}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_purge_takes_bodies_past_their_retention_and_nothing_else() {
    each(|house| async move {
        let cx = house.person(house.a, all()).await;
        house.write(&cx, "old").await;
        house.seal().await;
        house.clock.advance(RETENTION - Duration::from_secs(10));
        house.vault.purge(&policy()).await.expect("purged");
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger_entry WHERE format = 2").await, 0, "nothing was due");
        house.write(&cx, "young").await;
        house.clock.advance(Duration::from_secs(20));
        house.seal().await;
        let before = house.count("SELECT COUNT(*) FROM ledger_entry WHERE event = 'site.create'").await;
        house.vault.purge(&policy()).await.expect("purged");
        house.vault.purge(&policy()).await.expect("purged");
        assert_eq!(before, 2);
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger_entry WHERE event = 'site.create'").await, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger_entry WHERE format = 2").await, 3, "one a log");
        // What is not in the tree yet stays until it is.
        let done = house.vault.act(&cx, act(&cx, Right::SITES_WRITE), |tx, permit| {
            tx.insert(RecordId::NIL, &note("late"))?;
            tx.commit(permit, Entry::default(), ())
        });
        done.await.expect("done");
        house.clock.advance(RETENTION + Duration::from_secs(60));
        house.vault.purge(&policy()).await.expect("purged");
        assert_eq!(house.count("SELECT COUNT(*) FROM ledger_pending p JOIN ledger_entry e ON e.id = p.id WHERE e.event = 'site.create'").await, 1);
    })
    .await;
}
