"""What a stranger does with kafka-python: one scenario a run, JSON lines out, a reason on standard error.

usage: client.py BOOTSTRAP codecs|group|resume|time|admin|idempotent
       client.py BOOTSTRAP transactions|exactly_once|fencing|timeout|killed
       client.py BOOTSTRAP member TOPIC GROUP      one member of `group`, as a process of its own

CLIENT_OPTIONS in the environment has further arguments of every client, in JSON. `killed` says {"kill": "server"} when the server is to be killed, and goes on when it hears a line on standard input.
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import OffsetAndMetadata

PATIENCE_SECONDS = 60
# How to reach a server that asks who comes: arguments of every client.
SECURITY = json.loads(os.environ.get("CLIENT_OPTIONS", "{}"))
SESSION_MS = 6_000


def say(**what):
    print(json.dumps(what), flush=True)


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def named(scenario):
    return f"python.{scenario}.{uuid.uuid4().hex[:8]}"


def admin(bootstrap):
    return KafkaAdminClient(bootstrap_servers=bootstrap, **SECURITY)


def make_topic(bootstrap, name, partitions):
    client = admin(bootstrap)
    client.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}})
    client.close()


def producer(bootstrap, **options):
    return KafkaProducer(bootstrap_servers=bootstrap, acks="all", **options, **SECURITY)


def reader(bootstrap, **options):
    return KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, **options, **SECURITY)


def read(consumer, count):
    """The next `count` records, or as many as come in time."""
    found, deadline = [], time.monotonic() + PATIENCE_SECONDS
    while len(found) < count and time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=500, max_records=count - len(found)).values():
            found.extend(records)
    return found


def read_from_start(bootstrap, topic, count):
    consumer = reader(bootstrap)
    consumer.assign([TopicPartition(topic, 0)])
    found = read(consumer, count)
    consumer.close()
    return found


def codecs(bootstrap):
    for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
        topic = named("codecs")
        make_topic(bootstrap, topic, 1)
        sent = [(b"key %d" % n, b"value %d " % n * 20, [("n", b"%d" % n)]) for n in range(500)]
        client = producer(bootstrap, compression_type=codec, linger_ms=20)
        for key, value, headers in sent:
            client.send(topic, key=key, value=value, headers=headers, partition=0)
        client.flush()
        client.close()
        found = read_from_start(bootstrap, topic, len(sent))
        expect([(r.key, r.value, list(r.headers)) for r in found], sent, f"records in {codec}")
        expect([r.offset for r in found], list(range(len(sent))), f"offsets in {codec}")
        say(codec=codec or "none", records=len(found))


class Member:
    """A member as a child process: the partitions it has, and the values it has read."""

    def __init__(self, bootstrap, topic, group):
        command = [sys.executable, __file__, bootstrap, "member", topic, group]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.assigned, self.values = [], set()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if "assigned" in event:
                self.assigned = event["assigned"]
            else:
                self.values.add(event["value"])


def member(bootstrap, topic, group):
    consumer = reader(bootstrap, group_id=group, session_timeout_ms=SESSION_MS, heartbeat_interval_ms=500)
    consumer.subscribe([topic])
    assigned = []
    while True:
        polled = consumer.poll(timeout_ms=200)
        now_assigned = sorted(p.partition for p in consumer.assignment())
        if now_assigned != assigned:
            assigned = now_assigned
            say(assigned=assigned)
        for records in polled.values():
            for record in records:
                say(value=record.value.decode(), partition=record.partition, offset=record.offset)
        if polled:
            consumer.commit()


def wait_until(what, holds):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain: {what}")
        time.sleep(0.05)


def send_all(bootstrap, topic, values):
    client = producer(bootstrap)
    sent = [client.send(topic, value=value.encode(), partition=n % 4) for n, value in enumerate(values)]
    for one in sent:
        one.get(timeout=PATIENCE_SECONDS)
    client.close()


def group(bootstrap):
    topic, name = named("group"), named("group")
    make_topic(bootstrap, topic, 4)
    one, other = Member(bootstrap, topic, name), Member(bootstrap, topic, name)
    try:
        wait_until("two members share four partitions", lambda: len(one.assigned) == 2 and len(other.assigned) == 2)
        expect(sorted(one.assigned + other.assigned), [0, 1, 2, 3], "partitions shared")
        say(assigned=[one.assigned, other.assigned])
        first = [f"first {n}" for n in range(200)]
        send_all(bootstrap, topic, first)
        wait_until("both read everything together", lambda: one.values | other.values >= set(first))
        other.process.kill()
        second = [f"second {n}" for n in range(200)]
        send_all(bootstrap, topic, second)
        wait_until("the survivor has every partition", lambda: one.assigned == [0, 1, 2, 3])
        wait_until("nothing is lost", lambda: one.values | other.values >= set(first + second))
        say(survivor=one.assigned, records=len(first + second))
    finally:
        for process in (one.process, other.process):
            process.kill()
            process.wait()


def resume(bootstrap):
    topic, name = named("resume"), named("resume")
    make_topic(bootstrap, topic, 1)
    client = producer(bootstrap)
    for n in range(100):
        client.send(topic, value=b"%d" % n, partition=0)
    client.close()
    partition = TopicPartition(topic, 0)
    consumer = reader(bootstrap, group_id=name, max_poll_records=40)
    consumer.subscribe([topic])
    expect([r.value for r in read(consumer, 40)], [b"%d" % n for n in range(40)], "first part")
    consumer.commit({partition: OffsetAndMetadata(40, "noted: ä", -1)})
    consumer.close()
    consumer = reader(bootstrap, group_id=name)
    consumer.subscribe([topic])
    expect([r.value for r in read(consumer, 60)], [b"%d" % n for n in range(40, 100)], "the rest")
    committed = consumer.committed(partition, metadata=True)
    expect((committed.offset, committed.metadata), (40, "noted: ä"), "what was committed")
    consumer.close()
    say(resumed_at=committed.offset, metadata=committed.metadata)


def by_time(bootstrap):
    topic = named("time")
    make_topic(bootstrap, topic, 1)
    client = producer(bootstrap, linger_ms=20)
    begin = int(time.time() * 1000) - 1_000_000
    for n in range(100):
        client.send(topic, value=b"%d" % n, partition=0, timestamp_ms=begin + n * 1000)
    client.close()
    partition = TopicPartition(topic, 0)
    consumer = reader(bootstrap)
    consumer.assign([partition])
    found = consumer.offsets_for_times({partition: begin + 41_500})[partition]
    expect((found.offset, found.timestamp), (42, begin + 42_000), "first record at or after the time")
    consumer.seek(partition, found.offset)
    expect([r.value for r in read(consumer, 58)], [b"%d" % n for n in range(42, 100)], "records from there")
    late = consumer.offsets_for_times({partition: begin + 10_000_000})[partition]
    expect(late, None, "a time after the last record")
    expect(consumer.beginning_offsets([partition])[partition], 0, "beginning")
    expect(consumer.end_offsets([partition])[partition], 100, "end")
    consumer.close()
    say(offset=found.offset, timestamp=found.timestamp - begin)


def administer(bootstrap):
    topic, name = named("admin"), named("admin")
    client = admin(bootstrap)
    config = {"retention.ms": "86400000"}
    client.create_topics({topic: {"num_partitions": 3, "replication_factor": 1, "configs": config}})
    expect(topic in client.list_topics(), True, "topic is listed")
    described = client.describe_topics([topic])[0]
    expect(sorted(p["partition_index"] for p in described["partitions"]), [0, 1, 2], "partitions")
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    configs = client.describe_configs([resource], config_filter="all")["topic"][topic]
    expect(configs["retention.ms"]["value"], "86400000", "retention.ms")
    altered = {"compression.type": "gzip", "segment.ms": "60000", "flush.ms": "1000", "delete.retention.ms": "100", "message.timestamp.type": "LogAppendTime"}
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, altered)])
    configs = client.describe_configs([resource], config_filter="all")["topic"][topic]
    expect({name: configs[name]["value"] for name in altered}, altered, "settings changed")
    brokers = client.describe_cluster()["brokers"]
    expect(len(brokers), 1, "brokers")
    consumer = reader(bootstrap, group_id=name)
    consumer.subscribe([topic])
    wait_until("a member has the partitions", lambda: consumer.poll(timeout_ms=200) or len(consumer.assignment()) == 3)
    expect(name in [g["group_id"] for g in client.list_groups()], True, "group is listed")
    state = client.describe_groups([name])[name]
    expect((state["group_state"], len(state["members"])), ("Stable", 1), "group")
    consumer.close()
    client.delete_topics([topic])
    # By its id: the admin client asks for the metadata of what it has just deleted, with leave to make it again.
    wait_until("topic is gone", lambda: described["topic_id"] not in [t["topic_id"] for t in client.describe_topics()])
    client.close()
    say(partitions=3, brokers=len(brokers), group=state["group_state"])


def idempotent(bootstrap):
    topic = named("idempotent")
    make_topic(bootstrap, topic, 1)
    client = producer(bootstrap, enable_idempotence=True, linger_ms=5, batch_size=2048)
    sent = [client.send(topic, value=b"%d" % n, partition=0) for n in range(1000)]
    offsets = [one.get(timeout=PATIENCE_SECONDS).offset for one in sent]
    client.close()
    expect(offsets, list(range(1000)), "offsets acknowledged")
    found = read_from_start(bootstrap, topic, 1000)
    expect([r.value for r in found], [b"%d" % n for n in range(1000)], "records")
    say(records=len(found))


SCENARIOS = {
    "codecs": codecs,
    "group": group,
    "resume": resume,
    "time": by_time,
    "admin": administer,
    "idempotent": idempotent,
    "member": member,
}

if __name__ == "__main__":
    import transactions

    scenarios = SCENARIOS | transactions.SCENARIOS
    if len(sys.argv) < 3 or sys.argv[2] not in scenarios:
        sys.exit(__doc__)
    try:
        scenarios[sys.argv[2]](sys.argv[1], *sys.argv[3:])
    except AssertionError as failure:
        sys.exit(f"{sys.argv[2]}: {failure}")
