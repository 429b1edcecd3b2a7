-- The product's own scores, from 0 to 100, higher is better. They came with release 007.
-- releases: since 007
-- parameter: terrain = 50, least score of the terrain estimate
-- parameter: canopy = 50, least score of the canopy estimate

-- rule: terrain
te_quality_score >= $terrain
-- rule: canopy
can_quality_score >= $canopy
