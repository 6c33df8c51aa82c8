//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("暗号化", "Encryption"),
    paragraphs: &[
        (
            &["NM-27", "MIST-03", "DX-18"],
            Text::new(
                "お客様の情報は、保存時および通信時に暗号化されます。データベースのファイル、ログおよび一時ファイルのいずれにも、平文のお客様データは残りません。",
                "Customer information is encrypted at rest and in transit. No customer data lies in the clear in database files, logs or temporary files.",
            ),
        ),
        (
            &["MIST-17", "IDO-25"],
            Text::new(
                "保存データの暗号化には AES-256-GCM を用います。記録は組織および識別子に結び付けられ、改変や差し替えは復号時に検知されます。",
                "Stored data is encrypted with AES-256-GCM. Each record is bound to its organisation and id, so that alteration or exchange is detected when it is opened.",
            ),
        ),
        (
            &["MIST-25"],
            Text::new(
                "個人データは、ストレージのブロックからは読み取れません。",
                "Personal data cannot be read from the storage blocks.",
            ),
        ),
        (
            &["MIST-16"],
            Text::new(
                "画面と API の通信には TLS {encryption.tls_min} 以上を用い、前方秘匿性のある AES-256 の暗号スイートだけを受け付けます。",
                "User interface and API use TLS {encryption.tls_min} or later and accept forward-secret AES-256 suites alone.",
            ),
        ),
        (
            &["MOX-15"],
            Text::new(
                "通信には、128 ビット以上の AES と前方秘匿性を備えた暗号スイートだけを用います。記録された通信を、サーバーの秘密鍵で後から復号することはできません。",
                "Only forward-secret suites with AES of 128 bits or more are used. A recorded session cannot be opened later with the server's private key.",
            ),
        ),
    ],
};
