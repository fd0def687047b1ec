//! Counterfoil's embedded store: one SQLite file, one writing process.
