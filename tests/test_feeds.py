"""Feeds and exports: which items become articles, and what is told of the rest."""

import datetime as dt
import html
import json

import pytest

from index.reading import feeds
from index.reading.files import read
from index.records import Article, ReadProblem

TODAY = dt.date(2026, 1, 10)
FIRST = (
    "TELUKSARI - Jembatan gantung Batu Lintang di Kabupaten Teluksari diresmikan oleh Bupati "
    "Rahmat Wiguna pada Senin pagi."
)
SECOND = (
    "Biaya pembangunan jembatan mencapai Rp 6,2 miliar dan seluruhnya berasal dari anggaran "
    "kabupaten. Warga tidak lagi memutar sejauh 11 kilometer."
)
BODY = f"{FIRST}\n{SECOND}"
MARKUP = f"<p>{FIRST}</p>\n<p>{SECOND}</p>"
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:wp="http://wordpress.org/export/1.2/" '
    'xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"'
)


def outcomes(tmp_path, content, name="umpan", **options):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(path, today=TODAY, **options))


def split(found):
    return (
        [o for o in found if isinstance(o, Article)],
        [o.reason for o in found if isinstance(o, ReadProblem)],
    )


def rss(*items, head="<title>Harian Teluk</title><link>http://teluk.example</link>"):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {SPACES}><channel>{head}'
        f"{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    )


def encoded(markup):
    return f"<content:encoded><![CDATA[{markup}]]></content:encoded>"


RSS = rss(
    "<title>Jembatan &amp; Warga</title><link>http://teluk.example/r/1</link>"
    "<pubDate>Wed, 18 Jun 2025 14:05:00 +0700</pubDate><dc:creator>Dian Pratama</dc:creator>"
    f"<guid isPermaLink='false'>ht-1</guid><description>Ringkasan.</description>{encoded(MARKUP)}"
)
RSS_091 = (
    '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://x/a.dtd">'
    '<rss version="0.91"><channel><title>Harian Teluk</title><link>http://teluk.example/</link>'
    "<item><title>Jembatan &amp; Warga</title><link>/r/1</link>"
    f"<description>{html.escape(MARKUP)}</description></item></channel></rss>"
)
RSS_10 = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    f'xmlns="http://purl.org/rss/1.0/" {SPACES}>'
    "<channel rdf:about='x'><title>Harian Teluk</title><link>http://teluk.example</link><items>"
    "<rdf:Seq><rdf:li resource='http://teluk.example/r/1'/></rdf:Seq></items></channel>"
    "<item rdf:about='http://teluk.example/r/1'><title>Jembatan &amp; Warga</title>"
    "<link>http://teluk.example/r/1</link><dc:date>2025-06-18T14:05:00+07:00</dc:date>"
    f"<dc:creator>Dian Pratama</dc:creator>{encoded(MARKUP)}</item></rdf:RDF>"
)
ATOM = (
    "<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'><title>Harian Teluk</title>"
    "<link href='http://teluk.example/'/><id>urn:x</id><entry>"
    "<title type='html'>&lt;b&gt;Jembatan&lt;/b&gt; &amp;amp; Warga</title>"
    "<link rel='self' href='http://teluk.example/api/1'/><link rel='alternate' href='/r/1'/>"
    "<published>2025-06-18T14:05:00+07:00</published><updated>2025-07-01T00:00:00Z</updated>"
    "<author><name>Dian Pratama</name></author><summary>Ringkasan.</summary>"
    f"<content type='html'>{html.escape(MARKUP)}</content></entry></feed>"
)
ATOM_PREFIXED = (
    "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>Harian Teluk</a:title><a:entry>"
    "<a:title>Jembatan &amp; Warga</a:title><a:link href='http://teluk.example/r/1'/>"
    "<a:updated>2025-06-18T14:05:00+07:00</a:updated><a:content type='xhtml'>"
    f"<div xmlns='http://www.w3.org/1999/xhtml'>{MARKUP}</div></a:content></a:entry></a:feed>"
)
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Harian Teluk",
        "items": [
            {
                "id": "1",
                "url": "http://teluk.example/r/1",
                "title": "Jembatan & Warga",
                "content_html": MARKUP,
                "date_published": "2025-06-18T14:05:00+07:00",
                "authors": [{"name": "Dian Pratama"}],
            }
        ],
    }
)


@pytest.mark.parametrize("name", ["umpan", "umpan.xml", "umpan.txt", "umpan.php", "umpan.json"])
@pytest.mark.parametrize(
    "content", [RSS, RSS_091, RSS_10, ATOM, ATOM_PREFIXED, JSON_FEED], ids=range(6)
)
def test_each_kind_of_feed_under_each_name(tmp_path, content, name):
    (article,), told = split(outcomes(tmp_path, content, name))
    assert (article.title, article.body) == ("Jembatan & Warga", BODY)
    assert (article.url, article.publisher) == ("http://teluk.example/r/1", "Harian Teluk")
    if "Dian" in content:
        assert article.authors == ("Dian Pratama",)
    if "2025-06-18" in content or "18 Jun" in content:
        assert article.published == dt.date(2025, 6, 18)
    assert told == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1", "cp1252"])
@pytest.mark.parametrize("declared", [True, False])
def test_encodings(tmp_path, encoding, declared):
    named = f' encoding="{encoding.removesuffix("-sig")}"' if declared else ""
    text = f'<?xml version="1.0"{named}?>' + rss(f"<title>Kafé Ibu</title>{encoded(MARKUP)}")[38:]
    (article,), told = split(outcomes(tmp_path, text.encode(encoding)))
    assert (article.title, told) == ("Kafé Ibu", [])


def test_known_publisher_then_the_users_word_then_the_feeds_title(tmp_path):
    known = f"<title>A</title><link>https://news.detik.com/a</link>{encoded(MARKUP)}"
    other = f"<title>B</title><link>http://teluk.example/b</link>{encoded(MARKUP)}"
    passed_on = f"{other}<source url='http://x'>Kabar Hulu</source>"
    head = "<title>Harian Teluk - Berita Terkini</title>"
    content = rss(known, other, passed_on, head=head)
    found = [a.publisher for a in split(outcomes(tmp_path, content))[0]]
    assert found == ["detikcom", "Harian Teluk", "Kabar Hulu"]
    found = [a.publisher for a in split(outcomes(tmp_path, content, publisher="Suara Uji"))[0]]
    assert found == ["detikcom", "Suara Uji", "Suara Uji"]


def test_teasers_are_counted_and_the_whole_text_in_a_description_is_taken(tmp_path):
    lead = "Bupati meresmikan jembatan gantung yang menghubungkan dua desa."
    items = [
        f"<description>{lead}</description>",
        f"<description>{lead * 6} [&amp;#8230;]</description>",
        f"<description><![CDATA[<p>{lead * 6} Baca selengkapnya</p>]]></description>",
        f"<description><![CDATA[{MARKUP}]]></description>",
        encoded(f"<p>{FIRST}</p><p>The post <a>X</a> appeared first on <a>Harian Teluk</a>.</p>"),
        "<description></description>",
    ]
    content = rss(*(f"<title>Judul {n}</title>{item}" for n, item in enumerate(items)))
    found, told = split(outcomes(tmp_path, content))
    assert [(a.title, a.body) for a in found] == [("Judul 3", BODY), ("Judul 4", FIRST)]
    assert told == [
        "Left out of 6 items: teasers 3, items without text 1; "
        "of teasers add the pages that they link to."
    ]


def test_a_date_that_cannot_be_used_is_told_in_one_line(tmp_path):
    items = [f"<title>J</title><pubDate>kemarin</pubDate>{encoded(MARKUP)}"] * 2
    found, told = split(outcomes(tmp_path, rss(*items)))
    assert [a.published for a in found] == [None, None]
    assert len(told) == 1 and "2 articles" in told[0]


# --- exports -------------------------------------------------------------------------------------


def post(title, markup, kind="post", status="publish", password=""):
    return (
        f"<title>{title}</title><link>http://teluk.example/{title}</link>"
        "<pubDate>Tue, 17 Jun 2025 19:05:00 +0000</pubDate>"
        f"<dc:creator><![CDATA[dian]]></dc:creator><description></description>{encoded(markup)}"
        "<excerpt:encoded><![CDATA[Ringkasan.]]></excerpt:encoded>"
        "<wp:post_date><![CDATA[2025-06-18 02:05:00]]></wp:post_date>"
        f"<wp:post_type><![CDATA[{kind}]]></wp:post_type><wp:status>{status}</wp:status>"
        f"<wp:post_password>{password}</wp:post_password>"
        "<wp:postmeta><wp:meta_key>k</wp:meta_key><wp:meta_value>META</wp:meta_value></wp:postmeta>"
        "<wp:comment><wp:comment_content><![CDATA[KOMENTAR <item> ]]></wp:comment_content>"
        "</wp:comment>"
    )


def test_wordpress_export(tmp_path):
    classic = (
        f'[caption id="a" width="3"]<img src="a.jpg" /> Foto: Uji[/caption]\n{FIRST}\n\n{SECOND}'
    )
    blocks = (
        f"<!-- wp:paragraph -->\n<p>{FIRST.replace(' oleh', chr(10) + 'oleh')}</p>\n"
        "<!-- /wp:paragraph -->\n\n<figure><img src='a.jpg'><figcaption>Foto: Uji</figcaption>"
        f"</figure>\n\n<!-- wp:paragraph -->\n<p>{SECOND}</p>\n<!-- /wp:paragraph -->"
    )
    head = (
        "<title>Harian Teluk</title><wp:author><wp:author_login><![CDATA[dian]]></wp:author_login>"
        "<wp:author_email>x</wp:author_email><wp:author_display_name><![CDATA[Dian Pratama]]>"
        "</wp:author_display_name></wp:author><!-- an <item> of words -->"
    )
    items = [post("klasik", classic), post("blok", blocks, "berita"), post("hal", MARKUP, "page")]
    items += [post("foto", "", "attachment", "inherit"), post("draf", MARKUP, status="draft")]
    items += [post("sandi", MARKUP, password="x"), post("rahasia", MARKUP, status="private")]
    found, told = split(outcomes(tmp_path, rss(*items, head=head)))
    assert [(a.url, a.body) for a in found] == [
        ("http://teluk.example/klasik", BODY),
        ("http://teluk.example/blok", BODY),
    ]
    # The site's own time, not that of Greenwich; the name, not the login.
    assert {(a.published, a.authors) for a in found} == {(dt.date(2025, 6, 18), ("Dian Pratama",))}
    assert told == [
        "Left out of 7 items: pages 1, attachments 1, drafts 1, posts with a password 1, "
        "private posts 1."
    ]


def test_blogger_exports(tmp_path):
    scheme = "http://schemas.google.com/g/2005#kind"

    def entry(title, kind, more=""):
        term = f"http://schemas.google.com/blogger/2008/kind#{kind}"
        return (
            f"<entry><id>tag:{title}</id><category scheme='{scheme}' term='{term}'/>{more}"
            f"<title>{title}</title><content type='html'>{html.escape(MARKUP)}</content></entry>"
        )

    def taken_out(title, kind, status):
        return (
            f"<entry><id>tag:{title}</id><b:type>{kind}</b:type><b:status>{status}</b:status>"
            f"<title>{title}</title><content type='html'>{html.escape(MARKUP)}</content></entry>"
        )

    draft = "<app:control><app:draft>yes</app:draft></app:control>"
    for entries in (
        [entry("a", "post"), entry("b", "comment"), entry("c", "post", draft)],
        [taken_out("a", "POST", "LIVE"), taken_out("b", "COMMENT", "LIVE")]
        + [taken_out("c", "POST", "DRAFT")],
    ):
        content = (
            "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:app='http://purl.org/atom/app#' "
            "xmlns:b='http://schemas.google.com/blogger/2018'><title>Harian Teluk</title>"
            f"{''.join(entries)}</feed>"
        )
        content = content.replace("b:", "blogger:")
        found, told = split(outcomes(tmp_path, content))
        assert [(a.title, a.url) for a in found] == [("a", "")]
        assert told == ["Left out of 3 items: comments 1, drafts 1."]


# --- damaged and hostile -------------------------------------------------------------------------


def test_a_broken_item_spoils_no_other(tmp_path):
    items = [
        f"<title>Satu & dua &nbsp;</title><link>http://teluk.example/?a=1&b=2</link>{encoded(MARKUP)}",
        f"<title>Rusak <b></title>{encoded(MARKUP + ' </item> ' + chr(11))}<tak:dikenal>",
        f"<title>Tiga</title>{encoded(MARKUP)}",
    ]
    found, told = split(outcomes(tmp_path, "\n\n" + rss(*items)))
    assert [a.title for a in found] == ["Satu & dua", "Rusak", "Tiga"]
    assert all(a.body.startswith(BODY) for a in found)
    assert found[0].url == "http://teluk.example/?a=1&b=2" and told == []


@pytest.mark.parametrize(
    "bad",
    [
        "<description>&#xd800; &#99999999999; &#0;</description>",
        "<link>http://[rusak</link><dc:date>99999-99-99</dc:date>",
        "<content:encoded></content:encoded><description/><source/><author/><guid/>",
        "</title></description>",
    ],
)
def test_what_breaks_a_reader_of_feeds_breaks_no_other_item(tmp_path, bad):
    good = f"<title>Baik</title>{encoded(MARKUP)}"
    found, told = split(outcomes(tmp_path, rss(good, bad, good)))
    assert [a.body for a in found] == [BODY, BODY]
    assert len(told) == 1 and told[0].startswith("Left out of 3 items: ")


def test_what_comes_before_a_cut_is_read(tmp_path):
    content = rss(*[f"<title>J</title>{encoded(MARKUP)}"] * 3)
    found, told = split(outcomes(tmp_path, content[: content.rfind("<item>") + 40]))
    assert len(found) == 2
    assert told == ["Left out of 3 items: items cut short 1."]


def test_cutting_does_not_depend_on_where_the_bytes_are_cut(monkeypatch):
    comments = "<!-- <item> </item> -->"
    items = [f"<title>J{n}</title>{comments}{encoded('<item>' + MARKUP)}" for n in range(3)]
    content = rss(*items).encode()
    whole = feeds.entries(content)
    assert [e.title for e in whole] == ["J0", "J1", "J2"]
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(feeds, "_CHUNK", size)
        assert feeds.entries(b" " * 100 + content) == whole


def test_an_item_without_end_is_left_out_in_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(feeds, "_ITEM_LIMIT", 20_000)
    monkeypatch.setattr(feeds, "_CHUNK", 1_000)
    longest = 0
    seen = feeds._Cutter._drop

    def watched(self):
        nonlocal longest
        longest = max(longest, len(self.buffer))
        yield from seen(self)

    monkeypatch.setattr(feeds._Cutter, "_drop", watched)
    items = [f"<title>A</title>{encoded(MARKUP)}", encoded("x" * 200_000)]
    items += [f"<title>Z</title>{encoded(MARKUP)}"]
    found, told = split(outcomes(tmp_path, rss(*items)))
    assert [a.title for a in found] == ["A", "Z"]
    assert len(told) == 1 and "items over" in told[0]
    assert longest < 30_000


def test_entities_are_not_expanded_and_nothing_outside_is_read(tmp_path):
    secret = tmp_path / "rahasia"
    secret.write_text("SANDI")
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    kinds = f'<!DOCTYPE rss [<!ENTITY e0 "ha">{lines}<!ENTITY f SYSTEM "{secret.as_uri()}">]>'
    content = rss(f"<title a='&e11;'>&e11;&f;</title>{encoded(MARKUP)}<link>&f;</link>")
    (article,), _ = split(outcomes(tmp_path, content.replace("<rss", f"{kinds}<rss", 1)))
    assert article.body == BODY
    assert "SANDI" not in f"{article}" and len(article.title) < 40


# --- XML that holds no article -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["peta", "peta.txt", "peta.xml", "peta.gz.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '<?xml version="1.0"?><urlset xmlns="x"><url><loc>http://a</loc></url></urlset>',
            "sitemap",
        ),
        (
            "<sitemapindex><sitemap><loc>http://a</loc></sitemap></sitemapindex>",
            "index of sitemaps",
        ),
        ("<opml version='2.0'><body><outline xmlUrl='http://a'/></body></opml>", "list of feeds"),
        (f"<nitf><body><p>{FIRST}</p></body></nitf>", "<nitf>"),
        ('<?xml version="1.0"?>\n<!-- <html> -->\n<svg xmlns="x"><path/></svg>', "<svg>"),
        ('<?xml version="1.0"?>', "no XML"),
    ],
)
def test_other_xml_is_one_problem(tmp_path, content, said, name):
    found, told = split(outcomes(tmp_path, content, name))
    assert found == []
    assert len(told) == 1 and said in told[0]


def test_pages_and_texts_that_look_like_xml_stay_what_they_are(tmp_path):
    shown = (
        f"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>J</title></head><body>{MARKUP}"
    )
    shown = (
        f"<?xml version='1.0'?><!DOCTYPE html><!-- <rss> -->{shown}<p>{SECOND}</p></body></html>"
    )
    (article,), _ = split(outcomes(tmp_path, shown))
    assert article.body.startswith(BODY)
    (article,), _ = split(outcomes(tmp_path, f"<UPDATE> Banjir Teluksari\n\n{FIRST}", "a.txt"))
    assert article.body == FIRST
    (article,), _ = split(outcomes(tmp_path, MARKUP, "b.txt"))
    assert "<" not in article.body


# --- for who fetches feeds -----------------------------------------------------------------------


def test_entries_of_a_feed_as_fetched():
    content = rss(
        f"<title>A</title><link>/a</link>{encoded(MARKUP)}",
        "<title>B</title><link>b</link>",
        head="",
    )
    found = feeds.entries(content.encode(), "http://teluk.example/umpan/rss")
    assert [(e.title, e.link, e.kind) for e in found] == [
        ("A", "http://teluk.example/a", "article"),
        ("B", "http://teluk.example/umpan/b", "items without text"),
    ]
    assert found[0].html == MARKUP and found[0].text == BODY
    for bad in (b"", b"<html></html>", b"halo", b"{}", b"{", b"\xff\xfe", b"[1]"):
        with pytest.raises(feeds.NoFeedError):
            feeds.entries(bad)
