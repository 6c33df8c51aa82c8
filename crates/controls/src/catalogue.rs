//! The claims catalogue: what five published security white papers promise, claim by claim, in our own words.
//!
//! The sentences live as data in `claims/`: one English file per paper, its Japanese beside it (`*.ja.toml`), and the
//! headings of the paper in `areas.toml`. They are compiled in and parsed once. A claim's `id` is stable and never
//! reused.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use sekisho_kernel::Text;
use serde::{Deserialize, Serialize};

/// The paper that a claim comes from; it is also the profile under which the claim is rehearsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimFile {
    /// NEC Platforms NetMeister, white paper 2.0, September 2021.
    Netmeister,
    /// Juniper Mist cloud, security overview Ver 1.0, November 2021.
    Mist,
    /// Moxtra, Business Security white paper.
    Moxtra,
    /// DX Suite, sheet of entry, exit and internal measures.
    Dxsuite,
    /// NTT TechnoCross iDoperation Series Cloud, SWP2410, October 2024.
    Idoperation,
}

impl ClaimFile {
    /// The five, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Netmeister, Self::Mist, Self::Moxtra, Self::Dxsuite, Self::Idoperation];

    /// The file's and the profile's name, for example `netmeister`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Netmeister => "netmeister",
            Self::Mist => "mist",
            Self::Moxtra => "moxtra",
            Self::Dxsuite => "dxsuite",
            Self::Idoperation => "idoperation",
        }
    }
    /// The file of that [`slug`](Self::slug); `None` for anything else.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.slug() == slug)
    }
    /// What the ids of this file begin with, before the hyphen: `NM` in `NM-01`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Netmeister => "NM",
            Self::Mist => "MIST",
            Self::Moxtra => "MOX",
            Self::Dxsuite => "DX",
            Self::Idoperation => "IDO",
        }
    }
    /// The title of the paper that this file distils.
    pub const fn title(self) -> Text {
        match self {
            Self::Netmeister => Text::new(
                "NEC プラットフォームズ NetMeister ホワイトペーパー 2.0 版（2021 年 9 月）",
                "NEC Platforms NetMeister: white paper, 2.0, September 2021",
            ),
            Self::Mist => Text::new(
                "Juniper Mist クラウド セキュリティ概要 Ver 1.0（2021 年 11 月）",
                "Juniper Mist cloud: security overview, Ver 1.0, November 2021",
            ),
            Self::Moxtra => Text::new(
                "Moxtra ビジネスセキュリティ ホワイトペーパー（日本語版）",
                "Moxtra: Business Security white paper (Japanese edition)",
            ),
            Self::Dxsuite => Text::new(
                "DX Suite 入口対策・出口対策・内部対策シート",
                "DX Suite: sheet of entry, exit and internal measures",
            ),
            Self::Idoperation => Text::new(
                "NTT テクノクロス iDoperation シリーズクラウド セキュリティホワイトペーパー SWP2410（2024 年 10 月）",
                "NTT TechnoCross iDoperation Series Cloud: security white paper SWP2410, October 2024",
            ),
        }
    }
    /// What the service of that paper is.
    pub const fn service(self) -> Text {
        match self {
            Self::Netmeister => Text::new(
                "ルーターと拠点ネットワークを管理するクラウド",
                "cloud that manages routers and site networks",
            ),
            Self::Mist => Text::new(
                "無線 LAN アクセスポイントとスイッチを管理するクラウド",
                "cloud that manages Wi-Fi access points and switches",
            ),
            Self::Moxtra => Text::new(
                "クライアントポータル（会話、ファイル、ミーティング、メール投稿、検索）",
                "client portal: conversations, files, meetings, mail-in, search",
            ),
            Self::Dxsuite => Text::new(
                "お客様がアップロードした文書を読み取るクラウド（OCR）",
                "document-reading (OCR) cloud: customers upload documents",
            ),
            Self::Idoperation => Text::new(
                "特権 ID を管理するクラウド（申請、承認、貸出、記録、報告）",
                "privileged-ID management cloud (request, approve, lend, record, report)",
            ),
        }
    }
    const fn sources(self) -> (&'static str, &'static str) {
        match self {
            Self::Netmeister => {
                (include_str!("../claims/netmeister.toml"), include_str!("../claims/netmeister.ja.toml"))
            }
            Self::Mist => (include_str!("../claims/mist.toml"), include_str!("../claims/mist.ja.toml")),
            Self::Moxtra => (include_str!("../claims/moxtra.toml"), include_str!("../claims/moxtra.ja.toml")),
            Self::Dxsuite => (include_str!("../claims/dxsuite.toml"), include_str!("../claims/dxsuite.ja.toml")),
            Self::Idoperation => {
                (include_str!("../claims/idoperation.toml"), include_str!("../claims/idoperation.ja.toml"))
            }
        }
    }
}

/// Who keeps a claim, and so what can prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The running system; only a probe that acts on a running instance proves it.
    Enforced,
    /// People or an auditor; a dated record with an owner, evidence and a review interval shows it.
    Attested,
    /// The hosting provider; its report shows it until the report expires.
    Inherited,
}

impl Kind {
    /// The kind's name on screens and in papers.
    pub const fn title(self) -> Text {
        match self {
            Self::Enforced => Text::new("システムによる実施", "Enforced"),
            Self::Attested => Text::new("記録による確認", "Attested"),
            Self::Inherited => Text::new("事業者からの継承", "Inherited"),
        }
    }
}

/// A chapter of the paper: a run of areas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chapter {
    /// Stable key, for example `data`.
    pub id: String,
    /// The chapter's heading.
    pub title: Text,
}

/// A section of the paper: the subject that a claim belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Stable key, for example `sign-in`.
    pub id: String,
    /// The [`Chapter::id`] under which the section stands.
    pub chapter: String,
    /// The section's heading.
    pub title: Text,
    /// One paragraph on what the section is about. It promises nothing; only claims do.
    pub intro: Text,
}

/// One promise of one paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueClaim {
    /// Stable id, for example `NM-01`.
    pub id: String,
    /// The paper it comes from.
    pub file: ClaimFile,
    /// The promise, with its figures.
    pub says: Text,
    /// Who keeps it.
    pub kind: Kind,
    /// The [`Area::id`] it belongs to.
    pub area: String,
    /// What a proof has to show. Every enforced claim has one.
    pub probe: Option<Text>,
    /// Where the promise was only implied, or where the product goes beyond the paper.
    pub note: Option<Text>,
}

/// Every claim, file by file, each in the order of its paper.
pub fn all() -> &'static [CatalogueClaim] {
    &CATALOGUE.claims
}

/// The claim with this id, written exactly so (`NM-01`); `None` if there is none.
pub fn by_id(id: &str) -> Option<&'static CatalogueClaim> {
    CATALOGUE.index.get(id).and_then(|at| CATALOGUE.claims.get(*at))
}

/// The claims of one paper, in its order.
pub fn by_file(file: ClaimFile) -> impl Iterator<Item = &'static CatalogueClaim> {
    all().iter().filter(move |claim| claim.file == file)
}

/// The claims of one area, file by file; none for an unknown area.
pub fn by_area(area: &str) -> impl Iterator<Item = &'static CatalogueClaim> {
    all().iter().filter(move |claim| claim.area == area)
}

/// The areas in the order in which the paper presents them.
pub fn areas() -> &'static [Area] {
    &CATALOGUE.layout.areas
}

/// The area with this id; `None` if there is none.
pub fn area(id: &str) -> Option<&'static Area> {
    areas().iter().find(|area| area.id == id)
}

/// The chapters in the order in which the paper presents them; the areas of each follow one another in [`areas`].
pub fn chapters() -> &'static [Chapter] {
    &CATALOGUE.layout.chapters
}

struct Catalogue {
    claims: Vec<CatalogueClaim>,
    index: HashMap<String, usize>,
    layout: Layout,
}

struct Layout {
    chapters: Vec<Chapter>,
    areas: Vec<Area>,
}

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| load().expect("the catalogue is compiled in, and this crate's tests load it"));

fn load() -> Result<Catalogue, String> {
    let layout = parse_areas(include_str!("../claims/areas.toml"))?;
    let mut claims = Vec::new();
    for file in ClaimFile::ALL {
        let (en, ja) = file.sources();
        let parsed = parse_file(file, en, ja, &layout).map_err(|why| format!("{}: {why}", file.slug()))?;
        claims.extend(parsed);
    }
    let index = claims.iter().enumerate().map(|(at, claim)| (claim.id.clone(), at)).collect();
    Ok(Catalogue { claims, index, layout })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnglishFile {
    claim: Vec<EnglishClaim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnglishClaim {
    id: String,
    says: String,
    kind: Kind,
    area: String,
    probe: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JapaneseFile {
    ja: BTreeMap<String, String>,
    ja_probe: BTreeMap<String, String>,
    #[serde(default)]
    ja_note: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreasFile {
    chapter: Vec<ChapterEntry>,
    area: Vec<AreaEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChapterEntry {
    id: String,
    ja: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaEntry {
    id: String,
    chapter: String,
    ja: String,
    en: String,
    intro_ja: String,
    intro_en: String,
}

fn parse_areas(source: &str) -> Result<Layout, String> {
    let file: AreasFile = toml::from_str(source).map_err(|e| format!("areas: {e}"))?;
    let chapters: Vec<Chapter> =
        file.chapter.into_iter().map(|c| Chapter { id: c.id, title: Text::owned(c.ja, c.en) }).collect();
    let mut areas: Vec<Area> = Vec::with_capacity(file.area.len());
    let mut reached = 0;
    for entry in file.area {
        let at = chapters
            .iter()
            .position(|c| c.id == entry.chapter)
            .ok_or_else(|| format!("area {}: no chapter {}", entry.id, entry.chapter))?;
        if at < reached {
            return Err(format!("area {}: chapter {} is interrupted", entry.id, entry.chapter));
        }
        reached = at;
        if areas.iter().any(|known| known.id == entry.id) {
            return Err(format!("area {}: listed twice", entry.id));
        }
        areas.push(Area {
            id: entry.id,
            chapter: entry.chapter,
            title: Text::owned(entry.ja, entry.en),
            intro: Text::owned(entry.intro_ja, entry.intro_en),
        });
    }
    if let Some(empty) = chapters.iter().find(|c| !areas.iter().any(|a| a.chapter == c.id)) {
        return Err(format!("chapter {}: has no area", empty.id));
    }
    Ok(Layout { chapters, areas })
}

fn parse_file(file: ClaimFile, en: &str, ja: &str, layout: &Layout) -> Result<Vec<CatalogueClaim>, String> {
    let english: EnglishFile = toml::from_str(en).map_err(|e| e.to_string())?;
    let mut japanese: JapaneseFile = toml::from_str(ja).map_err(|e| e.to_string())?;
    let mut claims: Vec<CatalogueClaim> = Vec::with_capacity(english.claim.len());
    for claim in english.claim {
        let id = claim.id;
        if id.strip_prefix(file.prefix()).is_none_or(|rest| !rest.starts_with('-')) {
            return Err(format!("{id}: does not begin with {}-", file.prefix()));
        }
        if claims.iter().any(|known| known.id == id) {
            return Err(format!("{id}: listed twice"));
        }
        if !layout.areas.iter().any(|area| area.id == claim.area) {
            return Err(format!("{id}: no area {}", claim.area));
        }
        if claim.kind == Kind::Enforced && claim.probe.is_none() {
            return Err(format!("{id}: enforced, yet nothing says what a proof has to show"));
        }
        let says = japanese.ja.remove(&id).ok_or_else(|| format!("{id}: no Japanese"))?;
        let pair = |en: Option<String>, table: &mut BTreeMap<String, String>, what: &str| match en {
            None => Ok(None),
            Some(en) => match table.remove(&id) {
                Some(ja) => Ok(Some(Text::owned(ja, en))),
                None => Err(format!("{id}: no Japanese of its {what}")),
            },
        };
        claims.push(CatalogueClaim {
            file,
            says: Text::owned(says, claim.says),
            kind: claim.kind,
            area: claim.area,
            probe: pair(claim.probe, &mut japanese.ja_probe, "probe")?,
            note: pair(claim.note, &mut japanese.ja_note, "note")?,
            id,
        });
    }
    let left = [&japanese.ja, &japanese.ja_probe, &japanese.ja_note].into_iter().flat_map(|table| table.keys()).next();
    match left {
        Some(id) => Err(format!("{id}: Japanese without its English")),
        None => Ok(claims),
    }
}

#[cfg(test)]
mod tests;
