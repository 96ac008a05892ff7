//! DescribeConfigs (32), 1-4; AlterConfigs (33), 0-2; IncrementalAlterConfigs (44), 0-1; ListConfigResources (74), 0-1.
//!
//! - 32: v1 (KIP-226) sources and synonyms; v3 (KIP-569) types and documentation; v4 flexible. Keys null or [] are all.
//! - 33 replaces the whole set of a resource; 44 (KIP-339) works step by step. Both do all of a resource or nothing.
//! - 74 (KIP-1142): v0 lists client metrics alone, of which there are none; another type: UNSUPPORTED_VERSION.

use ouzel_controller::{ConfigStep, Operation, Resource, describe_configs, plan_alter, plan_incremental_alter};
use ouzel_model::config::{ConfigEntry, ValueType};
use ouzel_wire::alter_configs::{AlterConfigsRequest, AlterConfigsResourceResponse, AlterConfigsResponse};
use ouzel_wire::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use ouzel_wire::incremental_alter_configs::{
    self as incremental, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use ouzel_wire::list_config_resources::{ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse};
use ouzel_wire::{ErrorCode, Str};

use crate::dispatch::Cx;
use crate::error;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const METRICS: i8 = 16;
const GROUP: i8 = 32;

fn resource(kind: i8, name: &Str) -> Option<Resource> {
    match kind {
        TOPIC => Some(Resource::Topic(name.to_string())),
        BROKER => Some(Resource::Broker(name.to_string())),
        GROUP => Some(Resource::Group(name.to_string())),
        _ => None,
    }
}

const NO_SUCH_TYPE: &str = "settings are those of topics (2), brokers (4) and groups (32)";

pub(crate) async fn describe(cx: Cx, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let results = request.resources.iter().map(|r| described(&cx, &request, r)).collect();
    DescribeConfigsResponse { results, ..Default::default() }
}

fn described(cx: &Cx, request: &DescribeConfigsRequest, asked: &DescribeConfigsResource) -> DescribeConfigsResult {
    let shard = &cx.kafka.shard;
    let mut result = DescribeConfigsResult {
        error_message: None,
        resource_type: asked.resource_type,
        resource_name: asked.resource_name.clone(),
        ..Default::default()
    };
    let Some(resource) = resource(asked.resource_type, &asked.resource_name) else {
        result.error_code = ErrorCode::InvalidRequest as i16;
        result.error_message = Some(NO_SUCH_TYPE.into());
        return result;
    };
    match describe_configs(&shard.image(), shard.local(), &resource) {
        Ok(entries) => {
            let keys = asked.configuration_keys.as_deref().unwrap_or_default();
            result.configs = entries
                .into_iter()
                .filter(|e| keys.is_empty() || keys.iter().any(|k| *k == *e.name))
                .map(|e| config(e, request.include_synonyms, request.include_documentation))
                .collect();
        }
        Err(error) => {
            result.error_code = error::admin(&error) as i16;
            result.error_message = Some(error.to_string().into());
        }
    }
    result
}

fn config(entry: ConfigEntry, synonyms: bool, documentation: bool) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult {
        synonyms: entry
            .synonyms
            .into_iter()
            .filter(|_| synonyms)
            .map(|s| DescribeConfigsSynonym {
                name: s.name.into(),
                value: s.value.map(Into::into),
                source: s.source as i8,
            })
            .collect(),
        name: entry.name.into(),
        value: entry.value.map(Into::into),
        read_only: entry.read_only,
        config_source: entry.source as i8,
        is_sensitive: entry.sensitive,
        config_type: config_type(entry.value_type),
        documentation: documentation.then(|| entry.documentation.into()),
    }
}

fn config_type(value_type: ValueType) -> i8 {
    value_type as i8
}

pub(crate) async fn alter(cx: Cx, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let wanted: Vec<_> = request
        .resources
        .iter()
        .map(|r| {
            let values = r.configs.iter().map(|c| (c.name.to_string(), c.value.as_ref().map(|v| v.to_string())));
            resource(r.resource_type, &r.resource_name).map(|resource| (resource, values.collect::<Vec<_>>()))
        })
        .collect();
    let known: Vec<bool> = wanted.iter().map(Option::is_some).collect();
    let requests: Vec<_> = wanted.into_iter().flatten().collect();
    let validate_only = request.validate_only;
    let altered =
        cx.kafka.shard.change(move |shard, image| plan_alter(image, shard.local(), &requests, validate_only)).await;
    let mut outcomes = rows(&known, altered).into_iter();
    let responses = request
        .resources
        .into_iter()
        .map(|r| {
            let (code, error_message) = outcomes.next().unwrap_or_default();
            AlterConfigsResourceResponse {
                error_code: code,
                error_message,
                resource_type: r.resource_type,
                resource_name: r.resource_name,
            }
        })
        .collect();
    AlterConfigsResponse { responses, ..Default::default() }
}

pub(crate) async fn alter_incrementally(
    cx: Cx,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let wanted: Vec<_> = request
        .resources
        .iter()
        .map(|r| {
            let steps: Option<Vec<ConfigStep>> = r.configs.iter().map(step).collect();
            Some((resource(r.resource_type, &r.resource_name)?, steps?))
        })
        .collect();
    let known: Vec<bool> = wanted.iter().map(Option::is_some).collect();
    let requests: Vec<_> = wanted.into_iter().flatten().collect();
    let validate_only = request.validate_only;
    let plan = move |shard: &std::rc::Rc<ouzel_shard::Shard>, image: &ouzel_controller::Image| {
        plan_incremental_alter(image, shard.local(), &requests, validate_only)
    };
    let altered = cx.kafka.shard.change(plan).await;
    let mut outcomes = rows(&known, altered).into_iter();
    let responses = request
        .resources
        .into_iter()
        .map(|r| {
            let (code, error_message) = outcomes.next().unwrap_or_default();
            incremental::AlterConfigsResourceResponse {
                error_code: code,
                error_message,
                resource_type: r.resource_type,
                resource_name: r.resource_name,
            }
        })
        .collect();
    IncrementalAlterConfigsResponse { responses, ..Default::default() }
}

fn step(config: &incremental::AlterableConfig) -> Option<ConfigStep> {
    let operation = match config.config_operation {
        0 => Operation::Set,
        1 => Operation::Delete,
        2 => Operation::Append,
        3 => Operation::Subtract,
        _ => return None,
    };
    Some(ConfigStep { name: config.name.to_string(), operation, value: config.value.as_ref().map(|v| v.to_string()) })
}

/// Code and message for each resource: those that couldn't be asked for, and the outcomes of the others.
fn rows(
    known: &[bool],
    altered: Result<Vec<Result<(), ouzel_controller::AdminError>>, ouzel_shard::ChangeError>,
) -> Vec<(i16, Option<Str>)> {
    let failed = altered.as_ref().err().map(|e| (error::change(e) as i16, Some(Str::from(e.to_string()))));
    let mut outcomes = altered.unwrap_or_default().into_iter();
    known
        .iter()
        .map(|&known| match (known, &failed) {
            (false, _) => (ErrorCode::InvalidRequest as i16, Some("unknown type of resource or operation".into())),
            (true, Some(failed)) => failed.clone(),
            (true, None) => match outcomes.next() {
                Some(Err(error)) => (error::admin(&error) as i16, Some(error.to_string().into())),
                Some(Ok(())) | None => (0, None),
            },
        })
        .collect()
}

pub(crate) async fn list(cx: Cx, request: ListConfigResourcesRequest) -> ListConfigResourcesResponse {
    let asked = match cx.version {
        0 => vec![METRICS],
        _ if request.resource_types.is_empty() => vec![TOPIC, BROKER, METRICS, GROUP],
        _ => request.resource_types,
    };
    if asked.iter().any(|t| ![TOPIC, BROKER, METRICS, GROUP].contains(t)) {
        return ListConfigResourcesResponse { error_code: ErrorCode::UnsupportedVersion as i16, ..Default::default() };
    }
    let image = cx.kafka.shard.image();
    let mut config_resources = Vec::new();
    let mut add = |resource_type, name: Str| {
        config_resources.push(ConfigResource { resource_name: name, resource_type });
    };
    for kind in asked {
        match kind {
            TOPIC => image.topics().for_each(|t| add(TOPIC, (&t.name).into())),
            BROKER => image.nodes().keys().for_each(|n| add(BROKER, n.0.to_string().into())),
            GROUP => image.configured_groups().for_each(|g| add(GROUP, g.into())),
            _ => {}
        }
    }
    ListConfigResourcesResponse { config_resources, ..Default::default() }
}
