-- atl08 with each physical segment once. Granules of adjacent regions overlap by some segments, and atl08 shows those twice.
--
-- Of the rows of one pass (rgt, cycle) with the same beam and segment_id_beg, the one of the lowest region is shown. A row that
-- lacks one of these, as in some extracts, cannot be matched with another and is shown as it is.
--
-- Two rows of one segment lie within 0.1 degrees (11 km, a hundred segments) and 10 seconds. This is part of the definition, so
-- that a statement's box and dates, widened by as much (crates/isdb-query/src/unique/), contain every row that can hide
-- another. Its code finds the aliases `kept_segment` and `hidden_granule` by name. `twin` is read before `a`, so that keys are
-- in memory and not the statement's columns.
SELECT a.*
FROM (
    SELECT
        pair.hidden_id AS ingest_id,
        kept_segment.beam,
        kept_segment.segment_id_beg,
        kept_segment.latitude,
        kept_segment.longitude,
        kept_segment.time
    FROM (
        SELECT hidden_granule.ingest_id AS hidden_id, kept_granule.ingest_id AS kept_id
        FROM granules AS hidden_granule
        INNER JOIN granules AS kept_granule
            ON kept_granule.rgt = hidden_granule.rgt
            AND kept_granule.cycle = hidden_granule.cycle
            AND kept_granule.region < hidden_granule.region
    ) AS pair
    INNER JOIN atl08 AS kept_segment ON kept_segment.ingest_id = pair.kept_id
) AS twin
RIGHT ANTI JOIN atl08 AS a
    ON twin.ingest_id = a.ingest_id
    AND twin.beam = a.beam
    AND twin.segment_id_beg = a.segment_id_beg
    AND abs(twin.latitude - a.latitude) <= 0.1
    AND least(abs(twin.longitude - a.longitude), 360.0 - abs(twin.longitude - a.longitude)) * cos(radians(a.latitude)) <= 0.1
    AND twin.time BETWEEN a.time - INTERVAL '10 seconds' AND a.time + INTERVAL '10 seconds'
