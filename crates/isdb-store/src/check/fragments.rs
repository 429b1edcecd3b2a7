//! The check of fragments: those of the newest state are decoded, and all others must not keep libtiledb from opening the array.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::available_parallelism;

use futures::{StreamExt, TryStreamExt, stream};
use tiledb::{DescribingFiles, StoredSchemas};

use super::decode::{Decoded, decode};
use super::ledger::Ledger;
use super::problem::{MISSING, Problem, problem_at, problem_of};
use super::report::{CheckProgress, CheckReport, Damage, Remedy};
use super::schema::{Rebuilt, rebuild};
use super::tag_loss::{LOSES_STATE, loss_of_tags};
use super::view::{Parts, View};
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::{FOOTER, FRAGMENTS, FragmentFiles, SCHEMAS, end_timestamp, unrecorded_schemas};
use crate::files::fragment_list::{commit_file, fragments, schemas};
use crate::files::location::{Location, SEGMENTS};
use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::log::segments_schema::SegmentsSchema;
use crate::log::state::LogState;

/// Fragments in an object store that are read at a time. From a local disk it is one for each processor.
const CONCURRENT_REMOTE: usize = 4;
/// Metadata of fragments that are read at a time.
const CONCURRENT_FOOTERS: usize = 16;

/// The check of the fragments in one state.
pub(super) struct FragmentCheck<'d> {
    database: &'d Database,
    state: &'d LogState,
    schema: SegmentsSchema,
    listed: BTreeMap<String, FragmentFiles>,
    parts: Parts,
    view: View,
}

impl<'d> FragmentCheck<'d> {
    /// # Errors
    /// [`Error::Damaged`] for a state without a schema.
    pub(super) async fn list(database: &'d Database, state: &'d LogState) -> Result<FragmentCheck<'d>> {
        let schema = state.schema.clone().ok_or_else(|| Error::Damaged {
            object: database.location().child("commits"),
            problem: "expected the schema of segments, found none".to_owned(),
        })?;
        let (location, recorded) = (database.location().clone(), state.schema_timestamps.clone());
        let list = move || {
            // A replaced writer may have left a schema, which the next takeover removes.
            let late = unrecorded_schemas(schemas(&location)?, &recorded);
            let names = late.iter().filter_map(|file| file.file_name()?.to_str());
            let parts = Parts { hidden: names.map(|name| format!("{SCHEMAS}/{name}")).collect(), ..Parts::default() };
            Ok((fragments(&location)?, View::new(&location, &parts)?, parts))
        };
        let (listed, view, parts) = blocking(list).await?;
        Ok(FragmentCheck { database, state, schema, listed, parts, view })
    }

    /// The names of the fragments that libtiledb sees.
    pub(super) fn listed(&self) -> impl Iterator<Item = &String> {
        self.listed.keys().filter(|name| self.is_listed(name))
    }

    /// Checks that the array has the recorded columns, or can have them again. Without them no fragment can be judged.
    pub(super) async fn check_schema(&mut self, report: &mut CheckReport) -> Result<bool> {
        let Some(problem) = self.schema_problem()? else {
            self.check_late_schemas(report).await?;
            return Ok(true);
        };
        let rebuilt = rebuild(self.database, self.state, self.view.clone(), self.parts.clone()).await?;
        if let Some(Rebuilt { files, removed, lost }) = rebuilt {
            self.parts.hidden.extend(removed.iter().cloned());
            self.parts.rebuilt.clone_from(&files);
            let (location, parts) = (self.database.location().clone(), self.parts.clone());
            self.view = blocking(move || View::new(&location, &parts)).await?;
            if self.schema_problem()?.is_none() {
                let damage = |(path, problem): Problem| Damage::new(self.path(&path), problem, Remedy::Restore);
                report.damages.extend(lost.into_iter().map(damage));
                report.repairs.array_files = files;
                report.repairs.removed.extend(removed);
                return Ok(true);
            }
        }
        report.damages.push(Damage::new(self.path(SCHEMAS), problem, Remedy::Rebuild));
        Ok(false)
    }

    /// The path of a file in the array.
    fn path(&self, path: &str) -> String {
        self.database.location().child(&format!("{SEGMENTS}/{path}"))
    }

    fn folder(&self, fragment: &str) -> String {
        self.path(&format!("{FRAGMENTS}/{fragment}"))
    }

    /// What differs between the columns of the array and the recorded ones.
    fn schema_problem(&self) -> Result<Option<String>> {
        let described = self.view.described();
        let found = described.schema_at(self.state.timestamp);
        match found.and_then(|(columns, _)| described.check_enumerations().map(|()| columns)) {
            Ok(columns) if columns == self.schema.arrow => Ok(None),
            Ok(_) => Ok(Some("expected the columns that the log records, found others".to_owned())),
            Err(error) => problem_of(error.into()).map(Some),
        }
    }

    /// Checks that the schemas of replaced writers do not keep libtiledb from opening the array.
    async fn check_late_schemas(&self, report: &mut CheckReport) -> Result<()> {
        for path in &self.parts.hidden {
            let (location, name) = (self.database.location().clone(), path.clone());
            let read = move || {
                let content = location.read(&format!("{SEGMENTS}/{name}"))?;
                let alone = DescribingFiles::new(&location.segments(), [(name, content.into())].into());
                alone.schemas().map(drop).map_err(Error::from)
            };
            if let Err(error) = blocking(read).await {
                let (_, problem) = problem_at(error, path)?;
                let problem = format!("the array cannot be opened with it: {problem}");
                report.damages.push(Damage::new(self.path(path), problem, Remedy::Remove));
                report.repairs.removed.insert(path.clone());
            }
        }
        Ok(())
    }

    /// Decodes the live fragments, some at a time.
    pub(super) async fn check_live(
        &self,
        ledger: &mut Ledger,
        report: &mut CheckReport,
        progress: &mut impl FnMut(CheckProgress),
    ) -> Result<()> {
        let live: Vec<Arc<FragmentRecord>> =
            self.state.segments.live.into_iter().map(|(_, fragment)| Arc::clone(&fragment.record)).collect();
        let mut done =
            CheckProgress { fragments: 0, of_fragments: live.len() as u64, rows: 0, of_rows: self.state.segments.rows };
        let concurrent = match self.database.location().folder() {
            Some(_) => available_parallelism().map_or(1, usize::from),
            None => CONCURRENT_REMOTE,
        };
        let decode = |record: Arc<FragmentRecord>| async move {
            let decoded = self.decode_twice(&record).await?;
            Ok::<_, Error>((record, decoded))
        };
        let mut decoded = stream::iter(live).map(decode).buffered(concurrent);
        progress(done);
        while let Some((record, decoded)) = decoded.try_next().await? {
            self.judge(&record, decoded, ledger, report);
            done.fragments += 1;
            done.rows += record.rows;
            progress(done);
        }
        (report.fragments, report.rows) = (done.fragments, done.rows);
        Ok(())
    }

    /// Decodes a fragment. A second try shows whether a problem passes.
    async fn decode_twice(&self, record: &Arc<FragmentRecord>) -> Result<Decoded> {
        match self.decode(record).await? {
            Err(_) => self.decode(record).await,
            decoded => Ok(decoded),
        }
    }

    async fn decode(&self, record: &Arc<FragmentRecord>) -> Result<Decoded> {
        let (location, view) = (self.database.location().clone(), self.view.clone());
        let (schema, record) = (self.schema.clone(), Arc::clone(record));
        blocking(move || decode(&location, &view, &schema, &record)).await
    }

    /// Decodes a fragment and compares its attempts with the `recorded` ones, if these are complete.
    pub(super) async fn decode_as_recorded(
        &self,
        record: &Arc<FragmentRecord>,
        recorded: Option<&BTreeMap<Id, u64>>,
    ) -> Result<Decoded> {
        let decoded = self.decode_twice(record).await?;
        Ok(self.compare(record, decoded, recorded.filter(|recorded| is_complete(record, recorded))))
    }

    fn compare(&self, record: &FragmentRecord, decoded: Decoded, recorded: Option<&BTreeMap<Id, u64>>) -> Decoded {
        decoded.and_then(|attempts| match recorded {
            Some(recorded) if *recorded != attempts => {
                let problem = "expected the attempts that the ledger records, found others".to_owned();
                Err((self.folder(&record.name), problem))
            }
            _ => Ok(attempts),
        })
    }

    /// Adds a decoded fragment to `ledger` or to what is damaged.
    fn judge(&self, record: &FragmentRecord, decoded: Decoded, ledger: &mut Ledger, report: &mut CheckReport) {
        let recorded = ledger.contents.get(&record.id);
        let complete = recorded.filter(|recorded| is_complete(record, recorded));
        let is_recorded = complete.is_some();
        match self.compare(record, decoded, complete) {
            Ok(attempts) => {
                if !is_recorded {
                    if recorded.is_some() {
                        report.repairs.rewrite_contents = true;
                    }
                    report.repairs.counted.insert(record.id);
                    ledger.contents.insert(record.id, attempts);
                }
                self.check_commit_file(record, ledger, report);
            }
            Err((path, problem)) => {
                let born = self.state.segments.live.get(&record.id).map_or(u64::MAX, |fragment| fragment.born);
                let problem = format!("{problem}{}", loss_of_tags(self.state, born, LOSES_STATE));
                let mut damage = Damage::new(path, problem, Remedy::Drop);
                damage.granules = ledger.granules(recorded.into_iter().flat_map(BTreeMap::keys), self.state);
                report.damages.push(damage);
                report.repairs.dropped.insert(record.id, record.name.clone());
            }
        }
    }

    /// Checks that a whole fragment has a commit file.
    fn check_commit_file(&self, record: &FragmentRecord, ledger: &Ledger, report: &mut CheckReport) {
        if self.is_listed(&record.name) {
            return;
        }
        let path = self.database.location().child(&commit_file(&record.name));
        let mut damage = Damage::new(path, MISSING, Remedy::Restore);
        damage.granules =
            ledger.granules(ledger.contents.get(&record.id).into_iter().flat_map(BTreeMap::keys), self.state);
        report.damages.push(damage);
        report.repairs.commit_files.insert(record.name.clone());
    }

    fn is_listed(&self, name: &str) -> bool {
        self.listed.get(name).is_some_and(|files| files.commit_file.is_some())
    }

    /// Checks that a whole fragment that only tags need has a commit file.
    pub(super) fn check_tagged_commit_file(&self, record: &FragmentRecord, report: &mut CheckReport) {
        if !self.is_listed(&record.name) && report.repairs.commit_files.insert(record.name.clone()) {
            let path = self.database.location().child(&commit_file(&record.name));
            report.damages.push(Damage::new(path, MISSING, Remedy::Restore));
        }
    }

    /// Checks that the fragments which no longer are live, or never were, can be opened: a broken one fails every open of the array.
    pub(super) async fn check_others(&self, report: &mut CheckReport) -> Result<()> {
        let live: BTreeSet<&str> =
            self.state.segments.live.into_iter().map(|(_, fragment)| fragment.record.name.as_str()).collect();
        // Later fragments belong to a writer that is at work.
        let is_seen = |name: &str| {
            end_timestamp(name).is_none_or(|timestamp| timestamp <= self.state.timestamp)
                || self.state.segments.dead.get(name).is_some()
        };
        let others = self.listed().filter(|name| !live.contains(name.as_str()) && is_seen(name));
        let others: Vec<String> = others.cloned().collect();
        if others.is_empty() {
            return Ok(());
        }
        let schemas = Arc::new(self.view.described().schemas()?);
        let check = |name: String| {
            let (location, schemas) = (self.database.location().clone(), Arc::clone(&schemas));
            blocking(move || Ok((footer_problem(&location, &schemas, &name)?, name)))
        };
        let mut checked = stream::iter(others).map(check).buffered(CONCURRENT_FOOTERS);
        while let Some((problem, name)) = checked.try_next().await? {
            if let Some(problem) = problem {
                report.damages.push(Damage::new(self.folder(&name), problem, Remedy::Remove));
                report.repairs.unlisted.insert(name);
            }
        }
        Ok(())
    }
}

/// Why libtiledb cannot open the fragment `name`. Blocks.
fn footer_problem(location: &Location, schemas: &StoredSchemas, name: &str) -> Result<Option<String>> {
    let folder = format!("{SEGMENTS}/{FRAGMENTS}/{name}");
    let content = location.read(&format!("{folder}/{FOOTER}"));
    let Err(error) = content.and_then(|content| Ok(schemas.check_footer(name, &content)?)) else { return Ok(None) };
    let (_, problem) = problem_at(error, name)?;
    let is_lost = problem == MISSING && location.names(&folder)?.is_empty();
    Ok(Some(match is_lost {
        true => "the folder does not exist".to_owned(),
        false => format!("{FOOTER}: {problem}"),
    }))
}

/// Whether the ledger's contents count every row of the fragment.
fn is_complete(record: &FragmentRecord, recorded: &BTreeMap<Id, u64>) -> bool {
    recorded.values().sum::<u64>() == record.rows
}
