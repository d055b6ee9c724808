//! A complaint about a scenario file: the file, the place, what was found, what is wanted, and the cure.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file of the scenarios directory and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path as the user knows it: `scenarios/install/set-group-id-ignored.toml`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// One error in a scenario file (or in another file of the same form), ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One line, lower case: what is wrong.
    pub title: String,
    /// The file.
    pub source: Arc<Source>,
    /// Where, in bytes of the text; `None` where no place can be named (an unreadable file).
    pub span: Option<Range<usize>>,
    /// What was found at that place.
    pub label: String,
    /// Further places that explain the first: where the other of two equal names stands.
    pub context: Vec<(Range<usize>, String)>,
    /// What to do, one line each.
    pub help: Vec<String>,
}

impl Report {
    /// An error at a place.
    pub fn new(source: &Arc<Source>, span: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            source: Arc::clone(source),
            span: Some(span),
            label: label.into(),
            context: Vec::new(),
            help: Vec::new(),
        }
    }

    /// An error of a whole file.
    pub fn of_file(path: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            source: Arc::new(Source { path: path.into(), text: String::new() }),
            span: None,
            label: String::new(),
            context: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds what to do, if there is something.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<String>) -> Self {
        self.help.extend(text);
        self
    }

    /// The report as text, with terminal colours if asked.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
        let title = self.title.as_str();
        let group = match &self.span {
            Some(span) => {
                let mut snippet = Snippet::source(self.source.text.as_str())
                    .path(self.source.path.as_str())
                    .annotation(AnnotationKind::Primary.span(self.within(span)).label(self.label.as_str()));
                for (span, label) in &self.context {
                    snippet = snippet.annotation(AnnotationKind::Context.span(self.within(span)).label(label.as_str()));
                }
                Level::ERROR.primary_title(title).element(snippet)
            }
            None => Group::with_title(Level::ERROR.primary_title(title))
                .element(annotate_snippets::Origin::path(self.source.path.as_str())),
        };
        let group = self.help.iter().fold(group, |group, help| group.element(Level::HELP.message(help.as_str())));
        renderer.render(&[group])
    }

    /// The span, cut to what the text has, on character boundaries: a wrong span must not hide the message.
    fn within(&self, span: &Range<usize>) -> Range<usize> {
        let text = &self.source.text;
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        start..end
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The known name that is nearest to a misspelt one, if any is near: at most a third of its letters differ.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count().max(wrong.chars().count()) / 4)
        .min()
        .map(|(_, name)| name)
}

/// `did you mean "x"?`, or the whole list where it is short.
pub fn suggestion<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(wrong, known.clone()) {
        return Some(format!("did you mean \"{name}\"?"));
    }
    let all: Vec<&str> = known.into_iter().collect();
    (!all.is_empty() && all.len() <= 40).then(|| format!("known here: {}", all.join(", ")))
}
