//! The start of a subject as a command line.

use crate::case::Case;
use crate::report::text::quoted;
use lab_invocation::Bytes;

/// Longest command line that is shown, in bytes.
const LONGEST: usize = 1000;

/// The command line that starts the subject with the case's arguments and environment, as a shell takes it; `None` if
/// it holds bytes that no terminal shows, or very many, or what env(1) cannot give.
pub fn command_line(case: &Case) -> Option<String> {
    let given = &case.invocation;
    let words: Vec<&Bytes> = given.env.iter().chain([&given.program]).chain(given.argv.iter().skip(1)).collect();
    // env(1) takes for a variable what has an = behind a name, and nothing else.
    let assigns = |entry: &Bytes| entry.0.iter().position(|&byte| byte == b'=').is_some_and(|at| at > 0);
    let total: usize = words.iter().map(|word| word.0.len()).sum();
    if given.argv.first() != Some(&given.program) || total > LONGEST || !given.env.iter().all(assigns) {
        return None;
    }
    let mut line = "env -i".to_owned();
    for word in words {
        let text = std::str::from_utf8(word.as_slice()).ok().filter(|text| !text.contains(char::is_control))?;
        line.push(' ');
        line.push_str(&quoted(text));
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::command_line;
    use crate::run::sample::case;

    #[test]
    fn only_what_a_shell_reads_back_is_shown() {
        let mut case = case("a/b", "c");
        case.invocation.argv.extend(["post".into(), "it's".into()]);
        let line = "env -i PATH=/usr/bin:/bin /usr/local/mailman/mail/mailman post 'it'\\''s'";
        assert_eq!(command_line(&case).as_deref(), Some(line));
        for argument in [&b"\xff"[..], b"\x1b[0m", &[b'x'; 2000]] {
            let mut case = case.clone();
            case.invocation.argv.push(argument.into());
            assert_eq!(command_line(&case), None);
        }
        for entry in ["no-equals-sign", "=no-name"] {
            let mut case = case.clone();
            case.invocation.env.push(entry.into());
            assert_eq!(command_line(&case), None);
        }
        case.invocation.argv.edit(|argv| argv[0] = "another".into());
        assert_eq!(command_line(&case), None);
    }
}
