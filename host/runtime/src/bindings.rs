//! The contract of `wit/` as Rust types, for the published line 0.1.
//!
//! What exists in the house as an async trait is async here; everything else is a plain function, which costs a guest
//! half as much to call. WASI is mapped to the implementations of `wasmtime-wasi` and `wasmtime-wasi-http`.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "generated from wit/, which has the documentation"
)]
#![allow(clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    // The world `adapter` without the parts of WASI that are linked from `wasmtime-wasi` and `wasmtime-wasi-http`.
    inline: "
        package budstikke:house;
        world house {
            import wasi:logging/logging;
            import budstikke:plugin/documents@0.1.0;
            import budstikke:plugin/packaging@0.1.0;
            import budstikke:plugin/identity@0.1.0;
            import budstikke:plugin/exchange@0.1.0;
            import budstikke:plugin/registry@0.1.0;
            import budstikke:plugin/queue-key@0.1.0;
            import budstikke:plugin/state@0.1.0;
            import budstikke:plugin/settings@0.1.0;
            export budstikke:plugin/messaging@0.1.0;
        }
    ",
    world: "budstikke:house/house",
    imports: {
        "budstikke:plugin/documents.[method]document.digest": async | trappable,
        "budstikke:plugin/documents.[method]document.open": async | trappable,
        "budstikke:plugin/documents.[method]document.read": async | trappable,
        "budstikke:plugin/documents.[method]spool.writer": async | trappable,
        "budstikke:plugin/documents.[static]spool.finish": async | trappable,
        "budstikke:plugin/exchange.[method]draft.sbd": async | trappable,
        "budstikke:plugin/exchange.[method]outgoing-message.sbd": async | trappable,
        "budstikke:plugin/exchange.[method]outgoing-message.save-checkpoint": async | trappable,
        "budstikke:plugin/exchange.[method]outgoing-message.keep": async | trappable,
        "budstikke:plugin/exchange.[method]outgoing-message.forget": async | trappable,
        "budstikke:plugin/exchange.deliver": async | trappable,
        "budstikke:plugin/exchange.generate": async | trappable,
        "budstikke:plugin/exchange.set-aside": async | trappable,
        "budstikke:plugin/exchange.was-handled": async | trappable,
        "budstikke:plugin/identity.subjects": async | trappable,
        "budstikke:plugin/identity.token": async | trappable,
        "budstikke:plugin/identity.token-was-refused": async | trappable,
        "budstikke:plugin/packaging.asic": async | trappable,
        "budstikke:plugin/packaging.seal": async | trappable,
        "budstikke:plugin/packaging.seal-to-us": async | trappable,
        "budstikke:plugin/packaging.unseal": async | trappable,
        "budstikke:plugin/packaging.zip": async | trappable,
        "budstikke:plugin/packaging.unzip": async | trappable,
        "budstikke:plugin/queue-key.get": async | trappable,
        "budstikke:plugin/queue-key.was-refused": async | trappable,
        "budstikke:plugin/registry.look-up": async | trappable,
        "budstikke:plugin/state.get": async | trappable,
        "budstikke:plugin/state.set": async | trappable,
        "budstikke:plugin/state.remove": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "budstikke:plugin/documents.document": crate::host::documents::DocumentHandle,
        "budstikke:plugin/documents.spool": crate::host::documents::SpoolHandle,
        "budstikke:plugin/exchange.draft": crate::host::exchange::DraftHandle,
        "budstikke:plugin/exchange.sent-message": crate::host::exchange::SentHandle,
        "budstikke:plugin/exchange.outgoing-message": crate::host::exchange::OutgoingHandle,
        "budstikke:plugin/registry.party": crate::host::registry::PartyHandle,
    },
});
