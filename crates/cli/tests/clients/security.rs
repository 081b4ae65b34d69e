//! Clients that log in over TLS, and certificates of clients: the programs of `tests/clients`, and kcat, whose librdkafka is built with TLS.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use factum_testkit::{Authority, FactumProcess, Launch, TokenIssuer};
use serde_json::json;
use tempfile::TempDir;

const PASSWORD: &str = "a password, of \"letters\" = and signs";

struct Server {
    factum: FactumProcess,
    folder: TempDir,
    authority: Authority,
    issuer: TokenIssuer,
}

impl Server {
    /// With `kafka` below `[kafka]`, and `tls` below `[kafka.tls]`. Who has not said who it is may do nothing.
    fn start(kafka: &str, tls: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (authority, issuer) = (Authority::new(), TokenIssuer::new());
        let files = authority.issue(folder.path(), "server", 2090);
        authority.write(folder.path());
        issuer.write_keys(folder.path());
        let text = format!(
            "access = \"closed\"\ndata_dir = {:?}\n[log]\nauto_create_topics = \"always\"\n[kafka]\n{kafka}\n\
             [kafka.tls]\n{tls}\ncertificate = {:?}\nkey = {:?}\n",
            folder.path().join("data"),
            files.certificate,
            files.key,
        );
        let config = folder.path().join("factum.toml");
        std::fs::write(&config, text.replace("FOLDER", &folder.path().display().to_string()))
            .expect("written");
        let launch = Launch::new(env!("CARGO_BIN_EXE_factum")).config(config);
        let factum = launch.variable("FACTUM_ADMIN_PASSWORD", PASSWORD).start();
        Self { factum, folder, authority, issuer }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a scenario of a program with this in its environment; whether it went well, and what it wrote.
    fn run(&self, language: &str, scenario: &str, variable: (&str, &str)) -> (bool, String) {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/run");
        let mut command = Command::new(program);
        command.args([language, &self.factum.kafka(), scenario]).env(variable.0, variable.1);
        let output = command.stdin(Stdio::null()).output().expect("it can be run");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    }

    fn java(&self, scenario: &str, password: &str) -> (bool, String) {
        let password = password.replace('\\', "\\\\").replace('"', "\\\\\"");
        let text = format!(
            "security.protocol=SASL_SSL\nssl.truststore.type=PEM\nssl.truststore.location={}\n\
             sasl.mechanism=SCRAM-SHA-512\n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"admin\" password=\"{password}\";\n",
            self.file("authority.pem").display(),
        );
        let file = self.file("client.properties");
        std::fs::write(&file, text).expect("written");
        self.run("java", scenario, ("CLIENT_PROPERTIES", &file.display().to_string()))
    }

    fn python(&self, scenario: &str, password: &str) -> (bool, String) {
        let options = json!({
            "security_protocol": "SASL_SSL", "ssl_cafile": self.file("authority.pem"), "sasl_mechanism": "PLAIN",
            "sasl_plain_username": "admin", "sasl_plain_password": password,
        });
        self.run("python", scenario, ("CLIENT_OPTIONS", &options.to_string()))
    }

    fn kcat(&self, arguments: &[&str], settings: &[(&str, &str)], input: &str) -> (bool, String) {
        let mut command = Command::new("kcat");
        // Cargo names the folder of a librdkafka of its own there, which knows no TLS.
        command.env_remove("LD_LIBRARY_PATH");
        command.args(["-q", "-b", &self.factum.kafka(), "-X"]);
        command.arg(format!("ssl.ca.location={}", self.file("authority.pem").display()));
        for (name, value) in settings {
            command.arg("-X").arg(format!("{name}={value}"));
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kcat can be started; tests/clients/setup installs it");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), input.as_bytes())
            .expect("it reads");
        let output = child.wait_with_output().expect("kcat ends");
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    }
}

const SASL: &str = "security = \"SASL_SSL\"\n[kafka.sasl]\nmechanisms = [\"PLAIN\", \"SCRAM-SHA-256\", \"SCRAM-SHA-512\"]\n\
    reauthenticate_after = \"2s\"";

/// Its groups outlive a session of two seconds: it logs in again on connections that are in use.
#[test]
fn java_by_scram_sha_512() {
    let server = Server::start(SASL, "");
    for scenario in ["group", "exactly_once", "admin"] {
        let (is_fine, text) = server.java(scenario, PASSWORD);
        assert!(is_fine, "{scenario}: {text}");
    }
    let (is_fine, text) = server.java("idempotent", "another password");
    assert!(!is_fine && text.contains("SaslAuthenticationException"), "{text}");
}

#[test]
fn python_by_plain() {
    let server = Server::start(SASL, "");
    for scenario in ["group", "idempotent"] {
        let (is_fine, text) = server.python(scenario, PASSWORD);
        assert!(is_fine, "{scenario}: {text}");
    }
}

#[test]
fn go_by_scram_sha_256() {
    let server = Server::start(SASL, "");
    let options = |password: &str| {
        json!({"authority": server.file("authority.pem"), "user": "admin", "password": password}).to_string()
    };
    for scenario in ["group", "codecs"] {
        let (is_fine, text) = server.run("go", scenario, ("CLIENT_OPTIONS", &options(PASSWORD)));
        assert!(is_fine, "{scenario}: {text}");
    }
    let (is_fine, text) = server.run("go", "codecs", ("CLIENT_OPTIONS", &options("wrong")));
    assert!(!is_fine && text.contains("SASL_AUTHENTICATION_FAILED"), "{text}");
}

#[test]
fn go_by_a_token() {
    let server = Server::start(
        "security = \"SASL_SSL\"\n[kafka.sasl]\nmechanisms = [\"OAUTHBEARER\"]\n\
         [kafka.sasl.oauthbearer]\njwks = \"FOLDER/keys.json\"\nissuer = \"https://issuer.example\"\naudience = \"factum\"",
        "",
    );
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is later").as_secs();
    let header = json!({"alg": "ES256", "kid": TokenIssuer::KEY_ID});
    for (expires, is_good) in [(now + 600, true), (now - 600, false)] {
        let claims = json!({"iss": "https://issuer.example", "aud": "factum", "sub": "ann", "exp": expires});
        let token = server.issuer.token(&header, &claims);
        let options = json!({"authority": server.file("authority.pem"), "token": token}).to_string();
        let (is_fine, text) = server.run("go", "idempotent", ("CLIENT_OPTIONS", &options));
        assert_eq!(is_fine, is_good, "{text}");
    }
}

#[test]
fn kcat_by_plain_and_by_a_connection_string() {
    let server = Server::start(SASL, "");
    let string = "Endpoint=sb://localhost/;SharedAccessKeyName=admin;SharedAccessKey=".to_owned() + PASSWORD;
    // SCRAM of librdkafka before 2.6.1 repeats its nonce, which Kafka refuses too since 4.0.
    for (topic, user, password) in
        [("password", "admin", PASSWORD), ("string", "$ConnectionString", string.as_str())]
    {
        let settings = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanisms", "PLAIN"),
            ("sasl.username", user),
            ("sasl.password", password),
        ];
        let (is_fine, text) = server.kcat(&["-P", "-t", topic], &settings, "hello\n");
        assert!(is_fine, "{text}");
        let read = ["-C", "-t", topic, "-o", "beginning", "-e"];
        assert_eq!(server.kcat(&read, &settings, ""), (true, "hello\n".to_owned()));
    }
}

#[test]
fn kcat_by_its_certificate() {
    let server = Server::start(
        "security = \"SSL\"",
        "client_ca = \"FOLDER/authority.pem\"\nclient_auth = \"required\"",
    );
    let reader = server.authority.issue(server.folder.path(), "reader", 2090);
    let (certificate, key) = (reader.certificate.display().to_string(), reader.key.display().to_string());
    let shown = [
        ("security.protocol", "SSL"),
        ("ssl.certificate.location", certificate.as_str()),
        ("ssl.key.location", key.as_str()),
    ];
    let (is_fine, text) = server.kcat(&["-P", "-t", "orders"], &shown, "hello\n");
    assert!(is_fine, "{text}");
    let read = ["-C", "-t", "orders", "-o", "beginning", "-e"];
    assert_eq!(server.kcat(&read, &shown, ""), (true, "hello\n".to_owned()));
}

#[test]
fn settings_that_do_not_go_together_start_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (settings, reason) in [
        ("[kafka]\nsecurity = \"SSL\"", "name certificate and key below [kafka.tls]"),
        ("[kafka.tls]\ncertificate = \"c\"\nkey = \"k\"", "[kafka.tls] has no effect"),
        (
            "[kafka]\nlisten = \"0.0.0.0:0\"\nsecurity = \"SASL_PLAINTEXT\"\n[kafka.sasl]\nmechanisms = [\"PLAIN\"]",
            "a network that is not encrypted",
        ),
    ] {
        let config = folder.path().join("factum.toml");
        std::fs::write(&config, format!("data_dir = {data:?}\n{settings}\n")).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_factum"));
        let output = command.args(["server", "--config"]).arg(&config).output().expect("it can be run");
        let text = String::from_utf8_lossy(&output.stderr);
        let words: String = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(!output.status.success() && words.contains(reason), "{words}");
        assert!(words.contains("help: change the configuration"), "{words}");
        assert!(!data.exists(), "nothing is made");
    }
}
