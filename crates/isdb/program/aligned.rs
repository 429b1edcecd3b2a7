//! Small tables of text with aligned columns.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// Spaces between columns.
const GAP: u16 = 2;

/// Returns the lines of `rows`, with columns aligned as `alignments` say. A cell may have several lines.
pub(crate) fn aligned<const N: usize>(
    rows: impl IntoIterator<Item = [String; N]>,
    alignments: [CellAlignment; N],
) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(NOTHING).add_rows(rows);
    for (column, alignment) in table.column_iter_mut().zip(alignments) {
        column.set_padding((0, GAP)).set_cell_alignment(alignment);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Returns the lines of names and values, one below the other and indented. Names without a value are left out.
pub(crate) fn named_values(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let rows = pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| [name, value]);
    aligned(rows, [CellAlignment::Left; 2]).into_iter().map(|line| format!("  {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_have_no_trailing_blanks() {
        let rows = [["granules", "ingested", "12", ""], ["", "failed", "1", "1 decode"], ["pace", "MB", "350.5", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        let lines =
            aligned(rows, [CellAlignment::Left, CellAlignment::Left, CellAlignment::Right, CellAlignment::Left]);
        let expected =
            ["granules  ingested     12", "          failed        1  1 decode", "pace      MB        350.5"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_value_of_several_lines_stays_in_its_column() {
        let pairs = [("flags", "0 day\n1 night"), ("units", ""), ("type", "int8")];
        let lines = named_values(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(lines, ["  flags  0 day", "         1 night", "  type   int8"]);
    }
}
