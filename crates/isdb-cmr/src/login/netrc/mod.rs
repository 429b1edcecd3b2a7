//! Logins in a netrc file, which curl, wget and NASA's own tools read as well.
//!
//! No crate replaces the parser here: the published ones return logins without their positions, and storing a login must
//! leave comments, macros and the other entries of the user's file as they are.

mod edit;
mod file;
mod parse;
#[cfg(test)]
mod testing;

pub use file::{read_login, store_login};
