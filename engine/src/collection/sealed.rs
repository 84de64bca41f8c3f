//! Small JSON texts with a checksum: the manifest and the payload of a commit.
//! `{"crc":"xxxxxxxx","content":…}`, where the checksum covers the content's bytes as written.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// `content` as sealed text.
pub(super) fn seal(content: &impl Serialize) -> String {
    let content = serde_json::to_string(content).expect("plain structs serialise");
    format!("{{\"crc\":\"{:08x}\",\"content\":{content}}}", crc32fast::hash(content.as_bytes()))
}

/// The content of sealed text, or what is wrong with it.
pub(super) fn unseal<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let parts = text
        .trim_end()
        .strip_prefix("{\"crc\":\"")
        .and_then(|rest| rest.split_once("\",\"content\":"))
        .and_then(|(crc, rest)| Some((crc, rest.strip_suffix('}')?)));
    let (crc, content) = parts.ok_or("text without a checksum")?;
    if crc != format!("{:08x}", crc32fast::hash(content.as_bytes())) {
        return Err("contents with a wrong checksum".into());
    }
    serde_json::from_str(content).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_byte_is_noticed() {
        let text = seal(&vec!["a", "b"]);
        assert_eq!(unseal::<Vec<String>>(&text).unwrap(), ["a", "b"]);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(unseal::<Vec<String>>(&changed).is_err(), "{changed}");
        }
    }
}
