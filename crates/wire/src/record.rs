//! Formats that lie in records and group payloads: two bytes say which, the fields follow.

use bytes::Bytes;

use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};

// Memory one record may cost, bytes. A group of 10,000 members costs about 3 MiB.
const RECORD_MEMORY_MAX: usize = 32 << 20;

/// A coordinator's key or value, or a classic consumer's subscription or assignment.
///
/// In front stands an i16: of a value the version, of a coordinator's key its type. [`crate::coordinator`] and
/// [`crate::consumer_protocol`] hold the types.
///
/// ```
/// use ouzel_wire::coordinator::{OffsetCommitKey, OffsetCommitValue};
/// use ouzel_wire::record::{Record, first_i16};
/// let key = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 3 };
/// let bytes = key.encode(1).unwrap();
/// assert_eq!((first_i16(&bytes), OffsetCommitKey::decode(&bytes)), (Some(1), Ok(key)));
///
/// let value = OffsetCommitValue { offset: 42, ..Default::default() };
/// assert_eq!(OffsetCommitValue::decode(&value.encode(4).unwrap()).unwrap().offset, 42);
/// ```
pub trait Record: Field + Default {
    /// Versions there are, both inclusive; of a key, its types.
    const VERSIONS: (i16, i16);
    /// First version with compact lengths and tags.
    const FLEXIBLE: Option<i16>;

    /// Reads the i16 in front and the fields. What comes out shares nothing with `bytes`.
    ///
    /// `DecodeError::Version` outside [`Record::VERSIONS`].
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        read(bytes, |version| version)
    }

    /// As [`Record::decode`], but reads a version above the newest as the newest: how Kafka's consumers read each
    /// other's subscriptions, which only ever grow at the end.
    fn decode_or_newer(bytes: &[u8]) -> Result<Self, DecodeError> {
        read(bytes, |version| version.min(Self::VERSIONS.1))
    }

    /// The i16 in front and the fields. `EncodeError::Version` outside [`Record::VERSIONS`].
    fn encode(&self, version: i16) -> Result<Vec<u8>, EncodeError> {
        if !(Self::VERSIONS.0..=Self::VERSIONS.1).contains(&version) {
            return Err(EncodeError::Version(version));
        }
        let mut e = Encoder::new();
        version.write(&mut e, 0)?;
        e.set_flexible(Self::FLEXIBLE.is_some_and(|from| version >= from));
        self.write(&mut e, version)?;
        Ok(e.finish().concat())
    }
}

fn read<R: Record>(bytes: &[u8], version_of: impl Fn(i16) -> i16) -> Result<R, DecodeError> {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut d = Decoder::new(&bytes, RECORD_MEMORY_MAX);
    let version = version_of(d.read(0)?);
    if !(R::VERSIONS.0..=R::VERSIONS.1).contains(&version) {
        return Err(DecodeError::Version(version));
    }
    d.set_flexible(R::FLEXIBLE.is_some_and(|from| version >= from));
    R::read(&mut d, version)
}

/// The i16 in front: a coordinator key's type.
pub fn first_i16(bytes: &[u8]) -> Option<i16> {
    bytes.first_chunk().map(|first| i16::from_be_bytes(*first))
}
