"""What a job function needs of its process: settings, database, engines loaded once, blobs.

Made after the fork, once per process; engines load on first use, so a `sync` worker never imports torch.
"""

import logging
import os
import socket
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from core.blobs import Blobs
from core.db import SessionFactory, make_engine, make_session_factory
from core.doorbell import CeleryBell, Doorbell
from core.errors import ImpError, NotConfigured
from core.settings import Settings

if TYPE_CHECKING:
    from connectors.recordings.diarizers.protocol import Diarizer
    from connectors.recordings.transcribers.protocol import Transcriber
    from connectors.slack.installations import SealedInstallationStore
    from rag.embedding import Embedder
    from rag.generation import Generator
    from workers.serving_embedder import ServingEmbedder

logger = logging.getLogger(__name__)


@dataclass
class Context:
    """One per process. `worker` names this process in the job table."""

    settings: Settings
    factory: SessionFactory
    bell: Doorbell
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    hearing: Lock = field(default_factory=Lock)
    """Held while the speech engine listens: it hears one recording at a time."""
    _pinned: "Embedder | None" = None
    _generator: "tuple[Embedder, Generator] | None" = None

    @cached_property
    def blobs(self) -> Blobs:
        return Blobs(self.settings.blobs_url)

    @cached_property
    def installations(self) -> "SealedInstallationStore":
        """Slack workspaces that installed the bot; raises NotConfigured without SLACK_CLIENT_ID."""
        from connectors.slack.installations import SealedInstallationStore

        client_id, key = self.settings.slack_client_id, self.settings.slack_token_key
        if client_id is None or key is None:
            raise NotConfigured("SLACK_CLIENT_ID is not set: there is one workspace, that of SLACK_BOT_TOKEN")
        return SealedInstallationStore(client_id, self.factory.kw["bind"], key.get_secret_value())

    @property
    def embedder(self) -> "Embedder":
        """That of the model which serves now, IMP_EMBEDDER's where none does yet; take it once for a piece of work."""
        return self._pinned or self._serving.current()

    @embedder.setter
    def embedder(self, embedder: "Embedder") -> None:
        self._pinned = embedder

    @cached_property
    def _serving(self) -> "ServingEmbedder":
        from rag.embedding import load_embedder
        from rag.remembering import RememberingEmbedder
        from workers.serving_embedder import ServingEmbedder

        def load(spec: str) -> "Embedder":
            return RememberingEmbedder(load_embedder(spec))

        return ServingEmbedder(self.factory, load, self.settings.imp_embedder)

    def warm_up(self) -> None:
        """Load what answering needs before the first question; a failure shows at that question and in doctor."""
        try:
            self.embedder.embed_query("ready?")
            logger.info("models_loaded", extra={"generator": self.generator.name})
        except ImpError as exc:
            logger.warning("models_not_loaded", extra={"why": str(exc)})

    @property
    def generator(self) -> "Generator":
        """The engine IMP_GENERATOR names; raises NotConfigured when it cannot run here. Follows the embedder."""
        embedder = self.embedder
        if self._generator is None or self._generator[0] is not embedder:
            self._generator = (embedder, self._make_generator(embedder))
        return self._generator[1]

    @generator.setter
    def generator(self, generator: "Generator") -> None:
        self._generator = (self.embedder, generator)

    def _make_generator(self, embedder: "Embedder") -> "Generator":
        from rag.select_generator import select_generator

        key = self.settings.imp_engine_api_key
        return select_generator(
            self.settings.imp_generator,
            embedder=embedder,
            api_key=key.get_secret_value() if key else None,
        )

    @cached_property
    def transcriber(self) -> "Transcriber":
        """The engine IMP_TRANSCRIBER names; raises NotConfigured when it cannot run here."""
        from connectors.recordings.transcribers.select import make_transcriber

        return make_transcriber(
            self.settings.imp_transcriber,
            whisper_model=self.settings.imp_whisper_model,
            download_root=self.settings.imp_home / "models",
            api_key=self.settings.imp_engine_api_key,
        )

    @cached_property
    def diarizer(self) -> "Diarizer | None":
        """The model IMP_DIARIZER names, None where none is; raises NotConfigured when it cannot run here."""
        if not self.settings.imp_diarizer:
            return None
        from connectors.recordings.diarizers.select import make_diarizer

        return make_diarizer(self.settings.imp_diarizer, hub_token=self.settings.imp_hub_token)


def make_context(settings: Settings) -> Context:
    """Connects to nothing yet; Postgres and Redis are reached at first use."""
    bell = CeleryBell(settings.require_redis_url())
    engine = make_engine(settings.require_database_url())
    return Context(settings, make_session_factory(engine, doorbell=bell), bell)
