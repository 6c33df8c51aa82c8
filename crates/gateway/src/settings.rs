//! The door's settings. All are the platform's alone: no tenant moves a listener or a limit of the whole house.

use sekisho_kernel::{
    Setting, Text,
    policy::{Default as Safe, Kind, Movement},
};

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident $key:literal $kind:expr, $default:expr, $ja:literal, $en:literal;)*) => {
        $($(#[$doc])* pub static $name: Setting = Setting {
            key: $key, kind: $kind, default: $default, tenant: Movement::Inner, doc: Text::new($ja, $en),
        };)*
        /// Every setting of the door.
        pub static ALL: &[&Setting] = &[$(&$name),*];
    };
}

const MIB: i64 = 1024 * 1024;

settings! {
    /// Where HTTPS is served.
    HTTPS "listen.https" Kind::Sockets, Safe::List(&["127.0.0.1:8443"]),
        "HTTPS を待ち受けるアドレスとポートです。変更は再起動後に有効になります。",
        "Addresses and ports at which HTTPS is served. A change takes effect at the next start.";
    /// Where plain HTTP is answered with a redirect.
    HTTP "listen.http" Kind::Sockets, Safe::List(&[]),
        "平文の HTTP を待ち受けるアドレスとポートです。GET と HEAD には HTTPS への転送だけを返し、ほかは本文を読まずに拒否します。空なら待ち受けません。変更は再起動後に有効になります。",
        "Addresses and ports at which plain HTTP is answered: GET and HEAD with a redirect to HTTPS and nothing else, all other methods refused before the body is read. Empty: not served. A change takes effect at the next start.";
    /// Where forward-auth questions are answered.
    FORWARD_AUTH "listen.forward_auth" Kind::Sockets, Safe::List(&[]),
        "ほかのリバースプロキシー（nginx、Traefik、Caddy、Envoy）からの認証の問い合わせを待ち受けるアドレスとポートです。空なら待ち受けません。変更は再起動後に有効になります。",
        "Addresses and ports at which other reverse proxies (nginx, Traefik, Caddy, Envoy) ask whether a request may pass. Empty: not served. A change takes effect at the next start.";
    /// Whose forward-auth questions are believed.
    PROXIES "forward_auth.proxies" Kind::Networks, Safe::List(&[]),
        "認証を問い合わせてよいリバースプロキシーのアドレスです。ここにない相手からの問い合わせは拒否します。空ならすべて拒否します。",
        "Addresses of the reverse proxies that may ask. Everyone else is refused; an empty list refuses all.";
    /// The file with the secret that a proxy presents.
    SECRET_FILE "forward_auth.secret_file" Kind::Path, Safe::Str(""),
        "リバースプロキシーが X-Sekisho-Proxy-Secret ヘッダーで示す共有の秘密を収めたファイルです（32 文字以上）。空ならすべての問い合わせを拒否します。",
        "File with the shared secret (32 characters or more) that a proxy presents in the X-Sekisho-Proxy-Secret header. Empty: every question is refused.";
    /// The application behind the door.
    UPSTREAM "door.upstream" Kind::Origin, Safe::Str(""),
        "ゲートウェイの背後にある上流アプリケーションのオリジンです。空ならアプリケーションのホスト名には 503 を返します。",
        "Origin of the application behind the door. Empty: application host names answer 503.";
    /// Who may have signed an `https` upstream's certificate.
    UPSTREAM_CA "door.upstream_ca" Kind::Path, Safe::Str(""),
        "上流が https のとき、その証明書を検証する認証局の PEM ファイルです。https の上流では必須です。",
        "PEM file of the certificate authorities that an https upstream's certificate is checked against. Required for an https upstream.";
    /// How long the upstream may be silent.
    UPSTREAM_TIMEOUT "door.upstream_timeout" Kind::Span { min: 1, max: 3600 }, Safe::Secs(60),
        "上流アプリケーションが応答を始めるまで、また応答の途中で次の部分を送るまでに待つ時間です。",
        "How long to wait for the application's answer to begin, and for each next part of it.";
    /// How long connecting to the upstream may take.
    CONNECT_TIMEOUT "door.connect_timeout" Kind::Span { min: 1, max: 60 }, Safe::Secs(5),
        "上流アプリケーションへの接続を待つ時間です。",
        "How long connecting to the application may take.";
    /// The largest request body.
    MAX_BODY "door.max_body" Kind::Int { min: 0, max: 1024 * 1024 * MIB }, Safe::Int(64 * MIB),
        "要求の本文の上限（バイト）です。超える要求は拒否します。door.streams の経路には適用しません。",
        "Largest request body in bytes; a larger one is refused. Does not apply to the routes of door.streams.";
    /// Routes that are streams.
    STREAMS "door.streams" Kind::List, Safe::List(&[]),
        "ストリームとして扱う経路の先頭部分です（例: /live/）。本文の上限と応答の途中の待ち時間を適用しません。",
        "Path prefixes treated as streams (such as /live/): neither the body limit nor the wait between parts of an answer applies.";
    /// Routes that a page asks by itself.
    BACKGROUND "door.background" Kind::List, Safe::List(&[]),
        "画面が自動で呼び出す経路の先頭部分です（例: /api/heartbeat）。どのメソッドの要求も操作とみなさず、無操作サインアウトまでの時間を延ばしません。",
        "Path prefixes that pages call by themselves (such as /api/heartbeat): requests of any method there are no activity and never prolong a session.";
    /// Whether what scripts read counts as activity.
    SCRIPTED_READS "door.scripted_reads_are_activity" Kind::Bool, Safe::Bool(false),
        "スクリプトによる読み取り（fetch などの GET）を操作とみなすかどうかです。みなすと、画面の自動更新だけでセッションが続きます。ページを開く操作と、送信を伴う要求は、常に操作とみなします。",
        "Whether reads by scripts (GET by fetch and the like) are activity. If so, polling alone keeps a session alive. Opening a page and sending something always are.";
    /// Certificate chain file.
    CERTIFICATE "door.certificate" Kind::Path, Safe::Str(""),
        "サーバー証明書（中間証明書を含む PEM）のファイルです。更新すると再起動なしで読み直します。空なら、初回起動時に作る自前の認証局で発行します。",
        "File with the server certificate and its intermediates (PEM), read again when it changes. Empty: certificates come from a local authority made at the first start.";
    /// Private key file.
    PRIVATE_KEY "door.private_key" Kind::Path, Safe::Str(""),
        "サーバー証明書の秘密鍵（PEM）のファイルです。door.certificate とともに指定します。",
        "File with the certificate's private key (PEM); given together with door.certificate.";
    /// The port in links.
    PUBLIC_PORT "door.public_port" Kind::Int { min: 0, max: 65_535 }, Safe::Int(0),
        "利用者から見た HTTPS のポートです。ホスト名をまたぐリンクに使います。0 なら待ち受けポートと同じです。",
        "The HTTPS port as people see it, used in links from one host name to another. 0: the listener's own.";
    /// Connections at a time.
    MAX_CONNECTIONS "door.max_connections" Kind::Int { min: 16, max: 1_000_000 }, Safe::Int(10_000),
        "同時接続数の上限です。超える接続は受け付けずに閉じます。",
        "Most connections at a time; further ones are closed unanswered.";
    /// Connections at a time from one address.
    MAX_PER_ADDRESS "door.max_connections_per_address" Kind::Int { min: 1, max: 1_000_000 }, Safe::Int(1_000),
        "1 つのアドレス（IPv6 では /64）からの同時接続数の上限です。",
        "Most connections at a time from one address (IPv6: one /64).";
    /// How long a request's head may take.
    HEADER_TIMEOUT "door.header_timeout" Kind::Span { min: 1, max: 300 }, Safe::Secs(20),
        "TLS の確立と、要求のヘッダーがそろうまでに待つ時間です。次の要求を待つ時間にも適用します。",
        "How long the TLS handshake, and a request's header, may take; also how long a connection may wait for its next request.";
    /// How long a request's body may pause.
    BODY_TIMEOUT "door.body_timeout" Kind::Span { min: 1, max: 3600 }, Safe::Secs(30),
        "要求の本文の次の部分が届くまでに待つ時間です。",
        "How long to wait for the next part of a request's body.";
    /// Header fields of a request.
    MAX_HEADERS "door.max_headers" Kind::Int { min: 16, max: 1_000 }, Safe::Int(100),
        "要求のヘッダー項目の数の上限です。",
        "Most header fields of a request.";
    /// Bytes of a request's head.
    MAX_HEADER_BYTES "door.max_header_bytes" Kind::Int { min: 8_192, max: 1_048_576 }, Safe::Int(65_536),
        "要求のヘッダー全体の大きさの上限（バイト）です。",
        "Largest request head in bytes.";
    /// Whether `Clear-Site-Data` passes.
    ALLOW_CLEAR_SITE_DATA "door.allow_clear_site_data" Kind::Bool, Safe::Bool(false),
        "上流アプリケーションの Clear-Site-Data ヘッダーを通すかどうかです。通すと、上流がサインイン状態を消せます。",
        "Whether the application's Clear-Site-Data header passes. If it does, the application can wipe the sign-in.";
    /// Whether `Service-Worker-Allowed` passes.
    ALLOW_SERVICE_WORKER "door.allow_service_worker_allowed" Kind::Bool, Safe::Bool(false),
        "上流アプリケーションの Service-Worker-Allowed ヘッダーを通すかどうかです。",
        "Whether the application's Service-Worker-Allowed header passes.";
    /// Inside networks that tenants' addresses may lead to.
    EGRESS_ALLOW "egress.allow" Kind::Networks, Safe::List(&[]),
        "組織が登録した外部アドレス（ID プロバイダーなど）の接続先として、公開アドレス以外に許可する範囲です。空なら公開アドレスだけに接続します。",
        "Networks that are not public and that addresses given by organisations (identity providers and the like) may lead to all the same. Empty: public addresses only.";
    /// Whom TLS towards the outside trusts.
    EGRESS_AUTHORITIES "egress.authorities" Kind::Path, Safe::Str(""),
        "外部への TLS 接続で信頼する認証局の PEM ファイルです。空ならシステムの認証局を使います。",
        "PEM file of the certificate authorities that TLS towards the outside trusts. Empty: the system's.";
    /// The resolver that is asked for TXT records.
    EGRESS_RESOLVER "egress.resolver" Kind::Socket, Safe::Str(""),
        "メールドメインの管理を確かめるときに、DNS の TXT レコードを TCP で問い合わせるリゾルバーです。空なら /etc/resolv.conf の最初のものを使います。",
        "Resolver that is asked over TCP for the DNS TXT records that prove control of a mail domain. Empty: the first of /etc/resolv.conf.";
    /// How long an outside address may take.
    EGRESS_TIMEOUT "egress.timeout" Kind::Span { min: 1, max: 60 }, Safe::Secs(10),
        "外部アドレスの応答を待つ時間の上限です。",
        "The longest that an outside address may take to answer.";
}
