-- Segments by beam: their number, how many have a canopy height, and how many were measured at night.
--
-- beam is the ground track from left (gt1l) to right (gt3r); which beam of a pair is strong changes with the
-- orientation of the spacecraft about twice a year, so a beam can have two rows. beam_strength is NULL if the granule
-- has no orientation.
SELECT
    beam,
    beam_strength,
    count(*) AS segments,
    count(canopy_h) AS with_canopy,
    round(100.0 * count(canopy_h) / count(*), 1) AS with_canopy_percent,
    count(*) FILTER (WHERE night_flag = 1) AS night,
    count(*) FILTER (WHERE night_flag = 0) AS day,
    round(100.0 * count(*) FILTER (WHERE night_flag = 1) / nullif(count(night_flag), 0), 1) AS night_percent
FROM atl08
GROUP BY beam, beam_strength
ORDER BY beam, beam_strength
