//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("組織ごとの暗号鍵", "Tenant keys"),
    paragraphs: &[(
        &["MIST-04"],
        Text::new(
            "お客様の情報は、組織に固有の鍵で暗号化されます。他の組織の鍵では復号できず、鍵を破棄すると、その組織のデータだけが読み取れなくなります。",
            "Customer information is encrypted under keys of the organisation's own. Another organisation's key does not open it, and destroying an organisation's key makes its data alone unreadable.",
        ),
    )],
};
