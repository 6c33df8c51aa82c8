//! Raw storage as a superuser beside the instance reads it.

use sekisho_kernel::{
    claim::Trouble,
    world::{Raw, Rehearsed},
};

/// A table as it lies in the database.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// All its rows.
    pub rows: Vec<Vec<Raw>>,
}

impl Table {
    /// The position of a column.
    pub fn at(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == column)
    }
    /// A row's bytes in a column.
    pub fn blob<'r>(&self, row: &'r [Raw], column: &str) -> Option<&'r [u8]> {
        match row.get(self.at(column)?)? {
            Raw::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
    /// A row's number in a column.
    pub fn int(&self, row: &[Raw], column: &str) -> Option<i64> {
        match row.get(self.at(column)?)? {
            Raw::Int(n) => Some(*n),
            _ => None,
        }
    }
}

/// The names of all tables, from the database's own schema. Neither SQLite's own nor PostgreSQL's.
///
/// # Errors
/// When the schema cannot be read.
pub async fn table_names(instance: &dyn Rehearsed) -> Result<Vec<String>, Trouble> {
    let of_sqlite =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let of_postgres =
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1";
    let rows = match instance.raw_rows(of_sqlite).await {
        Ok(rows) => rows,
        Err(_) => instance.raw_rows(of_postgres).await?,
    };
    Ok(rows.into_iter().filter_map(first_text).collect())
}

/// The columns of a table.
///
/// # Errors
/// When the schema cannot be read.
pub async fn columns(instance: &dyn Rehearsed, table: &str) -> Result<Vec<String>, Trouble> {
    let of_sqlite = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
    let of_postgres = format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
    );
    let rows = match instance.raw_rows(&of_sqlite).await {
        Ok(rows) => rows,
        Err(_) => instance.raw_rows(&of_postgres).await?,
    };
    Ok(rows.into_iter().filter_map(first_text).collect())
}

fn first_text(row: Vec<Raw>) -> Option<String> {
    match row.into_iter().next() {
        Some(Raw::Text(name)) => Some(name),
        _ => None,
    }
}

/// One table with its rows.
///
/// # Errors
/// When it cannot be read.
pub async fn table(instance: &dyn Rehearsed, name: &str) -> Result<Table, Trouble> {
    let columns = columns(instance, name).await?;
    let listed: Vec<String> = columns.iter().map(|c| format!("\"{c}\"")).collect();
    let rows = instance.raw_rows(&format!("SELECT {} FROM \"{name}\"", listed.join(", "))).await?;
    Ok(Table { name: name.to_owned(), columns, rows })
}

/// Every table with its rows. A rehearsal holds few.
///
/// # Errors
/// When one cannot be read.
pub async fn tables(instance: &dyn Rehearsed) -> Result<Vec<Table>, Trouble> {
    let mut out = Vec::new();
    for name in table_names(instance).await? {
        out.push(table(instance, &name).await?);
    }
    Ok(out)
}

/// How many rows of all tables hold exactly these bytes in any column, with the tables' names.
pub fn holding(tables: &[Table], bytes: &[u8]) -> Vec<(String, usize)> {
    let holds = |row: &Vec<Raw>| row.iter().any(|v| matches!(v, Raw::Blob(b) if b == bytes));
    tables
        .iter()
        .map(|t| (t.name.clone(), t.rows.iter().filter(|r| holds(r)).count()))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// The 16 bytes of an id such as `usr_0198…`.
///
/// # Errors
/// When the text is no id.
pub fn id_bytes(id: &str) -> Result<[u8; 16], Trouble> {
    let hex = id.split_once('_').map_or("", |(_, h)| h);
    let mut out = [0; 16];
    hex::decode_to_slice(hex, &mut out).map_err(|e| Trouble::of(&format!("reading the id “{id}”"), e))?;
    Ok(out)
}
