//! What is to be seen beside the log lines of a message.

use serde::Deserialize;

/// What an administrator asks of the server when the fate of a message is known: another log, or a dry run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shows {
    /// For root's shell.
    #[serde(rename = "do")]
    pub script: String,
    /// What is then written.
    pub says: Vec<String>,
    /// The cause that `lab explain` must name for that and the log, by its id.
    pub cause: Option<String>,
}

impl Shows {
    /// What is wanted, and was not written.
    pub fn differences(&self, output: &str) -> Vec<String> {
        let missing = self.says.iter().filter(|words| !output.contains(words.as_str()));
        missing.map(|words| format!("shows: `{words}` is not in\n{output}")).collect()
    }
}

/// A message that is lost, and for the server is not: what stands between it and the wrapper ignores how that ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Unnoticed {
    /// What ignores it.
    pub why: String,
    /// What the log says of it, in other lines than those about the message.
    pub logs: Vec<String>,
    /// What the log would say, in any line, if somebody were told.
    pub never: Vec<String>,
}

/// A wrapper that trusts the group which the server has, and refuses all the same.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RefusedAnew {
    /// Why.
    pub why: String,
    /// What the log says of it, in any line.
    pub logs: Vec<String>,
    /// The cause that `lab explain` must name, by its id.
    pub cause: String,
}

impl Unnoticed {
    /// What is otherwise. `message`: the lines about the message; `all`: whatever is new in the log.
    pub fn differences(&self, message: &str, all: &str) -> Vec<String> {
        let says = |log: &str, words: &&String| log.contains(words.as_str());
        let silent = self.logs.iter().filter(|words| !says(all, words));
        let mut found: Vec<String> = silent.map(|words| format!("log: `{words}` is not in\n{all}")).collect();
        let noticed = self.logs.iter().filter(|words| says(message, words));
        found.extend(noticed.map(|words| format!("log: `{words}` is said of the message itself, in\n{message}")));
        let told = self.never.iter().filter(|words| says(all, words));
        found.extend(told.map(|words| format!("log: `{words}`, so that somebody is told, in\n{all}")));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Shows, Unnoticed};
    use rstest::rstest;

    #[rstest]
    #[case::said("router = r\n  transport = t", 0)]
    #[case::one_is_missing("router = r", 1)]
    #[case::nothing("", 2)]
    fn what_is_not_shown_is_found(#[case] output: &str, #[case] missing: usize) {
        let shows = Shows {
            script: "x".to_owned(),
            says: vec!["router = r".to_owned(), "transport = t".to_owned()],
            cause: None,
        };
        let found = shows.differences(output);
        assert_eq!(found.len(), missing, "{found:#?}");
        assert!(found.iter().all(|words| words.starts_with("shows: ") && words.contains(" is not in")), "{found:#?}");
    }

    #[rstest]
    #[case::nobody_is_told("A: stat=Sent", "wrapper: refused\nA: stat=Sent", "")]
    #[case::no_word("A: stat=Sent", "A: stat=Sent", "log: `refused` is not in")]
    #[case::its_own_lines("A: refused", "A: refused", "log: `refused` is said of the message itself")]
    #[case::sent_back("A: stat=Sent", "refused\nA: DSN: x", "log: `DSN`, so that somebody is told")]
    fn a_loss_is_seen_beside_the_message_and_nowhere_else(
        #[case] message: &str,
        #[case] all: &str,
        #[case] words: &str,
    ) {
        let unnoticed =
            Unnoticed { why: "w".to_owned(), logs: vec!["refused".to_owned()], never: vec!["DSN".to_owned()] };
        let found = unnoticed.differences(message, all);
        assert_eq!(found.is_empty(), words.is_empty(), "{found:#?}");
        assert!(found.iter().all(|difference| difference.starts_with(words)), "{found:#?}");
    }
}
