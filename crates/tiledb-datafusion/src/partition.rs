//! Splits a scan into partitions with about equal numbers of cells, which become the partitions of `TileDbSource`: runs of tiles, or,
//! where libtiledb reads the array, disjoint coordinate ranges, from the bounding rectangles and cell counts of the fragments.

use tiledb::{ArrayLayout, Axis, Intervals, Ranges, TileRun};

use crate::fragment::TableFragment;

/// The minimum number of cells in a partition: with fewer, another partition costs more than it gains.
const CELLS_PER_PARTITION: f64 = 25_000.0;

/// The number of points over which the cells of one fragment are spread along a dimension, to find cuts; fewer where the fragments
/// have more than [`ALL_SAMPLES`] together.
const SAMPLES: usize = 32;

/// The greatest number of points of all fragments, unless there are more fragments. They are sorted for every scan.
const ALL_SAMPLES: usize = 16_384;

/// Bounding rectangle and number of cells of one fragment.
#[derive(Debug, Clone)]
pub(crate) struct Rectangle {
    cells: u64,
    /// Lowest and highest key per dimension, in the order of the layout.
    sides: Vec<(i64, i64)>,
}

/// One partition of a scan.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    /// Coordinate ranges to read.
    pub(crate) ranges: Ranges,
    /// The tiles with cells in the ranges, if the array is read by tile.
    pub(crate) tiles: Option<Vec<TileRun>>,
    /// Number of cells of the tiles; else an expectation, if the cells of each fragment are spread evenly over its rectangle.
    pub(crate) cells: usize,
}

impl Rectangle {
    /// Creates the rectangle of a fragment. A side whose type differs from the dimension's becomes the whole domain.
    pub(crate) fn new(fragment: &TableFragment, layout: &ArrayLayout) -> Self {
        let sides = layout.dimensions.iter().enumerate().map(|(index, dimension)| {
            let axis = dimension.domain.axis();
            let side = fragment.domain.get(index).and_then(|(low, high)| Some((axis.key(low)?, axis.key(high)?)));
            side.unwrap_or_else(|| dimension.domain.keys())
        });
        Self { cells: fragment.rows, sides: sides.collect() }
    }

    /// Returns the number of cells.
    pub(crate) fn cells(&self) -> u64 {
        self.cells
    }

    /// Returns the lowest and the highest key on a dimension.
    pub(crate) fn side(&self, dimension: usize) -> Option<(i64, i64)> {
        self.sides.get(dimension).copied()
    }

    /// Returns the expected number of cells in `ranges`.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn expected(&self, ranges: &Ranges, axes: &[Axis]) -> f64 {
        ranges.iter().fold(self.cells as f64, |cells, (dimension, keys)| {
            match (self.side(dimension), axes.get(dimension)) {
                (Some(side), Some(axis)) => cells * share(side, keys, *axis),
                _ => cells,
            }
        })
    }
}

/// Returns the share of a side that the keys cover, from 0 to 1.
fn share(side: (i64, i64), keys: &Intervals, axis: Axis) -> f64 {
    let covered = keys.intersect(&Intervals::new(side.0, side.1));
    let length = axis.position(side.1) - axis.position(side.0);
    if length > 0.0 {
        let lengths = covered.iter().map(|(low, high)| axis.position(high) - axis.position(low));
        lengths.sum::<f64>() / length
    } else if covered.is_empty() {
        0.0
    } else {
        1.0
    }
}

/// Divides the tiles with cells in `ranges` between at most `target` partitions.
pub(crate) fn divide(runs: &[TileRun], ranges: &Ranges, capacity: u64, target: usize) -> Vec<Partition> {
    let total: u64 = runs.iter().map(|run| run.cells).sum();
    #[expect(clippy::cast_precision_loss, reason = "a number of partitions")]
    let partitions = whole((total as f64 / CELLS_PER_PARTITION).floor()).clamp(1, target.max(1));
    let share = total.div_ceil(partitions as u64).max(1);
    let mut divided: Vec<Partition> = Vec::with_capacity(partitions);
    let mut runs: Vec<TileRun> = runs.iter().rev().copied().collect();
    while divided.is_empty() || !runs.is_empty() {
        let (mut tiles, mut cells) = (Vec::new(), 0);
        while cells < share {
            let Some(run) = runs.pop() else { break };
            let wanted = usize::try_from((share - cells).div_ceil(capacity.max(1))).unwrap_or(usize::MAX);
            let run = if wanted < run.count {
                let (head, tail) = run.split_at(wanted, capacity);
                runs.push(tail);
                head
            } else {
                run
            };
            cells += run.cells;
            tiles.push(run);
        }
        let cells = usize::try_from(cells).unwrap_or(usize::MAX);
        divided.push(Partition { ranges: ranges.clone(), tiles: Some(tiles), cells });
    }
    divided
}

/// Splits `ranges` into at most `target` disjoint partitions.
pub(crate) fn split(rectangles: &[Rectangle], ranges: &Ranges, layout: &ArrayLayout, target: usize) -> Vec<Partition> {
    let axes: Vec<Axis> = layout.dimensions.iter().map(|dimension| dimension.domain.axis()).collect();
    let weighted: Vec<(&Rectangle, f64)> = rectangles
        .iter()
        .map(|rectangle| (rectangle, rectangle.expected(ranges, &axes)))
        .filter(|(_, cells)| *cells > 0.0)
        .collect();
    let total: f64 = weighted.iter().map(|(_, cells)| cells).sum();
    let partitions = whole((total / CELLS_PER_PARTITION).floor()).clamp(1, target.max(1));
    let dimensions = if partitions > 1 { axes.len() } else { 0 };
    let cuts = (0..dimensions)
        .filter_map(|dimension| Cuts::along(dimension, *axes.get(dimension)?, &weighted, ranges, partitions))
        .min_by(|a, b| (b.keys.len().cmp(&a.keys.len())).then(a.straddling.total_cmp(&b.straddling)));
    let Some(cuts) = cuts else {
        return vec![Partition { ranges: ranges.clone(), tiles: None, cells: whole(total) }];
    };
    cuts.apply(ranges, layout)
        .map(|ranges| {
            let cells = weighted.iter().map(|(rectangle, _)| rectangle.expected(&ranges, &axes)).sum();
            Partition { ranges, tiles: None, cells: whole(cells) }
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, and it saturates")]
fn whole(cells: f64) -> usize {
    cells.ceil() as usize
}

/// The cuts of one dimension.
struct Cuts {
    dimension: usize,
    /// The last key of every partition except the last, ascending.
    keys: Vec<i64>,
    /// Cells of fragments that a cut goes through, counted once per cut: tiles on a cut are read twice.
    straddling: f64,
}

impl Cuts {
    /// Finds cuts that give each partition the same number of cells; `None` if the dimension cannot be cut.
    #[expect(clippy::cast_precision_loss, reason = "few samples")]
    fn along(
        dimension: usize,
        axis: Axis,
        weighted: &[(&Rectangle, f64)],
        ranges: &Ranges,
        partitions: usize,
    ) -> Option<Self> {
        let per_fragment = (ALL_SAMPLES / weighted.len().max(1)).clamp(1, SAMPLES);
        let mut samples = Vec::with_capacity(weighted.len() * per_fragment);
        let mut spans = Vec::with_capacity(weighted.len());
        for (rectangle, cells) in weighted {
            let mut side = rectangle.side(dimension)?;
            if let Some(keys) = ranges.get(dimension) {
                side = keys.intersect(&Intervals::new(side.0, side.1)).hull().iter().next()?;
            }
            let (low, high) = (axis.position(side.0), axis.position(side.1));
            spans.push((low, high, *cells));
            let step = 1.0 / per_fragment as f64;
            samples.extend((0..per_fragment).map(|sample| {
                let at = (sample as f64 + 0.5) * step;
                (low + (high - low) * at, cells * step)
            }));
        }
        samples.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let places = quantiles(&samples, partitions);
        let mut keys: Vec<i64> = places.iter().map(|place| axis.cut(axis.key_at(*place))).collect();
        keys.dedup();
        let cut_through = |(low, high, cells): &(f64, f64, f64)| {
            places.iter().filter(|place| low <= *place && *place < high).map(|_| cells).sum::<f64>()
        };
        let straddling = spans.iter().map(cut_through).sum();
        (!keys.is_empty()).then_some(Self { dimension, keys, straddling })
    }

    /// Returns the ranges of every partition that is not empty.
    fn apply(&self, ranges: &Ranges, layout: &ArrayLayout) -> impl Iterator<Item = Ranges> {
        let domain = layout.dimensions.get(self.dimension).map(|dimension| dimension.domain.keys());
        let (first, last) = domain.unwrap_or((i64::MIN, i64::MAX));
        let all = ranges.get(self.dimension).cloned().unwrap_or_else(|| Intervals::new(first, last));
        let starts = std::iter::once(first).chain(self.keys.iter().map(|key| key.saturating_add(1)));
        let ends = self.keys.iter().copied().chain(std::iter::once(last));
        let partitions: Vec<Intervals> =
            starts.zip(ends).map(|(low, high)| all.intersect(&Intervals::new(low, high))).collect();
        partitions.into_iter().filter(|keys| !keys.is_empty()).map(|keys| {
            let mut partition = ranges.clone();
            partition.insert(self.dimension, keys);
            partition
        })
    }
}

/// Returns positions between sorted weighted samples that divide the weight evenly into `partitions`.
#[expect(clippy::cast_precision_loss, reason = "few partitions")]
fn quantiles(samples: &[(f64, f64)], partitions: usize) -> Vec<f64> {
    let total: f64 = samples.iter().map(|(_, weight)| weight).sum();
    let share = total / partitions as f64;
    let mut places = Vec::with_capacity(partitions.saturating_sub(1));
    let mut seen = 0.0;
    for pair in samples.windows(2) {
        let [(place, weight), (next, _)] = pair else { continue };
        seen += weight;
        let wanted = share * (places.len() + 1) as f64;
        if places.len() + 1 < partitions && seen >= wanted * (1.0 - f64::EPSILON * 64.0) && place < next {
            places.push(place + (next - place) / 2.0);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tiledb::{CellOrder, Dimension, Domain};

    fn layout() -> ArrayLayout {
        let dimension = |name: &str, domain| Dimension { name: name.to_owned(), domain };
        ArrayLayout {
            dimensions: vec![
                dimension("latitude", Domain::Float64 { low: -90.0, high: 90.0, extent: None }),
                dimension("time", Domain::TimestampNs { low: 0, high: 1_000_000, extent: None }),
            ],
            cell_order: CellOrder::Hilbert,
            capacity: 10_000,
            allows_duplicates: true,
        }
    }

    fn rectangle(cells: u64, latitude: (f64, f64), time: (i64, i64)) -> Rectangle {
        let key = |value| Axis::Float64.key(&tiledb::Literal::Float(value)).unwrap();
        Rectangle { cells, sides: vec![(key(latitude.0), key(latitude.1)), time] }
    }

    fn rectangles() -> impl Strategy<Value = Vec<Rectangle>> {
        let one = (0u64..400_000, -90.0..90.0, 0.0..60.0, 0i64..1_000_000, 0i64..400_000);
        let one = one.prop_map(|(cells, south, tall, from, long)| {
            rectangle(cells, (south, f64::min(south + tall, 90.0)), (from, (from + long).min(1_000_000)))
        });
        proptest::collection::vec(one, 0..8)
    }

    proptest! {
        #[test]
        fn every_position_is_read_by_exactly_one_partition(
            rectangles in rectangles(),
            target in 1usize..9,
            south in proptest::option::of(-90.0..80.0),
            place in (-90.0..=90.0f64, 0i64..=1_000_000),
        ) {
            let layout = layout();
            let key = |value| Axis::Float64.key(&tiledb::Literal::Float(value)).unwrap();
            let ranges: Ranges = south.map(|south| (0, Intervals::new(key(south), key(90.0)))).into_iter().collect();
            let holds = |ranges: &Ranges, place: (i64, i64)| {
                [place.0, place.1].iter().enumerate().all(|(dimension, key)| {
                    ranges.get(dimension).is_none_or(|keys| keys.covers(*key, *key))
                })
            };
            let partitions = split(&rectangles, &ranges, &layout, target);
            prop_assert!((1..=target).contains(&partitions.len()));
            let place = (key(place.0), place.1);
            let wanted = usize::from(holds(&ranges, place));
            prop_assert_eq!(partitions.iter().filter(|partition| holds(&partition.ranges, place)).count(), wanted);
            // TileDB compares both zeros as equal, so they belong to one partition
            let zeros = partitions.iter().filter(|partition| partition.ranges.get(0).is_some_and(|keys| keys.covers(-1, -1) != keys.covers(0, 0)));
            prop_assert_eq!(zeros.count(), 0);
        }
    }

    #[test]
    fn cuts_go_between_the_fragments_of_different_months() {
        let months = [rectangle(100_000, (-90.0, 90.0), (0, 99)), rectangle(100_000, (-90.0, 90.0), (100, 199))];
        let partitions = split(&months, &Ranges::new(), &layout(), 2);
        let times: Vec<_> = partitions.iter().map(|partition| partition.ranges.get(1).unwrap().clone()).collect();
        assert_eq!(times.len(), 2);
        assert!(times[0].covers(0, 99) && times[1].covers(100, 1_000_000));
        assert_eq!(partitions[0].cells, 100_000);
    }

    #[test]
    fn few_cells_are_read_by_one_partition() {
        let small = [rectangle(40_000, (0.0, 1.0), (0, 99))];
        assert_eq!(split(&small, &Ranges::new(), &layout(), 8).len(), 1);
        let large = [rectangle(400_000, (0.0, 1.0), (0, 99))];
        let partitions = split(&large, &Ranges::new(), &layout(), 8);
        assert_eq!(partitions.len(), 8);
        assert!(partitions.iter().all(|partition| (45_000..55_000).contains(&partition.cells)));
    }
}
