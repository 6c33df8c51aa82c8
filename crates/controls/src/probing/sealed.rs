//! Every sealed value that lies in raw storage, with the place it is bound to.

use sekisho_kernel::{claim::Trouble, world::Rehearsed};

use super::{
    raw::{self, Table},
    unseal::{Place, Ring, id16},
};

/// A sealed value as it lies in a table.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// What it is bound to, read from its own row.
    pub place: Place,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Raw storage read once: all tables, the sealed values in them, the keys.
pub struct Store {
    /// Every table.
    pub tables: Vec<Table>,
    /// Every sealed value.
    pub values: Vec<Sealed>,
    /// The keys, unwrapped with the root key.
    pub ring: Ring,
}

impl Store {
    /// Reads everything.
    ///
    /// # Errors
    /// When raw storage or the root key cannot be read.
    pub async fn read(instance: &dyn Rehearsed) -> Result<Self, Trouble> {
        let tables = raw::tables(instance).await?;
        let values = tables.iter().map(values).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Self { tables, values, ring: Ring::read(instance).await? })
    }

    /// The values of one tenant.
    pub fn of(&self, tenant: [u8; 16]) -> impl Iterator<Item = &Sealed> {
        self.values.iter().filter(move |v| v.place.tenant == tenant)
    }

    /// The sealed value of one record.
    pub fn records(&self, id: [u8; 16]) -> impl Iterator<Item = &Sealed> {
        self.values.iter().filter(move |v| v.place.id == id && v.place.table != "ledger_entry")
    }
}

/// The sealed values of one table: its column `sealed`, bound to the row's tenant (for the ledger its log), id and version.
fn values(table: &Table) -> Result<Vec<Sealed>, Trouble> {
    let mut out = Vec::new();
    if table.at("sealed").is_none() {
        return Ok(out);
    }
    for row in &table.rows {
        let Some(bytes) = table.blob(row, "sealed") else { continue };
        let tenant = table.blob(row, "tenant").or_else(|| table.blob(row, "log"));
        let id = table.blob(row, "id").or_else(|| table.blob(row, "key").and_then(|k| k.get(..16)));
        let (Some(tenant), Some(id)) = (tenant, id) else {
            return Err(Trouble(format!("a sealed value of {} names no tenant or id", table.name)));
        };
        let version = match table.name.as_str() {
            // Entries never change; kept answers have no version.
            "ledger_entry" => 1,
            "kept_answer" => 0,
            _ => table.int(row, "version").unwrap_or(0),
        };
        let place = Place { tenant: id16(tenant)?, table: table.name.clone(), id: id16(id)?, version };
        out.push(Sealed { place, bytes: bytes.to_vec() });
    }
    Ok(out)
}

/// How many sealed values of each table: `user_account 5, site 1`.
pub fn census<'v>(values: impl IntoIterator<Item = &'v Sealed>) -> String {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for value in values {
        *counts.entry(&value.place.table).or_default() += 1;
    }
    counts.iter().map(|(t, n)| format!("{t} {n}")).collect::<Vec<_>>().join(", ")
}
