//! The examples of `--help`, of every command, typed as they stand there.

use crate::help::{at, program, run, sandboxes};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Examples that end otherwise than with 0, with what they say.
const OTHERWISE: &[(&str, i32, &str)] = &[
    ("lab diff k3f m7q", 10, "1 changed"),
    ("lab diff --evidence k3f m7q", 10, "1 diverge"),
    // No such wrapper is installed on the machine of a test.
    ("lab run --profile debian group-mismatch", 2, "/var/lib/mailman/mail/mailman"),
    ("lab profile new /usr/lib/mailman/mail/mailman > debian.toml", 2, "/usr/lib/mailman/mail/mailman"),
];

/// What needs a lab with containers says so in one without; with them, lab/tests/docker.rs asks for more than this.
const CONTAINERS: [&str; 4] = ["lab images ", "lab deploy", "lab clean", "lab run --backend both"];

/// Needs some forty programs more, and is typed where they are there (lab/tests/specimens.rs); or takes minutes, and needs
/// a finding, which lab/tests/fuzz.rs makes.
const ELSEWHERE: [&str; 2] = ["lab specimens ", "lab fuzz "];

/// Every command with its help, commands of commands among them.
fn commands(above: &[&str]) -> Vec<(String, String)> {
    let help = run(&[above, &["--help"]].concat()).exits(0).stdout;
    let below: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .collect();
    let mut all = Vec::new();
    // `lab` is a command as well as the place of others.
    if below.is_empty() || above.is_empty() {
        all.push(([&["lab"], above].concat().join(" "), help.clone()));
    }
    all.extend(below.iter().flat_map(|name| commands(&[above, &[*name]].concat())));
    all
}

fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.take_while(|line| !line.is_empty()).map(str::trim).collect()
}

/// What the examples name: two records, the second without the failure of the first, another wrapper, and scenarios.
fn furnish(dir: &Path) {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    fs::create_dir_all(dir.join("my-scenarios/group-mismatch")).expect("a directory");
    fs::copy(ours.join("identities.toml"), dir.join("my-scenarios/identities.toml")).expect("identities");
    let file = "group-mismatch/mta-identities.toml";
    let text = fs::read_to_string(ours.join(file)).expect("the scenario of the README");
    let scenarios = at(dir, "my-scenarios");
    let record = |name: &str, text: &str, status| {
        fs::write(dir.join("my-scenarios").join(file), text).expect("a file");
        run(&["run", "--scenarios", &scenarios, "--record", &at(dir, name)]).exits(status);
    };
    let wrong: String = text
        .lines()
        .map(|line| match line.split_whitespace().next() {
            Some("exim-pipe") if line.contains('[') => {
                "exim-pipe = [ \"mismatch\", \"mismatch\", \"mismatch\" ]\n".to_owned()
            }
            _ => format!("{line}\n"),
        })
        .collect();
    record("k3f", &wrong, 10);
    record("m7q", &text, 0);
    fs::copy(program("mail-wrapper"), dir.join("mail-wrapper")).expect("a wrapper");
    fs::write(dir.join("mail.log"), "bad group (has: root, expected mailman)").expect("a log");
    fs::create_dir(dir.join("bin")).expect("a directory");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lab"), dir.join("bin/lab")).expect("a link");
}

#[test]
fn every_command_has_examples_that_work() {
    let all = commands(&[]);
    assert!(all.len() > 14, "{}", all.len());
    for (name, help) in &all {
        let own = examples(help).iter().any(|example| example.contains(name.as_str()));
        assert!(own, "{name} --help has no example:\n{help}");
    }
    for (line, ..) in OTHERWISE {
        let known = all.iter().flat_map(|(_, help)| examples(help)).any(|example| example.starts_with(line));
        assert!(known, "no --help has the example {line}");
    }
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    furnish(dir.path());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = [dir.path().join("bin")].into_iter().chain(std::env::split_paths(&path)).collect();
    let contained = |example: &str| CONTAINERS.iter().any(|name| example.contains(name));
    let elsewhere = |example: &str| {
        ELSEWHERE.iter().any(|name| example.starts_with(name)) || cfg!(feature = "docker") && contained(example)
    };
    let here = |example: &&str| !elsewhere(example);
    for example in all.iter().flat_map(|(_, help)| examples(help)).filter(here) {
        let output = Command::new("sh")
            .args(["-c", example])
            .current_dir(dir.path())
            .env("PATH", std::env::join_paths(&path).expect("no colon in a temporary directory"))
            .env("NO_COLOR", "1")
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::null())
            .output()
            .expect("sh(1)");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let (status, says) = OTHERWISE
            .iter()
            .find_map(|(line, status, says)| example.starts_with(line).then_some((*status, *says)))
            .unwrap_or(if contained(example) { (2, "cargo lab-docker") } else { (0, "") });
        assert_eq!(output.status.code(), Some(status), "{example}\n{said}");
        assert!(said.contains(says), "{example}\n{said}");
    }
}
