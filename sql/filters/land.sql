-- Segments that are not water.
-- releases: since 004
segment_watermask = 0
