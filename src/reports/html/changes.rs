//! How does the page show a diff? Neighbours of a kind are one element, as a large page has many.

use super::section::lines;

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Head,
    Added,
    Removed,
}

/// Lines of a kind.
pub(super) struct Run {
    pub(super) sign: Sign,
    pub(super) lines: Vec<String>,
}

/// A diff of a workload's template.
pub(super) struct Diff {
    /// The state that it leads to.
    pub(super) state: String,
    pub(super) runs: Vec<Run>,
}

impl Diff {
    pub(super) fn of(diff: &str) -> Self {
        // The second line: `+++ Deployment shop/web (admitted today)`.
        let head = diff.lines().nth(1).and_then(|head| head.rsplit_once(" ("));
        let state = head.map_or("", |(_, state)| state.trim_end_matches(')'));
        Self { state: state.to_owned(), runs: runs(diff) }
    }
}

/// The lines of a diff, by kind.
pub(super) fn runs(diff: &str) -> Vec<Run> {
    let lines = lines(diff);
    let run = |lines: &[String]| Some(Run { sign: sign(lines.first()?), lines: lines.to_vec() });
    lines.chunk_by(|a, b| sign(a) == sign(b)).filter_map(run).collect()
}

fn sign(line: &str) -> Sign {
    match line {
        line if line.starts_with("+++") || line.starts_with("---") => Sign::Head,
        line if line.starts_with('+') => Sign::Added,
        _ => Sign::Removed,
    }
}
