import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * The word count of Kafka Streams, exactly once (KIP-447), while it and the server are killed.
 *
 * <pre>
 * usage: WordCount BOOTSTRAP APPLICATION FOLDER SOURCE TARGET      the application, until it is killed
 * </pre>
 *
 * Nothing is cached, so that each word's counts are 1, 2, 3 and so on: a word that counted twice or not at all shows in any of them.
 */
final class WordCount {
    private static final List<String> WORDS = List.of("log", "stream", "table", "event", "topic", "offset", "view");
    private static final int LINES = 3_000;

    private final Client client;

    WordCount(Client client) {
        this.client = client;
    }

    public static void main(String[] arguments) {
        var builder = new StreamsBuilder();
        builder.stream(arguments[3], Consumed.with(Serdes.String(), Serdes.String()))
                .flatMapValues(line -> Arrays.asList(line.split(" ")))
                .groupBy((key, word) -> word)
                .count()
                .toStream()
                .to(arguments[4], Produced.with(Serdes.String(), Serdes.Long()));
        var options = new Properties();
        options.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        options.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        options.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        options.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        options.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        options.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        options.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        options.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        options.put(StreamsConfig.consumerPrefix("session.timeout.ms"), "6000");
        var streams = new KafkaStreams(builder.build(), options);
        streams.setUncaughtExceptionHandler(error -> StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD);
        streams.start();
    }

    void exactlyOnce() throws Exception {
        String source = client.makeTopic("word_count", 2);
        String target = client.makeTopic("word_count", 2);
        String application = Client.named("word_count");
        Path folder = Files.createTempDirectory("word-count");
        Map<String, Long> wanted = new TreeMap<>();
        var random = new Random(7);
        Process process = start(application, folder, source, target);
        try (var producer = client.producer(Map.of("enable.idempotence", "true"));
                var consumer = reader()) {
            consumer.subscribe(List.of(target));
            Map<String, Long> counted = new TreeMap<>();
            for (int part = 0; part < 4; part++) {
                sendLines(producer, source, random, wanted);
                readSome(consumer, counted);
                switch (part) {
                    case 0, 2 -> {
                        process.destroyForcibly().waitFor();
                        process = start(application, folder, source, target);
                    }
                    case 1 -> Client.askToKillServer();
                    default -> {}
                }
            }
            long deadline = System.nanoTime() + Duration.ofMinutes(3).toNanos();
            while (!counted.equals(wanted) && System.nanoTime() < deadline) {
                readSome(consumer, counted);
            }
            Client.expect(counted, wanted, "counts of words");
        } finally {
            process.destroyForcibly().waitFor();
        }
        Client.say("{\"words\":%d,\"kills\":3}", wanted.values().stream().mapToLong(Long::longValue).sum());
    }

    private Process start(String application, Path folder, String source, String target) throws Exception {
        String java = ProcessHandle.current().info().command().orElse("java");
        var command = List.of(java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
                "WordCount", client.bootstrap(), application, folder.toString(), source, target);
        var process = new ProcessBuilder(command);
        return process.redirectError(ProcessBuilder.Redirect.INHERIT).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    }

    private KafkaConsumer<String, Long> reader() {
        Map<String, Object> options = new HashMap<>();
        options.put("bootstrap.servers", client.bootstrap());
        options.put("group.id", Client.named("word_count_reader"));
        options.put("auto.offset.reset", "earliest");
        options.put("isolation.level", "read_committed");
        return new KafkaConsumer<>(options, new StringDeserializer(), new LongDeserializer());
    }

    private static void sendLines(KafkaProducer<String, String> producer, String topic, Random random, Map<String, Long> wanted) {
        for (int line = 0; line < LINES / 4; line++) {
            var words = random.ints(4, 0, WORDS.size()).mapToObj(WORDS::get).toList();
            words.forEach(word -> wanted.merge(word, 1L, Long::sum));
            producer.send(new ProducerRecord<>(topic, line % 2, null, String.join(" ", words)));
        }
        producer.flush();
    }

    /** Reads for a moment; the counts of a word come one after the other. */
    private static void readSome(KafkaConsumer<String, Long> consumer, Map<String, Long> counted) {
        for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofSeconds(1))) {
            long before = counted.getOrDefault(record.key(), 0L);
            Client.expect(record.value(), before + 1, "the next count of " + record.key());
            counted.put(record.key(), record.value());
        }
    }
}
