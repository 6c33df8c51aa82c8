//! What raw storage shows of two tenants.

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::World,
};
use serde_json::{Value, json};

use crate::probing::{
    Session,
    planted::Planted,
    raw::id_bytes,
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

/// SQL under the service's own database role, without a tenant and with another's.
///
/// # Errors
/// When the database does not answer.
pub async fn service_role(
    world: &dyn World,
    finding: &mut Finding,
    own: [u8; 16],
    other: [u8; 16],
) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    let of = |tenant: [u8; 16]| format!("SELECT * FROM user_account WHERE tenant = '\\x{}'", hex::encode(tenant));
    for (clause, sql, what) in [
        ("sql-without-group-nothing", "SELECT * FROM user_account".to_owned(), "without a group"),
        ("sql-with-other-group-nothing", of(if own < other { own } else { other }), "with another group's id"),
    ] {
        match instance.as_service_role(&sql).await? {
            None => finding.absent(clause, format!("a database role for SQL {what}: the embedded database has none")),
            Some(result) => finding.forbidden(
                clause,
                format!("{sql}, under the service's role, {what}"),
                "nothing comes back",
                match &result {
                    Ok(rows) => format!("{rows} rows"),
                    Err(refused) => refused.clone(),
                },
                !matches!(result, Ok(rows) if rows > 0),
            ),
        }
    }
    Ok(())
}

/// The number of items of a list.
pub fn items(list: &Value) -> Vec<Value> {
    list.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
}
