# Opens the geographic files of a folder with R's sf and terra, and compares them with each other.
#
# Usage: Rscript geo_files.R FOLDER, with shape.fgb, shape.gpkg, shape.geojson (polygons) and grid.tif.

suppressWarnings(suppressMessages({
  library(sf)
  library(terra)
}))

folder <- commandArgs(trailingOnly = TRUE)[1]
shapes <- lapply(c("shape.fgb", "shape.gpkg", "shape.geojson"), function(name) {
  shape <- st_read(file.path(folder, name), quiet = TRUE)
  stopifnot(st_crs(shape)$epsg == 4326, all(st_geometry_type(shape) == "POLYGON"))
  shape[order(shape$granule, shape$beam, shape$segment_id_beg), ]
})
expected <- shapes[[1]]
for (shape in shapes) {
  stopifnot(nrow(shape) == nrow(expected), all(shape$segment_id_beg == expected$segment_id_beg))
  corners <- st_coordinates(shape)[, c("X", "Y")]
  stopifnot(max(abs(corners - st_coordinates(expected)[, c("X", "Y")])) < 1e-9)
}

grid <- rast(file.path(folder, "grid.tif"))
stopifnot(
  names(grid)[1:2] == c("value", "n_segments"),
  crs(grid, describe = TRUE)$code == "4326",
  abs(res(grid) - 0.1) < 1e-9
)
segments <- global(grid[["n_segments"]], "sum")[1, 1]
cat("equal:", nrow(expected), "shapes,", segments, "segments in the grid\n")
