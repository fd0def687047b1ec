//! A table that a person can read.

use std::time::Duration;

use crate::driver::Measured;

/// Prints tables, one line as soon as it is known.
#[derive(Debug, Default)]
pub struct Table;

impl Table {
    /// The title and the names of the columns.
    #[must_use]
    #[allow(clippy::print_stdout, reason = "a benchmark prints its table")]
    pub fn titled(title: &str) -> Table {
        println!("\n{title}\n");
        println!(
            "| {:<28} | {:>7} | {:>10} | {:>9} | {:>9} | {:>6} |",
            "", "callers", "per second", "p50", "p99", "ratio"
        );
        println!("|:{:-<28}-|-{:->7}:|-{:->10}:|-{:->9}:|-{:->9}:|-{:->6}:|", "", "", "", "", "", "");
        Table
    }

    /// A line: what was measured with this many callers, and its ratio to `raw` per second.
    #[allow(clippy::print_stdout, reason = "a benchmark prints its table")]
    pub fn line(&self, what: &str, callers: &str, measured: Measured, raw: u64) {
        let Measured { per_second, p50, p99 } = measured;
        let (p50, p99, ratio) = (wait(p50), wait(p99), ratio(per_second, raw));
        println!("| {what:<28} | {callers:>7} | {per_second:>10} | {p50:>9} | {p99:>9} | {ratio:>6} |");
    }

    /// A line without callers who wait.
    pub fn rate(&self, what: &str, per_second: u64, raw: u64) {
        let measured = Measured { per_second, p50: Duration::ZERO, p99: Duration::ZERO };
        self.line(what, "", measured, raw);
    }
}

fn wait(wait: Duration) -> String {
    let micros = wait.as_micros();
    match micros {
        0 => String::new(),
        1..10_000 => format!("{micros} µs"),
        _ => format!("{} ms", micros / 1_000),
    }
}

/// `part / whole` to the thousandth, without a float.
fn ratio(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}
