//! `factum completion`: a script that teaches a shell the command line.

use clap_complete::Shell;
use miette::Report;

use crate::{args, output};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum completion bash > ~/.local/share/bash-completion/completions/factum
  factum completion zsh > \"${fpath[1]}/_factum\"")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<(), Report> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::tree(), "factum", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(())
}
