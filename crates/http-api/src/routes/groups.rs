//! Consumer groups: list, get, delete, reset their offsets.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use factum_api::groups::{
    CommittedView, GroupLine, GroupList, GroupView, MemberView, MovedOffset, PartitionName, ResetOffsets,
    ResetOffsetsResult,
};
use factum_eventlog::{Group, GroupOffset, HeldPartition, Member, PartitionBounds};
use factum_types::suggest;
use factum_types::{Action, GroupId, Offset, Resource, TopicName, TopicPartition, TopicPosition};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, GroupPath};
use crate::http::held_back;
use crate::http::json::Json;
use crate::http::lookup;
use crate::http::position;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The routes of groups.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_groups))
        .routes(routes!(get_group, delete_group))
        .routes(routes!(reset_offsets))
}

/// List consumer groups
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups",
    responses((status = 200, body = GroupList, example = json!({"groups": [{"id": "mailer", "state": "Stable",
        "members": 2, "lag": "12"}]}))))]
async fn list_groups(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        let groups = api.log().groups().await?;
        Ok(GroupList { groups: groups.into_iter().map(line).collect() })
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
    let show = move |api: Arc<Api>| {
        let id = id.clone();
        async move {
            let group = find(&api, &id).await?;
            let held = api.state.transactions.held_back().await;
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

/// Reset the offsets of a consumer group that has no members
///
/// With `create`, the group may be new: it then exists with these offsets.
#[utoipa::path(post, path = "/api/v1/groups/{group}/offsets", tag = "groups",
    params(("group" = String, Path, example = "mailer")),
    request_body(content = ResetOffsets, example = json!({"topic": "store.orders", "to": "earliest"})),
    responses((status = 200, body = ResetOffsetsResult),
        (status = 404, body = Problem, description = "There is no such topic, partition, or group"),
        (status = 409, body = Problem, description = "It has members"),
        (status = 422, body = Problem, description = "An offset lies outside the partition")))]
async fn reset_offsets(
    State(api): State<Arc<Api>>,
    caller: Caller,
    GroupPath(id): GroupPath,
    request: Request,
) -> Result<Json<ResetOffsetsResult>, Problem> {
    caller.may(Action::Read, Resource::Group(&id))?;
    let (head, body) = request.into_parts();
    let wish: ResetOffsets = api.bodies.read_json(&head, body).await?;
    let topic = TopicName::new(wish.topic.as_str())?;
    caller.may(Action::Read, Resource::Topic(&topic))?;
    let to: TopicPosition = wish
        .to
        .parse()
        .map_err(|error| Problem::malformed(format_args!("to: {error}")).with("field", "to"))?;
    let bounds = lookup::topic(&api, caller.client(), &topic).await?.partitions;
    let mut offsets = Vec::new();
    for bounds in chosen(&topic, &bounds, wish.partitions.as_deref())? {
        let partition = TopicPartition::new(topic.clone(), bounds.partition);
        offsets.push((partition.clone(), target(&api, &partition, bounds, to).await?));
    }
    let (all, group) = (Arc::clone(&api), id.clone());
    let before = api
        .responses
        .made(caller.client(), DocumentKind::List, move || async move {
            match find(&all, &group).await {
                Err(_) if wish.create => Ok(Vec::new()),
                found => found.map(|group| group.offsets),
            }
        })
        .await?;
    let moved = offsets.iter().map(|(partition, to)| moved(&before, partition, *to)).collect();
    if !wish.dry_run {
        api.log().reset_group(&id, offsets).await?;
    }
    Ok(Json(ResetOffsetsResult { dry_run: wish.dry_run, offsets: moved }))
}

/// The group, or a 404 that names the one that was probably meant.
async fn find(api: &Api, id: &GroupId) -> Result<Group, Problem> {
    let mut groups = api.log().groups().await?;
    if let Some(found) = groups.iter().position(|group| group.id == *id) {
        return Ok(groups.swap_remove(found));
    }
    let problem = Problem::not_found(format_args!("there is no group {id}"));
    Err(match suggest::nearest(id.as_str(), groups.iter().map(|group| group.id.as_str())) {
        Some(near) => problem.also(format_args!("did you mean {near}?")).with("near", near),
        None => problem,
    })
}

fn chosen<'a>(
    topic: &TopicName,
    bounds: &'a [PartitionBounds],
    wanted: Option<&[i32]>,
) -> Result<Vec<&'a PartitionBounds>, Problem> {
    let Some(wanted) = wanted else { return Ok(bounds.iter().collect()) };
    let find = |partition: &i32| {
        let found = bounds.iter().find(|bounds| bounds.partition == *partition);
        found.ok_or_else(|| Problem::not_found(format_args!("topic {topic} has no partition {partition}")))
    };
    wanted.iter().map(find).collect()
}

/// The offset that the group is to read next in a partition.
async fn target(
    api: &Api,
    partition: &TopicPartition,
    bounds: &PartitionBounds,
    to: TopicPosition,
) -> Result<Offset, Problem> {
    let offset = position::resolve(api.log(), partition, bounds, to, api.state.clock.now()).await?;
    let (start, end) = (bounds.log_start, bounds.high_watermark);
    if matches!(to, TopicPosition::Offset(_)) && !(start..=end).contains(&offset) {
        let detail = format!("offset {offset} of {partition} is outside {start}..{end}");
        return Err(Problem::refused(detail).with("field", "to"));
    }
    Ok(offset)
}

fn moved(before: &[GroupOffset], partition: &TopicPartition, to: Offset) -> MovedOffset {
    let from = before.iter().find(|committed| committed.partition == *partition);
    MovedOffset {
        topic: partition.topic.to_string(),
        partition: partition.partition,
        from: from.map(|committed| committed.offset.get().into()),
        to: to.get().into(),
    }
}

fn line(group: Group) -> GroupLine {
    let lag: i64 = group.offsets.iter().filter_map(|committed| committed.lag).sum();
    GroupLine { id: group.id.to_string(), state: group.state, members: group.members.len(), lag: lag.into() }
}

fn whole(group: Group, held: &[HeldPartition]) -> GroupView {
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

fn committed(committed: GroupOffset, held: &[HeldPartition]) -> CommittedView {
    let held = held.iter().find(|held| held.partition == committed.partition);
    CommittedView {
        topic: committed.partition.topic.to_string(),
        partition: committed.partition.partition,
        offset: committed.offset.get().into(),
        lag: committed.lag.map(Into::into),
        metadata: committed.metadata,
        held_back: held.map(held_back::shown),
    }
}
