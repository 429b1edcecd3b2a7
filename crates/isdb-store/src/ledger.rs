//! Ledger rows: what is remembered of each attempt at a granule, and their way into and out of the `granules` array.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    TimestampNanosecondArray,
};
use arrow::datatypes::{Int32Type, Int64Type, TimestampNanosecondType};
use isdb_schema::ledger::{ALREADY_STORED, CARRIED, GranuleState, Removed, ledger_schema};
use tiledb::{Array, Condition, ReadRequest};

use crate::error::{Error, Result};
use crate::ids::Id;

/// One attempt at one granule. Times are nanoseconds since 1970, UTC; what the file does not tell is None.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    /// The attempt's id, carried by every row that it wrote.
    pub ingest_id: Id,
    /// The granule's id, `ATL08_20200821122613_08730802_004_01`.
    pub granule: String,
    /// The product, `ATL08`.
    pub product: String,
    /// Reference ground track, 1 to 1387.
    pub rgt: Option<i32>,
    /// Cycle of the mission.
    pub cycle: Option<i32>,
    /// Region along the orbit, 1 to 14.
    pub region: Option<i32>,
    /// Release, `007`.
    pub release: Option<String>,
    /// Revision, `01`.
    pub revision: Option<String>,
    /// The product's own verdict on the granule: 0 pass, 1 fail.
    pub qa_granule_pass_fail: Option<i32>,
    /// True for a spatial or variable subset of the granule.
    pub subset: Option<bool>,
    /// The granule's start.
    pub start_time: Option<i64>,
    /// What told which granule it is: `metadata`, `ancillary`, `rows`, `file_name`, or `content` where nothing did.
    pub identity_source: Option<String>,
    /// Where it was read from.
    pub source: String,
    /// Size of the file.
    pub size_bytes: i64,
    /// When the file was last changed.
    pub modified_at: Option<i64>,
    /// The checksum of its content, with the name of the algorithm: `xxh3:9f2c…`.
    pub checksum: Option<String>,
    /// The area that segments were taken from; None for the whole granule.
    pub area: Option<String>,
    /// The names of the variables asked for, separated by blanks.
    pub variables: String,
    /// The columns that were derived, as a JSON list of names and SQL, `none` without.
    pub derived: String,
    /// Tells whether two attempts derived the same.
    pub derived_hash: String,
    /// The names of the filters it went through, `none` without.
    pub filters: String,
    /// Tells whether two attempts went through the same filters, with the same SQL in the same order.
    pub filters_hash: String,
    /// Segments in the file.
    pub rows_read: i64,
    /// Segments stored.
    pub rows_kept: i64,
    /// Segments without position or time, which cannot be stored.
    pub rows_rejected: i64,
    /// Segments that a filter removed.
    pub rows_removed: i64,
    /// What each filter removed, in their order.
    pub removed_by: Vec<Removed>,
    /// Beams with rows.
    pub beams_read: i64,
    /// Beams without rows.
    pub beams_empty: i64,
    /// Beams that the file does not have.
    pub beams_missing: i64,
    /// The names of the variables asked for that the granule lacks though its release has them, separated by blanks.
    pub missing_variables: Option<String>,
    /// What was found odd in the file, for people.
    pub notes: Option<String>,
    /// The earlier attempts whose rows this one took out of the database.
    pub replaces: Vec<Id>,
    /// How the attempt ended.
    pub state: GranuleState,
    /// Where it failed: `search`, `download`, `read` (the bytes could not be fetched, which is tried again), `identify`,
    /// `decode`, `filter`, `replace` (too few segments to replace what is stored), `again` (a file that has to be read again
    /// is gone) or `window`. [`CARRIED`] for an attempt that holds what a newer one has left of an earlier one.
    pub stage: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it ended.
    pub finished_at: i64,
}

impl LedgerRow {
    /// Whether its rows are what a newer attempt has left of an earlier one.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        self.stage.as_deref() == Some(CARRIED)
    }

    /// Segments of its file that it does not have since others have them, and those others.
    pub fn held_elsewhere(&self) -> (i64, impl Iterator<Item = Id>) {
        let held = || self.removed_by.iter().filter(|removed| removed.filter == ALREADY_STORED);
        let rows = held().map(|removed| i64::try_from(removed.removed).unwrap_or(i64::MAX));
        (rows.fold(0, i64::saturating_add), held().flat_map(|removed| removed.held_by.iter().copied().map(Id)))
    }

    /// The rows as one batch with the columns of [`ledger_schema`], of the fragment `fragment_id`.
    ///
    /// # Errors
    /// Never, but for rows that no memory holds.
    pub fn to_batch(rows: &[LedgerRow], fragment_id: Id) -> Result<RecordBatch> {
        to_batch(rows, fragment_id)
    }

    /// The rows of a batch with those columns.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a column is missing or of another type.
    pub fn from_batch(batch: &RecordBatch) -> Result<Vec<LedgerRow>> {
        let mut rows = Vec::with_capacity(batch.num_rows());
        from_batch(batch, "the ledger", &mut rows)?;
        Ok(rows)
    }
}

/// The rows as one batch, to be written as the fragment `fragment_id`.
pub(crate) fn to_batch(rows: &[LedgerRow], fragment_id: Id) -> Result<RecordBatch> {
    let text =
        |of: fn(&LedgerRow) -> &str| -> ArrayRef { Arc::new(LargeStringArray::from_iter_values(rows.iter().map(of))) };
    let maybe_text = |of: fn(&LedgerRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<LargeStringArray>())
    };
    let maybe_int =
        |of: fn(&LedgerRow) -> Option<i32>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Int32Array>()) };
    let count = |of: fn(&LedgerRow) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
    let instant = |of: fn(&LedgerRow) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<TimestampNanosecondArray>().with_timezone("UTC"))
    };
    let columns = vec![
        count(|row| row.ingest_id.0),
        Arc::new(Int64Array::from_value(fragment_id.0, rows.len())),
        text(|row| &row.granule),
        text(|row| &row.product),
        maybe_int(|row| row.rgt),
        maybe_int(|row| row.cycle),
        maybe_int(|row| row.region),
        maybe_text(|row| row.release.as_deref()),
        maybe_text(|row| row.revision.as_deref()),
        maybe_int(|row| row.qa_granule_pass_fail),
        Arc::new(rows.iter().map(|row| row.subset).collect::<BooleanArray>()),
        instant(|row| row.start_time),
        maybe_text(|row| row.identity_source.as_deref()),
        text(|row| &row.source),
        count(|row| row.size_bytes),
        instant(|row| row.modified_at),
        maybe_text(|row| row.checksum.as_deref()),
        maybe_text(|row| row.area.as_deref()),
        text(|row| &row.variables),
        text(|row| &row.derived),
        text(|row| &row.derived_hash),
        text(|row| &row.filters),
        text(|row| &row.filters_hash),
        count(|row| row.rows_read),
        count(|row| row.rows_kept),
        count(|row| row.rows_rejected),
        count(|row| row.rows_removed),
        Arc::new(rows.iter().map(removed_by).collect::<LargeStringArray>()),
        count(|row| row.beams_read),
        count(|row| row.beams_empty),
        count(|row| row.beams_missing),
        maybe_text(|row| row.missing_variables.as_deref()),
        maybe_text(|row| row.notes.as_deref()),
        Arc::new(rows.iter().map(replaces).collect::<LargeStringArray>()),
        text(|row| row.state.as_str()),
        maybe_text(|row| row.stage.as_deref()),
        maybe_text(|row| row.error.as_deref()),
        instant(|row| Some(row.finished_at)),
    ];
    Ok(RecordBatch::try_new(Arc::new(ledger_schema()), columns)?)
}

fn removed_by(row: &LedgerRow) -> Option<String> {
    (!row.removed_by.is_empty()).then(|| Removed::to_json(&row.removed_by))
}

fn replaces(row: &LedgerRow) -> Option<String> {
    let ids: Vec<String> = row.replaces.iter().map(Id::to_string).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// The ids that [`replaces`] wrote.
fn replaced(text: Option<&str>) -> Option<Vec<Id>> {
    text.unwrap_or_default().split_whitespace().map(|id| id.parse().ok().map(Id)).collect()
}

/// Every visible row of the opened ledger, by ascending id.
pub(crate) fn read(granules: &Array, visible: Option<Condition>) -> Result<Vec<LedgerRow>> {
    let columns = ledger_schema().fields().iter().map(|field| field.name().clone()).collect();
    let request = ReadRequest { columns, ranges: Vec::new(), condition: visible, batch_rows: 8192 };
    let mut rows = Vec::new();
    for batch in granules.read(&request)? {
        from_batch(&batch?, granules.uri(), &mut rows)?;
    }
    rows.sort_unstable_by_key(|row| row.ingest_id);
    Ok(rows)
}

fn from_batch(batch: &RecordBatch, uri: &str, rows: &mut Vec<LedgerRow>) -> Result<()> {
    let damaged = |problem: String| Error::Damaged { object: uri.to_owned(), problem };
    let column =
        |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(format!("the ledger has no column {name}")));
    let wrong_type = |name: &str| damaged(format!("the ledger's column {name} has another type"));
    let text = |name: &str| column(name)?.as_string_opt::<i64>().ok_or_else(|| wrong_type(name));
    let int = |name: &str| column(name)?.as_primitive_opt::<Int32Type>().ok_or_else(|| wrong_type(name));
    let count = |name: &str| column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_type(name));
    let instant =
        |name: &str| column(name)?.as_primitive_opt::<TimestampNanosecondType>().ok_or_else(|| wrong_type(name));

    let (ids, granule, product) = (count("ingest_id")?, text("granule")?, text("product")?);
    let (rgt, cycle, region) = (int("rgt")?, int("cycle")?, int("region")?);
    let (release, revision) = (text("release")?, text("revision")?);
    let subset = column("subset")?.as_boolean_opt().ok_or_else(|| wrong_type("subset"))?;
    let (start_time, finished_at) = (instant("start_time")?, instant("finished_at")?);
    let (quality, identity_source) = (int("qa_granule_pass_fail")?, text("identity_source")?);
    let (source, size, variables) = (text("source")?, count("size_bytes")?, text("variables")?);
    let (filters, removed, removed_by) = (text("filters")?, count("rows_removed")?, text("removed_by")?);
    let (read, kept, rejected) = (count("rows_read")?, count("rows_kept")?, count("rows_rejected")?);
    let (beams_read, beams_empty, beams_missing) =
        (count("beams_read")?, count("beams_empty")?, count("beams_missing")?);
    let (missing, notes) = (text("missing_variables")?, text("notes")?);
    let (modified, checksum, area) = (instant("modified_at")?, text("checksum")?, text("area")?);
    let (derived, derived_hash, filters_hash) = (text("derived")?, text("derived_hash")?, text("filters_hash")?);
    let (replaces, state, stage, error) = (text("replaces")?, text("state")?, text("stage")?, text("error")?);

    let maybe = |array: &LargeStringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
    let maybe_int = |array: &Int32Array, row| array.is_valid(row).then(|| array.value(row));
    for row in 0..batch.num_rows() {
        let word = state.value(row);
        rows.push(LedgerRow {
            ingest_id: Id(ids.value(row)),
            granule: granule.value(row).to_owned(),
            product: product.value(row).to_owned(),
            rgt: maybe_int(rgt, row),
            cycle: maybe_int(cycle, row),
            region: maybe_int(region, row),
            release: maybe(release, row),
            revision: maybe(revision, row),
            qa_granule_pass_fail: maybe_int(quality, row),
            subset: subset.is_valid(row).then(|| subset.value(row)),
            start_time: start_time.is_valid(row).then(|| start_time.value(row)),
            identity_source: maybe(identity_source, row),
            source: source.value(row).to_owned(),
            size_bytes: size.value(row),
            modified_at: modified.is_valid(row).then(|| modified.value(row)),
            checksum: maybe(checksum, row),
            area: maybe(area, row),
            variables: variables.value(row).to_owned(),
            derived: derived.value(row).to_owned(),
            derived_hash: derived_hash.value(row).to_owned(),
            filters: filters.value(row).to_owned(),
            filters_hash: filters_hash.value(row).to_owned(),
            rows_read: read.value(row),
            rows_kept: kept.value(row),
            rows_rejected: rejected.value(row),
            rows_removed: removed.value(row),
            removed_by: maybe(removed_by, row).map(|text| Removed::from_json(&text)).unwrap_or_default(),
            beams_read: beams_read.value(row),
            beams_empty: beams_empty.value(row),
            beams_missing: beams_missing.value(row),
            missing_variables: maybe(missing, row),
            notes: maybe(notes, row),
            replaces: replaced(maybe(replaces, row).as_deref())
                .ok_or_else(|| damaged(format!("the ledger's replaces is {:?}", replaces.value(row))))?,
            stage: maybe(stage, row),
            state: GranuleState::parse(word).ok_or_else(|| damaged(format!("the ledger has a state {word:?}")))?,
            error: maybe(error, row),
            finished_at: finished_at.value(row),
        });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(ingest_id: Id, granule: &str) -> LedgerRow {
        LedgerRow {
            ingest_id,
            granule: granule.to_owned(),
            product: "ATL08".to_owned(),
            rgt: Some(873),
            cycle: None,
            region: Some(2),
            release: Some("004".to_owned()),
            revision: None,
            qa_granule_pass_fail: Some(0),
            subset: Some(true),
            start_time: Some(1),
            identity_source: None,
            source: "a.h5".to_owned(),
            size_bytes: 5,
            modified_at: Some(3),
            checksum: Some("xxh3:05".to_owned()),
            area: None,
            variables: "h_canopy".to_owned(),
            derived: "none".to_owned(),
            derived_hash: "0".to_owned(),
            filters: "night".to_owned(),
            filters_hash: "1".to_owned(),
            rows_read: 5,
            rows_kept: 2,
            rows_rejected: 1,
            rows_removed: 2,
            removed_by: vec![Removed { filter: "night".to_owned(), removed: 2, null: 1, alone: 2, held_by: vec![9] }],
            beams_read: 4,
            beams_empty: 1,
            beams_missing: 1,
            missing_variables: None,
            notes: Some("odd".to_owned()),
            replaces: vec![Id(3), Id(4)],
            state: GranuleState::Ingested,
            stage: None,
            error: None,
            finished_at: 2,
        }
    }

    #[test]
    fn a_row_keeps_every_value_and_null_through_its_batch() {
        let rows = vec![row(Id(1), "a"), LedgerRow { error: Some("e".to_owned()), subset: None, ..row(Id(2), "b") }];
        let mut read = Vec::new();
        from_batch(&to_batch(&rows, Id(9)).unwrap(), "granules", &mut read).unwrap();
        assert_eq!(read, rows);
    }
}
