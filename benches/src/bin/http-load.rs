//! Prints what the HTTP service costs and how it holds under load, against a server of its own on the sample articles:
//! the overhead of HTTP beside the search itself, goodput and refusals at four times the capacity, and a healthy
//! client beside 1,000 idle and slow connections. Every figure is seen by a client on the same machine.
//!
//! `cargo build --release --workspace --bins && sh -c 'ulimit -n 8192; target/release/http-load target/release/alder'`

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// Requests of which the median overhead is taken.
const OVERHEAD_REQUESTS: usize = 400;
/// How long the capacity is measured, and then the overload.
const LOAD: Duration = Duration::from_secs(10);
const OVERLOAD: usize = 4;
/// Connections over which the overload comes: more than the server admits.
const CALLERS: usize = 64;
/// Connections that send nothing, and as many that send a byte now and then.
const IDLE: usize = 500;
/// Requests of the healthy client, alone and beside the others.
const HEALTHY: usize = 300;
/// A refusal should be there within this.
const REFUSED_WITHIN: Duration = Duration::from_millis(50);

fn main() -> anyhow::Result<()> {
    let alder = std::env::args().nth(1).context("usage: http-load ALDER_BINARY")?;
    let server = Server::start(&alder)?;
    let questions = questions(&server.address)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", overhead(&server.address, &questions)?)?;
    let peak = capacity(&server.address, &questions)?;
    writeln!(out, "capacity: {peak:.1} questions answered a second")?;
    writeln!(out, "{}", overload(&server.address, &questions, peak)?)?;
    writeln!(out, "{}", crowd(&server.address, &questions)?)?;
    Ok(())
}

/// A server on the sample articles that ends with this value.
struct Server {
    process: Child,
    address: String,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(alder: &str) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut process = Command::new(alder)
            .arg("--data-dir")
            .arg(data.path())
            .args(["--quiet", "serve", "--address", "127.0.0.1:0", "--no-open"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {alder}"))?;
        let mut line = String::new();
        let out = process.stdout.take().context("the server has no standard output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let server = Self { process, address, _data: data };
        let mut client = Client::connect(&server.address)?;
        while client.get("/v1/status")?.json()?["indexing"]["state"] != "done" {
            std::thread::sleep(Duration::from_millis(300));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One connection that is kept.
struct Client {
    stream: BufReader<TcpStream>,
    address: String,
}

struct Reply {
    status: u16,
    body: Vec<u8>,
    took: Duration,
}

impl Reply {
    fn json(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

impl Client {
    fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned() })
    }

    fn get(&mut self, path: &str) -> anyhow::Result<Reply> {
        let began = Instant::now();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line)? > 0, "the server closed the connection");
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().unwrap_or_default().parse()?;
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Reply { status, body, took: began.elapsed() })
    }
}

/// Titles of the sample as questions, encoded for a URL.
fn questions(address: &str) -> anyhow::Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(alder_benches::sample_articles())?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().trim_end_matches(".md").to_owned())
        .collect();
    names.sort();
    let questions: Vec<String> = names
        .iter()
        .map(|name| format!("What+is+known+of+{}%3F", name.replace('-', "+")))
        .collect();
    let mut client = Client::connect(address)?;
    for question in questions.iter().take(8) {
        client.get(&format!("/v1/ask?q={question}"))?;
    }
    Ok(questions)
}

/// The `share`-th smallest of `values`.
fn percentile(values: &mut [Duration], share: f64) -> Duration {
    values.sort_unstable();
    let at = (share * values.len() as f64).ceil() as usize;
    values.get(at.clamp(1, values.len().max(1)) - 1).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// What a client waits longer than the search itself takes.
fn overhead(address: &str, questions: &[String]) -> anyhow::Result<String> {
    let mut client = Client::connect(address)?;
    let (mut whole, mut beside) = (Vec::new(), Vec::new());
    for number in 0..OVERHEAD_REQUESTS {
        let question = &questions[number % questions.len()];
        let reply = client.get(&format!("/v1/search?q={question}&mode=lexical"))?;
        let took = reply.json()?["took_ms"].as_f64().context("a reply without took_ms")?;
        whole.push(reply.took);
        beside.push(reply.took.saturating_sub(Duration::from_secs_f64(took / 1e3)));
    }
    let (p50, p99) = (percentile(&mut beside, 0.5), percentile(&mut beside, 0.99));
    let all = percentile(&mut whole, 0.5);
    Ok(format!(
        "overhead of HTTP: p50 {:.3} ms, p99 {:.3} ms, of p50 {:.3} ms in all",
        ms(p50),
        ms(p99),
        ms(all)
    ))
}

/// Questions answered in a second when as many clients as cores ask one after the other.
fn capacity(address: &str, questions: &[String]) -> anyhow::Result<f64> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let answered = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let ask = |first: usize| {
            let mut client = Client::connect(address)?;
            for number in (first..).step_by(7) {
                if began.elapsed() > LOAD {
                    break;
                }
                let question = &questions[number % questions.len()];
                let reply = client.get(&format!("/v1/ask?q={question}"))?;
                answered.fetch_add(usize::from(reply.status == 200), Ordering::Relaxed);
            }
            anyhow::Ok(())
        };
        let clients: Vec<_> = (0..cores).map(|first| scope.spawn(move || ask(first))).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("no client panics"))
    })?;
    Ok(answered.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
}

/// What came back, by status.
type Seen = BTreeMap<u16, Vec<Duration>>;

/// Sends `OVERLOAD` times as much as was answered at best, at even distances, whatever comes back; beside it a
/// request that needs no work at all tells how long any request waits for the processor.
fn overload(address: &str, questions: &[String], peak: f64) -> anyhow::Result<String> {
    let gap = Duration::from_secs_f64(1.0 / (OVERLOAD as f64 * peak));
    let total = (LOAD.as_secs_f64() / gap.as_secs_f64()) as usize;
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let seen: Mutex<Seen> = Mutex::default();
    let began = Instant::now();
    let call = || {
        let mut client = Client::connect(address)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= total {
                return anyhow::Ok(());
            }
            std::thread::sleep((gap * number as u32).saturating_sub(began.elapsed()));
            let question = &questions[number % questions.len()];
            let reply = client.get(&format!("/v1/ask?q={question}"))?;
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.entry(reply.status).or_default().push(reply.took);
        }
    };
    let probe = || {
        let (mut client, mut times) = (Client::connect(address)?, Vec::new());
        while !over.load(Ordering::Relaxed) {
            times.push(client.get("/health/live")?.took);
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::Ok(times)
    };
    let mut live = std::thread::scope(|scope| {
        let probe = scope.spawn(probe);
        let clients: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let ended: anyhow::Result<()> =
            clients.into_iter().try_for_each(|client| client.join().expect("no client panics"));
        over.store(true, Ordering::Relaxed);
        ended?;
        probe.join().expect("the probe does not panic")
    })?;
    let rate = |count: usize| count as f64 / began.elapsed().as_secs_f64();
    let mut lines = vec![format!("overload: {total} questions, {:.1} a second", rate(total))];
    for (status, mut times) in seen.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let slow = times.iter().filter(|time| **time > REFUSED_WITHIN).count();
        let more = match status {
            200 => format!("goodput {:.0} % of the capacity", 100.0 * rate(times.len()) / peak),
            _ => format!("{slow} later than {} ms", REFUSED_WITHIN.as_millis()),
        };
        lines.push(format!("  {status}: {}, {more}", distribution(&mut times)));
    }
    lines.push(format!("  /health/live meanwhile: {}", distribution(&mut live)));
    Ok(lines.join("\n"))
}

fn distribution(times: &mut [Duration]) -> String {
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| ms(percentile(times, share)));
    format!("{} times, p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms", times.len())
}

/// A client that behaves, alone and beside connections that do not.
fn crowd(address: &str, questions: &[String]) -> anyhow::Result<String> {
    let healthy = || -> anyhow::Result<[f64; 2]> {
        let mut client = Client::connect(address)?;
        let mut times = Vec::new();
        for number in 0..HEALTHY {
            let question = &questions[number % questions.len()];
            times.push(client.get(&format!("/v1/search?q={question}"))?.took);
        }
        Ok([0.5, 0.99].map(|share| ms(percentile(&mut times, share))))
    };
    let alone = healthy()?;
    let connect = || TcpStream::connect(address).context("a connection more; raise ulimit -n");
    let idle = (0..IDLE).map(|_| connect()).collect::<anyhow::Result<Vec<_>>>()?;
    let mut slow = (0..IDLE).map(|_| connect()).collect::<anyhow::Result<Vec<_>>>()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    let drip = std::thread::spawn(move || {
        while !stopping.load(Ordering::Relaxed) {
            for byte in b"GET / HTTP/1.1\r\nx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
                slow.iter_mut().for_each(|stream| drop(stream.write_all(&[*byte])));
                std::thread::sleep(Duration::from_millis(100));
                if stopping.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    });
    let beside = healthy();
    stop.store(true, Ordering::Relaxed);
    drip.join().expect("dripping does not panic");
    drop(idle);
    let beside = beside?;
    Ok(format!(
        "{} idle and slow connections: healthy p50 {:.1} ms, p99 {:.1} ms; alone {:.1} and {:.1} ms; p99 x {:.2}",
        2 * IDLE,
        beside[0],
        beside[1],
        alone[0],
        alone[1],
        beside[1] / alone[1]
    ))
}
