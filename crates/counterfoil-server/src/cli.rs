//! The command line and the environment: the one place where configuration is read.

use std::env;
use std::error::Error as _;
use std::net::SocketAddr;
use std::num::{NonZeroUsize, ParseIntError};
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};
use counterfoil::clock::Timestamp;
use counterfoil::text::{EnvironmentId, GatewayName, TenantId};
use counterfoil_http::Amounts;

use crate::console;
use crate::endpoint::SandboxSecret;
use crate::error::Error;
use crate::keys::{self, ApiKey};
use crate::reconcile::{Field, time_of_option};
use crate::rules::Rules;
use crate::store::Location;

/// Another way to give API keys: separated by white space.
const API_KEY_VARIABLE: &str = "COUNTERFOIL_API_KEY";
/// With it, the sandbox's notifications can be told from outside: there is one endpoint, `sandbox`.
const SANDBOX_SECRET_VARIABLE: &str = "COUNTERFOIL_SANDBOX_SECRET";
const DEFAULT_STORE: &str = "sqlite:counterfoil.db";
const SANDBOX_NAMES: &str = "sandbox,stripe,razorpay,nomod,moyasar,paddle,whop,chargebee";

/// Payments made exactly once, with a history that can be proved.
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version, arg_required_else_help = false, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What it is asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer the payments API over HTTP.
    Serve(Serve),
    /// Prove the books: exit 0 if they are clean, 1 with the first fault named.
    Verify(Verify),
    /// Write out the books for other programs: exit 1 if they do not balance.
    Export(Export),
    /// Begin a new era of the feed, so that its followers notice a restore. Run it once after the file was restored from a
    /// backup, before the server starts again.
    BeginEra(BeginEra),
    /// Compare a gateway's settlement report with the books: exit 1 if anything differs.
    Reconcile(Reconcile),
    /// Draw a status graph.
    Graph(Graph),
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080", value_parser = listen)]
    pub(crate) listen: SocketAddr,
    /// Where the payments are kept: `sqlite:PATH`, or `memory:` to keep nothing.
    #[arg(long, value_name = "STORE", default_value = DEFAULT_STORE)]
    pub(crate) store: Location,
    /// A key that callers send as `x-api-key`, best as `<id>.<secret>`; may be repeated. Other users of this
    /// machine can see it here, but not in the environment (`COUNTERFOIL_API_KEY`). Without any, one is made
    /// and printed once.
    #[arg(long = "api-key", value_name = "KEY")]
    pub(crate) api_keys: Vec<ApiKey>,
    /// How amounts are answered: `number` or `string`. In the data of events they are always strings.
    #[arg(long, value_name = "FORM", default_value = "number")]
    pub(crate) amounts: Amounts,
    /// The names that the sandbox gateway goes by; payments that ask for no gateway go through the first. The
    /// published clients of this API can name no others than these.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = SANDBOX_NAMES)]
    pub(crate) sandbox_as: Vec<GatewayName>,
    /// Listen beyond this machine: you vouch that something in front of it speaks TLS.
    #[arg(long)]
    pub(crate) tls_in_front: bool,
    /// Only from the environment: what is on a command line others can see.
    #[arg(skip)]
    pub(crate) sandbox_secret: Option<SandboxSecret>,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What clients may take of the server.
#[derive(Debug, Clone, Args)]
pub(crate) struct Limits {
    /// The most connections at a time; whoever comes then is turned away with a 503.
    // Below the 1,024 files that a process may usually open, which the store needs some of.
    #[arg(long, value_name = "COUNT", default_value = "512")]
    pub(crate) max_connections: NonZeroUsize,
    /// How long a client may take to send a request's head, to send its body, and to take a piece of the
    /// answer.
    #[arg(long = "patience-ms", default_value = "10000", value_parser = milliseconds, hide = true)]
    pub(crate) patience: Duration,
    /// How long requests in flight may take to end after SIGTERM.
    #[arg(long = "drain-ms", default_value = "30000", value_parser = milliseconds, hide = true)]
    pub(crate) drain: Duration,
}

/// What to verify.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Where the payments are kept: `sqlite:PATH`. It is only read, and may be in use.
    #[arg(long, value_name = "STORE", default_value = DEFAULT_STORE)]
    pub(crate) store: Location,
    /// A head that was kept elsewhere: whatever was taken away since, the last events too, is a fault.
    #[arg(long, value_name = "FILE")]
    pub(crate) head: Option<PathBuf>,
    /// A new file to write the head of clean books to, to be kept elsewhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_head: Option<PathBuf>,
}

/// What to export, and how.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where the payments are kept: `sqlite:PATH`. It is only read, and may be in use.
    #[arg(long, value_name = "STORE", default_value = DEFAULT_STORE)]
    pub(crate) store: Location,
    /// What is to read it.
    #[arg(long, value_enum)]
    pub(crate) format: Books,
    /// A new file to write it to, instead of stdout. It has its name only when all of it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Say on stderr how far it is, even where that is no terminal.
    #[arg(long)]
    pub(crate) progress: bool,
}

/// The options of `begin-era`.
#[derive(Debug, Args)]
pub(crate) struct BeginEra {
    /// Where the payments are kept: `sqlite:PATH`. The server must be stopped.
    #[arg(long, value_name = "STORE", default_value = DEFAULT_STORE)]
    pub(crate) store: Location,
}

/// A form of the books.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Books {
    /// A Beancount file: a transaction per event that moved money, and the balances that must come out.
    Beancount,
    /// One JSON object per event and line: all events.
    Jsonl,
    /// Comma-separated values with a header: a line per posting.
    Csv,
}

/// What to reconcile, and how.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// Where the payments are kept: `sqlite:PATH`. Without `--apply` it is only read, and may be in use.
    #[arg(long, value_name = "STORE", default_value = DEFAULT_STORE)]
    pub(crate) store: Location,
    /// The gateway that made the report.
    #[arg(long, value_name = "NAME")]
    pub(crate) gateway: GatewayName,
    /// The report: comma-separated values with a header. It must be a regular file, which is read twice.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The columns that the report has.
    #[arg(long, value_enum, default_value_t = ReportFormat::Columns)]
    pub(crate) format: ReportFormat,
    /// The column that a field of a row stands in; may be repeated. Fields are kind, name, amount, currency,
    /// `occurred_at`, fee, capture, `payment_id`, `operation_id`, `gateway_payment_id`, `gateway_attempt_id`, `dispute_id`.
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = mapping)]
    pub(crate) mappings: Vec<(Field, String)>,
    /// The tenant whose payments the report has.
    #[arg(long, value_name = "TENANT", default_value = keys::TENANT)]
    pub(crate) tenant: TenantId,
    /// The environment whose payments the report has.
    #[arg(long, value_name = "ENVIRONMENT", default_value = keys::ENVIRONMENT)]
    pub(crate) environment: EnvironmentId,
    /// The first moment that the report covers, as in 2026-12-01T00:00:00Z, or its first day, as in 2026-12-01, in UTC.
    /// Without it, the time of its first row.
    #[arg(long, value_name = "TIME", value_parser = first_moment)]
    pub(crate) from: Option<Timestamp>,
    /// The last moment or day that the report covers, in UTC. Without it, the time of its last row.
    #[arg(long, value_name = "TIME", value_parser = last_moment)]
    pub(crate) to: Option<Timestamp>,
    /// Write the rows of the report down as evidence. The store must exist, and no other process may have it open.
    #[arg(long)]
    pub(crate) apply: bool,
    /// Say on stderr how far it is, even where that is no terminal.
    #[arg(long)]
    pub(crate) progress: bool,
    #[command(flatten)]
    pub(crate) rules: Rules,
}

/// The columns of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A column for each field, by its name or by `--map`.
    Columns,
    /// Stripe's itemized reports of balance changes, payouts, and the ending balance.
    StripeBalance,
    /// Adyen's settlement details report.
    AdyenSettlement,
}

/// What to draw.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The language of the drawing.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    pub(crate) format: Format,
    /// Whose statuses.
    #[arg(long, value_enum, default_value_t = Subject::Payment)]
    pub(crate) of: Subject,
}

/// A language that draws graphs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// Graphviz.
    Dot,
    /// Mermaid, as code hosts render it.
    Mermaid,
}

/// What has a status graph.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Subject {
    /// A payment.
    Payment,
    /// An attempt of a payment.
    Operation,
}

/// What is asked; `None` if it was for help or the version, which are printed by now.
pub(crate) fn read() -> Result<Option<Command>, Error> {
    match Cli::try_parse() {
        Ok(Cli { command: Command::Serve(options) }) => {
            options.with_environment().map(Command::Serve).map(Some)
        }
        Ok(Cli { command }) => Ok(Some(command)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            console::print(error.render())?;
            Ok(None)
        }
        Err(error) => Err(refusal(&error)),
    }
}

impl Serve {
    /// Keys on the command line win over those in the environment.
    fn with_environment(mut self) -> Result<Serve, Error> {
        if self.api_keys.is_empty()
            && let Some(value) = env::var_os(API_KEY_VARIABLE)
        {
            let keys = value.to_str().unwrap_or_default();
            self.api_keys = keys.split_whitespace().map(|key| ApiKey::from(key.to_owned())).collect();
            if self.api_keys.is_empty() {
                // Somebody meant to set a key: making one up instead would not be what they think runs.
                return Err(Error::new(format_args!("{API_KEY_VARIABLE} is set, but there is no key in it")));
            }
        }
        if let Some(value) = env::var_os(SANDBOX_SECRET_VARIABLE) {
            let secret = value.to_str().map(str::trim).and_then(SandboxSecret::new);
            let none =
                || Error::new(format_args!("{SANDBOX_SECRET_VARIABLE} is set, but there is no secret in it"));
            self.sandbox_secret = Some(secret.ok_or_else(none)?);
        }
        Ok(self)
    }
}

/// One line of what clap says in several. A value that was refused is not repeated: it may be a secret.
fn refusal(error: &clap::Error) -> Error {
    match (error.get(ContextKind::InvalidArg), error.source()) {
        (Some(option), Some(cause)) if error.kind() == ErrorKind::ValueValidation => {
            Error::because(option, cause)
        }
        (Some(ContextValue::String(word)), _)
            if error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-') =>
        {
            Error::new("unexpected argument that belongs to no option; see --help")
        }
        _ => {
            let text = error.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            Error::new(first.trim_start_matches("error: "))
        }
    }
}

fn mapping(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text.split_once('=').ok_or("not as in FIELD=COLUMN")?;
    let field = Field::from_name(field).ok_or_else(|| format!("there is no field {field}"))?;
    Ok((field, column.to_owned()))
}

fn first_moment(text: &str) -> Result<Timestamp, &'static str> {
    time_of_option(text).map(|time| time.first)
}

fn last_moment(text: &str) -> Result<Timestamp, &'static str> {
    time_of_option(text).map(|time| time.last)
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "not an address and port, as in 127.0.0.1:8080")
}

pub(crate) fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
