//! HTML that the server writes: [`fill`] puts text into the slots of a file of `alder-ui`, [`Escaped`] is the only
//! road of a document's text into it. `plain` and `reader` are the pages made so.

use std::fmt::{self, Write};
use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Text shown where HTML is expected: what would be markup or end an attribute is written as a reference.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// `text` with every range of bytes (sorted, apart) in a `mark` with the attributes beside it.
pub(crate) fn marked(text: &str, marks: &[(Range<usize>, String)]) -> String {
    let mut html = String::with_capacity(text.len() + 64 * marks.len());
    let mut at = 0;
    for (range, attributes) in marks {
        let (before, inside) = (Escaped(&text[at..range.start]), Escaped(&text[range.clone()]));
        // Writing to a string cannot fail.
        let _ = write!(html, "{before}<mark {attributes}>{inside}</mark>");
        at = range.end;
    }
    let _ = write!(html, "{}", Escaped(&text[at..]));
    html
}

/// `text` as a value in the query of a URL.
pub(crate) fn encoded(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            _ => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

/// The file `name` with `<!--slot-->` replaced by HTML, for every slot.
///
/// # Errors
/// An internal problem when the file or a slot does not exist.
pub(crate) fn fill(name: &str, slots: &[(&str, &str)]) -> Result<String, Problem> {
    let file = alder_ui::asset(name)
        .ok_or_else(|| Problem::internal(format!("the page {name} is not in the program")))?;
    let mut html = String::from_utf8(file.bytes.into_owned()).map_err(Problem::internal)?;
    for (slot, value) in slots {
        let mark = format!("<!--{slot}-->");
        if !html.contains(&mark) {
            return Err(Problem::internal(format!("the page {name} has no slot {slot}")));
        }
        html = html.replace(&mark, value);
    }
    Ok(html)
}

/// `html` as a reply, with a tag by which a browser that has it already is told so.
pub(crate) fn reply(status: StatusCode, html: String, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(html.as_bytes()).to_hex()[..24]);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    (status, headers, Body::from(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_stays_text() {
        let text = "<img src=x onerror='a()'> & \"b\"";
        assert_eq!(
            Escaped(text).to_string(),
            "&lt;img src=x onerror=&#39;a()&#39;&gt; &amp; &quot;b&quot;"
        );
        let marks = [(0..4, "class=\"term\"".to_owned())];
        assert_eq!(marked("<b>é", &marks[..0]), "&lt;b&gt;é");
        assert_eq!(
            marked("<b>é", &[(1..2, "id=\"m1\"".to_owned())]),
            "&lt;<mark id=\"m1\">b</mark>&gt;é"
        );
        assert!(marked("<svg", &marks).starts_with("<mark class=\"term\">&lt;svg"));
    }

    #[test]
    fn what_stands_in_a_url_cannot_end_it() {
        assert_eq!(encoded("a b&c=\"é\"#<"), "a%20b%26c%3D%22%C3%A9%22%23%3C");
    }

    #[test]
    fn a_slot_that_is_not_there_is_our_fault_and_not_silence() {
        assert!(fill("index.html", &[("nothing", "")]).is_err());
        assert!(fill("nothing.html", &[]).is_err());
    }
}
