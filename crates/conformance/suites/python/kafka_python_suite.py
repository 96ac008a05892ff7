"""kafka-python."""

import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata

from suite import BOOTSTRAP, case, exactly_once, main, restart, same, until

admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def create(topic, partitions=1, **configs):
    options = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
    admin.create_topics({topic: options}, wait_for_metadata=True)


def producer(**config):
    return KafkaProducer(bootstrap_servers=BOOTSTRAP, linger_ms=5, **config)


def consumer(group=None, **config):
    return KafkaConsumer(
        bootstrap_servers=BOOTSTRAP,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        heartbeat_interval_ms=200,
        **config,
    )


def read_all(topic, partitions):
    reader = consumer()
    at = [TopicPartition(topic, p) for p in range(partitions)]
    ends = reader.end_offsets(at)
    reader.assign(at)
    reader.seek_to_beginning()
    got = {p: [] for p in range(partitions)}

    def step():
        for records in reader.poll(timeout_ms=200).values():
            for record in records:
                got[record.partition].append(int(record.value))
        return all(reader.position(p) >= ends[p] for p in at)

    until("end of every partition", step, 60)
    reader.close()
    return got


@case
def topics():
    create("made", 3)
    (about,) = admin.describe_topics(["made"])
    same(len(about["partitions"]), 3)
    try:
        create("made")
        raise AssertionError("a topic is made twice")
    except TopicAlreadyExistsError:
        pass
    admin.create_partitions({"made": 5})
    until("five partitions", lambda: len(admin.describe_topics(["made"])[0]["partitions"]) == 5)
    admin.delete_topics(["made"])
    until("no topic", lambda: "made" not in admin.list_topics())
    try:
        admin.delete_topics(["made"])
        raise AssertionError("a topic that isn't there is deleted")
    except UnknownTopicOrPartitionError:
        pass


@case
def configs():
    create("configured", 1, **{"retention.ms": "3600000"})

    def value(name):
        resource = ConfigResource(ConfigResourceType.TOPIC, "configured")
        found = admin.describe_configs([resource], config_filter="all")
        (by_name,) = found.values()
        return by_name["configured"][name]["value"]

    same(value("retention.ms"), "3600000")
    same(value("cleanup.policy"), "delete")
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "configured", {"retention.ms": "7200000"})])
    same(value("retention.ms"), "7200000")
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "configured", {"retention.ms": ("DELETE", None)})])
    same(value("retention.ms"), "604800000")


@case
def cluster():
    about = admin.describe_cluster()
    same(len(about["brokers"]), 1)


@case
def codecs():
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        topic = f"codec-{codec}"
        writer = producer(compression_type=codec)
        sent = [writer.send(topic, str(number).encode()) for number in range(300)]
        same([future.get(30).offset for future in sent], list(range(300)))
        writer.close()
        same(read_all(topic, 1), {0: list(range(300))})


@case
def headers():
    writer = producer()
    headers = [("a", b"1"), ("a", b"2"), ("empty", b"")]
    writer.send("headers", b"value", key=b"key", headers=headers, timestamp_ms=1_700_000_000_123).get(30)
    writer.send("headers", None, key=b"gone").get(30)
    reader = consumer()
    reader.assign([TopicPartition("headers", 0)])
    got = []
    until("two records", lambda: [got.extend(r) for r in reader.poll(200).values()] and len(got) == 2)
    same((got[0].key, got[0].value, list(got[0].headers)), (b"key", b"value", headers))
    same((got[0].timestamp, got[0].timestamp_type), (1_700_000_000_123, 0))
    same((got[1].key, got[1].value), (b"gone", None))
    reader.close()
    writer.close()


@case
def seek_by_time():
    writer = producer()
    base = int(time.time() * 1000) - 100_000
    for number in range(100):
        writer.send("timed", str(number).encode(), timestamp_ms=base + number * 100)
    writer.flush(30)
    writer.close()
    at = TopicPartition("timed", 0)
    reader = consumer()
    reader.assign([at])
    found = reader.offsets_for_times({at: base + 4_950})[at]
    same((found.offset, found.timestamp), (50, base + 5_000))
    reader.seek(at, found.offset)
    first = until("record", lambda: [r for records in reader.poll(200).values() for r in records] or None)[0]
    same(first.value, b"50")
    same(reader.offsets_for_times({at: base + 100_000_000})[at], None)
    same((reader.beginning_offsets([at])[at], reader.end_offsets([at])[at]), (0, 100))
    reader.close()


@case
def delete_records():
    create("trimmed", 1)
    writer = producer()
    for number in range(10):
        writer.send("trimmed", str(number).encode(), partition=0).get(30)
    writer.close()
    at = TopicPartition("trimmed", 0)
    admin.delete_records({at: 4})
    same(read_all("trimmed", 1), {0: [4, 5, 6, 7, 8, 9]})


@case
def two_members():
    create("shared", 4)
    writer = producer()
    for number in range(80):
        writer.send("shared", str(number).encode(), partition=number % 4)
    writer.flush(30)
    seen, assigned, stop = [], {}, {}
    lock = threading.Lock()

    def member(name):
        reader = consumer("sharers", max_poll_records=5)
        reader.subscribe(["shared"])
        while name not in stop:
            polled = reader.poll(100)
            with lock:
                assigned[name] = len(reader.assignment())
                seen.extend(int(r.value) for records in polled.values() for r in records)
            if polled:
                reader.commit()
        reader.close()
        with lock:
            assigned[name] = 0

    threads = {name: threading.Thread(target=member, args=(name,), daemon=True) for name in ("first", "second")}
    threads["first"].start()
    until("all records", lambda: assigned.get("first") == 4 and len(seen) >= 80)
    threads["second"].start()
    until("even split", lambda: assigned == {"first": 2, "second": 2}, 60)
    for number in range(80, 160):
        writer.send("shared", str(number).encode(), partition=number % 4)
    writer.flush(30)
    until("the rest", lambda: len(seen) >= 160)
    stop["second"] = True
    until("all partitions back", lambda: assigned == {"first": 4, "second": 0}, 60)
    stop["first"] = True
    for thread in threads.values():
        thread.join(20)
    writer.close()
    same(sorted(seen), list(range(160)))
    committed = admin.list_group_offsets("sharers")["sharers"]
    same({p.partition: o.offset for p, o in committed.items()}, {p: 40 for p in range(4)})


@case
def groups():
    create("watched", 1)
    writer = producer()
    writer.send("watched", b"1", partition=0).get(30)
    writer.close()
    reader = consumer("watchers")
    reader.subscribe(["watched"])
    until("record", lambda: reader.poll(200) or None)
    reader.commit()
    about = admin.describe_groups(["watchers"])["watchers"]
    same((about["group_state"], len(about["members"])), ("Stable", 1))
    assert "watchers" in [g["group_id"] for g in admin.list_groups()]
    reader.close()
    at = TopicPartition("watched", 0)
    admin.alter_group_offsets("watchers", {at: OffsetAndMetadata(0, "back", -1)})
    same(admin.list_group_offsets("watchers")["watchers"][at].offset, 0)
    admin.delete_groups(["watchers"])
    assert "watchers" not in [g["group_id"] for g in admin.list_groups()]


@case
def walk():
    """Killed while it takes records, and again when all are acknowledged: nothing lost, nothing twice, order kept."""
    create("walk", 3)
    writer = producer(enable_idempotence=True, retry_backoff_ms=50, reconnect_backoff_ms=50, reconnect_backoff_max_ms=200)
    sent = []
    for number in range(6_000):
        sent.append(writer.send("walk", str(number).encode(), partition=number % 3))
        if number == 2_000:
            restart()
    writer.flush(60)
    for future in sent:
        future.get(1)
    writer.close()
    restart()
    exactly_once(read_all("walk", 3), {p: list(range(p, 6_000, 3)) for p in range(3)})


main()
