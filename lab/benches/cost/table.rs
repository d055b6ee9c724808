//! The table, and which of its rows are promises.

use std::fmt;

/// One row.
struct Row {
    what: String,
    value: String,
    bar: Option<String>,
    broken: bool,
}

/// Rows in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// A figure which only helps to read the others.
    pub(crate) fn row(&mut self, what: &str, value: f64, unit: &str) {
        self.push(what, format!("{value:.1} {unit}"), None, false);
    }

    /// Something that could not be measured here.
    pub(crate) fn missing(&mut self, what: &str, because: &str) {
        self.push(what, format!("not measured: {because}"), None, false);
    }

    /// A figure that must stay below its bar.
    pub(crate) fn ratio(&mut self, what: &str, value: f64, bar: f64) {
        self.push(what, format!("{value:.2} ×"), Some(format!("≤ {bar} ×")), value.is_nan() || value > 2.0 * bar);
    }

    /// A figure that must stay below its bar, with a unit.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, bar: f64, unit: &str) {
        self.push(
            what,
            format!("{value:.1} {unit}"),
            Some(format!("≤ {bar} {unit}")),
            value.is_nan() || value > 2.0 * bar,
        );
    }

    /// A figure that must stay above its bar.
    pub(crate) fn at_least(&mut self, what: &str, value: f64, bar: f64, unit: &str) {
        self.push(
            what,
            format!("{value:.2} {unit}"),
            Some(format!("≥ {bar} {unit}")),
            value.is_nan() || value < bar / 2.0,
        );
    }

    /// Whether a row is beyond twice its bar.
    pub(crate) fn broken(&self) -> bool {
        self.rows.iter().any(|row| row.broken)
    }

    fn push(&mut self, what: &str, value: String, bar: Option<String>, broken: bool) {
        self.rows.push(Row { what: what.to_owned(), value, bar, broken });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let bar = row.bar.as_deref().unwrap_or("");
            let verdict = if row.broken { "  BEYOND TWICE THE BAR" } else { "" };
            writeln!(f, "{:<48} {:>18}   {bar}{verdict}", row.what, row.value)?;
        }
        Ok(())
    }
}
