//! Builds graphs: the only home of hnsw_rs. Its points are read out and kept in our own arrays; its dump
//! format is not used, since loading that ends the process on damaged files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hnsw_rs::prelude::{Distance, Hnsw};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::dot::dot_i8;
use super::file::VectorFile;
use super::graph::{LAYERS, LayerLists, to_bytes};
use super::write::write_with_graph;

/// Links of a row above layer 0; twice as many on it (M of the paper).
const LINKS: usize = 20;
/// Rows looked at for each insertion (efConstruction of the paper).
const EF_CONSTRUCTION: usize = 200;

/// Writes `flat` again to `path`, with a graph; returns whether it could be built.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn add_graph(path: &Path, flat: &VectorFile) -> Result<bool, crate::Error> {
    // hnsw_rs panics on numbers it does not expect: then the segment is scanned instead.
    let Ok(graph) = catch_unwind(AssertUnwindSafe(|| build(flat))) else {
        tracing::warn!(file = %path.display(), "the graph could not be built; the vectors are scanned");
        return Ok(false);
    };
    write_with_graph(path, flat, &graph)?;
    Ok(true)
}

/// The graph section for the rows of `flat`, which has at least one.
pub(super) fn build(flat: &VectorFile) -> Vec<u8> {
    let hnsw =
        Hnsw::<i8, CodeDistance>::new(LINKS, flat.rows(), LAYERS, EF_CONSTRUCTION, CodeDistance);
    (0..flat.rows()).into_par_iter().for_each(|row| {
        let (scale, mut code) = flat.codes(row);
        code.extend(scale.to_le_bytes().map(|byte| byte as i8));
        hnsw.insert_slice((&code, row));
    });
    let points = hnsw.get_point_indexation();
    let top = usize::from(points.get_max_level_observed());
    let mut layers: Vec<LayerLists> = vec![Vec::new(); top + 1];
    let mut entry = 0;
    for level in 0..=top {
        for point in points.get_layer_iterator(level) {
            let row = point.get_origin_id() as u32;
            entry = row;
            for (lists, neighbours) in layers[..=level].iter_mut().zip(point.get_neighborhood_id())
            {
                lists.push((row, neighbours.iter().map(|n| n.d_id as u32).collect()));
            }
        }
    }
    layers.retain(|lists| !lists.is_empty());
    layers.iter_mut().for_each(|lists| lists.sort_unstable_by_key(|(row, _)| *row));
    connect(entry, &mut layers[0]);
    to_bytes(entry, &layers)
}

/// Makes every row reachable from `entry` on layer 0: insertion in parallel can leave rows nobody links to.
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

/// `1 - cosine` of two rows of codes, each followed by the four bytes of its scale; never negative.
#[derive(Debug, Clone, Copy)]
struct CodeDistance;

impl Distance<i8> for CodeDistance {
    fn eval(&self, a: &[i8], b: &[i8]) -> f32 {
        let (Some((a, a_scale)), Some((b, b_scale))) = (a.split_last_chunk(), b.split_last_chunk())
        else {
            return 2.0;
        };
        let scale = |bytes: &[i8; 4]| f32::from_le_bytes(bytes.map(|byte| byte as u8));
        (1.0 - dot_i8(a, b) as f32 * scale(a_scale) * scale(b_scale)).clamp(0.0, 2.0)
    }
}
