//! What a pasted text says: log lines, bounces, output of programs, in whatever state they arrive.
//!
//! Bytes go in, an answer comes out; nothing is read and nothing is run. `clean` makes any bytes comparable, `scan` finds
//! the wordings of `library` in them, `server` says whose text it is, `answer` says what it means. What the text does not tell
//! is said to be open, with every cause that prints the same and the command that tells them apart: a wrong cause is a defect.
//!
//! The wordings are data, `patterns/*.toml`: each with the program and file where it was read, and texts that it must
//! recognise. To add one, add it there; the tests beside this file hold it to its examples.

mod answer;
mod clean;
mod library;
mod scan;
mod server;
mod text;
mod wording;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Because, Candidate, Mismatch, Reading, Whose};
pub use library::{Class, Side};

use crate::problem::Problem;

/// Reads a text in pieces. Its memory does not grow with the text.
#[derive(Debug)]
pub struct Reader {
    scanner: scan::Scanner,
}

impl Reader {
    /// One that has read nothing.
    ///
    /// # Errors
    /// The library cannot be read: a defect of the program.
    pub fn new() -> Result<Self, Problem> {
        Ok(Self { scanner: scan::Scanner::new()? })
    }

    /// Reads more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.scanner.push(bytes);
    }

    /// Says what it was.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn finish(self) -> Result<Answer, Problem> {
        Ok(answer::answer(library::library()?, self.scanner.finish()))
    }
}

/// Reads a whole text.
///
/// # Errors
/// As [`Reader::new`].
pub fn explain(text: &[u8]) -> Result<Answer, Problem> {
    let mut reader = Reader::new()?;
    reader.push(text);
    reader.finish()
}
