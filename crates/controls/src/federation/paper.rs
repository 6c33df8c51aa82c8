//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("外部の ID プロバイダーによるサインイン", "Sign-in by an identity provider"),
    paragraphs: &[
        (
            &["IDO-36"],
            Text::new(
                "パスワード、多要素認証のほか、お客様の ID プロバイダー（OpenID Connect、SAML 2.0）でサインインできます。プロバイダーの署名、発行者、宛先、有効期限（時計の差は {federation.skew}まで）、そのブラウザーで始めたサインインであることを確かめます。利用者はプロバイダーと識別子で対応付け、メールアドレスが同じというだけで既存のアカウントに結び付けることはありません。メールドメインは、管理していることを DNS などで確かめてから使います。",
                "Beside password and multi-factor, people sign in at the customer's own identity provider (OpenID Connect, SAML 2.0). Its signature, issuer, audience and dates (clocks within {federation.skew}) are checked, and that the sign-in was begun in that very browser. People are linked by provider and subject: that two mail addresses are alike links nobody to an account. A mail domain is used once control of it is proven, by DNS for one.",
            ),
        ),
        (
            &["MOX-26"],
            Text::new(
                "SAML 2.0 により、各社の ID プロバイダーと連携できます。こちらから送る要求には署名を付け、応答については、署名を検証した範囲の内容だけを使います。署名のない応答、署名の対象をすり替えた応答、再送された応答、期限切れの応答、および別の宛先や対象者（audience）に向けた応答は拒否します。プロバイダー側から始まるサインインは、管理者が許可した場合に限ります。暗号化されたアサーションにも対応します。",
                "Identity providers of any make can be connected by SAML 2.0. Our requests are signed, and of an answer only what its verified signature covers is used. Answers without a signature, with something wrapped around what was signed, that come a second time, have run out, or are meant for another recipient or audience are refused. A provider may begin only where an administrator allows it. Encrypted assertions are understood.",
            ),
        ),
    ],
};
