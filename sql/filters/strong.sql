-- Segments of strong beams, which have four times the energy of the weak ones. Segments without a
-- strength (the spacecraft was turning) are removed.
-- releases: since 004
beam_strength = 'strong'
