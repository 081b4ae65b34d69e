//! The authoriser of a listener.

use std::net::SocketAddr;
use std::sync::Arc;

use factum_types::Authorizer;
use factum_types::auth::{AllowAll, DenyAll};

use crate::Access;

/// The authoriser of a listener on `address`: the choice is made once, not by each request.
pub(crate) fn authorizer(access: Access, address: SocketAddr) -> Arc<dyn Authorizer> {
    match access.is_open_at(address) {
        true => Arc::new(AllowAll),
        false => Arc::new(DenyAll),
    }
}
