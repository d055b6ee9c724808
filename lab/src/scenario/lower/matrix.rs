//! Truth tables: one dimension across, one down, an outcome in each cell.

use super::{Context, Plan};
use crate::case::Matrix;
use crate::scenario::raw::form::{At, Named};
use crate::scenario::raw::value::NameOrNumber;
use crate::scenario::raw::{self, Axis};
use std::collections::BTreeSet;
use std::ops::Range;

type Columns = Vec<At<NameOrNumber>>;
type Rows = Named<At<Vec<At<String>>>>;
/// A table taken apart: what goes across, what goes down.
type Parts<'a> = ((Dimension, &'a Columns), (Dimension, &'a Rows));

/// A dimension of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Trusts,
    Given,
    Invoker,
}

impl Dimension {
    const fn name(self) -> &'static str {
        match self {
            Self::Trusts => "trusts",
            Self::Given => "given",
            Self::Invoker => "invoker",
        }
    }
}

fn axes(matrix: &raw::Matrix) -> impl Iterator<Item = (Dimension, &At<Axis>)> {
    [(Dimension::Trusts, &matrix.trusts), (Dimension::Given, &matrix.given), (Dimension::Invoker, &matrix.invoker)]
        .into_iter()
        .filter_map(|(dimension, axis)| axis.as_ref().map(|axis| (dimension, axis)))
}

fn parts(matrix: &raw::Matrix) -> Option<Parts<'_>> {
    let mut columns = None;
    let mut rows = None;
    for (dimension, axis) in axes(matrix) {
        match &axis.value {
            Axis::Columns(list) if columns.is_none() => columns = Some((dimension, list)),
            Axis::Rows(table) if rows.is_none() => rows = Some((dimension, table)),
            _ => return None,
        }
    }
    columns.zip(rows)
}

fn label(column: &At<NameOrNumber>) -> String {
    match &column.value {
        NameOrNumber::Name(name) => name.clone(),
        NameOrNumber::Number(number) => number.to_string(),
    }
}

/// Shape of the table, for the grid on the terminal.
pub(super) fn shape(context: &mut Context<'_>, matrix: &At<raw::Matrix>) -> Option<Matrix> {
    let Some(((across, columns), (down, rows))) = parts(&matrix.value) else {
        let report = context.error(&matrix.span, "a matrix needs one list and one table", "this matrix");
        report.help.push("write one of trusts, given, invoker as a list: the columns".to_owned());
        report
            .help
            .push("write another one as a table, [matrix.invoker]: the rows, an outcome for each column".to_owned());
        return None;
    };
    Some(Matrix {
        columns_are: across.name().to_owned(),
        columns: columns.iter().map(label).collect(),
        rows_are: down.name().to_owned(),
        rows: rows.names().map(str::to_owned).collect(),
    })
}

/// The cells.
pub(super) fn plans<'a>(context: &mut Context<'_>, raw: &'a raw::Scenario) -> Vec<Plan<'a>> {
    let Some(((across, columns), (down, rows))) = raw.matrix.as_ref().and_then(|matrix| parts(&matrix.value)) else {
        return Vec::new();
    };
    let mut plans = Vec::new();
    twice(context, columns);
    for (row, outcomes) in &rows.0 {
        if outcomes.value.len() != columns.len() {
            let title =
                format!("row \"{}\" has {}, the table has {}", row.value, outcomes_of(outcomes), columns_of(columns));
            let header = columns.first().zip(columns.last()).map(|(first, last)| first.span.start..last.span.end);
            let report = context.error(&outcomes.span, title, "write one outcome for each column");
            report.context.extend(header.map(|span| (span, "the columns".to_owned())));
            continue;
        }
        for (column, outcome) in columns.iter().zip(&outcomes.value) {
            let row_entry = At { value: NameOrNumber::Name(row.value.clone()), span: row.span.clone() };
            let Some(cell) = cell(context, raw, [(across, column), (down, &row_entry)]) else { continue };
            let name = format!("{}×{}", row.value, label(column));
            plans.push(Plan {
                name,
                cell: Some((row.value.clone(), label(column))),
                control: false,
                invoker: cell.invoker,
                trusts: cell.trusts,
                given: cell.given,
                outcome,
                needs: BTreeSet::new(),
                source: Vec::new(),
            });
        }
    }
    plans
}

fn outcomes_of(outcomes: &At<Vec<At<String>>>) -> String {
    match outcomes.value.len() {
        1 => "1 outcome".to_owned(),
        count => format!("{count} outcomes"),
    }
}

fn columns_of(columns: &Columns) -> String {
    match columns.len() {
        1 => "1 column".to_owned(),
        count => format!("{count} columns"),
    }
}

fn twice(context: &mut Context<'_>, columns: &Columns) {
    for (at, column) in columns.iter().enumerate() {
        if let Some(first) = columns[..at].iter().find(|other| label(other) == label(column)) {
            let first = first.span.clone();
            let title = format!("two columns are \"{}\"", label(column));
            context.error(&column.span, title, "the second one").context.push((first, "the first one".to_owned()));
        }
    }
    if columns.is_empty() {
        context.error(&(0..0), "the matrix has no column", "an empty list");
    }
}

struct Cell<'a> {
    invoker: &'a At<raw::Invoker>,
    trusts: Option<At<NameOrNumber>>,
    given: Vec<&'a raw::Given>,
}

fn cell<'a>(
    context: &mut Context<'_>,
    raw: &'a raw::Scenario,
    coordinates: [(Dimension, &At<NameOrNumber>); 2],
) -> Option<Cell<'a>> {
    let mut invoker = match raw.invoker.0.as_slice() {
        [(_, only)] => Some(only),
        _ => None,
    };
    let mut trusts = None;
    let mut given = Vec::new();
    let mut by_name = false;
    for (dimension, entry) in coordinates {
        let name = At { value: label(entry), span: entry.span.clone() };
        match dimension {
            Dimension::Trusts => trusts = Some(as_group(entry)),
            Dimension::Given => given.push(super::given_named(context, raw, &name)?),
            Dimension::Invoker => {
                by_name = true;
                invoker = raw.invoker.get(&name.value).map(|(_, invoker)| invoker);
                if invoker.is_none() {
                    context.unknown("invoker", &name, raw.invoker.names());
                }
            }
        }
    }
    if invoker.is_none() && !by_name && raw.invoker.0.len() > 1 {
        no_invoker(context, raw);
    }
    Some(Cell { invoker: invoker?, trusts, given })
}

fn no_invoker(context: &mut Context<'_>, raw: &raw::Scenario) {
    let span: Range<usize> = raw.matrix.as_ref().map_or(0..0, |matrix| matrix.span.clone());
    let title = "the matrix does not say who starts the subject";
    if !context.reports.iter().any(|report| report.title == title) {
        let report = context.error(&span, title, "neither rows nor columns are invokers");
        report.help.push("the file has several invokers: keep one, or make them a dimension".to_owned());
    }
}

/// A row's key is text even where it is a number.
fn as_group(entry: &At<NameOrNumber>) -> At<NameOrNumber> {
    let value = match &entry.value {
        NameOrNumber::Name(name) => name.parse().map_or_else(|_| entry.value.clone(), NameOrNumber::Number),
        NameOrNumber::Number(number) => NameOrNumber::Number(*number),
    };
    At { value, span: entry.span.clone() }
}
