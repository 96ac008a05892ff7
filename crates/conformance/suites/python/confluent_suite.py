"""confluent-kafka, that is librdkafka."""

import os
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from suite import BOOTSTRAP, case, exactly_once, main, restart, same, until

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def done(futures):
    """Waits for what an admin call returned, a future per item."""
    return {key: future.result(20) for key, future in futures.items()}


def create(topic, partitions=1, **config):
    done(admin.create_topics([NewTopic(topic, partitions, 1, config=config)]))


def producer(**config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    return Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 5, **config})


def consumer(group, **config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    return Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "heartbeat.interval.ms": 200,
            **config,
        }
    )


def poll(reader):
    message = reader.poll(0.2)
    if message is not None and message.error():
        raise KafkaException(message.error())
    return message


def read_all(topic, partitions):
    """Every record of every partition up to its end at the time of the call, as values by partition."""
    reader = consumer("reader-of-" + topic)
    ends = {p: reader.get_watermark_offsets(TopicPartition(topic, p), 20)[1] for p in range(partitions)}
    got = {p: [] for p in ends}
    reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in ends])
    position = {p: 0 for p in ends}

    def step():
        message = poll(reader)
        if message is not None:
            got[message.partition()].append(int(message.value()))
            position[message.partition()] = message.offset() + 1
        return all(position[p] >= ends[p] for p in ends)

    until("end of every partition", step, 60)
    reader.close()
    return got


@case
def topics():
    create("made", 3, **{"retention.ms": "3600000"})
    listed = admin.list_topics(timeout=20).topics["made"]
    same(sorted(listed.partitions), [0, 1, 2])
    try:
        create("made")
        raise AssertionError("a topic is made twice")
    except KafkaException as error:
        same(error.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS)
    for name, partitions, code in (("bad name", 1, KafkaError.TOPIC_EXCEPTION), ("none", 0, KafkaError.INVALID_PARTITIONS)):
        try:
            done(admin.create_topics([NewTopic(name, partitions, 1)]))
            raise AssertionError(f"{name} is made")
        except KafkaException as error:
            same(error.args[0].code(), code)
    done(admin.create_partitions([NewPartitions("made", 5)]))
    until("five partitions", lambda: len(admin.list_topics(timeout=20).topics["made"].partitions) == 5)
    done(admin.delete_topics(["made"]))
    until("no topic", lambda: "made" not in admin.list_topics(timeout=20).topics)
    try:
        done(admin.delete_topics(["made"]))
        raise AssertionError("a topic that isn't there is deleted")
    except KafkaException as error:
        same(error.args[0].code(), KafkaError.UNKNOWN_TOPIC_OR_PART)
    create("made", 1)
    same(read_all("made", 1), {0: []})


@case
def configs():
    create("configured", 1, **{"retention.ms": "3600000"})
    resource = ConfigResource(ConfigResource.Type.TOPIC, "configured")

    def value(name):
        return done(admin.describe_configs([resource]))[resource][name]

    same(value("retention.ms").value, "3600000")
    same(value("cleanup.policy").value, "delete")
    assert value("cleanup.policy").is_default
    resource.add_incremental_config(
        ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET)
    )
    done(admin.incremental_alter_configs([resource]))
    resource = ConfigResource(ConfigResource.Type.TOPIC, "configured")
    same(value("retention.ms").value, "7200000")
    resource.add_incremental_config(ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE))
    done(admin.incremental_alter_configs([resource]))
    resource = ConfigResource(ConfigResource.Type.TOPIC, "configured")
    same(value("retention.ms").value, "604800000")
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    assert "num.partitions" in done(admin.describe_configs([broker]))[broker]


@case
def cluster():
    about = admin.describe_cluster().result(20)
    same(len(about.nodes), 1)
    same(about.controller.id, 1)
    same(about.cluster_id, admin.list_topics(timeout=20).cluster_id)


@case
def codecs():
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        for idempotent in (False, True):
            topic = f"codec-{codec}-{idempotent}"
            writer = producer(compression_type=codec, enable_idempotence=idempotent)
            failed = []
            for number in range(300):
                writer.produce(topic, str(number), on_delivery=lambda e, m: failed.append(e) if e else None)
            same(writer.flush(30), 0)
            same(failed, [])
            same(read_all(topic, 1), {0: list(range(300))})


@case
def headers():
    writer = producer()
    sent = [("a", b"1"), ("a", b"2"), ("empty", b""), ("none", None)]
    writer.produce("headers", b"value", key=b"key", headers=sent, timestamp=1_700_000_000_123)
    writer.produce("headers", None, key=b"gone")
    writer.flush(30)
    reader = consumer("headers")
    reader.assign([TopicPartition("headers", 0, OFFSET_BEGINNING)])
    first, second = until("first record", lambda: poll(reader)), until("second record", lambda: poll(reader))
    same((first.key(), first.value(), first.headers()), (b"key", b"value", sent))
    same(first.timestamp(), (1, 1_700_000_000_123))
    same((second.key(), second.value()), (b"gone", None))
    reader.close()


@case
def keys_choose_partitions():
    create("keyed", 4)
    where = {}

    def note(error, message):
        assert error is None, error
        where.setdefault(message.key(), set()).add(message.partition())

    writer = producer(partitioner="murmur2_random")
    for number in range(400):
        writer.produce("keyed", str(number), key=f"k{number % 20}", on_delivery=note)
    writer.flush(30)
    assert all(len(partitions) == 1 for partitions in where.values()), where
    same(sum(len(values) for values in read_all("keyed", 4).values()), 400)


@case
def seek_by_time():
    writer = producer()
    base = int(time.time() * 1000) - 100_000
    for number in range(100):
        writer.produce("timed", str(number), timestamp=base + number * 100)
    writer.flush(30)
    reader = consumer("timed")
    (found,) = reader.offsets_for_times([TopicPartition("timed", 0, base + 4_950)], timeout=20)
    same(found.offset, 50)
    reader.assign([found])
    same(until("record", lambda: poll(reader)).value(), b"50")
    reader.seek(TopicPartition("timed", 0, 7))
    same(until("record", lambda: (lambda m: m if m is not None and m.offset() == 7 else None)(poll(reader))).value(), b"7")
    (beyond,) = reader.offsets_for_times([TopicPartition("timed", 0, base + 100_000_000)], timeout=20)
    same(beyond.offset, -1)
    reader.close()


@case
def list_offsets():
    create("ends", 1)
    writer = producer()
    for number in range(10):
        writer.produce("ends", str(number), partition=0)
    writer.flush(30)
    at = TopicPartition("ends", 0)
    for spec, want in ((OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 10), (OffsetSpec.max_timestamp(), range(10))):
        (result,) = done(admin.list_offsets({at: spec})).values()
        assert result.offset == want if isinstance(want, int) else result.offset in want, (result.offset, want)


@case
def delete_records():
    create("trimmed", 1)
    writer = producer()
    for number in range(10):
        writer.produce("trimmed", str(number), partition=0)
    writer.flush(30)
    (result,) = done(admin.delete_records([TopicPartition("trimmed", 0, 4)])).values()
    same(result.low_watermark, 4)
    same(read_all("trimmed", 1), {0: [4, 5, 6, 7, 8, 9]})


@case
def commit_and_resume():
    create("resumed", 2)
    writer = producer()
    for number in range(100):
        writer.produce("resumed", str(number), partition=number % 2)
    writer.flush(30)
    seen = []
    for _ in range(4):
        reader = consumer("resumers")
        reader.subscribe(["resumed"])
        for _ in range(25):
            message = until("record", lambda: poll(reader))
            seen.append(int(message.value()))
            reader.commit(message, asynchronous=False)
        reader.close()
    same(sorted(seen), list(range(100)))
    reader = consumer("resumers")
    committed = reader.committed([TopicPartition("resumed", p) for p in (0, 1)], timeout=20)
    same([c.offset for c in committed], [50, 50])
    reader.close()


def two_members(topic, group, **config):
    """A second member takes half of the partitions, gives them back when it leaves, and nothing is read twice or missed."""
    create(topic, 4)
    writer = producer()
    for number in range(80):
        writer.produce(topic, str(number), partition=number % 4)
    writer.flush(30)
    first, second = consumer(group, **config), consumer(group, **config)
    seen = []

    def step(*readers):
        for reader in readers:
            message = poll(reader)
            if message is not None:
                seen.append(int(message.value()))
                reader.commit(message, asynchronous=False)

    def sizes():
        return sorted(len(reader.assignment()) for reader in (first, second))

    first.subscribe([topic])
    until("assignment", lambda: (step(first), len(first.assignment()) == 4)[1])
    until("all records", lambda: (step(first), len(seen) >= 80)[1])
    second.subscribe([topic])
    until("even split", lambda: (step(first, second), sizes() == [2, 2])[1], 60)
    for number in range(80, 160):
        writer.produce(topic, str(number), partition=number % 4)
    writer.flush(30)
    until("the rest", lambda: (step(first, second), len(seen) >= 160)[1])
    second.close()
    until("all partitions back", lambda: (step(first), len(first.assignment()) == 4)[1], 60)
    first.close()
    same(sorted(seen), list(range(160)))


@case
def two_members_classic():
    two_members("shared", "sharers")


@case
def two_members_cooperative():
    two_members("cooperative", "cooperators", partition_assignment_strategy="cooperative-sticky")


@case
def groups():
    create("watched", 1)
    writer = producer()
    writer.produce("watched", "1", partition=0)
    writer.flush(30)
    reader = consumer("watchers", client_id="a-client")
    reader.subscribe(["watched"])
    reader.commit(until("record", lambda: poll(reader)), asynchronous=False)
    listed = {g.group_id: g.state.name for g in admin.list_consumer_groups().result(20).valid}
    same(listed.get("watchers"), "STABLE")
    (about,) = done(admin.describe_consumer_groups(["watchers"])).values()
    same((about.state.name, len(about.members), about.members[0].client_id), ("STABLE", 1, "a-client"))
    same([(t.topic, t.partition) for t in about.members[0].assignment.topic_partitions], [("watched", 0)])
    reader.close()
    (offsets,) = done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("watchers")])).values()
    same([(t.topic, t.partition, t.offset) for t in offsets.topic_partitions], [("watched", 0, 1)])
    done(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions("watchers", [TopicPartition("watched", 0, 0)])]))
    (offsets,) = done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("watchers")])).values()
    same([t.offset for t in offsets.topic_partitions], [0])
    done(admin.delete_consumer_groups(["watchers"]))
    assert "watchers" not in [g.group_id for g in admin.list_consumer_groups().result(20).valid]


@case
def large_records():
    """Ten megabytes, where the topic allows them; one byte over its limit is refused by the broker."""
    create("large", 1, **{"max.message.bytes": "10001000"})
    writer = producer(message_max_bytes=20_000_000)
    codes = []
    for size in (10_000_000, 10_001_000):
        writer.produce("large", b"x" * size, on_delivery=lambda error, _: codes.append(error and error.code()))
    same(writer.flush(60), 0)
    same(codes, [None, KafkaError.MSG_SIZE_TOO_LARGE])
    reader = consumer("large-readers", fetch_message_max_bytes=1_000_000)
    reader.subscribe(["large"])
    message = until("the record", lambda: poll(reader), 60)
    same(len(message.value()), 10_000_000)
    reader.close()


@case
def recreated():
    """A topic is deleted and made again under a producer and a consumer that stay: both go on, and nothing old is there."""
    quick = {"topic_metadata_refresh_interval_ms": 100, "retry_backoff_ms": 20}
    writer = producer(**quick)
    live = consumer("recreated-live", **quick)
    live.subscribe(["recreated"])
    for number in range(5):
        until("a free name", lambda: "recreated" not in admin.list_topics(timeout=20).topics)
        try:
            create("recreated", 1)
        except KafkaException as error:
            # The producer, which stays, asks for its topic too, and may have had it made on demand.
            same(error.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS)
        # Fewer each time: a position in the topic before lies beyond the end of this one.
        want = [f"{number}-{n}" for n in range(50 - 10 * number)]
        offsets, seen = [], []

        def note(error, message):
            # While the old topic goes the producer may hear of it; a record that is refused is written again.
            offsets.append((None if error else message.offset(), message.value().decode()))

        for value in want:
            until("a write", lambda: write_one(writer, "recreated", value, note, offsets), 60)
        same([value for offset, value in offsets if offset is not None], want)

        def step():
            message = live.poll(0.1)
            if message is not None and not message.error():
                seen.append(message.value().decode())
            return set(want) <= set(seen)

        until(f"round {number} at the consumer that stays", step, 60)
        assert all(value.startswith(f"{number}-") for value in seen), seen
        fresh = consumer(f"recreated-{number}")
        fresh.assign([TopicPartition("recreated", 0, OFFSET_BEGINNING)])
        got = []
        until("the new records", lambda: (got.extend(m.value().decode() for m in fresh.consume(100, 0.2)), len(got) >= len(want))[1])
        fresh.close()
        same(got, want)
        done(admin.delete_topics(["recreated"]))
    live.close()


def write_one(writer, topic, value, note, offsets):
    """Whether a record is acknowledged."""
    writer.produce(topic, value, on_delivery=note)
    same(writer.flush(30), 0)
    return offsets[-1][0] is not None


@case
def walk():
    """Killed while it is written to and read from: what was acknowledged is there once, in order; a group keeps members and offsets."""
    create("walk", 3)
    kills = int(os.environ.get("OUZEL_KILLS", "2"))
    count = 4_500 * (kills + 1)
    writer = producer(enable_idempotence=True, retry_backoff_ms=20, reconnect_backoff_max_ms=200)
    acked = {p: [] for p in range(3)}
    members = Members("walk", "walk-readers", 2)

    def note(error, message):
        assert error is None, error
        acked[message.partition()].append(int(message.value()))

    for number in range(count):
        writer.produce("walk", str(number), partition=number % 3, on_delivery=note)
        writer.poll(0)
        if number % 100 == 0:
            members.step()
        if number % 4_500 == 3_000 and number < 4_500 * kills:
            members.kill()
    same(writer.flush(60), 0)
    members.kill()
    want = {p: list(range(p, count, 3)) for p in range(3)}
    exactly_once(acked, want)
    exactly_once(read_all("walk", 3), want)
    until("everything read by the group", lambda: (members.step(), members.read() >= count)[1], 60)
    exactly_once(members.seen, want)
    members.close()


class Members:
    """Members of a group that read and commit, in this thread, and what the broker has told them."""

    def __init__(self, topic, group, count):
        self.topic, self.group = topic, group
        self.readers = [
            consumer(group, client_id=f"member-{n}", reconnect_backoff_max_ms=200, retry_backoff_ms=20) for n in range(count)
        ]
        self.seen = {}
        # Commits that were answered, and those that were tried: the truth lies between them.
        self.committed, self.tried = {}, {}
        for reader in self.readers:
            reader.subscribe([topic])
        until("all members", lambda: (self.step(), len(self.ids()) == count)[1], 60)

    def step(self):
        for reader in self.readers:
            batch = [m for m in reader.consume(500, 0.01) if not m.error()]
            for message in batch:
                self.seen.setdefault(message.partition(), []).append(int(message.value()))
            if not batch:
                continue
            ends = {m.partition(): m.offset() + 1 for m in batch}
            self.tried |= ends
            offsets = [TopicPartition(self.topic, p, end) for p, end in ends.items()]
            try:
                for done in reader.commit(offsets=offsets, asynchronous=False):
                    if done.error is None:
                        self.committed[done.partition] = done.offset
            except KafkaException as error:
                # Under way when the broker died: it may be written or not.
                if not error.args[0].retriable() and error.args[0].code() not in (
                    KafkaError._TRANSPORT,
                    KafkaError._TIMED_OUT,
                    KafkaError._NO_OFFSET,
                ):
                    raise

    def read(self):
        return sum(len(values) for values in self.seen.values())

    def ids(self):
        """The group's members by their ids, once it is stable."""
        found = done(admin.describe_consumer_groups([self.group]))[self.group]
        return sorted(m.member_id for m in found.members) if found.state.name == "STABLE" else []

    def kill(self):
        """Kills the broker: afterwards the group has the members it had, and every commit that was answered."""
        before = self.ids()
        restart()
        same(until("the group", self.ids), before)
        asked = [TopicPartition(self.topic, p) for p in self.tried]
        if asked:
            group = ConsumerGroupTopicPartitions(self.group, asked)
            for found in done(admin.list_consumer_group_offsets([group]))[self.group].topic_partitions:
                low, high = self.committed.get(found.partition, -1001), self.tried[found.partition]
                assert low <= found.offset <= high, f"{found}: committed {low}, tried {high}"

    def close(self):
        for reader in self.readers:
            reader.close()


@case
def group_walk():
    """A group keeps its place across a kill of the broker."""
    create("group-walk", 2)
    writer = producer()
    for number in range(200):
        writer.produce("group-walk", str(number), partition=number % 2)
    writer.flush(30)
    reader = consumer("walkers")
    reader.subscribe(["group-walk"])
    seen = []

    def step():
        try:
            message = reader.poll(0.2)
            if message is not None and not message.error():
                reader.commit(message, asynchronous=False)
                seen.append(int(message.value()))
        except KafkaException as error:
            # A commit under way when the broker dies: the record comes again.
            if not error.args[0].retriable() and error.args[0].code() not in (
                KafkaError._TRANSPORT,
                KafkaError._TIMED_OUT,
                KafkaError._STATE,
                KafkaError.ILLEGAL_GENERATION,
                KafkaError.UNKNOWN_MEMBER_ID,
                KafkaError.REBALANCE_IN_PROGRESS,
            ):
                raise

    until("the first half", lambda: (step(), len(seen) >= 100)[1])
    restart()
    until("the second half", lambda: (step(), len(set(seen)) >= 200)[1], 60)
    reader.close()
    same(sorted(set(seen)), list(range(200)))
    same(len(seen), 200)


main()
