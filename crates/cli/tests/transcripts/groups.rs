//! `factum group`.

use expect_test::expect;

use crate::serve;
use crate::support::Shell;

#[test]
fn groups_are_shown_moved_and_forgotten() {
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    use rdkafka::{ClientConfig, Offset, TopicPartitionList};
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell.run("topic create store.orders --partitions 2").transcript();
    shell.run_with("produce store.orders", &"{\"n\":1}\n".repeat(10)).transcript();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", factum.kafka())
        .set("group.id", "receipts")
        .create()
        .expect("a consumer");
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset("store.orders", 0, Offset::Offset(2)).expect("a valid offset");
    offsets.add_partition_offset("store.orders", 1, Offset::Offset(1)).expect("a valid offset");
    consumer.commit(&offsets, CommitMode::Sync).expect("committed");
    drop(consumer);
    shell
        .run("group list")
        .run("group describe receipts")
        .run("group describe receipts -o csv")
        .run("group describe recipts")
        .run("group reset receipts --topic store.orders --to earliest --dry-run")
        .run("group reset receipts --topic store.orders --partition 1 --to latest")
        .run("group reset receipts --topic store.orders --shift-by -2 --dry-run")
        .run("group reset receipts --all-topics --to-time 2020-01-31T12:00:00Z --dry-run")
        .run("group reset receipts --topic store.orders --partition 0,1 --to 4 --dry-run")
        .run("group reset receipts --topic store.orders --to-time earliest")
        .run("group reset receipts --topic store.orders")
        .run("group reset receipts --to earliest")
        .run("group list --topic store.orders")
        .run("group list --topic store.order")
        .run("group reset receipts --topic store.orders --to yesterday")
        .run("group reset receipts --topic store.order --to latest")
        .run("group describe receipts -o json")
        .run("group delete receipts")
        .run("group list");
    expect![[r#"
        $ factum group list
        GROUP     STATE  MEMBERS  TOPICS  LAG
        receipts  Empty        0       1    9
        $ factum group describe receipts
        group  receipts
        state  Empty
        lag    9

        TOPIC         PARTITION  OFFSET  END  LAG
        store.orders          0       2    6    4
        store.orders          1       1    6    5
        $ factum group describe receipts -o csv
        topic,partition,offset,end,lag
        store.orders,0,2,6,4
        store.orders,1,1,6,5
        $ factum group describe recipts
        !   × there is no group recipts
        !   help: did you mean `receipts`?
        exit 1
        $ factum group reset receipts --topic store.orders --to earliest --dry-run
        TOPIC         PARTITION  FROM  TO
        store.orders          0     2   0
        store.orders          1     1   0
        ! nothing was moved: this was a dry run
        $ factum group reset receipts --topic store.orders --partition 1 --to latest
        TOPIC         PARTITION  FROM  TO
        store.orders          1     1   6
        $ factum group reset receipts --topic store.orders --shift-by -2 --dry-run
        TOPIC         PARTITION  FROM  TO
        store.orders          0     2   0
        store.orders          1     6   4
        ! nothing was moved: this was a dry run
        $ factum group reset receipts --all-topics --to-time 2020-01-31T12:00:00Z --dry-run
        TOPIC         PARTITION  FROM  TO
        store.orders          0     2   0
        store.orders          1     6   0
        ! nothing was moved: this was a dry run
        $ factum group reset receipts --topic store.orders --partition 0,1 --to 4 --dry-run
        TOPIC         PARTITION  FROM  TO
        store.orders          0     2   4
        store.orders          1     6   4
        ! nothing was moved: this was a dry run
        $ factum group reset receipts --topic store.orders --to-time earliest
        ! error: invalid value 'earliest' for '--to-time <TIME>': "earliest" is not a time such as 2026-01-31T12:00:00Z, or 10m ago
        !
        ! For more information, try '--help'.
        exit 2
        $ factum group reset receipts --topic store.orders
        ! error: the following required arguments were not provided:
        !   --to <TO>
        !
        ! Usage: factum group reset --topic <TOPIC> --server <URL> --to <TO> <GROUP>
        !
        ! For more information, try '--help'.
        exit 2
        $ factum group reset receipts --to earliest
        ! error: the following required arguments were not provided:
        !   --topic <TOPIC>
        !
        ! Usage: factum group reset --to <TO> --server <URL> --topic <TOPIC> <GROUP>
        !
        ! For more information, try '--help'.
        exit 2
        $ factum group list --topic store.orders
        GROUP     STATE  MEMBERS  PARTITIONS  LAG
        receipts  Empty        0           2    4
        $ factum group list --topic store.order
        !   × there is no topic store.order
        !   help: did you mean `store.orders`?
        exit 1
        $ factum group reset receipts --topic store.orders --to yesterday
        ! error: invalid value 'yesterday' for '--to <TO>': "yesterday" is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as 2026-01-31T12:00:00Z, or 10m ago
        !
        ! For more information, try '--help'.
        exit 2
        $ factum group reset receipts --topic store.order --to latest
        !   × there is no topic store.order
        !   help: did you mean `store.orders`?
        exit 1
        $ factum group describe receipts -o json
        {
          "id": "receipts",
          "state": "Empty",
          "protocol_type": "",
          "protocol": "",
          "members": [],
          "offsets": [
            {
              "topic": "store.orders",
              "partition": 0,
              "offset": "2",
              "end": "6",
              "lag": "4",
              "metadata": ""
            },
            {
              "topic": "store.orders",
              "partition": 1,
              "offset": "6",
              "end": "6",
              "lag": "0",
              "metadata": ""
            }
          ]
        }
        $ factum group delete receipts
        ! forgot group receipts
        $ factum group list
        ! there are no consumer groups yet
    "#]]
    .assert_eq(&shell.transcript());
}
