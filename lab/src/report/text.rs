//! Laying out plain text: widths in characters, wrapping at blanks, colours that leave the words as they are.

use anstyle::{AnsiColor, Style};

/// Something good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something bad.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something that could not be said.
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default();
/// A heading.
pub(crate) const HEAD: Style = Style::new().bold();
/// Something that matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Number of columns.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Text filled up with blanks. Longer text stays as it is.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Lines of at most `width` columns, broken at blanks; a longer word has a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.trim_end().split('\n') {
        let mut line = String::new();
        // Not at a no-break space, which holds two words together.
        for word in paragraph.split([' ', '\t']).filter(|word| !word.is_empty()) {
            if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// Columns of the labels of a report.
pub(crate) const LABEL: usize = 13;

/// A label and its text, wrapped under itself.
pub(crate) fn labelled(label: &str, text: &str, width: usize) -> String {
    let mut label = format!("  {label}");
    let mut out = String::new();
    for line in wrapped(text, width.saturating_sub(LABEL)) {
        out.push_str(format!("{}{line}", padded(&label, LABEL)).trim_end());
        out.push('\n');
        label.clear();
    }
    out
}

/// `1 case`, `2 cases`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A word as a shell takes it: quoted only where that is needed.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%×".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Seconds for people.
pub(crate) fn seconds(ms: f64) -> String {
    format!("{:.2}s", ms / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::{labelled, quoted, wrapped};
    use rstest::rstest;

    #[rstest]
    #[case("a/b×c", "a/b×c")]
    #[case("k3f/install/control: the bit works", "'k3f/install/control: the bit works'")]
    #[case("it's", "'it'\\''s'")]
    #[case("", "''")]
    fn a_shell_reads_it_back(#[case] word: &str, #[case] text: &str) {
        assert_eq!(quoted(word), text);
    }

    #[test]
    fn lines_fit_and_words_stay_whole() {
        assert_eq!(wrapped("one two three\n\nfour", 8), ["one two", "three", "", "four"]);
        assert_eq!(wrapped("unbreakable a", 5), ["unbreakable", "a"]);
        assert_eq!(labelled("why", "one two three", 21), "  why        one two\n             three\n");
    }
}
