//! Models by name: where the Hugging Face cache is, what ALBERT models it holds, and the folder that a name
//! or path on the command line means. Downloading is [`pull()`], in `hub/download.rs` (cargo feature `fetch`).

#[cfg(feature = "fetch")]
mod download;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// `ORG/NAME[@REVISION]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spec {
    name: String,
    revision: String,
}

/// An ALBERT model in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedModel {
    /// `ORG/NAME`.
    pub(crate) name: String,
    /// The commit.
    pub(crate) commit: String,
    /// The folder with its files.
    pub(crate) path: PathBuf,
    /// Size of those files.
    pub(crate) bytes: u64,
}

/// The cache and the server, as the environment names them.
#[derive(Debug, Clone)]
struct Hub {
    cache: PathBuf,
    #[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "only downloads need it"))]
    endpoint: String,
    #[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "only downloads need it"))]
    token: Option<String>,
    offline: bool,
}

/// The folder of the model `spec` (`ORG/NAME[@REVISION]`) after downloading what the cache lacks: the files an
/// ALBERT model needs and no others. Honours `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN`,
/// `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE` and the proxy variables. Shows progress on
/// stderr if that is a terminal.
///
/// # Errors
/// A message for the user: offline, unreachable, not found, not ALBERT, a file missing or damaged.
pub(crate) fn pull(spec: &str) -> anyhow::Result<PathBuf> {
    Hub::from_environment()?.pull(spec)
}

/// The folder that `name` means: an existing folder, else a complete model in the cache. Never downloads.
///
/// # Errors
/// A message that says how to get the model.
pub(crate) fn resolve(name: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    ensure!(!path.exists(), "{name} is a file; a model is a folder with config.json in it");
    Hub::from_environment()?.resolve(name)
}

/// The ALBERT models in the cache, by name and commit. A missing cache is empty.
///
/// # Errors
/// If a folder of the cache cannot be read.
pub(crate) fn list() -> anyhow::Result<Vec<CachedModel>> {
    Hub::from_environment()?.list()
}

impl std::str::FromStr for Spec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, revision) = text.split_once('@').unwrap_or((text, "main"));
        let plain = |part: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            part.bytes().all(allowed) && !part.is_empty() && !part.starts_with('.')
        };
        let named = name.split_once('/').is_some_and(|(org, name)| plain(org) && plain(name));
        // `--` separates the two in the names of cache folders.
        ensure!(
            named && !name.contains("--") && revision.split('/').all(plain),
            "{text:?} is not a model name; write ORG/NAME or ORG/NAME@REVISION"
        );
        Ok(Self { name: name.to_owned(), revision: revision.to_owned() })
    }
}

impl Hub {
    fn from_environment() -> anyhow::Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Reads the variables as the Python package `huggingface_hub` does.
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let home = || {
            let user = variable("HOME").or_else(|| variable("USERPROFILE"));
            let caches = variable("XDG_CACHE_HOME").map(PathBuf::from);
            caches.or_else(|| user.map(|user| Path::new(&user).join(".cache")))
        };
        let root = variable("HF_HOME")
            .map(PathBuf::from)
            .or_else(|| home().map(|caches| caches.join("huggingface")))
            .context("there is no home folder for the model cache; set HF_HOME")?;
        let cache = variable("HF_HUB_CACHE").or_else(|| variable("HUGGINGFACE_HUB_CACHE"));
        let token_file =
            variable("HF_TOKEN_PATH").map_or_else(|| root.join("token"), PathBuf::from);
        let token = variable("HF_TOKEN")
            .or_else(|| variable("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| std::fs::read_to_string(token_file).ok())
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty());
        let is_on = |name| {
            let value = variable(name).unwrap_or_default().to_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
        };
        let endpoint = variable("HF_ENDPOINT").unwrap_or("https://huggingface.co".to_owned());
        Ok(Self {
            // Links in the cache are relative to absolute paths.
            cache: std::path::absolute(cache.map_or_else(|| root.join("hub"), PathBuf::from))?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
        })
    }

    fn pull(&self, spec: &str) -> anyhow::Result<PathBuf> {
        let parsed: Spec = spec.parse()?;
        if self.offline {
            return self.cached(&parsed).with_context(|| {
                let cache = self.cache.display();
                format!(
                    "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set and {spec} is not in {cache}; \
                     unset it, or copy the model's folder here and give its path"
                )
            });
        }
        #[cfg(feature = "fetch")]
        return self.download(&parsed);
        #[cfg(not(feature = "fetch"))]
        bail!(
            "this build cannot download models; build with `--features fetch`, or download \
             {spec} otherwise and give the path of its folder"
        )
    }

    fn resolve(&self, name: &str) -> anyhow::Result<PathBuf> {
        let Ok(spec) = name.parse::<Spec>() else {
            bail!("there is no folder {name}, and it is not a model name of the form ORG/NAME")
        };
        self.cached(&spec).with_context(|| {
            let cache = self.cache.display();
            format!(
                "there is no folder {name}, and no complete model of that name in {cache}; \
                 get it with `alder model pull {name}`"
            )
        })
    }

    /// The folder of a complete model in the cache.
    fn cached(&self, spec: &Spec) -> Option<PathBuf> {
        let folder = self.folder(&spec.name);
        let commit = std::fs::read_to_string(folder.join("refs").join(&spec.revision));
        let commit = commit.map_or_else(|_| spec.revision.clone(), |text| text.trim().to_owned());
        let snapshot = folder.join("snapshots").join(commit);
        is_complete(&snapshot).then_some(snapshot)
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.cache.join(format!("models--{}", name.replace('/', "--")))
    }

    fn list(&self) -> anyhow::Result<Vec<CachedModel>> {
        let mut models = Vec::new();
        for folder in entries(&self.cache)? {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            let Some(name) = name.strip_prefix("models--") else { continue };
            for path in entries(&folder.join("snapshots"))? {
                if !is_complete(&path) || !is_albert(&path.join("config.json")) {
                    continue;
                }
                let mut bytes = 0;
                for file in entries(&path)? {
                    bytes += std::fs::metadata(&file).map_or(0, |file| file.len());
                }
                let commit = path.file_name().map(|name| name.to_string_lossy().into_owned());
                models.push(CachedModel {
                    name: name.replacen("--", "/", 1),
                    commit: commit.unwrap_or_default(),
                    path,
                    bytes,
                });
            }
        }
        models.sort_by(|a, b| (&a.name, &a.commit).cmp(&(&b.name, &b.commit)));
        Ok(models)
    }
}

/// What `folder` holds; nothing if it does not exist.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let paths = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    paths.with_context(|| format!("cannot read the model cache at {}", folder.display()))
}

/// Whether `folder` holds a configuration, a tokenizer and weights.
fn is_complete(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    let weights = match manifest_files(&folder.join("alder.json")) {
        Some(files) => files.iter().all(|(file, _)| has(file)),
        None => has("model.safetensors") || has("pytorch_model.bin"),
    };
    has("config.json") && (has("tokenizer.json") || has("spiece.model")) && weights
}

/// Files and their SHA-256, as the `alder.json` at `path` lists them.
fn manifest_files(path: &Path) -> Option<Vec<(String, String)>> {
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let files = manifest.get("sha256")?.as_object()?;
    files.iter().map(|(file, hash)| Some((file.clone(), hash.as_str()?.to_owned()))).collect()
}

/// `model_type` of the `config.json` at `path`.
fn model_type(path: &Path) -> Option<String> {
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(config.get("model_type")?.as_str()?.to_owned())
}

fn is_albert(config: &Path) -> bool {
    model_type(config).as_deref() == Some("albert")
}
