//! What raw storage shows of two tenants.

use sekisho_kernel::{
    claim::{Finding, Trouble},
    id::TenantId,
    world::{Rehearsed, World},
};
use serde_json::{Value, json};

use crate::probing::{
    Session,
    planted::Planted,
    raw::{self, id_bytes},
    rehearsed,
    sealed::{Sealed, Store},
};

/// Every row that holds the marker lies under its own tenant's id and opens with its own tenant's key.
///
/// # Errors
/// When raw storage cannot be read.
pub async fn under_own_id(
    world: &dyn World,
    finding: &mut Finding,
    planted: &Planted,
    own: [u8; 16],
    other: [u8; 16],
) -> Result<(), Trouble> {
    let store = Store::read(rehearsed(world)?).await?;
    let marked = |v: &&Sealed| {
        let plain = store.ring.owners().into_iter().find_map(|o| store.ring.open_with(o, &v.place, &v.bytes));
        let marker = planted.marker.ascii.as_bytes();
        plain.is_some_and(|p| p.windows(marker.len()).any(|w| w == marker))
    };
    let elsewhere: Vec<&Sealed> = store.values.iter().filter(|v| v.place.tenant != own).filter(marked).collect();
    let here = store.of(own).filter(marked).count();
    finding.forbidden(
        "rows-under-own-id-and-key",
        format!("all {} sealed rows of all groups are opened apart from the service and searched for the first group's marker", store.values.len()),
        "found in rows under its own id alone",
        format!("{here} rows under its own id, {} under another", elsewhere.len()),
        elsewhere.is_empty() && here > 0,
    );
    let (rows, opened, strange) = store.of(own).fold((0, 0, 0), |(rows, opened, strange), v| {
        let mine = store.ring.open(&v.place, &v.bytes).is_some();
        let theirs = store.ring.open_with(other, &v.place, &v.bytes).is_some();
        (rows + 1, opened + usize::from(mine), strange + usize::from(theirs))
    });
    finding.forbidden(
        "rows-under-own-id-and-key",
        format!("the first group's {rows} sealed rows are opened with its own key and with the other group's"),
        "all with its own, none with the other's",
        format!("{opened} with its own, {strange} with the other's"),
        opened == rows && strange == 0,
    );
    let mut misplaced = Vec::new();
    for (kind, id) in &planted.ids {
        let id = id_bytes(id)?;
        let tenants: Vec<&[u8]> = store
            .tables
            .iter()
            .flat_map(|t| {
                t.rows.iter().filter(move |r| t.blob(r, "id") == Some(&id)).filter_map(|r| t.blob(r, "tenant"))
            })
            .collect();
        if tenants.is_empty() || tenants.iter().any(|t| *t != own) {
            misplaced.push(*kind);
        }
    }
    finding.forbidden(
        "rows-under-own-id-and-key",
        format!("the rows of {} records made for the first group are looked up by their ids", planted.ids.len()),
        "each under the first group's id",
        if misplaced.is_empty() { "each is".into() } else { format!("not so: {}", misplaced.join(", ")) },
        misplaced.is_empty(),
    );
    finding.absent("objects-under-own-id-and-key", "an object store");
    Ok(())
}

/// One value in both tenants leaves two different index entries.
///
/// # Errors
/// When raw storage cannot be read.
pub async fn index(
    world: &dyn World,
    finding: &mut Finding,
    planted: &Planted,
    desk: &Session,
    own: [u8; 16],
    other: [u8; 16],
) -> Result<(), Trouble> {
    let name = world.marker("same-name");
    for who in [&planted.desk, desk] {
        who.make(world, "/users", &json!({"name": name, "mail": format!("{name}@example.test"), "type": "user"}))
            .await?;
        who.make(world, "/sites", &json!({"name": name})).await?;
    }
    let store = Store::read(rehearsed(world)?).await?;
    let (mut entries, mut shared) = (0, Vec::new());
    for table in &store.tables {
        for column in table.columns.iter().filter(|c| c.starts_with("x_")) {
            let of = |tenant: [u8; 16]| -> Vec<&[u8]> {
                let rows = table
                    .rows
                    .iter()
                    .filter(move |r| table.blob(r, "tenant").or_else(|| table.blob(r, "log")) == Some(&tenant));
                rows.filter_map(|r| table.blob(r, column)).collect()
            };
            let (mine, theirs) = (of(own), of(other));
            entries += mine.len() + theirs.len();
            if mine.iter().any(|m| theirs.contains(m)) {
                shared.push(format!("{}.{column}", table.name));
            }
        }
    }
    finding.forbidden(
        "index-under-own-id-and-key",
        format!("the same names and mail address are registered in both groups, then all {entries} entries of the blind indexes are compared"),
        "no entry of one group occurs in the other: each is made with the group's own key",
        if shared.is_empty() { "none occurs".into() } else { format!("the same in {}", shared.join(", ")) },
        shared.is_empty() && entries > 0,
    );
    finding.absent("index-under-own-id-and-key", "a full-text index");
    Ok(())
}

/// SQL under the service's own database role: without a tenant, as one of them, and as the other.
///
/// # Errors
/// When the database does not answer.
pub async fn service_role(
    world: &dyn World,
    finding: &mut Finding,
    own: TenantId,
    other: TenantId,
) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    let (without, with) = ("sql-without-group-nothing", "sql-with-other-group-nothing");
    let Some(shown) = instance.as_service_role(Some(own), "SELECT * FROM user_account").await? else {
        for (clause, what) in [(without, "without a group"), (with, "with another group's id")] {
            finding.absent(clause, format!("a database role for SQL {what}: the embedded database has none"));
        }
        return Ok(());
    };
    finding.positive(
        with,
        "SELECT * FROM user_account under the service's role, in a transaction begun for the first group",
        "its rows come back",
        words(&shown),
        matches!(shown, Ok(rows) if rows > 0),
    );
    let grouped = grouped(instance).await?;
    let every = |rows: &dyn Fn(&str) -> String| {
        let each = grouped.iter().map(|(table, column)| format!("SELECT 1 FROM \"{table}\"{}", rows(column)));
        each.collect::<Vec<_>>().join(" UNION ALL ")
    };
    let literal = |tenant: TenantId| format!("'\\x{}'", hex::encode(tenant.bytes()));
    let tables = format!("all {} tables with a group in each row", grouped.len());
    let not_own = every(&|column| format!(" WHERE {column} <> {}", literal(own)));
    let of_own = every(&|column| format!(" WHERE {column} = {}", literal(own)));
    let theirs = literal(own);
    let change = format!("UPDATE user_account SET version = version + 1 WHERE tenant = {theirs}");
    let delete = format!("DELETE FROM user_account WHERE tenant = {theirs}");
    let plant =
        format!("INSERT INTO kept_answer (tenant, key, fingerprint, created) VALUES ({theirs}, '\\x00', '\\x00', 0)");
    let off = "ALTER TABLE user_account DISABLE ROW LEVEL SECURITY".to_owned();
    let tried = [
        (without, None, every(&|_| String::new()), format!("SELECT from {tables}, without a group")),
        (with, Some(own), not_own, format!("SELECT of other groups' rows from {tables}, as the first group")),
        (with, Some(other), of_own, format!("SELECT of the first group's rows from {tables}, as the other group")),
        (with, Some(other), change, "UPDATE of the first group's accounts, as the other group".to_owned()),
        (with, Some(other), delete, "DELETE of the first group's accounts, as the other group".to_owned()),
        (with, Some(other), plant, "INSERT of a row in the first group's name, as the other group".to_owned()),
        (with, Some(other), off, "row level security is switched off".to_owned()),
    ];
    for (clause, tenant, sql, what) in tried {
        // What no database has cannot be refused.
        let Some(result) = instance.as_service_role(tenant, &sql).await? else { continue };
        let schema = sql.starts_with("ALTER");
        finding.forbidden(
            clause,
            format!("under the service's role: {what}"),
            if schema { "refused" } else { "nothing comes back, nothing is changed" },
            words(&result),
            if schema { result.is_err() } else { !matches!(result, Ok(rows) if rows > 0) } && !grouped.is_empty(),
        );
    }
    Ok(())
}

fn words(result: &Result<u64, String>) -> String {
    match result {
        Ok(rows) => format!("{rows} rows"),
        Err(refused) => refused.clone(),
    }
}

/// Every table that names a group in each row, and its column.
async fn grouped(instance: &dyn Rehearsed) -> Result<Vec<(String, &'static str)>, Trouble> {
    let mut out = Vec::new();
    for table in raw::table_names(instance).await? {
        let columns = raw::columns(instance, &table).await?;
        let named = ["tenant", "log"].into_iter().find(|c| columns.iter().any(|column| column == c));
        out.extend(named.or((table == "tenant").then_some("id")).map(|column| (table, column)));
    }
    Ok(out)
}

/// The number of items of a list.
pub fn items(list: &Value) -> Vec<Value> {
    list.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
}
