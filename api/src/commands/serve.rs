//! `alder serve`: the web page and the HTTP interface. Listens first and indexes meanwhile, so that what is
//! committed can be searched at once.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal;

use super::keys;
use crate::cli::Global;
use crate::exit::Exit;
use crate::http::{self, Address, App, Callers, Connections, Gate, Limits, app, listen};
use crate::ingest::{self, Sources};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::sample;
use crate::tasks;

/// How often commits of other programs (`alder index`) and changes of the keys are looked for.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    sources: Sources,
    /// Where to listen
    #[arg(
        long,
        env = "ALDER_ADDRESS",
        default_value = "127.0.0.1:7700",
        value_name = "ADDRESS:PORT"
    )]
    address: Address,
    /// Listen on an address that other machines can reach, without any protection
    #[arg(long)]
    insecure: bool,
    /// File of the keys; if it holds any, every caller needs one [default: keys.json in the data folder]
    #[arg(long, env = "ALDER_KEYS", value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Another name by which the server may be called, as behind a proxy; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Requests a second that each key, or each address where no key is needed, may send [default: no limit]
    #[arg(long, value_name = "N")]
    requests_per_second: Option<NonZeroU32>,
    /// Connections that may be open at once
    #[arg(long, value_name = "N", default_value_t = Connections::default().open)]
    max_connections: usize,
    /// Open the page in the browser [default: if there is a desktop]
    #[arg(long, overrides_with = "no_open")]
    open: bool,
    /// Do not open the page in the browser
    #[arg(long)]
    no_open: bool,
}

/// Runs the command until Ctrl-C or SIGTERM.
pub(crate) fn run(args: &ServeArgs, global: &Global) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args, global))
}

async fn serve(args: &ServeArgs, global: &Global) -> anyhow::Result<Exit> {
    let gate = Gate::with_keys(&keys::file(args.keys.as_ref(), global))?;
    let callers = match gate.is_closed() {
        true => Callers::WithKey,
        false if args.insecure => Callers::Anyone,
        false => Callers::ThisMachine,
    };
    let listener = listen(args.address, callers).await?;
    let address = listener.local_addr()?;
    args.sources.check()?;
    let mut sources = args.sources.clone();
    if sources.paths.is_empty() && !global.has_collection() {
        tracing::info!("no collection yet: indexing the sample articles");
        sources.paths = vec![sample::unpack(&global.data_dir)?];
    }
    let model = global.model()?;
    let collection = global.collection_or_new(&model, args.sources.language)?;
    let state = App::new(model, collection, &global.data_dir, address.ip(), Limits::default())?;
    let gate = gate.with_rate(args.requests_per_second);
    let state = Arc::new(state.guarded(gate, args.allow_host.clone()));

    announce(address, global)?;
    if args.open || (!args.no_open && has_desktop()) {
        open_browser(address);
    }
    let interrupt = Interrupt::new();
    let indexing = (sources.watch || !sources.paths.is_empty()).then(|| {
        let (state, interrupt) = (state.clone(), interrupt.clone());
        let progress = Progress::for_stderr(global.quiet);
        tokio::spawn(ingest::in_background(state, sources, interrupt, progress))
    });
    let reloading = tokio::spawn(reload(state.clone()));
    let working = tokio::spawn(tasks::run(state.clone()));

    let (stop, mut stopped) = tokio::sync::watch::channel(());
    let connections = Connections { open: args.max_connections, ..Connections::default() };
    let stopping = async move { _ = stopped.changed().await };
    let server = tokio::spawn(http::serve(listener, app(state.clone()), connections, stopping));
    stop_signal().await?;
    tracing::info!("stopping: open requests and the batch in work are finished first");
    interrupt.ask();
    state.tasks.stop();
    drop(stop);
    reloading.abort();
    server.await?;
    if let Some(indexing) = indexing {
        indexing.await?;
    }
    working.await?;
    Ok(Exit::Ok)
}

/// The address on stdout, where a script can read it; the rest in the log.
fn announce(address: SocketAddr, global: &Global) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "http://{address}/")?;
    out.flush()?;
    tracing::info!("serving {} on http://{address}/", global.collection_folder().display());
    Ok(())
}

/// Resolves on Ctrl-C or SIGTERM; the second Ctrl-C ends the process at once.
async fn stop_signal() -> anyhow::Result<()> {
    #[cfg(unix)]
    let terminated = async {
        let mut signals = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        signals.recv().await;
        anyhow::Ok(())
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<anyhow::Result<()>>();
    tokio::select! {
        result = signal::ctrl_c() => result?,
        result = terminated => result?,
    }
    tokio::spawn(async {
        if signal::ctrl_c().await.is_ok() {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
    Ok(())
}

/// Publishes what other programs commit, and takes up changed keys.
async fn reload(state: Arc<App>) {
    let mut ticks = tokio::time::interval(RELOAD_EVERY);
    loop {
        ticks.tick().await;
        let state = state.clone();
        let look = move || {
            state.gate.reload();
            state.collection.reload()
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("{error}"),
            Err(error) => tracing::error!("{error}"),
        }
    }
}

fn has_desktop() -> bool {
    let session = cfg!(any(target_os = "macos", windows))
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    session && console::user_attended()
}

/// Asks the desktop to show the page; a browser that does not open is no reason not to serve.
fn open_browser(address: SocketAddr) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let url = format!("http://{address}/");
    let started = std::process::Command::new(program)
        .args(arguments)
        .arg(&url)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = started {
        tracing::info!("cannot open a browser ({program}: {error}); open {url} yourself");
    }
}
