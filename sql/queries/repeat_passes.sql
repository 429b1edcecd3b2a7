-- The same segments flown again: terrain and canopy height of two passes, and what changed between them.
--
-- Change the box, and below how far apart two centres may lie. A reference ground track is flown every 91 days, each
-- time as another cycle. rgt, beam and segment_id_beg name the same place along it; gt1l is the leftmost track in every
-- cycle. Away from the poles the beams are pointed off the track on purpose, so the distance is asked for. Which beam of a
-- pair is strong turns with the spacecraft: both passes are with a strong beam here.
WITH passes AS (
    SELECT rgt, beam, segment_id_beg, cycle, latitude, longitude, terrain_h, canopy_h
    FROM atl08
    WHERE latitude BETWEEN -60.0 AND 60.0
        AND longitude BETWEEN -110.0 AND -50.0
        AND beam_strength = 'strong'
),
pairs AS (
    SELECT
        a.rgt,
        a.beam,
        a.segment_id_beg,
        a.latitude,
        a.longitude,
        a.cycle AS cycle,
        b.cycle AS later_cycle,
        -- Metres of a degree of latitude, and of longitude towards the poles.
        sqrt(
            power((b.latitude - a.latitude) * 111195.0, 2)
            + power((b.longitude - a.longitude) * 111195.0 * cos(radians(a.latitude)), 2)
        ) AS apart_m,
        a.terrain_h,
        b.terrain_h - a.terrain_h AS terrain_change_m,
        a.canopy_h,
        b.canopy_h - a.canopy_h AS canopy_change_m
    FROM passes AS a
    INNER JOIN passes AS b
        ON a.rgt = b.rgt AND a.beam = b.beam AND a.segment_id_beg = b.segment_id_beg AND a.cycle < b.cycle
)
SELECT * FROM pairs
WHERE apart_m < 50.0
ORDER BY rgt, beam, segment_id_beg, cycle, later_cycle
