//! The README's `cargo lab` commands are run in a checkout, and what they print must be what the README shows, save what
//! differs between machines and moments: the header up to the first blank line, times, and the name of the run.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::Command;

/// A command of a `console` block with the output that is shown below it.
struct Shown {
    arguments: Vec<String>,
    output: Vec<String>,
}

fn shown(readme: &str) -> Vec<Shown> {
    let mut commands = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines() {
            match line.strip_prefix("$ cargo lab") {
                Some(rest) => commands.push(Shown {
                    arguments: rest.split_whitespace().map(str::to_owned).collect(),
                    output: Vec::new(),
                }),
                None if line.starts_with("$ ") => {}
                None => commands.last_mut().unwrap().output.push(line.to_owned()),
            }
        }
    }
    commands
}

/// What must be equal: everything after the header, with times and the name of the run left open.
fn comparable<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    lines
        .skip_while(|line| !line.is_empty())
        .map(|line| {
            let words = line.split_whitespace().map(|word| {
                let seconds = word.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
                if seconds { "TIME" } else { word }
            });
            let words: Vec<&str> = words.collect();
            match words[..] {
                ["recorded", "as", _, ..] => format!("recorded as RUN {}", words[3..].join(" ")),
                _ => words.join(" "),
            }
        })
        .collect()
}

#[test]
fn commands_print_what_the_readme_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let with_output: Vec<Shown> = shown(&readme).into_iter().filter(|shown| !shown.output.is_empty()).collect();
    assert!(!with_output.is_empty(), "the README shows no output of a cargo lab command");
    let required = std::env::var_os("LAB_REQUIRE").is_some_and(|required| required == "namespace");
    let lab = || {
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
        lab.current_dir(root);
        lab
    };
    let preflight = lab().arg("preflight").output().unwrap();
    let able = String::from_utf8_lossy(&preflight.stdout).contains("full-gid-map ✓");
    for shown in with_output {
        let output = lab().args(&shown.arguments).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        if !output.status.success() && !able && !required {
            eprintln!("skipped: this machine lacks what the README's run needs; see cargo lab preflight");
            continue;
        }
        let expected = comparable(shown.output.iter().map(String::as_str));
        assert_eq!(comparable(printed.lines()), expected, "cargo lab {}", shown.arguments.join(" "));
    }
}

#[test]
fn every_command_that_the_readme_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let named: Vec<Vec<&str>> = readme
        .split("`cargo lab ")
        .skip(1)
        .map(|rest| rest.split('`').next().unwrap().split_whitespace().collect())
        .collect();
    assert!(named.len() >= 5, "the README names {} commands", named.len());
    for words in named {
        let subcommand = words.iter().take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
        let mut known: Vec<&str> = subcommand.copied().collect();
        // `explain group-mismatch` and the like: the argument is not a command.
        known.truncate(if known.first() == Some(&"model") { 2 } else { 1 });
        let help = Command::new(env!("CARGO_BIN_EXE_lab")).args(&known).arg("--help").output().unwrap();
        assert!(help.status.success(), "cargo lab {} has no help", known.join(" "));
        let text = String::from_utf8(help.stdout).unwrap();
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(text.contains(option), "cargo lab {} --help does not know {option}", known.join(" "));
        }
    }
}
