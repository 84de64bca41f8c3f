//! How a collection ranks when a query does not say: `ranking.json` in its folder, as it was tuned. It changes the
//! order of results, not what is stored, so it may change at any time.

use std::fs;
use std::path::Path;

use super::manifest::write_synced;
use crate::query::within;
use crate::{Fusion, OpenError, QueryError};

const FILE: &str = "ranking.json";

/// What a query that leaves it open is ranked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ranking {
    /// How the two lists become one.
    pub fusion: Fusion,
    /// Weight of the reader's evidence when hits are reordered, 0 (fused order)..=1; `None` is the model's.
    pub rerank_weight: Option<f32>,
}

impl Ranking {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`QueryError`] naming the parameter.
    pub fn validate(&self) -> Result<(), QueryError> {
        self.fusion.validate()?;
        within("rerank_weight", self.rerank_weight.unwrap_or(0.0), 1.0)
    }
}

/// The ranking in `folder`; the default if there is no file.
pub(super) fn read(folder: &Path) -> Result<Ranking, OpenError> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ranking::default()),
        Err(error) => return Err(OpenError::io(&path, error)),
    };
    let unexpected = |found: String| OpenError::Unexpected {
        path: path.clone(),
        expected: "fusion and rerank_weight as tuning writes them".into(),
        found,
        remedy: "tune the collection again, or remove the file".into(),
    };
    let ranking: Ranking = serde_json::from_str(&text).map_err(|e| unexpected(e.to_string()))?;
    ranking.validate().map_err(|e| unexpected(e.to_string()))?;
    Ok(ranking)
}

/// Keeps `ranking` in `folder`.
pub(super) fn write(folder: &Path, ranking: &Ranking) -> Result<(), OpenError> {
    let text = serde_json::to_string_pretty(ranking).expect("numbers and names become JSON");
    write_synced(&folder.join(FILE), &(text + "\n"))
}
