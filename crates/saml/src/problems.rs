//! Why a message or a piece of metadata is refused, SK-41nn. Each tells the cause and the remedy in both languages; the place is an
//! element's path, a byte, or a form's field.

use sekisho_kernel::{Category, Problem, ProblemKind, Text};

macro_rules! problems {
    ($($(#[$doc:meta])* $c:ident $code:literal $name:literal $cat:ident $ja:literal $en:literal $rja:literal $ren:literal;)*) => {
        $($(#[$doc])* pub static $c: ProblemKind = ProblemKind {
            code: $code, name: $name, category: Category::$cat,
            title: Text::new($ja, $en), remedy: Text::new($rja, $ren),
        };)*
        /// Every problem of this crate.
        pub static ALL: &[&ProblemKind] = &[$(&$c),*];
    };
}

/// A problem of `kind` with this occurrence's cause.
pub(crate) fn refuse(kind: &'static ProblemKind, ja: &'static str, en: &'static str) -> Problem {
    Problem::new(kind).detail(Text::new(ja, en))
}

problems! {
    /// Not XML as this crate reads it.
    UNREADABLE "SK-4100" "saml-unreadable" Invalid
        "SAML の文書を読み取れません。" "The SAML document cannot be read."
        "ID プロバイダーから取得した文書を、変更せずにそのまま送ってください。" "Send the identity provider's document exactly as it came.";
    /// Larger than any bound.
    TOO_LARGE "SK-4101" "saml-too-large" TooLarge
        "SAML の文書が大きすぎます。" "The SAML document is too large."
        "ID プロバイダーで、送信する属性やグループを必要なものだけに絞ってください。" "Have the identity provider send only the attributes and groups that are needed.";
    /// Document types, entities and processing instructions.
    DOCTYPE "SK-4102" "saml-doctype" Invalid
        "SAML の文書に、許可されていない XML の機能が使われています。" "The SAML document uses a feature of XML that is not allowed."
        "文書型宣言、実体、処理命令を含まない文書を送ってください。" "Send a document without document type, entities and processing instructions.";
    /// Two elements with one id.
    DUPLICATE_ID "SK-4103" "saml-duplicate-id" Invalid
        "SAML の文書の ID が重複しています。" "An id stands in the SAML document twice."
        "改ざんの可能性があります。サインインを最初からやり直し、続く場合は管理者へ連絡してください。" "The document may have been tampered with. Start the sign-in again; if it goes on, tell your administrator.";
    /// Base64, DEFLATE or the query string is wrong.
    ENCODING "SK-4104" "saml-encoding" Invalid
        "SAML のメッセージを復号できません。" "The SAML message cannot be decoded."
        "HTTP-POST または HTTP-Redirect バインディングの形式で送ってください。" "Send it as the HTTP-POST or HTTP-Redirect binding says.";
    /// Elements missing, doubled, or where they may not stand.
    SHAPE "SK-4105" "saml-shape" Invalid
        "SAML の文書の構造が正しくありません。" "The SAML document has the wrong structure."
        "SAML 2.0 の Web ブラウザー SSO プロファイルに従う文書を送るよう、ID プロバイダーの設定を確かめてください。" "Check that the identity provider follows the SAML 2.0 web browser SSO profile.";
    /// The signature that the rules ask for is missing.
    UNSIGNED "SK-4106" "saml-unsigned" Forbidden
        "必要な署名がありません。" "A required signature is missing."
        "ID プロバイダーで、示された要素に署名するよう設定してください。" "Have the identity provider sign the element named.";
    /// The signature's shape is not SAML's (core §5.4).
    SIGNATURE_SHAPE "SK-4107" "saml-signature-shape" Forbidden
        "署名の形式が SAML の規則に従っていません。" "The signature does not have the form that SAML asks for."
        "署名は、それが含まれる要素自身の ID を 1 つだけ参照し、enveloped-signature と exclusive C14N だけを使う必要があります。" "A signature refers once, to the id of the element it stands in, with enveloped-signature and exclusive C14N alone.";
    /// An algorithm that is not on the list.
    ALGORITHM "SK-4108" "saml-algorithm" Forbidden
        "許可されていない暗号アルゴリズムが使われています。" "A cryptographic algorithm is not allowed."
        "署名は RSA または ECDSA と SHA-256 以上、暗号化は AES-GCM と RSA-OAEP に設定してください。" "Use RSA or ECDSA with SHA-256 or stronger for signatures, AES-GCM with RSA-OAEP for encryption.";
    /// No trusted key verifies the signature.
    SIGNATURE "SK-4109" "saml-signature-invalid" Forbidden
        "署名を検証できません。" "The signature does not verify."
        "ID プロバイダーの証明書が更新されていないか確かめ、メタデータを読み込み直してください。" "Check whether the identity provider has changed its certificate, and load its metadata again.";
    /// The content is not what was signed.
    DIGEST "SK-4110" "saml-altered" Forbidden
        "署名された内容が変更されています。" "What was signed has been altered."
        "改ざんの可能性があります。サインインを最初からやり直し、続く場合は管理者へ連絡してください。" "The document may have been tampered with. Start the sign-in again; if it goes on, tell your administrator.";
    /// Another issuer.
    ISSUER "SK-4111" "saml-issuer" Forbidden
        "発行者が登録された ID プロバイダーではありません。" "The issuer is not the identity provider that is registered."
        "ID プロバイダーのエンティティ ID と、登録されたメタデータを比べてください。" "Compare the identity provider's entity id with the metadata that is registered.";
    /// Meant for another address.
    DESTINATION "SK-4112" "saml-destination" Forbidden
        "宛先がこのサービスのアドレスではありません。" "The destination is not this service's address."
        "ID プロバイダーに登録された ACS またはログアウトのアドレスを、こちらのメタデータに合わせてください。" "Set the ACS or logout address at the identity provider as our metadata gives it.";
    /// Meant for another recipient.
    RECIPIENT "SK-4113" "saml-recipient" Forbidden
        "アサーションの受信者がこのサービスではありません。" "The assertion's recipient is not this service."
        "ID プロバイダーに登録された ACS のアドレスを、こちらのメタデータに合わせてください。" "Set the ACS address at the identity provider as our metadata gives it.";
    /// Meant for another audience.
    AUDIENCE "SK-4114" "saml-audience" Forbidden
        "アサーションの対象者がこのサービスではありません。" "The assertion's audience is not this service."
        "ID プロバイダーに登録されたエンティティ ID を、こちらのメタデータに合わせてください。" "Set our entity id at the identity provider as our metadata gives it.";
    /// Answers another request.
    IN_RESPONSE_TO "SK-4115" "saml-in-response-to" Forbidden
        "このブラウザーが始めた要求への応答ではありません。" "This does not answer the request that this browser began."
        "サインインを最初からやり直してください。" "Start the sign-in again.";
    /// Nobody asked for it.
    UNSOLICITED "SK-4116" "saml-unsolicited" Forbidden
        "ID プロバイダー側から始めるサインインは許可されていません。" "Sign-in that the identity provider begins is not allowed."
        "サインイン画面から始めてください。必要な場合は、管理者が設定で許可できます。" "Begin at the sign-in page. An administrator can allow it in the settings.";
    /// From the future.
    NOT_YET "SK-4117" "saml-not-yet-valid" Forbidden
        "まだ有効になっていません。" "It is not valid yet."
        "ID プロバイダーとこのサーバーの時計を確かめてください。" "Check the clocks of the identity provider and of this server.";
    /// From the past.
    EXPIRED "SK-4118" "saml-expired" Forbidden
        "有効期限が切れています。" "It has expired."
        "サインインを最初からやり直してください。続く場合は両方の時計を確かめてください。" "Start the sign-in again; if it goes on, check both clocks.";
    /// The provider says no.
    STATUS "SK-4119" "saml-status" Forbidden
        "ID プロバイダーが要求を拒否しました。" "The identity provider has refused the request."
        "ID プロバイダーの記録で理由を確かめてください。" "The identity provider's log tells the reason.";
    /// No subject that a bearer may bring.
    SUBJECT "SK-4120" "saml-subject" Forbidden
        "アサーションの主体を使えません。" "The assertion's subject cannot be used."
        "NameID と bearer の SubjectConfirmation を 1 つずつ送るよう、ID プロバイダーを設定してください。" "Have the identity provider send one NameID and one bearer SubjectConfirmation.";
    /// A condition that cannot be judged (core §2.5.1.1).
    CONDITION "SK-4121" "saml-condition" Forbidden
        "判断できない条件が付いています。" "It carries a condition that cannot be judged."
        "AudienceRestriction、OneTimeUse、ProxyRestriction 以外の条件を付けないよう設定してください。" "Use no condition but AudienceRestriction, OneTimeUse and ProxyRestriction.";
    /// Not signed in as the rules ask.
    AUTHENTICATION "SK-4122" "saml-authentication" Forbidden
        "ID プロバイダーでの認証が要件を満たしていません。" "The authentication at the identity provider is not what is required."
        "求められた方法で認証し直してください。" "Sign in at the identity provider again, in the way that is required.";
    /// Does not decrypt. One answer to every cause.
    DECRYPTION "SK-4123" "saml-decryption" Forbidden
        "暗号化された内容を復号できません。" "The encrypted content cannot be decrypted."
        "こちらのメタデータにある暗号化用の証明書を、ID プロバイダーに登録し直してください。" "Register the encryption certificate of our metadata at the identity provider again.";
    /// Must be encrypted.
    NOT_ENCRYPTED "SK-4124" "saml-not-encrypted" Forbidden
        "アサーションが暗号化されていません。" "The assertion is not encrypted."
        "ID プロバイダーで、アサーションの暗号化を有効にしてください。" "Switch assertion encryption on at the identity provider.";
    /// Metadata that cannot be used.
    METADATA "SK-4125" "saml-metadata" Invalid
        "メタデータを使えません。" "The metadata cannot be used."
        "ID プロバイダーの管理画面から、1 つのプロバイダーの SAML 2.0 メタデータを取得し直してください。" "Get the SAML 2.0 metadata of one provider from the identity provider's console again.";
    /// Metadata past its validUntil.
    METADATA_EXPIRED "SK-4126" "saml-metadata-expired" Invalid
        "メタデータの有効期限が切れています。" "The metadata has expired."
        "新しいメタデータを取得してください。" "Get the present metadata.";
    /// A key or certificate that cannot be used.
    KEY "SK-4127" "saml-key" Invalid
        "鍵または証明書を使えません。" "A key or certificate cannot be used."
        "2048 ビット以上の RSA、または P-256、P-384、P-521 の鍵を使ってください。" "Use RSA of at least 2048 bits, or P-256, P-384 or P-521.";
    /// RelayState over SAML's bound (bindings §3.4.3).
    RELAY_STATE "SK-4128" "saml-relay-state" Invalid
        "RelayState が 80 バイトを超えています。" "RelayState is longer than 80 bytes."
        "80 バイト以内の値を使ってください。" "Use at most 80 bytes.";
    /// An assertion that has been used.
    REPLAY "SK-4129" "saml-replay" Forbidden
        "このアサーションはすでに使われています。" "This assertion has been used before."
        "サインインを最初からやり直してください。" "Start the sign-in again.";
    /// The request was made too long ago.
    PENDING_OVER "SK-4130" "saml-request-over" Forbidden
        "サインインの要求の有効期限が切れました。" "The request to sign in has run out."
        "サインインを最初からやり直してください。" "Start the sign-in again.";
    /// Not SAML 2.0.
    VERSION "SK-4131" "saml-version" Invalid
        "SAML 2.0 の文書ではありません。" "The document is not SAML 2.0."
        "ID プロバイダーを SAML 2.0 に設定してください。" "Set the identity provider to SAML 2.0.";
    /// The provider's metadata has no way to do this.
    NO_ENDPOINT "SK-4132" "saml-no-endpoint" Invalid
        "ID プロバイダーのメタデータに、必要なエンドポイントがありません。" "The identity provider's metadata lacks the endpoint for this."
        "HTTP-Redirect または HTTP-POST のエンドポイントを含むメタデータを登録してください。" "Register metadata with an HTTP-Redirect or HTTP-POST endpoint.";
    /// A logout request that has been used.
    LOGOUT_REPLAY "SK-4134" "saml-logout-replay" Forbidden
        "このログアウトの要求はすでに使われています。" "This logout request has been used before."
        "もう一度サインアウトしてください。" "Sign out again.";
    /// An address or entity id of ours that cannot be one.
    SETTING "SK-4133" "saml-setting" Invalid
        "SAML の設定値を使えません。" "A SAML setting cannot be used."
        "制御文字と空白を含まない 1,024 バイト以内の値にしてください。アドレスは https で始めてください。" "Use at most 1,024 bytes without spaces and control characters. Addresses begin with https.";
}
