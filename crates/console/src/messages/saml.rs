//! What the pages of SAML providers say.

use sekisho_kernel::Text;

messages! {
    SAML_ACS "ACS（応答の受信先）の URL" "ACS URL, where answers are received";
    SAML_ADD "SAML のプロバイダーを登録" "Register a SAML provider";
    SAML_CERTIFICATE "署名用の証明書（SHA-256）" "Certificate for signatures (SHA-256)";
    SAML_CLAIM_HINT "属性の名前。NameID は応答の名前そのものを指します。" "An attribute's name; NameID stands for the subject's name itself.";
    SAML_ENCRYPTED "暗号化されたアサーションだけを受け付ける" "Take encrypted assertions only";
    SAML_ENTITY "エンティティ ID（こちらのメタデータの URL）" "Entity id, which is the address of our metadata";
    SAML_LOAD "メタデータを読み込む" "Load metadata";
    SAML_LOAD_AGAIN "メタデータを読み込み直す" "Load the metadata again";
    SAML_METADATA "メタデータ（XML）" "Metadata (XML)";
    SAML_METADATA_HINT "XML、またはその base64。URL を入力した場合は不要です。" "XML, or its base64. Not needed with an address.";
    SAML_METADATA_URL "メタデータの URL" "Address of the metadata";
    SAML_METADATA_URL_HINT "https で始まる URL。" "It begins with https.";
    SAML_NOT_AFTER "証明書の期限" "Its last day";
    SAML_OUR_METADATA "こちらのメタデータをダウンロード" "Download our metadata";
    SAML_PASTED "貼り付け" "Pasted";
    SAML_READ "最後に読み込んだ日時" "Last loaded";
    SAML_SIGNED "応答に必要な署名" "Signatures that answers must carry";
    SAML_SIGNED_ASSERTION "アサーション" "The assertion's";
    SAML_SIGNED_BOTH "アサーションと応答全体" "The assertion's and the response's";
    SAML_SIGNED_RESPONSE "応答全体" "The response's";
    SAML_SIGN_ON "サインオンの URL" "Sign-on address";
    SAML_SOURCE "メタデータの取得元" "Where the metadata came from";
    SAML_THEIR_METADATA "プロバイダーのメタデータ" "The provider's metadata";
    SAML_TRUSTS "プロバイダーの多要素認証（AuthnContextClassRef）を、第 2 要素として認める" "Take the provider's multi-factor sign-in (AuthnContextClassRef) for a second factor";
    SAML_UNSOLICITED "プロバイダー側から始まるサインイン（IdP-initiated）を受け付ける。他人の応答をブラウザーに持ち込まれるおそれがあるため、必要な場合だけ有効にします。" "Let the provider begin (IdP-initiated). Somebody else's answer can be planted in a browser then: switch it on only where it is needed.";
    SAML_VALID_UNTIL "メタデータの有効期限" "The metadata is good until";
}
