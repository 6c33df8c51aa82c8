//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("機能の有効・無効", "Function switches"),
    paragraphs: &[
        (
            &["MOX-33"],
            Text::new(
                "機能は、ユーザーごとに無効にできます。無効にした機能はそのユーザーにだけ拒否され、他のユーザーには影響しません。",
                "Functions can be switched off per user. One that is off is refused to that user and to nobody else.",
            ),
        ),
        (
            &["MOX-37"],
            Text::new(
                "機能は、組織ごとに無効にできます。他の組織には影響しません。",
                "Functions can be switched off per organisation, with no effect on any other.",
            ),
        ),
    ],
};
