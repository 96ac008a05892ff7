//! Seeded pseudo-random numbers: xoshiro256++ (Blackman and Vigna), for jitter and sampling, never for secrets.

use std::cell::Cell;
use std::rc::Rc;

/// A cheap handle to one shard's stream of pseudo-random numbers; clones draw from the same stream.
#[derive(Clone, Debug)]
pub struct Rng {
    state: Rc<Cell<[u64; 4]>>,
}

impl Rng {
    /// A stream that depends on `seed` alone.
    pub fn seeded(seed: u64) -> Rng {
        // splitmix64 spreads the seed over the whole state, which must not be all zeros.
        let mut x = seed;
        let mut next = || {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = x;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Rng { state: Rc::new(Cell::new([next(), next(), next(), next()])) }
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        let mut s = self.state.get();
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        self.state.set(s);
        out
    }

    /// A number in `0..n`; `n` must not be 0. Source: Lemire's multiply-shift; the bias is below n / 2^64.
    pub fn below(&self, n: u64) -> u64 {
        assert!(n > 0, "below(0)");
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// True with probability `p` (0 never, 1 always).
    pub fn chance(&self, p: f64) -> bool {
        ((self.next_u64() >> 11) as f64) < p * (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_streams_and_clones_share_one() {
        let (a, b) = (Rng::seeded(7), Rng::seeded(7));
        let first: Vec<u64> = (0..100).map(|_| a.next_u64()).collect();
        assert_eq!(first, (0..100).map(|_| b.next_u64()).collect::<Vec<_>>());
        let clone = a.clone();
        assert_ne!(clone.next_u64(), b.next_u64().wrapping_add(1));
        assert_eq!(a.next_u64(), b.next_u64());
    }

    #[test]
    fn below_stays_below_and_reaches_every_value() {
        let rng = Rng::seeded(1);
        let mut seen = [false; 7];
        for _ in 0..1000 {
            seen[rng.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
    }

    #[test]
    fn chance_is_never_at_zero_and_always_at_one() {
        let rng = Rng::seeded(2);
        assert!((0..1000).all(|_| !rng.chance(0.0) && rng.chance(1.0)));
        let hits = (0..10_000).filter(|_| rng.chance(0.25)).count();
        assert!((2_000..3_000).contains(&hits), "{hits}");
    }
}
