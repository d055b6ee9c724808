//! `man`: manual pages of section 8, made from the top comment of each program, so that the page of a program is the
//! first thing in its source and cannot be forgotten when the source changes.

mod roff;

use crate::cli;
use crate::place::Unplaced;
use crate::shown::shown;
use std::error::Error;
use std::io::Write;

/// Mode of a written page.
const MODE: u32 = 0o644;

/// A program with a manual page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Page {
    /// The mail wrapper
    MailWrapper,
    /// The CGI wrapper
    CgiWrapper,
    /// The queue writer
    QueueWriter,
    /// Its reader
    QueueRunner,
    /// This program
    WrapperConfigure,
}

impl Page {
    /// Every page.
    pub(crate) const ALL: [Self; 5] =
        [Self::MailWrapper, Self::CgiWrapper, Self::QueueWriter, Self::QueueRunner, Self::WrapperConfigure];

    /// Name of the program.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MailWrapper => "mail-wrapper",
            Self::CgiWrapper => "cgi-wrapper",
            Self::QueueWriter => "queue-writer",
            Self::QueueRunner => "queue-runner",
            Self::WrapperConfigure => "wrapper-configure",
        }
    }

    /// The page as it is written.
    pub(crate) fn markdown(self) -> String {
        let source = match self {
            Self::MailWrapper => include_str!("../../src/bin/mail-wrapper.rs"),
            Self::CgiWrapper => include_str!("../../src/bin/cgi-wrapper.rs"),
            Self::QueueWriter => include_str!("../../src/bin/queue-writer.rs"),
            Self::QueueRunner => include_str!("../../runner/src/main.rs"),
            Self::WrapperConfigure => include_str!("main.rs"),
        };
        top_comment(source)
    }

    /// The page for man(1).
    pub(crate) fn roff(self) -> String {
        roff::page(self.name(), &self.markdown())
    }
}

/// Runs `man`.
///
/// # Errors
/// The output cannot be written.
pub(crate) fn run(arguments: &cli::Man, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let Some(directory) = &arguments.output else {
        let page = arguments.program.unwrap_or(Page::WrapperConfigure);
        return Ok(out.write_all(page.roff().as_bytes())?);
    };
    let pages = arguments.program.map_or_else(|| Page::ALL.to_vec(), |page| vec![page]);
    for page in pages {
        let path = directory.join(format!("{}.8", page.name()));
        let file = Unplaced::write(&path, page.roff().as_bytes())?;
        file.set_mode(MODE)?;
        file.place()?;
        writeln!(out, "wrote {}", shown(&path))?;
    }
    Ok(())
}

/// The `//!` lines at the top of a source, without their marks.
fn top_comment(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"]).collect()
}

#[cfg(test)]
mod tests;
