//! Transcripts of `factum schema` against a real server.

mod support;

use std::path::Path;

use expect_test::expect;
use factum_testkit::Launch;
use support::{BINARY, Shell};
use tempfile::TempDir;

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;
const WITH_TOTAL: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"total","type":"double","default":1.50}]}"#;
const INCOMPATIBLE: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"email","type":"string"}]}"#;

/// A folder with files of schemas, whose path transcripts leave out.
fn folder(files: &[(&str, &str)]) -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let path = path_text(dir.path());
    (dir, path)
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("temporary folders have plain names").to_owned() + "/"
}

#[test]
fn schemas_from_birth_to_death() {
    let factum = Launch::new(BINARY).start();
    let (_dir, at) = folder(&[("order.avsc", ORDER), ("total.avsc", WITH_TOTAL)]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run("schema list")
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run(&format!("schema register shop.orders-value --file {at}total.avsc -o json"))
        .run(&format!("schema register shop.refunds-value --file {at}order.avsc"))
        .run("schema list")
        .run("schema list REFUNDS -o csv")
        .run("schema list -o name")
        .run("schema list refunds -o json")
        .run("schema list refunds -o yaml")
        .run("schema list nothing")
        .run("schema get shop.orders-value")
        .run("schema get shop.orders-value 1 -o name")
        .run("schema get --id 1 -o json")
        .run("schema get shop.order-value")
        .run("schema get shop.orders-value 7")
        .run("schema diff shop.orders-value 1 latest")
        .run("schema diff shop.orders-value 2 latest")
        .run("schema delete shop.orders-value")
        .run("schema delete shop.orders-value 1")
        .run("schema delete shop.orders-value --permanent")
        .run("schema delete shop.orders-value --permanent --force")
        .run("schema delete shop.orders-value --force")
        .run("schema delete shop.orders-value --permanent --force")
        .run("schema delete shop.orders-value --force")
        .run("schema list -o name");
    expect![[r#"
        $ factum schema list
        ! there are no subjects yet; `factum schema register SUBJECT --file FILE` registers a schema
        $ factum schema register shop.orders-value --file order.avsc
        registered shop.orders-value version 1, id 1
        $ factum schema register shop.orders-value --file order.avsc
        registered shop.orders-value version 1, id 1
        $ factum schema register shop.orders-value --file total.avsc -o json
        {
          "version": 2,
          "id": 2,
          "guid": "dd6dd79f-b9e7-f128-c14f-102ec1fe004d",
          "schema": "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"total\",\"type\":\"double\",\"default\":1.5}]}"
        }
        $ factum schema register shop.refunds-value --file order.avsc
        registered shop.refunds-value version 1, id 1
        $ factum schema list
        SUBJECT             TYPE  VERSIONS  LATEST  ID  COMPATIBILITY
        shop.orders-value   AVRO         2       2   2  BACKWARD
        shop.refunds-value  AVRO         1       1   1  BACKWARD
        $ factum schema list REFUNDS -o csv
        subject,type,versions,latest,id,compatibility
        shop.refunds-value,AVRO,1,1,1,BACKWARD
        $ factum schema list -o name
        shop.orders-value
        shop.refunds-value
        $ factum schema list refunds -o json
        [
          {
            "subject": "shop.refunds-value",
            "schema_type": "AVRO",
            "versions": 1,
            "latest_version": 1,
            "latest_id": 1,
            "compatibility": "BACKWARD"
          }
        ]
        $ factum schema list refunds -o yaml
        - subject: shop.refunds-value
          schema_type: AVRO
          versions: 1
          latest_version: 1
          latest_id: 1
          compatibility: BACKWARD
        $ factum schema list nothing
        ! no subject has "nothing" in its name
        $ factum schema get shop.orders-value
        {
          "type": "record",
          "name": "Order",
          "fields": [
            {
              "name": "id",
              "type": "long"
            },
            {
              "name": "total",
              "type": "double",
              "default": 1.5
            }
          ]
        }
        ! shop.orders-value version 2, id 2, AVRO
        $ factum schema get shop.orders-value 1 -o name
        shop.orders-value
        $ factum schema get --id 1 -o json
        {
          "guid": "b040db4b-fdae-23ea-4a07-95f3973b98c8",
          "schema": "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}"
        }
        $ factum schema get shop.order-value
        !   × there is no subject shop.order-value
        !   help: did you mean `shop.orders-value`?
        exit 1
        $ factum schema get shop.orders-value 7
        !   × Version 7 not found.
        exit 1
        $ factum schema diff shop.orders-value 1 latest
        --- shop.orders-value version 1
        +++ shop.orders-value version 2
        @@ -5,6 +5,11 @@
             {
               "name": "id",
               "type": "long"
        +    },
        +    {
        +      "name": "total",
        +      "type": "double",
        +      "default": 1.5
             }
           ]
         }
        $ factum schema diff shop.orders-value 2 latest
        ! the versions have the same text
        $ factum schema delete shop.orders-value
        !   × subject shop.orders-value has 2 versions and was left alone
        !   help: `factum schema delete shop.orders-value --force` deletes it; its ids can still be read
        exit 1
        $ factum schema delete shop.orders-value 1
        ! deleted version 1 of subject shop.orders-value
        $ factum schema delete shop.orders-value --permanent
        !   × subject shop.orders-value was left alone: nothing brings back what is deleted for good
        !   help: with --force it is deleted, and records that were written with it can no longer be read
        exit 1
        $ factum schema delete shop.orders-value --permanent --force
        !   × subject shop.orders-value is not deleted yet, so it cannot be deleted for good
        !   help: delete it without --permanent first
        exit 1
        $ factum schema delete shop.orders-value --force
        ! deleted subject shop.orders-value
        $ factum schema delete shop.orders-value --permanent --force
        ! deleted subject shop.orders-value for good
        $ factum schema delete shop.orders-value --force
        !   × there is no subject shop.orders-value
        !   help: did you mean `shop.refunds-value`?
        exit 1
        $ factum schema list -o name
        shop.refunds-value
    "#]].assert_eq(&shell.transcript());
}

#[test]
fn an_incompatible_schema_is_refused_with_each_reason() {
    let factum = Launch::new(BINARY).start();
    let (_dir, at) = folder(&[
        ("order.avsc", ORDER),
        ("total.avsc", WITH_TOTAL),
        ("incompatible.avsc", INCOMPATIBLE),
        ("invalid.avsc", r#"{"type":"record"}"#),
    ]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}total.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}total.avsc -o json"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc --against 1 -o json"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc -o name"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc --against 2"))
        .run(&format!("schema register shop.orders-value --file {at}incompatible.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}invalid.avsc"))
        .run(&format!("schema register shop.orders-value --file {at}invalid.avsc"))
        .run("schema list -o csv");
    expect![[r#"
        $ factum schema register shop.orders-value --file order.avsc
        registered shop.orders-value version 1, id 1
        $ factum schema check shop.orders-value --file total.avsc
        compatible with shop.orders-value
        ! no one was seen to read topic shop.orders
        $ factum schema check shop.orders-value --file total.avsc -o json
        {
          "is_compatible": true,
          "compatibility": "BACKWARD",
          "reasons": [],
          "topic": "shop.orders",
          "readers": [],
          "summary": "no one was seen to read topic shop.orders"
        }
        $ factum schema check shop.orders-value --file incompatible.avsc
        VERSION  PATH            KIND                                REASON
              1  /fields/0/type  TYPE_MISMATCH                       the reader expects string, the writer has long
              1  /fields/1       READER_FIELD_MISSING_DEFAULT_VALUE  the reader's field "email" of Order has no default, and the writer's record has no such field
        ! no one was seen to read topic shop.orders
        !   × the schema is incompatible with shop.orders-value
        !   help: the subject's compatibility level says what a schema must be able to do: docs/schemas.md
        exit 1
        $ factum schema check shop.orders-value --file incompatible.avsc --against 1 -o json
        {
          "is_compatible": false,
          "compatibility": "BACKWARD",
          "reasons": [
            {
              "version": 1,
              "path": "/fields/0/type",
              "kind": "TYPE_MISMATCH",
              "reason": "the reader expects string, the writer has long"
            },
            {
              "version": 1,
              "path": "/fields/1",
              "kind": "READER_FIELD_MISSING_DEFAULT_VALUE",
              "reason": "the reader's field \"email\" of Order has no default, and the writer's record has no such field"
            }
          ],
          "topic": "shop.orders",
          "readers": [],
          "summary": "no one was seen to read topic shop.orders"
        }
        !   × the schema is incompatible with shop.orders-value
        !   help: the subject's compatibility level says what a schema must be able to do: docs/schemas.md
        exit 1
        $ factum schema check shop.orders-value --file incompatible.avsc -o name
        /fields/0/type
        /fields/1
        !   × the schema is incompatible with shop.orders-value
        !   help: the subject's compatibility level says what a schema must be able to do: docs/schemas.md
        exit 1
        $ factum schema check shop.orders-value --file incompatible.avsc --against 2
        !   × there is no version 2 of subject shop.orders-value
        exit 1
        $ factum schema register shop.orders-value --file incompatible.avsc
        ! version 1, at /fields/0/type: the reader expects string, the writer has long
        ! version 1, at /fields/1: the reader's field "email" of Order has no default, and the writer's record has no such field
        !   × the schema is incompatible with shop.orders-value
        !   help: the subject's compatibility level says what a schema must be able to do: docs/schemas.md
        exit 1
        $ factum schema check shop.orders-value --file invalid.avsc
        !   × Invalid schema: /: a named type needs its "name", a string
        exit 1
        $ factum schema register shop.orders-value --file invalid.avsc
        !   × Invalid schema: /: a named type needs its "name", a string
        exit 1
        $ factum schema list -o csv
        subject,type,versions,latest,id,compatibility
        shop.orders-value,AVRO,1,1,1,BACKWARD
    "#]].assert_eq(&shell.transcript());
}

#[test]
fn schemas_refer_to_those_of_other_subjects() {
    let factum = Launch::new(BINARY).start();
    let money =
        r#"{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"cents","type":"long"}]}"#;
    let order = r#"{"type":"record","name":"Order","fields":[{"name":"total","type":"shop.Money"}]}"#;
    let (_dir, at) = folder(&[("money.avsc", money), ("order.avsc", order), ("order.txt", order)]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    let register = format!("schema register shop.orders-value --file {at}");
    shell
        .run(&format!("schema register money-value --file {at}money.avsc"))
        .run(&format!("{register}order.avsc"))
        .run(&format!("{register}order.avsc --reference shop.Money=money-value"))
        .run(&format!("{register}order.avsc --reference shop.Money=money-value:9"))
        .run(&format!("{register}order.txt --reference shop.Money=money-value:1"))
        .run(&format!("{register}order.txt --type avro --reference shop.Money=money-value:1"))
        .run("schema get shop.orders-value")
        .run("schema delete money-value 1")
        .run(&format!("{register}nowhere.avsc"))
        .run("schema get shop.orders-value two")
        .run("schema get");
    expect![[r#"
        $ factum schema register money-value --file money.avsc
        registered money-value version 1, id 1
        $ factum schema register shop.orders-value --file order.avsc
        !   × Invalid schema: /fields/0/type: no type is named "shop.Money", neither here nor in a reference
        exit 1
        $ factum schema register shop.orders-value --file order.avsc --reference shop.Money=money-value
        ! error: invalid value 'shop.Money=money-value' for '--reference <NAME=SUBJECT:VERSION>': a reference is NAME=SUBJECT:VERSION, such as com.example.Money=money-value:1
        !
        ! For more information, try '--help'.
        exit 2
        $ factum schema register shop.orders-value --file order.avsc --reference shop.Money=money-value:9
        !   × Invalid schema: reference "shop.Money": there is no version 9 of subject money-value
        exit 1
        $ factum schema register shop.orders-value --file order.txt --reference shop.Money=money-value:1
        !   × the format of order.txt cannot be told by its name
        !   help: name the format: --type avro, json or protobuf
        exit 1
        $ factum schema register shop.orders-value --file order.txt --type avro --reference shop.Money=money-value:1
        registered shop.orders-value version 1, id 2
        $ factum schema get shop.orders-value
        {
          "type": "record",
          "name": "Order",
          "fields": [
            {
              "name": "total",
              "type": "shop.Money"
            }
          ]
        }
        ! shop.orders-value version 1, id 2, AVRO, refers to shop.Money (money-value version 1)
        $ factum schema delete money-value 1
        !   × One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=money-value,version=1}.
        exit 1
        $ factum schema register shop.orders-value --file nowhere.avsc
        !   × cannot read nowhere.avsc: No such file or directory (os error 2)
        !   ╰─▶ No such file or directory (os error 2)
        exit 1
        $ factum schema get shop.orders-value two
        ! error: invalid value 'two' for '[VERSION]': it is not a whole number from 1 on, such as 2, nor `latest`
        !
        ! For more information, try '--help'.
        exit 2
        $ factum schema get
        ! error: the following required arguments were not provided:
        !   <SUBJECT>
        !
        ! Usage: factum schema get --server <URL> <SUBJECT> [VERSION]
        !
        ! For more information, try '--help'.
        exit 2
    "#]].assert_eq(&shell.transcript());
}

#[test]
fn groups_are_created_and_deleted() {
    let factum = Launch::new(BINARY).start();
    let (_dir, at) = folder(&[("order.avsc", ORDER)]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run("schema group create orders --type avro --compatibility forward")
        .run("schema group create any")
        .run("schema group create any")
        .run("schema group create a/b")
        .run("schema group create x --compatibility sideward")
        .run(&format!("schema register :.orders:example.Order --file {at}order.avsc"))
        .run("schema group list")
        .run("schema group delete orders")
        .run("schema group delete any")
        .run("schema group list -o name");
    expect![[r#"
        $ factum schema group create orders --type avro --compatibility forward
        ! created schema group orders
        $ factum schema group create any
        ! created schema group any
        $ factum schema group create any
        !   × schema group any exists already
        exit 1
        $ factum schema group create a/b
        !   × invalid schema group "a/b": a letter or digit, then anything but / \ $ : and control characters; at most
        !   │ 512 bytes
        exit 1
        $ factum schema group create x --compatibility sideward
        !   × Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive,
        !   │ forward_transitive, and full_transitive
        exit 1
        $ factum schema register :.orders:example.Order --file order.avsc
        registered :.orders:example.Order version 1, id 1
        $ factum schema group list
        GROUP     TYPE  COMPATIBILITY  SCHEMAS
        $default  any   BACKWARD             0
        any       any   BACKWARD             0
        orders    AVRO  FORWARD              1
        $ factum schema group delete orders
        !   × schema group orders has schemas
        !   help: delete its schemas for good first
        exit 1
        $ factum schema group delete any
        ! deleted schema group any
        $ factum schema group list -o name
        $default
        orders
    "#]].assert_eq(&shell.transcript());
}
