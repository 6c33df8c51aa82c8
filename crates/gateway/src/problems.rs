//! The door's problems, SK-5xxx, and the answers they become.

use http::StatusCode;
use sekisho_kernel::{Category, Problem, ProblemKind, Text};

macro_rules! problems {
    ($($name:ident $code:literal $kebab:literal $category:ident $status:ident $ja:literal $en:literal / $ja_remedy:literal $en_remedy:literal;)*) => {
        $(#[doc = $en] pub static $name: ProblemKind = ProblemKind {
            code: $code, name: $kebab, category: Category::$category,
            title: Text::new($ja, $en), remedy: Text::new($ja_remedy, $en_remedy),
        };)*
        /// Every problem the door declares.
        pub static ALL: &[&ProblemKind] = &[$(&$name),*];
        /// The exact HTTP status of a problem (RFC 9110 §15); the category's where the door has no finer one.
        pub fn status(problem: &Problem) -> StatusCode {
            $(if problem.is(&$name) { return StatusCode::$status; })*
            StatusCode::from_u16(problem.kind.category.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
}

problems! {
    HOST_UNKNOWN "SK-5001" "host-unknown" NotFound MISDIRECTED_REQUEST
        "このホスト名では何も提供していません。" "Nothing is served under this host name."
        / "アドレスのホスト名を確かめてください。" "Check the host name in the address.";
    PLAIN_HTTP "SK-5002" "plain-http-refused" Forbidden FORBIDDEN
        "暗号化されていない HTTP は受け付けません。" "Unencrypted HTTP is not accepted."
        / "https:// で始まるアドレスを使ってください。" "Use the address that starts with https://.";
    UPSTREAM_UNREACHABLE "SK-5003" "upstream-unreachable" Unavailable BAD_GATEWAY
        "アプリケーションに接続できません。" "The application cannot be reached."
        / "しばらくしてからもう一度試してください。続く場合は追跡番号を添えて管理者へ連絡してください。"
          "Try again in a moment. If it goes on, give the trace id to your administrator.";
    UPSTREAM_TIMEOUT "SK-5004" "upstream-timeout" Unavailable GATEWAY_TIMEOUT
        "アプリケーションが時間内に応答しませんでした。" "The application did not answer in time."
        / "操作が行われたかどうかを確かめてから、もう一度試してください。続く場合は追跡番号を添えて管理者へ連絡してください。"
          "See whether it was done before you try again. If it goes on, give the trace id to your administrator.";
    UPSTREAM_MISSING "SK-5005" "upstream-missing" Unavailable SERVICE_UNAVAILABLE
        "アプリケーションがまだ設定されていません。" "No application is set up here yet."
        / "管理者へ連絡してください。設定項目は door.upstream です。" "Tell your administrator; the setting is door.upstream.";
    UPSTREAM_BROKE "SK-5006" "upstream-broke-off" Unavailable BAD_GATEWAY
        "アプリケーションの応答が途切れたか、正しくありません。" "The application broke off, or answered in a way that is not HTTP."
        / "操作が行われたかどうかを確かめてから、もう一度試してください。続く場合は追跡番号を添えて管理者へ連絡してください。"
          "See whether it was done before you try again. If it goes on, give the trace id to your administrator.";
    BODY_TOO_LARGE "SK-5007" "body-too-large" TooLarge PAYLOAD_TOO_LARGE
        "送信された内容が大きすぎます。" "What was sent is too large."
        / "小さく分けて送信してください。" "Send it in smaller parts.";
    MALFORMED "SK-5008" "request-malformed" Invalid BAD_REQUEST
        "要求の形式に誤りがあります。" "The request is not well formed."
        / "アドレスとヘッダーを確かめてください。" "Check the address and the header fields.";
    METHOD_REFUSED "SK-5009" "method-refused" Invalid METHOD_NOT_ALLOWED
        "このメソッドは受け付けません。" "This method is not accepted here."
        / "ほかのメソッドを使ってください。" "Use another method.";
    BODY_SLOW "SK-5010" "body-too-slow" Invalid REQUEST_TIMEOUT
        "本文が時間内に届きませんでした。" "The body did not arrive in time."
        / "接続を確かめて、もう一度送信してください。" "Check the connection and send it again.";
    ENTRY_REFUSED "SK-5011" "entry-refused" Forbidden FORBIDDEN
        "入場の手続きが時間切れか、別のブラウザーで始められています。" "The way in has run out, or was begun in another browser."
        / "アプリケーションのアドレスをもう一度開いてください。" "Open the application's address again.";
    CROSS_SITE "SK-5012" "cross-site-refused" Forbidden FORBIDDEN
        "ほかのサイトからの要求は受け付けません。" "A request from another site is not accepted."
        / "このサイトのページから操作してください。" "Do it from a page of this site.";
    PROXY_UNKNOWN "SK-5013" "proxy-unknown" Forbidden FORBIDDEN
        "このリバースプロキシーからの問い合わせは受け付けません。" "This reverse proxy may not ask here."
        / "forward_auth.proxies と共有の秘密を確かめてください。" "Check forward_auth.proxies and the shared secret.";
    EGRESS_REFUSED "SK-5014" "egress-refused" Forbidden FORBIDDEN
        "ポリシーにない宛先への接続を拒否しました。" "A connection to a destination that the policy does not list was refused."
        / "宛先をポリシーに加えてください。" "Add the destination to the policy.";
    CERTIFICATE "SK-5015" "certificate-unusable" Internal INTERNAL_SERVER_ERROR
        "証明書または秘密鍵を読み込めません。" "The certificate or its private key cannot be used."
        / "door.certificate と door.private_key のファイルが PEM 形式で、組になっているかを確かめてください。"
          "See that the files of door.certificate and door.private_key are PEM and belong together.";
    LISTEN "SK-5016" "listener-failed" Internal INTERNAL_SERVER_ERROR
        "待ち受けを始められません。" "A listener cannot be opened."
        / "アドレスとポートがほかで使われていないかを確かめてください。" "See whether the address and port are already in use.";
    SESSION_OVER "SK-5017" "session-over" Unauthenticated UNAUTHORIZED
        "セッションが終了しました。" "The session has ended."
        / "もう一度サインインしてください。" "Sign in again.";
    UPSTREAM_SETTING "SK-5018" "upstream-setting-unusable" Internal INTERNAL_SERVER_ERROR
        "上流アプリケーションの設定が使えません。" "The settings of the application behind the door cannot be used."
        / "door.upstream はオリジンだけを書きます。https の場合は door.upstream_ca に認証局の PEM ファイルを指定してください。"
          "door.upstream takes an origin only; for https, name the authorities' PEM file in door.upstream_ca.";
    SWITCH_REFUSED "SK-5019" "upgrade-refused" Invalid BAD_REQUEST
        "この種類の接続の切り替えは受け付けません。" "This kind of protocol upgrade is not accepted."
        / "WebSocket を使ってください。" "Use a WebSocket.";
    FIREWALL_BLOCKED "SK-5020" "firewall-blocked" Forbidden FORBIDDEN
        "この要求は、攻撃の特徴があるため遮断されました。" "This request was blocked because it looks like an attack."
        / "心当たりがない場合は、追跡番号を添えて管理者へ連絡してください。" "If you did nothing unusual, give the trace id to your administrator.";
    FIREWALL_ANSWER "SK-5021" "answer-withheld" Unavailable BAD_GATEWAY
        "アプリケーションの応答に、外へ出してはならない内容があったため止めました。" "The application's answer held what must not leave, and was withheld."
        / "追跡番号を添えて管理者へ連絡してください。" "Give the trace id to your administrator.";
    RULES_UNUSABLE "SK-5022" "rules-unusable" Invalid BAD_REQUEST
        "ファイアウォールの規則を使えません。" "The firewall's rules cannot be used."
        / "示されたファイルと行を直してください。直るまで、これまでの規則が有効です。" "Correct the file and line shown. Until then the rules before stay in force.";
    FEED_REFUSED "SK-5023" "rule-set-refused" Invalid BAD_REQUEST
        "配布元のルールセットを拒否しました。" "A rule set of the feed was refused."
        / "署名の鍵と番号、および内蔵の試験を確かめてください。" "Check its key, its number and its own tests.";
    FEED_UNREACHABLE "SK-5024" "feed-unreachable" Unavailable SERVICE_UNAVAILABLE
        "ルールセットの配布元を読めません。" "The feed of rule sets cannot be read."
        / "waf.feed と waf.feed_ca を確かめてください。" "Check waf.feed and waf.feed_ca.";
}
