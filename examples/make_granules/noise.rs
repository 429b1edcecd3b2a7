//! Repeatable randomness: hashes of numbers, and smooth fields over the globe.

/// Returns a number in [0, 1) that depends only on `keys`.
pub(crate) fn unit(keys: &[u64]) -> f64 {
    let hash = keys.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, key| mix(hash ^ mix(*key)));
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns a number in [`low`, `high`).
pub(crate) fn between(low: f64, high: f64, keys: &[u64]) -> f64 {
    low + (high - low) * unit(keys)
}

/// Returns a smooth field in [0, 1) with hills about `size` degrees wide; `kind` selects the field.
pub(crate) fn field(latitude: f64, longitude: f64, size: f64, kind: u64) -> f64 {
    let (y, x) = (latitude / size, longitude / size);
    let (row, column) = (y.floor(), x.floor());
    let corner = |down: f64, right: f64| unit(&[(row + down).to_bits(), (column + right).to_bits(), kind]);
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (v, u) = (ease(y - row), ease(x - column));
    let top = corner(0.0, 0.0) * (1.0 - u) + corner(0.0, 1.0) * u;
    let bottom = corner(1.0, 0.0) * (1.0 - u) + corner(1.0, 1.0) * u;
    top * (1.0 - v) + bottom * v
}

/// Scatters the bits of a key.
fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}
