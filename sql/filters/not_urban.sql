-- Segments outside built-up areas, where roofs count as canopy.
-- releases: since 004
urban_flag = 0
