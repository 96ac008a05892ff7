//! The four codecs of a batch's records: compress, and decompress under [`Limits`].
//!
//! Decompression streams and stops at the limit: sizes that the bytes declare are never trusted, so what is held is
//! the output so far, at most the limit, and the codec's own window.

use std::io::Read;

mod gzip;
mod lz4;
mod snappy;
mod zstd;

/// How a batch's records are compressed: bits 0 to 2 of its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy, in the xerial framing that Java clients use, or raw.
    Snappy,
    /// An LZ4 frame.
    Lz4,
    /// RFC 8878. Source: KIP-110.
    Zstd,
}

impl Codec {
    /// Every codec, by number.
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    /// Its number in the attributes.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The codec of a number in the attributes.
    pub fn from_number(number: u8) -> Option<Codec> {
        Self::ALL.get(number as usize).copied()
    }

    /// Its name in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// The codec of a name in `compression.type`; `uncompressed` is a topic's word for none.
    pub fn from_name(name: &str) -> Option<Codec> {
        match name {
            "uncompressed" => Some(Codec::None),
            name => Self::ALL.into_iter().find(|codec| codec.name() == name),
        }
    }

    /// Whether bytes start as this codec's output does. Raw snappy has no mark: anything but nothing passes.
    pub fn starts(self, bytes: &[u8]) -> bool {
        match self {
            Codec::None => true,
            Codec::Gzip => bytes.starts_with(&gzip::MAGIC),
            Codec::Snappy => !bytes.is_empty(),
            Codec::Lz4 => bytes.starts_with(&lz4::MAGIC),
            Codec::Zstd => bytes.starts_with(&zstd::MAGIC),
        }
    }
}

/// How much may come out of one compressed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, inclusive.
    pub output_max: usize,
    /// Bytes out for each byte in, inclusive; counts for more than [`Limits::RATIO_FREE`] of output.
    pub ratio_max: usize,
}

impl Limits {
    /// Output that no ratio forbids, bytes: a small batch of one long run of the same byte is legal and shrinks
    /// ten-thousandfold.
    pub const RATIO_FREE: usize = 8 << 20;

    /// Most bytes that may come out of `input` bytes, inclusive.
    pub fn allowed(&self, input: usize) -> usize {
        self.output_max.min(input.saturating_mul(self.ratio_max).max(Self::RATIO_FREE))
    }
}

impl Default for Limits {
    /// 128 MiB, which is 128 times the largest batch by default, and 256 to 1.
    fn default() -> Limits {
        Limits { output_max: 128 << 20, ratio_max: 256 }
    }
}

/// Why bytes can't be decompressed. INVALID_RECORD, all of them, but for an unknown codec.
#[derive(Debug, thiserror::Error)]
pub enum DecompressError {
    /// The attributes name no codec.
    #[error("Unknown compression type id: {0}")]
    UnknownCodec(u8),
    /// More would come out than the limits allow.
    #[error("more than {allowed} bytes would come out")]
    TooLarge {
        /// Bytes that may come out, inclusive.
        allowed: usize,
    },
    /// The bytes aren't this codec's, or are cut or damaged.
    #[error("the records aren't valid {}: {reason}", codec.name())]
    Damaged {
        /// The codec.
        codec: Codec,
        /// What its decoder says.
        reason: String,
    },
}

/// Compresses `bytes`. `level` is the topic's (`compression.gzip.level`, `compression.zstd.level`), or the codec's
/// default; one out of range is clamped. Snappy has no levels and our lz4 encoder only one.
pub fn compress(codec: Codec, level: Option<i32>, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::None => bytes.to_vec(),
        Codec::Gzip => gzip::compress(level, bytes),
        Codec::Snappy => snappy::compress(bytes),
        Codec::Lz4 => lz4::compress(bytes),
        Codec::Zstd => zstd::compress(level, bytes),
    }
}

/// Decompresses `bytes` into `out`, which is emptied first and holds at most what the limits allow, plus one byte. On
/// an error `out` holds an unfinished part.
pub fn decompress(codec: Codec, bytes: &[u8], limits: Limits, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    out.clear();
    let allowed = limits.allowed(bytes.len());
    if !codec.starts(bytes) {
        return Err(damaged(codec, "it doesn't start as it should"));
    }
    match codec {
        Codec::None if bytes.len() > allowed => Err(DecompressError::TooLarge { allowed }),
        Codec::None => {
            out.extend_from_slice(bytes);
            Ok(())
        }
        Codec::Gzip => drain(codec, gzip::reader(bytes), allowed, out),
        Codec::Snappy => snappy::decompress(bytes, allowed, out),
        Codec::Lz4 => lz4::decompress(bytes, allowed, out),
        Codec::Zstd => zstd::decompress(bytes, allowed, out),
    }
}

/// Reads to the end, in steps that double, and stops one byte above `allowed`.
fn drain(codec: Codec, mut from: impl Read, allowed: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    const STEP_MIN: usize = 4096;
    loop {
        let filled = out.len();
        let step = filled.max(STEP_MIN).min(allowed + 1 - filled);
        out.reserve_exact(step);
        out.resize(filled + step, 0);
        let read = from.read(&mut out[filled..]).map_err(|error| damaged(codec, error))?;
        out.truncate(filled + read);
        if out.len() > allowed {
            return Err(DecompressError::TooLarge { allowed });
        }
        if read == 0 {
            return Ok(());
        }
    }
}

fn damaged(codec: Codec, reason: impl ToString) -> DecompressError {
    DecompressError::Damaged { codec, reason: reason.to_string() }
}
