//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("利用規約への同意", "Acceptance of the terms"),
    paragraphs: &[(
        &["NM-35"],
        Text::new(
            "データは、利用規約およびプライバシー通知に従って取り扱います。利用者は、サインイン後、現在の版に同意するまで先に進めません。同意は版ごとに記録され、新しい版が発効すると、改めて同意を求めます。",
            "Data is handled under the terms of use and the privacy notice. After signing in, people go on only once they have accepted the version in force. Each acceptance is on record by version, and a new version asks again.",
        ),
    )],
};
