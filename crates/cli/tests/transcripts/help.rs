//! Help, usage errors and completions.

use expect_test::expect;

use crate::support::Shell;

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
          export       Write what is declared in a form that other tools read
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
          factum produce store.orders --example --dry-run    print an event that the topic's schema accepts

        Send JSON lines to a topic

        Usage: factum produce [OPTIONS] <TOPIC>

        Arguments:
          <TOPIC>  The topic, in full: store.orders

        Options:
          -f, --file <FILE>  A file of JSON lines; without it, standard input
              --key <FIELD>  The field whose value is the key; without it, what the project says
              --batch <N>    How many lines are sent at once [default: 500]
              --example      Send one example event, made from the topic's schema
              --dry-run      Print the example, and send nothing
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
fn completions_know_the_verbs() {
    let shell = Shell::new("http://127.0.0.1:9");
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = shell.output(&format!("completion {name}"), "");
        let script = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && script.contains("produce"), "{name}");
    }
}
