//! Which namespaces fail which checks, and with how many of their workloads?

use std::collections::{BTreeMap, BTreeSet};

use super::anchor;
use crate::level::Level;
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::psa::checks::CHECKS;

/// Rows of one table: a browser lays out and paints only the tables in view.
const ROWS_PER_BLOCK: usize = 100;

/// The map.
pub(super) struct HeatMap<'p> {
    /// The checks that anything fails, the baseline ones first.
    pub(super) columns: Vec<Column>,
    /// How many of the columns are checks of baseline.
    pub(super) n_baseline: usize,
    /// The namespaces that fail any check.
    pub(super) blocks: Vec<Vec<Row<'p>>>,
    /// How many namespaces fail none.
    pub(super) n_clean: usize,
}

/// A check.
pub(super) struct Column {
    /// The id, without the level that some end in.
    pub(super) title: &'static str,
}

/// A namespace.
pub(super) struct Row<'p> {
    pub(super) name: &'p str,
    pub(super) anchor: String,
    pub(super) cells: Vec<Cell>,
}

/// How many workloads of a namespace fail a check.
pub(super) struct Cell {
    pub(super) n: usize,
    /// From 0 (none) to 4 (more than three quarters of the workloads).
    pub(super) heat: usize,
}

impl<'p> HeatMap<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let counts: Vec<_> = plan.namespaces.iter().map(failing).collect();
        let used: Vec<_> = CHECKS
            .iter()
            .filter(|check| counts.iter().any(|counts| counts.contains_key(check.id)))
            .collect();
        let mut rows = Vec::new();
        for (index, (namespace, counts)) in plan.namespaces.iter().zip(&counts).enumerate() {
            if counts.is_empty() {
                continue;
            }
            let n_all = namespace.workloads.len();
            let cell = |id| {
                let n = counts.get(id).copied().unwrap_or(0);
                Cell { n, heat: (n * 4).div_ceil(n_all) }
            };
            rows.push(Row {
                name: &namespace.name,
                anchor: anchor(index, namespace),
                cells: used.iter().map(|check| cell(check.id)).collect(),
            });
        }
        let n_clean = counts.len() - rows.len();
        let mut blocks = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            blocks.push(rows.by_ref().take(ROWS_PER_BLOCK).collect());
        }
        Self {
            n_baseline: used.iter().filter(|check| check.level == Level::Baseline).count(),
            columns: used
                .iter()
                .map(|check| Column { title: check.id.split('_').next().unwrap_or(check.id) })
                .collect(),
            blocks,
            n_clean,
        }
    }
}

/// The checks that a namespace's workloads fail in a state that counts, with how many of them do.
fn failing(namespace: &NamespacePlan) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for workload in &namespace.workloads {
        let failed: BTreeSet<_> = workload
            .violations
            .iter()
            .filter(|violation| workload.counted || violation.state == "running")
            .map(|violation| violation.check)
            .collect();
        for check in failed {
            *counts.entry(check).or_default() += 1;
        }
    }
    counts
}
