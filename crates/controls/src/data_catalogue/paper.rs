//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("データの分類", "Data catalogue"),
    paragraphs: &[(
        &["MIST-24"],
        Text::new(
            "取り扱うデータの種類は、区分、保護方法および保存期間とともにデータカタログに定められています。カタログにない種類のデータは保存されません。利用者の通信内容は、取り扱わない区分として定めています。",
            "The kinds of data handled are named in a data catalogue with class, protection and retention. No kind outside it is stored. User traffic is named as a kind that is never carried.",
        ),
    )],
};
