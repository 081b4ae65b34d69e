//! `factum log`: a damaged data directory, as an operator meets it and brings it back.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use factum_testkit::Launch;
use support::{BINARY, Shell};

type Files = BTreeMap<PathBuf, (SystemTime, Vec<u8>)>;

/// Every file and directory below `folder`, when it was changed and what it holds.
fn files(folder: &Path, found: &mut Files) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let changed = path.metadata().and_then(|metadata| metadata.modified()).expect("a file has a time");
        let contents = if path.is_dir() { Vec::new() } else { std::fs::read(&path).expect("readable") };
        if path.is_dir() {
            files(&path, found);
        }
        found.insert(path, (changed, contents));
    }
}

/// A stopped server's data directory with three batches in `store.orders`, the second of them damaged.
fn damaged(data: &Path) {
    let mut factum = Launch::new(BINARY).data_dir(data).start();
    let shell = Shell::of(&factum);
    assert!(shell.output("topic create store.orders --partitions 1", "").status.success());
    for name in ["ada", "bob", "eve"] {
        let event = format!("{{\"email\":\"{name}\"}}");
        assert!(shell.output("produce store.orders", &event).status.success());
    }
    assert!(factum.stop().success());
    let segment = data.join("topics/store.orders/0/00000000000000000000.log");
    let mut bytes = std::fs::read(&segment).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("writable");
}

#[test]
fn a_damaged_partition_is_looked_at_repaired_and_read_past_the_gap() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    damaged(&data);
    let mut shell = Shell::new("http://127.0.0.1:9").replace(folder.path().display().to_string(), "FOLDER");
    let place = format!("--data-dir {} --topic store.orders --partition 0", data.display());
    let (mut before, mut after) = (Files::new(), Files::new());
    files(&data, &mut before);
    shell.run(&format!("log verify {place}")).run(&format!("log verify {place} -o json"));
    shell.run(&format!("log repair {place}"));
    files(&data, &mut after);
    assert!(before == after, "looking changes nothing");
    shell.run(&format!("log repair {place} --accept-loss")).run(&format!("log verify {place}"));
    shell.run(&format!("log repair {place} --accept-loss"));
    let said = shell.transcript();
    for part in [
        "store.orders/0",
        "DAMAGED",
        "damage in store.orders/0\n  offset 1, acknowledged: ",
        "\"item\":\"damage\"",
        "\"is_acknowledged\":true",
        "factum log repair --data-dir FOLDER/data --topic store.orders --partition 0",
        "would give up in store.orders/0",
        "nothing was changed",
        "gave up in store.orders/0",
        "the damaged bytes are kept in FOLDER/data/topics/store.orders/0/damaged/",
        "offset 1 holds no records",
        "nothing is damaged in store.orders/0",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }

    let factum = Launch::new(BINARY).data_dir(&data).start();
    let shell = Shell::of(&factum);
    assert!(shell.output("produce store.orders", "{\"email\":\"joe\"}").status.success());
    let tail = shell.output("tail store.orders --from earliest --limit 3 -o name", "");
    let said = String::from_utf8_lossy(&tail.stdout).into_owned();
    assert_eq!(said, "store.orders/0/0\nstore.orders/0/2\nstore.orders/0/3\n");
}

#[test]
fn a_wrong_folder_topic_or_partition_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    damaged(&data);
    let mut shell = Shell::new("http://127.0.0.1:9").replace(folder.path().display().to_string(), "FOLDER");
    shell.run(&format!("log verify --data-dir {}/nowhere", folder.path().display()));
    shell.run(&format!("log verify --data-dir {} --topic store.order", data.display()));
    shell.run(&format!("log repair --data-dir {} --topic store.orders --partition 7", data.display()));
    shell.run("log verify --partition 1");
    let said = shell.transcript();
    for part in [
        "FOLDER/nowhere is no data directory of Factum",
        "FOLDER/data holds no usable topic store.order",
        "store.orders has no partition 7",
        "exit 2",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}
