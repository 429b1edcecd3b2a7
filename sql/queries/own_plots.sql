-- Your own plots and the ICESat-2 segments around them.
--
-- Replace examples/plots.csv with the path of your CSV or Parquet file, relative to where you run isdb: one row per
-- plot with plot, latitude, longitude and height_m. Change the 500 m, and the box so that it contains all plots: only
-- the box is pushed down to the array. A segment near two plots counts for both; a plot without segments nearby has 0
-- segments.
WITH near AS (
    SELECT
        plots.plot,
        atl08.canopy_h,
        -- Metres of a degree of latitude, and of longitude towards the poles.
        sqrt(
            power((atl08.latitude - plots.latitude) * 111195.0, 2)
            + power((atl08.longitude - plots.longitude) * 111195.0 * cos(radians(plots.latitude)), 2)
        ) AS apart_m
    FROM 'examples/plots.csv' AS plots
    INNER JOIN atl08
        ON atl08.latitude BETWEEN plots.latitude - 0.01 AND plots.latitude + 0.01
    WHERE atl08.latitude BETWEEN -8.0 AND -2.0
        AND atl08.longitude BETWEEN -67.0 AND -57.0
        AND atl08.canopy_h IS NOT NULL
)
SELECT
    plots.plot,
    plots.height_m AS plot_height_m,
    count(near.canopy_h) AS segments,
    round(min(near.apart_m), 0) AS nearest_m,
    round(avg(near.canopy_h), 2) AS canopy_h_mean_m,
    round(avg(near.canopy_h) - plots.height_m, 2) AS above_plot_m
FROM 'examples/plots.csv' AS plots
LEFT JOIN near ON near.plot = plots.plot AND near.apart_m < 500.0
GROUP BY plots.plot, plots.height_m
ORDER BY plots.plot
