//! The one way to standard output. A reader that goes away (`lab list | head`) ends the output, not the work: what was
//! asked for is still done and still decides the exit status.

use std::fmt;
use std::io::{self, Write};

/// Where a command writes its text.
pub struct Output {
    to: Box<dyn Write + Send>,
    terminal: bool,
    colour: bool,
    broken: Option<io::ErrorKind>,
}

/// Longest line that the lab writes of its own accord, in columns.
pub const WIDTH: usize = 100;

impl Output {
    /// Standard output. Colours are left out unless it is a terminal, and with `NO_COLOR`.
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let terminal = io::IsTerminal::is_terminal(&stdout);
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        Self { to: Box::new(stdout), terminal, colour, broken: None }
    }

    /// Standard error, for a report which must not mix with data on standard output.
    pub fn stderr() -> Self {
        let stderr = io::stderr();
        let terminal = io::IsTerminal::is_terminal(&stderr);
        let colour = anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
        Self { to: Box::new(stderr), terminal, colour, broken: None }
    }

    /// Any writer, without colours.
    pub fn plain(to: impl Write + Send + 'static) -> Self {
        Self { to: Box::new(to), terminal: false, colour: false, broken: None }
    }

    /// Whether a person is watching.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes text; its colours are taken out unless they are wanted.
    pub fn text(&mut self, text: impl fmt::Display) {
        let text = text.to_string();
        let written = match (self.broken, self.colour) {
            (Some(_), _) => return,
            (None, true) => write!(self.to, "{text}"),
            (None, false) => write!(self.to, "{}", anstream::adapter::strip_str(&text)),
        };
        if let Err(error) = written.and_then(|()| self.to.flush()) {
            self.broken = Some(error.kind());
        }
    }

    /// Writes bytes as they are: another program's output.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        if let Err(error) = self.to.write_all(bytes).and_then(|()| self.to.flush()) {
            self.broken = Some(error.kind());
        }
    }

    /// Writes a line.
    pub fn line(&mut self, line: impl fmt::Display) {
        self.text(format_args!("{line}\n"));
    }

    /// An error other than a reader that went away: a full disk behind `lab list > file` must not look like success.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.broken.filter(|&kind| kind != io::ErrorKind::BrokenPipe)
    }
}

/// Writes a message to standard error, for people who are waiting and for errors; never part of a command's result.
pub fn notice(message: impl fmt::Display) {
    let mut stderr = anstream::AutoStream::auto(io::stderr());
    // There is nobody left to tell if this fails.
    drop(writeln!(stderr, "{message}"));
}

#[cfg(test)]
mod tests {
    use super::Output;
    use std::io::{self, Write};

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure_but_a_full_disk_is() {
        for (kind, failure) in
            [(io::ErrorKind::BrokenPipe, None), (io::ErrorKind::StorageFull, Some(io::ErrorKind::StorageFull))]
        {
            let mut out = Output { to: Box::new(Closed(kind)), terminal: false, colour: false, broken: None };
            out.line("one");
            out.line("two");
            assert_eq!(out.failure(), failure);
        }
    }
}
