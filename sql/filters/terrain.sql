-- Segments whose terrain height rests on ground photons and not on interpolation between neighbours.
-- releases: since 004
h_te_best_fit IS NOT NULL AND n_te_photons > 0
