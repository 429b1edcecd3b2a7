-- Canopy and terrain by landcover, over good segments: night, strong beam, no snow.
SELECT
    landcover,
    count(*) AS segments,
    round(avg(canopy_h), 1) AS canopy_h_m,
    round(approx_percentile_cont(canopy_h, 0.95), 1) AS canopy_h_95_m,
    round(avg(terrain_h), 0) AS terrain_h_m
FROM atl08
WHERE night_flag = 1 AND beam_strength = 'strong' AND snowcover = 1 AND canopy_h IS NOT NULL
GROUP BY landcover
ORDER BY canopy_h_m DESC
LIMIT 8
