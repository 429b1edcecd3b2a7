//! Datasets of beams decoded into Arrow columns, on several threads.
//!
//! For each dataset, [`dataset`] reads the HDF5 chunks into one buffer after [`filters`] has undone their filters,
//! [`fill_values`] collects the values that mean NULL, and [`arrow_column`] turns the buffer into a column. A fill value
//! becomes NULL in [`fill_to_null`], or in [`cast`] where the stored type differs from the column's.

pub(crate) mod arrow_column;
pub(crate) mod cast;
pub(crate) mod chosen_rows;
pub(crate) mod dataset;
pub(crate) mod element;
pub(crate) mod fill_to_null;
pub(crate) mod fill_values;
pub(crate) mod filters;
pub(crate) mod read_buffers;
pub(crate) mod request;
pub(crate) mod scalar;
pub(crate) mod unsupported;
pub(crate) mod validity_bitmap;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow::array::ArrayRef;

use crate::beam::Beam;
use crate::container::listing::DatasetListing;
use crate::container::stack::{thread_builder, with_large_stack};
use crate::decode::arrow_column::{TimeColumn, column, time_column};
use crate::decode::chosen_rows::ChosenRows;
use crate::decode::dataset::{StoredDataset, UnpackBudget};
use crate::decode::fill_values::FillValues;
use crate::decode::read_buffers::ReadBuffers;
use crate::decode::request::ColumnRequest;
use crate::error::{Error, Reason, Result};
use crate::source::ByteSource;
use crate::time::{Clock, Epoch};

/// A decoded column; `None` if the beam does not have it.
pub(crate) type Column = Option<ArrayRef>;

/// What the datasets of a granule have in common.
pub(crate) struct GranuleValues<'a> {
    pub(crate) source: &'a dyn ByteSource,
    /// The epoch from which the granule's times are counted.
    pub(crate) epoch: Epoch,
    /// Whether the file is an extract, which alone may lack `segment_id_beg`.
    pub(crate) is_extract: bool,
}

/// The decoding of a granule's datasets.
pub(crate) struct ColumnDecoder<'a> {
    values: GranuleValues<'a>,
    beams: Vec<(&'a Beam, DatasetListing<'a>)>,
    budget: UnpackBudget,
}

impl<'a> ColumnDecoder<'a> {
    /// Prepares for decoding the datasets of `requests` in `beams`.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn new(values: GranuleValues<'a>, beams: &'a [Beam], requests: &[ColumnRequest]) -> Result<Self> {
        let paths = || requests.iter().map(|request| request.variable.path);
        let list = || beams.iter().map(|beam| (beam, DatasetListing::new(&beam.group, paths()))).collect();
        let beams = with_large_stack(values.source.name(), list)?;
        Ok(Self { values, beams, budget: UnpackBudget::default() })
    }

    /// Decodes every requested column of every beam, beam by beam, of each beam the rows at its place in `rows`, or all. Free threads take
    /// the next column; after the first error no more columns are started.
    ///
    /// # Errors
    /// If a dataset cannot be read or decoded, or a required variable is missing; the error names the dataset.
    pub(crate) fn decode(
        &self,
        requests: &[ColumnRequest],
        rows: &[Option<ChosenRows>],
        threads: usize,
    ) -> Result<Vec<Column>> {
        let file = self.values.source.name();
        let rows = rows.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        let beams = self.beams.iter().zip(rows);
        let jobs: Vec<_> = beams
            .flat_map(|((beam, datasets), rows)| requests.iter().map(move |r| (*beam, datasets, *r, rows)))
            .collect();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        let work = || {
            let mut buffers = ReadBuffers::take();
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((beam, datasets, request, rows)) = jobs.get(at) else { break };
                match self.decode_column(beam, datasets, *request, *rows, &mut buffers) {
                    Ok(column) => done.push((at, column)),
                    Err(reason) => {
                        let path = format!("{}/land_segments/{}", beam.name, request.variable.path);
                        next.store(jobs.len(), Ordering::Relaxed);
                        failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((path, reason));
                        break;
                    }
                }
            }
            buffers.keep();
            done
        };
        let threads = threads.min(jobs.len()).max(1);
        let results = std::thread::scope(|scope| {
            let mut spawned = Vec::with_capacity(threads);
            for _ in 0..threads {
                match thread_builder().spawn_scoped(scope, work) {
                    Ok(thread) => spawned.push(thread),
                    // Fewer threads do the same work.
                    Err(_) if !spawned.is_empty() => break,
                    Err(error) => return Err(Error::io(file, error)),
                }
            }
            Ok(spawned.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>())
        })?;
        let mut columns: Vec<Column> = vec![None; jobs.len()];
        for result in results {
            let Ok(decoded) = result else { return Err(Error::reader_panicked(file)) };
            for (at, column) in decoded {
                if let Some(place) = columns.get_mut(at) {
                    *place = column;
                }
            }
        }
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((path, reason)) => Err(Error::dataset(file, path, reason)),
            None => Ok(columns),
        }
    }

    /// Decodes one column of one beam.
    fn decode_column(
        &self,
        beam: &Beam,
        datasets: &DatasetListing,
        request: ColumnRequest,
        rows: Option<&ChosenRows>,
        buffers: &mut ReadBuffers,
    ) -> Result<Column, Reason> {
        let ColumnRequest { variable, dtype } = request;
        let is_required = variable.required || (variable.name == "segment_id_beg" && !self.values.is_extract);
        let missing = |reason: &str| if is_required { Err(Reason::from(reason.to_owned())) } else { Ok(None) };
        let Some(dataset) = datasets.dataset(variable.path)? else { return missing("it is missing") };
        let stored = StoredDataset::new(dataset)?;
        if stored.rows != beam.rows {
            return Err(format!("it has {} rows where delta_time has {}", stored.rows, beam.rows).into());
        }
        if stored.width != variable.width {
            return missing("it is not one number per row");
        }
        let attributes = stored.attributes()?;
        let fills = FillValues::new(variable, attributes.get("_FillValue"), stored.fill_property()?);
        let clock = match TimeColumn::for_variable(variable) {
            Some(form) => Some((form, Clock::from_attributes(&attributes, self.values.epoch)?)),
            None => None,
        };
        let buffer = stored.read(self.values.source, &self.budget, buffers, rows)?;
        match clock {
            Some((form, clock)) if form == TimeColumn::UtcNanos || clock.foreign_units.is_some() => {
                time_column(buffer, stored.element, form, &clock, &fills).map(Some)
            }
            // Seconds in the product's own units stay as they are, even those that are not near the mission.
            _ => column(buffer, stored.element, dtype, variable, &fills).map(Some),
        }
    }
}
