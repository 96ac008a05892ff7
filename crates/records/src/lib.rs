//! Kafka record batch v2: view, check, build, iterate, compress.
