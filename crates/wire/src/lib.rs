//! Kafka frames, headers, versions and bodies of every API.
