//! Made-up messages of every API and version; what the tests in this folder share.

mod fuzz;
mod golden;
mod hostile;
mod oracle;
mod round_trip;

use bytes::Bytes;

use crate::decode::Decoder;
use crate::message::Message;
use crate::record::Record;
use crate::text::Str;

/// Memory any message of these tests may cost, bytes.
const BUDGET: usize = 1 << 20;

/// A message with made-up values in every field that `version` has.
///
/// It comes out of the generated reading code, with chance in the place of a frame; that fields are read in the right
/// order and versions is for the oracle and the golden bytes to say.
fn made_up<M: Message>(version: i16, seed: u64) -> M {
    let nothing = Bytes::new();
    let mut d = Decoder::new(&nothing, 0);
    d.chance = Some(Chance::new(seed));
    M::decode(&mut d, version).expect("chance has no end")
}

/// As [`made_up`].
fn made_up_record<R: Record>(version: i16, seed: u64) -> R {
    let nothing = Bytes::new();
    let mut d = Decoder::new(&nothing, 0);
    d.chance = Some(Chance::new(seed));
    d.set_flexible(R::FLEXIBLE.is_some_and(|from| version >= from));
    R::read(&mut d, version).expect("chance has no end")
}

/// A message's body in one piece.
fn body<M: Message>(message: &M, version: i16) -> Bytes {
    let mut e = crate::Encoder::new();
    message.encode(&mut e, version).expect("a message made up for this version");
    e.finish().concat().into()
}

/// A sequence of numbers fixed by its seed (splitmix64), and what decoders under test take in place of a frame.
pub(crate) struct Chance {
    state: u64,
    items_left: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance { state: seed, items_left: 48 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Zero, -1, a small number, or any.
    pub(crate) fn fixed<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = match self.below(8) {
            0 => [0; N],
            1 => [0xff; N],
            2..=4 => std::array::from_fn(|place| if place + 1 == N { self.next() as u8 & 0x7f } else { 0 }),
            _ => std::array::from_fn(|_| self.next() as u8),
        };
        match N {
            // A bool is written as 0 or 1.
            1 => bytes[0] &= 1,
            // No NaN, which isn't equal to itself. An i64 of -1 is rarer than it could be.
            8 => bytes[0] &= 0x7f ^ 0x20,
            _ => {}
        }
        bytes
    }

    pub(crate) fn string(&mut self) -> Option<Str> {
        let len = match self.below(8) {
            0 => return None,
            1 => 0,
            2 => 60 + self.below(80),
            _ => self.below(12),
        };
        let text: String = (0..len).map(|_| ['a', 'Z', '0', '-', 'é', '語'][self.below(6) as usize]).collect();
        Some(text.into())
    }

    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        let len = match self.below(8) {
            0 => return None,
            1 => 0,
            // Around the length from which payloads aren't copied.
            2 => 500 + self.below(24),
            _ => self.below(40),
        };
        Some((0..len).map(|_| self.next() as u8).collect())
    }

    /// An array's count, or null; the message as a whole stays small.
    pub(crate) fn count(&mut self) -> Option<usize> {
        if self.below(8) == 0 {
            return None;
        }
        let count = self.below(4).min(self.items_left);
        self.items_left -= count;
        Some(count as usize)
    }
}
