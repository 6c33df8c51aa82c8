//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("第三者のアプリケーション（OAuth）", "Third-party applications (OAuth)"),
    paragraphs: &[
        (
            &["MOX-25"],
            Text::new(
                "アプリケーションは OAuth 2.1（PKCE 付きの認可コード）で利用者に代わって動き、利用者のパスワードを扱いません。API の要求ごとにトークンを確認し、期限切れ、失効、範囲外のトークンを拒否します。アクセストークンの有効期間は {oauth.access}です。",
                "An application acts for a person by OAuth 2.1 (authorisation code with PKCE) and never sees the person's password. Every API request is authenticated; an expired or revoked token, or one of a narrower scope, is refused. Access tokens are good for {oauth.access}.",
            ),
        ),
        (
            &["MOX-31"],
            Text::new(
                "第三者のアプリケーションは、管理者の承認と利用者本人の同意がなければトークンを得られません。戻り先のアドレスは HTTPS のポート 443 に限ります。",
                "A third-party application gets no token without an administrator's approval and the person's own consent. Its redirect addresses are HTTPS on port 443 only.",
            ),
        ),
    ],
};
