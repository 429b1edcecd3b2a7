-- Canopy height inside a box: one row per segment, ready for a map.
--
-- Change the box and the dates. For a polygon use in_region(latitude, longitude, 'GeoJSON') instead. A box across the
-- dateline is two conditions: (longitude >= 170 OR longitude <= -170).
SELECT
    longitude,
    latitude,
    time,
    beam,
    canopy_h,
    canopy_h_uncertainty,
    terrain_h
FROM atl08
-- Comparisons like these are pushed down to the array: tiles outside the box are not read.
WHERE latitude BETWEEN -6.0 AND -4.0
    AND longitude BETWEEN -66.0 AND -61.0
    AND time >= '2019-01-01' AND time < '2020-01-01'
    AND canopy_h IS NOT NULL
ORDER BY time, beam
