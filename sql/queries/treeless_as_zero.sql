-- Mean canopy height two ways: over vegetated segments only, and with treeless segments as 0 m.
--
-- canopy_h is NULL without an estimate, for one of two reasons that must not be mixed:
--   treeless  the ground was found, but no canopy photon: the height is 0 m
--   unknown   too few photons or cloud: such segments belong in neither mean
-- The first mean is the height of the forest, the second the height of the landscape, where lakes count as treeless
-- unless you add watermask = 0. A weak beam finds fewer photons, so more of its segments look treeless: compare within
-- one strength.
WITH judged AS (
    SELECT
        beam_strength,
        canopy_h,
        canopy_h IS NULL AND n_ca_photons = 0 AND terrain_h IS NOT NULL AS treeless
    FROM atl08
)
SELECT
    beam_strength,
    count(*) AS segments,
    count(canopy_h) AS vegetated,
    count(*) FILTER (WHERE treeless) AS treeless,
    count(*) FILTER (WHERE canopy_h IS NULL AND treeless IS NOT TRUE) AS unknown,
    round(avg(canopy_h), 2) AS mean_of_vegetated_m,
    round(avg(CASE WHEN treeless THEN 0.0 ELSE canopy_h END), 2) AS mean_with_treeless_m
FROM judged
GROUP BY beam_strength
ORDER BY beam_strength
