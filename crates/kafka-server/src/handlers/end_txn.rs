//! EndTxn: commits or aborts a transaction. Answered once its markers are on disk.

use factum_broker::transactions::{ProducerIdentity, TransactionVersion};
use factum_types::Action;
use factum_types::record::TransactionOutcome;

use super::errors::fenced_before;
use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::end_txn::{EndTxnRequest, EndTxnResponse};

/// From this version on the epoch goes up with each transaction (KIP-890).
const EPOCHS_SINCE: i16 = 5;
/// From this version on clients know `PRODUCER_FENCED`.
const FENCED_SINCE: i16 = 2;

impl Handle for EndTxnRequest {
    type Response = EndTxnResponse;

    async fn handle(self, call: &Call) -> EndTxnResponse {
        let (error_code, ProducerIdentity { id, epoch }) = match end(call, self).await {
            Ok(producer) => (ErrorCode::None, producer),
            Err(code) => {
                let code = fenced_before(FENCED_SINCE, call.header.version, code);
                (code, ProducerIdentity { id: -1, epoch: -1 })
            }
        };
        EndTxnResponse { throttle_time_ms: 0, error_code, producer_id: id, producer_epoch: epoch }
    }
}

async fn end(call: &Call, asked: EndTxnRequest) -> Result<ProducerIdentity, ErrorCode> {
    let id = call.session.transactional_id(Action::Write, &asked.transactional_id)?;
    let producer = ProducerIdentity { id: asked.producer_id, epoch: asked.producer_epoch };
    let outcome = match asked.committed {
        true => TransactionOutcome::Commit,
        false => TransactionOutcome::Abort,
    };
    let version = match call.header.version {
        ..EPOCHS_SINCE => TransactionVersion::V1,
        _ => TransactionVersion::V2,
    };
    let ended = call.session.broker().transactions().end(&id, producer, outcome, version).await;
    ended.map_err(|error| ErrorCode::from(&error))
}
