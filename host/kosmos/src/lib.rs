//! KOSMOS: the supervisor beside an integrasjonspunkt. It finds out which version is meant for this environment, asks policies whether
//! it may run here, fetches and verifies it, stops the old one and starts the new one, watches it, and goes back when it is no good.
//!
//! - [`supervisor`] is the process; [`keeper`] takes the seven steps for one target; [`journal`] is what it must not forget.
//! - [`target`] is what can be kept current: the Java integrasjonspunkt, our own program, an adapter.
//! - [`judge`] asks the policies, which are components; [`trust`] verifies files.
//! - [`launch`], [`process`] and [`soak`] stop, start and watch; [`notify`] tells people; [`control`] is for the command line.
//!
//! Processes are found through `/proc`, so it runs on Linux. Spec: KOSMOS.
#![forbid(unsafe_code)]

pub mod actuator;
pub mod config;
pub mod control;
pub mod document;
pub mod download;
pub mod fail_point;
pub mod http;
pub mod journal;
pub mod judge;
pub mod keeper;
pub mod launch;
pub mod markers;
pub mod notify;
pub mod organisation;
pub mod process;
pub mod schedule;
pub mod soak;
pub mod supervisor;
pub mod target;
pub mod trust;
pub mod version;
