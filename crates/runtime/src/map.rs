//! Hash maps whose key is drawn at start: repeatable under simulation, hard to flood in production. Where order reaches
//! output, use a `BTreeMap`. Get one from [`Runtime::map`](crate::Runtime::map) or [`Runtime::set`](crate::Runtime::set).

use std::hash::{BuildHasher, Hasher};

/// A hash map; make it with [`Runtime::map`](crate::Runtime::map).
pub type Map<K, V> = hashbrown::HashMap<K, V, Keyed>;

/// A hash set; make it with [`Runtime::set`](crate::Runtime::set).
pub type Set<T> = hashbrown::HashSet<T, Keyed>;

/// The hash key of a shard's maps. There is no default on purpose: a key comes from the runtime.
#[derive(Clone, Copy)]
pub struct Keyed {
    start: u64,
    factor: u64,
}

impl Keyed {
    /// A key from sixteen bytes of entropy.
    pub fn new(bytes: [u8; 16]) -> Keyed {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        Keyed { start: word(0), factor: word(8) | 1 }
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { hash: self.start, factor: self.factor }
    }
}

/// Folded multiplication by a secret odd factor, as in wyhash and foldhash: the high half of the product meets the low
/// half, so every input bit reaches every output bit, and collisions can't be chosen without the key.
pub struct KeyedHasher {
    hash: u64,
    factor: u64,
}

impl KeyedHasher {
    #[inline]
    fn add(&mut self, word: u64) {
        let wide = u128::from(self.hash ^ word) * u128::from(self.factor);
        // Added back, or a word equal to the state would swallow all that came before.
        self.hash = ((wide as u64) ^ ((wide >> 64) as u64)).wrapping_add(self.hash.rotate_left(23));
    }
}

impl Hasher for KeyedHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut tail = [0u8; 8];
        tail[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(tail) ^ ((bytes.len() as u64) << 56));
    }

    #[inline]
    fn write_u8(&mut self, word: u8) {
        self.add(u64::from(word));
    }
    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.add(u64::from(word));
    }
    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.add(u64::from(word));
    }
    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let wide = u128::from(self.hash) * u128::from(self.factor.rotate_left(32) | 1);
        (wide as u64) ^ ((wide >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_decides_the_hash() {
        let (a, b) = (Keyed::new([1; 16]), Keyed::new([2; 16]));
        assert_eq!(a.hash_one("orders"), a.hash_one("orders"));
        assert_ne!(a.hash_one("orders"), b.hash_one("orders"));
    }

    #[test]
    fn near_keys_spread_over_high_and_low_bits() {
        let keyed = Keyed::new(*b"0123456789abcdef");
        let mut low = [0u32; 128];
        let mut high = [0u32; 128];
        for i in 0..12_800u64 {
            let hash = keyed.hash_one(i * 4096);
            low[(hash & 127) as usize] += 1;
            high[(hash >> 57) as usize] += 1;
        }
        // 100 expected in each; a bucket beyond 2x would mean that the hash doesn't mix.
        assert!(low.iter().chain(&high).all(|n| (30..200).contains(n)), "{low:?} {high:?}");
    }

    #[test]
    fn lengths_and_borders_count() {
        let keyed = Keyed::new([7; 16]);
        let hash = |bytes: &[u8]| {
            let mut hasher = keyed.build_hasher();
            hasher.write(bytes);
            hasher.finish()
        };
        assert_ne!(hash(b"a"), hash(b"a\0"));
        assert_ne!(hash(b""), hash(b"\0\0\0\0\0\0\0\0"));
    }
}
