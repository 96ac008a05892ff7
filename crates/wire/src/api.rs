//! Which APIs and versions there are.

pub use crate::schema::ApiKey;

impl ApiKey {
    /// The API of this number.
    pub fn from_i16(key: i16) -> Option<ApiKey> {
        ApiKey::ALL.binary_search_by_key(&key, |api| *api as i16).ok().map(|at| ApiKey::ALL[at])
    }

    /// Versions served, both inclusive.
    pub fn versions(self) -> (i16, i16) {
        let facts = self.facts();
        (facts.min, facts.max)
    }

    /// Versions to name in an ApiVersions response, both inclusive.
    ///
    /// Produce is named from 0 though served from 3: librdkafka takes its absence as "no compression" (KAFKA-18659).
    pub fn versions_advertised(self) -> (i16, i16) {
        let (min, max) = self.versions();
        if self == ApiKey::Produce { (0, max) } else { (min, max) }
    }

    /// Whether requests of this version are served.
    pub fn serves(self, version: i16) -> bool {
        let (min, max) = self.versions();
        (min..=max).contains(&version)
    }

    /// Whether this version has compact lengths and tags (KIP-482).
    pub fn is_flexible(self, version: i16) -> bool {
        self.facts().flexible.is_some_and(|from| version >= from)
    }

    /// Whether the response's header ends in tags (header v1).
    ///
    /// Never for ApiVersions: its reader can't know yet what the broker speaks (KIP-511).
    pub fn response_header_has_tags(self, version: i16) -> bool {
        self != ApiKey::ApiVersions && self.is_flexible(version)
    }

    /// The name in Kafka's documentation, as `CreateTopics`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }
}

/// What is fixed about an API.
pub(crate) struct Facts {
    pub name: &'static str,
    pub min: i16,
    pub max: i16,
    pub flexible: Option<i16>,
}

impl Facts {
    pub(crate) const fn new(name: &'static str, min: i16, max: i16, flexible: Option<i16>) -> Facts {
        Facts { name, min, max, flexible }
    }
}

impl std::fmt::Display for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
