//! The golden file of which probes turn with each control taken out. Making it anew takes a rehearsal of every claim for every
//! control (a quarter of an hour): `sekisho --lang en prove --negative --matrix > crates/controls/tests/it/golden/turned.txt`, or with
//! `--control` and `--claim` only the rows and columns that are new.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_controls::{spec, specs};

const TURNED: &str = include_str!("golden/turned.txt");

fn rows() -> BTreeMap<String, BTreeSet<String>> {
    let mut rows = BTreeMap::new();
    for line in TURNED.lines() {
        let (control, turned) = line.split_once(": ").unwrap_or_else(|| panic!("not a row: {line}"));
        let turned = turned.split(' ').map(str::to_owned).collect();
        assert!(rows.insert(control.to_owned(), turned).is_none(), "{control} has two rows");
    }
    rows
}

#[test]
fn every_control_that_can_be_taken_out_has_a_row_and_no_other() {
    let found: BTreeSet<String> = rows().into_keys().collect();
    let wanted: BTreeSet<String> = specs().map(|s| s.negative.name()).collect();
    assert_eq!(found, wanted, "a new control needs its row: `prove --negative --matrix --control NAME`");
}

#[test]
fn every_claim_turns_with_its_own_control() {
    let rows = rows();
    for spec in specs() {
        let row = rows.get(&spec.negative.name()).unwrap_or_else(|| panic!("no row of {}", spec.negative.name()));
        assert!(row.contains(spec.id), "{} does not turn without {}", spec.id, spec.negative.name());
    }
}

#[test]
fn only_kept_claims_turn() {
    for (control, turned) in rows() {
        for id in turned {
            assert!(spec(&id).is_some(), "{control}: {id} is not kept");
        }
    }
}
