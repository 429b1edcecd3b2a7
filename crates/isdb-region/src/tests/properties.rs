//! Properties of every region.

use proptest::prelude::*;

use super::*;

fn stars(longitude: std::ops::Range<f64>) -> impl Strategy<Value = Vec<[f64; 2]>> {
    (longitude, -60.0..60.0, prop::collection::vec(0.5..12.0, 3..40)).prop_map(|(x, y, radii)| star(x, y, &radii))
}

proptest! {
    #[test]
    fn a_region_is_read_back_from_its_text(ring in stars(-180.0..359.0), hole in any::<bool>()) {
        let ring: Vec<_> = ring.into_iter().map(|[x, y]| [if x > 360.0 { x - 360.0 } else { x.max(-180.0) }, y]).collect();
        let inner: Vec<_> = ring.iter().map(|[x, y]| [x * 0.999, y * 0.999]).collect();
        let all: [&[[f64; 2]]; 2] = [&ring, &inner];
        if let Ok(read) = Region::parse(&geojson_of(&all[..1 + usize::from(hole)])) {
            prop_assert_eq!(Region::parse(&read.to_text()).unwrap(), read);
        }
    }

    #[test]
    fn any_ring_of_degrees_is_read_back_from_its_text(
        ring in prop::collection::vec((-12_i32..=24, -6_i32..=6).prop_map(|(x, y)| [f64::from(x * 15), f64::from(y * 15)]), 3..8),
    ) {
        if let Ok(read) = Region::parse(&geojson_of(&[&ring])) {
            prop_assert_eq!(Region::parse(&read.to_text()).unwrap(), read);
        }
    }

    #[test]
    fn a_box_is_read_back_from_its_text(w in -180.0..180.0, s in -90.0..90.0, e in -180.0..360.0, n in -90.0..90.0) {
        if let Ok(read) = Region::from_bbox(w, s, e, n) {
            prop_assert_eq!(Region::parse(&read.to_text()).unwrap(), read.clone());
            let more = read.union(&polygon(&[&[[1.0, 1.0], [2.0, 1.0], [1.0, 2.0]]]));
            prop_assert_eq!(Region::parse(&more.to_text()).unwrap(), more);
        }
    }

    #[test]
    fn away_from_edges_a_region_agrees_with_geo(
        ring in stars(-150.0..150.0), scale in 0.1..0.9, points in prop::collection::vec((-13.0..13.0, -13.0..13.0), 50),
    ) {
        let [x, y] = ring.iter().fold([0.0, 0.0], |[a, b], [x, y]| [a + x, b + y]);
        #[expect(clippy::cast_precision_loss)]
        let [x, y] = [x / ring.len() as f64, y / ring.len() as f64];
        let hole: Vec<_> = ring.iter().map(|[a, b]| [x + (a - x) * scale, y + (b - y) * scale]).collect();
        let own = polygon(&[&ring, &hole]);
        let theirs = as_geo(&ring, &[]);
        let their_hole = as_geo(&hole, &[]);
        for (dx, dy) in points {
            let point = Point::new(x + dx, y + dy);
            let is_in = theirs.contains(&point) && !their_hole.contains(&point);
            prop_assert_eq!(own.contains(point.y(), point.x()), is_in, "{:?}", point);
        }
    }

    #[test]
    fn a_region_moved_around_the_globe_keeps_its_shape(ring in stars(-20.0..20.0), points in prop::collection::vec((-35.0..35.0, -75.0..75.0), 30)) {
        let moved: Vec<_> = ring.iter().map(|[x, y]| [if *x < 0.0 { x + 180.0 } else { x - 180.0 }, *y]).collect();
        let (own, moved) = (polygon(&[&ring]), polygon(&[&moved]));
        for (x, y) in points {
            let over: f64 = if x < 0.0 { x + 180.0 } else { x - 180.0 };
            prop_assert_eq!(own.contains(y, x), moved.contains(y, over));
        }
    }

    #[test]
    fn covering_shapes_and_boxes_contain_the_region(
        ring in stars(-180.0..359.0), most in 8_usize..80, points in prop::collection::vec((0.0..1.0, 0.0..1.0), 60),
    ) {
        let over = |x: f64| if x > 180.0 { x - 360.0 } else if x < -180.0 { x + 360.0 } else { x };
        let ring: Vec<_> = ring.into_iter().map(|[x, y]| [over(x), y]).collect();
        let own = polygon(&[&ring]);
        let shapes = own.covering_shapes(most);
        for shape in &shapes {
            if let Shape::Polygon(line) = shape {
                prop_assert!(line.len() <= most && line.first() == line.last());
                prop_assert!(crate::ring::area(line) > 0.0, "counter-clockwise");
                prop_assert!(line.iter().all(|[x, y]| x.abs() <= 180.0 && y.abs() <= 90.0));
            }
        }
        let corners = ring.iter().map(|[x, y]| (*y, *x));
        let boxes = own.boxes();
        let within = points.iter().flat_map(|(a, b)| boxes.iter().map(move |bounds| {
            (bounds.south + (bounds.north - bounds.south) * a, bounds.west + (bounds.east - bounds.west) * b)
        }));
        for (latitude, longitude) in within.chain(corners) {
            if own.contains(latitude, longitude) {
                prop_assert!(is_in_shapes(&shapes, latitude, longitude), "{} {} {:?}", latitude, longitude, shapes);
                prop_assert!(boxes.iter().any(|b| b.west <= longitude && longitude <= b.east && b.south <= latitude && latitude <= b.north));
            }
        }
    }

    #[test]
    fn a_union_covers_its_parts_and_a_part_covers_it_only_if_the_other_adds_nothing(
        one in stars(160.0..179.0), two in stars(160.0..179.0), points in prop::collection::vec((0.0..1.0, 0.0..1.0), 40),
    ) {
        let over = |ring: Vec<[f64; 2]>| -> Vec<[f64; 2]> { ring.into_iter().map(|[x, y]| [if x > 180.0 { x - 360.0 } else { x }, y]).collect() };
        let (one, two) = (polygon(&[&over(one)]), polygon(&[&over(two)]));
        let both = one.union(&two);
        prop_assert_eq!(&both, &two.union(&one));
        prop_assert_eq!(&both.union(&one), &both);
        prop_assert!(both.covers(&one) && both.covers(&two) && one.covers(&one));
        prop_assert!(Region::from_bbox(-180.0, -90.0, 180.0, 90.0).unwrap().covers(&both));
        for bounds in both.boxes() {
            for (a, b) in &points {
                let (y, x) = (bounds.south + (bounds.north - bounds.south) * a, bounds.west + (bounds.east - bounds.west) * b);
                prop_assert_eq!(both.contains(y, x), one.contains(y, x) || two.contains(y, x));
                if two.contains(y, x) && !one.contains(y, x) {
                    prop_assert!(!one.covers(&both) && !one.covers(&two));
                }
            }
        }
    }

    #[test]
    fn a_box_covers_exactly_the_boxes_within_its_bounds(a in -9_i32..9, b in 1_i32..9, c in -9_i32..9, d in 1_i32..9) {
        let square = |x: i32, size: i32| Region::from_bbox(f64::from(x), 0.0, f64::from(x + size), 5.0).unwrap();
        prop_assert_eq!(square(a, b).covers(&square(c, d)), a <= c && c + d <= a + b);
        let pair = square(a, b).union(&square(a + b, 3));
        prop_assert_eq!(pair.covers(&square(c, d)), a <= c && c + d <= a + b + 3, "two boxes side by side");
    }

    #[test]
    fn no_text_panics(text in "\\PC*", ring in prop::collection::vec([any::<f64>(), any::<f64>()], 0..6)) {
        let _ = Region::parse(&text);
        let _ = Region::parse(&geojson_of(&[&ring]));
    }
}
