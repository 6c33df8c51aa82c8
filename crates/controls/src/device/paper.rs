//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("端末に残るデータ", "Data on devices"),
    paragraphs: &[
        (
            &["MOX-27"],
            Text::new(
                "アプリケーションの画面が端末に保存するデータは、AES-256-GCM で暗号化します。鍵は有効なセッションにだけ渡され、画面のメモリ上にのみ存在します。応答はブラウザーのキャッシュに残しません。ブラウザーのプロファイルを別の端末に複製しても、データは開けません。",
                "What an application's pages keep on a device is encrypted with AES-256-GCM. The key is handed to a living session only and exists in the page's memory alone; answers are not kept by the browser's cache. A profile that is copied to another machine opens nothing.",
            ),
        ),
        (
            &["MOX-30"],
            Text::new(
                "サインアウトすると、画面が端末に保存したデータを消去し、鍵を破棄します。遠隔からサインアウトした場合も、鍵は直ちに失われ、端末は次に接続した時点でデータを消去します。接続しないままの端末に残るデータも、開くことはできません。",
                "Signing out wipes what pages have kept on the device and destroys the key. After a remote sign-out the key is gone at once, and the device wipes its data when it next connects; what stays on a device that never connects cannot be opened.",
            ),
        ),
    ],
};
