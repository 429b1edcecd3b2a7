//! Counterparts of functions in other dialects (PostGIS, DuckDB, MySQL, SQLite, R, numpy).

/// A clause on what to write instead of the function `typed`, which this SQL does not have. Case does not matter.
/// `None` for every other name.
#[must_use]
pub fn function_counterpart(typed: &str) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    if let Some((_, instead)) = FUNCTIONS.iter().find(|(names, _)| names.contains(&typed.as_str())) {
        return Some(instead);
    }
    PREFIXES.iter().find(|(prefix, _)| typed.starts_with(prefix)).map(|(_, instead)| *instead)
}

const DISTANCE: &str =
    "write distance_m(latitude, longitude, 61, 25.5) for metres, near(latitude, longitude, 61, 25.5, 500) for a circle";
const POSITIONS: &str = "geometries are not supported; in_region(latitude, longitude, 'W,S,E,N' or GeoJSON) finds the positions in an area, \
                         near(latitude, longitude, 61, 25.5, 500) those around a position";

const PREFIXES: &[(&str, &str)] = &[("st_", POSITIONS)];

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
    (&["st_distance", "st_distance_sphere", "st_distance_spheroid", "st_dwithin", "st_length"], DISTANCE),
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
            ("st_point", "in_region("),
            ("ST_Within", "in_region("),
            ("st_distance", "distance_m("),
            ("haversine", "near("),
            ("h3_latlng_to_cell", "h3("),
        ] {
            let clause = function_counterpart(typed).unwrap_or_default();
            assert!(clause.contains(expected), "{typed}: {clause}");
        }
        assert_eq!(function_counterpart("flor"), None);
    }
}
