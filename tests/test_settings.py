"""`tanya.toml` is read strictly: what is not known or out of range is told."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import settings
from index.errors import SettingsError
from index.settings import Settings

ROOT = Path(__file__).parent.parent


def load(folder, content):
    (folder / "tanya.toml").write_text(content, encoding="utf-8")
    return settings.load(folder)


def test_without_a_file_all_is_default(tmp_path):
    assert settings.load(tmp_path) == Settings()
    assert settings.load(tmp_path / "belum ada") == Settings()
    assert load(tmp_path, "") == Settings()
    assert settings.parse({}, "bawaan") == Settings()


def test_what_is_set_is_read_and_the_rest_is_default(tmp_path):
    read = load(
        tmp_path,
        """
        [embedding]
        model = "./model-é"
        query_prompt = "query: "
        download = true
        [retrieval]
        dense_weight = 1
        hits = 7
        [chat]
        examples = ["Siapa bupati Teluk Waru?", "Berapa harga kopi?"]
        """,
    )
    assert (read.embedding.model, read.embedding.query_prompt) == ("./model-é", "query: ")
    assert read.embedding.download is True
    assert (read.retrieval.dense_weight, read.retrieval.hits) == (1.0, 7)
    assert type(read.retrieval.dense_weight) is float
    assert read.chat.examples == ("Siapa bupati Teluk Waru?", "Berapa harga kopi?")
    assert read.embedding.passage_prompt is None
    assert (read.chunking, read.answers) == (Settings().chunking, Settings().answers)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[serach]\n", "unknown section 'serach'; known: embedding"),
        ("mode = 'hybrid'", "unknown section 'mode'"),
        ("retrieval = 3", r"'retrieval' must be a section, written \[retrieval\]"),
        ("[[chat]]\n", "'chat' must be a section"),
        ("[chat]\nprot = 1", r"\[chat\]: unknown key 'prot'; known: title, host, port"),
        ("[chat]\nport = '80'", r"\[chat\] port must be of type int, not '80'"),
        ("[chat]\nport = 80.0", "type int, not 80.0"),
        ("[chat]\nport = true", "type int, not True"),
        ("[chat]\nexamples = 'satu'", "must be a list of texts, not 'satu'"),
        ("[chat]\nexamples = [1]", "must be a list of texts"),
        ("[embedding]\ndownload = 1", "type bool, not 1"),
        ("[embedding]\nquery_prompt = 5", "type str, not 5"),
        ("[retrieval]\ndense_weight = true", "type float, not True"),
        ("[retrieval]\ndense_weight = nan", "dense_weight is nan but must be from 0 to 1"),
        ("[chat", "cannot be read: .*Mend the file or remove it"),
        ("[chat]\nport = 1\nport = 2", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, content, told):
    with pytest.raises(SettingsError, match=told) as caught:
        load(tmp_path, content)
    assert str(tmp_path / "tanya.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "key", "good", "bad"),
    [
        ("embedding", "model", ["bundled"], ["", " "]),
        ("embedding", "batch_size", [1, 10_000], [0, -1]),
        ("chunking", "max_tokens", [20, 2000], [0, 19, 2001]),
        ("retrieval", "mode", ["hybrid", "lexical", "dense"], ["", "Hybrid", "both"]),
        ("retrieval", "dense_weight", [0, 0.5, 1], [-0.1, 1.1, float("inf")]),
        ("retrieval", "candidates", [1, 10_000], [0, 10_001]),
        ("retrieval", "hits", [1, 100], [0, 101]),
        ("answers", "min_confidence", [0, 1], [-1, 1.5]),
        ("answers", "max_sentences", [1, 10], [0, 11]),
        ("chat", "port", [0, 65535], [-1, 65536]),
        ("llm", "base_url", [""], ["x", "ftp://a/v1", "http://", "http://k:s@a/v1", "http://[/"]),
        ("llm", "key_env", ["", "LLM_KEY"], ["sk-rahasia", "1", "A B"]),
        ("llm", "timeout", [0.1, 600], [0, -1, 601, float("nan")]),
        ("llm", "max_prompt_tokens", [1000, 100_000], [0, 999]),
        ("llm", "max_answer_tokens", [50, 8000], [0, 49]),
        ("llm", "temperature", [0, 0.7, 2], [-0.1, 2.1]),
    ],
)
def test_values_have_a_range(section, key, good, bad):
    for value in good:
        settings.parse({section: {key: value}}, "uji")
    for value in bad:
        with pytest.raises(SettingsError, match=f"uji: {section}.{key} is .* but must be"):
            settings.parse({section: {key: value}}, "uji")


def test_a_server_needs_a_model():
    server = {"base_url": "http://127.0.0.1:11434/v1"}
    settings.parse({"llm": {**server, "model": "qwen"}}, "uji")
    with pytest.raises(SettingsError, match="llm.model is ' ' but must be"):
        settings.parse({"llm": {**server, "model": " "}}, "uji")


def test_a_key_in_the_wrong_place_is_not_repeated():
    with pytest.raises(SettingsError, match="never the key itself") as caught:
        settings.parse({"llm": {"key_env": "sk-rahasia"}}, "uji")
    assert "rahasia" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = [f.name for s in dataclasses.fields(Settings) for f in dataclasses.fields(s.default_factory)]


@given(
    st.dictionaries(
        st.sampled_from([*(f.name for f in dataclasses.fields(Settings)), "lain"]),
        VALUES | st.dictionaries(st.sampled_from([*KEYS, "lain"]), VALUES, max_size=3),
        max_size=3,
    )
)
def test_anything_else_is_one_error(raw):
    try:
        read = settings.parse(raw, "uji")
    except SettingsError as error:
        assert str(error).startswith("uji")
    else:
        assert isinstance(read, Settings)


@pytest.mark.parametrize("content", [b"\xff\xfe", b'[chat]\ntitle = "\x00"'])
def test_a_file_that_is_no_text_is_told(tmp_path, content):
    (tmp_path / "tanya.toml").write_bytes(content)
    with pytest.raises(SettingsError, match="Mend the file"):
        settings.load(tmp_path)


def test_a_folder_in_the_file_s_place_is_told(tmp_path):
    (tmp_path / "tanya.toml").mkdir()
    with pytest.raises(SettingsError, match="Is a directory"):
        settings.load(tmp_path)


def test_where_home_is(tmp_path):
    assert settings.resolve_home(tmp_path, {"TANYA_HOME": "/lain"}) == tmp_path
    assert settings.resolve_home(None, {"TANYA_HOME": "/lain"}) == Path("/lain")
    assert settings.resolve_home(None, {"TANYA_HOME": ""}) == Path("tanya-data")
    assert settings.resolve_home(None, {}) == Path("tanya-data")


def test_the_example_in_the_repository_is_valid():
    settings.load(ROOT)
