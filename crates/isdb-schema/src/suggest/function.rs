//! Counterparts of functions in other dialects (PostGIS, DuckDB, MySQL, SQLite, R, numpy).

/// A clause on what to write instead of the function `typed`, which this SQL does not have. Case does not matter.
/// `None` for every other name.
#[must_use]
pub fn function_counterpart(typed: &str) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    FUNCTIONS.iter().find(|(names, _)| names.contains(&typed.as_str())).map(|(_, instead)| *instead)
}

const DISTANCE: &str =
    "write distance_m(latitude, longitude, 61, 25.5) for metres, near(latitude, longitude, 61, 25.5, 500) for a circle";
const FUNCTIONS: &[(&[&str], &str)] = &[
    (
        &[
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "quarter",
            "week",
            "dayofyear",
            "doy",
            "dayofweek",
            "dow",
        ],
        "write date_part('year', time); also 'month', 'day', 'hour', 'doy' (day of the year), 'week'",
    ),
    (
        &["strftime", "monthname", "dayname", "format_date", "to_date_string"],
        "write to_char(time, '%Y-%m'), with the formats of strftime",
    ),
    (&["strptime", "str_to_date", "to_time_stamp"], "write to_timestamp('2019-07-28T12:00:00Z')"),
    (&["date", "datetime"], "write date_trunc('day', time), or CAST(time AS DATE)"),
    (&["now_utc", "getdate", "sysdate"], "write now()"),
    (&["datediff", "date_diff", "timestampdiff", "age"], "subtract: date_part('epoch', later - earlier) gives seconds"),
    (&["dateadd", "date_add", "date_sub"], "add an interval: time + INTERVAL '1 day'"),
    (
        &["quantile", "percentile", "percentile_disc", "percentile_approx", "approx_quantile"],
        "write percentile_cont(canopy_h, 0.95), or approx_percentile_cont(canopy_h, 0.95), which needs less memory",
    ),
    (
        &["mode", "majority", "most_frequent"],
        "mode is not supported; count by value: SELECT landcover, count(*) ... GROUP BY landcover ORDER BY count(*) DESC LIMIT 1",
    ),
    (
        &["if", "iif", "ifelse", "if_else", "where", "case_when"],
        "write CASE WHEN canopy_h > 5 THEN 'tall' ELSE 'low' END",
    ),
    (&["isnull", "is_null", "isna", "is_na"], "write canopy_h IS NULL"),
    (&["notnull", "is_not_null"], "write canopy_h IS NOT NULL"),
    (&["std", "sd", "stdev", "std_dev"], "write stddev(canopy_h)"),
    (&["variance"], "write var(canopy_h)"),
    (&["average", "nanmean"], "write avg(canopy_h), which leaves NULL out"),
    (&["nanmedian"], "write median(canopy_h), which leaves NULL out"),
    (&["n", "size", "nrow"], "write count(*)"),
    (&["count_if", "countif", "sum_if", "sumif"], "write count(*) FILTER (WHERE canopy_h > 5)"),
    (&["first", "last"], "write first_value(canopy_h ORDER BY time), or last_value"),
    (&["arg_max", "argmax", "max_by", "arg_min", "argmin", "min_by"], "write first_value(beam ORDER BY canopy_h DESC)"),
    (&["square", "sqr"], "write power(canopy_h, 2)"),
    (&["mod"], "write rgt % 2"),
    (&["truncate"], "write trunc(canopy_h, 1), or round"),
    (&["ceiling"], "write ceil(canopy_h)"),
    (&["len", "nchar", "strlen"], "write length(beam) for texts, array_length(canopy_h_metrics) for lists"),
    (&["log1p"], "write ln(1 + x)"),
    (&["to_number", "to_double", "as_numeric", "int", "integer", "double", "float"], "write CAST(x AS DOUBLE)"),
    (&["group_concat", "listagg"], "write string_agg(beam, ',')"),
    (&["list", "collect_list"], "write array_agg(canopy_h)"),
    (
        &["list_get", "nth"],
        "write canopy_h_metrics[18]; elements go from 1 on; element(canopy_h_metrics, 95) finds one by its label",
    ),
    (&["haversine", "distance", "earth_distance", "great_circle_distance", "geodist", "distm", "dist"], DISTANCE),
    (
        &[
            "h3_latlng_to_cell",
            "h3_lat_lng_to_cell",
            "latlng_to_cell",
            "geo_to_h3",
            "h3_cell",
            "h3_cell_to_boundary_wkt",
        ],
        "write h3(latitude, longitude, 6) for a cell, h3_boundary(cell) for its border",
    ),
    (&["ease2", "ease_grid"], "write ease2_row(latitude, 9) and ease2_column(longitude, 9), with cells of 9 km"),
    (&["st_distance_sphere", "st_distance_spheroid", "st_distancesphere", "st_distancespheroid"], DISTANCE),
    (
        &["st_buffer", "st_expand"],
        "write near(latitude, longitude, 61, 25.5, 500) or ST_DWithin(a, b, 500) for what is within some metres",
    ),
    (
        &["st_makeenvelope", "st_envelope", "st_tileenvelope", "st_makebox2d"],
        "write in_region(latitude, longitude, 'W,S,E,N') for the positions in a box",
    ),
    (
        &["st_transform", "st_setsrid", "st_srid"],
        "geometries are longitude and latitude on WGS 84; `ogr2ogr -t_srs EPSG:4326` converts files to that",
    ),
    (
        &["st_asgeojson", "st_askml", "st_asgml"],
        "write ST_AsText(geometry), or the result to a file: -o result.geojson",
    ),
    (
        &["st_union", "st_intersection", "st_difference", "st_simplify", "st_collect", "st_convexhull", "st_makeline"],
        "a GIS program changes shapes; in_region and polygon_name read its files",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_other_dialects_have_counterparts() {
        for (typed, expected) in [
            ("YEAR", "date_part("),
            ("month", "date_part("),
            ("quantile", "percentile_cont("),
            ("percentile", "approx_percentile_cont("),
            ("mode", "GROUP BY"),
            ("if", "CASE WHEN"),
            ("strftime", "to_char("),
            ("monthname", "to_char("),
            ("ST_Buffer", "ST_DWithin("),
            ("st_transform", "ogr2ogr"),
            ("st_distance_sphere", "distance_m("),
            ("haversine", "near("),
            ("h3_latlng_to_cell", "h3("),
        ] {
            let clause = function_counterpart(typed).unwrap_or_default();
            assert!(clause.contains(expected), "{typed}: {clause}");
        }
        assert_eq!(function_counterpart("flor"), None);
    }
}
