//! Access rules: what they let callers see, create and change, and how callers log in.

use expect_test::expect;
use factum_access::{
    Acl, AclFilter, CLUSTER, CredentialChange, Host, ITERATIONS, Operation, PatternType, Permission,
    ResourcePattern, ResourceType, ScramCredential, ScramMechanism,
};
use factum_http_api::{HealthReport, RoleHealth};
use factum_testkit::Warnings;
use factum_types::Principal;

use crate::support::{Answer, Server, Setup, UnruledAccess};
use crate::views;

pub(crate) const PASSWORD: &str = "correct horse";

/// The setup of a server that goes by users and rules.
pub(crate) fn by_rules() -> Setup {
    Setup { rules: Some(UnruledAccess::Closed), ..Setup::default() }
}

/// Creates a user.
pub(crate) async fn user(server: &Server, name: &str) {
    let mechanism = ScramMechanism::Sha256;
    let credential = ScramCredential::from_password(mechanism, PASSWORD, vec![7; 16], ITERATIONS);
    let change = vec![CredentialChange::Set(credential)];
    server.access.change_user(&Principal::system(), name, change).await.expect("changed");
}

/// Deletes a user.
pub(crate) async fn delete_user(server: &Server, name: &str) {
    let change = vec![CredentialChange::Remove(ScramMechanism::Sha256)];
    server.access.change_user(&Principal::system(), name, change).await.expect("changed");
}

/// A rule, as `allow read topic store. prefixed User:ann`.
fn rule(text: &str) -> Acl {
    let [permission, operation, resource_type, name, pattern, principal] =
        text.split(' ').collect::<Vec<_>>().try_into().expect("six words");
    Acl {
        resource: ResourcePattern {
            resource_type: ResourceType::ALL
                .iter()
                .copied()
                .find(|of| of.name() == resource_type)
                .expect("a type"),
            pattern_type: PatternType::ALL
                .iter()
                .copied()
                .find(|of| of.name() == pattern)
                .expect("a pattern"),
            name: if name == "cluster" { CLUSTER.into() } else { name.into() },
        },
        principal: principal.into(),
        host: Host::Any,
        operation: Operation::ALL.iter().copied().find(|of| of.name() == operation).expect("an operation"),
        permission: Permission::ALL.iter().copied().find(|of| of.name() == permission).expect("a permission"),
    }
}

/// Puts rules in place.
pub(crate) async fn add(server: &Server, rules: &[&str]) {
    server
        .access
        .add_acls(&Principal::system(), rules.iter().map(|text| rule(text)).collect())
        .await
        .expect("added");
}

/// Takes all rules away.
pub(crate) async fn remove_all(server: &Server) {
    let all = server.access.acls().list(&AclFilter::default());
    server.access.remove_acls(&Principal::system(), all).await.expect("removed");
}

/// The header of a log-in.
pub(crate) fn login(name: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{PASSWORD}")))
}

/// Sends a request as a user; as no one in particular without a name.
pub(crate) async fn send_as(server: &Server, name: &str, method: &str, path: &str, body: &str) -> Answer {
    let login = login(name);
    let mut headers = vec![("content-type", "application/json")];
    if !name.is_empty() {
        headers.push(("authorization", login.as_str()));
    }
    server.send(method, path, &headers, body).await
}

/// Asks as a user, and gives each answer's status and problem behind its request.
async fn asked(server: &Server, name: &str, requests: &[(&str, &str, &str)]) -> String {
    let mut lines = Vec::new();
    for (method, path, body) in requests {
        let answer = send_as(server, name, method, path, body).await;
        let shown = if answer.status < 300 { answer.status.to_string() } else { answer.problem() };
        lines.push(format!("{method} {path}: {shown}"));
    }
    lines.join("\n")
}

#[tokio::test]
async fn want_of_rules_opens_topics_and_never_users_or_the_cluster() {
    let server = Server::start_with(Setup { rules: Some(UnruledAccess::Open), ..Setup::default() }).await;
    user(&server, "admin").await;
    add(&server, &["allow read topic store.orders literal User:ann"]).await;
    let rule = r#"{"acls":[]}"#;
    let answers = asked(
        &server,
        "",
        &[
            ("POST", "/api/v1/users/admin/password", r#"{"password":"hacked123"}"#),
            ("POST", "/api/v1/users", r#"{"name":"eve","password":"hacked123"}"#),
            ("DELETE", "/api/v1/users/admin", ""),
            ("GET", "/api/v1/users", ""),
            ("GET", "/api/v1/acls", ""),
            ("POST", "/api/v1/acls", rule),
            ("DELETE", "/api/v1/acls?principal=User:ann", ""),
            ("POST", "/api/v1/transactions/abort", "{}"),
            ("POST", "/api/v1/topics", r#"{"name":"b.open"}"#),
            ("GET", "/api/v1/topics", ""),
            ("GET", "/api/v1/topics/b.open/records", ""),
            ("GET", "/api/v1/topics/store.orders/records", ""),
        ],
    )
    .await;
    expect![[r#"
        POST /api/v1/users/admin/password: 401 User:ANONYMOUS may not alter the cluster {}
        POST /api/v1/users: 401 User:ANONYMOUS may not alter the cluster {}
        DELETE /api/v1/users/admin: 401 User:ANONYMOUS may not alter the cluster {}
        GET /api/v1/users: 401 User:ANONYMOUS may not describe the cluster {}
        GET /api/v1/acls: 401 User:ANONYMOUS may not describe the cluster {}
        POST /api/v1/acls: 401 User:ANONYMOUS may not alter the cluster {}
        DELETE /api/v1/acls?principal=User:ann: 401 User:ANONYMOUS may not alter the cluster {}
        POST /api/v1/transactions/abort: 401 User:ANONYMOUS may not act as a broker of the cluster {}
        POST /api/v1/topics: 201
        GET /api/v1/topics: 200
        GET /api/v1/topics/b.open/records: 200
        GET /api/v1/topics/store.orders/records: 401 User:ANONYMOUS may not read topic store.orders {}"#]]
    .assert_eq(&answers);
    server.stop().await;
}

#[tokio::test]
async fn topics_are_created_by_a_rule_about_them_or_the_cluster() {
    let server = Server::start_with(by_rules()).await;
    user(&server, "ann").await;
    user(&server, "bob").await;
    add(
        &server,
        &[
            "allow create topic b. prefixed User:ann",
            "allow write topic b. prefixed User:ann",
            "allow write topic b. prefixed User:bob",
            "allow alter topic b. prefixed User:bob",
        ],
    )
    .await;
    let bob = asked(
        &server,
        "bob",
        &[("POST", "/events/b.auto", "{}"), ("POST", "/api/v1/topics", r#"{"name":"b.new"}"#)],
    );
    expect![[r#"
        POST /events/b.auto: 404 there is no topic b.auto; User:bob may not create topic b.auto {}
        POST /api/v1/topics: 403 User:bob may not create any topic {}"#]]
    .assert_eq(&bob.await);
    assert!(server.broker.topic("b.auto").is_none() && server.broker.topic("b.new").is_none());
    let ann = asked(
        &server,
        "ann",
        &[
            ("POST", "/events/b.auto", "{}"),
            ("POST", "/api/v1/topics", r#"{"name":"b.new"}"#),
            ("POST", "/api/v1/topics", r#"{"name":"c.new"}"#),
            ("PATCH", "/api/v1/topics/b.new", r#"{"partitions":8}"#),
        ],
    )
    .await;
    expect![[r#"
        POST /events/b.auto: 202
        POST /api/v1/topics: 201
        POST /api/v1/topics: 403 User:ann may not create topic c.new {}
        PATCH /api/v1/topics/b.new: 403 User:ann may not alter the configuration of topic b.new {}"#]]
    .assert_eq(&ann);
    let bob = asked(
        &server,
        "bob",
        &[
            ("POST", "/events/b.auto", "{}"),
            // As over Kafka, partitions are not settings.
            ("PATCH", "/api/v1/topics/b.new", r#"{"partitions":8}"#),
            ("PATCH", "/api/v1/topics/b.new", r#"{"partitions":9,"config":{"retention":"1d"}}"#),
        ],
    )
    .await;
    expect![[r#"
        POST /events/b.auto: 202
        PATCH /api/v1/topics/b.new: 200
        PATCH /api/v1/topics/b.new: 403 User:bob may not alter the configuration of topic b.new {}"#]]
    .assert_eq(&bob);
    server.stop().await;
}

/// A server with much that user `eve` may not describe.
async fn with_secrets() -> Server {
    let server = views::start(by_rules()).await;
    for topic in ["store.secret_pay", "hr.layoffs"] {
        server.topic(topic).await;
    }
    user(&server, "admin").await;
    user(&server, "eve").await;
    // Names that do not exist, each near to one that she may not see; and by `*`, but for what is denied, bare names.
    add(
        &server,
        &[
            "allow read topic * literal User:eve",
            "allow read group * literal User:eve",
            "allow write topic * literal User:eve",
            "deny all topic store.secret prefixed User:eve",
            "deny all topic store.top literal User:eve",
            "deny all topic store.products literal User:eve",
            "deny all topic hr. prefixed User:eve",
            "deny all group billing prefixed User:eve",
        ],
    )
    .await;
    for (group, topic) in
        [("billing-secret", "store.sales"), ("mailer", "hr.layoffs"), ("mailer", "store.sales")]
    {
        let path = format!("/api/v1/groups/{group}/offsets");
        let body = format!(r#"{{"topic":"{topic}","to":"earliest","create":true}}"#);
        assert_eq!(send_as(&server, "admin", "POST", &path, &body).await.status, 200, "{group} {topic}");
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_a_caller_may_not_describe_are_in_no_answer() {
    let server = with_secrets().await;
    let answers = asked(
        &server,
        "eve",
        &[
            ("GET", "/api/v1/topics/store.secre_pay", ""),
            ("GET", "/api/v1/topics/store.secret_pay", ""),
            ("GET", "/api/v1/topics/store.sale", ""),
            (
                "POST",
                "/api/v1/topics/store.sales/records/resend",
                r#"{"partition":0,"offset":"0","to":"h.layoffs"}"#,
            ),
            ("GET", "/api/v1/topics/hrr.layoffs/tail", ""),
            ("GET", "/api/v1/groups/billin-secret", ""),
            ("GET", "/api/v1/groups/maile", ""),
            ("GET", "/api/v1/views/stor.top", ""),
            ("GET", "/api/v1/views/topp", ""),
            ("GET", "/api/v1/views/top", ""),
            ("GET", "/api/v1/views/none", ""),
            ("GET", "/api/v1/pipelines/top", ""),
            ("GET", "/api/v1/tables/products/1", ""),
            ("GET", "/api/v1/tables/product/1", ""),
            ("GET", "/api/v1/dashboards/top", ""),
            ("POST", "/api/v1/sql/explain", r#"{"query":"store.top"}"#),
            ("POST", "/api/v1/sql/explain", r#"{"query":"store.topp"}"#),
            ("GET", "/api/v1/views/store.day?filter=EXISTS(SELECT%201%20FROM%20store.top)", ""),
            ("GET", "/api/v1/views/store.day?filter=EXISTS(SELECT%201%20FROM%20store.none)", ""),
        ],
    )
    .await;
    expect![[r#"
        GET /api/v1/topics/store.secre_pay: 404 there is no topic store.secre_pay {}
        GET /api/v1/topics/store.secret_pay: 403 User:eve may not describe topic store.secret_pay {}
        GET /api/v1/topics/store.sale: 404 there is no topic store.sale; did you mean store.sales? {"near":"store.sales"}
        POST /api/v1/topics/store.sales/records/resend: 404 there is no topic h.layoffs {}
        GET /api/v1/topics/hrr.layoffs/tail: 404 there is no topic hrr.layoffs {}
        GET /api/v1/groups/billin-secret: 404 there is no group billin-secret {}
        GET /api/v1/groups/maile: 404 there is no group maile; did you mean mailer? {"near":"mailer"}
        GET /api/v1/views/stor.top: 404 there is no view stor.top {}
        GET /api/v1/views/topp: 404 there is no view topp {}
        GET /api/v1/views/top: 404 there is no view top {}
        GET /api/v1/views/none: 404 there is no view none {}
        GET /api/v1/pipelines/top: 404 there is no view top {}
        GET /api/v1/tables/products/1: 404 there is no table products {}
        GET /api/v1/tables/product/1: 404 there is no table product {}
        GET /api/v1/dashboards/top: 404 there is no dashboard top {}
        POST /api/v1/sql/explain: 404 there is no view store.top; did you mean store.day? {"near":"store.day"}
        POST /api/v1/sql/explain: 404 there is no view store.topp {}
        GET /api/v1/views/store.day?filter=EXISTS(SELECT%201%20FROM%20store.top): 400 filter and order can read store.day alone; run a query to read several relations {"help":"run a query to read several relations"}
        GET /api/v1/views/store.day?filter=EXISTS(SELECT%201%20FROM%20store.none): 400 filter and order can read store.day alone; run a query to read several relations {"help":"run a query to read several relations"}"#]].assert_eq(&answers);
    // Of the group it is shown what it does with topics that she may see.
    let shown = send_as(&server, "eve", "GET", "/api/v1/groups/mailer", "").await;
    expect![[r#"
        200 {"id":"mailer","state":"Empty","protocol_type":"","protocol":"","members":[],"offsets":[{"topic":"store.sales","partition":0,"offset":"0","end":"0","lag":"0","metadata":""}]}
    "#]].assert_eq(&shown.line());
    let moved = send_as(&server, "eve", "POST", "/api/v1/groups/mailer/offsets", r#"{"to":"latest"}"#).await;
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.sales","partition":0,"from":"0","to":"0"}]}
    "#]]
    .assert_eq(&moved.line());
    server.stop().await;
}

#[tokio::test]
async fn readiness_is_told_to_all_and_its_reasons_to_some() {
    fn full_disk() -> HealthReport {
        let problems = vec!["the disk of /var/lib/factum is full".to_owned()];
        let roles = vec![RoleHealth { role: "log".to_owned(), ready: false, problems }];
        HealthReport { roles, ..HealthReport::default() }
    }
    let server = Server::start_with(Setup { health: full_disk, ..by_rules() }).await;
    user(&server, "admin").await;
    user(&server, "ann").await;
    for name in ["", "ann"] {
        let answer = send_as(&server, name, "GET", "/health/ready", "").await;
        expect![[r#"
            503 {"status":"not ready","roles":[]}
        "#]]
        .assert_eq(&answer.line());
    }
    let answer = send_as(&server, "admin", "GET", "/health/ready", "").await;
    assert!(answer.status == 503 && answer.text().contains("/var/lib/factum"), "{}", answer.line());
    server.stop().await;
}

#[tokio::test]
async fn refused_logins_are_one_line_of_the_log_for_each_client() {
    let (warnings, _guard) = Warnings::of_this_thread();
    let server = Server::start_with(by_rules()).await;
    user(&server, "ann").await;
    for (name, password) in [("ann", "wrong"), ("ann", "wrong again"), ("my secret password", "")] {
        use base64::Engine as _;
        let given = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        let given = format!("Basic {given}");
        let answer = server.send("GET", "/api/v1/topics", &[("authorization", &given)], "").await;
        assert_eq!(answer.status, 401);
    }
    // Whether the server is ready is told with any log-in.
    let ready = send_as(&server, "eve", "GET", "/health/ready", "").await;
    assert!(ready.status == 200 && !ready.text().contains("log"), "{}", ready.line());
    let lines = warnings.with("refused a login over HTTP");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("client=127.0.0.1") && lines[0].contains("ann"), "{lines:#?}");
    assert!(!lines[0].contains("wrong"), "{lines:#?}");
    server.stop().await;
}
