//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("一意の ID と署名によるサインイン", "Sign-in by unique ID and signature"),
    paragraphs: &[(
        &["MOX-24"],
        Text::new(
            "お客様のアプリケーションは、管理者が発行した鍵による署名（クライアント ID、一意の ID、時刻）で利用者をサインインさせることができます。署名は 1 回だけ、時刻の前後 {unique_id.skew}に限って有効です。鍵は暗号化して保存します。",
            "An application signs its users in by a signature (client id, unique ID, timestamp) under a key that an administrator has issued. A signature works once, within {unique_id.skew} of its timestamp. Keys are stored encrypted.",
        ),
    )],
};
