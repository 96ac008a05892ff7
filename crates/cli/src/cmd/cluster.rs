//! `ouzel cluster info`.

use ouzel_client::{Client, Node};
use serde::Serialize;

use crate::args::{Cluster, Format, Global};
use crate::failure::{Done, Failure};
use crate::{output, session};

#[derive(Serialize)]
struct Info {
    cluster_id: Option<String>,
    controller: Option<i32>,
    brokers: Vec<Broker>,
    topics: usize,
    partitions: usize,
}

#[derive(Serialize)]
struct Broker {
    id: i32,
    host: String,
    port: u16,
    rack: Option<String>,
}

pub fn run(global: Global, cluster: Cluster) -> Done {
    let format = global.format;
    match cluster {
        Cluster::Info => session::with_client(&global, async move |client| info(client, format).await),
    }
}

async fn info(client: Client, format: Format) -> Done {
    let failed = |error| Failure::client("look at the cluster", error);
    let overview = client.overview().await.map_err(failed)?;
    let topics = client.all_topics().await.map_err(failed)?;
    let topics: Vec<_> = topics.iter().filter(|topic| !topic.internal).collect();
    let broker = |node: &Node| Broker {
        id: node.id,
        host: node.address.host.clone(),
        port: node.address.port,
        rack: node.rack.clone(),
    };
    let info = Info {
        cluster_id: overview.cluster_id,
        controller: overview.controller,
        brokers: overview.nodes.iter().map(broker).collect(),
        topics: topics.len(),
        partitions: topics.iter().map(|topic| topic.partitions.len()).sum(),
    };
    if format == Format::Json {
        output::json(&info);
        return Ok(());
    }
    let row = |broker: &Broker| {
        let mark = if info.controller == Some(broker.id) { "*" } else { "" };
        let rack = broker.rack.clone().unwrap_or_else(|| "-".to_owned());
        vec![format!("{}{mark}", broker.id), broker.host.clone(), broker.port.to_string(), rack]
    };
    let rows: Vec<Vec<String>> = info.brokers.iter().map(row).collect();
    output::print(&format!(
        "cluster     {}\ntopics      {}\npartitions  {}\n\n{}",
        info.cluster_id.as_deref().unwrap_or("-"),
        info.topics,
        info.partitions,
        output::table(&["ID", "HOST", "PORT", "RACK"], &["PORT"], &rows),
    ));
    Ok(())
}
