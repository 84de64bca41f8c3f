//! The spool across crashes: what is on disk decides.

use std::fs;

use super::*;

fn draft(text: &str) -> Draft {
    let document = IncomingDocument {
        id: "a".into(),
        title: String::new(),
        text: text.into(),
        metadata: Default::default(),
    };
    Draft::Documents(vec![(1, Ok(document)), (2, Err((None, "not JSON".into())))])
}

#[test]
fn a_task_is_on_disk_whole_before_it_is_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let tasks = Tasks::open(data.path()).unwrap();
    let task = tasks.enqueue(draft("text")).unwrap();
    drop(tasks);
    // A crash while another task was being written.
    fs::create_dir(data.path().join("tasks/new-half")).unwrap();
    fs::write(data.path().join("tasks/new-half/items.jsonl"), "{").unwrap();
    let tasks = Tasks::open(data.path()).unwrap();
    assert_eq!(tasks.find(task.id), Some(task.clone()));
    assert_eq!(tasks.spool.items(task.id).unwrap().len(), 2);
    assert!(!data.path().join("tasks/new-half").exists());
    assert!(tasks.enqueue(draft("next")).unwrap().id > task.id, "ids are never used twice");
}

#[test]
fn a_task_under_way_waits_again_after_a_crash_and_remembers_its_attempts() {
    let data = tempfile::tempdir().unwrap();
    let tasks = Tasks::open(data.path()).unwrap();
    let mut task = tasks.enqueue(draft("text")).unwrap();
    (task.status, task.attempts) = (TaskStatus::Processing, 2);
    tasks.spool.update(&task).unwrap();
    drop(tasks);
    let found = Tasks::open(data.path()).unwrap().find(task.id).unwrap();
    assert_eq!((found.status, found.attempts), (TaskStatus::Enqueued, 2));
}

#[test]
fn two_servers_never_do_the_same_tasks() {
    let data = tempfile::tempdir().unwrap();
    let _first = Tasks::open(data.path()).unwrap();
    let error = Tasks::open(data.path()).unwrap_err().to_string();
    assert!(error.contains("another `alder serve`") && error.contains("--data-dir"), "{error}");
}

#[test]
fn a_damaged_record_is_named() {
    let data = tempfile::tempdir().unwrap();
    let task = Tasks::open(data.path()).unwrap().enqueue(draft("text")).unwrap();
    let record = data.path().join(format!("tasks/{:010}/task.json", task.id));
    fs::write(&record, "{").unwrap();
    let error = Tasks::open(data.path()).unwrap_err().to_string();
    assert!(error.contains("task.json"), "{error}");
}

#[test]
fn finished_tasks_leave_their_record_and_not_their_documents() {
    let data = tempfile::tempdir().unwrap();
    let tasks = Tasks::open(data.path()).unwrap();
    let task = tasks.enqueue(draft("secret")).unwrap();
    assert_eq!(tasks.cancel(task.id).unwrap().unwrap().status, TaskStatus::Canceled);
    let folder = data.path().join(format!("tasks/{:010}", task.id));
    let names: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["task.json"]);
    assert_eq!(tasks.cancel(99).unwrap(), None);
}
