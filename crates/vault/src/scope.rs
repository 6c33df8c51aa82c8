//! The tenant whose data may be touched.

use sekisho_kernel::{Cx, id::TenantId};

/// The one tenant whose data a view, a transaction or a keeper may touch. It comes from a [`Cx`] or from a pointer
/// found in the store, and from nowhere else; nothing widens it.
///
/// ```compile_fail
/// // A scope is never made from an id that somebody sends.
/// let scope = sekisho_vault::Scope { tenant: sekisho_kernel::id::TenantId::NIL };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    tenant: TenantId,
}

impl Scope {
    /// The scope of an act's context.
    pub const fn of(cx: &Cx) -> Self {
        Self { tenant: cx.tenant }
    }
    pub(crate) const fn found(tenant: TenantId) -> Self {
        Self { tenant }
    }
    /// Whose data it is; nil is the platform.
    pub const fn tenant(self) -> TenantId {
        self.tenant
    }
}
