"""The kept spans of a body: what is dropped, what must never be, and the laws that always hold."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.clean import Byline, is_boilerplate, kept_spans, line_key, names, read_byline

FIRST = "Pemerintah Kota Sungailiat membuka kembali pasar ikan setelah tiga bulan diperbaiki."
SECOND = "Wali kota berkata seluruh pedagang lama mendapat lapak tanpa membayar sewa tahun ini."


def kept(body: str, **options: object) -> list[str]:
    return [body[start:end] for start, end in kept_spans(body, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        "Baca: Harga Cabai Turun di Pasar Induk",
        "Baca juga: Nelayan Muntok Keluhkan Solar Langka",
        "BACA JUGA : Nelayan Muntok Keluhkan Solar Langka",
        "Baca Juga",
        "Baca juga Nelayan Muntok Keluhkan Solar Langka",
        "Simak juga Video 'Pasar Ikan Dibuka Lagi':",
        "Lihat juga Video: Pasar Ikan Dibuka Lagi",
        "Saksikan Live DetikPagi:",
        'Tonton juga "Pasar Ikan Dibuka" di sini:',
        "SCROLL TO CONTINUE WITH CONTENT",
        "ADVERTISEMENT",
        "Advertisement",
        "Ikuti kami di",
        "Follow kami di Google News dan WhatsApp channel",
        "Ikuti saluran WhatsApp kami agar tidak ketinggalan kabar",
        "© 2021 Harian Contoh. All Right Reserved",
        "Copyright © Harian Contoh 2021",
        "All Right Reserved",
        "Penulis : Rini Maharani",
        "Editor: Bayu",
        "Sumber: Kompas.com",
        "KOMENTAR",
        "BERITA TERKINI",
        "[Gambas:Video 20detik]",
        "Pedagang menata lapak di pasar ikan. (Foto: Rini Maharani)",
        "Foto: Rini Maharani/Harian Contoh",
        "Bagikan ke Facebook",
        "Halaman 1 2 3 Selanjutnya",
        "Halaman 2 dari 3",
        "« Sebelumnya 1 2",
        "Pilihan Editor: Nelayan Muntok Keluhkan Solar Langka",
        "Video pilihan redaksi",
        "Editor: -",
        "Penulis:",
        "(rin/idr)",
        "(Kontributor Muntok, Rini Maharani)",
        "HARIAN CONTOH/RINI MAHARANI",
        "Error 403: Forbidden",
        "HALAMAN SELANJUTNYA >>>",
        "BACA SELENGKAPNYA DI SINI<<<",
        "Laporan Wartawan Harian Contoh, Rini Maharani",
        "Artikel ini telah tayang di contoh.com dengan judul Pasar Ikan Dibuka",
        "-----",
    ],
)
def test_boilerplate_line_is_dropped(line: str) -> None:
    assert kept(f"{FIRST}\n{line}\n\n{SECOND}") == [FIRST, SECOND]


@pytest.mark.parametrize(
    "line",
    [
        "Baca buku setiap hari, kata kepala sekolah itu, membuat anak mudah bercerita.",
        "Editor surat kabar itu menolak berkomentar ketika dihubungi kemarin sore.",
        "Sumber air di desa itu mengering sejak Juli sehingga warga membeli air tangki.",
        "Foto yang dipajang di balai kota itu diambil pada tahun 1954 oleh seorang guru.",
        "Ikuti jejak ayahnya, pemuda itu melaut sejak berumur dua belas tahun.",
        "Saksikan sendiri, kata penjaga, bagaimana penyu itu kembali ke laut.",
        "Komentar warga beragam, tetapi sebagian besar mendukung pasar yang baru.",
        "Bagikan beras kepada tetangga, begitu pesan lurah kepada warga yang panen.",
        "- Harga beras medium: Rp 12.500 per kilogram",
        "Pilihan lainnya: warga menyeberang dengan perahu milik nelayan.",
        "Halaman 2 dari dokumen itu memuat tanda tangan wali kota.",
        "500 orang hadir",
        '"Ikuti kami di lapangan saja," ujar camat itu sambil berjalan ke tambak.',
        "JAKARTA, CONTOH.COM -- Menteri membuka rapat tentang harga ikan.",
    ],
)
def test_news_line_is_kept(line: str) -> None:
    assert kept(f"{FIRST}\n{line}\n{SECOND}") == [FIRST, line, SECOND]


def test_linked_title_after_its_label_is_dropped() -> None:
    body = f"{FIRST}\nBaca juga:\nNelayan Muntok Keluhkan Solar Langka\n{SECOND}"
    assert kept(body) == [FIRST, SECOND]


def test_sentence_after_a_bare_label_is_kept() -> None:
    assert kept(f"{FIRST}\nBaca juga:\n{SECOND}") == [FIRST, SECOND]


@pytest.mark.parametrize(
    "middle",
    [
        "ADVERTISEMENT SCROLL TO CONTINUE WITH CONTENT",
        "Advertisement",
        "[Gambas:Video 20detik]",
        "Baca Juga",
        "(Baca juga: Nelayan Muntok Keluhkan Solar Langka)",
        "[Baca Juga: Nelayan Muntok Keluhkan Solar Langka]",
        "Baca juga: Nelayan Muntok Keluhkan Solar Langka ADVERTISEMENT",
        "Baca juga: Nelayan Muntok Keluhkan Solar Baca juga: Harga Cabai Turun Lagi [Gambas:X]",
        "Simak Video 'Pasar Ikan Dibuka Lagi':",
        "Lihat juga Video: Pasar Ikan Dibuka Lagi [Gambas:Video 20detik]",
        "(Foto: Rini Maharani)",
        "Baca juga: Nelayan Muntok Keluhkan Solar, Kapan Ada Lagi?",
    ],
)
def test_fixed_words_are_cut_inside_a_line(middle: str) -> None:
    assert kept(f"{FIRST} {middle} {SECOND}") == [FIRST, SECOND]


def test_words_glued_by_a_scraper_are_cut() -> None:
    assert kept(f"{FIRST}ADVERTISEMENTSCROLL TO CONTINUE WITH CONTENT{SECOND}") == [FIRST, SECOND]


def test_linked_title_ends_before_a_word_that_opens_a_sentence() -> None:
    body = f"{FIRST} Baca juga: Nelayan Muntok Keluhkan Solar Langka Menurut dia, lapak itu cukup."
    assert kept(body) == [FIRST, "Menurut dia, lapak itu cukup."]


def test_uncertain_title_loses_only_the_fixed_words() -> None:
    body = f"{FIRST} Baca juga: Nelayan Muntok Keluhkan Solar Langka Rini menambahkan, lapak cukup."
    assert kept(body) == [
        FIRST,
        "Nelayan Muntok Keluhkan Solar Langka Rini menambahkan, lapak cukup.",
    ]


def test_sentence_after_the_fixed_words_is_never_eaten() -> None:
    assert kept(f"{FIRST} Baca juga: {SECOND}") == [FIRST, SECOND]


@pytest.mark.parametrize("end", ["(abc/xyz)", "(rin)", "(*)", "(Rini Maharani)", "\n(abc/xyz)"])
def test_initials_at_the_end_are_cut(end: str) -> None:
    assert kept(f"{FIRST}\n{SECOND} {end}") == [FIRST, SECOND]


def test_tags_after_the_initials_are_cut() -> None:
    assert kept(f"{FIRST}\n(abc/xyz)\npasar ikan\nwali kota\nPesta Laut 2025") == [FIRST]
    assert kept(f"{FIRST} (abc/xyz) pasar ikan wali kota") == [FIRST]


def test_initials_inside_a_text_are_kept() -> None:
    body = f"Pasangan Rahman/Yusuf (ina/mas) menang dua gim langsung. {SECOND}"
    assert kept(body) == [body]


def test_headline_as_a_line_is_dropped_in_any_writing() -> None:
    title = "Pasar Ikan Dibuka, Pedagang Senang"
    assert kept(f"PASAR IKAN DIBUKA, PEDAGANG SENANG!\n{FIRST}", title=title) == [FIRST]
    assert kept(f"{title} lagi hari ini\n{FIRST}", title=title) == [f"{title} lagi hari ini", FIRST]


def test_lines_that_the_publisher_repeats_are_dropped() -> None:
    slogan = "Harian Contoh, kabar dari pulau timah"
    repeated = frozenset({line_key(slogan.upper())})
    assert kept(f"{slogan}\n{FIRST}", repeated=repeated) == [FIRST]


def test_paragraphs_joined_by_commas_come_apart() -> None:
    body = f"{FIRST},{SECOND},"
    assert kept(body) == [FIRST, SECOND]
    degree = "Rapat itu dipimpin Dr. Rini Maharani, S.Sos.,M.Si. di balai kota."
    assert kept(degree) == [degree]


def test_byline_before_a_dateline_is_cut() -> None:
    body = f"Laporan Wartawan Contoh.com, Rini Maharani CONTOH.COM, BELINYU - {FIRST}"
    assert kept(body) == [f"CONTOH.COM, BELINYU - {FIRST}"]


def test_headline_before_a_dateline_is_cut() -> None:
    title = "Pasar Ikan Sungailiat Dibuka"
    for between in (" ", " Laporan Wartawan Contoh.com, Rini Maharani "):
        body = f"{title}{between}CONTOH.COM, BELINYU - {FIRST}"
        assert kept(body, title=title) == [f"CONTOH.COM, BELINYU - {FIRST}"]
    assert kept(f"{title} {SECOND}", title=title) == [f"{title} {SECOND}"]


def test_byline_at_the_end_of_a_line_is_cut() -> None:
    assert kept(f"{FIRST} {SECOND} Penulis: Rini Maharani Editor: Bayu") == [f"{FIRST} {SECOND}"]


def test_line_key() -> None:
    assert line_key("  Harian CONTOH,  kabar pulau! ") == "harian contoh kabar pulau"
    assert line_key("Harga 1 gram: Rp 900") != line_key("Harga 1 gram: Rp 950")
    assert line_key("Pembelian dikenai pajak 0,45 persen bagi pemegang kartu") == ""
    assert line_key("Dapatkan kabar terbaru dari kami di saluran pesan") != ""
    assert line_key("x" * 201) == line_key("ya.") == line_key("") == ""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Penulis : Rini Maharani", Byline(authors=("Rini Maharani",))),
        ("Editor: bayu", Byline(editors=("bayu",))),
        ("Sumber: Kompas.com", Byline(origin="Kompas.com")),
        ("Penulis: Rini Maharani dan Bayu Aji", Byline(authors=("Rini Maharani", "Bayu Aji"))),
        (
            "Penulis: Rini Maharani | Editor: Bayu Aji",
            Byline(authors=("Rini Maharani",), editors=("Bayu Aji",)),
        ),
        ("Oleh Rini Maharani", Byline(authors=("Rini Maharani",))),
        ("Laporan Wartawan Contoh.com, Rini Maharani", Byline(authors=("Rini Maharani",))),
        ("Sumber daya alam desa itu melimpah", None),
        (FIRST, None),
        ("", None),
    ],
)
def test_read_byline(line: str, expected: Byline | None) -> None:
    assert read_byline(line) == expected


PIECES = st.sampled_from(
    [
        *(FIRST, SECOND, "\n", "\n\n", " ", ".,", ",", "Baca juga: ", "Baca:", "Judul Berita Lain"),
        *("ADVERTISEMENT", "[Gambas:Video]", "Simak Video '", "':", "(abc/xyz)", "(Foto: A)", "©"),
        *("Copyright © ANTARA 2025 ", "Dapatkan update ", "Penulis: A", "\u2028", "İ", "😀", "?"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=25).map("".join)), st.text())
def test_spans_lie_within_the_body_in_order_apart_and_trimmed(body: str, title: str) -> None:
    end_before = 0
    for start, end in kept_spans(body, title=title):
        assert end_before <= start < end <= len(body)
        assert body[start:end] == body[start:end].strip()
        end_before = end


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([FIRST, SECOND]), min_size=1, max_size=6))
def test_plain_paragraphs_are_kept_whole(paragraphs: list[str]) -> None:
    assert kept("\n\n".join(paragraphs)) == paragraphs


@pytest.mark.parametrize(
    "piece",
    [
        "Baca juga: ",
        "Simak Video '",
        "Copyright © ",
        "Dapatkan update ",
        "(",
        "x.,",
        "\n",
        "Foto: ",
    ],
)
def test_hostile_line_takes_linear_time(piece: str) -> None:
    began = time.process_time()
    kept_spans(piece * (400_000 // len(piece)))
    assert time.process_time() - began < 5


def test_many_lines_take_linear_time() -> None:
    began = time.process_time()
    kept_spans("a\n" * 20_000)
    assert time.process_time() - began < 2


def test_long_line_is_no_boilerplate() -> None:
    assert not is_boilerplate("Baca juga: " + "kata " * 200)


# --- sentences that a scraper broke at links -----------------------------------------------------

BROKEN = [
    "BITUNG, KABAR.ID\n- Direktur Lembaga Bantuan Hukum,\nRatih Anjani\nmendesak agar anggota\n"
    "Polsek Karang Anyar\n, Kabupaten Teluksari, yakni\nAipda BR\n, diproses secara pidana.",
    '"Ini tidak cukup," kata perempuan yang akrab disapa Ani itu kepada\nKabarID\n, Selasa (10/6).',
    "BITUNG\n-\nTim sepak bola putri Teluksari\nmenang 6-0 dari\nMuara Bening\ndi stadion.",
    "Skor 6-0 menjadi hasil\nterbesar\nsepanjang turnamen, kata pelatih\nOki Saputra.",
    "Video itu ia unggah di\nFacebook\nsetelah rapat, lalu dihapus dari akun\nKPK\n(\nlembaga\n).",
    "Mereka menghitung\ntotal ownership\n-nya sebelum membeli mobil itu.",
    "Kepala Dinas Pasar\nRatih Anjani\nmenolak.",
    "Komisi Pemberantasan Korupsi\n(KPK) menyita\n12\nmobil dari rumah\nBayu Aji\n.",
]


@pytest.mark.parametrize("sentence", BROKEN)
def test_lines_broken_at_links_are_one_sentence_again(sentence: str) -> None:
    before, after = BROKEN[0], f"{FIRST}\n{SECOND}"
    body = (
        f"{sentence}\n{after}"
        if sentence.startswith("BITUNG")
        else f"{before}\n{sentence}\n{after}"
    )
    assert sentence in kept(body)
    assert kept(body)[-2:] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "lines",
    [
        ["Bahan yang perlu disiapkan", "beras", "gula", "minyak goreng"],
        ["Warga mengungsi ke sekolah", f"{FIRST}", "Dapur umum di balai desa", SECOND],
        ["Daftar harga pangan:", "- Beras medium", "- gula pasir", "1. Cabai rawit", "b. bawang"],
        ["Reservasi mulai 7 Juni 2025", "Wajib reservasi sehari sebelumnya", "Bawa kartu penduduk"],
        ["2. Kelapa Dalam", FIRST],
        ["500 gram : Rp 925.036.000", "(Kabar.id/*)"],
        [FIRST, "https://kabar.id/harga-beras-naik-lagi-di-pasar-induk-setelah-panen-raya.html"],
        [FIRST, "” Suasana kemarin memang belum menggembirakan, ” ujar pelatih itu."],
    ],
)
def test_headings_lists_and_paragraphs_are_not_joined(lines: list[str]) -> None:
    spans = kept("\n".join([*lines, FIRST, SECOND]))
    assert all("\n" not in span for span in spans)
    assert [line for line in lines if not is_boilerplate(line)] == spans[: -2 if lines else None][
        : len(lines)
    ]


def test_blank_lines_between_all_pieces_are_a_scrapers_too() -> None:
    body = "\n".join([*BROKEN[:2], FIRST, SECOND]).replace("\n", "\n\n")
    assert kept(body) == [*(text.replace("\n", "\n\n") for text in BROKEN[:2]), FIRST, SECOND]
    paragraphs = f"{FIRST}\n\nharga beras turun\n\nBayu Aji\n\n{SECOND}\nLapak itu\nmurah."
    assert kept(paragraphs)[:3] == [FIRST, "harga beras turun", "Bayu Aji"]


def test_text_in_small_letters_is_not_joined_for_it() -> None:
    body = f"{FIRST.lower()[:-1]}\n{SECOND.lower()}"
    assert len(kept(body)) == 2


# --- offers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "Anda telah membaca bagian gratis artikel ini. Berlangganan mulai Rp 25.000 per bulan.",
        "Sudah berlangganan? Masuk ke akun Anda untuk melanjutkan membaca artikel ini.",
        "Belum punya akun? Daftar sekarang",
        "Nikmati akses ke semua artikel premium dengan menjadi pelanggan Harian Contoh.",
        "Untuk membaca artikel ini secara utuh, silakan berlangganan Harian Contoh.",
        "Daftar newsletter kami, kabar terbaru langsung di kotak masuk Anda.",
        "Unduh aplikasi Harian Contoh di Play Store untuk membaca berita lebih cepat.",
        "Baca berita tanpa iklan dengan berlangganan Harian Contoh.",
        "Dapatkan akses tanpa batas ke semua berita dengan paket tahunan Harian Contoh.",
        "Konten ini hanya tersedia untuk anggota Harian Contoh.",
        "Unduh aplikasi Harian Contoh di Play Store untuk berita lebih cepat.",
        "Buat akun gratis untuk melanjutkan membaca.",
        "Mulai Rp 9.900 per minggu. Batalkan kapan saja.",
        "Kami menggunakan cookie agar Anda mendapat pengalaman terbaik di situs ini.",
        "Bagikan: Facebook Twitter WhatsApp Salin tautan",
        "Tag: pasar ikan, Sungailiat",
        "#PasarIkan #Sungailiat",
        "Suasana pasar ikan kemarin © instagram.com/harian.contoh",
    ],
)
def test_offer_to_the_reader_is_dropped(line: str) -> None:
    assert kept(f"{FIRST}\n{line}\n{SECOND}") == [FIRST, SECOND]
    if line.endswith(".") and "? " not in line:
        assert " ".join(kept(f"{FIRST} {SECOND} {line}")).startswith(f"{FIRST} {SECOND}")
        assert "Harian Contoh" not in " ".join(kept(f"{FIRST} {SECOND} {line}"))


@pytest.mark.parametrize(
    "line",
    [
        "Netflix menaikkan harga berlangganan mulai Rp 54.000 per bulan.",
        "Masuk ke akun Instagram pribadinya, artis itu mengunggah foto pasar ikan.",
        "Unduh aplikasi MyPertamina di Play Store, lalu daftarkan nomor polisi kendaraan.",
        '"Anda harus berlangganan untuk membaca koran ini," kata direktur itu.',
        "Pelanggan membaca koran itu tanpa iklan sejak tahun lalu.",
        "Dapatkan beras murah di pasar ikan sampai akhir pekan.",
        "Anggota dewan mendapat paket perjalanan ke tiga kota di Sulawesi.",
        "Mulai Rp 9.900 per minggu, pedagang dapat menyewa lapak di pasar ikan.",
    ],
)
def test_news_about_subscriptions_and_apps_is_kept(line: str) -> None:
    assert kept(f"{FIRST}\n{line}\n{SECOND}") == [FIRST, line, SECOND]


# --- credits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "people"),
    [
        ("Rina Maharani - detikOto", ("Rina Maharani",)),
        ("Rina Maharani -detikOto", ("Rina Maharani",)),
        ("Rina Maharani (detikcom)", ("Rina Maharani",)),
        ("Antara/Rina", ("Rina",)),
        ("Rina/Bayu", ("Rina", "Bayu")),
        ("Rina Maharani, Tim Liputan", ("Rina Maharani",)),
        ("Rina Maharani 4 Maret 2025", ("Rina Maharani",)),
        ("Rina Maharani, Selasa (4/3/2025)", ("Rina Maharani",)),
        ("Tim Redaksi", ()),
        ("TIM REDAKSI", ()),
        ("Tim detikcom - detikNews", ()),
        ("Redaksi", ()),
        ("N/A", ()),
        ("Tidak Ditemukan", ()),
        ("admin", ()),
        ("Tim Cook", ("Tim Cook",)),
        ("Timothy Marbun", ("Timothy Marbun",)),
        ("Adminah Ista", ("Adminah Ista",)),
        ("Anne-Marie O'Hara", ("Anne-Marie O'Hara",)),
    ],
)
def test_newsrooms_are_no_people(written: str, people: tuple[str, ...]) -> None:
    assert names(written) == people
