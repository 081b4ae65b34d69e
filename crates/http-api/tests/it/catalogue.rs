//! The catalogue of events: found, described, with those who make and read them.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect;
use factum_eventlog::{EventLog, Membership};
use factum_governance::{Definitions, EventDefinition, FeedDefinition, Format, TeamDefinition};
use factum_types::{GroupId, TopicName};
use serde_json::json;

use crate::rules::{add, by_rules, send_as, user};
use crate::support::{Server, Setup, definition};
use crate::views;

const SALE: &str = r#"{"type": "object", "required": ["product", "quantity", "at"], "properties": {
    "product": {"type": "integer", "examples": [7]}, "quantity": {"type": "integer", "minimum": 1},
    "price": {"type": "number", "multipleOf": 0.01}, "big": {"type": "integer"},
    "at": {"type": "string", "format": "date-time"}}}"#;
const RETURN: &str = r#"{"type":"record","name":"Return","namespace":"store","fields":[
    {"name":"email","type":"string"},{"name":"reason","type":["null","string"],"default":null}]}"#;
const REFUND: &str =
    "syntax = \"proto3\"; package store; message Refund { string email = 1; int64 cents = 2; }";

pub(crate) fn event(topic: &str, format: Format, contract: &str) -> EventDefinition {
    EventDefinition {
        format,
        contract: Some(contract.into()),
        schema: Some(format!("teams/store/events/{topic}").into()),
        event_type: format!("com.contoso.{topic}"),
        ..definition(topic, None)
    }
}

/// Declares events of three formats, one of them secret by its name, and the views over one.
pub(crate) async fn start(setup: Setup) -> Server {
    let server = views::start(setup).await;
    let mut declared = Definitions::new();
    declared.insert(EventDefinition {
        time: Some("at".to_owned()),
        key: Some("product".to_owned()),
        ..event("store.sales", Format::Json, SALE)
    });
    declared.insert(event("store.returns", Format::Avro, RETURN));
    declared.insert(event("store.refunds", Format::Protobuf, REFUND));
    declared.insert(definition("store.secrets", None));
    declared.insert(TeamDefinition {
        name: "store".parse().expect("a name"),
        project: "contoso".to_owned(),
        summary: Some("Sells films.".to_owned()),
        contact: Some("#store".to_owned()),
        members: Vec::new(),
    });
    let feed: FeedDefinition = serde_json::from_value(json!({"name": "store.shoppers", "team": "store",
        "project": "contoso", "generate": "orders", "into": "store.sales", "rate": "1/s", "seed": 1, "customers": 5}))
    .expect("a feed");
    declared.insert(feed);
    server.catalogue.replace(&declared.into());
    server
}

/// Commits an offset of a topic for a group.
pub(crate) async fn reads(server: &Server, group: &str, topic: &str) {
    let membership = Membership {
        group: GroupId::new(group).expect("a name"),
        topics: vec![TopicName::new(topic).expect("a name")],
        client_id: "test".to_owned(),
        session_timeout: Duration::from_secs(30),
        start_at_latest: false,
    };
    let mut member = server.broker.join(membership).await.expect("joined");
    member.poll(Duration::ZERO).await.expect("polled");
    member.leave().await.expect("left");
    let body = json!({"topic": topic, "to": "earliest", "create": true}).to_string();
    let moved = server.post_json(&format!("/api/v1/groups/{group}/offsets"), &body).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
}

async fn topics(server: &Server, query: &str) -> String {
    let answer = server.get(&format!("/api/v1/events{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = answer.json();
    let topics = list["events"].as_array().expect("events").iter();
    let topics: Vec<_> = topics.map(|event| event["topic"].as_str().expect("a topic")).collect();
    format!("{} of {}", topics.join(" "), list["total"])
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_words_of_their_names_their_summary_and_their_schema() {
    let server = start(Setup::default()).await;
    let mut shown = String::new();
    for query in [
        "",
        "?search=RETURNS",
        "?search=email",
        "?search=cents+email",
        "?search=protobuf",
        "?search=customer+refund",
        "?search=nothing+email",
        "?search=+",
        "?team=store&limit=2&offset=1",
        "?team=other",
        "?offset=9",
    ] {
        writeln!(shown, "{query}: {}", topics(&server, query).await).expect("text grows");
    }
    let long = "x".repeat(401);
    for query in [
        "?limit=0",
        "?limit=1001",
        "?q=a",
        &format!("?search={long}"),
        &format!("?search={}", "a+".repeat(17)),
    ] {
        writeln!(shown, "{}", server.get(&format!("/api/v1/events{query}")).await.problem())
            .expect("text grows");
    }
    expect![[r#"
        : store.refunds store.returns store.sales store.secrets of 4
        ?search=RETURNS: store.returns of 1
        ?search=email: store.refunds store.returns of 2
        ?search=cents+email: store.refunds of 1
        ?search=protobuf: store.refunds of 1
        ?search=customer+refund: store.refunds of 1
        ?search=nothing+email:  of 0
        ?search=+: store.refunds store.returns store.sales store.secrets of 4
        ?team=store&limit=2&offset=1: store.returns store.sales of 4
        ?team=other:  of 0
        ?offset=9:  of 4
        400 limit: "0" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        400 limit: "1001" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        400 there is no parameter q; it takes search, team, offset, limit {"in":"query"}
        400 search: too long: at most 16 words and 400 bytes {"in":"query"}
        400 search: too long: at most 16 words and 400 bytes {"in":"query"}
    "#]]
    .assert_eq(&shown);
    let all = server.get("/api/v1/events?limit=1").await;
    expect![[r#"
        200 {"events":[{"topic":"store.refunds","event_type":"com.contoso.store.refunds","team":"store","project":"contoso","summary":"A customer paid for an order.","format":"protobuf","has_schema":true,"versions":0,"producers":0,"consumers":0}],"total":4}
    "#]].assert_eq(&all.line());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_with_its_schema_an_example_and_those_who_make_and_read_it() {
    let server = start(Setup::default()).await;
    views::sell(&server, &[(1, 2)]).await;
    let event = json!({"specversion": "1.0", "id": "1", "source": "/shop/till", "type": "sale",
        "data": {"product": 1, "quantity": 1, "at": "2026-11-20T09:59:00Z"}});
    let sent = server
        .send(
            "POST",
            "/events/store.sales",
            &[("content-type", "application/cloudevents+json")],
            event.to_string(),
        )
        .await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    reads(&server, "mailer", "store.sales").await;
    let shown = server.get("/api/v1/events/store.sales").await;
    expect![[r##"
        {
          "topic": "store.sales",
          "event_type": "com.contoso.store.sales",
          "team": "store",
          "project": "contoso",
          "summary": "A customer paid for an order.",
          "format": "json",
          "has_schema": true,
          "versions": 0,
          "producers": 3,
          "consumers": 3,
          "contact": "#store",
          "source": "/contoso/store",
          "key": "product",
          "time": "at",
          "schema": {
            "schema_type": "JSON",
            "text": "{\"type\": \"object\", \"required\": [\"product\", \"quantity\", \"at\"], \"properties\": {\n    \"product\": {\"type\": \"integer\", \"examples\": [7]}, \"quantity\": {\"type\": \"integer\", \"minimum\": 1},\n    \"price\": {\"type\": \"number\", \"multipleOf\": 0.01}, \"big\": {\"type\": \"integer\"},\n    \"at\": {\"type\": \"string\", \"format\": \"date-time\"}}}",
            "file": "teams/store/events/store.sales"
          },
          "subject": "store.sales-value",
          "subject_versions": [],
          "example": {
            "product": 7,
            "quantity": 1,
            "price": 9.5,
            "big": 1,
            "at": "2026-11-20T10:00:00Z"
          },
          "has_topic": true,
          "made_by": [
            {
              "kind": "feed",
              "name": "store.shoppers"
            },
            {
              "kind": "source",
              "name": "/contoso/store"
            },
            {
              "kind": "source",
              "name": "/shop/till"
            }
          ],
          "read_by": [
            {
              "kind": "group",
              "name": "mailer",
              "state": "Empty",
              "members": 0,
              "lag": "2"
            },
            {
              "kind": "view",
              "name": "store.day",
              "fields": [
                "at"
              ]
            },
            {
              "kind": "view",
              "name": "store.top",
              "fields": [
                "product",
                "quantity",
                "price",
                "big",
                "at"
              ]
            }
          ]
        }"##]].assert_eq(&serde_json::to_string_pretty(&shown.json()).expect("JSON"));
    let by_type = server.get("/api/v1/events/com.contoso.store.sales").await;
    assert_eq!(by_type.json(), shown.json());
    let list = server.get("/api/v1/events?search=sales").await.json();
    assert_eq!((&list["events"][0]["producers"], &list["events"][0]["consumers"]), (&json!(1), &json!(3)));
    expect![[r#"404 no event is declared of topic or type store.sale; did you mean store.sales? {"near":"store.sales"}"#]].assert_eq(&server.get("/api/v1/events/store.sale").await.problem());
    assert_eq!(server.get("/api/v1/events/a%20b").await.status, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_are_made_from_schemas_of_every_format_and_are_accepted() {
    let server = start(Setup::default()).await;
    let schema = json!({"schema": RETURN}).to_string();
    assert_eq!(server.post_json("/subjects/store.returns-value/versions", &schema).await.status, 200);
    let schema = json!({"schema": REFUND, "schemaType": "PROTOBUF"}).to_string();
    assert_eq!(server.post_json("/subjects/store.free-value/versions", &schema).await.status, 200);
    let mut shown = String::new();
    for topic in ["store.sales", "store.returns", "store.refunds", "store.secrets"] {
        let event = server.get(&format!("/api/v1/events/{topic}")).await.json();
        let sample = server.get(&format!("/api/v1/topics/{topic}/sample")).await.json();
        assert_eq!(event["example"], sample["data"]);
        let (versions, schema) = (&event["subject_versions"], &event["schema"]["schema_type"]);
        writeln!(shown, "{topic}: {schema} {versions} {}", event["example"]).expect("text grows");
    }
    for topic in ["store.free", "store.unknown"] {
        let sample = server.get(&format!("/api/v1/topics/{topic}/sample")).await;
        writeln!(shown, "{topic}: {}", sample.line()).expect("text grows");
    }
    expect![[r#"
        store.sales: "JSON" [] {"product":7,"quantity":1,"price":9.5,"big":1,"at":"2026-11-20T10:00:00Z"}
        store.returns: "AVRO" [{"version":1,"id":1,"schema_type":"AVRO"}] {"email":"ada@example.com","reason":"reason-1"}
        store.refunds: "PROTOBUF" [] {"email":"ada@example.com","cents":"1"}
        store.secrets: null [] {"hello":"world"}
        store.free: 200 {"data":{"email":"ada@example.com","cents":"1"}}

        store.unknown: 200 {"data":null}

    "#]].assert_eq(&shown);
    for topic in ["store.sales", "store.returns", "store.free"] {
        let data = server.get(&format!("/api/v1/topics/{topic}/sample")).await.json()["data"].to_string();
        let sent = server.post_json(&format!("/events/{topic}"), &data).await;
        assert_eq!(sent.status, 202, "{topic} {data}: {}", sent.text());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_groups_and_views_that_a_caller_may_not_know_of_are_absent() {
    let server = start(by_rules()).await;
    for name in ["admin", "ann", "bob"] {
        user(&server, name).await;
    }
    add(
        &server,
        &[
            "allow describe topic store.sales literal User:ann",
            "allow describe topic store.returns literal User:ann",
        ],
    )
    .await;
    let mut shown = String::new();
    for (name, path) in [
        ("ann", "/api/v1/events?limit=10"),
        ("ann", "/api/v1/events?search=secrets"),
        ("bob", "/api/v1/events"),
        ("bob", "/api/v1/events/store.sales"),
        ("bob", "/api/v1/events/com.contoso.store.sales"),
        ("ann", "/api/v1/events/store.secrets"),
        ("ann", "/api/v1/events/com.contoso.store.secrets"),
    ] {
        let answer = send_as(&server, name, "GET", path, "").await;
        writeln!(shown, "{name} {path}: {}", answer.line()).expect("text grows");
    }
    expect![[r#"
        ann /api/v1/events?limit=10: 200 {"events":[{"topic":"store.returns","event_type":"com.contoso.store.returns","team":"store","project":"contoso","summary":"A customer paid for an order.","format":"avro","has_schema":true,"versions":0,"producers":0,"consumers":0},{"topic":"store.sales","event_type":"com.contoso.store.sales","team":"store","project":"contoso","summary":"A customer paid for an order.","format":"json","has_schema":true,"versions":0,"producers":1,"consumers":0}],"total":2}

        ann /api/v1/events?search=secrets: 200 {"events":[],"total":0}

        bob /api/v1/events: 200 {"events":[],"total":0}

        bob /api/v1/events/store.sales: 403 {"type":"urn:factum:problem:denied","title":"Forbidden","status":403,"detail":"User:bob may not describe topic store.sales"}

        bob /api/v1/events/com.contoso.store.sales: 403 {"type":"urn:factum:problem:denied","title":"Forbidden","status":403,"detail":"User:bob may not describe topic com.contoso.store.sales"}

        ann /api/v1/events/store.secrets: 403 {"type":"urn:factum:problem:denied","title":"Forbidden","status":403,"detail":"User:ann may not describe topic store.secrets"}

        ann /api/v1/events/com.contoso.store.secrets: 403 {"type":"urn:factum:problem:denied","title":"Forbidden","status":403,"detail":"User:ann may not describe topic com.contoso.store.secrets"}

    "#]].assert_eq(&shown);
    let seen = send_as(&server, "ann", "GET", "/api/v1/events/store.sales", "").await.json();
    assert_eq!((&seen["read_by"], &seen["made_by"][0]["kind"]), (&json!([]), &json!("feed")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_an_asyncapi_document() {
    let server = start(Setup::default()).await;
    let answer = server.send("GET", "/api/v1/asyncapi", &[("host", "localhost:8080")], "").await;
    expect![[r##"
        {
          "asyncapi": "3.0.0",
          "info": {
            "title": "contoso",
            "version": "1.0.0",
            "description": "The events of all teams.",
            "tags": [
              {
                "name": "store",
                "description": "Sells films."
              }
            ]
          },
          "defaultContentType": "application/json",
          "servers": {
            "kafka": {
              "host": "localhost:9092",
              "protocol": "kafka",
              "bindings": {
                "kafka": {
                  "schemaRegistryUrl": "http://localhost:8080",
                  "schemaRegistryVendor": "confluent",
                  "bindingVersion": "0.5.0"
                }
              }
            },
            "http": {
              "host": "localhost:8080",
              "protocol": "http",
              "pathname": "/events"
            }
          },
          "channels": {
            "store.refunds": {
              "address": "store.refunds",
              "messages": {
                "store.refunds": {
                  "$ref": "#/components/messages/store.refunds"
                }
              },
              "tags": [
                {
                  "name": "store"
                }
              ],
              "bindings": {
                "kafka": {
                  "topic": "store.refunds",
                  "bindingVersion": "0.5.0"
                }
              },
              "description": "A customer paid for an order."
            },
            "store.returns": {
              "address": "store.returns",
              "messages": {
                "store.returns": {
                  "$ref": "#/components/messages/store.returns"
                }
              },
              "tags": [
                {
                  "name": "store"
                }
              ],
              "bindings": {
                "kafka": {
                  "topic": "store.returns",
                  "bindingVersion": "0.5.0"
                }
              },
              "description": "A customer paid for an order."
            },
            "store.sales": {
              "address": "store.sales",
              "messages": {
                "store.sales": {
                  "$ref": "#/components/messages/store.sales"
                }
              },
              "tags": [
                {
                  "name": "store"
                }
              ],
              "bindings": {
                "kafka": {
                  "topic": "store.sales",
                  "bindingVersion": "0.5.0",
                  "partitions": 1
                }
              },
              "description": "A customer paid for an order."
            },
            "store.secrets": {
              "address": "store.secrets",
              "messages": {
                "store.secrets": {
                  "$ref": "#/components/messages/store.secrets"
                }
              },
              "tags": [
                {
                  "name": "store"
                }
              ],
              "bindings": {
                "kafka": {
                  "topic": "store.secrets",
                  "bindingVersion": "0.5.0"
                }
              },
              "description": "A customer paid for an order."
            }
          },
          "operations": {
            "send.store.refunds": {
              "action": "send",
              "channel": {
                "$ref": "#/channels/store.refunds"
              },
              "messages": [
                {
                  "$ref": "#/channels/store.refunds/messages/store.refunds"
                }
              ],
              "tags": [
                {
                  "name": "store"
                }
              ]
            },
            "send.store.returns": {
              "action": "send",
              "channel": {
                "$ref": "#/channels/store.returns"
              },
              "messages": [
                {
                  "$ref": "#/channels/store.returns/messages/store.returns"
                }
              ],
              "tags": [
                {
                  "name": "store"
                }
              ]
            },
            "send.store.sales": {
              "action": "send",
              "channel": {
                "$ref": "#/channels/store.sales"
              },
              "messages": [
                {
                  "$ref": "#/channels/store.sales/messages/store.sales"
                }
              ],
              "tags": [
                {
                  "name": "store"
                }
              ]
            },
            "send.store.secrets": {
              "action": "send",
              "channel": {
                "$ref": "#/channels/store.secrets"
              },
              "messages": [
                {
                  "$ref": "#/channels/store.secrets/messages/store.secrets"
                }
              ],
              "tags": [
                {
                  "name": "store"
                }
              ]
            }
          },
          "components": {
            "messages": {
              "store.refunds": {
                "name": "com.contoso.store.refunds",
                "title": "store.refunds",
                "contentType": "application/protobuf",
                "headers": {
                  "type": "object",
                  "description": "CloudEvents 1.0 in the Kafka binary binding; what is missing is filled in of events sent over HTTP.",
                  "properties": {
                    "ce_specversion": {
                      "type": "string",
                      "const": "1.0"
                    },
                    "ce_id": {
                      "type": "string",
                      "description": "Unique within the source"
                    },
                    "ce_source": {
                      "type": "string",
                      "default": "/contoso/store"
                    },
                    "ce_type": {
                      "type": "string",
                      "default": "com.contoso.store.refunds"
                    },
                    "ce_time": {
                      "type": "string",
                      "format": "date-time"
                    }
                  }
                },
                "tags": [
                  {
                    "name": "store"
                  }
                ],
                "bindings": {
                  "kafka": {
                    "bindingVersion": "0.5.0",
                    "schemaIdLocation": "payload",
                    "schemaIdPayloadEncoding": "confluent",
                    "schemaLookupStrategy": "TopicNameStrategy"
                  }
                },
                "x-eventcatalog-message-type": "event",
                "x-eventcatalog-role": "provider",
                "summary": "A customer paid for an order.",
                "payload": {
                  "$ref": "#/components/schemas/store.refunds"
                },
                "examples": [
                  {
                    "payload": {
                      "email": "ada@example.com",
                      "cents": "1"
                    }
                  }
                ]
              },
              "store.returns": {
                "name": "com.contoso.store.returns",
                "title": "store.returns",
                "contentType": "application/avro",
                "headers": {
                  "type": "object",
                  "description": "CloudEvents 1.0 in the Kafka binary binding; what is missing is filled in of events sent over HTTP.",
                  "properties": {
                    "ce_specversion": {
                      "type": "string",
                      "const": "1.0"
                    },
                    "ce_id": {
                      "type": "string",
                      "description": "Unique within the source"
                    },
                    "ce_source": {
                      "type": "string",
                      "default": "/contoso/store"
                    },
                    "ce_type": {
                      "type": "string",
                      "default": "com.contoso.store.returns"
                    },
                    "ce_time": {
                      "type": "string",
                      "format": "date-time"
                    }
                  }
                },
                "tags": [
                  {
                    "name": "store"
                  }
                ],
                "bindings": {
                  "kafka": {
                    "bindingVersion": "0.5.0",
                    "schemaIdLocation": "payload",
                    "schemaIdPayloadEncoding": "confluent",
                    "schemaLookupStrategy": "TopicNameStrategy"
                  }
                },
                "x-eventcatalog-message-type": "event",
                "x-eventcatalog-role": "provider",
                "summary": "A customer paid for an order.",
                "payload": {
                  "$ref": "#/components/schemas/store.returns"
                },
                "examples": [
                  {
                    "payload": {
                      "email": "ada@example.com",
                      "reason": "reason-1"
                    }
                  }
                ]
              },
              "store.sales": {
                "name": "com.contoso.store.sales",
                "title": "store.sales",
                "contentType": "application/json",
                "headers": {
                  "type": "object",
                  "description": "CloudEvents 1.0 in the Kafka binary binding; what is missing is filled in of events sent over HTTP.",
                  "properties": {
                    "ce_specversion": {
                      "type": "string",
                      "const": "1.0"
                    },
                    "ce_id": {
                      "type": "string",
                      "description": "Unique within the source"
                    },
                    "ce_source": {
                      "type": "string",
                      "default": "/contoso/store"
                    },
                    "ce_type": {
                      "type": "string",
                      "default": "com.contoso.store.sales"
                    },
                    "ce_time": {
                      "type": "string",
                      "format": "date-time"
                    }
                  }
                },
                "tags": [
                  {
                    "name": "store"
                  }
                ],
                "bindings": {
                  "kafka": {
                    "bindingVersion": "0.5.0",
                    "key": {
                      "type": "string",
                      "description": "The field product"
                    }
                  }
                },
                "x-eventcatalog-message-type": "event",
                "x-eventcatalog-role": "provider",
                "summary": "A customer paid for an order.",
                "payload": {
                  "$ref": "#/components/schemas/store.sales"
                },
                "examples": [
                  {
                    "payload": {
                      "product": 7,
                      "quantity": 1,
                      "price": 9.5,
                      "big": 1,
                      "at": "2026-11-20T10:00:00Z"
                    }
                  }
                ]
              },
              "store.secrets": {
                "name": "contoso.store.orders",
                "title": "store.secrets",
                "contentType": "application/json",
                "headers": {
                  "type": "object",
                  "description": "CloudEvents 1.0 in the Kafka binary binding; what is missing is filled in of events sent over HTTP.",
                  "properties": {
                    "ce_specversion": {
                      "type": "string",
                      "const": "1.0"
                    },
                    "ce_id": {
                      "type": "string",
                      "description": "Unique within the source"
                    },
                    "ce_source": {
                      "type": "string",
                      "default": "/contoso/store"
                    },
                    "ce_type": {
                      "type": "string",
                      "default": "contoso.store.orders"
                    },
                    "ce_time": {
                      "type": "string",
                      "format": "date-time"
                    }
                  }
                },
                "tags": [
                  {
                    "name": "store"
                  }
                ],
                "bindings": {
                  "kafka": {
                    "bindingVersion": "0.5.0"
                  }
                },
                "x-eventcatalog-message-type": "event",
                "x-eventcatalog-role": "provider",
                "summary": "A customer paid for an order.",
                "examples": [
                  {
                    "payload": {
                      "hello": "world"
                    }
                  }
                ]
              }
            },
            "schemas": {
              "store.refunds": {
                "schemaFormat": "application/vnd.google.protobuf;version=3",
                "schema": "syntax = \"proto3\"; package store; message Refund { string email = 1; int64 cents = 2; }"
              },
              "store.returns": {
                "schemaFormat": "application/vnd.apache.avro+json;version=1.9.0",
                "schema": {
                  "type": "record",
                  "name": "Return",
                  "namespace": "store",
                  "fields": [
                    {
                      "name": "email",
                      "type": "string"
                    },
                    {
                      "name": "reason",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null
                    }
                  ]
                }
              },
              "store.sales": {
                "schemaFormat": "application/schema+json;version=draft-07",
                "schema": {
                  "type": "object",
                  "required": [
                    "product",
                    "quantity",
                    "at"
                  ],
                  "properties": {
                    "product": {
                      "type": "integer",
                      "examples": [
                        7
                      ]
                    },
                    "quantity": {
                      "type": "integer",
                      "minimum": 1
                    },
                    "price": {
                      "type": "number",
                      "multipleOf": 0.01
                    },
                    "big": {
                      "type": "integer"
                    },
                    "at": {
                      "type": "string",
                      "format": "date-time"
                    }
                  }
                }
              }
            }
          }
        }"##]].assert_eq(&serde_json::to_string_pretty(&answer.json()).expect("JSON"));
    let other = server.get("/api/v1/asyncapi?team=stor").await;
    expect![[r#"404 there is no team stor; did you mean store? {"near":"store"}"#]]
        .assert_eq(&other.problem());
    let mut shown = String::new();
    for path in ["/api/v1/asyncapi?team=store", "/api/v1/asyncapi"] {
        let document = server.get(path).await.json();
        let operations = document["operations"].as_object().expect("operations").keys().cloned();
        writeln!(shown, "{}", operations.collect::<Vec<_>>().join(" ")).expect("text grows");
    }
    expect![[r#"
        send.store.refunds send.store.returns send.store.sales receive.store.sales send.store.secrets
        send.store.refunds send.store.returns send.store.sales send.store.secrets
    "#]]
    .assert_eq(&shown);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn references_in_a_contract_lead_to_their_places_in_the_document() {
    let server = start(Setup::default()).await;
    let contract = r##"{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://contoso.com/tree",
        "type": "object", "properties": {"left": {"$ref": "#"}, "leaf": {"$ref": "#/$defs/leaf"},
        "other": {"$ref": "https://contoso.com/other"}, "like": {"const": {"$ref": "#/kept"}}},
        "$defs": {"leaf": {"type": "string"}}}"##;
    let mut declared = Definitions::new();
    declared.insert(event("store.trees", Format::Json, contract));
    server.catalogue.replace(&declared.into());
    let document = server.get("/api/v1/asyncapi").await.json();
    expect![[r##"{"store.trees":{"schemaFormat":"application/schema+json;version=draft-07","schema":{"type":"object","properties":{"left":{"$ref":"#/components/schemas/store.trees/schema"},"leaf":{"$ref":"#/components/schemas/store.trees/schema/$defs/leaf"},"other":{"description":"See https://contoso.com/other"},"like":{"const":{"$ref":"#/kept"}}},"$defs":{"leaf":{"type":"string"}}}}}"##]].assert_eq(&document["components"]["schemas"].to_string());
    server.stop().await;
}
