//! `alder doctor`: what the program finds on this machine, and what would keep it from working.

use std::fs;
use std::io::{Write, stdout};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use alder_engine::{Collection, Model};
use clap::Args;

use super::keys;
use crate::cli::Global;
use crate::exit::Exit;
use crate::http::Address;
use crate::keys::Keys;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Where the server would listen
    #[arg(long, default_value = "127.0.0.1:7700", value_name = "ADDRESS:PORT")]
    address: Address,
}

/// What a check found.
enum Finding {
    Good(String),
    Bad(String),
}

use Finding::{Bad, Good};

/// Runs the command: one line for each check; failure if one of them would keep Alder from working.
pub(crate) fn run(args: &DoctorArgs, global: &Global) -> anyhow::Result<Exit> {
    let mut findings = vec![
        ("Program", Good(format!("alder {}", env!("CARGO_PKG_VERSION")))),
        ("Processor", Good(processor())),
    ];
    let model = global.model();
    findings.push(("Kernel", kernel(&model)));
    findings.push((
        "Model",
        match &model {
            Ok(model) => Good(format!(
                "{}, {} dimensions, {} tokens, {}",
                model.identity().name,
                model.identity().dimensions,
                model.max_length(),
                if model.has_reader() { "reads answers" } else { "has no reader" }
            )),
            Err(error) => Bad(format!("{error:#}")),
        },
    ));
    findings.push(("Data folder", data_folder(&global.data_dir)));
    findings.push((
        "Collection",
        match &model {
            Ok(model) if global.has_collection() => collection(global, model),
            Ok(_) => Good("none yet; `alder index FOLDER` makes one".to_owned()),
            Err(_) => Bad("not looked at, because there is no model".to_owned()),
        },
    ));
    findings.push(("Port", port(args.address)));
    let file = keys::file(None, global);
    findings.push((
        "Keys",
        match Keys::load(&file) {
            Ok(keys) if keys.keys.is_empty() => {
                Good("none; the server is for this machine only".to_owned())
            }
            Ok(keys) => Good(format!("{} in {}", keys.keys.len(), file.display())),
            Err(error) => Bad(error.to_string()),
        },
    ));
    let mut out = stdout().lock();
    let mut exit = Exit::Ok;
    for (name, finding) in findings {
        let (mark, words) = match &finding {
            Good(words) => ("ok ", words),
            Bad(words) => {
                exit = Exit::Failure;
                ("BAD", words)
            }
        };
        writeln!(out, "{mark} {name:<12} {}", crate::print::clean(words))?;
    }
    Ok(exit)
}

/// The features of the processor that the kernels use.
fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let features = features();
    let features = if features.is_empty() {
        "no vector features that are used".to_owned()
    } else {
        features.join(", ")
    };
    format!("{}, {cores} cores, {features}", std::env::consts::ARCH)
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let found = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("avxvnni", std::arch::is_x86_feature_detected!("avxvnni")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512bw", std::arch::is_x86_feature_detected!("avx512bw")),
        ("avx512vnni", std::arch::is_x86_feature_detected!("avx512vnni")),
    ];
    let listed = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let tiles = ["amx_bf16", "amx_int8"].map(|name| (name, listed.contains(&format!(" {name}"))));
    found.into_iter().chain(tiles).filter(|(_, has)| *has).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

fn kernel(model: &anyhow::Result<Arc<Model>>) -> Finding {
    let why = match std::env::var_os("ALDER_KERNEL") {
        None => "the best for this processor and model",
        Some(_) => "forced by ALDER_KERNEL",
    };
    match model {
        Ok(model) => Good(format!("{}, {why}", model.backend())),
        Err(_) => Bad("no model to compute; see below".to_owned()),
    }
}

fn data_folder(path: &Path) -> Finding {
    let shown = path.display();
    let probe = fs::create_dir_all(path).and_then(|()| {
        let mut file = tempfile::NamedTempFile::new_in(path)?;
        file.write_all(b"alder")?;
        file.as_file().sync_all()
    });
    match probe {
        Ok(()) => Good(format!("{shown} can be written")),
        Err(error) => Bad(format!("{shown}: {error}; choose another with --data-dir")),
    }
}

fn collection(global: &Global, model: &alder_engine::Model) -> Finding {
    match Collection::open(&global.collection_folder(), model.identity()) {
        Ok(collection) => {
            let stats = collection.snapshot().stats();
            Good(format!("{} documents, {} passages", stats.documents, stats.passages))
        }
        Err(error) => Bad(error.to_string()),
    }
}

fn port(Address(address): Address) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Good(format!("{address} is free")),
        Err(error) => Bad(format!("{address}: {error}; choose another with --address")),
    }
}
