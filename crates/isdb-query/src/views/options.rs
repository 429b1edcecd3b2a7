//! What of a database its views show: the choice that a person makes before the first statement.

use isdb_region::Region;
use isdb_schema::filters::Rule;
use isdb_schema::period::Period;

/// The segments that the view `atl08` shows, and with it every view over it. The default shows all of them.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// Those that meet all of these.
    pub filters: Vec<Rule>,
    /// Those whose position lies in this region.
    pub region: Option<Region>,
    /// Those whose time lies in this period.
    pub period: Period,
}
