//! The first calls of a new version.

/// Counts a new version's first calls.
#[derive(Debug)]
pub(super) struct Trial {
    calls_left: u32,
    faults_left: u32,
}

/// What a call said about the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Goes on.
    Open,
    /// The version has proved itself.
    Proven,
    /// The version is no good.
    Failed,
}

impl Trial {
    /// `calls` to be done, among which there may be fewer than `faults` faults.
    pub(super) fn new(calls: u32, faults: u32) -> Self {
        Self {
            calls_left: calls.max(1),
            faults_left: faults.max(1),
        }
    }

    /// Counts one call.
    pub(super) fn count(&mut self, fault: bool) -> Verdict {
        if fault {
            self.faults_left = self.faults_left.saturating_sub(1);
            if self.faults_left == 0 {
                return Verdict::Failed;
            }
            return Verdict::Open;
        }
        self.calls_left = self.calls_left.saturating_sub(1);
        if self.calls_left == 0 {
            Verdict::Proven
        } else {
            Verdict::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_good_calls_prove_a_version() {
        let mut trial = Trial::new(3, 2);
        assert_eq!(trial.count(false), Verdict::Open);
        assert_eq!(trial.count(true), Verdict::Open);
        assert_eq!(trial.count(false), Verdict::Open);
        assert_eq!(trial.count(false), Verdict::Proven);
    }

    #[test]
    fn enough_faults_fail_it() {
        let mut trial = Trial::new(20, 3);
        assert_eq!(trial.count(true), Verdict::Open);
        assert_eq!(trial.count(false), Verdict::Open);
        assert_eq!(trial.count(true), Verdict::Open);
        assert_eq!(trial.count(true), Verdict::Failed);
    }
}
