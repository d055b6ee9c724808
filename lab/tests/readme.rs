//! The README's commands are run in a checkout. What they print must be what the README shows, save what differs between
//! machines and moments: the kernel, times, and the name of the run.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Rows whose command is not run here, and what runs it.
const ELSEWHERE: [(&str, &str); 1] = [("cargo lab specimens", "lab/tests/specimens.rs")];

/// What each other row prints: that it ended well says nothing of what it did.
const SAYS: [(&str, &str); 9] = [
    ("cargo lab replay RUN/CASE", "REPRODUCED  group-mismatch/mta-identities/exim-pipe×mail"),
    ("cargo lab shell CASE", "gid=8(mail)"),
    ("cargo lab explain group-mismatch", "The caller's group is not the one that the wrapper trusts"),
    ("cargo lab explain mail.log", "GROUP MISMATCH  mailman-group-mismatch (line 2)"),
    ("cargo lab run --subject mail-wrapper=PATH", "group-mismatch/mta-identities"),
    // No such wrapper is installed on the machine of most tests, and then this is what is said.
    ("cargo lab run --profile scenarios/profiles/debian.toml", "/var/lib/mailman/mail/mailman"),
    ("cargo lab run --junit lab.xml --matrix matrix.md", "install/nosuid-mount"),
    ("cargo lab list --by-source", "\nexecve(2)\n    "),
    ("cargo lab model check", "the model agrees with the kernel in all of "),
];

/// Commands within its sentences, the file that runs each, and what that file has of it.
const IN_SENTENCES: [(&str, &str, &str); 6] = [
    ("just lab", "Justfile", "\nlab *ARGS:\n    cargo lab {{ARGS}}\n"),
    ("just test", "Justfile", "\ntest *ARGS:\n    cargo test --workspace {{ARGS}}\n"),
    ("just", "Justfile", "\ndefault:\n    @just --list\n"),
    ("cargo lab fuzz run mail-wrapper", "lab/tests/fuzz.rs", "fn the_examples_of_its_help_work()"),
    ("cargo lab fuzz prove --quick", "lab/tests/fuzz.rs", "[\"fuzz\", \"prove\", \"--quick\", "),
    (
        "cargo lab-docker",
        ".cargo/config.toml",
        "\nlab-docker = \"run --quiet --profile lab --package lab --features docker",
    ),
];

/// Placeholders of the README, and what stands for them: a case, and a row of a record of it.
const CASE: &str = "group-mismatch/mta-identities/exim-pipe×mail";

/// A command with the output that is shown below it.
struct Shown {
    command: String,
    output: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The commands of the `console` blocks.
fn shown(readme: &str) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push(Shown { command: command.to_owned(), output: Vec::new() }),
                None => commands.last_mut().unwrap().output.push(line.to_owned()),
            }
        }
    }
    commands
}

/// The commands of the table.
fn rows(readme: &str) -> Vec<String> {
    let first = |line: &str| Some(line.strip_prefix("| `cargo lab ")?.split('`').next()?.to_owned());
    readme.lines().filter_map(first).map(|rest| format!("cargo lab {rest}")).collect()
}

/// The commands between backquotes that are in no table.
fn in_sentences(readme: &str) -> Vec<&str> {
    // Every other of these is between the fences of a block.
    let sentences = readme.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2));
    let in_table = |code: &&str| readme.contains(&format!("| `{code}`"));
    let commands = sentences.filter(|code| matches!(code.split(' ').next(), Some("cargo" | "just")));
    commands.filter(|code| !in_table(code)).collect()
}

#[test]
fn every_command_within_a_sentence_is_run_somewhere() {
    let readme = readme();
    let found = in_sentences(&readme);
    let known = IN_SENTENCES.map(|(command, ..)| command);
    assert_eq!(found.iter().filter(|command| !known.contains(command)).collect::<Vec<_>>(), Vec::<&&str>::new());
    for (command, file, has) in IN_SENTENCES {
        assert!(found.contains(&command), "{command} is not in the README");
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(has), "{file} does not run {command}");
    }
}

fn lab(arguments: &[&str]) -> Output {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(arguments).current_dir(root()).env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS").output().unwrap()
}

/// Past the capture of output: a skip that nobody sees is taken for a success.
fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error can be written");
}

/// Whether this machine allows sandboxes; says so where not. What else it may lack, as any kernel before 6.16 lacks one
/// rule, is no reason to skip a test.
fn able() -> bool {
    let preflight = lab(&["preflight"]);
    let text = String::from_utf8_lossy(&preflight.stdout);
    let required = std::env::var_os("LAB_REQUIRE").is_some_and(|names| names.to_string_lossy().contains("namespace"));
    let able = preflight.status.success();
    if !able {
        assert!(!required, "LAB_REQUIRE=namespace, but {text}");
        tell(&format!("skipped: no sandbox can be made here:\n{text}"));
    }
    able
}

/// Lines of a run without its list of capabilities, which tells about the machine.
fn without_preflight<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let from = lines.iter().position(|line| line.starts_with("  preflight")).unwrap_or(lines.len());
    let to = lines.iter().skip(from).position(|line| line.is_empty()).map_or(lines.len(), |length| from + length);
    [&lines[..from], &lines[to..]].concat()
}

/// What must be equal: everything, with kernel, times and the name of the run left open.
fn comparable<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    lines
        .map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            for at in 0..words.len() {
                let seconds = words[at].strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
                match at.checked_sub(1).map(|before| words[before]) {
                    _ if seconds => words[at] = "TIME",
                    Some("Linux") => words[at] = "KERNEL",
                    Some("run") if words[0] == "lab" => words[at] = "RUN",
                    Some("as") if words[0] == "recorded" => words[at] = "RUN",
                    _ => {}
                }
            }
            words.join(" ")
        })
        .collect()
}

#[test]
fn commands_print_what_the_readme_shows() {
    let shown = shown(&readme());
    let commands: Vec<&str> = shown.iter().map(|shown| shown.command.as_str()).collect();
    assert!(shown.iter().any(|shown| !shown.output.is_empty()), "the README shows no output");
    // This test is part of what that command runs, so that it cannot run it; the project's own check does.
    let check = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(commands.contains(&"cargo test --workspace") && check.contains("\ncargo test --workspace\n"));
    assert!(commands.contains(&"cargo lab"), "{commands:?}");
    if !able() {
        return;
    }
    for shown in shown.iter().filter(|shown| shown.command != "cargo test --workspace") {
        let words: Vec<&str> = shown.command.strip_prefix("cargo lab").unwrap().split_whitespace().collect();
        let output = lab(&words);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}\n{printed}{}", shown.command, String::from_utf8_lossy(&output.stderr));
        if shown.output.is_empty() {
            assert!(printed.trim_end().ends_with("exit 0"), "{}\n{printed}", shown.command);
            continue;
        }
        let mut expected: Vec<&str> = shown.output.iter().map(String::as_str).collect();
        let mut found: Vec<&str> = printed.lines().collect();
        // Only a machine that lacks something can have cases which it does not support.
        if found.iter().any(|line| line.starts_with("  without ")) {
            (expected, found) = (without_preflight(&expected), without_preflight(&found));
            if !printed.contains("   0 unsupported ") {
                tell(&format!("skipped a part: not every case of the README's run can be had here:\n{printed}"));
                continue;
            }
        }
        let expected = comparable(expected.into_iter());
        assert_eq!(comparable(found.into_iter()), expected, "{}\n{printed}", shown.command);
    }
}

#[test]
fn every_command_of_the_table_does_what_it_says() {
    let rows = rows(&readme());
    assert!(rows.len() >= 9, "{rows:?}");
    let known: Vec<&str> =
        SAYS.iter().map(|(command, _)| *command).chain(ELSEWHERE.map(|(command, _)| command)).collect();
    let sorted = |mut list: Vec<&str>| {
        list.sort_unstable();
        list.join("\n")
    };
    let of_readme = rows.iter().map(String::as_str).collect();
    assert_eq!(sorted(of_readme), sorted(known), "each row has its words here");
    for (command, file) in ELSEWHERE {
        assert!(rows.iter().any(|row| row == command) && root().join(file).is_file(), "{command}: {file}");
    }
    if !able() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let record = at("record");
    assert!(lab(&["run", CASE, "--record", &record, "--record-subject"]).status.success());
    for row in rows.iter().filter(|row| !ELSEWHERE.iter().any(|(command, _)| command == row)) {
        let words: Vec<String> = row["cargo lab ".len()..]
            .split_whitespace()
            .map(|word| match word {
                "RUN/CASE" => format!("{record}/{CASE}"),
                "CASE" => CASE.to_owned(),
                "mail.log" => "lab/tests/incidents/bounce.txt".to_owned(),
                "mail-wrapper=PATH" => format!("mail-wrapper={record}/subjects/mail-wrapper"),
                file if file.ends_with(".xml") || file.ends_with(".md") => at(file),
                other => other.to_owned(),
            })
            .collect();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words[0] == "shell" {
            words.extend(["--", "id"]);
        }
        // The whole suite has its own test; every other row says the same of a few cases.
        if words[0] == "run" {
            let elsewhere = words.contains(&"--subject") || words.contains(&"--profile");
            words.push(if elsewhere { "group-mismatch" } else { "install" });
        }
        let output = lab(&words);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let (_, word) = SAYS.iter().find(|(command, _)| command == row).unwrap();
        assert!(said.contains(word), "{row}: {word:?} is missing in\n{said}");
        if words.contains(&"--profile") && output.status.code() == Some(2) {
            assert!(said.contains("cannot be read"), "{row}\n{said}");
            continue;
        }
        assert!(output.status.success(), "{row}\n{said}");
    }
    let report = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    assert!(report("lab.xml").contains("<testsuite name=\"install/nosuid-mount\""), "{}", report("lab.xml"));
    assert!(report("matrix.md").starts_with("| invoker |"), "{}", report("matrix.md"));
}
