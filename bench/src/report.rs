//! The figures that were measured, as an aligned table.

/// One line a figure.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    unit: &'static str,
    asked: f64,
    seen: Vec<f64>,
}

impl Report {
    /// Adds a figure seen once. `asked` is the goal, in the same unit.
    pub(crate) fn one(&mut self, name: &str, unit: &'static str, asked: f64, seen: f64) {
        self.many(name, unit, asked, vec![seen]);
    }

    /// Adds a figure seen in several runs.
    pub(crate) fn many(&mut self, name: &str, unit: &'static str, asked: f64, mut seen: Vec<f64>) {
        seen.sort_by(f64::total_cmp);
        self.rows.push(Row { name: name.to_owned(), unit, asked, seen });
        self.print_last();
    }

    #[expect(clippy::print_stderr, reason = "progress of a long measurement")]
    fn print_last(&self) {
        if let Some(row) = self.rows.last() {
            eprintln!("  {:<44} {:>12.2} {}", row.name, row.median(), row.unit);
        }
    }

    /// Prints the table to standard output.
    #[expect(clippy::print_stdout, reason = "the table is what this program is for")]
    pub(crate) fn print(&self) {
        println!("{:<44} {:>12} {:>12} {:>12} {:>12}  unit", "figure", "asked", "median", "min", "max");
        for row in &self.rows {
            let (min, max) = (row.seen.first().unwrap_or(&0.0), row.seen.last().unwrap_or(&0.0));
            println!(
                "{:<44} {:>12.2} {:>12.2} {min:>12.2} {max:>12.2}  {}",
                row.name,
                row.asked,
                row.median(),
                row.unit
            );
        }
    }
}

impl Row {
    fn median(&self) -> f64 {
        self.seen.get(self.seen.len() / 2).copied().unwrap_or(0.0)
    }
}
