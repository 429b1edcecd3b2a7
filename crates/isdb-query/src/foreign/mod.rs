//! Arrays of the Python packages icesat2db and gedidb as tables: `cells`, with what is stored, and a view with the names, lists, times and
//! NULLs that users of isdb know. Other sparse arrays have `cells` only.
//!
//! `vocabulary` recognises a package by the attributes of its array, and says which values are NULL. `numbered` finds the attributes that
//! are the elements of a list. `table` adds days to conditions on a time, because the arrays are ordered by day (`days`); `view` selects
//! the columns, and `register` adds both to a session.

mod days;
mod numbered;
pub(crate) mod register;
pub(crate) mod table;
mod view;
mod vocabulary;
