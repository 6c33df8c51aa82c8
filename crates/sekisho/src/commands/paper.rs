//! `sekisho paper`: the white paper from policy and evidence.

use std::path::PathBuf;

use sekisho_controls::catalogue::{self, ClaimFile};
use sekisho_kernel::{
    Clock, Effective, Lang, Problem, SystemClock, Text, Zone,
    claim::{Control, StepKind, Verdict},
    gate::Gates,
    world::CommandOutcome,
};
use sekisho_paper::{Area, Chapter, Claim, Format, Input, Place, Proof, Source};
use sekisho_prober::Evidence;

use super::{bad_policy, open, said, unreadable};
use crate::{
    cli::{self, PaperFormat},
    instance, policies, process, settings, socket,
};

/// Writes it.
///
/// # Errors
/// The data cannot be opened or the file not written.
pub async fn run(
    format: PaperFormat,
    policy: Option<PathBuf>,
    data: Option<PathBuf>,
    output: Option<PathBuf>,
    lang: Lang,
) -> Result<CommandOutcome, Problem> {
    let schema = settings::schema();
    let mut read = None;
    if let Some(file) = &policy {
        match policies::from_file(&schema, file, lang) {
            Ok(policy) => read = Some(policy),
            Err(unreadable) => return Ok(bad_policy(unreadable)),
        }
    }
    let mut evidence = Vec::new();
    if let Some(dir) = data {
        let place = cli::Place { data: dir, policy: policy.clone(), root_key: None, passphrase_file: None };
        evidence = match evidence_of(&place, lang).await? {
            Ok(found) => found,
            Err(outcome) => return Ok(outcome),
        };
        if read.is_none() {
            match policies::from_file(&schema, &super::paths(&place).policy, lang) {
                Ok(policy) => read = Some(policy),
                Err(unreadable) => return Ok(bad_policy(unreadable)),
            }
        }
    }
    let text = write(read.as_ref(), &evidence, lang, format);
    match output {
        None => Ok(said(text)),
        Some(file) => {
            std::fs::write(&file, text).map_err(|e| unreadable(&file, &e))?;
            Ok(said(format!("{}\n", file.display())))
        }
    }
}

type Worth = Vec<(Evidence, Verdict)>;

async fn evidence_of(place: &cli::Place, lang: Lang) -> Result<Result<Worth, CommandOutcome>, Problem> {
    let words = [lang.tag().to_owned(), "evidence".into(), "list".into()];
    let asked = socket::ask(&place.data, &words, None).await.map_err(|e| unreadable(&socket::path(&place.data), &e))?;
    if let Some(outcome) = asked {
        if outcome.code != 0 {
            return Ok(Err(outcome));
        }
        let found = serde_json::from_str(&outcome.stdout)
            .map_err(|e| Problem::new(&sekisho_kernel::problem::INTERNAL).log(e))?;
        return Ok(Ok(found));
    }
    match open(place, lang).await? {
        Err(outcome) => Ok(Err(outcome)),
        Ok(mut instance) => {
            let found = instance.shelf.worth().await;
            instance.stop(std::time::Duration::ZERO).await;
            found.map(Ok)
        }
    }
}

fn write(policy: Option<&sekisho_kernel::Policy>, evidence: &Worth, lang: Lang, format: PaperFormat) -> String {
    let gates = sekisho_controls::Gates::whole();
    let zone = policy.and_then(|p| gates.audit(&Effective::platform(p.clone().into())).zone).unwrap_or_else(Zone::utc);
    // A policy that is one of the five papers' own, or extends one, prints that paper; anything else prints all five.
    let named = policy.and_then(|p| ClaimFile::from_slug(p.name()));
    let files: Vec<ClaimFile> = named.map_or_else(|| ClaimFile::ALL.to_vec(), |file| vec![file]);
    let papers = files
        .into_iter()
        .map(|file| Source {
            title: file.title(),
            service: file.service(),
            claims: catalogue::by_file(file).map(|claim| one(claim, evidence)).collect(),
        })
        .collect();
    let chapters = catalogue::chapters()
        .iter()
        .map(|chapter| Chapter {
            title: chapter.title.clone(),
            areas: catalogue::areas()
                .iter()
                .filter(|a| a.chapter == chapter.id)
                .map(|a| Area { id: a.id.clone(), title: a.title.clone(), intro: a.intro.clone() })
                .collect(),
        })
        .collect();
    let input = Input {
        service: policy.map_or("Sekisho", sekisho_kernel::Policy::name),
        policy,
        build: process::build(),
        at: SystemClock.now(),
        zone,
        chapters,
        papers,
        controls: sekisho_controls::all().iter().map(|c| Control::paper(&**c)).collect(),
        catalogue: instance::catalogue(),
        places: places(),
    };
    let format = match format {
        PaperFormat::Html => Format::Html,
        PaperFormat::Md => Format::Md,
    };
    sekisho_paper::paper(&input, lang, format)
}

fn one(claim: &catalogue::CatalogueClaim, evidence: &Worth) -> Claim {
    let kept = sekisho_controls::spec(&claim.id).is_some();
    let proof = match evidence.iter().find(|(e, _)| e.claim == claim.id) {
        Some((e, verdict)) => Proof {
            verdict: *verdict,
            stage: Some(e.stage),
            at: Some(e.at),
            fresh_until: Some(e.fresh_until),
            reference: Some(sekisho_prober::evidence::sha256_hex(&e.statement())),
            missing: e.steps.iter().filter(|s| s.kind == StepKind::Missing).map(|s| s.tried.clone()).collect(),
        },
        None => Proof {
            verdict: if kept { Verdict::NotProven } else { Verdict::NotKeptYet },
            stage: None,
            at: None,
            fresh_until: None,
            reference: None,
            missing: Vec::new(),
        },
    };
    Claim { id: claim.id.clone(), says: claim.says.clone(), kind: claim.kind.title(), area: claim.area.clone(), proof }
}

fn places() -> Vec<Place> {
    vec![
        Place {
            what: Text::new("データベース", "Database"),
            location: Text::new("データディレクトリー、または PostgreSQL", "The data directory, or PostgreSQL"),
            data: Text::new("すべての記録（本文は暗号化）", "All records, their bodies sealed"),
        },
        Place {
            what: Text::new("ルート鍵", "Root key"),
            location: Text::new(
                "データディレクトリーの外のファイル、またはパスフレーズ",
                "A file outside the data directory, or a passphrase",
            ),
            data: Text::new("鍵を包む鍵", "The key that wraps keys"),
        },
        Place {
            what: Text::new("チェックポイントの控え", "Copies of checkpoints"),
            location: Text::new("データベースの外のファイル", "A file outside the database"),
            data: Text::new("署名済みのハッシュ値のみ", "Signed hashes only"),
        },
    ]
}
