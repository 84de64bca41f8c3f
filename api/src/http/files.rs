//! `POST /v1/files`: files as a browser form sends them. The bytes go to disk as they come, and are read there by
//! the same extractors, in the same sandbox, as files of a folder.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::response::Response;

use super::extract::Parameters;
use super::problem::{Code, Problem};
use super::state::App;
use super::tasks;
use crate::tasks::{Draft, FileDraft};
use crate::wire::{Task, WaitParameters};

/// Files in one request.
const FILES: usize = 1_000;

/// Takes files; each is a document with its name as id, or one document per record.
#[utoipa::path(post, path = "/v1/files", tag = "documents", params(WaitParameters),
    request_body(content_type = "multipart/form-data", content = String, description = "Parts with a file name; other parts are refused."),
    responses((status = 202, description = "Durable; done later unless `wait=true`", body = Task)))]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    Parameters(WaitParameters { wait }): Parameters<WaitParameters>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let mut form = form.map_err(|rejection| {
        Problem::of(
            "content-type",
            Code::UnsupportedMediaType,
            format!("{rejection}; send multipart/form-data"),
        )
    })?;
    let mut draft = app.tasks.file_draft()?;
    let mut written = Vec::new();
    while let Some(field) = form.next_field().await? {
        if written.len() == FILES {
            let detail = format!("at most {FILES} files are taken at once");
            return Err(Problem::new(Code::BodyTooLarge, detail));
        }
        written.push(receive(&mut draft, field).await?);
    }
    if written.is_empty() {
        return Err(Problem::new(Code::NoValidDocument, "the form holds no file"));
    }
    let draft = tokio::task::spawn_blocking(move || {
        written.iter().try_for_each(|file| draft.finish(file)).map(|()| draft)
    });
    let draft = draft.await.map_err(Problem::internal)??;
    tasks::accept(app, Draft::Files(draft), wait.unwrap_or(false)).await
}

/// Writes one part to disk. Each write is a piece as it came from the network and goes to the page cache.
async fn receive(draft: &mut FileDraft, mut field: Field<'_>) -> Result<File, Problem> {
    let name = field.file_name().map(str::to_owned).ok_or_else(|| {
        let detail = "a part of the form has no file name; send files only";
        Problem::new(Code::NoValidDocument, detail)
    })?;
    let mut file = draft
        .create(&name)
        .map_err(|detail| Problem::of("filename", Code::NoValidDocument, detail))?;
    while let Some(piece) = field.chunk().await? {
        file.write_all(&piece).map_err(Problem::internal)?;
    }
    Ok(file)
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(
                Code::BodyTooLarge,
                "the files are larger than this address takes; send fewer at once",
            );
        }
        Self::new(Code::BadRequest, format!("the form cannot be read: {}", error.body_text()))
    }
}
