//! Resetting the offsets of a group, or saying what a reset would move.

use std::sync::Arc;

use axum::extract::{Request, State};
use factum_api::groups::{MovedOffset, ResetOffsets, ResetOffsetsResult};
use factum_eventlog::{GroupOffset, PartitionBounds};
use factum_types::{Action, Offset, Resource, TopicName, TopicPartition, TopicPosition};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{find, visible_part};
use crate::api::Api;
use crate::http::extract::{Caller, GroupPath};
use crate::http::json::Json;
use crate::http::lookup;
use crate::http::position;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The route of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(reset_offsets))
}

/// Reset the offsets of a consumer group that has no members
///
/// All of them or none. With `dry_run` only says what would move, also while the group has members. With `create`, the
/// group may be new: it then exists with these offsets.
#[utoipa::path(post, path = "/api/v1/groups/{group}/offsets", tag = "groups",
    params(("group" = String, Path, example = "mailer")),
    request_body(content = ResetOffsets, example = json!({"topic": "store.orders", "to": "earliest"})),
    responses((status = 200, body = ResetOffsetsResult),
        (status = 404, body = Problem, description = "There is no such topic, partition, or group"),
        (status = 409, body = Problem, description = "It has members"),
        (status = 422, body = Problem, description = "An offset lies outside the partition, or there is none to shift")))]
pub(super) async fn reset_offsets(
    State(api): State<Arc<Api>>,
    caller: Caller,
    GroupPath(id): GroupPath,
    request: Request,
) -> Result<Json<ResetOffsetsResult>, Problem> {
    caller.may(Action::Read, Resource::Group(&id))?;
    let (head, body) = request.into_parts();
    let wish: ResetOffsets = api.bodies.read_json(&head, body).await?;
    let target = Target::of(&wish)?;
    let named = wish.topic.as_deref().map(TopicName::new).transpose()?;
    if let Some(topic) = &named {
        caller.may(Action::Read, Resource::Topic(topic))?;
    }
    let (all, group, is_visible) = (Arc::clone(&api), id.clone(), caller.visibility());
    let before = api
        .responses
        .made(caller.client(), DocumentKind::List, move || async move {
            match find(&all, &group, &*is_visible).await {
                Err(_) if wish.create => Ok(Vec::new()),
                found => found.map(|group| visible_part(group, &*is_visible).offsets),
            }
        })
        .await?;
    let mut offsets = Vec::new();
    for topic in topics(named, &before, wish.partitions.as_deref())? {
        caller.may(Action::Read, Resource::Topic(&topic))?;
        let bounds = lookup::topic(&api, &caller, &topic).await?.partitions;
        for bounds in chosen(&topic, &bounds, wish.partitions.as_deref())? {
            let partition = TopicPartition::new(topic.clone(), bounds.partition);
            let is_named = wish.partitions.is_some();
            let from = before.iter().find(|committed| committed.partition == partition);
            if let Some(to) = target.offset(&api, &partition, bounds, from, is_named).await? {
                offsets.push((partition, to));
            }
        }
    }
    if offsets.is_empty() {
        let what = format_args!("group {id} has no committed offset to shift");
        return Err(Problem::refused(what).with("field", "shift_by"));
    }
    let moved = offsets.iter().map(|(partition, to)| moved(&before, partition, *to)).collect();
    if !wish.dry_run {
        api.log().reset_group(&id, offsets).await?;
    }
    Ok(Json(ResetOffsetsResult { dry_run: wish.dry_run, offsets: moved }))
}

/// Where the offsets go.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// To the same position in each partition.
    Position(TopicPosition),
    /// So many records on from where each is.
    Shift(i64),
}

impl Target {
    fn of(wish: &ResetOffsets) -> Result<Self, Problem> {
        match (&wish.to, wish.shift_by) {
            (Some(to), None) => {
                let to = to.parse();
                to.map(Self::Position)
                    .map_err(|error| Problem::malformed(format_args!("to: {error}")).with("field", "to"))
            }
            (None, Some(by)) => Ok(Self::Shift(by)),
            (Some(_), Some(_)) => {
                Err(Problem::malformed("give to or shift_by, not both").with("field", "to"))
            }
            (None, None) => {
                Err(Problem::malformed("to is missing: say where to, such as earliest, or shift_by")
                    .with("field", "to"))
            }
        }
    }

    /// The offset that the group is to read next in a partition; none where there is none to shift and no one named the
    /// partition.
    async fn offset(
        self,
        api: &Api,
        partition: &TopicPartition,
        bounds: &PartitionBounds,
        from: Option<&GroupOffset>,
        is_named: bool,
    ) -> Result<Option<Offset>, Problem> {
        let (start, end) = (bounds.log_start, bounds.high_watermark);
        match (self, from) {
            (Self::Position(to), _) => {
                let now = api.state.clock.now();
                let offset = position::resolve(api.log(), partition, bounds, to, now).await?;
                if matches!(to, TopicPosition::Offset(_)) && !(start..=end).contains(&offset) {
                    let detail = format!("offset {offset} of {partition} is outside {start}..{end}");
                    return Err(Problem::refused(detail).with("field", "to"));
                }
                Ok(Some(offset))
            }
            (Self::Shift(by), Some(from)) => {
                let shifted = Offset::new(from.offset.get().saturating_add(by).max(0));
                Ok(Some(shifted.clamp(start, end)))
            }
            (Self::Shift(_), None) if is_named => {
                let detail = format!("there is no committed offset in {partition} to shift; say where to");
                Err(Problem::refused(detail).with("field", "shift_by"))
            }
            (Self::Shift(_), None) => Ok(None),
        }
    }
}

/// The topics to reset: the one that is named, or all that offsets are committed of.
fn topics(
    named: Option<TopicName>,
    before: &[GroupOffset],
    partitions: Option<&[i32]>,
) -> Result<Vec<TopicName>, Problem> {
    match named {
        Some(topic) => Ok(vec![topic]),
        None if partitions.is_some() => {
            Err(Problem::malformed("partitions needs topic").with("field", "partitions"))
        }
        None => {
            // A topic that is gone has no position to go to; its offsets stay.
            let known = before.iter().filter(|committed| committed.end.is_some());
            let mut topics: Vec<TopicName> =
                known.map(|committed| committed.partition.topic.clone()).collect();
            topics.dedup();
            match topics.is_empty() {
                true => Err(Problem::malformed("topic is missing: the group has no committed offsets")
                    .with("field", "topic")),
                false => Ok(topics),
            }
        }
    }
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

fn moved(before: &[GroupOffset], partition: &TopicPartition, to: Offset) -> MovedOffset {
    let from = before.iter().find(|committed| committed.partition == *partition);
    MovedOffset {
        topic: partition.topic.to_string(),
        partition: partition.partition,
        from: from.map(|committed| committed.offset.get().into()),
        to: to.get().into(),
    }
}
