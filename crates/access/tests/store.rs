//! Users and rules on the log of an embedded broker.

use std::sync::Arc;

use bytes::Bytes;
use factum_access::{
    AccessStore, Acl, AclFilter, ChangeError, CredentialChange, Host, ITERATIONS, MAX_QUOTAS, MAX_USERS,
    Operation, PatternType, Permission, QuotaChange, QuotaEntity, QuotaFilter, QuotaKey, QuotaLimits,
    ResourcePattern, ResourceType, ScramCredential, ScramMechanism, TOPIC,
};
use factum_base::clock::SystemClock;
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_broker::{Broker, Isolation, Options, Service};
use factum_eventlog::{EventLog, NewRecord};
use factum_types::{Principal, TopicName};

struct Log {
    broker: Broker,
    group: TaskGroup,
    _tree: TaskTree,
    _folder: tempfile::TempDir,
}

impl Log {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options { data_dir: folder.path().to_owned(), ..Options::default() };
        let opened = Service::open_local(options, Arc::new(SystemClock), Random::system());
        let (service, broker) = opened.expect("the log opens");
        let tree = TaskTree::new();
        let group = tree.child("log");
        group.spawn("broker", OnError::StopServer, service.run(group.stop(), group.clone()));
        Self { broker, group, _tree: tree, _folder: folder }
    }

    fn store(&self) -> AccessStore {
        AccessStore::new(Arc::new(self.broker.internal_log()), true)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.group.stop().request();
    }
}

fn admin() -> Principal {
    Principal::new("User:admin")
}

fn rule(principal: &str, name: &str) -> Acl {
    Acl {
        resource: ResourcePattern {
            resource_type: ResourceType::Topic,
            pattern_type: PatternType::Literal,
            name: name.into(),
        },
        principal: principal.into(),
        host: Host::Any,
        operation: Operation::Read,
        permission: Permission::Allow,
    }
}

fn credential(mechanism: ScramMechanism, password: &str) -> CredentialChange {
    let salt = b"a salt of 16 b..".to_vec();
    CredentialChange::Set(ScramCredential::from_password(mechanism, password, salt, ITERATIONS))
}

#[tokio::test]
async fn another_reading_of_the_log_gives_the_same_users_and_rules() {
    let log = Log::open();
    let store = log.store();
    assert!(store.read().await.expect("there is no topic yet").is_empty());
    let [one, two, three] = ["one", "two", "three"].map(|name| rule("User:ann", name));
    store.add_acls(&admin(), vec![one.clone(), two.clone(), one.clone()]).await.expect("kept");
    store.add_acls(&admin(), vec![two.clone(), three.clone()]).await.expect("kept");
    store.remove_acls(&admin(), vec![two.clone(), rule("User:bob", "one")]).await.expect("gone");
    for mechanism in ScramMechanism::ALL {
        store.change_user(&admin(), "ann", vec![credential(mechanism, "old")]).await.expect("kept");
    }
    let changes =
        vec![credential(ScramMechanism::Sha512, "new"), CredentialChange::Remove(ScramMechanism::Sha256)];
    store.change_user(&admin(), "ann", changes).await.expect("changed");

    let other = log.store();
    assert!(other.read().await.expect("readable").is_empty());
    for store in [&store, &other] {
        assert_eq!(store.acls().list(&AclFilter::default()), [one.clone(), three.clone()]);
        assert!(store.users().credential("ann", ScramMechanism::Sha256).is_none());
        let kept = store.users().credential("ann", ScramMechanism::Sha512).expect("ann is kept");
        assert!(kept.accepts("new") && !kept.accepts("old"));
    }
}

#[tokio::test]
async fn wrong_changes_leave_everything_as_it_was() {
    let log = Log::open();
    let store = log.store();
    let wrong = store.add_acls(&admin(), vec![rule("User:ann", "x"), rule("ann", "x")]).await;
    assert!(matches!(wrong, Err(ChangeError::Acl(_))), "{wrong:?}");
    let long = "n".repeat(64 << 10);
    assert!(store.add_acls(&admin(), vec![rule("User:ann", &long)]).await.is_err());
    let unknown =
        vec![credential(ScramMechanism::Sha256, "pw"), CredentialChange::Remove(ScramMechanism::Sha512)];
    let unknown = store.change_user(&admin(), "ann", unknown).await;
    assert!(matches!(unknown, Err(ChangeError::UnknownCredential { .. })), "{unknown:?}");
    for name in ["", "*", "ANONYMOUS", "a\nb", long.as_str()] {
        assert!(
            store.change_user(&admin(), name, vec![credential(ScramMechanism::Sha256, "pw")]).await.is_err()
        );
    }
    assert!(store.acls().is_empty() && store.users().is_empty());
    let CredentialChange::Set(one) = credential(ScramMechanism::Sha256, "pw") else {
        unreachable!("it sets")
    };
    (0..MAX_USERS).for_each(|n| store.users().set(&format!("user-{n}"), one.clone()));
    let more = store.change_user(&admin(), "more", vec![credential(ScramMechanism::Sha256, "pw")]).await;
    assert!(matches!(more, Err(ChangeError::TooManyUsers)), "{more:?}");
}

#[tokio::test]
async fn records_that_cannot_be_read_are_passed_over_and_listed() {
    let log = Log::open();
    let store = log.store();
    store.add_acls(&admin(), vec![rule("User:ann", "one")]).await.expect("kept");
    let topic = TopicName::new(TOPIC).expect("a name");
    let record = |key: &'static str, value: &'static str| NewRecord {
        partition: Some(0),
        key: Some(Bytes::from_static(key.as_bytes())),
        value: Some(Bytes::from_static(value.as_bytes())),
        ..NewRecord::default()
    };
    let strange = vec![
        record("later/version", "{}"),
        record("user/ann/SCRAM-SHA-256", "{\"iterations\":1,\"salt\":\"secret\"}"),
        record("acl/[\"topic\"]", "{}"),
    ];
    log.broker.internal_log().produce(&topic, strange).await.expect("appended");
    store.add_acls(&admin(), vec![rule("User:ann", "two")]).await.expect("kept");
    let other = log.store();
    let unreadable = other.read().await.expect("readable");
    assert_eq!(unreadable.ranges.len(), 3, "{unreadable}");
    assert!(!unreadable.to_string().contains("secret"));
    assert_eq!(other.acls().len(), 2);
}

#[tokio::test]
async fn a_change_of_many_rules_is_one_batch() {
    let log = Log::open();
    let store = log.store();
    let rules: Vec<_> = (0..6_000).map(|n| rule("User:ann", &format!("{}{n}", "topic".repeat(30)))).collect();
    store.add_acls(&admin(), rules.clone()).await.expect("kept");
    let partition = log.broker.topic(TOPIC).expect("made").partition(0).expect("made").clone();
    let header = factum_types::BatchHeader::parse(
        &partition.read(0, 1, Isolation::ReadUncommitted).expect("read").chunks[0],
    );
    assert_eq!(header.expect("a batch").record_count, 6_000, "a crash leaves all of them or none");
    store.remove_acls(&admin(), rules).await.expect("gone");
    assert_eq!(partition.bounds().log_end.get(), 12_000);
    let other = log.store();
    assert!(other.read().await.expect("readable").is_empty() && other.acls().is_empty());
    let long: Vec<_> = (0..20_000).map(|n| rule("User:ann", &format!("{}{n}", "x".repeat(1_000)))).collect();
    let large = store.add_acls(&admin(), long).await;
    assert!(matches!(large, Err(ChangeError::TooLarge { .. })), "{large:?}");
    assert!(store.acls().is_empty());
}

#[tokio::test]
async fn no_one_meets_half_of_a_change() {
    let acls = factum_access::Acls::default();
    let mut rules: Vec<_> = (0..20_000).map(|n| rule("User:ann", &format!("topic-{n}"))).collect();
    rules.insert(0, rule("User:ann", "*"));
    rules.push(Acl { permission: Permission::Deny, ..rule("User:ann", "secret") });
    let (changed, seen) = (acls.clone(), acls);
    let change = move || changed.change(rules.iter().map(|rule| (rule, true)));
    let change = tokio::task::spawn_blocking(change);
    let ann = Principal::new("User:ann");
    while !change.is_finished() {
        let client = factum_types::auth::Client::at(&ann, [127, 0, 0, 1].into());
        let verdict = seen.decide(client, Operation::Read, ResourceType::Topic, "secret");
        assert_ne!(verdict, factum_access::Verdict::Allowed);
    }
    change.await.expect("changed");
}

#[tokio::test]
async fn one_of_several_creates_a_user_and_a_deleted_one_stays_deleted() {
    let log = Log::open();
    let store = log.store();
    let new = |password| vec![credential(ScramMechanism::Sha256, password)];
    let by = admin();
    let (one, other) =
        tokio::join!(store.create_user(&by, "ann", new("one")), store.create_user(&by, "ann", new("other")));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let lost = one.and(other);
    assert!(matches!(lost, Err(ChangeError::UserExists { .. })), "{lost:?}");
    store.change_known_user(&admin(), "ann", new("later")).await.expect("there is one");
    store
        .change_user(&admin(), "ann", vec![CredentialChange::Remove(ScramMechanism::Sha256)])
        .await
        .expect("gone");
    let late = store.change_known_user(&admin(), "ann", new("late")).await;
    assert!(matches!(late, Err(ChangeError::UnknownUser { .. })), "{late:?}");
    assert!(store.users().is_empty());
}

fn entity(parts: &[(&str, Option<&str>)]) -> QuotaEntity {
    QuotaEntity::from_parts(parts.iter().copied()).expect("an entity")
}

fn quota(entity: &QuotaEntity, limits: &[(QuotaKey, Option<f64>)]) -> QuotaChange {
    QuotaChange { entity: entity.clone(), limits: limits.to_vec() }
}

#[tokio::test]
async fn quotas_are_kept_and_changed_all_or_none() {
    use QuotaKey::{ConnectionCreationRate, ConsumerByteRate, ProducerByteRate};
    let log = Log::open();
    let store = log.store();
    let (ann, every) = (entity(&[("user", Some("ann")), ("client-id", None)]), entity(&[("ip", None)]));
    let both = [(ProducerByteRate, Some(1024.0)), (ConsumerByteRate, Some(2048.0))];
    let first = vec![quota(&ann, &both), quota(&every, &[(ConnectionCreationRate, Some(5.0))])];
    store.change_quotas(&admin(), first).await.expect("kept");
    let less =
        vec![quota(&ann, &[(ConsumerByteRate, None)]), quota(&every, &[(ConnectionCreationRate, None)])];
    store.change_quotas(&admin(), less).await.expect("kept");
    let wrong =
        vec![quota(&ann, &[(ProducerByteRate, None)]), quota(&ann, &[(ConnectionCreationRate, Some(1.0))])];
    let wrong = store.change_quotas(&admin(), wrong).await;
    assert!(matches!(wrong, Err(ChangeError::Quota(_))), "{wrong:?}");

    let other = log.store();
    assert!(other.read().await.expect("readable").is_empty());
    for store in [&store, &other] {
        let all = store.quotas().list(&QuotaFilter::default());
        let mut limits = QuotaLimits::default();
        limits.set(ProducerByteRate, Some(1024.0));
        assert_eq!(all, [(ann.clone(), limits)]);
    }

    let mut limits = QuotaLimits::default();
    limits.set(ProducerByteRate, Some(1.0));
    (1..MAX_QUOTAS).for_each(|n| store.quotas().set(&entity(&[("user", Some(&n.to_string()))]), limits));
    let more = quota(&entity(&[("user", None)]), &[(ProducerByteRate, Some(1.0))]);
    let refused = store.change_quotas(&admin(), vec![more]).await;
    assert!(matches!(refused, Err(ChangeError::TooManyQuotas)), "{refused:?}");
    store.change_quotas(&admin(), vec![quota(&ann, &both)]).await.expect("one that is there may change");
}
