//! Names, environment and cache, and downloads from a server in this process that speaks the Hub's two routes.

use std::collections::HashMap;

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn hub(cache: &Path, endpoint: &str) -> Hub {
    let endpoint = endpoint.to_owned();
    Hub { cache: cache.to_owned(), endpoint, token: None, offline: false }
}

/// A snapshot as Python leaves it, without links.
fn put(cache: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = cache.join(format!("models--{}", name.replace('/', "--")));
    let snapshot = folder.join("snapshots").join(COMMIT);
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(folder.join("refs")).unwrap();
    std::fs::write(folder.join("refs/main"), COMMIT).unwrap();
    for (file, content) in files {
        std::fs::write(snapshot.join(file), content).unwrap();
    }
    snapshot
}

const WHOLE: [(&str, &str); 3] = [
    ("config.json", r#"{"model_type": "albert"}"#),
    ("spiece.model", "pieces"),
    ("model.safetensors", "weights"),
];

#[test]
fn names_are_org_slash_name_with_an_optional_revision() {
    let spec: Spec = "albert/albert-base-v2@refs/pr/1".parse().unwrap();
    assert_eq!((&*spec.name, &*spec.revision), ("albert/albert-base-v2", "refs/pr/1"));
    assert_eq!("a/b".parse::<Spec>().unwrap().revision, "main");
    let wrong = [
        "",
        "a",
        "a/b/c",
        "a/..",
        "../b",
        "a/b@",
        "a/b@../../x",
        "a/b c",
        "a/b?x",
        "/etc/passwd",
        "a--b/c",
    ];
    for name in wrong {
        let message = name.parse::<Spec>().unwrap_err().to_string();
        assert!(message.contains("ORG/NAME"), "{message}");
    }
}

#[test]
fn the_environment_is_read_as_users_of_the_hub_know_it() {
    let from = |variables: &[(&str, &str)]| {
        let map: HashMap<_, _> = variables.iter().copied().collect();
        Hub::from_variables(|name| map.get(name).map(|value| (*value).to_owned())).unwrap()
    };
    let plain = from(&[("HOME", "/home/u")]);
    assert_eq!(plain.cache, Path::new("/home/u/.cache/huggingface/hub"));
    assert_eq!((&*plain.endpoint, plain.offline), ("https://huggingface.co", false));
    assert_eq!(from(&[("HF_HOME", "/h")]).cache, Path::new("/h/hub"));
    assert_eq!(from(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]).cache, Path::new("/c"));
    let mirror = from(&[("HOME", "/u"), ("HF_ENDPOINT", "http://m/"), ("HF_HUB_OFFLINE", "true")]);
    assert_eq!((&*mirror.endpoint, mirror.offline), ("http://m", true));
    assert!(from(&[("HOME", "/u"), ("TRANSFORMERS_OFFLINE", "1")]).offline);
    assert!(!from(&[("HOME", "/u"), ("HF_HUB_OFFLINE", "0")]).offline);
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("token"), "secret\n").unwrap();
    let path = home.path().to_str().unwrap();
    assert_eq!(from(&[("HF_HOME", path)]).token.as_deref(), Some("secret"));
    assert_eq!(from(&[("HF_HOME", path), ("HF_TOKEN", "other")]).token.as_deref(), Some("other"));
    assert!(Hub::from_variables(|_| None).unwrap_err().to_string().contains("HF_HOME"));
}

#[test]
fn a_name_means_the_complete_cached_model_or_says_how_to_get_it() {
    let cache = tempfile::tempdir().unwrap();
    let hub = hub(cache.path(), "");
    let message = hub.resolve("a/b").unwrap_err().to_string();
    assert!(message.contains("`alder model pull a/b`"), "{message}");
    assert!(hub.resolve("no/such/folder").unwrap_err().to_string().contains("no folder"));
    let snapshot = put(cache.path(), "a/b", &WHOLE[..2]);
    assert!(hub.resolve("a/b").is_err(), "without weights it is not complete");
    std::fs::write(snapshot.join("pytorch_model.bin"), "weights").unwrap();
    assert_eq!(hub.resolve("a/b").unwrap(), snapshot);
    assert_eq!(hub.resolve(&format!("a/b@{COMMIT}")).unwrap(), snapshot);
    assert!(hub.resolve("a/b@v2").is_err());
}

#[test]
fn an_existing_folder_is_itself_and_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(resolve(folder.path().to_str().unwrap()).unwrap(), folder.path());
    let file = folder.path().join("model.safetensors");
    std::fs::write(&file, "").unwrap();
    assert!(resolve(file.to_str().unwrap()).unwrap_err().to_string().contains("is a file"));
}

#[test]
fn the_list_has_albert_models_with_their_sizes() {
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(hub(&cache.path().join("missing"), "").list().unwrap(), []);
    let path = put(cache.path(), "b/model", &WHOLE);
    put(
        cache.path(),
        "a/bert",
        &[("config.json", r#"{"model_type": "bert"}"#), WHOLE[1], WHOLE[2]],
    );
    put(cache.path(), "a/partial", &WHOLE[..1]);
    let (name, commit) = ("b/model".to_owned(), COMMIT.to_owned());
    let bytes = WHOLE.iter().map(|(_, content)| content.len() as u64).sum();
    let found = hub(cache.path(), "").list().unwrap();
    assert_eq!(found, [CachedModel { name, commit, path, bytes }]);
}

#[test]
fn offline_gives_what_is_cached_and_else_names_the_variable() {
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub { offline: true, ..hub(cache.path(), "http://127.0.0.1:9") };
    let message = hub.pull("a/b").unwrap_err().to_string();
    assert!(message.contains("HF_HUB_OFFLINE") && message.contains("a/b"), "{message}");
    let snapshot = put(cache.path(), "a/b", &WHOLE);
    assert_eq!(hub.pull("a/b").unwrap(), snapshot);
}

#[cfg(not(feature = "fetch"))]
#[test]
fn without_the_feature_a_pull_says_how_to_build_it() {
    let cache = tempfile::tempdir().unwrap();
    let message = hub(cache.path(), "").pull("a/b").unwrap_err().to_string();
    assert!(message.contains("--features fetch"), "{message}");
}

#[cfg(feature = "fetch")]
mod downloads {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Default)]
    struct State {
        commit: String,
        files: HashMap<&'static str, Vec<u8>>,
        /// Bodies of weights are cut to this many bytes, this many times (the first is only asked for its
        /// headers, twice).
        cut: (usize, usize),
        wrong_etags: bool,
        requests: Vec<String>,
        tokens: Vec<String>,
    }

    /// The two routes of the Hub, for `org/model` at any revision.
    struct Server {
        address: String,
        state: Arc<Mutex<State>>,
    }

    impl Server {
        fn start(files: &[(&'static str, &str)]) -> Self {
            let files = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec()));
            let state =
                State { commit: COMMIT.to_owned(), files: files.collect(), ..State::default() };
            let state = Arc::new(Mutex::new(state));
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            let shared = Arc::clone(&state);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    // A client that went away is no failure of the server.
                    let _ = answer(stream.unwrap(), &shared);
                }
            });
            Self { address, state }
        }

        fn set(&self, name: &'static str, content: &str) {
            self.state.lock().unwrap().files.insert(name, content.as_bytes().to_vec());
        }

        /// The paths asked for since the last call.
        fn requests(&self) -> Vec<String> {
            std::mem::take(&mut self.state.lock().unwrap().requests)
        }
    }

    fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let first = lines.next().unwrap_or(Ok(String::new()))?;
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut state = state.lock().unwrap();
        let mut from = 0;
        for line in lines {
            let line = line?.to_lowercase();
            if let Some(range) = line.strip_prefix("range: bytes=") {
                from = range.split('-').next().unwrap().parse().unwrap();
            }
            if let Some(token) = line.strip_prefix("authorization: ") {
                state.tokens.push(token.to_owned());
            }
            if line.is_empty() {
                break;
            }
        }
        state.requests.push(path.clone());
        let (status, headers, body) = reply(&state, &path, from);
        let mut sent = &body[..];
        if state.cut.1 > 0 && path.ends_with("model.safetensors") {
            sent = &body[..state.cut.0.min(body.len())];
            state.cut.1 -= 1;
        }
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n")?;
        write!(stream, "{headers}\r\n")?;
        stream.write_all(sent)
    }

    fn reply(state: &State, path: &str, from: usize) -> (&'static str, String, Vec<u8>) {
        let none = ("404 Not Found", String::new(), b"not found".to_vec());
        let commit = &state.commit;
        if path.starts_with("/api/models/org/model/revision/") {
            let files = state.files.keys();
            let siblings = files.map(|name| serde_json::json!({ "rfilename": name }));
            let siblings = siblings.collect::<Vec<_>>();
            let info = serde_json::json!({ "sha": commit, "siblings": siblings });
            return ("200 OK", String::new(), info.to_string().into_bytes());
        }
        let Some(file) = path.strip_prefix(&format!("/org/model/resolve/{commit}/")) else {
            return none;
        };
        let Some(content) = state.files.get(file) else { return none };
        let etag = if state.wrong_etags { "0".repeat(64) } else { sha256(content) };
        let total = content.len();
        let headers = format!(
            "X-Repo-Commit: {commit}\r\nETag: \"{etag}\"\r\n\
             Content-Range: bytes {from}-{}/{total}\r\n",
            total - 1
        );
        ("206 Partial Content", headers, content[from..].to_vec())
    }

    /// SHA-256, as the Hub names large files.
    fn sha256(content: &[u8]) -> String {
        use sha2::Digest;
        sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_pull_fetches_what_albert_needs_in_the_layout_of_the_cache() {
        let mut files = WHOLE.to_vec();
        files.extend([("pytorch_model.bin", "old"), ("README.md", "card"), ("tf_model.h5", "tf")]);
        let server = Server::start(&files);
        let cache = tempfile::tempdir().unwrap();
        let hub = Hub { token: Some("secret".into()), ..hub(cache.path(), &server.address) };
        let path = hub.pull("org/model").unwrap();
        let folder = cache.path().join("models--org--model");
        assert_eq!(path, folder.join("snapshots").join(COMMIT));
        let mut names = entries(&path).unwrap();
        names.sort();
        let expected = ["config.json", "model.safetensors", "spiece.model"].map(|n| path.join(n));
        assert_eq!(names, expected);
        for (name, content) in WHOLE {
            assert_eq!(std::fs::read_to_string(path.join(name)).unwrap(), content);
            assert!(folder.join("blobs").join(sha256(content.as_bytes())).is_file());
        }
        assert_eq!(entries(&folder.join("refs")).unwrap(), [folder.join("refs/main")]);
        assert_eq!(std::fs::read_to_string(folder.join("refs/main")).unwrap(), COMMIT);
        assert!(server.state.lock().unwrap().tokens.iter().all(|token| token == "bearer secret"));
        assert_eq!(hub.resolve("org/model").unwrap(), path);
        assert_eq!(hub.list().unwrap().len(), 1);
    }

    #[test]
    fn a_second_pull_asks_for_no_file() {
        let server = Server::start(&WHOLE);
        let cache = tempfile::tempdir().unwrap();
        let hub = hub(cache.path(), &server.address);
        let first = hub.pull("org/model").unwrap();
        assert!(server.requests().iter().any(|path| path.contains("/resolve/")));
        assert_eq!(hub.pull("org/model").unwrap(), first);
        assert_eq!(server.requests(), ["/api/models/org/model/revision/main"]);
        let pinned = hub.pull(&format!("org/model@{COMMIT}")).unwrap();
        assert_eq!(pinned, first);
        let refs = cache.path().join("models--org--model/refs");
        assert_eq!(entries(&refs).unwrap(), [refs.join("main")]);
    }

    #[test]
    fn a_new_commit_reuses_the_blobs_that_did_not_change() {
        let server = Server::start(&WHOLE);
        let cache = tempfile::tempdir().unwrap();
        let hub = hub(cache.path(), &server.address);
        hub.pull("org/model").unwrap();
        server.requests();
        server.set("config.json", r#"{"model_type": "albert", "new": 1}"#);
        let commit = COMMIT.replace('0', "f");
        server.state.lock().unwrap().commit.clone_from(&commit);
        let path = hub.pull("org/model").unwrap();
        assert!(path.ends_with(&commit));
        assert_eq!(std::fs::read_to_string(path.join("model.safetensors")).unwrap(), "weights");
        let weights = server.requests().iter().filter(|path| path.contains("safetensors")).count();
        assert_eq!(weights, 1, "its metadata, and nothing more");
    }

    #[test]
    fn the_files_that_alder_json_lists_come_and_are_checked() {
        let manifest = format!(
            r#"{{"sha256": {{"encoder.safetensors": "{}", "config.json": "{}"}}}}"#,
            sha256(b"encoder"),
            sha256(WHOLE[0].1.as_bytes())
        );
        let files = [
            WHOLE[0],
            ("tokenizer.json", "{}"),
            ("alder.json", &manifest),
            ("encoder.safetensors", "encoder"),
        ];
        let server = Server::start(&files);
        let cache = tempfile::tempdir().unwrap();
        let path = hub(cache.path(), &server.address).pull("org/model").unwrap();
        assert_eq!(std::fs::read_to_string(path.join("encoder.safetensors")).unwrap(), "encoder");
        server.set("encoder.safetensors", "another");
        let other = tempfile::tempdir().unwrap();
        let error = hub(other.path(), &server.address).pull("org/model").unwrap_err().to_string();
        assert!(error.contains("encoder.safetensors") && error.contains("sha256"), "{error}");
        assert!(hub(other.path(), "").resolve("org/model").is_err(), "no reference to it");
    }

    #[test]
    fn a_body_that_is_cut_is_resumed_where_it_stopped() {
        let server = Server::start(&WHOLE);
        let cache = tempfile::tempdir().unwrap();
        server.state.lock().unwrap().cut = (3, 3);
        let path = hub(cache.path(), &server.address).pull("org/model").unwrap();
        assert_eq!(std::fs::read_to_string(path.join("model.safetensors")).unwrap(), "weights");
        assert_eq!(server.state.lock().unwrap().cut.1, 0);
    }

    #[test]
    fn a_body_that_is_always_cut_leaves_no_model_until_the_next_pull() {
        let server = Server::start(&WHOLE);
        let cache = tempfile::tempdir().unwrap();
        let hub = hub(cache.path(), &server.address);
        server.state.lock().unwrap().cut = (1, usize::MAX);
        let error = format!("{:#}", hub.pull("org/model").unwrap_err());
        assert!(error.contains("model.safetensors"), "{error}");
        assert!(hub.resolve("org/model").is_err(), "a part is no model");
        server.state.lock().unwrap().cut = (0, 0);
        let path = hub.pull("org/model").unwrap();
        assert_eq!(std::fs::read_to_string(path.join("model.safetensors")).unwrap(), "weights");
    }

    #[test]
    fn a_file_that_is_not_what_its_name_says_is_thrown_away() {
        let server = Server::start(&WHOLE);
        let cache = tempfile::tempdir().unwrap();
        let hub = hub(cache.path(), &server.address);
        server.state.lock().unwrap().wrong_etags = true;
        let error = format!("{:#}", hub.pull("org/model").unwrap_err());
        assert!(error.contains("config.json of org/model arrived damaged"), "{error}");
        let blobs = entries(&cache.path().join("models--org--model/blobs")).unwrap();
        assert!(blobs.iter().all(|blob| blob.extension().is_some()), "only a lock: {blobs:?}");
        server.state.lock().unwrap().wrong_etags = false;
        hub.pull("org/model").unwrap();
    }

    #[test]
    fn what_is_missing_is_named() {
        let cache = tempfile::tempdir().unwrap();
        let server = Server::start(&WHOLE[..2]);
        let hub = hub(cache.path(), &server.address);
        let error = hub.pull("org/model").unwrap_err().to_string();
        assert!(error.contains("no model.safetensors and no pytorch_model.bin"), "{error}");
        let error = hub.pull("org/other").unwrap_err().to_string();
        assert!(error.contains("has no org/other at revision main"), "{error}");
        server.state.lock().unwrap().files.remove("config.json");
        let fresh = tempfile::tempdir().unwrap();
        let error = super::hub(fresh.path(), &server.address).pull("org/model").unwrap_err();
        assert!(error.to_string().contains("no config.json"), "{error}");
    }

    #[test]
    fn another_architecture_is_refused_before_its_weights_come() {
        let server =
            Server::start(&[("config.json", r#"{"model_type": "bert"}"#), WHOLE[1], WHOLE[2]]);
        let cache = tempfile::tempdir().unwrap();
        let error = hub(cache.path(), &server.address).pull("org/model").unwrap_err().to_string();
        assert!(error.contains("not an ALBERT model") && error.contains("bert"), "{error}");
        assert!(!server.requests().iter().any(|path| path.contains("safetensors")));
    }

    #[test]
    fn a_server_that_does_not_answer_is_named_with_the_way_out() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let error = hub(cache.path(), &format!("http://{free}")).pull("org/model").unwrap_err();
        let message = format!("{error:#}");
        assert!(message.contains(&free.to_string()), "{message}");
        assert!(message.contains("without a network"), "{message}");
    }
}
