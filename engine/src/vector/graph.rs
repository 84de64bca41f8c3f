//! [`Graph`]: a hierarchical navigable small world (Malkov and Yashunin 2018) in flat, checked arrays, searched by
//! [`super::walk`]. Built by [`super::build`].
//!
//! Layout, all u32, little-endian, without padding; the vector file's checksum covers it:
//!
//! `layers`, `entry`, then for each layer from the lowest: `nodes`, `links`, the `nodes` rows of the layer in
//! increasing order (not for layer 0, which has every row), `nodes + 1` offsets, `links` neighbours.

use std::ops::Range;

use super::kernel::prefetch;
use super::walk::{Ground, Place, Walker};
use crate::mapped::numbers;

/// Where the arrays of a graph lie in its section, in numbers.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    entry: u32,
    rows: usize,
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    /// Rows of the layer; empty for layer 0.
    members: Range<usize>,
    offsets: Range<usize>,
    links: Range<usize>,
}

/// Most layers a graph has; the builder stops there.
pub(super) const LAYERS: usize = 16;

impl Graph {
    /// The arrays in `section`, with every row number and offset verified against `rows`.
    pub(super) fn parse(section: &[u8], rows: usize) -> Result<Self, String> {
        let wrong = || "a graph whose arrays do not fit".to_string();
        if !section.len().is_multiple_of(4) {
            return Err(wrong());
        }
        let all = numbers::<u32>(section);
        let [layer_count, entry] = *all.get(..2).ok_or_else(wrong)? else { return Err(wrong()) };
        if layer_count == 0 || layer_count as usize > LAYERS || entry as usize >= rows {
            return Err(wrong());
        }
        let mut at = 2;
        let mut layers = Vec::new();
        for level in 0..layer_count {
            let [nodes, links] = *all.get(at..at + 2).ok_or_else(wrong)? else {
                return Err(wrong());
            };
            let (nodes, links) = (nodes as usize, links as usize);
            let members = at + 2..at + 2 + if level == 0 { 0 } else { nodes };
            let offsets = members.end..members.end + nodes + 1;
            let layer = Layer { members, links: offsets.end..offsets.end + links, offsets };
            at = layer.links.end;
            if at > all.len() || nodes == 0 || (level == 0 && nodes != rows) {
                return Err(wrong());
            }
            check_layer(all, &layer, rows).ok_or_else(wrong)?;
            layers.push(layer);
        }
        if at != all.len() {
            return Err(wrong());
        }
        Ok(Self { entry, rows, layers })
    }

    /// The graph with its arrays, to be searched.
    pub(super) fn links<'a>(&'a self, section: &'a [u8]) -> Links<'a> {
        Links { graph: self, all: numbers(section) }
    }
}

fn check_layer(all: &[u32], layer: &Layer, rows: usize) -> Option<()> {
    let members = &all[layer.members.clone()];
    let offsets = &all[layer.offsets.clone()];
    let links = &all[layer.links.clone()];
    let ordered = members.windows(2).all(|pair| pair[0] < pair[1])
        && offsets.windows(2).all(|pair| pair[0] <= pair[1])
        && offsets[0] == 0
        && *offsets.last()? as usize == links.len();
    (ordered && members.iter().chain(links).all(|&row| (row as usize) < rows)).then_some(())
}

/// Neighbour lists by layer, from the lowest, as the builder hands them over: `(row, neighbours)` by row.
pub(super) type LayerLists = Vec<(u32, Vec<u32>)>;

/// The section of a graph. `layers[0]` must hold every row.
pub(super) fn to_bytes(entry: u32, layers: &[LayerLists]) -> Vec<u8> {
    let mut out = vec![layers.len() as u32, entry];
    for (level, lists) in layers.iter().enumerate() {
        let links: usize = lists.iter().map(|(_, neighbours)| neighbours.len()).sum();
        out.extend([lists.len() as u32, links as u32]);
        if level > 0 {
            out.extend(lists.iter().map(|(row, _)| row));
        }
        let mut offset = 0;
        out.push(offset);
        for (_, neighbours) in lists {
            offset += neighbours.len() as u32;
            out.push(offset);
        }
        out.extend(lists.iter().flat_map(|(_, neighbours)| neighbours));
    }
    out.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// A graph with its arrays at hand.
#[derive(Clone, Copy)]
pub(super) struct Links<'a> {
    graph: &'a Graph,
    all: &'a [u32],
}

impl Links<'_> {
    /// Runs `then` with up to `ef` rows near a query, best first; `scores` says how near rows are.
    pub(super) fn search<T>(
        &self,
        ef: usize,
        scores: impl Fn(&[u32], &mut Vec<f32>),
        then: impl FnOnce(&[Place]) -> T,
    ) -> T {
        let Graph { entry, rows, layers } = self.graph;
        let mut score = Vec::new();
        scores(&[*entry], &mut score);
        let entry = Place::new(score[0], *entry);
        let mut start = entry;
        Walker::with(|walker| {
            for layer in layers[1..].iter().rev() {
                start = walker.walk(&self.layer(layer, &scores), *rows, &[start], 1)[0];
            }
            // Every row can be reached from the entry, but perhaps not from where the upper layers led to.
            let lowest = self.layer(&layers[0], &scores);
            then(walker.walk(&lowest, *rows, &[start, entry], ef))
        })
    }

    fn layer<'s, S>(&'s self, layer: &'s Layer, scores: &'s S) -> OnLayer<'s, S> {
        let members = &self.all[layer.members.clone()];
        let offsets = &self.all[layer.offsets.clone()];
        let links = &self.all[layer.links.clone()];
        OnLayer { members, offsets, links, scores }
    }
}

/// A layer and a query.
struct OnLayer<'a, S> {
    members: &'a [u32],
    offsets: &'a [u32],
    links: &'a [u32],
    scores: &'a S,
}

impl<S> OnLayer<'_, S> {
    fn list(&self, row: u32) -> &[u32] {
        let place = match self.members {
            [] => row as usize,
            members => match members.binary_search(&row) {
                Ok(place) => place,
                Err(_) => return &[],
            },
        };
        &self.links[self.offsets[place] as usize..self.offsets[place + 1] as usize]
    }
}

impl<S: Fn(&[u32], &mut Vec<f32>)> Ground for OnLayer<'_, S> {
    #[inline]
    fn neighbours(&self, row: u32) -> impl Iterator<Item = u32> {
        self.list(row).iter().copied()
    }

    #[inline]
    fn scores(&self, rows: &[u32], scores: &mut Vec<f32>) {
        (self.scores)(rows, scores);
    }

    #[inline]
    fn announce(&self, row: u32) {
        if self.members.is_empty() {
            prefetch(self.list(row));
        }
    }
}
