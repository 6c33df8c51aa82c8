//! The live schema, in the same words for both databases.

use crate::{config::Kind, error::StoreError, params, sql::Read};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its indexes but for the primary key's, by columns.
    pub indexes: Vec<Index>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnType,
    /// Whether NULL is refused (also as part of the primary key).
    pub not_null: bool,
    /// Position within the primary key, from 1.
    pub primary_key: Option<u16>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// BIGINT.
    Int,
    /// TEXT.
    Text,
    /// BLOB or BYTEA.
    Blob,
    /// Something that is not portable.
    Other(String),
}

/// An index or unique constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its columns, in order; an expression is empty.
    pub columns: Vec<String>,
    /// Whether it allows a value once only.
    pub unique: bool,
}

impl ColumnType {
    fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Self::Int,
            "text" => Self::Text,
            "blob" | "bytea" => Self::Blob,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// All tables, by name.
pub(crate) fn list(kind: Kind, db: &mut dyn Read) -> Result<Vec<Table>, StoreError> {
    let (tables, columns, indexes) = match kind {
        Kind::Sqlite => (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
            "SELECT name, type, CASE WHEN \"notnull\" = 1 OR pk > 0 THEN 1 ELSE 0 END, pk
             FROM pragma_table_info($1) ORDER BY cid",
            "SELECT l.name, l.\"unique\", i.name FROM pragma_index_list($1) AS l, pragma_index_info(l.name) AS i
             WHERE l.origin <> 'pk' ORDER BY l.name, i.seqno",
        ),
        Kind::Postgres => (
            "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
             ORDER BY c.relname COLLATE \"C\"",
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    COALESCE(array_position(k.indkey::int2[], a.attnum), -1) + 1
             FROM pg_attribute a LEFT JOIN pg_index k ON k.indrelid = a.attrelid AND k.indisprimary
             WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            "SELECT i.relname, x.indisunique, a.attname
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS c(attnum, place)
             LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = c.attnum
             WHERE x.indrelid = to_regclass(quote_ident($1)) AND NOT x.indisprimary
             ORDER BY i.relname COLLATE \"C\", c.place",
        ),
    };
    let names = db.query(tables, &[])?;
    names.iter().map(|row| table(db, row.text(0)?, columns, indexes)).collect()
}

fn table(db: &mut dyn Read, name: &str, columns: &str, indexes: &str) -> Result<Table, StoreError> {
    let mut table = Table { name: name.to_owned(), columns: Vec::new(), indexes: Vec::new() };
    for row in db.query(columns, &params![name])? {
        table.columns.push(Column {
            name: row.text(0)?.to_owned(),
            kind: ColumnType::parse(row.text(1)?),
            not_null: row.flag(2)?,
            primary_key: u16::try_from(row.int(3)?).ok().filter(|n| *n > 0),
        });
    }
    let mut last = None;
    for row in db.query(indexes, &params![name])? {
        let index = row.text(0)?.to_owned();
        let column = row.opt_text(2)?.unwrap_or("").to_owned();
        match table.indexes.last_mut() {
            Some(open) if last.as_ref() == Some(&index) => open.columns.push(column),
            _ => table.indexes.push(Index { columns: vec![column], unique: row.flag(1)? }),
        }
        last = Some(index);
    }
    // The databases name the indexes of UNIQUE constraints differently, so names are left out and columns sort.
    table.indexes.sort_by(|a, b| (&a.columns, a.unique).cmp(&(&b.columns, b.unique)));
    Ok(table)
}
