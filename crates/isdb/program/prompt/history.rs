//! Where the prompt keeps what was typed.

use std::path::PathBuf;

/// `isdb/history` below the user's folder for state (`XDG_STATE_HOME`, else `~/.local/state`), the folder made if there is none.
/// None where there is no such folder and none can be made: then nothing is remembered.
pub(crate) fn file() -> Option<PathBuf> {
    let folder = below(std::env::var_os("XDG_STATE_HOME").map(PathBuf::from), std::env::home_dir())?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// A relative folder counts as none: it would be another one wherever the program is started.
fn below(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.filter(|folder| folder.is_absolute());
    let home = home.filter(|folder| folder.is_absolute()).map(|home| home.join(".local/state"));
    state.or(home).map(|folder| folder.join("isdb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_follows_the_folder_for_state_and_never_the_current_one() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(below(path("/state"), path("/home/a")), path("/state/isdb"));
        assert_eq!(below(None, path("/home/a")), path("/home/a/.local/state/isdb"));
        assert_eq!(below(path("state"), path("/home/a")), path("/home/a/.local/state/isdb"));
        assert_eq!(below(path(""), None), None);
    }
}
