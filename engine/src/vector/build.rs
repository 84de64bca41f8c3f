//! Builds graphs: rows are inserted in parallel (algorithm 1 of Malkov and Yashunin, 2018), neighbours chosen by their
//! heuristic (algorithm 4), distances in int8. The test beside this file holds it against hnsw_rs.

use std::path::Path;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::file::VectorFile;
use super::format::quantise;
use super::graph::{LAYERS, LayerLists, to_bytes};
use super::growing::GrowingLayer;
use super::kernel::{Codes, Kernel, Rows, prefetch};
use super::walk::{Ground, Place, Walker};
use super::write::write_with_graph;

/// Links a row is given when it is inserted; a row may hold twice as many on layer 0 (M of the paper).
const LINKS: usize = 16;
/// Rows looked at for each insertion (efConstruction of the paper).
const EF_CONSTRUCTION: usize = 200;
/// Rows inserted one after another before the others follow in parallel, so that these find a graph to walk.
const ALONE: u32 = 1_000;

/// Writes `flat` again to `path`, with a graph.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn add_graph(path: &Path, flat: &VectorFile) -> Result<(), crate::Error> {
    write_with_graph(path, flat, &build(flat))
}

/// The graph section for the rows of `flat`, which has at least one.
pub(super) fn build(flat: &VectorFile) -> Vec<u8> {
    match flat.rows_in_int8() {
        Some(rows) => Builder::new(rows).build(),
        None => {
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            for row in 0..flat.rows() as u32 {
                let (scale, row) = quantise(&flat.values(row));
                codes.extend(row);
                scales.push(scale);
            }
            Builder::new(Rows::new(&codes, &scales, flat.shape().dimensions)).build()
        }
    }
}

/// Rows and the links they have so far.
struct Builder<'a> {
    kernel: Kernel,
    rows: Rows<'a>,
    layers: Vec<GrowingLayer>,
    /// The highest layer of each row.
    levels: Vec<u8>,
    /// The row where walks start: the first of those on the highest layer.
    entry: u32,
}

impl<'a> Builder<'a> {
    fn new(rows: Rows<'a>) -> Self {
        let levels: Vec<u8> = (0..rows.len() as u64).map(level).collect();
        let top = levels.iter().copied().max().unwrap_or(0);
        let entry = levels.iter().position(|&level| level == top).unwrap_or(0) as u32;
        let members = |layer| {
            let rows = (0..).zip(&levels).filter(|(_, level)| **level >= layer);
            rows.map(|(row, _)| row).collect()
        };
        let mut layers = vec![GrowingLayer::of_all(levels.len(), 2 * LINKS)];
        layers.extend((1..=top).map(|layer| GrowingLayer::of(members(layer), LINKS)));
        Self { kernel: Kernel::best(), rows, layers, levels, entry }
    }

    fn build(self) -> Vec<u8> {
        let rows = self.rows.len() as u32;
        let alone = rows.min(ALONE);
        let insert = |row: u32| {
            if row != self.entry {
                self.insert(row);
            }
        };
        (0..alone).for_each(insert);
        (alone..rows).into_par_iter().for_each(insert);
        let mut lists: Vec<LayerLists> = self.layers.iter().map(GrowingLayer::lists).collect();
        connect(self.entry, &mut lists[0]);
        to_bytes(self.entry, &lists)
    }

    /// Finds the neighbours of `row` on all its layers, then links it in, from the lowest layer: who meets it on a
    /// layer finds its links on those below.
    fn insert(&self, row: u32) {
        let query = self.rows.row(row);
        let level = usize::from(self.levels[row as usize]);
        let mut chosen = vec![Vec::new(); level + 1];
        Walker::with(|walker| {
            let score = self.kernel.product(query, self.rows.row(self.entry));
            let mut start = Place::new(score, self.entry);
            for (layer, links) in self.layers.iter().enumerate().rev() {
                let ef = if layer > level { 1 } else { EF_CONSTRUCTION };
                let ground = OnLayer { builder: self, links, query };
                let found = walker.walk(&ground, self.rows.len(), &[start], ef);
                start = found[0];
                if layer <= level {
                    chosen[layer] = self.choose(found, LINKS);
                }
            }
        });
        for (links, chosen) in self.layers.iter().zip(&chosen) {
            links.write(row, |list| list.extend(chosen));
            chosen.iter().for_each(|&neighbour| self.link_back(links, neighbour, row));
        }
    }

    /// Links `from` to `row`; when there is no more room, the heuristic decides who stays.
    fn link_back(&self, links: &GrowingLayer, from: u32, row: u32) {
        links.write(from, |list| {
            list.push(row);
            if list.len() > links.capacity() {
                let mut scores = Vec::new();
                self.kernel.products(self.rows.row(from), self.rows, list, &mut scores);
                let places = list.iter().zip(&scores);
                let mut places: Vec<Place> =
                    places.map(|(&row, &score)| Place::new(score, row)).collect();
                places.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
                *list = self.choose(&places, links.capacity());
            }
        });
    }

    /// Up to `most` of `places`, which are in order of nearness to a row: each nearer to it than to any chosen before.
    fn choose(&self, places: &[Place], most: usize) -> Vec<u32> {
        let mut chosen: Vec<u32> = Vec::with_capacity(most + 1);
        for place in places {
            let row = self.rows.row(place.row);
            let nearer =
                |&other: &u32| self.kernel.product(row, self.rows.row(other)) > place.score;
            if !chosen.iter().any(nearer) {
                chosen.push(place.row);
                if chosen.len() == most {
                    break;
                }
            }
        }
        chosen
    }
}

/// The highest layer of `row`: geometrically distributed, so that each has 1 / [`LINKS`] of the rows below it, and the
/// same whenever a file is made again.
fn level(row: u64) -> u8 {
    // SplitMix64 (Steele, Lea and Flood, 2014).
    let mut x = row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let uniform = ((x ^ x >> 31) >> 11) as f64 / (1_u64 << 53) as f64;
    let level = -(1.0 - uniform).ln() / (LINKS as f64).ln();
    level.min((LAYERS - 1) as f64) as u8
}

/// A layer of the graph as it grows, and the row to be inserted.
struct OnLayer<'a> {
    builder: &'a Builder<'a>,
    links: &'a GrowingLayer,
    query: Codes<'a>,
}

impl Ground for OnLayer<'_> {
    #[inline]
    fn neighbours(&self, row: u32) -> impl Iterator<Item = u32> {
        self.links.read(row)
    }

    #[inline]
    fn scores(&self, rows: &[u32], scores: &mut Vec<f32>) {
        self.builder.kernel.products(self.query, self.builder.rows, rows, scores);
    }

    #[inline]
    fn announce(&self, row: u32) {
        prefetch(self.links.list(row));
    }
}

/// Makes every row reachable from `entry` on layer 0: nothing in the heuristic sees to that.
fn connect(entry: u32, lists: &mut LayerLists) {
    let mut reached = vec![false; lists.len()];
    spread(entry, lists, &mut reached);
    for row in 0..lists.len() as u32 {
        if reached[row as usize] {
            continue;
        }
        let neighbours = &lists[row as usize].1;
        let from = neighbours.iter().copied().find(|&n| reached[n as usize]).unwrap_or(entry);
        lists[from as usize].1.push(row);
        spread(row, lists, &mut reached);
    }
}

/// Marks everything reachable from `start`.
fn spread(start: u32, lists: &LayerLists, reached: &mut [bool]) {
    let mut open = vec![start];
    reached[start as usize] = true;
    while let Some(row) = open.pop() {
        for &next in &lists[row as usize].1 {
            if !std::mem::replace(&mut reached[next as usize], true) {
                open.push(next);
            }
        }
    }
}
