-- Change of canopy height between two years, with an interval that says whether it differs from 0.
--
-- Change the box, the two periods and the cell's size. ICESat-2 repeats its tracks exactly only near the poles, so two years are
-- compared by cell and not by place. Like is compared with like: the same months (whole years here; for one season of both years add
-- AND date_part('month', time) BETWEEN 6 AND 8, because of leaves and snow), the same strength of beams (weak ones
-- miss more of the canopy), and one release (algorithms change). A cell counts if at least two passes crossed it in each period: the
-- segments of one pass share clouds, pointing and background light, so they are not independent samples; one pass is one sample.
-- That is also why the interval comes from resampling passes, not segments: in each of 200 replicates, every pass counts 0, 1, 2 or more
-- times (Poisson with mean 1), in all of its cells. Replicate 0 counts each pass once. change_m is the median of the cells' differences.
WITH segments AS (
    SELECT
        CASE WHEN time < '2020-01-01' THEN 'before' ELSE 'after' END AS period,
        pass_id(rgt, cycle) AS pass,
        grid_south(latitude, 1.0) AS south,
        grid_west(longitude, 1.0) AS west,
        canopy_h
    FROM atl08_unique
    WHERE latitude BETWEEN -60.0 AND 60.0
        AND longitude BETWEEN -110.0 AND -50.0
        AND time >= '2019-01-01'
        AND time < '2021-01-01'
        AND beam_strength = 'strong'
        AND release = '007'
        AND canopy_h IS NOT NULL
),
passes AS (
    SELECT south, west, period, pass, median(canopy_h) AS canopy_h, count(*) AS segments
    FROM segments
    GROUP BY south, west, period, pass
),
cells AS (
    SELECT south, west
    FROM passes
    GROUP BY south, west
    HAVING count(*) FILTER (WHERE period = 'before') >= 2 AND count(*) FILTER (WHERE period = 'after') >= 2
),
compared AS (
    SELECT p.* FROM passes AS p INNER JOIN cells AS c ON p.south = c.south AND p.west = c.west
),
draws AS (
    SELECT pass, replicate, abs(sin(pass * 12.9898 + replicate * 78.233) * 43758.5453) % 1.0 AS draw
    FROM (SELECT DISTINCT pass FROM compared) AS p
    CROSS JOIN (SELECT unnest(range(0, 201)) AS replicate) AS r
),
weights AS (
    SELECT
        pass,
        replicate,
        CASE
            WHEN replicate = 0 THEN 1
            WHEN draw < 0.367879 THEN 0
            WHEN draw < 0.735759 THEN 1
            WHEN draw < 0.919699 THEN 2
            WHEN draw < 0.981012 THEN 3
            ELSE 4
        END AS weight
    FROM draws
),
differences AS (
    SELECT
        w.replicate,
        c.south,
        c.west,
        sum(w.weight * c.canopy_h) FILTER (WHERE c.period = 'after')
        / nullif(sum(w.weight) FILTER (WHERE c.period = 'after'), 0)
        - sum(w.weight * c.canopy_h) FILTER (WHERE c.period = 'before')
        / nullif(sum(w.weight) FILTER (WHERE c.period = 'before'), 0) AS change_m
    FROM compared AS c
    INNER JOIN weights AS w ON w.pass = c.pass
    GROUP BY w.replicate, c.south, c.west
),
replicates AS (
    SELECT replicate, median(change_m) AS change_m FROM differences GROUP BY replicate
),
counts AS (
    SELECT
        count(DISTINCT south * 1000.0 + west) AS cells,
        count(DISTINCT pass) FILTER (WHERE period = 'before') AS passes_before,
        count(DISTINCT pass) FILTER (WHERE period = 'after') AS passes_after,
        sum(segments) FILTER (WHERE period = 'before') AS segments_before,
        sum(segments) FILTER (WHERE period = 'after') AS segments_after
    FROM compared
)
SELECT
    round(max(r.change_m) FILTER (WHERE r.replicate = 0), 3) AS change_m,
    round(percentile_cont(r.change_m, 0.025) FILTER (WHERE r.replicate > 0), 3) AS low_m,
    round(percentile_cont(r.change_m, 0.975) FILTER (WHERE r.replicate > 0), 3) AS high_m,
    max(c.cells) AS cells,
    max(c.passes_before) AS passes_before,
    max(c.passes_after) AS passes_after,
    max(c.segments_before) AS segments_before,
    max(c.segments_after) AS segments_after
FROM replicates AS r
CROSS JOIN counts AS c
