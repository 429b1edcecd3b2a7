use proptest::prelude::*;

use super::*;
use crate::golden::golden;

/// The domain of segments: 1700 to 2250 in nanoseconds.
const DOMAINS: [(f64, f64); 3] =
    [(-90.0, 90.0), (-180.0, 180.0), (-8_520_336_000_000_000_000.0, 8_835_868_800_000_000_000.0)];

/// Fragments whose cells are in another order than libtiledb's are read wrongly in global order, and cannot be consolidated.
#[test]
fn cells_are_in_the_order_of_libtiledb() {
    let [latitude, longitude, time] = golden("hilbert");
    let doubles = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|value| f64::from_le_bytes(*value)).collect::<Vec<_>>();
    let (latitude, longitude) = (doubles(&latitude), doubles(&longitude));
    let time: Vec<i64> = time.as_chunks().0.iter().map(|value| i64::from_le_bytes(*value)).collect();
    let time_double: Vec<f64> = time.iter().map(|time| *time as f64).collect();
    let curve = HilbertCurve::new(&DOMAINS).unwrap();
    let mut values = Vec::new();
    curve.values(&[&latitude, &longitude, &time_double], &mut values).unwrap();
    assert_eq!(values.len(), 2000);
    for row in 1..values.len() {
        let key = |row: usize| (values[row], latitude[row], longitude[row], time[row]);
        assert!(key(row - 1) <= key(row), "{:?} is before {:?}", key(row - 1), key(row));
    }
    // The order says something: most positions differ, and the neighbours of the golden file have equal ones.
    let different = values.windows(2).filter(|two| two[0] != two[1]).count();
    assert!((1000..1999).contains(&different), "{different}");
}

proptest! {
    /// The batch is what orders fragments; the value of one cell follows the definition step by step.
    #[test]
    fn a_batch_is_as_cell_by_cell(
        cells in prop::collection::vec((-90.0..90.0, -180.0..180.0, any::<i64>(), 0.0..1.0), 0..50), dimensions in 1..5_usize,
    ) {
        let domains = [DOMAINS[0], DOMAINS[1], DOMAINS[2], (0.0, 1.0)];
        let curve = HilbertCurve::new(&domains[..dimensions]).unwrap();
        let columns: [Vec<f64>; 4] = [
            cells.iter().map(|cell| cell.0).collect(),
            cells.iter().map(|cell| cell.1).collect(),
            cells.iter().map(|cell| cell.2 as f64).collect(),
            cells.iter().map(|cell| cell.3).collect(),
        ];
        let columns: Vec<&[f64]> = columns[..dimensions].iter().map(Vec::as_slice).collect();
        let mut values = Vec::new();
        curve.values(&columns, &mut values).unwrap();
        let one_by_one: Vec<u64> =
            (0..cells.len()).map(|row| curve.value(&columns.iter().map(|column| column[row]).collect::<Vec<_>>())).collect();
        prop_assert_eq!(values, one_by_one);
    }

    /// Any coordinate, also NaN, gives a position of at most 63 bits.
    #[test]
    fn positions_have_63_bits(coordinates in [any::<f64>(), any::<f64>(), any::<f64>()], dimensions in 1..4_usize) {
        let curve = HilbertCurve::new(&DOMAINS[..dimensions]).unwrap();
        prop_assert!(curve.value(&coordinates) < 1 << POSITION_BITS);
    }
}

/// The curve visits all cells of a small square, each next to the one before. In any other order, neighbours would be far apart.
#[test]
fn the_curve_goes_from_neighbour_to_neighbour() {
    let curve = HilbertCurve::new(&[(0.0, 1.0), (0.0, 1.0)]).unwrap();
    let corner = |slice: u32| (f64::from(slice) + 0.5) / 16.0;
    let mut cells: Vec<(u64, u32, u32)> = (0..16)
        .flat_map(|x| (0..16).map(move |y| (x, y)))
        .map(|(x, y)| (curve.value(&[corner(x), corner(y)]), x, y))
        .collect();
    cells.sort_unstable();
    for two in cells.windows(2) {
        let &[(_, x, y), (_, next_x, next_y)] = two else { unreachable!() };
        assert_eq!(x.abs_diff(next_x) + y.abs_diff(next_y), 1, "{two:?}");
    }
}

/// Wrong calls are errors, not positions.
#[test]
fn domains_and_columns_are_checked() {
    assert!(HilbertCurve::new(&[]).is_err());
    assert!(HilbertCurve::new(&[(0.0, 1.0); 16]).is_err());
    assert!(HilbertCurve::new(&[(1.0, 1.0)]).is_err());
    assert!(HilbertCurve::new(&[(f64::NAN, 1.0)]).is_err());
    let curve = HilbertCurve::new(&DOMAINS).unwrap();
    assert!(curve.values(&[&[1.0], &[1.0]], &mut Vec::new()).is_err());
    assert!(curve.values(&[&[1.0], &[1.0], &[]], &mut Vec::new()).is_err());
}

/// Prints the time for a cell. Run it with `--release -- --ignored --nocapture speed`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let rows = 100_000;
    let column = |low: f64, high: f64, step: f64| {
        (0..rows).map(|row| low + (f64::from(row) * step).fract() * (high - low)).collect::<Vec<_>>()
    };
    let columns = [0.618, 0.414, 0.732].into_iter().zip(DOMAINS).map(|(step, (low, high))| column(low, high, step));
    let columns: Vec<Vec<f64>> = columns.collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = Vec::new();
    for dimensions in [2, 3] {
        let curve = HilbertCurve::new(&DOMAINS[..dimensions]).unwrap();
        let mut best = f64::MAX;
        for _ in 0..20 {
            out.clear();
            let start = std::time::Instant::now();
            curve.values(std::hint::black_box(&columns[..dimensions]), &mut out).unwrap();
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{dimensions} dimensions: {:.1} ns per cell", best / f64::from(rows) * 1e9);
    }
}
