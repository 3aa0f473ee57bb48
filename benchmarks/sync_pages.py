"""Pages synced a second against the stand-in Confluence, beside plain loops and the embedder alone.

    python -m benchmarks.sync_pages --pages 2000

The stand-in is a process of its own and shares this machine's cores with everything else. Measured in one run:
(1) baselines: a plain atlassian-python-api loop over the same pages, one by one, and in batches of 50 with bodies;
neither keeps anything. (2) The sync job and its page jobs in this process, on an embedded Postgres, nothing embedded;
then the same site again. (3) The processes of `imp up` (workers, Redis, Postgres), until every page is searchable;
then the unchanged site again. (4) The embedder alone over the very same passages: the ceiling of (3).
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from atlassian import Confluence
from sqlalchemy import text

from app import up
from app.follow import follow, settle
from benchmarks.in_process import compute_as_a_worker, run_waiting, temporary_context
from benchmarks.made_up_site import ACCOUNT, SPACES, Site, fill
from benchmarks.report import Figure, add_out, finish
from core.log import configure_logging
from core.settings import load_settings
from rag.embedding import load_embedder
from sandbox.confluence.process import ConfluenceSandbox, running
from workers import sources
from workers.context import Context, make_context

SYNC_THREADS = 4  # as many as the sync worker of `imp up` has
LOOP_EXPAND = "body.storage,version,ancestors,space"
INDEXED = text("""
    SELECT count(*) AS n_jobs, coalesce(sum((outcome->>'n_embedded')::int), 0) AS n_embedded FROM jobs
    WHERE kind = 'index_document' AND id > :after
""")
LAST_JOB = text("SELECT coalesce(max(id), 0) FROM jobs")
SEARCHABLE = text("""
    SELECT count(*) FROM documents WHERE kind = 'page' AND deleted_at IS NULL AND indexed_hash = content_hash
""")
PASSAGES = text("SELECT concat_ws(E'\\n', nullif(context, ''), text) FROM chunks ORDER BY id")
FAILED = text("SELECT kind, error FROM jobs WHERE state = 'failed' LIMIT 3")


def main() -> None:
    options = _options()
    configure_logging(level="ERROR")
    compute_as_a_worker()
    with running() as stand_in:
        site = fill(stand_in, options.pages)
        if options.latency_ms:
            stand_in.faults({"kind": "slow", "path": "/rest/", "seconds": options.latency_ms / 1000})
        print(f"{site.n_pages} pages of {site.n_bytes / site.n_pages:,.0f} bytes, {site.n_files} files")
        figures = baselines(stand_in, min(options.pages, options.baseline_pages))
        figures += sync_in_process(stand_in, site)
        if not options.no_embedding:
            figures += sync_through_workers(stand_in, site)
    finish(
        f"Syncing {site.n_pages} pages, {site.n_files} of them with a file; {options.latency_ms:g} ms of latency",
        figures,
        options,
    )


def baselines(stand_in: ConfluenceSandbox, n_pages: int) -> list[Figure]:
    """What a script of a dozen lines reaches on the same pages."""
    client = Confluence(stand_in.url, token=ACCOUNT["token"], cloud=False, timeout=60)
    ids = [page["id"] for page in itertools.islice(_listed(client), n_pages)]
    started = time.monotonic()
    for page_id in ids:
        client.get_page_by_id(page_id, expand=LOOP_EXPAND)
    one_by_one_s = time.monotonic() - started
    started = time.monotonic()
    n_read = sum(1 for _ in itertools.islice(_listed(client, expand=LOOP_EXPAND), n_pages))
    batched_s = time.monotonic() - started
    return [
        Figure(
            "plain loop, page by page", len(ids) / one_by_one_s, "pages/s", f"reads only, {len(ids)} pages"
        ),
        Figure("plain loop, 50 a request", n_read / batched_s, "pages/s", f"reads only, {n_read} pages"),
    ]


def _listed(client: Any, **more: str) -> Iterator[dict[str, Any]]:
    for key in SPACES:
        yield from client.get_all_pages_from_space(key, limit=50, **more)


def sync_in_process(stand_in: ConfluenceSandbox, site: Site) -> list[Figure]:
    """The jobs of the sync queue alone; then twice more over the unchanged site."""
    with temporary_context(**_site_settings(stand_in)) as context:
        worked_s = time.process_time()
        full_s, walk_s, n_requests = _timed_sync(context, stand_in, "full")
        worked_s = time.process_time() - worked_s
        again_s, _, _ = _timed_sync(context, stand_in, "full")
        compare_s, _, n_compare = _timed_sync(context, stand_in, "reconcile")
        with context.factory() as session:
            n_kept = session.execute(text("SELECT count(*) FROM documents WHERE kind = 'page'")).scalar_one()
    _check(n_kept == site.n_pages, f"{n_kept} of {site.n_pages} pages arrived")
    return [
        Figure(
            "sync without embedding", site.n_pages / full_s, "pages/s", f"in process, {n_requests} requests"
        ),
        Figure("  its walk of the listings", site.n_pages / walk_s, "pages/s", "without files"),
        Figure("  processor time", 1000 * worked_s / site.n_pages, "ms/page", "this process only"),
        Figure("unchanged, read in full", again_s, "s", "in process"),
        Figure("unchanged, versions compared", compare_s, "s", f"in process, {n_compare} requests"),
    ]


def _timed_sync(context: Context, stand_in: ConfluenceSandbox, mode: str) -> tuple[float, float, int]:
    """Seconds in all, seconds of the walk, and requests made."""
    n_before = int(stand_in.state()["n_requests"])
    started = time.monotonic()
    _request(context, mode)
    run_waiting(context, "sync_source")
    walked = time.monotonic()
    run_waiting(context, "sync_page", "refresh_gates", n_threads=SYNC_THREADS)
    ended = time.monotonic()
    return ended - started, walked - started, int(stand_in.state()["n_requests"]) - n_before


def sync_through_workers(stand_in: ConfluenceSandbox, site: Site) -> list[Figure]:
    """From the request to the last searchable page, in the processes a user runs; then the ceiling, alone."""
    with tempfile.TemporaryDirectory(prefix="imp-bench-", ignore_cleanup_errors=True) as folder:
        settings = load_settings(imp_home=Path(folder))
        env = {name.upper(): str(value) for name, value in _site_settings(stand_in).items()}
        stack = up.start(settings, lambda _: None, with_web=False, more_env=env)
        try:
            context = make_context(stack.settings)
            _warm_up(context, stand_in)
            first, full_s = _through_workers(context, "full")
            again, again_s = _through_workers(context, "full")
            compared, compare_s = _through_workers(context, "reconcile")
            with context.factory() as session:
                n_searchable = session.execute(SEARCHABLE).scalar_one()
                passages = list(session.execute(PASSAGES).scalars())
                _check(not (failed := session.execute(FAILED).all()), f"jobs failed: {failed}")
        finally:
            stack.stop()
    _check(n_searchable >= site.n_pages, f"{n_searchable} of {site.n_pages} pages are searchable")
    ceiling = embedder_ceiling(passages)
    rate, most = first.n_embedded / full_s, f"{len(passages) / site.n_pages:.1f} passages a page"
    return [
        Figure("sync until searchable", site.n_pages / full_s, "pages/s", f"imp up, {full_s:.0f} s"),
        Figure("  passages", rate, "passages/s", most),
        Figure("embedder alone", ceiling, "passages/s", "same passages, nothing else running"),
        Figure("ratio to the embedder alone", rate / ceiling, "", "aim 0.9"),
        Figure("unchanged, read in full", again_s, "s", "imp up"),
        Figure("  embeddings computed", again.n_embedded, "", f"{again.n_jobs} index jobs; must be 0"),
        Figure("unchanged, versions compared", compare_s, "s", "imp up"),
        Figure("  embeddings computed", compared.n_embedded, "", f"{compared.n_jobs} index jobs; must be 0"),
    ]


def _through_workers(context: Context, mode: str) -> tuple[Any, float]:
    """What was indexed (`n_jobs`, `n_embedded`) and the seconds until nothing was left to do."""
    with context.factory() as session:
        last = session.execute(LAST_JOB).scalar_one()
    started = time.monotonic()
    follow(context.factory, [_request(context, mode)])
    settle(context.factory, ("sync_page", "index_document"))
    ended = time.monotonic()
    with context.factory() as session:
        return session.execute(INDEXED, {"after": last}).one(), ended - started


def _warm_up(context: Context, stand_in: ConfluenceSandbox) -> None:
    """Have the workers started and the embedder loaded: one small space of its own."""
    pages = [{"id": "9000001", "space": "WARM", "title": "Warm", "body": "<p>Warm up.</p>", "author": "ann"}]
    stand_in.seed({"spaces": [{"key": "WARM", "name": "Warm", "permissions": ["group:staff"]}]})
    stand_in.seed({"pages": pages})
    with context.factory.begin() as session:
        source_id = _source(session, context)
        job_id = sources.request_sync(session, source_id, spaces=["WARM"])
    follow(context.factory, [job_id])
    settle(context.factory, ("sync_page", "index_document"))


def embedder_ceiling(passages: Sequence[str]) -> float:
    """Passages a second of SentenceTransformer.encode in one call, with the product's number format."""
    from sentence_transformers import SentenceTransformer

    ours = load_embedder()
    ours.embed_query("loaded")
    bare = SentenceTransformer(ours._path, local_files_only=True).to(ours._model.dtype).eval()
    bare.encode(list(passages[:64]), batch_size=32, show_progress_bar=False, convert_to_tensor=True)
    started = time.monotonic()
    bare.encode(list(passages), batch_size=32, show_progress_bar=False, convert_to_tensor=True)
    return len(passages) / (time.monotonic() - started)


def _request(context: Context, mode: str) -> int:
    with context.factory.begin() as session:
        return sources.request_sync(session, _source(session, context), mode=mode)


def _source(session: Any, context: Context) -> int:
    source_id = sources.ensure_confluence_source(session, context.settings)
    assert source_id is not None
    return source_id


def _site_settings(stand_in: ConfluenceSandbox) -> dict[str, object]:
    return {
        "confluence_url": stand_in.cloud_url,
        "confluence_username": ACCOUNT["email"],
        "confluence_api_token": ACCOUNT["token"],
    }


def _check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise SystemExit(f"no figure: {otherwise}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sync_pages", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--pages", type=int, default=2_000, help="pages of the site (default 2000)")
    parser.add_argument(
        "--baseline-pages", type=int, default=1_000, help="pages the plain loops read (default 1000)"
    )
    parser.add_argument(
        "--latency-ms",
        type=float,
        default=0.0,
        help="the stand-in answers so much later, as a distant site does",
    )
    parser.add_argument("--no-embedding", action="store_true", help="leave out (3) and (4)")
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
