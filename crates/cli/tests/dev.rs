//! `factum dev`: the first minute, edits while it runs, and the end.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use support::{BINARY, Shell};

fn init(folder: &Path) {
    let shell = Shell::new("http://127.0.0.1:9");
    let output = shell.output(&format!("init {}", folder.display()), "");
    assert!(output.status.success(), "{output:?}");
}

/// Waits until the process has said `text` on standard error.
fn await_said(factum: &FactumProcess, text: &str) -> String {
    for _ in 0..4_000 {
        let said = factum.stderr();
        if said.contains(text) {
            return said;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("{text:?} was not said within 20 seconds\n{}", factum.stderr());
}

/// Without the parts that differ from run to run.
fn tidy(text: &str, factum: &FactumProcess, folder: &Path) -> String {
    let text =
        text.replace(factum.http().trim_start_matches("http://"), "HTTP").replace(&factum.kafka(), "KAFKA");
    let text = text.replace(&folder.display().to_string(), "FOLDER");
    // The sample's time is that of the start.
    let text = match text
        .split_once("\"ordered_at\":\"")
        .and_then(|(before, after)| Some((before, after.split_once('"')?)))
    {
        Some((before, (_, after))) => format!("{before}\"ordered_at\":\"NOW\"{after}"),
        None => text,
    };
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Saves a file as editors do: a new one beside it, under its name at once.
fn save(path: &Path, text: &str) {
    let beside = path.with_file_name(".being-saved~");
    std::fs::write(&beside, text).expect("writable");
    std::fs::rename(&beside, path).expect("the same folder");
}

#[test]
fn init_then_dev_then_edits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
    let mut shell = Shell::new("http://127.0.0.1:9").replace(folder.path().display().to_string(), "FOLDER");
    shell.run(&format!("init {}", project.display())).run(&format!("init {}", project.display()));
    expect![[r#"
        $ factum init FOLDER/shop
        wrote
          FOLDER/shop/factum.yaml
          FOLDER/shop/teams/store/team.yaml
          FOLDER/shop/teams/store/events/orders.yaml
          FOLDER/shop/teams/store/events/orders.schema.json
          FOLDER/shop/sample-orders.jsonl

        next: factum dev FOLDER/shop
        then: factum produce store.orders --file FOLDER/shop/sample-orders.jsonl
        $ factum init FOLDER/shop
        !   × no project was written
        !   ╰─▶ the folder FOLDER/shop is not empty
        !   help: choose an empty folder; nothing was overwritten
        exit 1
    "#]]
    .assert_eq(&shell.transcript());

    let mut factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
    let said = await_said(&factum, "Plan: 2 to add");
    expect![[r#"
        Factum 0.1.0 is ready.

        Project   FOLDER/shop (1 team, 1 event; changes are applied as you save)
        HTTP      http://HTTP
        API docs  http://HTTP/docs
        Metrics   http://HTTP/metrics
        Kafka     KAFKA
        Data      FOLDER/data
        Access    open: anyone on this machine may read and write

        Try:  echo '{"order_id":"text","email":"ada@example.com","total":9.5,"ordered_at":"NOW"}' | factum produce store.orders --server HTTP
        Ctrl-C stops it.

        store
          + team   store
          + event  store.orders  json, 4 partitions, key email, kept 30d

        Plan: 2 to add, 0 to change, 0 to forget."#]]
    .assert_eq(&tidy(&format!("{}{said}", factum.stdout()), &factum, folder.path()));

    // The line that the block proposes works.
    let mut shell = Shell::of(&factum);
    shell.run("topic list").run_with("produce store.orders", "{\"email\":\"world\"}\n");
    expect![[r#"
        $ factum topic list
        TOPIC         TEAM   PARTITIONS  RECORDS  BYTES  SUMMARY
        store.orders  store           4        0      0  A customer paid for an order.
        $ factum produce store.orders
        acknowledged 1 event in store.orders
          partition 0  offsets 0 to 0  (1)
    "#]]
    .assert_eq(&shell.transcript());

    let orders = project.join("teams/store/events/orders.yaml");
    let before = std::fs::read_to_string(&orders).expect("readable");
    let said_before = factum.stderr().len();
    save(&orders, &before.replace("partitions: 4", "partitions: many"));
    await_said(&factum, "stays as it was applied last");
    save(&orders, &before.replace("retention: 30d", "retention: 60d"));
    let said = await_said(&factum, "Plan: 0 to add, 1 to change");
    expect![[r#"
          × `partitions` is not usable: "many" is not a whole number from 1 to 1000
           ╭─[teams/store/events/orders.yaml:6:13]
         5 │ time: ordered_at        # when it happened
         6 │ partitions: many
           ·             ────
         7 │ retention: 30d
           ╰────
          help: for example `partitions: 4`
        what is wrong stays as it was applied last; the rest of the project is in force
        store
          ~ event  store.orders
              retention  30d → 60d

        Plan: 0 to add, 1 to change, 0 to forget."#]]
    .assert_eq(&tidy(&said[said_before..], &factum, folder.path()));

    // What was acknowledged and applied is still there the next time; nothing is left to apply.
    assert!(factum.stop().success());
    factum.restart();
    assert_eq!(tidy(&factum.stderr(), &factum, folder.path()), "");
    let mut shell = Shell::of(&factum);
    shell
        .run("tail store.orders --from earliest --limit 1 -o name")
        .run("topic describe store.orders -o yaml");
    let said = shell.transcript();
    assert!(said.contains("store.orders/") && said.contains("retention: 60d"), "{said}");
}

/// What lies where nothing reads it is said when it is saved, though it changes nothing.
#[test]
fn a_misplaced_file_is_said_when_it_is_saved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
    init(&project);
    let factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
    await_said(&factum, "Plan: 2 to add");
    let before = factum.stderr().len();
    let pipelines = project.join("teams/store/pipelines");
    std::fs::create_dir(&pipelines).expect("a folder");
    save(&pipelines.join("top.SQL"), "CREATE MATERIALIZED VIEW top AS SELECT 1 AS n;");
    await_said(&factum, "top.sql");
    let event = project.join("teams/store/event");
    std::fs::create_dir(&event).expect("a folder");
    save(&event.join("returns.yaml"), "summary: An order came back.");
    let said = await_said(&factum, "did you mean `events`?");
    expect![[r#"
        said
          ⚠ teams/store/pipelines/top.SQL: nothing reads this
          help: endings are in small letters: rename it to `top.sql`
          ⚠ teams/store/event: nothing reads this
          help: did you mean `events`?"#]]
    .assert_eq(&format!("said\n{}", tidy(&said[before..], &factum, folder.path())));
}

/// A field in another case is NULL, and both the query and the log say so.
#[test]
fn a_field_in_another_case_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
    init(&project);
    let mut factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
    let mut shell = Shell::of(&factum);
    shell
        .run_with("produce store.orders", "{\"email\":\"a\",\"TOTAL\":3.5}\n{\"email\":\"b\",\"TOTAL\":1}\n");
    shell.run("topic alter store.orders --set retention=1d");
    let described = shell.output("topic describe store.orders", "").stdout;
    let declared = "declared by    teams/store/events/orders.yaml, which its settings come from";
    assert!(String::from_utf8_lossy(&described).contains(declared), "{described:?}");
    let sql = |more: &[&str]| {
        let query = "SELECT email, total FROM store.orders ORDER BY email";
        let output =
            Command::new(BINARY).args(["sql", query, "--server", &factum.http()]).args(more).output();
        let output = output.expect("the binary runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    expect![[r#"
        email  total
        a
        b
        warning: store.orders: total is null: events of store.orders have `TOTAL` in place of `total`; names in JSON must match exactly: rename it in the events, or in the contract
    "#]].assert_eq(&sql(&[]));
    expect![[r#"
        email,total
        a,
        b,
        warning: empty because of an error: 1 value; -o json says why
    "#]]
    .assert_eq(&sql(&["-o", "csv"]));
    expect![[r#"
        $ factum produce store.orders
        acknowledged 2 events in store.orders
          partition 0  offsets 0 to 1  (2)
        $ factum topic alter store.orders --set retention=1d
        changed topic store.orders
          retention: 1d
        ! note: a project declares store.orders; what teams/store/events/orders.yaml and the defaults in factum.yaml say of these settings is set again when the project is applied
    "#]].assert_eq(&shell.transcript());
    let said = factum.stderr();
    assert_eq!(said.matches("events spell a field otherwise").count(), 1, "{said}");
    assert!(factum.stop().success());
}

/// Suggested commands can be pasted into a shell.
#[test]
fn the_commands_that_init_suggests_are_quoted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(BINARY).args(["init", "my shop"]).current_dir(&folder).output();
    let said = String::from_utf8(output.expect("the binary runs").stdout).expect("text");
    let commands: Vec<_> = said.lines().filter(|line| line.contains(": factum ")).collect();
    assert_eq!(
        commands,
        [
            "next: factum dev 'my shop'",
            "then: factum produce store.orders --file 'my shop/sample-orders.jsonl'"
        ]
    );
}

#[test]
fn a_folder_that_is_no_project_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut shell = Shell::new("http://127.0.0.1:9").replace(folder.path().display().to_string(), "FOLDER");
    shell.run(&format!("dev {} --http 0 --kafka 0", folder.path().display()));
    shell.run(&format!("dev {}/nowhere --http 0 --kafka 0", folder.path().display()));
    expect![[r#"
        $ factum dev FOLDER --http 0 --kafka 0
        !   × factum.yaml: there is no such file
        !   help: FOLDER is not a project; `factum init` makes one
        !   × FOLDER is not a project, and Factum did not start
        exit 1
        $ factum dev FOLDER/nowhere --http 0 --kafka 0
        !   × factum.yaml: there is no such file
        !   help: the folder FOLDER/nowhere does not exist; `factum init` makes one
        !   × FOLDER/nowhere is not a project, and Factum did not start
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn a_first_start_applies_what_is_valid_and_says_the_rest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    init(folder.path());
    let orders = folder.path().join("teams/store/events/orders.yaml");
    let good = std::fs::read_to_string(&orders).expect("readable");
    std::fs::write(&orders, "sumary: Paid.\nkey: emial\n").expect("writable");
    let factum = Launch::new(BINARY).project(folder.path()).start();
    let said = await_said(&factum, "Plan: 1 to add");
    expect![[r#"
          × there is no field `sumary`
           ╭─[teams/store/events/orders.yaml:1:1]
         1 │ sumary: Paid.
           · ───┬──
           ·    ╰── did you mean `summary`?
         2 │ key: emial
           ╰────
          help: known here: capture, cleanup_policy, compression, delete_retention, format, key, lateness,
                max_compaction_lag, max_message_bytes, min_compaction_lag, min_dirty_ratio, partitions, retention,
                retention_bytes, schema, segment_age, segment_bytes, source, summary, time, timestamp_after_max,
                timestamp_before_max, timestamp_type, type, visibility
          × `key` names a field that the contract does not have
           ╭─[teams/store/events/orders.yaml:2:6]
         1 │ sumary: Paid.
         2 │ key: emial
           ·      ──┬──
           ·        ╰── did you mean `email`?
           ╰────
          help: fields of the contract: order_id, email, total, ordered_at
        what is wrong stays as it was applied last; the rest of the project is in force
        store
          + team   store

        Plan: 1 to add, 0 to change, 0 to forget."#]]
    .assert_eq(&tidy(&said, &factum, folder.path()));
    let shell = Shell::of(&factum);
    let shown = shell.output("topic list", "");
    assert!(!String::from_utf8_lossy(&shown.stdout).contains("store.orders"), "{shown:?}");
    let block = factum.stdout();
    assert!(block.contains("1 team, 0 events; not all of it is in force"), "{block}");
    save(&orders, &good);
    await_said(&factum, "+ event  store.orders");
}

/// A view over `store.orders`, and one over that view.
fn write_views(folder: &Path) {
    let views = folder.join("teams/store/pipelines");
    std::fs::create_dir_all(&views).expect("a folder");
    let write = |name: &str, sql: &str| std::fs::write(views.join(name), sql).expect("writable");
    write(
        "sales.sql",
        "CREATE MATERIALIZED VIEW sales AS\n  SELECT email, count(*) AS orders FROM orders GROUP BY email;\n",
    );
    write("buyers.sql", "CREATE MATERIALIZED VIEW buyers AS\n  SELECT count(*) AS orders FROM orders;\n");
}

#[test]
fn a_restart_with_a_broken_project_serves_what_was_applied_last() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
    init(&project);
    write_views(&project);
    let mut factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
    let sample = std::fs::read_to_string(project.join("sample-orders.jsonl")).expect("readable");
    let shell = Shell::of(&factum);
    assert!(shell.output("produce store.orders", &sample).status.success());
    let orders = sample.lines().count().to_string();
    let count = |factum: &FactumProcess| {
        let shown = Shell::of(factum).output("view get store.buyers -o json", "");
        String::from_utf8_lossy(&shown.stdout).contains(&format!("\"orders\":{orders}"))
            || String::from_utf8_lossy(&shown.stdout).contains(&format!("\"orders\": {orders}"))
    };
    await_true(|| count(&factum));

    // One view is wrong, another file cannot be read, and a third is as good as it was.
    let view = project.join("teams/store/pipelines/sales.sql");
    let good = std::fs::read_to_string(&view).expect("readable");
    factum.kill();
    std::fs::write(&view, good.replace("email", "emial")).expect("writable");
    factum.restart();
    await_true(|| count(&factum));
    let said = await_said(&factum, "the rest of the project is in force");
    expect![[r#"
          × there is no column `emial` in orders
           ╭─[teams/store/pipelines/sales.sql:2:10]
         1 │ CREATE MATERIALIZED VIEW sales AS
         2 │   SELECT emial, count(*) AS orders FROM orders GROUP BY emial;
           ·          ─────
           ╰────
          help: did you mean `email`?
        what is wrong stays as it was applied last; the rest of the project is in force"#]]
    .assert_eq(&tidy(&said, &factum, folder.path()));
    let listed =
        String::from_utf8_lossy(&Shell::of(&factum).output("view list -o name", "").stdout).into_owned();
    assert!(listed.contains("store.sales") && listed.contains("store.buyers"), "{listed}");

    // The whole project is unreadable, then gone; both views go on.
    let manifest = project.join("factum.yaml");
    let header = std::fs::read_to_string(&manifest).expect("readable");
    factum.kill();
    std::fs::write(&manifest, "name: [\n").expect("writable");
    factum.restart();
    await_true(|| count(&factum));
    await_said(&factum, "the last good project stays in force");
    // Mended while it runs, it is applied.
    save(&view, &good);
    save(&manifest, &header);
    await_said(&factum, "the project is whole again");
    assert!(factum.stop().success());
}

#[test]
fn damage_in_the_record_of_what_is_applied_keeps_no_server_from_starting() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
    init(&project);
    let mut factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
    assert!(factum.stop().success());
    let segment = data.join("topics/_factum.resources/0/00000000000000000000.log");
    let mut bytes = std::fs::read(&segment).expect("readable");
    bytes[120] ^= 1;
    std::fs::write(&segment, bytes).expect("writable");

    // Without its folder a server starts and says what it does not know; with it, all is in force.
    let mut without = Launch::new(BINARY).data_dir(&data).start();
    let doctor = Shell::of(&without).output("doctor -o csv", "");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("what was recorded there is not known"), "{said}");
    assert!(without.stop().success());
    factum.restart();
    // The damaged topic takes no more records, so that what is applied now is in force and cannot be recorded. Anyone who
    // reads that is told what to do.
    let said = await_said(&factum, "_factum.resources takes no records");
    assert!(said.contains("`factum log repair`"), "{said}");
    let shown = Shell::of(&factum).output("topic list -o csv", "");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("store.orders,"), "{shown}");
    assert!(Shell::of(&factum).output("produce store.orders", "{\"email\":\"a\"}").status.success());
    let doctor = Shell::of(&factum).output("doctor -o csv", "");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let place = format!("--data-dir {} --topic _factum.resources --partition 0", data.display());
    assert!(said.contains(&format!("`factum log verify {place}`")), "{said}");

    // Beside the running server it is looked at, and not repaired.
    let shell = Shell::of(&factum);
    let output = shell.output(&format!("log verify {place}"), "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let output = shell.output(&format!("log repair {place} --accept-loss"), "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("stop the server first"), "{said}");
    assert!(factum.stop().success());

    let before = std::fs::read(&segment).expect("readable");
    assert!(!shell.output(&format!("log repair {place}"), "").status.success(), "no one accepted the loss");
    assert_eq!(std::fs::read(&segment).expect("readable"), before);
    let output = shell.output(&format!("log repair {place} --accept-loss"), "");
    assert!(output.status.success(), "{output:?}");
    assert!(shell.output(&format!("log verify --data-dir {}", data.display()), "").status.success());

    // What is applied is recorded again, and an edit as well: the next start has nothing left to apply.
    factum.restart();
    let orders = project.join("teams/store/events/orders.yaml");
    let text = std::fs::read_to_string(&orders).expect("readable");
    save(&orders, &text.replace("retention: 30d", "retention: 60d"));
    let said = await_said(&factum, "retention  30d → 60d");
    assert!(!said.contains("takes no records"), "{said}");
    assert!(factum.stop().success());
    factum.restart();
    assert_eq!(tidy(&factum.stderr(), &factum, folder.path()), "");
    let doctor = Shell::of(&factum).output("doctor -o csv", "");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!said.contains("_factum.resources"), "{said}");
}

/// Where a project says which topics there are, a misspelt name is refused on every path and nothing is created.
#[test]
fn a_topic_that_the_project_does_not_name_is_not_created_by_a_misspelling() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
    init(&project);
    let mut factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
    let mut shell = Shell::of(&factum);
    shell.run_with("produce store.oders", "{\"email\":\"a\"}").run_with("produce payments", "{}");
    expect![[r#"
        $ factum produce store.oders
        !   × there is no topic store.oders
        !   help: did you mean `store.orders`?
        exit 1
        $ factum produce payments
        !   × there is no topic payments
        !   help: the project that is applied does not name it: add an event (teams/<team>/events/<event>.yaml is
        !         topic <team>.<event>) to it, or create the topic without an event (`factum topic create payments`,
        !         POST /api/v1/topics)
        exit 1"#]]
    .assert_eq(&tidy(&shell.transcript(), &factum, folder.path()));

    // Nor after a restart without its folder: what is applied is on the log.
    assert!(factum.stop().success());
    let mut factum = Launch::new(BINARY).data_dir(&data).start();
    let misspelt = Shell::of(&factum).output("produce store.oders", "{\"email\":\"a\"}");
    assert!(!misspelt.status.success());
    let listed = Shell::of(&factum).output("topic list -o name", "").stdout;
    assert_eq!(String::from_utf8_lossy(&listed), "store.orders\n");
    // A topic that is asked for by its own command is no misspelling.
    assert!(Shell::of(&factum).output("topic create payments", "").status.success());
    assert!(Shell::of(&factum).output("produce payments", "{}").status.success());
    assert!(factum.stop().success());
}

fn await_true(mut check: impl FnMut() -> bool) {
    for _ in 0..400 {
        if check() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("it did not come true within 20 seconds");
}

#[test]
fn a_temporary_folder_is_gone_at_the_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut factum = Launch::new(BINARY).variable("TMPDIR", folder.path().display().to_string()).start();
    let inside = || std::fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(inside(), 1);
    let block = factum.stdout();
    assert!(block.contains("removed at the end"), "{block}");
    assert!(factum.stop().success());
    assert_eq!(inside(), 0);
}

#[test]
fn a_taken_port_is_named() {
    let factum = Launch::new(BINARY).start();
    let mut shell = Shell::of(&factum);
    let http = factum.http();
    shell.run(&format!("dev --http {} --kafka 0", http.trim_start_matches("http://")));
    shell.run(&format!("dev --http 0 --kafka {}", factum.kafka()));
    expect![[r#"
        $ factum dev --http HTTP --kafka 0
        !   × Factum did not start
        !   ├─▶ cannot listen for HTTP on HTTP
        !   ╰─▶ Address already in use (os error 98)
        !   help: choose another port with --http, or 0 for a free one; `factum doctor` says who has it
        exit 1
        $ factum dev --http 0 --kafka KAFKA
        !   × Factum did not start
        !   ├─▶ cannot listen for Kafka clients on KAFKA
        !   ╰─▶ Address already in use (os error 98)
        !   help: choose another port with --kafka, or 0 for a free one; `factum doctor` says who has it
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn production_needs_a_place_for_its_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("factum.toml");
    std::fs::write(&config, "[http]\nlisten = \"127.0.0.1:0\"\n").expect("writable");
    let mut shell = Shell::new("http://127.0.0.1:9").replace(folder.path().display().to_string(), "FOLDER");
    shell.run(&format!("server --config {}", config.display()));
    std::fs::write(&config, "data_dri = \"x\"\n").expect("writable");
    shell.run(&format!("server --config {}", config.display()));
    shell.run("server --config nowhere.toml");
    expect![[r#"
        $ factum server --config FOLDER/factum.toml
        !   × the configuration names no data_dir
        !   help: add a line such as data_dir = "/var/lib/factum"; only `factum dev` keeps data for the moment
        exit 1
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: there is no setting data_dri; known here: data_dir, project, access,
        !       registry, log, kafka, http, state, sql, feeds, disk, watch
        exit 1
        $ factum server --config nowhere.toml
        !   × the configuration cannot be used
        !   ├─▶ cannot read nowhere.toml
        !   ╰─▶ No such file or directory (os error 2)
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

/// Commands trust the authority that `dev --tls` made, by itself; other clients are told where it is.
#[test]
fn tls_has_a_certificate_that_commands_trust() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let factum = Launch::new(BINARY).tls(folder.path()).start();
    let authority = folder.path().join("factum/tls/ca.pem");
    let block = factum.stdout();
    assert!(block.contains("security.protocol=SSL"), "{block}");
    assert!(block.contains(&format!("clients trust {} (", authority.display())), "{block}");
    let port = factum.http().rsplit(':').next().expect("a port").to_owned();
    let asks = |server: &str, data: &Path, arguments: &[&str]| {
        let command = Command::new(BINARY)
            .args(arguments)
            .env("FACTUM_SERVER", server)
            .env("XDG_DATA_HOME", data)
            .env_remove("FACTUM_CACERT")
            .output();
        let output = command.expect("the binary starts");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let cacert = authority.display().to_string();
    for name in ["localhost", "127.0.0.1"] {
        let server = format!("https://{name}:{port}");
        let (ok, said) = asks(&server, folder.path(), &["topic", "list", "--all"]);
        assert!(ok, "{said}");
        let (ok, said) = asks(&server, elsewhere.path(), &["topic", "list"]);
        assert!(!ok && said.contains("is not trusted") && said.contains("--cacert"), "{said}");
        let (ok, said) = asks(&server, elsewhere.path(), &["topic", "list", "--cacert", &cacert]);
        assert!(ok, "{said}");
    }
    let server = format!("https://localhost:{port}");
    let (ok, said) = asks(&server, folder.path(), &["topic", "list", "--cacert", "/dev/null"]);
    assert!(!ok && said.contains("cannot be used"), "{said}");
    let (ok, said) = asks(&format!("http://localhost:{port}"), folder.path(), &["topic", "list"]);
    assert!(!ok, "{said}");

    // The next one shows a certificate of the same authority.
    let pem = std::fs::read_to_string(&authority).expect("readable");
    drop(factum);
    let again = Launch::new(BINARY).tls(folder.path()).start();
    assert!(!again.stdout().contains("made just now"), "{}", again.stdout());
    assert_eq!(std::fs::read_to_string(&authority).expect("readable"), pem);
}
