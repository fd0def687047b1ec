//! RESULTS.md: a row per campaign, written by its run.

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use crate::campaign::Campaign;
use crate::run::Report;

/// The rows stand behind this line.
const HEAD: &str = "|---|---|---|---|---|---|---|";
/// No part of what was built: each row changes it.
const FILE: &str = "RESULTS.md";
/// Where it is.
const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// Who writes the rows.
#[derive(Debug)]
pub(crate) struct Records {
    /// What was built: asked for before the first run, for the last one may end when there is another commit.
    commit: String,
}

impl Records {
    /// Before anything is run.
    pub(crate) fn begin() -> Records {
        Records { commit: commit() }
    }

    /// Puts the row of this run in the place of the campaign's last one. Panics if the file is not there: only
    /// who works on this project records results.
    pub(crate) fn row(&self, campaign: &Campaign, report: &Report) {
        let path = Path::new(FOLDER).join(FILE);
        let old = fs::read_to_string(&path).expect("RESULTS.md beside the crate's manifest");
        let row = self.row_of(campaign, report);
        fs::write(&path, with_row(&old, campaign.name, &row)).expect("RESULTS.md to write to");
    }

    fn row_of(&self, campaign: &Campaign, report: &Report) -> String {
        let counts: Vec<_> = report.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let (order, name, commit) = (report.order, campaign.name, &self.commit);
        format!(
            "| {name} | {} | {} | {} to {} | {} s | {commit} | `torture {name} --seed {} --count {}` |",
            counts.join(", "),
            campaign.found(&report.counts),
            order.first,
            order.end() - 1,
            report.took.as_secs(),
            order.first,
            order.count,
        )
    }
}

/// The commit that is checked out, with a `+` if more is there than that, RESULTS.md aside.
fn commit() -> String {
    let Some(head) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    let others = git(&["status", "--porcelain", "--", ":/", &format!(":(exclude){FILE}")]);
    let is_clean = others.is_some_and(|others| others.is_empty());
    format!("{head}{}", if is_clean { "" } else { "+" })
}

/// What git says; nothing without git.
fn git(args: &[&str]) -> Option<String> {
    let output = Process::new("git").arg("-C").arg(FOLDER).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The text with `row` in the place of the campaign's. What stands around the rows stays.
fn with_row(old: &str, campaign: &str, row: &str) -> String {
    let (before, table) = old.split_once(HEAD).expect("the table of RESULTS.md");
    let mut rows: Vec<&str> = table.trim_start().lines().take_while(|line| line.starts_with('|')).collect();
    let rest: String = table.trim_start().lines().skip(rows.len()).flat_map(|line| [line, "\n"]).collect();
    let own = format!("| {campaign} |");
    match rows.iter().position(|line| line.starts_with(&own)) {
        Some(place) => rows[place] = row,
        None => rows.push(row),
    }
    format!("{before}{HEAD}\n{}\n{rest}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_place_of_the_last_one_and_what_is_around_stays() {
        let text = |kill: &str, more: &str| {
            format!("# Head\n\n| a |\n{HEAD}\n{kill}\n| io | 2 |\n{more}\n## Found\n\n| b |\n")
        };
        let old = text("| kill | 1 |", "");
        assert_eq!(with_row(&old, "kill", "| kill | 3 |"), text("| kill | 3 |", ""));
        assert_eq!(with_row(&old, "power", "| power | 4 |"), text("| kill | 1 |", "| power | 4 |\n"));
        assert_eq!(with_row(&old, "io", "| io | 2 |"), old);
    }

    /// The file that is there has what rows are put into.
    #[test]
    fn the_file_takes_a_row_and_is_as_it_was_otherwise() {
        let now = fs::read_to_string(Path::new(FOLDER).join(FILE)).unwrap();
        let row = now.lines().find(|line| line.starts_with("| kill |")).unwrap();
        assert_eq!(with_row(&now, "kill", row), now);
    }
}
