//! `factum user`: list, create, set a password, delete.

use std::io::{self, BufRead, IsTerminal, Write};

use factum_api::access::{NewPassword, NewUser, Password, UserList, UserView};
use miette::{IntoDiagnostic, Report, WrapErr};
use reqwest::Method;

use crate::args::Format;
use crate::client::Client;
use crate::output::{self, Column, Row, words};
use crate::report;

/// List users that may log in, create and delete them, set their passwords
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum user create alice
  factum user password alice < password.txt")]
pub(crate) enum Verb {
    /// List users
    #[command(before_help = "Example:
  factum user list")]
    List,
    /// Create a user; its password is asked for, or read from standard input
    #[command(before_help = "Examples:
  factum user create alice
  pass show factum/alice | factum user create alice")]
    Create {
        /// The user's name
        user: String,
    },
    /// Set a user's password, which is asked for, or read from standard input
    #[command(before_help = "Example:
  factum user password alice")]
    Password {
        /// The user's name
        user: String,
    },
    /// Delete a user; its rules stay
    #[command(before_help = "Example:
  factum user delete alice")]
    Delete {
        /// The user's name
        user: String,
    },
}

impl Row for UserView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("user", |user| user.name.clone()),
        words("mechanisms", |user| {
            let names = user.mechanisms.iter().map(|each| each.mechanism.as_str());
            names.collect::<Vec<_>>().join(" ")
        }),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List => {
            let users = client.get::<UserList>(&["api", "v1", "users"]).await?.users;
            if users.is_empty() && format == Format::Table {
                report::say("there are no users yet");
            }
            Ok(output::list(format, &users)?)
        }
        Verb::Create { user } => {
            let body = NewUser { name: user, password: read_password()? };
            let request = client.request(Method::POST, &["api", "v1", "users"]).json(&body);
            let created: UserView = client.json(request).await?;
            report::say(format!("created user {}; `factum acl create` says what it may do", created.name));
            Ok(())
        }
        Verb::Password { user } => {
            let body = NewPassword { password: read_password()? };
            let path = ["api", "v1", "users", &user, "password"];
            client.send(client.request(Method::POST, &path).json(&body)).await?;
            report::say(format!("set the password of user {user}"));
            Ok(())
        }
        Verb::Delete { user } => {
            client.send(client.request(Method::DELETE, &["api", "v1", "users", &user])).await?;
            report::say(format!("deleted user {user}"));
            Ok(())
        }
    }
}

/// The first line of standard input, without its end. A terminal shows it while it is typed.
fn read_password() -> Result<Password, Report> {
    let mut input = io::stdin().lock();
    if input.is_terminal() {
        let mut terminal = io::stderr();
        // What cannot be asked can still be answered.
        write!(terminal, "Password (it is shown as you type): ").and_then(|()| terminal.flush()).ok();
    }
    let mut line = String::new();
    input.read_line(&mut line).into_diagnostic().wrap_err("read the password from standard input")?;
    Ok(Password::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
