//! Claims, their clauses, and the paper's texts hold together.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_controls::{CONTROLS, all, catalogue, probes, spec, specs};

/// What the first passage keeps.
const KEPT: [&str; 49] = [
    "NM-01", "NM-02", "NM-03", "NM-04", "NM-05", "NM-06", "NM-07", "NM-09", "NM-27", "NM-28", "NM-35", "MIST-03",
    "MIST-04", "MIST-09", "MIST-16", "MIST-17", "MIST-22", "MIST-24", "MIST-25", "MOX-15", "MOX-16", "MOX-22",
    "MOX-23", "MOX-24", "MOX-25", "MOX-26", "MOX-27", "MOX-28", "MOX-29", "MOX-30", "MOX-31", "MOX-32", "MOX-33",
    "MOX-34", "MOX-37", "MOX-50", "MOX-53", "DX-03", "DX-04", "DX-14", "DX-18", "IDO-07", "IDO-08", "IDO-25", "IDO-36",
    "IDO-39", "IDO-40", "IDO-41", "IDO-43",
];

#[test]
fn exactly_the_kept_claims_have_a_spec() {
    let mut found: Vec<&str> = specs().map(|s| s.id).collect();
    let mut kept = KEPT.to_vec();
    found.sort_unstable();
    kept.sort_unstable();
    assert_eq!(found, kept);
}

#[test]
fn every_spec_is_of_a_catalogued_claim_and_names_its_negative_clause() {
    for spec in specs() {
        let claim = catalogue::by_id(spec.id).unwrap_or_else(|| panic!("{} is not in the catalogue", spec.id));
        // Of what people attest, a probe sees a part; the rest is a clause of its own.
        let beside_a_record = claim.kind == catalogue::Kind::Attested && spec.clauses.contains(&"record");
        assert!(claim.kind == catalogue::Kind::Enforced || beside_a_record, "{}", spec.id);
        assert!(spec.clauses.contains(&spec.negative_clause), "{}: {}", spec.id, spec.negative_clause);
        let unique: BTreeSet<&str> = spec.clauses.iter().copied().collect();
        assert_eq!(unique.len(), spec.clauses.len(), "{}: a clause is listed twice", spec.id);
        for clause in spec.clauses {
            assert!(
                clause
                    .split('-')
                    .all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())),
                "{}: {clause}",
                spec.id
            );
        }
        assert!(spec.fresh_secs >= 86_400 && spec.fresh_secs <= 7 * 86_400, "{}", spec.id);
    }
}

#[test]
fn a_claim_that_names_another_one_runs_its_clauses_too() {
    let mut seen = 0;
    for kept in specs() {
        let claim = catalogue::by_id(kept.id).expect("catalogued");
        let probe = claim.probe.as_ref().expect("an enforced claim says what to show").en.to_string();
        for (at, _) in
            probe.match_indices("s ").filter(|(at, _)| matches!(probe[..*at].chars().next_back(), Some('A' | 'a')))
        {
            let named: String =
                probe[at + 2..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            // "As MOX-33, per tenant" is the same thing done to another subject.
            let same_subject = !probe[at + 2 + named.len()..].starts_with(", per tenant");
            if let Some(other) = spec(&named).filter(|_| same_subject) {
                seen += 1;
                for clause in other.clauses {
                    assert!(kept.clauses.contains(clause), "{} lacks {clause} of {named}", kept.id);
                }
            }
        }
    }
    assert_eq!(seen, 9, "NM-27, MOX-23, MOX-29, DX-18, IDO-07, IDO-25, IDO-39, IDO-40, IDO-41 name others");
}

#[test]
fn every_probe_belongs_to_its_control_and_no_claim_has_two() {
    let ids: Vec<&str> = probes().iter().map(|p| p.spec().id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    let without: Vec<&str> = specs().map(|s| s.id).filter(|id| !unique.contains(id)).collect();
    assert!(without.is_empty(), "claims without a probe: {without:?}");
    for control in CONTROLS {
        for probe in (control.probes)() {
            assert!(control.claims.iter().any(|c| c.id == probe.spec().id), "{}: {}", control.section, probe.spec().id);
        }
    }
}

#[test]
fn every_kept_claim_has_its_paragraph_and_every_figure_its_setting() {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let schema = sekisho_controls::schema();
    for control in CONTROLS {
        for (claims, text) in control.paper.paragraphs {
            assert!(!claims.is_empty(), "{}: a paragraph that nothing proves", control.section);
            for id in *claims {
                assert!(control.claims.iter().any(|c| c.id == *id), "{}: {id}", control.section);
                *told.entry(id).or_default() += 1;
            }
            let figures = |t: &str| -> BTreeSet<String> {
                t.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect()
            };
            assert_eq!(figures(&text.ja), figures(&text.en), "{}", control.section);
            for key in figures(&text.en) {
                assert!(schema.get(&key).is_some(), "{}: no setting {key}", control.section);
            }
        }
    }
    let silent: Vec<&str> = KEPT.into_iter().filter(|id| !told.contains_key(id)).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn the_trait_shows_what_the_value_declares() {
    let controls = all();
    assert_eq!(controls.len(), CONTROLS.len());
    for (control, declared) in controls.iter().zip(CONTROLS) {
        assert_eq!(control.section(), declared.section);
        assert!(control.settings().iter().all(|s| s.key.starts_with(&format!("{}.", declared.section))));
        assert!(!control.text().ja.is_empty() && !control.paper().heading.en.is_empty());
    }
}
