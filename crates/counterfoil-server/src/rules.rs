//! The rules that an operator chooses.

use std::time::Duration;

use clap::{Args, ValueEnum};
use counterfoil::command::Policy;
use counterfoil::payment::RetrySchedule;

/// What is done about declined payments, and what can be paid.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// When a declined payment is charged again, as in `1d,3d,7d` (s, m, h, d). The first delay counts from the first
    /// attempt, each other one from the scheduled attempt before; attempts made by hand do not move the schedule. The
    /// payment waits as PENDING meanwhile. Without this option a decline ends a payment.
    #[arg(long, value_name = "DELAYS", value_parser = schedule)]
    retry: Option<RetrySchedule>,
    /// Let `POST /payments/{id}/process` try a FAILED payment again with another `payment_method_id`. Without it, FAILED is
    /// the end.
    #[arg(long)]
    process_failed: bool,
    /// What can be paid: `any` destination, or under `strict` only those that were registered by
    /// `PUT /destinations/{type}/{id}`.
    #[arg(long, value_enum, value_name = "RULE", default_value_t = Destinations::Any)]
    destinations: Destinations,
    /// What becomes of money that a lost dispute took: it still counts as `paid`, or it is `owed` again, so that it may
    /// be charged once more.
    #[arg(long, value_enum, value_name = "RULE", default_value_t = ChargedBack::Paid)]
    charged_back: ChargedBack,
    /// How long to wait between two looks at what is due.
    #[arg(long = "due-every-ms", default_value = "1000", value_parser = crate::cli::milliseconds, hide = true)]
    pub(crate) due_every: Duration,
}

/// What can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Destinations {
    /// Anything.
    Any,
    /// What is registered.
    Strict,
}

/// What becomes of money that a lost dispute took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ChargedBack {
    /// It still counts as paid.
    Paid,
    /// It is owed again.
    Owed,
}

impl Rules {
    /// The policy that says so.
    pub(crate) fn policy(&self) -> Policy {
        let policy = Policy::default().with_retries(self.retry.clone().unwrap_or_default());
        let policy = if self.process_failed { policy.processing_failed() } else { policy };
        let policy = match self.destinations {
            Destinations::Any => policy,
            Destinations::Strict => policy.with_strict_destinations(),
        };
        match self.charged_back {
            ChargedBack::Paid => policy,
            ChargedBack::Owed => policy.owing_charged_back(),
        }
    }
}

fn schedule(text: &str) -> Result<RetrySchedule, String> {
    let delays = text.split(',').map(delay).collect::<Option<Vec<_>>>();
    let delays =
        delays.ok_or("delays are whole numbers of s, m, h or d, separated by commas, as in 1d,3d,7d")?;
    RetrySchedule::new(delays).map_err(|error| error.to_string())
}

/// `90s`, `15m`, `12h`, `3d`.
fn delay(text: &str) -> Option<Duration> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits =
        text.get(..text.len() - 1).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let count: u64 = digits.parse().ok()?;
    count.checked_mul(unit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rules: Rules,
    }

    #[test]
    fn charged_back_money_is_owed_where_the_operator_says_so() {
        let policy = |words: &[&str]| {
            let line = Line::try_parse_from([&["counterfoil"], words].concat());
            line.map(|line| line.rules.policy().owe_charged_back).ok()
        };
        assert_eq!(policy(&[]), Some(false));
        assert_eq!(policy(&["--charged-back", "paid"]), Some(false));
        assert_eq!(policy(&["--charged-back", "owed"]), Some(true));
        assert_eq!(policy(&["--charged-back", "lost"]), None);
    }

    #[test]
    fn delays_are_numbers_with_units() {
        let seconds = |text| delay(text).map(|delay| delay.as_secs());
        assert_eq!(["90s", "15m", "12h", "3d"].map(seconds), [90, 900, 43_200, 259_200].map(Some));
        for bad in ["", "d", "1", "1w", "-1d", "+1d", "1.5h", " 1d", "1D", "1é", "99999999999999999999d"] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
    }

    #[derive(clap::Parser)]
    struct Only {
        #[command(flatten)]
        rules: Rules,
    }

    #[test]
    fn failed_payments_are_processed_again_only_if_asked_for() {
        let policy = |args: &[&str]| <Only as clap::Parser>::parse_from(args).rules.policy();
        assert!(!policy(&["serve"]).process_failed);
        assert!(policy(&["serve", "--process-failed"]).process_failed);
    }

    #[test]
    fn a_schedule_never_gets_hastier_and_says_why_not() {
        assert_eq!(schedule("1d,3d,7d").map(|schedule| schedule.len()), Ok(3));
        for (bad, why) in
            [("", "as in 1d,3d,7d"), ("3d,1d", "shorter"), ("0s", "longer than nothing"), ("400d", "at most")]
        {
            assert!(schedule(bad).is_err_and(|error| error.contains(why)), "{bad:?}");
        }
    }
}
