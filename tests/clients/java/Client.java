import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What a stranger does with Kafka's own Java client: one scenario a run, JSON lines out, a reason on standard error.
 *
 * <pre>
 * usage: Client BOOTSTRAP codecs|group|consumer_group|resume|time|admin|idempotent
 *        Client BOOTSTRAP transactions|exactly_once|fencing|timeout|killed
 *        Client BOOTSTRAP acls                    users and access rules, of a server that goes by them
 *        Client BOOTSTRAP quotas                  quotas of clients
 *        Client BOOTSTRAP word_count               Kafka Streams, exactly once
 *        Client BOOTSTRAP member TOPIC GROUP PROTOCOL      one member of `group`, as a process of its own
 * </pre>
 *
 * `killed`, `acls`, `quotas` and `word_count` say {"kill":"server"} when the server is to be killed, and go on when they hear a line on standard input.
 */
public final class Client {
    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final BufferedReader INPUT = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final String SESSION_MS = "6000";

    private final String bootstrap;

    private Client(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 2) {
            fail("usage: Client BOOTSTRAP SCENARIO");
        }
        Client client = new Client(arguments[0]);
        try {
            switch (arguments[1]) {
                case "codecs" -> client.codecs();
                case "group" -> client.group("classic");
                case "consumer_group" -> client.group("consumer");
                case "resume" -> client.resume();
                case "time" -> client.time();
                case "admin" -> client.administer();
                case "idempotent" -> client.idempotent();
                case "transactions" -> new Transactions(client).committedAndAborted();
                case "exactly_once" -> new Transactions(client).exactlyOnce();
                case "fencing" -> new Transactions(client).fencing();
                case "timeout" -> new Transactions(client).timeout();
                case "killed" -> new Transactions(client).killed();
                case "acls" -> new Acls(client).administer();
                case "quotas" -> new Quotas(client).administer();
                case "word_count" -> new WordCount(client).exactlyOnce();
                case "member" -> client.member(arguments[2], arguments[3], arguments[4]);
                default -> fail("no scenario is called " + arguments[1]);
            }
        } catch (AssertionError failure) {
            fail(arguments[1] + ": " + failure.getMessage());
        }
    }

    private void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = makeTopic("codecs", 1);
            List<String> sent = IntStream.range(0, 500).mapToObj(n -> "value " + n + " ".repeat(n % 50)).toList();
            try (var producer = producer(Map.of("compression.type", codec, "linger.ms", "20"))) {
                for (String value : sent) {
                    var header = new RecordHeader("of", value.getBytes(StandardCharsets.UTF_8));
                    producer.send(new ProducerRecord<>(topic, 0, "key " + value, value, List.of(header)));
                }
            }
            List<ConsumerRecord<String, String>> found = readFromStart(topic, sent.size());
            expect(values(found), sent, "values in " + codec);
            expect(found.stream().map(ConsumerRecord::key).toList(), sent.stream().map(v -> "key " + v).toList(), "keys in " + codec);
            expect(found.stream().map(r -> new String(r.headers().lastHeader("of").value(), StandardCharsets.UTF_8)).toList(), sent, "headers in " + codec);
            say("{\"codec\":\"%s\",\"records\":%d}", codec, found.size());
        }
    }

    /** With the classic protocol, or that of KIP-848. */
    private void group(String protocol) throws Exception {
        String topic = makeTopic("group", 4);
        String group = named("group");
        try (Member one = new Member(topic, group, protocol); Member other = new Member(topic, group, protocol)) {
            waitUntil("two members share four partitions", () -> one.assigned.size() == 2 && other.assigned.size() == 2);
            Set<Integer> shared = new TreeSet<>(one.assigned);
            shared.addAll(other.assigned);
            expect(shared, Set.of(0, 1, 2, 3), "partitions shared");
            say("{\"assigned\":[%s,%s]}", one.assigned, other.assigned);
            Set<String> wanted = new TreeSet<>(sendAll(topic, "first"));
            waitUntil("both read everything together", () -> Member.together(one, other).containsAll(wanted));
            expect(one.reads.get() + other.reads.get(), wanted.size(), "reads of all records by both");
            try (Admin admin = admin()) {
                var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                expect(described.type().toString().toLowerCase(), protocol, "the protocol of the group");
                expect(described.members().size(), 2, "members described");
            }
            other.process.destroyForcibly().waitFor();
            wanted.addAll(sendAll(topic, "second"));
            waitUntil("the survivor has every partition", () -> one.assigned.size() == 4);
            waitUntil("nothing is lost", () -> Member.together(one, other).containsAll(wanted));
            say("{\"survivor\":%s,\"records\":%d}", one.assigned, wanted.size());
        }
    }

    /** A member as a child process: the partitions it has, and the values it has read. */
    private final class Member implements AutoCloseable {
        final Process process;
        final Set<String> values = ConcurrentHashMap.newKeySet();
        final AtomicInteger reads = new AtomicInteger();
        volatile Set<Integer> assigned = Set.of();

        Member(String topic, String group, String protocol) throws Exception {
            String java = ProcessHandle.current().info().command().orElse("java");
            var command = List.of(java, "-cp", System.getProperty("java.class.path"), "Client", bootstrap, "member", topic, group, protocol);
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            Thread listener = new Thread(this::listen);
            listener.setDaemon(true);
            listener.start();
        }

        static Set<String> together(Member one, Member other) {
            Set<String> all = new TreeSet<>(one.values);
            all.addAll(other.values);
            return all;
        }

        private void listen() {
            var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            lines.lines().forEach(line -> {
                String[] words = line.split("[\":,{}\\[\\] ]+", -1);
                if (words[1].equals("assigned")) {
                    Set<Integer> partitions = new TreeSet<>();
                    for (int at = 2; at < words.length - 1; at++) {
                        partitions.add(Integer.valueOf(words[at]));
                    }
                    assigned = partitions;
                } else {
                    values.add(words[2]);
                    reads.incrementAndGet();
                }
            });
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    private void member(String topic, String group, String protocol) {
        Map<String, String> options = protocol.equals("classic")
            ? Map.of("group.id", group, "session.timeout.ms", SESSION_MS, "heartbeat.interval.ms", "500")
            : Map.of("group.id", group, "group.protocol", protocol);
        try (var consumer = consumer(options)) {
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
                    tell();
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> added) {
                    tell();
                }

                private void tell() {
                    say("{\"assigned\":%s}", consumer.assignment().stream().map(TopicPartition::partition).sorted().toList());
                }
            });
            while (true) {
                ConsumerRecords<String, String> polled = consumer.poll(Duration.ofMillis(200));
                polled.forEach(record -> say("{\"value\":\"%s\",\"offset\":%d}", record.value(), record.offset()));
                if (!polled.isEmpty()) {
                    consumer.commitSync();
                }
            }
        }
    }

    private void resume() throws Exception {
        String topic = makeTopic("resume", 1);
        List<String> sent = sendNumbers(topic, 100, Map.of());
        TopicPartition partition = new TopicPartition(topic, 0);
        Map<String, String> group = Map.of("group.id", named("resume"), "max.poll.records", "40");
        try (var consumer = consumer(group)) {
            consumer.subscribe(List.of(topic));
            expect(values(read(consumer, 40)), sent.subList(0, 40), "first part");
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(40, "noted: ä")));
        }
        try (var consumer = consumer(group)) {
            consumer.subscribe(List.of(topic));
            expect(values(read(consumer, 60)), sent.subList(40, 100), "the rest");
            OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
            expect(committed.offset() + " " + committed.metadata(), "40 noted: ä", "what was committed");
            say("{\"resumed_at\":%d,\"metadata\":\"%s\"}", committed.offset(), committed.metadata());
        }
    }

    private void time() throws Exception {
        String topic = makeTopic("time", 1);
        long begin = System.currentTimeMillis() - 1_000_000;
        try (var producer = producer(Map.of("linger.ms", "20"))) {
            for (int n = 0; n < 100; n++) {
                producer.send(new ProducerRecord<>(topic, 0, begin + n * 1000L, null, "" + n));
            }
        }
        TopicPartition partition = new TopicPartition(topic, 0);
        try (var consumer = consumer(Map.of())) {
            consumer.assign(List.of(partition));
            var found = consumer.offsetsForTimes(Map.of(partition, begin + 41_500)).get(partition);
            expect(found.offset() + " " + (found.timestamp() - begin), "42 42000", "first record at or after the time");
            consumer.seek(partition, found.offset());
            expect(values(read(consumer, 58)), numbers(42, 100), "records from there");
            expect(consumer.offsetsForTimes(Map.of(partition, begin + 10_000_000)).get(partition), null, "a time after the last record");
            expect(consumer.beginningOffsets(List.of(partition)).get(partition), 0L, "beginning");
            expect(consumer.endOffsets(List.of(partition)).get(partition), 100L, "end");
            say("{\"offset\":%d,\"timestamp\":%d}", found.offset(), found.timestamp() - begin);
        }
    }

    private void deleteGroup(Admin admin, KafkaConsumer<String, String> consumer, String topic, String group) throws Exception {
        var partition = new TopicPartition(topic, 0);
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(0)));
        expect(failure(admin.deleteConsumerGroupOffsets(group, Set.of(partition)).partitionResult(partition)),
                "GroupSubscribedToTopicException", "offsets that are in use");
        expect(failure(admin.deleteConsumerGroups(List.of(group)).all()), "GroupNotEmptyException", "a group that is in use");
        consumer.unsubscribe();
        admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
        expect(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition), null, "deleted offset");
        admin.deleteConsumerGroups(List.of(group)).all().get();
        expect(admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group)), false, "deleted group is listed");
    }

    /** The name of the error that a request ends with. */
    private static String failure(Future<?> request) throws InterruptedException {
        try {
            request.get();
            return "none";
        } catch (ExecutionException failed) {
            return failed.getCause().getClass().getSimpleName();
        }
    }

    private void administer() throws Exception {
        String topic = named("admin");
        String group = named("admin");
        try (Admin admin = admin(); var consumer = consumer(Map.of("group.id", group))) {
            admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1).configs(Map.of("retention.ms", "86400000")))).all().get();
            expect(admin.listTopics().names().get().contains(topic), true, "topic is listed");
            int partitions = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            expect(partitions, 3, "partitions");
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            String retention = admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
            expect(retention, "86400000", "retention.ms");
            alterSettings(admin, resource);
            growAndDescribe(admin, topic);
            int brokers = admin.describeCluster().nodes().get().size();
            expect(brokers, 1, "brokers");
            consumer.subscribe(List.of(topic));
            waitUntil("a member has the partitions", () -> {
                consumer.poll(Duration.ofMillis(200));
                return consumer.assignment().size() == 5;
            });
            expect(admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group)), true, "group is listed");
            var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            expect(described.groupState() + " " + described.members().size(), "Stable 1", "group");
            expect(described.members().iterator().next().assignment().topicPartitions().size(), 5, "assignment");
            deleteGroup(admin, consumer, topic, group);
            admin.deleteTopics(List.of(topic)).all().get();
            waitUntil("topic is gone", () -> !names(admin).contains(topic));
            say("{\"partitions\":%d,\"brokers\":%d,\"group\":\"%s\"}", partitions, brokers, described.groupState());
        }
    }

    /** The topic is given partitions; the one node says what it is, and keeps the levels of its features. */
    private static void growAndDescribe(Admin admin, String topic) throws Exception {
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        expect(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size(), 5, "partitions");
        expect(failure(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all()), "InvalidPartitionsException", "fewer partitions");
        var quorum = admin.describeMetadataQuorum().quorumInfo().get();
        expect(quorum.leaderId() + " " + quorum.voters().size() + " " + quorum.nodes().size(), "1 1 1", "quorum");
        var features = admin.describeFeatures().featureMetadata().get().finalizedFeatures();
        expect(features.get("transaction.version").maxVersionLevel(), (short) 2, "transaction.version");
        admin.updateFeatures(Map.of("transaction.version", new FeatureUpdate((short) 2, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all().get();
        var lower = Map.of("transaction.version", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE));
        expect(failure(admin.updateFeatures(lower, new UpdateFeaturesOptions()).all()), "InvalidUpdateVersionException", "a lower level");
        var topics = admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC), new ListConfigResourcesOptions()).all().get();
        expect(topics.contains(new ConfigResource(ConfigResource.Type.TOPIC, topic)), true, "topic is a resource");
        var logger = new ConfigResource(ConfigResource.Type.BROKER_LOGGER, "1");
        expect(admin.describeConfigs(List.of(logger)).all().get().get(logger).get("root") != null, true, "logger");
    }

    /** Each setting is changed, shown as changed, and given back to its default; what is impossible is refused. */
    private static void alterSettings(Admin admin, ConfigResource resource) throws Exception {
        Map<String, String> settings = Map.of("compression.type", "gzip", "segment.ms", "60000", "flush.ms", "1000",
                "delete.retention.ms", "100", "message.timestamp.type", "LogAppendTime", "retention.ms", "60000");
        var set = settings.entrySet().stream().map(e -> new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue()), AlterConfigOp.OpType.SET));
        admin.incrementalAlterConfigs(Map.of(resource, set.toList())).all().get();
        var changed = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        settings.forEach((name, value) -> expect(changed.get(name).value(), value, name));
        var delete = settings.keySet().stream().map(name -> new AlterConfigOp(new ConfigEntry(name, null), AlterConfigOp.OpType.DELETE));
        admin.incrementalAlterConfigs(Map.of(resource, delete.toList())).all().get();
        var back = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        settings.keySet().forEach(name -> expect(back.get(name).source(), ConfigEntry.ConfigSource.DEFAULT_CONFIG, name));
        var replicas = List.of(new AlterConfigOp(new ConfigEntry("min.insync.replicas", "2"), AlterConfigOp.OpType.SET));
        try {
            admin.incrementalAlterConfigs(Map.of(resource, replicas)).all().get();
            throw new AssertionError("two replicas in sync were granted");
        } catch (ExecutionException refused) {
            expect(refused.getCause().getClass(), InvalidConfigurationException.class, "two replicas in sync");
        }
    }

    private void idempotent() throws Exception {
        String topic = makeTopic("idempotent", 1);
        List<String> sent = sendNumbers(topic, 1000, Map.of("enable.idempotence", "true", "batch.size", "2048", "linger.ms", "5"));
        List<ConsumerRecord<String, String>> found = readFromStart(topic, 1000);
        expect(values(found), sent, "records");
        expect(found.stream().map(ConsumerRecord::offset).toList(), IntStream.range(0, 1000).mapToObj(n -> (long) n).toList(), "offsets");
        say("{\"records\":%d}", found.size());
    }

    static String named(String scenario) {
        return "java." + scenario + "." + UUID.randomUUID().toString().substring(0, 8);
    }

    Admin admin() {
        return Admin.create(secured(Map.of("bootstrap.servers", bootstrap)));
    }

    private static Set<String> names(Admin admin) {
        try {
            return admin.listTopics().names().get();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    String bootstrap() {
        return bootstrap;
    }

    String makeTopic(String scenario, int partitions) throws Exception {
        String topic = named(scenario);
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
        return topic;
    }

    /** With how to reach a server that asks who comes: a properties file that CLIENT_PROPERTIES in the environment names. */
    private static Map<String, Object> secured(Map<String, Object> options) {
        Map<String, Object> all = new HashMap<>(options);
        String file = System.getenv("CLIENT_PROPERTIES");
        if (file != null) {
            var properties = new java.util.Properties();
            try (var reader = java.nio.file.Files.newBufferedReader(java.nio.file.Path.of(file))) {
                properties.load(reader);
            } catch (IOException failure) {
                throw new java.io.UncheckedIOException(failure);
            }
            properties.forEach((name, value) -> all.put((String) name, value));
        }
        return all;
    }

    KafkaProducer<String, String> producer(Map<String, String> options) {
        Map<String, Object> all = secured(Map.of("bootstrap.servers", bootstrap, "acks", "all"));
        all.putAll(options);
        return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    }

    KafkaConsumer<String, String> consumer(Map<String, String> options) {
        Map<String, Object> all = secured(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest", "enable.auto.commit", "false"));
        all.putAll(options);
        return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    }

    List<String> sendNumbers(String topic, int count, Map<String, String> options) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = producer(options)) {
            numbers(0, count).forEach(n -> sent.add(producer.send(new ProducerRecord<>(topic, 0, null, n))));
        }
        for (var one : sent) {
            one.get();
        }
        return numbers(0, count);
    }

    private List<String> sendAll(String topic, String prefix) throws Exception {
        List<String> values = IntStream.range(0, 200).mapToObj(n -> prefix + "-" + n).toList();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = producer(Map.of())) {
            values.forEach(value -> sent.add(producer.send(new ProducerRecord<>(topic, sent.size() % 4, null, value))));
        }
        for (var one : sent) {
            one.get();
        }
        return values;
    }

    /** The next `count` records, or as many as come in time. */
    static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> found = new ArrayList<>();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (found.size() < count && System.nanoTime() < deadline) {
            consumer.poll(Duration.ofMillis(500)).forEach(found::add);
        }
        return found;
    }

    private List<ConsumerRecord<String, String>> readFromStart(String topic, int count) {
        try (var consumer = consumer(Map.of())) {
            consumer.assign(Collections.singleton(new TopicPartition(topic, 0)));
            return read(consumer, count);
        }
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).toList();
    }

    static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toList();
    }

    static void waitUntil(String what, BooleanSupplier holds) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited " + PATIENCE.toSeconds() + " s in vain: " + what);
            }
            Thread.sleep(50);
        }
    }

    /** Has the caller that runs this program kill the server and start it again. */
    static void askToKillServer() throws IOException {
        say("{\"kill\":\"server\"}");
        if (INPUT.readLine() == null) {
            throw new AssertionError("no one said that the server is there again");
        }
    }

    static void expect(Object found, Object wanted, String what) {
        if (!Objects.equals(found, wanted)) {
            throw new AssertionError(what + ": found " + found + ", wanted " + wanted);
        }
    }

    static synchronized void say(String format, Object... values) {
        System.out.println(String.format(format, values));
    }

    private static void fail(String reason) {
        System.err.println(reason);
        System.exit(1);
    }
}
