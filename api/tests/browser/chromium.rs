//! Drives a real Chromium over its DevTools pipe: no driver program, no port, no other crate. [`Page`] is one tab;
//! what goes wrong in it (exceptions, errors on the console, dialogs) is kept as complaints.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A debug build on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// One tab of a browser of its own, with a fresh profile.
pub(crate) struct Page {
    browser: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: String,
    calls: u64,
    complaints: Vec<String>,
    /// Address and bytes of everything loaded since the last [`Page::open`].
    pub(crate) loaded: Vec<(String, u64)>,
    /// The request of each.
    requests: Vec<String>,
    _profile: TempDir,
}

/// The browser, or `None` after saying loudly that the tests are skipped; under `CI=true` that is a failure.
pub(crate) fn installed() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        skip(
            "no Chromium is installed (apt-get install chromium); the page is not tested in a browser",
        );
    }
    found
}

/// Says that something is not tested; under `CI=true` that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    eprintln!("SKIPPED: {why}");
}

impl Page {
    /// Starts `browser` with one empty tab.
    pub(crate) fn start(browser: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The pipe is expected on the descriptors 3 and 4.
        let mut browser = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(browser)
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"])
            .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
            .args(["--hide-scrollbars", "--force-color-profile=srgb", "--lang=en"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = browser.stdin.take().unwrap();
        let mut replies = BufReader::new(browser.stdout.take().unwrap());
        let (sender, from) = mpsc::channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while replies.read_until(0, &mut message).is_ok_and(|bytes| bytes > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut page = Self {
            browser,
            to,
            from,
            session: String::new(),
            calls: 0,
            complaints: Vec::new(),
            loaded: Vec::new(),
            requests: Vec::new(),
            _profile: profile,
        };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = page.call("Target.attachToTarget", attach);
        page.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Network.enable", "Log.enable"] {
            page.call(domain, json!({}));
        }
        page
    }

    /// Calls a method of the DevTools protocol and returns its result.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.attempt(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The same, where a failure (a page that is just left) is no surprise.
    fn attempt(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.calls += 1;
        let id = self.calls;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let reply =
                self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{method}: no reply"));
            if reply["id"] == id {
                return match reply.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(reply["result"].clone()),
                };
            }
            self.note(&reply);
        }
    }

    /// Keeps what an event tells.
    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => {
                self.complaints.push(format!("exception: {}", params["exceptionDetails"]));
            }
            "Runtime.consoleAPICalled"
                if params["type"] == "error" || params["type"] == "warning" =>
            {
                self.complaints.push(format!("console: {}", params["args"]));
            }
            "Log.entryAdded" if params["entry"]["level"] == "error" => {
                self.complaints.push(format!("log: {}", params["entry"]["text"]));
            }
            "Page.javascriptDialogOpening" => {
                self.complaints.push(format!("a dialog opened: {}", params["message"]));
                let close = json!({"accept": false});
                let message = json!({"id": 0, "method": "Page.handleJavaScriptDialog", "params": close, "sessionId": self.session});
                let mut bytes = serde_json::to_vec(&message).unwrap();
                bytes.push(0);
                self.to.write_all(&bytes).unwrap();
            }
            "Network.responseReceived" => {
                let url = params["response"]["url"].as_str().unwrap_or_default();
                self.loaded.push((url.to_owned(), 0));
                self.requests.push(params["requestId"].as_str().unwrap_or_default().to_owned());
            }
            "Network.dataReceived" => {
                let of = |id: &String| Some(id.as_str()) == params["requestId"].as_str();
                if let Some(at) = self.requests.iter().rposition(of) {
                    self.loaded[at].1 += params["dataLength"].as_u64().unwrap_or_default();
                }
            }
            _ => {}
        }
    }

    /// Goes to `url` and waits until it has loaded.
    pub(crate) fn open(&mut self, url: &str) {
        self.loaded.clear();
        self.requests.clear();
        let went = self.call("Page.navigate", json!({"url": url}));
        assert!(went.get("errorText").is_none(), "{url}: {went}");
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The value of a JavaScript expression, awaited if it is a promise.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true,
        });
        let result = self.call("Runtime.evaluate", params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// The text that an expression gives.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.evaluate(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a condition holds; fails with what the page shows when it never does.
    pub(crate) fn until(&mut self, condition: &str) {
        let started = Instant::now();
        let expression =
            json!({"expression": format!("Boolean({condition})"), "returnByValue": true});
        loop {
            // A page that is just left cannot say; one that is just entered may lack what is asked about.
            let found = self.attempt("Runtime.evaluate", expression.clone()).unwrap_or_default();
            if found["result"]["value"] == json!(true) {
                return;
            }
            if started.elapsed() > PATIENCE {
                let shown = self.text("location.href + '\\n' + document.body.innerText");
                panic!("never came true: {condition}\n{shown}\n{:?}", self.complaints);
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Presses keys by name ("Enter", "ArrowDown", "/").
    pub(crate) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let text = match *key {
                "Enter" => "\r",
                one if one.chars().count() == 1 => one,
                _ => "",
            };
            let code = match *key {
                "Enter" => 13,
                "Escape" => 27,
                "Tab" => 9,
                "ArrowUp" => 38,
                "ArrowDown" => 40,
                "Backspace" => 8,
                _ => 0,
            };
            let mut params = json!({"type": "keyDown", "key": key, "windowsVirtualKeyCode": code});
            if !text.is_empty() {
                params["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", params.clone());
            params["type"] = json!("keyUp");
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// Types `text`, key by key, where the focus is.
    pub(crate) fn write(&mut self, text: &str) {
        for key in text.chars() {
            self.press(&[&key.to_string()]);
        }
    }

    /// Clicks in the middle of the first element that `selector` finds.
    pub(crate) fn click(&mut self, selector: &str) {
        let find = format!(
            "(() => {{ const node = document.querySelector({selector:?}); node.scrollIntoView({{block: 'center'}}); \
             const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let place = self.evaluate(&find);
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// Sets the width and height of the window and whether it is dark.
    pub(crate) fn look(&mut self, width: u32, height: u32, scheme: &str) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Writes a picture of what the window shows.
    pub(crate) fn picture(&mut self, file: &Path) {
        let taken = self.call("Page.captureScreenshot", json!({"format": "png"}));
        fs::write(file, decoded(taken["data"].as_str().unwrap())).unwrap();
    }

    /// What went wrong since the last call.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.evaluate("0");
        std::mem::take(&mut self.complaints)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}

/// The bytes of a base64 text.
fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(value(byte));
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}
