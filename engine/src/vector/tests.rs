//! Whole vector files: recall of the walk, exactness of the scan, files that are refused.

use hnsw_rs::prelude::{DistCosine, Hnsw};

use super::file::{Shape, VectorFile};
use super::search::Breadth;
use super::{VectorFormat, add_graph, write_flat};
use crate::Embedding;
use crate::row_set::RowSet;

const DIMENSIONS: usize = 64;

const SERVED: Breadth = Breadth { k: 10, ef: 256 };

/// A repeatable stream of numbers, roughly normal.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn normal(&mut self) -> f32 {
        (0..4).map(|_| self.next() as f32 / (1_u64 << 31) as f32 - 0.5).sum()
    }

    fn vector(&mut self) -> Vec<f32> {
        (0..DIMENSIONS).map(|_| self.normal()).collect()
    }
}

/// `count` unit vectors around `clusters` centres.
fn clustered(numbers: &mut Numbers, count: usize, clusters: usize) -> Vec<Embedding> {
    let centres: Vec<Vec<f32>> = (0..clusters).map(|_| numbers.vector()).collect();
    let near = |numbers: &mut Numbers, centre: &[f32]| {
        let noise = numbers.vector();
        Embedding::normalised(centre.iter().zip(noise).map(|(c, n)| c + 0.4 * n).collect())
    };
    (0..count).map(|i| near(numbers, &centres[i * 7919 % clusters])).collect()
}

fn shape(format: VectorFormat) -> Shape {
    Shape { format, dimensions: DIMENSIONS }
}

/// A file of `vectors` in `folder`; document numbers are odd.
fn file(
    folder: &std::path::Path,
    format: VectorFormat,
    vectors: &[Embedding],
) -> (std::path::PathBuf, VectorFile) {
    let path = folder.join("segment.vec");
    write_flat(&path, shape(format), &|each| {
        let numbered = (0..).zip(vectors);
        numbered.into_iter().try_for_each(|(i, v)| each(2 * i + 1, &format.encode(v)))
    })
    .unwrap();
    let file = VectorFile::open(&path, shape(format), 2 * vectors.len() as u32).unwrap();
    (path, file)
}

/// The same file with a graph.
fn with_graph(path: &std::path::Path, flat: &VectorFile) -> VectorFile {
    add_graph(path, flat).unwrap();
    let documents = 2 * flat.rows() as u32;
    VectorFile::open(path, flat.shape(), documents).unwrap()
}

fn every(documents: u32, step: usize) -> RowSet {
    let mut set = RowSet::empty(documents);
    (1..documents).step_by(2 * step).for_each(|document| set.insert(document));
    set
}

fn tie(document: u32) -> u64 {
    u64::from(document)
}

/// Share of the scan's top 10 that the walk finds too.
fn recall(file: &VectorFile, queries: &[Embedding], allowed: &RowSet) -> f64 {
    let mut found = 0;
    for query in queries {
        let exact = file.scan(query.as_slice(), allowed, 10, &tie);
        let walked = file.walk(query.as_slice(), allowed, SERVED, &tie).unwrap();
        assert!(walked.iter().all(|(document, _)| allowed.contains(*document)));
        found += exact.iter().filter(|hit| walked.contains(hit)).count();
    }
    found as f64 / (10 * queries.len()) as f64
}

#[test]
fn the_walk_finds_98_of_100_of_what_the_scan_finds() {
    let mut numbers = Numbers(11);
    let mut vectors = clustered(&mut numbers, 6_200, 60);
    let queries = vectors.split_off(6_000);
    let folder = tempfile::tempdir().unwrap();
    let (path, flat) = file(folder.path(), VectorFormat::Int8, &vectors);
    assert!(flat.walk(queries[0].as_slice(), &every(12_000, 1), SERVED, &tie).is_none());
    let with_graph = with_graph(&path, &flat);
    let all = recall(&with_graph, &queries, &every(12_000, 1));
    let fifth = recall(&with_graph, &queries, &every(12_000, 5));
    println!("recall@10 of the walk: {all:.4}, with one of five allowed {fifth:.4}");
    assert!(all >= 0.98 && fifth >= 0.98, "{all} {fifth}");
}

#[test]
fn graphs_find_as_much_as_those_of_hnsw_rs_at_the_same_breadth() {
    let mut numbers = Numbers(23);
    let mut vectors = clustered(&mut numbers, 3_100, 200);
    let queries = vectors.split_off(3_000);
    let peer = Hnsw::<f32, DistCosine>::new(16, vectors.len(), 16, 200, DistCosine {});
    vectors.iter().zip(0..).for_each(|(vector, i)| peer.insert((vector.as_slice(), i)));
    let all = every(6_000, 1);
    for format in [VectorFormat::Int8, VectorFormat::F16, VectorFormat::F32] {
        let folder = tempfile::tempdir().unwrap();
        let (path, flat) = file(folder.path(), format, &vectors);
        let file = with_graph(&path, &flat);
        let (mut found, mut found_by_peer) = (0, 0);
        for query in &queries {
            let exact = file.scan(query.as_slice(), &all, 10, &tie);
            let breadth = Breadth { k: 10, ef: 20 };
            let walked = file.walk(query.as_slice(), &all, breadth, &tie).unwrap();
            let by_peer = peer.search(query.as_slice(), 10, breadth.ef);
            let exact: Vec<u32> = exact.into_iter().map(|(document, _)| document).collect();
            found += walked.iter().filter(|(document, _)| exact.contains(document)).count();
            let number = |hit: &hnsw_rs::prelude::Neighbour| 2 * hit.d_id as u32 + 1;
            found_by_peer += by_peer.iter().filter(|hit| exact.contains(&number(hit))).count();
        }
        println!("{format:?}: {found} of 1000, hnsw_rs {found_by_peer}");
        assert!(found >= found_by_peer && found_by_peer > 500, "{found} {found_by_peer}");
    }
}

#[test]
fn a_walk_that_meets_too_few_allowed_rows_gives_way_to_the_scan() {
    let mut numbers = Numbers(31);
    // Rows 0, 2, 4… lie around one centre, rows 1, 3, 5… around the other.
    let vectors = clustered(&mut numbers, 4_000, 2);
    let folder = tempfile::tempdir().unwrap();
    let (path, flat) = file(folder.path(), VectorFormat::Int8, &vectors);
    let file = with_graph(&path, &flat);
    let (near, mut far) = (&vectors[0], RowSet::empty(8_000));
    (0..4_000)
        .filter(|i| vectors[*i as usize].cosine(near) < 0.3)
        .for_each(|i| far.insert(2 * i + 1));
    assert!((1_000..3_000).contains(&far.len()), "{}", far.len());
    let breadth = Breadth { k: 10, ef: 20 };
    assert!(far.len().pow(2) > 32 * breadth.ef * file.rows(), "a walk is worth a try");
    assert!(file.walk(near.as_slice(), &far, breadth, &tie).is_none());
    let found = file.find(near.as_slice(), &far, breadth, &tie);
    assert_eq!(found, file.scan(near.as_slice(), &far, 10, &tie));
    assert_eq!(found.len(), 10);
}

#[test]
fn graphs_of_one_row_and_of_equal_rows_find_them_all() {
    let mut numbers = Numbers(7);
    let vector = Embedding::normalised(numbers.vector());
    for rows in [1, 2, 700] {
        let folder = tempfile::tempdir().unwrap();
        let (path, flat) = file(folder.path(), VectorFormat::Int8, &vec![vector.clone(); rows]);
        let file = with_graph(&path, &flat);
        let all = every(2 * rows as u32, 1);
        let breadth = Breadth { k: rows, ef: 2 * rows };
        let found = file.walk(vector.as_slice(), &all, breadth, &tie).unwrap();
        assert_eq!(found, file.scan(vector.as_slice(), &all, rows, &tie));
        assert_eq!(found.len(), rows);
    }
}

#[test]
fn the_scan_is_the_sorted_list_of_all_products() {
    let mut numbers = Numbers(5);
    let vectors = clustered(&mut numbers, 700, 9);
    let allowed = every(1_400, 3);
    for format in [VectorFormat::Int8, VectorFormat::F16, VectorFormat::F32] {
        let folder = tempfile::tempdir().unwrap();
        let (_, file) = file(folder.path(), format, &vectors);
        for query in clustered(&mut numbers, 20, 4) {
            let all = file.scan(query.as_slice(), &allowed, 1_400, &tie);
            assert_eq!(all.len(), allowed.len());
            assert!(all.windows(2).all(|pair| pair[0].1 >= pair[1].1));
            for k in [1, 10, 50] {
                assert_eq!(file.scan(query.as_slice(), &allowed, k, &tie), all[..k]);
            }
            for (document, score) in all {
                let exact = vectors[document as usize / 2].cosine(&query);
                let tolerance = if format == VectorFormat::Int8 { 0.02 } else { 1e-3 };
                assert!((score - exact).abs() < tolerance, "{score} {exact}");
            }
        }
    }
}

#[test]
fn a_file_with_any_damage_or_of_another_shape_is_refused() {
    let mut numbers = Numbers(3);
    let vectors = clustered(&mut numbers, 60, 5);
    let folder = tempfile::tempdir().unwrap();
    let (path, flat) = file(folder.path(), VectorFormat::Int8, &vectors);
    add_graph(&path, &flat).unwrap();
    let open = |shape, documents| VectorFile::open(&path, shape, documents);
    assert!(open(shape(VectorFormat::Int8), 120).is_ok());
    assert!(open(shape(VectorFormat::Int8), 119).is_err(), "a row beyond the segment");
    assert!(open(shape(VectorFormat::F32), 120).is_err());
    assert!(open(Shape { dimensions: 32, ..shape(VectorFormat::Int8) }, 120).is_err());
    let bytes = std::fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(101).chain(0..48) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(VectorFile::in_memory(&changed, shape(VectorFormat::Int8), 120).is_err(), "{at}");
        assert!(VectorFile::in_memory(&bytes[..at], shape(VectorFormat::Int8), 120).is_err());
    }
}
