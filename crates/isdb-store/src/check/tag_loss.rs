//! What tags lose with a damaged file.

use crate::log::state::LogState;

/// What a tag loses with a fragment.
pub(super) const LOSES_STATE: &str = "tags that cannot be opened without it";
/// What a tag loses with a file of ledger rows. It loses nothing with a file of contents: a writer needs these, of the newest state.
pub(super) const LOSES_LEDGER: &str = "tags whose ledger cannot be read without it, although their segments can";

/// The end of a sentence about something that became visible with the commit `born` and still is: the tags that lose it, too.
pub(super) fn loss_of_tags(state: &LogState, born: u64, loss: &str) -> String {
    let tags = state.tags.iter().filter(|(_, tag)| tag.commit >= born);
    loss_of(&tags.map(|(name, _)| name.clone()).collect::<Vec<_>>(), loss)
}

/// The end of a sentence about something that `tags` lose; empty without any.
pub(super) fn loss_of(tags: &[String], loss: &str) -> String {
    if tags.is_empty() { String::new() } else { format!("; {loss}: {}", tags.join(", ")) }
}
