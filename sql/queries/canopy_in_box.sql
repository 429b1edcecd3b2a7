-- Canopy height inside a box: one row per segment, ready for a map.
--
-- Change the box and the dates. For a polygon take its corners' smallest and largest latitude and longitude: what comes back
-- is the polygon's box, so cut to the polygon itself in your map program. A box over the date line is two:
-- (longitude >= 170 OR longitude <= -170).
SELECT
    longitude,
    latitude,
    time,
    beam,
    canopy_h,
    canopy_h_uncertainty,
    terrain_h
FROM atl08
-- Plain comparisons like these reach the array: tiles outside are not read.
WHERE latitude BETWEEN -6.0 AND -4.0
    AND longitude BETWEEN -66.0 AND -61.0
    AND time >= '2019-01-01' AND time < '2020-01-01'
    AND canopy_h IS NOT NULL
ORDER BY time, beam
