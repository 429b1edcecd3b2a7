//! The coordinate reference system of a GeoJSON text. RFC 7946 allows only longitude and latitude on WGS 84, but QGIS
//! and GDAL still write the member `crs` of the older GeoJSON 2008, with projected coordinates in metres.

use geojson::{Feature, GeoJson, Geometry, GeometryValue, JsonObject, JsonValue};

use crate::error::RegionError;

/// Systems of longitude and latitude whose degrees differ from those of WGS 84 by a metre or two, less than a segment's
/// footprint of 11 m: WGS 84, NAD83, ETRS89 and SIRGAS 2000.
const EPSG_DEGREES: [&str; 4] = ["4326", "4269", "4258", "4674"];
/// Longitude and latitude on WGS 84, without and with height.
const OGC_DEGREES: [&str; 2] = ["CRS84", "CRS84H"];

/// Checks every `crs` in `geojson`, at any level.
pub(crate) fn check(geojson: &GeoJson) -> Result<(), RegionError> {
    match geojson {
        GeoJson::Geometry(geometry) => check_geometry(geometry),
        GeoJson::Feature(feature) => check_feature(feature),
        GeoJson::FeatureCollection(collection) => {
            check_members(collection.foreign_members.as_ref())?;
            collection.features.iter().try_for_each(check_feature)
        }
    }
}

fn check_feature(feature: &Feature) -> Result<(), RegionError> {
    check_members(feature.foreign_members.as_ref())?;
    feature.geometry.as_ref().map_or(Ok(()), check_geometry)
}

fn check_geometry(geometry: &Geometry) -> Result<(), RegionError> {
    check_members(geometry.foreign_members.as_ref())?;
    match &geometry.value {
        GeometryValue::GeometryCollection { geometries } => geometries.iter().try_for_each(check_geometry),
        _ => Ok(()),
    }
}

fn check_members(members: Option<&JsonObject>) -> Result<(), RegionError> {
    match members.and_then(|members| members.get("crs")) {
        // GeoJSON 2008: null means that the system is unknown.
        None | Some(JsonValue::Null) => Ok(()),
        Some(crs) => match name(crs) {
            Some(name) if is_degrees(&name) => Ok(()),
            Some(name) => Err(RegionError::Crs { crs: short_name(&name) }),
            None => Err(RegionError::Crs { crs: crs.to_string().chars().take(60).collect() }),
        },
    }
}

/// Returns `EPSG::3857` for `{"type": "name", "properties": {"name": "EPSG::3857"}}`; also reads a link or an EPSG code.
fn name(crs: &JsonValue) -> Option<String> {
    if let Some(name) = crs.as_str() {
        return Some(name.to_owned());
    }
    let properties = crs.get("properties")?;
    if let Some(code) = properties.get("code") {
        return Some(format!("EPSG:{}", code.as_str().map_or_else(|| code.to_string(), str::to_owned)));
    }
    properties.get("name").or_else(|| properties.get("href"))?.as_str().map(str::to_owned)
}

/// The authority and the code in `urn:ogc:def:crs:EPSG::4326`, `EPSG:4326` and `http://www.opengis.net/def/crs/EPSG/0/4326`.
fn authority_and_code(name: &str) -> Option<(String, String)> {
    let upper = name.trim().to_uppercase();
    let parts: Vec<&str> = upper.split([':', '/']).filter(|part| !part.is_empty()).collect();
    let code = (*parts.last()?).to_owned();
    if OGC_DEGREES.contains(&code.as_str()) {
        return Some(("OGC".to_owned(), code));
    }
    let is_epsg = parts.contains(&"EPSG") && code.bytes().all(|byte| byte.is_ascii_digit());
    is_epsg.then(|| ("EPSG".to_owned(), code))
}

fn is_degrees(name: &str) -> bool {
    authority_and_code(name)
        .is_some_and(|(authority, code)| authority == "OGC" || EPSG_DEGREES.contains(&code.as_str()))
}

/// `EPSG:3857`, or the name as written.
fn short_name(name: &str) -> String {
    authority_and_code(name).map_or_else(|| name.to_owned(), |(authority, code)| format!("{authority}:{code}"))
}

#[cfg(test)]
mod tests {
    use crate::{Region, RegionError};

    const RING: &str = "[[[-82,48],[-81,48],[-81,49],[-82,49],[-82,48]]]";

    fn crs_named(name: &str) -> String {
        format!(r#"{{"type":"name","properties":{{"name":"{name}"}}}}"#)
    }

    /// A region with `crs` in the geometry, in the feature, and in the collection.
    fn at_every_level(crs: &str) -> [String; 4] {
        let geometry = |crs: &str| format!(r#"{{"type":"Polygon",{crs}"coordinates":{RING}}}"#);
        let feature = |crs: &str, geometry: String| {
            format!(r#"{{"type":"Feature",{crs}"properties":{{}},"geometry":{geometry}}}"#)
        };
        let collection =
            |crs: &str, feature: String| format!(r#"{{"type":"FeatureCollection",{crs}"features":[{feature}]}}"#);
        let crs = format!(r#""crs":{crs},"#);
        [
            geometry(&crs),
            feature(&crs, geometry("")),
            feature("", geometry(&crs)),
            collection(&crs, feature("", geometry(""))),
        ]
    }

    #[test]
    fn degrees_are_accepted_under_every_spelling_of_their_system() {
        for name in [
            "urn:ogc:def:crs:OGC:1.3:CRS84",
            "urn:ogc:def:crs:OGC::CRS84",
            "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "urn:ogc:def:crs:EPSG::4326",
            "EPSG:4326",
            "epsg:4326",
            "http://www.opengis.net/def/crs/EPSG/0/4326",
            "urn:ogc:def:crs:EPSG:9.6:4269",
            "EPSG:4258",
            "urn:ogc:def:crs:EPSG::4674",
        ] {
            for text in at_every_level(&crs_named(name)) {
                assert!(Region::parse(&text).is_ok_and(|region| region.contains(48.5, -81.5)), "{text}");
            }
        }
        for crs in ["null", r#"{"type":"EPSG","properties":{"code":4326}}"#, "\"EPSG:4326\""] {
            for text in at_every_level(crs) {
                assert!(Region::parse(&text).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn another_system_is_refused_even_if_its_coordinates_look_like_degrees() {
        for (crs, expected) in [
            (crs_named("urn:ogc:def:crs:EPSG::3857"), "EPSG:3857"),
            (crs_named("EPSG:4267"), "EPSG:4267"),
            (crs_named("http://www.opengis.net/def/crs/EPSG/0/28992"), "EPSG:28992"),
            (crs_named("urn:ogc:def:crs:EPSG::43260"), "EPSG:43260"),
            (crs_named("ESRI:54009"), "ESRI:54009"),
            (r#"{"type":"EPSG","properties":{"code":2154}}"#.to_owned(), "EPSG:2154"),
            (r#"{"type":"link","properties":{"href":"http://a.org/4326.prj"}}"#.to_owned(), "http://a.org/4326.prj"),
            (r#"{"kind":"?"}"#.to_owned(), r#"{"kind":"?"}"#),
        ] {
            for text in at_every_level(&crs) {
                let expected = RegionError::Crs { crs: expected.to_owned() };
                assert_eq!(Region::parse(&text), Err(expected), "{text}");
            }
        }
    }
}
