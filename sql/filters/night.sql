-- Segments measured at night, without photons of the sun.
-- releases: since 004
night_flag = 1
