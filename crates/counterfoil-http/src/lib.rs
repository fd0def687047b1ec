//! The payments API as an axum Router over a Counterfoil ledger.
