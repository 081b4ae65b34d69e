import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;

/** What transactional producers and those who read after them may rely on. */
final class Transactions {
    private static final Map<String, String> COMMITTED = Map.of("isolation.level", "read_committed");
    private static final Map<String, String> ALL = Map.of("isolation.level", "read_uncommitted");

    private final Client client;

    Transactions(Client client) {
        this.client = client;
    }

    /** Who asks for committed records gets all of them in their order and no others, and nothing of a transaction that is open. */
    void committedAndAborted() throws Exception {
        String topic = client.makeTopic("transactions", 2);
        List<String> sent = new ArrayList<>();
        List<String> kept = new ArrayList<>();
        try (var producer = producer(Client.named("transactions"), Map.of())) {
            producer.initTransactions();
            for (int transaction = 0; transaction < 20; transaction++) {
                List<String> values = Client.numbers(transaction * 10, transaction * 10 + 10);
                producer.beginTransaction();
                send(producer, topic, values);
                sent.addAll(values);
                if (transaction % 3 == 1) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                    kept.addAll(values);
                }
            }
            expectRecords(topic, COMMITTED, kept, "committed records");
            expectRecords(topic, ALL, sent, "all records");
            producer.beginTransaction();
            List<String> open = List.of("1000", "1001");
            send(producer, topic, open);
            sent.addAll(open);
            expectRecords(topic, COMMITTED, kept, "committed records beside an open transaction");
            expectRecords(topic, ALL, sent, "all records beside an open transaction");
            producer.commitTransaction();
            kept.addAll(open);
            expectRecords(topic, COMMITTED, kept, "committed records of the last transaction");
        }
        Client.say("{\"committed\":%d,\"sent\":%d}", kept.size(), sent.size());
    }

    /** Offsets and records of a transaction are kept together or not at all. */
    void exactlyOnce() throws Exception {
        String source = client.makeTopic("exactly_once", 1);
        String target = client.makeTopic("exactly_once", 1);
        String group = Client.named("exactly_once");
        var partition = new TopicPartition(source, 0);
        client.sendNumbers(source, 100, Map.of());
        int aborted = 0;
        Map<String, String> options = new HashMap<>(COMMITTED);
        options.putAll(Map.of("group.id", group, "max.poll.records", "10"));
        try (var producer = producer(Client.named("exactly_once"), Map.of());
                var consumer = client.consumer(options);
                var admin = client.admin()) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            long done = 0;
            for (int round = 0; done < 100; ) {
                ConsumerRecords<String, String> polled = consumer.poll(Duration.ofMillis(500));
                if (polled.isEmpty()) {
                    continue;
                }
                long next = consumer.position(partition);
                producer.beginTransaction();
                polled.forEach(record -> producer.send(new ProducerRecord<>(target, 0, null, record.value())));
                producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(next, "of a transaction")), consumer.groupMetadata());
                Client.expect(committed(admin, group, partition), done, "offset while a transaction is open");
                if (round++ % 3 == 1) {
                    producer.abortTransaction();
                    aborted++;
                    consumer.seek(partition, done);
                } else {
                    producer.commitTransaction();
                    done = next;
                }
                var kept = consumer.committed(Set.of(partition)).get(partition);
                Client.expect(kept == null ? 0 : kept.offset(), done, "offset after a transaction");
            }
        }
        expectRecords(target, COMMITTED, Client.numbers(0, 100), "records made of records");
        Client.say("{\"records\":100,\"aborted\":%d}", aborted);
    }

    /** The offset that a group has committed, without waiting for transactions; 0 for none. */
    private static long committed(Admin admin, String group, TopicPartition partition) throws Exception {
        var kept = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition);
        return kept == null ? 0 : kept.offset();
    }

    /** A second producer of the same name ends what the first had begun, and the first can do no more. */
    void fencing() throws Exception {
        String topic = client.makeTopic("fencing", 2);
        String id = Client.named("fencing");
        try (var zombie = producer(id, Map.of()); var successor = producer(id, Map.of()); var admin = client.admin()) {
            zombie.initTransactions();
            zombie.beginTransaction();
            send(zombie, topic, List.of("0", "1"));
            expectState(admin, id, TransactionState.ONGOING);
            successor.initTransactions();
            expectState(admin, id, TransactionState.EMPTY);
            successor.beginTransaction();
            send(successor, topic, List.of("2", "3"));
            String refused = failureOf(zombie::commitTransaction, ProducerFencedException.class::isInstance);
            successor.commitTransaction();
            expectState(admin, id, TransactionState.COMPLETE_COMMIT);
            expectRecords(topic, COMMITTED, List.of("2", "3"), "records of the successor");
            Client.say("{\"refused\":\"%s\"}", refused);
        }
    }

    private static void expectState(Admin admin, String id, TransactionState wanted) throws Exception {
        // The answer to the end of a transaction does not wait for its markers.
        Client.waitUntil("the transaction is " + wanted, () -> {
            try {
                return admin.describeTransactions(List.of(id)).description(id).get().state() == wanted
                        && admin.listTransactions().all().get().stream().anyMatch(each -> each.transactionalId().equals(id) && each.state() == wanted);
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        });
    }

    /** A transaction that is not ended in time is aborted, and holds up readers no longer. */
    void timeout() throws Exception {
        String topic = client.makeTopic("timeout", 1);
        try (var slow = producer(Client.named("timeout"), Map.of("transaction.timeout.ms", "3000"));
                var other = client.producer(Map.of())) {
            slow.initTransactions();
            slow.beginTransaction();
            send(slow, topic, List.of("0"));
            other.send(new ProducerRecord<>(topic, 0, null, "1")).get();
            Client.expect(readFirst(topic), List.of("1"), "records behind the transaction");
            String refused = failureOf(slow::commitTransaction, failure -> true);
            expectRecords(topic, COMMITTED, List.of("1"), "records without the transaction");
            Client.say("{\"refused\":\"%s\"}", refused);
        }
        try (var patient = producer(Client.named("timeout"), Map.of("transaction.timeout.ms", "100000000"))) {
            String refused = failureOf(patient::initTransactions, failure -> failure.getMessage().contains("transaction.max.timeout.ms"));
            Client.say("{\"refused\":\"%s\"}", refused);
        }
    }

    /** The first record that a reader of committed records gets, which it may have to wait for. */
    private List<String> readFirst(String topic) {
        try (var consumer = client.consumer(COMMITTED)) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            return Client.values(Client.read(consumer, 1));
        }
    }

    /** A transaction goes on over the end of the server: see Client for what is said and heard. */
    void killed() throws Exception {
        String topic = client.makeTopic("killed", 2);
        try (var producer = producer(Client.named("killed"), Map.of())) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, Client.numbers(0, 100));
            Client.askToKillServer();
            send(producer, topic, Client.numbers(100, 200));
            producer.commitTransaction();
            producer.beginTransaction();
            send(producer, topic, Client.numbers(200, 300));
            Client.askToKillServer();
            producer.abortTransaction();
            producer.beginTransaction();
            send(producer, topic, Client.numbers(300, 400));
            producer.commitTransaction();
            Client.askToKillServer();
        }
        List<String> kept = new ArrayList<>(Client.numbers(0, 200));
        kept.addAll(Client.numbers(300, 400));
        expectRecords(topic, COMMITTED, kept, "committed records");
        expectRecords(topic, ALL, Client.numbers(0, 400), "all records");
        Client.say("{\"committed\":%d}", kept.size());
    }

    private KafkaProducer<String, String> producer(String id, Map<String, String> options) {
        Map<String, String> all = new HashMap<>(options);
        all.put("transactional.id", id);
        return client.producer(all);
    }

    /** Sends values, which are numbers, to the partitions 0 and 1 by turns, or to the only one, and waits until they are there. */
    private static void send(KafkaProducer<String, String> producer, String topic, List<String> values) {
        int partitions = producer.partitionsFor(topic).size();
        values.forEach(value -> producer.send(new ProducerRecord<>(topic, Integer.parseInt(value) % partitions, null, value)));
        producer.flush();
    }

    /**
     * Reads every partition to its end, and until all that is wanted has come: a transaction is committed a moment before its
     * records are there for who asks for committed ones. Then compares: each record once, and each partition in order.
     */
    private void expectRecords(String topic, Map<String, String> isolation, List<String> wanted, String what) {
        List<ConsumerRecord<String, String>> found = new ArrayList<>();
        try (var consumer = client.consumer(isolation)) {
            var partitions = consumer.partitionsFor(topic).stream().map(each -> new TopicPartition(topic, each.partition())).toList();
            consumer.assign(partitions);
            long deadline = System.nanoTime() + Client.PATIENCE.toNanos();
            while ((found.size() < wanted.size() || !isAtEnd(consumer)) && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
            }
            for (var partition : partitions) {
                var its = found.stream().filter(record -> record.partition() == partition.partition()).map(ConsumerRecord::value).toList();
                var due = wanted.stream().filter(value -> Integer.parseInt(value) % partitions.size() == partition.partition()).toList();
                Client.expect(its, due, what + " of partition " + partition.partition());
            }
        }
    }

    private static boolean isAtEnd(KafkaConsumer<String, String> consumer) {
        return consumer.endOffsets(consumer.assignment()).entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    /** The name of the failure that `work` must end in. */
    private static String failureOf(Runnable work, Predicate<KafkaException> isRight) {
        try {
            work.run();
        } catch (KafkaException failure) {
            Client.expect(isRight.test(failure), true, "the failure " + failure);
            return failure.getClass().getSimpleName();
        }
        throw new AssertionError("it was granted");
    }
}
