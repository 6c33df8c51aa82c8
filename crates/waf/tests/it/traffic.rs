//! Ordinary traffic: requests as people and programs make them, varied, the same for a seed. None is an attack.

/// A request that nobody should be refused.
pub struct Ordinary {
    /// What kind it is.
    pub kind: &'static str,
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Ordinary {
    /// As it is sent.
    pub fn wire(&self) -> sekisho_waf::wire::Request {
        sekisho_waf::wire::Request {
            method: self.method.into(),
            target: self.target.clone().into(),
            protocol: b"HTTP/1.1".to_vec(),
            headers: self.headers.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect(),
            body: self.body.clone(),
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn hex(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(self.of(b"0123456789abcdef"))).collect()
    }

    fn base64(&mut self, n: usize) -> String {
        (0..n)
            .map(|_| char::from(self.of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")))
            .collect()
    }

    fn uuid(&mut self) -> String {
        format!("{}-{}-4{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }
}

const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
];
const LANGUAGES: &[&str] =
    &["ja,en-US;q=0.9,en;q=0.8", "en-US,en;q=0.9", "ja-JP", "en-GB,en;q=0.5", "de-DE,de;q=0.9,en;q=0.8"];
const HOSTS: &[&str] = &["app.example.com", "shop.example.jp", "www.example.org", "portal.example.co.jp"];

const FIRST: &[&str] = &[
    "Ken",
    "Yuki",
    "Anna",
    "Miles",
    "Siobhán",
    "José",
    "François",
    "Zoë",
    "太郎",
    "花子",
    "さくら",
    "一郎",
    "Jean-Luc",
    "Mary Ann",
];
const LAST: &[&str] = &[
    "O'Brien",
    "O'Connor",
    "D'Angelo",
    "Sato",
    "Müller",
    "van der Berg",
    "Smith-Jones",
    "佐藤",
    "鈴木",
    "高橋",
    "渡邉",
    "Nguyễn",
    "McDonald",
    "L'Écuyer",
];
const PLACES: &[&str] = &[
    "東京都千代田区丸の内1-1-1",
    "大阪府大阪市北区梅田3丁目1番3号",
    "京都府京都市中京区寺町通御池上る",
    "221B Baker Street, London NW1 6XE",
    "1600 Amphitheatre Pkwy, Apt. #12",
    "Flat 3, St. John's Road",
    "北海道札幌市中央区北一条西2-1 〒060-8611",
    "c/o M. Dupont, 12 rue de l'Église, 75015 Paris",
    "Unter den Linden 77, 10117 Berlin",
    "神奈川県横浜市西区みなとみらい2-3-1 クイーンズタワーB 15F",
];
const SENTENCES: &[&str] = &[
    "お世話になっております。先日ご連絡いただいた件について、ご確認をお願いいたします。",
    "明日の会議は10時から、第2会議室で行います。資料は添付のとおりです。",
    "请确认您的订单。",
    "配送先の変更をお願いします。電話番号は以前と同じです。",
    "I'd like to know when my order will arrive; it's been two weeks.",
    "The colour wasn't what I expected, but the quality is great!",
    "Thanks for your help yesterday. Let's talk again on Friday at 3pm.",
    "Could you please update my address? We've moved to a new office.",
    "It works on my machine, though the other one shows an empty page.",
    "We need 3 more chairs & 2 tables by 12/05 (see the list).",
    "Please find the notes of today's meeting below. Everyone agreed on the first option.",
    "Our team has grown from 5 to 12 people in one year: 140% growth!",
    "Is there a discount for schools? We are a non-profit organisation.",
    "The train was late again, so I'll join about 20 minutes after the start.",
    "My son's birthday is on the 4th, so please send it before then.",
    "She said \"that's fine\" and we went on.",
    "Das Paket ist leider beschädigt angekommen, ich möchte es zurückgeben.",
    "Je n'ai pas reçu la facture du mois d'août, pouvez-vous me l'envoyer ?",
    "今月の売上は前年比で12%増加しました。詳細はグラフをご覧ください。",
    "ご不明な点がございましたら、お気軽にお問い合わせください。",
    "猫が好きです。犬も好きですが、猫のほうがもっと好きです。",
    "The new model is faster than the old one, and it uses less power.",
    "Don't forget: the office is closed on Monday and Tuesday.",
    "I think we should order a few more before the price goes up.",
    "Great service, friendly staff, and the food was delicious.",
    "会議の議事録を共有します。修正があれば金曜日までにお知らせください。",
    "Where can I find the manual for the A-200? The link in the e-mail is broken.",
    "Please reset the counter on the second floor printer.",
    "Total: 1,280 yen (tax included)",
    "The answer is 42, isn't it?",
];
const SEARCHES: &[&str] = &[
    "running shoes",
    "東京 ホテル 安い",
    "how to boil an egg",
    "men's jacket size L",
    "ノートパソコン 14インチ",
    "50% off",
    "c++ tutorial",
    "r&b music",
    "what's new",
    "cheap flights to Paris",
    "rock & roll",
    "black or white",
    "union station hotel",
    "select comfort bed",
    "drop shipping",
    "table and chairs",
    "古本 文庫 まとめ",
    "jalapeño recipe",
    "bed and breakfast",
    "how do I delete my account",
    "令和5年 カレンダー",
    "usb-c hub 4k",
    "children's books",
    "1/2 inch pipe",
    "d&d dice set",
];
const SLUGS: &[&str] = &[
    "products",
    "articles",
    "news",
    "categories",
    "orders",
    "docs",
    "users",
    "help",
    "images",
    "about-us",
    "blog",
    "日本語",
];

/// Percent-encodes as a browser's form does.
fn form(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(b).to_string(),
            b' ' => "+".to_owned(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

struct Maker {
    random: Random,
}

impl Maker {
    fn name(&mut self) -> String {
        format!("{} {}", self.random.of(FIRST), self.random.of(LAST))
    }

    fn mail(&mut self) -> String {
        let user = self.random.of(&["ken.sato", "y-tanaka", "anna+news", "info", "j.obrien", "k_mueller", "support"]);
        format!("{user}@{}", self.random.of(&["example.com", "mail.example.jp", "example.co.uk"]))
    }

    fn prose(&mut self, sentences: usize) -> String {
        (0..sentences).map(|_| self.random.of(SENTENCES)).collect::<Vec<_>>().join(" ")
    }

    fn phone(&mut self) -> String {
        let (a, b) = (self.random.below(9000) + 1000, self.random.below(9000) + 1000);
        self.random.of(&["090-", "+81 3 ", "03-", "(020) "]).to_owned() + &format!("{a}-{b}")
    }

    fn headers(&mut self, host: &str) -> Vec<(&'static str, String)> {
        let mut out = vec![
            ("Host", host.to_owned()),
            ("User-Agent", self.random.of(BROWSERS).to_owned()),
            ("Accept-Language", self.random.of(LANGUAGES).to_owned()),
            ("Accept-Encoding", "gzip, deflate, br".to_owned()),
        ];
        if self.random.below(3) > 0 {
            let session = self.random.base64(32);
            let analytics =
                format!("GA1.1.{}.{}", self.random.below(2_000_000_000), 1_700_000_000 + self.random.below(50_000_000));
            let theme = self.random.of(&["dark", "light", "auto"]);
            out.push(("Cookie", format!("session={session}; _ga={analytics}; theme={theme}; lang=ja")));
        }
        if self.random.below(3) == 0 {
            out.push((
                "Referer",
                format!("https://{host}/{}/{}", self.random.of(&SLUGS[..11]), self.random.below(10_000)),
            ));
        }
        out
    }

    fn page(&mut self) -> Ordinary {
        let host = self.random.of(HOSTS);
        let mut headers = self.headers(host);
        headers.push((
            "Accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8".to_owned(),
        ));
        let slug = form(self.random.of(SLUGS));
        let target = match self.random.below(4) {
            0 => format!("/{slug}/{}", self.random.below(100_000)),
            1 => format!(
                "/{slug}?page={}&sort={}&per_page=20",
                self.random.below(50),
                self.random.of(&["price_asc", "new", "-created_at", "name"])
            ),
            2 => format!(
                "/{slug}/{}.{}",
                self.random.hex(12),
                self.random.of(&["html", "css", "js", "png", "jpg", "svg", "webp", "woff2"])
            ),
            _ => format!(
                "/{slug}/{}/?utm_source=newsletter&utm_medium=email&utm_campaign=spring_2026",
                self.random.uuid()
            ),
        };
        Ordinary { kind: "page", method: "GET", target, headers, body: Vec::new() }
    }

    fn search(&mut self) -> Ordinary {
        let host = self.random.of(HOSTS);
        let mut headers = self.headers(host);
        headers.push(("Accept", "*/*".to_owned()));
        let query = form(self.random.of(SEARCHES));
        let target = format!(
            "/search?q={query}&category={}&min={}&max={}",
            self.random.of(&["all", "books", "music", "本"]).bytes().map(|b| format!("%{b:02X}")).collect::<String>(),
            self.random.below(100),
            100 + self.random.below(10_000)
        );
        Ordinary { kind: "search", method: "GET", target, headers, body: Vec::new() }
    }

    fn redirect(&mut self) -> Ordinary {
        let host = self.random.of(HOSTS);
        let mut headers = self.headers(host);
        headers.push(("Accept", "text/html".to_owned()));
        let target = match self.random.below(3) {
            0 => format!(
                "/oauth/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid+profile+email&state={}&code_challenge={}&code_challenge_method=S256",
                self.random.hex(16),
                form(&format!("https://{host}/callback")),
                self.random.base64(24),
                self.random.base64(43)
            ),
            1 => format!(
                "/callback?code={}&state={}&iss={}",
                self.random.base64(40),
                self.random.base64(24),
                form(&format!("https://{host}"))
            ),
            _ => format!(
                "/login?next={}",
                form(&format!("/{}/{}", self.random.of(&SLUGS[..11]), self.random.below(1000)))
            ),
        };
        Ordinary { kind: "redirect", method: "GET", target, headers, body: Vec::new() }
    }

    fn posted(&mut self, kind: &'static str, target: String, content_type: &str, body: Vec<u8>) -> Ordinary {
        let host = self.random.of(HOSTS);
        let mut headers = self.headers(host);
        headers.push(("Accept", self.random.of(&["application/json", "*/*", "text/html"]).to_owned()));
        headers.push(("Origin", format!("https://{host}")));
        headers.push(("Content-Type", content_type.to_owned()));
        headers.push(("Content-Length", body.len().to_string()));
        let method = if kind == "api" && self.random.below(3) == 0 { "PUT" } else { "POST" };
        // The rule set allows GET, HEAD, POST and OPTIONS until the operator says otherwise.
        let method = if method == "PUT" { "POST" } else { method };
        Ordinary { kind, method, target, headers, body }
    }

    fn form(&mut self) -> Ordinary {
        let (count, password) = (1 + self.random.below(3), self.random.base64(14));
        let fields: Vec<(&str, String)> = match self.random.below(4) {
            0 => vec![
                ("name", self.name()),
                ("email", self.mail()),
                ("message", self.prose(count + 2)),
                ("agree", "on".to_owned()),
            ],
            1 => vec![
                ("username", self.mail()),
                ("password", password),
                ("remember", "1".to_owned()),
                ("csrf_token", self.random.hex(40)),
            ],
            2 => vec![
                ("billing[name]", self.name()),
                ("billing[address]", self.random.of(PLACES).to_owned()),
                ("billing[phone]", self.phone()),
                ("items[0][sku]", format!("A-{}", self.random.below(9999))),
                ("items[0][quantity]", count.to_string()),
                ("note", self.prose(count)),
                ("coupon", "SPRING-2026".to_owned()),
            ],
            _ => vec![
                ("title", self.random.of(SENTENCES).to_owned()),
                ("body", self.prose(count + 4)),
                ("tags", "news,東京,release notes".to_owned()),
                ("published_at", "2026-04-01T09:30".to_owned()),
                ("_method", "post".to_owned()),
            ],
        };
        let body = fields.iter().map(|(n, v)| format!("{}={}", form(n), form(v))).collect::<Vec<_>>().join("&");
        self.posted("form", "/contact/submit".to_owned(), "application/x-www-form-urlencoded", body.into_bytes())
    }

    fn api(&mut self) -> Ordinary {
        let items: Vec<String> = (0..1 + self.random.below(6))
            .map(|i| {
                format!(
                    "{{\"id\":{},\"uuid\":\"{}\",\"title\":{},\"price\":{}.{:02},\"inStock\":{},\"tags\":[\"new\",\"東京\"]}}",
                    1000 + i,
                    self.random.uuid(),
                    json(self.random.of(SENTENCES)),
                    self.random.below(500),
                    self.random.below(100),
                    self.random.below(2) == 0
                )
            })
            .collect();
        let body = format!(
            "{{\"customer\":{{\"name\":{},\"email\":{},\"address\":{}}},\"items\":[{}],\"comment\":{},\"createdAt\":\"2026-03-0{}T10:00:00+09:00\",\"extra\":null}}",
            json(&self.name()),
            json(&self.mail()),
            json(self.random.of(PLACES)),
            items.join(","),
            json(&self.prose(2)),
            1 + self.random.below(9)
        );
        let target = format!("/api/v1/orders/{}", self.random.below(1000));
        self.posted("api", target, "application/json", body.into_bytes())
    }

    fn graphql(&mut self) -> Ordinary {
        let query = self.random.of(&[
            "query GetUser($id: ID!) { user(id: $id) { id name email orders(first: 10) { edges { node { id total } } } } }",
            "mutation UpdateProfile($input: ProfileInput!) { updateProfile(input: $input) { profile { displayName bio } errors { field message } } }",
            "{ viewer { login repositories(last: 5) { nodes { name description } } } }",
        ]);
        let variables = format!(
            "{{\"id\":\"{}\",\"input\":{{\"displayName\":{},\"bio\":{}}}}}",
            self.random.uuid(),
            json(&self.name()),
            json(&self.prose(2))
        );
        let body = format!("{{\"operationName\":null,\"query\":{},\"variables\":{variables}}}", json(query));
        self.posted("graphql", "/graphql".to_owned(), "application/json; charset=utf-8", body.into_bytes())
    }

    fn markdown(&mut self) -> Ordinary {
        let text = format!(
            "# {}\n\n{}\n\n- {}\n- {}\n\n> {}\n\n[{}](https://{}/docs/{})\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
            self.random.of(SENTENCES),
            self.prose(3),
            self.random.of(SENTENCES),
            self.random.of(SENTENCES),
            self.random.of(SENTENCES),
            self.random.of(SEARCHES),
            self.random.of(HOSTS),
            self.random.below(100)
        );
        let body = format!("{{\"path\":\"notes/2026-04.md\",\"content\":{},\"draft\":true}}", json(&text));
        self.posted("markdown", "/api/v1/notes".to_owned(), "application/json", body.into_bytes())
    }

    fn upload(&mut self) -> Ordinary {
        let boundary = format!("----WebKitFormBoundary{}", self.random.base64(16).replace(['-', '_'], "A"));
        let file = self.random.of(&[
            "report.pdf",
            "IMG_2041.jpg",
            "請求書.pdf",
            "minutes 2026-04-01.docx",
            "avatar.png",
            "data.csv",
        ]);
        let bytes: Vec<u8> = (0..200 + self.random.below(2000)).map(|_| self.random.next() as u8).collect();
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\nContent-Type: application/octet-stream\r\n\r\n",
            self.prose(1)
        )
        .into_bytes();
        body.extend(bytes);
        body.extend(format!("\r\n--{boundary}--\r\n").bytes());
        self.posted("upload", "/files/upload".to_owned(), &format!("multipart/form-data; boundary={boundary}"), body)
    }

    fn encoded(&mut self) -> Ordinary {
        let (header, payload, signature) = (self.random.base64(36), self.random.base64(180), self.random.base64(86));
        let mut made = if self.random.below(2) == 0 {
            let body = format!(
                "{{\"image\":\"data:image/png;base64,iVBORw0KGgo{}\",\"width\":640,\"height\":480}}",
                self.random.base64(400).replace('-', "+").replace('_', "/")
            );
            self.posted("encoded", "/api/v1/avatars".to_owned(), "application/json", body.into_bytes())
        } else {
            let mut page = self.page();
            page.kind = "encoded";
            page.target = format!("/api/v1/me?cursor={}", self.random.base64(60));
            page
        };
        made.headers.push(("Authorization", format!("Bearer eyJ{header}.eyJ{payload}.{signature}")));
        made
    }
}

/// So many requests, the same for a seed.
pub fn traffic(seed: u64, count: usize) -> Vec<Ordinary> {
    let mut maker = Maker { random: Random(seed) };
    (0..count)
        .map(|i| match i % 20 {
            0..=4 => maker.page(),
            5..=7 => maker.search(),
            8 | 9 => maker.redirect(),
            10..=12 => maker.form(),
            13..=15 => maker.api(),
            16 => maker.graphql(),
            17 => maker.markdown(),
            18 => maker.upload(),
            _ => maker.encoded(),
        })
        .collect()
}
