//! A steerable payment gateway with books of its own, for trying out and for tests.
