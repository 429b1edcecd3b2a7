-- One row per 20 m instead of per 100 m: the five pieces of each segment, with their own position and canopy height.
--
-- Change the box. along_m is the distance in metres of the piece's centre from the segment's beginning in flight
-- direction. Release 004 has no 20 m pieces; pieces without an estimate are left out. A piece has a fifth of the
-- photons, so its height is noisier than the segment's.
WITH pieces AS (
    SELECT
        time,
        beam,
        segment_id_beg,
        canopy_h AS canopy_h_100m,
        unnest([10, 30, 50, 70, 90]) AS along_m,
        unnest(latitude_20m) AS latitude,
        unnest(longitude_20m) AS longitude,
        unnest(h_canopy_20m) AS canopy_h
    FROM atl08
    WHERE latitude BETWEEN -6.0 AND -4.0
        AND longitude BETWEEN -66.0 AND -61.0
        AND h_canopy_20m IS NOT NULL
)
SELECT longitude, latitude, canopy_h, along_m, time, beam, segment_id_beg, canopy_h_100m
FROM pieces
WHERE canopy_h IS NOT NULL AND latitude IS NOT NULL AND longitude IS NOT NULL
ORDER BY time, beam, along_m
