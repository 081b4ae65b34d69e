//! SaslHandshake: begins a login, or a further one before the first has run out (KIP-368).

use super::{Call, Handle};
use crate::messages::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};

impl Handle for SaslHandshakeRequest {
    type Response = SaslHandshakeResponse;

    async fn handle(self, call: &Call) -> SaslHandshakeResponse {
        let session = &call.session;
        let now = session.node.clock.monotonic();
        // In version 0 the mechanism's messages follow as they are, not in requests.
        let is_bare = call.header.version == 0;
        let error_code = session.authentication.begin(&self.mechanism, is_bare, session.client(), now);
        let mechanisms = session.authentication.mechanisms().iter().map(|each| each.name().to_owned());
        SaslHandshakeResponse { error_code, mechanisms: mechanisms.collect() }
    }
}
