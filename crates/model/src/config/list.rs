//! The one list, and how a name is looked up in it.

mod cluster;
mod group;
mod node;
mod topic;

pub use cluster::CLUSTER;
pub use group::GROUP;
pub use node::NODE;
pub use topic::TOPIC;

use super::setting::{Alias, Setting, same};
use std::borrow::Cow;

/// Where a name stands: the same text can be a topic's setting and, with another meaning, the broker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Names of topics' settings.
    Topic,
    /// Names of groups' settings.
    Group,
    /// Names at broker level: node, cluster, and the cluster's defaults for topics and groups.
    Broker,
}

impl Scope {
    /// How Kafka's messages call a name of this scope.
    pub(super) fn word(self) -> &'static str {
        match self {
            Scope::Topic => "topic",
            Scope::Group => "group",
            Scope::Broker => "broker",
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'a> {
    /// The row.
    pub setting: &'static Setting,
    /// The name values are stored and reported under.
    pub name: Cow<'a, str>,
    /// How the name that was looked up relates to it.
    pub alias: Alias,
}

/// All settings: of topics, groups, the cluster and nodes.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    TOPIC.iter().chain(GROUP).chain(CLUSTER).chain(NODE)
}

/// What `name` stands for in `scope`; `None` when it stands for nothing.
pub fn find(scope: Scope, name: &str) -> Option<Found<'_>> {
    match scope {
        Scope::Topic => find_own(TOPIC, name),
        Scope::Group => find_own(GROUP, name),
        Scope::Broker => find_at_broker(name),
    }
}

fn find_own<'a>(rows: &'static [Setting], name: &'a str) -> Option<Found<'a>> {
    let exact = row(rows, name).filter(|row| !row.is_family());
    let family = || rows.iter().find(|row| row.is_family() && in_family(row, name));
    let setting = exact.or_else(family)?;
    Some(Found { setting, name: Cow::Borrowed(name), alias: same(setting.name) })
}

fn in_family(row: &Setting, name: &str) -> bool {
    row.name.strip_suffix('*').is_some_and(|prefix| name.len() > prefix.len() && name.starts_with(prefix))
}

fn find_at_broker(name: &str) -> Option<Found<'_>> {
    all().find_map(|setting| {
        let canonical = setting.name_at_broker()?;
        let alias = if canonical == name {
            same(canonical)
        } else {
            *setting.aliases.iter().find(|alias| alias.name == name)?
        };
        Some(Found { setting, name: Cow::Borrowed(canonical), alias })
    })
}

/// The row of this name in a table that is sorted by name.
pub(super) fn row(rows: &'static [Setting], name: &str) -> Option<&'static Setting> {
    rows.binary_search_by(|row| row.name.cmp(name)).ok().map(|place| &rows[place])
}

/// All names of a scope, aliases included, for suggestions.
pub(super) fn names(scope: Scope) -> Vec<&'static str> {
    match scope {
        Scope::Topic => TOPIC.iter().map(|row| row.name).filter(|name| !name.ends_with('*')).collect(),
        Scope::Group => GROUP.iter().map(|row| row.name).collect(),
        Scope::Broker => all()
            .filter_map(|row| Some((row.name_at_broker()?, row.aliases)))
            .flat_map(|(name, aliases)| std::iter::once(name).chain(aliases.iter().map(|alias| alias.name)))
            .collect(),
    }
}
