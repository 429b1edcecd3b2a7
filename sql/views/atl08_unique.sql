-- atl08 with each physical segment once. Granules of adjacent regions overlap by some segments, and atl08 shows those twice.
--
-- Of the rows of one pass (rgt, cycle) with the same beam and segment_id_beg, the one of the lowest region is shown. A row that
-- lacks one of these, as in some extracts, cannot be matched with another and is shown as it is.
--
-- Two rows of one segment lie within 0.1 degrees (11 km, a hundred segments) and 10 seconds. That they must do so is part of the
-- definition, so that a statement's box and dates, made wider by as much (crates/isdb-query/src/views/unique.rs), hold every row
-- that can hide another. `twin` is read before `a`, so that the memory holds keys and not the statement's columns.
SELECT a.*
FROM (
    SELECT
        pair.hidden AS ingest_id,
        o.beam,
        o.segment_id_beg,
        o.latitude,
        o.longitude,
        o.time
    FROM (
        SELECT higher.ingest_id AS hidden, lower.ingest_id AS shown
        FROM granules AS higher
        INNER JOIN granules AS lower
            ON lower.rgt = higher.rgt AND lower.cycle = higher.cycle AND lower.region < higher.region
    ) AS pair
    INNER JOIN atl08 AS o ON o.ingest_id = pair.shown
) AS twin
RIGHT ANTI JOIN atl08 AS a
    ON twin.ingest_id = a.ingest_id
    AND twin.beam = a.beam
    AND twin.segment_id_beg = a.segment_id_beg
    AND abs(twin.latitude - a.latitude) <= 0.1
    AND least(abs(twin.longitude - a.longitude), 360.0 - abs(twin.longitude - a.longitude)) * cos(radians(a.latitude)) <= 0.1
    AND twin.time BETWEEN a.time - INTERVAL '10 seconds' AND a.time + INTERVAL '10 seconds'
