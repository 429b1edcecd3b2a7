//! The netrc file itself: who may read it, and how an entry gets into it whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Netrc, is_replaced, with_entry};
use crate::credentials::{Login, Secret};
use crate::error::{Error, Result};

/// What only the owner may do.
const PRIVATE: u32 = 0o600;
const OTHERS: u32 = 0o077;

/// The user and password that the netrc at `path` has for `machine`, None when there is no such file or entry, and a warning
/// when others may read the file.
///
/// # Errors
/// When the file cannot be read, or the entry does not say both, or says something that nobody could mean.
pub fn found(path: &Path, machine: &str) -> Result<(Option<Login>, Option<String>)> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, None)),
        Err(source) => return Err(Error::io(path, source)),
    };
    let netrc = Netrc::parse(&text);
    let Some(entry) = netrc.entry(machine) else { return Ok((None, None)) };
    let wrong = |problem: String| Error::Netrc { path: path.to_path_buf(), problem };
    if let Some(line) = entry.strange {
        return Err(wrong(format!(
            "line {line}: after `machine` come login and password; a value with spaces needs quotes"
        )));
    }
    let whence = path.display().to_string();
    let login = match (&entry.login, &entry.password) {
        (Some(user), Some(password)) => Login { user: user.clone(), password: Secret::new(password), whence },
        _ => return Err(wrong(format!("the entry for {machine} lacks login or password"))),
    };
    let mode = std::fs::metadata(path).map_err(|source| Error::io(path, source))?.permissions().mode();
    let warning = (mode & OTHERS != 0).then(|| format!("{} can be read by others: chmod 600 it", path.display()));
    Ok((Some(login), warning))
}

/// Writes `login` as the entry of `machine` into the netrc at `path`, which is created if need be; other entries stay as they
/// are. The file is replaced in one step and only its owner may read it.
///
/// # Errors
/// When the user or password cannot be in a netrc, what stands there cannot be told apart from them, or the file cannot be read or written.
pub fn remember(path: &Path, machine: &str, login: &Login) -> Result<()> {
    if [login.user.as_str(), login.password.reveal()].iter().any(|text| text.contains(['\n', '\r', '\0'])) {
        let problem = "a user or password with a line break cannot be stored".to_owned();
        return Err(Error::Netrc { path: path.to_path_buf(), problem });
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(source) => return Err(Error::io(path, source)),
    };
    // A link stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let (user, password) = (&login.user, login.password.reveal());
    let old = text;
    let text = with_entry(&old, machine, user, password);
    if !is_replaced(&old, &text, machine, user, password) {
        let problem = format!("what stands around the entry for {machine} is no netrc; mend it by hand");
        return Err(Error::Netrc { path, problem });
    }
    let new = beside(&path);
    let written = write_private(&new, &text).and_then(|()| std::fs::rename(&new, &path));
    written.map_err(|source| {
        // What is left of it holds the password.
        let _ = std::fs::remove_file(&new);
        Error::io(&path, source)
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str, password: &str) -> Login {
        Login { user: user.to_owned(), password: Secret::new(password), whence: String::new() }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_login_is_kept_privately_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".netrc");
        assert_eq!(found(&path, "urs").unwrap(), (None, None));
        remember(&path, "urs", &login("ann", "a b")).unwrap();
        remember(&path, "urs", &login("ann", "c d")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "machine urs login ann password \"c d\"\n");
        assert_eq!(mode(&path), 0o600);
        let (known, warning) = found(&path, "urs").unwrap();
        let known = known.unwrap();
        assert_eq!((known.user.as_str(), known.password.reveal(), warning), ("ann", "c d", None));
        assert_eq!(known.whence, path.display().to_string());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_netrc_that_others_can_read_is_warned_of_and_made_private_when_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real");
        std::fs::write(&path, "machine urs login ann password p\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let warning = found(&path, "urs").unwrap().1.unwrap();
        assert!(warning.contains("chmod 600") && !warning.contains("password p"), "{warning}");
        let link = folder.path().join(".netrc");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        remember(&link, "urs", &login("ann", "q")).unwrap();
        assert!(link.is_symlink() && mode(&path) == 0o600);
        assert_eq!(found(&path, "urs").unwrap().1, None);
    }

    #[test]
    fn an_entry_that_cannot_be_meant_is_told_without_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".netrc");
        for (text, told) in [
            ("machine urs login ann password hunter2 two\n", "line 1: "),
            ("machine urs login ann\n", "lacks login or password"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = found(&path, "urs").unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2") && !error.contains("two"), "{error}");
        }
        assert!(remember(&path, "urs", &login("ann", "a\nb")).is_err());
    }
}
