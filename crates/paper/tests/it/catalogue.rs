//! The real catalogue as the paper's input.

use sekisho_controls::{CONTROLS, catalogue, profile, schema, spec};
use sekisho_kernel::{
    Policy, Time, Zone,
    claim::{Stage, Verdict},
    policy::{Source as File, read},
};
use sekisho_paper::{Area, Chapter, Claim, Input, Proof, Source};

/// When the test papers are written.
pub const NOW: Time = Time::from_secs(1_795_000_000);

/// What is known without evidence.
pub fn without_data(id: &str) -> Proof {
    Proof::bare(if spec(id).is_some() { Verdict::NotProven } else { Verdict::NotKeptYet })
}

/// Complete, fresh evidence with this verdict.
pub fn evidence(verdict: Verdict) -> Proof {
    Proof {
        verdict,
        stage: Some(Stage::Rehearsal),
        at: Some(Time::from_secs(NOW.secs() - 60)),
        fresh_until: Some(Time::from_secs(NOW.secs() + 60)),
        reference: Some("evt_0198c2b4".into()),
        missing: Vec::new(),
    }
}

pub fn policy(name: &str) -> Policy {
    let file = File::new(format!("{name}.toml"), profile(name).expect("a profile"));
    read(&schema(), &file, &profile).expect("a valid profile")
}

pub fn sources(papers: &[catalogue::ClaimFile], proof: impl Fn(&str) -> Proof) -> Vec<Source> {
    let claims = |file| {
        catalogue::by_file(file)
            .map(|c| Claim {
                id: c.id.clone(),
                says: c.says.clone(),
                kind: c.kind.title(),
                area: c.area.clone(),
                proof: proof(&c.id),
            })
            .collect()
    };
    papers.iter().map(|f| Source { title: f.title(), service: f.service(), claims: claims(*f) }).collect()
}

pub fn input<'a>(policy: Option<&'a Policy>, papers: Vec<Source>) -> Input<'a> {
    let areas = |chapter: &catalogue::Chapter| {
        catalogue::areas()
            .iter()
            .filter(|a| a.chapter == chapter.id)
            .map(|a| Area { id: a.id.clone(), title: a.title.clone(), intro: a.intro.clone() })
            .collect()
    };
    Input {
        service: "Sekisho",
        policy,
        build: "0.1.0",
        at: NOW,
        zone: Zone::parse("JST").expect("a zone"),
        chapters: catalogue::chapters().iter().map(|c| Chapter { title: c.title.clone(), areas: areas(c) }).collect(),
        papers,
        controls: CONTROLS.iter().map(|c| c.paper).collect(),
        catalogue: Vec::new(),
        places: Vec::new(),
    }
}
