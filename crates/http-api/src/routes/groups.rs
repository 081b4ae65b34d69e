//! Consumer groups: list, get, delete; their lag over the last hour; resetting their offsets.

mod reset;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use factum_api::groups::{
    CommittedView, GroupLine, GroupList, GroupView, LagHistory, MemberView, PartitionName, TopicGroup,
    TopicGroupList,
};
use factum_api::transactions::HeldPartitionView;
use factum_eventlog::{Group, GroupOffset, Member};
use factum_types::suggest;
use factum_types::{Action, GroupId, Resource, TopicName, TopicPartition};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, GroupPath, TopicPath};
use crate::http::held_back;
use crate::http::lookup;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The routes of groups.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_groups))
        .routes(routes!(get_group, delete_group))
        .routes(routes!(get_lag))
        .routes(routes!(list_groups_of_topic))
        .merge(reset::routes())
}

/// List consumer groups
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups",
    responses((status = 200, body = GroupList, example = json!({"groups": [{"id": "mailer", "state": "Stable",
        "protocol": "range", "members": 2, "topics": ["store.orders"], "lag": "12"}]}))))]
async fn list_groups(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let is_visible = caller.visibility();
    let list = move |api: Arc<Api>| {
        let is_visible = Arc::clone(&is_visible);
        async move {
            let groups = api.log().groups().await?.into_iter();
            Ok(GroupList { groups: groups.map(|group| line(visible_part(group, &*is_visible))).collect() })
        }
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Get a consumer group
#[utoipa::path(get, path = "/api/v1/groups/{group}", tag = "groups",
    params(("group" = String, Path, example = "mailer")),
    responses((status = 200, body = GroupView), (status = 404, body = Problem)))]
async fn get_group(
    State(api): State<Arc<Api>>,
    caller: Caller,
    GroupPath(id): GroupPath,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Group(&id))?;
    let is_visible = caller.visibility();
    let show = move |api: Arc<Api>| {
        let (id, is_visible) = (id.clone(), Arc::clone(&is_visible));
        async move {
            let group = visible_part(find(&api, &id, &*is_visible).await?, &*is_visible);
            let held = api.state.transactions.held_back().await;
            let held: Vec<_> = held.iter().map(|held| held_back::shown(held, &*is_visible)).collect();
            Ok(whole(group, &held))
        }
    };
    document(&api, &caller, DocumentKind::List, show).await
}

/// Delete a consumer group that has no members
#[utoipa::path(delete, path = "/api/v1/groups/{group}", tag = "groups",
    params(("group" = String, Path, example = "mailer")),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has members")))]
async fn delete_group(
    State(api): State<Arc<Api>>,
    caller: Caller,
    GroupPath(id): GroupPath,
) -> Result<StatusCode, Problem> {
    caller.may(Action::Delete, Resource::Group(&id))?;
    api.log().delete_group(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the lag of a consumer group over the last hour
///
/// Sampled by the server whether or not anyone looks, since it started. At most 1,000 pairs of a group and a topic are sampled,
/// groups with members first.
#[utoipa::path(get, path = "/api/v1/groups/{group}/lag", tag = "groups",
    params(("group" = String, Path, example = "mailer")),
    responses((status = 200, body = LagHistory), (status = 404, body = Problem)))]
async fn get_lag(
    State(api): State<Arc<Api>>,
    caller: Caller,
    GroupPath(id): GroupPath,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Group(&id))?;
    let is_visible = caller.visibility();
    let show = move |api: Arc<Api>| {
        let (id, is_visible) = (id.clone(), Arc::clone(&is_visible));
        async move {
            let mut topics = api.lag_history.of(&id);
            if topics.is_empty() {
                find(&api, &id, &*is_visible).await?;
            }
            topics.retain(|of| {
                TopicName::new(of.topic.as_str()).is_ok_and(|topic| is_visible(Resource::Topic(&topic)))
            });
            Ok(LagHistory { interval_seconds: api.options.lag_interval.as_secs(), topics })
        }
    };
    document(&api, &caller, DocumentKind::List, show).await
}

/// List the consumer groups that read a topic
///
/// Those with a member that has a partition of it, or with a committed offset in it.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/groups", tag = "groups",
    params(("topic" = String, Path, example = "store.orders")),
    responses((status = 200, body = TopicGroupList), (status = 404, body = Problem)))]
async fn list_groups_of_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(topic): TopicPath,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Topic(&topic))?;
    lookup::topic(&api, &caller, &topic).await?;
    let is_visible = caller.visibility();
    let list = move |api: Arc<Api>| {
        let (topic, is_visible) = (topic.clone(), Arc::clone(&is_visible));
        async move {
            let groups = api.log().groups().await?;
            let visible = groups.iter().filter(|group| is_visible(Resource::Group(&group.id)));
            Ok(TopicGroupList { groups: visible.filter_map(|group| reader(group, &topic)).collect() })
        }
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// The group without the topics that the caller may not describe, as Kafka's OffsetFetch leaves them out.
fn visible_part(mut group: Group, is_visible: &dyn Fn(Resource<'_>) -> bool) -> Group {
    // Of many partitions each topic is asked about once.
    let mut known: BTreeMap<TopicName, bool> = BTreeMap::new();
    let mut is_shown = |partition: &TopicPartition| match known.get(&partition.topic) {
        Some(is_visible) => *is_visible,
        None => {
            let is_visible = is_visible(Resource::Topic(&partition.topic));
            known.insert(partition.topic.clone(), is_visible);
            is_visible
        }
    };
    for member in &mut group.members {
        member.assignment.retain(&mut is_shown);
    }
    group.offsets.retain(|committed| is_shown(&committed.partition));
    group
}

/// The group, or a 404 that names the one that was probably meant, of those that the caller may describe.
async fn find(api: &Api, id: &GroupId, is_visible: &dyn Fn(Resource<'_>) -> bool) -> Result<Group, Problem> {
    let mut groups = api.log().groups().await?;
    if let Some(found) = groups.iter().position(|group| group.id == *id) {
        return Ok(groups.swap_remove(found));
    }
    let problem = Problem::not_found(format_args!("there is no group {id}"));
    let visible = groups.iter().map(|group| &group.id).filter(|id| is_visible(Resource::Group(id)));
    Err(lookup::with_nearest(problem, suggest::nearest(id.as_str(), visible.map(GroupId::as_str))))
}

fn line(group: Group) -> GroupLine {
    let lag: i64 = group.offsets.iter().filter_map(|committed| committed.lag).sum();
    let assigned = group.members.iter().flat_map(|member| &member.assignment);
    let committed = group.offsets.iter().map(|committed| &committed.partition);
    let topics: BTreeSet<&TopicName> = assigned.chain(committed).map(|partition| &partition.topic).collect();
    GroupLine {
        id: group.id.to_string(),
        topics: topics.into_iter().map(ToString::to_string).collect(),
        state: group.state,
        protocol: group.protocol,
        members: group.members.len(),
        lag: lag.into(),
    }
}

/// What a group has to do with a topic; none if nothing.
pub(crate) fn reader(group: &Group, topic: &TopicName) -> Option<TopicGroup> {
    let has_some = |member: &&Member| member.assignment.iter().any(|partition| partition.topic == *topic);
    let members = group.members.iter().filter(has_some).count();
    let committed: Vec<&GroupOffset> =
        group.offsets.iter().filter(|committed| committed.partition.topic == *topic).collect();
    if members == 0 && committed.is_empty() {
        return None;
    }
    let lag: i64 = committed.iter().filter_map(|committed| committed.lag).sum();
    Some(TopicGroup {
        id: group.id.to_string(),
        state: group.state.clone(),
        members,
        partitions: committed.len(),
        lag: lag.into(),
    })
}

fn whole(group: Group, held: &[HeldPartitionView]) -> GroupView {
    GroupView {
        id: group.id.to_string(),
        state: group.state,
        protocol_type: group.protocol_type,
        protocol: group.protocol,
        members: group.members.into_iter().map(member).collect(),
        offsets: group.offsets.into_iter().map(|offset| committed(offset, held)).collect(),
    }
}

fn member(member: Member) -> MemberView {
    let name = |p: TopicPartition| PartitionName { topic: p.topic.to_string(), partition: p.partition };
    let assignment = member.assignment.into_iter().map(name).collect();
    MemberView { id: member.id, client_id: member.client_id, client_host: member.client_host, assignment }
}

fn committed(committed: GroupOffset, held: &[HeldPartitionView]) -> CommittedView {
    let TopicPartition { topic, partition } = &committed.partition;
    let held = held.iter().find(|held| held.topic == topic.as_str() && held.partition == *partition);
    CommittedView {
        topic: committed.partition.topic.to_string(),
        partition: committed.partition.partition,
        offset: committed.offset.get().into(),
        end: committed.end.map(|end| end.get().into()),
        lag: committed.lag.map(Into::into),
        metadata: committed.metadata,
        held_back: held.cloned(),
    }
}
