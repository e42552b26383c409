"""The calls made to a Milvus server, or to Milvus Lite in a file; its errors in plain words.

A collection holds rows:

    row                      INT64, primary key; given once, never again
    died                     INT64, the number of the first version without the row, or ALIVE
    article, day, publisher  INT64, for filters
    length                   INT64, the number of its stems
    dense                    FLOAT_VECTOR, inner product
    lexical                  SPARSE_FLOAT_VECTOR, inner product: BM25's weight of each stem in it
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from index.errors import EngineError, SettingsError

ALIVE = 2**53
BATCH = 1000
TOKEN = "TANYA_MILVUS_TOKEN"


MOST_FOUND = 16_384
"""Milvus returns no more hits than this."""

_READ_SECONDS = 60.0
_WRITE_SECONDS = 600.0
# A wider search than this many hits costs more than it finds.
_LEAST_EF = 200

Row = dict[str, Any]


class Server:
    """One Milvus, connected to at the first call; safe to use from many threads."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        # Milvus Lite, in a file, reads everything before its first answer.
        self._read_seconds = _READ_SECONDS if "://" in uri else _WRITE_SECONDS
        self._lock = threading.Lock()
        self._opened: Any = None

    # Collections

    def create(self, collection: str, dimensions: int, dense_index: str) -> None:
        """Create an empty collection, ready to be searched."""
        with self._asking() as client:
            from pymilvus import DataType

            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("row", DataType.INT64, is_primary=True)
            for name in ("died", "article", "day", "publisher", "length"):
                schema.add_field(name, DataType.INT64)
            schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimensions)
            schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
            indexes = client.prepare_index_params()
            built = {"M": 16, "efConstruction": 200} if dense_index == "HNSW" else {}
            indexes.add_index("dense", index_type=dense_index, metric_type="IP", params=built)
            indexes.add_index("lexical", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
            client.create_collection(
                collection,
                schema=schema,
                index_params=indexes,
                consistency_level="Bounded",
                timeout=_WRITE_SECONDS,
            )

    def load(self, collection: str) -> bool:
        """Make a collection ready to be searched, as it may not be after a restart.

        Return False where there is none.
        """
        with self._asking() as client:
            there = bool(client.has_collection(collection, timeout=self._read_seconds))
            if there:
                client.load_collection(collection, timeout=_WRITE_SECONDS)
            return there

    def drop(self, collection: str) -> None:
        """Delete a collection with its rows, if there is one."""
        with self._asking() as client:
            if client.has_collection(collection, timeout=self._read_seconds):
                client.drop_collection(collection, timeout=_WRITE_SECONDS)

    # Rows

    def insert(self, collection: str, rows: Sequence[Row]) -> None:
        """Insert rows that are not there yet."""
        with self._asking() as client:
            client.insert(collection, list(rows), timeout=_WRITE_SECONDS)

    def set_died(self, collection: str, rows: Sequence[Row], died: int) -> None:
        """Write whole rows again with another `died`."""
        if rows:
            with self._asking() as client:
                changed = [{**row, "died": died} for row in rows]
                client.upsert(collection, changed, timeout=_WRITE_SECONDS)

    def erase(self, collection: str, wanted: str) -> None:
        """Delete the rows that pass a filter."""
        with self._asking() as client:
            client.delete(collection, filter=wanted, timeout=_WRITE_SECONDS)

    def flush(self, collection: str) -> None:
        """Have everything that was written stored for good."""
        with self._asking() as client:
            client.flush(collection, timeout=_WRITE_SECONDS)

    def get(self, collection: str, rows: Sequence[int], fields: Sequence[str]) -> dict[int, Row]:
        """Return these fields of the rows that are there, by row number."""
        found: dict[int, Row] = {}
        with self._asking() as client:
            for begin in range(0, len(rows), BATCH):
                some = client.get(
                    collection,
                    ids=list(rows[begin : begin + BATCH]),
                    output_fields=list(fields),
                    timeout=self._read_seconds,
                )
                found.update((int(row["row"]), dict(row)) for row in some)
        return found

    def some(self, collection: str, wanted: str, fields: Sequence[str], limit: int) -> list[Row]:
        """Return at most `limit` rows that pass a filter; every earlier write is seen."""
        with self._asking() as client:
            found = client.query(
                collection,
                filter=wanted,
                output_fields=list(fields),
                limit=limit,
                consistency_level="Strong",
                timeout=self._read_seconds,
            )
            return [dict(row) for row in found]

    def count(self, collection: str, wanted: str) -> int:
        """Count the rows that pass a filter; every earlier write is seen."""
        with self._asking() as client:
            (found,) = client.query(
                collection,
                filter=wanted,
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=self._read_seconds,
            )
            return int(found["count(*)"])

    def search(
        self,
        collection: str,
        field: str,
        queries: Sequence[Any],
        k: int,
        wanted: str,
        dense_index: str,
    ) -> list[list[tuple[int, float]]]:
        """Return for each query at most k (row, inner product) that pass a filter, best first."""
        parameters: dict[str, Any] = {"metric_type": "IP"}
        if dense_index == "HNSW":
            parameters["params"] = {"ef": max(k, _LEAST_EF)}
        with self._asking() as client:
            found = client.search(
                collection,
                data=list(queries),
                anns_field=field,
                limit=k,
                filter=wanted,
                search_params=parameters,
                timeout=self._read_seconds,
            )
            return [[(int(hit.id), float(hit.distance)) for hit in hits] for hits in found]

    # The connection

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """Yield the client; what Milvus raises becomes an EngineError."""
        client = self._client()
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            yield client
        except (MilvusException, RpcError) as error:
            raise EngineError(
                f"Milvus at {self.uri!r} failed ({_first_line(error)}). "
                "See whether it is running, and try again."
            ) from error

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = _connect(self.uri)
            return self._opened


# The client asks every ten seconds whether an idle connection lives; gRPC servers hang up on that.
_PATIENT = {"grpc.keepalive_time_ms": 600_000, "grpc.keepalive_permit_without_calls": False}


def _connect(uri: str) -> Any:
    """Connect to Milvus; raises SettingsError without the client, EngineError without a server."""
    try:
        from grpc import RpcError
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        if "://" not in uri:
            import milvus_lite  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "The settings name Milvus, but its client is not installed: "
            'run `pip install "tanya-arsip[milvus]"`.'
        ) from error
    # They print a traceback for each error, also for those that become ours.
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return MilvusClient(uri, token=os.environ.get(TOKEN, ""), grpc_options=_PATIENT)
    except (MilvusException, RpcError) as error:
        raise EngineError(_unreachable(uri, error)) from error


def _unreachable(uri: str, error: Exception) -> str:
    if "://" in uri:
        return (
            f"There is no Milvus at {uri!r} ({_first_line(error)}). Start it, or mend `location` "
            "under [engine] in tanya.toml."
        )
    return (
        f"Milvus Lite cannot open {uri!r} ({_first_line(error)}). One process at a time may use "
        "the file: stop the other one (a chat?), or use a Milvus server."
    )


def _first_line(error: Any) -> str:
    # gRPC's errors tell theirs by a method, Milvus' by an attribute.
    message = error.details() if hasattr(error, "details") else getattr(error, "message", "")
    lines = str(message or error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
