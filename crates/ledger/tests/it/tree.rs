//! Trees, tiles and proofs.

use std::collections::HashMap;

use proptest::prelude::*;
use sekisho_kernel::Problem;
use sekisho_ledger::*;

/// The test leaves of the Certificate Transparency reference implementation.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const D: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const N96: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const N5F: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const N6B: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const NBC: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const NCA: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const N0E: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

fn hash(text: &str) -> Hash {
    Hash::from_slice(&hex::decode(text).unwrap()).unwrap()
}

#[derive(Default)]
struct Memory(HashMap<TileId, Vec<u8>>);

impl Tiles for Memory {
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.get(&id).cloned())
    }
}

impl Memory {
    fn of(leaves: &[Hash]) -> Self {
        let mut out = Self::default();
        out.store(Edge::new().append(leaves));
        out
    }
    fn store(&mut self, writes: Vec<TileWrite>) {
        self.0.extend(writes.into_iter().map(|w| (w.id, w.bytes)));
    }
}

/// RFC 6962 §2.1, as it is written there.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [one] => *one,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

fn numbered(n: usize) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

#[test]
fn published_roots() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|l| leaf_hash(&hex::decode(l).unwrap())).collect();
    for (size, root) in ROOTS.iter().enumerate() {
        let mut frontier = Frontier::new();
        leaves[..size].iter().for_each(|l| frontier.push(*l));
        assert_eq!(frontier.root(), hash(root));
        let mut edge = Edge::new();
        let _ = edge.append(&leaves[..size]);
        assert_eq!(edge.root(), hash(root));
        assert_eq!(Tree::new(&Memory::of(&leaves), size as u64).root().unwrap(), hash(root));
    }
}

#[test]
fn published_proofs() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|l| leaf_hash(&hex::decode(l).unwrap())).collect();
    let tiles = Memory::of(&leaves);
    let proof = |list: &[&str]| list.iter().map(|t| hash(t)).collect::<Vec<_>>();
    for (index, size, expected) in
        [(0, 8, proof(&[N96, N5F, N6B])), (5, 8, proof(&[NBC, NCA, D])), (2, 3, proof(&[ROOTS[2]])), (0, 1, proof(&[]))]
    {
        assert_eq!(inclusion_proof(&Tree::new(&tiles, size), index).unwrap(), expected);
        let root = hash(ROOTS[size as usize]);
        assert!(verify_inclusion(&leaves[index as usize], index, size, &expected, &root));
    }
    for (first, second, expected) in [
        (1, 8, proof(&[N96, N5F, N6B])),
        (6, 8, proof(&[N0E, NCA, D])),
        (2, 5, proof(&[N5F, NBC])),
        (1, 1, proof(&[])),
        (0, 8, proof(&[])),
    ] {
        assert_eq!(consistency_proof(&Tree::new(&tiles, second), first).unwrap(), expected);
        let (old, new) = (hash(ROOTS[first as usize]), hash(ROOTS[second as usize]));
        assert!(verify_consistency(first, &old, second, &new, &expected));
    }
}

#[test]
fn a_tree_deep_enough_for_three_levels_of_tiles() {
    let leaves = numbered(70_000);
    let mut tiles = Memory::default();
    let mut edge = Edge::new();
    for batch in leaves.chunks(997) {
        tiles.store(edge.append(batch));
    }
    // The example of C2SP tlog-tiles, "Partial Tiles".
    let width = |level, index| tiles.0[&TileId { level, index }].len() / 32;
    assert_eq!((0..273).map(|i| width(0, i)).sum::<usize>(), 273 * 256);
    assert_eq!([width(0, 273), width(1, 0), width(1, 1), width(2, 0)], [112, 256, 17, 1]);
    assert_eq!(tiles.0.len(), 274 + 2 + 1);
    let root = naive(&leaves);
    assert_eq!(edge.root(), root);
    assert_eq!(Edge::load(&tiles, 70_000).unwrap(), edge);
    let tree = Tree::new(&tiles, 70_000);
    assert_eq!(tree.root().unwrap(), root);
    for index in [0, 255, 256, 65_535, 65_536, 69_999] {
        let proof = inclusion_proof(&tree, index).unwrap();
        assert!(verify_inclusion(&leaves[index as usize], index, 70_000, &proof, &root));
    }
    for first in [1, 256, 65_536, 65_537, 69_999, 70_000] {
        let proof = consistency_proof(&tree, first).unwrap();
        let old = naive(&leaves[..first as usize]);
        assert!(verify_consistency(first, &old, 70_000, &root, &proof));
    }
}

#[test]
fn beyond_the_tree_and_missing_tiles_are_problems() {
    let tiles = Memory::of(&numbered(300));
    let tree = Tree::new(&tiles, 300);
    assert!(inclusion_proof(&tree, 300).is_err());
    assert!(consistency_proof(&tree, 301).is_err());
    assert!(tree.node(63, u64::MAX).is_err());
    assert!(Edge::load(&tiles, 301).unwrap_err().is(&problem::TILE_MISSING));
    let empty = Memory::default();
    assert!(Tree::new(&empty, 5).root().is_err());
    assert_eq!(Tree::new(&empty, 0).root().unwrap(), EMPTY_ROOT);
}

#[test]
fn tile_paths() {
    // The example of C2SP tlog-tiles.
    assert_eq!(TileId { level: 0, index: 1_234_067 }.path(256), "tile/0/x001/x234/067");
    assert_eq!(TileId { level: 2, index: 67 }.path(8), "tile/2/067.p/8");
}

proptest! {
    #[test]
    fn any_sequence_of_appends_has_the_naive_root(batches in prop::collection::vec(0usize..400, 0..8)) {
        let leaves = numbered(batches.iter().sum());
        let (mut edge, mut frontier, mut tiles, mut at) = (Edge::new(), Frontier::new(), Memory::default(), 0);
        for batch in batches {
            let next = &leaves[at..at + batch];
            tiles.store(edge.append(next));
            next.iter().for_each(|l| frontier.push(*l));
            at += batch;
            let root = naive(&leaves[..at]);
            prop_assert_eq!(edge.root(), root);
            prop_assert_eq!(frontier.root(), root);
            prop_assert_eq!(Tree::new(&tiles, at as u64).root().unwrap(), root);
            prop_assert_eq!(&Edge::load(&tiles, at as u64).unwrap(), &edge);
        }
        let rebuilt = Frontier::from_parts(frontier.size(), frontier.peaks().to_vec());
        prop_assert_eq!(rebuilt, Some(frontier));
    }

    #[test]
    fn inclusion_proofs_hold_and_nothing_else_does(size in 1u64..600, index in 0u64..600, bit in 0usize..100_000) {
        let index = index % size;
        let leaves = numbered(size as usize);
        let tiles = Memory::of(&leaves);
        let (leaf, root) = (leaves[index as usize], naive(&leaves));
        let mut proof = inclusion_proof(&Tree::new(&tiles, size), index).unwrap();
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root));
        prop_assert!(!verify_inclusion(&leaf, size, size, &proof, &root));
        prop_assert!(!verify_inclusion(&leaf_hash(b"another"), index, size, &proof, &root));
        prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &leaf_hash(b"another")));
        for other in [index.wrapping_sub(1), index + 1] {
            prop_assert!(!verify_inclusion(&leaf, other, size, &proof, &root));
        }
        if proof.is_empty() {
            return Ok(());
        }
        let at = bit % (proof.len() * 256);
        proof[at / 256].0[at / 8 % 32] ^= 1 << (at % 8);
        prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &root));
        proof[at / 256].0[at / 8 % 32] ^= 1 << (at % 8);
        proof.push(leaf);
        prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &root));
        proof.truncate(proof.len() - 2);
        prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &root));
    }

    #[test]
    fn consistency_proofs_hold_and_nothing_else_does(second in 1u64..600, first in 1u64..600, bit in 0usize..100_000) {
        let first = first % second + 1;
        let leaves = numbered(second as usize);
        let tiles = Memory::of(&leaves);
        let (old, new) = (naive(&leaves[..first as usize]), naive(&leaves));
        let mut proof = consistency_proof(&Tree::new(&tiles, second), first).unwrap();
        prop_assert!(verify_consistency(first, &old, second, &new, &proof));
        prop_assert!(!verify_consistency(first, &leaf_hash(b"another"), second, &new, &proof));
        prop_assert!(!verify_consistency(first, &old, second, &leaf_hash(b"another"), &proof));
        prop_assert!(!verify_consistency(second + 1, &old, second, &new, &proof));
        if proof.is_empty() {
            return Ok(());
        }
        let at = bit % (proof.len() * 256);
        proof[at / 256].0[at / 8 % 32] ^= 1 << (at % 8);
        prop_assert!(!verify_consistency(first, &old, second, &new, &proof));
        proof[at / 256].0[at / 8 % 32] ^= 1 << (at % 8);
        proof.push(old);
        prop_assert!(!verify_consistency(first, &old, second, &new, &proof));
    }

    #[test]
    fn a_cover_stands_for_its_leaves(size in 0u64..700, from in 0u64..700, to in 0u64..700) {
        let (from, to) = (from.min(size), to.min(size));
        let leaves = numbered(size as usize);
        let tiles = Memory::of(&leaves);
        let tree = Tree::new(&tiles, size);
        let mut frontier = Frontier::new();
        leaves[..from.min(to) as usize].iter().for_each(|l| frontier.push(*l));
        for (level, index) in cover(from.min(to), to) {
            prop_assert!(frontier.push_subtree(level, tree.node(level, index).unwrap()));
        }
        leaves[to as usize..].iter().for_each(|l| frontier.push(*l));
        prop_assert_eq!(frontier.root(), naive(&leaves));
    }

    #[test]
    fn hostile_proofs_never_panic(index: u64, size: u64, first: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let proof: Vec<Hash> = hashes.into_iter().map(Hash).collect();
        prop_assert!(!verify_inclusion(&EMPTY_ROOT, index, size, &proof, &EMPTY_ROOT));
        let consistent = verify_consistency(first, &EMPTY_ROOT, size, &leaf_hash(b""), &proof);
        prop_assert!(!consistent || (first == 0 && size > 0 && proof.is_empty()));
    }
}
