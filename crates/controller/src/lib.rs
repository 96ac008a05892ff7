//! Cluster metadata: commands, the image they build, and where it is stored.
