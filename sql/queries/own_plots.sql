-- Your own plots and the ICESat-2 segments around them.
--
-- Replace examples/plots.csv with the path of your CSV or Parquet file, relative to where you run isdb: one row per
-- plot with plot, latitude, longitude and height_m. Change the 500 m; the distance may also be a column of your file.
-- Only segments around the plots are read. A segment near two plots counts for both; a plot without segments nearby
-- has 0 segments.
SELECT
    plots.plot,
    plots.height_m AS plot_height_m,
    count(atl08.canopy_h) AS segments,
    round(min(distance_m(atl08.latitude, atl08.longitude, plots.latitude, plots.longitude)), 0) AS nearest_m,
    round(avg(atl08.canopy_h), 2) AS canopy_h_mean_m,
    round(avg(atl08.canopy_h) - plots.height_m, 2) AS above_plot_m
FROM 'examples/plots.csv' AS plots
LEFT JOIN atl08
    ON near(atl08.latitude, atl08.longitude, plots.latitude, plots.longitude, 500)
    AND atl08.canopy_h IS NOT NULL
GROUP BY plots.plot, plots.height_m
ORDER BY plots.plot
