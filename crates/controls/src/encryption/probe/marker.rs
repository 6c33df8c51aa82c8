//! MIST-03, NM-27, DX-18: a marker written through every kind of record is searched for wherever bytes lie. MIST-25: the
//! same for personal fields, block by block.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{
    DataClass,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{RawFile, Rehearsed, World},
};
use serde_json::Value;

use crate::{
    encryption::MIST_25,
    probing::{
        planted::{self, Planted},
        rehearsed,
        sealed::Store,
        search::{Form, Hit, Marker, Search, name_of},
    },
};

/// The search, for one of the claims that ask for it.
pub struct Nowhere(pub &'static ClaimSpec);

#[async_trait]
impl Probe for Nowhere {
    fn spec(&self) -> &'static ClaimSpec {
        self.0
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let instance = rehearsed(world)?;
        let planted = planted::plant(world, canary).await?;
        planted::settle(world).await?;
        every_kind(instance, finding, &planted, canary.tenant.bytes()).await?;

        let files = instance.raw_files().await?;
        let secrets: Vec<&[u8]> = planted.secrets.iter().map(|(_, s)| s.as_bytes()).collect();
        let texts: Vec<&[u8]> =
            [planted.marker.ascii.as_bytes(), planted.marker.kana.as_bytes()].into_iter().chain(secrets).collect();
        let search = Search::of_bytes(&texts);
        let hits = search.files(&files);
        by_form(finding, &hits, files.len(), texts.len());
        by_place(finding, &files, &hits);
        control(world, finding, &files);
        finding.absent("hop-between-nodes", "a network hop between the nodes: both use one database directly");
        on_the_wire(finding, &files, &hits);
        finding.absent("hop-to-object-store", "a network hop to an object store: there is none");
        Ok(())
    }
}

/// The marker comes back through the API, and it really is in every kind of record: that is told from the opened records.
async fn every_kind(
    instance: &dyn Rehearsed,
    finding: &mut Finding,
    planted: &Planted,
    tenant: [u8; 16],
) -> Result<(), Trouble> {
    finding.positive(
        "every-record-kind",
        "a marker in ASCII and katakana is written into accounts, roles, grants, sites, address rules, sessions, second factors, links and the history, and read back",
        "it comes back to whoever may read it",
        planted.told(),
        planted.comes_back(),
    );
    let store = Store::read(instance).await?;
    let written: Vec<&str> = instance
        .catalogue()
        .iter()
        .filter(|d| store.of(tenant).any(|v| v.place.table == d.table))
        .map(|d| d.table)
        .collect();
    let opened: Vec<(&str, Vec<u8>)> =
        store.of(tenant).filter_map(|v| Some((v.place.table.as_str(), store.ring.open(&v.place, &v.bytes)?))).collect();
    let holding = planted::kinds_holding(opened.iter().map(|(t, p)| (*t, p.as_slice())), planted);
    finding.forbidden(
        "every-record-kind",
        "the sealed records of the organisation are listed and opened apart from the service, to see where the marker and the secrets really went",
        "into sealed records of several kinds",
        format!("{} kinds of sealed records written ({}), marker or secret inside {}", written.len(), written.join(", "), joined(&holding)),
        holding.len() >= 5,
    );
    Ok(())
}

fn joined<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    names.into_iter().copied().collect::<Vec<_>>().join(", ")
}

fn by_form(finding: &mut Finding, hits: &[Hit], files: usize, texts: usize) {
    for (clause, form) in [
        ("as-utf-8", Form::Utf8),
        ("as-utf-16", Form::Utf16),
        ("as-shift-jis", Form::ShiftJis),
        ("as-base64", Form::Base64),
        ("as-hex", Form::Hex),
    ] {
        let found: Vec<&Hit> = hits.iter().filter(|h| h.form == form && !h.compressed).collect();
        finding.forbidden(
            clause,
            format!("{texts} markers and secrets as {} in all {files} raw files and logs", form.name()),
            "no hit",
            seen(&found),
            found.is_empty(),
        );
    }
    let found: Vec<&Hit> = hits.iter().filter(|h| h.compressed).collect();
    finding.forbidden(
        "in-compressed-blocks",
        format!("the same inside everything that unfolds as zlib, gzip or ZIP in the {files} files"),
        "no hit",
        seen(&found),
        found.is_empty(),
    );
}

fn seen(hits: &[&Hit]) -> String {
    match hits {
        [] => "no hit".into(),
        [first, ..] => format!("{} hits, the first in {}", hits.len(), first.told()),
    }
}

/// How an embedded database's file begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// What a raw file is, told from its name and its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Database,
    WriteAhead,
    /// What passed between the service and its database.
    Wire,
    Log,
    Temporary,
    Other,
}

fn kind(file: &RawFile) -> Kind {
    let name = name_of(file).to_lowercase();
    let below = |dir: &str| file.path.is_relative() && file.path.starts_with(dir);
    if below("wire") {
        Kind::Wire
    } else if below("base") || below("pg_tblspc") {
        Kind::Database
    } else if below("pg_wal") || name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with("-journal") {
        Kind::WriteAhead
    } else if file.bytes.starts_with(SQLITE) {
        Kind::Database
    } else if name.contains("log") || name.contains("output") || name.contains("stderr") {
        Kind::Log
    } else if name.contains("tmp") || name.contains("temp") || name.ends_with(".new") {
        Kind::Temporary
    } else {
        Kind::Other
    }
}

fn by_place(finding: &mut Finding, files: &[RawFile], hits: &[Hit]) {
    for (clause, which, what) in [
        ("database-files", Kind::Database, "database file"),
        ("write-ahead-log", Kind::WriteAhead, "write-ahead log"),
        ("logs", Kind::Log, "log output"),
        ("temporary-files", Kind::Temporary, "temporary file"),
    ] {
        let these: Vec<&RawFile> =
            files.iter().filter(|f| kind(f) == which || which == Kind::Temporary && kind(f) == Kind::Other).collect();
        if these.is_empty() && which == Kind::Temporary {
            finding.absent(clause, "temporary files: the instance leaves none");
            continue;
        }
        let names: Vec<String> = these.iter().map(|f| name_of(f)).collect();
        let found: Vec<&Hit> = hits.iter().filter(|h| names.contains(&h.file)).collect();
        let size: usize = these.iter().map(|f| f.bytes.len()).sum();
        if these.is_empty() {
            finding.error(clause, format!("a search of every {what}"), "no such file was handed over");
            continue;
        }
        finding.forbidden(
            clause,
            format!("every {what}: {} ({size} bytes)", some(&names)),
            "no hit in any form",
            seen(&found),
            found.is_empty(),
        );
    }
    finding.absent("object-store", "an object store");
    finding.absent("search-index", "a search index");
    finding.absent("backups", "backups");
    finding.absent("swap-files", "a swap file of the rehearsal's own: it runs in the process that proves");
}

/// The first few names, and how many more there are.
fn some(names: &[String]) -> String {
    const FEW: usize = 8;
    match names.len() {
        n if n <= FEW => names.join(", "),
        n => format!("{} and {} more", names[..FEW].join(", "), n - FEW),
    }
}

/// What passed between the service and a database server.
fn on_the_wire(finding: &mut Finding, files: &[RawFile], hits: &[Hit]) {
    let captured: Vec<&RawFile> = files.iter().filter(|f| kind(f) == Kind::Wire).collect();
    let database = files.iter().filter(|f| kind(f) == Kind::Database);
    if captured.is_empty() && database.clone().any(|f| f.bytes.starts_with(SQLITE)) {
        finding.absent("hop-to-database", "a network hop to the database: it is a file in the node's own process");
        return;
    }
    let size: usize = captured.iter().map(|f| f.bytes.len()).sum();
    let names: Vec<String> = captured.iter().map(|f| name_of(f)).collect();
    let found: Vec<&Hit> = hits.iter().filter(|h| names.contains(&h.file)).collect();
    finding.forbidden(
        "hop-to-database",
        format!(
            "everything that passed between the service and the database server: {size} bytes, captured on the wire"
        ),
        "no hit in any form",
        seen(&found),
        found.is_empty() && size > 0,
    );
}

/// The same search over a store whose sealing is off: a copy of the database file into which the probe has written what an
/// unsealed record would leave there, in every form.
fn control(world: &dyn World, finding: &mut Finding, files: &[RawFile]) {
    let databases = files.iter().filter(|f| kind(f) == Kind::Database);
    let Some(original) = databases.max_by_key(|f| f.bytes.len()) else {
        finding.error("control-store-hits", "a copy of the database file", "there is none");
        return;
    };
    let marker = Marker::new(world.marker("control"));
    let record = serde_json::json!({"display_name": marker.both(), "type": "user"}).to_string();
    let search = Search::of(&[&marker]);
    let clean = search.bytes("copy", &original.bytes).is_empty();
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("UTF-8", record.clone().into_bytes()),
        ("UTF-16LE", record.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", record.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("Shift_JIS", crate::probing::search::shift_jis(&marker.kana).unwrap_or_default()),
        ("base64", STANDARD.encode(&record).into_bytes()),
        ("hex", hex::encode(&record).into_bytes()),
        ("zlib", miniz_oxide::deflate::compress_to_vec_zlib(record.repeat(4).as_bytes(), 6)),
    ];
    let missed: Vec<&str> = forms
        .iter()
        .filter(|(_, bytes)| {
            let mut copy = original.bytes.clone();
            let at = copy.len() / 2;
            copy.splice(at..at, bytes.iter().copied());
            search.bytes("copy", &copy).is_empty()
        })
        .map(|(form, _)| *form)
        .collect();
    finding.positive(
        "control-store-hits",
        format!(
            "a copy of {} with an unsealed record written into its middle, in {} forms one after another",
            name_of(original),
            forms.len()
        ),
        "the same search finds it in each form, and nothing before",
        if missed.is_empty() { "found in each form".into() } else { format!("missed as {}", missed.join(", ")) },
        missed.is_empty() && clean,
    );
}

/// MIST-25.
pub struct PersonalBlocks;

/// The size of a database page and of a file system's block.
const BLOCK: usize = 4_096;

#[async_trait]
impl Probe for PersonalBlocks {
    fn spec(&self) -> &'static ClaimSpec {
        &MIST_25
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let instance = rehearsed(world)?;
        let planted = planted::plant(world, canary).await?;
        planted::settle(world).await?;
        let account = planted.desk.get(world, &format!("/users/{}", planted.person.id)).await?.json();
        let fields: Vec<(&str, String)> = ["name", "display_name", "mail"]
            .into_iter()
            .filter_map(|f| Some((f, account.get(f).and_then(Value::as_str)?.to_owned())))
            .collect();
        finding.positive(
            "personal-fields-unreadable",
            "an account's name, display name and mail address are written and read back through the API",
            "they come back",
            format!("{} of 3 fields come back", fields.len()),
            fields.len() == 3,
        );
        let personal: Vec<&str> =
            instance.catalogue().iter().filter(|d| d.class == DataClass::Personal).map(|d| d.table).collect();
        let wanted: Vec<(&str, &str)> = fields
            .iter()
            .map(|(f, v)| (*f, v.as_str()))
            .chain(planted.secrets.iter().map(|(n, s)| (*n, s.as_str())))
            .chain([("marker", planted.marker.ascii.as_str())])
            .collect();
        let bytes: Vec<&[u8]> = wanted.iter().map(|(_, v)| v.as_bytes()).collect();
        let search = Search::of_bytes(&bytes);
        let files = instance.raw_files().await?;
        let mut blocks = 0;
        let mut hits: Vec<Hit> = Vec::new();
        for file in &files {
            blocks += file.bytes.len().div_ceil(BLOCK);
            hits.extend(search.bytes(&name_of(file), &file.bytes));
        }
        let touched: std::collections::BTreeSet<(String, usize)> =
            hits.iter().map(|h| (h.file.clone(), h.at / BLOCK)).collect();
        finding.forbidden(
            "personal-fields-unreadable",
            format!(
                "{} personal values (records of the kinds {}) are looked for in {blocks} blocks of {BLOCK} bytes of all {} raw files, in every form",
                wanted.len(),
                personal.join(", "),
                files.len()
            ),
            "readable in no block",
            match hits.first() {
                None => "readable in no block".into(),
                Some(first) => format!("readable in {} blocks, the first: {}", touched.len(), first.told()),
            },
            hits.is_empty(),
        );
        Ok(())
    }
}
