//! Run and remember: finds the granules to ingest, leaves out what the ledger calls done, and brings the rest into the
//! database window by window, each committed whole.

mod add_variables;
mod again;
mod archive;
mod areas;
mod asked;
mod attempt;
mod checksum;
mod clock;
mod consolidate;
mod direct;
mod dry_run;
mod error;
mod family;
mod find;
mod grouping;
mod identify;
mod ingest;
mod key;
mod plan;
mod progress;
mod region;
mod release;
mod remove;
mod report;
mod resources;
mod run;
mod select;
mod standing;
mod summary;
mod taken;
mod taking;
#[cfg(test)]
mod testing;
mod verdict;
mod wanted;
mod window;

pub use add_variables::{Added, add_variables};
pub use archive::{Archive, Keep, is_kept};
pub use asked::Asked;
pub use consolidate::{Consolidated, consolidate, vacuum};
pub use direct::direct_store;
pub use dry_run::{PlannedWindow, Preview, dry_run};
pub use error::{Error, Result};
pub use find::find_granules;
pub use ingest::{Request, Source, ingest};
pub use progress::Progress;
pub use region::{Area, Regions, region_to_search};
pub use remove::{Removal, remove};
pub use report::{Committed, Ended, Report, Skip, Told, Warning};
pub use summary::{Held, Summary};
pub use wanted::{Named, Terms};
