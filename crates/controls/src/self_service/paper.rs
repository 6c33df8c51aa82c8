//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("アカウントの自主管理", "Self-service"),
    paragraphs: &[(
        &["IDO-08"],
        Text::new(
            "アカウントの登録、変更、無効化、削除およびロールの付与は、お客様の管理者が自ら行います。サービス提供者の運用担当者の操作は必要ありません。",
            "Customers' own administrators create, change, disable and delete accounts and grant roles. No operator of the provider is needed.",
        ),
    )],
};
