"""Texts in, vectors out: against the float64 reference, in every order and company, and for every odd text."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from tests.runtime.conftest import LIMIT
from tests.runtime.test_session import run_script
from wellread.errors import BadInput, IntegrityError, NotFound
from wellread.registry.records import Manifest
from wellread.runtime.model import Model, Origin
from wellread.runtime.token_vectors import WordVector
from wellread.runtime.tokenise import Tokenised, Tokeniser
from wellread.runtime.windows import Long, cut

pytestmark = pytest.mark.press

MakeModel = Callable[..., Model]
Float64 = NDArray[np.float64]

ALONE_OR_TOGETHER = 2e-6
FROM_REFERENCE = 1e-5

TEXTS = ["I love NLP", "", "The quick brown fox jumps over the lazy dog", "hello", "New York, unable!"]
ODD = {
    "empty": "",
    "spaces": "   \t\n ",
    "control characters": "\x00\x01\x1b\x7f\ufffd",
    "emoji": "👩‍👩‍👧‍👦 🙂",
    "right to left": "שלום עולם مرحبا",
    "CJK": "中文日本あ",
    "a word of 500 letters": "a" * 500,
    "special tokens": "[CLS] [SEP] [PAD]",
    "a lone surrogate": "fox \ud800 dog",
    "accents": "e\u0301e\u0301 ΟΔΥΣΣΕΥΣ",
}
LONG = "the quick brown fox jumps over the lazy dog and you love another new language model " * 5


@pytest.fixture(scope="session")
def pieces(folder: Path) -> Callable[[str], NDArray[np.int64]]:
    """The ids of a text, uncut."""
    tokeniser = Tokeniser(folder / "tokenizer.json")
    return lambda text: tokeniser([text])[0].ids


@pytest.fixture(scope="session")
def reference() -> Callable[[NDArray[np.int64]], dict[str, Float64]]:
    """ids (tokens,) → what the float64 reference gives: ``sequence`` (tokens, hidden), ``pooled`` (hidden,) …"""
    from wellread.converters.parity.probes import single
    from wellread.converters.parity.reference import Reference
    from wellread.converters.weights import Weights

    shape = tiny_architecture()
    weights = Weights(shape, tiny_tensors(shape), tiny_vocabulary(), "huggingface", None, {})

    def run(ids: NDArray[np.int64]) -> dict[str, Float64]:
        return {name: array[0] for name, array in Reference(weights).run(single("text", ids)).items()}

    return run


POOLED: dict[str, Callable[[dict[str, Float64]], Float64]] = {
    "mean": lambda run: run["sequence"].mean(axis=0),
    "mean-words": lambda run: (run["sequence"][1:-1] if len(run["sequence"]) > 2 else run["sequence"]).mean(axis=0),
    "cls": lambda run: run["sequence"][0],
    "pooler": lambda run: run["pooled"],
    "pooler-linear": lambda run: run["pooled linear"],
}


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize("pooling", POOLED)
def test_the_vector_of_a_text_is_that_of_the_reference(
    make_model: MakeModel, pooling: str, pieces: Any, reference: Any
) -> None:
    found = make_model(pooling=pooling).encode(TEXTS)
    expected = [POOLED[pooling](reference(pieces(text))) for text in TEXTS]
    np.testing.assert_allclose(found, expected, atol=FROM_REFERENCE)
    assert found.dtype == np.float32


def test_the_shape_follows_what_was_given(model: Model) -> None:
    assert model.encode("hello").shape == (32,)
    assert model.encode(["hello"]).shape == (1, 32)
    assert model.encode([]).shape == (0, 32)
    assert model.encode(text for text in TEXTS).shape == (5, 32)
    assert model.encode([], output_level="token") == []


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.filterwarnings("ignore:1 text is longer")
def test_odd_texts_have_vectors_like_any_other(model: Model, text: str) -> None:
    vectors = model.encode([text, "hello", text])
    assert vectors.shape == (3, 32)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[1], model.encode("hello"), atol=ALONE_OR_TOGETHER)
    found = model.encode(text, output_level="token")
    assert found.vectors.shape == (len(found), 32)
    assert "".join(found.words) == "".join(text[b:e] for b, e in zip(found.begin, found.end, strict=True))


@given(
    texts=st.lists(
        st.text(st.characters() | st.sampled_from(" \0\n\u0301\u200d\ud800\udfff中'."), max_size=60)
        | st.builds(str.__mul__, st.text(st.sampled_from("ab\ud800中\u0301"), max_size=3), st.integers(0, 300)),
        min_size=1,
        max_size=8,
    ),
    long=st.sampled_from(["truncate", "window"]),
    word_vector=st.sampled_from(["first", "mean"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_vectors(model: Model, texts: list[str], long: Long, word_vector: WordVector) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        vectors = model.encode(texts, long=long)
        table = model.predict(texts, long=long, word_vector=word_vector)
    assert vectors.shape == (len(texts), 32)
    assert np.isfinite(vectors).all()
    assert all(np.isfinite(vector).all() for vector in table["embeddings"])
    places = zip(table["origin_index"], table["begin"], table["end"], strict=True)
    assert [texts[index][begin:end] for index, begin, end in places] == table["token"].tolist()


def test_words_past_the_cut_cost_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    past_accents = Tokenised._past_accents

    def counted(self: Tokenised, end: int, limit: int) -> int:
        looked_at.append(end)
        return past_accents(self, end, limit)

    monkeypatch.setattr(Tokenised, "_past_accents", counted)
    with pytest.warns(UserWarning, match="cut off"):
        found = model.encode("the fox " * 5000, output_level="token")
    assert len(found) == LIMIT - 2
    assert len(looked_at) <= LIMIT


def test_nothing_but_white_space_is_as_good_as_nothing(model: Model) -> None:
    np.testing.assert_allclose(model.encode(" \t\n"), model.encode(""), atol=ALONE_OR_TOGETHER)


def test_normalize_gives_unit_vectors_of_the_same_direction(model: Model) -> None:
    plain, unit = model.encode(TEXTS), model.encode(TEXTS, normalize=True)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(unit * np.linalg.norm(plain, axis=1, keepdims=True), plain, atol=1e-6)
    words = model.encode("the fox", output_level="token", normalize=True)
    np.testing.assert_allclose(np.linalg.norm(words.vectors, axis=1), 1, atol=1e-6)


# ---------------------------------------------------------------- words


def test_a_word_has_its_spelling_its_place_and_its_first_piece(model: Model, pieces: Any, reference: Any) -> None:
    text = "  New York isn't  UNABLE"
    found = model.encode(text, output_level="token")
    assert found.words == ("New", "York", "isn", "'", "t", "UNABLE")
    assert [text[begin:end] for begin, end in zip(found.begin, found.end, strict=True)] == list(found.words)
    states = reference(pieces(text))["sequence"]
    spelt = tiny_vocabulary().decode().split("\n")
    starts = [at for at, number in enumerate(pieces(text)) if not spelt[number].startswith(("##", "[CLS]", "[SEP]"))]
    np.testing.assert_allclose(found.vectors, states[starts], atol=FROM_REFERENCE)
    ends = [*starts[1:], len(states) - 1]
    assert max(end - start for start, end in zip(starts, ends, strict=True)) > 1
    means = [states[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)]
    mean = model.encode(text, output_level="token", word_vector="mean")
    np.testing.assert_allclose(mean.vectors, means, atol=FROM_REFERENCE)


def test_a_sentence_model_gives_words_too(make_model: MakeModel, model: Model) -> None:
    sentence_model = make_model(annotator="BertSentenceEmbeddings", pooling="pooler")
    found, expected = (each.encode("the fox", output_level="token") for each in (sentence_model, model))
    np.testing.assert_array_equal(found.vectors, expected.vectors)


# ---------------------------------------------------------------- long texts


def test_truncating_reads_the_beginning_and_warns_once(model: Model, pieces: Any, reference: Any) -> None:
    with pytest.warns(UserWarning) as caught:
        found = model.encode(["hello", LONG, "fox", LONG])
    (warning,) = caught
    assert f"2 texts are longer than the {LIMIT} pieces" in str(warning.message)
    assert f"the first is text 1 with {len(pieces(LONG))}" in str(warning.message)
    assert warning.filename == __file__
    cut_off = np.concatenate([pieces(LONG)[: LIMIT - 1], pieces(LONG)[-1:]])
    np.testing.assert_allclose(found[1], reference(cut_off)["sequence"].mean(axis=0), atol=FROM_REFERENCE)


def test_a_table_warns_where_it_was_asked_for(model: Model) -> None:
    with pytest.warns(UserWarning, match="1 text is longer") as caught:
        model.predict(LONG)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("word_vector", ["first", "mean"])
@pytest.mark.filterwarnings("ignore:1 text is longer")
def test_words_past_the_limit_are_not_returned(model: Model, word_vector: Any) -> None:
    some = model.encode(LONG, output_level="token", word_vector=word_vector)
    every = model.encode(LONG, output_level="token", long="window")
    assert some.words == every.words[: len(some)]
    assert " ".join(every.words) == LONG.strip()
    assert len(some) < LIMIT < len(every)


@pytest.mark.filterwarnings("ignore:1 text is longer")
def test_of_a_word_across_the_limit_the_pieces_before_it_count(model: Model, pieces: Any, reference: Any) -> None:
    text = "fox " * (LIMIT - 4) + "foxfoxfoxfox"
    read = np.concatenate([pieces(text)[: LIMIT - 1], pieces(text)[-1:]])
    found = model.encode(text, output_level="token", word_vector="mean")
    assert found.words[-1] == "foxfoxfoxfox"
    last_two = reference(read)["sequence"][-3:-1]
    np.testing.assert_allclose(found.vectors[-1], last_two.mean(axis=0), atol=FROM_REFERENCE)


@pytest.mark.parametrize("pooling", POOLED)
def test_windows_read_all_of_a_long_text(make_model: MakeModel, pooling: str, pieces: Any, reference: Any) -> None:
    model = make_model(pooling=pooling)
    found = model.encode([LONG, "hello"], long="window")
    windows = list(cut([pieces(LONG)], LIMIT, "window", specials=pooling != "mean-words"))
    runs = [reference(window.ids) for window in windows]
    read = [run["sequence"][window.begin : window.end] for run, window in zip(runs, windows, strict=True)]
    if pooling.startswith("mean"):
        expected = np.concatenate(read).mean(axis=0)
    else:
        expected = np.average([POOLED[pooling](run) for run in runs], axis=0, weights=[len(part) for part in read])
    np.testing.assert_allclose(found[0], expected, atol=FROM_REFERENCE)
    np.testing.assert_allclose(found[1], model.encode("hello"), atol=ALONE_OR_TOGETHER)


def test_words_of_a_long_text_come_from_the_window_that_answers_for_them(
    model: Model, pieces: Any, reference: Any
) -> None:
    windows = cut([pieces(LONG)], LIMIT, "window", specials=False)
    states = np.concatenate([reference(window.ids)["sequence"][window.begin : window.end] for window in windows])
    found = model.encode(LONG, output_level="token", long="window")
    spelt = tiny_vocabulary().decode().split("\n")
    starts = [at for at, number in enumerate(pieces(LONG)[1:-1]) if not spelt[number].startswith("##")]
    np.testing.assert_allclose(found.vectors, states[starts], atol=FROM_REFERENCE)


def test_a_long_text_can_be_refused(model: Model) -> None:
    with pytest.raises(BadInput, match="text 1 has"):
        model.encode(["hello", LONG], long="error")


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"output_level": "tokens"}, r"output_level='tokens' is not one of 'sentence', 'token'. Did you mean 'token'"),
        ({"long": "windows"}, r"long='windows' is not one of .* Did you mean 'window'"),
        ({"word_vector": "last"}, r"word_vector='last' is not one of 'first', 'mean'"),
        ({"batch_size": 0}, r"batch_size=0"),
        ({"batch_size": 2.0}, r"batch_size=2.0"),
    ],
)
def test_an_option_that_is_none_is_refused(model: Model, options: Any, said: str) -> None:
    for method in (model.encode, model.predict):
        with pytest.raises(BadInput, match=said):
            method(["hello"], **options)


@pytest.mark.parametrize("texts", [None, ["hello", None], ["hello", 3], [["hello"]], b"hello"])
def test_what_is_no_text_is_refused(model: Model, texts: Any) -> None:
    for method in (model.encode, model.predict):
        with pytest.raises(BadInput):
            method(texts)


def test_a_form_that_is_not_run_here_is_refused(folder: Path, manifest: Manifest) -> None:
    with pytest.raises(
        BadInput, match=r"form 'torch' of tiny \(en\) is not run by wellread: .* Run here: onnx, onnx-int8"
    ):
        Model(folder, manifest, "torch")
    with pytest.raises(NotFound, match=r"no form 'onx'. Did you mean 'onnx'.* Available: onnx, onnx-int8, torch"):
        Model(folder, manifest, "onx")


def test_a_folder_without_its_tokenizer_is_not_whole(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(IntegrityError, match=r"tokenizer\.json cannot be read"):
        Model(tmp_path, manifest, "onnx")


# ---------------------------------------------------------------- the model as a value


def test_what_a_model_says_of_itself(model: Model, folder: Path) -> None:
    assert repr(model) == "<Model tiny (en) 2.6.0_2.4_1598344705269: onnx, 32 dimensions>"
    assert (model.name, model.language, model.dimension) == ("tiny", "en", 32)
    assert (model.path, model.form) == (folder, "onnx")
    info = model.info()
    assert info["path"] == str(folder)
    assert (info["form"], info["pooling"], info["max_length"]) == ("onnx", "mean", LIMIT)


def test_int8_is_near_fp32(make_model: MakeModel, model: Model) -> None:
    whole, small = model.encode(TEXTS, normalize=True), make_model("onnx-int8").encode(TEXTS, normalize=True)
    assert (whole * small).sum(axis=1).min() > 0.95
    assert not np.array_equal(whole, small)


def test_a_closed_model_opens_again(make_model: MakeModel) -> None:
    model = make_model()
    before = model.encode("hello")
    model.close()
    np.testing.assert_array_equal(model.encode("hello"), before)


def test_a_pickle_holds_no_weights(model: Model, folder: Path) -> None:
    pickled = pickle.dumps(model)
    assert len(pickled) < (folder / "onnx/model.onnx").stat().st_size / 20
    again: Model = pickle.loads(pickled)
    assert repr(again) == repr(model)
    np.testing.assert_array_equal(again.encode("hello"), model.encode("hello"))
    np.testing.assert_array_equal(copy.deepcopy(model).encode("hello"), model.encode("hello"))


def _elsewhere(folder: Path, *, manifest: Manifest) -> Model:
    return Model(folder, manifest, "onnx-int8", Origin((_elsewhere, (folder,), {"manifest": manifest}), "a hub"))


def test_a_pickle_reopens_the_way_its_origin_says(folder: Path, manifest: Manifest) -> None:
    origin = Origin((_elsewhere, (folder,), {"manifest": manifest}))
    again = pickle.loads(pickle.dumps(Model(folder, manifest, "onnx", origin)))
    assert (again.form, again.info()["from"]) == ("onnx-int8", "a hub")


def test_threads_share_a_model(model: Model) -> None:
    expected = model.encode(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: model.encode(TEXTS), range(32)):
            np.testing.assert_array_equal(found, expected)


FORKED = """
    import os, pickle, sys
    from pathlib import Path
    import numpy as np

    model = pickle.loads(Path(sys.argv[1]).read_bytes())
    texts = ["I love NLP", "", "the quick brown fox"] * 20
    before = model.encode(texts)
    words = model.encode(texts, output_level="token")
    child = os.fork()
    after = model.encode(texts), model.encode(texts, output_level="token")
    same = np.array_equal(after[0], before) and all(
        np.array_equal(one.vectors, other.vectors) for one, other in zip(after[1], words)
    )
    if child:
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status) if same else 4)
    sys.exit(0 if same else 3)
"""


def test_a_pickle_opens_in_another_process_and_survives_its_forks_in_silence(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(model))
    done = run_script(FORKED, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_only_a_bar_that_was_asked_for_is_drawn_in_a_pipe(model: Model, capfd: pytest.CaptureFixture[str]) -> None:
    model.encode(TEXTS)
    model.encode(TEXTS, progress=False)
    assert capfd.readouterr() == ("", "")
    model.encode([*TEXTS, LONG], progress=True, long="window")
    assert "6/6" in capfd.readouterr().err
