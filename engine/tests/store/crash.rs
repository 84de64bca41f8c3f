//! Kills a writing process at random moments, 50 times: every acknowledged commit is there, whole.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alder_engine::Writer;

use crate::fixture::{Numbers, assert_holds, document, id, open};

const FOLDER: &str = "ALDER_TEST_CRASH_FOLDER";
const ROUNDS: u64 = 50;
/// The folder is fresh this often, so that creation is interrupted too.
const ROUNDS_PER_FOLDER: u64 = 5;

/// Does to the collection what the step that makes `generation` does.
fn step(generation: u64, writer: &mut Writer) {
    for number in step_upserts(generation) {
        writer.upsert(document(number, generation)).unwrap();
    }
    writer.delete(&id(generation * 7 % 20)).unwrap();
}

fn step_upserts(generation: u64) -> [u64; 3] {
    [generation % 20, (generation * 3 + 1) % 20, (generation * 11 + 2) % 20]
}

/// What the collection holds at `generation`.
fn state(generation: u64) -> BTreeMap<u64, u64> {
    let mut state = BTreeMap::new();
    for generation in 1..=generation {
        state.extend(step_upserts(generation).map(|number| (number, generation)));
        state.remove(&(generation * 7 % 20));
    }
    state
}

/// The child: commits for ever, printing each generation once it is acknowledged. Does nothing otherwise.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let collection = open(Path::new(&folder));
    let mut writer = collection.writer().unwrap();
    loop {
        let next = collection.snapshot().generation().0 + 1;
        step(next, &mut writer);
        println!("acknowledged {}", writer.commit().unwrap().0);
    }
}

#[test]
fn every_acknowledged_commit_survives_kill_9_at_any_moment() {
    let seed = std::env::var("ALDER_SEED").ok().and_then(|seed| seed.parse().ok());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = seed.unwrap_or_else(clock);
    println!("repeat with ALDER_SEED={seed}");
    let mut numbers = Numbers(seed);
    let mut folder = tempfile::tempdir().unwrap();
    let (mut commits, mut unacknowledged) = (0, 0);
    for round in 0..ROUNDS {
        if round % ROUNDS_PER_FOLDER == 0 {
            folder = tempfile::tempdir().unwrap();
        }
        let before = open_generation(folder.path());
        let (commits_seen, wait) = (numbers.below(4), Duration::from_micros(numbers.below(80_000)));
        let acknowledged = run_and_kill(folder.path(), commits_seen, wait).max(before);
        let collection = open(folder.path());
        let found = collection.snapshot().generation().0;
        assert!(
            (acknowledged..=acknowledged + 1).contains(&found),
            "round {round}: generation {acknowledged} was acknowledged, {found} is there"
        );
        assert_holds(&collection.snapshot(), state(found));
        commits += found - before;
        unacknowledged += found - acknowledged;
    }
    println!("{commits} commits survived, {unacknowledged} of them not yet acknowledged");
    assert!(commits > ROUNDS / 2, "the children were killed before they could commit");
}

/// The generation in `folder`, without creating anything there.
fn open_generation(folder: &Path) -> u64 {
    if !folder.join("collection.json").exists() {
        return 0;
    }
    open(folder).snapshot().generation().0
}

/// Starts the child, waits for some commits and then for `wait`, kills it; returns the last generation it
/// acknowledged.
fn run_and_kill(folder: &Path, commits_seen: u64, wait: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = lines.filter_map(|line| {
        let (_, number) = line.split_once("acknowledged ")?;
        number.parse::<u64>().ok()
    });
    let mut last = 0;
    for generation in acknowledged.by_ref().take(commits_seen as usize) {
        last = generation;
    }
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.fold(last, u64::max)
}
