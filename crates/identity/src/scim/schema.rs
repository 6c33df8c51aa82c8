//! Schemas (RFC 7643): what a resource may hold. Parsing, filters, PATCH, projection and the answer of `/Schemas` follow
//! from these tables.

use serde_json::{Value, json};

/// The URI of users' schema.
pub const USER_URI: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URI of the enterprise extension.
pub const ENTERPRISE_URI: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The URI of groups' schema.
pub const GROUP_URI: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What an attribute holds (RFC 7643 §2.3).
#[derive(Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// Text whose case tells values apart.
    Exact,
    /// `true` or `false`.
    Bool,
    /// A moment.
    Time,
    /// An address, of resources of this type or of anything.
    Reference(&'static str),
    /// Sub-attributes.
    Complex(&'static [Attribute]),
}

/// An attribute (RFC 7643 §7).
#[derive(Debug)]
pub struct Attribute {
    /// Its canonical name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it has several values.
    pub many: bool,
    /// Whether it must be there.
    pub required: bool,
    /// Whether clients may write it.
    pub writable: bool,
    /// Whether it is in every answer, whatever is asked for.
    pub always: bool,
    /// Whether no two resources have the same value.
    pub unique: bool,
    /// Usual values.
    pub usual: &'static [&'static str],
    /// What it is.
    pub says: &'static str,
}

/// A schema.
#[derive(Debug)]
pub struct Schema {
    /// Its URI.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

/// A type of resource (RFC 7643 §6).
#[derive(Debug)]
pub struct ResourceType {
    /// Its name.
    pub name: &'static str,
    /// Where its resources live.
    pub endpoint: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Its own schema.
    pub core: &'static Schema,
    /// Its extensions.
    pub extensions: &'static [&'static Schema],
}

const fn plain(name: &'static str, kind: Kind, says: &'static str) -> Attribute {
    Attribute {
        name,
        kind,
        many: false,
        required: false,
        writable: true,
        always: false,
        unique: false,
        usual: &[],
        says,
    }
}

const fn text(name: &'static str, says: &'static str) -> Attribute {
    plain(name, Kind::Text, says)
}

impl Attribute {
    const fn many(mut self) -> Self {
        self.many = true;
        self
    }
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    const fn read_only(mut self) -> Self {
        self.writable = false;
        self
    }
    const fn always(mut self) -> Self {
        self.always = true;
        self
    }
    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
    const fn usual(mut self, usual: &'static [&'static str]) -> Self {
        self.usual = usual;
        self
    }
    /// The sub-attributes; none of what is not complex.
    pub const fn parts(&self) -> &'static [Self] {
        match self.kind {
            Kind::Complex(parts) => parts,
            _ => &[],
        }
    }
    /// A sub-attribute by its name, whatever the case.
    pub fn part(&self, name: &str) -> Option<&'static Self> {
        self.parts().iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }
    /// Whether case tells values apart.
    pub const fn exact(&self) -> bool {
        matches!(self.kind, Kind::Exact | Kind::Reference(_))
    }
}

/// `value`, `display`, `type` and `primary` of a multi-valued attribute (RFC 7643 §2.4).
macro_rules! several {
    ($value:expr, $usual:expr) => {
        &[
            $value,
            text("display", "A name for people."),
            text("type", "What kind it is.").usual($usual),
            plain("primary", Kind::Bool, "Whether it is the preferred one; at most one is."),
        ]
    };
}

/// What every resource has (RFC 7643 §3.1).
pub static COMMON: &[Attribute] = &[
    plain("id", Kind::Exact, "The identifier, given by this service.").read_only().always(),
    plain("externalId", Kind::Exact, "The identifier that the provisioning client gave."),
    plain("schemas", Kind::Exact, "The schemas in use.").many().always(),
    plain(
        "meta",
        Kind::Complex(&[
            plain("resourceType", Kind::Exact, "The type.").read_only(),
            plain("created", Kind::Time, "When it was made.").read_only(),
            plain("lastModified", Kind::Time, "When it was last changed.").read_only(),
            plain("location", Kind::Exact, "Its address.").read_only(),
            plain("version", Kind::Exact, "Its version.").read_only(),
        ]),
        "What the service knows of it.",
    )
    .read_only(),
];

static USER: Schema = Schema {
    id: USER_URI,
    name: "User",
    says: "A person's account.",
    attributes: &[
        text("userName", "The sign-in name.").required().unique(),
        plain(
            "name",
            Kind::Complex(&[
                text("formatted", "The whole name."),
                text("familyName", "The family name."),
                text("givenName", "The given name."),
                text("middleName", "The middle name."),
                text("honorificPrefix", "What stands before the name."),
                text("honorificSuffix", "What stands after the name."),
            ]),
            "The parts of the name.",
        ),
        text("displayName", "What people call them."),
        text("nickName", "A familiar name."),
        plain("profileUrl", Kind::Reference("external"), "A page about the person."),
        text("title", "The title."),
        text("userType", "How the person stands to the organisation."),
        text("preferredLanguage", "The preferred language."),
        text("locale", "Where the person is, for formats."),
        text("timezone", "The time zone."),
        plain("active", Kind::Bool, "Whether the person may sign in. False ends every session and token at once.")
            .required(),
        plain(
            "emails",
            Kind::Complex(several!(text("value", "The address."), &["work", "home", "other"])),
            "Mail addresses; the primary one is the account's.",
        )
        .many(),
        plain(
            "phoneNumbers",
            Kind::Complex(several!(text("value", "The number."), &["work", "home", "mobile", "fax", "other"])),
            "Telephone numbers.",
        )
        .many(),
        plain(
            "addresses",
            Kind::Complex(&[
                text("formatted", "The whole address."),
                text("streetAddress", "Street and house."),
                text("locality", "City."),
                text("region", "State or prefecture."),
                text("postalCode", "Postal code."),
                text("country", "Country, ISO 3166-1 alpha-2."),
                text("type", "What kind it is.").usual(&["work", "home", "other"]),
                plain("primary", Kind::Bool, "Whether it is the preferred one."),
            ]),
            "Addresses.",
        )
        .many(),
        plain(
            "groups",
            Kind::Complex(&[
                plain("value", Kind::Exact, "The group's identifier.").read_only(),
                plain("$ref", Kind::Reference("Group"), "The group's address.").read_only(),
                text("display", "The group's name.").read_only(),
                text("type", "Always direct.").read_only().usual(&["direct"]),
            ]),
            "The groups that the person is a member of.",
        )
        .many()
        .read_only(),
    ],
};

static ENTERPRISE: Schema = Schema {
    id: ENTERPRISE_URI,
    name: "EnterpriseUser",
    says: "What an employer knows of a person.",
    attributes: &[
        text("employeeNumber", "The number that the organisation gave."),
        text("costCenter", "The cost centre."),
        text("organization", "The organisation."),
        text("division", "The division."),
        text("department", "The department."),
        plain(
            "manager",
            Kind::Complex(&[
                plain("value", Kind::Exact, "The manager's identifier."),
                plain("$ref", Kind::Reference("User"), "The manager's address."),
                text("displayName", "The manager's name.").read_only(),
            ]),
            "The person's manager.",
        ),
    ],
};

static GROUP: Schema = Schema {
    id: GROUP_URI,
    name: "Group",
    says: "A group of people; an administrator says which role it gives.",
    attributes: &[
        text("displayName", "The group's name.").required().unique(),
        plain(
            "members",
            Kind::Complex(&[
                plain("value", Kind::Exact, "The member's identifier."),
                plain("$ref", Kind::Reference("User"), "The member's address."),
                text("type", "Always User: groups have no groups.").usual(&["User"]),
            ]),
            "The members.",
        )
        .many(),
    ],
};

/// Users.
pub static USERS: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    says: "People's accounts.",
    core: &USER,
    extensions: &[&ENTERPRISE],
};

/// Groups.
pub static GROUPS: ResourceType =
    ResourceType { name: "Group", endpoint: "/Groups", says: "Groups of people.", core: &GROUP, extensions: &[] };

/// Every type.
pub static TYPES: &[&ResourceType] = &[&USERS, &GROUPS];

impl ResourceType {
    /// An attribute of the core schema, or one that every resource has, whatever the case.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        let known = |a: &&Attribute| a.name.eq_ignore_ascii_case(name);
        self.core.attributes.iter().find(known).or_else(|| COMMON.iter().find(known))
    }
    /// An extension by its URI, whatever the case.
    pub fn extension(&self, uri: &str) -> Option<&'static Schema> {
        self.extensions.iter().copied().find(|s| s.id.eq_ignore_ascii_case(uri))
    }
}

impl Schema {
    /// An attribute by its name, whatever the case.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

/// An attribute as `/Schemas` writes it.
fn described(attribute: &Attribute) -> Value {
    let kind = match attribute.kind {
        Kind::Text | Kind::Exact => "string",
        Kind::Bool => "boolean",
        Kind::Time => "dateTime",
        Kind::Reference(_) => "reference",
        Kind::Complex(_) => "complex",
    };
    let mut out = json!({
        "name": attribute.name,
        "type": kind,
        "multiValued": attribute.many,
        "description": attribute.says,
        "required": attribute.required,
        "mutability": if attribute.writable { "readWrite" } else { "readOnly" },
        "returned": if attribute.always { "always" } else { "default" },
        "uniqueness": if attribute.unique { "server" } else { "none" },
    });
    match attribute.kind {
        Kind::Complex(parts) => out["subAttributes"] = parts.iter().map(described).collect(),
        Kind::Reference(of) => {
            out["referenceTypes"] = json!([of]);
            out["caseExact"] = json!(true);
        }
        Kind::Text | Kind::Exact => out["caseExact"] = json!(attribute.exact()),
        Kind::Bool | Kind::Time => {}
    }
    if !attribute.usual.is_empty() {
        out["canonicalValues"] = json!(attribute.usual);
    }
    out
}

/// A schema as `/Schemas` writes it.
fn schema(of: &Schema, base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": of.id,
        "name": of.name,
        "description": of.says,
        "attributes": of.attributes.iter().map(described).collect::<Vec<_>>(),
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", of.id) },
    })
}

/// Every schema, for `/Schemas`.
pub fn schemas(base: &str) -> Vec<Value> {
    TYPES
        .iter()
        .flat_map(|t| [t.core].into_iter().chain(t.extensions.iter().copied()))
        .map(|s| schema(s, base))
        .collect()
}

/// Every type, for `/ResourceTypes`.
pub fn resource_types(base: &str) -> Vec<Value> {
    let described = |t: &&ResourceType| {
        let extensions: Vec<Value> =
            t.extensions.iter().map(|e| json!({ "schema": e.id, "required": false })).collect();
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": t.name,
            "name": t.name,
            "endpoint": t.endpoint,
            "description": t.says,
            "schema": t.core.id,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", t.name) },
        })
    };
    TYPES.iter().map(described).collect()
}
