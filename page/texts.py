"""The wording of the page, in Indonesian: every label and sentence, and values put into words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from index import errors
from index.archive import EarlierText
from index.manifest import IndexVersion
from index.records import Answer, Article, Claim, Evidence, Filter, Passage, Turn
from index.text import MONTHS, written
from qa import silence
from qa.listing import Listing, Narrowing, Period
from qa.question.dates import of_months
from qa.references import safe_url as safe_url

EXAMPLES = (
    "Apa yang disepakati Wiranto dengan China?",
    "Berapa kios yang terbakar di Pasar Sentral Wolasi?",
    "Mengapa Bandara Tanjung Bawan ditutup?",
    "Siapa yang menemukan kapal karam di Lemoa?",
    "Kapan Bendungan Waelomata diresmikan?",
)

# The frame of the page. In all of this, {} stands for a value, and backquotes for code.
TAGLINE = "Tanya jawab atas arsip berita, dengan kutipan di setiap kalimat."
NEW_CONVERSATION = "Percakapan baru"
READING_INDEX = "Membaca indeks…"
NO_INDEX = "Indeks belum dibangun. Jalankan `tanya add`, lalu `tanya build`."
STALE = "Sudah {} hari tidak ada berita baru; yang terjadi sesudahnya belum ada di arsip ini."
DAMAGED_SERVED = "Ada versi indeks yang rusak."
STALE_CHECK = (
    "Periksa apakah artikel masih masuk (`tanya watch`, `tanya add`) dan dibangun (`tanya build`)."
)
WAITING = "{} artikel menunggu `tanya build`"
INDEX_UNREADABLE = "Keadaan indeks sedang tidak terbaca."
OLDER_ANSWERS = "Versi terbaru rusak; yang menjawab versi {}."
DISCONNECTED = "Sambungan terputus"
RECONNECTING = "Server tidak menjawab. Halaman ini menyambung lagi dengan sendirinya."

# The form at its foot
AFTER = "Dari tanggal"
BEFORE = "Sampai tanggal"
PUBLISHER = "Penerbit"
DAY_EXAMPLE = "mis. 15/12/2016 atau 2016"
MONTH_EXAMPLE = "mis. Desember 2016"
NO_FILTER = "semua tanggal, semua penerbit"
WITHOUT_FILTER = "Tanpa saringan {}"
CLEAR_FILTER = "Hapus saringan"
PRESETS = "Rentang tanggal"
SEVEN_DAYS = "7 hari"
THIRTY_DAYS = "30 hari"
THIS_YEAR = "Tahun ini"
ALL_DAYS = "Semua"
COUNTED_FROM = "Dihitung dari hari terbaru di arsip, {}."
PICK_DAY = "{}: pilih di kalender"
SEARCH_PUBLISHER = "Cari penerbit"
QUESTION = "Pertanyaan"
QUESTION_EXAMPLE = "Tanyakan kepada arsip…"
ASK = "Tanya"
EMPTY_QUESTION = "Tulis dulu pertanyaan Anda."

# The empty page
WELCOME = "Apa yang ingin Anda telusuri?"
WELCOME_MORE = (
    "Ajukan pertanyaan seperti kepada rekan di ruang arsip. Setiap kalimat jawaban dikutip dari "
    "artikel yang dapat Anda buka dan periksa."
)
EXAMPLES_TITLE = "Contoh pertanyaan"
NEXT_TITLE = "Pertanyaan lanjutan"

# While a question is typed
SUGGESTIONS = "Saran"
NAMES_TITLE = "Nama"
TITLES_TITLE = "Judul"
SUGGESTED = "{} saran"
NOT_INDEXED = "Arsip belum diindeks."
NOT_INDEXED_MORE = (
    "Jalankan dua perintah ini di komputer tempat Tanya Arsip berjalan. Halaman ini siap dengan "
    "sendirinya begitu indeks selesai dibangun."
)
COMMANDS = "tanya add FOLDER_ARTIKEL\ntanya build"
COMMANDS_MORE = "Perintah pertama memasukkan artikel ke arsip, yang kedua membangun indeksnya."

# A turn: how the question was understood
SEARCHING = "Menelusuri arsip…"
WAITING_TURN = "Menunggu giliran. Ada {} pertanyaan di depan."
BUSY = "Sedang sibuk; coba lagi dalam {} detik."
STOPPING = "Peladen sedang dihentikan; tanyakan lagi sebentar lagi."
UNDERSTOOD_AS = "Dipahami sebagai"
TOPIC = "Topik"
PUBLISHED = "Terbit"
AUTHOR = "Penulis"
FILTER = "Saringan"
CORRECT = "Perbaiki"
CORRECT_LABEL = "Tulis pertanyaan yang Anda maksud"
ASK_CORRECTED = "Tanyakan ulang"
CANCEL = "Batal"
WITHOUT = "Tanya lagi tanpa batas {}"
ONLY = "Coba hanya artikel {}"
AS_TYPED = "Cari seperti yang diketik"

# A turn: the answer
CITATION = "Lihat sumber {}"
OTHER_ARTICLE = "Artikel lain"
COPY = "Salin jawaban"
COPIED = "Tersalin"
DROPPED = "{} kalimat tidak lolos pemeriksaan sumber"
NOT_FOUND = "Jawabannya tidak ditemukan di arsip."
DISCUSSED = "Belum ada jawaban pasti; artikel ini membahasnya."
UNSUPPORTED = (
    "Ditemukan artikel yang dekat, tetapi {} kalimat jawabannya tidak dapat dibuktikan dengan "
    "kutipan, jadi tidak ditampilkan sebagai jawaban."
)
NEAREST = "Kalimat yang paling dekat:"
ADVICE = "Sebut nama, tempat, atau tahun yang Anda cari."
LIMITED = "Pencarian dibatasi: {}."
NOT_WITHOUT_LIMITS = "Tanpa batas dari pertanyaan itu pun tidak ditemukan jawabannya."
ASK_UNFILTERED = "Tanya lagi tanpa saringan"
NOT_ANSWERED = "Pertanyaan ini belum bisa dijawab."
QUESTION_KEPT = "Pertanyaan Anda masih ada di kotak di bawah; Anda dapat mencobanya lagi."
DETAILS = "Rincian untuk pengelola"

# A turn: the articles beside it
SOURCES = "Sumber"
SOURCES_LABEL = "Sumber jawaban"
RELATED = "Mungkin terkait"
RELATED_LABEL = "Artikel terkait"
OPEN_ARTICLE = "Buka artikel"
PUBLISHER_SITE = "Situs penerbit"
ALSO_IN = "Juga di"
SOME_ARTICLE = "artikel lain"
TEXT_GONE = "Teks lengkap artikel ini tidak lagi tersimpan."
UNTITLED = "Tanpa judul"
NO_PUBLISHER = "Tanpa penerbit"

# A turn: all articles about its question. {} stands for what is taken off, or for a number.
TABS = "Jawaban dan artikel"
REPLY = "Jawaban"
EVERY = "Semua artikel"
ARTICLES = "artikel"
YEAR = "Tahun"
UNDATED = "Tanpa tanggal"
MORE = "{} lainnya"
TAKE_OFF = "Lepas {}"
SORTED_BY = "Urutan"
SORTS = {"relevance": "Paling cocok", "newest": "Terbaru", "oldest": "Terlama"}
PAGES = "Halaman daftar"
PREVIOUS = "Sebelumnya"
NEXT = "Berikutnya"
PAGE_OF = "Halaman {} dari {}"
AND_MORE = " dan {} lagi"
NONE_HOLD = "Tidak ada artikel yang memuat kata-kata pertanyaan ini."
NONE_LEFT = "Tidak ada artikel yang memenuhi semua pilihan ini."
BRUSH_HELP = (
    "Panah kiri dan kanan berpindah, dengan Shift memilih rentang, Enter menyaring daftar. "
    "Dengan tetikus atau jari: geser di atas batang."
)

# The opened article
ARTICLE = "Artikel dari arsip"
CLOSE = "Tutup"
OPENING = "Membuka artikel…"
OPEN_AT_PUBLISHER = "Buka di situs penerbit"
AS_ARCHIVED = "Teks seperti tersimpan di arsip."
ARTICLE_NUMBER = "Nomor artikel"
NO_ARTICLE = "Artikel tidak ditemukan"
ARTICLE_GONE = "Artikel ini sudah dihapus dari arsip, atau teksnya sudah berganti."
REQUEST_UNREADABLE = "Permintaan ini tidak terbaca."
REQUEST_TOO_BIG = "Permintaan ini terlalu besar: paling banyak {} kB."
REQUEST_TOO_SLOW = "Permintaan ini terlalu lama dikirim. Coba lagi."
ADDRESS_TOO_LONG = "Alamat halaman ini terlalu panjang."
HOST_UNKNOWN = (
    "Peladen ini tidak bernama {}. Buka dengan nama atau alamatnya sendiri; pengelola menulis nama "
    "lain di allowed_hosts, bagian [serve] di tanya.toml."
)
NOTHING_HERE = "Tidak ada apa-apa di alamat ini."
NOT_OPENED = "Artikel belum bisa dibuka"
ARCHIVE_UNREADABLE = "Arsip sedang tidak terbaca."
CORRECTED = "Penerbitnya meralat artikel ini"
OLD_TEXT = "Ini teks lama artikel ini:"
NEWEST_TEXT = "Buka teks terbaru"
CHANGES = "Lihat perubahannya"
TEXT_REPLACED = (
    "Teks yang dikutip tidak lagi tersimpan. Ini teks terbaru artikel itu; kutipannya mungkin "
    "sudah berubah."
)
UNFIT = "Bagian yang dikutip tidak ada di teks ini, jadi tidak disorot."
LEFT_OUT = "… {} karakter tidak ditampilkan …"
CHANGED_SINCE = "Yang berubah sampai teks terbaru"
TOO_LONG_TO_COMPARE = "Kedua teks terlalu panjang untuk dibandingkan."
SAME_SENTENCES = "… {} kalimat sama …"
MORE_CHANGES = "… masih ada perubahan lain …"
REMOVED = "Dihapus"
ADDED = "Ditambahkan"
SAME_STORY = "Berita yang sama"
EARLIER_TEXTS = "Teks sebelumnya"
THIS_TEXT = "Teks yang sedang dibuka"
SINCE = "Terlihat sejak {}."
CITE = "Kutip"
COPY_REFERENCE = "Salin rujukan"
REFERENCE_FILES = "BibTeX, RIS"
BIBTEX = "Unduh BibTeX"
RIS = "Unduh RIS"

# The conversations
CONVERSATIONS = "Percakapan"
SEARCH_CONVERSATIONS = "Cari percakapan"
KEPT_IN_MEMORY = "Server tidak dapat menulis: percakapan baru hanya ada sampai server dihentikan."
NO_CONVERSATIONS = "Belum ada percakapan. Pertanyaan Anda akan tersimpan di sini."
NONE_MATCH = "Tidak ada percakapan yang cocok."
OLDER = "Lebih lama"
MENU_OF = "Menu percakapan: {}"
RENAME = "Ganti nama"
EXPORT_MARKDOWN = "Unduh Markdown"
EXPORT_JSON = "Unduh JSON"
EXPORT_WORD = "Unduh Word"
DELETE = "Hapus"
DELETE_SURELY = "Hapus percakapan “{}”? Ini tidak dapat dibatalkan."
SAVE = "Simpan"
TITLE_OF = "Nama percakapan"
NO_CONVERSATION = "Percakapan ini tidak ada di sini."
NO_CONVERSATION_MORE = "Percakapan hanya terlihat oleh yang memulainya, sampai dihapus."
ASKED_ON = "Ditanyakan {}"
INTERRUPTED = "Pertanyaan ini belum terjawab."
REASONS = {
    "busy": "Saat itu terlalu banyak pertanyaan.",
    "stopped": "Peladen dihentikan sebelum jawabannya selesai.",
}
ASK_AGAIN = "Tanyakan lagi"
OPEN_MENU = "Buka daftar percakapan"
CLOSE_MENU = "Tutup daftar percakapan"
FOR_PROGRAMS = "Untuk program (API)"
DARK_OR_LIGHT = "Tampilan gelap atau terang"
NOT_CHANGED = "Perubahan tidak tersimpan. Coba sekali lagi."
NOT_REACHED = "Percakapan ini belum bisa dibuka."
SKIP = "Langsung ke kotak pertanyaan"

# The opened article
NO_REPLY = "Server tidak menjawab. Coba lagi sebentar lagi."

# The operator's page
OPERATOR = "Pengelola"
OPERATOR_MORE = "Isi arsip, versi indeks, apa yang terbaca, dan apa yang belum terjawab."
EDITOR_MORE = "Tambah artikel ke arsip. Pengelola membangun indeksnya."
BACK_TO_CHAT = "Kembali ke percakapan"
OPERATORS_ONLY = "Halaman ini hanya untuk pengelola."
EDITORS_ONLY = "Ini hanya untuk redaksi dan pengelola."
OPERATORS_HERE = (
    "Tanpa akun, halaman ini hanya terbuka di komputer tempat Tanya Arsip berjalan, dengan "
    "alamat `http://127.0.0.1:PORT/pengelola` atau `http://localhost:PORT/pengelola`, dan tidak "
    "lewat proksi."
)
OPERATORS_ELSEWHERE = (
    "Dari komputer lain atau lewat proksi: buat akun dengan `tanya user add NAMA --role operator`, "
    "lalu masuk dengan akun itu."
)
OPERATORS_NAMED = (
    "Anda masuk sebagai {}, tanpa peran pengelola. Peran itu diberikan pengelola arsip ini."
)
OPEN_TO_ALL = (
    "Server ini dijalankan dengan `--open`: siapa pun yang mencapai alamatnya dapat bertanya, "
    "tanpa masuk."
)

# The login
SIGN_IN = "Masuk"
SIGN_OUT = "Keluar"
SIGN_OUT_MORE = "Keluar dari akun ini di peramban ini"
SIGNED_IN_AS = "Masuk sebagai"
ACCOUNT_NAME = "Nama"
PASSWORD = "Kata sandi"
NO_ACCOUNT = "Akun dibuat oleh pengelola arsip ini, yang juga dapat mengganti kata sandi."
WRONG_CREDENTIALS = "Nama atau kata sandi salah."
TOO_MANY_TRIES = "Terlalu banyak kata sandi yang salah. Coba lagi {} lagi."
MANY_LOG_IN = "Terlalu banyak yang masuk bersamaan. Coba lagi beberapa detik lagi."
ACCOUNTS_UNREADABLE = "Daftar akun tidak dapat dibaca, jadi tidak ada yang dapat masuk."
SIGN_IN_NEEDED = "Masuk dulu untuk membuka ini."
NOT_LET_IN = "Tidak dapat masuk"
UNNAMED_BY_PROXY = "Proksi di depan server ini tidak menyebut satu nama pengguna, jadi ditolak."
NOT_JSON = "Permintaan harus dikirim sebagai application/json atau application/octet-stream."
OF_ANOTHER_SITE = "Permintaan ini datang dari situs lain, jadi ditolak."

STATE = "Keadaan"
IN_ARCHIVE = "artikel di arsip"
IN_INDEX = "artikel di indeks"
LIVE_VERSION = "versi yang hidup"
NEWEST_ARTICLE = "artikel terbaru"
ON_DISK = "di disk"
NOTHING_YET = "Arsip masih kosong. Seret berkas ke sini untuk mengisinya."
WAITING_TO_BUILD = "Menunggu dibangun: {}."
NEW_ARTICLES = "{} baru"
CHANGED_ARTICLES = "{} berubah"
REMOVED_ARTICLES = "{} dihapus"
LIVE_UNREADABLE = "Versi yang hidup tidak terbaca. Hidupkan versi lain di bawah."
BUILT_ANEW = (
    "Aturan pengindeksan berubah sejak versi ini dibangun, jadi pembangunan berikutnya mengolah "
    "semua artikel lagi; sampai selesai, versi ini tetap menjawab."
)
UP_TO_DATE = "Indeks sesuai dengan isi arsip."
UP_TO_DATE_RECIPE = "Membangun lagi hanya perlu bila pengaturan indeks di tanya.toml berubah."
BUILD_NOW = "Bangun sekarang"
NO_ARTICLES = "Arsip ini masih kosong."
ONLY_SAMPLE = "Arsip ini baru berisi contoh."
FILL_IT = "Isi dengan berita Anda di halaman pengelola"
FILL_IT_BY_COMMANDS = "Atau di terminal kedua"
SAMPLE_GOES = "Contohnya keluar dengan:"

WORK_NAMES: Mapping[str, str] = {
    "begin": "Bersiap…",
    "add": "Membaca berkas…",
    "open": "Membuka model…",
    "index": "Mengindeks artikel…",
    "publish": "Memeriksa dan menerbitkan versi…",
}
WORK_BUSY = "Masih ada pekerjaan lain. Tunggu sampai selesai, lalu coba lagi."
ARCHIVE_IN_USE = (
    "Arsip sedang dipakai proses lain, misalnya `tanya add` atau `tanya build`. Tunggu sampai "
    "selesai, lalu coba lagi."
)
WORK_FAILED = "Pekerjaan tidak selesai; versi yang hidup tetap seperti sebelumnya."
NOTHING_READ = "Tidak ada artikel yang terbaca dari berkas ini; lihat masalahnya di bawah."
BUILT = "Versi {} selesai dibangun dan langsung dipakai percakapan."
NOTHING_TO_BUILD = "Tidak ada yang perlu dibangun; indeks sudah sesuai."
ADDED_WAITS = "Artikel sudah di arsip, dan menunggu dibangun."
OF = "{} dari {}"

ADD_ARTICLES = "Tambah artikel"
DROP_HERE = "Seret berkas atau folder ke sini"
DROP_KINDS = (
    "Teks, HTML, JSON, CSV, Parquet, RSS, WARC; juga dalam zip, tar, gz. Paling banyak {} MB dan "
    "{} berkas sekali kirim."
)
CHOOSE_FILES = "Pilih berkas"
CHOOSE_FOLDER = "Pilih folder"
PUBLISHER_FALLBACK = "Penerbit untuk artikel yang tidak menyebutnya (boleh kosong)"
BUILD_AFTER = "Bangun indeks sesudahnya"
SENDING = "Mengirim {} dari {} berkas, {} dari {} MB"
STOP_SENDING = "Hentikan"
SENDING_STOPPED = "Pengiriman dihentikan; tidak ada yang masuk arsip."
SENDING_FAILED = "Pengiriman gagal: {}"
NO_FILE_KNOWN = "Tidak ada berkas yang dikenal. Yang dilewati: {}."
PASSED_OVER = "Dilewati: {}"
TOO_MANY_FILES = "Ada {} berkas, padahal paling banyak {} sekali kirim (`[upload]` di tanya.toml)."
TOO_MANY_BYTES = (
    "Semuanya {} MB, padahal paling banyak {} MB sekali kirim (`[upload]` di tanya.toml)."
)
FILE_TWICE = "Berkas ini sudah dikirim."
FILE_OF_ANOTHER_SIZE = "Ukuran {} berubah selama dikirim. Kirim lagi."
STILL_COMING = "Masih ada berkas yang dikirim."
UPLOAD_GONE = "Pengiriman ini sudah berakhir. Mulai lagi."
DISK_FULL = "Disk server penuh. Kosongkan tempat, lalu coba lagi."
DISK_FAILS = "Disk server tidak dapat ditulisi."

OVER_TIME = "Artikel menurut tanggal terbit"
BY_DAY = "Per hari, 60 hari sampai {}"
BY_MONTH = "Per bulan"
CHART_HEARD = "{}: paling banyak {} artikel pada {}."
FIGURES = "Angkanya"
UNDATED_ARTICLES = "{} artikel tanpa tanggal; pertanyaan tentang waktu tidak menemukannya."
NO_DATES = "Belum ada artikel bertanggal."
PUBLISHERS = "Penerbit"
ARTICLES_HEAD = "Artikel"
NEWEST = "Terbaru"
MORE_PUBLISHERS = "dan {} penerbit lain"

VERSIONS = "Versi indeks"
NO_VERSIONS = "Belum ada versi."
VERSION = "Versi"
BUILT_AT = "Dibangun"
SIZE = "Ukuran"
LIVE = "hidup"
DAMAGED = "rusak"
MAKE_LIVE = "Hidupkan"
MAKE_LIVE_SURELY = (
    "Hidupkan versi {}? Percakapan langsung memakainya, sampai versi berikutnya dibangun."
)
MADE_LIVE = "Versi {} hidup sekarang."
VERSIONS_MORE = (
    "Versi lama tetap tersimpan, sehingga dapat dihidupkan lagi kalau versi baru ternyata salah. "
    "Pembangunan berikutnya memuat lagi semua isi arsip; `tanya watch` membangun sendiri, jadi "
    "hentikan dulu sebelum kembali ke versi lama. Versi berbagi berkas: semuanya bersama {}."
)
PRUNE = "Pangkas"
PRUNE_MORE = (
    "Memangkas menghapus versi lama dari disk dan tidak dapat dibatalkan. Versi yang hidup dan "
    "artikel di arsip selalu tetap."
)
PRUNE_KEEP = "Sisakan versi terbaru sebanyak"
PRUNE_SURELY = "Hapus versi lama sampai tersisa {} yang terbaru?"
PRUNED = "{} versi dihapus, {} tersisa."
CANNOT_SWITCH = "Versi itu tidak ada lagi, atau rusak. Tidak ada yang diubah."

INGESTS = "Yang terbaca terakhir"
NO_INGESTS = (
    "Belum ada laporan. `tanya add`, `tanya watch` dan kiriman di halaman ini meninggalkannya."
)
INGEST_KINDS: Mapping[str, str] = {
    "add": "tanya add",
    "watch": "tanya watch",
    "upload": "kiriman",
}
INGEST_COUNTS = "{} baru · {} berubah · {} sama · {} masalah"
INGEST_UNDATED = "{} tanpa tanggal"
INGEST_UNNAMED = "{} tanpa penerbit"
INGEST_REMOVED = "{} dihapus dulu, jadi tetap di luar"
INGEST_DUPLICATES = "{} cerita yang sudah ada di penerbit lain"
ALL_PROBLEMS = "Unduh semua masalah"
MORE_PROBLEMS = "dan {} lagi"
PROBLEMS_KEPT = "{} yang pertama dari {} masalah tersimpan."
NOTED = "Catatan"
REPORT_GONE = "Laporan ini tidak tersimpan lagi."
STOPPED_BY = "Berhenti: {}"

GAPS = "Pertanyaan tanpa jawaban"
GAPS_MORE = "Yang ditanyakan, tetapi tidak ditemukan di arsip: petunjuk tentang isi yang kurang."
NO_GAPS = "Belum ada."
ASKED_TIMES = "{} kali"
FEEDBACK_TITLE = "Umpan balik"
NO_FEEDBACK = "Belum ada penilaian dari pembaca."
GOOD, BAD = "baik", "buruk"
EVALUATION = "Evaluasi menurut versi"
NO_EVALUATION = (
    "Belum ada pengukuran di folder {}. Buat kumpulan pertanyaan dari arsip ini, lalu ukur versi "
    "yang hidup:"
)
EVALUATION_MORE = "Ukur lagi sesudah membangun versi baru, ke folder lain, dan bandingkan barisnya:"
RUN = "Pengukuran"
SEARCH_RUNS = "Pencarian"
ANSWER_RUNS = "Jawaban"
EVAL_SET = "Kumpulan"

_ERRORS: Mapping[type[errors.TanyaError], str] = {
    errors.IndexMissingError: "Arsip belum diindeks. Jalankan `tanya add` lalu `tanya build`.",
    errors.IndexDamagedError: "Indeks tidak lengkap atau berubah sejak dibangun.",
    errors.IndexUnreadableError: "Indeks tidak dapat dibaca; sebabnya ada di catatan server.",
    errors.ArchiveError: "Basis data arsip tidak dapat dibuka.",
    errors.DiskError: (
        "Disk server penuh, tidak dapat ditulisi, atau gagal. Yang sudah tersimpan tidak hilang."
    ),
    errors.StoppingError: STOPPING,
    errors.BusyError: "Arsip sedang ditulis oleh proses lain. Coba lagi sebentar lagi.",
    errors.ModelError: "Model penelusuran tidak dapat dimuat, atau tidak cocok dengan indeks ini.",
    errors.SettingsError: "Pengaturan tanya.toml tidak dapat dipakai.",
    errors.InputError: "Pertanyaan ini tidak dapat dibaca.",
}


# Values in words ---------------------------------------------------------------------------------


def date_words(day: dt.date | None) -> str:
    """Return a date as Indonesian newspapers write it: "15 Desember 2016"."""
    return written(day) or "tanpa tanggal"


def moment_words(then: dt.datetime) -> str:
    """Return a day and its time by the server's clock: "15 Desember 2016 pukul 08.05"."""
    here = then.astimezone()
    return f"{date_words(here.date())} pukul {here:%H.%M}"


def seen_words(text: EarlierText) -> str:
    """Return when an article's earlier text was seen."""
    until = f"sampai {moment_words(text.until)}"
    return (
        f"terlihat sejak {moment_words(text.since)} {until}" if text.since else f"terlihat {until}"
    )


def ago_words(then: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago something was, as "5 menit lalu"; its date after a month."""
    seconds = (now - then).total_seconds()
    if seconds < 60:
        return "baru saja"
    for limit, unit, name in (
        (3600, 60, "menit"),
        (86_400, 3600, "jam"),
        (2_592_000, 86_400, "hari"),
    ):
        if seconds < limit:
            return f"{int(seconds // unit)} {name} lalu"
    return date_words(then.date())


def number_words(value: int) -> str:
    """Return a number with Indonesian thousands: 12.345."""
    return f"{value:,}".replace(",", ".")


def size_words(count: int) -> str:
    """Return a number of bytes as "12,3 MB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}".replace(".", ",")
    return f"{count} B"


def month_words(day: dt.date) -> str:
    """Return the month of a day: "Mei 2026"."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def wait_words(seconds: int) -> str:
    """Return how long somebody has to wait: "40 detik", "5 menit"."""
    return f"{seconds} detik" if seconds < 60 else f"{-(-seconds // 60)} menit"


def duration_words(seconds: float) -> str:
    """Return a duration in seconds, with a decimal comma."""
    return f"{max(seconds, 0.01):.2f}".replace(".", ",") + " detik"


def filter_words(chosen: Filter) -> str:
    """Return what a filter lets through; "" for one that lets everything through."""
    parts = []
    if chosen.after and chosen.before:
        parts.append(f"{date_words(chosen.after)} – {date_words(chosen.before)}")
    elif chosen.after:
        parts.append(f"sejak {date_words(chosen.after)}")
    elif chosen.before:
        parts.append(f"sampai {date_words(chosen.before)}")
    names = list(chosen.publishers)
    if len(names) > 3:
        names = [*names[:3], f"{len(names) - 3} penerbit lain"]
    if names:
        parts.append(", ".join(names))
    if chosen.authors:
        parts.append(f"oleh {', '.join(chosen.authors)}")
    return " · ".join(parts)


def brief_filter(chosen: Filter) -> str:
    """Return a filter for a terminal: "(9-15 November 2026, Kompas.com)"; "" for none."""
    first, last = chosen.after, chosen.before
    days = f"sejak {written(first)}" if first else f"sampai {written(last)}" if last else ""
    if first and first == last:
        days = written(first)
    elif first and last:
        begin = written(first).split()
        if first.year == last.year:
            # What two days have in common is written once.
            begin = begin[:1] if first.month == last.month else begin[:2]
        days = f"{' '.join(begin)}{'-' if len(begin) == 1 else ' - '}{written(last)}"
    parts = [part for part in (days, *chosen.publishers, *chosen.authors) if part]
    return f"({', '.join(parts)})" if parts else ""


def days_words(days: Filter) -> str:
    """Return the days of a filter in the fewest words: "2019", "Maret 2020", a day, a span."""
    first, last = days.after, days.before
    if first and first == last:
        return date_words(first)
    if first and (first, last) == of_months(first.year):
        return str(first.year)
    if first and (first, last) == of_months(first.year, first.month):
        return f"{MONTHS[first.month - 1]} {first.year}"
    return filter_words(Filter(first, last))


def period_words(first: dt.date | None, last: dt.date | None) -> str:
    """Return a period in the fewest words: "2016 – 2019", "Maret 2019 – Mei 2020", or its days."""
    if first and last:
        years = of_months(first.year), of_months(last.year)
        months = of_months(first.year, first.month), of_months(last.year, last.month)
        for begin, end in (years, months):
            if (first, last) == (begin[0], end[1]):
                return " – ".join(dict.fromkeys(days_words(Filter(*p)) for p in (begin, end)))
    return days_words(Filter(first, last))


def listing_words(listing: Listing) -> str:
    """Return how many articles are listed, and how many more tell one of their stories."""
    if not listing.total:
        return NONE_LEFT if listing.narrowing != Narrowing() else NONE_HOLD
    words = f"{listing_count(listing)} {ARTICLES}"
    if listing.articles > listing.total:
        words += f"; {number_words(listing.articles - listing.total)} pemuatan ulang digabung"
    return words if listing.complete else f"{words}; yang paling cocok saja"


def listing_count(listing: Listing) -> str:
    """Return the number of entries of a list; "3.847+" where there may be more."""
    return number_words(listing.total) + ("" if listing.complete else "+")


def narrowing_words(narrowing: Narrowing) -> str:
    """Return the period that a list is narrowed by."""
    if narrowing.undated:
        return UNDATED
    return f"{PUBLISHED}: {period_words(narrowing.first, narrowing.last)}"


def chart_words(chart: Sequence[Period]) -> str:
    """Return what a chart shows, for those who do not see it."""
    by = "tahun" if all((p.first.month, p.last.month) == (1, 12) for p in chart) else "bulan"
    whole = period_words(chart[0].first, chart[-1].last)
    return f"Banyaknya artikel per {by}, {whole}"


def freshness_words(version: IndexVersion, now: dt.datetime) -> str:
    """Return what the index holds and how fresh it is."""
    named = [name for name, _ in version.publishers if name]
    parts = [f"{number_words(version.articles)} artikel", f"{number_words(len(named))} penerbit"]
    if version.oldest and version.newest:
        oldest, newest = version.oldest.year, version.newest.year
        since = f"{oldest} sampai" if oldest != newest else "sampai"
        parts.append(f"{since} {date_words(version.newest)}")
    built = version.built if version.built.tzinfo else version.built.replace(tzinfo=dt.UTC)
    return " · ".join([*parts, f"indeks diperbarui {ago_words(built, now)}"])


def status_words(answer: Answer) -> str:
    """Return what a screen reader says when an answer is complete."""
    if not answer.claims:
        return refusal_words(silence.telling(answer.evidence))
    return f"Jawaban: {len(answer.claims)} kalimat, {len(answer.citations)} kutipan."


def refusal_words(told: silence.Told | None) -> str:
    """Return what is said first where nothing is answered, but perhaps `told` of."""
    return DISCUSSED if told else NOT_FOUND


def refusal_in_full(evidence: Evidence) -> str:
    """Return what is said where nothing is answered, with the article and its sentence, if any."""
    told = silence.telling(evidence)
    if told is None:
        return NOT_FOUND
    passage, span = told
    return f"{DISCUSSED} {source_words(passage)}: “{' '.join(passage.sentence(span).split())}”"


def byline(article: Article) -> list[str]:
    """Return when and by whom an article was published, its publisher left out."""
    facts = [date_words(article.published)]
    if article.authors:
        facts.append(f"Oleh {', '.join(article.authors)}")
    if article.editors:
        facts.append(f"Editor: {', '.join(article.editors)}")
    if article.origin and article.origin != article.publisher:
        facts.append(f"Dari {article.origin}")
    return facts


def error_words(error: Exception) -> str:
    """Return why a question could not be answered, as far as a visitor may know."""
    if not isinstance(error, errors.TanyaError):
        return "Ada kesalahan di luar dugaan, dan sudah dicatat untuk pengelola."
    if isinstance(error, errors.BusyError) and error.retry:
        return BUSY.format(error.retry)
    return next((words for kind, words in _ERRORS.items() if isinstance(error, kind)), "")


def with_request_code(words: str, code: str) -> str:
    """Return what is told went wrong with the code that the operator finds it by in the log."""
    return f"{words} Kode: {code}." if code else words


def waiting_words(ahead: int) -> str:
    """Return what goes on with a question before which so many others are answered."""
    return WAITING_TURN.format(number_words(ahead)) if ahead else SEARCHING


def marks(claim: Claim) -> str:
    """Return the numbers of the citations of a claim: "[1][3]"."""
    return "".join(f"[{number}]" for number in claim.cited)


def plain_text(turn: Turn) -> str:
    """Return an answer with its citations as text, to be pasted somewhere else."""
    answer = turn.answer
    lines = [turn.question.strip(), ""]
    for claim in answer.claims:
        lines.append(f"{claim.text} {marks(claim)}")
    if answer.citations:
        lines += ["", f"{SOURCES}:"]
    for citation in answer.citations:
        passage = citation.passage
        lines.append(
            f"[{citation.number}] {source_words(passage)} {safe_url(passage.url)}".rstrip()
        )
        lines.append(f"    “{' '.join(citation.quote.split())}”")
    return "\n".join(lines)


def source_words(passage: Passage) -> str:
    """Return an article's headline, publisher and day on one line."""
    facts = f"{passage.publisher or NO_PUBLISHER.lower()}, {date_words(passage.published)}"
    return f"{passage.title or UNTITLED} ({facts})"


# Words of a visitor ------------------------------------------------------------------------------

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY = re.compile(r"(\d{1,2})[\s/.-]+(\d{1,2}|[a-z]+)[\s/.,-]+(\d{4})")
_MONTH = re.compile(r"(?:(\d{1,2}|[a-z]+)[\s/.-]+)?(\d{4})")


def parse_day(typed: str, *, last: bool = False) -> dt.date | None:
    """Read a date as people type it: 15/12/2016, 15 Des 2016, 2016-12-15, Desember 2016, 2016.

    Of a month or a year it is the first day, or the `last`. Raises ValueError with a message for
    the person.
    """
    value = " ".join(typed.lower().split())
    if not value:
        return None
    try:
        if found := _ISO.fullmatch(value):
            return dt.date(*(int(part) for part in found.groups()))
        if found := _DAY.fullmatch(value):
            day, month, year = found.groups()
            return dt.date(int(year), _month_number(month), int(day))
        if found := _MONTH.fullmatch(value):
            month, year = found.groups()
            return of_months(int(year), _month_number(month) if month else None)[last]
    except ValueError:
        pass
    raise ValueError(
        f"Tanggal “{typed.strip()[:40]}” tidak dikenali. Contoh: 15/12/2016 atau 2016."
    )


def _month_number(word: str) -> int:
    if word.isdigit():
        return int(word)
    matches = [n for n, name in enumerate(MONTHS, 1) if name.lower().startswith(word)]
    if len(word) < 3 or len(matches) != 1:
        raise ValueError(word)
    return matches[0]


def parse_filter(
    after: str, before: str, publishers: Sequence[str] | None, authors: Sequence[str] = ()
) -> Filter:
    """Return the filter that a person set; raises ValueError with a message for them."""
    first, until = parse_day(after or ""), parse_day(before or "", last=True)
    if first and until and first > until:
        raise ValueError(
            f"“{AFTER}” ({date_words(first)}) jatuh sesudah "
            f"“{BEFORE.lower()}” ({date_words(until)})."
        )
    return Filter(first, until, tuple(publishers or ()), tuple(authors))


# Was it right? -----------------------------------------------------------------------------------

WAS_IT_RIGHT = "Apakah jawaban ini benar?"
WAS_IT_RIGHT_TO_REFUSE = "Tepatkah tidak dijawab?"
RIGHT, NOT_RIGHT = "Ya", "Tidak"
THANKS_GOOD = "Terima kasih. Anda menilai jawaban ini benar."
THANKS_BAD = "Terima kasih. Anda menilai jawaban ini tidak benar"
THANKS_REFUSED_GOOD = "Terima kasih. Anda menilai arsip memang tidak memuatnya."
THANKS_REFUSED_BAD = "Terima kasih. Menurut Anda ini seharusnya dijawab."
CHANGE_VERDICT = "Ubah"
WHAT_IS_WRONG = "Apa yang salah?"
SHOULD_BE_ANSWERED = "Seharusnya dijawab"
VERDICT_REASONS = {
    "wrong": "Orang atau angka salah",
    "outdated": "Sudah usang",
    "beside": "Bukan jawabannya",
}
YOUR_WORDS = "Keterangan"
RIGHT_ANSWER = "Jawaban yang benar"
RIGHT_ARTICLE = "Alamat artikel yang memuatnya"
MAY_BE_EMPTY = "boleh kosong"
SEND_VERDICT = "Kirim"
VERDICT_NOT_KEPT = "Penilaian tidak tersimpan. Coba sekali lagi."
