"""A sync while the stand-in fails at random, beside one without faults: the same final state, byte for byte?

    python -m benchmarks.sync_faults --pages 1000

One per cent of all requests ends as 429, as 503 or cut in the middle of its body. Both syncs run in this process, each
into an empty database; a job that failed for a passing reason is put back as workers do. What is compared of each
document is all but row ids and moments, with doors by their names.
"""

import argparse
import hashlib
import json
import resource
import time
from typing import Any

from sqlalchemy import text

from benchmarks.in_process import WAITING, temporary_context
from benchmarks.made_up_site import ACCOUNT, fill
from benchmarks.report import Figure, add_out, finish
from core.log import configure_logging
from sandbox.confluence.process import ConfluenceSandbox, running
from workers import sources
from workers.context import Context
from workers.run_job import run_job
from workers.tasks import MODULES, load_work

KINDS = ("sync_source", "sync_page", "refresh_gates")
MOST_ROUNDS = 50
STATE = text("""
    SELECT to_jsonb(d) - 'id' - 'source_id' - 'gate_ids' - 'seen_at' - 'deleted_at' - 'url' AS document,
        ARRAY(SELECT g.door || '=' || array_to_string(g.principals, ',') FROM gates g
              WHERE g.id = ANY(d.gate_ids) ORDER BY 1) AS doors
    FROM documents d ORDER BY external_id
""")
DUE_NOW = text("UPDATE jobs SET run_after = now() WHERE state = 'queued'")
FAILED = text("SELECT kind, error FROM jobs WHERE state = 'failed' LIMIT 3")
KINDS_OF_FAULT: tuple[dict[str, Any], ...] = (
    {"kind": "rate_limit", "retry_after": "missing"},
    {"kind": "error", "status": 503},
    {"kind": "cut"},
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_faults", description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--share", type=float, default=0.01, help="of requests that fail")
    add_out(parser)
    options = parser.parse_args()
    configure_logging(level="CRITICAL")
    with running() as stand_in:
        site = fill(stand_in, options.pages)
        calm_s, calm, _ = _synced(stand_in)
        share = options.share / len(KINDS_OF_FAULT)
        stand_in.faults(
            *({**rule, "probability": share, "seed": at} for at, rule in enumerate(KINDS_OF_FAULT))
        )
        faulty_s, faulty, n_faults = _synced(stand_in)
    n_differing = sum(calm.get(key) != faulty.get(key) for key in calm.keys() | faulty.keys())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = [
        Figure("documents", len(calm), "", f"{site.n_pages} pages"),
        Figure("without faults", calm_s, "s"),
        Figure("with faults", faulty_s, "s", f"{n_faults} requests failed, those the log still holds"),
        Figure("documents that differ", n_differing, "", "aim 0"),
        Figure("peak of this process", peak_mb, "MB", "both syncs; aim under 700"),
    ]
    finish(f"Syncing while {100 * options.share:g} % of requests fail", figures, options)
    if n_differing:
        raise SystemExit(f"{n_differing} documents differ")


def _synced(stand_in: ConfluenceSandbox) -> tuple[float, dict[str, str], int]:
    """Seconds until every job is done, a digest of each document, and how many requests were spoiled."""
    stand_in.forget_log()
    settings = {"confluence_url": stand_in.url, "confluence_pat": ACCOUNT["token"]}
    with temporary_context(**settings, confluence_username=None, confluence_api_token=None) as context:
        started = time.monotonic()
        with context.factory.begin() as session:
            source_id = sources.ensure_confluence_source(session, context.settings)
            assert source_id is not None
            sources.request_sync(session, source_id, mode="full")
        _run_all(context)
        # What failed for a moment only is read again by the next comparison, as by the clock.
        with context.factory.begin() as session:
            sources.request_sync(session, source_id, mode="reconcile")
        _run_all(context)
        took_s = time.monotonic() - started
        with context.factory() as session:
            rows = session.execute(STATE).all()
    state = {
        str(row.document["external_id"]): hashlib.sha256(
            json.dumps([row.document, row.doors], sort_keys=True).encode()
        ).hexdigest()
        for row in rows
    }
    return took_s, state, sum(1 for one in stand_in.requests() if one["fault"])


def _run_all(context: Context) -> None:
    """Jobs until there is none; those put back are due at once. Raises RuntimeError for one that failed for good."""
    for _ in range(MOST_ROUNDS):
        with context.factory.begin() as session:
            session.execute(DUE_NOW)
            waiting = session.execute(WAITING, {"kinds": list(KINDS)}).all()
        if not waiting:
            break
        for row in waiting:
            run_job(context, row.id, load_work(MODULES[row.kind]))
    with context.factory() as session:
        if failed := session.execute(FAILED).all():
            raise RuntimeError(f"jobs failed: {failed}")


if __name__ == "__main__":
    main()
