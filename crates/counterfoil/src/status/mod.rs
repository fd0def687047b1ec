//! The law: which statuses there are, which moves between them are legal and for what cause, and which
//! actions each status allows. Plain tables; the checks, the drawings, `verify` and the test generators
//! read them and nothing else.

mod action;
mod draw;
mod graph;
mod operation;
mod payment;

pub use action::{Action, allowed, depends_on_policy};
pub use draw::Format;
pub use graph::{Cause, Causes, Edge, Graph};
pub use operation::OperationStatus;
pub use payment::PaymentStatus;
