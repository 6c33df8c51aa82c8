//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("組織間の分離", "Tenant isolation"),
    paragraphs: &[(
        &["NM-09"],
        Text::new(
            "お客様のデータは組織ごとに分離して保存します。他の組織の識別子を指定しても、存在しない場合と同じ応答を返します。",
            "Customers' data is stored apart by organisation. Naming another's id is answered as if it did not exist.",
        ),
    )],
};
