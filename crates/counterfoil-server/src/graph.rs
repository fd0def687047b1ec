//! `counterfoil graph`: what may become of a payment, drawn from the table that the rules read.

use std::process::ExitCode;

use counterfoil::status::{Format as Language, OperationStatus, PaymentStatus};

use crate::cli::{Format, Graph, Subject};
use crate::console;
use crate::error::Error;

/// Prints the drawing's source text.
pub(crate) fn graph(options: &Graph) -> Result<ExitCode, Error> {
    let language = match options.format {
        Format::Dot => Language::Dot,
        Format::Mermaid => Language::Mermaid,
    };
    console::print(match options.of {
        Subject::Payment => PaymentStatus::GRAPH.draw(language),
        Subject::Operation => OperationStatus::GRAPH.draw(language),
    })?;
    Ok(ExitCode::SUCCESS)
}
