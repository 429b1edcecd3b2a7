//! The coordinate reference system that a GeoJSON names. RFC 7946 has longitude and latitude on WGS 84 and no other, yet QGIS and
//! GDAL still write the member `crs` of the older GeoJSON 2008, and with it metres of a projection.

use geojson::{Feature, GeoJson, Geometry, GeometryValue, JsonObject, JsonValue};

use crate::error::RegionError;

/// Systems of longitude and latitude whose degrees differ from those of WGS 84 by a metre or two, less than a segment's
/// footprint of 11 m: WGS 84, NAD83, ETRS89 and SIRGAS 2000.
const EPSG: [&str; 4] = ["4326", "4269", "4258", "4674"];
/// Longitude and latitude on WGS 84, without and with a height.
const OGC: [&str; 2] = ["CRS84", "CRS84H"];

/// Checks every `crs` in `geojson`, at whatever level it stands.
pub(crate) fn check(geojson: &GeoJson) -> Result<(), RegionError> {
    match geojson {
        GeoJson::Geometry(geometry) => of_geometry(geometry),
        GeoJson::Feature(feature) => of_feature(feature),
        GeoJson::FeatureCollection(collection) => {
            of_members(collection.foreign_members.as_ref())?;
            collection.features.iter().try_for_each(of_feature)
        }
    }
}

fn of_feature(feature: &Feature) -> Result<(), RegionError> {
    of_members(feature.foreign_members.as_ref())?;
    feature.geometry.as_ref().map_or(Ok(()), of_geometry)
}

fn of_geometry(geometry: &Geometry) -> Result<(), RegionError> {
    of_members(geometry.foreign_members.as_ref())?;
    match &geometry.value {
        GeometryValue::GeometryCollection { geometries } => geometries.iter().try_for_each(of_geometry),
        _ => Ok(()),
    }
}

fn of_members(members: Option<&JsonObject>) -> Result<(), RegionError> {
    match members.and_then(|members| members.get("crs")) {
        // GeoJSON 2008: null means that nothing is known of the system.
        None | Some(JsonValue::Null) => Ok(()),
        Some(crs) => match name(crs) {
            Some(name) if is_degrees(&name) => Ok(()),
            Some(name) => Err(RegionError::Crs { crs: shown(&name) }),
            None => Err(RegionError::Crs { crs: crs.to_string().chars().take(60).collect() }),
        },
    }
}

/// `EPSG::3857` of `{"type": "name", "properties": {"name": "EPSG::3857"}}`; also of the forms of a link and of an EPSG code.
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
    if OGC.contains(&code.as_str()) {
        return Some(("OGC".to_owned(), code));
    }
    let is_epsg = parts.contains(&"EPSG") && code.bytes().all(|byte| byte.is_ascii_digit());
    is_epsg.then(|| ("EPSG".to_owned(), code))
}

fn is_degrees(name: &str) -> bool {
    authority_and_code(name).is_some_and(|(authority, code)| authority == "OGC" || EPSG.contains(&code.as_str()))
}

/// `EPSG:3857`, or the name as it was written.
fn shown(name: &str) -> String {
    authority_and_code(name).map_or_else(|| name.to_owned(), |(authority, code)| format!("{authority}:{code}"))
}

#[cfg(test)]
mod tests {
    use crate::{Region, RegionError};

    const RING: &str = "[[[-82,48],[-81,48],[-81,49],[-82,49],[-82,48]]]";

    fn named(name: &str) -> String {
        format!(r#"{{"type":"name","properties":{{"name":"{name}"}}}}"#)
    }

    /// A region with `crs` in the collection, in the feature, and in the geometry.
    fn everywhere(crs: &str) -> [String; 4] {
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
    fn degrees_are_accepted_however_their_system_is_named() {
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
            for text in everywhere(&named(name)) {
                assert!(Region::parse(&text).is_ok_and(|region| region.contains(48.5, -81.5)), "{text}");
            }
        }
        for crs in ["null", r#"{"type":"EPSG","properties":{"code":4326}}"#, "\"EPSG:4326\""] {
            for text in everywhere(crs) {
                assert!(Region::parse(&text).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn another_system_is_refused_by_name_even_where_its_numbers_look_like_degrees() {
        for (crs, expected) in [
            (named("urn:ogc:def:crs:EPSG::3857"), "EPSG:3857"),
            (named("EPSG:4267"), "EPSG:4267"),
            (named("http://www.opengis.net/def/crs/EPSG/0/28992"), "EPSG:28992"),
            (named("urn:ogc:def:crs:EPSG::43260"), "EPSG:43260"),
            (named("ESRI:54009"), "ESRI:54009"),
            (r#"{"type":"EPSG","properties":{"code":2154}}"#.to_owned(), "EPSG:2154"),
            (r#"{"type":"link","properties":{"href":"http://a.org/4326.prj"}}"#.to_owned(), "http://a.org/4326.prj"),
            (r#"{"kind":"?"}"#.to_owned(), r#"{"kind":"?"}"#),
        ] {
            for text in everywhere(&crs) {
                let expected = RegionError::Crs { crs: expected.to_owned() };
                assert_eq!(Region::parse(&text), Err(expected), "{text}");
            }
        }
    }
}
