use super::*;
use crate::check::Row;
use crate::status::Status;
use rstest::rstest;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

#[path = "../../../../lab/tests/support/required.rs"]
mod required;

/// Cells of the first table below a heading, without its head.
fn table(page: Page, heading: &str) -> Vec<Vec<String>> {
    let markdown = page.markdown();
    let (_, section) = markdown.split_once(&format!("# {heading}\n")).expect("the page has that section");
    let section = section.split("\n# ").next().unwrap_or_default();
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(|row| row.split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn documented(page: Page, column: usize) -> BTreeMap<u8, u8> {
    let number = |cell: &String| cell.parse().expect("a number");
    table(page, "EXIT STATUS").iter().map(|row| (number(&row[0]), number(&row[column]))).collect()
}

#[test]
fn the_exit_statuses_of_this_program_are_those_of_its_enum() {
    let statuses = Status::ALL.map(|status| status as u8);
    assert_eq!(documented(Page::WrapperConfigure, 0), statuses.into_iter().map(|status| (status, status)).collect());
}

#[test]
fn the_rules_of_the_page_are_the_rules_of_check() {
    let documented: Vec<String> =
        table(Page::WrapperConfigure, "RULES").into_iter().map(|mut row| row.remove(0)).collect();
    assert_eq!(documented, Row::ALL.map(Row::name));
}

/// Options that the synopsis of a command names, and whether each takes a value; *setting* is every row of SETTINGS.
fn synopsis(page: &str, command: &str) -> BTreeMap<String, bool> {
    let (_, section) = page.split_once("# SYNOPSIS\n").expect("the page has that section");
    let section = section.split("\n# ").next().unwrap_or_default();
    let start = format!("**wrapper-configure {command}** ");
    let line = section.split("\n\n").find_map(|line| line.trim().strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("the synopsis does not have {command}"));
    let marked: Vec<&str> = line.split("**").collect();
    let mut options = BTreeMap::new();
    for pair in marked.windows(2).filter(|pair| pair[0].starts_with("--")) {
        let name = pair[0].split(' ').next().unwrap_or_default();
        options.insert(name.to_owned(), pair[0].contains(' ') || pair[1].starts_with(" *"));
    }
    if line.contains("[*setting*]...") {
        for row in table(Page::WrapperConfigure, "SETTINGS") {
            // The one that only `seal` has says so.
            if command == "seal" || !row[2].starts_with("**seal**: ") {
                let (name, _) = row[0].split_once('=').expect("every setting has a value");
                options.insert(name.to_owned(), true);
            }
        }
    }
    options
}

#[test]
fn the_synopsis_has_the_options_of_each_command_and_no_others() {
    use clap::CommandFactory;
    let page = Page::WrapperConfigure.markdown();
    let cli = cli::Cli::command();
    let commands: Vec<_> = cli.get_subcommands().collect();
    assert!(commands.len() > 4, "{commands:?}");
    for command in commands {
        let options = command.get_arguments().filter(|option| !option.is_hide_set());
        let options = options
            .filter_map(|option| Some((format!("--{}", option.get_long()?), option.get_action().takes_values())));
        let options: BTreeMap<String, bool> = options.filter(|(name, _)| name != "--help").collect();
        assert_eq!(synopsis(&page, command.get_name()), options, "{}", command.get_name());
    }
}

#[rstest]
fn a_page_has_its_sections(
    #[values(Page::MailWrapper, Page::CgiWrapper, Page::QueueWriter, Page::QueueRunner, Page::WrapperConfigure)]
    page: Page,
) {
    let roff = page.roff();
    assert!(roff.starts_with(&format!("'\\\" t\n.TH {} 8 ", page.name().to_uppercase().replace('-', "\\-"))));
    let headings: Vec<&str> = roff.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    assert_eq!(headings[..3], ["NAME", "SYNOPSIS", "DESCRIPTION"]);
    for heading in ["EXIT STATUS", "FILES", "SEE ALSO"] {
        assert!(headings.contains(&heading), "{heading} in {headings:?}");
    }
    assert!(!roff.contains("**") && !roff.contains('`'), "Markdown is left in the page");
}

#[test]
fn the_mail_wrapper_is_not_that_of_bsd() {
    assert!(Page::MailWrapper.markdown().contains("not the mailwrapper(8) of BSD"));
}

/// As groff understands it: its warnings name what it does not.
#[rstest]
fn a_page_can_be_formatted(
    #[values(Page::MailWrapper, Page::CgiWrapper, Page::QueueWriter, Page::QueueRunner, Page::WrapperConfigure)]
    page: Page,
) {
    let groff = Command::new("groff")
        .args(["-t", "-man", "-Tascii", "-ww", "-P-cbou"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut groff = match groff {
        Ok(groff) => groff,
        Err(error) => {
            return required::skip("tools", format!("groff does not run: {error}"));
        }
    };
    groff.stdin.take().expect("a pipe").write_all(page.roff().as_bytes()).expect("groff reads it");
    let output = groff.wait_with_output().expect("groff ends");
    let (text, warnings) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && warnings.is_empty(), "{warnings}");
    for words in ["NAME", page.name(), "EXIT STATUS", "SEE ALSO"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}
