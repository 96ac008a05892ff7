//! How each type of field lies in a frame.

use bytes::Bytes;
use ouzel_model::TopicId;
use smallvec::SmallVec;

use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::text::Str;

/// A type that a message's field can have. The generated structs and this module's primitives implement it.
pub trait Field: Sized {
    /// Reads one value, as laid out in `version`.
    fn read(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError>;
    /// Writes one value, as laid out in `version`.
    fn write(&self, e: &mut Encoder, version: i16) -> Result<(), EncodeError>;
    /// Fewest bytes a value takes in `version`.
    fn least(version: i16, flexible: bool) -> usize;
}

/// A field type whose layout can also say null.
pub trait Nullable: Field {
    /// Reads a value or null.
    fn read_nullable(d: &mut Decoder<'_>, version: i16) -> Result<Option<Self>, DecodeError>;
    /// Writes a value where null was possible.
    fn write_some(&self, e: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        self.write(e, version)
    }
    /// Writes null.
    fn write_null(e: &mut Encoder);
    /// Fewest bytes of a value or null.
    fn least_nullable(flexible: bool) -> usize;
}

/// Record batches of one partition, in one or several slices that are written without a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records(pub SmallVec<[Bytes; 1]>);

impl Records {
    /// All bytes together.
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<Bytes>> for Records {
    fn from(slices: Vec<Bytes>) -> Records {
        Records(slices.into())
    }
}

impl From<Bytes> for Records {
    fn from(slice: Bytes) -> Records {
        Records(SmallVec::from_buf([slice]))
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Field for $type {
            fn read(d: &mut Decoder<'_>, _: i16) -> Result<Self, DecodeError> {
                Ok(<$type>::from_be_bytes(d.fixed()?))
            }
            fn write(&self, e: &mut Encoder, _: i16) -> Result<(), EncodeError> {
                e.put(&self.to_be_bytes());
                Ok(())
            }
            fn least(_: i16, _: bool) -> usize {
                size_of::<$type>()
            }
        }
    )*};
}
numbers!(i8 i16 u16 i32 i64 f64);

impl Field for bool {
    fn read(d: &mut Decoder<'_>, _: i16) -> Result<Self, DecodeError> {
        // As Kafka: whatever isn't 0 is true.
        Ok(d.fixed()? != [0])
    }
    fn write(&self, e: &mut Encoder, _: i16) -> Result<(), EncodeError> {
        e.put(&[u8::from(*self)]);
        Ok(())
    }
    fn least(_: i16, _: bool) -> usize {
        1
    }
}

impl Field for TopicId {
    fn read(d: &mut Decoder<'_>, _: i16) -> Result<Self, DecodeError> {
        d.fixed().map(TopicId)
    }
    fn write(&self, e: &mut Encoder, _: i16) -> Result<(), EncodeError> {
        e.put(&self.0);
        Ok(())
    }
    fn least(_: i16, _: bool) -> usize {
        16
    }
}

impl Field for Str {
    fn read(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        d.not_null(version)
    }
    fn write(&self, e: &mut Encoder, _: i16) -> Result<(), EncodeError> {
        e.string(self.as_bytes())
    }
    fn least(_: i16, flexible: bool) -> usize {
        Self::least_nullable(flexible)
    }
}

impl Nullable for Str {
    fn read_nullable(d: &mut Decoder<'_>, _: i16) -> Result<Option<Self>, DecodeError> {
        d.nullable_string()
    }
    fn write_null(e: &mut Encoder) {
        e.null(&(-1i16).to_be_bytes());
    }
    fn least_nullable(flexible: bool) -> usize {
        if flexible { 1 } else { 2 }
    }
}

impl Field for Bytes {
    fn read(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        d.not_null(version)
    }
    fn write(&self, e: &mut Encoder, _: i16) -> Result<(), EncodeError> {
        e.length(self.len())?;
        e.payload(self);
        Ok(())
    }
    fn least(_: i16, flexible: bool) -> usize {
        Self::least_nullable(flexible)
    }
}

impl Nullable for Bytes {
    fn read_nullable(d: &mut Decoder<'_>, _: i16) -> Result<Option<Self>, DecodeError> {
        d.nullable_bytes()
    }
    fn write_null(e: &mut Encoder) {
        e.null(&(-1i32).to_be_bytes());
    }
    fn least_nullable(flexible: bool) -> usize {
        if flexible { 1 } else { 4 }
    }
}

impl Field for Records {
    fn read(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        d.not_null(version)
    }
    fn write(&self, e: &mut Encoder, _: i16) -> Result<(), EncodeError> {
        e.length(self.len())?;
        self.0.iter().for_each(|slice| e.payload(slice));
        Ok(())
    }
    fn least(_: i16, flexible: bool) -> usize {
        Self::least_nullable(flexible)
    }
}

impl Nullable for Records {
    fn read_nullable(d: &mut Decoder<'_>, _: i16) -> Result<Option<Self>, DecodeError> {
        Ok(d.nullable_bytes()?.map(|slice| if slice.is_empty() { Records::default() } else { slice.into() }))
    }
    fn write_null(e: &mut Encoder) {
        Bytes::write_null(e);
    }
    fn least_nullable(flexible: bool) -> usize {
        Bytes::least_nullable(flexible)
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        d.not_null(version)
    }
    fn write(&self, e: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        e.length(self.len())?;
        self.iter().try_for_each(|item| item.write(e, version))
    }
    fn least(_: i16, flexible: bool) -> usize {
        Self::least_nullable(flexible)
    }
}

impl<T: Field> Nullable for Vec<T> {
    fn read_nullable(d: &mut Decoder<'_>, version: i16) -> Result<Option<Self>, DecodeError> {
        d.nullable_array(version)
    }
    fn write_null(e: &mut Encoder) {
        e.null(&(-1i32).to_be_bytes());
    }
    fn least_nullable(flexible: bool) -> usize {
        if flexible { 1 } else { 4 }
    }
}

impl<T: Nullable> Field for Option<T> {
    fn read(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        T::read_nullable(d, version)
    }
    fn write(&self, e: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        match self {
            Some(value) => value.write_some(e, version),
            None => {
                T::write_null(e);
                Ok(())
            }
        }
    }
    fn least(_: i16, flexible: bool) -> usize {
        T::least_nullable(flexible)
    }
}
