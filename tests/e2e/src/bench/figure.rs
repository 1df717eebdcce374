//! A measured number beside its target.

use std::time::Duration;

/// One line of the table.
pub(crate) struct Figure {
    name: String,
    target: Option<Target>,
    value: f64,
    unit: &'static str,
}

#[derive(Clone, Copy)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    /// Without a target: it explains the others.
    pub(crate) fn plain(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            target: None,
            value,
            unit,
        }
    }

    /// Its name behind that of what was measured.
    pub(crate) fn of(self, what: &str) -> Self {
        Self {
            name: format!("{what}: {}", self.name),
            ..self
        }
    }

    /// More is worse.
    pub(crate) fn at_most(self, most: f64) -> Self {
        Self {
            target: Some(Target::AtMost(most)),
            ..self
        }
    }

    /// Less is worse.
    pub(crate) fn at_least(self, least: f64) -> Self {
        Self {
            target: Some(Target::AtLeast(least)),
            ..self
        }
    }

    /// True when there is a target, and it is missed.
    pub(crate) fn misses(&self) -> bool {
        match self.target {
            None => false,
            Some(Target::AtMost(most)) => self.value > most,
            Some(Target::AtLeast(least)) => self.value < least,
        }
    }

    fn wanted(&self) -> String {
        match self.target {
            None => String::new(),
            Some(Target::AtMost(most)) => format!("≤ {most} {}", self.unit),
            Some(Target::AtLeast(least)) => format!("≥ {least} {}", self.unit),
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.target, self.misses()) {
            (None, _) => "",
            (Some(_), false) => "pass",
            (Some(_), true) => "FAIL",
        }
    }
}

/// The table.
pub(crate) fn print(figures: &[Figure]) {
    println!("\n{:<52} {:>16} {:>16}", "figure", "target", "measured");
    for figure in figures {
        let measured = format!("{:.*} {}", decimals(figure.value), figure.value, figure.unit);
        println!(
            "{:<52} {:>16} {measured:>16}  {}",
            figure.name,
            figure.wanted(),
            figure.verdict()
        );
    }
}

/// Three digits are worth reading.
fn decimals(value: f64) -> usize {
    match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    }
}

/// The value below which so many thousandths of the sorted values are.
pub(crate) fn quantile(sorted: &[Duration], thousandths: usize) -> Duration {
    sorted
        .get(sorted.len() * thousandths / 1000)
        .copied()
        .unwrap_or_default()
}
