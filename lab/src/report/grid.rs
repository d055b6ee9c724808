//! The truth table of a matrix, as the scenario file has it: one dimension down, the other across. A cell
//! that passed shows the expected outcome; every other cell says in words what it is.

use crate::case::Matrix;
use crate::report::text::{BAD, DOUBT, FAINT, HEAD, columns, padded, paint};
use crate::run::event::CaseFinished;
use crate::run::words::word;
use crate::verdict::Verdict;
use anstyle::Style;
use std::collections::BTreeMap;

/// Text of one cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// For a case that is done.
    pub(crate) fn of(case: &CaseFinished) -> Self {
        let expected = &case.expected;
        let (text, style) = match &case.verdict {
            Verdict::Pass => (expected.clone(), Style::new()),
            Verdict::Fail { differences } => {
                let seen = differences.first().map_or_else(String::new, |first| match first.field.as_str() {
                    "exit" | "signal" => format!("{} {}", first.field, first.observed),
                    field => field.to_owned(),
                });
                (format!("FAIL {seen}, wants {expected}"), BAD)
            }
            verdict @ (Verdict::Unresolved { .. } | Verdict::Unsupported { .. }) => {
                (format!("{} ({expected})", word(verdict)), DOUBT)
            }
            verdict => (format!("{} ({expected})", word(verdict)), DOUBT),
        };
        Self { text, style }
    }
}

/// Cells by row and column.
pub(crate) type Cells = BTreeMap<(String, String), Cell>;

/// The table, in blocks of columns that fit into `width`. Rows and columns of which nothing was selected are left out.
pub(crate) fn grid(matrix: &Matrix, cells: &Cells, width: usize) -> String {
    const INDENT: &str = "    ";
    const GAP: usize = 3;
    let missing = Cell { text: "not selected".to_owned(), style: FAINT };
    let cell = |row: &String, column: &String| cells.get(&(row.clone(), column.clone())).unwrap_or(&missing);
    let has = |selected: &dyn Fn(&(String, String)) -> bool| cells.keys().any(selected);
    let rows: Vec<&String> = matrix.rows.iter().filter(|row| has(&|(at, _)| at == *row)).collect();
    let across: Vec<&String> = matrix.columns.iter().filter(|column| has(&|(_, at)| at == *column)).collect();
    let title = format!("{}:", matrix.columns_are);
    let stub = rows.iter().map(|row| columns(row)).chain([columns(&matrix.rows_are)]).max().unwrap_or(0) + GAP;
    let start = INDENT.len() + stub;
    let widths: Vec<usize> = across
        .iter()
        .map(|column| {
            let widest = rows.iter().map(|row| columns(&cell(row, column).text)).max().unwrap_or(0);
            widest.max(columns(column)) + GAP
        })
        .collect();
    let mut out = String::new();
    let mut from = 0;
    while from < across.len() {
        let mut to = from + 1;
        let mut used = start + columns(&title) + 1 + widths[from];
        while to < across.len() && used + widths[to] <= width {
            used += widths[to];
            to += 1;
        }
        let mut line = |stub_text: &str, lead: &str, cells: Vec<(String, Style)>| {
            let mut text = format!("{INDENT}{}{}", padded(stub_text, stub), padded(lead, columns(&title) + 1));
            for (at, (cell, style)) in cells.iter().enumerate() {
                let wide = if at + 1 == cells.len() { 0 } else { widths[from + at] };
                text.push_str(&paint(*style, cell));
                text.push_str(&" ".repeat(wide.saturating_sub(columns(cell))));
            }
            out.push_str(text.trim_end());
            out.push('\n');
        };
        line(&matrix.rows_are, &title, across[from..to].iter().map(|name| ((*name).clone(), HEAD)).collect());
        for row in &rows {
            let texts = across[from..to].iter().map(|column| cell(row, column));
            line(row, "", texts.map(|cell| (cell.text.clone(), cell.style)).collect());
        }
        from = to;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Cell, Cells, grid};
    use crate::case::Matrix;
    use anstyle::Style;

    #[test]
    fn only_what_was_selected_is_shown() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let matrix = Matrix {
            columns_are: "trusts".to_owned(),
            columns: names(&["nogroup", "mail", "users"]),
            rows_are: "invoker".to_owned(),
            rows: names(&["exim", "postfix", "apache"]),
        };
        let cell = || Cell { text: "mismatch".to_owned(), style: Style::new() };
        let at = |row: &str, column: &str| ((row.to_owned(), column.to_owned()), cell());
        let cells: Cells = [at("exim", "users"), at("apache", "nogroup")].into();
        let text = anstream::adapter::strip_str(&grid(&matrix, &cells, 100)).to_string();
        let wanted = "    invoker   trusts: nogroup        users\n    \
                          exim              not selected   mismatch\n    \
                          apache            mismatch       not selected\n";
        assert_eq!(text, wanted);
    }
}
