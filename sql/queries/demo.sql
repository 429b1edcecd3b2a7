-- Canopy and terrain by landcover, over strong beams and snow-free ground.
SELECT
    landcover,
    count(*) AS segments,
    round(avg(canopy_h), 1) AS canopy_h_m,
    round(approx_percentile_cont(canopy_h, 0.95), 1) AS canopy_h_95_m,
    round(avg(terrain_h), 0) AS terrain_h_m
FROM atl08
WHERE beam_strength = 'strong' AND snowcover = 1 AND canopy_h IS NOT NULL
GROUP BY landcover
ORDER BY canopy_h_m DESC
LIMIT 8
