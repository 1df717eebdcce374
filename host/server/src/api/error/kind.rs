//! The table of errors that the API answers with. Spec: messaging API, 10.2.

use http::StatusCode;

/// One row: what a client can match on, and what a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct Kind {
    /// The class name that fagsystemer know; an own error stands without its package.
    pub name: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// What to do now.
    pub hint: &'static str,
}

const fn kind(name: &'static str, status: StatusCode, hint: &'static str) -> Kind {
    Kind { name, status, hint }
}

const fn bad(name: &'static str, hint: &'static str) -> Kind {
    kind(name, StatusCode::BAD_REQUEST, hint)
}

const fn missing(name: &'static str, hint: &'static str) -> Kind {
    kind(name, StatusCode::NOT_FOUND, hint)
}

impl Kind {
    /// The fully qualified class name, as the Java integrasjonspunkt writes it.
    pub(in crate::api) fn exception(&self) -> String {
        qualified(self.name)
    }
}

/// A class name with its package, which an own error stands without.
pub(in crate::api) fn qualified(name: &str) -> String {
    if name.contains('.') {
        name.to_owned()
    } else {
        format!("no.difi.meldingsutveksling.exceptions.{name}")
    }
}

pub(in crate::api) const MESSAGE_NOT_FOUND: Kind = missing(
    "MessageNotFoundException",
    "Check the message id. A message that has been sent or taken is found under /api/conversations only.",
);
pub(in crate::api) const CONVERSATION_NOT_FOUND: Kind = missing(
    "ConversationNotFoundException",
    "Only outgoing conversations are found by id; list /api/conversations with a filter to see the others.",
);
pub(in crate::api) const SUBSCRIPTION_NOT_FOUND: Kind = missing(
    "SubscriptionNotFoundException",
    "List /api/subscriptions to see which there are.",
);
pub(in crate::api) const IDENTIFIER_NOT_FOUND: Kind = missing(
    "IdentifierNotFoundException",
    "Give the bare organisation or person number, and check that the receiver is registered.",
);
pub(in crate::api) const FILE_NOT_FOUND: Kind = missing(
    "FileNotFoundException",
    "Upload the files that the message names, then send it again.",
);

pub(in crate::api) const MESSAGE_EXISTS: Kind = bad(
    "MessageAlreadyExistsException",
    "Leave instanceIdentifier out to get a new message id, or go on with the message that exists. The id of a draft \
     is free again when the draft and then its conversation have been deleted.",
);
pub(in crate::api) const SUBSCRIPTION_EXISTS: Kind = bad(
    "SubscriptionWithSameNameAndPushEndpointAlreadyExists",
    "Change the subscription that exists with PUT, or choose another name.",
);
pub(in crate::api) const MESSAGE_NOT_LOCKED: Kind = bad(
    "MessageNotLockedException",
    "Call /api/messages/in/peek first; its lock may have run out.",
);
pub(in crate::api) const LOCKED_BY_ANOTHER: Kind = bad(
    "MessageNotLockedException",
    "The lock that Budstikke-Lock-Token names has ended. Call /api/messages/in/peek again; another client has the message now.",
);
pub(in crate::api) const MESSAGE_QUEUED: Kind = bad(
    "MessageAlreadyQueuedException",
    "The files of a message cannot change after it was sent; create a new message.",
);
pub(in crate::api) const UNKNOWN_MESSAGE_TYPE: Kind = bad(
    "UnknownMessageTypeException",
    "Use one of the message types that the error names.",
);
pub(in crate::api) const MISSING_MESSAGE_TYPE: Kind = bad(
    "MissingMessageTypeException",
    "Add the business message: a member beside standardBusinessDocumentHeader whose name is the message type.",
);
pub(in crate::api) const TYPE_DOES_NOT_FIT: Kind = bad(
    "MessageTypeDoesNotFitDocumentTypeException",
    "documentIdentification.standard must end in '::' and documentIdentification.type.",
);
pub(in crate::api) const RECEIVER_DOES_NOT_ACCEPT: Kind = bad(
    "ReceiverDoesNotAcceptProcessException",
    "Ask /api/capabilities/{receiver} which processes and document types the receiver takes.",
);
pub(in crate::api) const SERVICE_NOT_ENABLED: Kind = bad(
    "ServiceNotEnabledException",
    "The operator must enable an adapter for this service, or see /manage/health why it is not running.",
);
pub(in crate::api) const SERVICE_NOT_RUNNING: Kind = kind(
    "ServiceNotEnabledException",
    StatusCode::SERVICE_UNAVAILABLE,
    "Repeat the call later; the operator sees at /manage/health why the adapter is not running.",
);
pub(in crate::api) const MISSING_ADDRESS: Kind = bad(
    "MissingAddressInformationException",
    "Complete the postal addresses that errors[] names.",
);
pub(in crate::api) const CHANNEL_INVALID: Kind = bad(
    "MessageChannelInvalidException",
    "Leave the MessageChannel scope out, or use the channel that is configured.",
);
pub(in crate::api) const INVALID_CERTIFICATE: Kind = bad(
    "InvalidCertificateException",
    "The operator must install a valid virksomhetssertifikat. Nothing can be sent until then.",
);
pub(in crate::api) const RECEIVER_CERTIFICATE: Kind = bad(
    "InvalidCertificateException",
    "The receiver must have a valid certificate registered; then create the message again. When the error says that its \
     authority is not known here, the operator must look at [certificates].",
);
pub(in crate::api) const UNCERTAIN_CERTIFICATE: Kind = kind(
    "InvalidCertificateException",
    StatusCode::SERVICE_UNAVAILABLE,
    "Repeat the call later: nobody could say whether the receiver's certificate was called back.",
);
pub(in crate::api) const DUPLICATE_FILENAME: Kind = bad(
    "DuplicateFilenameException",
    "Give every file of a message its own name.",
);
pub(in crate::api) const TOO_LARGE: Kind = bad(
    "MaxFileSizeExceededException",
    "Send fewer or smaller files, or split the message.",
);
pub(in crate::api) const PART_TOO_LARGE: Kind = bad(
    "MultipartFileToLargeException",
    "Create the message with POST /api/messages/out and upload large files one by one with PUT.",
);
pub(in crate::api) const SECOND_PRIMARY: Kind = bad(
    "MultiplePrimaryDocumentsNotAllowedException",
    "Only one file can be the hoveddokument.",
);
pub(in crate::api) const MISSING_TITLE: Kind = bad(
    "MissingFileTitleException",
    "Give the title as query parameter 'title', or as 'name' in Content-Disposition.",
);
pub(in crate::api) const MISSING_METADATA: Kind = bad(
    "MissingFileTitleException",
    "Name the file in metadataFiler when the message is created.",
);
pub(in crate::api) const INVALID_CONTENT_TYPE: Kind = bad(
    "InvalidContentTypeException",
    "Convert the file to one of the content types that the error names.",
);
pub(in crate::api) const MISSING_FILE: Kind = bad("MissingFileException", "Upload at least one file before sending.");
pub(in crate::api) const MISSING_ARKIVMELDING: Kind = bad(
    "MissingArkivmeldingException",
    "Upload a file with the name arkivmelding.xml before sending.",
);
pub(in crate::api) const MISSING_ARKIVMELDING_FILE: Kind = bad(
    "MissingArkivmeldingFileException",
    "Upload the files that arkivmelding.xml refers to, with exactly the names that stand there.",
);
pub(in crate::api) const INVALID_DOCUMENT: Kind = bad(
    "InvalidDocumentException",
    "Correct the file that the error names and upload it again.",
);
pub(in crate::api) const MISSING_PRIMARY: Kind = bad(
    "MissingPrimaryDocumentException",
    "Upload the file that hoveddokument names before sending.",
);
pub(in crate::api) const TIME_TO_LIVE: Kind = bad(
    "TimeToLiveException",
    "Create the message anew, with a later expectedResponseDateTime or none.",
);

pub(in crate::api) const UNREADABLE_PACKAGE: Kind = kind(
    "AsicReadException",
    StatusCode::INTERNAL_SERVER_ERROR,
    "The message is kept. The operator must see to it that the key it was encrypted for is in use, then pop it again.",
);
pub(in crate::api) const NOT_STORED: Kind = kind(
    "MessagePersistException",
    StatusCode::INTERNAL_SERVER_ERROR,
    "Nothing was stored. The operator finds the cause in the log; then repeat the call.",
);
pub(in crate::api) const DISK_FULL: Kind = kind(
    "MessagePersistException",
    StatusCode::INSUFFICIENT_STORAGE,
    "Nothing was stored. The operator must make room on the disk; then repeat the call.",
);
pub(in crate::api) const INTERNAL: Kind = kind(
    "java.lang.RuntimeException",
    StatusCode::INTERNAL_SERVER_ERROR,
    "The operator finds the cause in the log; then repeat the call.",
);
pub(in crate::api) const STORE_AWAY: Kind = kind(
    "java.lang.RuntimeException",
    StatusCode::SERVICE_UNAVAILABLE,
    "Repeat the call: nothing was stored. When the error stays, the operator must look at the database.",
);
pub(in crate::api) const REGISTRY_UNREACHABLE: Kind = kind(
    "ServiceRegistryLookupException",
    StatusCode::SERVICE_UNAVAILABLE,
    "Repeat the call. When the error stays, the operator must look at the service registry.",
);

pub(in crate::api) const INVALID_ARGUMENT: Kind = bad(
    "org.springframework.web.bind.MethodArgumentNotValidException",
    "Correct the members that errors[] names.",
);
pub(in crate::api) const CONSTRAINT: Kind = bad(
    "jakarta.validation.ConstraintViolationException",
    "Correct what errors[] names.",
);
pub(in crate::api) const NOT_READABLE: Kind = bad(
    "org.springframework.http.converter.HttpMessageNotReadableException",
    "Send well-formed JSON in UTF-8, with every member of the right type.",
);
pub(in crate::api) const TYPE_MISMATCH: Kind = bad(
    "org.springframework.web.method.annotation.MethodArgumentTypeMismatchException",
    "Correct the value in the path or the query.",
);
pub(in crate::api) const UNKNOWN_SORT: Kind = bad(
    "org.springframework.data.mapping.PropertyReferenceException",
    "Sort by one of the properties that the error names.",
);
pub(in crate::api) const MISSING_HEADER: Kind = bad(
    "org.springframework.web.bind.MissingRequestHeaderException",
    "Send the header that the error names.",
);
pub(in crate::api) const MISSING_HEADER_VALUE: Kind = bad(
    "MissingHttpHeaderException",
    "Send Content-Disposition with the file name: attachment; name=\"title\"; filename=\"brev.pdf\"",
);
pub(in crate::api) const MISSING_PART: Kind = bad(
    "org.springframework.web.multipart.support.MissingServletRequestPartException",
    "Send the SBD as a part with the name sbd, type application/json and no filename.",
);
pub(in crate::api) const BAD_MULTIPART: Kind = bad(
    "org.springframework.web.multipart.MultipartException",
    "Send well-formed multipart/form-data.",
);
pub(in crate::api) const CUT_OFF: Kind = bad(
    "org.apache.catalina.connector.ClientAbortException",
    "Nothing was stored. Send the whole request again.",
);
pub(in crate::api) const REQUEST_TOO_LARGE: Kind = kind(
    "org.springframework.web.multipart.MaxUploadSizeExceededException",
    StatusCode::PAYLOAD_TOO_LARGE,
    "Send less in one request.",
);
pub(in crate::api) const UNSUPPORTED_MEDIA_TYPE: Kind = kind(
    "org.springframework.web.HttpMediaTypeNotSupportedException",
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "Set the Content-Type that the error names.",
);
pub(in crate::api) const NO_SUCH_PATH: Kind = missing(
    "org.springframework.web.servlet.resource.NoResourceFoundException",
    "Check the path. It must not end in a slash.",
);
pub(in crate::api) const NO_SUCH_METHOD: Kind = kind(
    "org.springframework.web.HttpRequestMethodNotSupportedException",
    StatusCode::METHOD_NOT_ALLOWED,
    "The response header Allow says which methods the path takes.",
);

pub(in crate::api) const REFUSED_BY_ADAPTER: Kind = bad(
    "MessageRefusedException",
    "Change what the error names. The message service would refuse the message, and exception says why in its adapter's words.",
);

/// Every row.
#[cfg(test)]
pub(in crate::api) const ALL: &[Kind] = &[
    MESSAGE_NOT_FOUND,
    CONVERSATION_NOT_FOUND,
    SUBSCRIPTION_NOT_FOUND,
    IDENTIFIER_NOT_FOUND,
    FILE_NOT_FOUND,
    MESSAGE_EXISTS,
    SUBSCRIPTION_EXISTS,
    MESSAGE_NOT_LOCKED,
    LOCKED_BY_ANOTHER,
    MESSAGE_QUEUED,
    UNKNOWN_MESSAGE_TYPE,
    TYPE_DOES_NOT_FIT,
    MISSING_MESSAGE_TYPE,
    RECEIVER_DOES_NOT_ACCEPT,
    SERVICE_NOT_ENABLED,
    SERVICE_NOT_RUNNING,
    MISSING_ADDRESS,
    CHANNEL_INVALID,
    INVALID_CERTIFICATE,
    RECEIVER_CERTIFICATE,
    UNCERTAIN_CERTIFICATE,
    DUPLICATE_FILENAME,
    TOO_LARGE,
    PART_TOO_LARGE,
    SECOND_PRIMARY,
    MISSING_TITLE,
    MISSING_METADATA,
    INVALID_CONTENT_TYPE,
    MISSING_FILE,
    MISSING_ARKIVMELDING,
    MISSING_ARKIVMELDING_FILE,
    INVALID_DOCUMENT,
    MISSING_PRIMARY,
    TIME_TO_LIVE,
    UNREADABLE_PACKAGE,
    NOT_STORED,
    DISK_FULL,
    INTERNAL,
    STORE_AWAY,
    REGISTRY_UNREACHABLE,
    INVALID_ARGUMENT,
    CONSTRAINT,
    NOT_READABLE,
    TYPE_MISMATCH,
    UNKNOWN_SORT,
    MISSING_HEADER,
    MISSING_HEADER_VALUE,
    MISSING_PART,
    BAD_MULTIPART,
    CUT_OFF,
    REQUEST_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    NO_SUCH_PATH,
    NO_SUCH_METHOD,
    REFUSED_BY_ADAPTER,
];

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn the_list_of_all_rows_is_whole() {
        let rows = include_str!("kind.rs").matches(": Kind = ").count();
        // The text that is looked for stands in this test as well.
        assert_eq!(ALL.len(), rows - 1);
    }
}
