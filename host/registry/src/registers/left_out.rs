//! Registers that are not set up, and what is so without each.

use std::collections::BTreeSet;

use super::settings::RegisterSettings;

impl RegisterSettings {
    /// The tables of `needed` that are left out, each with what is so without it.
    pub fn left_out(&self, needed: &BTreeSet<&str>) -> Vec<(&'static str, &'static str)> {
        let tables = [
            (
                "brreg",
                self.brreg.is_some(),
                "only organisations of own data are known",
            ),
            (
                "elma",
                self.elma.is_some(),
                "nobody is registered but by own data, so everybody else is reached as who is not",
            ),
            (
                "virksert",
                self.virksert.is_some(),
                "only certificates of own data are known; a record that needs another is not made",
            ),
            (
                "svarut",
                self.svarut.is_some(),
                "nobody has a system that fetches letters, so they go as to those without one",
            ),
            ("krr", self.krr.is_some(), "look-ups of citizens fail"),
            (
                "freg",
                self.freg.is_some(),
                "citizens have no address, so no letter on paper is offered, and patients cannot be retrieved",
            ),
            ("nhn", self.nhn.is_some(), "no unit of the health service is known"),
            ("fiks", self.fiks.is_some(), "no FIKS IO account is known"),
        ];
        let left_out = tables
            .into_iter()
            .filter(|(table, is_there, _)| !is_there && needed.contains(table));
        left_out.map(|(table, _, without)| (table, without)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    #[test]
    fn what_the_rules_ask_and_nobody_set_up_is_told() {
        let settings: RegisterSettings = toml::from_str("[brreg]\n[elma]\nurl = \"https://smp.example.no\"").unwrap();
        let tables = |needed: &BTreeSet<&str>| -> Vec<_> {
            let left_out = settings.left_out(needed).into_iter();
            left_out.map(|(table, _)| table).collect()
        };
        assert_eq!(tables(&BTreeSet::from(["elma", "svarut"])), ["svarut"]);
        let all = Rules::built_in().unwrap().registers(&BTreeSet::new());
        assert_eq!(tables(&all), ["virksert", "svarut", "krr", "freg", "nhn", "fiks"]);
        assert_eq!(RegisterSettings::default().left_out(&all).len(), all.len());
    }
}
