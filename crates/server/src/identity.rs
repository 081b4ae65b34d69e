//! Users, and the secret of the server that logins need.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use factum_access::sasl::ServerSecret;
use factum_access::{PasswordChecks, Users};
use factum_base::random::Random;
use factum_kafka_server::Identity;

use crate::StartError;

/// In the data directory.
const FILE: &str = "server-secret";

/// Who may log in, and what logins are checked with.
pub(crate) fn identity(
    data_dir: &Path,
    random: &Random,
    users: Users,
    passwords: PasswordChecks,
) -> Result<Identity, StartError> {
    let path = data_dir.join(FILE);
    let secret = secret(&path, random).map_err(|source| StartError::Secret { path, source })?;
    Ok(Identity { users, passwords, secret, random: random.clone() })
}

/// The secret that is kept, or a new one. It is not synced: lost in a power cut, it is a new one.
fn secret(path: &Path, random: &Random) -> io::Result<ServerSecret> {
    match fs::read(path) {
        Ok(bytes) => {
            if let Ok(bytes) = bytes.try_into() {
                return Ok(ServerSecret::from_bytes(bytes));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = ServerSecret::random(random);
    let written = path.with_extension("tmp");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&written)?;
    file.write_all(&secret.to_bytes())?;
    fs::rename(&written, path)?;
    Ok(secret)
}
