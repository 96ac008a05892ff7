"""aiokafka."""

import asyncio
import contextlib
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from suite import BOOTSTRAP, case, exactly_once, main, restart, same


def coroutine(function):
    """A case that is a coroutine."""

    def run():
        asyncio.run(asyncio.wait_for(function(), 120))

    run.__name__ = function.__name__
    return case(run)


async def until(what, probe, seconds=30):
    end = time.monotonic() + seconds
    while not (got := await probe()):
        if time.monotonic() > end:
            raise AssertionError(f"no {what} after {seconds} s")
    return got


@contextlib.asynccontextmanager
async def administrator():
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


def producer(**config):
    return AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, linger_ms=5, **config)


def consumer(*topics, **config):
    config = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "heartbeat_interval_ms": 200, **config}
    return AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, **config)


async def create(topic, partitions=1, **configs):
    async with administrator() as admin:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
        same(answer.topic_errors[0][1], 0)


async def read_all(topic, partitions):
    at = [TopicPartition(topic, p) for p in range(partitions)]
    got = {p: [] for p in range(partitions)}
    async with consumer() as reader:
        reader.assign(at)
        ends = await reader.end_offsets(at)
        await reader.seek_to_beginning()

        async def step():
            for records in (await reader.getmany(timeout_ms=200)).values():
                for record in records:
                    got[record.partition].append(int(record.value))
            return all([await reader.position(p) >= ends[p] for p in at])

        await until("end of every partition", step, 60)
    return got


@coroutine
async def topics():
    async with administrator() as admin:
        await create("made", 3)
        same(len((await admin.describe_topics(["made"]))[0]["partitions"]), 3)
        answer = await admin.create_topics([NewTopic("made", 1, 1)])
        same(answer.topic_errors[0][1], 36)
        await admin.create_partitions({"made": NewPartitions(5)})
        same(len((await admin.describe_topics(["made"]))[0]["partitions"]), 5)
        await admin.delete_topics(["made"])
        assert "made" not in await admin.list_topics()


@coroutine
async def configs():
    async with administrator() as admin:
        await create("configured", 1, **{"retention.ms": "3600000"})

        async def value(name):
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "configured")])
            entries = answer.resources[0][4]
            return {entry[0]: entry[1] for entry in entries}[name]

        same(await value("retention.ms"), "3600000")
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "configured", {"retention.ms": "7200000"})])
        same(await value("retention.ms"), "7200000")


@coroutine
async def codecs():
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        topic = f"codec-{codec}"
        async with producer(compression_type=codec) as writer:
            sent = [await writer.send(topic, str(number).encode()) for number in range(300)]
            same([(await future).offset for future in sent], list(range(300)))
        same(await read_all(topic, 1), {0: list(range(300))})


@coroutine
async def headers():
    sent = [("a", b"1"), ("a", b"2"), ("empty", b"")]
    async with producer() as writer:
        await writer.send_and_wait("headers", b"value", key=b"key", headers=sent, timestamp_ms=1_700_000_000_123)
        await writer.send_and_wait("headers", None, key=b"gone")
    async with consumer("headers") as reader:
        first: ConsumerRecord = await asyncio.wait_for(reader.getone(), 30)
        second = await asyncio.wait_for(reader.getone(), 30)
    same((first.key, first.value, list(first.headers), first.timestamp), (b"key", b"value", sent, 1_700_000_000_123))
    same((second.key, second.value), (b"gone", None))


@coroutine
async def seek_by_time():
    base = int(time.time() * 1000) - 100_000
    async with producer() as writer:
        sent = [
            await writer.send("timed", str(number).encode(), timestamp_ms=base + number * 100) for number in range(100)
        ]
        await asyncio.gather(*sent)
    at = TopicPartition("timed", 0)
    async with consumer() as reader:
        reader.assign([at])
        found = (await reader.offsets_for_times({at: base + 4_950}))[at]
        same((found.offset, found.timestamp), (50, base + 5_000))
        reader.seek(at, found.offset)
        same((await asyncio.wait_for(reader.getone(), 30)).value, b"50")
        same((await reader.offsets_for_times({at: base + 100_000_000}))[at], None)


@coroutine
async def delete_records():
    await create("trimmed")
    at = TopicPartition("trimmed", 0)
    async with producer() as writer:
        for number in range(10):
            await writer.send_and_wait("trimmed", str(number).encode(), partition=0)
    async with administrator() as admin:
        await admin.delete_records({at: RecordsToDelete(before_offset=4)})
    same(await read_all("trimmed", 1), {0: [4, 5, 6, 7, 8, 9]})


@coroutine
async def two_members():
    await create("shared", 4)
    seen = []

    async def step(*readers):
        for reader in readers:
            polled = await reader.getmany(timeout_ms=50)
            seen.extend(int(r.value) for records in polled.values() for r in records)
            if polled:
                await reader.commit()

    async with producer() as writer:
        for number in range(80):
            await writer.send("shared", str(number).encode(), partition=number % 4)
        await writer.flush()
        first = consumer("shared", group_id="sharers")
        await first.start()

        async def all_read():
            await step(first)
            return len(seen) >= 80 and len(first.assignment()) == 4

        await until("all records", all_read)
        second = consumer("shared", group_id="sharers")
        await second.start()

        async def split():
            await step(first, second)
            return len(first.assignment()) == len(second.assignment()) == 2

        await until("even split", split, 60)
        for number in range(80, 160):
            await writer.send("shared", str(number).encode(), partition=number % 4)
        await writer.flush()

        async def rest():
            await step(first, second)
            return len(seen) >= 160

        await until("the rest", rest)
        await second.stop()

        async def back():
            await step(first)
            return len(first.assignment()) == 4

        await until("all partitions back", back, 60)
        await first.stop()
    same(sorted(seen), list(range(160)))
    async with administrator() as admin:
        committed = await admin.list_consumer_group_offsets("sharers")
        same({p.partition: o.offset for p, o in committed.items()}, {p: 40 for p in range(4)})
        assert ("sharers", "consumer") in await admin.list_consumer_groups()


@coroutine
async def walk():
    """Killed while it takes records, and again when all are acknowledged: nothing lost, nothing twice, order kept."""
    await create("walk", 3)
    async with producer(enable_idempotence=True, retry_backoff_ms=50) as writer:
        sent = []
        for number in range(6_000):
            sent.append(await writer.send("walk", str(number).encode(), partition=number % 3))
            if number == 2_000:
                # In a thread, so that records go on flowing while it dies.
                killed = asyncio.create_task(asyncio.to_thread(restart))
        await killed
        await asyncio.gather(*sent)
    await asyncio.to_thread(restart)
    exactly_once(await read_all("walk", 3), {p: list(range(p, 6_000, 3)) for p in range(3)})


main()
