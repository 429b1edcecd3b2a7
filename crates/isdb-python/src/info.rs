//! The summary of a database as JSON.

use isdb::datafusion::arrow::datatypes::Field;
use isdb::time::{format_milliseconds, format_nanoseconds};
use isdb::{Extent, Info, describe_area, describe_region, filters};
use serde_json::{Map, Value, json};

/// Returns the summary of a database: times as ISO 8601 in UTC, degrees.
pub(crate) fn info_json(info: &Info) -> Value {
    let granules: Map<String, Value> =
        info.granules.iter().map(|(state, count)| (state.as_str().to_owned(), (*count).into())).collect();
    let tags: Map<String, Value> = info.tags.iter().map(|(name, tag)| {
        let bytes = info.tag_costs.by_tag.get(name).copied().unwrap_or(0);
        let value = json!({
            "commit": tag.commit, "timestamp": tag.timestamp, "time": format_milliseconds(tag.timestamp), "bytes": bytes,
        });
        (name.clone(), value)
    }).collect();
    let other_areas: Vec<Value> = info
        .other_areas
        .iter()
        .map(|(area, granules)| json!({ "region": describe_area(area.as_deref()), "granules": granules }))
        .collect();
    json!({
        "uri": info.uri,
        "segments_uri": info.segments_uri,
        "has_hidden_rows": info.has_hidden_rows,
        "commit": info.commit,
        "timestamp": info.timestamp,
        "time": format_milliseconds(info.timestamp),
        "granules": granules,
        "releases": info.releases,
        "incomplete": info.incomplete,
        "segments": info.segments,
        "fragments": info.fragments,
        "extent": info.extent.map(extent_json),
        "variables": info.variables.iter().map(|variable| variable.name).collect::<Vec<_>>(),
        "derived": info.derived.iter().map(Field::name).collect::<Vec<_>>(),
        "filters": filters::describe(&info.filters),
        "other_filters": info.other_filters,
        "region": describe_region(info.region.as_ref()),
        "region_geojson": info.region.as_ref().map(isdb::Region::to_geojson),
        "other_regions": other_areas,
        "tags": tags,
    })
}

fn extent_json(extent: Extent) -> Value {
    let (first, last) = extent.time;
    json!({
        "latitude": extent.latitude,
        "longitude": extent.longitude,
        "time": [format_nanoseconds(first), format_nanoseconds(last)],
    })
}
