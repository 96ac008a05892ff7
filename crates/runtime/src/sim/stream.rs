//! Random streams of one seed, salted and independent: a draw from one never shifts another, so a shrunk plan
//! that drops a fault leaves the workload as it was.

/// A stream of pseudo-random numbers (SplitMix64, Steele et al., OOPSLA'14). Not for secrets.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of `seed` with this salt.
    pub fn new(seed: u64, salt: &str) -> Stream {
        let mut state = mix(seed ^ 0x6f75_7a65_6c00_0001);
        for byte in salt.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Stream { state }
    }

    /// A stream of its own for the `n`-th child, such as a shard of a node.
    pub fn child(&self, n: u64) -> Stream {
        Stream { state: mix(self.state ^ mix(n.wrapping_add(0x9e37_79b9_7f4a_7c15))) }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Uniform in `0..n`; 0 when `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Uniform in `low..=high`.
    #[inline]
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        debug_assert!(low <= high);
        low + self.below(high - low + 1)
    }

    /// True with probability `p` of 1.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        p > 0.0 && ((self.next_u64() >> 11) as f64) < p * (1u64 << 53) as f64
    }

    /// A latency around `typical`: between half of it and, rarely, twenty times as much.
    pub fn latency(&mut self, typical: u64) -> u64 {
        let r = self.next_u64();
        let base = typical / 2 + ((r >> 16) % typical.max(1));
        match r & 0xff {
            0 => base + typical.saturating_mul(r >> 8 & 0xf) + typical * 4,
            1..8 => base + typical * 2,
            _ => base,
        }
    }

    /// Fills `buf` with random bytes.
    pub fn fill(&mut self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// Finaliser of SplitMix64: a bijection that spreads every bit.
#[inline]
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A 64-bit hash of bytes, the same on every machine.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9fb2_1c65_1e98_df25;
    let word = |bytes: &[u8]| {
        u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    };
    // Four lanes: multiplications of one lane wait for each other, those of four don't.
    let mut lanes = [K, K ^ 1, K ^ 2, K ^ 3];
    let mut blocks = bytes.chunks_exact(32);
    for block in &mut blocks {
        for (lane, at) in lanes.iter_mut().zip([0, 8, 16, 24]) {
            *lane = (*lane ^ word(&block[at..])).wrapping_mul(K).rotate_left(29);
        }
    }
    let mut hash = lanes.into_iter().fold(bytes.len() as u64, |hash, lane| mix(hash ^ lane));
    let mut chunks = blocks.remainder().chunks_exact(8);
    for chunk in &mut chunks {
        hash = (hash ^ word(chunk)).wrapping_mul(K).rotate_left(29);
    }
    for &byte in chunks.remainder() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(K).rotate_left(29);
    }
    mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_give_independent_streams() {
        let mut a = Stream::new(1, "disk");
        let mut b = Stream::new(1, "net");
        let mut again = Stream::new(1, "disk");
        assert_ne!(a.next_u64(), b.next_u64());
        assert_eq!(a.clone().next_u64(), {
            again.next_u64();
            again.next_u64()
        });
    }

    #[test]
    fn below_covers_its_range_and_nothing_else() {
        let mut s = Stream::new(7, "x");
        let mut seen = [0u32; 5];
        for _ in 0..5_000 {
            seen[s.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| n > 800), "{seen:?}");
        assert_eq!(s.below(0), 0);
    }

    #[test]
    fn a_hash_sees_every_byte_and_the_length() {
        let base = hash_bytes(b"hello world");
        assert_ne!(base, hash_bytes(b"hello worle"));
        assert_ne!(base, hash_bytes(b"hello world\0"));
        assert_ne!(hash_bytes(&[0; 8]), hash_bytes(&[0; 16]));
    }
}
