//! The command line: every word, flag and sentence of help. Parser, help and (later) completions come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
#[command(
    name = "ouzel",
    version,
    about = "A streaming broker that speaks Kafka's protocol, and the command line for it",
    after_help = "Begin with `ouzel dev`: a broker on this machine, in one command.",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Global {
    /// Client setting, such as brokers=host:port[,host:port]
    ///
    /// Also read from the environment as OUZEL_X_<KEY>. Settings: brokers (default localhost:9092).
    #[arg(short = 'X', value_name = "KEY=VALUE", global = true, help_heading = "Global options")]
    pub client_settings: Vec<String>,
    /// Output: text for people, json for programs
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true, help_heading = "Global options")]
    pub format: Format,
    /// Say yes to questions; needed for destructive acts off a terminal
    #[arg(long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// Say more: a broker's log goes to standard error
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a broker for development: no setup, loopback only
    Dev(Dev),
    /// Start a broker
    Start(Start),
    /// Topics: create, look at, change, write and read
    #[command(subcommand, arg_required_else_help = true)]
    Topic(Topic),
    /// Consumer groups: who reads what, and how far behind
    #[command(subcommand, arg_required_else_help = true)]
    Group(Group),
    /// The cluster as a whole
    #[command(subcommand, arg_required_else_help = true)]
    Cluster(Cluster),
    /// Check a data directory that no broker has open; nothing is changed
    Verify(Verify),
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
pub struct Dev {
    /// Where the data goes
    #[arg(long, value_name = "DIR", default_value = "ouzel-data")]
    pub data: PathBuf,
    /// Use a temporary directory that is gone on exit
    #[arg(long, conflicts_with = "data")]
    pub temp: bool,
    /// Exact address for Kafka clients; an error if it is taken
    #[arg(long, value_name = "ADDR")]
    pub kafka_addr: Vec<String>,
    /// Exact address of the admin door; an error if it is taken
    #[arg(long, value_name = "ADDR")]
    pub admin_addr: Option<String>,
    /// Take free ports instead of the usual ones
    #[arg(long)]
    pub any_port: bool,
    #[command(flatten)]
    pub machine: Machine,
    /// Begin without sample data
    #[arg(long)]
    pub empty: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Machine {
    /// Cores to use, one thread each (default: all). Data of another number is handed over first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub cores: Option<u16>,
    /// Memory to use, as 512M or 4GiB
    #[arg(long, value_name = "SIZE", value_parser = crate::text::size)]
    pub memory: Option<u64>,
    /// A setting for this process, as num.partitions=3; can be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Start {
    /// Where the data is; made if absent
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub data: Option<PathBuf>,
    /// Configuration file (ouzel.toml); flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// This broker's id (default: 1)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub node_id: Option<i32>,
    /// Address for Kafka clients, can be repeated (default: 127.0.0.1:9092)
    #[arg(long, value_name = "ADDR")]
    pub kafka_addr: Vec<String>,
    /// What clients are told to connect to, host or host:port
    #[arg(long, value_name = "ADDR")]
    pub advertised_kafka_addr: Option<String>,
    /// Address of the admin door (default: 127.0.0.1:9644)
    #[arg(long, value_name = "ADDR")]
    pub admin_addr: Option<String>,
    /// Address for other brokers
    #[arg(long, value_name = "ADDR", hide = true)]
    pub rpc_addr: Option<String>,
    /// Other brokers of the cluster
    #[arg(long, value_name = "A,B,C", hide = true)]
    pub seeds: Option<String>,
    /// Where this broker stands
    #[arg(long, value_name = "RACK", hide = true)]
    pub rack: Option<String>,
    #[command(flatten)]
    pub machine: Machine,
    /// Only check configuration and machine: exit 0 if good, 2 if not
    #[arg(long)]
    pub check: bool,
    /// Listen beyond loopback although nobody has to say who they are
    #[arg(long)]
    pub insecure: bool,
}

#[derive(Debug, Subcommand)]
pub enum Topic {
    /// Create topics
    #[command(after_help = "Example: ouzel topic create orders -p 6 -c retention.ms=86400000")]
    Create(TopicCreate),
    /// List topics
    List(TopicList),
    /// Show topics: partitions, offsets, settings
    Describe(TopicDescribe),
    /// Delete topics and all that is in them
    Delete(Topics),
    /// Change settings of topics
    #[command(after_help = "Example: ouzel topic alter-config orders --set retention.ms=3600000 --delete segment.ms")]
    AlterConfig(TopicAlterConfig),
    /// Give topics more partitions
    AddPartitions(TopicAddPartitions),
    /// Delete the oldest records, below an offset
    TrimPrefix(TopicTrimPrefix),
    /// Write records to a topic, from standard input
    #[command(after_help = PERCENT_HELP)]
    Produce(TopicProduce),
    /// Read records from topics
    #[command(after_help = PERCENT_HELP)]
    Consume(TopicConsume),
}

#[derive(Debug, Args)]
pub struct Topics {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,
}

#[derive(Debug, Args)]
pub struct TopicCreate {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,
    /// Partitions of each; -1: as many as the cluster's default
    #[arg(short, long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    pub partitions: i32,
    /// Copies of each partition; -1: as many as the cluster's default
    #[arg(short, long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    pub replicas: i16,
    /// A setting of each topic; can be repeated
    #[arg(short = 'c', long = "config", value_name = "NAME=VALUE", value_parser = crate::text::pair)]
    pub configs: Vec<(String, String)>,
    /// A topic that exists is no error
    #[arg(long)]
    pub if_not_exists: bool,
    /// Only say whether it would work
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct TopicList {
    /// Only these
    #[arg(value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Also those that the broker keeps its own state in
    #[arg(short, long)]
    pub internal: bool,
}

#[derive(Debug, Args)]
pub struct TopicDescribe {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,
    /// The summary
    #[arg(short = 's', long)]
    pub print_summary: bool,
    /// The settings, also those at their defaults
    #[arg(short = 'c', long)]
    pub print_configs: bool,
    /// The partitions
    #[arg(short = 'p', long)]
    pub print_partitions: bool,
    /// All of it
    #[arg(short = 'a', long)]
    pub print_all: bool,
    /// End offsets as a reader of committed transactions sees them
    #[arg(long)]
    pub stable: bool,
}

#[derive(Debug, Args)]
pub struct TopicAlterConfig {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,
    /// Give a setting a value; can be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = crate::text::pair)]
    pub set: Vec<(String, String)>,
    /// Take a setting's value away, so that the cluster's holds; can be repeated
    #[arg(short, long, value_name = "NAME")]
    pub delete: Vec<String>,
    /// Add to a setting that is a list; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::text::pair)]
    pub append: Vec<(String, String)>,
    /// Take from a setting that is a list; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::text::pair)]
    pub subtract: Vec<(String, String)>,
    /// Only say whether it would work
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct TopicAddPartitions {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,
    /// How many more
    #[arg(short = 'n', long = "num", value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub count: i32,
}

#[derive(Debug, Args)]
pub struct TopicTrimPrefix {
    /// The topic
    #[arg(value_name = "TOPIC")]
    pub topic: String,
    /// First offset to keep: a number, start, end, +N, -N, or @TIME
    #[arg(short, long, value_name = "OFFSET", allow_hyphen_values = true)]
    pub offset: String,
    /// Only these partitions; can be repeated
    #[arg(short, long = "partition", value_name = "P")]
    pub partitions: Vec<i32>,
}

#[derive(Debug, Args)]
pub struct TopicProduce {
    /// The topic; made if the broker does so
    #[arg(value_name = "TOPIC")]
    pub topic: String,
    /// How records are read: percent language, or json
    #[arg(short = 'f', long = "read-format", value_name = "FORMAT", default_value = "%v\\n")]
    pub record_format: String,
    /// What is printed for each record (default: one line on a terminal, else nothing)
    #[arg(short, long, value_name = "FORMAT")]
    pub output_format: Option<String>,
    /// Key of every record that brings none
    #[arg(short, long)]
    pub key: Option<String>,
    /// Header of every record, as name=value; can be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE", value_parser = crate::text::pair)]
    pub headers: Vec<(String, String)>,
    /// Compression: none, gzip, snappy, lz4, zstd
    #[arg(short = 'z', long, value_name = "CODEC", default_value = "none", value_parser = crate::text::codec)]
    pub compression: ouzel_client::Codec,
    /// Partition of every record; the key decides otherwise
    #[arg(short, long, value_name = "P")]
    pub partition: Option<i32>,
    /// An empty value is a tombstone
    #[arg(short = 'Z', long)]
    pub tombstone: bool,
    /// When a record counts as written: all (or -1), 1, 0
    #[arg(long, value_name = "ACKS", default_value = "all", allow_negative_numbers = true, value_parser = crate::text::acks)]
    pub acks: ouzel_client::Acks,
}

#[derive(Debug, Args)]
pub struct TopicConsume {
    /// The topics
    #[arg(value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,
    /// Stop after this many records
    #[arg(short, long, value_name = "N")]
    pub num: Option<u64>,
    /// Where to begin and end: start, end, 47, +2, -3, FROM:TO, @TIME
    ///
    /// As start · end · 47 · +2 (behind the start) · -3 (before the end) · FROM:TO (TO exclusive; `:end` reads what is
    /// there now) · @TIME · @TIME:TIME. A time is ms or s since the epoch, a day, RFC 3339, or -48h, -30m, -10s, -7d.
    /// In a group it counts where the group has committed nothing.
    #[arg(short, long, value_name = "OFFSET", default_value = "start", allow_hyphen_values = true)]
    pub offset: String,
    /// Only these partitions; can be repeated
    #[arg(short, long = "partition", value_name = "P", conflicts_with = "group")]
    pub partitions: Vec<i32>,
    /// Read as a member of this consumer group, and commit
    #[arg(short, long)]
    pub group: Option<String>,
    /// How records are printed: percent language, or json (the default)
    #[arg(short = 'f', long = "print-format", value_name = "FORMAT", default_value = "json")]
    pub record_format: String,
    /// Only what committed transactions wrote
    #[arg(long)]
    pub read_committed: bool,
    /// Also the markers that end transactions
    #[arg(long)]
    pub print_control_records: bool,
    /// Without the values
    #[arg(long)]
    pub meta_only: bool,
}

#[derive(Debug, Subcommand)]
pub enum Group {
    /// List groups
    List,
    /// Show groups: members, committed offsets, lag
    Describe(Groups),
    /// Move what a group has committed; nobody may be in it
    #[command(after_help = "Example: ouzel group seek billing --to start --topics orders --dry-run")]
    Seek(GroupSeek),
    /// Delete groups and what they have committed; nobody may be in them
    Delete(Groups),
}

#[derive(Debug, Args)]
pub struct Groups {
    /// The groups
    #[arg(value_name = "GROUP", required = true)]
    pub groups: Vec<String>,
}

#[derive(Debug, Args)]
pub struct GroupSeek {
    /// The group; made if it doesn't exist
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// Where to: start, end, an offset, +N, -N, or @TIME
    #[arg(long, value_name = "WHERE", required_unless_present_any = ["to_group", "to_file"], allow_hyphen_values = true)]
    pub to: Option<String>,
    /// To where another group is
    #[arg(long, value_name = "GROUP", conflicts_with_all = ["to", "to_file"])]
    pub to_group: Option<String>,
    /// To what a file says: a line for each partition, topic partition offset
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub to_file: Option<PathBuf>,
    /// Only these topics; without, all that the group has committed
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub topics: Vec<String>,
    /// Only show what would change
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Show the cluster's id, brokers and topics
    Info,
}

/// One language for both directions.
const PERCENT_HELP: &str = "\
Percent language:
  %t %k %v        topic, key, value            %T %K %V %H   their lengths, number of headers
  %p %o %e %d     partition, offset, leader epoch, timestamp (ms)
  %h{%k=%v }      for each header              %x %y         producer id and epoch
  %[ %| %]        log start, last stable offset, high watermark
  %i              running count                %%            a percent sign
  \\n \\t \\r \\\\ \\xXX are single bytes. Text can be {hex}, {base64}, {base64raw}: %v{hex}. Numbers can be
  {ascii}, {big8} … {big64}, {little8} … {little64}, {hex8} … {hex64}, {byte}, {bool}: %V{big32}%v.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_two_flags_share_a_name() {
        super::Cli::command().debug_assert();
        let words =
            ["ouzel", "topic", "consume", "t", "-f", "%v", "-o", "-3", "-n", "1", "--format", "json", "-X", "a=b"];
        assert!(<super::Cli as clap::Parser>::try_parse_from(words).is_ok());
    }
}
