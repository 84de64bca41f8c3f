//! The formats as users meet them: the files of `indexer/tests/formats` indexed by the program, their facts found in
//! the right file and page, and a folder of damaged and hostile files that costs nothing but those files.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{alder, code, command, stderr, stdout};

/// Memory in MiB that hostile files may cost the indexing process.
const MOST_MEMORY: u64 = 256;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../indexer/tests/formats")
}

/// Name and bytes of each file made for the tests.
fn files() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| name != "make.py" && name != "facts.json")
        .collect();
    files.sort();
    files
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Indexes `folder/files` and gives the report.
fn report(folder: &Path) -> Value {
    let output =
        alder(&folder.join("data"), &["index", folder.join("files").to_str().unwrap(), "--json"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    json(&stdout(&output))
}

/// The same, with the most memory that the indexing process took, in KiB; the processes that read binary files for it
/// have their own limit. None where the system does not tell.
fn report_and_memory(folder: &Path) -> (Value, Option<u64>) {
    let path = folder.join("report.json");
    let files = folder.join("files");
    let arguments = ["index", files.to_str().unwrap(), "--json", "--quiet"];
    let mut child = command(&folder.join("data"), &arguments)
        .stdout(fs::File::create(&path).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status_file = format!("/proc/{}/status", child.id());
    let mut most = None;
    loop {
        let status = fs::read_to_string(&status_file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = most.max(line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 3)), "{status}");
            return (json(&fs::read_to_string(path).unwrap()), most);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn fates(report: &Value, fate: &str) -> Vec<String> {
    let files = report["files"].as_array().unwrap().iter();
    files.filter(|f| f["fate"] == fate).map(|f| f["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_format_is_found_in_the_right_file_and_on_the_right_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    for (name, bytes) in files() {
        fs::write(folder.path().join("files").join(name), bytes).unwrap();
    }
    let first = report(folder.path());
    assert_eq!(fates(&first, "failed"), ["scanned.pdf"], "{first:#}");
    assert_eq!(fates(&first, "indexed").len(), files().len() - 1);

    let data = folder.path().join("data");
    let exported = stdout(&alder(&data, &["export"]));
    let texts: HashMap<String, String> = exported
        .lines()
        .skip(1)
        .map(json)
        .map(|document| {
            [&document["id"], &document["text"]].map(|v| v.as_str().unwrap().to_owned())
        })
        .map(|[id, text]| (id, text))
        .collect();
    let facts = json(&fs::read_to_string(fixtures().join("facts.json")).unwrap());
    let facts = facts.as_array().unwrap();
    for fact in facts {
        let question = fact["question"].as_str().unwrap();
        let found =
            json(&stdout(&alder(&data, &["search", question, "--format", "json", "-n", "3"])));
        let hits = found["hits"].as_array().unwrap();
        let hit = hits.iter().find(|hit| hit["document"] == fact["document"]);
        let hit = hit.unwrap_or_else(|| panic!("{question}: not among {hits:#?}"));
        let text = hit["text"].as_str().unwrap();
        assert!(text.contains(fact["sentence"].as_str().unwrap()), "{hit:#}");
        assert_eq!(hit["page"], fact["page"], "{hit:#}");
        if let Some(heading) = fact["heading"].as_str() {
            let path = hit["heading_path"].as_array().unwrap();
            assert!(path.iter().any(|h| h == heading) || hit["title"] == heading, "{hit:#}");
        }
        let place = |end: &str| hit["span"][end].as_u64().unwrap() as usize;
        let whole = &texts[fact["document"].as_str().unwrap()];
        assert_eq!(whole.get(place("start_byte")..place("end_byte")), Some(text), "{hit:#}");
    }
    let asked = |file: &str| facts.iter().any(|fact| fact["file"] == file);
    let names = files().into_iter().map(|(name, _)| name);
    let rest: Vec<String> = names.filter(|name| !asked(name)).collect();
    assert_eq!(rest, ["scanned.pdf"], "files without a question");

    let question = "When was the Quellmark lighthouse first lit?";
    let answered = json(&stdout(&alder(&data, &["ask", question, "--format", "json"])));
    assert_eq!(answered["answers"][0]["document"], "lighthouse.pdf", "{answered:#}");
    assert_eq!(answered["answers"][0]["page"], 2);
    let shown = stdout(&alder(&data, &["search", question]));
    assert!(shown.contains("lighthouse.pdf, page 2 · score"), "{shown}");
    let filter = r#"{"must": [{"key": "page", "match": {"value": 2}}]}"#;
    let filtered = json(&stdout(&alder(
        &data,
        &["search", "harbour", "--filter", filter, "--format", "json"],
    )));
    let pages = filtered["hits"].as_array().unwrap().iter().map(|hit| hit["page"].as_u64());
    assert!(pages.clone().count() > 0 && pages.into_iter().all(|page| page == Some(2)));

    let again = report(folder.path());
    assert_eq!(again["totals"]["documents"], 0, "{again:#}");
    assert_eq!(again["totals"]["removed"], 0);
}

/// Reproducible damage (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// `bytes` cut short, with bytes changed, or with a piece of them elsewhere.
fn damaged(bytes: &[u8], way: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match way % 3 {
        0 => bytes.truncate(1 + random.below(bytes.len())),
        1 => (0..1 + way).for_each(|_| {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }),
        _ => {
            let (from, to) = (random.below(bytes.len()), random.below(bytes.len()));
            let length = random.below(64).min(bytes.len() - from.max(to));
            bytes.copy_within(from..from + length, to);
        }
    }
    bytes
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF whose only page has `content` as its stream, which is also a form that the page can draw.
fn pdf(content: &str) -> Vec<u8> {
    let form = "/Resources<</XObject<</X 4 0 R>>/Font<</F 5 0 R>>>>";
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R{form}/MediaBox[0 0 9 9]>>"),
        format!(
            "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]{form}/Length {}>>stream\n{content}\nendstream",
            content.len()
        ),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{number} 0 obj{object}endobj\n"));
    }
    let start = out.len();
    out.push_str(&format!("{table}trailer<</Root 1 0 R/Size 6>>\nstartxref\n{start}\n%%EOF\n"));
    out.into_bytes()
}

/// Files made to harm, each with what the report must say of it.
fn hostile() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let zeros = vec![b'0'; 40 << 20];
    let cell = r#"<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>
        <row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>"#;
    let book = r#"<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    let root = r#"<Relationships><Relationship Id="r1" Type="x/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let relations = r#"<Relationships><Relationship Id="r1" Type="x/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let deep = format!("<html><body>{}x", "<div>".repeat(200_000));
    let container = r#"<container><rootfile full-path="b.opf"/></container>"#;
    let opf = r#"<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>"#;
    vec![
        ("itself.pdf", "nested deeper", pdf("/X Do")),
        ("brackets.pdf", "its parser failed on it", pdf(&"[".repeat(2_000_000))),
        (
            "many.pdf",
            "not a readable PDF",
            [b"%PDF-1.7\n".as_slice(), "1 0 obj<<".repeat(300_000).as_bytes()].concat(),
        ),
        (
            "wide.xlsx",
            "MiB of memory",
            zip(&[
                ("[Content_Types].xml", b"<Types/>"),
                ("_rels/.rels", root.as_bytes()),
                ("xl/workbook.xml", book.as_bytes()),
                ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
                ("xl/worksheets/sheet1.xml", cell.as_bytes()),
            ]),
        ),
        (
            "bomb.xlsx",
            "times its size",
            zip(&[("_rels/.rels", root.as_bytes()), ("xl/workbook.xml", &zeros)]),
        ),
        ("bomb.docx", "times its size", zip(&[("word/document.xml", &zeros)])),
        ("bomb.zip", "times its size", zip(&[("a.txt", &zeros), ("b.txt", &zeros)])),
        ("inner.zip", "not opened", zip(&[("bomb.zip", &zip(&[("a.txt", &zeros)]))])),
        (
            "deep.epub",
            "open at once",
            zip(&[
                ("META-INF/container.xml", container.as_bytes()),
                ("b.opf", opf.as_bytes()),
                ("a.xhtml", deep.as_bytes()),
            ]),
        ),
        (
            "escape.zip",
            "leads outside",
            zip(&[("../../etc/passwd", b"x"), ("/etc/shadow", b"x"), ("C:\\boot.ini", b"x")]),
        ),
        ("empty.zip", "nothing to index", zip(&[])),
        ("picture.pdf", "not a readable PDF", b"\x89PNG\r\n\x1a\n not a document at all".to_vec()),
        (
            "parts.eml",
            "no text",
            [
                b"Content-Type: multipart/mixed; boundary=a\n\n".as_slice(),
                &b"--a\n".repeat(200_000),
            ]
            .concat(),
        ),
        ("line.mbox", "no text", [b"From a\n".as_slice(), &zeros].concat()),
        ("deep.html", "open at once", deep.clone().into_bytes()),
        ("deep.json", "\"fate\"", b"[".repeat(200_000)),
        ("deep.jsonl", "\"failed\"", b"{\"a\":".repeat(100_000)),
        ("quotes.md", "\"fate\"", b"> ".repeat(50_000)),
        ("braces.tex", "\"fate\"", b"{\\bf ".repeat(50_000)),
        (
            "wide.txt",
            "\"indexed\"",
            "\u{feff}Weit.".encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
        ("half.txt", "were replaced", b"\xff\xfeA\0B\0\x00\xd8C\0".to_vec()),
        (
            "latin.txt",
            "encoding guessed",
            b"Stra\xdfe, Gr\xf6\xdfe, sch\xf6n und \xfcber allem.".to_vec(),
        ),
        ("marks.txt", "\"indexed\"", "e\u{301}".repeat(100_000).into_bytes()),
        ("turned.txt", "\"indexed\"", "\u{202e}txt\u{2066}\u{200b}".repeat(1000).into_bytes()),
        ("nul.txt", "\"fate\"", b"a\0b".repeat(1000)),
    ]
}

/// Fills `folder` with damaged copies of every file and with [`hostile`] ones; returns how many there are.
fn harm(folder: &Path) -> usize {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let damaged = files().into_iter().flat_map(|(name, bytes)| {
        let damage =
            (0..12).map(|way| (format!("{way}-{name}"), damaged(&bytes, way, &mut random)));
        damage.collect::<Vec<_>>()
    });
    let mut files: Vec<(String, Vec<u8>)> = damaged.collect();
    files.extend(hostile().into_iter().map(|(name, _, bytes)| (name.to_owned(), bytes)));
    let honest = b"The honest file of Quellmark is found among the others.";
    files.push(("honest.txt".into(), honest.to_vec()));
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    files.len() + links(folder)
}

/// Adds a link to the folder itself, one out of it and a pipe; returns how many there are.
#[cfg(unix)]
fn links(folder: &Path) -> usize {
    std::os::unix::fs::symlink(folder, folder.join("loop")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("passwd.txt")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe.txt")).status();
    2 + usize::from(pipe.is_ok_and(|status| status.success()))
}

#[cfg(not(unix))]
fn links(_folder: &Path) -> usize {
    0
}

#[test]
fn damaged_and_hostile_files_cost_only_themselves_and_are_all_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    let written = harm(&folder.path().join("files"));
    assert!(written >= 300, "{written} files");

    let (report, memory) = report_and_memory(folder.path());
    let honest = tempfile::tempdir().unwrap();
    fs::create_dir(honest.path().join("files")).unwrap();
    fs::write(honest.path().join("files/honest.txt"), "One honest file.").unwrap();
    if let (Some(memory), (_, Some(honest))) = (memory, report_and_memory(honest.path())) {
        let more = memory.saturating_sub(honest) >> 10;
        assert!(more <= MOST_MEMORY, "{more} MiB more than for one honest file");
    }
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), written);
    for file in files {
        let told = match file["fate"].as_str() {
            Some("failed" | "skipped") => file["reason"].as_str().is_some_and(|r| !r.is_empty()),
            fate => fate == Some("indexed"),
        };
        assert!(told, "{file:#}");
    }
    let of = |name: &str| files.iter().find(|file| file["path"] == name).unwrap().to_string();
    let wrong: Vec<String> = hostile()
        .iter()
        .filter(|(name, expected, _)| !of(name).contains(expected))
        .map(|(name, expected, _)| format!("{name}: not {expected:?} in {}", of(name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let data = folder.path().join("data");
    let found =
        json(&stdout(&alder(&data, &["search", "honest file", "--format", "json", "-n", "1"])));
    assert_eq!(found["hits"][0]["document"], "honest.txt");
}
