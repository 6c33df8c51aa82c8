//! The paper's own words, in both languages.

use sekisho_kernel::{Lang, claim::Verdict};

/// A constant text of the paper.
pub struct Word {
    ja: &'static str,
    en: &'static str,
}

impl Word {
    /// In one language.
    pub const fn in_lang(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Ja => self.ja,
            Lang::En => self.en,
        }
    }
}

macro_rules! words {
    ($($c:ident $ja:literal $en:literal;)*) => {
        $(#[doc = $en] pub const $c: Word = Word { ja: $ja, en: $en };)*
    };
}

words! {
    TITLE "セキュリティホワイトペーパー" "Security white paper";
    POLICY "ポリシー" "Policy";
    DIGEST "ポリシーのダイジェスト値" "Policy digest";
    BUILD "ビルド" "Build";
    WRITTEN "作成日時" "Written";
    NO_POLICY "指定なし（証跡なしで作成）" "none given (written without evidence)";
    SOURCES "表明事項の出典" "Claims taken from";
    READING "本書の読み方" "How to read this paper";
    READING_1 "本書は、稼働するポリシーと、それを検証した証跡から自動的に作成されます。表明事項には判定を添えます。「確認済み」は、本書の作成時点で、このビルドとこのポリシーに対する有効な証跡があることを意味します。" "This paper is written from the policy in force and from the evidence of probes. Each claim carries a verdict. Holds means that, when the paper was written, there was fresh evidence for this build and this policy.";
    READING_2 "「確認済み」以外の判定が付いた文は、その時点では事実として述べるものではなく、「表明」として引用しています。" "A sentence with any other verdict is quoted as a claim and is not stated as a fact.";
    READING_3 "検証場所の「予行」は、同じプログラムとポリシーで起動した検証用の環境で、「本番」は、稼働中のサービスで検証したことを示します。" "Rehearsal means that a scratch instance of the same program and policy was probed; live means that the serving instance was.";
    VERDICTS "判定ごとの件数" "Claims by verdict";
    VERDICT "判定" "Verdict";
    MEANING "意味" "Meaning";
    COUNT "件数" "Claims";
    TOTAL "合計" "All";
    CONTENTS "目次" "Contents";
    PROVEN_BY "根拠" "Proven by";
    WITHHELD "この分野の管理策の説明は、根拠となる表明事項がすべて「確認済み」になると掲載されます。" "What the controls of this area do is described here once every claim that proves it holds.";
    CLAIMS "表明事項と証跡" "Claims and evidence";
    CLAIMED "表明" "Claimed";
    OPEN_QUOTE "「" "“";
    CLOSE_QUOTE "」" "”";
    KIND "種別" "Kind";
    WHERE "検証場所" "Proven in";
    REHEARSAL "予行" "rehearsal";
    LIVE "本番" "live";
    WHEN "確認日時" "When";
    FRESH_UNTIL "証跡の有効期限" "Fresh until";
    VALID_UNTIL "記録の有効期限" "Valid until";
    EVIDENCE "証跡" "Evidence";
    MISSING "まだ存在しないもの" "What is missing";
    NOT_NAMED "記載なし" "not named";
    REASON "理由" "Reason";
    OTHER "その他" "Other";
    SETTINGS "適用中の設定" "Settings in force";
    SETTINGS_INTRO "ポリシーの設定項目と、その値です。接続先やファイルの場所は、値を示さず、設定の有無だけを記載します。" "The policy's settings and their values. Of addresses and files only whether they are set is shown.";
    NO_SETTINGS "ポリシーが指定されていないため、値はありません。" "No policy was given, so there are no values.";
    SETTING "設定項目" "Setting";
    VALUE "値" "Value";
    TENANT "組織による変更" "What a tenant may do";
    DOC "説明" "What it does";
    SET "設定あり" "set";
    NOT_SET "設定なし" "not set";
    CATALOGUE "データカタログ" "Data catalogue";
    CATALOGUE_INTRO "このビルドが宣言する記録の種類です。宣言どおりであることは、各分野の表明事項で示します。" "The record types as this build declares them. Whether the declarations hold is said by the claims.";
    NO_RECORDS "データカタログが渡されていません。" "No data catalogue was given.";
    RECORDS "データの種類" "Record type";
    CLASS "区分" "Class";
    PROTECTION "保護" "Protection";
    RETENTION "保存期間" "Retention";
    NO_RECORD_TYPE "該当する種類なし" "no record type";
    SEALED "組織鍵で暗号化" "encrypted under the tenant's key";
    IN_CLEAR "識別子、時刻、状態、ハッシュおよびラップ済みの鍵だけを含む" "only opaque ids, times, states, hashes and wrapped keys";
    UNTIL_DELETED "組織が削除するまで" "until the tenant deletes it";
    UNTIL_EXPIRY "それぞれの期限まで" "until its own expiry";
    BY_SETTING "設定による" "by setting";
    PLACES "データの保管場所" "Places where data is kept";
    NO_PLACES "保管場所の情報が渡されていません。" "No place was given.";
    WHAT "場所の種類" "What";
    LOCATION "所在" "Where it is";
    DATA "データと保護" "Data and protection";
    VERIFY "本書の検証方法" "How to verify this paper";
    VERIFY_1 "証跡は署名され、台帳に記録されています。各表明事項の「証跡」の識別子で、管理コンソールの表明事項のページまたは API から、試したこと、期待した結果および実際の結果を確認できます。" "Evidence is signed and kept in the ledger. The reference beside a claim leads, on the console's claims page or by the API, to what was tried, expected and seen.";
    VERIFY_2 "お客様は、自らの組織の操作履歴をダウンロードし、サービスに接続することなく次のコマンドで検証できます。" "A customer downloads its own operation history and verifies it, with no server, by this command.";
    VERIFY_3 "サービス提供者は、同じポリシーで検証を再実行できます。管理策を取り外した検証（陰性対照）では、対応する表明事項が「不成立」になることを確かめられます。" "The provider runs the probes again under the same policy. With a control taken out (negative control), the probe of its claim must say Broken.";
    VERIFY_4 "ポリシーファイルのダイジェスト値は、次のコマンドで表示され、本書の冒頭の値と一致します。" "The digest of the policy file is shown by this command and equals the one on the first page.";
    DOWNLOADED "ダウンロードした履歴" "DOWNLOADED-HISTORY";
    PART "第 {} 部" "Part {}";
}

/// What a verdict means, one sentence.
pub const fn meaning(verdict: Verdict) -> Word {
    match verdict {
        Verdict::Holds => Word {
            ja: "このビルドとこのポリシーに対する有効な証跡がある",
            en: "there is fresh evidence for this build and this policy",
        },
        Verdict::Broken => {
            Word { ja: "禁止された操作が可能だった", en: "the forbidden thing was possible" }
        }
        Verdict::Stale => Word {
            ja: "証跡が古いか不完全である、または別のビルドもしくはポリシーのものである",
            en: "the evidence is too old or incomplete, or of another build or policy",
        },
        Verdict::Unknown => {
            Word { ja: "検証手順の一部を実行できなかった", en: "a step of the probe could not be run" }
        }
        Verdict::Partly => Word {
            ja: "存在するものは確認したが、表明事項の対象の一部がまだ存在しない",
            en: "what exists was seen to hold, but a subject of the claim does not exist yet",
        },
        Verdict::NotKeptYet => Word { ja: "対応する管理策がまだない", en: "no control keeps it yet" },
        Verdict::NotProven => Word {
            ja: "管理策はあるが、ここでの証跡がまだない",
            en: "a control exists, but there is no evidence of it here",
        },
        Verdict::Attested => {
            Word { ja: "期限内の人による記録がある", en: "there is a dated record by people, still valid" }
        }
        Verdict::Lapsed => {
            Word { ja: "人による記録の期限が過ぎている", en: "the record by people is overdue" }
        }
    }
}

/// Why a claim is not a fact; `None` where the other lines say it.
pub const fn reason(verdict: Verdict) -> Option<Word> {
    match verdict {
        Verdict::Holds | Verdict::Partly | Verdict::Attested => None,
        other => Some(meaning(other)),
    }
}

/// A character as papers show it: line breaks and tabs become spaces; control characters and those that turn the
/// reading direction or do not show become U+FFFD.
pub const fn visible(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        c => c,
    }
}
