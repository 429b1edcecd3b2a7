"""Checks which conditional requests an S3 server honours: creation if absent under a race, renewal if matching, listing.

Usage: s3.py ENDPOINT (credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; a bucket is created and emptied).
"""

import concurrent.futures
import sys
import threading
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

RACES, RACERS = 500, 2


def client(endpoint):
    config = Config(
        s3={"addressing_style": "path"},
        retries={"max_attempts": 1},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",  # a torn object is to be counted, not to end the run
    )
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)


def put(s3, bucket, key, body, **conditions):
    """The HTTP status of a PUT."""
    try:
        return s3.put_object(Bucket=bucket, Key=key, Body=body, **conditions)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def race(endpoint, bucket, condition_of):
    """Runs RACES races of RACERS clients for one key each; returns (wrong winners, wrong bodies, statuses seen)."""
    clients, barrier = [client(endpoint) for _ in range(RACERS)], threading.Barrier(RACERS)

    def one(racer, key, condition):
        barrier.wait()
        return put(clients[racer], bucket, key, f"racer {racer}".encode(), **condition)

    wrong, bodies, statuses = 0, 0, set()
    with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
        for n in range(RACES):
            key = f"commits/{n:020}"
            condition = condition_of(clients[0], key)
            answers = list(pool.map(one, range(RACERS), [key] * RACERS, [condition] * RACERS))
            statuses |= set(answers)
            winners = [racer for racer, status in enumerate(answers) if status == 200]
            wrong += len(winners) != 1
            body = clients[0].get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            bodies += len(winners) != 1 or body != f"racer {winners[0]}"
    return wrong, bodies, sorted(statuses)


def main(endpoint):
    s3, bucket = client(endpoint), f"commit-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    wrong, bodies, seen = race(endpoint, bucket, lambda *_: {"IfNoneMatch": "*"})
    print(f"If-None-Match: *   {RACES} races, {wrong} without one winner, {bodies} wrong bodies, statuses {seen}")
    again = put(s3, bucket, f"commits/{0:020}", b"late", IfNoneMatch="*")
    print(f"                   create over an existing key: {again} (412 expected)")

    listed = s3.list_objects_v2(Bucket=bucket, Prefix="commits/", StartAfter=f"commits/{RACES - 3:020}")
    print(f"list start-after   {[o['Key'][-3:] for o in listed.get('Contents', [])]} (last two expected)")
    lost = 0
    for n in range(100):
        s3.put_object(Bucket=bucket, Key=f"r/{n}", Body=str(n).encode())
        lost += s3.get_object(Bucket=bucket, Key=f"r/{n}")["Body"].read() != str(n).encode()
        lost += s3.list_objects_v2(Bucket=bucket, Prefix="r/")["KeyCount"] != n + 1
    print(f"read and list after write: {lost} of 200 stale")

    etag = s3.put_object(Bucket=bucket, Key="lock", Body=b"1")["ETag"]
    right = put(s3, bucket, "lock", b"2", IfMatch=etag)
    stale = put(s3, bucket, "lock", b"3", IfMatch=etag)
    absent = put(s3, bucket, "absent", b"4", IfMatch=etag)
    print(f"If-Match           right {right} (200), stale {stale} (412), absent key {absent} (404 or 412)")
    wrong, bodies, seen = race(
        endpoint, bucket, lambda c, key: {"IfMatch": c.put_object(Bucket=bucket, Key=key, Body=b"0")["ETag"]}
    )
    print(f"If-Match           {RACES} races, {wrong} without one winner, {bodies} wrong bodies, statuses {seen}")


if __name__ == "__main__":
    main(sys.argv[1])
