//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("サインインするまで何も追加できないこと", "Nothing is added before a sign-in"),
    paragraphs: &[(
        &["MOX-53"],
        Text::new(
            "内容を追加できるのは、名前とパスワード、一意の ID と署名、OAuth、SAML のいずれかでサインインした利用者だけです。アプリケーションへの書き込み、WebSocket、API のどれも、セッションまたはトークンがなければ拒否します。終了したセッションでも追加できません。パスワード、一意の ID と署名、SAML は組織ごとに無効にでき、OAuth のアプリケーションは承認を取り消せます。無効にした方法ではサインインできません。メール投稿の機能はありません。",
            "Content is added only by people who have signed in by name and password, unique ID with signature, OAuth, or SAML. Writing to the application, WebSocket and API are each refused without a session or token, and with a session that has ended. An organisation can switch passwords, unique IDs and SAML off, and take an OAuth application's approval back: whoever comes that way then has no session. Nothing is taken in by mail.",
        ),
    )],
};
