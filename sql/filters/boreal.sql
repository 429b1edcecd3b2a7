-- Canopy heights for maps of the boreal forest, as published with the icesat2_boreal biomass maps: strong beams, low sun,
-- growing season, and no height that its landcover makes impossible.
-- releases: since 005

-- rule: no_scattering
msw_flag = 0
-- rule: strong
beam_strength = 'strong'
-- rule: snow_free
segment_snowcover = 1
-- rule: possible_height
h_canopy < CASE
    WHEN segment_landcover BETWEEN 111 AND 116 THEN 60
    WHEN segment_landcover BETWEEN 121 AND 126 THEN 50
    WHEN segment_landcover = 20 THEN 20
    WHEN segment_landcover IN (30, 90) THEN 10
    WHEN segment_landcover IN (60, 100) THEN 5
    ELSE 0
END
-- rule: certain_height
h_canopy_uncertainty < 5
-- rule: known_cover
segment_cover IS NOT NULL
-- rule: low_sun
solar_elevation < 5
-- rule: even_ground
sigma_topo < 2.5
-- rule: near_reference
h_dif_ref < 25
-- rule: summer
date_part('month', time) BETWEEN 6 AND 9
