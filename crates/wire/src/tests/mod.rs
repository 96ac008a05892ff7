//! Made-up messages of every API and version; what the tests in this folder share.

use bytes::Bytes;

use crate::decode::DecodeError;
use crate::text::Str;

/// Where a decoder under test takes its values from, instead of a frame.
pub(crate) struct Chance {
    state: u64,
    depth_budget: u32,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance { state: seed.wrapping_add(0x9e37_79b9_7f4a_7c15), depth_budget: 64 }
    }

    /// splitmix64
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> [u8; N] {
        // Small numbers, -1, and any. Never a NaN: it isn't equal to itself.
        let small = self.below(200) as u8;
        let mut out = match self.below(4) {
            0 => [0; N],
            1 if N < 8 => [0xff; N],
            _ => std::array::from_fn(|_| self.next() as u8),
        };
        if N == 1 {
            out[0] &= 1;
        } else if N == 8 {
            out[0] &= 0x3f;
        }
        out[N - 1] ^= if N > 1 { small } else { 0 };
        out
    }

    pub(crate) fn string(&mut self) -> Option<Str> {
        let len = match self.below(6) {
            0 => return None,
            1 => 0,
            2 => 120 + self.below(20),
            _ => self.below(12),
        };
        let text: String = (0..len).map(|_| ['a', 'Z', '0', '-', 'é', '語'][self.below(6) as usize]).collect();
        Some(text.into())
    }

    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        let len = match self.below(6) {
            0 => return None,
            1 => 0,
            2 => 500 + self.below(200),
            _ => self.below(40),
        };
        Some((0..len).map(|_| self.next() as u8).collect())
    }

    /// An array's count; arrays get short when there were many.
    pub(crate) fn count(&mut self) -> Option<Result<usize, DecodeError>> {
        if self.below(6) == 0 {
            return None;
        }
        let count = (self.below(4) as u32).min(self.depth_budget);
        self.depth_budget -= count;
        Some(Ok(count as usize))
    }
}
