-- Canopy height by landcover: how many segments, and the height's 10th, 50th and 95th percentile.
--
-- Landcover codes changed: release 004 has IGBP classes (1 to 5 forest), later ones Copernicus classes (111 to 126 forest;
-- 30 grass, 40 crops, 200 sea), so the two are separate; codes is NULL for granules without a release.
-- percentile_cont is exact and keeps every height in memory; over a continent use approx_percentile_cont.
SELECT
    CASE WHEN release < '005' THEN 'IGBP' WHEN release >= '005' THEN 'Copernicus' END AS codes,
    landcover,
    count(*) AS segments,
    round(percentile_cont(canopy_h, 0.10), 2) AS canopy_h_p10_m,
    round(percentile_cont(canopy_h, 0.50), 2) AS canopy_h_p50_m,
    round(percentile_cont(canopy_h, 0.95), 2) AS canopy_h_p95_m
FROM atl08
WHERE canopy_h IS NOT NULL
    AND landcover IS NOT NULL
    AND beam_strength = 'strong'
GROUP BY codes, landcover
ORDER BY codes, landcover
