-- The view that users query: every stored column of a segment, the plain names, and the columns of its granule.
--
-- A column that a database does not store is dropped, and so is a plain name that a stored column has. Filters on the
-- plain names are pushed down to the array like those on the product's names; the ledger is joined only when one of its
-- columns is selected.
SELECT
    s.*,
    -- Heights above ground, metres. canopy_h is the 98th percentile, NULL without an estimate (not 0 m).
    s.h_canopy AS canopy_h,
    s.h_mean_canopy AS canopy_h_mean,
    s.h_median_canopy AS canopy_h_median,
    s.h_max_canopy AS canopy_h_max,
    s.h_canopy_uncertainty AS canopy_h_uncertainty,
    -- Heights above the WGS 84 ellipsoid, metres.
    s.h_te_best_fit AS terrain_h,
    s.h_te_mean AS terrain_h_mean,
    s.h_te_uncertainty AS terrain_h_uncertainty,
    s.h_canopy_abs AS canopy_h_abs,
    -- Codes and shares.
    s.segment_landcover AS landcover,
    s.segment_cover AS canopy_cover,
    s.segment_snowcover AS snowcover,
    s.segment_watermask AS watermask,
    -- The granule.
    g.granule,
    g.rgt,
    g.cycle,
    g.region,
    g.release,
    g.revision,
    g.qa_granule_pass_fail
FROM segments AS s
LEFT JOIN granules AS g ON s.ingest_id = g.ingest_id
