//! Rings: closed lines around an area on the globe, normalised so that each step goes the shorter way around.

use crate::bounds::{Bounds, check, round, wrap};

/// The points of a ring as longitude (-180 to 180) and latitude, without repeating the first at the end;
/// counter-clockwise unless the ring goes around the globe. Every step is shorter than 90° of longitude, across the
/// dateline where that is shorter, and the steps of longitude add up to zero.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) struct Ring(Vec<[f64; 2]>);

/// Steps of this length and more are divided, so that their direction is unambiguous when the ring is written and read again.
const LONG_STEP: f64 = 90.0;
/// In a text, an edge of at least this length, but less than a full turn, is the short way across the dateline.
const ACROSS_DATELINE: f64 = 270.0;

impl Ring {
    /// The ring through `points`, whose longitudes range from -180 to 360, or the reason why it is invalid.
    pub(crate) fn new(points: &[[f64; 2]]) -> Result<Ring, String> {
        for [longitude, latitude] in points {
            check(*longitude, *latitude)?;
        }
        let mut points: Vec<[f64; 2]> = points.iter().map(|[x, y]| [round(*x), round(*y)]).collect();
        points.dedup();
        while points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        if points.len() < 3 {
            return Err("a ring needs at least three different points".to_owned());
        }
        let line = unroll(&points);
        let line = if turns(&line) == 0.0 { line } else { close_over_pole(line)? };
        if is_flat(&line) {
            return Err("it has no area".to_owned());
        }
        let [low, high] = extent(&line);
        if high[0] - low[0] >= 360.0 {
            return Ok(Ring(with_short_steps(&line)));
        }
        refuse_ambiguous_edges(&points, &line)?;
        let line = if area(&line) < 0.0 { line.into_iter().rev().collect() } else { line };
        Ok(Ring(with_short_steps(&line)))
    }

    /// The ring around a box.
    pub(crate) fn around(bounds: &Bounds) -> Ring {
        let mut line = bounds.corners().to_vec();
        line.extend(line.first().copied());
        Ring(with_short_steps(&line))
    }

    /// Longitude (-180 to 180) and latitude of the points.
    pub(crate) fn points(&self) -> &[[f64; 2]] {
        &self.0
    }

    /// The ring as a closed line in the plane. It begins at the first point; across the dateline longitudes exceed 180
    /// or -180.
    pub(crate) fn line(&self) -> Vec<[f64; 2]> {
        self.shifted_line(0.0)
    }

    /// The same line moved by `shift`, a multiple of 360°. Points from -180 to 180 are exactly those of the ring.
    pub(crate) fn shifted_line(&self, shift: f64) -> Vec<[f64; 2]> {
        let mut turn = shift;
        let mut last = None;
        let closed = self.0.iter().chain(self.0.first());
        let mut unrolled = |[x, y]: &[f64; 2]| {
            if let Some(last) = last {
                turn += if x - last > 180.0 {
                    -360.0
                } else if x - last < -180.0 {
                    360.0
                } else {
                    0.0
                };
            }
            last = Some(*x);
            [x + turn, *y]
        };
        closed.map(&mut unrolled).collect()
    }

    /// The ring as a box, if it is a rectangle along meridians and parallels.
    pub(crate) fn as_box(&self) -> Option<Bounds> {
        let line = self.line();
        let [low, high] = extent(&line);
        let is_along = |a: &[f64; 2], b: &[f64; 2]| {
            let side = |axis: usize, of: &[f64; 2]| (a[axis] == b[axis]) && a[axis] == of[axis];
            [low, high].iter().any(|corner| side(0, corner) || side(1, corner))
        };
        let full = (high[0] - low[0]) * (high[1] - low[1]);
        let all_along = line.iter().zip(line.iter().skip(1)).all(|(a, b)| is_along(a, b));
        if !all_along || (area(&line).abs() - full).abs() > 1e-9 * full {
            return None;
        }
        Some(self.bounds())
    }

    /// The box around the ring.
    pub(crate) fn bounds(&self) -> Bounds {
        let line = self.line();
        let [low, high] = extent(&line);
        let all_around = Bounds { south: low[1], north: high[1], ..Bounds::EVERYTHING };
        if high[0] - low[0] >= 360.0 {
            return all_around;
        }
        let longitude = |of: f64| line.iter().position(|point| point[0] == of).and_then(|at| self.longitude(at));
        let (Some(west), Some(east)) = (longitude(low[0]), longitude(high[0])) else { return all_around };
        Bounds::new(west, low[1], east, high[1]).unwrap_or(all_around)
    }

    /// The longitude of the point at `index`; the first point follows the last.
    fn longitude(&self, index: usize) -> Option<f64> {
        self.0.get(index % self.0.len().max(1)).map(|point| point[0])
    }
}

/// The lowest and the highest coordinates of `line`.
pub(crate) fn extent(line: &[[f64; 2]]) -> [[f64; 2]; 2] {
    line.iter().fold([[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]], |[low, high], [x, y]| {
        [[low[0].min(*x), low[1].min(*y)], [high[0].max(*x), high[1].max(*y)]]
    })
}

/// The area within a closed line in the plane; negative if the line runs clockwise.
pub(crate) fn area(line: &[[f64; 2]]) -> f64 {
    let Some([x0, y0]) = line.first() else { return 0.0 };
    let twice =
        line.iter().zip(line.iter().skip(1)).map(|(a, b)| (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0));
    twice.sum::<f64>() / 2.0
}

/// The closed line through `points` in the plane. Longitudes exceed 180 or -180 where the line crosses the dateline.
fn unroll(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let walk = |jump_over: &dyn Fn(f64) -> bool| {
        let mut line: Vec<[f64; 2]> = Vec::with_capacity(points.len() + 1);
        let mut previous: Option<f64> = None;
        for [x, y] in points.iter().chain(points.first()) {
            let mut step = previous.map_or(0.0, |previous| x - previous);
            if jump_over(step) {
                step -= 360.0_f64.copysign(step);
            }
            previous = Some(*x);
            let at = line.last().map_or(wrap(*x), |last| last[0] + step);
            line.push([on_meridian(at, *x), *y]);
        }
        line
    };
    let line = walk(&|step| step.abs() > 180.0);
    // A step of exactly 360° goes all around the globe, as along the edge of a map, or nowhere. If the ring would not
    // close or would be flat without going around, it was drawn on a map.
    if turns(&line) != 0.0 || is_flat(&line) {
        let all_around = |step: f64| step.abs() > 180.0 && step.abs() < 360.0;
        let drawn = walk(&all_around);
        if turns(&drawn) == 0.0 && !is_flat(&drawn) {
            return drawn;
        }
    }
    line
}

/// Refuses a ring whose area may be on either side of its long edges. GeoJSON's edges are straight in degrees and its
/// outer rings run counter-clockwise: a ring that does so as written, but clockwise if its long edges cross the
/// dateline, is a wide ring and does not cross the dateline.
fn refuse_ambiguous_edges(points: &[[f64; 2]], line: &[[f64; 2]]) -> Result<(), String> {
    let next = points.iter().skip(1).chain(points.first());
    let lengths = points.iter().zip(next).map(|(a, b)| (b[0] - a[0]).abs());
    let shortest = lengths.filter(|length| *length > 180.0 && *length < 360.0).reduce(f64::min);
    let Some(length) = shortest else { return Ok(()) };
    let [low, high] = extent(line);
    let is_clockwise = area(line) < -1e-9 * (high[0] - low[0]) * (high[1] - low[1]);
    match length < ACROSS_DATELINE || is_clockwise {
        true => Err(format!(
            "an edge {length}° long may go either way around the globe: add points along the edge of a wide area, cut an area \
             over the dateline there or draw it counter-clockwise, or write a box as W,S,E,N"
        )),
        false => Ok(()),
    }
}

/// `unrolled` without its rounding error: the nearest value that is a whole number of turns from `longitude`.
fn on_meridian(unrolled: f64, longitude: f64) -> f64 {
    let own = wrap(longitude);
    own + ((unrolled - own) / 360.0).round() * 360.0
}

/// The difference in longitude between the end and the beginning of a line, a multiple of 360.
fn turns(line: &[[f64; 2]]) -> f64 {
    match (line.first(), line.last()) {
        (Some(first), Some(last)) => ((last[0] - first[0]) / 360.0).round() * 360.0,
        _ => 0.0,
    }
}

/// A line around a pole, closed over the pole that is nearer to its points.
fn close_over_pole(mut line: Vec<[f64; 2]>) -> Result<Vec<[f64; 2]>, String> {
    let turn = turns(&line);
    if turn.abs() > 360.0 {
        return Err("it goes around a pole more than once".to_owned());
    }
    line.pop();
    #[expect(clippy::cast_precision_loss, reason = "a mean of latitudes")]
    let mean = line.iter().map(|point| point[1]).sum::<f64>() / line.len() as f64;
    let pole = 90.0_f64.copysign(mean);
    // Nothing of the ring is between the pole and the point nearest to it.
    let nearest = line.iter().enumerate().max_by(|(_, a), (_, b)| (a[1] * pole).total_cmp(&(b[1] * pole)));
    let start = nearest.map_or(0, |(index, _)| index);
    line.rotate_left(start);
    let wrapped = line.len() - start;
    for point in line.iter_mut().skip(wrapped) {
        point[0] += turn;
    }
    let back = line.first().map_or(0.0, |[x, _]| x - to_globe(*x));
    for point in &mut line {
        point[0] -= back;
    }
    let Some(&[x, y]) = line.first() else { return Err("it has no points".to_owned()) };
    line.push([x + turn, y]);
    if y != pole {
        line.push([x + turn, pole]);
        line.push([x, pole]);
    }
    line.push([x, y]);
    Ok(line)
}

/// Whether all points lie on one straight line.
fn is_flat(line: &[[f64; 2]]) -> bool {
    let Some(a) = line.first() else { return true };
    let Some(b) = line.iter().find(|point| *point != a) else { return true };
    line.iter().all(|c| (b[0] - a[0]) * (c[1] - a[1]) == (c[0] - a[0]) * (b[1] - a[1]))
}

/// The points of a closed line without the last, long steps divided, longitudes from -180 to 180.
fn with_short_steps(line: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut points = Vec::with_capacity(line.len());
    for (a, b) in line.iter().zip(line.iter().skip(1)) {
        let parts = ((b[0] - a[0]).abs() / LONG_STEP).floor() + 1.0;
        let mut part = 0.0;
        while part < parts {
            let share = part / parts;
            let x = a[0] + (b[0] - a[0]) * share;
            points.push([to_globe(x), round(a[1] + (b[1] - a[1]) * share)]);
            part += 1.0;
        }
    }
    points.dedup();
    // 255° and -105° are the same meridian.
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    points
}

/// Maps a longitude of a line in the plane to the range from -180 to 180.
fn to_globe(x: f64) -> f64 {
    if (-180.0..=180.0).contains(&x) { round(x) } else { round(x - (x / 360.0).round() * 360.0) }
}
