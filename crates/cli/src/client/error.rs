//! Errors of requests.

use miette::Diagnostic;
use serde::Deserialize;

/// A failed request.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum Error {
    /// The address cannot be understood.
    #[error("{address:?} is not the address of a server: {reason}")]
    #[diagnostic(help(
        "an address looks like http://127.0.0.1:8080; it comes from --server or FACTUM_SERVER"
    ))]
    Address {
        /// As given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of certificates to trust cannot be used.
    #[error("{file} cannot be used: {reason}")]
    #[diagnostic(help("--cacert or FACTUM_CACERT names a PEM file with the certificates of authorities"))]
    Certificates {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server's certificate is not trusted.
    #[error("{address} is not trusted: {reason}")]
    #[diagnostic(help(
        "--cacert or FACTUM_CACERT names the file of the authority that signed its certificate; \
         `factum dev --tls` says where its own is"
    ))]
    Untrusted {
        /// The server.
        address: String,
        /// What is wrong with its certificate.
        reason: String,
    },
    /// No one answers at the address.
    #[error("no answer from {address}: {reason}")]
    #[diagnostic(help("is `factum dev` running? another address is given by --server or FACTUM_SERVER"))]
    Unreachable {
        /// As given.
        address: String,
        /// What the operating system says.
        reason: String,
    },
    /// The connection broke before the answer was complete: whether the request was done is not known.
    #[error("the connection to {address} broke before the answer came: {reason}")]
    #[diagnostic(help("is it the HTTP address of a Factum? the server's log says more"))]
    Lost {
        /// The server.
        address: String,
        /// What the innermost layer says.
        reason: String,
    },
    /// The server says no.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Refused(Box<Problem>),
    /// The answer is not what this version expects.
    #[error("{address} gave an answer that this version does not understand")]
    #[diagnostic(help("is it a Factum, and of the same version? `factum --version` tells this one's"))]
    Shape {
        /// The server.
        address: String,
        /// Where the answer differs.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such thing.
    #[error("there is no {kind} {name}")]
    Unknown {
        /// `topic`, `group` or `subject`.
        kind: &'static str,
        /// As asked for.
        name: String,
        /// What to do.
        #[help]
        help: String,
    },
}

impl Error {
    /// There is no `kind` called `name`, but perhaps one called `near`.
    pub(crate) fn unknown(kind: &'static str, name: &str, near: Option<String>) -> Self {
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if kind == "topic" => {
                format!(
                    "`factum topic list` shows those that exist, `factum topic create {name}` creates one"
                )
            }
            None if kind == "subject" => "`factum schema list` shows those that exist".to_owned(),
            None => format!("`factum {kind} list` shows those that exist"),
        };
        Self::Unknown { kind, name: name.to_owned(), help }
    }

    /// The HTTP status, where the server gave one.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            _ => None,
        }
    }

    /// The code of the schema registry, where it gave one.
    pub(crate) fn registry_code(&self) -> Option<u32> {
        match self {
            Self::Refused(problem) => problem.error_code,
            _ => None,
        }
    }

    /// Whether the server may answer again after a while.
    pub(crate) fn may_come_back(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => true,
            Self::Refused(problem) => problem.status == 503,
            _ => false,
        }
    }

    /// Whether it is not known if the request was done.
    pub(crate) fn is_uncertain(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Shape { .. } => true,
            Self::Refused(problem) => problem.status >= 500,
            _ => false,
        }
    }
}

/// `application/problem+json` (RFC 9457), an error of the schema registry, or whatever else an answer can be taken for.
#[derive(Debug, Clone, Deserialize, thiserror::Error)]
#[error("{title}")]
pub(crate) struct Problem {
    /// The HTTP status.
    #[serde(default)]
    pub(crate) status: u16,
    /// What kind of problem.
    #[serde(default)]
    pub(crate) title: String,
    /// What exactly.
    #[serde(default)]
    pub(crate) detail: Option<String>,
    /// For a refused event: its place in the body, from 0.
    #[serde(default)]
    pub(crate) index: Option<usize>,
    /// For a malformed line: its place in the body, from 1.
    #[serde(default)]
    pub(crate) line: Option<usize>,
    /// For malformed text: its place in the line, from 1.
    #[serde(default)]
    pub(crate) column: Option<usize>,
    /// What to do, where the server knows.
    #[serde(default)]
    pub(crate) help: Option<String>,
    /// For an error of the schema registry: its code.
    #[serde(default)]
    error_code: Option<u32>,
    /// For an error of the schema registry: what is wrong.
    #[serde(default)]
    message: Option<String>,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// Reads an answer's body.
    pub(crate) fn read(status: u16, retry_after: Option<u64>, body: &[u8]) -> Self {
        let empty = Self {
            status,
            title: String::new(),
            detail: None,
            index: None,
            line: None,
            column: None,
            help: None,
            error_code: None,
            message: None,
            retry_after,
        };
        let mut problem = serde_json::from_slice(body).unwrap_or(empty);
        problem.status = status;
        problem.retry_after = retry_after;
        match problem.detail.take().or_else(|| problem.message.take()) {
            // The detail says it better than the kind; what it says of the help is said by the help.
            Some(detail) if !detail.is_empty() => {
                let help = problem.help.as_deref().unwrap_or_default();
                let without = detail.strip_suffix(help).and_then(|detail| detail.strip_suffix("; "));
                problem.title = without.unwrap_or(&detail).to_owned();
            }
            _ if problem.title.is_empty() => {
                problem.title = format!("the server answered with status {status}");
            }
            _ => {}
        }
        problem
    }
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        if let Some(help) = self.help.as_deref().filter(|_| self.status != 503) {
            return Some(Box::new(help));
        }
        match (self.status, self.retry_after) {
            (503, Some(seconds)) => {
                Some(Box::new(format!("try again in {seconds} s; the server's log says more")))
            }
            (503, None) => Some(Box::new("try again; the server's log says more")),
            (401, _) => Some(Box::new(
                "log in: --user (or FACTUM_USER) names the user, FACTUM_PASSWORD has its password",
            )),
            (403, _) => Some(Box::new(
                "ask the owning team for access; a port beyond loopback lets people in only with `dev --open`",
            )),
            _ => None,
        }
    }
}
