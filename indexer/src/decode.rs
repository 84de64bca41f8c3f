//! Bytes → text: byte order mark, then UTF-8, then a guess; and what is not text at all.
//! Everything the extractors see went through here.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::limits;

/// Text with `\n` line ends and without NUL or byte order mark.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// What the user should know: guessed encoding, replaced or removed characters.
    pub(crate) notes: Vec<String>,
}

/// Kinds of binary content by their first bytes, for the reason given.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a zip archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
];

/// Why `bytes` (the beginning of a file) are not text, if they are not.
pub(crate) fn binary_reason(bytes: &[u8]) -> Option<String> {
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(format!("binary content: {name}"));
    }
    if Encoding::for_bom(bytes).is_some() || wide_without_mark(bytes).is_some() {
        return None;
    }
    let head = &bytes[..bytes.len().min(limits::SNIFF_BYTES)];
    let control = head.iter().filter(|b| **b < 32 && !b"\t\n\r\x0c\x1b\x08".contains(b)).count();
    (control * 50 > head.len()).then(|| {
        format!("binary content: {control} control characters in the first {} bytes", head.len())
    })
}

/// Decodes `bytes`; `declared` is the encoding the file names itself, if it does.
///
/// # Errors
/// The reason in words when the bytes are not text.
pub(crate) fn decode(bytes: Vec<u8>, declared: Option<&'static Encoding>) -> Result<Decoded, String> {
    if let Some(reason) = binary_reason(&bytes) {
        return Err(reason);
    }
    let mut notes = Vec::new();
    let text = if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        lossy(encoding, &bytes[mark..], &mut notes)
    } else if let Some(encoding) = wide_without_mark(&bytes) {
        notes.push(format!("encoding guessed: {}", encoding.name()));
        lossy(encoding, &bytes, &mut notes)
    } else {
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => foreign(error.as_bytes(), declared, &mut notes),
        }
    };
    Ok(Decoded { text: normalise(text, &mut notes), notes })
}

/// Text that is not valid UTF-8: damaged UTF-8 when most of its other characters are whole ones, the declared
/// encoding or a guess otherwise.
fn foreign(bytes: &[u8], declared: Option<&'static Encoding>, notes: &mut Vec<String>) -> String {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    if whole > broken * 4 {
        return lossy(UTF_8, bytes, notes);
    }
    if let Some(encoding) = declared.filter(|e| *e != UTF_8) {
        return lossy(encoding, bytes, notes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    notes.push(format!("not valid UTF-8; encoding guessed: {}", encoding.name()));
    lossy(encoding, bytes, notes)
}

/// Decodes and counts what had to be replaced.
fn lossy(encoding: &'static Encoding, bytes: &[u8], notes: &mut Vec<String>) -> String {
    let (text, replaced) = encoding.decode_without_bom_handling(bytes);
    if replaced {
        let count = text.matches('\u{fffd}').count();
        notes.push(format!("{count} characters are not valid {} and were replaced", encoding.name()));
    }
    text.into_owned()
}

/// UTF-16 without a byte order mark shows as NUL in every second byte.
fn wide_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(limits::SNIFF_BYTES)];
    let (mut even, mut odd) = (0, 0);
    for pair in head.chunks_exact(2) {
        even += usize::from(pair[0] == 0);
        odd += usize::from(pair[1] == 0);
    }
    let pairs = head.len() / 2;
    if pairs < 4 {
        None
    } else if odd * 10 > pairs * 7 && even * 50 < pairs {
        Some(UTF_16LE)
    } else if even * 10 > pairs * 7 && odd * 50 < pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// `\r\n` and `\r` become `\n`; NUL is removed, and counted.
fn normalise(mut text: String, notes: &mut Vec<String>) -> String {
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    if text.contains('\0') {
        let length = text.len();
        text.retain(|c| c != '\0');
        notes.push(format!("{} NUL characters were removed", length - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8]) -> Decoded {
        decode(bytes.to_vec(), None).unwrap()
    }

    #[test]
    fn utf8_with_and_without_mark_is_taken_as_it_is() {
        assert_eq!(decoded("né à\n".as_bytes()), Decoded { text: "né à\n".into(), notes: vec![] });
        assert_eq!(decoded("\u{feff}né".as_bytes()), Decoded { text: "né".into(), notes: vec![] });
    }

    #[test]
    fn utf16_is_read_with_its_mark_and_guessed_without() {
        let wide: Vec<u8> = "Größe und Maß".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [b"\xff\xfe".as_slice(), &wide].concat();
        assert_eq!(decoded(&marked), Decoded { text: "Größe und Maß".into(), notes: vec![] });
        let bare = decoded(&wide);
        assert_eq!(bare.text, "Größe und Maß");
        assert_eq!(bare.notes, ["encoding guessed: UTF-16LE"]);
    }

    #[test]
    fn a_foreign_encoding_is_guessed_and_said_so() {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode("Le café est fermé à l’été, déjà prévu.");
        let decoded = decode(bytes.into_owned(), None).unwrap();
        assert_eq!(decoded.text, "Le café est fermé à l’été, déjà prévu.");
        assert_eq!(decoded.notes, ["not valid UTF-8; encoding guessed: windows-1252"]);
    }

    #[test]
    fn a_damaged_utf8_file_stays_utf8_and_counts_what_was_replaced() {
        let mut bytes = "Żółć i gęś, źdźbło".as_bytes().to_vec();
        bytes.push(0xff);
        let decoded = decode(bytes, None).unwrap();
        assert_eq!(decoded.text, "Żółć i gęś, źdźbło\u{fffd}");
        assert_eq!(decoded.notes, ["1 characters are not valid UTF-8 and were replaced"]);
    }

    #[test]
    fn line_ends_become_one_kind_and_a_stray_nul_is_removed() {
        let long = format!("a\r\nb\rc\0{}", "d".repeat(200));
        let decoded = decoded(long.as_bytes());
        assert!(decoded.text.starts_with("a\nb\ncd"));
        assert_eq!(decoded.notes, ["1 NUL characters were removed"]);
    }

    #[test]
    fn binary_content_is_refused_with_a_reason() {
        assert_eq!(decode(b"%PDF-1.7 ...".to_vec(), None).unwrap_err(), "binary content: a PDF file");
        let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(decode(noise, None).unwrap_err().starts_with("binary content: "));
    }

    proptest! {
        #[test]
        fn any_bytes_give_text_or_a_reason(bytes: Vec<u8>) {
            if let Ok(decoded) = decode(bytes, None) {
                prop_assert!(!decoded.text.contains(['\0', '\r']));
            }
        }
    }
}
