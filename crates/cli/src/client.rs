//! Talking to a running Factum over HTTP.

mod error;
mod events;
pub(crate) mod following;
mod row_headers;
pub(crate) mod trust;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use factum_api::groups::GroupList;
use factum_types::suggest::nearest;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

pub(crate) use error::{Error, Problem};
pub(crate) use events::{EventStream, ServerEvent};
pub(crate) use factum_api::events::AppendResponse as Acknowledged;
pub(crate) use factum_api::records::Record;
pub(crate) use factum_api::rows::{
    FreshnessView as Freshness, JsonRow, LeftOutView as LeftOutEvents, RowErrorView as RowError,
    RowsChange as Changed, RowsView as Rows,
};
pub(crate) use factum_api::topics::{
    CreateTopic as NewTopic, PartitionView as Partition, TopicLine, TopicList as Topics, TopicSettings,
    TopicSettingsPatch, TopicView as Topic,
};

/// Longer than any honest answer takes, the fsync of a slow disk included.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client for one server.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    login: Option<Login>,
}

/// The user that requests log in as.
#[derive(Clone)]
struct Login {
    user: String,
    password: Option<String>,
}

impl Client {
    /// A client for the server at `address`, such as `http://127.0.0.1:8080` or `localhost:8080`; nothing is sent yet. Of an
    /// `https://` server, the certificate leads to `authorities`, where they are given.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Certificates`].
    pub(crate) fn new(address: &str, authorities: Option<&Path>) -> Result<Self, Error> {
        let bad = |reason: String| Error::Address { address: address.to_owned(), reason };
        let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let base = Url::parse(&url).map_err(|error| bad(error.to_string()))?;
        match base.scheme() {
            "http" | "https" if base.has_host() => {}
            other => return Err(bad(format!("{other:?} is not http or https"))),
        }
        let (is_https, is_local) = (base.scheme() == "https", is_loopback(&base));
        let builder = || {
            let builder = reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("factum/", env!("CARGO_PKG_VERSION")));
            // A proxy is for what lies outside this machine.
            if is_local { builder.no_proxy() } else { builder }
        };
        let http = trust::build(builder, address, is_https, is_local, authorities)?;
        Ok(Self { http, base, login: None })
    }

    /// The same client, whose requests log in as `user`, if one is given.
    pub(crate) fn logged_in(self, user: Option<String>, password: Option<String>) -> Self {
        Self { login: user.map(|user| Login { user, password }), ..self }
    }

    /// The server's address, without a slash at its end.
    pub(crate) fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.base)
    }

    /// A request for the path made of `segments`, each of them encoded.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        let request = self.http.request(method, url);
        match &self.login {
            Some(login) => request.basic_auth(&login.user, login.password.as_ref()),
            None => request,
        }
    }

    /// Gets JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Error> {
        self.json(self.request(Method::GET, segments)).await
    }

    /// Sends a request that answers with JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request.timeout(TIMEOUT)).await?;
        let body = response.bytes().await.map_err(|error| self.lost(&error))?;
        serde_json::from_slice(&body)
            .map_err(|source| Error::Shape { address: self.address().to_owned(), source })
    }

    /// Sends a request that answers with text.
    pub(crate) async fn text(&self, request: RequestBuilder) -> Result<String, Error> {
        let response = self.send(request.timeout(TIMEOUT)).await?;
        response.text().await.map_err(|error| self.lost(&error))
    }

    /// Sends a request that answers with rows as CSV; what CSV cannot say is in headers, such as the number of values that
    /// cannot be computed.
    pub(crate) async fn csv(&self, request: RequestBuilder) -> Result<(Rows, usize, String), Error> {
        let response = self.send(request.header("accept", "text/csv").timeout(TIMEOUT)).await?;
        let (rows, errors) = row_headers::of_response(response.headers());
        Ok((rows, errors, response.text().await.map_err(|error| self.lost(&error))?))
    }

    /// Sends a request; any status that is not 2xx is an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.unwrap_or_default();
        Err(Error::Refused(Box::new(Problem::read(status.as_u16(), retry_after, &body))))
    }

    /// One topic; where there is none of this name, the nearest is suggested.
    pub(crate) async fn topic(&self, name: &str) -> Result<Topic, Error> {
        match self.get(&["api", "v1", "topics", name]).await {
            Err(error) => Err(self.of_topic(name, error).await),
            found => found,
        }
    }

    /// The error of a request for the topic `name`: where there is none, with the nearest, unless the server says what to
    /// do.
    pub(crate) async fn of_topic(&self, name: &str, error: Error) -> Error {
        let is_told = matches!(&error, Error::Refused(problem) if problem.help.is_some());
        if is_told || error.status() != Some(StatusCode::NOT_FOUND.as_u16()) {
            return error;
        }
        let known: Vec<String> = match self.get::<Topics>(&["api", "v1", "topics"]).await {
            Ok(found) => {
                found.topics.into_iter().filter(|topic| !topic.internal).map(|topic| topic.name).collect()
            }
            Err(_) => Vec::new(),
        };
        let near = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Error::unknown("topic", name, near)
    }

    /// The error for a group that does not exist.
    pub(crate) async fn no_group(&self, name: &str) -> Error {
        let known: Vec<String> = match self.get::<GroupList>(&["api", "v1", "groups"]).await {
            Ok(found) => found.groups.into_iter().map(|group| group.id).collect(),
            Err(_) => Vec::new(),
        };
        let near = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Error::unknown("group", name, near)
    }

    /// The error of a request that has no answer.
    pub(crate) fn lost(&self, error: &reqwest::Error) -> Error {
        let address = self.address().to_owned();
        let reason = innermost(error);
        if error.is_connect() && self.base.scheme() == "https" && reason.contains("certificate") {
            return Error::Untrusted { address, reason };
        }
        if error.is_connect() {
            return Error::Unreachable { address, reason };
        }
        Error::Lost { address, reason: innermost(error) }
    }
}

/// The cause that the layers of the client wrap.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
