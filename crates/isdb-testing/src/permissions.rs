//! Programs that file permissions bind, even if the tests run as root.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use crate::skip::skip;

/// A command for `program` that can read and write only what the permissions of files and folders allow; `None`, counted as a skipped
/// test, if that cannot be arranged.
///
/// Root keeps its id, so that it still owns the test's files, but loses the capabilities that bypass permissions.
#[must_use]
pub fn bound_by_permissions(program: impl AsRef<OsStr>) -> Option<Command> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let locked = folder.path().join("locked");
    let made = OpenOptions::new().write(true).create_new(true).mode(0o000).open(&locked);
    drop(made.expect("a file in a temporary folder"));
    if File::open(&locked).is_err() {
        return Some(Command::new(program));
    }
    let bound = || {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"]);
        command
    };
    match bound().arg("cat").arg(&locked).output() {
        Ok(read) if String::from_utf8_lossy(&read.stderr).contains("Permission denied") => {
            let mut command = bound();
            command.arg(program);
            Some(command)
        }
        _ => {
            skip("running as root", "a setpriv (util-linux) that may drop capabilities, or another user");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_bound_program_obeys_file_permissions() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o500)).expect("a mode");
        let Some(mut touch) = bound_by_permissions("touch") else { return };
        let touched = touch.arg(folder.path().join("new")).env("LC_ALL", "C").output().expect("touch");
        assert!(!touched.status.success());
        assert!(String::from_utf8_lossy(&touched.stderr).contains("Permission denied"));
        let Some(mut list) = bound_by_permissions("ls") else { return };
        assert!(list.arg(folder.path()).status().expect("ls").success());
    }
}
