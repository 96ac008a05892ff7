//! Where a partition begins and ends, and where a time falls in it.

use std::collections::BTreeMap;
use std::time::Duration;

use ouzel_model::{Offset, Timestamp};
use ouzel_wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use crate::cluster::{Client, Lane, Place};
use crate::error::{ClientError, refused};

const LIST_OFFSETS: (i16, i16) = (2, 7);

/// Which offset is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The first record there is.
    Start,
    /// Behind the last record a plain reader sees: the high watermark.
    End,
    /// Behind the last record a transactional reader sees.
    StableEnd,
    /// The first record at or after a time.
    Time(Timestamp),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedOffset {
    /// The partition.
    pub place: Place,
    /// The offset; -1 when no record is as young as the time asked for.
    pub offset: Offset,
    /// The record's timestamp, where a time was asked for.
    pub timestamp: Timestamp,
}

impl Client {
    /// Asks the leaders. Answers come by topic and partition.
    pub async fn list_offsets(&self, places: &[Place], which: Ends) -> Result<Vec<PlacedOffset>, ClientError> {
        let answers = self.with_retries(async || self.list_offsets_once(places, which).await).await?;
        Ok(answers.into_values().collect())
    }

    async fn list_offsets_once(
        &self,
        places: &[Place],
        which: Ends,
    ) -> Result<BTreeMap<Place, PlacedOffset>, ClientError> {
        let mut answers = BTreeMap::new();
        for (node, places) in self.by_leader(places).await? {
            let (timestamp, isolation_level) = match which {
                Ends::Start => (-2, 0),
                Ends::End => (-1, 0),
                Ends::StableEnd => (-1, 1),
                Ends::Time(time) => (time.0, 0),
            };
            let mut topics: Vec<ListOffsetsTopic> = Vec::new();
            for place in &places {
                let partition =
                    ListOffsetsPartition { partition_index: place.partition, timestamp, ..Default::default() };
                match topics.last_mut().filter(|topic| topic.name == *place.topic) {
                    Some(topic) => topic.partitions.push(partition),
                    None => topics.push(ListOffsetsTopic { name: (&*place.topic).into(), partitions: vec![partition] }),
                }
            }
            let ask = ListOffsetsRequest { replica_id: -1, isolation_level, topics, ..Default::default() };
            let reply = self.ask_node(node, Lane::Requests, &ask, LIST_OFFSETS, Duration::ZERO).await?;
            for topic in &reply.topics {
                for partition in &topic.partitions {
                    let place = Place::new(&topic.name, partition.partition_index);
                    if let Err(no) = refused(&place.to_string(), partition.error_code, None) {
                        self.forget(&place.topic);
                        return Err(no.into());
                    }
                    let found = PlacedOffset {
                        place: place.clone(),
                        offset: Offset(partition.offset),
                        timestamp: Timestamp(partition.timestamp),
                    };
                    answers.insert(place, found);
                }
            }
        }
        Ok(answers)
    }

    /// Partitions by the broker that leads them, each list by topic and partition.
    pub(crate) async fn by_leader(&self, places: &[Place]) -> Result<BTreeMap<i32, Vec<Place>>, ClientError> {
        let mut by_node: BTreeMap<i32, Vec<Place>> = BTreeMap::new();
        for place in places {
            by_node.entry(self.leader(place).await?).or_default().push(place.clone());
        }
        by_node.values_mut().for_each(|places| places.sort());
        Ok(by_node)
    }
}
