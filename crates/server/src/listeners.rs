//! Listeners, as the start-up block and `/health/ready` show them: who is let in by each.
//!
//! **Not here:** what those who are let in may do.

use std::net::SocketAddr;

use factum_access::tls::ClientAuth;
use factum_http_api::ListenerView;
use factum_kafka_server::SecurityProtocol;

use crate::Options;
use crate::options::Access;

/// The listeners, HTTP first.
pub(crate) fn shown(
    options: &Options,
    kafka: &factum_kafka_server::Handle,
    http: &factum_http_api::Handle,
) -> Vec<ListenerView> {
    let mode = options.access.mode;
    let http = ListenerView {
        name: "http".to_owned(),
        address: http.local_addr.to_string(),
        security: if http.is_encrypted() { "HTTPS" } else { "HTTP" }.to_owned(),
        clients: match mode {
            Access::Acl => "users who log in, and anyone for what rules allow to User:ANONYMOUS",
            mode if mode.is_open_at(http.local_addr) => "anyone",
            _ => "no one",
        }
        .to_owned(),
    };
    let shows_certificate =
        options.kafka.tls.as_ref().is_some_and(|tls| tls.client_auth != ClientAuth::default());
    let all = options.kafka.all_listeners();
    let kafka = kafka.listeners.iter().zip(&all).map(|((name, address), listener)| ListenerView {
        name: name.clone(),
        address: address.to_string(),
        security: listener.security.name().to_owned(),
        clients: of_kafka(mode, *address, listener.security, shows_certificate).to_owned(),
    });
    std::iter::once(http).chain(kafka).collect()
}

fn of_kafka(
    mode: Access,
    address: SocketAddr,
    security: SecurityProtocol,
    shows_certificate: bool,
) -> &'static str {
    let has_certificate = security == SecurityProtocol::Ssl && shows_certificate;
    match (mode, mode.is_open_at(address)) {
        _ if security.has_logins() => "users who log in",
        (Access::Acl, _) if has_certificate => "anyone, as User:ANONYMOUS or as the certificate says",
        (Access::Acl, _) => "anyone, as User:ANONYMOUS",
        (_, true) => "anyone",
        (_, false) if has_certificate => "clients with a certificate",
        (_, false) => "no one",
    }
}
