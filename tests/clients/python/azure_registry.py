"""What a stranger does with Azure's Python client of its schema registry and its encoders: one scenario a run, JSON lines out.

usage: azure_registry.py BOOTSTRAP client|avro|json

SCHEMA_REGISTRY in the environment is the address of the registry, which speaks TLS; SSL_CA the file of its authority.
"""

import json
import os
import sys
import uuid

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.schemaregistry import SchemaFormat, SchemaRegistryClient
from azure.schemaregistry.encoder.avroencoder import AvroEncoder
from azure.schemaregistry.encoder.jsonencoder import JsonSchemaEncoder
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE_SECONDS = 60
DRAFT = "http://json-schema.org/draft-07/schema#"
USER = """{ "namespace": "example.avro", "type": "record",
    "name": "User", "fields": [ {"name": "name", "type": "string"}, {"name": "number", "type": ["int", "null"]} ] }"""
USER_WITH_COLOUR = USER.replace("] }", ', {"name": "colour", "type": "string", "default": "red"} ] }')
INCOMPATIBLE = USER.replace('"name": "name"', '"name": "surname"')
PERSON = json.dumps(
    {
        "$schema": DRAFT,
        "title": "Person",
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
        "required": ["name"],
    }
)


class Anyone:
    """A credential for a registry that asks for none."""

    def get_token(self, *_, **__):
        return AccessToken("none", 4102444800)


def say(**what):
    print(json.dumps(what), flush=True)


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def refused(kind, call, status, code):
    try:
        call()
    except kind as error:
        expect((error.status_code, error.error.code), (status, code), "the refusal")
        expect(error.response.headers["x-ms-error-code"], code, "its header")
        return error
    raise AssertionError(f"{code} was expected")


def registry(**settings):
    address = os.environ["SCHEMA_REGISTRY"].removeprefix("https://")
    return SchemaRegistryClient(address, Anyone(), connection_verify=os.environ["SSL_CA"], **settings)


def new_group():
    return f"group-{uuid.uuid4().hex[:8]}"


def client(_):
    """The client's own calls, one after another."""
    group, name = new_group(), "example.avro.User"
    with registry() as client:
        first = client.register_schema(group, name, USER, SchemaFormat.AVRO)
        expect((first.group_name, first.name, first.version), (group, name, 1), "the registration")
        expect(client.register_schema(group, name, USER, "avro").id, first.id, "the same again")
        expect(client.get_schema_properties(group, name, USER, "Avro").id, first.id, "by its definition")
        found = client.get_schema(first.id)
        expect((found.definition, found.properties.format), (USER, SchemaFormat.AVRO), "by its id")
        second = client.register_schema(group, name, USER_WITH_COLOUR, SchemaFormat.AVRO)
        expect(second.version, 2, "another version")
        expect(client.get_schema(group_name=group, name=name, version=2).definition, USER_WITH_COLOUR, "a version")
        generated = client._generated_client
        expect(list(generated.list_schema_versions(group, name)), [1, 2], "versions")
        expect(group in generated.list_schema_groups(), True, "groups")

        for wrong, kind, status, code in [
            (lambda: client.get_schema("fakeschemaid"), HttpResponseError, 400, "InvalidRequest"),
            (lambda: client.get_schema("0" * 32), ResourceNotFoundError, 404, "ItemNotFound"),
            (lambda: client.get_schema(group_name=group, name=name, version=9), ResourceNotFoundError, 404, "ItemNotFound"),
            (lambda: client.get_schema_properties(group, "never", USER, "Avro"), ResourceNotFoundError, 404, "ItemNotFound"),
            (lambda: client.register_schema(group, name, "", "Avro"), HttpResponseError, 400, "InvalidRequest"),
            (lambda: client.register_schema(group, name, "{}", "Avro"), HttpResponseError, 400, "InvalidRequest"),
            (lambda: client.register_schema(group, name, USER, "invalid-format"), HttpResponseError, 415, "InvalidSchemaType"),
            (lambda: client.register_schema(group, name, PERSON, "Json"), HttpResponseError, 415, "InvalidSchemaType"),
            (lambda: client.register_schema(group, name, INCOMPATIBLE, "Avro"), ResourceExistsError, 409, "Conflict"),
        ]:
            refused(kind, wrong, status, code)
    for version in ["2021-10", "2023-07-01"]:
        with registry(api_version=version) as client:
            expect(client.get_schema(first.id).definition, USER, f"API {version}")
    say(id=first.id)


def through_kafka(bootstrap, topic, message):
    """Sends a message's content, with its content type beside it, and gives what comes back; over TLS as well."""
    security = {"bootstrap.servers": bootstrap, "security.protocol": "SSL", "ssl.ca.location": os.environ["SSL_CA"]}
    admin = AdminClient(security)
    admin.create_topics([NewTopic(topic, 1)])[topic].result(PATIENCE_SECONDS)
    producer = Producer(security)
    producer.produce(topic, message["content"], headers={"content-type": message["content_type"]})
    expect(producer.flush(PATIENCE_SECONDS), 0, "unsent")
    consumer = Consumer({**security, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found = consumer.poll(PATIENCE_SECONDS)
    consumer.close()
    expect(found.error(), None, "an error")
    return {"content": found.value(), "content_type": dict(found.headers())["content-type"].decode()}


def avro(bootstrap):
    group, user = new_group(), {"name": "Ada", "number": 7}
    with registry() as client, AvroEncoder(client=client, group_name=group, auto_register=True) as encoder:
        message = encoder.encode(user, schema=USER)
        properties = client.get_schema_properties(group, "example.avro.User", USER, "Avro")
        expect(message["content_type"], f"avro/binary+{properties.id}", "the content type")
        received = through_kafka(bootstrap, f"azure.{group}", message)
        expect(received, message, "what came back")
        expect(encoder.decode(received), user, "decoded")
        newer = encoder.decode(received, readers_schema=USER_WITH_COLOUR)
        expect(newer, {**user, "colour": "red"}, "decoded with a newer schema")
    # Without auto_register a schema is found that is there.
    with registry() as client, AvroEncoder(client=client, group_name=group) as encoder:
        expect(encoder.encode(user, schema=USER), message, "encoded with a registered schema")
        refused(ResourceNotFoundError, lambda: encoder.encode({**user, "colour": "red"}, schema=USER_WITH_COLOUR), 404, "ItemNotFound")
    say(id=properties.id)


def json_schema(bootstrap):
    group, person = new_group(), {"name": "Ada", "age": 36}
    with registry() as client:
        registered = client.register_schema(group, "Person", PERSON, SchemaFormat.JSON)
        with JsonSchemaEncoder(client=client, validate=DRAFT, group_name=group) as encoder:
            message = encoder.encode(person, schema=PERSON)
            expect(message["content_type"].endswith(f"+{registered.id}"), True, message["content_type"])
            received = through_kafka(bootstrap, f"azure.{group}", message)
            expect(encoder.decode(received), person, "decoded")
            expect(encoder.encode(person, schema_id=registered.id), message, "by the schema's id")
    say(id=registered.id)


SCENARIOS = {"client": client, "avro": avro, "json": json_schema}

if __name__ == "__main__":
    SCENARIOS[sys.argv[2]](sys.argv[1])
