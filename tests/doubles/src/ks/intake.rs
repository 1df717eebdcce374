//! What SvarUt looks at in every forsendelse, whichever way it came (Spec: DPF and DPFIO, 7.3 and 7.4).

use jiff::ToSpan as _;
use uuid::Uuid;

use super::forsendelse::Forsendelse;
use crate::server::House;

/// So many identical ones within [`DAYS`], and the next is refused.
const IDENTICAL: usize = 25;
const DAYS: i64 = 2;
/// What may be printed, in bytes.
const PRINTABLE: usize = 350 << 20;
const LONGEST_NAME: usize = 226;
const FORBIDDEN: &[char] = &['"', '<', '>', '?', '*', '|', ':', '/', '\\'];

/// Takes a forsendelse whose documents are still encrypted, if `encrypted`. The text says why not, in KS's words.
pub(super) fn take(house: &House, mut forsendelse: Forsendelse, encrypted: bool) -> Result<Uuid, String> {
    names(&forsendelse)?;
    if let Some(kind) = &forsendelse.kind {
        let known = house.ks.account(|account| account.number == forsendelse.sender);
        if !known.is_some_and(|account| account.types.contains(kind)) {
            return Err("Ugyldig innhold: forsendelsestypen er ikke kjent".to_owned());
        }
    }
    if forsendelse.level == 4 && !encrypted {
        return Err("Ugyldig innhold: nivå 4 krever kryptering".to_owned());
    }
    for document in &mut forsendelse.documents {
        if encrypted {
            let opened = house.ks.key.open(&document.content);
            document.content = opened.ok_or_else(|| format!("Feil under lesing av {}", document.name))?;
        }
        if document.content.is_empty() {
            return Err("Kan ikke lagre tomt dokument".to_owned());
        }
        let printed = !forsendelse.digital_only && document.not_printed != Some(true);
        if printed && document.media_type != "application/pdf" {
            return Err("Ugyldig innhold: bare pdf kan skrives ut".to_owned());
        }
    }
    let size: usize = forsendelse
        .documents
        .iter()
        .map(|document| document.content.len())
        .sum();
    if !forsendelse.digital_only && size > PRINTABLE {
        return Err("Ugyldig innhold: forsendelsen er for stor til å skrives ut".to_owned());
    }
    let number = &forsendelse.receiver.number;
    if house
        .ks
        .receiver(|receiver| receiver.numbers.contains(number))
        .is_some()
    {
        forsendelse.waits = true;
        forsendelse.become_status("SENDT_DIGITALT");
    }
    house
        .ks
        .add(forsendelse.clone(), |known| duplicates(&forsendelse, known))
}

fn names(forsendelse: &Forsendelse) -> Result<(), String> {
    let documents = &forsendelse.documents;
    if documents.is_empty() {
        return Err("Ugyldig innhold: forsendelsen har ingen dokumenter".to_owned());
    }
    for (place, document) in documents.iter().enumerate() {
        let name = &document.name;
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(FORBIDDEN) {
            return Err("Ugyldig innhold: filnavnet er ikke lovlig".to_owned());
        }
        if documents[..place].iter().any(|other| other.name == *name) {
            return Err("Ugyldig innhold: filnavnet er brukt to ganger".to_owned());
        }
    }
    Ok(())
}

fn duplicates(new: &Forsendelse, known: &[Forsendelse]) -> Result<(), String> {
    if known.iter().any(|forsendelse| forsendelse.id == new.id) {
        return Err(format!("Duplikat: forsendelsen {} finnes allerede", new.id));
    }
    let since = new.date.checked_sub((DAYS * 24).hours()).unwrap_or_default();
    let same = |forsendelse: &&Forsendelse| {
        forsendelse.date > since
            && forsendelse.sender == new.sender
            && forsendelse.title == new.title
            && forsendelse.receiver == new.receiver
    };
    if known.iter().filter(same).count() >= IDENTICAL {
        return Err("Forsendelse med samme mottaker og tittel er sendt for mange ganger".to_owned());
    }
    Ok(())
}
