//! `wrapper-configure`: seals, shows, installs and checks the set-group-ID wrappers. Unprivileged: it works with what
//! the one who runs it may do, and its own file never has a set-id bit.
//!
//! Reading order: [`cli`] says what can be asked for; [`settings`] makes values of it, with [`groups`] and
//! [`accounts`]; [`encode`] makes a policy section, which [`program`] and [`elf`] put where it belongs and [`place`]
//! writes in one step.

#![forbid(unsafe_code)]

mod accounts;
mod check;
mod cli;
mod elf;
mod encode;
#[cfg(test)]
mod fake_program;
mod groups;
mod id;
mod install;
mod layout;
mod mount;
mod place;
mod program;
mod prove;
mod seal;
mod settings;
mod show;
mod stat;

use clap::Parser;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let outcome = run(&cli.command, &mut std::io::stdout().lock(), &mut std::io::stderr().lock());
    match outcome {
        Ok(status) => status,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr(), "wrapper-configure: {error}");
            match cli.command {
                // 1 says that something was found.
                cli::Command::Check(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(command: &cli::Command, out: &mut dyn Write, notes: &mut dyn Write) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        cli::Command::Seal(arguments) => seal::run(arguments, out, notes)?,
        cli::Command::Show(arguments) => show::run(arguments, out)?,
        cli::Command::Check(arguments) => return check::run(arguments, out),
        cli::Command::Install(arguments) => return install::run(arguments, out, notes),
    }
    Ok(ExitCode::SUCCESS)
}
