//! Areas: the outlines that segments were taken from, stored once each under the checksum of their text.

use object_store::path::Path;
use sha2::{Digest, Sha256};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::objects::{Objects, is_missing, is_there};

const AREAS: &str = "areas";
const PREFIX: &str = "sha256:";

impl Database {
    /// Stores the text of an area as `areas/<checksum>.json` and returns its name, `sha256:<checksum>`. Storing it again is
    /// harmless, and everybody may at any time: nothing refers to an area but the ledger.
    ///
    /// # Errors
    /// [`Error::Log`] and [`Error::Io`] when it cannot be stored.
    pub async fn put_area(&self, text: &str) -> Result<String> {
        let name = area_name(text);
        match self.objects().create(&path_of(&name), &format!("area-{}", uuid::Uuid::new_v4()), text.into()).await {
            Err(error) if is_there(&error) => {}
            stored => stored?,
        }
        Ok(name)
    }

    /// The text of the area `name`, as [`put_area`](Self::put_area) returned it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when there is none or its text is another.
    pub async fn area(&self, name: &str) -> Result<String> {
        let path = path_of(name);
        let damaged = |problem: &str| Error::Damaged { object: path.to_string(), problem: problem.to_owned() };
        let bytes = match self.objects().get(&path).await {
            Err(error) if is_missing(&error) => return Err(damaged("the area is not there")),
            found => found?,
        };
        match String::from_utf8(bytes) {
            Ok(text) if area_name(&text) == name => Ok(text),
            _ => Err(damaged("its content does not have the checksum that it is named by")),
        }
    }

    fn objects(&self) -> &Objects {
        self.log().objects()
    }
}

/// The name that an area of this text has in every database, stored there or not.
#[must_use]
pub fn area_name(text: &str) -> String {
    let hex: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{hex}")
}

/// A name that is no checksum leads nowhere, least of all out of the folder.
fn path_of(name: &str) -> Path {
    let checksum = name.strip_prefix(PREFIX).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    Path::from_iter([AREAS, &format!("{}.json", checksum.unwrap_or("none"))])
}
