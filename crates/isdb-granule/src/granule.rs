//! A granule, opened and decoded: beams and variables are spread over threads, and come out as one record batch per beam.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::granule_name::PRODUCT;
use isdb_schema::segments::segment_fields;
use isdb_schema::printable::Printable;

use crate::beam::{BEAMS, Beam, Found, Wanted, assemble, columns_for};
use crate::container;
use crate::dataset::{Effort, Stored};
use crate::error::{Error, Reason, Result};
use crate::fills::Fills;
use crate::filters::Unfilter;
use crate::identity::Identity;
use crate::lookup::Lookup;
use crate::metadata::{attributes, numbers, text};
use crate::note::Note;
use crate::orientation::Orientations;
use crate::source::ByteSource;
use crate::structure::{self, Spent};
use crate::time::{ATLAS_EPOCH_GPS, Clock, Epoch};
use crate::values;

/// An ATL08 granule whose structure has been looked at and whose values have not been read.
pub struct Granule {
    source: Arc<dyn ByteSource>,
    spent: Arc<Spent>,
    identity: Identity,
    epoch: Epoch,
    orientations: Orientations,
    beams: Vec<Beam>,
    beams_missing: Vec<&'static str>,
    beams_empty: Vec<&'static str>,
    /// Whether some tool wrote the file anew and kept nothing but beams.
    extract: bool,
    notes: Vec<Note>,
}

/// More bytes of columns than a granule has: the largest known has 36,500 rows, 22 MB with all variables. What decodes a granule has
/// memory for so many.
pub const MOST_DECODED_BYTES: usize = 64 << 20;

const GAVE_UP: &str = "the HDF5 reader gave up on it";

/// The groups of a product file that tell of the granule as a whole.
const PRODUCT_GROUPS: [&str; 3] = ["METADATA", "ancillary_data", "orbit_info"];

/// A granule's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// One batch of [`segment_fields`] per beam with rows, in the beams' order.
    pub batches: Vec<RecordBatch>,
    /// Rows in the file.
    pub rows_read: u64,
    /// Rows of them left out, since position or time were fill or impossible.
    pub rows_rejected: u64,
    /// Beams without a group or without `land_segments`.
    pub beams_missing: Vec<&'static str>,
    /// Beams whose `land_segments` hold no rows.
    pub beams_empty: Vec<&'static str>,
    /// Wanted variables, and the ends of the segment that are always decoded, that at least one beam with rows lacks, or
    /// has in another width: NULL there. In catalogue order.
    pub variables_missing: Vec<&'static str>,
    /// What else was found odd.
    pub notes: Vec<Note>,
}

/// A decoded column; `None` if the beam does not have it.
type Column = Option<ArrayRef>;

impl Granule {
    /// Checks that `source` is a complete ATL08 file and finds its beams. Only metadata are read.
    ///
    /// # Errors
    /// If it is no HDF5 file, cut off, another product, or its structure cannot be followed.
    pub fn open(source: impl ByteSource + 'static) -> Result<Self> {
        Self::open_shared(Arc::new(source))
    }

    /// [`open`](Self::open) for a source that others hold too.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_shared(source: Arc<dyn ByteSource>) -> Result<Self> {
        let name = source.name().to_owned();
        match structure::with_stack(|| Self::look(source)) {
            Ok(Some(looked)) => looked,
            Ok(None) => Err(Error::Structure { file: name, source: GAVE_UP.into() }),
            Err(source) => Err(Error::Io { file: name, source }),
        }
    }

    /// What is found in `source` without reading values.
    fn look(source: Arc<dyn ByteSource>) -> Result<Self> {
        let spent = Arc::new(Spent::default());
        let file = container::open(&source, &spent)?;
        let name = source.name().to_owned();
        let root = attributes(&file, "/");
        let short_name = text(&root, "short_name");
        if let Some(other) = short_name.as_deref().filter(|name| *name != PRODUCT) {
            return Err(Error::NotAtl08 { file: name, reason: format!("its short_name is {}", Printable(other)) });
        }
        let epoch =
            numbers(&file.root(), "ancillary_data/atlas_sdp_gps_epoch").and_then(|epoch| epoch.first().copied());
        let assumed = epoch.is_none().then_some(Note::EpochAssumed);
        let Some(epoch) = Epoch::from_gps_seconds(epoch.unwrap_or(ATLAS_EPOCH_GPS)) else {
            let path = "ancillary_data/atlas_sdp_gps_epoch".to_owned();
            return Err(Error::Dataset { file: name, path, source: "it is no moment near the mission".into() });
        };
        let (mut beams, mut beams_missing, mut beams_empty) = (Vec::new(), Vec::new(), Vec::new());
        for beam in BEAMS {
            match Beam::find(&file, beam, source.len(), epoch) {
                Ok(Found::Rows(found)) => beams.push(found),
                Ok(Found::Empty) => beams_empty.push(beam),
                Ok(Found::Missing) => beams_missing.push(beam),
                Err((path, source)) => return Err(Error::Dataset { file: name, path, source }),
            }
        }
        if beams_missing.len() == BEAMS.len() && short_name.is_none() {
            return Err(Error::NotAtl08 { file: name, reason: "no beam has land_segments".to_owned() });
        }
        let (identity, mut notes) = Identity::find(&file, &root, &*source, &beams)
            .map_err(|source| Error::Io { file: name.clone(), source })?;
        notes.extend(assumed);
        let mut foreign: Vec<&str> = beams.iter().filter_map(|beam| beam.units.as_deref()).collect();
        foreign.dedup();
        notes.extend(foreign.into_iter().map(|units| Note::TimeConverted { units: units.to_owned() }));
        let orientations = Orientations::read(&file, epoch);
        let extract = PRODUCT_GROUPS.iter().all(|group| file.group(group).is_err());
        Ok(Self { source, spent, identity, epoch, orientations, beams, beams_missing, beams_empty, extract, notes })
    }

    /// Which granule it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What was found odd before any value was read.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The `wanted` variables, and the ends of the segment, that at least one beam with rows lacks, in catalogue order. Looks
    /// at names only.
    ///
    /// # Errors
    /// If a group cannot be listed.
    pub fn missing(&self, wanted: &[&Variable]) -> Result<Vec<&'static str>> {
        let wanted = columns_for(wanted);
        let paths = || wanted.iter().map(|wanted| wanted.variable.path);
        let mut missing = vec![false; wanted.len()];
        for beam in &self.beams {
            let datasets = Lookup::new(&beam.group, paths());
            for (path, missing) in paths().zip(&mut missing) {
                let failed =
                    |error: hdf5::Error| self.failed(format!("{}/land_segments/{path}", beam.name), error.into());
                *missing |= datasets.dataset(path).map_err(failed)?.is_none();
            }
        }
        let is_missing =
            |name: &str| wanted.iter().zip(&missing).any(|(w, missing)| *missing && w.variable.name == name);
        Ok(variables().iter().map(|variable| variable.name).filter(|name| is_missing(name)).collect())
    }

    /// Reads the `wanted` variables of all beams, on up to `threads` threads. Only their chunks are fetched.
    ///
    /// # Errors
    /// If a dataset cannot be fetched or decoded, or a required variable is missing where there are rows; the error
    /// names it.
    pub fn decode(&self, wanted: &[&Variable], threads: usize) -> Result<Decoded> {
        self.spent.reset();
        let wanted_columns = columns_for(wanted);
        let rows: usize = self.beams.iter().map(|beam| beam.rows).sum();
        let row_bytes: usize = wanted_columns
            .iter()
            .map(|wanted| wanted.variable.width * wanted.dtype.arrow().primitive_width().unwrap_or(8))
            .sum();
        if rows * row_bytes > MOST_DECODED_BYTES {
            let reason =
                format!("{rows} rows of {row_bytes} bytes, expected at most {MOST_DECODED_BYTES} bytes in all");
            return Err(self.failed("land_segments".to_owned(), reason.into()));
        }
        let mut columns = self.columns(&wanted_columns, threads)?.into_iter();
        let schema = Arc::new(Schema::new(segment_fields(wanted)));
        let mut decoded = Decoded {
            batches: Vec::with_capacity(self.beams.len()),
            rows_read: 0,
            rows_rejected: 0,
            beams_missing: self.beams_missing.clone(),
            beams_empty: self.beams_empty.clone(),
            variables_missing: Vec::new(),
            notes: self.notes.clone(),
        };
        let mut missing = vec![false; wanted_columns.len()];
        let (mut in_transition, mut unknown) = (Vec::new(), Vec::new());
        for beam in &self.beams {
            let beams_columns = wanted_columns.iter().zip(&mut missing).zip(columns.by_ref());
            let arrays = beams_columns.map(|((wanted, missing), column)| {
                column.unwrap_or_else(|| {
                    *missing = true;
                    values::absent(wanted.variable, beam.rows)
                })
            });
            let assembled = assemble(beam, &schema, arrays.collect(), &self.orientations)
                .map_err(|error| self.failed(format!("{}/land_segments", beam.name), error.into()))?;
            decoded.rows_read += beam.rows as u64;
            decoded.rows_rejected += assembled.rejected as u64;
            if assembled.batch.num_rows() > 0 {
                decoded.batches.push(assembled.batch);
            }
            if assembled.contradicted {
                decoded.notes.push(Note::StrengthContradicted { beam: beam.name });
            }
            in_transition.extend(assembled.in_transition.then_some(beam.name));
            unknown.extend(assembled.unknown.then_some(beam.name));
        }
        if !unknown.is_empty() {
            decoded.notes.push(Note::StrengthUnknown { beams: unknown });
        }
        if !in_transition.is_empty() {
            decoded.notes.push(Note::InTransition { beams: in_transition });
        }
        let is_missing =
            |name: &str| wanted_columns.iter().zip(&missing).any(|(w, missing)| *missing && w.variable.name == name);
        decoded.variables_missing =
            variables().iter().map(|variable| variable.name).filter(|name| is_missing(name)).collect();
        Ok(decoded)
    }

    /// Every wanted column of every beam, beam by beam. Threads take the next column as they get free; after the first
    /// error no more are taken.
    fn columns(&self, wanted: &[Wanted], threads: usize) -> Result<Vec<Column>> {
        let paths = || wanted.iter().map(|wanted| wanted.variable.path);
        let list = || self.beams.iter().map(|beam| (beam, Lookup::new(&beam.group, paths()))).collect::<Vec<_>>();
        let beams = match structure::with_stack(list) {
            Ok(Some(beams)) => beams,
            Ok(None) => return Err(self.failed("land_segments".to_owned(), GAVE_UP.into())),
            Err(source) => return Err(Error::Io { file: self.source.name().to_owned(), source }),
        };
        let jobs: Vec<_> =
            beams.iter().flat_map(|(beam, datasets)| wanted.iter().map(move |w| (*beam, datasets, *w))).collect();
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        let effort = Effort::default();
        let work = || {
            let mut unfilter = Unfilter::new();
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((beam, datasets, wanted)) = jobs.get(at) else { break };
                match self.column(beam, datasets, *wanted, &effort, &mut unfilter) {
                    Ok(column) => done.push((at, column)),
                    Err(reason) => {
                        let path = format!("{}/land_segments/{}", beam.name, wanted.variable.path);
                        next.store(jobs.len(), Ordering::Relaxed);
                        failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((path, reason));
                        break;
                    }
                }
            }
            done
        };
        let threads = threads.min(jobs.len()).max(1);
        let parts = std::thread::scope(|scope| {
            let mut spawned = Vec::with_capacity(threads);
            for _ in 0..threads {
                match structure::builder().spawn_scoped(scope, work) {
                    Ok(thread) => spawned.push(thread),
                    // Fewer threads do the same work.
                    Err(_) if !spawned.is_empty() => break,
                    Err(source) => return Err(Error::Io { file: self.source.name().to_owned(), source }),
                }
            }
            Ok(spawned.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>())
        })?;
        let mut columns: Vec<Column> = vec![None; jobs.len()];
        for part in parts {
            let Ok(part) = part else {
                return Err(self.failed("land_segments".to_owned(), GAVE_UP.into()));
            };
            for (at, column) in part {
                if let Some(place) = columns.get_mut(at) {
                    *place = column;
                }
            }
        }
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((path, reason)) => Err(self.failed(path, reason)),
            None => Ok(columns),
        }
    }

    fn column(
        &self,
        beam: &Beam,
        datasets: &Lookup,
        wanted: Wanted,
        effort: &Effort,
        unfilter: &mut Unfilter,
    ) -> Result<Column, Reason> {
        let Wanted { variable, dtype } = wanted;
        // Only what was written anew may lack the segment.
        let needed = variable.required || (variable.name == "segment_id_beg" && !self.extract);
        let required = |what: &str| if needed { Err(Reason::from(what.to_owned())) } else { Ok(None) };
        let Some(dataset) = datasets.dataset(variable.path)? else { return required("it is missing") };
        let stored = Stored::new(dataset)?;
        if stored.rows != beam.rows {
            return Err(format!("it has {} rows where delta_time has {}", stored.rows, beam.rows).into());
        }
        if stored.width != variable.width {
            return required("it is not one number per row");
        }
        let attributes = stored.attributes()?;
        let fills = Fills::new(variable, attributes.get("_FillValue"), stored.fill_property()?);
        let clock = match values::Time::of(variable) {
            Some(time) => Some((time, Clock::of(&attributes, self.epoch)?)),
            None => None,
        };
        let buffer = stored.read(&*self.source, effort, unfilter)?;
        match clock {
            Some((time, clock)) if time == values::Time::Utc || clock.foreign.is_some() => {
                values::time_column(buffer, stored.element, time, &clock, &fills).map(Some)
            }
            // The product's own numbers stay as they are, whether or not they are times of the mission.
            _ => values::column(buffer, stored.element, dtype, variable, &fills).map(Some),
        }
    }

    fn failed(&self, path: String, source: Reason) -> Error {
        Error::Dataset { file: self.source.name().to_owned(), path, source }
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod tests;
