//! Reads the parts of a SentencePiece model file (protobuf, `sentencepiece_model.proto`) that encoding needs.
//! Every length is checked against the bytes at hand; damaged bytes are an error with their position.

/// Wire types of the protobuf encoding.
enum Value<'a> {
    Varint(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    Skipped,
}

/// What is wrong with the bytes, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) String);

/// `SentencePiece.Type`, without `BYTE`, which ALBERT models do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
}

/// One entry of the vocabulary; its id is its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: Kind,
}

/// The model file: vocabulary in id order, and the normalisation table (may be empty).
#[derive(Debug, Default)]
pub(super) struct ModelFile {
    pub(super) pieces: Vec<Piece>,
    pub(super) charsmap: Vec<u8>,
}

/// The model in `bytes`; refuses models that are not Unigram or that use options ALBERT does not.
pub(super) fn read(bytes: &[u8]) -> Result<ModelFile, Damage> {
    let mut file = ModelFile::default();
    let mut fields = Fields::new(bytes);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(piece)) => {
                let piece = read_piece(piece)
                    .map_err(|Damage(why)| Damage(format!("piece {}: {why}", file.pieces.len())))?;
                file.pieces.push(piece);
            }
            (2, Value::Bytes(spec)) => check_trainer(spec)?,
            (3, Value::Bytes(spec)) => file.charsmap = read_normalizer(spec)?,
            _ => {}
        }
    }
    Ok(file)
}

fn read_piece(bytes: &[u8]) -> Result<Piece, Damage> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: Kind::Normal };
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(text)) => {
                let text = std::str::from_utf8(text).map_err(|e| Damage(e.to_string()))?;
                piece.text = text.to_owned();
            }
            (2, Value::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Varint(kind)) => {
                piece.kind = match kind {
                    1 => Kind::Normal,
                    2 => Kind::Unknown,
                    3 => Kind::Control,
                    4 => Kind::UserDefined,
                    5 => Kind::Unused,
                    other => return Err(Damage(format!("unsupported piece type {other}"))),
                }
            }
            _ => {}
        }
    }
    if piece.text.is_empty() || !piece.score.is_finite() {
        return Err(Damage("empty text or a score that is not a number".to_owned()));
    }
    Ok(piece)
}

fn check_trainer(bytes: &[u8]) -> Result<(), Damage> {
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (3, Value::Varint(1)) | (24 | 35, Value::Varint(0)) => {}
            (3, Value::Varint(other)) => {
                return Err(Damage(format!("model type {other} instead of Unigram (1)")));
            }
            (24, _) => return Err(Damage("unsupported treat_whitespace_as_suffix".to_owned())),
            (35, _) => return Err(Damage("unsupported byte_fallback".to_owned())),
            _ => {}
        }
    }
    Ok(())
}

fn read_normalizer(bytes: &[u8]) -> Result<Vec<u8>, Damage> {
    let mut charsmap = Vec::new();
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (2, Value::Bytes(table)) => charsmap = table.to_vec(),
            (number @ 3..=5, Value::Varint(0)) => {
                let name = ["add_dummy_prefix", "remove_extra_whitespaces", "escape_whitespaces"];
                return Err(Damage(format!("unsupported {}: false", name[number as usize - 3])));
            }
            _ => {}
        }
    }
    Ok(charsmap)
}

/// The fields of one message, in order.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Damage> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Skipped)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                let mut bits = [0; 4];
                bits.copy_from_slice(self.take(4)?);
                Value::Fixed32(u32::from_le_bytes(bits))
            }
            other => return Err(self.damage(&format!("unknown wire type {other}"))),
        };
        Ok(Some((key >> 3, value)))
    }

    fn varint(&mut self) -> Result<u64, Damage> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damage("a number longer than ten bytes"))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Damage> {
        let rest = &self.bytes[self.at..];
        match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(self.damage("the file ends too early")),
        }
    }

    fn damage(&self, what: &str) -> Damage {
        Damage(format!("{what} (byte {} of a message of {} bytes)", self.at, self.bytes.len()))
    }
}
