-- atl08 with each physical segment once. Granules of adjacent regions overlap by some segments, and atl08 shows those twice.
--
-- Of the rows of one pass (rgt, cycle) with the same beam and segment_id_beg, that of the lowest region is shown. A row that
-- lacks one of these, as in some extracts, cannot be told from another and is shown as it is.
SELECT a.*
FROM atl08 AS a
WHERE NOT EXISTS (
    SELECT 1
    FROM atl08 AS o
    WHERE o.rgt = a.rgt
        AND o.cycle = a.cycle
        AND o.beam = a.beam
        AND o.segment_id_beg = a.segment_id_beg
        AND o.region < a.region
)
