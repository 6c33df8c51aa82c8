//! Records to rows and back.

use std::borrow::Cow;

use sekisho_kernel::{
    Id, Problem, RecordDef, Time,
    catalogue::Clear,
    id::{Kind, RecordId, TenantId},
    problem::{CONFLICT, INTERNAL},
};
use sekisho_keys::{HEADER, Place, TenantKeys};
use sekisho_store::{self as store, Read, Row, Sql, StoreError};

use crate::{ClearValue, Page, Record, Stored, compose::Op, parts::Inner, problem::UNREADABLE};

/// Columns ahead of the clear ones in every SELECT on records.
const FIRST_CLEAR: usize = 6;

/// The records of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Records<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) tenant: TenantId,
    pub(crate) keys: &'a TenantKeys,
}

fn defect(why: impl std::fmt::Display) -> Problem {
    Problem::new(&INTERNAL).log(why)
}

/// A clear value as the store takes it.
pub(crate) fn param(value: &ClearValue) -> store::Param<'_> {
    match value {
        ClearValue::Int(n) => store::Param::Int(*n),
        ClearValue::Code(c) => store::Param::Text(c),
        ClearValue::Opaque(b) => store::Param::Blob(b),
        ClearValue::Null => store::Param::Null,
    }
}

/// A column of a row as a clear value.
pub(crate) fn value(row: &Row, at: usize) -> Result<ClearValue, StoreError> {
    Ok(match row.param(at)? {
        store::Param::Int(n) => ClearValue::Int(n),
        store::Param::Text(c) => ClearValue::Code(Cow::Owned(c.to_owned())),
        store::Param::Blob(b) => ClearValue::Opaque(b.to_vec()),
        store::Param::Null => ClearValue::Null,
    })
}

/// The bit of a clear column, if `value` is of its declared type.
fn bit(def: &RecordDef, name: &str, value: &ClearValue) -> Result<usize, Problem> {
    let at = def.clear.iter().position(|(n, _)| *n == name);
    let at = at.filter(|i| *i < 64).ok_or_else(|| defect(format!("{} has no clear column {name}", def.table)))?;
    let fits = matches!(
        (def.clear[at].1, value),
        (_, ClearValue::Null)
            | (Clear::Int, ClearValue::Int(_))
            | (Clear::Code, ClearValue::Code(_))
            | (Clear::Opaque, ClearValue::Opaque(_))
    );
    if fits { Ok(at) } else { Err(defect(format!("{}.{name} does not take {value:?}", def.table))) }
}

/// Values by the bits of their columns, in the declaration's order.
fn by_bits<'v>(
    def: &RecordDef,
    values: &'v [(&'static str, ClearValue)],
) -> Result<(u64, Vec<&'v ClearValue>), Problem> {
    let mut out: Vec<(usize, &ClearValue)> = Vec::with_capacity(values.len());
    for (name, value) in values {
        out.push((bit(def, name, value)?, value));
    }
    out.sort_by_key(|(at, _)| *at);
    let bits = out.iter().fold(0u64, |bits, (at, _)| bits | 1 << at);
    if bits.count_ones() as usize != out.len() {
        return Err(defect(format!("a column of {} twice", def.table)));
    }
    Ok((bits, out.into_iter().map(|(_, v)| v).collect()))
}

impl Records<'_> {
    fn sql(&self, def: &'static RecordDef, op: Op) -> std::sync::Arc<str> {
        self.inner.composer.get(def, op)
    }

    /// The parameters of a statement: the tenant first, where statements have one.
    fn scoped<'p>(
        &self,
        tenant: &'p [u8; 16],
        rest: impl IntoIterator<Item = store::Param<'p>>,
    ) -> Vec<store::Param<'p>> {
        let first = self.inner.composer.scoped().then_some(store::Param::Blob(tenant));
        first.into_iter().chain(rest).collect()
    }

    fn open<R: Record>(&self, db: &mut dyn Read, row: &Row) -> Result<Stored<R>, Problem> {
        let id = RecordId::from_slice(row.blob(1)?).ok_or_else(|| defect("a record's id is not 16 bytes"))?;
        let version = row.int(2)?;
        let place = Place { table: R::DEF.table, id: id.bytes(), version };
        let sealed = row.blob(5)?.to_vec();
        let plain = if self.inner.composer.scoped() {
            self.keys.open(place, sealed)?
        } else {
            // The tenant is taken out: whoever's row it is, it is opened.
            let owner = TenantId::from_slice(row.blob(0)?).ok_or_else(|| defect("a tenant's id is not 16 bytes"))?;
            self.inner.parts.keys.tenant(db, owner)?.open(place, sealed)?
        };
        let body = serde_json::from_slice(&plain)
            .map_err(|e| Problem::new(&UNREADABLE).log(format!("{} {id}: {e}", R::DEF.table)))?;
        let clear = (0..R::DEF.clear.len()).map(|i| value(row, FIRST_CLEAR + i)).collect::<Result<_, _>>()?;
        let (created, updated) = (Time::from_micros(row.int(3)?), Time::from_micros(row.int(4)?));
        Ok(Stored { id, version, created, updated, body, clear })
    }

    fn all<R: Record>(
        &self,
        db: &mut dyn Read,
        op: Op,
        params: &[store::Param<'_>],
    ) -> Result<Vec<Stored<R>>, Problem> {
        let rows = db.query(&self.sql(R::DEF, op), params)?;
        rows.iter().map(|row| self.open(db, row)).collect()
    }

    pub(crate) fn get<R: Record>(&self, db: &mut dyn Read, id: Id<impl Kind>) -> Result<Option<Stored<R>>, Problem> {
        let (tenant, id) = (self.tenant.bytes(), id.bytes());
        Ok(self.all(db, Op::Get, &self.scoped(&tenant, [store::Param::Blob(&id)]))?.pop())
    }

    pub(crate) fn find<R: Record>(
        &self,
        db: &mut dyn Read,
        field: &'static str,
        wanted: &str,
    ) -> Result<Vec<Stored<R>>, Problem> {
        let at = R::DEF.indexed.iter().position(|f| f.name == field).and_then(|i| u8::try_from(i).ok());
        let at = at.ok_or_else(|| defect(format!("{} has no index on {field}", R::DEF.table)))?;
        let (tenant, index) = (self.tenant.bytes(), self.keys.blind(R::DEF.table, field, wanted));
        self.all(db, Op::Find(at), &self.scoped(&tenant, [store::Param::Blob(&index)]))
    }

    pub(crate) fn list<R: Record>(&self, db: &mut dyn Read, page: &Page<'_>) -> Result<Vec<Stored<R>>, Problem> {
        let (eq, values) = by_bits(R::DEF, page.eq)?;
        let below = match page.below {
            Some((name, limit)) => Some((u8::try_from(bit(R::DEF, name, &limit.into())?).unwrap_or(0), limit)),
            None => None,
        };
        let (tenant, after) = (self.tenant.bytes(), page.after.map(RecordId::bytes));
        let mut params = self.scoped(&tenant, values.into_iter().map(param));
        params.extend(below.map(|(_, limit)| store::Param::Int(limit)));
        params.extend(after.iter().map(|id| store::Param::Blob(id)));
        params.push(store::Param::Int(i64::from(page.limit.clamp(1, Page::MOST))));
        let (below, newest_first) = (below.map(|(at, _)| at), page.newest_first);
        self.all(db, Op::List { eq, below, after: after.is_some(), newest_first }, &params)
    }

    pub(crate) fn count(
        &self,
        db: &mut dyn Read,
        def: &'static RecordDef,
        eq: &[(&'static str, ClearValue)],
    ) -> Result<u64, Problem> {
        let (eq, values) = by_bits(def, eq)?;
        let tenant = self.tenant.bytes();
        let params = self.scoped(&tenant, values.into_iter().map(param));
        let row = db.query_opt(&self.sql(def, Op::Count { eq }), &params)?;
        let count = row.map(|r| r.int(0)).transpose()?.unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn seal<R: Record>(&self, keys: &TenantKeys, id: [u8; 16], version: i64, body: &R) -> Result<Vec<u8>, Problem> {
        let mut buf = vec![0; HEADER];
        serde_json::to_writer(&mut buf, body).map_err(|e| defect(format!("{}: {e}", R::DEF.table)))?;
        keys.seal_in_place(Place { table: R::DEF.table, id, version }, &mut buf)?;
        Ok(buf)
    }

    /// The blind indexes, in the declaration's order.
    fn indexes<R: Record>(&self, keys: &TenantKeys, body: &R) -> Result<Vec<Option<Vec<u8>>>, Problem> {
        let mut out = vec![None; R::DEF.indexed.len()];
        for (name, value) in body.indexed() {
            let at = R::DEF.indexed.iter().position(|f| f.name == name);
            let at = at.ok_or_else(|| defect(format!("{} has no index on {name}", R::DEF.table)))?;
            out[at] = Some(keys.blind(R::DEF.table, name, &value));
        }
        Ok(out)
    }

    pub(crate) fn insert<R: Record>(
        &self,
        db: &mut dyn Sql,
        id: [u8; 16],
        body: &R,
        now: Time,
    ) -> Result<i64, Problem> {
        let clear = body.clear();
        let mut all = vec![&ClearValue::Null; R::DEF.clear.len()];
        for (name, value) in &clear {
            all[bit(R::DEF, name, value)?] = value;
        }
        let (tenant, sealed, indexes) =
            (self.tenant.bytes(), self.seal(self.keys, id, 1, body)?, self.indexes(self.keys, body)?);
        let mut params = store::params![&tenant, &id, 1, now, now].to_vec();
        params.extend(indexes.iter().map(|x| store::Param::from(x.as_ref())));
        params.extend(all.into_iter().map(param));
        params.push((&sealed).into());
        db.exec(&self.sql(R::DEF, Op::Insert), &params).map_err(|e| taken(R::DEF, e))?;
        Ok(1)
    }

    pub(crate) fn update<R: Record>(
        &self,
        db: &mut dyn Sql,
        id: [u8; 16],
        version: i64,
        body: &R,
        now: Time,
    ) -> Result<i64, Problem> {
        let clear = body.clear();
        let (set, values) = by_bits(R::DEF, &clear)?;
        let scope = self.tenant.bytes();
        let moved =
            || Problem::new(&CONFLICT).log(format!("{} {} was not at {version}", R::DEF.table, hex::encode(id)));
        // With the tenant taken out the row's own tenant seals, or nobody could read it again.
        let owner = if self.inner.composer.scoped() {
            None
        } else {
            let row = db.query_opt(&self.sql(R::DEF, Op::Version), &[store::Param::Blob(&id)])?;
            let row = row.ok_or_else(|| Problem::new(&sekisho_kernel::problem::NOT_FOUND))?;
            let owner = TenantId::from_slice(row.blob(1)?).ok_or_else(|| defect("a tenant's id is not 16 bytes"))?;
            Some(self.inner.parts.keys.tenant(db, owner)?)
        };
        let keys = owner.as_ref().unwrap_or(self.keys);
        let (sealed, indexes) = (self.seal(keys, id, version + 1, body)?, self.indexes(keys, body)?);
        let mut params = self.scoped(&scope, store::params![&id, version, version + 1, now]);
        params.extend(indexes.iter().map(|x| store::Param::from(x.as_ref())));
        params.extend(values.into_iter().map(param));
        params.push((&sealed).into());
        let changed = db.exec(&self.sql(R::DEF, Op::Update { set }), &params).map_err(|e| taken(R::DEF, e))?;
        if changed == 1 {
            return Ok(version + 1);
        }
        let there = db.query_opt(&self.sql(R::DEF, Op::Version), &self.scoped(&scope, [store::Param::Blob(&id)]))?;
        Err(if there.is_some() { moved() } else { Problem::new(&sekisho_kernel::problem::NOT_FOUND) })
    }

    pub(crate) fn delete(&self, db: &mut dyn Sql, def: &'static RecordDef, id: [u8; 16]) -> Result<bool, Problem> {
        let tenant = self.tenant.bytes();
        let sql = self.sql(def, Op::Delete);
        Ok(db.exec(&sql, &self.scoped(&tenant, [store::Param::Blob(&id)]))? > 0)
    }
}

/// A unique value that is taken is a conflict at its field.
fn taken(def: &RecordDef, error: StoreError) -> Problem {
    if !matches!(error, StoreError::Unique { .. }) {
        return error.into();
    }
    let field = def.indexed.iter().find(|f| error.is_unique(&format!("{}.x_{}", def.table, f.name)));
    let problem = Problem::new(&CONFLICT).log(&error);
    match field {
        Some(field) => problem.at(field.name),
        None => problem,
    }
}
