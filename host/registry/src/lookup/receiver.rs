//! Who is asked for, and what is told about them. Spec: service registry, 3.1 and 4.1.

use budstikke_message::identifier::{FiksIo, Identifier, Nhn, OrganisationNumber, Person};

use super::error::LookupError;
use super::inquiry::Inquiry;
use crate::model::{EntityType, InfoRecord, Postadresse};
use crate::registers::{Account, Address, HealthUnit, Organisation};
use crate::rules::ReceiverKind;

/// The list of Norwegian organisations.
const NORWEGIAN: &str = "0192";

/// A receiver of one of the kinds that there are registers for.
pub(super) enum Receiver {
    Organisation(OrganisationNumber),
    Person(Person),
    Health(Nhn),
    Account(FiksIo),
}

impl Receiver {
    /// `None`: an organisation of another country's list, or without nine digits, which no register here has.
    pub(super) fn of(identifier: &Identifier) -> Option<Self> {
        match identifier {
            Identifier::Iso6523(id) if id.icd() == NORWEGIAN => id.org().parse().ok().map(Self::Organisation),
            Identifier::Iso6523(_) => None,
            Identifier::Person(person) => Some(Self::Person(person.clone())),
            Identifier::Nhn(nhn) => Some(Self::Health(nhn.clone())),
            Identifier::FiksIo(account) => Some(Self::Account(account.clone())),
        }
    }

    pub(super) fn kind(&self) -> ReceiverKind {
        match self {
            Self::Organisation(_) => ReceiverKind::Organisation,
            Self::Person(_) => ReceiverKind::Person,
            Self::Health(_) => ReceiverKind::Health,
            Self::Account(_) => ReceiverKind::Account,
        }
    }

    /// For texts: a person is hidden.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Organisation(number) => number.to_string(),
            Self::Person(person) => person.to_string(),
            Self::Health(nhn) => nhn.to_string(),
            Self::Account(account) => account.to_string(),
        }
    }
}

/// Who the receiver is. A citizen is looked up in no register for it.
pub(super) async fn info(inquiry: &Inquiry<'_>) -> Result<InfoRecord, LookupError> {
    let found = match &inquiry.receiver {
        Receiver::Organisation(number) => inquiry.organisation(number).await?.map(of_organisation),
        Receiver::Person(person) => Some(InfoRecord {
            identifier: person.number().to_owned(),
            ..of_type("citizen")
        }),
        Receiver::Health(nhn) => inquiry.unit().await?.map(|unit| of_unit(nhn, unit)),
        Receiver::Account(_) => inquiry.account().await?.map(of_account),
    };
    found.ok_or_else(|| unknown(&inquiry.query.receiver))
}

pub(super) fn unknown(identifier: &Identifier) -> LookupError {
    LookupError::UnknownReceiver {
        receiver: identifier.to_string(),
    }
}

fn of_type(name: &str) -> InfoRecord {
    InfoRecord {
        entity_type: Some(EntityType { name: name.to_owned() }),
        ..InfoRecord::default()
    }
}

fn of_organisation(organisation: Organisation) -> InfoRecord {
    InfoRecord {
        identifier: organisation.number.to_string(),
        organization_name: Some(organisation.name).filter(|name| !name.is_empty()),
        postadresse: organisation.address.map(postadresse),
        entity_type: organisation.form.map(|name| EntityType { name }),
        ..InfoRecord::default()
    }
}

fn postadresse(address: Address) -> Postadresse {
    Postadresse {
        adresse: Some(address.lines.join(" ")).filter(|lines| !lines.is_empty()),
        postnummer: address.postal_code,
        poststed: address.postal_area,
        land: address.country,
    }
}

fn of_unit(nhn: &Nhn, unit: &HealthUnit) -> InfoRecord {
    InfoRecord {
        identifier: nhn.as_str().to_owned(),
        organization_name: unit.name.clone(),
        parent_her_id: unit.parent_her_id,
        her_id: Some(unit.her_id),
        parent_organization_name: unit.parent_name.clone(),
        organization_number: Some(unit.organisation.clone()),
        patient: nhn.patient().map(|patient| patient.number().to_owned()),
        ..of_type("NorskHelsenett")
    }
}

fn of_account(account: &Account) -> InfoRecord {
    InfoRecord {
        identifier: account.id.clone(),
        organization_name: account.name.clone(),
        ..of_type("FIKSIO")
    }
}
