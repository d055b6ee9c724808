//! The pages which `lab explain` prints, taken from the documentation of the findings' own files.

use std::fmt;

/// Headings of a page, in order. A test holds every page to them.
pub const SECTIONS: [&str; 6] =
    ["What happened", "Why", "How to see it", "Looks the same but is not", "Fixes and their price", "Do not"];

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code it explains.
    pub code: &'static str,
    /// Its title.
    pub title: String,
    /// Its text in Markdown, the title left out.
    pub text: String,
    /// What holds it: scenarios and specimens.
    pub checked_by: Vec<String>,
}

impl Page {
    /// The page at the head of a file.
    pub(super) fn of(code: &'static str, file: &str) -> Self {
        let mut lines =
            file.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
        let title = lines.next().unwrap_or_default().trim_start_matches("# ").to_owned();
        let text = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
        Self { code, title, text, checked_by: Vec::new() }
    }

    /// The same page with its "Checked by" list.
    #[must_use]
    pub fn checked_by(mut self, what: Vec<String>) -> Self {
        self.checked_by = what;
        self
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n\n{}", self.code, self.title, self.text)?;
        if !self.checked_by.is_empty() {
            writeln!(f, "\n## Checked by\n")?;
            self.checked_by.iter().try_for_each(|what| writeln!(f, "- {what}"))?;
        }
        Ok(())
    }
}
