// The Java client.

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public final class Client {
    private static Admin admin;

    private static Map<String, Object> config(Object... pairs) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", Suite.BOOTSTRAP, "reconnect.backoff.max.ms", 200));
        for (int at = 0; at < pairs.length; at += 2) {
            config.put((String) pairs[at], pairs[at + 1]);
        }
        return config;
    }

    private static KafkaProducer<String, String> producer(Object... pairs) {
        return new KafkaProducer<>(config(pairs), new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(String group, Object... pairs) {
        Map<String, Object> config = config(pairs);
        config.putIfAbsent("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", false);
        config.put("heartbeat.interval.ms", 200);
        config.put("fetch.max.wait.ms", 100);
        if (group != null) {
            config.put("group.id", group);
        }
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static <T> T done(KafkaFuture<T> future) throws Exception {
        return future.get(30, TimeUnit.SECONDS);
    }

    private static void create(String topic, int partitions, Map<String, String> configs) throws Exception {
        done(admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all());
    }

    private static void fails(Class<?> why, KafkaFuture<?> future) throws Exception {
        try {
            done(future);
        } catch (ExecutionException error) {
            Suite.same("error", error.getCause().getClass(), why);
            return;
        }
        throw new AssertionError("no " + why.getSimpleName());
    }

    private static Map<Integer, List<ConsumerRecord<String, String>>> readAll(String topic) throws Exception {
        Map<Integer, List<ConsumerRecord<String, String>>> got = new HashMap<>();
        try (KafkaConsumer<String, String> reader = consumer(null)) {
            List<TopicPartition> all =
                reader.partitionsFor(topic).stream().map(p -> new TopicPartition(topic, p.partition())).toList();
            Map<TopicPartition, Long> ends = reader.endOffsets(all);
            reader.assign(all);
            reader.seekToBeginning(all);
            Suite.until("end of every partition", 60, () -> {
                for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(200))) {
                    got.computeIfAbsent(record.partition(), p -> new ArrayList<>()).add(record);
                }
                return all.stream().allMatch(p -> reader.position(p) >= ends.get(p));
            });
        }
        return got;
    }

    private static Map<Integer, List<Integer>> numbers(Map<Integer, List<ConsumerRecord<String, String>>> records) {
        return records.entrySet().stream().collect(Collectors.toMap(
            Map.Entry::getKey, entry -> entry.getValue().stream().map(r -> Integer.valueOf(r.value())).toList()));
    }

    private static void topics() throws Exception {
        create("made", 3, Map.of());
        Suite.same("partitions", done(admin.describeTopics(List.of("made")).allTopicNames()).get("made").partitions().size(), 3);
        fails(TopicExistsException.class, admin.createTopics(List.of(new NewTopic("made", 1, (short) 1))).all());
        fails(InvalidTopicException.class, admin.createTopics(List.of(new NewTopic("bad name", 1, (short) 1))).all());
        fails(InvalidPartitionsException.class, admin.createTopics(List.of(new NewTopic("none", 0, (short) 1))).all());
        done(admin.createPartitions(Map.of("made", NewPartitions.increaseTo(5))).all());
        Suite.same("partitions", done(admin.describeTopics(List.of("made")).allTopicNames()).get("made").partitions().size(), 5);
        done(admin.deleteTopics(List.of("made")).all());
        Suite.until("no topic", 30, () -> !done(admin.listTopics().names()).contains("made"));
        fails(UnknownTopicOrPartitionException.class, admin.deleteTopics(List.of("made")).all());
    }

    private static void configs() throws Exception {
        create("configured", 1, Map.of("retention.ms", "3600000"));
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "configured");
        Suite.same("created", value(topic, "retention.ms"), "3600000");
        Suite.same("default", value(topic, "cleanup.policy"), "delete");
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "7200000"), AlterConfigOp.OpType.SET);
        done(admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all());
        Suite.same("altered", value(topic, "retention.ms"), "7200000");
        AlterConfigOp unset = new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE);
        done(admin.incrementalAlterConfigs(Map.of(topic, List.of(unset))).all());
        Suite.same("reset", value(topic, "retention.ms"), "604800000");
        AlterConfigOp append = new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND);
        done(admin.incrementalAlterConfigs(Map.of(topic, List.of(append))).all());
        Suite.same("appended", Set.of(value(topic, "cleanup.policy").split(",")), Set.of("delete", "compact"));
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        Suite.same("broker", value(broker, "num.partitions"), "1");
    }

    private static String value(ConfigResource resource, String name) throws Exception {
        return done(admin.describeConfigs(List.of(resource)).all()).get(resource).get(name).value();
    }

    private static void cluster() throws Exception {
        var about = admin.describeCluster();
        Suite.same("nodes", done(about.nodes()).size(), 1);
        Suite.same("controller", done(about.controller()).id(), 1);
        Suite.same("cluster id", done(about.clusterId()).length(), 22);
        done(admin.describeLogDirs(List.of(1)).allDescriptions());
        done(admin.describeFeatures().featureMetadata());
        Suite.same("quorum leader", done(admin.describeMetadataQuorum().quorumInfo()).leaderId(), 1);
    }

    private static void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            for (boolean idempotent : new boolean[] {false, true}) {
                String topic = "codec-" + codec + "-" + idempotent;
                try (var writer = producer("compression.type", codec, "enable.idempotence", idempotent, "linger.ms", 20)) {
                    for (int number : Suite.range(0, 300, 1)) {
                        writer.send(new ProducerRecord<>(topic, 0, null, String.valueOf(number)));
                    }
                }
                Suite.same(topic, numbers(readAll(topic)), Map.of(0, Suite.range(0, 300, 1)));
            }
        }
    }

    private static void headers() throws Exception {
        try (var writer = producer()) {
            var record = new ProducerRecord<>("headers", 0, 1_700_000_000_123L, "key", "value");
            record.headers().add("a", "1".getBytes()).add("a", "2".getBytes()).add("empty", new byte[0]).add("none", null);
            writer.send(record).get(30, TimeUnit.SECONDS);
            writer.send(new ProducerRecord<>("headers", 0, "gone", null)).get(30, TimeUnit.SECONDS);
        }
        List<ConsumerRecord<String, String>> got = readAll("headers").get(0);
        StringBuilder text = new StringBuilder();
        for (Header header : got.get(0).headers()) {
            text.append(header.key()).append('=').append(header.value() == null ? "null" : new String(header.value())).append(' ');
        }
        Suite.same("headers", text.toString(), "a=1 a=2 empty= none=null ");
        Suite.same("record", got.get(0).key() + got.get(0).value() + got.get(0).timestamp(), "keyvalue1700000000123");
        Suite.same("tombstone", got.get(1).key() + got.get(1).value(), "gonenull");
    }

    private static void seekByTime() throws Exception {
        long base = System.currentTimeMillis() - 100_000;
        try (var writer = producer("linger.ms", 20)) {
            for (int number : Suite.range(0, 100, 1)) {
                writer.send(new ProducerRecord<>("timed", 0, base + number * 100L, null, String.valueOf(number)));
            }
        }
        TopicPartition at = new TopicPartition("timed", 0);
        try (var reader = consumer(null)) {
            var found = reader.offsetsForTimes(Map.of(at, base + 4_950)).get(at);
            Suite.same("found", found.offset() + "@" + (found.timestamp() - base), "50@5000");
            Suite.same("beyond", reader.offsetsForTimes(Map.of(at, base + 100_000_000)).get(at), null);
            Suite.same("ends", List.of(reader.beginningOffsets(List.of(at)).get(at), reader.endOffsets(List.of(at)).get(at)), List.of(0L, 100L));
        }
        for (var want : Map.of(OffsetSpec.earliest(), 0L, OffsetSpec.latest(), 100L, OffsetSpec.maxTimestamp(), 99L).entrySet()) {
            Suite.same("offset", done(admin.listOffsets(Map.of(at, want.getKey())).partitionResult(at)).offset(), want.getValue());
        }
    }

    private static void deleteRecords() throws Exception {
        try (var writer = producer()) {
            for (int number : Suite.range(0, 10, 1)) {
                writer.send(new ProducerRecord<>("trimmed", 0, null, String.valueOf(number))).get(30, TimeUnit.SECONDS);
            }
        }
        TopicPartition at = new TopicPartition("trimmed", 0);
        var trimmed = admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(4)));
        Suite.same("low", done(trimmed.lowWatermarks().get(at)).lowWatermark(), 4L);
        Suite.same("rest", numbers(readAll("trimmed")), Map.of(0, Suite.range(4, 10, 1)));
    }

    /** Polls in a thread of its own, commits what it read, and keeps count of its partitions. */
    private static final class Member implements AutoCloseable {
        final AtomicInteger size = new AtomicInteger();
        private volatile boolean stop;
        private final AtomicReference<Exception> failed = new AtomicReference<>();
        private final Thread thread;

        Member(String topic, String group, Collection<Integer> seen, Object... pairs) {
            thread = new Thread(() -> {
                try (var reader = consumer(group, pairs)) {
                    reader.subscribe(List.of(topic));
                    while (!stop) {
                        var records = reader.poll(Duration.ofMillis(100));
                        if (!records.isEmpty()) {
                            reader.commitSync();
                            records.forEach(record -> seen.add(Integer.valueOf(record.value())));
                        }
                        size.set(reader.assignment().size());
                    }
                } catch (Exception error) {
                    failed.set(error);
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void close() throws Exception {
            stop = true;
            thread.join(30_000);
            if (failed.get() != null) {
                throw failed.get();
            }
        }
    }

    private static void twoMembers(String assignor) throws Exception {
        String topic = "shared-" + assignor;
        String strategy = "org.apache.kafka.clients.consumer." + assignor;
        create(topic, 4, Map.of());
        List<Integer> seen = java.util.Collections.synchronizedList(new ArrayList<>());
        Member first = new Member(topic, topic, seen, "partition.assignment.strategy", strategy);
        send(topic, 4, 0, 80);
        Suite.until("all records", 30, () -> first.size.get() == 4 && seen.size() >= 80);
        Member second = new Member(topic, topic, seen, "partition.assignment.strategy", strategy);
        Suite.until("even split", 60, () -> first.size.get() == 2 && second.size.get() == 2);
        send(topic, 4, 80, 160);
        Suite.until("the rest", 30, () -> seen.size() >= 160);
        second.close();
        Suite.until("all partitions back", 60, () -> first.size.get() == 4);
        first.close();
        Suite.same("records", seen.stream().sorted().toList(), Suite.range(0, 160, 1));
    }

    private static void send(String topic, int partitions, int from, int to) throws Exception {
        try (var writer = producer()) {
            for (int number : Suite.range(from, to, 1)) {
                writer.send(new ProducerRecord<>(topic, number % partitions, null, String.valueOf(number)));
            }
        }
    }

    private static void groups() throws Exception {
        create("watched", 1, Map.of());
        send("watched", 1, 0, 3);
        TopicPartition at = new TopicPartition("watched", 0);
        List<Integer> seen = java.util.Collections.synchronizedList(new ArrayList<>());
        Member member = new Member("watched", "watchers", seen, "client.id", "a-client", "group.instance.id", "one");
        Suite.until("records", 30, () -> seen.size() == 3 && member.size.get() == 1);
        ConsumerGroupDescription about = done(admin.describeConsumerGroups(List.of("watchers")).all()).get("watchers");
        var described = about.members().iterator().next();
        Suite.same("group", about.groupState() + described.clientId() + described.groupInstanceId().get() + described.assignment().topicPartitions(),
            "Stablea-clientone[watched-0]");
        member.close();
        done(admin.removeMembersFromConsumerGroup("watchers", new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions()).all());
        Suite.same("committed", committed("watchers", at), 3L);
        done(admin.alterConsumerGroupOffsets("watchers", Map.of(at, new OffsetAndMetadata(1, Optional.empty(), "back"))).all());
        Suite.same("moved", committed("watchers", at), 1L);
        done(admin.deleteConsumerGroupOffsets("watchers", Set.of(at)).all());
        done(admin.deleteConsumerGroups(List.of("watchers")).all());
        Suite.same("listed", done(admin.listGroups().all()).stream().anyMatch(group -> group.groupId().equals("watchers")), false);
    }

    private static long committed(String group, TopicPartition at) throws Exception {
        return done(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()).get(at).offset();
    }

    private static void transactionsAreRefused() throws Exception {
        try (var writer = producer("transactional.id", "t", "max.block.ms", 10_000)) {
            writer.initTransactions();
            throw new AssertionError("transactions begin");
        } catch (KafkaException error) {
            Suite.same("error", error instanceof AuthorizationException, true);
        }
    }

    private static void walk() throws Exception {
        create("walk", 3, Map.of());
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var writer = producer("linger.ms", 5, "retry.backoff.ms", 20, "delivery.timeout.ms", 60_000)) {
            for (int number : Suite.range(0, 9_000, 1)) {
                sent.add(writer.send(new ProducerRecord<>("walk", number % 3, null, String.valueOf(number))));
                if (number == 4_000) {
                    sent.get(1_000).get(30, TimeUnit.SECONDS);
                    Suite.restart();
                }
            }
            writer.flush();
        }
        for (Future<RecordMetadata> one : sent) {
            one.get();
        }
        Suite.restart();
        Suite.exactlyOnce(numbers(readAll("walk")),
            IntStream.range(0, 3).boxed().collect(Collectors.toMap(p -> p, p -> Suite.range(p, 9_000, 3))));
    }

    public static void main(String[] args) throws Exception {
        Suite suite = new Suite(args);
        admin = Admin.create(config());
        suite.check("topics", Client::topics);
        suite.check("configs", Client::configs);
        suite.check("cluster", Client::cluster);
        suite.check("codecs", Client::codecs);
        suite.check("headers", Client::headers);
        suite.check("seek_by_time", Client::seekByTime);
        suite.check("delete_records", Client::deleteRecords);
        suite.check("two_members_range", () -> twoMembers("RangeAssignor"));
        suite.check("two_members_cooperative", () -> twoMembers("CooperativeStickyAssignor"));
        suite.check("groups", Client::groups);
        suite.check("transactions_are_refused", Client::transactionsAreRefused);
        suite.check("walk", Client::walk);
        // Client threads must not hold the process.
        System.exit(0);
    }
}
