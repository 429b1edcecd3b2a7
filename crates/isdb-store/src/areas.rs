//! Areas: the outlines that segments were taken from. Each has a name, which the ledger and the commits hold: the area itself as
//! text if that is short, else the file in the database's folder that holds it, which is called after its checksum.

use isdb_region::Region;
use object_store::path::Path;
use sha2::{Digest, Sha256};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::objects::{Objects, is_missing, is_there};

const AREAS: &str = "areas";
/// The names of areas in files began like this before they were the paths of those files.
const CHECKSUM: &str = "sha256:";
/// Longer texts, in bytes, are files of their own: boxes and plain polygons stay readable in the ledger, the border of a country
/// is not repeated for each granule.
const SHORT: usize = 300;

impl Database {
    /// Stores the text of an area, as `areas/<checksum>.json` if it is long, and returns its name: [`area_name`]. Storing it
    /// again is harmless, and any process may at any time.
    ///
    /// # Errors
    /// [`Error::Log`] and [`Error::Io`] when it cannot be stored.
    pub async fn put_area(&self, text: &str) -> Result<String> {
        put(self.objects(), text).await
    }

    /// The text of the area `name`, as [`put_area`](Self::put_area) returned it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when its file does not exist or holds another text.
    pub async fn area(&self, name: &str) -> Result<String> {
        let Some(path) = path_of(name) else { return Ok(name.to_owned()) };
        let damaged = |problem: &str| Error::Damaged { object: path.to_string(), problem: problem.to_owned() };
        let bytes = match self.objects().get(&path).await {
            Err(error) if is_missing(&error) => return Err(damaged("the area is not there")),
            found => found?,
        };
        match String::from_utf8(bytes) {
            Ok(text) if Some(checksum(&text).as_str()) == stem(name) => Ok(text),
            _ => Err(damaged("its content does not have the checksum that it is named by")),
        }
    }

    /// The region of the area `name`.
    ///
    /// # Errors
    /// As for [`area`](Self::area); [`Error::Damaged`] also for a text that is not a region.
    pub(crate) async fn region(&self, name: &str) -> Result<Region> {
        let text = self.area(name).await?;
        Region::parse(&text).map_err(|error| Error::Damaged { object: name.to_owned(), problem: error.to_string() })
    }

    fn objects(&self) -> &Objects {
        self.log().objects()
    }
}

/// Stores the text of an area among `objects` and returns its name.
pub(crate) async fn put(objects: &Objects, text: &str) -> Result<String> {
    let name = area_name(text);
    if let Some(path) = path_of(&name) {
        match objects.create(&path, &format!("area-{}", uuid::Uuid::new_v4()), text.into()).await {
            Err(error) if is_there(&error) => {}
            stored => stored?,
        }
    }
    Ok(name)
}

/// The name that an area of this text has in every database: the text if that is short, else `areas/<checksum>.json`.
#[must_use]
pub fn area_name(text: &str) -> String {
    match text.len() <= SHORT {
        true => text.to_owned(),
        false => format!("{AREAS}/{}.json", checksum(text)),
    }
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The checksum that the name of an area in a file holds; None for an area that is its own name.
fn stem(name: &str) -> Option<&str> {
    let of_path = name.strip_prefix(AREAS).and_then(|rest| rest.strip_prefix('/'));
    match of_path {
        Some(file) => Some(file.strip_suffix(".json").unwrap_or(file)),
        None => name.strip_prefix(CHECKSUM),
    }
}

/// The file of an area; None for one that is its own name. A name without a checksum leads nowhere, least of all out of the
/// folder.
fn path_of(name: &str) -> Option<Path> {
    let stem = stem(name)?;
    let is_checksum = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(Path::from_iter([AREAS, &format!("{}.json", if is_checksum { stem } else { "none" })]))
}
