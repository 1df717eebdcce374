//! Which outside registers the rules can come to. For warnings at the start: a register that is not set up changes answers.

use std::collections::BTreeSet;

use super::fact::{Condition, Fact, ReceiverKind};
use super::table::{CertificateFrom, Chapter, LevelFrom, Members, Rule, Rules, Template};

impl Rules {
    /// The tables of `[registers]` that look-ups ask, when the functions `off` are.
    pub fn registers(&self, off: &BTreeSet<String>) -> BTreeSet<&'static str> {
        let mut needed = BTreeSet::new();
        for chapter in &self.chapters {
            let rules = reached(chapter, off);
            let records = || rules.iter().flat_map(|rule| rule.outcome.records());
            if records().next().is_none() {
                continue;
            }
            let of_rules = rules.iter().flat_map(|rule| &rule.when);
            let of_records = records().flat_map(|record| &record.when);
            needed.extend(of_receivers(chapter.receiver));
            needed.extend(of_rules.chain(of_records).filter_map(|asked| asked.fact.register()));
            needed.extend(records().flat_map(|record| of_record(record)));
        }
        needed
    }
}

/// The rules that are not cut off by functions that are on or off.
fn reached<'a>(chapter: &'a Chapter, off: &BTreeSet<String>) -> Vec<&'a Rule> {
    let settled = |condition: &Condition| match &condition.fact {
        Fact::Feature(name) => Some(off.contains(name) != condition.wanted),
        _ => None,
    };
    let mut rules = Vec::new();
    for rule in &chapter.rules {
        if rule.when.iter().any(|condition| settled(condition) == Some(false)) {
            continue;
        }
        rules.push(rule);
        if rule.when.iter().all(|condition| settled(condition) == Some(true)) {
            break;
        }
    }
    rules
}

/// Who such a receiver is.
fn of_receivers(kind: ReceiverKind) -> Option<&'static str> {
    match kind {
        ReceiverKind::Organisation => Some("brreg"),
        ReceiverKind::Person => None,
        ReceiverKind::Health => Some("nhn"),
        ReceiverKind::Account => Some("fiks"),
    }
}

/// What a record tells.
fn of_record(record: &Template) -> BTreeSet<&'static str> {
    let of_certificate = match &record.certificate {
        CertificateFrom::Use(_) => Some("virksert"),
        CertificateFrom::Mailbox | CertificateFrom::Printer => Some("krr"),
        CertificateFrom::Unit => Some("nhn"),
        CertificateFrom::Account => Some("fiks"),
        CertificateFrom::Service | CertificateFrom::None => None,
    };
    let of_level = record.level.map(|LevelFrom::ReceiverSystem| "svarut");
    let of_members: &[_] = match record.members {
        None => &[],
        Some(Members::Mailbox) => &["krr"],
        Some(Members::Print) => &["krr", "freg", "brreg"],
        // The patient of a fastlege has a name.
        Some(Members::Health) => &["nhn", "freg"],
    };
    let of_both = of_certificate.into_iter().chain(of_level);
    of_both.chain(of_members.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_WAY: &str = r#"
        [[chapter]]
        receiver = "organisation"
        [[chapter.rule]]
        name = "a"
        when = ["WHEN"]
        records = []
        reason = ""
        [[chapter.rule]]
        name = "b"
        when = ["registered-for-any"]
        records = ["r"]
        reason = ""
        [record.r]
        service = "X"
        endpoint = "service"
        codes = "none"
        certificate = { use = "X" }
        document-types = "all"
    "#;

    fn needed(text: &str, off: &[&str]) -> Vec<&'static str> {
        let off = off.iter().map(|name| (*name).to_owned()).collect();
        Rules::read(text).unwrap().registers(&off).into_iter().collect()
    }

    #[test]
    fn the_rules_that_are_built_in_ask_all_registers() {
        let all = ["brreg", "elma", "fiks", "freg", "krr", "nhn", "svarut", "virksert"];
        let rules = Rules::built_in().unwrap();
        assert_eq!(rules.registers(&BTreeSet::new()), BTreeSet::from(all));
        let off = ["healthcare", "enable-dpf-dpv"].map(str::to_owned);
        let left: Vec<_> = rules.registers(&BTreeSet::from(off)).into_iter().collect();
        assert_eq!(left, ["brreg", "elma", "fiks", "freg", "krr", "virksert"]);
    }

    #[test]
    fn what_functions_cut_off_is_not_asked_for() {
        let on = FIRST_WAY.replace("WHEN", "feature f");
        assert_eq!(needed(&on, &[]), Vec::<&str>::new());
        assert_eq!(needed(&on, &["f"]), ["brreg", "elma", "virksert"]);
        let off = FIRST_WAY.replace("WHEN", "not feature f");
        assert_eq!(needed(&off, &[]), ["brreg", "elma", "virksert"]);
        assert_eq!(needed(&off, &["f"]), Vec::<&str>::new());
        // It cuts off only some questions.
        let some = FIRST_WAY.replace("\"WHEN\"", "\"feature f\", \"level 4\"");
        assert_eq!(needed(&some, &[]), ["brreg", "elma", "virksert"]);
    }
}
