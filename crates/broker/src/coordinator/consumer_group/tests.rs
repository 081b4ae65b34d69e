//! Consumer groups as their members meet them, over topics in memory.

mod invariants;
pub(crate) mod rig;

use std::time::Duration;

use self::rig::{Rig, heartbeat, join};
use crate::coordinator::{ConsumerHeartbeat, CoordinatorError, GroupState};

#[test]
fn the_first_member_gets_everything_at_once() {
    let mut rig = Rig::new(&[("t", 4)]);
    let heard = rig.hear(&join("a", &["t"])).expect("joined");
    assert_eq!((heard.member_id.as_str(), heard.member_epoch), ("a", 1));
    assert_eq!(rig.show(heard.assignment), "t/0 t/1 t/2 t/3");
    assert_eq!(rig.group.state(), GroupState::Stable);
    let again = rig.hear(&heartbeat("a", 1)).expect("alive");
    assert_eq!((again.member_epoch, again.assignment), (1, None));
    assert!(rig.last_records.is_empty(), "a heartbeat that changes nothing stores nothing");
}

#[test]
fn partitions_are_revoked_before_they_are_assigned() {
    let mut rig = Rig::new(&[("t", 4)]);
    rig.hear(&join("a", &["t"])).expect("joined");
    let second = rig.hear(&join("b", &["t"])).expect("joined");
    assert_eq!((second.member_epoch, rig.show(second.assignment).as_str()), (2, ""));
    let revoking = rig.hear(&heartbeat("a", 1)).expect("told to give up");
    assert_eq!((revoking.member_epoch, rig.show(revoking.assignment).as_str()), (1, "t/0 t/1"));
    let waiting = rig.hear(&heartbeat("b", 2)).expect("waits");
    assert_eq!((waiting.member_epoch, waiting.assignment), (2, None));
    assert_eq!(rig.group.state(), GroupState::Reconciling);
    let still = rig.hear(&rig.owning("a", 1, &[0, 1, 2])).expect("has not given all up");
    assert_eq!((still.member_epoch, still.assignment), (1, None));
    let gave_up = rig.hear(&rig.owning("a", 1, &[0, 1])).expect("has given up");
    assert_eq!((gave_up.member_epoch, gave_up.assignment), (2, None));
    let given = rig.hear(&heartbeat("b", 2)).expect("is given");
    assert_eq!((given.member_epoch, rig.show(given.assignment).as_str()), (2, "t/2 t/3"));
    assert_eq!(rig.group.state(), GroupState::Stable);
}

#[test]
fn a_member_in_another_epoch_is_fenced() {
    let mut rig = Rig::new(&[("t", 2)]);
    rig.hear(&join("a", &["t"])).expect("joined");
    rig.hear(&join("b", &["t"])).expect("joined");
    rig.hear(&heartbeat("a", 1)).expect("told to give up");
    rig.hear(&rig.owning("a", 1, &[0])).expect("epoch 2, and the response is lost");
    let repeated = rig.hear(&rig.owning("a", 1, &[0])).expect("the epoch before, with no more than it has");
    assert_eq!(repeated.member_epoch, 2);
    let fenced = rig.hear(&rig.owning("a", 1, &[0, 1])).expect_err("has what another may have");
    assert!(matches!(fenced, CoordinatorError::FencedMemberEpoch { asked: 1, current: 2 }), "{fenced}");
    rig.hear(&heartbeat("a", 3)).expect_err("an epoch that was never given");
    let stranger = rig.hear(&heartbeat("c", 2)).expect_err("no member");
    assert!(matches!(stranger, CoordinatorError::UnknownMember), "{stranger}");
    let again = rig.hear(&join("a", &["t"])).expect("starts over");
    assert_eq!((again.member_epoch, rig.show(again.assignment).as_str()), (2, "t/0"));
}

#[test]
fn offsets_are_taken_in_the_members_epoch_alone() {
    let mut rig = Rig::new(&[("t", 1)]);
    rig.group.check_commit(-1, "", false).expect("no one else commits");
    rig.hear(&join("a", &["t"])).expect("joined");
    rig.group.check_commit(1, "a", false).expect("its epoch");
    let stale = rig.group.check_commit(0, "a", false).expect_err("another epoch");
    assert!(matches!(stale, CoordinatorError::StaleMemberEpoch { asked: 0, current: 1 }), "{stale}");
    let unknown = rig.group.check_commit(-1, "", false).expect_err("offsets are the members'");
    assert!(matches!(unknown, CoordinatorError::UnknownMember), "{unknown}");
    rig.group.check_commit(-1, "", true).expect("a producer with a transaction");
}

#[test]
fn a_static_member_that_comes_back_finds_its_partitions() {
    let mut rig = Rig::new(&[("t", 4)]);
    let named = |id: &str| ConsumerHeartbeat { instance_id: Some("i".to_owned()), ..join(id, &["t"]) };
    rig.hear(&named("a")).expect("joined");
    rig.hear(&join("b", &["t"])).expect("joined");
    rig.hear(&heartbeat("a", 1)).expect("told to give up");
    rig.hear(&rig.owning("a", 1, &[0, 1])).expect("gave up");
    let refused = rig.hear(&named("c")).expect_err("its name is taken");
    assert!(matches!(refused, CoordinatorError::UnreleasedInstance { .. }), "{refused}");
    let leave = ConsumerHeartbeat { instance_id: Some("i".to_owned()), ..heartbeat("a", -2) };
    assert_eq!(rig.hear(&leave).expect("left for a while").member_epoch, -2);
    let other = rig.hear(&heartbeat("b", 2)).expect("alive");
    assert_eq!((other.member_epoch, rig.show(other.assignment).as_str()), (2, "t/2 t/3"), "no rebalance");
    let back = rig.hear(&named("c")).expect("back under another id");
    assert_eq!((back.member_epoch, rig.show(back.assignment).as_str()), (2, "t/0 t/1"));
    let old = ConsumerHeartbeat { instance_id: Some("i".to_owned()), ..heartbeat("a", 2) };
    let fenced = rig.hear(&old).expect_err("the process before");
    assert!(matches!(fenced, CoordinatorError::FencedInstance { .. }), "{fenced}");
}

#[test]
fn silent_members_and_those_that_keep_partitions_are_taken_out() {
    let mut rig = Rig::new(&[("t", 2)]);
    rig.hear(&join("a", &["t"])).expect("joined");
    rig.hear(&join("b", &["t"])).expect("joined");
    rig.hear(&heartbeat("a", 1)).expect("told to give up within ten seconds");
    for _ in 0..3 {
        rig.pass(Duration::from_secs(3));
        rig.hear(&heartbeat("a", 1)).expect("alive, and keeps what it should give up");
        rig.hear(&heartbeat("b", 2)).expect("alive");
    }
    rig.pass(Duration::from_secs(1));
    rig.hear(&heartbeat("a", 1)).expect_err("it held up the others");
    let rest = rig.hear(&heartbeat("b", 2)).expect("has the rest");
    assert_eq!((rest.member_epoch, rig.show(rest.assignment).as_str()), (3, "t/0 t/1"));
    rig.pass(Duration::from_secs(45));
    rig.hear(&heartbeat("b", 3)).expect_err("it was silent");
    assert_eq!(rig.group.state(), GroupState::Empty);
}

#[test]
fn topics_that_come_grow_and_go_are_noticed() {
    let mut rig = Rig::new(&[("t", 1)]);
    let pattern = ConsumerHeartbeat {
        subscribed_topics: None,
        subscribed_regex: Some("t|store\\..*".to_owned()),
        ..join("a", &[])
    };
    let heard = rig.hear(&pattern).expect("joined");
    assert_eq!((heard.member_epoch, rig.show(heard.assignment).as_str()), (1, "t/0"));
    rig.create("store.orders", 1);
    rig.create("other", 1);
    rig.pass(Duration::from_secs(1));
    let heard = rig.hear(&heartbeat("a", 1)).expect("alive");
    assert_eq!((heard.member_epoch, rig.show(heard.assignment).as_str()), (2, "t/0 store.orders/0"));
    rig.grow("t", 2);
    rig.pass(Duration::from_secs(1));
    let heard = rig.hear(&heartbeat("a", 2)).expect("alive");
    assert_eq!((heard.member_epoch, rig.show(heard.assignment).as_str()), (3, "t/0 t/1 store.orders/0"));
    rig.delete("t");
    rig.pass(Duration::from_secs(1));
    rig.hear(&heartbeat("a", 3)).expect("told to give up");
    let heard = rig.hear(&rig.owning("a", 3, &[])).expect("gave up");
    assert_eq!((heard.member_epoch, heard.assignment), (4, None));
    let names = ConsumerHeartbeat {
        subscribed_topics: Some(vec![rig::topic("other")]),
        subscribed_regex: Some(String::new()),
        ..heartbeat("a", 4)
    };
    rig.hear(&names).expect("reads something else");
    let heard = rig.hear(&rig.owning("a", 4, &[])).expect("gave up");
    assert_eq!((heard.member_epoch, rig.show(heard.assignment).as_str()), (5, "other/0"));
    assert_eq!(rig.group.subscribed_topics().len(), 1, "the expression is forgotten");
}

/// A heartbeat that joins with a pattern.
fn matching(id: &str, pattern: &str) -> ConsumerHeartbeat {
    let subscribed_regex = Some(pattern.to_owned());
    ConsumerHeartbeat { subscribed_topics: None, subscribed_regex, ..join(id, &[]) }
}

fn of_carol(request: ConsumerHeartbeat) -> ConsumerHeartbeat {
    ConsumerHeartbeat { principal: "User:carol".to_owned(), ..request }
}

#[test]
fn members_of_one_principal_learn_of_a_topic_at_once() {
    let mut rig = Rig::new(&[("t", 2)]);
    rig.hear(&matching("a", ".*")).expect("joined");
    rig.hear(&matching("b", ".*")).expect("joined");
    rig.hear(&heartbeat("a", 1)).expect("told to give up");
    rig.hear(&rig.owning("a", 1, &[0])).expect("gave up");
    rig.hear(&heartbeat("b", 2)).expect("is given");
    rig.create("u", 2);
    rig.pass(Duration::from_secs(1));
    let first = rig.hear(&heartbeat("a", 2)).expect("alive");
    assert_eq!((first.member_epoch, rig.show(first.assignment).as_str()), (3, "t/0 u/0"));
    let second = rig.hear(&heartbeat("b", 2)).expect("alive");
    assert_eq!((second.member_epoch, rig.show(second.assignment).as_str()), (3, "t/1 u/1"));
    let again = rig.hear(&heartbeat("a", 3)).expect("alive");
    assert_eq!((again.member_epoch, again.assignment), (3, None), "one rebalance for all");
}

#[test]
fn members_with_one_pattern_have_the_topics_that_each_may_see() {
    let mut rig = Rig::new(&[("open", 2), ("secret", 2)]);
    let sees_open = |topic: &factum_types::TopicName| topic.as_str() == "open";
    rig.hear(&matching("admin", ".*")).expect("joined");
    rig.hear_as(&of_carol(matching("carol", ".*")), &sees_open).expect("joined");
    let admin = rig.hear(&heartbeat("admin", 1)).expect("told to give up");
    assert_eq!(rig.show(admin.assignment), "secret/0 secret/1");
    let kept = [("secret", vec![0, 1])];
    rig.hear(&rig.owning_of("admin", 1, &kept)).expect("gave up");
    let carol = rig.hear_as(&of_carol(heartbeat("carol", 2)), &sees_open).expect("is given");
    assert_eq!(rig.show(carol.assignment), "open/0 open/1", "nothing that is hidden from it");

    rig.restart();
    rig.create("later", 1);
    rig.pass(Duration::from_secs(1));
    let carol =
        rig.hear_as(&of_carol(heartbeat("carol", 2)), &sees_open).expect("heard first after a restart");
    assert_eq!(carol.assignment, None, "it sees nothing new");
    let admin = rig.hear(&heartbeat("admin", 2)).expect("sees the new topic");
    let all = "secret/0 secret/1 later/0";
    assert_eq!((admin.member_epoch, rig.show(admin.assignment).as_str()), (3, all), "it lost nothing");
}

#[test]
fn a_member_that_joins_again_has_the_rights_of_its_client() {
    let mut rig = Rig::new(&[("open", 1), ("secret", 1)]);
    rig.hear(&matching("a", ".*")).expect("joined");
    let joined = rig.hear_as(&matching("a", ".*"), &|topic| topic.as_str() == "open").expect("joined again");
    assert_eq!(rig.show(joined.assignment), "open/0");
}

#[test]
fn heartbeats_that_contradict_themselves_are_refused() {
    let mut rig = Rig::new(&[("t", 1)]);
    let valid = join("a", &["t"]);
    let invalid = [
        ConsumerHeartbeat { member_id: String::new(), ..valid.clone() },
        ConsumerHeartbeat { instance_id: Some(String::new()), ..valid.clone() },
        ConsumerHeartbeat { rebalance_timeout: None, ..valid.clone() },
        ConsumerHeartbeat { owned: None, ..valid.clone() },
        ConsumerHeartbeat { subscribed_topics: None, ..valid.clone() },
        ConsumerHeartbeat { member_epoch: -2, ..valid.clone() },
        ConsumerHeartbeat { member_epoch: -3, ..valid.clone() },
    ];
    for request in invalid {
        let refused = rig.hear(&request).expect_err("a contradiction");
        assert!(matches!(refused, CoordinatorError::InvalidHeartbeat { .. }), "{request:?}: {refused}");
    }
    let request = ConsumerHeartbeat { assignor: Some("sticky".to_owned()), ..valid.clone() };
    let refused = rig.hear(&request).expect_err("unknown");
    assert_eq!(refused.to_string(), "unsupported assignor; supported are uniform, range");
    let request = ConsumerHeartbeat { subscribed_regex: Some("(".to_owned()), ..valid.clone() };
    let refused = rig.hear(&request).expect_err("no expression");
    assert!(matches!(refused, CoordinatorError::InvalidRegex { .. }), "{refused}");
    let long = "i".repeat(256);
    let refused = rig.hear(&ConsumerHeartbeat { instance_id: Some(long), ..valid }).expect_err("too long");
    assert!(matches!(refused, CoordinatorError::TooLarge { .. }), "{refused}");
    assert!(rig.group.is_empty(), "none of them left anything");
}

#[test]
fn a_group_has_limits() {
    let mut rig = Rig::new(&[("t", 1)]);
    rig.options.max_members = 2;
    rig.options.max_member_metadata = factum_types::ByteSize(200);
    rig.hear(&join("a", &["t"])).expect("joined");
    rig.hear(&join("b", &["t"])).expect("joined");
    let full = rig.hear(&join("c", &["t"])).expect_err("full");
    assert!(matches!(full, CoordinatorError::GroupFull { limit: 2 }), "{full}");
    rig.hear(&join("b", &["t"])).expect("it is in already");
    let large = ConsumerHeartbeat {
        subscribed_topics: Some(vec![rig::topic(&"x".repeat(201))]),
        ..rig.owning("b", 2, &[])
    };
    let refused = rig.hear(&large).expect_err("too large");
    assert!(matches!(refused, CoordinatorError::TooLarge { .. }), "{refused}");
}

#[test]
fn the_assignor_that_most_members_like_is_used() {
    let mut rig = Rig::new(&[("t", 2), ("u", 2)]);
    let range = |id| ConsumerHeartbeat { assignor: Some("range".to_owned()), ..join(id, &["t", "u"]) };
    rig.hear(&range("a")).expect("joined");
    assert_eq!(rig.group.assignor(), "range");
    rig.hear(&ConsumerHeartbeat { assignor: Some("uniform".to_owned()), ..join("b", &["t", "u"]) })
        .expect("joined");
    assert_eq!(rig.group.assignor(), "uniform", "the default where they are even");
    rig.hear(&range("c")).expect("joined");
    assert_eq!(rig.group.assignor(), "range");
}
