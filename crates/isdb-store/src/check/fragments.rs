//! The check of fragments: those of the newest state are decoded, and all others must not keep libtiledb from opening the array.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tiledb::Array;

use super::decode::{Problem, check_files, check_footer, decode};
use super::ledger::Ledger;
use super::problem::problem_of;
use super::report::{CheckProgress, CheckReport, Damage, Remedy};
use super::schema::{Rebuilt, rebuild};
use super::tag_loss::{LOSES_STATE, loss_of_tags};
use super::view::{CONSOLIDATED, Parts, View};
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::files::array_files::{
    COMMIT_FILES, FRAGMENTS, FragmentFiles, SCHEMAS, end_timestamp, list_fragments, list_names, list_schemas,
    unrecorded_schemas,
};
use crate::fragment::FragmentRecord;
use crate::id::Id;
use crate::log::state::LogState;

/// The check of the fragments in one state.
pub(super) struct FragmentCheck<'d> {
    database: &'d Database,
    state: &'d LogState,
    array: PathBuf,
    listed: BTreeMap<String, FragmentFiles>,
    parts: Parts,
    view: Arc<Mutex<View>>,
}

/// Rows by attempt of a whole fragment, or its problem.
pub(super) type Decoded = Result<BTreeMap<Id, u64>, Problem>;

impl<'d> FragmentCheck<'d> {
    pub(super) async fn list(database: &'d Database, state: &'d LogState) -> Result<FragmentCheck<'d>> {
        let location = database.location().clone();
        let array = PathBuf::from(location.segments());
        let (folder, recorded) = (array.clone(), state.schema_timestamps.clone());
        let list = move || {
            // A replaced writer may have left a schema, which the next takeover removes.
            let late = unrecorded_schemas(list_schemas(&folder)?, &recorded);
            let hidden = late.iter().filter_map(|file| file.strip_prefix(&folder).ok()?.to_str().map(str::to_owned));
            let parts = Parts { hidden: hidden.collect(), ..Parts::default() };
            Ok((list_fragments(&folder)?, View::new(&location, &parts)?, parts))
        };
        let (listed, view, parts) = blocking(list).await?;
        Ok(FragmentCheck { database, state, array, listed, parts, view: Arc::new(Mutex::new(view)) })
    }

    /// Checks that the array has the recorded columns, or can have them again. Without them no fragment can be judged.
    pub(super) async fn check_schema(&mut self, report: &mut CheckReport) -> Result<bool> {
        let Some(problem) = self.schema_problem().await? else {
            self.check_late_schemas(report).await?;
            return Ok(true);
        };
        let rebuilt = rebuild(self.database, self.state, self.parts.hidden.clone()).await?;
        if let Some(Rebuilt { files, removed, lost }) = rebuilt {
            self.parts.hidden.extend(removed.iter().cloned());
            self.parts.rebuilt.clone_from(&files);
            let (location, parts) = (self.database.location().clone(), self.parts.clone());
            self.view = Arc::new(Mutex::new(blocking(move || View::new(&location, &parts)).await?));
            if self.schema_problem().await?.is_none() {
                let damage = |(path, problem): (String, String)| {
                    Damage::new(self.array.join(path).display(), problem, Remedy::Restore)
                };
                report.damages.extend(lost.into_iter().map(damage));
                report.repairs.array_files = files;
                report.repairs.files.extend(removed.iter().map(|path| self.array.join(path)));
                return Ok(true);
            }
        }
        report.damages.push(Damage::new(self.array.join(SCHEMAS).display(), problem, Remedy::Rebuild));
        Ok(false)
    }

    /// What differs between the columns of the array and the recorded ones.
    async fn schema_problem(&self) -> Result<Option<String>> {
        let recorded = self.state.schema.as_ref();
        let opened = match self.open(Vec::new()).await {
            Ok(array) => self.check_enumerations().await.map(|()| array),
            Err(error) => Err(error),
        };
        match opened {
            Ok(array) if recorded.is_some_and(|recorded| recorded.arrow == array.schema()) => Ok(None),
            Ok(_) => Ok(Some("expected the columns that the log records, found others".to_owned())),
            Err(error) => {
                let problem = problem_of(error)?;
                Ok(Some(self.view.lock().unwrap_or_else(PoisonError::into_inner).with_real_paths(&problem)))
            }
        }
    }

    /// Reads the texts of dictionary columns, for other programs.
    async fn check_enumerations(&self) -> Result<()> {
        let (database, view) = (self.database.clone(), Arc::clone(&self.view));
        let check = move || {
            let view = view.lock().unwrap_or_else(PoisonError::into_inner);
            Array::check_enumerations(database.context()?, &view.uri()).map_err(Error::from)
        };
        blocking(check).await
    }

    /// Checks that the schemas of replaced writers do not keep libtiledb from opening the array.
    async fn check_late_schemas(&self, report: &mut CheckReport) -> Result<()> {
        if self.parts.hidden.is_empty() {
            return Ok(());
        }
        let database = self.database.clone();
        let timestamp = self.state.timestamp;
        let open = move || {
            let view = View::new(database.location(), &Parts::default())?;
            Array::open_by_library(database.context()?, &view.uri(), Some(timestamp)).map(|_| ()).map_err(Error::from)
        };
        if let Err(error) = blocking(open).await {
            let problem = problem_of(error)?;
            for file in self.parts.hidden.iter().map(|path| self.array.join(path)) {
                let problem = format!("the array cannot be opened with it: {problem}");
                report.damages.push(Damage::new(file.display(), problem, Remedy::Remove));
                report.repairs.files.push(file);
            }
        }
        Ok(())
    }

    /// Decodes the live fragments one by one.
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
        for record in live {
            progress(done);
            let decoded = self.decode_twice(&record).await?;
            self.judge(&record, decoded, ledger, report);
            done.fragments += 1;
            done.rows += record.rows;
        }
        progress(done);
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
        let (database, array, view) = (self.database.clone(), self.array.clone(), Arc::clone(&self.view));
        let (record, timestamp) = (Arc::clone(record), self.state.timestamp);
        let decode = move || {
            let folder = array.join(FRAGMENTS).join(&record.name);
            if let Some(problem) = check_footer(&array, &record)? {
                return Ok(Err(problem));
            }
            if let Some(problem) = check_files(&folder)? {
                return Ok(Err(problem));
            }
            let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
            view.show([record.name.as_str()])?;
            let decoded = decode(database.context()?, &view.uri(), timestamp, &record)?;
            Ok(decoded.map_err(|problem| {
                let problem = view.with_real_paths(&problem);
                (file_in(&problem, &folder).unwrap_or(folder), problem)
            }))
        };
        blocking(decode).await
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
                Err((self.array.join(FRAGMENTS).join(&record.name), problem))
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
                let mut damage = Damage::new(path.display(), problem, Remedy::Drop);
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
        let path = self.array.join(COMMIT_FILES).join(format!("{}.wrt", record.name));
        let mut damage = Damage::new(path.display(), "it does not exist", Remedy::Restore);
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
            let path = self.array.join(COMMIT_FILES).join(format!("{}.wrt", record.name));
            report.damages.push(Damage::new(path.display(), "it does not exist", Remedy::Restore));
        }
    }

    /// Checks that the fragments which no longer are live, or never were, can be opened: a broken one fails every open of the array.
    pub(super) async fn check_others(&self, report: &mut CheckReport) -> Result<()> {
        let live: BTreeSet<&str> =
            self.state.segments.live.into_iter().map(|(_, fragment)| fragment.record.name.as_str()).collect();
        // Later fragments belong to a writer that is at work.
        let is_seen = |name: &str| end_timestamp(name).is_none_or(|timestamp| timestamp <= self.state.timestamp);
        for name in self.listed.keys().filter(|name| self.is_listed(name) && !live.contains(name.as_str())) {
            if !is_seen(name) && self.state.segments.dead.get(name).is_none() {
                continue;
            }
            let folder = self.array.join(FRAGMENTS).join(name);
            let problem = match self.open(vec![name.clone()]).await {
                Ok(_) => continue,
                Err(_) if !folder.is_dir() => "the folder does not exist".to_owned(),
                Err(error) => {
                    self.view.lock().unwrap_or_else(PoisonError::into_inner).with_real_paths(&problem_of(error)?)
                }
            };
            report.damages.push(Damage::new(folder.display(), problem, Remedy::Remove));
            report.repairs.unlisted.insert(name.clone());
        }
        Ok(())
    }

    /// Checks that the array can be opened with its consolidated footers, without the fragments that a repair drops.
    pub(super) async fn check_consolidated(&self, report: &mut CheckReport) -> Result<()> {
        let folder = self.array.join(CONSOLIDATED);
        let footers = list_names(&folder)?;
        if footers.is_empty() {
            return Ok(());
        }
        let broken: BTreeSet<&String> = report.repairs.dropped.values().chain(&report.repairs.unlisted).collect();
        let is_whole = |name: &&String| self.is_listed(name) && !broken.contains(*name);
        let whole: Vec<String> = self.listed.keys().filter(is_whole).cloned().collect();
        let (database, timestamp) = (self.database.clone(), self.state.timestamp);
        let parts = Parts { footers: true, ..self.parts.clone() };
        let open = move || {
            let mut view = View::new(database.location(), &parts)?;
            view.show(whole.iter().map(String::as_str))?;
            Array::open_by_library(database.context()?, &view.uri(), Some(timestamp)).map(|_| ()).map_err(Error::from)
        };
        if let Err(error) = blocking(open).await {
            report.damages.push(Damage::new(folder.display(), problem_of(error)?, Remedy::Remove));
            report.repairs.files.extend(footers.into_iter().map(|name| folder.join(name)));
        }
        Ok(())
    }

    /// Opens a view of the fragments `names`.
    async fn open(&self, names: Vec<String>) -> Result<Array> {
        let (database, view, timestamp) = (self.database.clone(), Arc::clone(&self.view), self.state.timestamp);
        let open = move || {
            let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
            view.show(names.iter().map(String::as_str))?;
            Ok(Array::open_by_library(database.context()?, &view.uri(), Some(timestamp))?)
        };
        blocking(open).await
    }
}

/// Whether the ledger's contents count every row of the fragment.
fn is_complete(record: &FragmentRecord, recorded: &BTreeMap<Id, u64>) -> bool {
    recorded.values().sum::<u64>() == record.rows
}

/// The file in `folder` that a message names.
fn file_in(message: &str, folder: &Path) -> Option<PathBuf> {
    let start = message.find(&*folder.to_string_lossy())?;
    let path = message[start..].split(['\'', '"', ';', ' ', ')']).next()?;
    Path::new(path).extension().is_some_and(|extension| extension == "tdb").then(|| PathBuf::from(path))
}
