//! `torture NAME`: faults on purpose, until one is lost or the count is full.
//!
//! A campaign is a row of numbered cases. A case's number is its seed: what is chosen in it follows from that. Whether that
//! is all, so that it repeats exactly, or processes and threads meet in it as chance has it, each campaign
//! [says](campaign::Repeats).
#![allow(clippy::missing_panics_doc, reason = "in here, to panic is to say that a case has failed")]

mod campaign;
mod damage;
mod defect;
mod dice;
mod differential;
mod folder;
mod io;
mod kill;
mod overload;
mod overload_http;
mod planted;
mod power;
mod process;
mod races;
mod results;
mod run;
mod simulation;
mod strace;
mod work;
mod worker;

use std::io::{Write, stdout};
use std::process::ExitCode;

use campaign::Campaign;
use clap::Parser;
use results::Records;
use run::Order;

/// Every campaign, in the order in which `slice`, `sitting` and `all` run them.
const CAMPAIGNS: &[Campaign] = &[
    planted::CAMPAIGN,
    differential::CAMPAIGN,
    simulation::CAMPAIGN,
    kill::CAMPAIGN,
    io::CAMPAIGN,
    power::CAMPAIGN,
    power::NORMAL,
    races::CAMPAIGN,
    damage::CAMPAIGN,
    overload::CAMPAIGN,
    overload_http::CAMPAIGN,
];

/// So that no sum of two of these is too large.
const LAST: u64 = 1 << 62;

/// Puts the stores under faults and says what was lost. Stops by itself; exit code 1 at the first fault.
#[derive(Debug, Parser)]
#[command(name = "torture")]
struct Asked {
    /// A campaign's name; `all` of them in full, a `sitting` of them within half an hour, a `slice` of each, or the
    /// `list` of them.
    name: String,
    /// The first case, if not the one that is meant.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=LAST))]
    seed: Option<u64>,
    /// How many cases, instead of as many as are promised.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=LAST))]
    count: Option<u64>,
    /// Only as much as every build runs.
    #[arg(long)]
    slice: bool,
    /// Writes the result into RESULTS.md beside the source of this program, when nothing was found.
    #[arg(long)]
    record: bool,
}

impl Asked {
    /// Which cases of a campaign are meant.
    fn of(&self, campaign: &Campaign) -> Order {
        let usual = match self.name.as_str() {
            "slice" => Order::first(campaign.slice),
            "sitting" => campaign.sitting,
            _ => Order::first(if self.slice { campaign.slice } else { campaign.full }),
        };
        Order { first: self.seed.unwrap_or(usual.first), count: self.count.unwrap_or(usual.count) }
    }
}

fn main() -> ExitCode {
    if worker::serve() {
        return ExitCode::SUCCESS;
    }
    let asked = Asked::parse();
    let records = asked.record.then(Records::begin);
    match chosen(&asked) {
        Ok(campaigns) => {
            let gone = campaigns.iter().map(|campaign| go(campaign, asked.of(campaign), records.as_ref()));
            gone.max().unwrap_or(0).into()
        }
        Err(code) => code,
    }
}

/// The campaigns that are meant; where none is to be run, says what there is instead.
fn chosen(asked: &Asked) -> Result<&'static [Campaign], ExitCode> {
    let list = || CAMPAIGNS.iter().for_each(|campaign| say(&campaign.line()));
    match asked.name.as_str() {
        "all" | "sitting" | "slice" => Ok(CAMPAIGNS),
        "list" => {
            list();
            Err(ExitCode::SUCCESS)
        }
        name => {
            let found = CAMPAIGNS.iter().position(|campaign| campaign.name == name);
            found.map(|place| std::slice::from_ref(&CAMPAIGNS[place])).ok_or_else(|| {
                say(&format!("there is no campaign {name}, only all, sitting, slice, list and these:"));
                list();
                ExitCode::from(2)
            })
        }
    }
}

/// Runs one campaign and says how it went; 1 if it found something.
fn go(campaign: &Campaign, order: Order, records: Option<&Records>) -> u8 {
    match run::run(campaign, order) {
        Ok(report) => {
            say(&format!("{}: {report}", campaign.name));
            if let Some(records) = records {
                records.row(campaign, &report);
            }
            0
        }
        Err(fault) => {
            say(&format!("{}: FAULT in case {}\n{}", campaign.name, fault.seed, fault.what));
            say(&format!("{}: {} --seed {} --count 1", campaign.repeats, campaign.command(), fault.seed));
            1
        }
    }
}

/// Prints a line. Nobody may be listening any more.
fn say(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_cases_are_meant() {
        let meant = |args: &[&str], campaign| {
            let Order { first, count } = Asked::parse_from(["torture"].iter().chain(args)).of(campaign);
            (first, count)
        };
        let campaign = &overload_http::CAMPAIGN;
        assert_eq!(meant(&["overload-http"], campaign), (1, campaign.full));
        assert_eq!(meant(&["all"], campaign), (1, campaign.full));
        assert_eq!(meant(&["overload-http", "--slice"], campaign), (1, campaign.slice));
        assert_eq!(meant(&["slice"], campaign), (1, campaign.slice));
        // Those that judge how fast it is.
        assert_eq!(meant(&["sitting"], campaign), (campaign.slice + 1, campaign.sitting.count));
        assert_eq!(meant(&["sitting", "--seed", "7", "--count", "2"], campaign), (7, 2));
    }
}
