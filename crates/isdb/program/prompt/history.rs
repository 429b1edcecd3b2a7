//! The file of the prompt's history.

use std::path::PathBuf;

/// `isdb/history` in the user's folder for state (`XDG_STATE_HOME`, else `~/.local/state`), which is created if it does not exist.
/// None if it cannot be created; then no history is kept.
pub(crate) fn file() -> Option<PathBuf> {
    let folder = below(std::env::var_os("XDG_STATE_HOME").map(PathBuf::from), std::env::home_dir())?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// A relative folder is ignored, because it would depend on the folder in which the program is started.
fn below(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.filter(|folder| folder.is_absolute());
    let home = home.filter(|folder| folder.is_absolute()).map(|home| home.join(".local/state"));
    state.or(home).map(|folder| folder.join("isdb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_in_the_folder_for_state_and_never_in_the_current_folder() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(below(path("/state"), path("/home/a")), path("/state/isdb"));
        assert_eq!(below(None, path("/home/a")), path("/home/a/.local/state/isdb"));
        assert_eq!(below(path("state"), path("/home/a")), path("/home/a/.local/state/isdb"));
        assert_eq!(below(path(""), None), None);
    }
}
