-- Segments with a canopy height. Treeless ground has none (NULL, not 0 m), so averages are those of vegetated segments.
-- releases: since 004
h_canopy IS NOT NULL
