//! Regions across the dateline, around poles, with holes and of many parts, compared with the `geo` library and with
//! each other.

mod properties;

use geo::{Contains, Intersects, LineString, Point, Polygon};

use crate::part::RegionPart;
use crate::{Region, Shape};

fn region(text: &str) -> Region {
    Region::parse(text).unwrap()
}

/// A GeoJSON polygon of these rings, which need not be closed.
fn polygon(rings: &[&[[f64; 2]]]) -> Region {
    region(&geojson_of(rings))
}

fn geojson_of(rings: &[&[[f64; 2]]]) -> String {
    let ring = |points: &&[[f64; 2]]| {
        let closed = points.iter().chain(points.first());
        let points: Vec<String> = closed.map(|[x, y]| format!("[{x},{y}]")).collect();
        format!("[{}]", points.join(","))
    };
    let rings: Vec<String> = rings.iter().map(ring).collect();
    format!("{{\"type\":\"Polygon\",\"coordinates\":[{}]}}", rings.join(","))
}

fn error(text: &str) -> String {
    Region::parse(text).unwrap_err().to_string()
}

/// A star around (`x`, `y`) with one point for each of `radii`.
fn star(x: f64, y: f64, radii: &[f64]) -> Vec<[f64; 2]> {
    #[expect(clippy::cast_precision_loss)]
    let angle = |index: usize| std::f64::consts::TAU * index as f64 / radii.len() as f64;
    radii.iter().enumerate().map(|(i, r)| [x + r * angle(i).cos(), y + r * angle(i).sin()]).collect()
}

fn as_geo(ring: &[[f64; 2]], holes: &[&[[f64; 2]]]) -> Polygon {
    let line = |ring: &[[f64; 2]]| LineString::from(ring.to_vec());
    Polygon::new(line(ring), holes.iter().map(|hole| line(hole)).collect())
}

/// Whether a shape contains the position, both with straight edges and with great circles.
fn is_in_shapes(shapes: &[Shape], latitude: f64, longitude: f64) -> bool {
    shapes.iter().any(|shape| match shape {
        Shape::Box(bounds) => Region::from_parts(vec![RegionPart::Box(*bounds)]).contains(latitude, longitude),
        Shape::Polygon(line) => {
            let point = Point::new(longitude, latitude);
            as_geo(line, &[]).intersects(&point) && as_geo(&along_great_circles(line), &[]).intersects(&point)
        }
    })
}

/// The line with 100 points on the great circle of each edge.
fn along_great_circles(line: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let edge = |(a, b): (&[f64; 2], &[f64; 2])| -> Vec<[f64; 2]> {
        let unit = |[x, y]: [f64; 2]| {
            let (x, y) = (x.to_radians(), y.to_radians());
            [x.cos() * y.cos(), x.sin() * y.cos(), y.sin()]
        };
        let (u, v) = (unit(*a), unit(*b));
        let mix = |step: u32| {
            let share = f64::from(step) / 100.0;
            let [p, q, r] = [0, 1, 2].map(|axis| u[axis] * (1.0 - share) + v[axis] * share);
            let longitude = if a[0] == b[0] { a[0] } else { q.atan2(p).to_degrees() };
            [longitude, r.atan2(p.hypot(q)).to_degrees()]
        };
        std::iter::once(*a).chain((1..100).map(mix)).collect()
    };
    line.iter().zip(line.iter().skip(1)).flat_map(edge).collect()
}

#[test]
fn a_box_is_read_from_four_numbers_and_includes_its_edges() {
    let amazon = region("-62.5, -8,-60,-6");
    assert_eq!(amazon.to_text(), "-62.5,-8,-60,-6");
    assert!(amazon.contains(-8.0, -62.5) && amazon.contains(-6.0, -60.0) && amazon.contains(-7.0, -61.0));
    assert!(
        !amazon.contains(-8.000_001, -61.0) && !amazon.contains(-7.0, -59.999) && !amazon.contains(f64::NAN, -61.0)
    );
    assert!(!amazon.contains(-7.0, f64::NAN) && !amazon.contains(-7.0, 299.0), "longitudes go from -180 to 180");
    assert_eq!(region("297.5,-8,300,-6"), amazon, "a region may be counted from 0 to 360");
    assert!(region("-180,-90,180,90").is_everything() && region("0,-90,360,90").is_everything());
}

#[test]
fn a_box_whose_east_is_below_its_west_crosses_the_dateline() {
    let fiji = region("177,-19,-178,-16");
    for (longitude, is_in) in
        [(177.0, true), (180.0, true), (-180.0, true), (-178.0, true), (-177.9, false), (0.0, false)]
    {
        assert_eq!(fiji.contains(-17.0, longitude), is_in, "{longitude}");
    }
    assert_eq!(region("177,-19,182,-16"), fiji);
    let drawn = polygon(&[&[[177.0, -19.0], [-178.0, -19.0], [-178.0, -16.0], [177.0, -16.0]]]);
    assert_eq!(drawn, fiji, "a ring that jumps over the dateline");
    let boxes = fiji.boxes();
    assert!(boxes.iter().all(|bounds| bounds.west <= bounds.east), "{boxes:?}");
    assert_eq!(boxes.len(), 2);
    let cut = "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[177,-19],[180,-19],[180,-16],[177,-16],[177,-19]]],\
               [[[-180,-19],[-178,-19],[-178,-16],[-180,-16],[-180,-19]]]]}";
    assert!(region(cut).covers(&fiji) && fiji.covers(&region(cut)), "a polygon cut at the dateline is the same area");
}

#[test]
fn both_longitudes_of_the_dateline_are_the_same_meridian() {
    for text in ["170,0,180,10", "-180,0,-170,10"] {
        let touching = region(text);
        assert!(touching.contains(5.0, 180.0) && touching.contains(5.0, -180.0));
        let boxes = touching.boxes();
        let has = |longitude: f64| boxes.iter().any(|bounds| bounds.west <= longitude && longitude <= bounds.east);
        assert!(has(180.0) && has(-180.0), "{boxes:?}");
    }
    let triangle = polygon(&[&[[170.0, 0.0], [180.0, 5.0], [170.0, 10.0]]]);
    assert!(triangle.contains(5.0, -180.0) && !triangle.contains(6.0, -180.0));
}

#[test]
fn a_ring_around_a_pole_includes_the_pole() {
    // As maps draw it, along the edge of the map, and as a plain ring.
    let drawn: &[[f64; 2]] = &[
        [-180.0, -90.0],
        [-180.0, -70.0],
        [-90.0, -65.0],
        [0.0, -70.0],
        [90.0, -66.0],
        [180.0, -70.0],
        [180.0, -90.0],
    ];
    let plain: &[[f64; 2]] = &[[-180.0, -70.0], [-90.0, -65.0], [0.0, -70.0], [90.0, -66.0]];
    let mut other_way = plain.to_vec();
    other_way.reverse();
    for antarctica in [polygon(&[drawn]), polygon(&[plain]), polygon(&[&other_way])] {
        for (latitude, longitude, is_in) in [
            (-90.0, 0.0, true),
            (-89.0, 179.9, true),
            (-80.0, -180.0, true),
            (-80.0, 180.0, true),
            (-66.0, -90.0, true),
            (-66.0, 0.0, false),
            (0.0, 0.0, false),
            (89.0, 0.0, false),
        ] {
            assert_eq!(antarctica.contains(latitude, longitude), is_in, "{latitude} {longitude}");
        }
        let [Shape::Box(band)] = antarctica.covering_shapes(100)[..] else { panic!("a band") };
        assert_eq!((band.west, band.south, band.east, band.north), (-180.0, -90.0, 180.0, -65.0));
        assert_eq!(Region::parse(&antarctica.to_text()).unwrap(), antarctica);
    }
    assert!(polygon(&[drawn]).covers(&polygon(&[plain])) && polygon(&[plain]).covers(&polygon(&[drawn])));
    let arctic = region("-180,66,180,90");
    assert!(arctic.contains(90.0, 12.0) && !arctic.contains(65.9, 12.0));
    let ring = polygon(&[&[[0.0, 70.0], [120.0, 75.0], [-120.0, 72.0]]]);
    assert!(ring.contains(90.0, -60.0) && ring.contains(80.0, 0.0) && !ring.contains(69.0, 0.0));
    let all_but = polygon(&[
        &[[-180.0, -90.0], [180.0, -90.0], [180.0, 90.0], [-180.0, 90.0]],
        &[[-180.0, -20.0], [180.0, -20.0], [180.0, 20.0], [-180.0, 20.0]],
    ]);
    assert!(all_but.contains(-90.0, 5.0) && all_but.contains(50.0, 180.0) && all_but.contains(20.0, -180.0));
    assert!(!all_but.contains(0.0, 180.0) && !all_but.contains(0.0, -180.0) && !all_but.contains(19.0, 60.0));
    assert!(!all_but.contains(0.0, -60.0) && all_but.union(&region("-180,-90,180,90")).is_everything());
    let collar = polygon(&[plain, &[[-180.0, -80.0], [-90.0, -80.0], [0.0, -80.0], [90.0, -80.0]]]);
    assert!(!collar.contains(-85.0, 10.0) && !collar.contains(-90.0, 0.0) && collar.contains(-75.0, 10.0));
}

#[test]
fn a_ring_along_the_edge_of_the_map_is_not_flat() {
    let earth = polygon(&[&[[-180.0, -90.0], [180.0, -90.0], [180.0, 90.0], [-180.0, 90.0]]]);
    assert!(earth.is_everything(), "{}", earth.to_text());
    assert!(polygon(&[&[[0.0, -90.0], [360.0, -90.0], [360.0, 90.0], [0.0, 90.0]]]).is_everything());
    let hills = polygon(&[&[[-180.0, 0.0], [180.0, 0.0], [180.0, 50.0], [0.0, 60.0], [-180.0, 50.0]]]);
    assert!(hills.contains(30.0, 10.0) && hills.contains(59.0, 0.0) && !hills.contains(59.0, 170.0));
    assert!(!hills.contains(80.0, 0.0) && !hills.contains(-1.0, 0.0));
}

#[test]
fn a_hole_is_outside_and_its_edge_is_inside() {
    let outer: &[[f64; 2]] = &[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
    let hole: &[[f64; 2]] = &[[4.0, 4.0], [6.0, 4.0], [6.0, 6.0], [4.0, 6.0]];
    let ring = polygon(&[outer, hole]);
    assert!(!ring.contains(5.0, 5.0) && ring.contains(4.0, 5.0) && ring.contains(3.0, 3.0));
    let filled = polygon(&[outer]);
    assert_eq!(filled.to_text(), "0,0,10,10", "a rectangle is a box");
    assert!(filled.covers(&ring) && !ring.covers(&filled));
    assert!(ring.union(&region("3,3,7,7")).covers(&filled), "two parts cover together");
    assert!(is_in_shapes(&ring.covering_shapes(100), 5.0, 5.0), "the shapes fill the hole");
}

#[test]
fn an_edge_that_may_go_either_way_around_the_globe_is_refused() {
    let boxed = |west: f64, east: f64| [[west, -10.0], [east, -10.0], [east, 10.0], [west, 10.0]];
    for (west, east) in [(-100.0, 100.0), (-170.0, 170.0), (-91.0, 91.0), (0.0, 200.0)] {
        let message = error(&geojson_of(&[&boxed(west, east)]));
        assert!(message.contains("may go either way") && message.contains("W,S,E,N"), "{message}");
    }
    let mut clockwise = boxed(-100.0, 100.0);
    clockwise.reverse();
    assert!(error(&geojson_of(&[&clockwise])).contains("may go either way"));
    let hole: &[[f64; 2]] = &boxed(-100.0, 100.0);
    let band: &[[f64; 2]] = &[[-180.0, -20.0], [180.0, -20.0], [180.0, 20.0], [-180.0, 20.0]];
    assert!(error(&geojson_of(&[band, hole])).contains("hole 1"));
    let wide = polygon(&[&[[-100.0, -10.0], [0.0, -10.0], [100.0, -10.0], [100.0, 10.0], [0.0, 10.0], [-100.0, 10.0]]]);
    assert_eq!(wide, region("-100,-10,100,10"), "points along the edges make it unambiguous");
    assert_eq!(polygon(&[&boxed(170.0, -170.0)]), region("170,-10,-170,10"));
}

#[test]
fn a_hole_outside_its_own_polygon_removes_nothing_from_another() {
    let square = |x: f64, y: f64| format!("[[{x},{y}],[{},{y}],[{},{}],[{x},{y}]]", x + 9.0, x + 9.0, y + 9.0);
    let text = format!(
        "{{\"type\":\"MultiPolygon\",\"coordinates\":[[{}],[{},{}]]}}",
        square(0.0, 0.0),
        square(0.0, 40.0),
        "[[4,1],[8,1],[8,5],[4,1]]"
    );
    let both = region(&text);
    assert!(both.contains(2.0, 7.0) && both.contains(2.0, 8.5) && both.contains(42.0, 7.0));
}

#[test]
fn a_ring_that_crosses_itself_includes_everything_it_goes_around() {
    let bow = polygon(&[&[[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]]]);
    assert!(bow.contains(5.0, 1.0) && bow.contains(5.0, 9.0) && !bow.contains(9.0, 5.0) && !bow.contains(1.0, 5.0));
    let shapes = bow.covering_shapes(50);
    assert!(is_in_shapes(&shapes, 5.0, 1.0) && is_in_shapes(&shapes, 5.0, 9.0));
}

#[test]
fn a_feature_collection_is_the_union_of_its_features() {
    let one = geojson_of(&[&[[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]]]);
    let two = geojson_of(&[&[[20.0, 0.0], [25.0, 0.0], [20.0, 5.0]]]);
    let collection = format!(
        "{{\"type\":\"FeatureCollection\",\"features\":[{{\"type\":\"Feature\",\"properties\":null,\"geometry\":{one}}},\
         {{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"GeometryCollection\",\"geometries\":[{two}]}}}}]}}"
    );
    let both = region(&collection);
    assert!(both.contains(1.0, 1.0) && both.contains(1.0, 21.0) && !both.contains(1.0, 10.0));
    assert_eq!(both, region(&one).union(&region(&two)));
    assert_eq!(both.boxes().len(), 2);
}

#[test]
fn an_invalid_region_is_reported_with_its_place_and_a_correction() {
    assert!(error("amazon").contains("W,S,E,N"));
    assert!(error("1,2,3").contains("W,S,E,N"));
    assert!(
        error("-8,-120,-6,-60").contains("south-west corner: invalid latitude -120; longitude comes before"),
        "{}",
        error("-8,-120,-6,-60")
    );
    assert!(error("0,10,5,-10").contains("south 10 is above north -10"));
    assert!(error("5,0,5,10").contains("no area") && error("180,0,-180,10").contains("no area"));
    assert!(error("{\"type\":\"Polygon\"").starts_with("not GeoJSON: "));
    let point = "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":null,\
                 \"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]}}]}";
    assert_eq!(error(point), "feature 1: expected a Polygon or MultiPolygon, found a Point");
    let nothing = "{\"type\":\"FeatureCollection\",\"features\":[]}";
    assert!(error(nothing).contains("no polygon"));
    let swapped = geojson_of(&[&[[-8.0, 100.0], [-6.0, 100.0], [-6.0, 102.0]]]);
    assert_eq!(error(&swapped), "the geometry: invalid latitude 100; longitude comes before latitude");
    let flat = geojson_of(&[&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]]);
    assert_eq!(error(&flat), "the geometry: it has no area");
    let short = "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1],[0,0]]]}";
    assert!(error(short).contains("at least three different points"));
}

#[test]
fn a_multipolygon_of_thousands_of_vertices_agrees_with_geo() {
    let radii: Vec<f64> = (0..500).map(|i| 4.0 + 1.5 * f64::from(i * 37 % 101) / 101.0).collect();
    let centres = (0..10).map(|i| (f64::from(i) * 13.0 - 60.0, f64::from(i * 7 % 10) * 12.0 - 55.0));
    let rings: Vec<Vec<[f64; 2]>> = centres.map(|(x, y)| star(x, y, &radii)).collect();
    let coordinates: Vec<String> = rings
        .iter()
        .map(|ring| {
            let closed = ring.iter().chain(ring.first());
            let points: Vec<String> = closed.map(|[x, y]| format!("[{x},{y}]")).collect();
            format!("[[{}]]", points.join(","))
        })
        .collect();
    let all = region(&format!("{{\"type\":\"MultiPolygon\",\"coordinates\":[{}]}}", coordinates.join(",")));
    let polygons: Vec<Polygon> = rings.iter().map(|ring| as_geo(ring, &[])).collect();
    let (mut latitude, mut longitude) = (Vec::new(), Vec::new());
    for step in 0..4_000 {
        latitude.push(f64::from(step * 7919 % 4001) / 4001.0 * 130.0 - 65.0);
        longitude.push(f64::from(step * 104_729 % 4003) / 4003.0 * 140.0 - 70.0);
    }
    let mask = all.mask(&latitude, &longitude);
    let mut inside = 0;
    for row in 0..latitude.len() {
        let point = Point::new(longitude[row], latitude[row]);
        assert_eq!(mask.value(row), polygons.iter().any(|polygon| polygon.contains(&point)), "{point:?}");
        inside += usize::from(mask.value(row));
    }
    assert!(inside > 100, "{inside}");
    let shapes = all.covering_shapes(60);
    assert!(shapes.iter().all(|shape| matches!(shape, Shape::Polygon(line) if line.len() <= 60)), "{shapes:?}");
    for row in (0..latitude.len()).filter(|row| mask.value(*row)) {
        assert!(is_in_shapes(&shapes, latitude[row], longitude[row]));
    }
    assert_eq!(Region::parse(&all.to_text()).unwrap(), all);
    assert!(all.covers(&polygon(&[&rings[3]])) && !polygon(&[&rings[3]]).covers(&all));
}

#[test]
fn a_thousand_islands_become_a_few_boxes() {
    let islands = (0..1000).map(|i| {
        let (x, y) = (f64::from(i % 40) * 8.0 - 160.0, f64::from(i / 40) * 4.0 - 50.0);
        geojson_of(&[&[[x, y], [x + 1.0, y], [x, y + 1.0]]])
    });
    let text =
        format!("{{\"type\":\"GeometryCollection\",\"geometries\":[{}]}}", islands.collect::<Vec<_>>().join(","));
    let all = region(&text);
    assert!(all.boxes().len() <= 16 && all.covering_shapes(100).len() <= 20);
    for (latitude, longitude) in [(-49.9, -159.9), (46.1, 152.1)] {
        assert!(all.contains(latitude, longitude) && is_in_shapes(&all.covering_shapes(100), latitude, longitude));
        assert!(
            all.boxes().iter().any(|b| Region::from_parts(vec![RegionPart::Box(*b)]).contains(latitude, longitude))
        );
    }
}

#[test]
fn a_box_intersects_a_region_at_its_edge_within_it_and_around_it() {
    let triangle = polygon(&[&[[175.0, 0.0], [-175.0, 0.0], [180.0, 10.0]]]);
    for (text, meets) in [
        ("-180,-10,-170,5", true),
        ("170,2,179,3", true),
        ("179.9,4,-179.9,5", true),
        ("-175,0,-170,1", true),
        ("-174.9,0,-170,1", false),
        ("170,6,174,9", false),
        ("-180,-90,180,90", true),
    ] {
        assert_eq!(triangle.intersects_box(&region(text).as_box().unwrap()), meets, "{text}");
    }
}
