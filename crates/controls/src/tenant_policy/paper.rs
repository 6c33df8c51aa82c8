//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("組織ごとのセキュリティポリシー", "Tenants' own policy"),
    paragraphs: &[(
        &["MOX-50"],
        Text::new(
            "お客様の管理者は、自らの組織のセキュリティポリシーを厳しくできます。プラットフォームの下限より緩めることはできません。変更は、すべてのノードで直ちに有効になります。",
            "Customers' administrators tighten their own security policy. They cannot go below the platform's floor. A change holds on every node at once.",
        ),
    )],
};
