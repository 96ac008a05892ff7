//! Settings of one process, in the order of their names: Kafka's name where Kafka has one, so that DescribeConfigs
//! answers what tools ask for; the names of `ouzel.toml` are aliases of those.

use crate::config::setting::Bounds::*;
use crate::config::setting::Unit::*;
use crate::config::setting::ValueType::*;
use crate::config::setting::{Setting, same};

const NO_TLS: &str = "TLS isn't built into this version";
const NO_SASL: &str = "SASL isn't built into this version";

/// All settings of one process.
pub static NODE: &[Setting] = &[
    Setting::node("admin.listeners", List, "127.0.0.1:9644")
        .aliases(&[same("node.admin_addr"), same("admin")])
        .honoured()
        .doc("Addresses of the admin API."),
    Setting::node("advertised.listeners", String, "")
        .null()
        .aliases(&[same("node.advertised_kafka_addr"), same("advertised_kafka_api")])
        .honoured()
        .doc("Addresses that clients are told to connect to; those of `listeners` when unset."),
    Setting::node("broker.rack", String, "")
        .null()
        .aliases(&[same("node.rack"), same("rack")])
        .refused("racks matter to clusters of more than one broker, which aren't built into this version")
        .doc("Rack or zone this broker stands in."),
    Setting::node("cluster.id", String, "").null().aliases(&[same("cluster_id")]).doc(
        "Id of the cluster, 22 characters of URL-safe base64; counts when the cluster is founded, random when unset.",
    ),
    Setting::node("inter.broker.listener.name", String, "")
        .null()
        .doc("Listener that Kafka's brokers use among themselves; ours have an address of their own."),
    Setting::node("journal.bytes.max", Long, "1073741824")
        .unit(Bytes)
        .bounds(AtLeast(1_048_576))
        .honoured()
        .doc("Bytes that the journals of all cores take at most."),
    Setting::node("journal.depth", Int, "2")
        .unit(Count)
        .bounds(Between(1, 64))
        .honoured()
        .doc("Blocks of one core's journal that may be written at once."),
    Setting::node("journal.file.bytes", Long, "67108864")
        .unit(Bytes)
        .bounds(AtLeast(1_048_576))
        .honoured()
        .doc("Size of one file of a core's journal."),
    Setting::node("listener.security.protocol.map", String, "PLAINTEXT:PLAINTEXT")
        .doc("Which protocol each listener's name stands for."),
    Setting::node("listeners", String, "PLAINTEXT://127.0.0.1:9092")
        .aliases(&[same("node.kafka_addr"), same("kafka_api")])
        .honoured()
        .doc("Addresses on which clients are served."),
    Setting::node("log.compat", String, "none")
        .bounds(OneOf(&["none", "redpanda", "kafka"]))
        .doc("Whose start-up lines are printed besides ours, for tools that wait for them."),
    Setting::node("log.dirs", List, "ouzel-data")
        .aliases(&[same("log.dir"), same("node.data_dir"), same("data_directory")])
        .honoured()
        .doc("Directory that holds all data of this broker; there is one."),
    Setting::node("log.level", String, "info")
        .bounds(OneOf(&["error", "warn", "info", "debug", "trace"]))
        .honoured()
        .doc("Least severity of what is logged."),
    Setting::node("metrics.compat", String, "none")
        .bounds(OneOf(&["none", "redpanda"]))
        .doc("Whose metric names are given besides ours."),
    Setting::node("metrics.partition_detail", Boolean, "true")
        .honoured()
        .doc("Whether each partition has metrics of its own; above 10,000 partitions none has."),
    Setting::node("node.cores", Int, "0")
        .unit(Count)
        .bounds(Between(0, 1024))
        .honoured()
        .doc("Cores this broker runs on; 0 for all it may use."),
    Setting::node("node.id", Int, "1")
        .bounds(AtLeast(0))
        .aliases(&[same("broker.id"), same("node_id")])
        .honoured()
        .doc("Id of this broker in its cluster."),
    Setting::node("node.insecure", Boolean, "false")
        .aliases(&[same("developer_mode")])
        .honoured()
        .doc("Whether a listener that others can reach may be open to everybody."),
    Setting::node("node.memory.bytes", Long, "0")
        .unit(Bytes)
        .bounds(AtLeast(0))
        .aliases(&[same("node.memory")])
        .honoured()
        .doc("Memory this broker uses; 0 for 1 GiB."),
    Setting::node("node.recovery_mode", Boolean, "false")
        .aliases(&[same("recovery_mode_enabled")])
        .doc("Whether the broker starts for repair only, without serving clients."),
    Setting::node("node.seeds", List, "")
        .aliases(&[same("seed_servers")])
        .refused("clusters of more than one broker aren't built into this version")
        .doc("Addresses of the brokers that found the cluster."),
    Setting::node("num.io.threads", Int, "8")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Kafka's threads for requests; here each core has one thread for everything."),
    Setting::node("num.network.threads", Int, "3")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Kafka's threads for connections; here each core has one thread for everything."),
    Setting::node("num.recovery.threads.per.data.dir", Int, "2")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Kafka's threads that check logs at a start; here each core reads its own journal."),
    Setting::node("process.roles", List, "broker,controller")
        .described()
        .doc("Kafka's roles of this process; every broker here has both."),
    Setting::node("rpc.listeners", List, "127.0.0.1:33145")
        .aliases(&[same("node.rpc_addr"), same("rpc_server")])
        .doc("Address for the other brokers."),
    Setting::node("sasl.enabled.mechanisms", List, "")
        .aliases(&[same("sasl_mechanisms")])
        .refused(NO_SASL)
        .doc("Ways in which clients may log in."),
    Setting::node("shutdown.timeout.ms", Long, "10000")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .aliases(&[same("shutdown.timeout")])
        .honoured()
        .doc("How long a stopping broker takes at most to hand over and sync."),
    Setting::node("socket.receive.buffer.bytes", Int, "102400")
        .unit(Bytes)
        .bounds(AtLeast(-1))
        .doc("Size of a connection's receive buffer in the kernel; here the kernel decides."),
    Setting::node("socket.send.buffer.bytes", Int, "102400")
        .unit(Bytes)
        .bounds(AtLeast(-1))
        .doc("Size of a connection's send buffer in the kernel; here the kernel decides."),
    Setting::node("ssl.client.auth", String, "none")
        .bounds(OneOf(&["none", "requested", "required"]))
        .refused(NO_TLS)
        .doc("Whether clients must show a certificate."),
    Setting::node("ssl.key.password", Password, "")
        .null()
        .refused(NO_TLS)
        .doc("Password of the listener's private key."),
    Setting::node("ssl.keystore.location", String, "")
        .null()
        .refused(NO_TLS)
        .doc("File with the listener's private key and certificates."),
    Setting::node("ssl.keystore.password", Password, "")
        .null()
        .refused(NO_TLS)
        .doc("Password of the file with the listener's private key."),
    Setting::node("ssl.truststore.location", String, "")
        .null()
        .refused(NO_TLS)
        .doc("File with the certificates that clients' certificates are checked against."),
    Setting::node("ssl.truststore.password", Password, "")
        .null()
        .refused(NO_TLS)
        .doc("Password of the file with the certificates that clients are checked against."),
    Setting::node("storage.min.free.bytes", Long, "-1")
        .unit(Bytes)
        .bounds(AtLeast(-1))
        .aliases(&[same("storage_min_free_bytes")])
        .honoured()
        .doc("Free space of the disk below which appends are refused; -1 for the larger of 5 % and 1 GiB."),
];
