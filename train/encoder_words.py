"""Owns a small Indonesian-English word list, written for starting the encoder's token vectors.

Each word gets the English word's vector to start from; training moves it where it belongs. The
list leaves out what is spelled alike in both languages, but holds false friends ("air" is water).
"""

from __future__ import annotations

_PAIRS = """
yang which|di in|dan and|apa what|dengan with|dari from|untuk for|pada on|ini this|dalam within
itu that|tidak not|tahun year|ke to|oleh by|akan will|adalah is|juga also|berapa many|sebagai as
menjadi become|kapan when|siapa who|ada exists|mereka they|lebih more|bisa can|tersebut mentioned
pertama first|atau or|negara country|saat moment|apakah whether|orang person|banyak many|mana which
satu one|karena because|nama name|bahwa that|dapat can|telah has|saya i|sudah already|seperti like
kata said|secara by|kota city|dia he|memiliki has|setelah after|ia he|baru new|kami we|besar big
kali times|dua two|merupakan is|namun however|beberapa several|masih still|lain other|tak not
hanya only|kepada to|para the|dunia world|hingga until|luas area|salah wrong|antara between|hari day
harus must|atas upon|ketika when|sebuah a|terjadi happened|selama during|lalu then|hal thing
sama same|membuat make|digunakan used|melakukan do|waktu time|bagi for|inggris english|kedua second
dilakukan done|mengatakan said|siapakah who|selatan south|pemerintah government|amerika america
tentang about|utama main|paling most|jenis type|jumlah total|bagian part|tim team|kita we
pemain player|wilayah region|terakhir last|menurut according|kemudian then|rumah house|anak child
tiga three|kembali back|terhadap towards|mulai start|jika if|sangat very|selain besides
masyarakat society|melalui through|pun even|berapakah many|bahasa language|serta and|lagi again
belum yet|presiden president|bagaimana how|sejak since|saja just|perusahaan company|baik good
semua all|hukum law|sistem system|bukan not|bersama together|timur east|memberikan give|seorang a
jadi so|menggunakan using|barat west|sekolah school|sementara while|sendiri self
sebelumnya previously|eropa europe|sekitar around|tengah middle|lainnya other|daerah area
masalah problem|anggota member|sampai until|dimaksud meant|lahir born|teknologi technology|tapi but
uang money|disebut called|bulan month|termasuk including|juta million|musim season|tinggi high
air water|berada located|umum general|sebelum before|utara north|lama long|pernah ever|perang war
sehingga so|awal beginning|undang law|tempat place|mesin machine|ingin want|gol goal|agar so
menit minute|mata eye|tetapi but|masa period|langsung direct|masuk enter|jalan street|kasus case
hasil result|luar outside|terus continue|serikat union|pusat center|proses process|ujar said
persen percent|ditemukan found|asal origin|tetap remain|sejumlah number|partai party|terkait related
setiap every|laut sea|diri self|kabupaten regency|jepang japan|anda you|jawa java
universitas university|dikenal known|jerman germany|meninggal died|prancis france|depan front
resmi official|berbagai various|kalau if|seluruh entire|memang indeed|sel cell|ekonomi economy
bawah below|pihak party|nasional national|berhasil succeeded|kerja work|akhir end|agama religion
pulau island|terbesar largest|laga match|provinsi province|warga citizens|mengapa why|ketua chairman
abad century|didirikan founded|tanggal date|sumber source|mendapatkan get|empat four|liga league
yaitu namely|berita news|mampu able|sebagian some|letak location|tanpa without|menteri minister
bekerja work|industri industry|laporan report|kepala head|mungkin maybe|kelompok group|masing each
layanan service|dinasti dynasty|akhirnya finally|manakah which|berasal originated|penting important
kini now|negeri state|cara way|bahkan even|bentuk form|kerajaan kingdom|cukup enough|sekarang now
mencapai reach|ibu mother|kapankah when|benar true|sungai river|cuma only|dimiliki owned
dimana where|suatu a|sosial social|biasanya usually|berbeda different|acara event|serangan attack
sedang being|menyatakan stated|kecil small|manusia human|lagu song|tanah land|mobil car
proyek project|pertandingan match|bidang field|bola ball|mengikuti follow|berdasarkan based
produk product|suara voice|jauh far|menyebabkan cause|nomor number|raja king|menemukan found
posisi position|sempat once|pasar market|politik politics|melihat see|lima five|korban victim
dianggap considered|keluarga family|meski although|membantu help|mengalami experience|harga price
suku tribe|tingkat level|pemerintahan government|dimulai started|khusus special|yakni namely
ibukota capital|inovasi innovation|hidup life|perlu need|menerima receive|muncul appear|sering often
pengguna user|kamu you|hak rights|kondisi condition|sedangkan while|kekuatan power|kantor office
tujuan purpose|menciptakan created|musik music|badan body|bilangan number|maka then|istilah term
penduduk population|poin points|rabu wednesday|bermain play|punya have|katanya said|kelas class
demikian thus|juara champion|pendidikan education|minggu sunday|diketahui known|sebesar amount
klub club|datang come|karya work|malam night|teori theory|internasional international
mengaku admitted|oksigen oxygen|informasi information|bakal will|daya power|gereja church|tubuh body
kawasan area|babak half|ilmu science|polisi police|mendapat get|semakin increasingly
kemenangan victory|kesehatan health|pengadilan court|terbaru latest|ketiga third|korupsi corruption
menunjukkan show|mantan former|lokasi location|rata average|api fire|tinggal live|wakil deputy
pendiri founder|maupun or|belanda netherlands|membawa bring|aplikasi application|dimanakah where
lewat via|jam hour|parlemen parliament|kamis thursday|kementerian ministry|diberikan given
angka number|miliar billion|sepanjang along|muda young|kebijakan policy|biasa usual|sesuai according
berlangsung took|bahan material|meningkatkan increase|komunitas community|bisnis business
hutan forest|bernama named|begitu so|dibuat made|dekat near|bumi earth|meminta ask|arab arab
gubernur governor|terletak located|dewan council|pasukan troops|mendukung support|pasal article
cepat fast|soal about|keputusan decision|menyebut called|udara air|populasi population
dirinya himself|nilai value|warna color|perubahan change|menghasilkan produce|panjang long
terkenal famous|contoh example|mengenai about|periode period|kurang less|pelaku perpetrator
terdiri consists|selalu always|ribu thousand|makanan food|surat letter|ruang room|memilih choose
minyak oil|dirilis released|dibangun built|perangkat device|dasar basic|perjanjian treaty
akibat result|terbaik best|sisi side|kekaisaran empire|melawan against|lanjut further
organisasi organization|sejarah history|fungsi function|hubungan relationship|perempuan woman
sebanyak many|buku book|pembangunan development|tampil appear|publik public|berakhir ended
pemimpin leader|jelas clear|sedikit little|pesawat aircraft|kegiatan activity|militer military
menarik interesting|bangsa nation|fitur feature|meskipun although|nanti later|kapal ship
rencana plan|terlihat seen|tahu know|gaya style|selasa tuesday|pertumbuhan growth|jaringan network
karakter character|adanya existence|barang goods|mengambil take|budaya culture|upaya effort
jumat friday|uap steam|italia italy|terutama especially|membangun build|rendah low
keuangan financial|lembaga institution|terdapat there|skotlandia scotland|sipil civil|pria man
sabtu saturday|satunya only|merah red|pekerjaan job|menjelaskan explained|jenderal general
pekan week|dana funds|mudah easy|gerakan movement|aksi action|ya yes|mau want|kereta train
milik owned|alat tool|siswa student|lingkungan environment|hampir almost|desa village
komisi commission|kaisar emperor|jalur path|memutuskan decided|memberi give|biaya cost|segera soon
foto photo|pasangan couple|ahli expert|panas hot|gagal failed|berdiri stand|pukul hour
konsep concept|afrika africa|senin monday|gedung building|hujan rain|dikutip quoted|naik rise
zaman era|hitam black|berarti mean|penyebab cause|kuat strong|sekaligus also|listrik electricity
tiongkok china|alasan reason|bangunan building|mengembangkan develop|berjalan walk|grup group
gelar title|dibandingkan compared|tersangka suspect|tertentu certain|keamanan security|putra son
enam six|siap ready|rusia russia|sakit sick|perdagangan trade|pelatih coach|piala cup|berusia aged
usai after|skor score|gunung mountain|pertempuran battle|produksi production|operasi operation
pertemuan meeting|kematian death|yunani greece|sana there|tua old|pendapatan income|tokoh figure
penulis writer|putih white|peran role|obat medicine|hadir present|spanyol spain|berkembang develop
membentuk form|agustus august|langkah step|memastikan ensure|keluar out|merdeka independent
bandara airport|meraih won|usia age|berharap hope|asli original|jawab answer|lapangan field
sukses success|seni art|membuka open|keterangan statement|bergabung join|sekali once
misalnya example|riset research|arah direction|juli july|mendatang upcoming|gawang goal
pengembangan development|juni june|swasta private|rakyat people|keras hard|energi energy
keduanya both|permainan game|tangan hand|diduga allegedly|bantuan aid|januari january|batu stone
perancis france|pernyataan statement|bebas free|sebenarnya actually|pekerja worker|belakang behind
mengubah change|merasa feel|agung supreme|mencari search|terlibat involved|statistik statistics
wanita woman|daripada than|penyakit disease|kendaraan vehicle|tentu certainly|pertahanan defense
calon candidate|tekanan pressure|tiba arrived|bukti evidence|tindakan action|rasa feeling
berat heavy|cina china|penggunaan use|olahraga sports|situs site|triliun trillion|diciptakan created
bertahan survive|pajak tax|versi version|tepat right|dukungan support|garis line|ikut join
menambahkan added|menolak refused|tugas task|dulu formerly|peluang chance|terbuka open
peringkat rank|terlalu too|direktur director|mencetak scored|turut also|stadion stadium|digelar held
fokus focus|bagus good|kesempatan opportunity|sulit difficult|seseorang someone|seri series
masjid mosque|mendirikan founded|akun account|titik point|selanjutnya next|bintang star|ajang event
peristiwa event|danau lake|turun down|mei may|desember december|tujuh seven|raya great|baca read
perjalanan journey|menulis wrote|tertinggi highest|awalnya initially|memungkinkan enable
mendorong push|tambahan additional|emas gold|perdana prime|kimia chemistry|hewan animal
peningkatan increase|kebutuhan needs|komputer computer|seputar around|penelitian research
prinsip principle|aturan rules|taman park|mengungkapkan revealed|tenaga energy|televisi television
kemarin yesterday|lokal local|lahan land|kompetisi competition|dilarang banned|istri wife
ukuran size|menang win|tuan host|dugaan alleged|dibentuk formed|aliran flow|mengumumkan announced
sektor sector|menghadapi face|jangan don|putri daughter|kalah lost|usaha business
menegaskan stressed|menuju towards|tenggara southeast|menilai judged|pesan message|alam nature
kemungkinan possibility|suhu temperature|penuh full|pilihan choice|komunikasi communication
diterima accepted|pejabat officials|telepon telephone|definisi definition|namanya name
petugas officer|hakim judge|dikembangkan developed|bertemu meet|menjalani undergo|mesir egypt
bergerak move|kehidupan life|wabah outbreak|unsur element|kaki foot|mengunduh download
berubah change|lawan opponent|asing foreign|kemampuan ability|mencoba try|pula also|makan eat
pasti sure|desain design|kepolisian police|kamera camera|menyediakan provide|dokter doctor
hati heart|cabang branch|memulai start|polandia poland|pantai beach|stasiun station|mati dead
sidang trial|kekebalan immunity|teman friend|pebalap racer|batas limit|roma rome|maret march
justru instead|kecepatan speed|benda object|mempunyai has|tutur said|kejadian incident
menyampaikan convey|memimpin led|melanjutkan continue|meninggalkan leave|sepak football|khas typical
setempat local|kepulauan islands|mayoritas majority|efek effect|menjaga guard|dilahirkan born
romawi roman|penghargaan award|tentara army|buat for|mengurangi reduce|ucap said|percaya believe
spesies species|kekuasaan power|mahasiswa students|sebelah side|pemilihan election|kontrak contract
kabar news|peraturan regulation|umumnya generally|sini here|tradisional traditional
singapura singapore|balik back|pidana criminal|menjabat served|aktif active|konser concert
konsumen consumer|seberapa how|membutuhkan need|meter meters|puncak peak|ternyata turns|cerita story
faktor factor|menentukan determine|mengeluarkan issued|fasilitas facilities|layar screen
tersedia available|pimpinan leader|massa mass|keempat fourth|saksi witness|sebab cause
selesai finished|pers press|buah fruit|daftar list|istana palace|diadakan held|dampak impact
permukaan surface|saluran channel|jatuh fall|tumbuh grow|studi study|diharapkan expected
pribadi personal|februari february|pengertian meaning|standar standard|jiwa soul|delapan eight
memasuki enter|perkembangan development|menggambarkan describe|pemilik owner|perbedaan difference
pindah moved|anggaran budget|bicara talk|pertengahan middle|ulang repeat|menyelesaikan finish
ditutup closed|molekul molecule|memenangkan won|rapat meeting|kaum people|jarak distance
memenuhi meet|kursi seat|memanfaatkan use|boleh may|kehilangan lost|pemeriksaan examination|coba try
populer popular|belajar learn|sesi session|fisik physical|paket package|angkatan force|bunga flower
menawarkan offer|demi for|uji test|menyerang attack|kulit skin|penumpang passenger|darah blood
peserta participants|solusi solution|mempertahankan maintain|penalti penalty
kemerdekaan independence|ditangkap arrested|berlaku valid|gambar picture|situasi situation
katolik catholic|mencegah prevent|tunggal single|diberi given|catatan note|permintaan demand
buruk bad|menyebutkan mention|pencipta creator|tahap stage|dihasilkan produced|penjualan sales
dolar dollar|aku i|perbatasan border|berhenti stop|senjata weapons|gempa earthquake|bendera flag
pengalaman experience|tercatat recorded|ikan fish|pemilu election|wisata tourism|pangeran prince
berikut following|ayah father|guru teacher|pagi morning|kotak box|elemen element|maksud meaning
pertanian agriculture|ditulis written|pemberontakan rebellion|tanda sign|turki turkey
mengetahui know|menampilkan show|seharusnya should|lengkap complete|mengakui admitted
diterbitkan published|kampanye campaign|keadaan condition|kualitas quality|ditetapkan set
saudara brother|penjara prison|perwakilan representative|kategori category|latihan training
nuklir nuclear|kartu card|aktivitas activity|menggantikan replace|kebakaran fire|hilang lost
objek object|divisi division|terbatas limited|dinas agency|artinya meaning|potensi potential
diperkirakan estimated|kekalahan defeat|tiket ticket|aman safe|iklim climate|pertanyaan question
struktur structure|ayat verse|kesalahan error|sembilan nine|sepuluh ten|sebelas eleven|belas teen
puluh ten|ratus hundred|seratus hundred|seribu thousand|kuning yellow|hijau green|biru blue
suami husband|adik sister|kakak brother|nenek grandmother|kakek grandfather|paman uncle|bayi baby
gigi teeth|rambut hair|tulang bone|otak brain|jantung heart|paru lungs|hidung nose|telinga ear
mulut mouth|kepalanya head|kuda horse|sapi cow|kucing cat|anjing dog|burung bird|ular snake
ayam chicken|kambing goat|gajah elephant|harimau tiger|pohon tree|daun leaf|akar root|biji seed
padi rice|beras rice|nasi rice|gula sugar|garam salt|kopi coffee|teh tea|susu milk|daging meat
roti bread|sayur vegetable|minum drink|minuman drink|tidur sleep|menonton watch|mendengar hear
menjual sell|membeli buy|dijual sold|dibeli bought|membunuh kill|tewas killed|dibunuh killed
luka injured|terluka injured|jenazah corpse|dimakamkan buried|makam tomb|menikah married
pernikahan wedding|cerai divorce|lahirnya birth|kelahiran birth|wafat died|meledak exploded
ledakan explosion|bom bomb|banjir flood|longsor landslide|tsunami tsunami|bencana disaster
kecelakaan accident|tabrakan collision|jembatan bridge|pelabuhan port|pasien patient|rumahnya house
kamar room|pintu door|jendela window|meja table|baju clothes|pakaian clothing|sepatu shoes|topi hat
perahu boat|sepeda bicycle|roda wheel|besi iron|baja steel|kayu wood|kertas paper|kaca glass
perak silver|tembaga copper|udang shrimp|bajak pirate|surga heaven|tuhan god|dewa god|nabi prophet
imam priest|pendeta priest|candi temple|kuil temple|ulama cleric|haji pilgrimage|puasa fasting
doa prayer|salat prayer|kitab book|alkitab bible|suci holy|langit sky|matahari sun|angin wind
salju snow|es ice|badai storm|musuh enemy|perdamaian peace|damai peace|tahanan prisoner
hukuman sentence|dihukum sentenced|vonis verdict|jaksa prosecutor|pengacara lawyer|tuntutan demand
gugatan lawsuit|pencuri thief|pencurian theft|pembunuhan murder|perkosaan rape|narkoba drugs
sopir driver|pilot pilot|tukang craftsman|petani farmer|nelayan fisherman|buruh labor
pedagang trader|pengusaha businessman|penyanyi singer|pemeran actor|aktris actress
sutradara director|pelukis painter|ilmuwan scientist|penemu inventor|penyair poet
wartawan journalist|penjaga guard|kiper goalkeeper|penyerang striker|bek defender
gelandang midfielder|wasit referee|pendukung supporters|penonton audience|pemenang winner
dimenangkan won|dipimpin led|diproduksi produced|ditandatangani signed|disutradarai directed
terpilih elected|dilantik inaugurated|diangkat appointed|dipecat fired|mundur resigned
memerintah ruled|merebut seized|menguasai control|menyerah surrender|mengalahkan defeated
berkuasa ruled|jajahan colony|penjajahan colonialism|kolonial colonial|pahlawan hero|bangsawan noble
ratu queen|permaisuri queen|sultan sultan|kesultanan sultanate|keturunan descent|leluhur ancestor
bapak father|tuanya parents|timnya team|gelombang wave|cahaya light|bunyi sound|berdasar based
tebal thick|lebar wide|dalamnya depth|ketinggian height|kedalaman depth|tingginya height
luasnya area|panjangnya length|beratnya weight|umur age|usianya age|jumlahnya number|harganya price
kelurahan ward|kecamatan district|distrik district|negaranya country|benua continent|samudra ocean
samudera ocean|teluk bay|selat strait|lembah valley|gurun desert|hulu upstream|muara estuary
perairan waters|daratan land|semenanjung peninsula|australia australia|swedia sweden
swiss switzerland|norwegia norway|denmark denmark|finlandia finland|hongaria hungary
portugal portugal|belgia belgium|irlandia ireland|brasil brazil|meksiko mexico|kanada canada
filipina philippines|kamboja cambodia|selandia zealand|mongolia mongolia|suriah syria|irak iraq
yordania jordan|palestina palestine|lebanon lebanon|maroko morocco|etiopia ethiopia
kristen christian|yahudi jewish|hindu hindu|buddha buddha|protestan protestant|sekte sect
sekutu allies|sihir magic|rasio ratio|laju rate|keliling circumference|segitiga triangle
lingkaran circle|perbandingan ratio|tambang mine|batubara coal|pabrik factory|saham shares
utang debt|pinjaman loan|gaji salary|pengangguran unemployment|kemiskinan poverty|miskin poor
kaya rich|ekspor exports|impor imports|investasi investment|pemasok supplier|pelanggan customer
pembeli buyer|penjual seller|cuaca weather|dingin cold|kering dry|basah wet|gelap dark|terang bright
ringan light|lambat slow|mahal expensive|murah cheap|indah beautiful|cantik beautiful|kotor dirty
bersih clean|sehat healthy|bahaya danger|berbahaya dangerous|rahasia secret|mimpi dream|cinta love
takut afraid|senang happy|marah angry|sedih sad|tertawa laugh|senyum smile|bohong lie|lupa forget
ingat remember|berpikir think|pikiran mind|ingatan memory|mengajar teach|mengajarkan teach
murid student|pelajaran lesson|kuliah college|sarjana bachelor|gurunya teacher|perguruan college
yayasan foundation|perpustakaan library|koran newspaper|majalah magazine|penerbit publisher
radio radio|siaran broadcast|pemancar transmitter|bioskop cinema|panggung stage|tari dance
tarian dance|gitar guitar|gamelan orchestra|lukisan painting|patung statue|rambutnya hair
dibuka opened|diresmikan inaugurated|diluncurkan launched|dijadwalkan scheduled|direncanakan planned
disetujui approved|ditolak rejected|dituduh accused|didakwa charged|dilaporkan reported
disebabkan caused|dipakai used|dikuasai controlled|ditandai marked|dinamakan named
dijuluki nicknamed|julukan nickname|sebutan designation|singkatan abbreviation
kepanjangan abbreviation|arti meaning|makna meaning|terbuat made|bertugas assigned
berfungsi functions|berpusat centered|bermarkas headquartered|markas headquarters|berlokasi located
beribukota capital|berbatasan borders|berjumlah numbered|bergelar titled|dipanggil called
kemanakah where|kemana where|darimana where|kenapa why|bagaimanakah how|adakah exists|mengapakah why
bilakah when|barangkali perhaps|sebaliknya conversely|kecuali except|walaupun although|bila if
apabila if|seandainya if|sambil while|seraya while|sembari while|antar between|seusai after
menjelang before|sesudah after|kelak later|besok tomorrow|lusa tomorrow|sore afternoon|siang noon
dini early|tadi earlier|semalam night|detik seconds|windu decade|dekade decade|dasawarsa decade
milenium millennium|masehi ad
"""

WORDS: dict[str, str] = dict(
    (pair.split()[0], pair.split()[1])
    for line in _PAIRS.strip().splitlines()
    for pair in line.split("|")
)
"""Indonesian words with an English word of about the same meaning."""
