//! The web page of Alder, as files inside the program. `web/` holds plain ES modules, one style sheet and the HTML
//! files, with slots (`<!--main-->`) that the server fills; nothing is built. Which address serves which file is
//! decided by the HTTP service.

use std::borrow::Cow;
use std::fmt::Write;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "web"]
struct Files;

/// One file of the page.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type, with a charset where it is text.
    pub content_type: String,
    /// An HTTP entity tag, quoted, that changes with the bytes.
    pub tag: String,
}

/// The file at `path` ("index.html"), or `None` when there is no such file.
pub fn asset(path: &str) -> Option<Asset> {
    let file = Files::get(path)?;
    let mime = file.metadata.mimetype();
    let text = mime.starts_with("text/") || mime.ends_with("javascript");
    let content_type = if text { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..12] {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    Some(Asset { bytes: file.data, content_type, tag })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Every file of the page as (name, text).
    fn files() -> impl Iterator<Item = (String, String)> {
        Files::iter().map(|name| {
            let bytes = asset(&name).unwrap().bytes.into_owned();
            (name.into_owned(), String::from_utf8(bytes).unwrap())
        })
    }

    #[test]
    fn the_page_obeys_its_content_security_policy() {
        for (name, text) in files() {
            for forbidden in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(forbidden), "{name} uses {forbidden}");
            }
            if name.ends_with(".html") {
                assert!(
                    !text.contains("<style") && !text.contains(" style="),
                    "{name}: inline style"
                );
                assert!(
                    !text.contains(" onclick=") && !text.contains("<script>"),
                    "{name}: inline script"
                );
            }
            let foreign = ["http://", "https://"].iter().any(|scheme| {
                text.match_indices(scheme)
                    .any(|(at, _)| !text[at..].starts_with("http://www.w3.org/"))
            });
            assert!(!foreign, "{name} refers to another server");
        }
    }

    #[test]
    fn everything_a_page_loads_is_there() {
        for (name, text) in files().filter(|(name, _)| name.ends_with(".html")) {
            let loaded: Vec<_> = text.split("\"/ui/").skip(1).collect();
            assert!(!loaded.is_empty(), "{name} loads nothing");
            for rest in loaded {
                let path = rest.split('"').next().unwrap();
                assert!(asset(path).is_some(), "{name} loads {path}, which does not exist");
            }
        }
    }

    /// The files that `name` has the browser load at once, itself included.
    fn loaded(name: &str, found: &mut BTreeMap<String, usize>) {
        let bytes = asset(name).unwrap().bytes.into_owned();
        if found.insert(name.to_owned(), bytes.len()).is_some() {
            return;
        }
        let text = String::from_utf8(bytes).unwrap();
        for start in ["\"/ui/", " from \"./"] {
            for rest in text.split(start).skip(1) {
                loaded(rest.split('"').next().unwrap(), found);
            }
        }
    }

    #[test]
    fn a_page_weighs_at_most_60_kb_in_7_files() {
        for page in ["index.html", "document.html", "collection.html"] {
            let mut found = BTreeMap::new();
            loaded(page, &mut found);
            let bytes: usize = found.values().sum();
            assert!(bytes <= 60_000 && found.len() <= 7, "{page}: {bytes} bytes in {found:?}");
            assert!(found.keys().any(|file| file == "dom.js"), "{page}: imports are followed");
        }
    }

    #[test]
    fn files_carry_their_type_and_a_tag() {
        let script = asset("search.js").unwrap();
        assert_eq!(script.content_type, "text/javascript; charset=utf-8");
        assert_eq!(script.tag.len(), 26);
        assert!(asset("no-such-file.js").is_none());
    }
}
