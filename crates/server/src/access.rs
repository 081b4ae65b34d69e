//! The authoriser of a listener.

use std::net::SocketAddr;
use std::sync::Arc;

use factum_types::auth::{AccessDeniedError, AllowAll};
use factum_types::{Action, Authorizer, Principal, Resource};

use crate::Access;

/// The authoriser of a listener on `address`: the choice is made once, not by each request.
pub(crate) fn authorizer(access: Access, address: SocketAddr) -> Arc<dyn Authorizer> {
    match access.is_open_at(address) {
        true => Arc::new(AllowAll),
        false => Arc::new(AllowAuthenticated),
    }
}

/// Allows everything to whoever has proved who it is, and nothing to anyone else.
#[derive(Debug, Clone, Copy)]
struct AllowAuthenticated;

impl Authorizer for AllowAuthenticated {
    fn check(
        &self,
        principal: &Principal,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        if *principal != Principal::anonymous() {
            return Ok(());
        }
        Err(AccessDeniedError { principal: principal.clone(), action, resource: resource.to_string() })
    }
}
