//! Messages that a queue has to hand on unchanged: each body with each envelope.

use super::server::Offered;
use std::collections::BTreeSet;

/// A message, and how it is submitted.
pub(crate) struct Letter {
    /// What it is called, in its Subject.
    pub(crate) name: String,
    /// Options and recipients.
    pub(crate) arguments: Vec<String>,
    /// The header as it is submitted.
    head: String,
    /// The body as it is submitted.
    body: Vec<u8>,
    /// Whom it must reach.
    pub(crate) recipients: Vec<String>,
    /// Whom it comes from; empty: nobody.
    pub(crate) sender: &'static str,
}

impl Letter {
    /// What stands on standard input.
    pub(crate) fn text(&self) -> Vec<u8> {
        [self.head.as_bytes(), b"\n", &self.body].concat()
    }

    /// Checks that it has arrived, in one part or several: from whom it comes, with its body and all of its header, and at
    /// each of those whom it must reach once.
    pub(crate) fn arrived(&self, offered: &[Offered]) {
        let subject = format!("\nSubject: {}\n", self.name);
        let parts: Vec<_> = offered.iter().map(Part::of).filter(|part| part.head.contains(&subject)).collect();
        let reached: Vec<&str> = parts.iter().flat_map(|part| part.to.clone()).collect();
        let once = (reached.len(), reached.into_iter().collect::<BTreeSet<_>>());
        let wanted: BTreeSet<&str> = self.recipients.iter().map(String::as_str).collect();
        assert_eq!(once, (wanted.len(), wanted), "{}", self.name);
        // SMTP knows no last line without an end.
        let end: &[u8] = if self.body.last().is_some_and(|last| *last != b'\n') { b"\n" } else { b"" };
        let body = [&self.body, end].concat();
        for part in parts {
            assert_eq!(part.from, self.sender, "{}", self.name);
            assert_eq!(part.body.escape_ascii().to_string(), body.escape_ascii().to_string(), "{}", self.name);
            assert!(!part.head.contains(BLIND), "who is not to be seen: {}", part.head);
            // Fields of recipients are folded anew by sendmail.
            let kept = self.head.split_inclusive('\n').filter(|line| line.starts_with("X-"));
            kept.for_each(|line| assert!(part.head.contains(line), "{line} in {}", part.head));
        }
    }
}

/// What was offered, as one reads it.
struct Part<'a> {
    from: &'a str,
    to: Vec<&'a str>,
    /// With a line feed before it.
    head: String,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    fn of(offered: &'a Offered) -> Self {
        let text = &offered.text;
        let end = text.windows(2).position(|two| two == b"\n\n").expect("a header ends with an empty line");
        Self {
            from: between(&offered.from),
            to: offered.to.iter().map(|command| between(command)).collect(),
            head: format!("\n{}\n", String::from_utf8_lossy(&text[..end])),
            body: &text[end + 2..],
        }
    }
}

/// What stands between the first `<` and the last `>`.
fn between(command: &str) -> &str {
    let begin = command.find('<').expect("an angle bracket") + 1;
    &command[begin..command.rfind('>').expect("another")]
}

/// What is hard about bodies. No line is longer than sendmail's relay lets pass.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", vec![]),
        ("line", b"one line\n".into()),
        ("unended", b"no line feed at the end".into()),
        ("dots", b".\n..\n.x\n...\nx.\n.\n".into()),
        ("latin1", b"\xe4\xf6\xfc\xdf\xff\x80\n".into()),
        ("utf8", "naïve – ✓\n".into()),
        ("long", [vec![b'x'; 1900], b"\n".to_vec(), vec![b'.'; 1900], b"\n".to_vec()].concat()),
        ("lines", b"a line of many\n".repeat(5000)),
        ("blank", b"\n\nlast\n\n\n".into()),
        ("from", b"From alice\n>From bob\nFrom: carol\nSubject: none\n".into()),
        ("blanks", b" first\n\tsecond \nthird\t\n  \n".into()),
        ("records", b"RPFD:eve@example.org\nSeve\n.\nHSubject: eve\n".into()),
    ]
}

/// How a message is submitted, and whom it must reach.
struct Envelope {
    name: &'static str,
    options: &'static [&'static str],
    /// More of the header.
    head: &'static str,
    recipients: Vec<String>,
    sender: &'static str,
}

const ALICE: &str = "alice@example.org";

fn envelopes() -> Vec<Envelope> {
    let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let plain = Envelope {
        name: "plain",
        options: &["-f", ALICE],
        head: "",
        recipients: strings(&["bob@example.org"]),
        sender: ALICE,
    };
    vec![
        Envelope {
            name: "null",
            options: &["-f", "<>"],
            recipients: strings(&["\"a b.\"@example.org", "bob+x-y@example.org"]),
            sender: "",
            ..plain
        },
        Envelope {
            name: "many",
            recipients: (0..500).map(|number| format!("r{number}@example.org")).collect(),
            ..plain
        },
        Envelope {
            name: "header",
            options: &["-t", "-f", ALICE],
            head: "To: A <a@example.org>,\n\tb@example.org\nCc: c@example.org (C)\nBcc: blind@example.org\n",
            recipients: strings(&["a@example.org", "b@example.org", "c@example.org", BLIND]),
            ..plain
        },
        Envelope {
            name: "notify",
            options: &["-N", "failure,delay", "-V", "an+2Bid", "-R", "hdrs", "-f", ALICE],
            recipients: plain.recipients.clone(),
            ..plain
        },
        Envelope {
            name: "eight",
            options: &["-B", "8BITMIME", "-oem", "-f", ALICE],
            head: "X-Twice: first\nX-Twice: second\nX-Folded: a\n  b\n\tc\n",
            recipients: plain.recipients.clone(),
            ..plain
        },
        plain,
    ]
}

/// Who gets a copy that the others are not to know of.
const BLIND: &str = "blind@example.org";

/// Every body with every envelope.
pub(crate) fn letters() -> Vec<Letter> {
    let mut letters = Vec::new();
    for (body_name, body) in bodies() {
        for Envelope { name, options, head, recipients, sender } in envelopes() {
            let name = format!("{body_name}-{name}");
            let mut arguments = vec!["-i".to_owned()];
            arguments.extend(options.iter().map(|option| (*option).to_owned()));
            if !options.contains(&"-t") {
                arguments.extend_from_slice(&recipients);
            }
            let head = format!("Subject: {name}\n{head}");
            letters.push(Letter { name, arguments, head, body: body.clone(), recipients, sender });
        }
    }
    assert!(letters.len() >= 60, "{}", letters.len());
    letters
}
