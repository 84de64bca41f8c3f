//! The description of the interface: OpenAPI 3.1, made from the handlers and the wire types. `api/openapi.json` is
//! the same, committed; a test fails when it is not.

use std::sync::LazyLock;

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::problem::ProblemBody;
use super::{
    batch, bulk, dialect, docs, documents, files, health, judgements, metrics, search, similar,
    status, stream, suggest, synonyms, tasks, why,
};

/// Everything that can be asked of the service, except the page and MCP, which are no part of it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Alder",
        description = "Search that answers: ranked passages and verbatim answers from your documents.\n\n\
            Errors are `application/problem+json` (RFC 9457) with a stable `code`, except under *dialects*, which \
            answer in the shapes of the servers they stand in for. `start` and `end` count characters, `start_byte` \
            and `end_byte` bytes of UTF-8.",
    ),
    paths(
        search::search_get, search::search_post, search::ask_get, search::ask_post,
        stream::ask_get, stream::ask_post, batch::batch, similar::similar,
        suggest::suggest, synonyms::show, synonyms::replace, why::why_get, why::why_post, judgements::record,
        documents::upsert, documents::show, documents::remove, files::upload, bulk::bulk,
        tasks::list, tasks::show, tasks::cancel,
        dialect::openai::embeddings, dialect::openai::models, dialect::openai::model,
        dialect::tei::embed_texts, dialect::tei::rerank, dialect::tei::tokenize, dialect::tei::info,
        dialect::cohere::rerank_v1, dialect::cohere::rerank_v2, dialect::huggingface::answer,
        status::status, health::health, health::live, health::ready, metrics::show,
        show, docs::show,
    ),
    components(schemas(ProblemBody)),
    modifiers(&Shared),
    tags(
        (name = "search", description = "Finding and answering"),
        (name = "documents", description = "Adding, reading and removing"),
        (name = "dialects", description = "The model alone, in the shapes of other servers"),
        (name = "operations", description = "Running the service"),
    ),
)]
struct Interface;

/// What all operations share: the key, and the shape of errors.
struct Shared;

impl Modify for Shared {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Needed where keys were made with `alder keys create`"))
            .build();
        openapi
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", SecurityScheme::Http(key));
        for (path, item) in &mut openapi.paths.paths {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let name: String = path.chars().map(plain).collect();
            let methods = [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("put", &mut item.put),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in methods {
                let Some(operation) = operation else { continue };
                // Names of handlers are not unique.
                operation.operation_id = Some(format!("{method}{name}"));
                let schema = RefOr::Ref(Ref::from_schema_name("ProblemBody"));
                let content = ContentBuilder::new().schema(Some(schema)).build();
                let mut response = ResponseBuilder::new()
                    .description("What is wrong, and what would be right")
                    .content("application/problem+json", content);
                let dialect = operation.tags.iter().flatten().any(|tag| tag == "dialects");
                if dialect || path == "/_bulk" {
                    // The shapes of the errors are those of the other servers.
                    let content = ContentBuilder::new().build();
                    response = response.content("application/json", content);
                }
                let response = response.build();
                operation.responses.responses.insert("default".into(), RefOr::T(response));
            }
        }
    }
}

/// The description, made once.
pub(super) fn document() -> &'static utoipa::openapi::OpenApi {
    static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(Interface::openapi);
    &DOCUMENT
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, content_type = "application/json", body = Object)))]
pub(crate) async fn show() -> Json<&'static utoipa::openapi::OpenApi> {
    Json(document())
}
