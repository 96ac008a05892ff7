//! Altering and describing settings. Source: KIP-133, KIP-226, KIP-339, KIP-1142.

use std::collections::{BTreeMap, BTreeSet};

use ouzel_model::NodeId;
use ouzel_model::config::{
    ConfigEntry, Layers, NO_VALUES, Scope, Setting, SettingError, ValueType, Values, check, check_topic,
    describe_broker, describe_group, describe_topic, find, unknown, words,
};

use crate::command::{Command, ConfigResource};
use crate::{AdminError, Image, Local, Plan, Topic};

/// Whose settings a client means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A topic's, by name.
    Topic(String),
    /// A broker's by its id in decimal, or the cluster's defaults: "".
    Broker(String),
    /// A group's, by id.
    Group(String),
}

/// What is to be done with one setting. Source: KIP-339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Give it this value.
    Set,
    /// Take the value away; the default counts again.
    Delete,
    /// Add these words to the list, those that it has excepted.
    Append,
    /// Take these words off the list.
    Subtract,
}

/// One step of an alteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigStep {
    /// The setting.
    pub name: String,
    /// What to do.
    pub operation: Operation,
    /// With what; `Delete` doesn't look at it.
    pub value: Option<String>,
}

/// Names and values of all settings that a resource shall have.
pub type WholeConfig = Vec<(String, Option<String>)>;

/// Resources to alter step by step, in the order of the requests; all steps on one resource are done, or none. Without
/// `validate_only` the plan's commands do it.
pub fn plan_incremental_alter(
    image: &Image,
    local: Local<'_>,
    requests: &[(Resource, Vec<ConfigStep>)],
    validate_only: bool,
) -> Plan<Vec<Result<(), AdminError>>> {
    plan_each(image, requests, validate_only, |target, steps| step_by_step(target, local, steps))
}

/// Resources whose settings are to be exactly these, in the order of the requests.
pub fn plan_alter(
    image: &Image,
    local: Local<'_>,
    requests: &[(Resource, WholeConfig)],
    validate_only: bool,
) -> Plan<Vec<Result<(), AdminError>>> {
    plan_each(image, requests, validate_only, |target, settings| replaced(target, local, settings))
}

fn plan_each<'i, T>(
    image: &'i Image,
    requests: &[(Resource, T)],
    validate_only: bool,
    new_values: impl Fn(&Target<'i>, &T) -> Result<Values, AdminError>,
) -> Plan<Vec<Result<(), AdminError>>> {
    let mut counts: BTreeMap<&Resource, usize> = BTreeMap::new();
    requests.iter().for_each(|(resource, _)| *counts.entry(resource).or_default() += 1);
    let mut commands = Vec::new();
    let mut alter = |(resource, change): &(Resource, T)| {
        if counts[resource] > 1 {
            return Err(AdminError::InvalidRequest("Each resource must appear at most once.".into()));
        }
        let target = Target::new(image, resource)?;
        let values = new_values(&target, change)?;
        commands.extend(target.command(values));
        Ok(())
    };
    let outcome = requests.iter().map(&mut alter).collect();
    if validate_only {
        commands.clear();
    }
    Plan { commands, outcome }
}

/// A resource that exists.
struct Target<'i> {
    resource: ConfigResource,
    scope: Scope,
    /// What it has now.
    values: &'i Values,
    image: &'i Image,
}

impl<'i> Target<'i> {
    fn new(image: &'i Image, resource: &Resource) -> Result<Target<'i>, AdminError> {
        let (resource, scope, values) = match resource {
            Resource::Topic(name) => {
                let topic = image.topic(name).ok_or(AdminError::UnknownTopic)?;
                (ConfigResource::Topic(topic.id), Scope::Topic, &topic.config)
            }
            Resource::Broker(name) if name.is_empty() => {
                (ConfigResource::Cluster, Scope::Broker, image.cluster_values())
            }
            Resource::Broker(name) => {
                let node = registered(image, name)?;
                (ConfigResource::Broker(node), Scope::Broker, image.broker_values(node))
            }
            Resource::Group(name) if name.is_empty() => {
                return Err(AdminError::InvalidRequest("Default group resources are not allowed.".into()));
            }
            Resource::Group(name) => (ConfigResource::Group(name.clone()), Scope::Group, image.group_values(name)),
        };
        Ok(Target { resource, scope, values, image })
    }

    /// What must change for the resource to have these values; `None` when it has them.
    fn command(self, values: Values) -> Option<Command> {
        let remove: BTreeSet<String> = self.values.keys().filter(|name| !values.contains_key(*name)).cloned().collect();
        let set: Values = values.into_iter().filter(|(name, value)| self.values.get(name) != Some(value)).collect();
        let changes = !set.is_empty() || !remove.is_empty();
        changes.then_some(Command::AlterConfig { resource: self.resource, set, remove })
    }

    /// The canonical name of a setting that can be altered.
    fn name(&self, name: &str) -> Result<(String, &'static Setting), AdminError> {
        let found = find(self.scope, name).ok_or_else(|| unknown(self.scope, name))?;
        if self.scope == Scope::Broker && found.setting.is_read_only() {
            return Err(read_only(name));
        }
        Ok((found.name.into_owned(), found.setting))
    }

    fn check_whole(&self, values: &Values, local: Local<'_>) -> Result<(), AdminError> {
        if self.scope == Scope::Topic {
            check_topic(values, self.image.layers(local))?;
        }
        Ok(())
    }
}

fn read_only(name: &str) -> AdminError {
    AdminError::InvalidRequest(format!("Cannot update these configs dynamically: Set({name})"))
}

fn registered(image: &Image, name: &str) -> Result<NodeId, AdminError> {
    let id = name.parse().map_err(|_| {
        let shown: String = name.chars().take(32).collect();
        AdminError::InvalidRequest(format!("Node id must be an integer, but it is: {shown}"))
    })?;
    if image.nodes().contains_key(&NodeId(id)) {
        return Ok(NodeId(id));
    }
    Err(AdminError::InvalidRequest(format!("No broker with id {id} is registered.")))
}

fn step_by_step(target: &Target<'_>, local: Local<'_>, steps: &[ConfigStep]) -> Result<Values, AdminError> {
    check_duplicates(steps.iter().map(|step| &*step.name))?;
    let mut values = target.values.clone();
    for step in steps {
        if step.operation == Operation::Delete {
            // What isn't known isn't set either.
            match target.name(&step.name) {
                Ok((name, _)) => values.remove(&name),
                Err(AdminError::InvalidConfig(SettingError::Unknown { .. })) => None,
                Err(error) => return Err(error),
            };
            continue;
        }
        let text = step.value.as_deref().ok_or_else(|| null(&step.name))?;
        let (canonical, setting) = target.name(&step.name)?;
        let operation = match step.operation {
            Operation::Append => "APPEND",
            Operation::Subtract => "SUBTRACT",
            Operation::Set | Operation::Delete => {
                let (name, value) = check(target.scope, &step.name, text)?;
                values.insert(name, value);
                continue;
            }
        };
        if setting.value_type != ValueType::List {
            return Err(AdminError::NotAList { operation, name: step.name.clone() });
        }
        let mut list = words(values.get(&canonical).map_or(setting.default.unwrap_or(""), String::as_str));
        let given = words(text);
        match step.operation {
            Operation::Append => list.extend(given),
            _ => list.retain(|word| !given.contains(word)),
        }
        let (name, value) = check(target.scope, &step.name, &list.join(","))?;
        values.insert(name, value);
    }
    target.check_whole(&values, local)?;
    Ok(values)
}

fn replaced(
    target: &Target<'_>,
    local: Local<'_>,
    settings: &[(String, Option<String>)],
) -> Result<Values, AdminError> {
    check_duplicates(settings.iter().map(|(name, _)| &**name))?;
    let mut values = Values::new();
    for (name, text) in settings {
        let text = text.as_deref().ok_or_else(|| null(name))?;
        target.name(name)?;
        let (name, value) = check(target.scope, name, text)?;
        values.insert(name, value);
    }
    target.check_whole(&values, local)?;
    Ok(values)
}

fn null(name: &str) -> AdminError {
    AdminError::InvalidRequest(format!("Null value not supported for : {name}"))
}

fn check_duplicates<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), AdminError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(AdminError::InvalidRequest("Error due to duplicate config keys".into()));
        }
    }
    Ok(())
}

/// All settings of a resource, by name, with where each value comes from. A client's choice of names is the caller's to
/// apply. Of brokers only this one can be asked, and "" for the cluster's defaults.
pub fn describe_configs(image: &Image, local: Local<'_>, resource: &Resource) -> Result<Vec<ConfigEntry>, AdminError> {
    match resource {
        Resource::Topic(name) => {
            let topic = image.topic(name).ok_or(AdminError::UnknownTopic)?;
            Ok(describe_topic_configs(image, local, topic))
        }
        Resource::Broker(name) if name.is_empty() => {
            // Tools ask "" for listeners and directories too, so what the process was told stays in.
            Ok(describe_broker(Layers { broker: &NO_VALUES, ..image.layers(local) }))
        }
        Resource::Broker(name) => {
            let node = registered(image, name)?;
            if node != local.node {
                return Err(AdminError::InvalidRequest(format!(
                    "Unexpected broker id, expected {}, but received {}",
                    local.node.0, node.0
                )));
            }
            Ok(describe_broker(image.layers(local)))
        }
        Resource::Group(name) => Ok(describe_group(image.group_values(name), image.layers(local))),
    }
}

/// All settings of a topic, which need not be in the image (yet).
pub fn describe_topic_configs(image: &Image, local: Local<'_>, topic: &Topic) -> Vec<ConfigEntry> {
    describe_topic(&topic.config, image.layers(local))
}
