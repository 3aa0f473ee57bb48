"""Slack's questions under load: signed slash commands to the real web server, real workers, answers timed on arrival.

    python -m benchmarks.slack_load                                                 (the aim, about ten minutes)
    python -m benchmarks.slack_load --chunks 10000 --rate 10 --answer-rate 2 --seconds 15

Everything runs here: Postgres with a made-up corpus (benchmarks.scale), the processes of `imp up`, and a stand-in Slack
in this process that takes answers at each command's response_url. Questions all differ, so that no answer is given
twice, and come from `--people` people at fixed times, whether the ones before are answered or not. First
`--answer-rate`, to time answers; then `--rate`, to time acknowledgements, and until all are answered: the ceiling.
"""

import argparse
import asyncio
import hashlib
import hmac
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psutil
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import up
from app.home import free_port
from benchmarks.in_process import compute_as_a_worker
from benchmarks.report import Figure, add_out, finish, percentile, spread
from benchmarks.scale import SERVER, real_vectors, server
from benchmarks.synthetic_corpus import load, questions
from connectors.slack.posting import LOOKING
from core.db import make_engine
from core.log import configure_logging
from core.settings import load_settings
from rag.embedding import load_embedder

SECRET = "a-secret-of-this-benchmark"
DURABLE = tuple(one for one in SERVER if not one.startswith("fsync"))
N_FIRST = 8
PEOPLE = text("""
    WITH person AS (INSERT INTO people (name) SELECT 'Person ' || n FROM generate_series(1, :n) n RETURNING id)
    INSERT INTO identities (provider, external_id, person_id, linked_by)
    SELECT 'slack', 'U' || lpad(row_number() OVER ()::text, 9, '0'), id, 'admin' FROM person
""")
KEPT = text("SELECT count(*) FROM questions WHERE place->>'kind' = 'command'")
OUTCOMES = text(
    "SELECT coalesce(outcome, 'none') AS outcome, count(*) AS n FROM questions GROUP BY 1 ORDER BY 2 DESC"
)


@dataclass
class Phase:
    """One run at one rate, in seconds of the monotonic clock; `acknowledged_s` are durations."""

    name: str
    rate: float
    asked_at: dict[str, float] = field(default_factory=dict)
    acknowledged_s: list[float] = field(default_factory=list)
    answered_at: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def waits_s(self) -> list[float]:
        """From when each command was to be sent until its answer was here."""
        return [at - self.asked_at[key] for key, at in self.answered_at.items()]

    @property
    def answers_a_second(self) -> float:
        """From the first command to the last answer."""
        if not self.answered_at:
            return 0.0
        return len(self.answered_at) / (max(self.answered_at.values()) - min(self.asked_at.values()))


class StandIn:
    """Slack, as far as slash commands need it: response_urls, and a yes to every other call."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.phase = Phase("none", 1.0)
        self.n_other_calls = 0
        routes = [
            Route("/answer/{key}", self._answer, methods=["POST"]),
            Route("/api/{method}", self._other, methods=["GET", "POST"]),
        ]
        app = Starlette(routes=routes)
        self.server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)
        )

    async def _answer(self, request: Request) -> JSONResponse:
        said = await request.json()
        if said.get("blocks"):
            self.phase.answered_at.setdefault(request.path_params["key"], time.monotonic())
        return JSONResponse({"ok": True})

    async def _other(self, request: Request) -> JSONResponse:
        self.n_other_calls += 1
        return JSONResponse(
            {"ok": True, "team_id": "T1", "user_id": "UBOT", "channel": {"id": "D1"}, "ts": "1.1"}
        )


def main() -> None:
    options = _options()
    configure_logging(level="ERROR")
    compute_as_a_worker()
    embedder = load_embedder()
    with (
        server(DURABLE) as (url, [postgres, _]),
        tempfile.TemporaryDirectory(prefix="imp-load-", ignore_cleanup_errors=True) as folder,
    ):
        plain_url = url.replace("+psycopg", "")
        real = real_vectors(embedder)
        loaded = load(plain_url, options.chunks, real, model=(embedder.name, embedder.revision))
        print(f"{options.chunks:,} passages in {sum(loaded.seconds.values()):.0f} s", flush=True)
        engine = make_engine(url)
        with engine.begin() as db:
            db.execute(PEOPLE, {"n": options.people})
        n = N_FIRST + math.ceil((options.rate + options.answer_rate) * options.seconds)
        asked = [f"{one} ({at})" for at, one in enumerate(questions(loaded, plain_url, n))]
        slack = StandIn(free_port())
        stack = _start(Path(folder), url, slack.url)
        try:
            pids = {**stack.supervisor.pids(), "postgres": postgres}
            web = f"http://127.0.0.1:{stack.settings.imp_port}"
            phases, spent_s = asyncio.run(drive(slack, web, pids, asked, options))
        finally:
            stack.stop()
        with engine.connect() as db:
            n_kept = int(db.execute(KEPT).scalar_one())
            print("outcomes:", {row.outcome: row.n for row in db.execute(OUTCOMES)}, flush=True)
        engine.dispose()
    figures = as_figures(phases, len(asked), n_kept)
    for name in ("web", "worker-ask", "postgres"):
        figures.append(Figure(f"processor time a question: {name}", 1000 * spent_s[name] / len(asked), "ms"))
    finish(f"Slack under load, {options.chunks:,} passages", figures, options)


def processor_s(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds of each process so far, those of its ended and living children included."""
    spent = {}
    for name, pid in pids.items():
        process = psutil.Process(pid)
        living = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        ended = process.cpu_times()
        spent[name] = (
            sum(one.user + one.system for one in living) + ended.children_user + ended.children_system
        )
    return spent


def _start(home: Path, url: str, slack_url: str) -> up.Stack:
    """The processes of `imp up` on this database; nobody is throttled."""
    env = {
        "SLACK_BOT_TOKEN": "xoxb-load", "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": f"{slack_url}/api/",
        "IMP_QUESTIONS_PER_MINUTE": "100000", "IMP_GENERATOR": "extractive", "IMP_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    if "imp_workspace_questions_per_minute" in type(load_settings()).model_fields:
        env["IMP_WORKSPACE_QUESTIONS_PER_MINUTE"] = "1000000"
    settings = load_settings(imp_home=home, database_url=url, imp_port=free_port())
    return up.start(settings, lambda _: None, more_env=env)


async def drive(
    slack: StandIn, web: str, pids: Mapping[str, int], asked: Sequence[str], options: argparse.Namespace
) -> tuple[list[Phase], dict[str, float]]:
    """Ask the first few until all is loaded, then at both rates; the two phases, and what they cost each process."""
    serving = asyncio.create_task(slack.server.serve())
    limits = httpx.Limits(max_connections=500, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=web, timeout=60, limits=limits) as http:
        await _until_up(http)
        n_timed = math.ceil(options.answer_rate * options.seconds)
        parts = (
            (Phase("first", 1.0), asked[:N_FIRST], 120.0),
            (Phase("answers", options.answer_rate), asked[N_FIRST : N_FIRST + n_timed], 120.0),
            (Phase("acknowledgements", options.rate), asked[N_FIRST + n_timed :], options.drain_s),
        )
        for phase, words, patience_s in parts:
            slack.phase = phase
            if phase.name == "answers":
                before = processor_s(pids)
            await _ask_all(http, slack, words, options.people)
            await _until_answered(phase, patience_s)
            print(
                f"{phase.name}: {len(phase.answered_at)} of {len(phase.asked_at)} answered, "
                f"{len(phase.refused)} refused {sorted(set(phase.refused))[:3]}",
                flush=True,
            )
        spent_s = {name: after - before[name] for name, after in processor_s(pids).items()}
    slack.server.should_exit = True
    await serving
    return [phase for phase, _, _ in parts[1:]], spent_s


async def _until_up(http: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if (await http.get("/healthz")).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.2)
    raise SystemExit("no figure: the web server did not start")


async def _ask_all(http: httpx.AsyncClient, slack: StandIn, words: Sequence[str], n_people: int) -> None:
    """Send each at its own time, so that a slow server cannot slow the asking down."""
    phase, began, sending = slack.phase, time.monotonic(), []
    for at, question in enumerate(words):
        due = began + at / phase.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        sending.append(asyncio.create_task(_ask(http, slack, at, question, due, n_people)))
    await asyncio.gather(*sending)


async def _ask(
    http: httpx.AsyncClient, slack: StandIn, at: int, question: str, due: float, n_people: int
) -> None:
    phase, key = slack.phase, f"{slack.phase.name}-{at}"
    body = urlencode({
        "command": "/ask", "text": question, "user_id": f"U{at % n_people + 1:09}", "channel_id": "C1", "team_id": "T1",
        "trigger_id": key, "response_url": f"{slack.url}/answer/{key}",
    })  # fmt: skip
    phase.asked_at[key] = due
    try:
        reply = await http.post("/slack/events", content=body, headers=_signed(body))
        said = reply.json()["text"] if reply.status_code == 200 else f"HTTP {reply.status_code}"
    except (httpx.HTTPError, ValueError, KeyError) as exc:
        said = type(exc).__name__
    phase.acknowledged_s.append(time.monotonic() - due)
    if said != LOOKING:
        phase.refused.append(said)


def _signed(body: str) -> dict[str, str]:
    now = str(int(time.time()))
    signed = hmac.new(SECRET.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={signed}",
    }  # fmt: skip


async def _until_answered(phase: Phase, patience_s: float) -> None:
    """Until every command that was taken has its answer, or none has come for `patience_s`."""
    quiet_since, n_before = time.monotonic(), -1
    while len(phase.answered_at) < len(phase.asked_at) - len(phase.refused):
        if len(phase.answered_at) != n_before:
            quiet_since, n_before = time.monotonic(), len(phase.answered_at)
        if time.monotonic() - quiet_since > patience_s:
            return
        await asyncio.sleep(0.1)


def as_figures(phases: Sequence[Phase], n_asked: int, n_kept: int) -> list[Figure]:
    """The table's lines; `n_kept` questions are in the database."""
    calm, busy = phases
    figures = [Figure("asked, not kept", n_asked - n_kept, "", f"of {n_asked}; aim 0")]
    for phase in phases:
        name = f"{phase.rate:g}/s"
        n_lost = len(phase.asked_at) - len(phase.answered_at)
        figures += spread(f"{name}: acknowledgement", phase.acknowledged_s, 0.5, 0.99)
        figures.append(Figure(f"{name}: refused", len(phase.refused), "", "aim 0"))
        figures.append(Figure(f"{name}: without an answer", n_lost, "", f"of {len(phase.asked_at)}; aim 0"))
        if phase.waits_s:
            figures += spread(f"{name}: command to answer", phase.waits_s, 0.5, 0.95)
    figures.append(Figure("ceiling", busy.answers_a_second, "answers/s", "first command to last answer"))
    if calm.waits_s:
        share = sum(one < 2.0 for one in calm.waits_s) / len(calm.waits_s)
        figures.append(Figure(f"{calm.rate:g}/s: answered within 2 s", share, "of all", "aim 0.95"))
    if busy.acknowledged_s:
        worst = percentile(busy.acknowledged_s, 0.99)
        figures.append(Figure("acknowledgement p99, of the budget", worst / 0.5, "", "budget 500 ms"))
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.slack_load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument(
        "--rate", type=float, default=50.0, help="commands a second that are to be acknowledged"
    )
    parser.add_argument(
        "--answer-rate", type=float, default=10.0, help="commands a second whose answers are timed"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of each of the two")
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument(
        "--drain-s", type=float, default=120.0, help="give up when no answer came for so long"
    )
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
