//! Log-ins by name and password (HTTP Basic, RFC 7617), where listeners go by access rules.
//!
//! **Invariants:** a wrong password is refused before anything else is looked at, and says nothing of the user. A page of another site cannot use a log-in
//! that a browser keeps to change something.
//!
//! **Not here:** listeners that do not go by rules: everyone is anonymous there, whatever is sent.

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use factum_access::PasswordChecks;
use factum_base::clients::ClientAddress;
use factum_types::Principal;

use crate::http::problem::Problem;
use crate::metrics;

/// Finds out who sends a request.
pub(crate) struct Logins {
    /// Whether the listener goes by access rules.
    is_asked: bool,
    passwords: PasswordChecks,
    /// What pages of this server begin with.
    scheme: &'static str,
}

impl Logins {
    /// `is_encrypted` says whether the listener serves HTTPS.
    pub(crate) fn new(is_asked: bool, passwords: PasswordChecks, is_encrypted: bool) -> Self {
        let scheme = if is_encrypted { "https" } else { "http" };
        Self { is_asked, passwords, scheme }
    }

    /// Whether the listener goes by access rules, so that a log-in makes a difference.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Hashes a password, or does like work, for `client`.
    ///
    /// # Errors
    /// [`Problem`] 503 where too many others do.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        client: ClientAddress,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.passwords.run(client, work).await?)
    }

    /// Who sends the request: the user whose name and password it has, else no one in particular.
    ///
    /// # Errors
    /// [`Problem`] 401 where they are wrong, 403 where a page of another site uses them, 503 where too many are checked.
    pub(crate) async fn principal(&self, head: &Parts, client: ClientAddress) -> Result<Principal, Problem> {
        let Some(given) = head.headers.get(header::AUTHORIZATION).filter(|_| self.is_asked) else {
            return Ok(Principal::anonymous());
        };
        let (name, password) = basic(given).ok_or_else(|| {
            Problem::unauthenticated("the authorization header is not Basic with a name and a password")
        })?;
        check_origin(head, self.scheme)?;
        match self.passwords.accepts(client, &name, &password).await? {
            true => Ok(Principal::new(format!("User:{name}"))),
            false => {
                metrics::observe_failed_login();
                Err(Problem::unauthenticated("the name or the password is wrong"))
            }
        }
    }
}

/// The name and the password of a header.
fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// The name of a header that may be of a user; nothing of what else it has.
pub(crate) fn user_of(head: &Parts) -> Option<String> {
    head.headers.get(header::AUTHORIZATION).and_then(basic).map(|(name, _)| name)
}

/// Refuses a change that a page of another site asks for: the browser adds the log-in by itself. Browsers say themselves
/// whether it is another one (`Sec-Fetch-Site`) where they came by HTTPS or to this machine, also by way of a proxy; elsewhere
/// scheme and host are compared.
fn check_origin(head: &Parts, scheme: &str) -> Result<(), Problem> {
    if matches!(head.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let Some(origin) = head.headers.get(header::ORIGIN) else { return Ok(()) };
    let is_same = match head.headers.get("sec-fetch-site") {
        Some(site) => site.as_bytes() == b"same-origin",
        None => {
            let page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
            page.is_some_and(|(its, page)| its.eq_ignore_ascii_case(scheme) && Some(page) == host)
        }
    };
    match is_same {
        true => Ok(()),
        false => {
            Err(Problem::forbidden("a page of another site may not use a log-in").with("header", "origin"))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn changes_are_asked_for_by_pages_of_this_server_alone() {
        let is_taken = |origin: &str, site: Option<&str>, scheme: &str| {
            let request =
                Request::post("/api/v1/users").header("host", "broker:8080").header("origin", origin);
            let request = match site {
                Some(site) => request.header("sec-fetch-site", site),
                None => request,
            };
            check_origin(&request.body(()).expect("a request").into_parts().0, scheme).is_ok()
        };
        assert!(
            is_taken("http://broker:8080", None, "http") && is_taken("https://broker:8080", None, "https")
        );
        assert!(!is_taken("https://broker:8080", None, "http"), "a page of another scheme is another site's");
        assert!(
            !is_taken("http://broker:8080", None, "https") && !is_taken("http://other:8080", None, "http")
        );
        assert!(!is_taken("null", None, "http"));
        // Behind a proxy that speaks HTTPS.
        assert!(is_taken("https://broker:8080", Some("same-origin"), "http"));
        assert!(!is_taken("http://broker:8080", Some("cross-site"), "http"));
        assert!(!is_taken("http://broker:8080", Some("same-site"), "http"));
    }

    #[test]
    fn names_and_passwords_are_read_as_they_are_sent() {
        let header = |text: &str| HeaderValue::from_str(text).expect("a header");
        let encoded = |text: &str| header(&format!("Basic {}", BASE64.encode(text)));
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(basic(&encoded("ann:p:w")), pair("ann", "p:w"));
        assert_eq!(basic(&encoded("ann:")), pair("ann", ""));
        assert_eq!(basic(&header("basic YTpi")), pair("a", "b"));
        for wrong in ["Basic", "Basic !", "Bearer YTpi", "Basic YWI="] {
            assert_eq!(basic(&header(wrong)), None, "{wrong}");
        }
    }
}
