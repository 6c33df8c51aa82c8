//! Statements on records, composed from their declarations. Every one holds the tenant against `$1`.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, PoisonError, RwLock},
};

use sekisho_kernel::RecordDef;

/// What a statement does. Sets of clear columns are bits by the declaration's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// One record by id.
    Get,
    /// Records by a blind-indexed field, by its place in the declaration.
    Find(u8),
    /// Records by id order. Parameters: tenant, values of `eq`, value below, id after, limit.
    List { eq: u64, below: Option<u8>, after: bool, newest_first: bool },
    /// How many. Parameters: tenant, values of `eq`.
    Count { eq: u64 },
    /// A new record. Parameters: tenant, id, version, created, updated, indexes, all clear columns, sealed.
    Insert,
    /// Parameters: tenant, id, old version, new version, updated, all indexes, `set` clear columns, sealed.
    Update { set: u64 },
    /// Parameters: tenant, id.
    Delete,
    /// The version of a record. Parameters: tenant, id.
    Version,
    /// Everything of one tenant. Parameter: tenant.
    DeleteAll,
}

/// Composes each statement once.
pub(crate) struct Composer {
    /// False only in a rehearsal that has taken the tenant out of every statement.
    scoped: bool,
    known: RwLock<HashMap<(&'static str, Op), Arc<str>>>,
}

impl Composer {
    pub(crate) fn new(scoped: bool) -> Self {
        Self { scoped, known: RwLock::default() }
    }

    /// Whether statements hold the tenant; if not, the tenant is no parameter of any but an insert.
    pub(crate) const fn scoped(&self) -> bool {
        self.scoped
    }

    pub(crate) fn get(&self, def: &'static RecordDef, op: Op) -> Arc<str> {
        let key = (def.table, op);
        if let Some(sql) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return sql.clone();
        }
        let sql: Arc<str> = compose(def, op, self.scoped).into();
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(key, sql.clone());
        sql
    }
}

/// Text and the number of the next parameter.
struct Text {
    sql: String,
    next: usize,
}

impl Text {
    fn push(&mut self, text: &str) {
        self.sql.push_str(text);
    }
    fn parameter(&mut self) {
        let _ = write!(self.sql, "${}", self.next);
        self.next += 1;
    }
    fn and(&mut self, column: &str, operator: &str) {
        self.push(if self.sql.contains(" WHERE ") { " AND " } else { " WHERE " });
        self.push(column);
        self.push(operator);
        self.parameter();
    }
    fn scope(&mut self, scoped: bool) {
        if scoped {
            self.and("tenant", " = ");
        }
    }
    fn assign(&mut self, column: &str) {
        self.push(", ");
        self.push(column);
        self.push(" = ");
        self.parameter();
    }
}

/// The clear columns whose bits are set.
fn columns(def: &RecordDef, bits: u64) -> impl Iterator<Item = &'static str> {
    def.clear.iter().enumerate().filter(move |(i, _)| bits & (1 << i) != 0).map(|(_, (name, _))| *name)
}

pub(crate) fn compose(def: &RecordDef, op: Op, scoped: bool) -> String {
    let table = def.table;
    let mut text = Text { sql: String::new(), next: 1 };
    let select = |text: &mut Text| {
        text.push("SELECT tenant, id, version, created, updated, sealed");
        for (name, _) in def.clear {
            text.push(", ");
            text.push(name);
        }
        text.push(&format!(" FROM {table}"));
    };
    match op {
        Op::Get => {
            select(&mut text);
            text.scope(scoped);
            text.and("id", " = ");
        }
        Op::Find(field) => {
            select(&mut text);
            text.scope(scoped);
            let name = def.indexed.get(usize::from(field)).map_or("", |f| f.name);
            text.and(&format!("x_{name}"), " = ");
            text.push(" ORDER BY id LIMIT 1000");
        }
        Op::List { eq, below, after, newest_first } => {
            select(&mut text);
            text.scope(scoped);
            for name in columns(def, eq) {
                text.and(name, " = ");
            }
            if let Some((name, _)) = below.and_then(|i| def.clear.get(usize::from(i))) {
                text.and(name, " < ");
            }
            if after {
                text.and("id", if newest_first { " < " } else { " > " });
            }
            text.push(if newest_first { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
            text.parameter();
        }
        Op::Count { eq } => {
            text.push(&format!("SELECT COUNT(*) FROM {table}"));
            text.scope(scoped);
            for name in columns(def, eq) {
                text.and(name, " = ");
            }
        }
        Op::Insert => {
            text.push(&format!("INSERT INTO {table} (tenant, id, version, created, updated"));
            for field in def.indexed {
                text.push(&format!(", x_{}", field.name));
            }
            for (name, _) in def.clear {
                text.push(&format!(", {name}"));
            }
            text.push(", sealed) VALUES (");
            for i in 0..6 + def.indexed.len() + def.clear.len() {
                text.push(if i > 0 { ", " } else { "" });
                text.parameter();
            }
            text.push(")");
        }
        Op::Update { set } => {
            // Parameters are numbered as documented: conditions first.
            let conditions = if scoped { 3 } else { 2 };
            text.next = conditions + 1;
            text.push(&format!("UPDATE {table} SET version = "));
            text.parameter();
            text.assign("updated");
            for field in def.indexed {
                text.assign(&format!("x_{}", field.name));
            }
            for name in columns(def, set) {
                text.assign(name);
            }
            text.assign("sealed");
            text.next = 1;
            text.scope(scoped);
            text.and("id", " = ");
            text.and("version", " = ");
        }
        Op::Delete => {
            text.push(&format!("DELETE FROM {table}"));
            text.scope(scoped);
            text.and("id", " = ");
        }
        Op::Version => {
            text.push(&format!("SELECT version, tenant FROM {table}"));
            text.scope(scoped);
            text.and("id", " = ");
        }
        Op::DeleteAll => {
            text.push(&format!("DELETE FROM {table}"));
            text.scope(true);
        }
    }
    text.sql
}
