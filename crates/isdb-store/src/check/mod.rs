//! A check of everything that a database consists of, and what a repair can do about each damage.
//!
//! Problems that may pass, such as missing permissions or a full memory, are errors of the check and never count as damage: a repair
//! drops what is damaged.

mod consolidated;
mod decode;
mod fragments;
mod ledger;
pub(crate) mod log;
mod problem;
pub(crate) mod repairs;
mod report;
pub(crate) mod run;
mod schema;
mod tag_loss;
mod tags;
mod view;

pub use report::{CheckProgress, CheckReport, Damage, Remedy};
pub use run::check;
