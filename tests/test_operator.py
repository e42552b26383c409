"""The operator's page: who may see it, what it tells, what its buttons do."""

import datetime as dt
import json
import os
import shutil
from html.parser import HTMLParser

import pytest

from index import reports
from index.adding import Intake
from index.archive import FILE_NAME, AddReport, Archive
from index.home import open_versions
from index.records import Answer, Evidence, Filter, Query, ReadProblem, Turn
from page.operator import charts
from qa.feedback import Verdict
from qa.unanswered import Asked, gaps
from tests import homes, news
from tests.operating import HERE, NOW, Served
from web import first

EVIL = "<img src=x onerror=alert(1)> {{ 7*7 }} & 'x\""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of two versions; one article waits."""
    home = tmp_path_factory.mktemp("pengelola")
    homes.add(home, homes.HARBOUR)
    homes.build(home)
    homes.add(home, [homes.article(7, f"Warga bertepuk tangan {EVIL}.", publisher=EVIL)])
    homes.build(home)
    homes.add(home, [homes.article(8, "Menunggu dibangun di desa.", published=dt.date(2025, 3, 5))])
    return home


@pytest.fixture
def served(home):
    return Served(home)


class Texts(HTMLParser):
    """The words of a page by line, and its attributes."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags = "", []
        self.feed(page)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += f" {data}"


# Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "base", "headers"),
    [
        ("192.168.1.9", HERE, {}),
        ("127.0.0.1", "http://arsip.example", {}),
        ("127.0.0.1", "http://127.0.0.1.evil.example:7860", {}),
        ("127.0.0.1", HERE, {"x_forwarded_for": "127.0.0.1"}),
        ("127.0.0.1", HERE, {"forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", HERE, {"via": "1.1 proksi"}),
        ("127.0.0.1", HERE, {"x_real_ip": "127.0.0.1"}),
        ("127.0.0.1", HERE, {"host": "[::1"}),
        ("testclient", HERE, {}),
    ],
)
def test_without_accounts_only_this_machine_itself_operates(served, address, base, headers):
    other = served.asking(address, base, **headers)
    refused = other.get("/pengelola")
    assert refused.status_code == 403
    assert "tanya user add NAMA --role operator" in refused.text
    assert other.get("/page/operator/door").text.strip() == ""
    assert other.get("/page/operator/work").status_code == 403
    for path in ("build", "live", "prune"):
        # Who asks is looked at before what is asked.
        assert other.post(f"/page/operator/{path}", json=["no object"]).status_code == 403
    assert other.post("/page/upload/begin", json={"files": []}).status_code == 403


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("127.0.0.1", HERE),
        ("127.8.8.8", "http://localhost:7860"),
        ("::1", "http://[::1]:7860"),
        ("::ffff:127.0.0.1", HERE),
    ],
)
def test_this_machine_operates_by_any_of_its_own_names(served, address, base):
    here = served.asking(address, base)
    assert here.get("/pengelola").status_code == 200
    assert "/pengelola" in here.get("/page/operator/door").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": "application/json", "origin": "http://evil.example"}, 403),
        ({"content_type": "application/json", "origin": "null"}, 403),
        ({"content_type": "application/json", "origin": "http://127.0.0.1:9"}, 403),
        ({"content_type": "application/json", "sec_fetch_site": "same-site"}, 403),
        ({"content_type": "application/json", "sec_fetch_site": "cross-site", "origin": HERE}, 403),
    ],
)
def test_other_sites_change_nothing(served, headers, status):
    other = served.asking(**headers)
    before = open_versions(served.home).live()
    body = json.dumps({"version": "000001", "keep": 1, "files": []})
    for path in ("operator/build", "operator/live", "operator/prune", "upload/begin"):
        assert other.post(f"/page/{path}", content=body).status_code == status
    assert open_versions(served.home).live() == before
    assert served.worker.state is None


def test_a_body_that_is_no_object_or_too_long_is_refused(served):
    for content in ("[1]", "{", "[" * 5_000, '"x"'):
        answer = served.client.post(
            "/page/operator/live", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422
    files = [{"path": "a" * 1_000, "size": 1}] * 4_500
    assert served.client.post("/page/upload/begin", json={"files": files}).status_code == 413


# What it tells --------------------------------------------------------------------------------


def test_the_page_tells_what_the_archive_holds_and_what_waits(served):
    page = served.page()
    words = Texts(page).words
    assert "artikel di arsip 6 artikel di indeks 5 versi yang hidup 000002" in words
    assert "Menunggu dibangun: 1 baru." in words
    assert "Kabar Hulu 2 2 Februari 2025" in words
    for tag, attributes in Texts(page).tags:
        assert tag != "img"
        assert not any(name.startswith("on") or name == "style" for name in attributes), attributes
    assert "{{ 7*7 }}" in words
    assert " 49 " not in words


def test_a_version_of_other_rules_is_told(tmp_path):
    homes.harbour(tmp_path)
    assert "sesuai dengan isi arsip" in Served(tmp_path).page()
    news.write_as_before(
        tmp_path / "versions" / "000001", lambda kept: kept["recipe"].update(rules="lain")
    )
    page = Served(tmp_path).page()
    assert "sesuai dengan isi arsip" not in page
    assert "mengolah semua artikel lagi" in page


def test_a_home_without_anything_is_told(tmp_path):
    page = Served(tmp_path).page()
    assert "Arsip masih kosong" in page
    assert "Belum ada versi." in page
    assert not (tmp_path / FILE_NAME).exists()


def test_charts_hold_each_day_and_month_once():
    days = {dt.date(2023, 11, 30): 4, dt.date(2024, 2, 1): 1, dt.date(2024, 3, 1): 9}
    by_month, by_day = charts(days)
    assert [bar.words for bar in by_month.bars] == [
        *("November 2023", "Desember 2023", "Januari 2024", "Februari 2024", "Maret 2024")
    ]
    assert [bar.count for bar in by_month.bars] == [4, 0, 0, 1, 9]
    assert len(by_day.bars) == 60
    assert by_day.bars[0].words == "2 Januari 2024"
    assert sum(bar.count for bar in by_day.bars) == 10
    assert max(bar.height for bar in by_day.bars) == by_day.height
    assert all(bar.y + bar.height == by_day.height for bar in by_day.bars)
    assert charts({}) == []


def test_counts_come_of_the_archive(tmp_path):
    with Archive.open(tmp_path / FILE_NAME, create=True) as archive:
        news.add(archive, [news.article(n) for n in range(40)])
        counts = archive.published_counts()
        assert sum(count for *_, count in counts) == 40
        assert {publisher for publisher, *_ in counts} == set(archive.publishers())


# Versions -------------------------------------------------------------------------------------


def test_any_kept_version_is_made_live_and_the_page_says_so(served):
    answer = served.client.post("/page/operator/live", json={"version": "000001"})
    assert answer.json() == {"words": "Versi 000001 hidup sekarang."}
    assert open_versions(served.home).live() == "000001"
    assert 'data-version="000002"' in served.page()
    for unknown in ("000009", "../000002", "", None, ["000002"]):
        refused = served.client.post("/page/operator/live", json={"version": unknown})
        assert refused.status_code == 409
    assert open_versions(served.home).live() == "000001"
    served.client.post("/page/operator/live", json={"version": "000002"})
    assert open_versions(served.home).live() == "000002"


def test_a_version_is_not_changed_while_another_process_writes(served):
    with open_versions(served.home).lock():
        for path, body in (("live", {"version": "000001"}), ("prune", {"keep": 1})):
            answer = served.client.post(f"/page/operator/{path}", json=body)
            assert answer.status_code == 409
            assert "sedang dipakai" in answer.json()["detail"]


def test_a_live_version_that_cannot_be_read_is_told_and_another_made_live(tmp_path):
    for number in range(2):
        homes.add(tmp_path, [homes.article(number, f"Kabar nomor {number} dari desa.")])
        homes.build(tmp_path)
    for name, content in (("LIVE", "?"), ("000002/manifest.json", "{")):
        (tmp_path / "versions" / name).write_text(content, encoding="utf-8")
        served = Served(tmp_path)
        page = served.page()
        assert "tidak terbaca" in page
        assert 'data-version="000001"' in page
        (tmp_path / "versions" / "LIVE").write_text("000002\n", encoding="utf-8")
    assert served.client.post("/page/operator/live", json={"version": "000001"}).is_success
    assert "tidak terbaca" not in served.page()


def test_a_page_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"bukan basis data" * 100)
    refused = Served(tmp_path).client.get("/pengelola")
    assert refused.status_code == 503
    assert "Restore it from a backup" in refused.text


def test_old_versions_are_pruned_and_the_live_one_stays(tmp_path):
    for number in range(3):
        homes.add(tmp_path, [homes.article(number, f"Kabar nomor {number} dari desa.")])
        homes.build(tmp_path)
    served = Served(tmp_path)
    for wrong in (0, -1, "2", None, 1.5, True):
        answer = served.client.post("/page/operator/prune", json={"keep": wrong})
        assert answer.status_code == 422
    damaged = tmp_path / "versions" / "000002" / "manifest.json"
    damaged.write_text("{", encoding="utf-8")
    assert "rusak" in served.page()
    assert served.client.post("/page/operator/live", json={"version": "000002"}).status_code == 409
    answer = served.client.post("/page/operator/prune", json={"keep": 1})
    assert answer.json() == {"words": "2 versi dihapus, 1 tersisa."}
    assert open_versions(tmp_path).names() == ["000003"]


# Reports --------------------------------------------------------------------------------------


def ingest(minute, kind="add", problems=(), **counts):
    began = NOW.replace(minute=minute)
    intake = Intake(problems=list(problems), added=AddReport(**counts))
    return reports.filled(reports.begin(kind, ["berita.csv"], began), intake, began)


def test_reports_are_bounded_and_the_newest_is_first(tmp_path):
    for minute in range(reports.KEPT + 5):
        reports.keep(tmp_path, ingest(minute, new=minute))
    told = [each.new for each in reports.last(tmp_path)]
    assert told == list(range(reports.KEPT + 4, 4, -1))
    many = [ReadProblem(f"x.csv:{n}", "y" * 5_000) for n in range(2_000)]
    reports.keep(tmp_path, ingest(59, problems=many))
    newest = reports.last(tmp_path)[0]
    assert newest.problems == 2_000
    assert len(newest.told) == reports.MOST_TOLD
    sizes = [path.stat().st_size for path in (tmp_path / reports.FOLDER).iterdir()]
    assert max(sizes) < 500_000
    assert len(sizes) == reports.KEPT


def test_a_damaged_report_is_left_out(tmp_path):
    reports.keep(tmp_path, ingest(1, new=3))
    for name, content in (("a.json", "{"), ("b.json", "[]"), ("c.json", '{"kind": "add"}')):
        (tmp_path / reports.FOLDER / name).write_text(content, encoding="utf-8")
    assert [each.new for each in reports.last(tmp_path)] == [3]


def test_what_add_told_is_on_the_page_and_downloaded(tmp_path):
    rows = [json.dumps({"text": "Kabar dari desa di tepi laut."}), "{bukan json", '{"title": "x"}']
    (tmp_path / "berita.jsonl").write_text("\n".join(rows), encoding="utf-8")
    home = tmp_path / "home"
    assert homes.tanya(home, "add", tmp_path / "berita.jsonl") == 0
    served = Served(home)
    words = Texts(served.page()).words
    assert "1 baru · 0 berubah · 0 sama · 2 masalah" in words
    assert "berita.jsonl:2" in words
    [report] = reports.last(home)
    told = served.client.get(f"/page/operator/problems/{report.name}")
    assert told.headers["content-disposition"].startswith("attachment")
    assert told.text.startswith("berita.jsonl:2: ")
    assert served.client.get("/page/operator/problems/tidak-ada").status_code == 404


def test_a_journal_grows_in_one_report_and_keeps_the_newest(tmp_path):
    journal = reports.Journal(tmp_path, reports.begin("watch", ["/srv/berita"], NOW))
    journal.note(AddReport(), [], "")
    assert reports.last(tmp_path) == []
    journal.note(AddReport(new=2), [ReadProblem("a", "rusak"), ReadProblem("b", "c", True)], "")
    journal.note(AddReport(new=1, changed=1), [ReadProblem("d", "rusak")], "Disk is full.")
    [report] = reports.last(tmp_path)
    assert (report.new, report.changed, report.problems) == (3, 1, 2)
    assert [told.place for told in report.told] == ["a", "b", "d"]
    assert report.failure == "Disk is full."


def test_what_watch_told_is_in_its_report(tmp_path):
    folder = tmp_path / "berita"
    folder.mkdir()
    rows = [json.dumps({"text": "Kabar dari desa di tepi laut.", "title": "Kabar"}), "{bukan json"]
    (folder / "a.jsonl").write_text("\n".join([*rows, ""]), encoding="utf-8")
    os.utime(folder / "a.jsonl", (1, 1))
    home = tmp_path / "home"
    assert homes.tanya(home, "watch", folder, "--once") == 0
    [report] = reports.last(home)
    assert (report.kind, report.named) == ("watch", (str(folder),))
    assert (report.new, report.problems, report.told[0].place) == (1, 1, "a.jsonl:2")
    assert "tanya watch" in Served(home).page()


# Silence, feedback, evaluation ----------------------------------------------------------------


def asked(minute, question, status="no_evidence"):
    return Asked(NOW.replace(minute=minute), question, status, "000001")


def test_gaps_are_grouped_newest_first_without_what_was_answered_later():
    found = gaps(
        [
            asked(1, "Berapa harga cabai di Wolasi?"),
            asked(9, "berapa harga cabai Wolasi"),
            asked(3, "Siapa bupati Karangtirta?"),
            asked(4, "Kapan festival layang-layang?"),
            asked(5, "kapan festival layang-layang", "answered"),
            asked(6, "terima kasih"),
            asked(7, "Mengapa jembatan itu putus?", "unsupported"),
        ]
    )
    assert [(gap.question, gap.count) for gap in found] == [
        ("berapa harga cabai Wolasi", 2),
        ("Mengapa jembatan itu putus?", 1),
        ("Siapa bupati Karangtirta?", 1),
    ]


def test_the_page_shows_questions_of_the_history_without_an_answer(tmp_path):
    served = Served(tmp_path)
    for question, status in ((EVIL, "no_evidence"), ("Siapa gubernur?", "answered")):
        place = served.history.begin("aku", "", question, Filter(), NOW)
        query = Query(f"{question} utuh")
        evidence = Evidence(query, (), "000001")
        answer = Answer(status, "", (), (), (), 0.0, evidence, "extractive")
        served.history.finish(*place, Turn(question, query, answer))
        if question == EVIL:
            assert served.history.judge("aku", *place, Verdict(NOW, False, words=EVIL))
    served.history.begin("aku", "", "Belum selesai?", Filter(), NOW)
    page = served.page()
    assert "{{ 7*7 }} &amp; &#39;x&#34; utuh" in page
    assert "gubernur" not in page
    assert "Belum selesai" not in page
    assert "buruk" in page
    assert "<img" not in page


def test_evaluations_below_the_home_are_shown_by_version(sample_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(sample_home, home)
    folder = home / "eval"
    assert "eval make" in Served(home).page()
    assert homes.tanya(home, "eval", "make", folder / "kumpulan", "--questions", 3) == 0
    run = ("eval", "run", folder / "kumpulan", "--mode", "lexical", "--out", folder / "cari-satu")
    assert homes.tanya(home, *run) == 0
    words = Texts(Served(home).page()).words
    assert "R@1 RR@10" in words
    assert "000001 cari-satu" in words
    assert "kumpulan (3) 1,000" in words
    # A run whose set is gone is still listed, and one that is not complete is not.
    shutil.rmtree(folder / "kumpulan")
    os.utime(folder / "cari-satu" / "run.trec", (1, 1))
    assert "There is no" in Texts(Served(home).page()).words
    (folder / "cari-satu" / "run.trec").unlink()
    assert "cari-satu" not in Served(home).page()


# First steps ----------------------------------------------------------------------------------


def test_only_the_sample_is_told_to_those_who_operate(sample_home):
    served = Served(sample_home)
    door = served.client.get("/page/operator/door").text
    assert "remove --from-file" in door
    told = "\n".join(first.lines(sample_home))
    assert f"--home {sample_home} add FOLDER" in told
    assert "ids.txt" in told
    assert "http" not in told


def test_an_empty_archive_is_told_to_those_who_operate(tmp_path):
    served = Served(tmp_path)
    assert "masih kosong" in served.client.get("/page/operator/door").text
    assert not (tmp_path / FILE_NAME).exists()


def test_another_archive_is_not_called_a_sample(served):
    assert "ta-sample" not in served.client.get("/page/operator/door").text
    assert "ids.txt" not in "\n".join(first.lines(served.home))
