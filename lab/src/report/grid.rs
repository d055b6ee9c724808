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

/// The table, in blocks of columns that fit into `width`.
pub(crate) fn grid(matrix: &Matrix, cells: &Cells, width: usize) -> String {
    const INDENT: &str = "    ";
    const GAP: usize = 3;
    let missing = Cell { text: "not selected".to_owned(), style: FAINT };
    let cell = |row: &String, column: &String| cells.get(&(row.clone(), column.clone())).unwrap_or(&missing);
    let title = format!("{}:", matrix.columns_are);
    let stub = matrix.rows.iter().map(|row| columns(row)).chain([columns(&matrix.rows_are)]).max().unwrap_or(0) + GAP;
    let start = INDENT.len() + stub;
    let widths: Vec<usize> = matrix
        .columns
        .iter()
        .map(|column| {
            let widest = matrix.rows.iter().map(|row| columns(&cell(row, column).text)).max().unwrap_or(0);
            widest.max(columns(column)) + GAP
        })
        .collect();
    let mut out = String::new();
    let mut from = 0;
    while from < matrix.columns.len() {
        let mut to = from + 1;
        let mut used = start + columns(&title) + 1 + widths[from];
        while to < matrix.columns.len() && used + widths[to] <= width {
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
        line(&matrix.rows_are, &title, matrix.columns[from..to].iter().map(|name| (name.clone(), HEAD)).collect());
        for row in &matrix.rows {
            let texts = matrix.columns[from..to].iter().map(|column| cell(row, column));
            line(row, "", texts.map(|cell| (cell.text.clone(), cell.style)).collect());
        }
        from = to;
    }
    out
}
