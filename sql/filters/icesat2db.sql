-- The filters of the Python package icesat2db: terrain and canopy with their uncertainties, outside towns and water. Its release
-- lets fill values of terrain pass; this preset follows its documented rule.
-- releases: since 004

-- rule: terrain
h_te_best_fit > -999 AND h_te_median > -999 AND h_te_uncertainty > -999
-- rule: canopy
h_canopy IS NOT NULL AND h_canopy_uncertainty IS NOT NULL
-- rule: not_urban
urban_flag = 0
-- rule: land
segment_watermask = 0
