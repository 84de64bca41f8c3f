//! The service as a process: uploads read by the sandbox, keys of the command line, configuration, doctor.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{alder, code, command, stderr, stdout};

/// A running `alder serve` that ends with this value.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Status and body of a reply.
struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

impl Server {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--address", "127.0.0.1:0", "--no-open"], arguments].concat();
        let mut command = command(data, &arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { process, address }
    }

    fn send(&self, request: &str, headers: &str, body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = body.len();
        write!(
            stream,
            "{request} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n",
            self.address
        )
        .unwrap();
        stream.write_all(body).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        let end = reply.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&reply[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, body: reply[end + 4..].to_vec() }
    }

    fn get(&self, path: &str) -> Reply {
        self.send(&format!("GET {path}"), "", b"")
    }
}

#[test]
fn an_uploaded_pdf_is_read_in_the_sandbox_and_found_by_its_page() {
    let data = tempfile::tempdir().unwrap();
    let empty = data.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let server = Server::start(data.path(), &[empty.to_str().unwrap()]);
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../indexer/tests/formats");
    let pdf = fs::read(formats.join("ferries.pdf")).unwrap();
    let mut form =
        b"--X\r\ncontent-disposition: form-data; name=\"f\"; filename=\"ferries.pdf\"\r\n\r\n"
            .to_vec();
    form.extend(pdf);
    form.extend(b"\r\n--X--\r\n");
    let kind = "content-type: multipart/form-data; boundary=X\r\n";
    let reply = server.send("POST /v1/files?wait=true", kind, &form);
    let task = reply.json();
    assert_eq!(
        (reply.status, &task["status"], &task["indexed"]),
        (200, &"succeeded".into(), &1.into()),
        "{task}"
    );
    let found =
        server.get("/v1/search?q=ferry+Marlow+carries+forty+passengers+across+the+strait").json();
    assert_eq!(found["hits"][0]["document"], "ferries.pdf", "{found}");
    assert_eq!(found["hits"][0]["page"], 4);
    assert!(!data.path().join("uploads").exists(), "what was uploaded is not kept twice");
}

#[test]
fn keys_are_made_listed_and_revoked_while_the_server_runs() {
    let data = super::indexed();
    let made = alder(data.path(), &["keys", "create", "laptop", "--scope", "search"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let secret = stdout(&made).trim().to_owned();
    let server = Server::start(data.path(), &[]);
    let bearer = format!("authorization: Bearer {secret}\r\n");
    assert_eq!(server.get("/v1/search?q=tea").status, 401);
    assert_eq!(server.send("GET /v1/search?q=tea", &bearer, b"").status, 200);
    assert_eq!(server.send("DELETE /v1/documents/tea.md", &bearer, b"").status, 403);
    let listed = stdout(&alder(data.path(), &["keys", "list"]));
    assert!(listed.starts_with("laptop\tsearch\tall collections"), "{listed}");
    assert!(!listed.contains(&secret));
    assert_eq!(code(&alder(data.path(), &["keys", "create", "laptop"])), 1);
    assert_eq!(code(&alder(data.path(), &["keys", "revoke", "laptop", "nobody"])), 3);
    let began = Instant::now();
    while server.send("GET /v1/search?q=tea", &bearer, b"").status != 401 {
        assert!(began.elapsed() < Duration::from_secs(20), "a revoked key still opens");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_configuration_file_holds_under_flags_and_environment() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("alder.toml");
    fs::write(&file, "threads = 3\n[serve]\naddress = \"127.0.0.1:7999\"\n").unwrap();
    let name = file.to_str().unwrap();
    let shown =
        alder(data.path(), &["config", "show", "--origin", "--config", name, "--device", "cpu"]);
    let text = stdout(&shown);
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    for line in [
        format!("threads = 3\t(file {name})"),
        format!("serve.address = 127.0.0.1:7999\t(file {name})"),
        "device = cpu\t(command line)".to_owned(),
        format!("data_dir = {}\t(environment ALDER_DATA_DIR)", data.path().display()),
        "log_format = text\t(default)".to_owned(),
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is missing:\n{text}");
    }
    fs::write(&file, "theads = 3\n").unwrap();
    let wrong = alder(data.path(), &["status", "--config", name]);
    assert_eq!(code(&wrong), 2, "{}", stderr(&wrong));
    assert!(stderr(&wrong).contains("theads is no option"), "{}", stderr(&wrong));
    let missing = alder(data.path(), &["status", "--config", "/nowhere.toml"]);
    assert!(
        code(&missing) != 0 && stderr(&missing).contains("/nowhere.toml"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn the_doctor_says_what_is_well_and_what_is_not() {
    let data = super::indexed();
    let output = alder(data.path(), &["doctor", "--address", "127.0.0.1:0"]);
    let text = stdout(&output);
    assert_eq!(code(&output), 0, "{text}{}", stderr(&output));
    for words in ["ok  Kernel", "ok  Model", "2 documents", "ok  Port", "ok  Keys"] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fs::write(data.path().join("keys.json"), "{").unwrap();
    let mut sick = command(data.path(), &["doctor", "--address", &address]);
    let output = sick.env("ALDER_KERNEL", "none").output().unwrap();
    let text = stdout(&output);
    assert_eq!(code(&output), 1, "{text}");
    for words in ["BAD Kernel", "BAD Model", "BAD Port", "BAD Keys"] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
}

#[test]
fn logs_can_be_read_by_programs() {
    let data = super::indexed();
    let mut server = command(
        data.path(),
        &["serve", "--address", "127.0.0.1:0", "--no-open", "--log-format", "json"],
    )
    .stdout(Stdio::null())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let _ = server.kill();
    let _ = server.wait();
    let logged: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
    assert_eq!(logged["level"], "INFO", "{line}");
}
