"""What transactional producers and those who read after them may rely on, by kafka-python."""

import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, ProducerFencedError
from kafka.structs import OffsetAndMetadata

from client import PATIENCE_SECONDS, expect, make_topic, named, read, say, wait_until

COMMITTED, ALL = "read_committed", "read_uncommitted"


def producer(bootstrap, transactional_id, **options):
    return KafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id, **options)


def reader(bootstrap, isolation, **options):
    return KafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation, auto_offset_reset="earliest", enable_auto_commit=False, **options)


def send(client, topic, values):
    """Sends numbers to the partitions by turns, and waits until they are there."""
    partitions = len(client.partitions_for(topic))
    sent = [client.send(topic, value=b"%d" % value, partition=value % partitions) for value in values]
    for one in sent:
        one.get(timeout=PATIENCE_SECONDS)


def expect_records(bootstrap, topic, isolation, wanted, what):
    """Reads every partition to its end, and until all that is wanted has come: a transaction is committed a moment before its
    records are there for who asks for committed ones. Then compares: each record once, and each partition in order.
    """
    wanted = list(wanted)
    consumer = reader(bootstrap, isolation)
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    found = {partition: [] for partition in partitions}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (sum(map(len, found.values())) < len(wanted) or not is_at_end(consumer, partitions)) and time.monotonic() < deadline:
        for partition, records in consumer.poll(timeout_ms=100).items():
            found[partition].extend(int(record.value) for record in records)
    consumer.close()
    for partition in partitions:
        due = [value for value in wanted if value % len(partitions) == partition.partition]
        expect(found[partition], due, f"{what} of partition {partition.partition}")


def is_at_end(consumer, partitions):
    return all(consumer.position(partition) >= end for partition, end in consumer.end_offsets(partitions).items())


def refusal(work, kind=KafkaError):
    """The name of the error that `work` must end in."""
    try:
        work()
    except kind as refused:
        return type(refused).__name__
    raise AssertionError("it was granted")


def committed_and_aborted(bootstrap):
    """Who asks for committed records gets all of them in their order and no others, and nothing of a transaction that is open."""
    topic = named("transactions")
    make_topic(bootstrap, topic, 2)
    client = producer(bootstrap, topic)
    client.init_transactions()
    sent, kept = [], []
    for transaction in range(20):
        values = list(range(transaction * 10, transaction * 10 + 10))
        client.begin_transaction()
        send(client, topic, values)
        sent += values
        if transaction % 3 == 1:
            client.abort_transaction()
        else:
            client.commit_transaction()
            kept += values
    expect_records(bootstrap, topic, COMMITTED, kept, "committed records")
    expect_records(bootstrap, topic, ALL, sent, "all records")
    client.begin_transaction()
    send(client, topic, [1000, 1001])
    expect_records(bootstrap, topic, COMMITTED, kept, "committed records beside an open transaction")
    expect_records(bootstrap, topic, ALL, sent + [1000, 1001], "all records beside an open transaction")
    client.commit_transaction()
    expect_records(bootstrap, topic, COMMITTED, kept + [1000, 1001], "committed records of the last transaction")
    client.close()
    say(committed=len(kept) + 2, sent=len(sent) + 2)


def exactly_once(bootstrap):
    """Offsets and records of a transaction are kept together or not at all."""
    source, target = named("exactly_once.source"), named("exactly_once.target")
    make_topic(bootstrap, source, 1)
    make_topic(bootstrap, target, 1)
    plain = KafkaProducer(bootstrap_servers=bootstrap)
    send(plain, source, range(100))
    plain.close()
    partition = TopicPartition(source, 0)
    consumer = reader(bootstrap, COMMITTED, group_id=source, max_poll_records=10)
    consumer.subscribe([source])
    client = producer(bootstrap, source)
    client.init_transactions()
    done, rounds, aborted = 0, 0, 0
    while done < 100:
        records = consumer.poll(timeout_ms=500).get(partition, [])
        if not records:
            continue
        after = records[-1].offset + 1
        client.begin_transaction()
        send(client, target, [int(record.value) for record in records])
        client.send_offsets_to_transaction({partition: OffsetAndMetadata(after, "of a transaction", -1)}, consumer.group_metadata())
        if rounds % 3 == 1:
            client.abort_transaction()
            consumer.seek(partition, done)
            aborted += 1
        else:
            client.commit_transaction()
            done = after
        rounds += 1
        wait_until("the offset is that of what was committed", lambda: (consumer.committed(partition) or 0) == done)
    consumer.close()
    client.close()
    expect_records(bootstrap, target, COMMITTED, range(100), "records made of records")
    say(records=100, aborted=aborted)


def fencing(bootstrap):
    """A second producer of the same name ends what the first had begun, and the first can do no more."""
    topic = named("fencing")
    make_topic(bootstrap, topic, 2)
    zombie, successor = producer(bootstrap, topic), producer(bootstrap, topic)
    zombie.init_transactions()
    zombie.begin_transaction()
    send(zombie, topic, [0, 1])
    successor.init_transactions()
    successor.begin_transaction()
    send(successor, topic, [2, 3])
    refused = refusal(zombie.commit_transaction, ProducerFencedError)
    successor.commit_transaction()
    expect_records(bootstrap, topic, COMMITTED, [2, 3], "records of the successor")
    successor.close()
    say(refused=refused)


def timeout(bootstrap):
    """A transaction that is not ended in time is aborted, and holds up readers no longer."""
    topic = named("timeout")
    make_topic(bootstrap, topic, 1)
    slow, other = producer(bootstrap, topic, transaction_timeout_ms=3_000), KafkaProducer(bootstrap_servers=bootstrap)
    slow.init_transactions()
    slow.begin_transaction()
    send(slow, topic, [0])
    send(other, topic, [1])
    other.close()
    consumer = reader(bootstrap, COMMITTED)
    consumer.assign([TopicPartition(topic, 0)])
    expect([record.value for record in read(consumer, 1)], [b"1"], "records behind the transaction")
    consumer.close()
    refused = refusal(slow.commit_transaction)
    expect_records(bootstrap, topic, COMMITTED, [1], "records without the transaction")
    say(refused=refused)


def killed(bootstrap):
    """A transaction goes on over the end of the server: see client.py for what is said and heard."""
    topic = named("killed")
    make_topic(bootstrap, topic, 2)
    client = producer(bootstrap, topic)
    client.init_transactions()
    client.begin_transaction()
    send(client, topic, range(100))
    ask_to_kill_server()
    send(client, topic, range(100, 200))
    client.commit_transaction()
    client.begin_transaction()
    send(client, topic, range(200, 300))
    ask_to_kill_server()
    client.abort_transaction()
    client.begin_transaction()
    send(client, topic, range(300, 400))
    client.commit_transaction()
    client.close()
    ask_to_kill_server()
    kept = [*range(200), *range(300, 400)]
    expect_records(bootstrap, topic, COMMITTED, kept, "committed records")
    expect_records(bootstrap, topic, ALL, range(400), "all records")
    say(committed=len(kept))


def ask_to_kill_server():
    """Has the caller that runs this program kill the server and start it again."""
    say(kill="server")
    expect(sys.stdin.readline() != "", True, "someone says that the server is there again")


SCENARIOS = {
    "transactions": committed_and_aborted,
    "exactly_once": exactly_once,
    "fencing": fencing,
    "timeout": timeout,
    "killed": killed,
}
