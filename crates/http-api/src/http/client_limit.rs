//! The client address of a request, and the limits for each address that routes use.

use axum::http::request::Parts;
use factum_base::clients::ClientAddress;
pub(crate) use factum_base::clients::{ClientLimit, ClientShare};

/// The address that the connection of this request noted; requests that came over none share one.
pub(crate) fn client_of(head: &Parts) -> ClientAddress {
    head.extensions.get().copied().unwrap_or(ClientAddress::UNKNOWN)
}
