//! A file under another name.

use crate::http::pump::{Broken, Pumped, pump};
use crate::{Document, Failure, Spool};

/// The content of a document under another name and type, as for an entry of a zip, whose name somebody else chose. It is copied inside the
/// host, to disk.
pub fn copy(document: &Document, name: &str, media_type: &str) -> Result<Document, Failure> {
    let broken = |detail: String| Failure::temporary(format!("a file cannot be copied: {detail}"));
    let source = document.open()?;
    let spool = Spool::new(name, media_type);
    let writer = spool.writer()?;
    match pump(&source, &writer, document.size()) {
        Ok(Pumped::Whole) => {}
        Ok(Pumped::Refused) => return Err(broken("the host takes no more of it".to_owned())),
        Err(Broken::Http(code)) => return Err(broken(format!("{code:?}"))),
        Err(Broken::Other(detail)) => return Err(broken(detail)),
    }
    drop(writer);
    drop(source);
    Spool::finish(spool)
}
