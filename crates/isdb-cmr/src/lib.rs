//! Find granules in NASA's CMR and fetch them with an Earthdata login. Knows no HDF5 and no database.
