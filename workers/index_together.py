"""Embed the passages of several waiting documents in common batches; knows no page and no speech.

One job leads; jobs of the same kind that nobody has begun are claimed beside it, each with its own claim, heartbeat
and ending, so one broken document fails alone. Vectors of one slice are computed in a thread beside, which touches
neither database nor job, while those before it are written and the next documents are cut. A long document never fills
a slice alone while short ones wait: they overtake it.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from core import jobs
from core.errors import ImpError, Interrupted
from core.running_job import RunningJob
from rag import store
from rag.embedding import Embedder, Vectors
from rag.store import ChunkToEmbed
from workers.context import Context
from workers.run_job import end_companion

logger = logging.getLogger(__name__)

SLICE = 128  # passages embedded between two looks at what else waits: one to three seconds on two cores
MAX_COMPANIONS = 16  # cut and not yet on their way through the model
ROUND_S = 15.0  # how long documents are taken along; a recording that waits for this worker comes after it
LEAD_SHARE = 0.5  # of a slice, while shorter documents wait: neither starves the other


class Cut(Protocol):
    """A document cut into passages, with those that lack a vector."""

    @property
    def to_embed(self) -> tuple[ChunkToEmbed, ...]: ...
    @property
    def outcome(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where vectors go, and what makes them: the same for the whole job."""

    model_id: int
    embedder: Embedder


@dataclass(eq=False)
class _Member:
    """A claimed job and what is left to embed of its document."""

    job: RunningJob
    document: Any
    waiting: deque[ChunkToEmbed]
    n_unwritten: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def is_complete(self) -> bool:
        return not self.waiting and self.n_unwritten == 0


Slice = list[tuple[_Member, ChunkToEmbed]]


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A slice and its vectors `(len(chosen), dim)`; those of `broken`, which the model cannot take, are zeros."""

    chosen: Slice
    vectors: Vectors
    broken: dict[_Member, Exception] = field(default_factory=dict)


def index_together(
    context: Context,
    job: RunningJob,
    target: Target,
    *,
    cut: Callable[[Context, RunningJob, int], Cut],
    close: Callable[[Context, RunningJob, Any], None],
) -> dict[str, Any]:
    """Do the leading job, and whole documents beside it for as long as it lasts. Returns the leader's outcome.

    Args:
        cut: writes a document's passages; called once a job.
        close: called when all of a document's vectors are written.

    Raises:
        What `cut`, `close` or the embedder raise for the leading job's document. Those of others end their own job.
    """
    document = cut(context, job, target.model_id)
    lead = _Member(job, document, deque(document.to_embed))
    n_all = len(lead.waiting)
    with (
        _Round(context, target, lead, cut, close) as together,
        ThreadPoolExecutor(1, "embed-beside") as beside,
    ):
        current, written = together.next_slice(), None
        while current:
            embedding = beside.submit(_embed, target.embedder, current)
            following = together.turn(written)
            written = embedding.result()
            job.check()
            together.end_broken(written)
            current = [(member, chunk) for member, chunk in following if member not in written.broken]
            current = current or together.next_slice()
            job.progress(n_all - len(lead.waiting), n_all, "passages embedded")
        together.write(written)
    return document.outcome


class _Round:
    """The leader and its companions; entered once, left with every companion ended or put back."""

    def __init__(
        self,
        context: Context,
        target: Target,
        lead: _Member,
        cut: Callable[[Context, RunningJob, int], Cut],
        close: Callable[[Context, RunningJob, Any], None],
    ) -> None:
        self._context = context
        self._target = target
        self._lead = lead
        self._cut = cut
        self._close = close
        self._companions: list[_Member] = []
        self._is_lead_closed = False

    def __enter__(self) -> "_Round":
        self._close_lead()
        if self._lead.waiting:
            self._take_along()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever is unfinished goes back to the queue, uncounted: what stopped the leader is not its fault."""
        for member in list(self._companions):
            self._end(member, Interrupted("put back: the job that took it along has ended"))

    def next_slice(self) -> Slice:
        """Passages to embed together: the leader's share, then those of the shortest documents."""
        share = round(SLICE * LEAD_SHARE) if self._companions else SLICE
        chosen = _taken(self._lead, share)
        for member in sorted(self._companions, key=lambda one: len(one.waiting)):
            chosen += _taken(member, SLICE - len(chosen))
        return chosen + _taken(self._lead, SLICE - len(chosen))

    def turn(self, written: _Embedded | None) -> Slice:
        """Write what was embedded, end what is complete, take more along, and say what comes next."""
        self.write(written)
        for member in list(self._companions):
            try:
                member.job.check()
            except ImpError as exc:
                self._end(member, exc)
        if time.monotonic() - self._lead.began < ROUND_S or len(self._lead.waiting) > SLICE:
            self._take_along()
        else:
            self._put_back_long_ones()
        return self.next_slice()

    def end_broken(self, embedded: _Embedded) -> None:
        """Documents the model cannot take end alone. Raises what the model did when the leader's is one of them."""
        for member, exc in embedded.broken.items():
            if member is self._lead:
                raise exc
            self._end(member, exc)

    def write(self, written: _Embedded | None) -> None:
        """Store vectors, also of documents that left the round meanwhile, and close those that are complete."""
        if written is None:
            return
        rows = [row for row, (member, _) in enumerate(written.chosen) if member not in written.broken]
        ids = [written.chosen[row][1].chunk_id for row in rows]
        with self._context.factory.begin() as session:
            store.store_embeddings(session, self._target.model_id, ids, written.vectors[rows])
        for member, _ in written.chosen:
            member.n_unwritten -= 1
        self._close_lead()
        for member in list(self._companions):
            self._end_if_complete(member)

    def _close_lead(self) -> None:
        """The leader's document is searchable at once; its job goes on for those beside it."""
        if self._lead.is_complete and not self._is_lead_closed:
            self._close(self._context, self._lead.job, self._lead.document)
            self._is_lead_closed = True

    def _take_along(self) -> None:
        room = MAX_COMPANIONS - sum(1 for member in self._companions if member.waiting)
        n_waiting = sum(len(member.waiting) for member in self._companions)
        if room <= 0 or n_waiting >= 2 * SLICE:
            return
        kind = self._lead.job.claimed.kind
        with self._context.factory.begin() as session:
            claimed = jobs.claim_others(session, kind, limit=room, worker=self._context.worker)
        heartbeat_s = self._context.settings.imp_heartbeat_s
        running = [RunningJob(one, self._context.factory, heartbeat_s=heartbeat_s) for one in claimed]
        taken = [
            _Member(one.__enter__(), None, deque()) for one in running
        ]  # left in `_end`; all beat at once
        self._companions += taken
        for member in taken:
            try:
                member.job.check()
                member.document = self._cut(self._context, member.job, self._target.model_id)
                member.waiting.extend(member.document.to_embed)
            except Exception as exc:  # as at a job's outer edge: this document's alone
                self._end(member, exc)
            else:
                self._end_if_complete(member)

    def _put_back_long_ones(self) -> None:
        """The leader is nearly done: a long companion shall lead a round of its own, after whoever waits."""
        for member in [one for one in self._companions if len(one.waiting) > SLICE]:
            self._end(member, Interrupted("its turn comes again"))

    def _end_if_complete(self, member: _Member) -> None:
        if not member.is_complete:
            return
        try:
            self._close(self._context, member.job, member.document)
        except Exception as exc:
            self._end(member, exc)
        else:
            self._end(member, member.document.outcome)

    def _end(self, member: _Member, ending: dict[str, Any] | Exception) -> None:
        if member not in self._companions:
            return
        self._companions.remove(member)
        member.job.__exit__()
        end_companion(self._context, member.job.claimed, ending, duration_s=time.monotonic() - member.began)


def _taken(member: _Member, n: int) -> Slice:
    chosen: Sequence[ChunkToEmbed] = [member.waiting.popleft() for _ in range(min(n, len(member.waiting)))]
    member.n_unwritten += len(chosen)
    return [(member, chunk) for chunk in chosen]


def _embed(embedder: Embedder, chosen: Slice) -> _Embedded:
    """Runs beside the job's own thread: no session, no claim, no member is changed here."""
    try:
        return _Embedded(chosen, embedder.embed_passages([chunk.embedded_text for _, chunk in chosen]))
    except Exception as exc:  # a library's own; found again below for the document at fault
        logger.warning("index_batch_failed", extra={"why": type(exc).__name__, "n_passages": len(chosen)})
    vectors = np.zeros((len(chosen), embedder.dim), dtype=np.float32)
    broken: dict[_Member, Exception] = {}
    for member in dict.fromkeys(member for member, _ in chosen):
        rows = [row for row, (owner, _) in enumerate(chosen) if owner is member]
        try:
            vectors[rows] = embedder.embed_passages([chosen[row][1].embedded_text for row in rows])
        except Exception as exc:
            broken[member] = exc
    return _Embedded(chosen, vectors, broken)
