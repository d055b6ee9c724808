//! Values as differences show them.

use crate::scenario::vocabulary::signal_name;
use lab_invocation::Bytes;
use lab_invocation::evidence::{Capture, End};

/// Longest text that a difference shows, in characters.
const LONGEST: usize = 400;

/// A list, or `none`.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() { "none".to_owned() } else { cut(&items.join(", ")) }
}

/// A byte string in quotes, its middle left out where it is long.
pub(super) fn bytes(bytes: &Bytes) -> String {
    format!("\"{}\"", cut(&bytes.to_text()))
}

/// An output.
pub(super) fn capture(capture: &Capture) -> String {
    if capture.total == 0 { "nothing".to_owned() } else { bytes(&capture.bytes) }
}

/// How a process ended.
pub(super) fn end(end: End) -> String {
    match end {
        End::Exited(status) => format!("exit {status}"),
        End::Signaled { signal, core } => {
            let core = if core { ", core dumped" } else { "" };
            format!("killed by {}{core}", signal_name(signal))
        }
        End::TimedOut => "still running at the deadline".to_owned(),
    }
}

/// Signals by name.
pub(super) fn signals<'a>(set: impl IntoIterator<Item = &'a u32>) -> String {
    list(set.into_iter().map(|&signal| signal_name(signal)))
}

fn cut(text: &str) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST - 80).collect();
    let tail: String = text.chars().skip(length - 60).collect();
    format!("{head} … {tail} ({length} characters)")
}
