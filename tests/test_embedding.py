"""The bundled model embeds; a model that is not there is told with how to get it."""

import json
import shutil
import socket
import sys
from functools import partial

import numpy as np
import pytest

from index import text
from index.embedding import (
    MODEL_FOLDER,
    ModelEmbedder,
    load_transformer,
    open_embedder,
    passage_text,
)
from index.errors import ModelError
from index.records import Passage
from index.settings import EmbeddingSettings


def embedder(kind=open_embedder, **fields):
    return kind(EmbeddingSettings(**fields))


def by_torch(settings):
    """Open the bundled model as any sentence-transformers model is."""
    return ModelEmbedder(settings, MODEL_FOLDER, partial(load_transformer, settings, MODEL_FOLDER))


@pytest.fixture(scope="module", params=[open_embedder, by_torch])
def bundled(request):
    return embedder(request.param)


def test_the_bundled_model_needs_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert embedder().embed_queries(["apa"]).any()
    with pytest.raises(ModelError, match="cannot be loaded"):
        embedder(by_torch).embed_queries(["apa"])


@pytest.mark.parametrize("prompts", [{}, {"query_prompt": "tanya: ", "passage_prompt": "isi: "}])
def test_numpy_gives_the_vectors_of_sentence_transformers(prompts):
    texts = [f"Warga menanam {n} pohon bakau di Teluk Waru." for n in range(600)]
    texts += ["", " ", "é 👧 \0", "ΣΑΣ İstanbul", "x" * 50_000, "\n\n", "kata " * 5_000]
    quick = embedder(**prompts)
    slow = embedder(by_torch, **prompts)
    assert (quick.name, quick.dimensions) == (slow.name, slow.dimensions)
    assert quick.embed_queries(texts) == pytest.approx(slow.embed_queries(texts), abs=1e-5)
    assert quick.embed_passages(texts) == pytest.approx(slow.embed_passages(texts), abs=1e-5)


def copy_of_the_model(folder):
    shutil.copytree(MODEL_FOLDER, folder)
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "modules.json"])
@pytest.mark.parametrize("content", [None, b"", b"rusak", b"{}"])
def test_a_damaged_model_is_told(tmp_path, name, content):
    (path,) = copy_of_the_model(tmp_path / "model").rglob(name)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="embedding.model") as caught:
        embedder(model=str(tmp_path / "model")).embed_queries(["apa"])
    assert "\n" not in str(caught.value)


def test_lone_surrogates_are_embedded(bundled):
    assert bundled.embed_queries(["a \ud800 b"]).shape == (1, bundled.dimensions)


def test_vectors_are_unit_float32(bundled):
    texts = ["Jembatan gantung diresmikan.", "Siapa bupati?", "é 👧 \0", "x" * 50_000]
    for embed in (bundled.embed_passages, bundled.embed_queries):
        vectors = embed(texts)
        assert vectors.shape == (4, bundled.dimensions)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
        assert embed([]).shape == (0, bundled.dimensions)
        assert embed([]).dtype == np.float32


def test_a_text_without_tokens_has_no_direction(bundled):
    (vector,) = bundled.embed_queries([""])
    assert np.linalg.norm(vector) in (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-5))
    assert np.isfinite(vector).all()


def test_a_text_s_vector_does_not_depend_on_its_neighbours(bundled):
    texts = [f"Warga menanam {n} pohon bakau." for n in range(30)]
    together = bundled.embed_passages(texts)
    alone = np.vstack([bundled.embed_passages([one]) for one in texts])
    small = embedder(batch_size=7).embed_passages(texts)
    assert together == pytest.approx(alone, abs=1e-6)
    assert together == pytest.approx(small, abs=1e-6)


def test_alike_texts_are_near_each_other(bundled):
    (question,) = bundled.embed_queries(["Berapa harga beras di pasar?"])
    near, far = bundled.embed_passages(
        ["Harga beras di pasar naik menjadi Rp 14.000.", "Tim voli putri juara turnamen."]
    )
    assert question @ near > question @ far + 0.1


def test_our_tokenizer_is_the_model_s_own():
    assert text.TOKENIZER_FILE.is_relative_to(MODEL_FOLDER)
    tokenizer = json.loads(text.TOKENIZER_FILE.read_text(encoding="utf-8"))
    assert len(tokenizer["model"]["vocab"]) == text.encoding().n_vocab


def test_the_name_tells_the_weights_and_the_prompts(bundled, tmp_path):
    assert embedder().name == bundled.name
    assert bundled.name.startswith("bundled@")
    names = {
        bundled.name,
        embedder(query_prompt="q: ").name,
        embedder(passage_prompt="q: ").name,
        embedder(query_prompt="q: ", passage_prompt="q: ").name,
        embedder(query_prompt="").name,
        embedder(model="lain/model").name,
        embedder(model="lain/model", query_prompt="q: ").name,
    }
    assert len(names) == 7
    assert embedder(batch_size=3).name == bundled.name, "it changes no vector"
    copy = tmp_path / "salinan"
    for path in MODEL_FOLDER.rglob("*.json"):
        (copy / path.relative_to(MODEL_FOLDER)).parent.mkdir(parents=True, exist_ok=True)
        (copy / path.relative_to(MODEL_FOLDER)).write_bytes(path.read_bytes())
    first = embedder(model=str(copy)).name
    (copy / "config.json").write_text("{}")
    assert first.startswith("salinan@") and embedder(model=str(copy)).name != first


def test_prompts_are_put_before_texts():
    plain = embedder(query_prompt="", passage_prompt="")
    prompted = embedder(query_prompt="harga beras ", passage_prompt="tim voli ")
    for embed, expected in (
        (prompted.embed_queries, "harga beras naik"),
        (prompted.embed_passages, "tim voli naik"),
    ):
        assert embed(["naik"]) == pytest.approx(plain.embed_queries([expected]), abs=1e-6)
        assert embed(["naik"]) == pytest.approx(plain.embed_passages([expected]), abs=1e-6)


@pytest.mark.parametrize("model", ["/tidak/ada", "./tidak-ada", "~/tidak-ada-sama-sekali"])
def test_an_unknown_folder_is_told_at_once(model):
    with pytest.raises(ModelError, match='embedding.model in tanya.toml .* "bundled"') as caught:
        embedder(model=model)
    assert repr(model) in str(caught.value)


def test_a_folder_without_a_model_is_told(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match='embedding.model = "bundled"') as caught:
        embedder(model=str(tmp_path)).embed_queries(["apa"])
    assert "\n" not in str(caught.value)


def test_an_unknown_hub_name_is_told_without_network(monkeypatch):
    def no_network(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ModelError, match="'tidak/ada-model' cannot be loaded") as caught:
        embedder(model="tidak/ada-model").embed_queries(["apa"])
    assert "hf download tidak/ada-model --local-dir" in str(caught.value)
    assert "embedding.download = true" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_embedded_of_a_passage():
    passage = Passage("a#0", "a", "a", "Isi.", ((0, 4),), "Judul", "P", "", None, "0")
    assert passage_text(passage) == "Judul. Isi."
    untitled = Passage("a#0", "a", "a", "Isi.", ((0, 4),), "", "P", "", None, "0")
    assert passage_text(untitled) == "Isi."
