//! [`Graph`]: a hierarchical navigable small world (Malkov and Yashunin 2018) in flat, checked arrays, and the
//! loop that searches it (their algorithm 2). Built by [`super::build`].
//!
//! Layout, all u32, little-endian, without padding; the vector file's checksum covers it:
//!
//! `layers`, `entry`, then for each layer from the lowest: `nodes`, `links`, the `nodes` rows of the layer in
//! increasing order (not for layer 0, which has every row), `nodes + 1` offsets, `links` neighbours.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

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
pub(super) struct Links<'a> {
    graph: &'a Graph,
    all: &'a [u32],
}

/// A row with its score; ordered by score, then by smaller row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scored(f32, u32);

impl Eq for Scored {}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

thread_local! {
    /// Which rows this thread's current search has seen: those stamped with its number.
    static SEEN: RefCell<(Vec<u32>, u32)> = const { RefCell::new((Vec::new(), 0)) };
}

impl Links<'_> {
    /// Up to `ef` rows near the query that are `allowed`, in no order. The walk passes through rows that are
    /// not allowed but never returns them.
    pub(super) fn search(
        &self,
        ef: usize,
        score: impl Fn(u32) -> f32,
        allowed: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let mut best = Scored(score(self.graph.entry), self.graph.entry);
        for layer in self.graph.layers[1..].iter().rev() {
            best = self.descend(layer, best, &score);
        }
        SEEN.with_borrow_mut(|(stamps, number)| {
            if stamps.len() < self.graph.rows {
                stamps.resize(self.graph.rows, 0);
            }
            *number = number.wrapping_add(1);
            if *number == 0 {
                stamps.fill(0);
                *number = 1;
            }
            self.walk(ef, best, (stamps, *number), score, allowed)
        })
    }

    /// The best row of a layer that greedy steps reach.
    fn descend(&self, layer: &Layer, mut best: Scored, score: &impl Fn(u32) -> f32) -> Scored {
        loop {
            let next = self.neighbours(layer, best.1).iter().map(|&n| Scored(score(n), n)).max();
            match next {
                Some(next) if next.0 > best.0 => best = next,
                _ => return best,
            }
        }
    }

    fn walk(
        &self,
        ef: usize,
        start: Scored,
        (stamps, number): (&mut [u32], u32),
        score: impl Fn(u32) -> f32,
        allowed: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let mut open = BinaryHeap::from([start]);
        let mut found: BinaryHeap<Reverse<Scored>> = BinaryHeap::new();
        stamps[start.1 as usize] = number;
        if allowed(start.1) {
            found.push(Reverse(start));
        }
        while let Some(nearest) = open.pop() {
            let full = found.len() >= ef;
            if full && found.peek().is_some_and(|Reverse(worst)| nearest.0 < worst.0) {
                break;
            }
            for &row in self.neighbours(&self.graph.layers[0], nearest.1) {
                if std::mem::replace(&mut stamps[row as usize], number) == number {
                    continue;
                }
                let scored = Scored(score(row), row);
                let worst = found.peek().map(|Reverse(worst)| worst.0);
                if found.len() >= ef && worst.is_some_and(|worst| scored.0 <= worst) {
                    continue;
                }
                open.push(scored);
                if allowed(row) {
                    found.push(Reverse(scored));
                    if found.len() > ef {
                        found.pop();
                    }
                }
            }
        }
        found.into_iter().map(|Reverse(scored)| scored.1).collect()
    }

    fn neighbours(&self, layer: &Layer, row: u32) -> &[u32] {
        let place = if layer.members.is_empty() {
            row as usize
        } else {
            match self.all[layer.members.clone()].binary_search(&row) {
                Ok(place) => place,
                Err(_) => return &[],
            }
        };
        let offsets = &self.all[layer.offsets.clone()];
        let links = &self.all[layer.links.clone()];
        &links[offsets[place] as usize..offsets[place + 1] as usize]
    }
}
