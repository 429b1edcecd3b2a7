-- Segments that are in two granules of one pass, where their regions meet.
--
-- atl08 shows such a segment once for each granule, atl08_unique once; surplus_rows is the difference. Add a box and
-- dates as in canopy_in_box.sql. The two positions may differ by the width of a photon's footprint.
SELECT
    count(*) AS overlapping_segments,
    coalesce(sum(held - 1), 0) AS surplus_rows
FROM (
    SELECT rgt, cycle, beam, segment_id_beg, count(DISTINCT region) AS held
    FROM atl08
    WHERE segment_id_beg IS NOT NULL
        AND cycle IS NOT NULL
        AND region IS NOT NULL
    GROUP BY rgt, cycle, beam, segment_id_beg
) AS segments
WHERE held > 1
