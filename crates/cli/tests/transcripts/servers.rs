//! Servers that are not there, do not answer, or cannot start.

use std::io::{Read, Write};

use expect_test::expect;

use crate::serve;
use crate::support::Shell;
use crate::unanswered_address;

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
