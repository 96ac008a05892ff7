// Kafka's own command-line tools, by their main methods: one virtual machine for all, since starting one takes longer than the tool.

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.common.utils.Exit;

public final class Tools {
    /** A tool wants to end the process. Some catch what is thrown then, and end it once more. */
    private static final class Exited extends RuntimeException {
    }

    /** With what the tool wanted to end the process first. */
    private static Integer exit;
    /** What the tool wants done at the end: the console producer sends its last records there. */
    private static final List<Runnable> HOOKS = new ArrayList<>();

    /** Runs a tool against the broker with this on its standard input; its output, both streams. */
    private static String tool(String input, String name, String... args) throws Exception {
        return run(input, name, "--bootstrap-server", args);
    }

    private static String run(String input, String name, String flag, String... args) throws Exception {
        List<String> all = new ArrayList<>();
        if (flag != null) {
            all.addAll(List.of(flag, Suite.BOOTSTRAP));
        }
        all.addAll(List.of(args));
        PrintStream out = System.out;
        PrintStream err = System.err;
        var in = System.in;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        exit = null;
        try {
            System.setIn(new ByteArrayInputStream(input.getBytes()));
            System.setOut(new PrintStream(said, true));
            System.setErr(System.out);
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) all.toArray(String[]::new));
        } catch (java.lang.reflect.InvocationTargetException ended) {
            if (!(ended.getCause() instanceof Exited)) {
                throw new AssertionError(said + " " + ended.getCause(), ended.getCause());
            }
        } finally {
            HOOKS.forEach(Runnable::run);
            HOOKS.clear();
            System.setOut(out);
            System.setErr(err);
            System.setIn(in);
        }
        if (exit != null && exit != 0) {
            throw new AssertionError(name + " " + String.join(" ", args) + " exits " + exit + ": " + said);
        }
        return said.toString();
    }

    private static void has(String text, String pattern) {
        if (!Pattern.compile(pattern, Pattern.MULTILINE).matcher(text).find()) {
            throw new AssertionError("no /" + pattern + "/ in: " + text);
        }
    }

    private static void hasNot(String text, String pattern) {
        if (Pattern.compile(pattern, Pattern.MULTILINE).matcher(text).find()) {
            throw new AssertionError("/" + pattern + "/ in: " + text);
        }
    }

    private static final String TOPICS = "org.apache.kafka.tools.TopicCommand";
    private static final String CONFIGS = "kafka.admin.ConfigCommand";
    private static final String GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    private static final String PRODUCER = "org.apache.kafka.tools.ConsoleProducer";
    private static final String CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer";
    private static final String OFFSETS = "org.apache.kafka.tools.GetOffsetShell";

    private static void topics() throws Exception {
        has(tool("", TOPICS, "--create", "--topic", "made", "--partitions", "3", "--config", "retention.ms=3600000"), "Created topic made");
        has(tool("", TOPICS, "--list"), "^made$");
        String described = tool("", TOPICS, "--describe", "--topic", "made");
        has(described, "PartitionCount: 3\\s+ReplicationFactor: 1\\s+Configs: .*retention.ms=3600000");
        has(described, "Partition: 2\\s+Leader: 1\\s+Replicas: 1\\s+Isr: 1");
        tool("", TOPICS, "--alter", "--topic", "made", "--partitions", "5");
        has(tool("", TOPICS, "--describe", "--topic", "made"), "PartitionCount: 5");
        hasNot(tool("", TOPICS, "--describe", "--unavailable-partitions"), "Partition:");
        tool("", TOPICS, "--delete", "--topic", "made");
        hasNot(tool("", TOPICS, "--list"), "^made$");
    }

    private static void configs() throws Exception {
        tool("", TOPICS, "--create", "--topic", "configured");
        String[] topic = {"--entity-type", "topics", "--entity-name", "configured"};
        tool("", CONFIGS, concat(topic, "--alter", "--add-config", "retention.ms=7200000,max.message.bytes=2000000"));
        has(tool("", CONFIGS, concat(topic, "--describe")), "retention.ms=7200000.*\\n?.*synonyms=\\{DYNAMIC_TOPIC_CONFIG:retention.ms=7200000");
        tool("", CONFIGS, concat(topic, "--alter", "--delete-config", "retention.ms"));
        String left = tool("", CONFIGS, concat(topic, "--describe"));
        has(left, "max.message.bytes=2000000");
        hasNot(left, "retention.ms");
        has(tool("", CONFIGS, concat(topic, "--describe", "--all")), "cleanup.policy=delete");
        has(tool("", CONFIGS, "--entity-type", "brokers", "--entity-name", "1", "--describe", "--all"), "num.partitions=1");
    }

    private static String[] concat(String[] first, String... rest) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(rest));
        return all.toArray(String[]::new);
    }

    private static void console() throws Exception {
        tool("k1:one\nk2:two\n:three\n", PRODUCER, "--topic", "typed", "--reader-property", "parse.key=true", "--reader-property", "key.separator=:");
        String read = tool("", CONSUMER, "--topic", "typed", "--from-beginning", "--max-messages", "3", "--timeout-ms", "20000",
            "--formatter-property", "print.key=true", "--formatter-property", "print.offset=true", "--formatter-property", "key.separator=/");
        has(read, "Offset:0/k1/one\\nOffset:1/k2/two\\nOffset:2//three");
        tool("1\n2\n3\n4\n", PRODUCER, "--topic", "squeezed", "--compression-codec", "zstd");
        has(tool("", CONSUMER, "--topic", "squeezed", "--partition", "0", "--offset", "2", "--max-messages", "2", "--timeout-ms", "20000"), "^3\\n4$");
    }

    private static void offsets() throws Exception {
        tool("a\nb\nc\n", PRODUCER, "--topic", "counted");
        has(tool("", OFFSETS, "--topic", "counted"), "^counted:0:3$");
        has(tool("", OFFSETS, "--topic", "counted", "--time", "-2"), "^counted:0:0$");
        has(tool("", OFFSETS, "--topic", "counted", "--time", "max-timestamp"), "^counted:0:[0-2]$");
        Path file = Files.createTempFile("ouzel-conformance", ".json");
        Files.writeString(file, "{\"version\": 1, \"partitions\": [{\"topic\": \"counted\", \"partition\": 0, \"offset\": 2}]}");
        has(tool("", "org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", file.toString()), "low_watermark: 2");
        Files.delete(file);
        has(tool("", OFFSETS, "--topic", "counted", "--time", "earliest"), "^counted:0:2$");
    }

    private static void groups() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int number = 0; number < 10; number++) {
            lines.append(number).append('\n');
        }
        tool(lines.toString(), PRODUCER, "--topic", "grouped");
        tool("", CONSUMER, "--topic", "grouped", "--group", "readers", "--from-beginning", "--max-messages", "6", "--timeout-ms", "20000");
        has(tool("", GROUPS, "--list"), "^readers$");
        has(tool("", GROUPS, "--list", "--state"), "^readers\\s+Empty");
        has(tool("", GROUPS, "--describe", "--group", "readers"), "^readers\\s+grouped\\s+0\\s+(.*\\s)?6\\s+10\\s+4");
        has(tool("", GROUPS, "--describe", "--group", "readers", "--state"), "readers\\s+\\S+\\s+\\(1\\)\\s.*Empty");
        String[] reset = {"--reset-offsets", "--group", "readers", "--topic", "grouped"};
        has(tool("", GROUPS, concat(reset, "--to-earliest", "--dry-run")), "grouped\\s+0\\s+0");
        has(tool("", GROUPS, "--describe", "--group", "readers"), "\\s6\\s+10\\s+4");
        has(tool("", GROUPS, concat(reset, "--to-earliest", "--execute")), "grouped\\s+0\\s+0");
        has(tool("", GROUPS, "--describe", "--group", "readers"), "\\s0\\s+10\\s+10");
        has(tool("", GROUPS, concat(reset, "--to-offset", "7", "--execute")), "grouped\\s+0\\s+7");
        has(tool("", GROUPS, concat(reset, "--shift-by", "-2", "--execute")), "grouped\\s+0\\s+5");
        has(tool("", GROUPS, concat(reset, "--to-datetime", "2020-01-01T00:00:00.000", "--execute")), "grouped\\s+0\\s+0");
        has(tool("", GROUPS, concat(reset, "--to-latest", "--execute")), "grouped\\s+0\\s+10");
        has(tool("", GROUPS, "--delete-offsets", "--group", "readers", "--topic", "grouped"), "Successful");
        has(tool("", GROUPS, "--delete", "--group", "readers"), "Deletion of requested consumer groups .*successful");
        hasNot(tool("", GROUPS, "--list"), "^readers$");
    }

    private static void performance() throws Exception {
        tool("", TOPICS, "--create", "--topic", "perf", "--partitions", "2");
        String sent = tool("", "org.apache.kafka.tools.ProducerPerformance", "--topic", "perf", "--num-records", "20000", "--record-size", "100", "--throughput", "-1");
        has(sent, "^20000 records sent");
        String read = tool("", "org.apache.kafka.tools.ConsumerPerformance", "--topic", "perf", "--num-records", "20000", "--timeout", "20000");
        has(read, ", 20000, ");
    }

    private static void cluster() throws Exception {
        has(tool("", "org.apache.kafka.tools.BrokerApiVersionsCommand"), "\\(id: 1 rack: .*\\) -> \\([\\s\\S]*Produce\\(0\\): ");
        has(run("", "org.apache.kafka.tools.ClusterTool", null, "cluster-id", "--bootstrap-server", Suite.BOOTSTRAP), "Cluster ID: \\S{22}");
        has(tool("", "org.apache.kafka.tools.LogDirsCommand", "--describe"), "\"broker\":1");
        has(tool("", "org.apache.kafka.tools.MetadataQuorumCommand", "describe", "--status"), "LeaderId:\\s+1");
        has(tool("", "org.apache.kafka.tools.FeatureCommand", "describe"), "metadata.version");
        tool("", "org.apache.kafka.tools.GroupsCommand", "--list");
    }

    private static void crash() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int number = 0; number < 1_000; number++) {
            lines.append(number).append('\n');
        }
        tool(lines.toString(), PRODUCER, "--topic", "walk");
        Suite.restart();
        String read = tool("", CONSUMER, "--topic", "walk", "--from-beginning", "--max-messages", "1000", "--timeout-ms", "20000");
        List<Integer> records = read.lines().filter(line -> line.matches("\\d+")).map(Integer::valueOf).toList();
        Suite.exactlyOnce(Map.of(0, records), Map.of(0, Suite.range(0, 1_000, 1)));
        has(tool("", OFFSETS, "--topic", "walk"), "^walk:0:1000$");
    }

    public static void main(String[] args) throws Exception {
        Suite suite = new Suite(args);
        Exit.setExitProcedure((code, message) -> {
            exit = exit == null ? code : exit;
            throw new Exited();
        });
        Exit.setShutdownHookAdder((name, hook) -> HOOKS.add(hook));
        suite.check("topics", Tools::topics);
        suite.check("configs", Tools::configs);
        suite.check("console", Tools::console);
        suite.check("offsets", Tools::offsets);
        suite.check("groups", Tools::groups);
        suite.check("performance", Tools::performance);
        suite.check("cluster", Tools::cluster);
        suite.check("crash", Tools::crash);
        // Tools leave threads behind.
        Runtime.getRuntime().halt(0);
    }
}
