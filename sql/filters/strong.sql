-- Segments of strong beams, which carry four times the energy of the weak ones. Where the granule does not tell the
-- strength (the spacecraft was turning), a segment is removed.
-- releases: since 004
beam_strength = 'strong'
