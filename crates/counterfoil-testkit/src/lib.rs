//! What Counterfoil's stores are proved with, and yours: the conformance suite, scripts and a model.
