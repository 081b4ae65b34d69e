//! Transcripts: commands against a real server, as a user sees them.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use support::{BINARY, Shell};

/// An address at which no one answers, for as long as the listener lives.
fn unanswered_address() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, format!("http://{address}"))
}

fn serve() -> FactumProcess {
    Launch::new(BINARY).start()
}

#[test]
fn help_opens_with_examples() {
    let mut shell = Shell::new("http://127.0.0.1:9");
    shell.run("--help").run("topic --help").run("produce -h");
    expect![[r#"
        $ factum --help
        Examples:
          factum demo movies                         see what it does: a store's orders, live
          factum dev examples/movies                 start everything with a project, and watch it
          factum tail store.orders --from earliest   print a topic, and go on as events arrive
          factum view watch store.top_movies         print a view, and go on as it changes

        An event-driven architecture in one binary

        Usage: factum [OPTIONS] <COMMAND>

        Commands:
          demo         Run a case study, its generator and its dashboard
          dev          Run everything in one process, for development
          server       Run with a configuration file, for production
          init         Write a small commented project
          topic        List, describe, create, alter and delete topics
          schema       List, get, register, check, compare and delete schemas
          group        List, describe, delete and rewind consumer groups
          transaction  List, describe and abort transactions of producers
          user         List, create and delete users, and set their passwords
          acl          List, create and delete access rules
          quota        List, set and delete client quotas
          view         List, read and watch views
          pipeline     List and describe pipelines, which keep views up to date
          sql          Run a SQL query
          explain      Show how a query or a view is computed
          produce      Send JSON lines to a topic
          generate     Generate events, at any rate
          tail         Print a topic's events as they arrive
          doctor       Check this machine for common problems
          log          Check a data directory for damage, and repair it
          completion   Print a completion script for a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Options of every command:
              --server <URL>
                  The running Factum that the command talks to

                  [env: FACTUM_SERVER=http://127.0.0.1:9]
                  [default: http://127.0.0.1:8080]

              --cacert <FILE>
                  A PEM file with the authorities that an https:// server's certificate may come from, in
                  place of the machine's

                  [env: FACTUM_CACERT=]

              --user <NAME>
                  The user to log in as; its password is in FACTUM_PASSWORD

                  [env: FACTUM_USER=]

          -o, --output <OUTPUT>
                  How to print what was asked for

                  Possible values:
                  - table: Aligned columns, for people
                  - json:  JSON, everything that is known
                  - yaml:  YAML, everything that is known
                  - csv:   The table's columns, separated by commas
                  - name:  Names alone, one a line

                  [default: table]
        $ factum topic --help
        Examples:
          factum topic list
          factum topic create store.orders --partitions 4 --retention 30d

        List, describe, create, alter and delete topics

        Usage: factum topic [OPTIONS] <COMMAND>

        Commands:
          list      List topics
          describe  Show one topic with its partitions
          create    Create a topic
          alter     Change settings of a topic, and give it partitions
          delete    Delete a topic with all its events
          help      Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Options of every command:
              --server <URL>
                  The running Factum that the command talks to

                  [env: FACTUM_SERVER=http://127.0.0.1:9]
                  [default: http://127.0.0.1:8080]

              --cacert <FILE>
                  A PEM file with the authorities that an https:// server's certificate may come from, in
                  place of the machine's

                  [env: FACTUM_CACERT=]

              --user <NAME>
                  The user to log in as; its password is in FACTUM_PASSWORD

                  [env: FACTUM_USER=]

          -o, --output <OUTPUT>
                  How to print what was asked for

                  Possible values:
                  - table: Aligned columns, for people
                  - json:  JSON, everything that is known
                  - yaml:  YAML, everything that is known
                  - csv:   The table's columns, separated by commas
                  - name:  Names alone, one a line

                  [default: table]
        $ factum produce -h
        Examples:
          factum produce store.orders --file orders.jsonl --key Email
          echo '{"Email":"ada@example.com","Total":12.5}' | factum produce store.orders

        Send JSON lines to a topic

        Usage: factum produce [OPTIONS] <TOPIC>

        Arguments:
          <TOPIC>  The topic, in full: store.orders

        Options:
          -f, --file <FILE>  A file of JSON lines; without it, standard input
              --key <FIELD>  The field whose value is the key; without it, what the project says
              --batch <N>    How many lines are sent at once [default: 500]
          -h, --help         Print help (see more with '--help')
          -V, --version      Print version

        Options of every command:
              --server <URL>     The running Factum that the command talks to [env:
                                 FACTUM_SERVER=http://127.0.0.1:9] [default: http://127.0.0.1:8080]
              --cacert <FILE>    A PEM file with the authorities that an https:// server's certificate may
                                 come from, in place of the machine's [env: FACTUM_CACERT=]
              --user <NAME>      The user to log in as; its password is in FACTUM_PASSWORD [env:
                                 FACTUM_USER=]
          -o, --output <OUTPUT>  How to print what was asked for [default: table] [possible values: table,
                                 json, yaml, csv, name]
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn usage_errors_exit_with_2() {
    let mut shell = Shell::new("http://127.0.0.1:9");
    shell
        .run("tpoic list")
        .run("topic list -o xml")
        .run("dev --http example.com:80")
        .run("tail x --from middle");
    expect![[r#"
        $ factum tpoic list
        ! error: unrecognized subcommand 'tpoic'
        !
        !   tip: a similar subcommand exists: 'topic'
        !
        ! Usage: factum [OPTIONS] <COMMAND>
        !
        ! For more information, try '--help'.
        exit 2
        $ factum topic list -o xml
        ! error: invalid value 'xml' for '--output <OUTPUT>'
        !   [possible values: table, json, yaml, csv, name]
        !
        !   tip: a similar value exists: 'yaml'
        !
        ! For more information, try '--help'.
        exit 2
        $ factum dev --http example.com:80
        ! error: invalid value 'example.com:80' for '--http <ADDRESS>': "example.com" is not an IP address of this machine
        !
        ! For more information, try '--help'.
        exit 2
        $ factum tail x --from middle
        ! error: invalid value 'middle' for '--from <FROM>': "middle" is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as 2026-01-31T12:00:00Z, or 10m ago
        !
        ! For more information, try '--help'.
        exit 2
    "#]].assert_eq(&shell.transcript());
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let (listener, address) = unanswered_address();
    drop(listener);
    let mut shell = Shell::new(&address).replace(address.trim_start_matches("http://"), "HTTP");
    shell
        .run("topic list")
        .run("topic list --server https://example.com --cacert /dev/null")
        .run("group list --server ftp://localhost");
    expect![[r#"
        $ factum topic list
        !   × no answer from http://HTTP: Connection refused (os error 111)
        !   help: is `factum dev` running? another address is given by --server or FACTUM_SERVER
        exit 1
        $ factum topic list --server https://example.com --cacert /dev/null
        !   × /dev/null cannot be used: it is not a file of certificates
        !   help: --cacert or FACTUM_CACERT names a PEM file with the certificates of authorities
        exit 1
        $ factum group list --server ftp://localhost
        !   × "ftp://localhost" is not the address of a server: "ftp" is not http or https
        !   help: an address looks like http://127.0.0.1:8080; it comes from --server or FACTUM_SERVER
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

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
fn events_go_in_and_come_out() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.orders --partitions 1")
        .run_with("produce store.orders", "{\"n\":1,\"price\":12.50}\n\n  {\"n\":2}\n")
        .run_with("produce store.orders --key email -o json", "{\"email\":\"ada@example.com\",\"n\":3}")
        .run("tail store.orders --from earliest --limit 3 -o name")
        .run("tail store.orders --from 1 --limit 1 -o name")
        .run("tail store.ordesr --limit 1")
        .run_with("produce store.orders", "{\"n\":4}\n{\"n\":5\n{\"n\":6}\n")
        .run_with("produce store.orders --key email", "{\"email\":\"a\"}\n{\"n\":8}\n")
        .run_with("produce store.orders --file nowhere.jsonl", "");
    expect![[r#"
        $ factum topic create store.orders --partitions 1
        created topic store.orders with 1 partition
        $ factum produce store.orders
        acknowledged 2 events in store.orders
          partition 0  offsets 0 to 1  (2)
        $ factum produce store.orders --key email -o json
        {
          "topic": "store.orders",
          "events": 1,
          "last_line": 1,
          "partitions": {
            "0": {
              "events": 1,
              "first": "2",
              "last": "2"
            }
          }
        }
        $ factum tail store.orders --from earliest --limit 3 -o name
        store.orders/0/0
        store.orders/0/1
        store.orders/0/2
        $ factum tail store.orders --from 1 --limit 1 -o name
        store.orders/0/1
        $ factum tail store.ordesr --limit 1
        !   × there is no topic store.ordesr
        !   help: did you mean `store.orders`?
        exit 1
        $ factum produce store.orders
        acknowledged 1 event in store.orders
          partition 0  offsets 3 to 3  (1)
        !   × cannot read further lines
        !   ╰─▶ line 2 is not JSON: EOF while parsing an object (column 6)
        !   help: line 1 is stored; go on with line 2
        exit 1
        $ factum produce store.orders --key email
        !   × line 2 was refused
        !   ╰─▶ the key of topic store.orders is the field email: it is missing
        !   help: nothing is stored
        exit 1
        $ factum produce store.orders --file nowhere.jsonl
        !   × cannot open nowhere.jsonl
        !   ╰─▶ No such file or directory (os error 2)
        !   help: without --file the lines come from standard input
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
    let lines = shell.output("tail store.orders --from 0 --limit 4 -o json", "").stdout;
    let lines = String::from_utf8(lines).expect("text");
    let values: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split("\"value\":").nth(1)?.split(",\"value_encoding\"").next())
        .collect();
    assert_eq!(
        values,
        [r#"{"n":1,"price":12.50}"#, r#"{"n":2}"#, r#"{"email":"ada@example.com","n":3}"#, r#"{"n":4}"#]
    );
}

#[test]
fn an_answer_that_does_not_come_leaves_no_doubt_about_the_rest() {
    let (listener, address) = unanswered_address();
    let serve = move || {
        let accepted = br#"{"offsets":[{"partition":0,"offset":"0"},{"partition":0,"offset":"1"}]}"#;
        let head = format!(
            "HTTP/1.1 202 Accepted\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            accepted.len()
        );
        for answer in [[head.as_bytes(), accepted].concat(), Vec::new()] {
            let (mut connection, _) = listener.accept().expect("a client");
            let mut request = vec![0; 64 * 1024];
            while !request.windows(2).any(|end| end == b"}\n") {
                assert_ne!(connection.read(&mut request).expect("a request"), 0);
            }
            connection.write_all(&answer).expect("the client listens");
        }
    };
    let server = std::thread::Builder::new().spawn(serve).expect("a thread");
    let mut shell = Shell::new(&address).replace(address.trim_start_matches("http://"), "HTTP");
    shell.run_with("produce store.orders --batch 2", "{}\n{}\n{}\n{}\n{}\n");
    server.join().expect("the server's part is done");
    let said = shell.transcript();
    assert!(said.contains("whether lines 3 to 4 are stored is not known"), "{said}");
    assert!(said.contains("lines 1 to 2 are stored; go on with line 3"), "{said}");
    assert!(said.contains("acknowledged 2 events in store.orders"), "{said}");
}

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

#[test]
fn completions_know_the_verbs() {
    let shell = Shell::new("http://127.0.0.1:9");
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = shell.output(&format!("completion {name}"), "");
        let script = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && script.contains("produce"), "{name}");
    }
}

#[test]
fn the_doctor_finds_taken_ports_and_says_by_whom() {
    let factum = serve();
    let (listener, taken) = unanswered_address();
    let (folder, pid) = (tempfile::tempdir().expect("a folder"), std::process::id());
    let comm = std::fs::read_to_string("/proc/self/comm").expect("this process has a name");
    let taken = taken.trim_start_matches("http://").to_owned();
    let mut shell = Shell::of(&factum)
        .replace(folder.path().display().to_string(), "FOLDER")
        .replace(&taken, "TAKEN")
        .replace(format!("process {pid}"), "process TEST")
        .replace(format!("process {}", factum.process().expect("it runs")), "process SERVER")
        .replace(comm.trim(), "NAME");
    let http = factum.http();
    let arguments = format!(
        "doctor -o csv --http {} --kafka {taken} --data-dir {}",
        http.trim_start_matches("http://"),
        folder.path().display()
    );
    shell.run(&arguments);
    let said = shell.transcript();
    let lines: Vec<&str> =
        said.lines().filter(|line| !line.contains(",disk,") && !line.contains(",clock,")).collect();
    let varies =
        |line: &str| line.contains("open files,") || line.contains("'s disk,") || line.contains("'s clock,");
    let lines: Vec<&str> = lines.into_iter().filter(|line| !varies(line)).collect();
    expect![[r#"
        $ factum doctor -o csv --http HTTP --kafka TAKEN --data-dir FOLDER
        verdict,check,found,fix
        ok,HTTP port,HTTP is served by factum (process SERVER),
        FAIL,Kafka port,TAKEN is taken by NAME (process TEST),"stop it, or give --kafka another port (0: any)"
        ok,data folder,FOLDER can be written,
        ok,server,http://HTTP is ready,
        ok,server's version,0.1.0,
        !   × one thing would keep Factum from running here
        !   help: each line marked FAIL says what to do
        exit 1"#]]
    .assert_eq(&lines.join("\n"));
    drop(listener);
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

#[test]
fn a_tail_begins_at_a_time() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.orders --partitions 1")
        .run_with("produce store.orders", "{\"n\":1}\n{\"n\":2}\n");
    shell
        .run("tail store.orders --from 10m --limit 1 -o name")
        .run("tail store.orders --from 2026-01-31T12:00:00Z --limit 2 -o name");
    expect![[r#"
        $ factum topic create store.orders --partitions 1
        created topic store.orders with 1 partition
        $ factum produce store.orders
        acknowledged 2 events in store.orders
          partition 0  offsets 0 to 1  (2)
        $ factum tail store.orders --from 10m --limit 1 -o name
        store.orders/0/0
        $ factum tail store.orders --from 2026-01-31T12:00:00Z --limit 2 -o name
        store.orders/0/0
        store.orders/0/1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn columns_of_a_query_keep_their_names() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    let output = |query: &str| {
        let output = std::process::Command::new(BINARY)
            .args(["sql", query, "--server", &factum.http()])
            .output()
            .expect("the binary runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    expect![[r#"
        straße  n  N  'x'
        ß       1  2  x
    "#]]
    .assert_eq(&output("SELECT 'ß' AS \"straße\", 1 AS n, 2 AS \"N\", 'x'"));
    expect![[r#"
        said
          × division by zero
           ╭─[query:1:12]
         1 │ SELECT 1 / 0 AS n
           ·            ─
           ╰────
    "#]]
    .assert_eq(&format!("said\n{}", output("SELECT 1 / 0 AS n")));
    shell.run("explain store.none");
    expect![[r#"
        $ factum explain store.none
        !   × there is no view store.none
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}
