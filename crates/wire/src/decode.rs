//! Reading a frame: bounded in steps by its length and in memory by a budget, whatever the bytes say.

use bytes::Bytes;

use crate::codec::{Field, Nullable};
use crate::text::Str;

/// Why bytes aren't a message. On a broker this closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A field reaches past the end of the frame, or of its tag.
    #[error("a field reaches past the end")]
    Short,
    /// A varint over five bytes, or over 32 bits.
    #[error("a varint doesn't fit 32 bits")]
    Varint,
    /// Null where this version has none.
    #[error("null where this version allows none")]
    Null,
    /// A negative length or a struct's presence byte that says neither there nor null.
    #[error("a negative length or bad presence byte")]
    Length,
    /// A string that isn't UTF-8.
    #[error("a string isn't UTF-8")]
    Utf8,
    /// More elements than the bytes left could hold.
    #[error("more elements than the bytes left can hold")]
    Count,
    /// Tags that don't ascend, or a known tag whose size isn't its value's.
    #[error("tags out of order, twice, or of a wrong size")]
    Tag,
    /// The message would cost more memory than the decoder was given.
    #[error("the message costs more memory than allowed")]
    Budget,
    /// An API key that isn't in [`crate::ApiKey`].
    #[error("unknown API key {0}")]
    Key(i16),
    /// A version outside the API's range, or of a record's key or value.
    #[error("version {0} isn't served")]
    Version(i16),
}

// An array's first reservation, items: real arrays mostly fit, and a lie costs at most this.
const RESERVE_MAX: usize = 256;

/// Reads one frame's bytes in order. Strings and bytes come out as slices of the frame.
pub struct Decoder<'a> {
    frame: &'a Bytes,
    pos: usize,
    end: usize,
    budget: usize,
    flexible: bool,
    // Tests make messages up by reading from chance; see `tests`.
    #[cfg(test)]
    pub(crate) chance: Option<crate::tests::Chance>,
}

impl<'a> Decoder<'a> {
    /// A decoder over `frame` (without its size prefix) that may build at most `budget` bytes of arrays.
    pub fn new(frame: &'a Bytes, budget: usize) -> Decoder<'a> {
        Decoder {
            frame,
            pos: 0,
            end: frame.len(),
            budget,
            flexible: false,
            #[cfg(test)]
            chance: None,
        }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.end - self.pos
    }

    /// Memory still allowed, bytes. The difference to the start is the message's cost.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Whether lengths are compact and tags follow structs from here on.
    pub(crate) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    /// Reads one field of a type, as laid out in `version`.
    pub(crate) fn read<T: Field>(&mut self, version: i16) -> Result<T, DecodeError> {
        T::read(self, version)
    }

    /// Reads a field that may be null only where `legal`.
    pub(crate) fn read_null<T: Nullable>(&mut self, legal: bool, version: i16) -> Result<Option<T>, DecodeError> {
        if legal { T::read_nullable(self, version) } else { T::read(self, version).map(Some) }
    }

    /// Reads a field of a type that has a null, where null isn't legal.
    pub(crate) fn not_null<T: Nullable>(&mut self, version: i16) -> Result<T, DecodeError> {
        #[cfg(test)]
        while self.chance.is_some() {
            if let Some(value) = T::read_nullable(self, version)? {
                return Ok(value);
            }
        }
        T::read_nullable(self, version)?.ok_or(DecodeError::Null)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        #[cfg(test)]
        if let Some(chance) = &mut self.chance {
            return Ok(chance.fixed());
        }
        let bytes = *self.frame[self.pos..self.end].first_chunk().ok_or(DecodeError::Short)?;
        self.pos += N;
        Ok(bytes)
    }

    pub(crate) fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            // The fifth byte has room for 4 bits, and none for a sixth byte.
            if shift == 28 && byte > 0x0f {
                return Err(DecodeError::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    /// A compact length, or the one `fixed` reads; `None` is null.
    fn length(&mut self, fixed: fn(&mut Self) -> Result<i32, DecodeError>) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            return Ok(self.uvarint()?.checked_sub(1).map(|n| n as usize));
        }
        match fixed(self)? {
            -1 => Ok(None),
            n => usize::try_from(n).map(Some).map_err(|_| DecodeError::Length),
        }
    }

    fn slice(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.remaining() {
            return Err(DecodeError::Short);
        }
        let start = self.pos;
        self.pos += len;
        Ok(self.frame.slice(start..self.pos))
    }

    fn text(&mut self, len: usize) -> Result<Str, DecodeError> {
        Str::from_utf8(self.slice(len)?).ok_or(DecodeError::Utf8)
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<Str>, DecodeError> {
        #[cfg(test)]
        if let Some(chance) = &mut self.chance {
            return Ok(chance.string());
        }
        match self.length(|d| Ok(i16::from_be_bytes(d.fixed()?).into()))? {
            None => Ok(None),
            Some(len) => self.text(len).map(Some),
        }
    }

    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        #[cfg(test)]
        if let Some(chance) = &mut self.chance {
            return Ok(chance.bytes());
        }
        match self.length(|d| Ok(i32::from_be_bytes(d.fixed()?)))? {
            None => Ok(None),
            Some(len) => self.slice(len).map(Some),
        }
    }

    pub(crate) fn nullable_array<T: Field>(&mut self, version: i16) -> Result<Option<Vec<T>>, DecodeError> {
        #[cfg(test)]
        if let Some(chance) = &mut self.chance {
            let Some(count) = chance.count() else { return Ok(None) };
            return (0..count).map(|_| T::read(self, version)).collect::<Result<_, _>>().map(Some);
        }
        let Some(count) = self.length(|d| Ok(i32::from_be_bytes(d.fixed()?)))? else { return Ok(None) };
        if count > self.remaining() / T::least(version, self.flexible).max(1) {
            return Err(DecodeError::Count);
        }
        self.spend(count.saturating_mul(size_of::<T>()))?;
        let mut items = Vec::with_capacity(count.min(RESERVE_MAX));
        for done in 0..count {
            if done == items.capacity() {
                // It doubles with the bytes that came, and ends at the count.
                items.reserve_exact(done.min(count - done));
            }
            items.push(T::read(self, version)?);
        }
        Ok(Some(items))
    }

    fn spend(&mut self, cost: usize) -> Result<(), DecodeError> {
        self.budget = self.budget.checked_sub(cost).ok_or(DecodeError::Budget)?;
        Ok(())
    }

    /// Whether a nullable struct is there: 1, else the byte that says null.
    pub(crate) fn present(&mut self, null: u8) -> Result<bool, DecodeError> {
        #[cfg(test)]
        if let Some(chance) = &mut self.chance {
            return Ok(chance.coin());
        }
        match self.fixed()? {
            [1] => Ok(true),
            [byte] if byte == null => Ok(false),
            _ => Err(DecodeError::Length),
        }
    }

    /// Skips a struct's tags, if this version has them.
    pub(crate) fn skip_tags(&mut self) -> Result<(), DecodeError> {
        self.tags(|_, _| Ok(false))
    }

    /// Reads a struct's tags, if this version has them. `known` reads the value of a tag it knows, or says false.
    pub(crate) fn tags(
        &mut self,
        mut known: impl FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.flexible {
            return Ok(());
        }
        #[cfg(test)]
        if self.chance.is_some() {
            return (0..4).try_for_each(|tag| known(self, tag).map(|_| ()));
        }
        let mut least = 0;
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            if tag < least {
                return Err(DecodeError::Tag);
            }
            least = tag.checked_add(1).ok_or(DecodeError::Tag)?;
            let size = self.uvarint()? as usize;
            if size > self.remaining() {
                return Err(DecodeError::Short);
            }
            let outer = std::mem::replace(&mut self.end, self.pos + size);
            if !known(self, tag)? {
                self.pos = self.end;
            } else if self.pos != self.end {
                return Err(DecodeError::Tag);
            }
            self.end = outer;
        }
        Ok(())
    }
}
