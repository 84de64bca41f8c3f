//! The normalisation table of a SentencePiece model (`precompiled_charsmap`): a double-array trie over the
//! bytes of the input whose values point at replacements. Longest match wins, as in SentencePiece.

/// Bit layout of a trie unit as in the darts-clone library.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }
    fn value(self) -> usize {
        (self.0 & 0x7fff_ffff) as usize
    }
    fn label(self) -> u32 {
        self.0 & 0x8000_00ff
    }
    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 1 << 9) >> 6)) as usize
    }
}

/// A table that maps byte prefixes to replacements. Lookups never leave the table, whatever it holds.
pub(in crate::model) struct Charsmap {
    units: Vec<Unit>,
    /// Replacements, each ended by NUL.
    replacements: String,
}

impl Charsmap {
    /// The table in `bytes`, or what is wrong with them.
    pub(in crate::model) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let (size, rest) = bytes.split_first_chunk::<4>().ok_or("a table without its size")?;
        let size = u32::from_le_bytes(*size) as usize;
        if size == 0 || !size.is_multiple_of(4) || size > rest.len() {
            return Err("a table whose size does not fit its bytes");
        }
        let (units, replacements) = rest.split_at(size);
        let units = units
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&unit| Unit(u32::from_le_bytes(unit)))
            .collect::<Vec<_>>();
        let replacements = String::from_utf8(replacements.to_vec())
            .map_err(|_| "replacements that are not UTF-8")?;
        Ok(Self { units, replacements })
    }

    /// The longest prefix of `text` in the table: its length in bytes and what replaces it.
    pub(super) fn longest_prefix(&self, text: &str) -> Option<(usize, &str)> {
        let mut node = self.units.first()?.offset();
        let mut longest = None;
        for (at, byte) in text.bytes().enumerate().take_while(|(_, byte)| *byte != 0) {
            node ^= usize::from(byte);
            let Some(unit) = self.units.get(node) else { break };
            if unit.label() != u32::from(byte) {
                break;
            }
            node ^= unit.offset();
            if unit.has_leaf() && text.is_char_boundary(at + 1) {
                longest = self.units.get(node).map(|leaf| (at + 1, leaf.value()));
            }
        }
        let (length, value) = longest?;
        let replacement = self.replacements.get(value..)?.split('\0').next()?;
        Some((length, replacement))
    }

    /// Whether no walk through the table can leave it. Readers that index without checks need this.
    pub(in crate::model) fn is_sound(&self) -> bool {
        // A unit with the highest bit set is a value: only the root is walked from whatever it holds.
        let mut nodes =
            self.units.iter().enumerate().filter(|(at, unit)| *at == 0 || unit.0 >> 31 == 0);
        nodes.all(|(at, unit)| {
            let block = at ^ unit.offset();
            let leaf = self.units.get(block).map(|leaf| leaf.value());
            (block | 0xff) < self.units.len()
                && (!unit.has_leaf()
                    || leaf.is_some_and(|value| self.replacements.is_char_boundary(value)))
        })
    }
}
