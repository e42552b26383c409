"""Who published an article, under one name for the many ways to write it, and the article's id.

A publisher is told by its name, a host, a URL, or the dateline that a report opens with.
"""

from __future__ import annotations

import functools
import hashlib
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from index.scraped import one_line

# One line a publisher: its name, then every other way that it is written, or a host of it.
_PUBLISHERS = """
detikcom: detik, detik.com, detiknews, detiknews.com, detikfinance, detikinet, detiksport, detikhot
CNN Indonesia: cnnindonesia, cnnindonesia.com, cnn indonesia.com
CNBC Indonesia: cnbcindonesia, cnbcindonesia.com
Kompas.com: kompas, kompas.com, kompascom, kompas cyber media
Kompas.id: kompas.id, harian kompas
Kompas TV: kompas.tv, kompastv, kompas tv
Kompasiana: kompasiana.com, kompasiana
Tempo: tempo.co, tempo.co.id, tempo interaktif, tempointeraktif.com, koran tempo, majalah tempo
ANTARA: antara, antaranews, antaranews.com, antara news, kantor berita antara, lkbn antara
Liputan6.com: liputan6, liputan6.com, liputan 6
Merdeka.com: merdeka, merdeka.com
Okezone: okezone, okezone.com, okezone news
SINDOnews: sindonews, sindonews.com, sindo news, koran sindo
iNews: inews, inews.id, inews.com
Republika: republika, republika.co.id, republika online, republika.id, ihram.co.id
Tribunnews: tribunnews, tribunnews.com, tribun news, tribunnews.co, tribunners
Bangka Pos: bangkapos, bangkapos.com, bangka pos, bangka.tribunnews.com
Warta Kota: wartakota, wartakotalive, wartakotalive.com, warta kota, wartakota.tribunnews.com
Surya: surya.co.id, surya, surabaya.tribunnews.com, suryamalang.com
Serambi Indonesia: serambinews, serambinews.com, aceh.tribunnews.com, serambi indonesia
Sriwijaya Post: sripoku, sripoku.com, palembang.tribunnews.com
Banjarmasin Post: banjarmasinpost, banjarmasinpost.co.id, banjarmasin.tribunnews.com
Pos-Kupang.com: pos-kupang.com, pos kupang, kupang.tribunnews.com
Pos Belitung: posbelitung, posbelitung.co, belitung.tribunnews.com
Tribun Jakarta: tribunjakarta, tribunjakarta.com, jakarta.tribunnews.com
Tribun Jateng: tribunjateng, tribunjateng.com, jateng.tribunnews.com
Tribun Jabar: tribunjabar, tribunjabar.id, tribunjabar.co.id, jabar.tribunnews.com
Tribun Jogja: tribunjogja, tribunjogja.com, jogja.tribunnews.com
Tribun Solo: tribunsolo, tribunsolo.com, solo.tribunnews.com
Tribun Medan: tribun-medan.com, tribunmedan, medan.tribunnews.com
Tribun Timur: tribun-timur.com, tribuntimur, makassar.tribunnews.com
Tribun Bali: tribun-bali.com, tribunbali, bali.tribunnews.com
Tribun Pekanbaru: tribunpekanbaru.com, tribunpekanbaru, pekanbaru.tribunnews.com
Tribun Batam: tribunbatam.id, tribunbatam, batam.tribunnews.com
Tribun Jambi: tribunjambi.com, tribunjambi, jambi.tribunnews.com
Tribun Lampung: tribunlampung.co.id, tribunlampung, lampung.tribunnews.com
Tribun Pontianak: tribunpontianak.co.id, tribunpontianak, pontianak.tribunnews.com
Tribun Kaltim: tribunkaltim.co, tribunkaltim, kaltim.tribunnews.com
Tribun Manado: tribunmanado.co.id, tribunmanado, manado.tribunnews.com
Tribun Sumsel: tribunsumsel.com, tribunsumsel, sumsel.tribunnews.com
Tribun Cirebon: tribuncirebon.com, tribuncirebon, cirebon.tribunnews.com
VIVA: viva, viva.co.id, vivanews, vivanews.com
JPNN: jpnn, jpnn.com
Jawa Pos: jawapos, jawapos.com, jawa pos
Suara.com: suara, suara.com
Kumparan: kumparan, kumparan.com
IDN Times: idntimes, idntimes.com, idn times
Bisnis.com: bisnis, bisnis.com, bisnis indonesia, solopos bisnis
Solopos: solopos, solopos.com
KONTAN: kontan, kontan.co.id
Katadata: katadata, katadata.co.id
Investor Daily: investor.id, beritasatu investor
BeritaSatu: beritasatu, beritasatu.com, berita satu, suara pembaruan
Media Indonesia: mediaindonesia, mediaindonesia.com, media indonesia
Metro TV: metrotvnews, metrotvnews.com, metro tv
Medcom.id: medcom, medcom.id
RMOL: rmol, rmol.id, rmol.co, rakyat merdeka online
Rakyat Merdeka: rm.id, rakyat merdeka
Pikiran Rakyat: pikiran-rakyat.com, pikiran rakyat, pikiranrakyat
Suara Merdeka: suaramerdeka, suaramerdeka.com, suara merdeka
Kedaulatan Rakyat: krjogja.com, krjogja, kedaulatan rakyat
Harian Jogja: harianjogja.com, harianjogja, harian jogja
Poskota: poskota, poskotanews.com, poskotanews, poskota.co.id, pos kota
PosMetro: pos_metro, posmetro, posmetro-medan.com, posmetro medan
Waspada: waspada.co.id, waspada, waspada.id
Analisa: analisadaily.com, harian analisa
Bali Post: balipost.com, bali post
Fajar: fajar.co.id, harian fajar
Lampung Post: lampost.co, lampung post
KapanLagi.com: kapanlagi, kapanlagi.com
Fimela: fimela, fimela.com
WowKeren: wowkeren, wowkeren.com
Bola.com: bola.com
Bola.net: bola.net
BolaSport.com: bolasport, bolasport.com
Tirto.id: tirto, tirto.id
The Jakarta Post: thejakartapost.com, jakarta post, the jakarta post
Jakarta Globe: jakartaglobe.id, jakartaglobe.com, jakarta globe
BBC Indonesia: bbc indonesia, bbc.com, bbc news indonesia, bbcindonesia.com
VOA Indonesia: voaindonesia.com, voa indonesia
DW Indonesia: dw.com, dw indonesia, deutsche welle
Hukumonline: hukumonline.com, hukumonline
NU Online: nu.or.id, nu online
Gatra: gatra.com, gatra
Brilio: brilio.net, brilio
Grid.ID: grid.id
RRI: rri.co.id, rri
TVRI: tvri.go.id, tvri
TvOne: tvonenews.com, tvone
Inilah.com: inilah.com, inilah
Akurat: akurat.co, akurat
Beritagar: beritagar.id, lokadata.id
Era.id: era.id
Alinea: alinea.id
Ayo Bandung: ayobandung.com
Radar Surabaya: radarsurabaya.id
Mongabay: mongabay.co.id, mongabay
"""
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z]{2,12}(?::\d+)?", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|amp|mobile|wap)\.")


@functools.cache
def _names() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _PUBLISHERS.strip().splitlines():
        name, _, others = line.partition(": ")
        for other in (name, *others.split(", ")):
            table.setdefault(other.lower(), name)
    return table


@functools.lru_cache(maxsize=10_000)
def canonical_publisher(name_or_host: str) -> str:
    """Return the one name of a publisher that is written in many ways, by name, host or URL.

    A section's host counts as its publisher ("finance.detik.com" is detikcom), a Tribun
    newspaper's as that newspaper. An unknown name stays as written, without "www.".
    """
    name = " ".join(name_or_host.split())
    if "://" in name:
        name = host_of(name) or name
    table = _names()
    low = _HOST_PREFIX.sub("", name.lower().rstrip("/"), count=1)
    if low in table:
        return table[low]
    if not _HOST.fullmatch(low):
        return name
    labels = low.split(":")[0].split(".")
    for first in range(1, len(labels) - 1):
        if known := table.get(".".join(labels[first:])):
            return known
    return ".".join(labels)


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(_names().values())


def is_known(publisher: str) -> bool:
    """Tell whether a name is the canonical one of a publisher in the table."""
    return publisher in _known()


def is_host(text: str) -> bool:
    """Tell whether a text is nothing but a host name ("news.contoh.co.id")."""
    return bool(_HOST.fullmatch(text))


def host_of(url: str) -> str:
    """Return a URL's host, "" where it has none or is no URL."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


# --- datelines -----------------------------------------------------------------------------------

_AGENCY = r"[A-Z][\w\-]{1,30}\.(?:COM|CO|ID|NET|com|co|id|net)(?:\.ID|\.id)?|ANTARA(?: News)?"
_CITY = r"[A-Z][A-Za-z.'’/\-]{1,24}(?: [A-Z][A-Za-z.'’\-]{1,24}){0,3}"
_DATELINE = re.compile(
    rf"(?P<host>(?:{_AGENCY}|CNN Indonesia),?\s{{1,3}})?(?P<city>{_CITY}(?:,\s?{_CITY})?)?"
    rf"(?P<agency>,?\s{{0,2}}\(?(?:{_AGENCY}|Antara(?: News)?|CNN Indonesia)\)?"
    r"|\s\([A-Z][\w. ]{2,30}\))?"
    r"\s{0,3}(?P<dash>-\s?-|[-–—])\s{0,3}(?=[\"“A-Z0-9(])"
)
_NAMED_HOST = re.compile(
    r"\b[A-Za-z0-9][\w\-]{1,30}\.(?:co\.id|com|co|id|net)\b|\bANTARA\b|\bCNN Indonesia\b", re.I
)
_PARAGRAPH = 100


def publisher_in(line: str) -> str:
    """Return the first publisher that a line names by its host; "" for none."""
    match = _NAMED_HOST.search(line)
    return canonical_publisher(match[0]) if match else ""


def publisher_of_dateline(line: str) -> str:
    """Return the publisher that a paragraph's dateline names; "" for none."""
    match = _DATELINE.match(line)
    return publisher_in(match[0]) if match else ""


def is_dateline(line: str) -> bool:
    """Tell whether a paragraph opens with its place or publisher: "KOTA, NAMA.COM -- ..."."""
    match = _DATELINE.match(line)
    if not match:
        return False
    return bool(match["host"] or match["agency"] or (match["city"] and len(line) >= _PARAGRAPH))


# --- identity ------------------------------------------------------------------------------------

_OWN_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|igshid|igsh|_ga|_gl|mc_cid|mc_eid|ref|ref_src|source|page|single"
    r"|showpage|tag_from|lgn_method|google_btn|amp|outputtype|_kiosk_\w+|medium|campaign",
    re.IGNORECASE,
)


def article_id(own: object, publisher: str, url: str, title: str, body: str) -> str:
    """Return an article's id: the input's own; else of publisher and URL; else of what it says.

    An own id with unusual characters or over 100 of them is replaced by its hash. Hashes are the
    first 16 hexadecimal digits of SHA-256.
    """
    text = one_line(own)
    if text:
        return text if _OWN_ID.fullmatch(text) else _hash("id", text)
    if address := _canonical_url(url):
        return _hash("url", publisher, address)
    return _hash("text", publisher, title, body)


def _hash(*parts: str) -> str:
    data = "\x1f".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(data).hexdigest()[:16]


def _canonical_url(url: str) -> str:
    """Return the part of a URL that names the page: no scheme, www., fragment or tracking."""
    if not url:
        return ""
    try:
        parts = urlsplit(url if "://" in url else f"//{url.lstrip('/')}")
        query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return url
    kept = sorted((key, value) for key, value in query if not _TRACKING.fullmatch(key))
    host = _HOST_PREFIX.sub("", parts.netloc.lower(), count=1)
    tail = f"?{urlencode(kept)}" if kept else ""
    return f"{host}{parts.path.rstrip('/')}{tail}"
