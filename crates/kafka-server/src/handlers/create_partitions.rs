//! CreatePartitions: more partitions for topics, each on disk when the answer says so.

use std::collections::HashSet;

use factum_broker::CreatePartitionsError;
use factum_types::Action;
use tracing::error;

use super::throttling::{ChangeAllowance, TOO_MANY_CHANGES};
use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsResult, CreatePartitionsTopic,
};

/// The first version whose clients know `THROTTLING_QUOTA_EXCEEDED` (KIP-599).
const QUOTA_IS_STRICT_SINCE: i16 = 3;

impl Handle for CreatePartitionsRequest {
    type Response = CreatePartitionsResponse;

    async fn handle(self, call: &Call) -> CreatePartitionsResponse {
        let mut seen = HashSet::new();
        let twice: HashSet<_> = self
            .topics
            .iter()
            .filter(|topic| !seen.insert(&topic.name))
            .map(|topic| topic.name.clone())
            .collect();
        let mut allowance = ChangeAllowance::new(call, QUOTA_IS_STRICT_SINCE);
        let (mut answered, mut results) = (HashSet::new(), Vec::with_capacity(self.topics.len()));
        for topic in self.topics {
            // As in Kafka, one answer for a topic that is named twice.
            if !answered.insert(topic.name.clone()) {
                continue;
            }
            let grown = match twice.contains(&topic.name) {
                true => {
                    Err(GrowthRefusal::new(ErrorCode::InvalidRequest, "the request names the topic twice"))
                }
                false => grow(call, &topic, self.validate_only, &mut allowance).await,
            };
            let (error_code, error_message) = match grown {
                Ok(()) => (ErrorCode::None, None),
                Err(GrowthRefusal { code, reason }) => (code, reason),
            };
            results.push(CreatePartitionsResult { name: topic.name, error_code, error_message });
        }
        CreatePartitionsResponse { throttle_time_ms: allowance.throttle_time_ms(), results }
    }
}

/// Why a topic is as it was.
struct GrowthRefusal {
    code: ErrorCode,
    reason: Option<String>,
}

impl GrowthRefusal {
    fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: Some(reason.into()) }
    }
}

impl From<CreatePartitionsError> for GrowthRefusal {
    fn from(failure: CreatePartitionsError) -> Self {
        if let CreatePartitionsError::Storage(source) | CreatePartitionsError::OutOfOpenFiles { source, .. } =
            &failure
        {
            error!(error = %source, "cannot give a topic partitions");
        }
        Self::new(ErrorCode::from(&failure), failure.to_string())
    }
}

async fn grow(
    call: &Call,
    asked: &CreatePartitionsTopic,
    validate_only: bool,
    allowance: &mut ChangeAllowance<'_>,
) -> Result<(), GrowthRefusal> {
    let refused = |code| GrowthRefusal { code, reason: None };
    let name = call.session.topic_name(Action::Alter, &asked.name).map_err(refused)?;
    let broker = call.session.broker();
    broker.validate_partitions(&name, asked.count)?;
    let has = broker.topic(name.as_str()).map_or(0, |topic| topic.partition_count());
    check_assignments(asked, has, broker.node_id())?;
    let new = asked.count.saturating_sub(has);
    allowance.spend(new).map_err(|code| GrowthRefusal::new(code, TOO_MANY_CHANGES))?;
    if !validate_only {
        broker.create_partitions(&name, asked.count).await?;
    }
    Ok(())
}

/// Each new partition is to be on the one node, where the client says where.
fn check_assignments(asked: &CreatePartitionsTopic, has: i32, node: i32) -> Result<(), GrowthRefusal> {
    let Some(assignments) = &asked.assignments else { return Ok(()) };
    let (new, assigned) = (asked.count.saturating_sub(has), assignments.len());
    let reason = if usize::try_from(new) != Ok(assigned) {
        format!("{new} partitions are new, and {assigned} are assigned")
    } else if assignments.iter().any(|each| each.broker_ids != [node]) {
        format!("each partition must have broker {node} as its replica")
    } else {
        return Ok(());
    };
    Err(GrowthRefusal::new(ErrorCode::InvalidReplicaAssignment, reason))
}
