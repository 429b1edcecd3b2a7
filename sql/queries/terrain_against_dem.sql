-- Terrain height compared with the digital elevation model in the product: bias and RMSE by beam.
--
-- Positive means that ATL08 is above the model. Both are heights above the WGS 84 ellipsoid, so no geoid is needed.
-- terrain_h is interpolated where no ground photon was found, so such segments are left out. Add a condition on dem_flag
-- (1 Arctic, 2 global, 3 mean sea surface, 4 Antarctic) for a single model, or group by landcover instead of beam.
WITH differences AS (
    SELECT
        beam,
        beam_strength,
        terrain_h - dem_h AS difference
    FROM atl08
    WHERE terrain_h IS NOT NULL
        AND dem_h IS NOT NULL
        AND dem_flag > 0
        AND n_te_photons > 0
)
SELECT
    beam,
    beam_strength,
    count(*) AS segments,
    round(avg(difference), 3) AS bias_m,
    round(median(difference), 3) AS median_m,
    round(sqrt(avg(power(difference, 2))), 3) AS rmse_m
FROM differences
GROUP BY beam, beam_strength
ORDER BY beam, beam_strength
