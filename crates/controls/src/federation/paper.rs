//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("外部の ID プロバイダーによるサインイン", "Sign-in by an identity provider"),
    paragraphs: &[(
        &["IDO-36"],
        Text::new(
            "パスワード、多要素認証のほか、お客様の ID プロバイダー（OpenID Connect）でサインインできます。プロバイダーの署名、発行者、宛先、有効期限（時計の差は {federation.skew}まで）、そのブラウザーで始めたサインインであることを確かめます。利用者はプロバイダーと識別子で対応付け、メールアドレスが同じというだけで既存のアカウントに結び付けることはありません。メールドメインは、管理していることを DNS などで確かめてから使います。",
            "Beside password and multi-factor, people sign in at the customer's own identity provider (OpenID Connect). Its signature, issuer, audience and dates (clocks within {federation.skew}) are checked, and that the sign-in was begun in that very browser. People are linked by provider and subject: that two mail addresses are alike links nobody to an account. A mail domain is used once control of it is proven, by DNS for one.",
        ),
    )],
};
