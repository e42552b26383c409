"""Words, stems, sentences and tokens, by example and by law."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index import text


def cut(content, start=0, end=None):
    return [content[a:b] for a, b in text.sentences(content, start, end)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Hujan turun sejak subuh.", "Jalan desa tergenang."],
        ["Benarkah begitu?", "Entahlah!", "Warga menunggu …"],
        ["Dr. Rahma Lestari menemui H. Saleh di Jl. Kenanga No. 12.", "Mereka berbincang."],
        ["Rumah itu milik Ny. Tuti, S.Pd. dan suaminya.", "Keduanya guru."],
        ["Pembangunan menelan Rp. 1.200.500 dan selesai 3.5 bulan.", "Warga lega."],
        ["Penjaga gawang M. K. Wibowo cedera.", "Ia diganti."],
        ['"Kami menunggu. Kami tidak pulang!" kata Sumi.', "Ia menangis."],
        ["“Air naik lagi. Cepat sekali,” ujar Tono.", "Perahu disiapkan."],
        ["Ia berkata pelan.'", "Semua diam."],
        ["Kapal tiba pukul 07.30 WIB.", "Penumpang turun."],
        ["Situs www.contoh.example dibuka.", "Isinya lengkap."],
    ],
)
def test_sentences(expected):
    assert cut(" ".join(expected)) == expected


def test_a_scraped_list_is_cut_at_its_remnants():
    content = 'Aksi itu massal.,Seusai aksi, warga pulang.,"Kami puas," kata Umi.'
    assert cut(content) == [
        "Aksi itu massal.",
        "Seusai aksi, warga pulang.",
        '"Kami puas," kata Umi.',
    ]


def test_a_missing_space_between_sentences():
    assert cut("Begitu kata dia.Menurut Umi, air surut.") == [
        "Begitu kata dia.",
        "Menurut Umi, air surut.",
    ]
    assert cut("Versi 2.Nol dan PT.Maju tetap utuh.") == ["Versi 2.Nol dan PT.Maju tetap utuh."]


def test_a_lower_cased_archive_is_cut_too():
    content = "banjir merendam sawah. petani merugi. bantuan belum tiba."
    assert len(cut(content)) == 3
    assert len(cut("Banjir merendam Sawah Lor. petani MERUGI. Bantuan BELUM tiba.")) == 2


def test_line_breaks_end_sentences_even_inside_quotations():
    assert cut('Judul kecil\n\n"Satu baris\ndua baris" kata Ani.  \n') == [
        "Judul kecil",
        '"Satu baris',
        'dua baris" kata Ani.',
    ]


def test_only_the_range_is_cut():
    content = "Satu kalimat. Dua kalimat. Tiga kalimat."
    assert cut(content, 14, 26) == ["Dua kalimat."]
    assert text.sentences(content, 14, 26) == [(14, 26)]
    assert text.sentences("") == text.sentences(" \n\t ") == []


NEWSY = st.lists(
    st.sampled_from(
        [
            *("Air naik. ", " Dr. ", " H. Saleh ", " 1.200 ", "massal.,Seusai ", "\n", "\n\n"),
            *(" dia.Menurut ", "?!", "…", ",", ".,"),
            '"Kami',
            'pulang."',
            "“Ya.”",
            "'",
            "\u3000",
            "\u2028",
            "\x1c",
            "kata",
            ".",
            '."',
            '.",',
            "É. Ü",
        ]
    ),
    max_size=40,
).map("".join)


@given(content=NEWSY | st.text(max_size=200), data=st.data())
@example(content="a.,B\n,c", data=None)
def test_sentences_lose_nothing(content, data):
    start, end = 0, len(content)
    if data is not None:
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
    spans = text.sentences(content, start, end)
    position = start
    for a, b in spans:
        assert position <= a < b <= end
        assert content[a:b] == content[a:b].strip()
        gap = content[position:a].strip()
        # What falls between two sentences is white space, or the comma of a scraped list.
        assert gap in ("", ",") and (not gap or position > start)
        position = b
    assert content[position:end].strip() in ("", ",")


def test_words():
    assert text.words("Anak-anak membeli 1.200 ekor, Rp3,5 juta; COVID-19!") == [
        *("anak", "anak", "membeli", "1.200", "ekor", "rp", "3,5"),
        *("juta", "covid", "19"),
    ]
    assert text.words("ﬁlm ＡＢＣ kafé a_b") == ["film", "abc", "kafé", "a", "b"]
    assert text.words("") == text.words("... _ \ud800 \0") == []


@pytest.mark.parametrize("written", ["15/12/2016", "15-12-2016", "15 Desember 2016"])
def test_a_date_has_the_same_words_however_it_is_written(written):
    assert text.words(f"Kamis, {written}.") == ["kamis", "15", "desember", "2016"]
    assert text.query_stems(written) == text.query_stems("15 Desember 2016")


def test_figures_that_are_no_date_stay():
    assert text.words("Kamis (15/12) skor 3/2, 40/13/2016, 2/2") == [
        *("kamis", "15", "desember", "skor", "3", "2", "40", "13", "2016", "2", "2"),
    ]


def test_stems_follow_the_words():
    assert text.stems("Pembangunan jembatan dibangun") == text.stems("bangun jembatan membangun")
    assert len(text.stems("satu dua 3.000 empat")) == 4


@given(st.text(max_size=80))
def test_there_is_a_stem_for_each_word(content):
    assert len(text.stems(content)) == len(text.words(content))
    assert all(stem and not stem.isspace() for stem in text.stems(content))


def test_query_stems_say_what_the_question_is_about():
    assert text.query_stems("Siapa yang membangun jembatan di desa itu?") == text.stems(
        "membangun jembatan desa"
    )
    assert text.query_stems("Bangun, bangunan, pembangunan") == text.stems("bangun")
    assert text.query_stems("apa itu") == text.stems("apa itu")
    assert text.query_stems("?!") == []


@given(st.text(max_size=80))
def test_query_stems_are_distinct_stems_of_the_question(content):
    found = text.query_stems(content)
    assert len(found) == len(set(found))
    assert set(found) <= set(text.stems(content))
    assert bool(found) == bool(text.words(content))


def test_threads_stem_alike():
    contents = ["Para petani memanen padi", "Kapal-kapal berlabuh"] * 200
    ready = threading.Barrier(8)

    def work():
        ready.wait()
        return [text.stems(content) for content in contents]

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(work) for _ in range(8)]
    assert all(d.result() == [text.stems(content) for content in contents] for d in done)


@pytest.fixture(scope="module")
def reference():
    return Tokenizer.from_file(str(text.TOKENIZER_FILE))


# Letters that Unicode got after this Python's tables were made are nobody's lower case yet.
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=60)
ODD_TEXT = st.lists(
    st.sampled_from(
        [
            *("ΣΑΣ", "İstanbul", "ß", "Ǆ", "ﬁ", "e\u0301", "\u200d", "👩\u200d👩\u200d👧", "🇮🇩"),
            *("ꦲꦏ꧀", "１２３", "²", "½", "٣", "Ⅷ", "\ufeff", "\u00a0", "\u3000", "\x85"),
            *("\x1c", "\0", "\t", "  ", "\n\n ", "...", "Rp1.250.000", "A", " a", "'"),
            *("\ufffd", "\U0010fffd"),
        ]
    ),
    max_size=12,
).map("".join)


@given(content=ANY_TEXT | ODD_TEXT)
def test_tokens_are_those_of_the_embedding_model(reference, content):
    assert text.tokens(content) == reference.encode(content, add_special_tokens=False).ids


def test_tokens_of_news_are_those_of_the_embedding_model(reference):
    content = (
        "Tanjung Waru, 3 Maret 2024 – Bupati Rukmana meresmikan 12 jembatan gantung senilai "
        'Rp1,25 miliar.\n"Warga tak perlu memutar lagi," katanya.\n\n'
    )
    assert text.tokens(content) == reference.encode(content, add_special_tokens=False).ids
    assert text.count_tokens([content, "", "a"]) == [len(text.tokens(content)), 0, 1]


@pytest.mark.parametrize("content", [" " * 1_000_000, "a" + "\n" * 1_000_000 + "b", "x" * 300_000])
def test_absurd_texts_are_counted_all_the_same(content):
    assert text.count_tokens([content])[0] <= len(content)


def test_lone_surrogates_are_counted():
    assert text.count_tokens(["a\ud800b"])[0] > 0


def test_words_are_found_as_they_are_written():
    written = "Rp3,5 miliar İstanbul anak-anak 15/12/2016"
    found = [written[a:b] for a, b in text.word_spans(written)]
    assert found == ["Rp", "3,5", "miliar", "İstanbul", "anak", "anak", "15", "12", "2016"]
