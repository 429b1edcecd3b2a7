//! Reading and writing the netrc file. It is replaced in one step, and only its owner may read it.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use tempfile::NamedTempFile;

use super::edit::{changes_only_entry, with_entry};
use super::parse::Netrc;
use crate::error::{Error, Result};
use crate::login::credentials::Login;

/// Permission bits of everyone except the owner.
const OTHERS: u32 = 0o077;

/// Reads the user and password for `machine` from the netrc file at `path`; None without such a file or entry. The second
/// value is a warning if other users can read the file.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Netrc`] if the entry is incomplete or has unexpected words.
pub fn read_login(path: &Path, machine: &str) -> Result<(Option<Login>, Option<String>)> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, None)),
        Err(source) => return Err(Error::io(path, source)),
    };
    let netrc = Netrc::parse(&text);
    let Some(entry) = netrc.entry(machine) else { return Ok((None, None)) };
    let invalid = |problem: String| Error::Netrc { path: path.to_path_buf(), problem };
    if let Some(line) = entry.unexpected_at {
        return Err(invalid(format!(
            "line {line}: expected `machine` with login and password; a value with spaces needs quotes"
        )));
    }
    let origin = path.display().to_string();
    let login = match (&entry.login, &entry.password) {
        (Some(user), Some(password)) => {
            Login { user: user.clone(), password: SecretString::from(password.as_str()), origin }
        }
        _ => return Err(invalid(format!("the entry for {machine} lacks login or password"))),
    };
    let mode = std::fs::metadata(path).map_err(|source| Error::io(path, source))?.permissions().mode();
    let warning = (mode & OTHERS != 0).then(|| format!("{} can be read by other users: chmod 600 it", path.display()));
    Ok((Some(login), warning))
}

/// Stores `login` as the entry of `machine` in the netrc file at `path`, which is created if necessary. Other entries stay as
/// they are.
///
/// # Errors
/// [`Error::Netrc`] if the user or password contains a line break, or the file is too malformed to be edited; [`Error::Io`] if it
/// cannot be read or written.
pub fn store_login(path: &Path, machine: &str, login: &Login) -> Result<()> {
    let (user, password) = (login.user.as_str(), login.password.expose_secret());
    if [user, password].iter().any(|text| text.contains(['\n', '\r', '\0'])) {
        let problem = "cannot store a user or password with a line break".to_owned();
        return Err(Error::Netrc { path: path.to_path_buf(), problem });
    }
    let old = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(source) => return Err(Error::io(path, source)),
    };
    // A symbolic link stays a symbolic link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let new = with_entry(&old, machine, user, password);
    if !changes_only_entry(&old, &new, machine, user, password) {
        let problem = format!("the text around the entry for {machine} is malformed; edit it by hand");
        return Err(Error::Netrc { path, problem });
    }
    replace_private(&path, &new).map_err(|source| Error::io(&path, source))
}

/// Replaces the file at `path` in one step. Temporary files are private from the start, and are deleted on failure: this one
/// contains the password.
fn replace_private(path: &Path, text: &str) -> std::io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_path_buf);
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_login(user: &str, password: &str) -> Login {
        Login { user: user.to_owned(), password: SecretString::from(password), origin: String::new() }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_stored_login_is_private_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".netrc");
        assert!(matches!(read_login(&path, "urs").unwrap(), (None, None)));
        store_login(&path, "urs", &new_login("ann", "a b")).unwrap();
        store_login(&path, "urs", &new_login("ann", "c d")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "machine urs login ann password \"c d\"\n");
        assert_eq!(mode(&path), 0o600);
        let (login, warning) = read_login(&path, "urs").unwrap();
        let login = login.unwrap();
        assert_eq!((login.user.as_str(), login.password.expose_secret(), warning), ("ann", "c d", None));
        assert_eq!(login.origin, path.display().to_string());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_readable_file_causes_a_warning_and_becomes_private_when_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real");
        std::fs::write(&path, "machine urs login ann password p\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let warning = read_login(&path, "urs").unwrap().1.unwrap();
        assert!(warning.contains("chmod 600") && !warning.contains("password p"), "{warning}");
        let link = folder.path().join(".netrc");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        store_login(&link, "urs", &new_login("ann", "q")).unwrap();
        assert!(link.is_symlink() && mode(&path) == 0o600);
        assert_eq!(read_login(&path, "urs").unwrap().1, None);
    }

    #[test]
    fn a_malformed_entry_is_reported_without_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".netrc");
        for (text, expected) in [
            ("machine urs login ann password hunter2 two\n", "line 1: "),
            ("machine urs login ann\n", "lacks login or password"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_login(&path, "urs").unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hunter2") && !error.contains("two"), "{error}");
        }
        assert!(store_login(&path, "urs", &new_login("ann", "a\nb")).is_err());
    }
}
