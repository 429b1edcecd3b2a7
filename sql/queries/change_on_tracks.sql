-- Change of canopy height where a track was flown again: places within 50 m of each other in two passes.
--
-- Change the box and the two periods. A reference ground track is flown every 91 days as another cycle; rgt, beam and segment_id_beg
-- identify a place along it. Compared are strong beams of one release. Each pair of passes is one sample, the median of its places: the
-- segments of a pass share clouds and pointing. change_m is the mean of the pairs. low_m and high_m are the 2.5th and 97.5th percentile
-- of the means of 200 resamples, in which every pair counts 0, 1, 2 or more times (Poisson with mean 1). Few pairs give a wide interval.
WITH segments AS (
    SELECT time < '2019-10-15' AS is_before, rgt, cycle, beam, segment_id_beg, latitude, longitude, canopy_h
    FROM atl08_unique
    WHERE latitude BETWEEN -60.0 AND 60.0
        AND longitude BETWEEN -110.0 AND -50.0
        AND time >= '2018-10-15'
        AND time < '2020-10-15'
        AND beam_strength = 'strong'
        AND release = '007'
        AND canopy_h IS NOT NULL
),
places AS (
    SELECT
        a.rgt * 1000000.0 + a.cycle * 1000.0 + b.cycle AS pair,
        b.canopy_h - a.canopy_h AS change_m
    FROM segments AS a
    INNER JOIN segments AS b
        ON a.rgt = b.rgt
        AND a.beam = b.beam
        AND a.segment_id_beg = b.segment_id_beg
        AND near(a.latitude, a.longitude, b.latitude, b.longitude, 50)
    WHERE a.is_before AND NOT b.is_before
),
pairs AS (
    SELECT pair, median(change_m) AS change_m, count(*) AS places FROM places GROUP BY pair
),
draws AS (
    SELECT
        p.change_m,
        r.replicate,
        abs(sin(p.pair * 12.9898 + r.replicate * 78.233) * 43758.5453) % 1.0 AS draw
    FROM pairs AS p
    CROSS JOIN (SELECT unnest(range(1, 201)) AS replicate) AS r
),
weights AS (
    SELECT
        replicate,
        change_m,
        CASE WHEN draw < 0.367879 THEN 0 WHEN draw < 0.735759 THEN 1 WHEN draw < 0.919699 THEN 2 WHEN draw < 0.981012 THEN 3 ELSE 4 END
            AS weight
    FROM draws
),
replicates AS (
    SELECT replicate, sum(weight * change_m) / nullif(sum(weight), 0) AS change_m FROM weights GROUP BY replicate
)
SELECT
    round((SELECT avg(change_m) FROM pairs), 3) AS change_m,
    round(percentile_cont(change_m, 0.025), 3) AS low_m,
    round(percentile_cont(change_m, 0.975), 3) AS high_m,
    (SELECT count(*) FROM pairs) AS pairs_of_passes,
    (SELECT sum(places) FROM pairs) AS places
FROM replicates
