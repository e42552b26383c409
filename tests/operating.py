"""The operator's routes over a home, and browsers that ask them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from index import settings
from qa.history import History
from web import operator, upload
from web.access import Access, AccessMiddleware
from web.users import Cost, Users
from web.work import Worker

CHEAP = Cost(1, 8, 1)
"""What a guess costs in tests: next to nothing."""
HERE = "http://127.0.0.1:7860"
NOW = dt.datetime(2026, 5, 3, 8, 0, tzinfo=dt.UTC)


class Served:
    """The routes of one home; `client` is a browser on the same machine."""

    def __init__(self, home: Path, access: Access | None = None, trouble: str = "") -> None:
        self.home, self.worker = home, Worker()
        self.history = History.of(home)
        access = access or Access(Users(home))
        self._app = FastAPI()
        operating = (home, settings.load(home).upload, self.worker)
        operators = operator.router(
            *operating, self.history, now=lambda: NOW, access=access, trouble=lambda: trouble
        )
        self._app.include_router(operators)
        self._app.include_router(upload.router(*operating))
        self._app.add_middleware(AccessMiddleware, access=access)
        self.client = self.asking()

    def asking(self, address: str = "127.0.0.1", base: str = HERE, **headers: str) -> TestClient:
        """Return a browser at an address; underscores in names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return TestClient(self._app, base, client=(address, 50_000), headers=named)

    def page(self) -> str:
        """Return the page."""
        found = self.client.get("/pengelola")
        assert found.status_code == 200, found.text
        return found.text
