"""Passages a second through index jobs, against the bare model's own in the same run.

python -m benchmarks.ingestion --pages 300

Made-up pages lie in the table; from there on it is the worker's own road: cut, words, vectors, HNSW. The bare model is
one call of SentenceTransformer.encode in the same number format, alone, between the two halves: once over the same
tokens (passages cut at the model's window beforehand, since encode sees no further), once over the passages as they
are, of which it leaves out what exceeds the window.
"""

import argparse
import random
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from benchmarks.in_process import compute_as_a_worker, run_waiting, temporary_context
from benchmarks.made_up_site import _Writer
from benchmarks.report import Figure, add_out, finish
from core.access import ANYONE, set_gate
from core.log import configure_logging
from core.tables.documents import Source
from rag.embedding import load_embedder
from workers import documents
from workers.context import Context

GPU_THREADS = 2  # as many as the model worker of `imp up` has
PASSAGES = text("SELECT concat_ws(E'\\n', nullif(context, ''), text) FROM chunks ORDER BY id")
LONG_PAGE_CHARS = 1_500_000


def main() -> None:
    options = _options()
    configure_logging(level="ERROR")
    compute_as_a_worker()
    with temporary_context() as context:
        context.embedder.embed_query("loaded")
        put(context, [prose(options.chars, at) for at in range(options.pages)])
        started = time.monotonic()
        run_waiting(context, "index_document", n_threads=GPU_THREADS)
        indexed_s = time.monotonic() - started
        with context.factory() as session:
            passages = list(session.execute(PASSAGES).scalars())
        n_seen, n_cut, parts = within_window(passages)
        bare_s, cut_s = bare_seconds(parts), bare_seconds(passages)
        put(context, [prose(options.chars, at + options.pages) for at in range(options.pages)])
        started = time.monotonic()
        run_waiting(context, "index_document", n_threads=GPU_THREADS)
        again_s = time.monotonic() - started
        waits = [short_page_beside_a_long_one(context)] if options.long_page else []
    rate = 2 * len(passages) / (indexed_s + again_s)
    bare, cut = len(passages) / bare_s, len(passages) / cut_s
    finish(
        "Ingestion",
        [
            Figure("index jobs", rate, "passages/s", f"{2 * len(passages)} of {2 * options.pages} pages, {GPU_THREADS} threads"),
            Figure("bare model, same tokens", bare, "passages/s", f"{n_seen / len(passages):.0f} tokens a passage"),
            Figure("ratio", rate / bare, "", "aim 0.9"),
            Figure("bare model, passages cut off", cut, "passages/s", f"{n_cut / n_seen:.0%} of the tokens"),
            Figure("ratio, passages cut off", rate / cut, "", "it leaves tokens out, index jobs do not"),
            *[Figure("short page beside a long one", wait_s, "s", f"until searchable; the long one took {long_s:.0f} s")
              for wait_s, long_s in waits],
        ],
        options,
    )  # fmt: skip


def put(context: Context, markdowns: Sequence[str]) -> list[int]:
    """Pages in the table, with their index jobs waiting; returns their documents."""
    with context.factory.begin() as session:
        source = session.query(Source).one_or_none() or Source(name="bench", kind="confluence")
        session.add(source)
        session.flush()
        gate_id = set_gate(session, source.id, "all", [ANYONE])
        n_before = session.execute(text("SELECT count(*) FROM documents")).scalar_one()
        drafts = [
            documents.Draft(
                external_id=str(n_before + at), kind="page", title=f"Page {n_before + at}", url="", version=1,
                markdown=markdown, language="english", content_hash=documents.content_hash(markdown), gate_ids=[gate_id],
            )
            for at, markdown in enumerate(markdowns)
        ]  # fmt: skip
        documents.save(session, source.id, drafts)
        rows = session.execute(
            text("SELECT id FROM documents WHERE external_id::int >= :n ORDER BY id"), {"n": n_before}
        )
        return list(rows.scalars())


def prose(n_chars: int, seed: int) -> str:
    """A page of that many characters under headings, in words of the sample company."""
    writer = _Writer(random.Random(seed))
    sections = [f"# {writer._sentence(3)}\n\n{writer.prose(1_800)}" for _ in range(max(1, n_chars // 1_800))]
    return "\n\n".join(sections)


def within_window(passages: Sequence[str]) -> tuple[int, int, list[str]]:
    """Tokens in all, tokens within one window of each passage, and the passages cut into window-sized texts."""
    ours: Any = load_embedder()
    tokenizer, window = ours._tokenizer._tokenizer, ours.max_tokens
    n_all, n_first, parts = 0, 0, []
    for passage in passages:
        offsets = tokenizer.encode(passage, add_special_tokens=False).offsets
        n_all, n_first = n_all + len(offsets), n_first + min(len(offsets), window)
        cuts = [offsets[at : at + window] for at in range(0, len(offsets), window)]
        parts += [passage[cut[0][0] : cut[-1][1]] for cut in cuts]
    return n_all, n_first, parts


def bare_seconds(texts: Sequence[str]) -> float:
    """Seconds of the library's own call, with the product's number format."""
    from sentence_transformers import SentenceTransformer

    ours: Any = load_embedder()
    ours.embed_query("loaded")
    bare: Any = SentenceTransformer(ours._path, local_files_only=True).to(ours._model.dtype).eval()
    bare.encode(list(texts[:64]), batch_size=32, show_progress_bar=False, convert_to_tensor=True)
    started = time.monotonic()
    bare.encode(list(texts), batch_size=32, show_progress_bar=False, convert_to_tensor=True)
    return time.monotonic() - started


def short_page_beside_a_long_one(context: Context) -> tuple[float, float]:
    """Seconds until a page of one passage is searchable that came with one of a thousand, and of the long one."""
    first, second = put(context, [prose(LONG_PAGE_CHARS, 0), "A short page about the launch."])
    run_waiting(context, "index_document")
    with context.factory() as session:
        rows = session.execute(
            text("SELECT extract(epoch FROM finished_at - created_at)::float FROM jobs WHERE key = ANY(:keys) ORDER BY id"),
            {"keys": [str(first), str(second)]},
        )  # fmt: skip
        long_s, short_s = rows.scalars()
    return short_s, long_s


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ingestion", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("--pages", type=int, default=300, help="pages of each half (default 300)")
    parser.add_argument("--chars", type=int, default=8_000, help="characters a page (default 8000)")
    parser.add_argument(
        "--long-page", action="store_true", help="also a page of a thousand passages beside a short one"
    )
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
