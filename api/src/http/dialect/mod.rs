//! The requests that clients of other servers already send, answered in their own shapes, errors included:
//! OpenAI embeddings, Text Embeddings Inference (TEI), Cohere and Jina reranking, Hugging Face question
//! answering. No collection is involved: these are the model alone.
//!
//! What the shapes ask for and this model cannot do is refused in their words, never quietly done otherwise.

pub(super) mod cohere;
pub(super) mod huggingface;
pub(super) mod openai;
pub(super) mod tei;

use std::sync::Arc;

use alder_engine::{Embedding, Model};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::problem::{Code, Problem};
use super::state::App;

/// Texts that one request may embed.
pub(super) const EMBED_TEXTS: usize = 2_048;
/// Texts that one request may rerank: each is read beside the query.
pub(super) const RERANK_TEXTS: usize = 1_000;

/// One text or several.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// Whether a text that is too long is cut or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TooLong {
    Cut,
    Refuse,
}

/// Embeddings of texts and their tokens in all.
struct Embedded {
    embeddings: Vec<Embedding>,
    tokens: usize,
}

/// Embeds `texts` when it is their turn.
async fn embed(app: Arc<App>, texts: Vec<String>, too_long: TooLong) -> Result<Embedded, Problem> {
    check_count("input", texts.len(), EMBED_TEXTS)?;
    in_turn(app, move |model| {
        let tokens = count_tokens(model, &texts, too_long)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(Embedded { embeddings: model.encode(&texts)?, tokens })
    })
    .await
}

/// Runs `work` on a blocking thread with the permit of a search.
async fn in_turn<T: Send + 'static>(
    app: Arc<App>,
    work: impl FnOnce(&Model) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = app.search_permit().await?;
    let work = move || {
        let _permit = permit;
        work(&app.model)
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

/// Tokens of all texts, special tokens included, as the model takes them.
fn count_tokens(model: &Model, texts: &[String], too_long: TooLong) -> Result<usize, Problem> {
    let most = model.max_length();
    let mut sum = 0;
    for text in texts {
        if text.trim().is_empty() {
            return Err(Problem::of("input", Code::EmptyQuery, "`inputs` cannot be empty"));
        }
        let tokens = model.token_spans(text)?.len() + 2;
        if tokens > most && too_long == TooLong::Refuse {
            let detail = format!("`inputs` must have less than {most} tokens. Given: {tokens}");
            return Err(Problem::of("input", Code::TooManyTokens, detail));
        }
        sum += tokens.min(most);
    }
    Ok(sum)
}

fn check_count(field: &str, found: usize, most: usize) -> Result<(), Problem> {
    match found {
        0 => Err(Problem::of(field, Code::EmptyQuery, format!("`{field}` cannot be empty"))),
        found if found > most => {
            let detail = format!("batch size {found} > maximum allowed batch size {most}");
            Err(Problem::of(field, Code::BatchTooLarge, detail))
        }
        _ => Ok(()),
    }
}

/// The name of the model, if `asked` is it or nothing.
fn check_model(model: &Model, asked: Option<&str>) -> Result<String, Problem> {
    let name = &model.identity().name;
    match asked {
        Some(asked) if asked != name => {
            let detail = format!("The model `{asked}` does not exist; this server has `{name}`");
            Err(Problem::of("model", Code::ModelNotFound, detail))
        }
        _ => Ok(name.clone()),
    }
}

fn status(problem: &Problem) -> StatusCode {
    problem.code.row().0
}

/// Places of `texts` with the logit of their relevance to `query`, most relevant first.
fn ranked(model: &Model, query: &str, texts: &[String]) -> Result<Vec<(usize, f32)>, Problem> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let logits = alder_engine::relevances(model, query, &texts)?;
    let mut ranked: Vec<(usize, f32)> = logits.into_iter().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(ranked)
}

/// Tokens of a query and texts, without special tokens.
fn token_sum(model: &Model, query: &str, texts: &[String]) -> Result<usize, Problem> {
    let mut sum = model.token_spans(query)?.len();
    for text in texts {
        sum += model.token_spans(text)?.len();
    }
    Ok(sum)
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
