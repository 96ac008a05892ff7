//! A sorted map whose clone shares everything with the original until one of them changes.
//!
//! Entries stand in sorted chunks behind counted references: a change copies one chunk and the list of chunks, so an
//! image with thousands of topics is published anew for each command at little cost. Iteration is in key order.

use std::borrow::Borrow;
use std::sync::Arc;

/// A chunk is split above this. A change copies one chunk and a pointer per chunk: at 5,000 topics that is about 64
/// entries and 80 pointers.
const CHUNK_ENTRIES_MAX: usize = 128;

type Chunk<K, V> = Arc<Vec<(K, V)>>;

#[derive(Debug)]
pub(crate) struct Sorted<K, V> {
    /// None is empty; keys ascend within and across chunks.
    chunks: Arc<Vec<Chunk<K, V>>>,
    len: usize,
}

impl<K, V> Clone for Sorted<K, V> {
    fn clone(&self) -> Self {
        Sorted { chunks: self.chunks.clone(), len: self.len }
    }
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Sorted { chunks: Arc::new(Vec::new()), len: 0 }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Sorted<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self.chunks.iter().flat_map(|c| c.iter()).eq(other.chunks.iter().flat_map(|c| c.iter()))
    }
}

impl<K: Ord + Clone, V: Clone> Sorted<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let chunk = &self.chunks.get(self.chunk_of(key)?)?;
        chunk.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok().map(|place| &chunk[place].1)
    }

    /// Sets a key's value and gives back the old one.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(at) = self.chunk_of(&key) else {
            Arc::make_mut(&mut self.chunks).push(Arc::new(vec![(key, value)]));
            self.len = 1;
            return None;
        };
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[at]);
        match chunk.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(place) => return Some(std::mem::replace(&mut chunk[place].1, value)),
            Err(place) => chunk.insert(place, (key, value)),
        }
        self.len += 1;
        if chunk.len() > CHUNK_ENTRIES_MAX {
            let upper = chunk.split_off(chunk.len() / 2);
            chunks.insert(at + 1, Arc::new(upper));
        }
        None
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.chunk_of(key)?;
        let place = self.chunks[at].binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let (_, value) = Arc::make_mut(&mut chunks[at]).remove(place);
        self.len -= 1;
        // Small neighbours are joined, or deletions would leave a chunk per entry.
        if chunks[at].is_empty() {
            chunks.remove(at);
        } else {
            join_if_small(chunks, at);
            if at > 0 {
                join_if_small(chunks, at - 1);
            }
        }
        Some(value)
    }

    /// All entries in key order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|(key, value)| (key, value))
    }

    /// The entries from `key` (inclusive) on, in key order.
    pub(crate) fn iter_from<Q: Ord + ?Sized>(&self, key: &Q) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let at = self.chunk_of(key).unwrap_or(0);
        let skipped = self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|(k, _)| k.borrow() < key));
        self.chunks[at.min(self.chunks.len())..]
            .iter()
            .flat_map(|chunk| chunk.iter())
            .skip(skipped)
            .map(|(key, value)| (key, value))
    }

    /// The chunk that holds the key, or would; `None` when there is no chunk at all.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        if self.chunks.is_empty() {
            return None;
        }
        let behind = self.chunks.partition_point(|chunk| chunk[0].0.borrow() <= key);
        Some(behind.saturating_sub(1))
    }
}

/// Makes one chunk of this one and the next when it stays well below the size that splits it again.
fn join_if_small<K: Clone, V: Clone>(chunks: &mut Vec<Chunk<K, V>>, at: usize) {
    let next = chunks.get(at + 1).map_or(CHUNK_ENTRIES_MAX, |next| next.len());
    if chunks[at].len() + next <= CHUNK_ENTRIES_MAX / 2 {
        let next = chunks.remove(at + 1);
        Arc::make_mut(&mut chunks[at]).extend(next.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Random inserts and removals must leave what a standard map holds, and earlier clones as they were.
    #[test]
    fn behaves_as_a_standard_map_and_clones_stay_as_they_were() {
        let mut random = crate::testing::Random(1);
        let (mut map, mut model) = (Sorted::default(), BTreeMap::new());
        let mut earlier = Vec::new();
        for step in 0..6000u64 {
            let key = random.below(600);
            // Two phases: mostly growing, then mostly shrinking.
            if random.below(10) < if step < 3000 { 7 } else { 3 } {
                assert_eq!(map.insert(key, step), model.insert(key, step));
            } else {
                assert_eq!(map.remove(&key), model.remove(&key));
            }
            if step % 500 == 0 {
                earlier.push((map.clone(), model.clone()));
            }
            assert_eq!(map.len(), model.len());
        }
        earlier.push((map, model));
        for (map, model) in earlier {
            assert!(map.iter().eq(model.iter()));
            assert!(map.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK_ENTRIES_MAX));
            for key in 0..601 {
                assert_eq!(map.get(&key), model.get(&key));
                assert!(map.iter_from(&key).eq(model.range(key..)), "from {key}");
            }
        }
    }

    #[test]
    fn removals_leave_few_chunks() {
        let mut map = Sorted::default();
        for key in 0..10_000 {
            map.insert(key, ());
        }
        for key in 0..10_000 {
            if key % 100 != 0 {
                map.remove(&key);
            }
        }
        assert_eq!(map.len(), 100);
        assert!(map.chunks.len() < 20, "{}", map.chunks.len());
    }
}
