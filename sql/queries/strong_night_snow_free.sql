-- Canopy height under the best conditions, on a grid of one degree: strong beams, at night, over snow-free land.
--
-- Change the conditions and the box. A weak beam has a quarter of the photons, sunlight adds noise, and snow raises the
-- ground and hides low plants. Segments whose beam strength, night flag or snow cover is NULL are left out.
SELECT
    floor(latitude) AS south_edge,
    floor(longitude) AS west_edge,
    count(*) AS segments,
    round(avg(canopy_h), 2) AS canopy_h_mean_m,
    round(percentile_cont(canopy_h, 0.95), 2) AS canopy_h_p95_m
FROM atl08
WHERE beam_strength = 'strong'
    AND night_flag = 1
    AND snowcover = 1  -- 0 ice-free water, 1 snow-free land, 2 snow, 3 ice
    AND canopy_h IS NOT NULL
    AND latitude BETWEEN -60.0 AND 60.0
GROUP BY south_edge, west_edge
ORDER BY south_edge, west_edge
