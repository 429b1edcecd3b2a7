-- Repeated passes over the same segments: terrain and canopy height of both, and the change between them.
--
-- Change the box, and below the distance allowed between two centres. A reference ground track is flown every 91 days,
-- each time as another cycle. rgt, beam and segment_id_beg identify a place along the track; gt1l is the leftmost track
-- in every cycle. Away from the poles the beams point off the track on purpose, hence the condition on distance. Which
-- beam of a pair is strong changes with the orientation of the spacecraft: both passes have a strong beam here.
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
