//! Log and Raft as one Kafka partition.
