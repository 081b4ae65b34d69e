//! Transactions: list, get, abort.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use factum_api::groups::PartitionName;
use factum_api::transactions::{AbortTransaction, TransactionList, TransactionView};
use factum_eventlog::Transaction;
use factum_types::{Action, Offset, Resource, TopicName, TopicPartition};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, TransactionPath};
use crate::http::held_back;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The routes of transactions.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_transactions))
        .routes(routes!(get_transaction))
        .routes(routes!(abort_transaction))
        .routes(routes!(abort_hanging))
}

/// List transactional ids, and the partitions that open transactions hold back
#[utoipa::path(get, path = "/api/v1/transactions", tag = "transactions",
    responses((status = 200, body = TransactionList)))]
async fn list_transactions(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = |api: Arc<Api>| async move {
        let transactions = api.state.transactions.transactions().await;
        let held_back = api.state.transactions.held_back().await;
        Ok(TransactionList {
            transactions: transactions.into_iter().map(shown).collect(),
            // Who may see the cluster may see who holds it up.
            held_back: held_back.iter().map(|held| held_back::shown(held, &|_| true)).collect(),
        })
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Get a transactional id
#[utoipa::path(get, path = "/api/v1/transactions/{id}", tag = "transactions",
    params(("id" = String, Path, example = "billing")),
    responses((status = 200, body = TransactionView), (status = 404, body = Problem)))]
async fn get_transaction(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TransactionPath(id): TransactionPath,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::TransactionalId(&id))?;
    let is_visible = caller.visibility();
    let show = move |api: Arc<Api>| {
        let (id, is_visible) = (id.clone(), Arc::clone(&is_visible));
        async move {
            let found = api.state.transactions.transactions().await.into_iter().find(|each| each.id == id);
            let mut found =
                found.ok_or_else(|| Problem::not_found(format_args!("there is no transactional id {id}")))?;
            found.partitions.retain(|partition| is_visible(Resource::Topic(&partition.topic)));
            Ok(shown(found))
        }
    };
    document(&api, &caller, DocumentKind::List, show).await
}

/// Abort the open transaction of a transactional id
///
/// Its producer is fenced: what it sends from then on is refused.
#[utoipa::path(post, path = "/api/v1/transactions/{id}/abort", tag = "transactions",
    params(("id" = String, Path, example = "billing")),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has no open transaction")))]
async fn abort_transaction(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TransactionPath(id): TransactionPath,
) -> Result<StatusCode, Problem> {
    caller.may(Action::Write, Resource::TransactionalId(&id))?;
    api.state.transactions.abort(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Abort a transaction that no transactional id knows
///
/// Readers of committed records wait for such a transaction forever, since no producer ends it.
#[utoipa::path(post, path = "/api/v1/transactions/abort", tag = "transactions",
    request_body(content = AbortTransaction,
        example = json!({"topic": "store.orders", "partition": 0, "start_offset": "41"})),
    responses((status = 204), (status = 404, body = Problem, description = "Nothing is held back from there on"),
        (status = 409, body = Problem, description = "A transactional id knows it: abort it by that name")))]
async fn abort_hanging(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ClusterAction, Resource::Cluster)?;
    let (head, body) = request.into_parts();
    let wish: AbortTransaction = api.bodies.read_json(&head, body).await?;
    let partition = TopicPartition::new(TopicName::new(wish.topic)?, wish.partition);
    if wish.start_offset.0 < 0 {
        return Err(Problem::malformed("start_offset is not negative").with("field", "start_offset"));
    }
    api.state.transactions.abort_hanging(&partition, Offset::new(wish.start_offset.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(transaction: Transaction) -> TransactionView {
    let name = |p: TopicPartition| PartitionName { topic: p.topic.to_string(), partition: p.partition };
    TransactionView {
        id: transaction.id.to_string(),
        state: transaction.state,
        producer_id: transaction.producer_id.into(),
        producer_epoch: transaction.producer_epoch,
        open_since: transaction.open_since.map(|since| since.to_string()),
        timeout_ms: i64::try_from(transaction.timeout.as_millis()).unwrap_or(i64::MAX).into(),
        partitions: transaction.partitions.into_iter().map(name).collect(),
    }
}
