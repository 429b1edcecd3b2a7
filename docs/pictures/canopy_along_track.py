"""Draws docs/pictures/canopy_along_track.svg: canopy height and terrain along one beam of a real granule.

    isdb --db DATABASE ingest nsidc_test_atl08_r007_ba72df6d.h5
    isdb --db DATABASE query --format csv "SELECT latitude, longitude, canopy_h, terrain_h FROM atl08
        WHERE beam = 'gt1l' AND latitude < 28 ORDER BY latitude" | python3 canopy_along_track.py > canopy_along_track.svg

The file is an extract of NASA's release 007, from the tests of github.com/nsidc/nsidc-icesat2gis. Python's standard library is enough.
"""

import csv
import math
import sys

WIDTH, LEFT, RIGHT = 760, 62, 20
CANOPY, TERRAIN = (40, 178), (222, 348)  # top and bottom of the two panels
HEIGHT = 392
EARTH_RADIUS_KM = 6371.0
SEGMENT_KM = 0.1


def distance_km(one, other):
    """Great-circle distance between two (latitude, longitude)."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, place)) for place in (one, other))
    chord = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(chord))


def scale(low, high, start, end):
    return lambda value: start + (value - low) / (high - low) * (end - start)


def text(x, y, words, anchor="middle", size=12, colour="#333", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{extra}>{words}</text>'


def line(x1, y1, x2, y2, colour="#ddd"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def panel(title, ticks, y, unit_y):
    yield text(LEFT, unit_y, title, anchor="start", size=13, extra=' font-weight="600"')
    for tick in ticks:
        yield line(LEFT, y(tick), WIDTH - RIGHT, y(tick))
        yield text(LEFT - 8, y(tick) + 4, f"{tick:,}", anchor="end")


def steps(low, high, step):
    return range(math.floor(low / step) * step, math.ceil(high / step) * step + 1, step)


def draw(rows):
    places = [(float(row["latitude"]), float(row["longitude"])) for row in rows]
    along = [distance_km(places[0], place) for place in places]
    terrain = [float(row["terrain_h"]) for row in rows]
    canopy = [float(row["canopy_h"]) if row["canopy_h"] else None for row in rows]

    x = scale(-SEGMENT_KM, max(along) + SEGMENT_KM, LEFT, WIDTH - RIGHT)
    canopy_ticks = steps(0, max(filter(None, canopy)), 10)
    terrain_ticks = steps(min(terrain), max(terrain), 100)
    canopy_y = scale(canopy_ticks[0], canopy_ticks[-1], CANOPY[1], CANOPY[0])
    terrain_y = scale(terrain_ticks[0], terrain_ticks[-1], TERRAIN[1], TERRAIN[0])

    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Helvetica, Arial, DejaVu Sans, sans-serif">'
    yield "<title>Canopy height and terrain along a track of ICESat-2</title>"
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    yield from panel("canopy_h: canopy height above ground, m", canopy_ticks[::2], canopy_y, CANOPY[0] - 16)
    yield from panel("terrain_h: terrain above the ellipsoid, m", terrain_ticks[::2], terrain_y, TERRAIN[0] - 12)

    width = x(SEGMENT_KM) - x(0)
    for at, height in zip(along, canopy):
        if height is not None:
            top = canopy_y(height)
            yield (
                f'<rect x="{x(at) - width / 2:.1f}" y="{top:.1f}" width="{width - 1:.1f}" '
                f'height="{CANOPY[1] - top:.1f}" fill="#2e7d4f"/>'
            )
    outline = " ".join(f"{x(at):.1f},{terrain_y(height):.1f}" for at, height in zip(along, terrain))
    bottom = f"{TERRAIN[1]:.1f}"
    yield f'<polygon points="{x(along[0]):.1f},{bottom} {outline} {x(along[-1]):.1f},{bottom}" fill="#e6d9c6"/>'
    yield f'<polyline points="{outline}" fill="none" stroke="#8a6d3b" stroke-width="1.5"/>'
    for at, height in zip(along, terrain):
        yield f'<circle cx="{x(at):.1f}" cy="{terrain_y(height):.1f}" r="2" fill="#8a6d3b"/>'

    yield line(LEFT, TERRAIN[1], WIDTH - RIGHT, TERRAIN[1], "#999")
    for km in range(0, math.floor(max(along)) + 1):
        yield text(x(km), TERRAIN[1] + 18, km)
    yield text((LEFT + WIDTH - RIGHT) / 2, TERRAIN[1] + 38, "distance along the track, km (south to north); one bar or point is one 100 m segment")
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(draw(list(csv.DictReader(sys.stdin)))))
