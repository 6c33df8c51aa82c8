//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("権限とロール", "Rights and roles"),
    paragraphs: &[
        (
            &["NM-04", "IDO-39"],
            Text::new(
                "権限は機能ごとに定められ、ロールにまとめて付与します。ロールに含まれない操作は、すべて拒否されます。権限は、要求のたびに確認します。",
                "Rights are fixed for each function, gathered into roles and granted. Whatever a role does not hold is refused. Rights are checked at every request.",
            ),
        ),
        (
            &["IDO-39"],
            Text::new(
                "ユーザー種別には、管理者、承認者および一般ユーザーがあり、種別ごとの権限にロールの権限を加えられます。",
                "There are three user types, administrator, approver and user. Roles add to the rights of the type.",
            ),
        ),
        (
            &["MIST-22"],
            Text::new(
                "ロールは、組織全体または拠点の範囲で付与できます。拠点の範囲で付与されたロールでは、他の拠点の記録を扱えません。",
                "A role is granted for the organisation or for a site. One granted for a site does not reach the records of the next.",
            ),
        ),
    ],
};
