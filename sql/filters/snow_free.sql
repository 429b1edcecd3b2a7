-- Land without snow or ice. Snow raises the terrain and hides low canopy.
-- releases: since 004
segment_snowcover = 1
