//! What each business message must hold. Spec: documents and packaging, 4; messaging API, 3.4.
//!
//! Members that the tables do not name are free. Required members and enumerations are enforced here, where the Java
//! integrasjonspunkt lets most of them pass and fails late or never.

mod address;
mod check;
mod nulls;
pub mod schema;

pub use address::{PostalAddress, fill_addresses};
pub(crate) use check::integer;
pub use check::{check, fill_defaults};
pub use nulls::drop_nulls;

/// One member of a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The member name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds when the client leaves it out.
    pub default: Option<&'static str>,
}

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Text.
    Text,
    /// Text that is one of these.
    OneOf(&'static [&'static str]),
    /// A whole number, also when it is written as text.
    Integer,
    /// A whole number that is one of these, also when it is written as text.
    IntegerOneOf(&'static [i64]),
    /// `true` or `false`.
    Boolean,
    /// A date, `yyyy-mm-dd`.
    Date,
    /// A date-time.
    DateTime,
    /// An object with these members.
    Object(&'static [Field]),
    /// A postal address: the members of a Norwegian or a foreign address.
    Address,
    /// A list of objects with these members.
    List(&'static [Field]),
    /// An object of any members, each of which is text.
    TextMap,
    /// An object of any members, each of which is an object with these members.
    Map(&'static [Field]),
    /// Anything, kept as it is.
    Any,
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
        default: None,
    }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
        default: None,
    }
}

const fn defaulted(name: &'static str, kind: Kind, default: &'static str) -> Field {
    Field {
        name,
        kind,
        required: false,
        default: Some(default),
    }
}

/// Names the file that is the primary document.
const HOVEDDOKUMENT: Field = optional("hoveddokument", Kind::Text);
const HOVEDDOKUMENT_REQUIRED: Field = required("hoveddokument", Kind::Text);

const SECURITY_LEVELS: Kind = Kind::IntegerOneOf(&[3, 4]);

const NOTIFICATION: Field = optional(
    "dpv",
    Kind::Object(&[
        optional(
            "varselType",
            Kind::OneOf(&["VarselDPVUtenRevarsel", "VarselDPVMedRevarsel"]),
        ),
        optional("varselTransportType", Kind::OneOf(&["Epost", "SMS", "EpostOgSMS"])),
        optional("varselTekst", Kind::Text),
        optional("taushetsbelagtVarselTekst", Kind::Text),
        optional("dagerTilSvarfrist", Kind::Integer),
    ]),
);

const MESSAGES: Field = optional(
    "messages",
    Kind::List(&[optional("code", Kind::Text), optional("text", Kind::Text)]),
);

/// Spec: documents and packaging, 4.1.
pub const ARKIVMELDING: &[Field] = &[
    HOVEDDOKUMENT,
    optional("sikkerhetsnivaa", SECURITY_LEVELS),
    NOTIFICATION,
    optional("dpf", Kind::Object(&[optional("forsendelseType", Kind::Text)])),
];

/// Spec: documents and packaging, 4.2.
pub const ARKIVMELDING_KVITTERING: &[Field] = &[
    HOVEDDOKUMENT,
    optional("receiptType", Kind::OneOf(&["OK", "WARNING", "ERROR", "NOTSUPPORTED"])),
    optional("relatedToMessageId", Kind::Text),
    MESSAGES,
];

/// Spec: documents and packaging, 4.3.
pub const AVTALT: &[Field] = &[
    HOVEDDOKUMENT,
    optional("identifier", Kind::Text),
    optional("content", Kind::Any),
];

/// Spec: documents and packaging, 4.4.
pub const STATUS: &[Field] = &[
    HOVEDDOKUMENT,
    required(
        "status",
        Kind::OneOf(&[
            "OPPRETTET",
            "SENDT",
            "MOTTATT",
            "LEVERT",
            "LEST",
            "FEIL",
            "ANNET",
            "INNKOMMENDE_MOTTATT",
            "INNKOMMENDE_LEVERT",
            "LEVETID_UTLOPT",
        ]),
    ),
];

/// Spec: documents and packaging, 4.5.
pub const DIGITAL: &[Field] = &[
    HOVEDDOKUMENT_REQUIRED,
    required("sikkerhetsnivaa", SECURITY_LEVELS),
    optional("avsenderId", Kind::Text),
    optional("fakturaReferanse", Kind::Text),
    required("tittel", Kind::Text),
    required("spraak", Kind::Text),
    required(
        "digitalPostInfo",
        Kind::Object(&[
            required("virkningsdato", Kind::Date),
            required("aapningskvittering", Kind::Boolean),
        ]),
    ),
    optional(
        "varsler",
        Kind::Object(&[optional("epostTekst", Kind::Text), optional("smsTekst", Kind::Text)]),
    ),
    optional("metadataFiler", Kind::TextMap),
];

/// Spec: documents and packaging, 4.6.
pub const PRINT: &[Field] = &[
    HOVEDDOKUMENT_REQUIRED,
    optional("avsenderId", Kind::Text),
    optional("fakturaReferanse", Kind::Text),
    required("mottaker", Kind::Address),
    defaulted("utskriftsfarge", Kind::OneOf(&["SORT_HVIT", "FARGE"]), "SORT_HVIT"),
    defaulted("posttype", Kind::OneOf(&["A_PRIORITERT", "B_OEKONOMI"]), "B_OEKONOMI"),
    required(
        "retur",
        Kind::Object(&[
            required("mottaker", Kind::Address),
            required(
                "returhaandtering",
                Kind::OneOf(&["DIREKTE_RETUR", "MAKULERING_MED_MELDING"]),
            ),
        ]),
    ),
    optional("printinstruksjoner", Kind::TextMap),
];

/// Spec: documents and packaging, 4.7.
pub const DIGITAL_DPV: &[Field] = &[
    HOVEDDOKUMENT,
    required("tittel", Kind::Text),
    required("sammendrag", Kind::Text),
    required("innhold", Kind::Text),
    NOTIFICATION,
];

/// Spec: documents and packaging, 4.8.
pub const INNSYNSKRAV: &[Field] = &[
    HOVEDDOKUMENT,
    required("orgnr", Kind::Text),
    required("epost", Kind::Text),
];

/// Spec: documents and packaging, 4.9.
pub const PUBLISERING: &[Field] = &[HOVEDDOKUMENT, required("orgnr", Kind::Text)];

/// Spec: documents and packaging, 4.10.
pub const EINNSYN_KVITTERING: &[Field] = &[
    HOVEDDOKUMENT,
    required("dokumentId", Kind::Text),
    required("status", Kind::Text),
    required("referanseType", Kind::OneOf(&["innsynskrav", "publisering"])),
];

/// Spec: documents and packaging, 4.11.
pub const DIALOGMELDING: &[Field] = &[
    HOVEDDOKUMENT_REQUIRED,
    required(
        "pasient",
        Kind::Object(&[
            required("fnr", Kind::Text),
            required("fornavn", Kind::Text),
            optional("mellomnavn", Kind::Text),
            required("etternavn", Kind::Text),
        ]),
    ),
    optional(
        "metadataFiler",
        Kind::Map(&[
            optional("issueDate", Kind::DateTime),
            optional("description", Kind::Text),
        ]),
    ),
];

/// Spec: documents and packaging, 4.12.
pub const DIALOGMELDING_KVITTERING: &[Field] = &[
    optional("relatedToMessageId", Kind::Text),
    optional("status", Kind::OneOf(&["OK", "REJECTED", "OK_ERROR_IN_MESSAGE_PART"])),
    MESSAGES,
    optional("rawReceipt", Kind::Text),
];

/// Spec: documents and packaging, 4.6.
pub const ADDRESS: &[Field] = &[
    optional("navn", Kind::Text),
    required("adresselinje1", Kind::Text),
    optional("adresselinje2", Kind::Text),
    optional("adresselinje3", Kind::Text),
    optional("adresselinje4", Kind::Text),
    optional("postnummer", Kind::Text),
    optional("poststed", Kind::Text),
    optional("land", Kind::Text),
];
