//! Which names a listener answers to, so that no web page uses it behind its reader's back.
//!
//! A listener on loopback asks for no identity: whoever reaches it is let in. A page in a browser on the same
//! machine reaches it too, across sites or under a name of its own that it lets point here (DNS rebinding).
//!
//! Always holds, on loopback: a request is served only if `Host` is an address, `localhost`, a name below it or one
//! that [`Options::allowed_hosts`] has, none of which a stranger can let point here; and if a page sent it, only if
//! that page comes from this listener or from this machine. What is no browser sends no `Origin`.
//!
//! Not here: listeners beyond loopback, whose names are their network's own business.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Options;
use crate::http::problem::Problem;

/// The names of one listener.
pub(crate) struct HostCheck {
    is_guarded: bool,
    allowed: Vec<String>,
}

impl HostCheck {
    pub(crate) fn new(options: &Options) -> Self {
        Self { is_guarded: options.listen.ip().is_loopback(), allowed: options.allowed_hosts.clone() }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if !self.is_guarded {
            return Ok(());
        }
        for host in headers.get_all(header::HOST) {
            self.check_host(host)?;
        }
        match headers.get(header::ORIGIN) {
            Some(origin) => self.check_origin(origin, headers.get(header::HOST)),
            None => Ok(()),
        }
    }

    fn check_host(&self, host: &HeaderValue) -> Result<(), Problem> {
        let is_ours = |name: &str| address(name).is_some() || self.is_local(name);
        match authority(host.as_bytes()) {
            Some(found) if is_ours(name_of(&found)) => Ok(()),
            _ => {
                let host = String::from_utf8_lossy(host.as_bytes());
                let detail = format!(
                    "this listener on loopback does not answer to the name {host:?}; \
                    reach it as localhost, or add the name to allowed_hosts"
                );
                Err(Problem::forbidden(detail).with("header", "host"))
            }
        }
    }

    fn check_origin(&self, origin: &HeaderValue, host: Option<&HeaderValue>) -> Result<(), Problem> {
        let found = origin.to_str().ok().and_then(|origin| authority(origin.split_once("://")?.1.as_bytes()));
        let is_own =
            |page: &Authority| host.and_then(|host| authority(host.as_bytes())).as_ref() == Some(page);
        let is_near = |page: &Authority| {
            let name = name_of(page);
            address(name).is_some_and(|address| address.is_loopback()) || self.is_local(name)
        };
        match found {
            Some(page) if is_own(&page) || is_near(&page) => Ok(()),
            _ => {
                let origin = String::from_utf8_lossy(origin.as_bytes());
                let detail = format!("a page of {origin:?} may not use this listener on loopback");
                Err(Problem::forbidden(detail).with("header", "origin"))
            }
        }
    }

    /// Whether `name` is this machine's by definition (RFC 6761 §6.3) or because the options say so.
    fn is_local(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name))
    }
}

/// Serves requests only under the listener's own names.
pub(crate) async fn guard(State(check): State<Arc<HostCheck>>, request: Request, next: Next) -> Response {
    let checked = check_one_host(&request).and_then(|()| check.check(request.headers()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// HTTP/1.1 asks for exactly one `Host` (RFC 9112 §3.2): two readers of a request with another number of them may
/// disagree about whom it is for.
fn check_one_host(request: &Request) -> Result<(), Problem> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let problem = match hosts {
        1 => return Ok(()),
        0 if request.version() < Version::HTTP_11 => return Ok(()),
        0 => "there is no Host header, which HTTP/1.1 asks for",
        _ => "the Host header is given twice",
    };
    Err(Problem::malformed(problem).with("header", "host"))
}

fn authority(text: &[u8]) -> Option<Authority> {
    Authority::try_from(text).ok().filter(|found| !found.as_str().contains('@'))
}

/// The host without its port and without a v6 address's brackets.
fn name_of(authority: &Authority) -> &str {
    let host = authority.host();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn address(name: &str) -> Option<IpAddr> {
    name.parse().ok().map(|address: IpAddr| address.to_canonical())
}
