//! The one writer of a database: takeover, windows and their checks, compaction, changes of the design, tags, vacuum, repair.

mod add_variables;
mod change_region;
mod check;
mod clock;
mod compact_ledger;
mod compaction;
mod footers;
mod handle;
mod orphans;
mod repair;
mod replaced;
mod tags;
mod takeover;
mod vacuum;
mod window;

#[cfg(test)]
pub(crate) use add_variables::add_attributes;
pub use handle::Writer;
pub use repair::{Repaired, repair};
pub use vacuum::Vacuumed;
pub use window::{Changes, Window};
