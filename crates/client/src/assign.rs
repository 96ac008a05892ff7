//! Kafka's range assignor: of each topic every member gets a run of partitions. Knows nothing but names and counts.

use std::collections::BTreeMap;

/// Partitions by member, then by topic.
pub type Shares = BTreeMap<String, BTreeMap<String, Vec<i32>>>;

/// Deals the partitions (`topics`: name and count) to members (id and subscribed topics). Members are served in the
/// order of their ids; the first ones get one more where the count doesn't divide.
///
/// ```
/// use std::collections::BTreeMap;
/// let members = [("a".to_owned(), vec!["t".to_owned()]), ("b".to_owned(), vec!["t".to_owned()])];
/// let shares = ouzel_client::range(&members, &BTreeMap::from([("t".to_owned(), 3)]));
/// assert_eq!(shares["a"]["t"], [0, 1]);
/// assert_eq!(shares["b"]["t"], [2]);
/// ```
pub fn range(members: &[(String, Vec<String>)], topics: &BTreeMap<String, usize>) -> Shares {
    let mut shares: Shares = members.iter().map(|(id, _)| (id.clone(), BTreeMap::new())).collect();
    for (topic, count) in topics {
        let mut takers: Vec<&String> =
            members.iter().filter(|(_, wanted)| wanted.contains(topic)).map(|(id, _)| id).collect();
        takers.sort();
        let Some(each) = count.checked_div(takers.len()) else { continue };
        let more = count % takers.len();
        let mut next = 0;
        for (place, id) in takers.into_iter().enumerate() {
            let size = each + usize::from(place < more);
            let run: Vec<i32> = (next..next + size).map(|partition| partition as i32).collect();
            next += size;
            if let Some(share) = shares.get_mut(id).filter(|_| !run.is_empty()) {
                share.insert(topic.clone(), run);
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_of_a_wanted_topic_goes_to_exactly_one_member_that_wants_it() {
        for members_count in 0..5 {
            for partitions in 0..7 {
                let members: Vec<(String, Vec<String>)> = (0..members_count)
                    .map(|m| {
                        (format!("m{m}"), if m % 2 == 0 { vec!["x".into(), "y".into()] } else { vec!["y".into()] })
                    })
                    .collect();
                let topics = BTreeMap::from([("x".to_owned(), partitions), ("y".to_owned(), 2 * partitions)]);
                let shares = range(&members, &topics);
                for (topic, count) in &topics {
                    let takers = members.iter().filter(|(_, wanted)| wanted.contains(topic)).count();
                    let mut dealt = Vec::new();
                    for (id, share) in &shares {
                        let run = share.get(topic).cloned().unwrap_or_default();
                        let wants = members.iter().any(|(m, wanted)| m == id && wanted.contains(topic));
                        assert!(run.is_empty() || wants);
                        assert!(takers == 0 || run.len() <= count.div_ceil(takers));
                        dealt.extend(run);
                    }
                    dealt.sort();
                    let expect: Vec<i32> = if takers == 0 { Vec::new() } else { (0..*count as i32).collect() };
                    assert_eq!(dealt, expect);
                }
            }
        }
    }
}
