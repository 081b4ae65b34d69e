"""What a stranger does with Confluent's Python client and its serialisers: one scenario a run, JSON lines out.

usage: registry.py BOOTSTRAP avro|json|protobuf|references|evolution|client

SCHEMA_REGISTRY in the environment is the address of the registry.
"""

import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import (
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    header_schema_id_serializer,
    record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PATIENCE_SECONDS = 60

MONEY = {"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}
ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
ORDER_JSON = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Order",
    "type": "object",
    "properties": {"id": {"type": "string"}, "amount": {"type": "integer", "minimum": 1}},
    "required": ["id", "amount"],
    "additionalProperties": False,
}


def say(**what):
    print(json.dumps(what), flush=True)


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def registry():
    return SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY"]})


def make_topic(bootstrap, scenario):
    topic = f"registry.{scenario}.{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1)])[topic].result()
    return topic


def send(bootstrap, topic, values, serializer, headers=None):
    producer, failed = Producer({"bootstrap.servers": bootstrap}), []
    for value in values:
        context = SerializationContext(topic, MessageField.VALUE, headers=headers)
        payload = serializer(value, context)
        report = lambda error, _: failed.append(error) if error else None
        producer.produce(topic, payload, on_delivery=report, headers=headers)
    expect(producer.flush(PATIENCE_SECONDS), 0, "unsent")
    expect(failed, [], "refused")


def receive(bootstrap, topic, count, deserializer):
    group = {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer, found, deadline = Consumer(group), [], time.monotonic() + PATIENCE_SECONDS
    consumer.subscribe([topic])
    while len(found) < count and time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            raise AssertionError(str(message.error()))
        context = SerializationContext(topic, MessageField.VALUE, headers=message.headers())
        found.append(deserializer(message.value(), context))
    consumer.close()
    return found


def avro(bootstrap):
    from decimal import Decimal

    topic, client = make_topic(bootstrap, "avro"), registry()
    orders = [
        {"id": f"o{n}", "total": Decimal(n) / 4, "note": None if n % 2 else "n"} for n in range(200)
    ]
    send(bootstrap, topic, orders, AvroSerializer(client, json.dumps(ORDER)))
    found = receive(bootstrap, topic, len(orders), AvroDeserializer(registry()))
    expect(found, orders, "what came back")
    latest = client.get_latest_version(f"{topic}-value")
    expect((latest.version, latest.schema.schema_type), (1, "AVRO"), "what was registered")
    # The schema's GUID in a header, and the payload without a prefix.
    topic = make_topic(bootstrap, "guid")
    headers = []
    serializer = AvroSerializer(
        client, json.dumps(ORDER), conf={"schema.id.serializer": header_schema_id_serializer}
    )
    send(bootstrap, topic, orders[:1], serializer, headers)
    expect([name for name, _ in headers], ["__value_schema_id"], "headers")
    expect(receive(bootstrap, topic, 1, AvroDeserializer(registry())), orders[:1], "by its GUID")
    say(values=len(orders), guid=latest.guid)


def json_schema(bootstrap):
    topic, client = make_topic(bootstrap, "json"), registry()
    orders = [{"id": f"o{n}", "amount": n + 1} for n in range(200)]
    text = json.dumps(ORDER_JSON)
    send(bootstrap, topic, orders, JSONSerializer(text, client))
    found = receive(bootstrap, topic, len(orders), JSONDeserializer(None, schema_registry_client=registry()))
    expect(found, orders, "what came back")
    found = client.lookup_schema(f"{topic}-value", Schema(text, "JSON"))
    expect((found.version, found.schema.schema_type), (1, "JSON"), "what was registered")
    say(values=len(orders))


def message_classes():
    """Messages without a compiler: a file that imports another."""
    money = descriptor_pb2.FileDescriptorProto(name="shop/money.proto", package="shop", syntax="proto3")
    cents = money.message_type.add(name="Money").field.add(name="cents", number=1)
    cents.type, cents.label = cents.TYPE_INT64, cents.LABEL_OPTIONAL
    order = descriptor_pb2.FileDescriptorProto(name="shop/order.proto", package="shop", syntax="proto3")
    order.dependency.append("shop/money.proto")
    order.message_type.add(name="First")
    message = order.message_type.add(name="Order")
    name = message.field.add(name="id", number=1)
    name.type, name.label = name.TYPE_STRING, name.LABEL_OPTIONAL
    total = message.field.add(name="total", number=2, type_name=".shop.Money")
    total.type, total.label = total.TYPE_MESSAGE, total.LABEL_OPTIONAL
    pool = descriptor_pool.Default()
    pool.Add(money)
    pool.Add(order)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


def protobuf(bootstrap):
    topic, client, order = make_topic(bootstrap, "protobuf"), registry(), message_classes()
    orders = [order(id=f"o{n}", total={"cents": n}) for n in range(200)]
    send(bootstrap, topic, orders, ProtobufSerializer(order, client))
    found = receive(
        bootstrap, topic, len(orders), ProtobufDeserializer(order, {"use.deprecated.format": False}, registry())
    )
    expect(found, orders, "what came back")
    latest = client.get_latest_version(f"{topic}-value")
    expect(latest.schema.schema_type, "PROTOBUF", "what was registered")
    expect([r.name for r in latest.schema.references], ["shop/money.proto"], "what it refers to")
    say(values=len(orders), text=latest.schema.schema_str)


def references(bootstrap):
    topic, client = make_topic(bootstrap, "references"), registry()
    client.register_schema("shop.Money", Schema(json.dumps(MONEY), "AVRO"))
    text = json.dumps(
        {"type": "record", "name": "Cart", "namespace": "shop", "fields": [{"name": "total", "type": "shop.Money"}]}
    )
    schema = Schema(text, "AVRO", [SchemaReference("shop.Money", "shop.Money", 1)])
    carts = [{"total": {"cents": n}} for n in range(20)]
    send(bootstrap, topic, carts, AvroSerializer(client, schema))
    expect(receive(bootstrap, topic, len(carts), AvroDeserializer(registry())), carts, "what came back")
    by_record = AvroSerializer(
        client, json.dumps(ORDER), conf={"subject.name.strategy": record_subject_name_strategy}
    )
    from decimal import Decimal

    by_record({"id": "a", "total": Decimal(1), "note": None}, SerializationContext(topic, MessageField.VALUE))
    expect("shop.Order" in client.get_subjects(), True, "a subject named after the record")
    say(values=len(carts))


def evolution(bootstrap):
    topic, client = make_topic(bootstrap, "evolution"), registry()
    subject = f"{topic}-value"
    old = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}
    new = {"type": "record", "name": "R", "fields": old["fields"] + [{"name": "b", "type": "int", "default": 7}]}
    broken = {"type": "record", "name": "R", "fields": old["fields"] + [{"name": "c", "type": "int"}]}
    send(bootstrap, topic, [{"a": "1"}], AvroSerializer(client, json.dumps(old)))
    expect(client.test_compatibility(subject, Schema(json.dumps(new), "AVRO")), True, "a field with a default")
    expect(client.test_compatibility(subject, Schema(json.dumps(broken), "AVRO")), False, "a field without one")
    try:
        send(bootstrap, topic, [{"a": "2", "c": 1}], AvroSerializer(client, json.dumps(broken)))
        raise AssertionError("an incompatible schema was registered")
    except SchemaRegistryError as error:
        expect((error.http_status_code, error.error_code), (409, 409), "the refusal")
    send(bootstrap, topic, [{"a": "3", "b": 1}], AvroSerializer(client, json.dumps(new)))
    found = receive(bootstrap, topic, 2, AvroDeserializer(registry(), json.dumps(new)))
    expect(found, [{"a": "1", "b": 7}, {"a": "3", "b": 1}], "both versions, read as the new one")
    say(values=2)


def client(_):
    """The client's own calls, one after another."""
    client, subject = registry(), f"client.{uuid.uuid4().hex[:8]}"
    first = client.register_schema(subject, Schema('"string"', "AVRO"))
    expect(client.register_schema(subject, Schema('"string"', "AVRO")), first, "the same again")
    expect(client.get_schema(first).schema_str, '"string"', "by its id")
    expect(client.get_versions(subject), [1], "versions")
    expect(client.get_version(subject, 1).schema_id, first, "a version")
    expect(client.get_compatibility(), "BACKWARD", "the default level")
    client.set_compatibility(subject, "NONE")
    expect(client.get_compatibility(subject), "NONE", "a level")
    client.register_schema(subject, Schema('"int"', "AVRO"))
    expect(client.delete_version(subject, 1), 1, "a deleted version")
    expect(client.delete_subject(subject), [2], "a deleted subject")
    expect(subject in client.get_subjects(), False, "a deleted subject is not listed")
    expect(client.delete_subject(subject, permanent=True), [1, 2], "gone for good")
    for wrong, code in [(lambda: client.get_latest_version(subject), 40401), (lambda: client.get_schema(10**6), 40403)]:
        try:
            wrong()
            raise AssertionError(f"{code} was expected")
        except SchemaRegistryError as error:
            expect(error.error_code, code, "an error")
    say(id=first)


SCENARIOS = {
    "avro": avro,
    "json": json_schema,
    "protobuf": protobuf,
    "references": references,
    "evolution": evolution,
    "client": client,
}

if __name__ == "__main__":
    SCENARIOS[sys.argv[2]](sys.argv[1])
