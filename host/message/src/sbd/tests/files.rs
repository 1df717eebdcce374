use super::*;

fn digital() -> Sbd {
    parse(&of_type(
        "digital",
        json!({ "hoveddokument": "brev.pdf", "metadataFiler": { "brev.pdf": "brev.xml" } }),
    ))
}

fn dialogmelding() -> Sbd {
    parse(&of_type(
        "dialogmelding",
        json!({ "hoveddokument": "dialogmelding.xml", "metadataFiler": { "bilde.png": {} } }),
    ))
}

#[test]
fn digital_post_wants_a_title_for_what_is_neither_primary_nor_metadata() {
    let message = digital();
    assert_eq!(message.check_file("brev.pdf", None, "application/pdf"), Ok(()));
    assert_eq!(message.check_file("brev.xml", None, "text/xml"), Ok(()));
    assert_eq!(
        message.check_file("vedlegg.pdf", Some("Vedlegg"), "application/pdf"),
        Ok(())
    );
    assert_eq!(
        message.check_file("vedlegg.pdf", None, "application/pdf"),
        Err(AttachedError::NoTitle)
    );
    let print = parse(&of_type("print", json!({ "hoveddokument": "brev.pdf" })));
    assert_eq!(print.check_file("brev.pdf", None, "application/pdf"), Ok(()));
    assert_eq!(
        print.check_file("brev.xml", None, "text/xml"),
        Err(AttachedError::NoTitle)
    );
}

#[test]
fn a_dialogmelding_describes_its_attachments_and_takes_three_kinds() {
    let message = dialogmelding();
    assert_eq!(message.check_file("dialogmelding.xml", None, "application/xml"), Ok(()));
    assert_eq!(message.check_file("bilde.png", None, "Image/PNG; name=x"), Ok(()));
    assert_eq!(
        message.check_file("annet.png", Some("Annet"), "image/png"),
        Err(AttachedError::NotDescribed)
    );
    let refused = message.check_file("bilde.png", None, "image/gif").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the content type must be one of application/pdf, image/png, image/jpeg"
    );
}

#[test]
fn other_messages_take_any_file() {
    assert_eq!(parse(&letter()).check_file("x", None, ""), Ok(()));
}
