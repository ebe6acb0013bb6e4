//! How do columns line up?

use std::borrow::Cow;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// How many characters of a cell are laid out, with `…` behind them. No name of Kubernetes is that long;
/// without a bound one name would widen every row, and laying out takes the square of the length. The
/// last column of a table without a width, which widens nothing, is printed in full.
const MAX_CELL_CHARS: usize = 2_000;

/// Lays out rows, the first of which is the header, in columns without lines, as kubectl does.
///
/// With a width (in characters), cells are wrapped to fit it; without, each row is one line.
#[must_use]
pub fn aligned(rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for row in rows {
        let n_cut = row.len() - usize::from(width.is_none() && !row.is_empty());
        let cells = row.iter().enumerate();
        table.add_row(cells.map(|(column, cell)| {
            if column < n_cut { cut(cell) } else { Cow::Borrowed(cell.as_str()) }
        }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The cell, or what is laid out of it.
fn cut(cell: &str) -> Cow<'_, str> {
    match cell.char_indices().nth(MAX_CELL_CHARS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &cell[..end])),
        None => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = [["A", "BB"], ["long", "x"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows, None), "A     BB\nlong  x\n");
    }

    #[test]
    fn no_name_widens_a_table_without_bounds() {
        let long = "x".repeat(10_000);
        let rows = [["A".to_owned(), "B".to_owned()], [long.clone(), long.clone()]].map(Vec::from);
        let text = aligned(&rows, None);
        let (header, row) = text.split_once('\n').unwrap();
        assert_eq!(header.len(), MAX_CELL_CHARS + "   B".len());
        assert!(row.contains("x…  x") && row.ends_with(&format!("{long}\n")));
        let text = aligned(&rows, Some(80));
        assert!(text.len() < 10_000 && text.contains('…'));
    }

    #[test]
    fn long_cells_wrap_at_the_width() {
        let rows = [["NAME", "WHY"], ["web", "one two three four five six seven"]]
            .map(|row| row.map(str::to_owned).to_vec());
        let text = aligned(&rows, Some(24));
        assert!(text.lines().all(|line| line.len() <= 24), "{text}");
        assert!(text.contains("seven"));
    }
}
