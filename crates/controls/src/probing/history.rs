//! Reading the operation history as an administrator does.

use sekisho_kernel::{claim::Trouble, world::World};
use serde_json::Value;

use super::{Session, person::text};

/// An entry as the API shows it.
#[derive(Clone, Debug)]
pub struct Entry(pub Value);

impl Entry {
    /// Its id.
    pub fn id(&self) -> String {
        text(&self.0, "id")
    }
    /// `object.verb`.
    pub fn event(&self) -> String {
        text(&self.0, "event")
    }
    /// `success`, `refused`, `failed`.
    pub fn outcome(&self) -> String {
        text(&self.0, "outcome")
    }
    /// Who.
    pub fn actor(&self) -> String {
        text(&self.0, "actor")
    }
    /// On what.
    pub fn target(&self) -> String {
        text(&self.0, "target")
    }
    /// From where.
    pub fn address(&self) -> String {
        text(&self.0, "address")
    }
    /// When, RFC 3339 in UTC.
    pub fn at(&self) -> String {
        text(&self.0, "at")
    }
    /// Through which interface.
    pub fn via(&self) -> String {
        text(&self.0, "via")
    }
    /// `user.create success by usr_… on usr_… from 127.0.0.1`.
    pub fn told(&self) -> String {
        format!("{} {} by {} on {} from {}", self.event(), self.outcome(), self.actor(), self.target(), self.address())
    }
}

/// Every entry that matches `filter` (a query without `limit` and `after`), newest first.
///
/// # Errors
/// When the history cannot be read.
pub async fn entries(world: &dyn World, reader: &Session, filter: &str) -> Result<Vec<Entry>, Trouble> {
    let mut out = Vec::new();
    let mut after = String::new();
    for _ in 0..100 {
        let path = format!("/history?limit=200{}{filter}{after}", if filter.is_empty() { "" } else { "&" });
        let page = reader.need(world, reader.ask("GET", &path)).await?;
        let rows = page.get("entries").and_then(Value::as_array).cloned().unwrap_or_default();
        out.extend(rows.into_iter().map(Entry));
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(out),
        }
    }
    Err(Trouble("the history does not come to an end".into()))
}
