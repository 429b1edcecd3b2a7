//! Where the databases of tests are: in a folder, or in a bucket of a server in the test process; and their files, by path below the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use isdb_testing::s3::{Fault, S3Server};

use super::object_store::location;
use super::{NOW, variables};
use crate::{Database, Design, Location};

/// The kinds of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Disk,
    Bucket,
    /// A bucket of which one in twenty requests fails or is late.
    Flaky,
}

/// Those in which requests succeed.
pub(super) const PLACES: [Place; 2] = [Place::Disk, Place::Bucket];

/// The key of the database in the bucket.
const KEY: &str = "a/db";

/// Where one database is.
pub(super) enum Home {
    Disk(tempfile::TempDir),
    Bucket(S3Server),
}

/// A new database without granules.
pub(super) async fn fresh_at(place: Place) -> (Home, Database) {
    let home = Home::new(place);
    let database = Database::create(&home.location(), &Design::new(&variables()), NOW).await.unwrap();
    (home, database)
}

/// What happens to a request by its number: one in twenty fails or is late.
pub(super) fn fault_of(request: u64) -> Fault {
    match request % 100 {
        13 => Fault::Refuse(500, "InternalError"),
        33 => Fault::Refuse(503, "SlowDown"),
        53 => Fault::Reset,
        73 => Fault::LoseAnswer,
        93 => Fault::Delay(Duration::from_millis(20)),
        _ => Fault::None,
    }
}

/// Lets one in twenty requests fail or be late.
pub(super) fn fail_now_and_then(server: &S3Server) {
    let mut count = 0;
    server.set_faults(move |_| {
        count += 1;
        fault_of(count)
    });
}

impl Home {
    pub(super) fn new(place: Place) -> Home {
        match place {
            Place::Disk => Home::Disk(tempfile::tempdir().unwrap()),
            Place::Bucket => Home::Bucket(S3Server::start()),
            Place::Flaky => {
                let server = S3Server::start();
                fail_now_and_then(&server);
                Home::Bucket(server)
            }
        }
    }

    /// Another place with the same files.
    pub(super) fn copied(&self) -> Home {
        match self {
            Home::Disk(folder) => {
                let copy = tempfile::tempdir().unwrap();
                copy_folder(&folder.path().join("db"), &copy.path().join("db"));
                Home::Disk(copy)
            }
            Home::Bucket(server) => {
                let copy = S3Server::start();
                for key in server.keys() {
                    copy.put(&key, &server.get(&key).unwrap());
                }
                Home::Bucket(copy)
            }
        }
    }

    /// The location of the database.
    pub(super) fn location(&self) -> Location {
        match self {
            Home::Disk(folder) => Location::parse(folder.path().join("db").to_str().unwrap()).unwrap(),
            Home::Bucket(server) => location(server),
        }
    }

    /// The server of a bucket.
    pub(super) fn server(&self) -> Option<&S3Server> {
        match self {
            Home::Disk(_) => None,
            Home::Bucket(server) => Some(server),
        }
    }

    fn file(folder: &tempfile::TempDir, path: &str) -> PathBuf {
        folder.path().join("db").join(path)
    }

    /// The content of a file; None if it does not exist.
    pub(super) fn get(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            Home::Disk(folder) => fs::read(Home::file(folder, path)).ok(),
            Home::Bucket(server) => server.get(&format!("{KEY}/{path}")),
        }
    }

    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        self.get(path).unwrap_or_else(|| panic!("{path} does not exist"))
    }

    pub(super) fn write(&self, path: &str, content: &[u8]) {
        match self {
            Home::Disk(folder) => {
                let file = Home::file(folder, path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, content).unwrap();
            }
            Home::Bucket(server) => server.put(&format!("{KEY}/{path}"), content),
        }
    }

    pub(super) fn remove(&self, path: &str) {
        assert!(self.get(path).is_some(), "{path} does not exist");
        match self {
            Home::Disk(folder) => fs::remove_file(Home::file(folder, path)).unwrap(),
            Home::Bucket(server) => server.remove(&format!("{KEY}/{path}")),
        }
    }

    /// Removes a folder and everything below it.
    pub(super) fn remove_all(&self, path: &str) {
        assert!(!self.all(path).is_empty(), "{path} does not exist");
        match self {
            Home::Disk(folder) => fs::remove_dir_all(Home::file(folder, path)).unwrap(),
            Home::Bucket(server) => {
                self.all(path).iter().for_each(|path| server.remove(&format!("{KEY}/{path}")));
            }
        }
    }

    /// The paths of all files in a folder and below it; of the whole database, if it is empty.
    pub(super) fn all(&self, path: &str) -> Vec<String> {
        let files = match self {
            Home::Disk(folder) => {
                let root = folder.path().join("db");
                let (mut files, mut folders) = (Vec::new(), vec![root.join(path)]);
                while let Some(next) = folders.pop() {
                    for entry in fs::read_dir(next).into_iter().flatten().map(Result::unwrap) {
                        match entry.file_type().unwrap().is_dir() {
                            true => folders.push(entry.path()),
                            false => files.push(entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned()),
                        }
                    }
                }
                files.sort();
                files
            }
            Home::Bucket(server) => {
                let keys = server.keys().into_iter();
                keys.filter_map(|key| Some(key.strip_prefix(KEY)?.strip_prefix('/')?.to_owned())).collect()
            }
        };
        files.into_iter().filter(|file: &String| Path::new(file).starts_with(path)).collect()
    }

    /// The paths of the files in a folder, and not below it.
    pub(super) fn files(&self, path: &str) -> Vec<String> {
        let mut files = self.all(path);
        files.retain(|file| Path::new(file).parent() == Some(Path::new(path)));
        files
    }

    /// Gives a folder another name.
    pub(super) fn rename(&self, from: &str, to: &str) {
        for path in self.all(from) {
            let rest = path.strip_prefix(from).unwrap();
            self.write(&format!("{to}{rest}"), &self.read(&path));
        }
        self.remove_all(from);
    }

    /// Changes a byte in the middle of a file.
    pub(super) fn flip(&self, path: &str) {
        let mut content = self.read(path);
        let middle = content.len() / 2;
        content[middle] ^= 0x55;
        self.write(path, &content);
    }

    /// Removes the second half of a file.
    pub(super) fn cut(&self, path: &str) {
        let content = self.read(path);
        self.write(path, &content[..content.len() / 2]);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(|_| ()).unwrap(),
        }
    }
}
