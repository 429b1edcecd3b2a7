//! Areas: the outlines that ingests were restricted to. The ledger and the commits refer to an area by name: a short area is its own
//! name, a long one is a file in the database's folder, named by its checksum.

use isdb_region::Region;
use object_store::path::Path;
use sha2::{Digest, Sha256};

use super::objects::{Objects, already_exists, is_not_found};
use crate::error::{Error, Result};

const AREAS: &str = "areas";
/// The prefix of an area's name in earlier databases, in which the name was not yet the path of the file.
const CHECKSUM_PREFIX: &str = "sha256:";
/// The maximum length in bytes of a text that is its own name: boxes and plain polygons stay readable in the ledger, and the
/// border of a country is not repeated for each granule.
const MAX_INLINE_BYTES: usize = 300;

/// Stores the text of an area, in a file if it is long, and returns its name. Storing an area again changes nothing.
pub(crate) async fn store_area(objects: &Objects, text: &str) -> Result<String> {
    let name = area_name(text);
    if let Some(path) = file_of(&name) {
        match objects.create(&path, &format!("area-{}", uuid::Uuid::new_v4()), text.into()).await {
            Err(error) if already_exists(&error) => {}
            created => created?,
        }
        // The folder may be new. If another process created the file or the folder, it may not have synced them yet.
        objects.sync_folder_of(&path)?;
        objects.sync_root()?;
    }
    Ok(name)
}

/// Returns the text of the area `name`.
///
/// # Errors
/// [`Error::Damaged`] when its file does not exist, or its content does not match the checksum in its name.
pub(crate) async fn load_area(objects: &Objects, name: &str) -> Result<String> {
    let Some(path) = file_of(name) else { return Ok(name.to_owned()) };
    let damaged = |problem: &str| Error::Damaged { object: path.to_string(), problem: problem.to_owned() };
    let bytes = match objects.get(&path).await {
        Err(error) if is_not_found(&error) => return Err(damaged("the file of the area does not exist")),
        content => content?,
    };
    match String::from_utf8(bytes) {
        Ok(text) if Some(checksum(&text).as_str()) == checksum_in(name) => Ok(text),
        _ => Err(damaged("its content does not match the checksum in its name")),
    }
}

/// Returns the region of the area `name`.
///
/// # Errors
/// As for [`load_area`], and [`Error::Damaged`] for a text that is not a region.
pub(crate) async fn load_region(objects: &Objects, name: &str) -> Result<Region> {
    let text = load_area(objects, name).await?;
    Region::parse(&text).map_err(|error| Error::Damaged { object: name.to_owned(), problem: error.to_string() })
}

/// Returns the name that an area of this text has in every database: the text itself up to 300 bytes, else
/// `areas/<SHA-256 of the text>.json`, a path in the database's folder.
#[must_use]
pub fn area_name(text: &str) -> String {
    match text.len() <= MAX_INLINE_BYTES {
        true => text.to_owned(),
        false => format!("{AREAS}/{}.json", checksum(text)),
    }
}

fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The checksum in the name of an area that is a file; None for an area that is its own name.
fn checksum_in(name: &str) -> Option<&str> {
    match name.strip_prefix(AREAS).and_then(|rest| rest.strip_prefix('/')) {
        Some(file) => Some(file.strip_suffix(".json").unwrap_or(file)),
        None => name.strip_prefix(CHECKSUM_PREFIX),
    }
}

/// The file of an area; None for an area that is its own name. A name without a checksum gets the path of a file that never exists,
/// so that no name leads out of the folder.
fn file_of(name: &str) -> Option<Path> {
    let checksum = checksum_in(name)?;
    let is_checksum = !checksum.is_empty() && checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(Path::from_iter([AREAS, &format!("{}.json", if is_checksum { checksum } else { "none" })]))
}
