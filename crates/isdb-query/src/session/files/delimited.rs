//! What a text file of values looks like: what separates its fields, what its columns hold, and whether its numbers have decimal
//! commas. A file up to [`READ`] bytes is read as a whole for that, of a larger one its beginning.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use csv::{ErrorKind, ReaderBuilder};
use datafusion::functions::string::expr_fn::{btrim, replace};
use datafusion::logical_expr::{Expr, cast, lit};

use crate::error::FileProblem;

/// Bytes that are looked at: a table of a million plots, parsed in less than a second.
const READ: u64 = 64 << 20;
/// Byte order mark of UTF-8, which spreadsheets write.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How the engine reads a file.
#[derive(Debug)]
pub(super) struct Delimited {
    /// Comma, semicolon or tab.
    pub(super) delimiter: u8,
    /// The columns as they are in the file; a column that is repaired is a text here.
    pub(super) schema: SchemaRef,
    /// What becomes of the columns' texts, by position.
    pub(super) repairs: Vec<Option<Repair>>,
    /// Whether a field in quotes holds the end of a line.
    pub(super) newlines_in_values: bool,
}

/// How a column of texts becomes one of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Repair {
    to: DataType,
    decimal_comma: bool,
}

impl Repair {
    /// The number in the texts of `column`, which may have blanks around it.
    pub(super) fn of(&self, column: Expr) -> Expr {
        let text = btrim(vec![column]);
        let text = if self.decimal_comma { replace(text, lit(","), lit(".")) } else { text };
        cast(text, self.to.clone())
    }
}

/// The first byte of a file that is no blank and no byte order mark.
pub(super) fn first_byte(path: &Path) -> Result<Option<u8>, FileProblem> {
    let mut beginning = Vec::new();
    let file = File::open(path).map_err(|source| FileProblem::Unreadable { source })?;
    file.take(4096).read_to_end(&mut beginning).map_err(|source| FileProblem::Unreadable { source })?;
    let text = beginning.strip_prefix(MARK).unwrap_or(&beginning);
    Ok(text.iter().copied().find(|byte| !byte.is_ascii_whitespace()))
}

/// Looks at the file.
pub(super) fn inspect(path: &Path) -> Result<Delimited, FileProblem> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|source| FileProblem::Unreadable { source })?;
    file.take(READ + 1).read_to_end(&mut bytes).map_err(|source| FileProblem::Unreadable { source })?;
    if bytes.len() as u64 > READ {
        let last_line = bytes.iter().rposition(|byte| *byte == b'\n');
        bytes.truncate(last_line.unwrap_or(bytes.len()));
    }
    look_at(&bytes)
}

fn look_at(bytes: &[u8]) -> Result<Delimited, FileProblem> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(FileProblem::Utf16);
    }
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        FileProblem::NotUtf8 { line: 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64 }
    })?;
    if text.trim().is_empty() {
        return Err(FileProblem::Empty);
    }
    let delimiter = delimiter(text);
    let inferred = Format::default().with_header(true).with_delimiter(delimiter);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let names: Vec<String> = reader.headers().map_err(ragged)?.iter().map(|name| name.trim().to_owned()).collect();
    let mut seen = vec![Seen::default(); names.len()];
    let mut newlines_in_values = false;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(ragged)? {
        for (seen, value) in seen.iter_mut().zip(&record) {
            seen.add(value, delimiter != b',');
            newlines_in_values |= value.contains('\n');
        }
    }
    // Errors in lines have been found above.
    let (types, _) =
        inferred.infer_schema(bytes, None).map_err(|error| FileProblem::Form { problem: error.to_string() })?;
    let mut fields = Vec::with_capacity(names.len());
    let mut repairs = Vec::with_capacity(names.len());
    for ((name, seen), inferred) in names.iter().zip(&seen).zip(types.fields()) {
        let data_type = match inferred.data_type() {
            DataType::Null => &DataType::Utf8,
            // 001 and 1 are two plots.
            DataType::Int64 if seen.leading_zero => &DataType::Utf8,
            data_type => data_type,
        };
        repairs.push(if *data_type == DataType::Utf8 { seen.repair() } else { None });
        fields.push(Field::new(name, data_type.clone(), true));
    }
    Ok(Delimited { delimiter, schema: Arc::new(Schema::new(fields)), repairs, newlines_in_values })
}

/// What the header has most of; a comma where it has none.
fn delimiter(text: &str) -> u8 {
    let header = text.trim_start().lines().next().unwrap_or_default();
    let mut in_quotes = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in header.bytes() {
        in_quotes ^= byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += u32::from(byte == *delimiter && !in_quotes);
        }
    }
    // The last of equals wins in max_by_key, so the comma goes last.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

fn ragged(error: csv::Error) -> FileProblem {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            FileProblem::Ragged { line, found: *len, expected: *expected_len }
        }
        ErrorKind::Utf8 { .. } => FileProblem::NotUtf8 { line },
        _ => FileProblem::Form { problem: error.to_string() },
    }
}

/// What the values of a column are.
#[derive(Clone, Default)]
struct Seen {
    values: bool,
    text: bool,
    fraction: bool,
    decimal_comma: bool,
    leading_zero: bool,
}

impl Seen {
    fn add(&mut self, value: &str, may_have_commas: bool) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        self.values = true;
        let digits = value.trim_start_matches(['-', '+']);
        self.leading_zero |=
            digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let comma = may_have_commas && value.matches(',').count() == 1 && !value.contains('.');
        let is_number =
            value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte) || (comma && byte == b','));
        match is_number.then(|| value.replace(',', ".").parse::<f64>()) {
            Some(Ok(_)) => {
                self.fraction |= value.parse::<i64>().is_err();
                self.decimal_comma |= comma;
            }
            _ => self.text = true,
        }
    }

    /// How a column that the engine takes for text becomes one of numbers; None where it is text.
    fn repair(&self) -> Option<Repair> {
        let numbers = self.values && !self.text && (self.fraction || !self.leading_zero);
        let to = if self.fraction { DataType::Float64 } else { DataType::Int64 };
        numbers.then_some(Repair { to, decimal_comma: self.decimal_comma })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &str) -> Vec<String> {
        let file = look_at(text.as_bytes()).unwrap();
        let of = |(field, repair): (&Arc<Field>, &Option<Repair>)| {
            let to = repair.as_ref().map_or(field.data_type(), |repair| &repair.to);
            format!("{} {to}", field.name())
        };
        file.schema.fields().iter().zip(&file.repairs).map(of).collect()
    }

    #[test]
    fn semicolons_tabs_and_decimal_commas_are_found() {
        assert_eq!(types("plot,lat\nA,48.27\n"), ["plot Utf8", "lat Float64"]);
        assert_eq!(types("plot;lat;n\r\nA;48,27;3\r\nB;;\r\nC;-49;4\r\n"), ["plot Utf8", "lat Float64", "n Int64"]);
        assert_eq!(types("plot\tlat\nA, B\t48.27\n"), ["plot Utf8", "lat Float64"]);
        assert_eq!(types("\"plot; old; name\",lat\nA,1.5\n"), ["plot; old; name Utf8", "lat Float64"]);
        assert_eq!(types("height\n5\n"), ["height Int64"]);
    }

    #[test]
    fn a_comma_is_not_decimal_where_it_separates_or_groups() {
        assert_eq!(types("a,b\n\"1,5\",2\n"), ["a Utf8", "b Int64"]);
        assert_eq!(types("a;b\n1.234,5;1,2,3\n"), ["a Utf8", "b Utf8"]);
        assert_eq!(types("a;b\n1,5;1,5\nx;2,5\n"), ["a Utf8", "b Float64"]);
    }

    #[test]
    fn the_type_of_a_column_holds_for_its_last_row() {
        let rows = |last: &str| {
            let many: String = (0..1_500).map(|row| format!("{row},{row}\n")).collect();
            types(&format!("id,height\n{many}1500,{last}\n"))
        };
        assert_eq!(rows("7"), ["id Int64", "height Int64"]);
        assert_eq!(rows("12.5"), ["id Int64", "height Float64"]);
        assert_eq!(rows("DUMMY01"), ["id Int64", "height Utf8"]);
    }

    #[test]
    fn numbers_with_leading_zeros_are_names_and_blanks_around_numbers_are_no_text() {
        assert_eq!(types("plot,n\n001,0\n12,10\n"), ["plot Utf8", "n Int64"]);
        assert_eq!(types("plot, lat , n\nA, 48.27, 3\n"), ["plot Utf8", "lat Float64", "n Int64"]);
        assert_eq!(types("a,b\n 001,\n 2,\n"), ["a Utf8", "b Utf8"]);
        assert_eq!(types("a,b\n0.5,00\n007.5,1\n"), ["a Float64", "b Utf8"]);
        assert_eq!(types("day,at\n2020-01-02,2020-01-02T03:04:05\n"), ["day Date32", "at Timestamp(s)"]);
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_name() {
        assert_eq!(types("\u{feff}Plot,Lat\nA,1.5\n"), ["Plot Utf8", "Lat Float64"]);
    }

    #[test]
    fn what_cannot_be_read_names_the_line() {
        let problem = |bytes: &[u8]| look_at(bytes).unwrap_err().to_string();
        assert_eq!(problem(b"plot,lat\nA,1\nFor\xEAt,2\n"), "line 3 is not UTF-8");
        assert_eq!(problem(b"\xFF\xFEa\0"), "it is UTF-16, expected UTF-8");
        assert_eq!(problem(b"a,b\n1,2\n1,2,3\n"), "line 3 has 3 fields, the header has 2");
        assert_eq!(problem(b" \n"), "it is empty, expected a header and rows");
    }

    #[test]
    fn a_line_break_in_quotes_is_noticed() {
        assert!(look_at(b"a,b\n\"x\ny\",2\n").unwrap().newlines_in_values);
        assert!(!look_at(b"a,b\nx,2\n").unwrap().newlines_in_values);
    }
}
