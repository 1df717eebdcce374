//! The message formats of eFormidling, without any I/O. Only packing takes the time of day and random numbers by itself.
//!
//! - [`sbd`]: the Standard Business Document, the JSON envelope of every message.
//! - [`identifier`]: who sends and receives, and the ids of messages, conversations, processes and document types.
//! - [`document_type`], [`process`], [`status`], [`mime`]: the tables of the domain.
//! - [`body`]: what each business message must hold; [`violation`]: a rule that a message breaks.
//! - [`arkivmelding`]: what is read from `arkivmelding.xml`.
//! - [`xml`]: whether a file is XML at all.
//! - [`datetime`], [`file_name`]: values that a client hands in and that are kept as written.
//! - [`asic`], [`cms`]: the signed container and the encryption around it, as streams of any size.
//! - [`keystore`], [`x509`]: private keys and certificates; [`jws`]: texts signed with RS256.
//! - [`causes`]: an error with what caused it.
#![forbid(unsafe_code)]

pub mod arkivmelding;
pub mod asic;
pub mod body;
pub mod causes;
pub mod cms;
pub mod datetime;
pub mod document_type;
pub mod file_name;
pub mod identifier;
pub mod jws;
pub mod keystore;
pub mod mime;
pub mod process;
pub mod sbd;
pub mod status;
pub mod violation;
pub mod x509;
pub mod xml;
