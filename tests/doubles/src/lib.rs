//! Stand-ins for the services that adapters talk to, served over real HTTP on loopback, with switches for faults.
//!
//! | service | where |
//! |---|---|
//! | Maskinporten | `POST /token` |
//! | Altinn token exchange | `GET /authentication/api/v1/exchange/maskinporten` |
//! | Altinn broker | `/broker/api/v1/filetransfer…` |
//! | Altinn Correspondence behind Digdir's proxy | `/altinn-proxy/correspondence/api/v1/…` |
//! | Enhetsregisteret, ELMA, virksert, SvarUt's mottakersystemer, KRR, Folkeregisteret, Norsk Helsenett, Fiks IO's catalogue | `/brreg/…`, `/smp/…`, `/virksert/…`, `/svarut/…`, `/krr/…`, `/freg/…`, `/nhn/…`, `/fiks/…` |
//! | KS: SvarUt and SvarInn | `/svarut/…`, `/svarinn/…` |
//! | door for people | `/__doubles/{faults,transfers,correspondences,requests,registers,ks,clear}` |
//!
//! ```no_run
//! # async fn show() -> Result<(), Box<dyn std::error::Error>> {
//! use budstikke_doubles::{Client, Doubles, DoublesConfig, Fault, Route, SystemUser, TestOrganisation};
//!
//! let dir = tempfile::tempdir()?;
//! let own = TestOrganisation::create(dir.path(), "991825827")?;
//! let doubles = Doubles::start(DoublesConfig {
//!     clients: vec![own.client("client-1")?],
//!     system_users: vec![SystemUser::new("991825827", "system-user")?],
//!     ..DoublesConfig::default()
//! })
//! .await?;
//! doubles.faults().once(Route::Upload, Fault::Status(503));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod broker;
mod configuration;
mod correspondence;
mod exchange;
mod faults;
mod identities;
mod jwk;
mod ks;
mod maskinporten;
mod organisation;
mod register;
mod registers;
mod requests;
mod server;
mod tokens;
mod wire;

pub use broker::transfer::{Recipient, RecipientStatus, Transfer, TransferStatus};
pub use configuration::{
    Client, DPO_RESOURCE, DPV_SCOPE, DoublesConfig, DownloadMark, Limits, READ_SCOPE, RegistrationError, SystemUser,
    WRITE_SCOPE,
};
pub use correspondence::{
    Correspondence, CorrespondenceResource, CorrespondenceStatus, Correspondences, PostConfig, Publishing,
    ReceivedFile, RecipientState,
};
pub use faults::{Fault, Faults, Route};
pub use identities::{IdentityError, PASSWORD, TestOrganisation};
pub use ks::{Address, Document, Forsendelse, Ks, Mottakersystem, Party, SvarUtAccount};
pub use maskinporten::key::KeyError;
pub use organisation::{NotAnOrganisation, Organisation};
pub use registers::{Content, FREG_API_KEY, INTEGRATION_ID, INTEGRATION_PASSWORD, KS_SCOPE, Registers, Signature};
pub use requests::RecordedRequest;
pub use server::{Doubles, DoublesError};
