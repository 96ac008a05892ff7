//! Connections and Kafka request handlers, one file per API key.
