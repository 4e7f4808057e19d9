"""Exit 0 if a PostgreSQL and a Redis both answer, else say which one doesn't."""

import sys

import psycopg
import redis


def main(database_url, redis_url):
    try:
        psycopg.connect(database_url, connect_timeout=2).close()
        redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2).ping()
    except (psycopg.Error, redis.RedisError) as error:
        first_line = str(error).strip().splitlines()[0]
        sys.exit(f"    not reachable: {first_line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
