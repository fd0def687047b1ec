//! RESULTS.md: a row per campaign, written by its run.

use std::fs;
use std::path::Path;

use crate::campaign::Campaign;
use crate::run::{Order, Report};

/// The rows stand behind this line.
const HEAD: &str = "|---|---|---|---|---|";

/// Puts the row of this run in the place of the campaign's last one. Panics if the file is not there: only
/// who works on this project records results.
pub(crate) fn record(campaign: &Campaign, order: Order, report: &Report) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    let old = fs::read_to_string(&path).expect("RESULTS.md beside the crate's manifest");
    fs::write(&path, with_row(&old, campaign, &row(campaign, order, report)))
        .expect("RESULTS.md to write to");
}

fn row(campaign: &Campaign, order: Order, report: &Report) -> String {
    let counts: Vec<_> = report.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let Order { first, count } = order;
    let command = format!("torture {} --seed {first} --count {count}", campaign.name);
    format!(
        "| {} | {} | {first} to {} | {} s | `{command}` |",
        campaign.name,
        counts.join(", "),
        order.end() - 1,
        report.took.as_secs()
    )
}

/// The text with `row` in the place of the campaign's.
fn with_row(old: &str, campaign: &Campaign, row: &str) -> String {
    let (before, table) = old.split_once(HEAD).expect("the table of RESULTS.md");
    let mut rows: Vec<&str> = table.trim_start().lines().take_while(|line| line.starts_with('|')).collect();
    let rest: String = table.trim_start().lines().skip(rows.len()).flat_map(|line| [line, "\n"]).collect();
    let own = format!("| {} |", campaign.name);
    match rows.iter().position(|line| line.starts_with(&own)) {
        Some(place) => rows[place] = row,
        None => rows.push(row),
    }
    format!("{before}{HEAD}\n{}\n{rest}", rows.join("\n"))
}
