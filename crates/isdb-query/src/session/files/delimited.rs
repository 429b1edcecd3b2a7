//! Detects the format of a delimited text file: its delimiter, the types of its columns, and decimal commas. Inspects files of up
//! to [`INSPECTED_BYTES`] in full, and only the beginning of larger ones.

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

/// Bytes that are inspected: a table of a million plots, parsed in less than a second.
const INSPECTED_BYTES: u64 = 64 << 20;
/// Byte order mark of UTF-8, which spreadsheets write.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Format of a file, as DataFusion reads it.
#[derive(Debug)]
pub(super) struct DelimitedFormat {
    /// Comma, semicolon or tab.
    pub(super) delimiter: u8,
    /// The columns as DataFusion reads them; a column that is converted to numbers is still text here.
    pub(super) schema: SchemaRef,
    /// For each column, how its text is converted to numbers; None if it is not.
    pub(super) number_columns: Vec<Option<NumberColumn>>,
    /// Whether a field in quotes contains a line break.
    pub(super) newlines_in_values: bool,
}

/// A text column whose values are all numbers, in a form that DataFusion does not recognise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NumberColumn {
    data_type: DataType,
    decimal_comma: bool,
}

impl NumberColumn {
    /// Converts the text of `column`, which may have blanks around it, to numbers.
    pub(super) fn parse(&self, column: Expr) -> Expr {
        let text = btrim(vec![column]);
        let text = if self.decimal_comma { replace(text, lit(","), lit(".")) } else { text };
        cast(text, self.data_type.clone())
    }
}

/// Returns the first byte of a file after byte order mark and white space.
pub(super) fn first_byte(path: &Path) -> Result<Option<u8>, FileProblem> {
    let mut beginning = Vec::new();
    let file = File::open(path).map_err(|source| FileProblem::Unreadable { source })?;
    file.take(4096).read_to_end(&mut beginning).map_err(|source| FileProblem::Unreadable { source })?;
    let text = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&beginning);
    Ok(text.iter().copied().find(|byte| !byte.is_ascii_whitespace()))
}

/// Detects the format of a file.
pub(super) fn inspect(path: &Path) -> Result<DelimitedFormat, FileProblem> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|source| FileProblem::Unreadable { source })?;
    file.take(INSPECTED_BYTES + 1).read_to_end(&mut bytes).map_err(|source| FileProblem::Unreadable { source })?;
    if bytes.len() as u64 > INSPECTED_BYTES {
        let last_line = bytes.iter().rposition(|byte| *byte == b'\n');
        bytes.truncate(last_line.unwrap_or(bytes.len()));
    }
    inspect_bytes(&bytes)
}

fn inspect_bytes(bytes: &[u8]) -> Result<DelimitedFormat, FileProblem> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(FileProblem::Utf16);
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
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
    let mut values = vec![ColumnValues::default(); names.len()];
    let mut newlines_in_values = false;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(ragged)? {
        for (values, value) in values.iter_mut().zip(&record) {
            values.add(value, delimiter != b',');
            newlines_in_values |= value.contains('\n');
        }
    }
    // Errors in lines have been found above.
    let (types, _) =
        inferred.infer_schema(bytes, None).map_err(|error| FileProblem::Malformed { problem: error.to_string() })?;
    let mut fields = Vec::with_capacity(names.len());
    let mut number_columns = Vec::with_capacity(names.len());
    for ((name, values), inferred) in names.iter().zip(&values).zip(types.fields()) {
        let data_type = match inferred.data_type() {
            DataType::Null => &DataType::Utf8,
            // Stays text, because 001 and 1 are two different plots.
            DataType::Int64 if values.leading_zero => &DataType::Utf8,
            data_type => data_type,
        };
        number_columns.push(if *data_type == DataType::Utf8 { values.number_column() } else { None });
        fields.push(Field::new(name, data_type.clone(), true));
    }
    Ok(DelimitedFormat { delimiter, schema: Arc::new(Schema::new(fields)), number_columns, newlines_in_values })
}

/// Returns the delimiter that the header contains most often; a comma if it contains none.
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
    // `max_by_key` returns the last of equal counts, so the comma goes last.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

fn ragged(error: csv::Error) -> FileProblem {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            FileProblem::Ragged { line, found: *len, expected: *expected_len }
        }
        ErrorKind::Utf8 { .. } => FileProblem::NotUtf8 { line },
        _ => FileProblem::Malformed { problem: error.to_string() },
    }
}

/// Properties of the values of a column, as far as they have been read.
#[derive(Clone, Default)]
struct ColumnValues {
    any: bool,
    text: bool,
    fraction: bool,
    decimal_comma: bool,
    leading_zero: bool,
}

impl ColumnValues {
    fn add(&mut self, value: &str, may_have_commas: bool) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        self.any = true;
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

    /// Returns how to convert a text column to numbers; None if a value is not a number.
    fn number_column(&self) -> Option<NumberColumn> {
        let numbers = self.any && !self.text && (self.fraction || !self.leading_zero);
        let data_type = if self.fraction { DataType::Float64 } else { DataType::Int64 };
        numbers.then_some(NumberColumn { data_type, decimal_comma: self.decimal_comma })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &str) -> Vec<String> {
        let file = inspect_bytes(text.as_bytes()).unwrap();
        let describe = |(field, number): (&Arc<Field>, &Option<NumberColumn>)| {
            let data_type = number.as_ref().map_or(field.data_type(), |number| &number.data_type);
            format!("{} {data_type}", field.name())
        };
        file.schema.fields().iter().zip(&file.number_columns).map(describe).collect()
    }

    #[test]
    fn semicolons_tabs_and_decimal_commas_are_detected() {
        assert_eq!(types("plot,lat\nA,48.27\n"), ["plot Utf8", "lat Float64"]);
        assert_eq!(types("plot;lat;n\r\nA;48,27;3\r\nB;;\r\nC;-49;4\r\n"), ["plot Utf8", "lat Float64", "n Int64"]);
        assert_eq!(types("plot\tlat\nA, B\t48.27\n"), ["plot Utf8", "lat Float64"]);
        assert_eq!(types("\"plot; old; name\",lat\nA,1.5\n"), ["plot; old; name Utf8", "lat Float64"]);
        assert_eq!(types("height\n5\n"), ["height Int64"]);
    }

    #[test]
    fn a_comma_is_not_decimal_between_fields_or_groups_of_digits() {
        assert_eq!(types("a,b\n\"1,5\",2\n"), ["a Utf8", "b Int64"]);
        assert_eq!(types("a;b\n1.234,5;1,2,3\n"), ["a Utf8", "b Utf8"]);
        assert_eq!(types("a;b\n1,5;1,5\nx;2,5\n"), ["a Utf8", "b Float64"]);
    }

    #[test]
    fn the_type_of_a_column_fits_its_last_row() {
        let rows = |last: &str| {
            let many: String = (0..1_500).map(|row| format!("{row},{row}\n")).collect();
            types(&format!("id,height\n{many}1500,{last}\n"))
        };
        assert_eq!(rows("7"), ["id Int64", "height Int64"]);
        assert_eq!(rows("12.5"), ["id Int64", "height Float64"]);
        assert_eq!(rows("DUMMY01"), ["id Int64", "height Utf8"]);
    }

    #[test]
    fn numbers_with_leading_zeros_are_texts_and_blanks_around_numbers_are_ignored() {
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
    fn an_error_names_the_line() {
        let problem = |bytes: &[u8]| inspect_bytes(bytes).unwrap_err().to_string();
        assert_eq!(problem(b"plot,lat\nA,1\nFor\xEAt,2\n"), "line 3 is not UTF-8");
        assert_eq!(problem(b"\xFF\xFEa\0"), "it is UTF-16, expected UTF-8");
        assert_eq!(problem(b"a,b\n1,2\n1,2,3\n"), "line 3 has 3 fields, the header has 2");
        assert_eq!(problem(b" \n"), "it is empty, expected a header and rows");
    }

    #[test]
    fn a_line_break_in_quotes_is_detected() {
        assert!(inspect_bytes(b"a,b\n\"x\ny\",2\n").unwrap().newlines_in_values);
        assert!(!inspect_bytes(b"a,b\nx,2\n").unwrap().newlines_in_values);
    }
}
