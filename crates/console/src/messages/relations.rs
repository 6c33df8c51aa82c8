//! What the pages of people and relations say.

use sekisho_kernel::Text;

messages! {
    PEOPLE "連絡できる相手" "People";
    PEOPLE_LEAD "同じ組織の人です。" "The people of your organisation.";
    PEOPLE_LEAD_RELATED "関係のある相手だけが見つかります。" "Only people to whom you have a relation are found.";
    FIND_PERSON "名前で検索" "Find by name";
    NO_PEOPLE "該当する相手はいません。" "Nobody is found.";
    PERSON "人" "Person";
    RELATIONS "関係" "Relations";
    RELATIONS_LEAD "誰と誰が連絡できるかを、人、ロールおよび拠点の間の関係で定めます。" "Who may reach whom, by relations between people, roles and sites.";
    RELATIONS_NOT_HEEDED "今のポリシー（relations.mode）では、関係にかかわらず、組織の全員が互いに連絡できます。" "The policy in force (relations.mode) lets everybody in the organisation reach everybody, whatever the relations are.";
    RELATION_ADD "関係を登録" "Add a relation";
    RELATION_ONE "一方" "One side";
    RELATION_OTHER "もう一方" "Other side";
    RELATION_ONE_NAME "一方のサインイン名" "One person's sign-in name";
    RELATION_OTHER_NAME "もう一方のサインイン名" "The other's sign-in name";
    RELATION_NAME_HINT "人を選んだときに入力します。" "When the side is a person.";
    RELATION_BY_NAME "人（サインイン名で指定）" "A person, by sign-in name";
    RELATION_STARTS "開始日" "First day";
    RELATION_STARTS_HINT "空欄ならすぐに始まります。" "Left empty, it begins at once.";
    RELATION_ENDS "終了日" "Last day";
    RELATION_ENDS_HINT "空欄なら終了日を定めません。" "Left empty, it has no end.";
    RELATION_TIME "期間" "From and until";
    RELATION_FOR_GOOD "終了日なし" "No end";
    RELATION_CURRENT "有効" "In force";
    RELATION_PLANNED "開始前" "Not begun";
    RELATION_ENDED "終了" "Ended";
    RELATION_END "終了する" "End";
    RELATION_CONFIRM_END "この関係を終了しますか。互いに連絡できなくなります。" "End this relation? Its people no longer reach each other by it.";
    DONE_RELATION_ENDED "関係を終了しました。" "The relation has ended.";
    NO_RELATIONS "関係は登録されていません。" "There is no relation.";
    RELATION_BETWEEN "2 人の関係を確認" "Check two people";
    RELATION_BETWEEN_LEAD "2 人が互いに連絡できるかどうかと、その理由を示します。" "Whether two people may reach each other, and why.";
    RELATION_LOOK "確認" "Check";
    RELATION_MAY "連絡できます" "they may";
    RELATION_MAY_NOT "連絡できません" "they may not";
    WHY_EVERYONE "ポリシーにより、組織の全員が互いに連絡できます。" "The policy lets everybody in the organisation reach everybody.";
    WHY_RELATED "次の関係が有効です。" "These relations are in force.";
    WHY_NOT_RELATED "2 人の間に有効な関係がありません。" "No relation between them is in force.";
    WHY_NOT_ACTIVE "少なくとも一方が、無効なアカウント、招待中のアカウントまたはサービスアカウントです。" "At least one of them is disabled, invited only, or a service account.";
    WHY_ONE_PERSON "同じ人です。" "They are one person.";
}
