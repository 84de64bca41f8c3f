//! `Hub::download`: a model's files from the Hub into its cache, over the crate `hf-hub`.
//!
//! `hf-hub` stores blobs and links as Python does, but fetches a blob it already has, does not check what
//! arrived, and moves the reference of a branch with every file. So files are fetched by commit, each is
//! checked before it counts, and the reference is written last: it always names a complete model.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use sha2::{Digest, Sha256};

use super::{Hub, Spec, is_albert, manifest_files, model_type};

/// A broken download goes on where it stopped this many times.
const ATTEMPTS: usize = 3;

/// One download: a model at one commit.
struct Download<'a> {
    hub: &'a Hub,
    spec: &'a Spec,
    api: Api,
    repo: ApiRepo,
    /// Folder of the model in the cache.
    folder: PathBuf,
    commit: String,
    /// Names of the files it has.
    available: Vec<String>,
}

impl Hub {
    /// See [`super::pull`].
    pub(super) fn download(&self, spec: &Spec) -> anyhow::Result<PathBuf> {
        let download = Download::start(self, spec)?;
        download.needed_files()?;
        let refs = download.folder.join("refs");
        // `hf-hub` takes the commit for a branch and writes a reference to itself.
        let _ = std::fs::remove_file(refs.join(&download.commit));
        if spec.revision != download.commit {
            let repo =
                Repo::with_revision(spec.name.clone(), RepoType::Model, spec.revision.clone());
            let cache = Cache::new(self.cache.clone());
            cache
                .repo(repo)
                .create_ref(&download.commit)
                .with_context(|| format!("cannot write below {}", refs.display()))?;
        }
        Ok(download.snapshot())
    }
}

impl<'a> Download<'a> {
    /// Asks the server for the commit and the names of the files.
    fn start(hub: &'a Hub, spec: &'a Spec) -> anyhow::Result<Self> {
        let api = ApiBuilder::from_cache(Cache::new(hub.cache.clone()))
            .with_endpoint(hub.endpoint.clone())
            .with_token(hub.token.clone())
            .with_progress(std::io::stderr().is_terminal())
            .build()?;
        let repo_at = |revision: &str| {
            Repo::with_revision(spec.name.clone(), RepoType::Model, revision.to_owned())
        };
        let info = api.repo(repo_at(&spec.revision)).info();
        let info = info.map_err(|error| explain(hub, spec, "its list of files", error))?;
        ensure!(
            (7..=64).contains(&info.sha.len()) && info.sha.bytes().all(|b| b.is_ascii_hexdigit()),
            "{} answered with a commit that is none: {:?}",
            hub.endpoint,
            info.sha
        );
        let repo = api.repo(repo_at(&info.sha));
        let folder = hub.folder(&spec.name);
        let available = info.siblings.into_iter().map(|file| file.rfilename).collect();
        Ok(Self { hub, spec, api, repo, folder, commit: info.sha, available })
    }

    fn snapshot(&self) -> PathBuf {
        self.folder.join("snapshots").join(&self.commit)
    }

    /// Fetches the configuration, checks that it is ALBERT's, then the rest.
    fn needed_files(&self) -> anyhow::Result<()> {
        let config = self.fetch("config.json")?;
        if !is_albert(&config) {
            let found = model_type(&config).unwrap_or("none".to_owned());
            bail!(
                "{} is not an ALBERT model: its config.json has model_type {found}",
                self.spec.name
            );
        }
        self.fetch(self.first_of(&["tokenizer.json", "spiece.model"])?)?;
        if self.has("tokenizer_config.json") {
            self.fetch("tokenizer_config.json")?;
        }
        if !self.has("alder.json") {
            return self
                .fetch(self.first_of(&["model.safetensors", "pytorch_model.bin"])?)
                .map(drop);
        }
        let manifest = self.fetch("alder.json")?;
        let files = manifest_files(&manifest)
            .with_context(|| format!("alder.json of {} lists no files", self.spec.name))?;
        for (file, expected) in files {
            let path = self.fetch(&file)?;
            let found = sha256(&path)?;
            ensure!(
                found == expected,
                "{file} of {} is not the one its alder.json describes (sha256 {found} instead of \
                 {expected}); tell its author",
                self.spec.name
            );
        }
        Ok(())
    }

    fn has(&self, file: &str) -> bool {
        self.available.iter().any(|name| name == file)
    }

    fn first_of(&self, files: &[&'static str]) -> anyhow::Result<&'static str> {
        let name = &self.spec.name;
        let found = files.iter().copied().find(|file| self.has(file));
        found.with_context(|| format!("{name} has no {}", files.join(" and no ")))
    }

    /// The path of `file` in the snapshot, downloaded if it is not there.
    fn fetch(&self, file: &str) -> anyhow::Result<PathBuf> {
        let link = self.snapshot().join(file);
        if link.is_file() {
            return Ok(link);
        }
        ensure!(self.has(file), "{} has no {file}", self.spec.name);
        let plain = |part: &str| !part.is_empty() && part != ".." && !part.contains(['\\', ':']);
        ensure!(file.split('/').all(plain), "{file:?} is no name for a file of a model");
        let failed = |error| explain(self.hub, self.spec, file, error);
        let metadata = self.api.metadata(&self.repo.url(file)).map_err(failed)?;
        ensure!(
            metadata.etag().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{} answered with an etag that cannot name a file: {:?}",
            self.hub.endpoint,
            metadata.etag()
        );
        ensure!(
            metadata.commit_hash() == self.commit,
            "{} answered with {file} of another commit than was asked for; pull again",
            self.hub.endpoint
        );
        let blob = self.folder.join("blobs").join(metadata.etag());
        if let Ok(stale) = std::fs::symlink_metadata(&link) {
            // Links to blobs that are gone stop new ones.
            ensure!(!stale.is_dir(), "{} is a folder and should be a file", link.display());
            std::fs::remove_file(&link)?;
        }
        let size = metadata.size() as u64;
        if file_size(&blob) == Some(size) && link_to(&blob, file, &link).is_ok() {
            return Ok(link);
        }
        let part = blob.with_extension("part");
        if file_size(&part).is_some_and(|found| found >= size) {
            std::fs::remove_file(&part)?;
        }
        let mut outcome = self.repo.download(file);
        for _ in 1..ATTEMPTS {
            match &outcome {
                Err(ApiError::IoError(_)) => {}
                Err(ApiError::RequestError(error))
                    if !matches!(**error, ureq::Error::StatusCode(_)) => {}
                _ => break,
            }
            outcome = self.repo.download(file);
        }
        let path = outcome.map_err(failed)?;
        if let Err(error) = check(&path, metadata.etag(), size) {
            let _ = std::fs::remove_file(&path);
            let _ = std::fs::remove_file(&blob);
            return Err(error.context(format!("{file} of {} arrived damaged", self.spec.name)));
        }
        Ok(path)
    }
}

fn file_size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|file| file.len())
}

/// Links `link`, the place of `file` in a snapshot, to `blob`, relative as Python does.
fn link_to(blob: &Path, file: &str, link: &Path) -> std::io::Result<()> {
    let folder = link.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    let up = "../".repeat(file.split('/').count() + 1);
    let name = blob.file_name().ok_or(std::io::ErrorKind::InvalidInput)?;
    let target = Path::new(&up).join("blobs").join(name);
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, link);
    #[cfg(windows)]
    return std::os::windows::fs::symlink_file(target, link);
}

/// Size, and the hash where the etag is one (large files are named by their SHA-256).
fn check(path: &Path, etag: &str, size: u64) -> anyhow::Result<()> {
    let found = std::fs::metadata(path)?.len();
    ensure!(found == size, "it has {found} of {size} bytes; pull again");
    if etag.len() == 64 {
        let found = sha256(path)?;
        ensure!(found == etag, "its sha256 is {found} instead of {etag}; pull again");
    }
    Ok(())
}

fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => digest.update(&buffer[..read]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What went wrong with `what`, and what the user can do.
fn explain(hub: &Hub, spec: &Spec, what: &str, error: ApiError) -> anyhow::Error {
    let (Hub { endpoint, .. }, Spec { name, revision }) = (hub, spec);
    let status = match &error {
        ApiError::RequestError(error) => match **error {
            ureq::Error::StatusCode(status) => Some(status),
            _ => None,
        },
        _ => None,
    };
    match status {
        Some(404) => anyhow!("{endpoint} has no {name} at revision {revision} with {what}"),
        Some(401 | 403) => anyhow!(
            "{endpoint} does not give {what} of {name}: the name is wrong, or the model needs an \
             account that may read it (set HF_TOKEN)"
        ),
        Some(status) => anyhow!("{endpoint} answered {status} for {what} of {name}; try later"),
        None => anyhow!(error).context(format!(
            "cannot get {what} of {name} from {endpoint}; without a network, copy the model's \
             folder to this machine and give its path"
        )),
    }
}
