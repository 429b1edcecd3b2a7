//! File systems that have no locks or sync no folders: NFS without a lock daemon, Lustre without `-o flock`, CIFS, some FUSE.
//! Downloads do without: a file is checked before it gets its name.

use std::fs::File;
use std::io::Result;
use std::path::Path;

use rustix::io::Errno;

/// How they say so.
const LACKING: [Errno; 6] = [Errno::PERM, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOLCK];

/// Whether `error` says that the file system lacks the operation.
pub(super) fn is_lacking(error: &std::io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| LACKING.contains(&errno))
}

/// Makes the entries of the folder that holds `path` durable, where the file system can.
pub(super) fn sync_folder_of(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    match File::open(folder)?.sync_all() {
        Err(error) if is_lacking(&error) => Ok(()),
        synced => synced,
    }
}
