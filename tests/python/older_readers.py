"""What a Parquet file asks of its reader: encodings, types and format version.

Usage: older_readers.py FILE
"""

import sys

import pyarrow.parquet as pq

# Encodings of Parquet 1.0, and the dictionary indices of every writer.
OLD = {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "BIT_PACKED"}


def main(path):
    file = pq.ParquetFile(path)
    columns = [file.metadata.row_group(0).column(index) for index in range(file.metadata.num_columns)]
    for column in columns:
        assert set(column.encodings) <= OLD, (column.path_in_schema, column.encodings)
        assert column.physical_type != "INT96", column.path_in_schema
    assert all("list" not in column.path_in_schema for column in columns)
    time = next(field for field in file.schema if field.name == "time")
    assert "timeUnit=microseconds" in str(time.logical_type), time.logical_type
    print(f"plain: {len(columns)} columns")


if __name__ == "__main__":
    main(sys.argv[1])
