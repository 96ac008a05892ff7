//! What people see: commands against a real broker, with their words and exit codes.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod support;

use support::{Dev, Dir, OUZEL, ouzel};

#[test]
fn the_first_minutes() {
    let dir = Dir::new("first");
    let dev = Dev::start(&dir.0, &[]);
    assert!(dev.block[0].starts_with("ready in ") && dev.block[0].contains(" ms · data kept in ./ouzel-data"));
    // The lines to try work as they are printed.
    let lines: Vec<&str> =
        dev.block.iter().skip_while(|line| !line.starts_with("try")).map(|line| &line[6..]).collect();
    let shell = |line: &str| {
        let output = std::process::Command::new("sh").args(["-c", line]).current_dir(&dir.0).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(shell(&format!("echo world | {}", lines[0])), "");
    let read = shell(&format!("{} -n 1", lines[1]));
    assert!(read.starts_with(r#"{"topic":"hello","key":null,"value":"world","headers":[],"timestamp":"#), "{read}");
    assert!(dir.0.join("ouzel-data/ouzel.log").is_file());
    assert_eq!(dev.stop("-INT"), (0, "stopped · data kept in ./ouzel-data\n".to_owned()));

    // Again: what was written is there.
    let dev = Dev::start(&dir.0, &[]);
    dev.check(&["topic", "consume", "hello", "-o", ":end", "-f", "%v\\n"], "", "world\n");
    // One directory has one owner.
    let said = ouzel(&dir.0, &dev.brokers, &["dev", "--any-port", "--cores", "1"], b"");
    assert_eq!(said.code, 1);
    assert!(said.err.starts_with("error: ") && said.err.contains("ouzel-data"), "{}", said.err);
    let said = ouzel(&dir.0, "", &["verify", "ouzel-data"], b"");
    assert_eq!(said.code, 1);
    assert!(said.err.starts_with("error: can't check data directory ouzel-data\n"), "{}", said.err);
    assert_eq!(dev.stop("-TERM").0, 0);

    // Nobody has it open now.
    let said = ouzel(&dir.0, "", &["verify", "ouzel-data"], b"");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("\nnothing is wrong: 1 shards, "), "{}", said.out);

    // One byte of the record is changed: that is damage.
    let journal = dir.0.join("ouzel-data/shard-0/journal");
    let files = std::fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let found = files.map(|path| (std::fs::read(&path).unwrap(), path)).find_map(|(bytes, path)| {
        let at = bytes.windows(5).position(|window| window == b"world")?;
        Some((bytes, path, at))
    });
    let (mut bytes, path, at) = found.expect("the journal holds what was written");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let said = ouzel(&dir.0, "", &["verify", "ouzel-data"], b"");
    assert_eq!((said.code, said.out.contains("\ndamage was found: ")), (1, true), "{}{}", said.out, said.err);
    assert!(said.err.starts_with("error: data directory ouzel-data is damaged\n"), "{}", said.err);
}

#[test]
fn another_number_of_cores_after_a_kill_finds_all_that_was_written() {
    let dir = Dir::new("cores");
    let read = ["topic", "consume", "t", "-o", ":end", "-f", "%v\\n"];
    let lines = |said: support::Said| {
        let mut lines: Vec<String> = said.out.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let dev = Dev::start(&dir.0, &[]);
    dev.check(&["topic", "create", "t", "-p", "5"], "", "created t\n");
    let mut expect = Vec::new();
    let mut write = |dev: &Dev, round: usize| {
        let new: Vec<String> = (0..50).map(|n| format!("{round}-{n:02}")).collect();
        // A key each: they go to all partitions.
        let input: String = new.iter().map(|line| format!("{line}:{line}\n")).collect();
        dev.check(&["topic", "produce", "t", "-f", "%k:%v\\n"], &input, "");
        expect.extend(new);
        expect.clone()
    };
    let mut written = write(&dev, 0);
    assert_eq!(
        lines(dev.ouzel(&["topic", "consume", "t", "-g", "g", "-n", "50", "-o", "start", "-f", "%v\\n"], b"")),
        written
    );
    dev.kill();
    for (round, (from, to)) in [(1, 3), (3, 2), (2, 1)].into_iter().enumerate() {
        let cores = to.to_string();
        let dev = Dev::start(&dir.0, &["--cores", &cores]);
        let told = format!("  cores     {to} instead of {from}          9 logs handed over (");
        assert!(dev.block.iter().any(|line| line.starts_with(&told)), "{:?}", dev.block);
        assert_eq!(lines(dev.ouzel(&read, b"")), written);
        written = write(&dev, round + 1);
        let group = dev.ouzel(&["group", "describe", "g"], b"").out;
        assert!(group.contains(&format!("total lag    {}\n", 50 * (round + 1))), "{group}");
        dev.kill();
        let said = ouzel(&dir.0, "", &["verify", "ouzel-data"], b"");
        assert!(said.code == 0 && said.out.contains(&format!("\nnothing is wrong: {to} shards, ")), "{}", said.out);
    }
}

#[test]
fn temporary_data_is_gone_on_exit() {
    let dir = Dir::new("temp");
    let dev = Dev::start(&dir.0, &["--temp"]);
    assert!(dev.block[0].ends_with(" ms · temporary data (gone on exit)"), "{}", dev.block[0]);
    assert_eq!(dev.stop("-INT"), (0, "stopped · temporary data removed\n".to_owned()));
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0);
}

#[test]
fn a_topics_life() {
    let dir = Dir::new("topics");
    let dev = Dev::start(&dir.0, &["--temp"]);
    dev.check(&["topic", "list"], "", "NAME  PARTITIONS  REPLICAS\n");
    dev.check(
        &["topic", "create", "orders", "pay", "-p", "2", "-c", "retention.ms=1000000"],
        "",
        "created orders\ncreated pay\n",
    );
    dev.check(&["topic", "create", "orders", "--if-not-exists"], "", "ensured orders\n");
    dev.check(&["topic", "create", "other", "--dry-run"], "", "could create other\n");
    let said = dev.ouzel(&["topic", "create", "orders", "new"], b"");
    assert_eq!((said.code, said.out.as_str()), (1, "created new\n"));
    assert!(said.err.starts_with("error: can't create topic \"orders\": "), "{}", said.err);
    assert!(said.err.ends_with("  why:   the broker answered TOPIC_ALREADY_EXISTS\n"), "{}", said.err);

    dev.check(&["topic", "add-partitions", "orders", "-n", "1"], "", "extended orders\n");
    let list = "NAME    PARTITIONS  REPLICAS\nnew              1         1\norders           3         1\npay              2         1\n";
    dev.check(&["topic", "list"], "", list);
    let json = "[{\"name\":\"pay\",\"partitions\":2,\"replicas\":1,\"internal\":false}]\n";
    dev.check(&["topic", "list", "pay", "--format", "json"], "", json);

    let set = ["topic", "alter-config", "orders", "--set", "retention.ms=5000", "--set", "cleanup.policy=compact"];
    dev.check(&set, "", "changed orders\n");
    dev.check(&["topic", "alter-config", "orders", "--delete", "retention.ms"], "", "changed orders\n");
    let said = dev.ouzel(&["topic", "describe", "orders"], b"");
    assert!(said.out.contains("cleanup.policy  compact  topic"), "{}", said.out);
    assert!(!said.out.contains("retention.ms"), "{}", said.out);
    assert!(said.out.contains("PARTITION  LEADER  EPOCH  REPLICAS  IN-SYNC  LOG-START  END"), "{}", said.out);
    assert_eq!(dev.ouzel(&["topic", "alter-config", "orders", "--set", "no.such=1"], b"").code, 1);

    let unsure = "error: this would delete topic pay with 2 partitions and all records, which can't be undone\n  next:  give --yes to go on\n";
    dev.fails(&["topic", "delete", "pay"], 2, unsure);
    dev.check(&["topic", "delete", "pay", "--yes"], "", "deleted pay\n");
    let unknown = "error: there is no topic \"ordrs\"\n  next:  did you mean `orders`? `ouzel topic list` shows all\n";
    dev.fails(&["topic", "describe", "ordrs"], 1, unknown);
    dev.fails(&["topic", "consume", "ordrs"], 1, unknown);
    let json = "{\"code\":\"E-UNKNOWN-TOPIC\",\"message\":\"there is no topic \\\"ordrs\\\"\",\"cause\":[],\
        \"hint\":\"did you mean `orders`? `ouzel topic list` shows all\",\"docs\":\"docs/errors.md#e-unknown-topic\"}\n";
    dev.fails(&["topic", "consume", "ordrs", "--format", "json"], 1, json);
}

#[test]
fn records_in_and_out() {
    let dir = Dir::new("records");
    let dev = Dev::start(&dir.0, &["--temp"]);
    dev.check(&["topic", "create", "a", "b", "-p", "3"], "", "created a\ncreated b\n");
    let produce = ["topic", "produce", "a", "-f", "%k %v\\n", "-H", "h=1", "-z", "zstd", "-o", "%p %o %k %v\\n"];
    // Where Kafka's own clients put these keys.
    dev.check(&produce, "k1 v1\nk2 v2\nk3 v3", "2 0 k1 v1\n0 0 k2 v2\n1 0 k3 v3\n");
    let said = dev.ouzel(&["topic", "consume", "a", "-o", ":end", "-f", "%k %v %h{%k=%v}\\n"], b"");
    let mut lines: Vec<&str> = said.out.lines().collect();
    lines.sort();
    assert_eq!(lines, ["k1 v1 h=1", "k2 v2 h=1", "k3 v3 h=1"]);

    // JSON out is JSON in, tombstones and bytes included.
    let input = "{\"key\":\"x\",\"value\":null,\"partition\":1,\"timestamp\":1700000000000}\n\
        {\"key_base64\":\"/w==\",\"value_base64\":\"AP8=\",\"headers\":[{\"key\":\"h\",\"value\":\"\"}],\"partition\":1,\"timestamp\":1700000000001}";
    dev.check(&["topic", "produce", "a", "-f", "json", "-z", "lz4"], input, "");
    let read = dev.ouzel(&["topic", "consume", "a", "-p", "1", "-o", "1:end"], b"");
    let expect = "{\"topic\":\"a\",\"key\":\"x\",\"value\":null,\"headers\":[],\"timestamp\":1700000000000,\"partition\":1,\"offset\":1}\n\
        {\"topic\":\"a\",\"key_base64\":\"/w==\",\"value_base64\":\"AP8=\",\"headers\":[{\"key\":\"h\",\"value\":\"\"}],\"timestamp\":1700000000001,\"partition\":1,\"offset\":2}\n";
    assert_eq!((read.code, read.out.as_str()), (0, expect));
    dev.check(&["topic", "produce", "b", "-f", "json"], &read.out, "");
    let again = dev.ouzel(&["topic", "consume", "b", "-n", "2"], b"");
    assert_eq!(
        again.out,
        expect
            .replace("\"a\"", "\"b\"")
            .replace("\"offset\":1", "\"offset\":0")
            .replace("\"offset\":2", "\"offset\":1")
    );

    // Bounds: the last one, a span, a time.
    dev.check(&["topic", "consume", "a", "-p", "1", "-o", "-1:end", "-f", "%o "], "", "2 ");
    dev.check(&["topic", "consume", "a", "-p", "1", "-o", "0:2", "-f", "%o "], "", "0 1 ");
    dev.check(&["topic", "consume", "a", "-p", "1", "-o", "+1", "-n", "1", "-f", "%o "], "", "1 ");
    dev.check(&["topic", "consume", "b", "-o", "@1700000000001:end", "-f", "%o "], "", "1 ");
    dev.check(
        &["topic", "trim-prefix", "b", "-p", "1", "-o", "1", "--yes"],
        "",
        "TOPIC  PARTITION  LOG-START\nb              1          1\n",
    );
    dev.check(&["topic", "consume", "b", "-o", ":end", "-f", "%o "], "", "1 ");

    // Every codec, and a value that spans reads.
    let long: String = "0123456789".repeat(30_000);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        dev.check(&["topic", "produce", codec, "-z", codec], &format!("{long}\nshort\n"), "");
        dev.check(&["topic", "consume", codec, "-o", ":end", "-f", "%v\\n"], "", &format!("{long}\nshort\n"));
    }
    let sized = ["topic", "produce", "sized", "-f", "%K{big32}%k%V{big32}%v", "--acks", "1"];
    dev.check(&sized, "\0\0\0\u{1}k\0\0\0\u{2}\n\n", "");
    dev.check(&["topic", "consume", "sized", "-n", "1", "-f", "%k=%v{hex}\\n"], "", "k=0a0a\n");

    let said = dev.ouzel(&["topic", "produce", "a", "-f", "%k %v\\n"], b"k v\nbad\n");
    let why = "error: record 2 of the input doesn't fit: the input ends inside a record\n  next:  the 1 records before it are written\n";
    assert_eq!((said.code, said.err.as_str()), (1, why));
    assert_eq!(dev.ouzel(&["topic", "produce", "a", "-f", "%k%v"], b"").code, 2);
    assert_eq!(dev.ouzel(&["topic", "produce", "a", "-p", "9"], b"x\n").code, 1);
    let large = dev.ouzel(&["topic", "produce", "a", "--format", "json"], "x".repeat(2_000_000).as_bytes());
    assert_eq!(large.code, 1);
    assert!(large.err.starts_with("{\"code\":\"E-TOO-LARGE\""), "{}", large.err);
}

#[test]
fn a_groups_life() {
    let dir = Dir::new("groups");
    let dev = Dev::start(&dir.0, &["--temp"]);
    dev.check(&["topic", "produce", "t"], "a\nb\nc\n", "");
    dev.check(&["topic", "consume", "t", "-g", "g", "-n", "2", "-f", "%v"], "", "ab");
    dev.check(&["group", "list"], "", "GROUP  STATE  TYPE     COORDINATOR\ng      Empty  classic            1\n");
    let describe = "group        g\nstate        Empty\ntype         classic\nassignor     -\ncoordinator  1\nmembers      0\ntotal lag    1\n\n\
        TOPIC  PARTITION  COMMITTED  LOG-START  END  LAG  MEMBER  HOST\nt              0          2          0    3    1  -       -\n";
    dev.check(&["group", "describe", "g"], "", describe);
    dev.check(&["topic", "consume", "t", "-g", "g", "-n", "1", "-f", "%v"], "", "c");
    let moved = "TOPIC  PARTITION  FROM  TO\nt              0     3   1\n";
    dev.check(&["group", "seek", "g", "--to", "+1", "--dry-run"], "", moved);
    dev.check(&["group", "seek", "g", "--to", "+1"], "", moved);
    dev.check(&["topic", "consume", "t", "-g", "g", "-n", "1", "-f", "%v"], "", "b");
    let json = "[{\"topic\":\"t\",\"partition\":0,\"from\":null,\"to\":2}]\n";
    dev.check(&["group", "seek", "g2", "--to-group", "g", "--format", "json"], "", json);
    let unsure = "error: this would delete group g and what was committed, which can't be undone\n  next:  give --yes to go on\n";
    dev.fails(&["group", "delete", "g"], 2, unsure);
    dev.check(&["group", "delete", "g", "g2", "--yes"], "", "deleted g\ndeleted g2\n");
    dev.fails(
        &["group", "describe", "g"],
        1,
        "error: there is no group \"g\"\n  next:  `ouzel group list` shows all\n",
    );
}

#[test]
fn what_goes_wrong_is_said() {
    let dir = Dir::new("wrong");
    let check = |args: &[&str], code: i32, err: &str| {
        let said = ouzel(&dir.0, "localhost:1", args, b"");
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{args:?} {}", said.err);
        assert!(said.err.contains(err), "{args:?}: {}", said.err);
    };
    check(
        &["topic", "list"],
        12,
        "error: can't reach a broker at localhost:1 (connection refused)\n  tried: localhost:1 for ",
    );
    check(
        &["topic", "list"],
        12,
        "  next:  start one with `ouzel dev`, or point elsewhere with `-X brokers=host:port`\n",
    );
    check(
        &["topic", "list", "-X", "brokers=no.such.host.invalid:9092"],
        12,
        "can't reach a broker at no.such.host.invalid:9092",
    );
    check(&["topic", "list", "-X", "broker=a:1"], 2, "did you mean `brokers`?");
    check(&["topic", "list", "-X", "brokers=:1"], 2, "isn't host:port");
    check(&["topic", "nonsense"], 2, "unrecognized subcommand");
    check(&["start"], 2, "--data");
    check(&["start", "--data", "d", "--seeds", "a:1"], 2, "--seeds needs a cluster");
    let open = "listener `kafka` on 0.0.0.0:9092 would be open";
    check(&["start", "--data", "d", "--kafka-addr", "0.0.0.0:9092"], 2, open);
    check(&["start", "--data", "d", "--admin-addr", "[::]:1"], 2, "listener `admin` on [::]:1 would be open");
    check(&["start", "--data", "d", "--set", "num.partitionss=3"], 2, "num.partitions");
    check(&["start", "--config", "none.toml"], 2, "none.toml");
    check(&["dev", "--set", "x"], 2, "name=value");
    check(&["dev", "--temp", "--kafka-addr", "10.0.0.1:9092"], 2, "loopback only");
    assert!(!dir.0.join("d").exists());

    // Somebody else has the port: an exact address never moves.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let args = ["dev", "--temp", "--cores", "1", "--any-port", "--kafka-addr", &taken];
    check(&args, 1, &format!("error: can't listen on {taken}"));
    // And it doesn't speak Kafka: the connection is closed, and that is what is said.
    std::thread::spawn(move || other.incoming().for_each(drop));
    let said = ouzel(&dir.0, &taken, &["topic", "list"], b"");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains(&format!("{taken}: the ApiVersions request: ")), "{}", said.err);
}

#[test]
fn a_wrong_advertised_address_is_named() {
    let dir = Dir::new("advertised");
    let mut command = std::process::Command::new(OUZEL);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let free_admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    command.args(["start", "--data", "d", "--cores", "1", "--kafka-addr", &free, "--admin-addr", &free_admin]);
    command.args(["--advertised-kafka-addr", "nowhere.invalid:19092"]).current_dir(&dir.0);
    let mut broker = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    // The client waits a moment for a broker that is starting; asked often enough it is there.
    let said = (0..60)
        .map(|_| ouzel(&dir.0, &free, &["topic", "create", "t"], b""))
        .find(|said| !said.err.contains("can't reach a broker at"));
    let said = said.map(|_| ouzel(&dir.0, &free, &["topic", "produce", "t"], b"x\n"));
    broker.kill().unwrap();
    broker.wait().unwrap();
    let said = said.expect("it comes up");
    assert_eq!(said.code, 12, "{}", said.err);
    let expect = "error: broker 1 advertises `nowhere.invalid:19092`, which this machine can't reach\n";
    assert!(said.err.starts_with(expect), "{}", said.err);
    assert!(said.err.contains("  next:  start that broker with `--advertised-kafka-addr`"), "{}", said.err);
}

#[test]
fn members_of_a_group_share_the_partitions_and_miss_nothing() {
    let dir = Dir::new("members");
    let dev = Dev::start(&dir.0, &["--temp"]);
    dev.check(&["topic", "create", "t", "-p", "2"], "", "created t\n");
    let (tell, heard) = std::sync::mpsc::channel();
    let mut members = Vec::new();
    for member in 0..2 {
        let mut command = std::process::Command::new(OUZEL);
        command.args(["topic", "consume", "t", "-g", "g", "-f", "%v\\n"]).env("OUZEL_X_BROKERS", &dev.brokers);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let tell = tell.clone();
        std::thread::spawn(move || lines.for_each(|line| tell.send((member, line.unwrap())).unwrap()));
        members.push(child);
    }
    // Written until both have printed something: then the group has been dealt at least once while they read.
    let mut seen = std::collections::BTreeSet::new();
    let mut busy = std::collections::BTreeSet::new();
    let mut written = 0;
    while busy.len() < 2 {
        assert!(written < 400, "only {busy:?} of two members read");
        for partition in ["0", "1"] {
            dev.check(&["topic", "produce", "t", "-p", partition], &format!("{written}\n"), "");
            written += 1;
        }
        for (member, value) in heard.try_iter() {
            busy.insert(member);
            seen.insert(value);
        }
    }
    while seen.len() < written {
        seen.insert(heard.recv_timeout(std::time::Duration::from_secs(30)).expect("every record is printed").1);
    }
    for mut child in members {
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let said = dev.ouzel(&["group", "describe", "g"], b"");
    assert!(said.out.contains("\nstate        Empty\n") && said.out.contains("\ntotal lag    0\n"), "{}", said.out);
}
