-- No cloud, fog or blowing snow on the way of the light, which delays photons and lowers heights.
-- releases: since 004
layer_flag = 0 AND msw_flag = 0
