//! The SQL of a grid.

use crate::program::grid::map::GridMap;

/// The statement of a grid.
#[derive(Clone, Debug)]
pub(crate) struct GridStatement<'a> {
    pub(crate) map: &'a GridMap,
    /// An aggregate of the columns of `atl08`, such as `median(canopy_h)`.
    pub(crate) value: &'a str,
    /// Cells with fewer passes are empty.
    pub(crate) least_passes: u32,
    /// Whether the database has canopy heights and terrain heights.
    pub(crate) has_canopy: bool,
    pub(crate) has_terrain: bool,
}

impl GridStatement<'_> {
    /// The names of the bands: the value, the number of segments, those with a height of the canopy and of the terrain, the number of passes (tracks of a
    /// cycle), and of tracks.
    pub(crate) fn bands(&self) -> Vec<&'static str> {
        let bands = [
            ("value", true),
            ("n_segments", true),
            ("n_canopy", self.has_canopy),
            ("n_terrain", self.has_terrain),
            ("n_passes", true),
            ("n_tracks", true),
        ];
        bands.into_iter().filter_map(|(name, exists)| exists.then_some(name)).collect()
    }

    /// A row for each cell: its column and row on the map, and its bands.
    pub(crate) fn by_cell(&self) -> String {
        format!("SELECT cell_column, cell_row, {} FROM ({})", self.bands().join(", "), self.all())
    }

    /// A row for each cell, from north to south: longitude and latitude of its centre, and its bands.
    pub(crate) fn by_centre(&self) -> String {
        let (longitude, latitude) = self.map.centre();
        let bands = self.bands().join(", ");
        format!(
            "SELECT {longitude} AS longitude, {latitude} AS latitude, {bands} FROM ({}) ORDER BY cell_row, cell_column",
            self.all()
        )
    }

    /// All bands of all cells. Each segment counts once. A granule that does not name its track and cycle is a pass of its own.
    fn all(&self) -> String {
        let (column, row) = self.map.cell();
        let count = |column: &str, name: &str, exists: bool| match exists {
            true => format!("count({column}) AS {name}, "),
            false => String::new(),
        };
        format!(
            "SELECT {column} AS cell_column, {row} AS cell_row, CAST(({value}) AS DOUBLE) AS value, count(*) AS n_segments, \
             {canopy}{terrain}count(DISTINCT coalesce(CAST(rgt AS BIGINT) * 10000 + cycle, -1 - ingest_id)) AS n_passes, count(DISTINCT rgt) AS n_tracks \
             FROM atl08_unique{condition} GROUP BY 1, 2 HAVING n_passes >= {least}",
            value = self.value,
            canopy = count("h_canopy", "n_canopy", self.has_canopy),
            terrain = count("h_te_best_fit", "n_terrain", self.has_terrain),
            condition = self.map.condition(),
            least = self.least_passes,
        )
    }
}
