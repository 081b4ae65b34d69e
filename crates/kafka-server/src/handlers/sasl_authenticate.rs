//! SaslAuthenticate: takes the messages of a login on. Who is refused learns that and no more, after a while, and the
//! connection ends.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use factum_access::sasl::LoginError;
use tracing::{debug, warn};

use super::authentication::{Progress, Reply};
use super::{Call, Handle, Session, StartedRequest};
use crate::connection::Answer;
use crate::error_code::ErrorCode;
use crate::messages::ApiKey;
use crate::messages::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use crate::wire::Rope;

/// Before a refusal is answered: a client that tries passwords waits, and its connection counts meanwhile.
const DELAY: Duration = Duration::from_millis(100);

impl Handle for SaslAuthenticateRequest {
    type Response = SaslAuthenticateResponse;

    async fn handle(self, call: &Call) -> SaslAuthenticateResponse {
        let refused = |error_code, reason: &str| SaslAuthenticateResponse {
            error_code,
            error_message: Some(reason.to_owned()),
            auth_bytes: Vec::new(),
            session_lifetime_ms: 0,
        };
        match next(&call.session, &self.auth_bytes).await {
            Ok(Reply { message, lifetime }) => SaslAuthenticateResponse {
                error_code: ErrorCode::None,
                error_message: None,
                auth_bytes: message,
                session_lifetime_ms: lifetime
                    .map_or(0, |lifetime| i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX)),
            },
            Err(Failure::Illegal) => {
                refused(ErrorCode::IllegalSaslState, "SaslAuthenticate comes after SaslHandshake")
            }
            Err(Failure::Busy) => refused(ErrorCode::RequestTimedOut, "too many logins at once"),
            Err(Failure::Refused) => refused(ErrorCode::SaslAuthenticationFailed, "authentication failed"),
        }
    }
}

/// Begins a message that came without a request around it, behind a handshake of version 0. Its answer is as bare; of a
/// refusal the end of the connection is all that is said.
pub(super) fn begin_bare(session: &Arc<Session>, message: BytesMut) -> StartedRequest {
    let session = Arc::clone(session);
    let answer = async move {
        let mut rope = Rope::default();
        if let Ok(Reply { message, .. }) = next(&session, &message).await {
            let mut frame = BytesMut::with_capacity(4 + message.len());
            frame.put_i32(i32::try_from(message.len()).expect("replies are short"));
            frame.put_slice(&message);
            rope.push(Bytes::from(frame));
        }
        rope
    };
    let answer = Answer::InTurn { answer: Box::pin(answer), is_patient: false };
    StartedRequest { api: ApiKey::SaslAuthenticate, answer: Some(answer) }
}

/// What is said to a client that is not logged in.
enum Failure {
    Illegal,
    Busy,
    Refused,
}

async fn next(session: &Arc<Session>, message: &[u8]) -> Result<Reply, Failure> {
    let Some((mechanism, exchange)) = session.authentication.take_exchange() else {
        return Err(Failure::Illegal);
    };
    let mut exchange = exchange;
    let outcome = exchange.next(message).await;
    let now = session.node.clock.monotonic();
    match session.authentication.proceed(exchange, outcome, now) {
        Ok(Progress::Challenge(reply)) => Ok(reply),
        Ok(Progress::Done(reply)) => {
            session.node.metrics.authenticated(mechanism, "success");
            debug!(peer = %session.peer, principal = %session.principal(), %mechanism, "logged in");
            Ok(reply)
        }
        Err(error) => {
            session.node.metrics.authenticated(mechanism, "failure");
            match session.node.may_log(session.peer.ip()) {
                Some(left_out) => {
                    warn!(peer = %session.peer, %mechanism, %error, left_out, "refused a login");
                }
                None => debug!(peer = %session.peer, %mechanism, %error, "refused a login"),
            }
            tokio::time::sleep(DELAY).await;
            Err(if error == LoginError::Busy { Failure::Busy } else { Failure::Refused })
        }
    }
}
