//! `factum topic`.

use expect_test::expect;

use crate::serve;
use crate::support::Shell;

#[test]
fn topics_from_birth_to_death() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic list")
        .run("topic create store.orders --partitions 2 --retention 30d")
        .run("topic create store.orders")
        .run("topic create store.returns --retention 5x")
        .run("topic create store.clicks --partitions 1")
        .run("topic list")
        .run("topic list -o name")
        .run("topic list -o csv")
        .run("topic list -o json")
        .run("topic list -o yaml")
        .run("topic describe store.orders")
        .run("topic describe store.ordres")
        .run_with("produce store.clicks", "{\"page\":1}\n")
        .run_with("produce store.click", "{\"page\":1}\n")
        .run("topic delete store.click --force")
        .run("topic delete store.clicks")
        .run("topic delete store.clicks --force")
        .run("topic delete store.orders")
        .run("topic list -o name")
        .run(&format!("topic list --all -o name --server {}", factum.http().trim_start_matches("http://")))
        .run(&format!("topic list --server http://{}", factum.kafka()));
    expect![[r#"
        $ factum topic list
        ! there are no topics yet; `factum topic create NAME` creates one
        $ factum topic create store.orders --partitions 2 --retention 30d
        created topic store.orders with 2 partitions
        $ factum topic create store.orders
        !   × topic store.orders exists already
        exit 1
        $ factum topic create store.returns --retention 5x
        ! error: invalid value '5x' for '--retention <RETENTION>': "x" in "5x" is not a unit of time; use w, d, h, m, s, ms, us or ns
        !
        ! For more information, try '--help'.
        exit 2
        $ factum topic create store.clicks --partitions 1
        created topic store.clicks with 1 partition
        $ factum topic list
        TOPIC         TEAM  PARTITIONS  RECORDS  BYTES  SUMMARY
        store.clicks                 1        0      0
        store.orders                 2        0      0
        $ factum topic list -o name
        store.clicks
        store.orders
        $ factum topic list -o csv
        topic,team,partitions,records,bytes,summary
        store.clicks,,1,0,0,
        store.orders,,2,0,0,
        $ factum topic list -o json
        [
          {
            "name": "store.clicks",
            "partitions": 1,
            "records": "0",
            "bytes": 0,
            "internal": false,
            "team": null,
            "summary": null
          },
          {
            "name": "store.orders",
            "partitions": 2,
            "records": "0",
            "bytes": 0,
            "internal": false,
            "team": null,
            "summary": null
          }
        ]
        $ factum topic list -o yaml
        - name: store.clicks
          partitions: 1
          records: "0"
          bytes: 0
          internal: false
          team: null
          summary: null
        - name: store.orders
          partitions: 2
          records: "0"
          bytes: 0
          internal: false
          team: null
          summary: null
        $ factum topic describe store.orders
        topic          store.orders
        records        0
        retention      30d
        largest batch  the server's default

        PARTITION  LOG START  HIGH WATERMARK  BYTES  STATE
                0          0               0      0  writable
                1          0               0      0  writable
        $ factum topic describe store.ordres
        !   × there is no topic store.ordres
        !   help: did you mean `store.orders`?
        exit 1
        $ factum produce store.clicks
        acknowledged 1 event in store.clicks
          partition 0  offsets 0 to 0  (1)
        $ factum produce store.click
        acknowledged 1 event in store.click
          partition 1  offsets 0 to 0  (1)
        ! note: topic store.click held nothing before; if you meant store.clicks, `factum topic delete store.click --force` removes it
        $ factum topic delete store.click --force
        ! deleted topic store.click with 1 event
        $ factum topic delete store.clicks
        !   × topic store.clicks has 1 event and was left alone
        !   help: `factum topic delete store.clicks --force` deletes it for good
        exit 1
        $ factum topic delete store.clicks --force
        ! deleted topic store.clicks with 1 event
        $ factum topic delete store.orders
        ! deleted topic store.orders with 0 events
        $ factum topic list -o name
        $ factum topic list --all -o name --server HTTP
        __consumer_offsets
        __transaction_state
        $ factum topic list --server http://KAFKA
        !   × the connection to http://KAFKA broke before the answer came: connection closed before message
        !   │ completed
        !   help: is it the HTTP address of a Factum? the server's log says more
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn settings_of_a_topic_are_changed_and_unset() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.orders --partitions 1 --retention 30d")
        .run("topic alter store.orders --set retention=90d --set compression=zstd")
        .run("topic alter store.orders --unset retention --set max_message_bytes=2MiB")
        .run("topic describe store.orders")
        .run("topic alter store.orders --set retentoin=1d")
        .run("topic alter store.orders --set colour=red")
        .run("topic alter store.orders --set compression=best")
        .run("topic alter store.orders --set retention")
        .run("topic alter store.orders --set retention=1d --unset retention")
        .run("topic alter store.orders")
        .run("topic alter store.ordres --set retention=1d")
        .run("topic alter __consumer_offsets --set retention=1d")
        .run("topic alter _factum.nothing --set retention=1d");
    expect![[r#"
        $ factum topic create store.orders --partitions 1 --retention 30d
        created topic store.orders with 1 partition
        $ factum topic alter store.orders --set retention=90d --set compression=zstd
        changed topic store.orders
          compression: zstd
          retention: 90d
        $ factum topic alter store.orders --unset retention --set max_message_bytes=2MiB
        changed topic store.orders
          max_message_bytes: 2MiB
          retention: the server's default
        $ factum topic describe store.orders
        topic          store.orders
        records        0
        retention      the server's default
        largest batch  2MiB
        compression    zstd

        PARTITION  LOG START  HIGH WATERMARK  BYTES  STATE
                0          0               0      0  writable
        $ factum topic alter store.orders --set retentoin=1d
        !   × there is no setting retentoin
        !   help: did you mean `retention`?
        exit 1
        $ factum topic alter store.orders --set colour=red
        !   × there is no setting colour
        !   help: settings are retention, retention_bytes, segment_bytes, segment_age, max_message_bytes,
        !         cleanup_policy, delete_retention, min_compaction_lag, max_compaction_lag, min_dirty_ratio,
        !         compression, timestamp_type, timestamp_before_max, timestamp_after_max
        exit 1
        $ factum topic alter store.orders --set compression=best
        !   × config.compression: "best" is not one of producer, uncompressed, gzip, snappy, lz4 or zstd
        exit 1
        $ factum topic alter store.orders --set retention
        ! error: invalid value 'retention' for '--set <NAME=VALUE>': it is not NAME=VALUE
        !
        ! For more information, try '--help'.
        exit 2
        $ factum topic alter store.orders --set retention=1d --unset retention
        !   × the setting retention is given twice
        !   help: give it once, with --set or with --unset
        exit 1
        $ factum topic alter store.orders
        !   × nothing is to change
        !   help: say what: --set retention=30d, --unset retention, or --partitions 8
        exit 1
        $ factum topic alter store.ordres --set retention=1d
        !   × there is no topic store.ordres
        !   help: did you mean `store.orders`?
        exit 1
        $ factum topic alter __consumer_offsets --set retention=1d
        !   × topic __consumer_offsets is internal: Factum keeps its own records there
        !   help: Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read
        exit 1
        $ factum topic alter _factum.nothing --set retention=1d
        !   × there is no topic _factum.nothing
        !   help: Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}
