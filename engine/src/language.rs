//! [`Language`]: what language the texts of a collection are in, which decides how words are brought to their stems.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! languages {
    ($($name:ident, $code:literal, $words:literal;)*) => {
        /// A language with a stemmer, or [`Language::Other`]. Chinese, Japanese and Korean texts are cut into pairs of
        /// characters whatever the language.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Language {
            $(#[doc = $words] #[serde(rename = $code)] $name,)*
            /// English.
            #[default]
            #[serde(rename = "en")]
            English,
            /// Any other, or several: words are taken as they stand.
            #[serde(rename = "other")]
            Other,
        }

        impl Language {
            /// Every language, English first.
            pub const ALL: &'static [Self] = &[Self::English, $(Self::$name,)* Self::Other];

            /// Its code of ISO 639-1, or `other`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* Self::English => "en", Self::Other => "other" }
            }

            /// Its English name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $words,)* Self::English => "English", Self::Other => "other" }
            }
        }
    };
}

languages! {
    Arabic, "ar", "Arabic";
    Danish, "da", "Danish";
    Dutch, "nl", "Dutch";
    Finnish, "fi", "Finnish";
    French, "fr", "French";
    German, "de", "German";
    Greek, "el", "Greek";
    Hungarian, "hu", "Hungarian";
    Italian, "it", "Italian";
    Norwegian, "no", "Norwegian";
    Portuguese, "pt", "Portuguese";
    Romanian, "ro", "Romanian";
    Russian, "ru", "Russian";
    Spanish, "es", "Spanish";
    Swedish, "sv", "Swedish";
    Tamil, "ta", "Tamil";
    Turkish, "tr", "Turkish";
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = String;

    /// A code (`de`) or an English name (`German`).
    fn from_str(text: &str) -> Result<Self, String> {
        let same = |name: &str| name.eq_ignore_ascii_case(text);
        let found = Self::ALL.iter().find(|l| same(l.code()) || same(l.name()));
        found.copied().ok_or_else(|| {
            let codes: Vec<&str> = Self::ALL.iter().map(|l| l.code()).collect();
            format!("unknown language {text:?}; known are {}", codes.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_by_code_and_by_name_and_the_known_ones_are_told() {
        for &language in Language::ALL {
            assert_eq!(language.code().parse(), Ok(language));
            assert_eq!(language.name().to_uppercase().parse(), Ok(language));
            let json = serde_json::to_string(&language).unwrap();
            assert_eq!(json, format!("{:?}", language.code()));
        }
        let error = "klingon".parse::<Language>().unwrap_err();
        assert!(error.contains("klingon") && error.contains("de, el"), "{error}");
    }
}
