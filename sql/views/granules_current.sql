-- The current attempts: granules that were ingested or found empty, and neither replaced nor removed later. The table
-- granules has every attempt; its column replaces lists the earlier attempts that an attempt replaced.
SELECT g.*
FROM granules AS g
WHERE g.state IN ('ingested', 'empty')
    AND NOT EXISTS (
        SELECT 1
        FROM (
            SELECT CAST(unnest(string_to_array(replaces, ' ')) AS BIGINT) AS ingest_id
            FROM granules
            WHERE replaces IS NOT NULL
        ) AS r
        WHERE r.ingest_id = g.ingest_id
    )
