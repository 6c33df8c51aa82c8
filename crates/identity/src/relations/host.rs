//! Relations as whoever runs the host keeps them: by commands, in the tenant's own history.

use sekisho_kernel::{
    Cx, Job, Problem, Text, event,
    hook::Directory,
    id::{RelationId, TenantId},
    problem::{INVALID, NOT_FOUND},
};

use super::listed;
use crate::{
    Answer, Identity, boxed, by_job,
    types::{Between, Listed, NewRelation, RelationQuery, RelationView, Side},
};

impl Identity {
    async fn host_cx(&self, tenant: TenantId) -> Answer<Cx> {
        // A relation's rule is the tenant's own as far as it is stricter.
        Ok(Cx::job(tenant, Job::Command, self.effective(tenant).await?, self.rng()))
    }

    /// What a word on the command line names: a person, role or site by id, or a person by sign-in name.
    ///
    /// # Errors
    /// `NOT_FOUND` naming the word.
    #[boxed]
    pub async fn side_of(&self, tenant: TenantId, word: &str) -> Answer<Side> {
        if let Ok(side) = word.parse() {
            return Ok(side);
        }
        let found = self.user_named(&self.host_cx(tenant).await?, word).await?;
        found.map(Side::Person).ok_or_else(|| Problem::new(&NOT_FOUND).at(word.to_owned()))
    }

    /// [`Identity::create_relation`] by the operator.
    ///
    /// # Errors
    /// As there.
    #[boxed]
    pub async fn create_relation_of(&self, tenant: TenantId, new: NewRelation) -> Answer<RelationView> {
        let (cx, id) = (self.host_cx(tenant).await?, self.id());
        let act = by_job(&cx, Job::Command, &event::RELATION_CREATE, id);
        self.relate(&cx, act, id, new).await
    }

    /// [`Identity::relations`] by the operator.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn relations_of(
        &self,
        tenant: TenantId,
        query: RelationQuery,
    ) -> Answer<Listed<RelationView, RelationId>> {
        let cx = self.host_cx(tenant).await?;
        let act = by_job(&cx, Job::Command, &event::RELATION_LIST, listed(&query));
        self.relations_by(&cx, act, query).await
    }

    /// [`Identity::end_relation`] by the operator.
    ///
    /// # Errors
    /// As there.
    #[boxed]
    pub async fn end_relation_of(&self, tenant: TenantId, id: RelationId) -> Answer<RelationView> {
        let cx = self.host_cx(tenant).await?;
        let act = by_job(&cx, Job::Command, &event::RELATION_END, id);
        self.end_by(&cx, act, id).await
    }

    /// [`Identity::between`] by the operator.
    ///
    /// # Errors
    /// As there; `INVALID` for a side that is no person.
    #[boxed]
    pub async fn between_of(&self, tenant: TenantId, one: Side, other: Side) -> Answer<Between> {
        let (Side::Person(one), Side::Person(other)) = (one, other) else {
            let detail = Text::new("利用者を 2 人指定してください。", "Name two people.");
            return Err(Problem::new(&INVALID).detail(detail));
        };
        let cx = self.host_cx(tenant).await?;
        let act = by_job(&cx, Job::Command, &event::RELATION_EXPLAIN, one);
        self.between_by(&cx, act, one, other).await
    }
}
