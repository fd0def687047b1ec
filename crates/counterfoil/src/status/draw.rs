//! A graph as a picture's source text.

use std::fmt::{Display, Write};

use super::graph::Graph;

/// A language that draws graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Graphviz.
    Dot,
    /// Mermaid, as code hosts render it.
    Mermaid,
}

impl<S: Copy + Eq + Display> Graph<S> {
    /// This graph in `format`: solid edges are asked for or timed, dashed ones happen by evidence alone.
    #[must_use]
    pub fn draw(&self, format: Format) -> String {
        let mut text = String::new();
        let written = match format {
            Format::Dot => self.dot(&mut text),
            Format::Mermaid => self.mermaid(&mut text),
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        text
    }

    fn dot(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "digraph {} {{", self.name)?;
        writeln!(to, "  rankdir=LR;\n  node [shape=box, style=rounded];\n  start [shape=point];")?;
        for edge in self.edges() {
            let from = edge.from.map_or("start".to_owned(), |from| from.to_string());
            let style = if edge.causes.only_evidence() { ", style=dashed" } else { "" };
            writeln!(to, "  {from} -> {} [label=\"{}\"{style}];", edge.to, edge.causes)?;
        }
        writeln!(to, "}}")
    }

    fn mermaid(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "flowchart LR\n  start((start))")?;
        for edge in self.edges() {
            let from = edge.from.map_or("start".to_owned(), |from| from.to_string());
            let (line, end) = if edge.causes.only_evidence() { ("-. ", " .->") } else { ("-- ", " -->") };
            writeln!(to, "  {from} {line}{}{end} {}", edge.causes, edge.to)?;
        }
        Ok(())
    }
}
