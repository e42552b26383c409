"""English questions to an Indonesian archive: a small dictionary of news words, no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_PHRASES: tuple[tuple[str, str], ...] = (
    (r"^what (?:did|does|has|have|had) (.+?) (?:say|said|says|comment)\b", r"apa kata \1"),
    (r"^(?:is|are|was|were|did|does|do|has|have|had|can|will)\b", "apakah"),
    (r"^what caused\b", "apa penyebab"),
    (r"^(?:what is|what's|whats) the latest\b(?: news)?", "kabar terbaru"),
    (r"\blatest news\b", "kabar terbaru"),
    (r"^(?:what|which) year\b", "tahun berapa"),
    (r"^what time\b", "jam berapa"),
    (r"\bhow (?:many|much)\b", "berapa"),
    (r"\bhow (?:long|old|big|large|far|high|tall|deep)\b", "berapa"),
    (r"\blast (week|month|year)\b", r"\1 lalu"),
    (r"\bthis (week|month|year)\b", r"\1 ini"),
    (r"\b(?:in the )?(?:last|past) (\d+) (day|week|month|year)s?\b", r"\1 \2 terakhir"),
    (r"\b(\d+) (day|week|month|year)s? ago\b", r"\1 \2 lalu"),
    (r"\byesterday\b", "kemarin"),
    (r"\btoday\b", "hari ini"),
    (r"\bbetween (\S+) and\b", r"antara \1 dan"),
    (r"\b(?:prime minister)\b", "perdana menteri"),
    (r"\b(?:vice president)\b", "wakil presiden"),
    (r"\b(?:state|national) budget\b", "anggaran negara"),
    (r"\bcell ?phone\b", "ponsel"),
)
_WORDS = (
    # questions, time and links
    "who=siapa whom=siapa whose=siapa when=kapan where=di_mana why=mengapa how=bagaimana what=apa "
    "which=mana since=sejak before=sebelum after=setelah until=sampai during=selama between=antara "
    "and=dan or=atau with=dengan not=tidak without=tanpa day=hari week=minggu month=bulan "
    "year=tahun yesterday=kemarin today=hari_ini january=Januari february=Februari march=Maret "
    "april=April may=Mei june=Juni july=Juli august=Agustus september=September october=Oktober "
    "november=November december=Desember eid=Lebaran christmas=Natal new=baru first=pertama "
    "second=kedua last=terakhir largest=terbesar biggest=terbesar highest=tertinggi oldest=tertua "
    "one=satu two=dua three=tiga four=empat five=lima six=enam seven=tujuh eight=delapan "
    "nine=sembilan ten=sepuluh million=juta billion=miliar trillion=triliun percent=persen "
    # state
    "president=presiden minister=menteri ministry=kementerian governor=gubernur mayor=wali_kota "
    "regent=bupati ambassador=duta_besar government=pemerintah parliament=DPR election=pemilihan "
    "elections=pemilihan vote=suara votes=suara voters=pemilih won=menang wins=menang win=menang "
    "winner=juara lost=kalah candidate=calon party=partai law=undang-undang policy=kebijakan "
    "cooperation=kerja_sama agreement=kesepakatan agreed=sepakat agree=sepakat meeting=pertemuan "
    "met=bertemu meet=bertemu visited=kunjungan visit=kunjungan security=keamanan cyber=siber "
    "inaugurated=diresmikan opened=dibuka official=pejabat spokesman=juru_bicara "
    "spokesperson=juru_bicara leader=pemimpin chief=kepala head=kepala country=negara city=kota "
    "village=desa island=pulau province=provinsi district=kabupaten river=sungai sea=laut "
    # crime and courts
    "police=polisi arrested=ditangkap arrest=penangkapan suspect=tersangka suspects=tersangka "
    "corruption=korupsi bribe=suap bribery=suap court=pengadilan judge=hakim prosecutor=jaksa "
    "lawyer=kuasa_hukum trial=sidang sentenced=divonis sentence=vonis verdict=putusan "
    "jailed=dipenjara prison=penjara jail=penjara murder=pembunuhan killed=tewas kill=tewas "
    "died=meninggal die=meninggal dead=tewas death=kematian deaths=tewas victim=korban "
    "victims=korban injured=terluka wounded=terluka missing=hilang hacked=diretas hacker=peretas "
    "stolen=dicuri bomb=bom attack=serangan war=perang army=tentara military=militer drug=narkoba "
    "drugs=narkoba "
    # disasters and traffic
    "earthquake=gempa quake=gempa flood=banjir floods=banjir flooded=terendam landslide=longsor "
    "eruption=letusan erupted=meletus volcano=gunung mount=gunung mountain=gunung tsunami=tsunami "
    "fire=kebakaran burned=terbakar burnt=terbakar smoke=asap haze=kabut_asap storm=badai "
    "disaster=bencana evacuated=mengungsi refugees=pengungsi damaged=rusak collapsed=roboh "
    "accident=kecelakaan crash=jatuh crashed=jatuh plane=pesawat aircraft=pesawat airport=bandara "
    "flight=penerbangan flights=penerbangan closed=ditutup cancelled=dibatalkan ship=kapal "
    "boat=kapal shipwreck=kapal_karam sank=tenggelam sunk=tenggelam sink=tenggelam port=pelabuhan "
    "harbour=pelabuhan harbor=pelabuhan train=kereta railway=kereta bus=bus road=jalan "
    "bridge=jembatan dam=bendungan passengers=penumpang passenger=penumpang pilot=pilot "
    "captain=kapten crew=awak landing=mendarat emergency=darurat "
    # money, work, life
    "price=harga prices=harga cost=biaya costs=biaya money=uang budget=anggaran tax=pajak "
    "economy=ekonomi market=pasar stalls=kios trade=perdagangan export=ekspor exported=ekspor "
    "import=impor bank=bank company=perusahaan worker=pekerja workers=pekerja farmer=petani "
    "farmers=petani fisherman=nelayan fishermen=nelayan rice=beras coffee=kopi oil=minyak "
    "electric=listrik electricity=listrik fuel=bahan_bakar house=rumah houses=rumah homes=rumah "
    "people=orang children=anak child=anak baby=bayi woman=perempuan women=perempuan man=pria "
    "wife=istri husband=suami father=ayah mother=ibu school=sekolah student=siswa students=siswa "
    "pupils=pelajar teacher=guru university=universitas hospital=rumah_sakit doctor=dokter "
    "disease=penyakit dengue=demam_berdarah vaccine=vaksin health=kesehatan born=lahir "
    "found=ditemukan discovered=ditemukan built=dibangun researcher=peneliti species=spesies "
    "frog=katak rhino=badak orangutan=orangutan satellite=satelit internet=internet "
    "website=situs football=sepak_bola match=pertandingan coach=pelatih player=pemain "
    "goalkeeper=kiper goals=gol champion=juara record=rekor medal=medali prize=hadiah "
    "award=penghargaan film=film singer=penyanyi book=buku name=nama named=bernama cause=penyebab "
    "caused=menyebabkan reason=alasan happened=terjadi happen=terjadi news=berita about=tentang "
    "china=China chinese=China japan=Jepang japanese=Jepang indonesian=Indonesia "
    "american=Amerika america=Amerika"
)
_MEANING = {
    word: meaning.replace("_", " ") for word, meaning in (p.split("=") for p in _WORDS.split())
}
_DROPPED = frozenset(
    "the a an of in on at to by for from is are was were be been being do does did has have had "
    "that this these those it its he she they them his her their there as into than then so "
    "will would can could should i you we me us our your please tell many much some any all "
    "most more took take place get got say said says".split()
)
_QUESTION = re.compile(
    r"^\s*(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|did|does|do|has|have|"
    r"tell me|what's|whats)\b",
    re.IGNORECASE,
)
# Words of Indonesian that no English question holds ("di", "yang"), and of English likewise.
_INDONESIAN = frozenset(
    "yang di ke dari dan dengan untuk pada dalam oleh adalah itu ini apa siapa kapan mana berapa "
    "mengapa kenapa bagaimana tidak akan telah sudah soal tentang saat ada para".split()
)
_ENGLISH = frozenset(_DROPPED - {"a", "do", "me", "as", "so"}) | {
    word for word in _MEANING if word in "who what when where why how which about and".split()
}

NOTICE = (
    "Arsip ini berbahasa Indonesia: dari pertanyaan berbahasa Inggris hanya nama, angka, dan "
    "sebagian kata yang dipahami."
)


# What the phrases turn into is kept, whether the archive holds the word or not.
_TURNED = frozenset(word for _, meaning in _PHRASES for word in meaning.split())


def is_english(question: str) -> bool:
    """Return whether a question is put in English: it has English function words and no others."""
    found = re.findall(r"[^\W_]+", question.lower())
    if set(found) & _INDONESIAN:
        return False
    links = sum(word in _ENGLISH for word in found)
    if links and _QUESTION.search(question):
        return True
    known = sum(_MEANING.get(word, word).lower() != word for word in found)
    return links >= 2 or (links > 0 and links + known > 2)


def to_indonesian(question: str, frequencies: Callable[[Sequence[str]], list[int]]) -> str:
    """Put an English question into the Indonesian words that it can be searched by.

    Names and numbers stay; of the other words stay those that the dictionary knows, in Indonesian,
    and those that the archive holds. `frequencies` tells in how many passages words stand.
    """
    text = question.strip().rstrip("?!. ")
    text = text.lower() if text.isupper() else text
    for pattern, meaning in _PHRASES:
        text = re.sub(pattern, meaning, text, flags=re.IGNORECASE)
    kept = [word for number, word in enumerate(text.split()) if _kept(word, number, frequencies)]
    said = " ".join(_said(word) for word in kept)
    return f"{said[:1].upper()}{said[1:]}?" if said else question


def _bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word.strip("\"“”‘’'()[],;:?!."))


def _kept(word: str, number: int, frequencies: Callable[[Sequence[str]], list[int]]) -> bool:
    bare = _bare(word)
    lowered = bare.lower()
    if number and _is_acronym(bare):
        return True
    if not bare or lowered in _DROPPED:
        return False
    if (
        lowered in _MEANING
        or lowered in _TURNED
        or (number and bare[0].isupper())
        or any(map(str.isdigit, bare))
    ):
        return True
    return frequencies([bare])[0] > 0


def _is_acronym(word: str) -> bool:
    """Return whether a word is written as a name's letters: WHO is not "who"."""
    return len(word) > 1 and word.isalpha() and word.isupper()


def _said(word: str) -> str:
    bare = _bare(word)
    if _is_acronym(bare):
        return bare
    meaning = _MEANING.get(bare.lower())
    return meaning if meaning else bare
