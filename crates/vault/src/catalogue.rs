//! The data catalogue: the vault's own tables in it, and the guard that holds the live schema to it.

use std::{collections::BTreeSet, fmt::Write as _};

use sekisho_kernel::{
    Problem, RecordDef, Text,
    catalogue::{Clear, DataClass, Protection, Retention},
};
use sekisho_store::{ColumnType, Table};

use crate::{log, problem::UNDECLARED};

/// Declares the tables below the record types.
macro_rules! tables {
    ($($c:ident $table:literal $ja:literal $en:literal $class:ident $protection:ident $retention:ident
       [$($column:literal $kind:ident),*];)*) => {
        $(static $c: RecordDef = RecordDef {
            table: $table,
            text: Text::new($ja, $en),
            class: DataClass::$class,
            protection: Protection::$protection,
            retention: Retention::$retention,
            indexed: &[],
            clear: &[$(($column, Clear::$kind)),*],
        };)*
        /// The tables of the vault, the keys and the store; the ledger's are in [`crate::log`].
        pub(crate) static OWN: &[&RecordDef] = &[$(&$c),*];
    };
}

tables! {
    META "meta" "データベースの目印" "Marks of the database" Metadata ClearByGoldenFile UntilDeleted
        ["key" Code, "value" Code];
    STORE_MIGRATION "store_migration" "適用済みのマイグレーション" "Applied migrations"
        Metadata ClearByGoldenFile UntilDeleted ["number" Int, "name" Code, "digest" Opaque];
    ROOT_KEY "root_key" "ルート鍵の確認値" "Proof of the root key" KeyMaterial ClearByGoldenFile UntilDeleted
        ["kind" Code, "params" Code, "proof" Opaque];
    TENANT_KEY "tenant_key" "組織の鍵（ルート鍵で暗号化）" "Tenants' keys, wrapped by the root key"
        KeyMaterial ClearByGoldenFile UntilDeleted ["root" Int, "wrapped" Opaque, "state" Code];
    DATA_KEY "data_key" "データの鍵（組織の鍵で暗号化）" "Data keys, wrapped by the tenant's key"
        KeyMaterial ClearByGoldenFile UntilDeleted ["purpose" Code, "under" Int, "wrapped" Opaque];
    SIGNING_KEY "signing_key" "署名鍵（ルート鍵で暗号化）" "Signing keys, wrapped by the root key"
        KeyMaterial ClearByGoldenFile UntilDeleted ["purpose" Code, "root" Int, "public" Opaque, "wrapped" Opaque];
    TENANT "tenant" "組織の一覧（識別子と状態）" "Organisations: id and state" Metadata ClearByGoldenFile UntilDeleted
        ["state" Code];
    POINTER "pointer" "ホスト名・トークンのハッシュから組織への対応" "From host names and token hashes to organisations"
        Metadata ClearByGoldenFile UntilExpiry ["kind" Code, "key" Opaque, "target" Opaque, "expires" Int];
    KEPT_ANSWER "kept_answer" "再送に備えて 24 時間保管する応答" "Answers kept for 24 hours against repeated requests"
        Metadata Sealed UntilExpiry ["key" Opaque, "fingerprint" Opaque, "entry" Opaque];
}

/// Columns that a table may have without naming them.
const STANDARD: &[&str] = &["tenant", "id", "version", "created", "updated"];

/// Every table of the vault and the rooms below it.
pub fn own() -> Vec<&'static RecordDef> {
    OWN.iter().chain(log::TABLES).copied().collect()
}

/// Holds the live schema to the declarations.
///
/// # Errors
/// `SK-3001` naming the first table or column that no declaration has, or that a declaration has and the database
/// has not; also a record type of a class that is never carried.
pub(crate) fn check(live: &[Table], declared: &[&'static RecordDef]) -> Result<(), Problem> {
    let undeclared = |what: String, why: &str| Problem::new(&UNDECLARED).at(what).log(why);
    let mut names = BTreeSet::new();
    for def in declared {
        if !names.insert(def.table) {
            return Err(undeclared(def.table.to_owned(), "declared twice"));
        }
        if def.class == DataClass::UserTraffic {
            return Err(undeclared(def.table.to_owned(), "user traffic is never stored"));
        }
        if live.iter().all(|t| t.name != def.table) {
            return Err(undeclared(def.table.to_owned(), "declared, and there is no such table"));
        }
    }
    for table in live {
        let def = declared.iter().find(|d| d.table == table.name);
        let def = def.ok_or_else(|| undeclared(table.name.clone(), "no record type has this table"))?;
        let mut wanted: BTreeSet<String> = def.clear.iter().map(|(name, _)| (*name).to_owned()).collect();
        wanted.extend(def.indexed.iter().map(|f| format!("x_{}", f.name)));
        if def.protection == Protection::Sealed {
            wanted.insert("sealed".to_owned());
        }
        for column in &table.columns {
            let place = || format!("{}.{}", table.name, column.name);
            if matches!(column.kind, ColumnType::Other(_)) {
                return Err(undeclared(place(), "not of a portable type"));
            }
            if let Some((_, clear)) = def.clear.iter().find(|(name, _)| *name == column.name)
                && column.kind != kind(*clear)
            {
                return Err(undeclared(place(), "of another type than declared"));
            }
            if !wanted.remove(&column.name) && !STANDARD.contains(&column.name.as_str()) {
                return Err(undeclared(place(), "no declaration has this column"));
            }
        }
        if let Some(missing) = wanted.first() {
            return Err(undeclared(format!("{}.{missing}", table.name), "declared, and there is no such column"));
        }
    }
    Ok(())
}

const fn kind(clear: Clear) -> ColumnType {
    match clear {
        Clear::Int => ColumnType::Int,
        Clear::Code => ColumnType::Text,
        Clear::Opaque => ColumnType::Blob,
    }
}

/// Every column that lies in the clear, a table a line, for the golden file. Standard columns (tenant, id, version,
/// times) are left out.
pub fn clear_columns(declared: &[&'static RecordDef]) -> String {
    let mut out = String::new();
    let mut sorted = declared.to_vec();
    sorted.sort_by_key(|d| d.table);
    for def in sorted {
        let how = if def.protection == Protection::Sealed { "sealed" } else { "clear" };
        let _ = write!(out, "{} {} {how}:", def.table, def.class.name());
        for (name, clear) in def.clear {
            let kind = match clear {
                Clear::Int => "int",
                Clear::Code => "code",
                Clear::Opaque => "opaque",
            };
            let _ = write!(out, " {name}={kind}");
        }
        for field in def.indexed {
            let _ = write!(out, " x_{}=blind", field.name);
        }
        out.push('\n');
    }
    out
}

/// Every statement that writes without an entry, for the golden file: the vault's own and the given ones.
pub fn bookkeeping(declared: &[&'static crate::Bookkeeping]) -> String {
    let plain = |sql: &str| sql.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (name, sql) in crate::sql::BOOKKEEPING.iter().chain(log::BOOKKEEPING) {
        let _ = writeln!(out, "vault.{}: {}", name.to_ascii_lowercase(), plain(sql));
    }
    for statement in declared {
        let _ = writeln!(out, "{}: {}", statement.name, plain(statement.sql));
    }
    out
}
