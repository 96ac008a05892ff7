//! Fetch sessions: a consumer names its partitions once and then only what changed. Source: KIP-227.

use std::collections::BTreeMap;
use std::rc::Rc;

use ouzel_model::{ShardId, TopicId};
use ouzel_runtime::{Duration, Instant, Rng};
use ouzel_wire::{ErrorCode, Str};

/// Sessions of one shard. Kafka's `max.incremental.fetch.session.cache.slots`, per core.
const SESSIONS_MAX: usize = 1_000;
/// Partitions of one request.
pub(crate) const PARTITIONS_MAX: usize = 100_000;
/// Partitions of all sessions of one shard: about 25 MiB.
const ALL_PARTITIONS_MAX: usize = 250_000;
/// A session that was used within this time isn't pushed out by a new one.
const EVICTABLE_AFTER: Duration = Duration::from_secs(120);

/// A topic as a fetch request names it: by name below version 13, by id from there on. Shares nothing with the request's frame: it is kept
/// while the fetch waits, and by sessions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub name: Str,
    pub id: TopicId,
}

/// A partition as a fetch request names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub topic: Rc<Named>,
    pub partition: i32,
}

/// What a fetch request wants of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub key: Key,
    pub current_leader_epoch: i32,
    pub offset: i64,
    pub last_fetched_epoch: i32,
    pub bytes_max: i32,
}

/// What a session's consumer was told last of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub high_watermark: i64,
    pub log_start: i64,
}

struct Session {
    next_epoch: i32,
    by_id: bool,
    /// In the order in which they are served: who got records goes to the end.
    partitions: Vec<(Wanted, Option<Told>)>,
    places: BTreeMap<Key, usize>,
    last_used: Instant,
}

/// What a fetch is answered with.
#[derive(Debug, PartialEq)]
pub(crate) enum Context {
    /// All partitions of the request, no session.
    Sessionless,
    /// All partitions of the request, under this new session.
    Full(i32),
    /// Of the session's partitions those that have news.
    Incremental(i32),
}

/// Sessions of one shard's connections.
pub(crate) struct Sessions {
    shard: ShardId,
    sessions: BTreeMap<i32, Session>,
}

impl Sessions {
    pub fn new(shard: ShardId) -> Sessions {
        Sessions { shard, sessions: BTreeMap::new() }
    }

    /// Opens, continues or closes a session as the request says. Returns what to read, in order.
    #[allow(clippy::too_many_arguments)] // the request's own fields
    pub fn begin(
        &mut self,
        now: Instant,
        rng: &Rng,
        (id, epoch): (i32, i32),
        by_id: bool,
        wanted: Vec<Wanted>,
        forgotten: &[Key],
    ) -> Result<(Context, Vec<Wanted>), ErrorCode> {
        match (id, epoch) {
            (0, -1) => Ok((Context::Sessionless, wanted)),
            (id, -1) => {
                self.sessions.remove(&id);
                Ok((Context::Sessionless, wanted))
            }
            (old, 0) => {
                self.sessions.remove(&old);
                let Some(id) = self.free_id(now, rng, wanted.len()) else {
                    return Ok((Context::Sessionless, wanted));
                };
                let mut session =
                    Session { next_epoch: 1, by_id, partitions: vec![], places: BTreeMap::new(), last_used: now };
                session.update(wanted.clone());
                self.sessions.insert(id, session);
                Ok((Context::Full(id), wanted))
            }
            (id, epoch) => {
                let session = self.sessions.get(&id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
                if session.next_epoch != epoch {
                    return Err(ErrorCode::InvalidFetchSessionEpoch);
                }
                if session.by_id != by_id {
                    return Err(ErrorCode::FetchSessionTopicIdError);
                }
                let new = wanted.iter().filter(|w| !session.places.contains_key(&w.key)).count();
                if new > 0 && self.partitions() + new > ALL_PARTITIONS_MAX {
                    // The consumer names all its partitions next, and goes without a session.
                    self.sessions.remove(&id);
                    return Err(ErrorCode::FetchSessionIdNotFound);
                }
                let session = self.sessions.get_mut(&id).expect("just seen");
                session.next_epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
                session.last_used = now;
                session.update(wanted);
                session.forget(forgotten);
                let all = session.partitions.iter().map(|(w, _)| w.clone()).collect();
                Ok((Context::Incremental(id), all))
            }
        }
    }

    /// Notes what the consumer is told of a partition; whether that is news. `records` moves it behind the others at the next fetch.
    pub fn tell(&mut self, id: i32, key: &Key, told: Told, records: bool) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return true };
        let Some(&place) = session.places.get(key) else { return true };
        let news = session.partitions[place].1 != Some(told) || records;
        session.partitions[place].1 = Some(told);
        news
    }

    /// Moves partitions that just gave records behind the others, so that those have their turn.
    pub fn rotate(&mut self, id: i32, served: &[Key]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if served.is_empty() || served.len() == session.partitions.len() {
            return;
        }
        let (behind, mut before): (Vec<_>, Vec<_>) =
            std::mem::take(&mut session.partitions).into_iter().partition(|(w, _)| served.contains(&w.key));
        before.extend(behind);
        session.partitions = before;
        session.index();
    }

    /// Partitions of all sessions.
    fn partitions(&self) -> usize {
        self.sessions.values().map(|s| s.partitions.len()).sum()
    }

    /// A number for a session of so many partitions; older sessions make room for it.
    fn free_id(&mut self, now: Instant, rng: &Rng, partitions: usize) -> Option<i32> {
        while self.sessions.len() >= SESSIONS_MAX || self.partitions() + partitions > ALL_PARTITIONS_MAX {
            let (&oldest, session) = self.sessions.iter().min_by_key(|(_, s)| s.last_used)?;
            if now.duration_since(session.last_used) < EVICTABLE_AFTER {
                return None;
            }
            self.sessions.remove(&oldest);
        }
        // Positive, not in use, and never another shard's: the low byte tells shards apart.
        loop {
            let id = ((rng.next_u64() as i32) & 0x7fff_ff00) | i32::from(self.shard.0 & 0xff);
            if id != 0 && !self.sessions.contains_key(&id) {
                return Some(id);
            }
        }
    }
}

impl Session {
    fn update(&mut self, wanted: Vec<Wanted>) {
        for w in wanted {
            match self.places.get(&w.key) {
                Some(&place) => self.partitions[place].0 = w,
                None => {
                    self.places.insert(w.key.clone(), self.partitions.len());
                    self.partitions.push((w, None));
                }
            }
        }
    }

    fn forget(&mut self, keys: &[Key]) {
        if keys.is_empty() {
            return;
        }
        for key in keys {
            self.places.remove(key);
        }
        let places = &self.places;
        self.partitions.retain(|(w, _)| places.contains_key(&w.key));
        self.index();
    }

    fn index(&mut self) {
        self.places = self.partitions.iter().enumerate().map(|(place, (w, _))| (w.key.clone(), place)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(partition: i32) -> Wanted {
        let key = Key { topic: Rc::new(Named { name: Str::from("t"), id: TopicId::ZERO }), partition };
        Wanted { key, current_leader_epoch: -1, offset: 0, last_fetched_epoch: -1, bytes_max: 1 << 20 }
    }

    fn partitions(found: &[Wanted]) -> Vec<i32> {
        found.iter().map(|w| w.key.partition).collect()
    }

    fn open(sessions: &mut Sessions, rng: &Rng, count: i32) -> i32 {
        let now = Instant::from_nanos(0);
        let (context, _) = sessions.begin(now, rng, (0, 0), false, (0..count).map(wanted).collect(), &[]).unwrap();
        let Context::Full(id) = context else { panic!("a session is opened") };
        id
    }

    #[test]
    fn a_session_remembers_adds_and_forgets_partitions() {
        let (mut sessions, rng, now) = (Sessions::new(ShardId(3)), Rng::seeded(1), Instant::from_nanos(0));
        let id = open(&mut sessions, &rng, 3);
        assert_eq!(id & 0xff, 3);
        let (context, all) = sessions.begin(now, &rng, (id, 1), false, vec![], &[]).unwrap();
        assert_eq!((context, partitions(&all)), (Context::Incremental(id), vec![0, 1, 2]));
        let (_, all) = sessions.begin(now, &rng, (id, 2), false, vec![wanted(7)], &[wanted(1).key]).unwrap();
        assert_eq!(partitions(&all), [0, 2, 7]);
        assert!(sessions.begin(now, &rng, (id, 2), false, vec![], &[]).is_err(), "an epoch is used once");
    }

    #[test]
    fn errors_are_the_protocols() {
        let (mut sessions, rng, now) = (Sessions::new(ShardId(0)), Rng::seeded(1), Instant::from_nanos(0));
        let id = open(&mut sessions, &rng, 1);
        let mut check = |session, by_id, expect| {
            assert_eq!(sessions.begin(now, &rng, session, by_id, vec![], &[]).unwrap_err(), expect);
        };
        check((id + 256, 1), false, ErrorCode::FetchSessionIdNotFound);
        check((id, 5), false, ErrorCode::InvalidFetchSessionEpoch);
        check((id, 1), true, ErrorCode::FetchSessionTopicIdError);
        let (context, _) = sessions.begin(now, &rng, (id, -1), false, vec![], &[]).unwrap();
        assert_eq!(context, Context::Sessionless);
        assert_eq!(
            sessions.begin(now, &rng, (id, 1), false, vec![], &[]).unwrap_err(),
            ErrorCode::FetchSessionIdNotFound
        );
    }

    #[test]
    fn only_news_is_told_and_who_was_served_goes_last() {
        let (mut sessions, rng, now) = (Sessions::new(ShardId(0)), Rng::seeded(1), Instant::from_nanos(0));
        let id = open(&mut sessions, &rng, 3);
        let told = Told { high_watermark: 5, log_start: 0 };
        assert!(sessions.tell(id, &wanted(0).key, told, false));
        assert!(!sessions.tell(id, &wanted(0).key, told, false));
        assert!(sessions.tell(id, &wanted(0).key, told, true));
        assert!(sessions.tell(id, &wanted(0).key, Told { high_watermark: 6, ..told }, false));
        sessions.rotate(id, &[wanted(0).key]);
        let (_, all) = sessions.begin(now, &rng, (id, 1), false, vec![], &[]).unwrap();
        assert_eq!(partitions(&all), [1, 2, 0]);
    }

    #[test]
    fn partitions_of_all_sessions_are_bounded() {
        let (mut sessions, rng, now) = (Sessions::new(ShardId(0)), Rng::seeded(1), Instant::from_nanos(0));
        let each = (ALL_PARTITIONS_MAX / 4) as i32;
        let ids = [(); 4].map(|()| open(&mut sessions, &rng, each));
        let begin = |sessions: &mut Sessions, now, session, wanted: Vec<Wanted>| {
            sessions.begin(now, &rng, session, false, wanted, &[]).map(|begun| begun.0)
        };
        assert_eq!(begin(&mut sessions, now, (0, 0), vec![wanted(0)]), Ok(Context::Sessionless));
        assert_eq!(begin(&mut sessions, now, (ids[0], 1), vec![]), Ok(Context::Incremental(ids[0])));
        let moved = begin(&mut sessions, now, (ids[0], 2), vec![wanted(0)]);
        assert_eq!(moved, Ok(Context::Incremental(ids[0])), "a known partition takes no more room");
        let refused = begin(&mut sessions, now, (ids[0], 3), vec![wanted(each)]);
        assert_eq!(refused, Err(ErrorCode::FetchSessionIdNotFound), "one that grows over the bound is given up");
        assert!(matches!(begin(&mut sessions, now, (0, 0), vec![wanted(0)]), Ok(Context::Full(_))));
        let late = now + EVICTABLE_AFTER;
        let all = (0..each).map(wanted).collect();
        assert!(matches!(begin(&mut sessions, late, (0, 0), all), Ok(Context::Full(_))));
        assert!(sessions.partitions() <= ALL_PARTITIONS_MAX);
    }

    #[test]
    fn full_of_fresh_sessions_a_new_consumer_goes_without() {
        let (mut sessions, rng) = (Sessions::new(ShardId(0)), Rng::seeded(1));
        for _ in 0..SESSIONS_MAX {
            open(&mut sessions, &rng, 1);
        }
        let late = Instant::from_nanos(0) + EVICTABLE_AFTER;
        let mut begin = |now| sessions.begin(now, &rng, (0, 0), false, vec![wanted(0)], &[]).unwrap().0;
        assert_eq!(begin(Instant::from_nanos(1)), Context::Sessionless);
        assert!(matches!(begin(late), Context::Full(_)));
    }
}
