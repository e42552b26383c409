"""Dates in questions: every way of saying one that the chat promises, against a fixed day."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text import written
from qa.question import dates

TODAY = dt.date(2026, 11, 22)  # a Sunday


def one(question, today=TODAY):
    (found,) = dates.dates(question, today)
    return found


def ends(found):
    return str(found.after or ""), str(found.before or "")


@pytest.mark.parametrize(
    ("said", "after", "before"),
    [
        ("15 Desember 2016", "2016-12-15", "2016-12-15"),
        ("15 desember 2016", "2016-12-15", "2016-12-15"),
        ("tanggal 7 September 2005", "2005-09-07", "2005-09-07"),
        ("15/12/2016", "2016-12-15", "2016-12-15"),
        ("15-12-16", "2016-12-15", "2016-12-15"),
        ("2016-12-15", "2016-12-15", "2016-12-15"),
        ("17 Agustus 2020", "2020-08-17", "2020-08-17"),
        ("14-16 Mei 2020", "2020-05-14", "2020-05-16"),
        ("Maret 2020", "2020-03-01", "2020-03-31"),
        ("bulan Februari 2024", "2024-02-01", "2024-02-29"),
        ("Januari-Maret 2020", "2020-01-01", "2020-03-31"),
        ("2019", "2019-01-01", "2019-12-31"),
        ("tahun 2019", "2019-01-01", "2019-12-31"),
        ("Pemilu 2019", "2019-01-01", "2019-12-31"),
        ("sejak 2019", "2019-01-01", ""),
        ("setelah Mei 2020", "2020-06-01", ""),
        ("sebelum Mei 2020", "", "2020-04-30"),
        ("sampai akhir 2021", "", "2021-12-31"),
        ("antara 25 dan 29 Mei 2026", "2026-05-25", "2026-05-29"),
        ("dari 28 April sampai 3 Mei 2026", "2026-04-28", "2026-05-03"),
        ("antara tanggal 28 Desember dan 3 Januari 2020", "2019-12-28", "2020-01-03"),
        ("antara Mei dan Juli 2019", "2019-05-01", "2019-07-31"),
        ("antara 2018 dan 2020", "2018-01-01", "2020-12-31"),
        ("antara tahun 2018 dan tahun 2020", "2018-01-01", "2020-12-31"),
        ("dari Januari 2019 sampai Maret 2020", "2019-01-01", "2020-03-31"),
        ("2018-2020", "2018-01-01", "2020-12-31"),
        ("awal 2021", "2021-01-01", "2021-04-30"),
        ("akhir Mei 2021", "2021-05-21", "2021-05-31"),
        ("pekan pertama Oktober 2025", "2025-10-01", "2025-10-07"),
        ("minggu terakhir Februari 2024", "2024-02-23", "2024-02-29"),
        ("Lebaran 2023", "2023-04-15", "2023-04-29"),
        ("Idul Fitri tahun 2020", "2020-05-17", "2020-05-31"),
        ("Natal 2022", "2022-12-18", "2023-01-01"),
    ],
)
def test_a_date_in_full(said, after, before):
    for question in (f"Apa yang terjadi {said}?", f"{said}?", f"Berita banjir {said} apa saja?"):
        found = one(question)
        assert ends(found) == (after, before)
        assert not found.relative
        assert said.split()[-1] in question[found.start : found.end]


@pytest.mark.parametrize(
    ("said", "after", "before"),
    [
        ("hari ini", "2026-11-22", "2026-11-22"),
        ("kemarin", "2026-11-21", "2026-11-21"),
        ("minggu ini", "2026-11-16", "2026-11-22"),
        ("minggu lalu", "2026-11-09", "2026-11-15"),
        ("pekan lalu", "2026-11-09", "2026-11-15"),
        ("bulan ini", "2026-11-01", "2026-11-30"),
        ("bulan lalu", "2026-10-01", "2026-10-31"),
        ("tahun lalu", "2025-01-01", "2025-12-31"),
        ("7 hari terakhir", "2026-11-15", "2026-11-22"),
        ("seminggu terakhir", "2026-11-15", "2026-11-22"),
        ("tiga bulan terakhir ini", "2026-08-22", "2026-11-22"),
        ("dua tahun lalu", "2024-01-01", "2024-12-31"),
        ("Agustus lalu", "2026-08-01", "2026-08-31"),
        ("Desember lalu", "2025-12-01", "2025-12-31"),
        ("15 Agustus lalu", "2026-08-15", "2026-08-15"),
        ("Senin lalu", "2026-11-16", "2026-11-16"),
        ("sejak minggu lalu", "2026-11-09", ""),
    ],
)
def test_a_date_counted_from_the_day_of_asking(said, after, before):
    found = one(f"Apa kabar banjir {said}?")
    assert ends(found) == (after, before)
    assert found.relative
    assert f"Apa kabar banjir {said}?"[found.start : found.end] == said


@pytest.mark.parametrize(
    ("today", "after", "before"),
    [
        (dt.date(2026, 1, 1), "2025-12-01", "2025-12-31"),
        (dt.date(2024, 3, 31), "2024-02-01", "2024-02-29"),
    ],
)
def test_last_month_at_the_edges_of_the_calendar(today, after, before):
    assert ends(one("Apa kabar bulan lalu?", today)) == (after, before)


@pytest.mark.parametrize(
    "question",
    [
        "UU Nomor 11 Tahun 2020 tentang apa?",
        "PP No. 5 tahun 2004 mengatur apa?",
        "Siapa 2019 orang itu?",
        "Apa yang dibeli seharga Rp 2019?",
        "Berapa ekor sapi pada abad ke-17?",
        "Apa yang terjadi pada 2010-an?",
        "Apa isi Perpres No 55/2005?",
        "Berapa lama pemadaman, enam jam?",
        "Mengapa bulan tidak jatuh?",
        "Siapa menang 2-1?",
        "",
    ],
)
def test_what_only_looks_like_a_date_is_none(question):
    assert dates.dates(question, TODAY) == []


def test_two_dates_that_are_no_span_stay_two():
    found = dates.dates("Apa beda banjir 2019 dengan banjir 2023?", TODAY)
    assert [str(w.after) for w in found] == ["2019-01-01", "2023-01-01"]


@given(st.dates(dt.date(1950, 1, 1), dt.date(2099, 12, 31)))
def test_a_written_day_is_read_back(day):
    found = one(f"Apa yang terjadi pada {written(day)}?")
    assert (found.after, found.before) == (day, day)


@given(st.text(alphabet="0123456789/- adeilmnprstu", max_size=40), st.dates(dt.date(1900, 3, 1)))
def test_no_text_breaks_the_reader(question, today):
    for found in dates.dates(question, today):
        assert 0 <= found.start < found.end <= len(question)
        if found.after and found.before:
            assert found.after <= found.before


def test_every_lebaran_lies_a_lunar_year_after_the_one_before():
    days = list(dates.LEBARAN.values())
    assert [day.year for day in days] == list(range(2007, 2031))
    assert {(b - a).days for a, b in zip(days, days[1:], strict=False)} <= {353, 354, 355}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", str(day)) for day in days)
