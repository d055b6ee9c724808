//! What `lab explain` makes of the server's own words about a refused start: the two groups, if the words are the wrapper's,
//! and in no case other groups, another server, or a cause that leaves the mismatch out.

use crate::case::Group;
use crate::incident::{self, Answer, Class, Mismatch};
use crate::problem::Problem;

/// How the wrapper's own words begin; some servers log only its status.
const WORDS: &str = "group mismatch: started with real gid ";

/// The same of a wrapper whose bit did not act.
const LOST_BIT: &str = "not running set-group-ID: the effective gid is ";

/// What is wrong with the answer. `groups`: that of the server, and the trusted one.
pub(super) fn differences(log: &str, server: &str, groups: &(Group, Group)) -> Result<Vec<String>, Problem> {
    let answer = incident::explain(log.as_bytes())?;
    let mut found = Vec::new();
    if answer.readings.iter().all(|reading| reading.mismatch == Mismatch::No) {
        found.push(format!("explain: no group mismatch is seen in\n{log}"));
    }
    let both = |reading: &&incident::Reading| reading.found.is_some() && reading.expected.is_some();
    let told = answer.readings.iter().filter(|reading| reading.mismatch == Mismatch::Yes).any(|reading| both(&reading));
    if log.contains(WORDS) && !told {
        found.push(format!("explain: the two groups are not told, which stand in\n{log}"));
    }
    for reading in &answer.readings {
        for (what, said, group) in [("found", &reading.found, &groups.0), ("expected", &reading.expected, &groups.1)] {
            if let Some(said) = said.as_ref().filter(|said| !names(said, group)) {
                found.push(format!("explain: {what} `{said}`, where it was {} {}", group.name, group.gid));
            }
        }
    }
    found.extend(other_servers(&answer, server));
    Ok(found)
}

/// The same where the wrapper did not run set-group-ID: told, if the words are its own, and never left out.
pub(super) fn lost_bit(log: &str, server: &str) -> Result<Vec<String>, Problem> {
    let answer = incident::explain(log.as_bytes())?;
    let mut found: Vec<String> = other_servers(&answer, server).collect();
    let mut classes = answer.readings.iter().map(incident::Reading::classes);
    let seen = if log.contains(LOST_BIT) {
        classes.any(|classes| classes == [Class::BitNotActing].into())
    } else {
        classes.any(|classes| classes.contains(&Class::BitNotActing))
    };
    if !seen {
        found.push(format!("explain: that the bit does not act is not seen in\n{log}"));
    }
    if answer.readings.iter().any(|reading| reading.mismatch == Mismatch::Yes) {
        found.push(format!("explain: a group mismatch, where there is none, in\n{log}"));
    }
    Ok(found)
}

/// The same of another cause, which must be named by its id, and no group mismatch without it.
pub(in super::super) fn cause(log: &str, server: &str, cause: &str) -> Result<Vec<String>, Problem> {
    let answer = incident::explain(log.as_bytes())?;
    let mut found: Vec<String> = other_servers(&answer, server).collect();
    let names = |reading: &incident::Reading| reading.causes.iter().any(|candidate| candidate.cause == cause);
    if !answer.readings.iter().any(names) {
        found.push(format!("explain: the cause {cause} is not named for\n{log}"));
    }
    if answer.readings.iter().any(|reading| reading.mismatch == Mismatch::Yes && !names(reading)) {
        found.push(format!("explain: a group mismatch, where there is none, in\n{log}"));
    }
    Ok(found)
}

/// Servers that the text is not of.
fn other_servers<'a>(answer: &'a Answer, server: &'a str) -> impl Iterator<Item = String> + 'a {
    let names = answer.readings.iter().filter_map(|reading| reading.server.name.as_ref());
    let others = names.filter(move |name| !server.starts_with(&name.to_lowercase()));
    others.map(move |name| format!("explain: {name}, where it was {server}"))
}

/// Whether a text has a group's name or number among its words.
fn names(said: &str, group: &Group) -> bool {
    let number = group.gid.to_string();
    said.split([' ', '(', ')']).any(|word| word == group.name || word == number)
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::case::Group;
    use lab_invocation::Gid;
    use rstest::rstest;

    const OURS: &str = "mail-wrapper: group mismatch: started with real gid 3001 (alice), but only gid 2001 (mailman) is trusted; \
                        make the mail server start it as group mailman, or seal it again with --with-mail-gid=3001 (alice), \
                        which admits every process of that group";
    const POSTFIX: &str = "Nov 26 10:00:00 lab postfix/local[7]: 4C: to=<a@lab.test>, relay=local, dsn=5.3.0, status=bounced (Command died with \
                           status 2: \"/usr/local/mailman/mail/mailman post a\". Command output: ";

    #[rstest]
    #[case::understood(OURS, "alice", "mailman", "")]
    #[case::other_group("mail-wrapper: group mismatch", "alice", "mailman", "explain: no group mismatch")]
    #[case::wrong_found(OURS, "bob", "mailman", "explain: found")]
    #[case::wrong_expected(OURS, "alice", "bob", "explain: expected")]
    #[case::words_that_are_not_understood(
        "group mismatch: started with real gid x",
        "alice",
        "mailman",
        "explain: the two groups are not told"
    )]
    #[case::silence("", "alice", "mailman", "explain: no group mismatch")]
    fn an_answer_is_held_to_what_was_done(
        #[case] log: &str,
        #[case] ran: &str,
        #[case] trusts: &str,
        #[case] words: &str,
    ) {
        let group = |name: &str| {
            let number = match name {
                "alice" => 3001,
                "mailman" => 2001,
                _ => 3002,
            };
            Group { gid: Gid::new(number).expect("a gid"), name: name.to_owned() }
        };
        let found = differences(log, "postfix", &(group(ran), group(trusts))).expect("the library can be read");
        assert_eq!(found.is_empty(), words.is_empty(), "{found:#?}");
        assert!(words.is_empty() || found.iter().any(|difference| difference.starts_with(words)), "{found:#?}");
    }

    #[rstest]
    #[case::named("smrsh: uid 8: attempt to use \"x post a\" (stat failed)", "smrsh", "")]
    #[case::another(
        "smrsh: uid 8: attempt to use \"x post a\" (stat failed)",
        "suexec-rule",
        "explain: the cause suexec-rule is not"
    )]
    #[case::silence("", "smrsh", "explain: the cause smrsh is not named")]
    #[case::of_a_group(OURS, "smrsh", "explain: a group mismatch, where there is none")]
    #[case::other_server(
        "file is either setuid or setgid: (/x/y)",
        "suexec-rule",
        "explain: Apache, where it was sendmail"
    )]
    fn a_cause_is_named_or_missed(#[case] log: &str, #[case] cause: &str, #[case] words: &str) {
        let found = super::cause(log, "sendmail", cause).expect("the library can be read");
        assert_eq!(found.is_empty(), words.is_empty(), "{found:#?}");
        assert!(words.is_empty() || found.iter().any(|difference| difference.starts_with(words)), "{found:#?}");
    }

    #[test]
    fn another_server_is_seen() {
        let log = format!("{POSTFIX}{OURS})");
        let group = |number, name: &str| Group { gid: Gid::new(number).expect("a gid"), name: name.to_owned() };
        let groups = (group(3001, "alice"), group(2001, "mailman"));
        let of = |server| differences(&log, server, &groups).expect("the library can be read");
        assert_eq!(of("postfix"), [""; 0]);
        assert!(
            matches!(of("exim4").as_slice(), [only, ..] if only.contains("where it was exim4")),
            "{:?}",
            of("exim4")
        );
    }
}
