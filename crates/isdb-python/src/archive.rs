//! NASA's archive: search, download and login.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use isdb::cmr::{Account, CredentialKind, Credentials, Earthdata, Login, SecretString, netrc, worklist};
use isdb::embed::{Failure, granule_rows, search_archive};
use isdb::{
    DownloadOptions, DownloadOutcome, DownloadProgress, DownloadRequest, SearchResult, earthdata, estimate,
    granule_format, read_work_list,
};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatch;
use serde_json::json;

use crate::failure::{exception, raise};
use crate::options::{OpenOptions, TrackOptions, ViewRestrictions};
use crate::progress::Happened;
use crate::runtime::{Events, WRITE_PATIENCE, wait, wait_with};

/// A connection that receives no data for this long is reopened.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The granules of a search.
#[pyclass(frozen, module = "isdb._isdb")]
pub(crate) struct Granules(SearchResult);

impl Granules {
    pub(crate) fn found(&self) -> &SearchResult {
        &self.0
    }
}

#[pymethods]
impl Granules {
    /// The granules of work lists.
    #[staticmethod]
    fn read(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Granules> {
        let mut granules = Vec::new();
        for path in paths {
            granules.extend(read_work_list(&path).map_err(|error| raise(py, &Failure::from(error)))?);
        }
        Ok(Granules(SearchResult::from_granules(granules)))
    }

    fn __len__(&self) -> usize {
        self.0.granules.len()
    }

    /// The granules at these places.
    fn at(&self, places: Vec<usize>) -> Granules {
        let granules = places.iter().filter_map(|place| self.0.granules.get(*place).cloned());
        Granules(SearchResult::from_granules(granules))
    }

    /// A row for each granule, as a `pyarrow.RecordBatch`.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = granule_rows(&self.0.granules).map_err(|failure| raise(py, &failure))?;
        PyRecordBatch::new(rows).into_pyarrow(py)
    }

    /// Descriptions that do not identify a granule: names and reasons.
    #[getter]
    fn unusable(&self) -> Vec<(String, String)> {
        self.0.unusable.iter().map(|description| (description.name(), description.reason.clone())).collect()
    }

    /// The bytes of all files, and the estimated bytes of a database with all variables.
    #[getter]
    fn bytes(&self) -> (u64, u64) {
        let bytes = self.0.granules.iter().filter_map(|granule| granule.bytes).fold(0, u64::saturating_add);
        (bytes, estimate::database_bytes(bytes))
    }

    /// Writes a work list.
    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let mut file = std::fs::File::create(path)?;
        worklist::write(&mut file, &self.0.granules).map_err(|error| raise(py, &Failure::from(error)))
    }
}

/// Searches NASA's archive. `listener` is called with the progress.
#[pyfunction]
pub(crate) fn search(
    py: Python<'_>,
    restrictions: ViewRestrictions,
    track: TrackOptions,
    database: Option<OpenOptions>,
    listener: Py<PyAny>,
) -> PyResult<Granules> {
    let make = move |events: Events<Happened>| async move {
        let location = database.map(|options| isdb::embed::DatabaseOptions::from(options).location()).transpose()?;
        let notices = events.clone();
        let notice = move |text: &str| notices.send(Happened::warning(text));
        let progress = move |progress| events.send(Happened::from(progress));
        search_archive(&track.into(), &restrictions.into(), location, progress, notice).await
    };
    let listen = |py: Python<'_>, happened: Happened| happened.report(py, &listener);
    Ok(Granules(wait_with(py, make, listen, Duration::ZERO)?))
}

/// The name of a file, its path, and why it was not downloaded: one of the last two is None.
type Outcome = (String, Option<PathBuf>, Option<String>);

/// Downloads the files of granules into `folder`. Returns for each the name, the path, and the error: one of them is None.
#[pyfunction]
pub(crate) fn download(
    py: Python<'_>,
    granules: Bound<'_, Granules>,
    folder: PathBuf,
    connections: usize,
    listener: Py<PyAny>,
) -> PyResult<Vec<Outcome>> {
    let granules = granules.get().0.granules.clone();
    let make = move |events: Events<Happened>| async move {
        let notices = events.clone();
        let session = earthdata::session(STALL_TIMEOUT, move |text| notices.send(Happened::warning(text)))?;
        let (mut requests, mut outcomes) = (Vec::new(), Vec::new());
        for granule in &granules {
            match DownloadRequest::for_granule(granule) {
                Ok(request) => requests.push(request),
                Err(error) => outcomes.push((granule.file_name(), None, Some(Failure::from(error).to_string()))),
            }
        }
        let missing = isdb::cmr::bytes_to_download(&folder, &requests);
        isdb::cmr::check_free_space(missing, &folder)?;
        events.send(Happened::new("to_download", json!({ "granules": requests.len(), "bytes": missing })));
        let options =
            DownloadOptions { connections: connections.max(1), ..DownloadOptions::new(&folder, granule_format()) };
        let received = events.clone();
        let progress = move |progress: DownloadProgress<'_>| match progress {
            DownloadProgress::Received(bytes) => received.send(Happened::new("received", json!({ "bytes": bytes }))),
            DownloadProgress::Retrying { request, error, pause } => received.send(Happened::new(
                "download_retried",
                json!({ "name": request.name, "error": error.to_string(), "seconds": pause.as_secs_f64() }),
            )),
            _ => {}
        };
        let results = isdb::download(Arc::new(session), futures::stream::iter(requests), options, progress);
        let mut results = std::pin::pin!(results);
        while let Some(DownloadOutcome { request, result }) = results.next().await {
            match result {
                Ok(file) => outcomes.push((request.name, Some(file.path), None)),
                // The archive would refuse the login for the next file as well.
                Err(error) if error.is_login_error() => return Err(error.into()),
                Err(error) => outcomes.push((request.name, None, Some(Failure::from(error).to_string()))),
            }
            events.send(Happened::new("downloaded", json!({ "granules": outcomes.len() })));
        }
        Ok(outcomes)
    };
    let listen = |py: Python<'_>, happened: Happened| happened.report(py, &listener);
    wait_with(py, make, listen, WRITE_PATIENCE)
}

/// Who is logged in: the user, the kind of login, where it comes from, and when a token expires.
type Who = (Option<String>, &'static str, String, Option<String>);

/// Tries the login that the environment or the netrc has.
#[pyfunction]
pub(crate) fn check_login(py: Python<'_>) -> PyResult<Who> {
    let account = wait(py, || async {
        let session = earthdata::session(STALL_TIMEOUT, |text| tracing::warn!("{text}"))?;
        Ok::<_, Failure>(session.check().await?)
    })?;
    Ok(who(account))
}

/// Tries a login, and stores it in the netrc.
#[pyfunction]
pub(crate) fn store_login(py: Python<'_>, user: String, password: String) -> PyResult<Who> {
    let path = earthdata::netrc_path();
    let path =
        path.ok_or_else(|| exception(py, "LoginFailed", "cannot locate a home directory for the netrc", None))?;
    let account = wait(py, move || async move {
        let hosts = earthdata::hosts()?;
        let machine = earthdata::machine(&hosts);
        let login = Login { user, password: SecretString::from(password), origin: "the arguments".to_owned() };
        let credentials = Credentials { token: None, login: Some(login.clone()) };
        let account = Earthdata::new(credentials, hosts, STALL_TIMEOUT)?.check().await?;
        netrc::store_login(&path, &machine, &login)?;
        Ok::<_, Failure>(account)
    })?;
    Ok(who(account))
}

fn who(account: Account) -> Who {
    let kind = if account.accepted == CredentialKind::Token { "token" } else { "user and password" };
    let expires = account.token_expires.map(|expires| expires.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    (account.user, kind, account.origin, expires)
}
