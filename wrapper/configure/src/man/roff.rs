//! From Markdown to the macros of man(7), with tables for tbl(1).

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::fmt::Write;

/// A whole page of section 8.
pub(super) fn page(name: &str, markdown: &str) -> String {
    // The first line tells man(1) to call tbl(1).
    let mut page = Page { text: String::from("'\\\" t\n"), ..Page::default() };
    let (title, version) = (name.to_uppercase(), env!("CARGO_PKG_VERSION"));
    page.line(&format!(".TH {} 8 \"\" \"{} {version}\" \"System administration\"", escape(&title), escape(name)));
    // Neither hyphenated nor justified: `mail-wrapper` broken after the hyphen of another word would be another program.
    page.line(".nh\n.ad l");
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.event(event);
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    /// Innermost last: the number of the next item, `None` for bullets.
    lists: Vec<Option<u64>>,
    /// A list item has just begun: its text follows the `.IP` line.
    item_begins: bool,
    heading: bool,
    /// Nothing has followed a heading yet.
    heading_ended: bool,
    table: Option<Table>,
}

#[derive(Default)]
struct Table {
    columns: usize,
    rows: Vec<Vec<String>>,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.heading => self.append(&escape(&text).to_uppercase()),
            Event::Text(text) => self.append(&escape(&text)),
            Event::Code(text) => self.append(&format!("\\fB{}\\fR", escape(&text))),
            Event::SoftBreak if self.table.is_some() => self.append(" "),
            Event::SoftBreak => self.new_line(),
            Event::HardBreak => self.line(".br"),
            // A page has no HTML, rules, notes, task lists or mathematics; the test of the pages would show them missing.
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.heading = true;
                self.new_line();
                self.append(if level == HeadingLevel::H1 { ".SH " } else { ".SS " });
            }
            Tag::Paragraph if self.item_begins => self.item_begins = false,
            // Indexers of manual pages look for the name right after its heading.
            Tag::Paragraph if self.heading_ended => self.heading_ended = false,
            Tag::Paragraph => self.line(".PP"),
            Tag::List(first) => {
                self.heading_ended = false;
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.append("\\fI"),
            Tag::Strong => self.append("\\fB"),
            Tag::CodeBlock(_) => self.line(".PP\n.RS 4\n.nf"),
            Tag::Table(alignments) => {
                self.heading_ended = false;
                self.table = Some(Table { columns: alignments.len(), rows: Vec::new() });
            }
            Tag::TableHead | Tag::TableRow => self.table.iter_mut().for_each(|table| table.rows.push(Vec::new())),
            Tag::TableCell => {
                self.table.iter_mut().filter_map(|table| table.rows.last_mut()).for_each(|row| row.push(String::new()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.heading = false;
                self.heading_ended = true;
                self.new_line();
            }
            TagEnd::Paragraph | TagEnd::Item => self.new_line(),
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::Emphasis | TagEnd::Strong => self.append("\\fR"),
            TagEnd::CodeBlock => self.line(".fi\n.RE"),
            TagEnd::Table => self.write_table(),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.item_begins = true;
        let label = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}.", *number - 1)
            }
            _ => "\\(bu".to_owned(),
        };
        self.line(&format!(".IP {label} 4"));
    }

    /// Text in a cell, or at the end of the page. A line must not begin with what roff takes for a request.
    fn append(&mut self, text: &str) {
        if let Some(cell) = self.table.as_mut().and_then(|table| table.rows.last_mut()?.last_mut()) {
            cell.push_str(text);
            return;
        }
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.text.push('\n');
            }
            if self.text.ends_with('\n') && !self.heading && line.starts_with(['.', '\'']) {
                self.text.push_str("\\&");
            }
            self.text.push_str(line);
        }
    }

    fn new_line(&mut self) {
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn line(&mut self, line: &str) {
        self.new_line();
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn write_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        let columns = |font: &str| {
            let mut formats = vec![format!("l{font}"); table.columns.saturating_sub(1)];
            formats.push(format!("l{font}x"));
            formats.join(" ")
        };
        self.line(".PP\n.TS");
        self.line(&format!("{}\n{}.", columns("b"), columns("")));
        for row in &table.rows {
            let mut cells = row.clone();
            if let Some(last) = cells.last_mut() {
                // A block, which tbl(1) fills and breaks.
                *last = format!("T{{\n{last}\nT}}");
            }
            let _ = writeln!(self.text, "{}", cells.join("\t"));
        }
        self.line(".TE");
    }
}

/// Text without a meaning for roff. A hyphen stays one that can be copied to a shell.
fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_construct_that_a_page_may_have() {
        let markdown = r"
# NAME

some-program - with *emphasis*, **strength** and `code-like` text
.that begins with a full stop
'or an apostrophe, or has a \\ backslash

## Below a section

1. First
2. Second, which goes on
   in another line

- A bullet

```
$ verbatim  --text
```

| status | meaning       |
|--------|---------------|
| 0      | **well** done |
| 1      | not           |
";
        insta::assert_snapshot!("roff_of_every_construct", page("some-program", markdown));
    }
}
