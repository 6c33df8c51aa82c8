//! Nothing unproven is printed as a fact.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sekisho_controls::{
    CONTROLS,
    catalogue::{ClaimFile, all},
};
use sekisho_kernel::{
    Lang, Time,
    claim::{Stage, Verdict},
    policy::spoken,
};
use sekisho_paper::{Format, Proof, paper};

use crate::catalogue::{NOW, evidence, input, policy, sources, without_data};

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// Each claim's block of an HTML paper by id, and what is left of the paper without them.
fn articles(paper: &str) -> (BTreeMap<String, String>, String) {
    let mut pieces = paper.split("<article ");
    let mut rest = pieces.next().expect("a head").to_owned();
    let mut found = BTreeMap::new();
    for piece in pieces {
        let (article, after) = piece.split_once("</article>").expect("closed");
        let id = article.split("id=\"").nth(1).and_then(|r| r.split('"').next()).expect("an id");
        assert!(found.insert(id.to_owned(), article.to_owned()).is_none(), "{id} is printed twice");
        rest.push_str(after);
    }
    (found, rest)
}

/// Whether the paragraph of a control is printed, figures filled in from the netmeister profile or not.
fn printed(rest: &str, text: &str, lang: Lang) -> bool {
    let policy = policy("netmeister");
    let filled = policy
        .schema()
        .iter()
        .fold(text.to_owned(), |t, s| t.replace(&format!("{{{}}}", s.key), &spoken(&policy.value(s), lang)));
    rest.contains(&html(&filled)) || rest.contains(&html(text))
}

fn check(proofs: &BTreeMap<String, Proof>, holds: &dyn Fn(&str) -> bool) {
    let policy = policy("netmeister");
    for lang in Lang::ALL {
        let papers = sources(&ClaimFile::ALL, |id| proofs[id].clone());
        let input = input(Some(&policy), papers);
        let (articles, rest) = articles(&paper(&input, lang, Format::Html));
        let markdown = paper(&input, lang, Format::Md);
        assert_eq!(articles.len(), all().len(), "every claim is printed once");
        for claim in all() {
            let article = &articles[&claim.id];
            let says = html(claim.says.get(lang));
            let fact = format!("<p class=\"says\">{says}</p>");
            let quoted = format!("<q>{says}</q>");
            assert_eq!(article.contains(&fact), holds(&claim.id), "{}: {article}", claim.id);
            assert_eq!(article.contains(&quoted), !holds(&claim.id), "{}: {article}", claim.id);
            let mark = article.find("<span class=\"mark\">").expect("a mark");
            assert!(mark < article.find(&says).expect("the sentence"), "the mark comes first");
            let is_holds =
                article.contains(&format!("<span class=\"mark\">{}</span>", Verdict::Holds.text().get(lang)));
            assert_eq!(is_holds, holds(&claim.id), "{}", claim.id);
            assert!(holds(&claim.id) || !rest.contains(&says), "{} is printed outside its block", claim.id);
            let line = markdown.lines().find(|l| l.starts_with(&format!("- **{}** ", claim.id))).expect("a line");
            let quote = if lang == Lang::Ja { "表明: 「" } else { "Claimed: “" };
            assert_eq!(line.contains(quote), !holds(&claim.id), "{line}");
        }
        for (ids, text) in CONTROLS.iter().flat_map(|c| c.paper.paragraphs) {
            // Equal claims of several papers stand together; each paper's own decide for that paper.
            let proven = ClaimFile::ALL.iter().any(|file| {
                let own: Vec<&&str> = ids.iter().filter(|id| id.starts_with(&format!("{}-", file.prefix()))).collect();
                !own.is_empty() && own.iter().all(|id| holds(id))
            });
            assert_eq!(printed(&rest, text.get(lang), lang), proven, "{ids:?} {}", text.get(lang));
        }
    }
}

#[test]
fn without_data_every_claim_of_all_five_is_printed_as_not_proven_or_not_kept() {
    let proofs = all().iter().map(|c| (c.id.clone(), without_data(&c.id))).collect();
    check(&proofs, &|_| false);
    let input = input(None, sources(&ClaimFile::ALL, without_data));
    let text = paper(&input, Lang::En, Format::Md);
    let kept = sekisho_controls::specs().count();
    let not_proven = format!("| Not proven | a control exists, but there is no evidence of it here | {kept} |");
    assert!(text.contains(&not_proven), "{text}");
    let not_kept = format!("| Not kept yet | no control keeps it yet | {} |", all().len() - kept);
    assert!(text.contains(&not_kept), "{text}");
    assert!(text.contains("| Holds | there is fresh evidence for this build and this policy | 0 |"));
}

#[test]
fn with_everything_proven_every_sentence_is_a_fact() {
    let proofs = all().iter().map(|c| (c.id.clone(), evidence(Verdict::Holds))).collect();
    check(&proofs, &|_| true);
}

#[test]
fn evidence_that_lacks_anything_is_not_a_fact() {
    let good = || evidence(Verdict::Holds);
    let later = Time::from_secs(NOW.secs() + 1);
    for (what, proof) in [
        ("no stage", Proof { stage: None, ..good() }),
        ("no time", Proof { at: None, ..good() }),
        ("a time to come", Proof { at: Some(later), ..good() }),
        ("no end", Proof { fresh_until: None, ..good() }),
        ("an end that has come", Proof { fresh_until: Some(NOW), ..good() }),
        ("no reference", Proof { reference: None, ..good() }),
        ("an empty reference", Proof { reference: Some(" ".into()), ..good() }),
    ] {
        let policy = policy("netmeister");
        let input = input(Some(&policy), sources(&[ClaimFile::Netmeister], |_| proof.clone()));
        let (articles, _) = articles(&paper(&input, Lang::En, Format::Html));
        assert!(
            articles.values().all(|a| a.contains("<span class=\"mark\">Stale</span>") && a.contains("<q>")),
            "{what}"
        );
    }
    let overdue = Proof { fresh_until: Some(NOW), ..evidence(Verdict::Attested) };
    let input = input(None, sources(&[ClaimFile::Dxsuite], |_| overdue.clone()));
    assert!(!paper(&input, Lang::En, Format::Html).contains("<span class=\"mark\">Attested</span>"));
}

fn proof() -> impl Strategy<Value = Proof> {
    let time = |around: i64| prop::option::of((around - 100..around + 100).prop_map(Time::from_secs));
    (
        prop::sample::select(&Verdict::ALL[..]),
        prop::option::weighted(0.9, prop::sample::select(&[Stage::Rehearsal, Stage::Live][..])),
        time(NOW.secs() - 90),
        time(NOW.secs() + 90),
        prop::option::weighted(0.9, "[a-z ]{0,3}"),
        prop::collection::vec("[a-z<>*|]{1,9}", 0..2),
    )
        .prop_map(|(verdict, stage, at, fresh_until, reference, missing)| Proof {
            verdict,
            stage,
            at,
            fresh_until,
            reference,
            missing,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sentence_stands_without_its_mark(proofs in prop::collection::vec(proof(), all().len())) {
        let proofs: BTreeMap<String, Proof> = all().iter().map(|c| c.id.clone()).zip(proofs).collect();
        let holds = |id: &str| {
            let p = &proofs[id];
            p.verdict == Verdict::Holds
                && p.stage.is_some()
                && p.at.is_some_and(|t| t <= NOW)
                && p.fresh_until.is_some_and(|t| t > NOW)
                && p.reference.as_ref().is_some_and(|r| !r.trim().is_empty())
        };
        check(&proofs, &holds);
    }
}
