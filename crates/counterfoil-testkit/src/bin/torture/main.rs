//! `torture NAME`: faults on purpose, until one is lost or the count is full.
//!
//! A campaign is a row of numbered cases; a case is repeated by its number, which is its seed.
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
use run::Order;

/// Every campaign, in the order in which `slice` and `all` run them.
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
    /// A campaign's name; `all` of them in full, a `slice` of each, or the `list` of them.
    name: String,
    /// The first case.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=LAST))]
    seed: u64,
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

fn main() -> ExitCode {
    if worker::serve() {
        return ExitCode::SUCCESS;
    }
    let asked = Asked::parse();
    match chosen(&asked) {
        Ok(campaigns) => campaigns.iter().map(|campaign| go(campaign, &asked)).max().unwrap_or(0).into(),
        Err(code) => code,
    }
}

/// The campaigns that are meant; where none is to be run, says what there is instead.
fn chosen(asked: &Asked) -> Result<&'static [Campaign], ExitCode> {
    let list = || CAMPAIGNS.iter().for_each(|campaign| say(&campaign.line()));
    match asked.name.as_str() {
        "all" | "slice" => Ok(CAMPAIGNS),
        "list" => {
            list();
            Err(ExitCode::SUCCESS)
        }
        name => {
            let found = CAMPAIGNS.iter().position(|campaign| campaign.name == name);
            found.map(|place| std::slice::from_ref(&CAMPAIGNS[place])).ok_or_else(|| {
                say(&format!("there is no campaign {name}, only all, slice, list and these:"));
                list();
                ExitCode::from(2)
            })
        }
    }
}

/// Runs one campaign and says how it went; 1 if it found something.
fn go(campaign: &Campaign, asked: &Asked) -> u8 {
    let few = asked.slice || asked.name == "slice";
    let count = asked.count.unwrap_or(if few { campaign.slice } else { campaign.full });
    let order = Order { first: asked.seed, count };
    match run::run(campaign, order) {
        Ok(report) => {
            say(&format!("{}: {report}", campaign.name));
            if asked.record {
                results::record(campaign, order, &report);
            }
            0
        }
        Err(fault) => {
            say(&format!("{}: FAULT in case {}\n{}", campaign.name, fault.seed, fault.what));
            say(&format!("repeat it: {} --seed {} --count 1", campaign.command(), fault.seed));
            1
        }
    }
}

/// Prints a line. Nobody may be listening any more.
fn say(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}
