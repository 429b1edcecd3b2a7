//! A granule: opening it finds its identity and its beams, decoding it makes one record batch per beam.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::granule_name::PRODUCT;
use isdb_schema::printable::Printable;
use isdb_schema::segments::{BEAMS, segment_fields};

use crate::beam::{Beam, BeamContent};
use crate::container;
use crate::container::access::text;
use crate::container::budget::Budget;
use crate::container::listing::DatasetListing;
use crate::container::stack::with_large_stack;
use crate::decode::arrow_column::null_column;
use crate::decode::chosen_rows::ChosenRows;
use crate::decode::request::{ColumnRequest, column_requests, variables_first};
use crate::decode::{Column, ColumnDecoder, GranuleValues};
use crate::error::{Error, Result};
use crate::identity::content_hash::content_hash;
use crate::identity::{Identity, identify};
use crate::metadata::Metadata;
use crate::note::Note;
use crate::rows::batch::assemble;
use crate::rows::orientation::Orientations;
use crate::source::ByteSource;
use crate::time::{ATLAS_EPOCH_GPS, Epoch};

/// An ATL08 granule whose structure has been read, but not its values.
pub struct Granule {
    source: Arc<dyn ByteSource>,
    budget: Arc<Budget>,
    identity: Identity,
    epoch: Epoch,
    orientations: Orientations,
    beams: Vec<Beam>,
    beams_missing: Vec<&'static str>,
    beams_empty: Vec<&'static str>,
    is_extract: bool,
    notes: Vec<Note>,
}

/// The maximum size of the columns that [`Granule::decode`] produces, in bytes. The largest known granule has 36,500 rows, 22
/// MB with all variables.
pub const MAX_DECODED_BYTES: usize = 64 << 20;

/// A granule's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// One batch of [`segment_fields`] per beam with rows, in the beams' order.
    pub batches: Vec<RecordBatch>,
    /// Rows in the file.
    pub rows_read: u64,
    /// Rows left out because their position or time is fill or impossible.
    pub rows_rejected: u64,
    /// Beams without a group or without `land_segments`.
    pub beams_missing: Vec<&'static str>,
    /// Beams whose `land_segments` hold no rows.
    pub beams_empty: Vec<&'static str>,
    /// Requested variables, and the ends of the segment, that at least one beam with rows lacks or stores with another width,
    /// in catalogue order. They are NULL in that beam.
    pub variables_missing: Vec<&'static str>,
    /// Differences between the granule and the product's description.
    pub notes: Vec<Note>,
}

impl Granule {
    /// Checks that `source` is a complete ATL08 file, resolves its identity and finds its beams. Only metadata are read.
    ///
    /// # Errors
    /// If `source` is not an HDF5 file, is truncated, belongs to another product, has a structure that cannot be followed, or
    /// cannot be read.
    pub fn open(source: impl ByteSource + 'static) -> Result<Self> {
        Self::open_shared(Arc::new(source))
    }

    /// [`open`](Self::open) for a shared source.
    ///
    /// # Errors
    /// As for `open`.
    pub fn open_shared(source: Arc<dyn ByteSource>) -> Result<Self> {
        let file = source.name().to_owned();
        let budget = Arc::new(Budget::default());
        let opened = with_large_stack(&file, || Self::open_within(source, &budget)).flatten();
        unless_a_read_failed(&budget, &file, opened)
    }

    fn open_within(source: Arc<dyn ByteSource>, budget: &Arc<Budget>) -> Result<Self> {
        let file = container::open(&source, budget)?;
        let name = source.name();
        let metadata = Metadata::read(&file);
        let short_name = text(&metadata.root, "short_name");
        if let Some(other) = short_name.as_deref().filter(|short_name| *short_name != PRODUCT) {
            return Err(Error::not_atl08(name, format!("its short_name is {}", Printable(other))));
        }
        let gps_epoch = metadata.ancillary.as_ref().and_then(|ancillary| ancillary.atlas_sdp_gps_epoch);
        let Some(epoch) = Epoch::from_gps_seconds(gps_epoch.unwrap_or(ATLAS_EPOCH_GPS)) else {
            let path = "ancillary_data/atlas_sdp_gps_epoch".to_owned();
            return Err(Error::dataset(name, path, "it is not near the mission's time".into()));
        };
        let (mut beams, mut beams_missing, mut beams_empty) = (Vec::new(), Vec::new(), Vec::new());
        for beam in BEAMS {
            match Beam::find(&file, beam, source.len(), epoch) {
                Ok(BeamContent::Rows(found)) => beams.push(found),
                Ok(BeamContent::Empty) => beams_empty.push(beam),
                Ok(BeamContent::Missing) => beams_missing.push(beam),
                Err((path, reason)) => return Err(Error::dataset(name, path, reason)),
            }
        }
        if beams_missing.len() == BEAMS.len() && short_name.is_none() {
            return Err(Error::not_atl08(name, "no beam has land_segments".to_owned()));
        }
        let row_rgt = beams.iter().find_map(Beam::first_rgt);
        let (identity, mut notes) =
            identify(&metadata, row_rgt, name, || content_hash(&*source)).map_err(|error| Error::io(name, error))?;
        notes.extend(gps_epoch.is_none().then_some(Note::EpochAssumed));
        let mut foreign_units: Vec<&str> = beams.iter().filter_map(|beam| beam.foreign_units.as_deref()).collect();
        foreign_units.dedup();
        notes.extend(foreign_units.into_iter().map(|units| Note::TimeConverted { units: units.to_owned() }));
        let orbit = metadata.orbit.as_ref();
        let orientations =
            orbit.map_or_else(Orientations::default, |orbit| Orientations::from_orbit_info(orbit, epoch));
        let (is_extract, budget) = (metadata.is_extract(), Arc::clone(budget));
        Ok(Self { source, budget, identity, epoch, orientations, beams, beams_missing, beams_empty, is_extract, notes })
    }

    /// The granule's identity.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Notes made before any value was read.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The requested `variables`, and the ends of the segment, that at least one beam with rows lacks, in catalogue order. Reads only
    /// names.
    ///
    /// # Errors
    /// If a group cannot be listed.
    pub fn missing(&self, variables: &[&Variable]) -> Result<Vec<&'static str>> {
        self.budget.reset();
        let file = self.source.name();
        let missing = with_large_stack(file, || self.find_missing(&column_requests(variables))).flatten();
        unless_a_read_failed(&self.budget, file, missing)
    }

    fn find_missing(&self, requests: &[ColumnRequest]) -> Result<Vec<&'static str>> {
        let paths = || requests.iter().map(|request| request.variable.path);
        let mut missing = BTreeSet::new();
        for beam in &self.beams {
            let datasets = DatasetListing::new(&beam.group, paths());
            for ColumnRequest { variable, .. } in requests {
                let dataset = datasets.dataset(variable.path).map_err(|error| {
                    let path = format!("{}/land_segments/{}", beam.name, variable.path);
                    Error::dataset(self.source.name(), path, error.into())
                })?;
                if dataset.is_none() {
                    missing.insert(variable.name);
                }
            }
        }
        Ok(in_catalogue_order(&missing))
    }

    /// Reads the requested `variables` of all beams, on up to `threads` threads. Only their HDF5 chunks are fetched.
    ///
    /// # Errors
    /// If a dataset cannot be read or decoded, or a required variable is missing where there are rows; the error names the dataset.
    pub fn decode(&self, variables: &[&Variable], threads: usize) -> Result<Decoded> {
        self.decode_chosen(variables, threads, &[], |_| None)
    }

    /// [`decode`](Self::decode), but only of the rows that `choose` chooses: it gets the rows of each beam with at least the columns of
    /// [`segment_fields`] of the variables `first`, which are among `variables`, and returns a bit for each row; `None` for all rows. The other
    /// variables are decoded afterwards. The rows that are not chosen count as read. Their HDF5 chunks are not fetched unless they have
    /// chosen rows, too, so that damage in them is not noticed.
    ///
    /// # Errors
    /// As for `decode`.
    pub fn decode_chosen(
        &self,
        variables: &[&Variable],
        threads: usize,
        first: &[&Variable],
        choose: impl FnMut(&RecordBatch) -> Option<BooleanBuffer>,
    ) -> Result<Decoded> {
        self.budget.reset();
        let decoded = self.decode_within(variables, threads, first, choose);
        unless_a_read_failed(&self.budget, self.source.name(), decoded)
    }

    fn decode_within(
        &self,
        variables: &[&Variable],
        threads: usize,
        first: &[&Variable],
        mut choose: impl FnMut(&RecordBatch) -> Option<BooleanBuffer>,
    ) -> Result<Decoded> {
        let first = variables_first(variables, first);
        let (mut requests, first_requests) = (column_requests(variables), column_requests(&first));
        self.check_size(&requests)?;
        let values = GranuleValues { source: &*self.source, epoch: self.epoch, is_extract: self.is_extract };
        let decoder = ColumnDecoder::new(values, &self.beams, &requests)?;
        requests.retain(|request| first_requests.iter().all(|first| first.variable.name != request.variable.name));
        let mut decoded = Decoded {
            batches: Vec::with_capacity(self.beams.len()),
            rows_read: 0,
            rows_rejected: 0,
            beams_missing: self.beams_missing.clone(),
            beams_empty: self.beams_empty.clone(),
            variables_missing: Vec::new(),
            notes: self.notes.clone(),
        };
        let mut missing = BTreeSet::new();
        let failed = |beam: &Beam, error: ArrowError| {
            Error::dataset(self.source.name(), format!("{}/land_segments", beam.name), error.into())
        };

        let mut columns = decoder.decode(&first_requests, &[], threads)?.into_iter();
        let schema = Arc::new(Schema::new(segment_fields(&first)));
        let (mut batches, mut chosen) = (Vec::new(), Vec::new());
        let (mut in_transition, mut unknown) = (Vec::new(), Vec::new());
        for beam in &self.beams {
            let arrays = columns_or_nulls(&first_requests, columns.by_ref(), beam.rows, &mut missing);
            let rows = assemble(beam, &schema, arrays, &self.orientations).map_err(|error| failed(beam, error))?;
            decoded.rows_read += beam.rows as u64;
            decoded.rows_rejected += rows.rejected as u64;
            if rows.strength_contradicted {
                decoded.notes.push(Note::StrengthContradicted { beam: beam.name });
            }
            in_transition.extend(rows.in_transition.then_some(beam.name));
            unknown.extend(rows.strength_unknown.then_some(beam.name));
            let of_valid = if rows.batch.num_rows() > 0 { choose(&rows.batch) } else { None };
            chosen.push(ChosenRows::new(beam.rows, rows.valid.as_ref(), of_valid.as_ref()));
            batches.push(match of_valid {
                Some(of_valid) => filter_record_batch(&rows.batch, &BooleanArray::new(of_valid, None))
                    .map_err(|error| failed(beam, error))?,
                None => rows.batch,
            });
        }

        let mut columns = decoder.decode(&requests, &chosen, threads)?.into_iter();
        let schema = Arc::new(Schema::new(segment_fields(variables)));
        for (beam, batch) in self.beams.iter().zip(batches) {
            let arrays = columns_or_nulls(&requests, columns.by_ref(), batch.num_rows(), &mut missing);
            if batch.num_rows() > 0 {
                let batch = with_columns(&batch, &schema, &requests, &arrays).map_err(|error| failed(beam, error))?;
                decoded.batches.push(batch);
            }
        }
        if !unknown.is_empty() {
            decoded.notes.push(Note::StrengthUnknown { beams: unknown });
        }
        if !in_transition.is_empty() {
            decoded.notes.push(Note::InTransition { beams: in_transition });
        }
        decoded.variables_missing = in_catalogue_order(&missing);
        Ok(decoded)
    }

    /// Refuses a granule whose columns would be larger than [`MAX_DECODED_BYTES`].
    fn check_size(&self, requests: &[ColumnRequest]) -> Result<()> {
        let rows: usize = self.beams.iter().map(|beam| beam.rows).sum();
        let width = |request: &ColumnRequest| request.dtype.arrow().primitive_width().unwrap_or(8);
        let row_bytes: usize = requests.iter().map(|request| request.variable.width * width(request)).sum();
        if rows * row_bytes > MAX_DECODED_BYTES {
            let reason = format!("{rows} rows of {row_bytes} bytes, expected at most {MAX_DECODED_BYTES} bytes in all");
            return Err(Error::dataset(self.source.name(), "land_segments".to_owned(), reason.into()));
        }
        Ok(())
    }
}

/// `result`, unless a read of `file` failed meanwhile. The HDF5 reader leaves out attributes that it cannot read, and much of a
/// granule may be missing, so a failed read could otherwise pass as a sound file with other content.
fn unless_a_read_failed<T>(budget: &Budget, file: &str, result: Result<T>) -> Result<T> {
    match budget.take_read_failure() {
        Some(error) => Err(Error::io(file, error)),
        None => result,
    }
}

/// The next column of each of `requests`; `rows` NULLs for a column that the beam does not have, whose name is added to `missing`.
fn columns_or_nulls(
    requests: &[ColumnRequest],
    columns: impl Iterator<Item = Column>,
    rows: usize,
    missing: &mut BTreeSet<&'static str>,
) -> Vec<ArrayRef> {
    let column = |(request, column): (&ColumnRequest, Column)| {
        column.unwrap_or_else(|| {
            missing.insert(request.variable.name);
            null_column(request.variable, rows)
        })
    };
    requests.iter().zip(columns).map(column).collect()
}

/// The batch of `schema` from the columns of `batch`, and from `arrays`, which are the columns of `requests`.
fn with_columns(
    batch: &RecordBatch,
    schema: &SchemaRef,
    requests: &[ColumnRequest],
    arrays: &[ArrayRef],
) -> Result<RecordBatch, ArrowError> {
    let column = |field: &Arc<Field>| {
        let requested = || requests.iter().position(|request| request.variable.name == field.name());
        let column = batch.column_by_name(field.name()).or_else(|| arrays.get(requested()?)).map(Arc::clone);
        column.ok_or_else(|| ArrowError::SchemaError(format!("the column {} was not decoded", field.name())))
    };
    RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().map(column).collect::<Result<_, _>>()?)
}

/// The `names` of variables in the catalogue's order.
fn in_catalogue_order(names: &BTreeSet<&'static str>) -> Vec<&'static str> {
    variables().iter().map(|variable| variable.name).filter(|name| names.contains(name)).collect()
}

#[cfg(test)]
mod tests;
