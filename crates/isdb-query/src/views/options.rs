//! Options of the views: filters, region and period that a user chooses before the first statement.

use isdb_region::Region;
use isdb_schema::filters::Rule;
use isdb_schema::period::Period;

/// Restricts the segments in the view `atl08` and in all views over it. The default shows all segments.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// Shows the segments that pass all of these filters.
    pub filters: Vec<Rule>,
    /// Shows the segments in this region.
    pub region: Option<Region>,
    /// Shows the segments in this period.
    pub period: Period,
}
