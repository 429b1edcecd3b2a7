-- Canopy and terrain month by month.
--
-- Change the dates, and add a box as in canopy_in_box.sql. Every month has other tracks, so a step between two months
-- may only mean that other places were measured; repeat_passes.sql compares the same places. Snow and fallen leaves
-- lower the canopy in winter: compare with the share of snow. A month without segments has no row.
SELECT
    date_trunc('month', time) AS month,
    count(*) AS segments,
    count(canopy_h) AS with_canopy,
    round(avg(canopy_h), 2) AS canopy_h_mean_m,
    round(median(canopy_h), 2) AS canopy_h_median_m,
    round(avg(CASE WHEN snowcover IN (2, 3) THEN 100.0 WHEN snowcover IS NOT NULL THEN 0.0 END), 1) AS snow_percent
FROM atl08
WHERE time >= '2019-01-01' AND time < '2020-01-01'
    AND beam_strength = 'strong'
GROUP BY month
ORDER BY month
