//! Relations of two geometries, by the DE-9IM model that PostGIS uses. Edges are straight lines in longitude and latitude.

use geo::{Contains, Geometry, Intersects, Relate};

use super::arguments::{Argument, Value};
use super::function::{Compute, Definition};
use super::pushdown;

const fn relation(name: &'static str, usage: &'static str, test: fn(&[Value]) -> Option<bool>) -> Definition {
    Definition {
        name,
        aliases: &[],
        arguments: &[("a", Argument::Geometry), ("b", Argument::Geometry)],
        usage,
        compute: Compute::Boolean(test),
        // A point that is not in the box of the other geometry has none of these relations to it.
        pushdown: Some(pushdown::relation),
    }
}

pub(super) const FUNCTIONS: &[Definition] = &[
    relation("st_within", "ST_Within(ST_Point(longitude, latitude), polygon)", |values| {
        pair(values).map(|(a, b)| b.contains(a))
    }),
    relation("st_contains", "ST_Contains(polygon, ST_Point(longitude, latitude))", |values| {
        pair(values).map(|(a, b)| a.contains(b))
    }),
    relation("st_intersects", "ST_Intersects(a, b)", |values| pair(values).map(|(a, b)| a.intersects(b))),
    relation("st_covers", "ST_Covers(polygon, ST_Point(longitude, latitude))", |values| {
        pair(values).map(|(a, b)| a.relate(b).is_covers())
    }),
    relation("st_coveredby", "ST_CoveredBy(ST_Point(longitude, latitude), polygon)", |values| {
        pair(values).map(|(a, b)| a.relate(b).is_coveredby())
    }),
    relation("st_touches", "ST_Touches(a, b)", |values| pair(values).map(|(a, b)| a.relate(b).is_touches())),
    relation("st_crosses", "ST_Crosses(a, b)", |values| pair(values).map(|(a, b)| a.relate(b).is_crosses())),
    relation("st_overlaps", "ST_Overlaps(a, b)", |values| pair(values).map(|(a, b)| a.relate(b).is_overlaps())),
    relation("st_equals", "ST_Equals(a, b)", |values| pair(values).map(|(a, b)| a.relate(b).is_equal_topo())),
    Definition {
        pushdown: None,
        ..relation("st_disjoint", "ST_Disjoint(a, b)", |values| pair(values).map(|(a, b)| !a.intersects(b)))
    },
];

fn pair<'v>(values: &'v [Value]) -> Option<(&'v Geometry<f64>, &'v Geometry<f64>)> {
    match values {
        [a, b] => a.geometry().zip(b.geometry()),
        _ => None,
    }
}
