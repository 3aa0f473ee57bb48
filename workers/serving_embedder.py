"""Which embedder this process answers and indexes with: the one whose model serves. Knows no question and no page.

A switch is noticed within seconds; the new model loads beside the old one, which goes on serving until then.
"""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from core.db import SessionFactory
from core.errors import ImpError, NotConfigured
from rag.embedding import Embedder
from rag.embedding_models import Serving, serving

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
RETRY_S = 60.0


class ServingEmbedder:
    """Safe among threads. `load` makes an embedder of a spec; `default` is the spec while no model is registered."""

    def __init__(self, factory: SessionFactory, load: Callable[[str], Embedder], default: str) -> None:
        self._factory = factory
        self._load = load
        self._default = default
        self._current: Embedder | None = None
        self._loaded_as: tuple[str, str] | None = None
        self._looked_at = float("-inf")
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None

    def current(self) -> Embedder:
        """The embedder to use for one piece of work; ask again for the next.

        Raises:
            NotConfigured: the first one cannot be loaded.
        """
        with self._lock:
            now = time.monotonic()
            if self._current is not None and now - self._looked_at < LOOK_EVERY_S:
                return self._current
            self._looked_at = now
            wanted = self._serving()
            if self._current is None:
                self._current = self._load(self._spec(wanted))
                self._loaded_as = _version(wanted)
            elif wanted is not None and self._is_other(wanted) and self._loading is None:
                self._loading = threading.Thread(
                    target=self._change, args=(wanted,), name="load-embedder", daemon=True
                )
                self._loading.start()
            return self._current

    def _is_other(self, wanted: Serving) -> bool:
        if (
            self._loaded_as is None and self._current is not None
        ):  # it was the first to be registered, most likely
            self._loaded_as = (self._current.name, self._current.revision)
        return _version(wanted) != self._loaded_as

    def _change(self, wanted: Serving) -> None:
        try:
            embedder = self._load(self._spec(wanted))
            embedder.embed_query("ready?")
            if (embedder.name, embedder.revision) != _version(wanted):
                raise NotConfigured(
                    f"{self._spec(wanted)} now holds revision {embedder.revision} of {embedder.name}"
                )
        except ImpError as exc:
            logger.error("embedder_not_switched", extra={"model": wanted.name, "why": str(exc)})
            time.sleep(RETRY_S)
        else:
            with self._lock:
                self._current, self._loaded_as = embedder, _version(wanted)
            logger.info("embedder_switched", extra={"model": wanted.name, "revision": wanted.revision})
        finally:
            self._loading = None

    def _serving(self) -> Serving | None:
        try:
            with self._factory() as session:
                return serving(session)
        except SQLAlchemyError as exc:  # Postgres is away: whoever needs it will say so
            logger.warning("serving_model_unknown", extra={"why": type(exc).__name__})
            return None

    def _spec(self, wanted: Serving | None) -> str:
        return self._default if wanted is None else wanted.spec or self._default


def _version(model: Serving | None) -> tuple[str, str] | None:
    return None if model is None else (model.name, model.revision)
