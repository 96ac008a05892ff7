//! Which of several values counts, and how they are described.

use std::collections::BTreeMap;

use super::list::{CLUSTER, GROUP, NODE, TOPIC, row};
use super::setting::{Setting, ValueType};
use super::value::{Value, parse};

/// Values that somebody set, canonical texts by the names of [`super::check`].
pub type Values = BTreeMap<String, String>;

/// No values.
pub static NO_VALUES: Values = Values::new();

/// Where a value comes from, with Kafka's numbers. Source: KIP-226, KIP-1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Source {
    /// Set on the topic.
    Topic = 1,
    /// Set on this broker, stored by the controller.
    DynamicBroker = 2,
    /// Set on the cluster, stored by the controller.
    DynamicDefault = 3,
    /// Set for this process: command line, environment or file.
    Static = 4,
    /// Built in.
    Default = 5,
    /// Set on the group.
    Group = 8,
}

/// The values at broker level, each under the names of [`super::Scope::Broker`]. What was set for this process wins,
/// then what was set for this broker, then for the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// Set for this process. Node settings come from here alone.
    pub process: &'a Values,
    /// Set for this broker.
    pub broker: &'a Values,
    /// Set for the cluster.
    pub cluster: &'a Values,
}

/// Built-in values only.
pub const NO_LAYERS: Layers<'static> = Layers { process: &NO_VALUES, broker: &NO_VALUES, cluster: &NO_VALUES };

impl<'a> Layers<'a> {
    /// The values set under a name at broker level, the one that counts first.
    fn values(self, name: &'static str) -> impl Iterator<Item = (Source, &'a str)> {
        let layers = [
            (Source::Static, self.process),
            (Source::DynamicBroker, self.broker),
            (Source::DynamicDefault, self.cluster),
        ];
        layers.into_iter().filter_map(move |(source, values)| Some((source, values.get(name)?.as_str())))
    }
}

/// Reads typed values of one table: own overrides, then the layers, then the built-in default. A stored text that isn't
/// legal (any more) counts as not there, so that reading never fails.
pub(super) struct Reader<'a> {
    pub(super) rows: &'static [Setting],
    pub(super) own: &'a Values,
    pub(super) layers: Layers<'a>,
}

impl Reader<'_> {
    fn value(&self, name: &str) -> Value {
        let setting = row(self.rows, name).unwrap_or_else(|| panic!("setting {name} isn't declared"));
        let own = self.own.get(name).map(String::as_str);
        let layered = setting.name_at_broker().into_iter().flat_map(|at_broker| self.layers.values(at_broker));
        let set = own.into_iter().chain(layered.map(|(_, text)| text));
        let mut legal = set.chain(setting.default).filter_map(|text| parse(setting, text).ok());
        legal.next().unwrap_or_else(|| panic!("the default of {name} isn't legal"))
    }

    pub(super) fn int(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Int(value) => value,
            other => panic!("setting {name} isn't a number but {other:?}"),
        }
    }

    /// A number whose bounds keep it from being negative.
    pub(super) fn count(&self, name: &str) -> u64 {
        u64::try_from(self.int(name)).unwrap_or_else(|_| panic!("the bounds of {name} allow negative values"))
    }

    /// A number where negative values mean "no limit".
    pub(super) fn limit(&self, name: &str) -> Option<u64> {
        u64::try_from(self.int(name)).ok()
    }

    pub(super) fn bool(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Bool(value) => value,
            other => panic!("setting {name} isn't a boolean but {other:?}"),
        }
    }

    pub(super) fn text(&self, name: &str) -> String {
        match self.value(name) {
            Value::Text(value) => value,
            other => panic!("setting {name} isn't a text but {other:?}"),
        }
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Value::List(words) => words,
            other => panic!("setting {name} isn't a list but {other:?}"),
        }
    }
}

/// One setting as DescribeConfigs reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// The value that counts; `None` for Kafka's null and for sensitive settings.
    pub value: Option<String>,
    /// Where that value comes from.
    pub source: Source,
    /// The setting's type.
    pub value_type: ValueType,
    /// Whether its value is never shown.
    pub sensitive: bool,
    /// Whether it can't be altered.
    pub read_only: bool,
    /// All values that are set, and the built-in one, in the order in which they count.
    pub synonyms: Vec<Synonym>,
    /// One sentence.
    pub documentation: &'static str,
}

/// One value that counts if those before it go.
#[derive(Clone, Debug, PartialEq)]
pub struct Synonym {
    /// Its name in its place.
    pub name: String,
    /// The value; `None` when sensitive.
    pub value: Option<String>,
    /// Its place.
    pub source: Source,
}

/// A topic's settings, by name: all that are listed, and what else was set.
pub fn describe_topic(own: &Values, layers: Layers<'_>) -> Vec<ConfigEntry> {
    describe_own(TOPIC, Source::Topic, own, layers)
}

/// A group's settings, by name.
pub fn describe_group(own: &Values, layers: Layers<'_>) -> Vec<ConfigEntry> {
    describe_own(GROUP, Source::Group, own, layers)
}

/// The settings at broker level, by name: of nodes, the cluster, and its defaults for topics and groups.
pub fn describe_broker(layers: Layers<'_>) -> Vec<ConfigEntry> {
    let mut entries: Vec<ConfigEntry> = [NODE, CLUSTER, TOPIC, GROUP]
        .into_iter()
        .flatten()
        .filter_map(|setting| Some(entry(setting, setting.name_at_broker()?, None, layers)))
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn describe_own(rows: &'static [Setting], place: Source, own: &Values, layers: Layers<'_>) -> Vec<ConfigEntry> {
    let mut entries: Vec<ConfigEntry> = Vec::with_capacity(rows.len());
    for setting in rows {
        if let Some(prefix) = setting.name.strip_suffix('*') {
            let family = own.iter().filter(|(name, _)| name.starts_with(prefix));
            entries.extend(family.map(|(name, text)| entry(setting, name, Some((place, text)), layers)));
        } else {
            let text = own.get(setting.name);
            if setting.listed || text.is_some() {
                entries.push(entry(setting, setting.name, text.map(|text| (place, text.as_str())), layers));
            }
        }
    }
    entries
}

fn entry(setting: &'static Setting, name: &str, own: Option<(Source, &str)>, layers: Layers<'_>) -> ConfigEntry {
    let shown = |text: &str| (!setting.sensitive).then(|| text.to_string());
    let synonym = |name: &str, text: &str, source| Synonym { name: name.to_string(), value: shown(text), source };
    let at_broker = setting.name_at_broker();
    let own = own.map(|(source, text)| synonym(name, text, source));
    let layered = at_broker
        .into_iter()
        .flat_map(|at_broker| layers.values(at_broker).map(move |(source, text)| synonym(at_broker, text, source)));
    let built_in = setting.default.map(|text| synonym(at_broker.unwrap_or(name), text, Source::Default));
    let synonyms: Vec<Synonym> = own.into_iter().chain(layered).chain(built_in).collect();
    ConfigEntry {
        name: name.to_string(),
        value: synonyms.first().and_then(|first| first.value.clone()),
        source: synonyms.first().map_or(Source::Default, |first| first.source),
        value_type: setting.value_type,
        sensitive: setting.sensitive,
        read_only: setting.is_read_only(),
        synonyms,
        documentation: setting.doc,
    }
}
