//! Which known name somebody meant.

/// Longest name that is compared, bytes: the comparison costs its square.
const COMPARED_BYTES_MAX: usize = 96;

/// The known name with the smallest edit distance, if that is at most a third of the name's length (and 2 at least).
/// Of equally near ones the first.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.is_empty() || name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let folded = fold(name);
    let limit = (name.len() / 3).max(2);
    known
        .iter()
        .map(|&candidate| (distance(&folded, &fold(candidate)), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Case and the kind of separator are the commonest mistakes and cost nothing.
fn fold(name: &str) -> Vec<u8> {
    name.bytes().map(|c| if c == b'_' || c == b'-' { b'.' } else { c.to_ascii_lowercase() }).collect()
}

/// Edits (insert, delete, replace, swap of neighbours) from one to the other. Source: Damerau 1964, restricted form.
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i; to.len() + 1];
        for j in 1..=to.len() {
            let replaced = above[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("same", "same", 0)] {
            assert_eq!(distance(from.as_bytes(), to.as_bytes()), edits, "{from} {to}");
            assert_eq!(distance(to.as_bytes(), from.as_bytes()), edits, "{to} {from}");
        }
    }

    #[test]
    fn far_names_are_not_suggested() {
        let known = ["retention.ms", "retention.bytes", "segment.ms"];
        assert_eq!(nearest("retention_MS", &known), Some("retention.ms"));
        assert_eq!(nearest("retentoin.byte", &known), Some("retention.bytes"));
        assert_eq!(nearest("xyz", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest(&"retention.ms".repeat(20), &known), None);
    }
}
