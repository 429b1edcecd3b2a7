"""Synthetic ATL08-like segments at the places and times where ICESat-2 would have measured them.

A ground track follows the mission's geometry: inclination 92 degrees, 1,387 reference ground tracks repeated every
91 days, three beam pairs 3.3 km apart, one land segment each 100 m, off-nadir pointing that differs by cycle. Heights
are invented but smooth in space, and NULL (NaN) where a granule would have fill values. `layouts.py` writes these segments.
"""

from dataclasses import dataclass

import numpy as np

EPOCH = np.datetime64("2018-10-14", "ns")
TRACKS = 1387
CYCLES = 20  # five years
REPEAT_SECONDS = 91 * 86_400
PERIOD_NS = REPEAT_SECONDS * 1_000_000_000 / TRACKS
NODE_SHIFT = 360 * 91 / TRACKS  # degrees of longitude per orbit
INCLINATION = np.radians(92.0)
KM_PER_DEGREE = 111.2
SEGMENT_ANGLE = 2 * np.pi * 0.1 / 40_030  # 100 m along track
BEAM_KM = np.array([-3.345, -3.255, -0.045, 0.045, 3.255, 3.345])

# Coarse boxes in place of the continents: (south, north, west, east).
LAND = np.array([
    (30, 70, -125, -70), (10, 30, -105, -85), (-35, 5, -75, -45), (-55, -35, -73, -65), (60, 82, -55, -25),
    (37, 70, -8, 40), (20, 72, 40, 120), (50, 70, 120, 175), (8, 20, 73, 85), (-8, 20, 95, 125),
    (5, 35, -15, 40), (-34, 5, 12, 40), (-37, -12, 115, 150),
], dtype=float)

# The nine float32 attributes of the prototype; canopy attributes are NULL where canopy is missing.
CANOPY = ("h_canopy", "h_mean_canopy", "canopy_openness", "h_canopy_uncertainty")
TERRAIN = ("h_te_best_fit", "h_te_median", "h_te_uncertainty", "terrain_slope", "snr")


@dataclass(frozen=True)
class Segments:
    """Equal-length columns: degrees (float64 that were float32), time (datetime64[ns]), orbit number, attributes."""

    latitude: np.ndarray
    longitude: np.ndarray
    time: np.ndarray
    orbit: np.ndarray
    attributes: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.latitude)


def position(orbit: np.ndarray, angle: np.ndarray, cross_km: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latitude, longitude (degrees) and time (datetime64[ns]) at an angle (radians) past the ascending node."""
    latitude = np.degrees(np.arcsin(np.sin(INCLINATION) * np.sin(angle)))
    inertial = np.degrees(np.arctan2(np.cos(INCLINATION) * np.sin(angle), np.cos(angle)))
    revolutions = orbit + angle / (2 * np.pi)
    across = cross_km / (KM_PER_DEGREE * np.maximum(np.cos(np.radians(latitude)), 0.05))
    longitude = (inertial - NODE_SHIFT * revolutions + across + 180) % 360 - 180
    return latitude, longitude, EPOCH + (revolutions * PERIOD_NS).astype("i8")


def off_pointing(rng: np.random.Generator) -> np.ndarray:
    """Cross-track shift (km) of each orbit: over land the mission points off-nadir to close the gaps between tracks."""
    return rng.uniform(-15, 15, TRACKS * CYCLES)


def globe(rows: int, seed: int = 1) -> Segments:
    """About `rows` segments thinned evenly over all land: short runs (60 segments, six beams) of random orbits."""
    rng = np.random.default_rng(seed)
    pointing = off_pointing(rng)
    length = 60
    wanted = rows // (length * len(BEAM_KM))
    orbits, angles = [], []
    found = 0
    while found < wanted:
        orbit = rng.integers(0, TRACKS * CYCLES, 4 * wanted)
        angle = rng.uniform(0, 2 * np.pi, 4 * wanted)
        lat, lon, _ = position(orbit, angle, pointing[orbit])
        south, north, west, east = LAND.T[:, :, None]
        land = ((lat >= south) & (lat < north) & (lon >= west) & (lon < east)).any(axis=0)
        orbits.append(orbit[land])
        angles.append(angle[land])
        found += int(land.sum())
    orbit = np.concatenate(orbits)[:wanted, None, None]
    angle = np.concatenate(angles)[:wanted, None, None] + SEGMENT_ANGLE * np.arange(length)
    lat, lon, time = position(orbit, angle, pointing[orbit] + BEAM_KM[None, :, None])
    shape = lon.shape
    return _finish(rng, *(np.broadcast_to(a, shape).reshape(-1) for a in (lat, lon, time, orbit)))


def region(rows: int, box: tuple[float, float, float, float], seed: int = 1) -> tuple[Segments, float]:
    """Every pass over a box (south, north, west, east), thinned in 5 km runs (cloud, quality) down to about `rows`.

    Also returns the share of all possible segments that was kept.
    """
    rng = np.random.default_rng(seed)
    pointing = off_pointing(rng)
    south, north, west, east = box
    low, high = (float(np.arcsin(np.sin(np.radians(x)) / np.sin(INCLINATION))) for x in (south, north))
    along = np.arange(low, high, SEGMENT_ANGLE)
    every = np.arange(TRACKS * CYCLES)
    passes = []
    for angle in (along, np.pi - along):
        _, middle, _ = position(every, angle[len(angle) // 2] + 0 * every, pointing)
        reach = (east - west) / 2 + 2
        near = every[np.abs((middle - (west + east) / 2 + 180) % 360 - 180) < reach]
        for start in range(0, len(near), 50):
            orbit = near[start:start + 50, None, None]
            lat, lon, time = position(orbit, angle[None, None, :], pointing[orbit] + BEAM_KM[None, :, None])
            inside = (lon >= west) & (lon < east)
            run = (np.arange(len(angle)) // 50)[None, None, :] + 1000 * orbit
            columns = (np.broadcast_to(a, lon.shape)[inside] for a in (lat, lon, time, orbit, run))
            passes.append(tuple(columns))
    lat, lon, time, orbit, run = (np.concatenate(column) for column in zip(*passes, strict=True))
    share = min(1.0, rows / len(lat))
    # The same run of all six beams is clouded together: a draw per run, not per segment.
    draw = np.random.default_rng(seed + 1).random(1000 * TRACKS * CYCLES + 1000, dtype="f4")
    kept = draw[run] < share
    return _finish(rng, lat[kept], lon[kept], time[kept], orbit[kept]), share


def _finish(rng, latitude, longitude, time, orbit) -> Segments:
    """Round coordinates as the product does (float32) and give every segment its attributes."""
    latitude = latitude.astype("f4").astype("f8")
    longitude = longitude.astype("f4").astype("f8")
    count = len(latitude)
    canopy = np.maximum(0.5, 8 + 6 * np.sin(latitude * 3) * np.cos(longitude * 2) + rng.normal(0, 4, count))
    terrain = 400 + 300 * np.sin(latitude * 1.7) + 200 * np.cos(longitude * 2.3) + rng.normal(0, 2, count)
    values = {
        "h_canopy": canopy,
        "h_mean_canopy": canopy * rng.uniform(0.4, 0.7, count),
        "canopy_openness": rng.gamma(2, 1.5, count),
        "h_canopy_uncertainty": rng.gamma(2, 2, count),
        "h_te_best_fit": terrain,
        "h_te_median": terrain + rng.normal(0, 0.3, count),
        "h_te_uncertainty": rng.gamma(2, 1, count),
        "terrain_slope": rng.normal(0, 0.1, count),
        "snr": rng.gamma(3, 3, count),
    }
    bare = rng.random(count) < 0.25
    attributes = {name: value.astype("f4") for name, value in values.items()}
    for name in CANOPY:
        attributes[name][bare] = np.nan
    return Segments(latitude, longitude, np.ascontiguousarray(time), np.ascontiguousarray(orbit), attributes)
