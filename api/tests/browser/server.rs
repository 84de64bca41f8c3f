//! A running `alder serve` on documents written for the browser tests: two that disagree, enough lanterns for three
//! pages, one whose file is gone, and some whose text and names try to be more than text.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::json;
use tempfile::TempDir;

/// What a hostile document would run if any of it were taken for markup.
pub(crate) const ATTACK: &str = "<script>alert('script')</script><img src=x onerror=\"alert('image')\">\
    <svg onload=\"alert('drawing')\"></svg><a href=\"javascript:alert('link')\">kettle</a>";

/// A server that ends with this value.
pub(crate) struct Server {
    process: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    data: TempDir,
}

impl Server {
    /// Serves a copy of the collection in `data`, for a folder has one server; `address` may name a port to use again.
    pub(crate) fn start(data: &Path, address: &str) -> Self {
        Self::on(copy_of(data), address)
    }

    /// Serves a collection without documents.
    pub(crate) fn empty() -> Self {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("nothing")).unwrap();
        let made =
            alder(data.path()).arg("index").arg(data.path().join("nothing")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::on(data, "127.0.0.1:0")
    }

    /// The same, where a key is needed that may search and write; returns it, too.
    pub(crate) fn locked(data: &Path) -> (Self, String) {
        let copy = copy_of(data);
        let scopes = ["--scope", "search", "--scope", "write"];
        let made =
            alder(copy.path()).args(["keys", "create", "page"]).args(scopes).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        (Self::on(copy, "127.0.0.1:0"), key)
    }

    fn on(copy: TempDir, address: &str) -> Self {
        let data = copy.path();
        let mut process = alder(data)
            .args(["serve", "--address", address, "--no-open", "--quiet"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().trim_end_matches('/').to_owned();
        assert!(url.starts_with("http://"), "alder serve printed {line:?}");
        Self { process, url, data: copy }
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Ends it and returns where it listened.
    pub(crate) fn stop(self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn copy_of(data: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copied(data, copy.path());
    copy
}

/// Copies a folder with all that is in it.
fn copied(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn alder(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alder"));
    command.env_remove("ALDER_MODEL").env_remove("ALDER_LOG").env("ALDER_DATA_DIR", data);
    command
}

/// The data folder of the indexed documents, which tests only read.
pub(crate) fn shared() -> &'static Path {
    static SHARED: OnceLock<TempDir> = OnceLock::new();
    SHARED.get_or_init(indexed).path()
}

/// A data folder with the documents indexed.
pub(crate) fn indexed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    let write = |name: &str, text: &str| fs::write(notes.join(name), text).unwrap();
    write(
        "barometer.md",
        "# Barometer\n\n## History\n\nThe barometer shows how the weather will turn. \
        Evangelista Torricelli made the first barometer in Florence in 1643. It was a glass tube filled with mercury.\n",
    );
    write(
        "berti.md",
        "# Gasparo Berti\n\nGasparo Berti was a mathematician in Rome. Some historians hold that \
        Berti made the first barometer in Rome around 1641, without knowing that it was one.\n",
    );
    write("toll.md", "# Toll house\n\nThe toll house keeps its ledger in an oak chest.\n");
    let mut lines = String::new();
    for number in 1..=25 {
        let (id, title) = (format!("lanterns/{number:02}"), format!("Lantern {number}"));
        let text = format!("The lantern number {number} hangs on the north wall of the old mill.");
        let keeper = if number % 5 == 0 { "Bo \"Wick\" Lee" } else { "Ada Ross" };
        let more = json!({"keeper": keeper, "lit": number % 2 == 0, "number": number});
        let line = json!({"id": id, "title": title, "text": text, "metadata": more});
        lines.push_str(&format!("{line}\n"));
    }
    for document in [
        json!({"id": format!("\"><b>{ATTACK}"), "title": ATTACK, "text": format!("A kettle boils water. {ATTACK} The kettle was patented in 1891.")}),
        json!({"id": "\u{202e}fdp.ravomas", "title": "\u{202e}ravomaS \u{5e1}\u{5de}\u{5d5}\u{5d1}\u{5e8}", "text": "\u{5d4}\u{5e1}\u{5de}\u{5d5}\u{5d1}\u{5e8} (samovar) \u{5d4}\u{5d5}\u{5d0} \u{5db}\u{5dc}\u{5d9} \u{5dc}\u{5d4}\u{5e8}\u{5ea}\u{5d7}\u{5ea} \u{5de}\u{5d9}\u{5dd}."}),
        json!({"id": "long", "title": "Windmill ".repeat(80), "text": format!("The windmill of {} turns in the wind.", "W".repeat(4000))}),
    ] {
        lines.push_str(&format!("{document}\n"));
    }
    write("more.jsonl", &lines);
    let output = alder(folder.path()).arg("index").arg(&notes).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(notes.join("toll.md")).unwrap();
    folder
}
