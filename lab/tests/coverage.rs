//! `scenarios/COVERAGE.md` says which cases prove which rule. It is compared with the cases that exist, so that a case
//! cannot go, or come, without its rule; and the counts of `scenarios/README.md` with the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cases() -> BTreeSet<String> {
    let suite = lab::scenario::load(&directory()).unwrap_or_else(|reports| {
        let texts: Vec<String> = reports.iter().map(ToString::to_string).collect();
        panic!("{}", texts.join("\n"))
    });
    suite.cases.iter().map(|case| case.id.to_string()).collect()
}

/// One rule.
#[derive(Default)]
struct Row {
    meaning: String,
    cases: Vec<String>,
    /// Why no case proves it here, or where else it is proved.
    instead: bool,
}

/// Reads the document: `### ROW: meaning`, then lists ``- `file`: case case`` (continued by indented lines), or a
/// paragraph that begins with "Not made:" or "Elsewhere:".
fn rows(document: &str) -> Result<BTreeMap<String, Row>, String> {
    let mut rows = BTreeMap::<String, Row>::new();
    let mut row: Option<String> = None;
    let mut file: Option<String> = None;
    for (number, line) in document.lines().enumerate() {
        let at = |message: &str| format!("COVERAGE.md:{}: {message}: {line}", number + 1);
        if let Some(heading) = line.strip_prefix("### ") {
            let (id, meaning) = heading.split_once(": ").ok_or_else(|| at("a row is \"### ID: meaning\""))?;
            if rows.insert(id.to_owned(), Row { meaning: meaning.to_owned(), ..Row::default() }).is_some() {
                return Err(at("this row is there twice"));
            }
            (row, file) = (Some(id.to_owned()), None);
            continue;
        }
        let Some(current) = row.as_ref().and_then(|id| rows.get_mut(id)) else { continue };
        let ids = if let Some(item) = line.strip_prefix("- `") {
            let (name, ids) = item.split_once("`: ").ok_or_else(|| at("a list is \"- `file`: case case\""))?;
            file = Some(name.to_owned());
            ids
        } else if line.starts_with("  ") {
            line
        } else {
            current.instead |= line.starts_with("Not made: ") || line.starts_with("Elsewhere: ");
            file = None;
            continue;
        };
        let file = file.as_ref().ok_or_else(|| at("which file?"))?;
        current.cases.extend(ids.split_whitespace().map(|id| format!("{file}/{id}")));
    }
    Ok(rows)
}

/// What is wrong between the document and the cases.
fn complaints(document: &str, cases: &BTreeSet<String>) -> Vec<String> {
    let rows = match rows(document) {
        Ok(rows) => rows,
        Err(error) => return vec![error],
    };
    let mut complaints = Vec::new();
    let mut listed = BTreeSet::new();
    for (id, row) in &rows {
        if row.cases.is_empty() != row.instead {
            complaints
                .push(format!("{id} ({}) needs either cases, or a line \"Not made:\" or \"Elsewhere:\"", row.meaning));
        }
        for case in &row.cases {
            if !cases.contains(case) {
                complaints.push(format!("{id} ({}) lists {case}, which does not exist", row.meaning));
            }
            listed.insert(case.clone());
        }
    }
    let unlisted = cases.difference(&listed).map(|case| format!("{case} proves no row"));
    complaints.into_iter().chain(unlisted).collect()
}

#[test]
fn every_case_proves_a_rule_and_every_rule_has_its_cases() {
    let complaints = complaints(&read("COVERAGE.md"), &cases());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_case_that_is_removed_is_missed() {
    let document = read("COVERAGE.md");
    let mut cases = cases();
    let first = cases.pop_first().expect("a case");
    let complaints = complaints(&document, &cases);
    assert!(!complaints.is_empty() && complaints.iter().all(|complaint| complaint.contains(&first)), "{complaints:?}");
}

#[test]
fn a_case_that_is_added_must_say_what_it_proves() {
    let mut cases = cases();
    cases.insert("install/new/one".to_owned());
    assert_eq!(complaints(&read("COVERAGE.md"), &cases), ["install/new/one proves no row"]);
}

#[test]
fn a_row_without_cases_must_say_why() {
    let cases = BTreeSet::from(["f/a".to_owned()]);
    let document = "### A: one\n- `f`: a\n### B: two\n";
    assert_eq!(complaints(document, &cases), ["B (two) needs either cases, or a line \"Not made:\" or \"Elsewhere:\""]);
    let document = "### A: one\n- `f`:\n  a\n### B: two\nNot made: no such machine.\n";
    assert_eq!(complaints(document, &cases), ["COVERAGE.md:2: a list is \"- `file`: case case\": - `f`:"]);
    let document = "### A: one\n- `f`: \n  a\n### B: two\nNot made: no such machine.\n";
    assert_eq!(complaints(document, &cases), Vec::<String>::new());
}

/// Files and cases of each folder, as the table of README.md has them.
fn folders(cases: &BTreeSet<String>) -> BTreeMap<String, (usize, usize)> {
    let mut folders = BTreeMap::<String, (BTreeSet<&str>, usize)>::new();
    for case in cases {
        let mut parts = case.split('/');
        let (Some(folder), Some(file)) = (parts.next(), parts.next()) else { continue };
        let entry = folders.entry(folder.to_owned()).or_default();
        entry.0.insert(file);
        entry.1 += 1;
    }
    folders.into_iter().map(|(folder, (files, cases))| (folder, (files.len(), cases))).collect()
}

#[test]
fn the_readme_counts_files_and_cases() {
    let cases = cases();
    let readme = read("README.md");
    let folders = folders(&cases);
    for (folder, (files, count)) in &folders {
        let cells = format!("| {files} | {count} |");
        let line = readme.lines().find(|line| line.starts_with(&format!("| `{folder}/`")));
        assert!(line.is_some_and(|line| line.ends_with(&cells)), "README.md: the row of {folder}/ must end {cells}");
    }
    let (files, count) = folders.values().fold((0, 0), |sum, folder| (sum.0 + folder.0, sum.1 + folder.1));
    let total = format!("| all | | {files} | {count} |");
    assert!(readme.lines().any(|line| line == total), "README.md: the last row must be {total}");
}

#[test]
fn every_file_says_where_its_rule_can_be_looked_up() {
    let suite = lab::scenario::load(&directory()).expect("sound files");
    let without: Vec<&str> =
        suite.scenarios.iter().filter(|file| file.sources.is_empty()).map(|file| file.id.as_str()).collect();
    assert_eq!(without, [""; 0]);
}
