//! The coordinator as its callers meet it, over a log in memory that can fail, lag behind and crash.

mod consumers;
mod crashes;
mod memory;
mod memory_log;
mod rig;

use std::time::Duration;

use bytes::Bytes;
use factum_base::tasks::Stop;
use factum_types::ByteSize;
use futures::FutureExt as _;

use self::memory_log::MemoryLog;
use self::rig::{Rig, commit, group, join, offsets, partition, sync};
use super::{CoordinatorError, GroupState, JoinGroup, Leaving, Options};

#[tokio::test]
async fn members_and_offsets_outlive_the_server() {
    let rig = Rig::new();
    let member = rig.lone_member("g", "a").await;
    rig.groups.commit(commit("g", Some((&member, 1)), "t", 7)).await.expect("committed");
    let before = rig.groups.describe(&group("g"));

    let rig = rig.restart();
    assert_eq!(rig.groups.describe(&group("g")), before);
    assert_eq!(before.state, GroupState::Stable);
    rig.groups.heartbeat(&group("g"), 1, &member, None).expect("alive in the same generation");
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=7 note");
    rig.groups.commit(commit("g", Some((&member, 1)), "t", 8)).await.expect("committed");
}

#[tokio::test]
async fn responses_follow_the_sync() {
    let rig = Rig::new();
    let joined = rig.groups.join(join("g", "a")).await.expect("joined");
    rig.log.hold();
    let shares = vec![(joined.member_id.clone(), Bytes::from_static(b"all"))];
    let mut synced = Box::pin(rig.groups.sync(sync("g", &joined.member_id, 1, shares)));
    assert!((&mut synced).now_or_never().is_none(), "the assignment is not on disk");
    let mut committed = Box::pin(rig.groups.commit(commit("g", Some((&joined.member_id, 1)), "t", 7)));
    assert!((&mut committed).now_or_never().is_none(), "the offset is not on disk");
    assert!(offsets(&rig.groups, "g").now_or_never().is_none(), "nor is it shown");
    rig.log.sync();
    assert_eq!(synced.await.expect("synced").assignment, "all");
    committed.await.expect("committed");
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=7 note");
}

#[tokio::test]
async fn two_members_share_and_one_that_dies_is_noticed() {
    let options = Options { min_session_timeout: Duration::from_millis(10), ..Options::default() };
    let rig = Rig::with(MemoryLog::new(), options, Rig::real_clock());
    let first = rig.lone_member("g", "a").await;
    let hasty = JoinGroup { session_timeout: Duration::from_millis(100), ..rig::rejoin("g", &first) };
    let (second, again) = tokio::join!(rig.groups.join(join("g", "b")), rig.groups.join(hasty));
    let (again, second) = (again.expect("joined"), second.expect("joined"));
    assert_eq!((again.generation, second.generation), (2, 2));
    assert_eq!(again.members.len(), 2);
    let shares =
        vec![(first.clone(), Bytes::from_static(b"0")), (second.member_id.clone(), Bytes::from_static(b"1"))];
    let (second_share, first_share) = tokio::join!(
        rig.groups.sync(sync("g", &second.member_id, 2, Vec::new())),
        rig.groups.sync(sync("g", &first, 2, shares)),
    );
    assert_eq!(first_share.expect("synced").assignment, "0");
    assert_eq!(second_share.expect("synced").assignment, "1");

    // From here on the first is silent; the second finds out and gets everything.
    let stop = Stop::new();
    let survivor = async {
        while rig.groups.heartbeat(&group("g"), 2, &second.member_id, None).is_ok() {
            tokio::task::yield_now().await;
        }
        let joined = rig.groups.join(rig::rejoin("g", &second.member_id)).await;
        stop.request();
        joined
    };
    let (joined, ()) = tokio::join!(survivor, rig.groups.clone().run(stop.clone()));
    let joined = joined.expect("joined");
    assert_eq!((joined.generation, joined.members.len()), (3, 1));
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_nothing_parked() {
    let rig = Rig::new();
    let first = rig.lone_member("g", "a").await;
    {
        let mut parked = Box::pin(rig.groups.join(join("g", "b")));
        assert!((&mut parked).now_or_never().is_none(), "it waits for the first");
        assert_eq!(rig.groups.describe(&group("g")).members.len(), 2);
    }
    assert_eq!(rig.groups.describe(&group("g")).members.len(), 1);
    let joined = rig.groups.join(rig::rejoin("g", &first)).await.expect("joined");
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
}

#[tokio::test]
async fn a_share_that_cannot_be_stored_is_not_given() {
    let rig = Rig::new();
    let joined = rig.groups.join(join("g", "a")).await.expect("joined");
    rig.log.fail(true);
    let shares = vec![(joined.member_id.clone(), Bytes::from_static(b"all"))];
    let refused = rig.groups.sync(sync("g", &joined.member_id, 1, shares)).await;
    assert!(matches!(refused, Err(CoordinatorError::Storage(_))), "{refused:?}");
    assert_eq!(rig.groups.describe(&group("g")).state, GroupState::PreparingRebalance);
    rig.log.fail(false);
    let joined = rig.groups.join(rig::rejoin("g", &joined.member_id)).await.expect("joined");
    assert_eq!(joined.generation, 2);
}

#[tokio::test]
async fn an_offset_that_cannot_be_stored_is_not_shown() {
    let rig = Rig::new();
    rig.groups.commit(commit("g", None, "t", 1)).await.expect("committed");
    rig.log.fail(true);
    let refused = rig.groups.commit(commit("g", None, "t", 2)).await.expect_err("refused");
    assert!(refused.is_transient(), "{refused}");
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=1 note");
}

#[tokio::test]
async fn commits_of_strangers_are_refused() {
    let rig = Rig::new();
    let unknown = rig.groups.commit(commit("g", Some(("unknown", 3)), "t", 1)).await;
    assert!(
        matches!(unknown, Err(CoordinatorError::IllegalGeneration { asked: 3, current: 0 })),
        "{unknown:?}"
    );
    assert_eq!(rig.groups.list(), Vec::new(), "a refused commit makes no group");

    let member = rig.lone_member("g", "a").await;
    let old = rig.groups.commit(commit("g", Some((&member, 0)), "t", 1)).await;
    assert!(matches!(old, Err(CoordinatorError::IllegalGeneration { asked: 0, current: 1 })), "{old:?}");
    let outsider = rig.groups.commit(commit("g", None, "t", 1)).await;
    assert!(matches!(outsider, Err(CoordinatorError::UnknownMember)), "{outsider:?}");

    let mut long = commit("g", Some((&member, 1)), "t", 1);
    long.offsets[0].1.metadata = Some("x".repeat(4_097));
    let long = rig.groups.commit(long).await;
    assert!(matches!(long, Err(CoordinatorError::OffsetMetadataTooLarge { bytes: 4_097, .. })), "{long:?}");
    assert_eq!(offsets(&rig.groups, "g").await, "");
}

#[tokio::test]
async fn absent_metadata_is_the_empty_text_before_and_after_a_restart() {
    let rig = Rig::new();
    let mut bare = commit("g", None, "t", 1);
    bare.offsets[0].1.metadata = None;
    rig.groups.commit(bare).await.expect("committed");
    let fetched = rig.groups.fetch_offsets(&group("g"), None).await.expect("fetched");
    assert_eq!(fetched[0].1.as_ref().and_then(|offset| offset.metadata.as_deref()), Some(""));
    let rig = rig.restart();
    assert_eq!(rig.groups.fetch_offsets(&group("g"), None).await.expect("fetched"), fetched);
}

#[tokio::test]
async fn partitions_without_an_offset_are_told_so() {
    let rig = Rig::new();
    rig.groups.commit(commit("g", None, "t", 1)).await.expect("committed");
    let asked = [partition("u"), partition("t")];
    let fetched = rig.groups.fetch_offsets(&group("g"), Some(&asked)).await.expect("fetched");
    let found: Vec<_> = fetched.iter().map(|(_, found)| found.as_ref().map(|found| found.offset)).collect();
    assert_eq!(found, [None, Some(1)]);
    let unknown = rig.groups.fetch_offsets(&group("unknown"), Some(&asked)).await.expect("fetched");
    assert!(unknown.iter().all(|(_, found)| found.is_none()));
}

#[tokio::test]
async fn only_a_group_without_members_can_be_deleted() {
    let rig = Rig::new();
    let member = rig.lone_member("g", "a").await;
    rig.groups.commit(commit("g", Some((&member, 1)), "t", 1)).await.expect("committed");
    let refused = rig.groups.delete(&group("g")).await;
    assert!(matches!(refused, Err(CoordinatorError::NonEmptyGroup)), "{refused:?}");
    let leaving = Leaving { member_id: member, instance_id: None };
    let left = rig.groups.leave(&group("g"), vec![leaving]).await.expect("stored");
    assert!(left[0].is_ok());
    rig.groups.delete(&group("g")).await.expect("deleted");
    let again = rig.groups.delete(&group("g")).await;
    assert!(matches!(again, Err(CoordinatorError::GroupNotFound)), "{again:?}");
    assert_eq!(rig.groups.describe(&group("g")).state, GroupState::Dead);
    assert_eq!(rig.restart().groups.list(), Vec::new());
}

#[tokio::test]
async fn a_deleted_topic_takes_its_offsets_along() {
    let rig = Rig::new();
    for topic in ["t", "u"] {
        rig.groups.commit(commit("g", None, topic, 1)).await.expect("committed");
    }
    rig.groups.forget_topic(&partition("t").topic).await.expect("forgotten");
    assert_eq!(offsets(&rig.groups, "g").await, "u/0=1 note");
    let rig = rig.restart();
    assert_eq!(offsets(&rig.groups, "g").await, "u/0=1 note");
    rig.groups.retain_topics(|_| false).await.expect("retained");
    assert_eq!(rig.restart().groups.list(), Vec::new());
}

#[tokio::test]
async fn offsets_are_kept_as_long_as_somebody_needs_them() {
    let rig = Rig::new();
    let member = rig.lone_member("g", "a").await;
    rig.groups.commit(commit("g", Some((&member, 1)), "t", 1)).await.expect("committed");
    rig.groups.commit(commit("simple", None, "t", 1)).await.expect("committed");
    rig.clock.advance(Duration::from_secs(8 * 24 * 60 * 60));
    rig.groups.0.expire_offsets();
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=1 note", "the group has a member");
    assert_eq!(offsets(&rig.groups, "simple").await, "", "no one has committed for a week");

    let leaving = Leaving { member_id: member, instance_id: None };
    rig.groups.leave(&group("g"), vec![leaving]).await.expect("stored")[0].as_ref().expect("left");
    rig.clock.advance(Duration::from_secs(6 * 24 * 60 * 60));
    rig.groups.0.expire_offsets();
    assert_eq!(
        offsets(&rig.groups, "g").await,
        "t/0=1 note",
        "the retention began when the last member went"
    );
    let rig = rig.restart();
    rig.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    rig.groups.0.expire_offsets();
    assert_eq!(rig.groups.list(), Vec::new());
    assert_eq!(rig.restart().groups.list(), Vec::new());
}

#[tokio::test]
async fn there_are_only_so_many_groups() {
    let rig = Rig::with(MemoryLog::new(), Options { max_groups: 1, ..Options::default() }, Rig::held_clock());
    rig.groups.commit(commit("g", None, "t", 1)).await.expect("committed");
    let refused = rig.groups.commit(commit("h", None, "t", 1)).await;
    assert!(matches!(refused, Err(CoordinatorError::TooManyGroups { limit: 1 })), "{refused:?}");
    let refused = rig.groups.join(rig::with_given_id("h", "a")).await;
    assert!(matches!(refused, Err(CoordinatorError::TooManyGroups { limit: 1 })), "{refused:?}");
}

#[tokio::test]
async fn a_refused_join_makes_no_group() {
    let rig = Rig::new();
    let mut hasty = join("g", "a");
    hasty.session_timeout = Duration::from_millis(1);
    rig.groups.join(hasty).await.expect_err("refused");
    assert_eq!(rig.groups.list(), Vec::new());
    // An id that is given and never used holds the group for a session, and no longer.
    rig.groups.join(rig::with_given_id("g", "a")).await.expect_err("an id is given");
    assert_eq!(rig.groups.list().len(), 1);
    rig.clock.advance(Duration::from_secs(11));
    rig.groups.0.expire_due(rig.now());
    assert_eq!(rig.groups.list(), Vec::new());
}

#[tokio::test]
async fn the_journal_is_kept_short() {
    let options = Options { snapshot_after: ByteSize(10_000), ..Options::default() };
    let rig = Rig::with(MemoryLog::new(), options, Rig::real_clock());
    let member = rig.lone_member("members", "a").await;
    let stop = Stop::new();
    let work = async {
        for offset in 0..500 {
            rig.groups.commit(commit("g", None, "t", offset)).await.expect("committed");
            tokio::task::yield_now().await;
        }
        stop.request();
    };
    tokio::join!(work, rig.groups.clone().run(stop.clone()));
    assert!(rig.log.bytes() < 25_000, "{} bytes are kept of a state of a few hundred", rig.log.bytes());
    let rig = rig.restart();
    assert_eq!(offsets(&rig.groups, "g").await, "t/0=499 note");
    rig.groups.heartbeat(&group("members"), 1, &member, None).expect("alive");
}

#[tokio::test]
async fn listings_are_bounded() {
    let rig = Rig::new();
    let protocols = (0..33).map(|n| (format!("p{n}"), Bytes::new())).collect();
    let refused = rig.groups.join(JoinGroup { protocols, ..join("g", "a") }).await.expect_err("refused");
    assert_eq!(refused.to_string(), "too many protocols of one member: 33, and the limit is 32");
    rig.lone_member("g", "a").await;
    let unknown = Leaving { member_id: "unknown".to_owned(), instance_id: None };
    let refused = rig.groups.leave(&group("g"), vec![unknown; 10_001]).await.expect_err("refused");
    assert_eq!(refused.to_string(), "too many members that leave at once: 10001, and the limit is 10000");
}

#[tokio::test]
async fn many_that_leave_at_once_are_one_rebalance() {
    let rig = Rig::new();
    let member = rig.lone_member("g", "a").await;
    let gone = |id: &str| Leaving { member_id: id.to_owned(), instance_id: None };
    let left =
        rig.groups.leave(&group("g"), vec![gone("x"), gone(&member), gone(&member)]).await.expect("stored");
    let left: Vec<_> = left.iter().map(|result| result.as_ref().map_err(ToString::to_string)).collect();
    let unknown = || Err("the group has no such member".to_owned());
    assert_eq!(left, [unknown(), Ok(&()), unknown()]);
    assert_eq!(rig.groups.describe(&group("g")).state, GroupState::Empty);
}
