-- Segments measured at night or with the sun less than 5 degrees above the horizon: more data than night, little more noise.
-- releases: since 004
solar_elevation < 5
